import Guard
public import MartletModel
public import NIOCore
import NIOPosix
import NIOSSL
import SMPP

/// The SMPP server for sender systems: the same intake as over HTTP, and receipts back over any bind of the account. Made, called and
/// answered on one event loop, the one that owns the core behind `intake`.
public final class SMPPDoor {
    let intake: any Intake
    let sources: any SourceDirectory
    let owner: any TellerOwner
    public private(set) var settings: SMPPDoorSettings
    let eventLoop: any EventLoop
    /// What is done about card numbers in texts, from the next one on.
    public var cardNumbers: CardNumbers.Policy
    public internal(set) var counters = SMPPDoorCounters()

    private var accounts: [String: SMPPAccountBinds] = [:]
    private var connections: [ObjectIdentifier: SMPPServerConnection] = [:]
    private var guessing = GuessingBrake()
    private var listener: (any Channel)?
    public var isListening: Bool { listener != nil }
    private var tls: NIOSSLContext?
    private var ticking: RepeatedTask?
    private var waiting: [SMPPServerConnection] = []
    private var isStopping = false
    private var stopped: [() -> Void] = []

    public init(
        intake: any Intake, sources: any SourceDirectory, owner: any TellerOwner, settings: SMPPDoorSettings, eventLoop: any EventLoop
    ) {
        self.intake = intake
        self.sources = sources
        self.owner = owner
        self.settings = settings
        cardNumbers = settings.cardNumbers
        self.eventLoop = eventLoop
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
        take(settings.accounts)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticking = eventLoop.scheduleRepeatedTask(initialDelay: SMPPDoor.tickEvery, delay: SMPPDoor.tickEvery) { _ in bound.value.tick() }
        listening.listen(
            at: address, on: eventLoop, halfClosure: false, readBytes: SMPPDoor.readBytes, attach: { try self.attach(to: $0) },
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

    private static let readBytes = 64 * 1024
    /// How often connections look at their timers.
    private static let tickEvery = TimeAmount.milliseconds(250)

    /// Other accounts from now on. Binds of those that are gone, or whose password or rights changed, are ended by an unbind. A stopping
    /// door keeps those it has.
    public func replace(_ accounts: [SMPPAccount]) {
        guard !isStopping else { return }
        settings.accounts = accounts
        take(accounts)
    }

    private func take(_ fresh: [SMPPAccount]) {
        let names = Set(fresh.map(\.systemID))
        for (name, account) in accounts where !names.contains(name) {
            owner.remove(account)
            account.end()
            accounts[name] = nil
        }
        for settings in fresh {
            if let present = accounts[settings.systemID] {
                guard present.settings != settings else { continue }
                owner.remove(present)
                present.end()
                accounts[settings.systemID] = nil
            }
            guard let source = sources.source(named: settings.source) else { continue }
            let account = SMPPAccountBinds(settings, source: source.number, door: self)
            accounts[settings.systemID] = account
            owner.add(account)
        }
    }

    /// Takes no further connection or request, lets open requests be answered, unbinds, and closes what is left after `within`. `then`
    /// runs on the loop when no connection is open.
    public func stop(within: TimeAmount, then: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        stopped.append(then)
        guard !isStopping else { return finishStopping() }
        isStopping = true
        listener?.close(promise: nil)
        listener = nil
        for account in accounts.values { owner.remove(account) }
        for connection in connections.values { connection.drain() }
        finishStopping()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: within) {
            for connection in bound.value.connections.values { connection.close() }
        }
    }

    private func finishStopping() {
        guard isStopping, connections.isEmpty else { return }
        ticking?.cancel()
        ticking = nil
        let told = stopped
        stopped = []
        for one in told { one() }
    }

    // MARK: Connections

    func attach(to channel: any Channel) throws {
        counters.connections += 1
        guard connections.count < settings.maximumConnections, !isStopping else {
            counters.connectionsRefused += 1
            return channel.close(promise: nil)
        }
        let connection = SMPPServerConnection(door: self, peer: channel.remoteAddress?.ipAddress ?? "")
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
        try channel.pipeline.syncOperations.addHandler(connection)
        connections[ObjectIdentifier(connection)] = connection
        counters.connectionsOpen = connections.count
    }

    func closed(_ connection: SMPPServerConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        counters.connectionsOpen = connections.count
        finishStopping()
    }

    func tick() {
        let steady = intake.now().steady
        guessing.forget(before: steady)
        for connection in connections.values { connection.tick(at: steady) }
    }

    /// Flushes the connection once, after the batch of answers that the core is giving out.
    func flushLater(_ connection: SMPPServerConnection) {
        waiting.append(connection)
        guard waiting.count == 1 else { return }
        intake.afterAnswers { [self] in
            let all = waiting
            waiting.removeAll(keepingCapacity: true)
            for connection in all { connection.flush() }
        }
    }

    // MARK: Binds

    enum Judgement {
        case account(SMPPAccountBinds)
        /// Answered after so many microseconds, so that guessing is slow.
        case refused(CommandStatus, after: Int64)
    }

    /// - Parameter certificate: what the client showed in the TLS handshake; asked only where an account is bound to certificates.
    func judge(_ bind: Bind, from peer: String, certificate: () -> ClientCertificate?, at steady: Int64) -> Judgement {
        if isStopping { return .refused(.bindFailed, after: 0) }
        let account = accounts[bind.systemID]
        // The same work for a name that is not there.
        let matches = SMPPDoor.same(account?.settings.password ?? "\u{7F}", bind.password)
        guard let account, matches || account.settings.password == nil,
            account.settings.addresses.isEmpty || account.settings.addresses.contains(where: { $0.contains(peer) }),
            account.settings.admits(certificate)
        else {
            counters.bindsRefused += 1
            return .refused(.bindFailed, after: guessing.failed(peer, at: steady))
        }
        guard account.settings.modes.contains(bind.mode), account.count < account.settings.binds,
            sources.source(numbered: account.source)?.scopes.contains(.send) ?? false
        else {
            counters.bindsRefused += 1
            return .refused(.bindFailed, after: 0)
        }
        guessing.succeeded(peer)
        counters.binds += 1
        return .account(account)
    }

    /// In a time that tells neither the length nor where they differ, for passwords as long as SMPP's.
    private static func same(_ a: String, _ b: String) -> Bool {
        let (x, y) = (Array(a.utf8), Array(b.utf8))
        var difference = x.count ^ y.count
        for place in 0..<16 {
            difference |= Int((place < x.count ? x[place] : 0) ^ (place < y.count ? y[place] : 0))
        }
        return difference == 0
    }
}

extension SMPPAccount {
    fileprivate func admits(_ certificate: () -> ClientCertificate?) -> Bool {
        // Neither password nor certificate: settings refuse that; nobody is let in by it.
        guard !certificates.isEmpty else { return password != nil }
        guard let shown = certificate() else { return false }
        return certificates.contains { $0.holds(of: shown) }
    }
}

/// Makes those who guess passwords wait: twice as long after each failure from an address, up to eight seconds.
struct GuessingBrake {
    private var failures: [String: (count: Int, last: Int64)] = [:]
    private static let addressMaximum = 4096
    private static let memory: Int64 = 60_000_000

    mutating func failed(_ peer: String, at steady: Int64) -> Int64 {
        if failures[peer] == nil, failures.count >= GuessingBrake.addressMaximum { failures.removeAll() }
        let count = (failures[peer]?.count ?? 0) + 1
        failures[peer] = (count, steady)
        return 500_000 << Int64(min(count - 1, 4))
    }

    mutating func succeeded(_ peer: String) { failures[peer] = nil }

    mutating func forget(before steady: Int64) {
        guard !failures.isEmpty else { return }
        failures = failures.filter { steady - $0.value.last < GuessingBrake.memory }
    }
}
