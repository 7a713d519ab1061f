import MartletModel
import NIOCore
import NIOHTTP1

/// One connection of a sender system: takes requests in, gives their answers back in the order of the requests, whenever they come.
/// Everything runs on the door's event loop.
///
/// Each request takes a place in `places` and keeps it until its answer and all those before it are written. Bytes of a turn
/// are gathered in `out` and flushed once: at the end of a read, or of the batch of answers that the core gives. Batches of messages
/// stand in `HTTPBatchServing.swift`.
final class HTTPConnection: ChannelDuplexHandler {
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
        var body: ByteBuffer?
        var bodyBytes = 0
        /// No request: the place of the 100 that the next one waits for.
        var isGoOn = false
        var idempotencyKey: String?
        /// Its body is a stream of messages; it takes its place when its head came.
        var batch: HTTPBatch?
    }

    struct Place {
        var answer: HTTPAnswer?
        var headOnly: Bool
        /// Its answer is streamed, and is whole before the next place is written.
        var batch: HTTPBatch?
    }

    let door: HTTPDoor
    private var context: ChannelHandlerContext?
    private(set) var life = Life.open

    var reception = Reception.betweenRequests
    var current: Request?
    /// No request is taken after the one now arriving.
    var isLast = false
    /// The peer may still be sending what we refuse, so that a plain close could destroy the answer before it is read.
    var lingers = false

    private(set) var places = CircularBuffer<Place>(initialCapacity: 2)
    /// Number of the request at the front of `places`.
    private var first: UInt64 = 0
    /// Requests read but not begun, since `places` is full. What one turn of reads brings at most.
    private(set) var held = CircularBuffer<Request>(initialCapacity: 0)

    var out: ByteBuffer
    var isReading = false
    private var isAwaitingFlush = false
    private var wantsRead = false
    private var sawPart = false
    private(set) var isWritable = true

    /// Batches with lines that may not all be taken; lines are taken of the first.
    var batches = CircularBuffer<HTTPBatch>(initialCapacity: 0)
    /// The batch at the front of `places`.
    private(set) var streaming: HTTPBatch?
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
    private var hasSaidAll = false
    /// The peer sends no more.
    private var hasHeardAll = false
    /// Lines are refused unread.
    private(set) var isStopping = false

    // Coarse times of the door's clock, in milliseconds.
    var lastMoved: Int64
    private var headBegan: Int64?
    var bodyBegan: Int64 = 0
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
        let batch = current?.batch
        current = nil
        isLast = true
        if let batch { ended(batch, HTTPProblem(HTTPErrors.malformedRequest, detail: "The body ended early.")) }
        hasHeardAll = true
        if life == .lingering {
            if hasSaidAll { close() }
        } else if hasNothingToAnswer {
            leave()
        }
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
        let request = Request(
            route: passed.route, headOnly: head.method == .HEAD, problem: passed.problem, source: passed.source,
            idempotencyKey: facts.idempotencyKey)
        let isBatch = passed.route == .batch && request.problem == nil
        let limit = isBatch ? door.settings.maximumBatchBody : door.settings.maximumBody
        if let length = facts.contentLength, length > limit {
            return refuse(
                request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: "At most \(limit) bytes are taken."),
                headOnly: request.headOnly)
        }
        if facts.expectsContinue, facts.isChunked || (facts.contentLength ?? 0) > 0 {
            // Refused before the body: the peer need not send it, so where the next request begins is not known.
            if let problem = request.problem { return refuse(problem, headOnly: request.headOnly) }
            enqueue(Request(route: .nowhere, headOnly: false, isGoOn: true))
        }
        reception = .body
        if isBatch, let source = request.source {
            beganBatch(request, from: source, isChunked: head.version != .http1_0)
        } else {
            current = request
        }
    }

    private func received(_ bytes: ByteBuffer) {
        guard reception == .body else { return }
        if let batch = current?.batch { return received(bytes, of: batch) }
        // Taken out and put back, so that the body's storage has one owner while it grows.
        guard var request = current.take() else { return }
        request.bodyBytes += bytes.readableBytes
        guard request.bodyBytes <= door.settings.maximumBody else {
            let detail = "At most \(door.settings.maximumBody) bytes are taken."
            return refuse(request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: detail), headOnly: request.headOnly)
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

    private func completed() {
        guard reception == .body, let request = current.take() else { return }
        reception = isLast ? .over : .betweenRequests
        lastMoved = door.clock
        if let batch = request.batch { ended(batch) } else { enqueue(request) }
    }

    /// Answers the request now arriving with a problem, after those before it, and takes no further one. Of a batch, it is the
    /// last line of the answer.
    func refuse(_ problem: HTTPProblem, headOnly: Bool = false) {
        reception = .over
        let batch = current?.batch
        current = nil
        isLast = true
        lingers = true
        if let batch { return ended(batch, problem) }
        enqueue(Request(route: .nowhere, headOnly: headOnly, problem: problem))
    }

    func enqueue(_ request: Request) {
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
        if let batch = request.batch { return begin(batch) }
        guard let source = request.source else { preconditionFailure("a request without problem has its source") }
        switch request.route {
        case .submit: submit(request.body, from: source, key: request.idempotencyKey)
        case .search: search(request.body, source)
        case .state(let id): tell(id, source) { HTTPAnswer.document($0.stateDocument()) }
        case .trace(let id): tell(id, source) { HTTPAnswer.document($0.traceDocument()) }
        case .cancel(let id): cancel(id, request.body, source)
        case .replay: replay(request.body, source)
        case .batch: preconditionFailure("a batch is begun by its head")
        case .unknownMessage, .nowhere: preconditionFailure("a path that leads nowhere has a problem")
        }
    }

    private func submit(_ body: ByteBuffer?, from source: AuthenticatedSource, key: String?) {
        let now = door.intake.now()
        let reading = MessageReading.read(body ?? ByteBuffer(), source: source, now: now)
        switch reading {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
        case .submission(var submission):
            submission.tells = door.tells(of: source.number)
            let number = open(Place(answer: nil, headOnly: false))
            door.intake.submit(submission.keyed(key, .submit, body: body ?? ByteBuffer())) { acceptance in
                switch acceptance {
                case .accepted(let id, let parts): self.answer(number, .accepted(id, parts: parts))
                case .repeated(let id, let parts): self.answer(number, .repeated(id, parts: parts))
                case .refused(let refusal):
                    if refusal == .stopping { self.stopTaking() }
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

    private func cancel(_ id: MessageID, _ body: ByteBuffer?, _ source: AuthenticatedSource) {
        if let body, let problem = MessageReading.nothing(in: body) {
            open(Place(answer: .problem(problem), headOnly: false))
            return
        }
        let number = open(Place(answer: nil, headOnly: false))
        door.intake.cancel(id, source: source.number) { cancellation in
            switch cancellation {
            case .cancelled: self.answer(number, .document(id.cancelledDocument))
            case .tooLate: self.answer(number, .problem(HTTPProblem(HTTPErrors.alreadyHandedOver)))
            case .notFound: self.answer(number, .problem(HTTPProblem(HTTPErrors.notFound)))
            case .storage: self.answer(number, .problem(HTTPProblem(HTTPErrors.storageTrouble, retryAfterSeconds: 5)))
            }
        }
    }

    private func replay(_ body: ByteBuffer?, _ source: AuthenticatedSource) {
        let number = open(Place(answer: nil, headOnly: false))
        switch CallbackReplay.read(body ?? ByteBuffer()) {
        case .failure(let fault): answer(number, .problem(fault.problem))
        case .success(let since):
            door.intake.tellAgain(source.number, since: since) { count in
                self.answer(number, count.map { .taken(CallbackReplay.document($0)) } ?? .problem(HTTPProblem(Refusal.stopping)))
            }
        }
    }

    // MARK: Answers

    /// - Returns: the number by which the answer finds its place.
    @discardableResult func open(_ place: Place) -> UInt64 {
        let number = first &+ UInt64(places.count)
        places.append(place)
        if place.answer != nil || place.batch != nil { writeReady() }
        return number
    }

    func answer(_ number: UInt64, _ answer: HTTPAnswer) {
        // The peer may have left meanwhile; then nobody waits for it.
        guard life == .open else { return }
        precondition(number >= first && number &- first < UInt64(places.count), "a request is answered once")
        let offset = Int(number &- first)
        let index = places.index(places.startIndex, offsetBy: offset)
        precondition(places[index].answer == nil, "a request is answered once")
        places[index].answer = answer
        if offset == 0 { writeReady() }
        flushSoon()
    }

    func flushSoon() {
        if !isReading, !isAwaitingFlush {
            isAwaitingFlush = true
            door.flushLater(self)
        }
    }

    /// Writes the answers at the front that are there, up to the first that is not.
    func writeReady() {
        while life == .open, let place = places.first {
            if let batch = place.batch {
                streaming = batch
                guard stream(batch) else { return }
                streaming = nil
                places.removeFirst()
                first &+= 1
                continue
            }
            guard let answer = place.answer else { return }
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
            if let streaming { writeText(of: streaming) }
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
            return
        }
        wantTurn()
        if wantsRead, !isPaused {
            // The time that nothing was read is not the peer's.
            if current?.batch != nil { bodyBegan = door.clock }
            context.read()
            wantsRead = false
        }
    }

    private var isPaused: Bool {
        guard life == .open else { return false }
        return places.count >= HTTPLimit.pipelineDepth || !held.isEmpty || !isWritable || mayHaveLines
    }

    // MARK: End

    /// There is nothing to answer; the bytes of a long answer may not all have left.
    private func leave() {
        guard hasStreamed, life == .open, let context else { return close() }
        finish(context)
    }

    private func finish(_ context: ChannelHandlerContext) {
        guard lingers || hasStreamed else { return close() }
        life = .lingering
        lastMoved = door.clock
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let half = context.eventLoop.makePromise(of: Void.self)
        half.futureResult.whenComplete { result in
            switch result {
            case .success: connection.value.saidAll()
            case .failure: connection.value.close()
            }
        }
        context.close(mode: .output, promise: half)
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    private func saidAll() {
        hasSaidAll = true
        lastMoved = door.clock
        if hasHeardAll { close() }
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
        batches.removeAll()
        streaming = nil
        mayHaveLines = false
        current = nil
        door.closed(self)
    }

    /// The door stops: what was asked is answered, no further request is taken.
    func drain() {
        guard life == .open else { return }
        stopTaking()
        if hasNothingToAnswer { leave() } else if reception == .betweenRequests { reception = .over }
    }

    func stopTaking() {
        isLast = true
        lingers = true
        isStopping = true
    }

    func abort() { close() }

    /// Called about once a second with the door's clock: ends what takes too long.
    func look(at now: Int64) {
        switch life {
        case .closed: return
        case .lingering:
            if now - lastMoved >= (hasSaidAll ? HTTPLimit.lingering : door.settings.idleTimeout) { close() }
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
