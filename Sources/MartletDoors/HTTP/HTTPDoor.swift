public import MartletModel
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The intake over HTTP/1.1 or HTTP/2, and JSON. Made, called and answered on one event loop, the one that owns the core behind `intake`.
public final class HTTPDoor {
    let intake: any Intake
    let sources: any SourceDirectory
    let settings: HTTPSettings
    private let eventLoop: any EventLoop

    /// Of which ends a source that sends over HTTP hears elsewhere; those not in it hear nothing.
    public var tells: [SourceNumber: Submission.Tells] = [:]
    /// What is done about card numbers in texts, from the next one on.
    public var cardNumbers: CardNumbers.Policy
    var stationery = HTTPStationery()
    public internal(set) var counters = HTTPCounters()
    /// Milliseconds of a clock that never jumps, read twice a second: good enough for time-outs, and free.
    private(set) var clock: Int64 = 0
    private var ticking: RepeatedTask?

    private var listener: (any Channel)?
    private var tls: NIOSSLContext?
    private var connections: [ObjectIdentifier: any HTTPPeer] = [:]
    private var refused = 0
    /// Those with answers written since the last flush, and a spare list to swap it with.
    private var waiting: [HTTPConnection] = []
    private var spare: [HTTPConnection] = []
    private(set) var isFlushing = false
    /// HTTP/2 connections whose streams were flushed in that, and whose bytes leave at its end.
    private var gathered: [HTTP2FlushGather] = []
    /// Those with lines of a batch to take.
    private var turns = CircularBuffer<HTTPConnection>(initialCapacity: 0)
    private var isTurnScheduled = false
    private var isStopping = false
    private var stopped: [() -> Void] = []

    public init(intake: any Intake, sources: any SourceDirectory, settings: HTTPSettings, eventLoop: any EventLoop) {
        self.intake = intake
        self.sources = sources
        self.settings = settings
        cardNumbers = settings.cardNumbers
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
        for connection in Array(connections.values) { connection.look(at: clock) }
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
        let gate = HTTPGate { [weak channel] in channel.flatMap { PeerCertificate.of($0) } }
        let connection = HTTPConnection(door: self, gate: gate, countsBytes: tls != nil)
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        try pipeline.addHandler(HTTPVersionSwitch(door: self, connection: connection, isTLS: tls != nil))
        try pipeline.addHandler(connection)
    }

    /// The peer speaks HTTP/1.1: its decoder comes before the connection.
    func speakHTTP1(on channel: any Channel, before connection: HTTPConnection, isTLS: Bool) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = HTTPLimit.headField
        limits.maxHeaderListSize = HTTPLimit.head
        limits.maxHeaderFieldCount = HTTPLimit.headFields
        let place = ChannelPipeline.SynchronousOperations.Position.before(connection)
        if isTLS { try channel.pipeline.syncOperations.addHandler(HTTPByteWatch(connection), position: place) }
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits))
        try channel.pipeline.syncOperations.addHandler(decoder, position: place)
    }

    /// The peer speaks HTTP/2: its streams are connections of their own, this one is none.
    func speakHTTP2(on channel: any Channel, insteadOf connection: HTTPConnection) throws {
        counters.http2Connections &+= 1
        // First, so that a door that stops does not think that none is left.
        try HTTP2Connection(door: self, gate: connection.gate).attach(to: channel)
        channel.pipeline.syncOperations.removeHandler(connection, promise: nil)
    }

    func opened(_ connection: any HTTPPeer) {
        connections[ObjectIdentifier(connection)] = connection
        counters.connectionsOpen = connections.count
    }

    func closed(_ connection: any HTTPPeer) {
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
        guard !gathered.isEmpty else { return }
        let all = gathered
        gathered.removeAll(keepingCapacity: true)
        for one in all { one.flushNow() }
    }

    func flushAfterStreams(_ gather: HTTP2FlushGather) { gathered.append(gather) }

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

/// What the door keeps of each open connection, whichever HTTP it speaks.
protocol HTTPPeer: AnyObject {
    /// Called twice a second with the door's clock: ends what takes too long.
    func look(at now: Int64)
    /// The door stops: what was asked is answered, no further request is taken.
    func drain()
    func abort()
}
