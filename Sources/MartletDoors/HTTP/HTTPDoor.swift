public import MartletModel
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The intake over HTTP/1.1 and JSON. Made, called and answered on one event loop, the one that owns the core behind `intake`.
public final class HTTPDoor {
    let intake: any Intake
    let sources: any SourceDirectory
    let settings: HTTPSettings
    private let eventLoop: any EventLoop

    var stationery = HTTPStationery()
    public internal(set) var counters = HTTPCounters()
    /// Milliseconds of a clock that never jumps, read twice a second: good enough for time-outs, and free.
    private(set) var clock: Int64 = 0
    private var ticking: RepeatedTask?

    private var listener: (any Channel)?
    private var tls: NIOSSLContext?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var refused = 0
    /// Those with answers written since the last flush, and a spare list to swap it with.
    private var waiting: [HTTPConnection] = []
    private var spare: [HTTPConnection] = []
    private var isFlushing = false
    /// Those with lines of a batch to take.
    private var turns = CircularBuffer<HTTPConnection>(initialCapacity: 0)
    private var isTurnScheduled = false
    private var isStopping = false
    private var stopped: [() -> Void] = []

    public init(intake: any Intake, sources: any SourceDirectory, settings: HTTPSettings, eventLoop: any EventLoop) {
        self.intake = intake
        self.sources = sources
        self.settings = settings
        self.eventLoop = eventLoop
        tick()
    }

    // MARK: Life

    /// Listens. Call it on the loop; `then` runs there with the address, or with why there is none. It reads the TLS files and
    /// resolves the host, so it may block briefly.
    public func start(then: @escaping (Result<SocketAddress, DoorFault>) -> Void) {
        eventLoop.preconditionInEventLoop()
        let listening = settings.listening
        let address: SocketAddress
        do {
            (address, tls) = try listening.prepare()
        } catch {
            return then(.failure(error))
        }
        startClock()
        listening.listen(
            at: address, on: eventLoop, halfClosure: true, readBytes: HTTPLimit.readBytes, attach: { try self.attach(to: $0) },
            then: { result in
                switch result {
                case .success(let (channel, address)):
                    self.listener = channel
                    if self.isStopping { channel.close(promise: nil) }
                    then(.success(address))
                case .failure(let fault):
                    self.ticking?.cancel()
                    then(.failure(fault))
                }
            })
    }

    /// Takes no further connection and no further request, lets open requests be answered, and closes what is left after
    /// `within`. `then` runs on the loop when no connection is open.
    public func stop(within: TimeAmount, then: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        stopped.append(then)
        guard !isStopping else {
            finishedStopping()
            return
        }
        isStopping = true
        listener?.close(promise: nil)
        listener = nil
        for connection in connections.values { connection.drain() }
        guard !finishedStopping() else { return }
        let loopBound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: within) {
            let door = loopBound.value
            for connection in door.connections.values { connection.abort() }
        }
    }

    @discardableResult private func finishedStopping() -> Bool {
        guard isStopping, connections.isEmpty else { return false }
        ticking?.cancel()
        ticking = nil
        let told = stopped
        stopped = []
        for one in told { one() }
        return true
    }

    // MARK: The clock

    func startClock() {
        let loopBound = NIOLoopBound(self, eventLoop: eventLoop)
        ticking = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { _ in
            loopBound.value.tick()
        }
    }

    private func tick() {
        clock = Int64(eventLoop.now.uptimeNanoseconds / 1_000_000)
        stationery.renew(wall: intake.now().wall)
        for connection in connections.values { connection.look(at: clock) }
    }

    // MARK: Connections

    /// Builds the pipeline of an accepted connection.
    func attach(to channel: any Channel) throws {
        counters.connections &+= 1
        guard connections.count < settings.maximumConnections, !isStopping else {
            counters.connectionsRefused &+= 1
            // Before a TLS handshake there is nobody to talk to.
            guard tls == nil, refused < HTTPLimit.refusedConnections, !isStopping else {
                channel.close(promise: nil)
                return
            }
            refused += 1
            return try channel.pipeline.syncOperations.addHandler(HTTPTurnAway(door: self))
        }
        let pipeline = channel.pipeline.syncOperations
        let connection = HTTPConnection(door: self, countsBytes: tls != nil)
        if let tls {
            try pipeline.addHandler(NIOSSLServerHandler(context: tls))
            try pipeline.addHandler(HTTPByteWatch(connection))
        }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = HTTPLimit.headField
        limits.maxHeaderListSize = HTTPLimit.head
        limits.maxHeaderFieldCount = HTTPLimit.headFields
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
        try pipeline.addHandler(connection)
    }

    func opened(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = connection
        counters.connectionsOpen = connections.count
    }

    func closed(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = nil
        counters.connectionsOpen = connections.count
        finishedStopping()
    }

    func turnedAwayEnded() { refused -= 1 }

    /// Flushes the connection once, after the batch of answers that the core is giving out.
    func flushLater(_ connection: HTTPConnection) {
        waiting.append(connection)
        if waiting.count == 1 { intake.afterAnswers { self.flushWaiting() } }
    }

    private func flushWaiting() {
        guard !isFlushing else { return }
        isFlushing = true
        // A flush begins held requests, whose answers may come at once and to others too; those gather in the other list.
        while !waiting.isEmpty {
            swap(&waiting, &spare)
            for connection in spare { connection.flush() }
            spare.removeAll(keepingCapacity: true)
        }
        isFlushing = false
    }

    /// The connection takes lines of its batch when its turn comes.
    func queueTurn(_ connection: HTTPConnection) {
        turns.append(connection)
        scheduleTurn()
    }

    /// Not `execute`: the loop runs what tasks add before it looks at its sockets again. A turn in the future makes it look, so
    /// between two turns every other connection is served.
    private func scheduleTurn() {
        guard !isTurnScheduled, !turns.isEmpty else { return }
        isTurnScheduled = true
        let loopBound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: HTTPLimit.turnGap) { loopBound.value.giveTurns() }
    }

    /// One share for all that wait; who does not get to it, or not to its end, comes after the others.
    private func giveTurns() {
        isTurnScheduled = false
        var left = HTTPLimit.turnCost
        for _ in 0..<turns.count {
            guard left > 0, let connection = turns.popFirst() else { break }
            left -= connection.turn(left)
        }
        scheduleTurn()
    }
}

