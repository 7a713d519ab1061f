public import Dispatch
public import Guard
public import Journal
public import Logging
public import MartletEngine
public import MartletModel
public import NIOCore

/// The sending process's heart: owns the engine on one event loop, makes its records durable and releases what they allow.
/// Everything here runs on that loop; the journal's writer and the reader thread come back to it in batches.
public final class Node: Intake {
    public struct Parts {
        public var loop: any EventLoop
        public var clock: SystemClock
        public var journal: Journal
        public var reader: Reader
        public var appender: Appender
        public var keys: KeyStore
        /// For whoever reads records back.
        public var recordKeys: RecordKeys
        public var copy: CustomerCopy
        public var recent: Recent
        public var providers: ProviderKeys
        var keyWork: KeyWork
        public var logger: Logger
        /// For slow work that nobody waits for.
        public var background: DispatchQueue
        /// Least microseconds between two commits under load.
        public var commitGap: Int64
        public var keepMicroseconds: Int64
        public var capBytes: Int
        /// Knows the room of the journal's volume.
        var spill: Spill
        /// File in which the desk says how far the history has come.
        var historyCursor: String
        /// Held for as long as the node lives.
        var lock: DirectoryLock
        /// Called once when nothing can be made durable any more: refuse, alarm, exit.
        public var storageFailed: @Sendable (String) -> Void

        init(
            loop: any EventLoop, clock: SystemClock, journal: Journal, reader: Reader, appender: Appender, keys: RecordKeys,
            copy: CustomerCopy,
            recent: Recent,
            providers: ProviderKeys, keyWork: KeyWork, logger: Logger,
            background: DispatchQueue, commitGap: Int64, keepMicroseconds: Int64, capBytes: Int, spill: Spill, historyCursor: String,
            lock: DirectoryLock, storageFailed: @escaping @Sendable (String) -> Void
        ) {
            self.loop = loop
            self.clock = clock
            self.journal = journal
            self.reader = reader
            self.appender = appender
            self.keys = keys.days
            recordKeys = keys
            self.copy = copy
            self.recent = recent
            self.providers = providers
            self.keyWork = keyWork
            self.logger = logger
            self.background = background
            self.commitGap = commitGap
            self.keepMicroseconds = keepMicroseconds
            self.capBytes = capBytes
            self.spill = spill
            self.historyCursor = historyCursor
            self.lock = lock
            self.storageFailed = storageFailed
        }
    }

    let parts: Parts
    public let loop: any EventLoop
    var engine: Engine
    var turn: Turn
    var sealer = Sealer()
    var random = Randomness()
    var keyCache: DataKeyCache
    var counters = NodeCounters()

    // Local/Owning.swift
    var owners: Owners

    // Commit.swift
    var open = PendingBatch()
    var flying: PendingBatch?
    /// Emptied, so that its memory serves the next batch.
    var spare = PendingBatch()
    var flyingSince: Int64 = 0
    var kickScheduled = false
    var lazyScheduled = false
    var nextCommit: Int64 = 0
    var lastBatchRecords = 0
    var durableEnd: UInt64 = 0
    var lastAppended: UInt64 = 0
    /// Where the newest mark of a group's credit stands: nothing is handed over before it is durable.
    var creditAt: UInt64 = 0
    var answering = false
    var flushes: [() -> Void] = []
    var broken = false

