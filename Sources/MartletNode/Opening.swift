public import Dispatch
import Glibc
public import Guard
public import Journal
public import Logging
public import MartletEngine
public import MartletLocal
import MartletModel
public import NIOCore

/// How a node comes to life: keys, then the journal folded into a fresh engine, then what the past leaves to decide.
public struct NodeOptions: Sendable {
    public var dataDirectory: String
    public var journal = Options()
    /// What the journal writes through; tests make it fail.
    public var disk = Disk.system
    public var engine = Engine.Configuration()
    public var commitGap: Int64 = 1000
    public var keepMicroseconds: Int64 = 86_400_000_000
    public var capBytes = 4 << 30
    /// How long an idempotency key and its answer are kept, and how many keys at once.
    public var keysKeptMicroseconds = Idempotency.kept
    public var keyMaximum = 100_000_000
    public var local = LocalCustomers.Limits()
    public var clock = SystemClock()

    public init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
        // What a restart decides at once, for a million messages at the worst, must fit before the first commit.
        journal.batchesInMemory = 1024
        // The desk reads the journal beside us.
        journal.publishesEnd = true
    }

    public var journalDirectory: String { "\(dataDirectory)/journal" }
    public var keyDirectory: String { "\(dataDirectory)/keys" }
    public var subjectKeyDirectory: String { "\(dataDirectory)/keys/subjects" }
    /// What the desk hands the node: base file and overlay of the customers, rulebooks.
    public var localDirectory: String { "\(dataDirectory)/local" }
    /// Idempotency keys of finished segments.
    public var idempotencyDirectory: String { "\(dataDirectory)/idempotency" }
    /// Written by the desk; where there is none, nobody projects this journal and nothing is kept for it.
    public var historyCursor: String { "\(dataDirectory)/desk/history-cursor" }
    public var controlSocket: String { "\(dataDirectory)/control.sock" }
}

/// What the start found.
public struct Opening: Sendable {
    public var report: Report
    public var records: Int
    public var open: Int
    public var unreadable: Int
    public var seconds: Double
}

