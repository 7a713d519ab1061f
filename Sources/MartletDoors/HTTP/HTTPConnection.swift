import MartletModel
import NIOCore
import NIOHTTP1

/// One connection of a sender system, or one stream of such a connection over HTTP/2: takes requests in, gives their answers back in the order of the requests, whenever they come.
/// Everything runs on the door's event loop.
///
/// Each request takes a place in `places` and keeps it until its answer and all those before it are written. Bytes of a turn
/// are gathered in `out` and flushed once: at the end of a read, or of the batch of answers that the core gives. Taking in, serving,
/// answering and ending stand in files of their own, batches of messages in `HTTPBatchServing.swift`.
final class HTTPConnection: ChannelDuplexHandler, HTTPPeer, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the parts that come next belong to.
    enum Reception {
        case betweenRequests
        case body
        /// No further request is taken; what comes is dropped.
        case over
    }

    enum Life {
        case open
        /// The last answer is written; waits for the peer to read it and close.
        case lingering
        case closed
    }

    struct Request {
        var route: HTTPRoute
        var headOnly: Bool
        var problem: HTTPProblem?
        var source: AuthenticatedSource?
        var trace: TraceContext?
        var body: ByteBuffer?
        var bodyBytes = 0
        var bodyLimit = 0
        /// No request: the place of the 100 that the next one waits for.
        var isGoOn = false
        var idempotencyKey: String?
        /// Its body is a stream of lines; it takes its place when its head came.
        var batch: HTTPBatch?
    }

    struct Place {
        var answer: HTTPAnswer?
        var headOnly: Bool
        /// Its answer is streamed, and is whole before the next place is written.
        var batch: HTTPBatch?
    }

    let door: HTTPDoor
    var context: ChannelHandlerContext?
    var life = Life.open

    var reception = Reception.betweenRequests
    var current: Request?
    /// No request is taken after the one now arriving.
    var isLast = false
    /// The peer may still be sending what we refuse, so that a plain close could destroy the answer before it is read.
    var lingers = false

    var places = CircularBuffer<Place>(initialCapacity: 2)
    /// Number of the request at the front of `places`.
    var first: UInt64 = 0
    /// Requests read but not begun, since `places` is full. What one turn of reads brings at most.
    var held = CircularBuffer<Request>(initialCapacity: 0)

    var out: ByteBuffer
    var isReading = false
    var isAwaitingFlush = false
    var wantsRead = false
    private var sawPart = false
    var isWritable = true

    /// Batches with lines that may not all be taken; lines are taken of the first.
    var batches = CircularBuffer<HTTPBatch>(initialCapacity: 0)
    /// The batch at the front of `places`.
    var streaming: HTTPBatch?
    /// Lines taken whose answers are not written, of all batches, and the bytes that such answers hold.
    var linesOpen = 0
    var heldLineBytes = 0
    /// Something of `batches` was not looked at yet.
    var mayHaveLines = false
    /// The door has a turn for this one.
    var isTurnDue = false
    /// A batch was served, whose answer may be longer than what the socket takes at once.
    var hasStreamed = false
    /// The peer was given every byte and told that none follows.
    var hasSaidAll = false
    /// The peer sends no more.
    var hasHeardAll = false
    /// Lines are refused unread.
    var isStopping = false

    // Coarse times of the door's clock, in milliseconds.
    var lastMoved: Int64
    var headBegan: Int64?
    var bodyBegan: Int64 = 0
    let gate: HTTPGate
    /// The connection whose stream this is; nil: a connection of its own, over HTTP/1.1.
    let http2: HTTP2Connection?
    /// Of a stream: frames were written since the last flush.
    var hasFrames = false
    /// With TLS, its own traffic is not the start of a request; `HTTPByteWatch` says when plaintext came.
    var countsBytes: Bool
    var bytesCame = false

    init(door: HTTPDoor, gate: HTTPGate, countsBytes: Bool = false, http2: HTTP2Connection? = nil) {
        self.door = door
        self.gate = gate
        self.countsBytes = countsBytes
        self.http2 = http2
        lastMoved = door.clock
        out = ByteBuffer()
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if let http2 { return http2.opened(self) }
        out = context.channel.allocator.buffer(capacity: 512)
        door.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        sawPart = true
        guard life == .open, reception != .over else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): began(head)
        case .body(let bytes): received(bytes)
        case .end: completed()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        let sawRequest = sawPart
        sawPart = false
        // Of HTTP/2 a stream begins with its whole head; what else comes are frames of flow control.
        if http2 == nil, life == .open, reception == .betweenRequests, !sawRequest, headBegan == nil, !countsBytes || bytesCame {
            headBegan = door.clock
        }
        bytesCame = false
        flush()
    }

    func read(context: ChannelHandlerContext) {
        if isPaused {
            wantsRead = true
        } else {
            wantsRead = false
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        lastMoved = door.clock
        isWritable = context.channel.isWritable
        if isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { inputEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard life == .open, reception != .over else {
            // The socket or the TLS session failed while nothing more is read; a decoder's complaint about dropped bytes is none.
            if !(error is ByteToMessageDecoderError), !(error is HTTPParserError) { close() }
            return
        }
        guard let parserError = error as? HTTPParserError else { return close() }
        switch parserError {
        case .invalidEOFState, .closedConnection: inputEnded()
        case .headerOverflow: refuse(HTTPProblem(HTTPErrors.headTooLarge))
        case .invalidVersion: refuse(HTTPProblem(HTTPErrors.versionNotSupported))
        case .invalidMethod: refuse(HTTPProblem(HTTPErrors.methodNotAllowed, allow: "GET, POST"))
        default: refuse(HTTPProblem(HTTPErrors.malformedRequest))
        }
        if !isReading { flush() }
    }
}
