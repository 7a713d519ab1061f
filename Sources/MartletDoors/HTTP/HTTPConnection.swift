import MartletModel
import NIOCore
import NIOHTTP1

/// One connection of a sender system: takes requests in, gives their answers back in the order of the requests, whenever they come.
/// Everything runs on the door's event loop.
///
/// Each request takes a place in `places` and keeps it until its answer and all those before it are written. Bytes of a turn
/// are gathered in `out` and flushed once: at the end of a read, or of the batch of answers that the core gives.
final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What the parts that come next belong to.
    private enum Reception {
        case betweenRequests
        case body
        /// No further request is taken; what comes is dropped.
        case over
    }

    private enum Life {
        case open
        /// The last answer is written; waits for the peer to read it and close.
        case lingering
        case closed
    }

    private struct Request {
        var route: HTTPRoute
        var headOnly: Bool
        var problem: HTTPProblem?
        var source: AuthenticatedSource?
        var body: ByteBuffer?
        var bodyBytes = 0
        /// No request: the place of the 100 that the next one waits for.
        var isGoOn = false
    }

    private struct Place {
        var answer: HTTPAnswer?
        var headOnly: Bool
    }

    private let door: HTTPDoor
    private var context: ChannelHandlerContext?
    private var life = Life.open

    private var reception = Reception.betweenRequests
    private var current: Request?
    /// No request is taken after the one now arriving.
    private var isLast = false
    /// The peer may still be sending what we refuse, so that a plain close could destroy the answer before it is read.
    private var lingers = false

    private var places = CircularBuffer<Place>(initialCapacity: 2)
    /// Number of the request at the front of `places`.
    private var first: UInt64 = 0
    /// Requests read but not begun, since `places` is full. What one turn of reads brings at most.
    private var held = CircularBuffer<Request>(initialCapacity: 0)

    private var out: ByteBuffer
    private var isReading = false
    private var isAwaitingFlush = false
    private var wantsRead = false
    private var sawPart = false
    private var isWritable = true

    // Coarse times of the door's clock, in milliseconds.
    private var lastMoved: Int64
    private var headBegan: Int64?
    private var bodyBegan: Int64 = 0
    private var gate = HTTPGate()
    /// With TLS, its own traffic is not the start of a request; `HTTPByteWatch` says when plaintext came.
    var countsBytes: Bool
    var bytesCame = false

    init(door: HTTPDoor, countsBytes: Bool) {
        self.door = door
        self.countsBytes = countsBytes
        lastMoved = door.clock
        out = ByteBuffer()
    }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
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
        if life == .open, reception == .betweenRequests, !sawRequest, headBegan == nil, !countsBytes || bytesCame {
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

    /// The peer sends no more but may still read: what it asked for is answered.
    private func inputEnded() {
        reception = .over
        current = nil
        isLast = true
        if life == .lingering || hasNothingToAnswer { close() }
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

    // MARK: Requests

    private func began(_ head: HTTPRequestHead) {
        guard !isLast else { return reception = .over }
        headBegan = nil
        bodyBegan = door.clock
        lastMoved = door.clock
        let facts = HTTPHeadFacts(head)
        guard !facts.isMalformed else { return refuse(HTTPProblem(HTTPErrors.malformedRequest)) }
        // HTTP/1.0 connections serve one request: the answer is 1.1 and its reader may not know how it is delimited otherwise.
        if !head.isKeepAlive || facts.asksForUpgrade || head.version == .http1_0 { isLast = true }
        let passed = gate.examine(head, facts, sources: door.sources)
        let request = Request(route: passed.route, headOnly: head.method == .HEAD, problem: passed.problem, source: passed.source)
        if let length = facts.contentLength, length > door.settings.maximumBody {
            return refuse(request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: tooLarge), headOnly: request.headOnly)
        }
        if facts.expectsContinue, facts.isChunked || (facts.contentLength ?? 0) > 0 {
            // Refused before the body: the peer need not send it, so where the next request begins is not known.
            if let problem = request.problem { return refuse(problem, headOnly: request.headOnly) }
            enqueue(Request(route: .nowhere, headOnly: false, isGoOn: true))
        }
        reception = .body
        current = request
    }

    private func received(_ bytes: ByteBuffer) {
        guard reception == .body else { return }
        // Taken out and put back, so that the body's storage has one owner while it grows.
        guard var request = current.take() else { return }
        request.bodyBytes += bytes.readableBytes
        guard request.bodyBytes <= door.settings.maximumBody else {
            return refuse(request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: tooLarge), headOnly: request.headOnly)
        }
        if request.problem == nil {
            if var body = request.body.take() {
                body.writeImmutableBuffer(bytes)
                request.body = body
            } else {
                request.body = bytes
            }
        }
        current = request
    }

    private var tooLarge: String { "At most \(door.settings.maximumBody) bytes are taken." }

    private func completed() {
        guard reception == .body, let request = current.take() else { return }
        reception = isLast ? .over : .betweenRequests
        lastMoved = door.clock
        enqueue(request)
    }

    /// Answers the request now arriving with a problem, after those before it, and takes no further one.
    private func refuse(_ problem: HTTPProblem, headOnly: Bool = false) {
        reception = .over
        current = nil
        isLast = true
        lingers = true
        enqueue(Request(route: .nowhere, headOnly: headOnly, problem: problem))
    }

    private func enqueue(_ request: Request) {
        if places.count < HTTPLimit.pipelineDepth, held.isEmpty { begin(request) } else { held.append(request) }
    }

    private func begin(_ request: Request) {
        if request.isGoOn {
            open(Place(answer: .goOn, headOnly: false))
            return
        }
        if let problem = request.problem {
            open(Place(answer: .problem(problem), headOnly: request.headOnly))
            return
        }
        guard let source = request.source else { preconditionFailure("a request without problem has its source") }
        switch request.route {
        case .submit: submit(request.body, from: source)
        case .state(let id): tell(id, source) { HTTPAnswer.document($0.stateDocument()) }
        case .trace(let id): tell(id, source) { HTTPAnswer.document($0.traceDocument()) }
        case .unknownMessage, .nowhere: preconditionFailure("a path that leads nowhere has a problem")
        }
    }

    private func submit(_ body: ByteBuffer?, from source: AuthenticatedSource) {
        let now = door.intake.now()
        let reading = MessageReading.read(body ?? ByteBuffer(), source: source, now: now)
        switch reading {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
        case .submission(let submission):
            let number = open(Place(answer: nil, headOnly: false))
            door.intake.submit(submission) { acceptance in
                switch acceptance {
                case .accepted(let id, let parts): self.answer(number, .accepted(id, parts: parts))
                case .refused(let refusal):
                    if refusal == .stopping {
                        self.isLast = true
                        self.lingers = true
                    }
                    self.answer(number, .problem(HTTPProblem(refusal)))
                }
            }
        }
    }

    private func tell(_ id: MessageID, _ source: AuthenticatedSource, as form: @escaping (Story) -> HTTPAnswer) {
        let number = open(Place(answer: nil, headOnly: false))
        let owner = source.number
        door.intake.story(of: id, source: owner) { result in
            switch result {
            case .success(.some(let story)) where story.source == owner: self.answer(number, form(story))
            case .success: self.answer(number, .problem(HTTPProblem(HTTPErrors.notFound)))
            case .failure: self.answer(number, .problem(HTTPProblem(HTTPErrors.storyUnreadable, retryAfterSeconds: 5)))
            }
        }
    }

    // MARK: Answers

    /// - Returns: the number by which the answer finds its place.
    @discardableResult private func open(_ place: Place) -> UInt64 {
        let number = first &+ UInt64(places.count)
        places.append(place)
        if place.answer != nil { writeReady() }
        return number
    }

    private func answer(_ number: UInt64, _ answer: HTTPAnswer) {
        // The peer may have left meanwhile; then nobody waits for it.
        guard life == .open else { return }
        precondition(number >= first && number &- first < UInt64(places.count), "a request is answered once")
        let offset = Int(number &- first)
        let index = places.index(places.startIndex, offsetBy: offset)
        precondition(places[index].answer == nil, "a request is answered once")
        places[index].answer = answer
        if offset == 0 { writeReady() }
        if !isReading, !isAwaitingFlush {
            isAwaitingFlush = true
            door.flushLater(self)
        }
    }

    /// Writes the answers at the front that are there, up to the first that is not.
    private func writeReady() {
        while life == .open, let place = places.first, let answer = place.answer {
            places.removeFirst()
            first &+= 1
            let closes = isOver
            door.stationery.write(answer, to: &out, closes: closes, headOnly: place.headOnly)
            door.counters.count(answer)
            lastMoved = door.clock
        }
    }

    /// No request is unanswered and none will be taken.
    private var isOver: Bool { isLast && hasNothingToAnswer }
    private var hasNothingToAnswer: Bool { places.isEmpty && held.isEmpty && reception != .body }

    /// Gives the gathered bytes to the socket, begins what was held, and closes when all is said.
    func flush() {
        isAwaitingFlush = false
        // Each round begins at most `pipelineDepth` held requests, and no new one is read meanwhile.
        while life == .open, let context {
            if out.readableBytes > 0 {
                // Moved out first, since the write may call back into this; its storage is used again once it is written.
                var bytes = ByteBuffer()
                swap(&bytes, &out)
                context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
                if out.storageCapacity == 0 {
                    bytes.clear(minimumCapacity: 512)
                    out = bytes
                }
            }
            guard life == .open, !held.isEmpty, places.count < HTTPLimit.pipelineDepth, isWritable else { break }
            isReading = true  // Answers given at once are flushed by the next round.
            while places.count < HTTPLimit.pipelineDepth, let request = held.popFirst() { begin(request) }
            isReading = false
        }
        guard life == .open, let context else { return }
        if isOver {
            finish(context)
        } else if wantsRead, !isPaused {
            context.read()
            wantsRead = false
        }
    }

    private var isPaused: Bool {
        guard life == .open else { return false }
        return places.count >= HTTPLimit.pipelineDepth || !held.isEmpty || !isWritable
    }

    // MARK: End

    private func finish(_ context: ChannelHandlerContext) {
        guard lingers else { return close() }
        life = .lingering
        lastMoved = door.clock
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let half = context.eventLoop.makePromise(of: Void.self)
        half.futureResult.whenFailure { _ in connection.value.close() }
        context.close(mode: .output, promise: half)
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    private func close() {
        guard life != .closed, let context else { return }
        context.close(promise: nil)
    }

    private func ended() {
        guard life != .closed else { return }
        life = .closed
        context = nil
        places.removeAll()
        held.removeAll()
        current = nil
        door.closed(self)
    }

    /// The door stops: what was asked is answered, no further request is taken.
    func drain() {
        guard life == .open else { return }
        isLast = true
        lingers = true
        if hasNothingToAnswer { close() } else if reception == .betweenRequests { reception = .over }
    }

    func abort() { close() }

    /// Called about once a second with the door's clock: ends what takes too long.
    func look(at now: Int64) {
        switch life {
        case .closed: return
        case .lingering:
            if now - lastMoved >= HTTPLimit.lingering { close() }
        case .open:
            let limits = door.settings
            if !isWritable {
                if now - lastMoved >= limits.idleTimeout { close() }
            } else if isPaused {
                return
            } else if reception == .body, now - bodyBegan >= limits.bodyTimeout {
                refuse(HTTPProblem(HTTPErrors.requestTimeout))
                flush()
            } else if reception == .betweenRequests, let headBegan, now - headBegan >= limits.headTimeout {
                refuse(HTTPProblem(HTTPErrors.requestTimeout))
                flush()
            } else if hasNothingToAnswer, now - lastMoved >= limits.idleTimeout {
                close()
            }
        }
    }
}
