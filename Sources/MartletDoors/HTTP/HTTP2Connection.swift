import MartletModel
import NIOCore
import NIOHPACK
import NIOHTTP1
import NIOHTTP2

/// One HTTP/2 connection of a sender system (RFC 9113): stands at the end of its pipeline and keeps its streams, each of which is an
/// `HTTPConnection` that takes one request. Everything runs on the door's event loop.
///
/// What a peer may do to it is bounded: streams open at once, the size of a head and of its continuation, resets, PING, SETTINGS and
/// PRIORITY frames, streams in error (within half a minute each), control frames that wait since the peer reads nothing, and the time
/// without a stream. Over a bound it ends with GOAWAY.
final class HTTP2Connection: ChannelInboundHandler, HTTPPeer {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let door: HTTPDoor
    private let gate: HTTPGate
    private var context: ChannelHandlerContext?
    private var streams: [ObjectIdentifier: HTTPConnection] = [:]
    /// The newest stream that was opened: GOAWAY tells the peer that none after it was looked at, so that it may ask again elsewhere.
    private var newest = HTTP2StreamID.rootStream
    private var isLeaving = false
    /// Coarse time of the door's clock, in milliseconds, when a stream came or went.
    private var lastMoved: Int64

    init(door: HTTPDoor, gate: HTTPGate) {
        self.door = door
        self.gate = gate
        lastMoved = door.clock
    }

    /// Adds what speaks HTTP/2 to the end of the pipeline, this included.
    func attach(to channel: any Channel) throws {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: HTTPLimit.streams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HTTPLimit.headList),
        ]
        configuration.maximumBufferedControlFrames = HTTPLimit.bufferedControlFrames
        configuration.controlFrameRateLimit.maximumCount = HTTPLimit.controlFrames
        var streaming = NIOHTTP2Handler.StreamConfiguration()
        streaming.streamResetFrameRateLimit.maximumCount = HTTPLimit.resetStreams
        streaming.streamErrorRateLimit.maximumCount = HTTPLimit.resetStreams
        // The bytes of a batch's answer that may wait in a stream: as many as in a socket of HTTP/1.1.
        streaming.outboundBufferSizeHighWatermark = HTTPLimit.batchText
        streaming.outboundBufferSizeLowWatermark = HTTPLimit.batchText / 2
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let multiplexer = NIOHTTP2Handler(
            mode: .server, eventLoop: channel.eventLoop, connectionConfiguration: configuration, streamConfiguration: streaming
        ) { stream in
            stream.eventLoop.makeCompletedFuture { try bound.value.attach(stream: stream) }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP2FlushGather(door: door))
        try pipeline.addHandler(multiplexer)
        try pipeline.addHandler(self)
    }

    private func attach(stream: any Channel) throws {
        if let id = try stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) { newest = max(newest, id) }
        let connection = HTTPConnection(door: door, gate: gate, http2: self)
        let pipeline = stream.pipeline.syncOperations
        try pipeline.addHandler(HTTP2Stream(connection))
        try pipeline.addHandler(connection)
    }

    func opened(_ stream: HTTPConnection) {
        streams[ObjectIdentifier(stream)] = stream
        lastMoved = door.clock
    }

    func closed(_ stream: HTTPConnection) {
        streams[ObjectIdentifier(stream)] = nil
        lastMoved = door.clock
        if isLeaving, streams.isEmpty { leaveSoon() }
    }

    /// After what is being written now: the last stream may end inside of the write of its own answer.
    private func leaveSoon() {
        context?.eventLoop.assumeIsolated().execute { if self.streams.isEmpty { self.leave() } }
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        door.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    /// The peer says nothing more: what is open is answered, and the connection ends.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { drain() }
        context.fireUserInboundEventTriggered(event)
    }

    // Frames of the connection itself are answered by the handler before this one.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // One stream's fault ended that stream. Any other has had its GOAWAY, or the socket or the TLS session failed.
        if !HTTP2Connection.isOfOneStream(error) { context.close(promise: nil) }
    }

    private static func isOfOneStream(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed, is NIOHTTP2Errors.BadStreamStateTransition,
            is NIOHTTP2Errors.MissingPseudoHeader, is NIOHTTP2Errors.DuplicatePseudoHeader,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader,
            is NIOHTTP2Errors.UnknownPseudoHeader, is NIOHTTP2Errors.UnsupportedPseudoHeader, is NIOHTTP2Errors.InvalidPseudoHeaders,
            is NIOHTTP2Errors.InvalidPseudoHeaderValue, is NIOHTTP2Errors.EmptyPathHeader, is NIOHTTP2Errors.MissingHostHeader,
            is NIOHTTP2Errors.DuplicateHostHeader, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue, is NIOHTTP2Errors.ForbiddenHeaderField,
            is NIOHTTP2Errors.ContentLengthViolated, is NIOHTTP2Errors.ContentLengthHeadersMismatch,
            is NIOHTTP2Errors.ContentLengthHeaderNegative, is NIOHTTP2Errors.ContentLengthHeaderMalformedValue,
            is NIOHTTP2Errors.TrailersWithoutEndStream:
            true
        default: false
        }
    }

    private func ended() {
        guard context != nil else { return }
        context = nil
        door.closed(self)
    }

    // MARK: The door

    func look(at now: Int64) {
        for stream in Array(streams.values) { stream.look(at: now) }
        if streams.isEmpty, now - lastMoved >= door.settings.idleTimeout { drain() }
    }

    /// What is open, and what comes until all of it is answered, is answered; then the peer is told which stream was the last that was
    /// looked at (RFC 9113, section 6.8), and the connection ends. Not told before: NIO takes the body of a request that was on its
    /// way then for a fault of the connection, and the open ones would end without the answers that they are owed.
    func drain() {
        guard !isLeaving, context != nil else { return }
        isLeaving = true
        if streams.isEmpty { return leave() }
        for stream in Array(streams.values) { stream.drain() }
    }

    private func leave() {
        let frame = HTTP2Frame(streamID: .rootStream, payload: .goAway(lastStreamID: newest, errorCode: .noError, opaqueData: nil))
        guard let context else { return }
        // What was gathered before it goes first; the close waits for all of it.
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.abort() }
        context.writeAndFlush(wrapOutboundOut(frame), promise: written)
    }

    func abort() { context?.close(promise: nil) }
}

