public import Guard
public import Logging
public import MartletModel
import MartletStore
public import SQL
import Synchronization

/// A part of the desk that works by itself, such as a projector: started when the store is ready, or at once, started again when it fails, after 1 s
/// and then ever later, 60 s at most; ended by cancellation.
public struct DeskPart: Sendable {
    public var name: String
    public var run: @Sendable (Desk) async throws -> Void
    /// False: it begins before the store is there, and waits for it where it needs it.
    public var needsStore: Bool
    /// What it counts, for the desk's page of metrics.
    public var samples: (@Sendable () -> [(metric: Metric, value: Double)])?

    public init(
        _ name: String, needsStore: Bool = true, samples: (@Sendable () -> [(metric: Metric, value: Double)])? = nil,
        run: @escaping @Sendable (Desk) async throws -> Void
    ) {
        self.name = name
        self.needsStore = needsStore
        self.run = run
        self.samples = samples
    }
}

/// The desk while it runs: listener, store, parts, checkpoints. It starts whether or not its database is there, and works as soon as it is.
public final class DeskRunner: Sendable {
    public let desk: Desk
    private let counters: DeskCounters
    private let readiness = DeskReadiness(["the store was not reached yet"])
    private let listener: DeskListener
    private let checkpoints: AuditCheckpoints
    private let publicKey: String
    private let untaggedTags: RowMAC
    private let parts: [DeskPart]
    private let logger: Logger
    private let tasks = Mutex<[Task<Void, Never>]>([])
    private let checkpointInterval: Duration

    public struct Options: Sendable {
        public var settings: DeskSettings
        public var address: StoreAddress
        public var store: SQLStore.Options
        /// Between two checkpoints of the audit.
        public var checkpointInterval = Duration.seconds(60)
        /// Wall microseconds since 1970.
        public var now: @Sendable () -> Int64

        public init(settings: DeskSettings, address: StoreAddress, store: SQLStore.Options, now: @escaping @Sendable () -> Int64) {
            self.settings = settings
            self.address = address
            self.store = store
            self.now = now
        }
    }

    /// - Parameters:
    ///   - front: the socket, which may listen already; nil: one of its own.
    ///   - rowKey: of the installation, `KeyStore.rowKey`.
    ///   - tokens: with which customers act for themselves; nil: none is taken.
    ///   - nouns: routes besides those of principals and audit.
    public init(
        _ options: Options, front: DeskFront? = nil, rowKey: Secret, tokens: CustomerTokens? = nil, signer: AuditCheckpointSigner,
        parts: [DeskPart] = [], logger: Logger,
        nouns: (Desk) -> [any APINoun] = { _ in [] }
    ) throws(StatementSet.Fault) {
        let store = SQLStore(options.address, statements: try StoreStatements.all(), options: options.store)
        let desk = Desk(store: store, now: options.now)
        self.desk = desk
        self.parts = parts
        let front = front ?? DeskFront(options.settings, logger: logger)
        counters = front.counters
        for part in parts { if let samples = part.samples { counters.also(samples) } }
        self.logger = logger
        checkpointInterval = options.checkpointInterval
        publicKey = signer.publicKey.line
        checkpoints = AuditCheckpoints(desk, signer: signer, file: options.settings.checkpoints)
        untaggedTags = LastUntagged.tags(rowKey)
        let readiness = readiness
        listener = DeskListener(
            options.settings, front: front, desk: desk, principals: Principals(desk, rowKey: rowKey), tokens: tokens, nouns: nouns(desk),
            logger: logger, ready: { readiness.reasons })
    }

    /// Why the desk does not work; none: it does.
    public var notReady: [String] { readiness.reasons }

    /// Listens, and goes on in the background.
    /// - Returns: the port.
    /// - Throws: `DeskListenerFault`.
    public func start() async throws -> Int {
        let port = try await listener.start()
        if !checkpoints.areKeptOutside {
            logger.warning(
                """
                audit.checkpoints is not set: the signed heads of the audit stand in this log alone, and an audit that somebody cuts off or writes \
                anew is found out only against heads kept elsewhere. Name a file outside the data directory, best on another machine or on a \
                volume that only grows
                """)
        }
        tasks.withLock { $0.append(Task { await self.work() }) }
        return port
    }

