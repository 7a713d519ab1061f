import NIOCore
import NIOPosix

/// The handle of one simulated operator: may be used from anywhere, does its work on the operator's loop.
public final class SMSC: Sendable {
    public let settings: SMSCSettings
    /// Where it listens.
    let address: SocketAddress
    private let core: NIOLoopBound<SMSCCore>
    private let loop: any EventLoop
    private let listener: any Channel

    private init(settings: SMSCSettings, address: SocketAddress, core: NIOLoopBound<SMSCCore>, loop: any EventLoop, listener: any Channel) {
        self.settings = settings
        self.address = address
        self.core = core
        self.loop = loop
        self.listener = listener
    }

    /// Opens the operator's port; all of its connections live on `loop`.
    /// - Parameter firstNumber: message id of the first message; differs from run to run, so that a receipt of an earlier run is
    ///   not taken for one of this run.
    /// - Throws: what the socket said.
    static func start(_ settings: SMSCSettings, on loop: any EventLoop, firstNumber: UInt64) async throws -> SMSC {
        let core = try await loop.submit {
            NIOLoopBound(SMSCCore(settings, loop: loop, firstNumber: firstNumber), eventLoop: loop)
        }.get()
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 32_768, maximum: 262_144))
            .childChannelOption(.writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 262_144, high: 1_048_576))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let core = core.value
                    try channel.pipeline.syncOperations.addHandler(SMSCConnection(id: core.nextConnectionId(), core: core))
                }
            }
            .bind(host: settings.host, port: settings.port)
            .get()
        guard let address = listener.localAddress else { throw ChannelError.unknownLocalAddress }
        return SMSC(settings: settings, address: address, core: core, loop: loop, listener: listener)
    }

    /// Closes the port and every bind.
    public func stop() async {
        // A listener that is already closed is what we want.
        try? await listener.close().get()
        await onLoop { $0.closeAll() }
    }

    public var port: Int { address.port ?? settings.port }

    /// "127.0.0.1:2776".
    public var endpoint: String { "\(settings.host):\(port)" }

    public func stats() async -> SMSCStats? { await onLoop { $0.statsNow() } }
    public func behaviour() async -> Behaviour? { await onLoop { $0.behaviour } }

    /// Changes some fields, all or none, and says what the behaviour is now.
    /// - Throws: `FieldError` for the first field that cannot be taken.
    public func change(_ fields: [Loose.Entry]) async throws -> Behaviour {
        let core = core
        return try await loop.submit {
            let next = try core.value.behaviour.changed(by: fields)
            core.value.change(next)
            return next
        }.get()
    }

    /// Forgets messages, counts and receipts that wait; binds, behaviour and phones stay.
    public func reset() async { await onLoop { $0.reset() } }
    /// Closes every connection without unbind.
    public func disconnect() async { await onLoop { $0.closeAll() } }

    /// A subscriber writes to the bank. Nil when an address or the text cannot be put into a short message; else its parts.
    public func write(from handset: String, to: String, _ text: String) async -> Int? {
        await onLoop { $0.write(from: handset, to: to, text) } ?? nil
    }

    /// At most `limit` kept messages after `n`, oldest first, and the number of the newest.
    func messages(after n: UInt64, limit: Int) async -> (messages: [MessageRing.Kept], newest: UInt64) {
        await onLoop { ($0.ring.messages(after: n, limit: limit), $0.ring.newest) } ?? ([], 0)
    }

    /// What the handsets need to know: new messages, how far some older ones have come, and the modes of some phones.
    func look(
        after n: UInt64, writtenAfter w: UInt64, generation: Int, limit: Int, progressOf known: [UInt64], modesOf phones: [String]
    ) async -> Look? {
        await onLoop { core in
            let isSame = core.generation == generation
            let newest = core.ring.newest
            let start = isSame ? n : 0
            // A watcher that fell behind skips to the newest; the list of messages has them all.
            let from = newest > start + UInt64(limit) ? newest - UInt64(limit) : start
            return Look(
                generation: core.generation, newest: newest, messages: core.ring.messages(after: from, limit: limit),
                progress: isSame ? known.map { core.ring.progress(of: $0) } : [],
                modes: phones.map { core.phones.mode(of: Array($0.utf8)) }, written: core.writings.messages(after: isSame ? w : 0),
                newestWritten: core.writings.newest)
        }
    }

    struct Look: Sendable {
        var generation: Int
        var newest: UInt64
        var messages: [MessageRing.Kept]
        /// For each asked; nil when it is not kept any more. Empty after a reset.
        var progress: [MessageRing.Progress?]
        var modes: [PhoneMode]
        /// What subscribers wrote, oldest first.
        var written: [Written] = []
        var newestWritten: UInt64 = 0
    }

    /// False when too many phones are not plainly on.
    public func setPhone(_ phone: String, _ mode: PhoneMode) async -> Bool {
        await onLoop { $0.setPhone(phone, mode) } ?? false
    }

    /// nil only when the loop is shut down.
    private func onLoop<Result: Sendable>(_ body: @escaping @Sendable (SMSCCore) -> Result) async -> Result? {
        let core = core
        return try? await loop.submit { body(core.value) }.get()
    }
}
