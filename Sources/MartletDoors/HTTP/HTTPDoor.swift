public import MartletModel
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why the door cannot open.
public enum HTTPDoorFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The address is reached from other machines and neither TLS nor a reason for plaintext is set.
    case plaintextBeyondLoopback(host: String)
    /// One of certificate and key is set, the other is not.
    case certificateWithoutKey
    case certificateUnreadable(reason: String)
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .plaintextBeyondLoopback(let host):
            "http.listen: \(host) is reached from other machines; set http.tls, or give http.plaintextReason"
        case .certificateWithoutKey: "http.tls: certificate and key are set together or not at all"
        case .certificateUnreadable(let reason): "http.tls: the certificate or its key cannot be used: \(reason)"
        case .cannotListen(let host, let port, let reason): "http.listen: cannot listen at \(host) port \(port): \(reason)"
        }
    }
}

/// The intake over HTTP/1.1 and JSON. Made, called and answered on one event loop, the one that owns the core behind `intake`.
public final class HTTPDoor {
    let intake: any Intake
    let sources: any SourceDirectory
    let settings: HTTPSettings
    private let eventLoop: any EventLoop

    /// Of which ends a source that sends over HTTP hears elsewhere; those not in it hear nothing.
    public var tells: [SourceNumber: Submission.Tells] = [:]
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
    public func start(then: @escaping (Result<SocketAddress, HTTPDoorFault>) -> Void) {
        eventLoop.preconditionInEventLoop()
        let address: SocketAddress
        do {
            address = try prepare()
        } catch {
            return then(.failure(error))
        }
        startClock()
        let loopBound = NIOLoopBound(self, eventLoop: eventLoop)
        let host = settings.host
        let port = settings.port
        ServerBootstrap(group: eventLoop, childGroup: eventLoop)
            .serverChannelOption(.backlog, value: HTTPLimit.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler()) }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: HTTPLimit.readBytes)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try loopBound.value.attach(to: channel) }
            }
            .bind(to: address)
            .assumeIsolated()
            .whenComplete { result in
                let door = loopBound.value
                switch result {
                case .success(let channel):
                    guard let bound = channel.localAddress else {
                        return then(.failure(.cannotListen(host: host, port: port, reason: "the socket has no address")))
                    }
                    door.listener = channel
                    if door.isStopping { channel.close(promise: nil) }
                    then(.success(bound))
                case .failure(let error):
                    door.ticking?.cancel()
                    then(.failure(.cannotListen(host: host, port: port, reason: "\(error)")))
                }
            }
    }

    /// What `start` checks before it listens: the address, the rule for plaintext, the TLS files.
    private func prepare() throws(HTTPDoorFault) -> SocketAddress {
        guard (settings.certificate == nil) == (settings.key == nil) else { throw .certificateWithoutKey }
        let address: SocketAddress
        do {
            address = try SocketAddress.makeAddressResolvingHost(settings.host, port: settings.port)
        } catch {
            throw .cannotListen(host: settings.host, port: settings.port, reason: "the name does not resolve")
        }
        if let certificate = settings.certificate, let key = settings.key {
            do {
                tls = try ServerTLS.context(certificate: certificate, key: key, protocols: ["http/1.1"])
            } catch {
                throw .certificateUnreadable(reason: "\(error)")
            }
        } else if !ServerTLS.isLoopback(address), settings.plaintextReason?.isEmpty ?? true {
            throw .plaintextBeyondLoopback(host: settings.host)
        }
        return address
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

    func tells(of source: SourceNumber) -> Submission.Tells { tells.isEmpty ? [] : tells[source] ?? [] }

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
    /// Answers 202 that their idempotency keys had before.
    public var repeated = 0
    /// States, traces, searches, cancellations, and replays of callbacks.
    public var told: Int = 0
    /// Every other answer, by the code of its problem.
    public var problems: [String: Int] = [:]
    /// Batches answered to their end; their lines are counted beside the requests.
    public var batches: Int = 0
    public var linesAccepted: Int = 0
    public var linesRepeated = 0
    public var lineProblems: [String: Int] = [:]

    public init() {}

    mutating func count(_ answer: HTTPAnswer) {
        switch answer {
        case .accepted: accepted &+= 1
        case .repeated: repeated &+= 1
        case .document, .taken: told &+= 1
        case .problem(let problem): problems[problem.code.code, default: 0] &+= 1
        case .goOn: break
        }
    }

    public static let answers = Metric(
        "martlet_http_answers_total", .counter, labels: ["code"],
        doc: "Requests answered, by the code of the problem, `accepted` for a message, `repeated` for one that its key had before, "
            + "`told` for what was asked, `batch` for a batch.")
    public static let lines = Metric(
        "martlet_http_batch_lines_total", .counter, labels: ["code"],
        doc: "Lines of batches answered, by the code of the problem, `accepted`, or `repeated`.")
    public static let connectionsTotal = Metric("martlet_http_connections_total", .counter, doc: "Connections that came in.")
    public static let refusedTotal = Metric(
        "martlet_http_connections_refused_total", .counter, doc: "Connections closed at once since `http.maximumConnections` were open.")
    public static let open = Metric("martlet_http_connections", .gauge, doc: "Connections open now.")
    public static let all: [Metric] = [answers, lines, connectionsTotal, refusedTotal, open]

    /// One value each, in a stable order: metric, value of its label if it has one, value.
    public var samples: [(metric: Metric, label: String?, value: Int)] {
        var all: [(Metric, String?, Int)] = [
            (HTTPCounters.answers, "accepted", accepted), (HTTPCounters.answers, "repeated", repeated),
            (HTTPCounters.answers, "told", told),
            (HTTPCounters.answers, "batch", batches),
        ]
        all += problems.sorted { $0.key < $1.key }.map { (HTTPCounters.answers, $0.key, $0.value) }
        all.append((HTTPCounters.lines, "accepted", linesAccepted))
        all.append((HTTPCounters.lines, "repeated", linesRepeated))
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