/// What the door counted since it was made.
public struct HTTPCounters: Sendable, Equatable {
    public var connections: Int = 0
    public var connectionsRefused: Int = 0
    public var connectionsOpen = 0
    /// Answers 202.
    public var accepted: Int = 0
    /// Answers 200: states, traces and cancellations.
    public var told: Int = 0
    /// Every other answer, by the code of its problem.
    public var problems: [String: Int] = [:]
    /// Batches answered to their end; their lines are counted beside the requests.
    public var batches: Int = 0
    public var linesAccepted: Int = 0
    public var lineProblems: [String: Int] = [:]

    public init() {}

    mutating func count(_ answer: HTTPAnswer) {
        switch answer {
        case .accepted: accepted &+= 1
        case .document: told &+= 1
        case .problem(let problem): problems[problem.code.code, default: 0] &+= 1
        case .goOn: break
        }
    }

    public static let answers = Metric(
        "martlet_http_answers_total", .counter, labels: ["code"],
        doc: "Requests answered, by the code of the problem, `accepted` for 202, `told` for 200, `batch` for a batch.")
    public static let lines = Metric(
        "martlet_http_batch_lines_total", .counter, labels: ["code"],
        doc: "Lines of batches answered, by the code of the problem, or `accepted`.")
    public static let connectionsTotal = Metric("martlet_http_connections_total", .counter, doc: "Connections that came in.")
    public static let refusedTotal = Metric(
        "martlet_http_connections_refused_total", .counter, doc: "Connections closed at once since `http.maximumConnections` were open.")
    public static let open = Metric("martlet_http_connections", .gauge, doc: "Connections open now.")
    public static let all: [Metric] = [answers, lines, connectionsTotal, refusedTotal, open]

    /// One value each, in a stable order: metric, value of its label if it has one, value.
    public var samples: [(metric: Metric, label: String?, value: Int)] {
        var all: [(Metric, String?, Int)] = [
            (HTTPCounters.answers, "accepted", accepted), (HTTPCounters.answers, "told", told),
            (HTTPCounters.answers, "batch", batches),
        ]
        all += problems.sorted { $0.key < $1.key }.map { (HTTPCounters.answers, $0.key, $0.value) }
        all.append((HTTPCounters.lines, "accepted", linesAccepted))
        all += lineProblems.sorted { $0.key < $1.key }.map { (HTTPCounters.lines, $0.key, $0.value) }
        all.append((HTTPCounters.connectionsTotal, nil, connections))
        all.append((HTTPCounters.refusedTotal, nil, connectionsRefused))
        all.append((HTTPCounters.open, nil, connectionsOpen))
        return all
    }
}

/// A connection beyond the limit: says so, lets the peer read it, closes.
final class HTTPTurnAway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let door: HTTPDoor

    init(door: HTTPDoor) { self.door = door }

    func channelActive(context: ChannelHandlerContext) {
        var out = context.channel.allocator.buffer(capacity: 512)
        door.stationery.write(
            .problem(HTTPProblem(HTTPErrors.tooManyConnections, retryAfterSeconds: 1)), to: &out, closes: true, headOnly: false)
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        let channel = context.channel
        context.close(mode: .output, promise: nil)
        context.eventLoop.scheduleTask(in: .milliseconds(HTTPLimit.lingering)) { channel.close(promise: nil) }
    }

    // What it sends is read and dropped, so that the close does not destroy the answer.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func handlerRemoved(context: ChannelHandlerContext) { door.turnedAwayEnded() }
}