extension Node {
    /// Opens everything under the data directory. Slow (it reads the journal); not on the loop.
    /// - Throws: `KeyStoreFault`, `JournalError`; `SubjectKeyFault` when records of the journal are sealed with keys of customers that cannot be
    ///   opened: going on would end their messages.
    public static func open(
        _ options: NodeOptions, master: MasterKey, loop: any EventLoop, logger: Logger, background: DispatchQueue,
        storageFailed: @escaping @Sendable (String) -> Void
    ) throws -> (node: NIOLoopBound<Node>, opening: Opening) {
        let clock = options.clock
        let began = clock.now()
        // Before anything is touched: the key store has no lock of its own.
        let lock = try DirectoryLock(options.dataDirectory)
        let keys = try KeyStore(directory: options.keyDirectory, master: master, access: .owner(create: !hasJournal(options)))
        for damage in keys.damage { logger.error("a key file cannot be read", metadata: ["reason": "\(damage)"]) }
        let today = DataKey.day(ofMicroseconds: began.wall)
        try keys.prepare(days: today...today + 1, classes: MessageClass.allCases.map(\.rawValue))

        let recordKeys = RecordKeys(days: keys, subjects: nil)
        let copy = CustomerCopy(
            directory: options.localDirectory, keyDirectory: options.subjectKeyDirectory, master: master, keys: recordKeys,
            limits: options.local, disk: options.disk, logger: logger)
        copy.open()

        var configuration = options.engine
        configuration.hashKey = keys.partitionHashKey.words
        var engine = Engine(configuration, now: began, seed: UInt64.random(in: 0 ... .max))
        var unreadable = 0
        var records = 0
        let memory = KeyMemory(keptMicroseconds: options.keysKeptMicroseconds, limit: options.keyMaximum)
        let oldestKey = memory.oldest(began)
        let place = RunDirectory(options.idempotencyDirectory, disk: options.disk)
        let keyRuns: Set<UInt32>
        do throws(JournalFailure) { keyRuns = Set(try place.prepare()) } catch { throw JournalError.failure(error) }
        var hasSubjectKeys = false
        var namedKeys = NamedKeys()
        let baseMadeAt = copy.figures.madeAt
        var facts: [CustomerCopy.Fact.What: CustomerCopy.Fact] = [:]
        var replayedKeys: [(position: Position, hash: UInt64, key: KeyMemory.Remembered)] = []
        let (journal, appender, report) = try Journal.open(options.journalDirectory, options.journal, disk: options.disk) {
            position, bytes in
            records += 1
            guard let record = try? Record(reading: bytes) else {
                unreadable += 1
                return
            }
            engine.apply(record, at: position, began)
            if RecordKeyID(rawValue: record.header.keyID).subject != nil { hasSubjectKeys = true }
            namedKeys.note(record.header.keyID, in: position.journalSegment)
            // What is older than the base file is in it, or something newer.
            if record.header.at >= baseMadeAt, let fact = CustomerCopy.Fact(record),
                facts.count < CustomerCopy.pendingMaximum || facts[fact.what] != nil
            {
                facts[fact.what] = fact
            }
            KeyMemory.Remembered.each(of: record) { hash, key in
                guard key.id.milliseconds >= oldestKey, !keyRuns.contains(position.journalSegment) else { return }
                replayedKeys.append((position, hash, key))
            }
        }
        if hasSubjectKeys, recordKeys.subjects == nil {
            journal.close()
            // Says what is wrong with them.
            recordKeys.take(try SubjectKeys(directory: options.subjectKeyDirectory, master: master, access: .reader))
        }
        if !facts.isEmpty { copy.learn(Array(facts.values)) }
        let reader = journal.reader()
        let providers = ProviderKeys(key: configuration.hashKey)
        let keyWork = KeyWork(journal: journal, reader: reader, place: place)
        for fault in keyWork.open(memory, segments: Array(keyRuns), replayed: replayedKeys, now: began) {
            memory.failures += 1
            logger.error("idempotency keys cannot be read and are forgotten", metadata: ["reason": "\(fault)"])
        }
        let search = SearchIndex(journal, reader, recordKeys, LookupHash(key: configuration.hashKey))
        let parts = Parts(
            loop: loop, clock: clock, journal: journal, reader: reader, appender: appender, keys: recordKeys, copy: copy,
            recent: Recent(journal, reader, providers, search), providers: providers, keyWork: keyWork, logger: logger,
            background: background,
            commitGap: options.commitGap, keepMicroseconds: options.keepMicroseconds,
            capBytes: options.capBytes, spill: Spill(options.journalDirectory, disk: options.disk), historyCursor: options.historyCursor,
            lock: lock, storageFailed: storageFailed)
        restoreParts(&engine, engine.partsToRestore, parts, began)
        let open = engine.openCount
        let made = HandedOver(parts, engine, memory, namedKeys)
        let clean = report.stoppedCleanly || report.isEmpty
        let node = try loop.submit {
            let node = made.node()
            node.begin(clean: clean)
            return NIOLoopBound(node, eventLoop: loop)
        }.wait()
        let seconds = Double(clock.now().steady - began.steady) / 1_000_000
        return (node, Opening(report: report, records: records, open: open, unreadable: unreadable, seconds: seconds))
    }

    /// A data directory in use must have its keys: new ones would leave the old payloads closed for ever.
    private static func hasJournal(_ options: NodeOptions) -> Bool { access(options.journalDirectory, F_OK) == 0 }

    private func begin(clean: Bool) {
        serve()
        turn.begin(now())
        engine.recovered(clean: clean, &turn)
        engine.mark(.init(what: .started), &turn)
        if append() { kickSoon() }
        look(for: engine.strays(limit: Node.strayMaximum))
    }
}

/// Carries what was made at the start to the loop that will own it, once.
///
/// `@unchecked Sendable`: the starting thread made them, hands them over and touches none again; `node` may be called once only.
private final class HandedOver: @unchecked Sendable {
    private let parts: Node.Parts
    private var engine: Engine?
    private let keys: KeyMemory
    private let namedKeys: NamedKeys

    init(_ parts: Node.Parts, _ engine: consuming Engine, _ keys: KeyMemory, _ namedKeys: NamedKeys) {
        self.parts = parts
        self.keys = keys
        self.namedKeys = namedKeys
        self.engine = consume engine
    }

    func node() -> Node {
        guard let engine = engine.take() else { preconditionFailure("a value is handed over once") }
        let node = Node(parts, engine: engine, keys: keys)
        node.namedKeys = namedKeys
        return node
    }
}

extension Secret {
    /// The first 16 bytes as two words, for a keyed hash.
    var words: (UInt64, UInt64) {
        withBytes { bytes in
            (
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }
}