    /// Ends the parts, then the listener, then the store.
    public func stop() async {
        let ending = tasks.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
        for task in ending { task.cancel() }
        await listener.stop()
        for task in ending { await task.value }
        await refused(all: true)
        await checkpoint()
        await desk.store.close()
    }

    private func work() async {
        await withTaskGroup(of: Void.self) { group in
            for part in parts where !part.needsStore { group.addTask { await self.keep(part) } }
            guard await prepared() else { return }
            for part in parts where part.needsStore { group.addTask { await self.keep(part) } }
            group.addTask {
                self.logger.notice("audit key", metadata: ["line": "\(self.publicKey)"])
                repeat { await self.checkpoint() } while await self.pause(self.checkpointInterval)
            }
            group.addTask {
                while await self.pause(.seconds(60)) { await self.refused() }
            }
            group.addTask {
                repeat { self.watch() } while await self.pause(.seconds(1))
            }
        }
    }

    /// Until the store is there and of this program.
    private func prepared() async -> Bool {
        var wait = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                let done = try await StoreSchema.ready(desk.store, now: desk.nowMilliseconds)
                if !done.isEmpty { logger.notice("store migrated", metadata: ["files": "\(done.joined(separator: ", "))"]) }
                // Tables without a name were made by another hand.
                _ = try await desk.store.read { try AuditTrail.chain($0) }
                try await desk.noteUntagged(untaggedTags)
                say([])
                return true
            } catch let fault as MigrationFault {
                say(["the store is not of this program: \(fault)"])
            } catch let fault as SQLFault {
                // A host or a user of the database is nothing for everybody who asks whether the desk is ready.
                say([DeskRunner.away], because: fault.description)
            } catch {
                say(["the store cannot be used"], because: "\(error)")
            }
            guard await pause(wait) else { return false }
            wait = min(.seconds(15), wait * 2)
        }
        return false
    }

    private static let away = "the database is away"

    private func watch() {
        let state = desk.store.state
        say(state.isConnected ? [] : [DeskRunner.away], because: state.lastFault?.description)
    }

    /// One line for each change.
    private func say(_ reasons: [String], because: String? = nil) {
        guard readiness.set(reasons) else { return }
        if reasons.isEmpty { return logger.notice("desk ready") }
        logger.warning(
            "desk not ready", metadata: ["reasons": "\(reasons.joined(separator: "; "))", "because": "\(because ?? "as the reasons say")"])
    }

    private func keep(_ part: DeskPart) async {
        var wait = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                try await part.run(desk)
                return
            } catch is CancellationError {
                return
            } catch {
                logger.error("a part of the desk failed and is started again", metadata: ["part": "\(part.name)", "fault": "\(error)"])
            }
            guard await pause(wait) else { return }
            wait = min(.seconds(60), wait * 2)
        }
    }

    /// Refused attempts that were only counted become entries.
    private func refused(all: Bool = false) async {
        guard readiness.reasons.isEmpty else { return }
        do {
            try await desk.enterRefusals(all: all)
        } catch {
            logger.error("refused attempts are not in the audit yet; tried again in a minute", metadata: ["fault": "\(error)"])
        }
    }

    private func checkpoint() async {
        guard readiness.reasons.isEmpty else { return }
        do {
            guard let (line, sequence) = try await checkpoints.make() else { return }
            counters.checkpointed.set(Int(clamping: sequence))
            logger.notice("audit checkpoint", metadata: ["line": "\(line)"])
        } catch {
            counters.checkpointFaults.add()
            logger.error("the audit's checkpoint was not handed outside; tried again in a minute", metadata: ["fault": "\(error)"])
        }
    }

    /// - Returns: false: it is time to end.
    private func pause(_ time: Duration) async -> Bool {
        do {
            try await Task.sleep(for: time)
            return true
        } catch {
            return false
        }
    }
}