    // Send.swift
    var connections: [ConnectionNumber: ConnectionEntry] = [:]
    var byGroup: [GroupNumber: [ConnectionNumber]] = [:]
    var firstInGroup: [GroupNumber: Int] = [:]
    var replanPlanned = false
    /// Names of the connection groups, for metrics and for plans that name them.
    public var groupNames: [GroupNumber: String] = [:] {
        didSet { engine.set(groups: Dictionary(groupNames.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })) }
    }
    /// Names of the sources, likewise.
    public var sourceNames: [SourceNumber: String] = [:]
    /// Releases of the rulebook, likewise: the one in use, and a newer one that cannot be used; 0: none.
    public var rulebook: (inUse: Int64, refused: Int64) = (0, 0)

    // Asking.swift
    /// Read back, and waiting for a connection of their group with room.
    var inquiries: [GroupNumber: [Inquiry]] = [:]

    // Tell.swift
    var tellers: [SourceNumber: TellerEntry] = [:]

    // Receive.swift
    /// That more opted out than memory is meant for was told.
    var hasToldOfOptOuts = false

    // Keys/Keyed.swift
    let lookups: LookupHash
    let keys: KeyMemory
    /// Asked together at the end of the loop's turn.
    var questions: [KeyQuestion] = []

    // Events.swift
    /// Under the keys by which the desk's files name customers, accounts and cards.
    let hashes: CustomerHashes
    public internal(set) var catalogue = EventCatalogue.empty
    var book: DecisionBook?
    var generation: UInt64 = 0
    /// Finds a release that is not in use; nil: there is none of this number that this node can use. Answers on the loop.
    public var otherRelease: ((_ number: UInt32, _ then: @escaping (DecisionBook?) -> Void) -> Void)?

    // Served.swift
    var connected: Set<GroupNumber> = []

    // Deciding.swift
    var decisionsInFlight = 0
    /// The clockwork runs: connections are there, and what waited may be decided.
    var isStarted = false

    // Search/Searching.swift
    var searchesInFlight = 0

    // NamedKeys.swift
    var namedKeys = NamedKeys()

    // Maintenance.swift
    var maintenance: [RepeatedTask] = []
    var carrying = false
    var history = HistoryNeed()
    var carryCursor: UInt32 = 0
    /// The oldest segment once nothing in it must outlive it, and what was appended by then: what stands in for its records (copies, newer
    /// marks and sums) must be durable before it may go.
    var cleared: (segment: UInt32, by: UInt64) = (0, 0)
    /// The segment in which the newest durable record lies.
    var begun: UInt32 = 0
    /// A trim goes on with the next commit: it waits for a record to be durable.
    var trimAwaits = false
    /// How many of the oldest segments the volume needs back, as was found when the newest was begun.
    var shortage = 0
    /// Readiness says so at once; work is refused when the drain begins.
    var leaving = false
    var stopping = false

    // Ledgers.swift
    /// What does not add up, as it was last told.
    var drifts: [SourceNumber: Int] = [:]

    // Operate.swift
    /// An act that goes on in steps; one at a time.
    var isActing = false
    /// Steps of it after which its progress is told.
    var progressSteps = 16

    // Reading.swift
    var straysInFlight = 0
    /// Newest late record of messages that ended, until the index has it; bounded.
    var lateRecords: [MessageID: UInt64] = [:]

    /// Bytes appended and not yet handed to the disk above which new work is told to try later.
    static let backlogMaximum = 16 << 20

    init(_ parts: Parts, engine: consuming Engine, keys: KeyMemory) {
        lookups = LookupHash(key: engine.configuration.hashKey)
        self.keys = keys
        hashes = CustomerHashes(parts.keys)
        self.parts = parts
        loop = parts.loop
        self.engine = engine
        turn = Turn(now: parts.clock.now())
        keyCache = DataKeyCache(parts.keys)
        owners = Owners(parts.recordKeys, parts.copy)
        serve()
    }

    /// The local copy of the customers.
    public var customers: CustomerCopy { parts.copy }
    public func now() -> Instant { parts.clock.now() }

    // MARK: For people and tools

    public var openMessages: Int { engine.openCount }
    public func queued(_ group: GroupNumber) -> Int { engine.queued(group) }
    public func set(routes: Routes) { engine.set(routes: routes) }
    /// Together with the connections' own profiles, while nothing is handed over: see `changingCredit`.
    public func set(texts: Texts) { engine.set(texts: texts) }
    /// What each group's provider may be asked about messages that it took.
    public func set(inquiries: [GroupNumber: InquirySet]) { engine.set(inquiries: inquiries) }
    /// A group has another peer: how the one before took inquiries is forgotten.
    public func askAnew(_ group: GroupNumber) { engine.askAnew(group) }
    /// The stop has begun: readiness says so before the doors close.
    public func beginStopping() { leaving = true }
    public var isStopping: Bool { leaving || stopping }
    /// For the last step of a stop, off the loop.
    public func takeJournal() -> Journal { parts.journal }

    /// Why no message is taken now; empty when the node is ready.
    public var notReadyReasons: [String] {
        if broken { return ["the journal failed"] }
        if leaving || stopping { return ["stopping"] }
        if parts.journal.state.isLow { return ["the disk of the journal is full"] }
        return []
    }

    // MARK: Intake

    public func submit(_ submission: Submission, then: @escaping (Acceptance) -> Void) {
        if let idempotency = submission.idempotency { return submitKeyed(submission, idempotency, then: then) }
        take(submission, key: nil, then: then)
    }

    /// - Parameter key: hashes of its idempotency key and body, which is new.
    func take(_ submission: Submission, key: (hash: UInt64, body: UInt64)?, then: @escaping (Acceptance) -> Void) {
        if let refusal = refusal() { return refuse(refusal, then) }
        if key != nil, keys.isFull { return refuse(.full(retryAfterSeconds: 60), then) }
        turn.begin(parts.clock.now())
        let party = self.party(of: submission)
        let isHeldBack = engine.hasSuppressions && holdsBack(submission)
        switch engine.accept(submission, of: party, isHeldBack: isHeldBack, random: random.word(), key: key ?? (0, 0), &turn) {
        case .refused(let refusal):
            refuse(refusal, then)
        case .accepted(let id, let parts):
            guard append() else { return refuse(.storage(retryAfterSeconds: 5), then) }
            if let key {
                let remembered = KeyMemory.Remembered(body: key.body, id: id, parts: parts, position: lastAppended)
                keys.remember(key.hash, remembered, at: lastAppended)
            }
            open.answers.append(
                PendingBatch.Answer(
                    id: id, parts: parts, messageClass: submission.messageClass, receivedAt: submission.receivedAt.steady, then: then))
            kickSoon()
        }
    }

    func refusal() -> Refusal? {
        if stopping { return .stopping }
        if broken || parts.journal.state.isLow { return .storage(retryAfterSeconds: 5) }
        if isBehind { return .full(retryAfterSeconds: 1) }
        return nil
    }

    func refuse(_ refusal: Refusal, _ then: (Acceptance) -> Void) {
        counters.refused[refusal.word, default: 0] += 1
        then(.refused(refusal))
    }

    public func afterAnswers(_ flush: @escaping () -> Void) {
        if answering { flushes.append(flush) } else { flush() }
    }
}

extension Refusal {
    /// Word of the metric's label.
    var word: String {
        switch self {
        case .tooManyParts: "too_many_parts"
        case .noAlphabet: "no_alphabet"
        case .noRoute: "no_route"
        case .full: "full"
        case .storage: "storage"
        case .stopping: "stopping"
        case .rateLimited: "rate_limited"
        case .quotaUsedUp: "quota_used_up"
        case .keyReused: "key_reused"
        case .keyInFlight: "key_in_flight"
        case .noRulebook: "no_rulebook"
        case .eventTooLarge: "event_too_large"
        }
    }
}