/// The frames of one stream as the parts of a request that `HTTPConnection` takes. Before it, the pseudo-header fields and what HTTP/2
/// forbids were checked (RFC 9113, sections 8.2 and 8.3).
final class HTTP2Stream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTPServerRequestPart
    private let connection: HTTPConnection
    private var hasHead = false

    init(_ connection: HTTPConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            // Fields after the body say nothing to this door.
            if !hasHead { began(frame, context) }
            if frame.endStream { ended(context) }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data, bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(.body(bytes))) }
            if frame.endStream { ended(context) }
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService, .origin: break
        }
    }

    private func ended(_ context: ChannelHandlerContext) {
        connection.hasHeardAll = true
        context.fireChannelRead(wrapInboundOut(.end(nil)))
    }

    private func began(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        hasHead = true
        var method = HTTPMethod.GET
        var path = ""
        var authority: String?
        var fields: [(String, String)] = []
        fields.reserveCapacity(frame.headers.count)
        for (name, value, _) in frame.headers {
            guard name.utf8.count + value.utf8.count <= HTTPLimit.headField, fields.count < HTTPLimit.headFields else {
                return connection.refuse(HTTPProblem(HTTPErrors.headTooLarge))
            }
            switch name {
            case ":method": method = HTTPMethod(rawValue: value)
            case ":path": path = value
            case ":authority": authority = value
            case ":scheme": break
            default: fields.append((name, value))
            }
        }
        // It stands for Host, and one that says otherwise beside it makes two (RFC 9113, section 8.3.1).
        if let authority, !fields.contains(where: { $0.0 == "host" && $0.1 == authority }) { fields.append(("host", authority)) }
        // So that a body of unknown length is known to come.
        if !frame.endStream, !fields.contains(where: { $0.0 == "content-length" }) { fields.append(("transfer-encoding", "chunked")) }
        let head = HTTPRequestHead(version: .http2, method: method, uri: path, headers: HTTPHeaders(fields))
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

/// Stands between HTTP/2 and the socket: while the door gives out a batch of answers, the bytes of all streams leave in one write.
final class HTTP2FlushGather: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private let door: HTTPDoor
    private var context: ChannelHandlerContext?
    private var isWaiting = false

    init(door: HTTPDoor) { self.door = door }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func flush(context: ChannelHandlerContext) {
        guard door.isFlushing else { return context.flush() }
        guard !isWaiting else { return }
        isWaiting = true
        door.flushAfterStreams(self)
    }

    func flushNow() {
        isWaiting = false
        context?.flush()
    }
}
