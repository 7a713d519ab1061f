public import MartletModel

/// The heart: a fold of the records of the partitions that one event loop owns, and what it decides next. No I/O, no lock, no
/// clock, no randomness of its own: all of it comes in as arguments, so a for-loop can run a million seeded worlds through it.
///
/// The flow, in the order of the folders: `accept` (1-Accept, 4-Route) -> the node makes the records durable -> `released`
/// puts the message into its lane -> `credit` gives it to a connection with room (5-Send) -> `settle` takes the provider's
/// answer, `hear` its receipt, `tick` what time brings (6-Track). `apply` alone changes a message's fate, live and in replay.
public struct Engine: ~Copyable {
    public struct Configuration: Sendable {
        /// Messages open at once, those that a plan may send next among them; beyond it a submission is refused as `full`.
        public var openMaximum = 2_000_000
        public var partsMaximum = 10
        /// Ended messages kept for sources that are away; beyond it nothing more that wants to be told is taken.
        public var owedMaximum = 2_000_000
        /// Messages from handsets kept for sources that are away; those beyond it stay in the log and are told to nobody.
        public var inboundMaximum = 500_000
        /// Numbers that opted out; from there on nothing of the classes that people opt out of is taken. Opt-outs still are: 700 MB at
        /// most for so many, and what comes beyond is answers to what was sent before.
        public var optOutMaximum = 20_000_000
        /// Moments kept that count for caps and limits, 16 bytes each; beyond it caps let nothing pass, and limits everything.
        public var capMaximum = 64 << 20
        /// The same of numbers that are no one customer's, 60 bytes each at most: 500 MB.
        public var numberCapMaximum = 8 << 20
        /// Receipts kept whose message is not known.
        public var orphanMaximum = 100_000
        /// Secret of the keyed hashes; stable over restarts, since carried records hold such hashes.
        public var hashKey: (UInt64, UInt64) = (0, 0)
        /// Bytes of the rings that hold the newest payloads: codes and security; all others.
        public var codeRing = 4 << 20
        public var ring = 16 << 20
        /// Parts of a group that may be handed over and not yet recorded: twice the windows of its connections, and the rest of a long
        /// message for each. Those that were first in their queues when the process died are flagged possible duplicates.
        public var creditByGroup: [GroupNumber: UInt32] = [:]
        public var routes = Routes([])
        /// Connection groups by their names, which steps of plans go by.
        public var groups: [String: GroupNumber] = [:]
        public var inbound = InboundRules()
        /// Microseconds after midnight UTC at which the day of the quotas begins.
        public var dayBegins: Int64 = 0
        /// Partitions that this engine owns, none of which another may own; records of others are passed over in replay. What belongs to
        /// no message (marks, sums, receipts without a message) stands in the first of them.
        public var partitions: Range<PartitionNumber> = 0..<PartitionNumber(partitionCount)
        /// How the operators want texts; counted here as the connections will cut.
        public var texts = Texts()
        /// What each group's provider may be asked about messages that it took; without an entry: nothing.
        public var inquiries: [GroupNumber: InquirySet] = [:]
        public init() {}
    }

    public internal(set) var configuration: Configuration
    var slots = SlotTable()
    var wheel: TimingWheel
    var providers = ProviderIndex()
    var orphans = Orphans()
    var outbox = Outbox()
    var inquiries = Inquiries()
    var parts: InboundParts
    var optOuts = OptOuts()
    /// Wall microseconds of the last word on a package; no fold, it only keeps two words of one moment apart.
    var packageWordAt: Int64 = 0
    var answers = AnswerBrake()
    /// The release that events are decided by; nil: none is in use.
    var book: DecisionBook?
    /// Channels over which something can be handed over at all.
    var served = ChannelSet(.sms)
    var dueDecisions = DueDecisions()
    /// What customers have had of each cap, and what came for them of events with a limit.
    var caps: CapLedger
    /// The same of numbers that are no one customer's, by keyed hash.
    var numberCaps: NumberCaps
    var capsCursor = 0
    var numberCapsCursor = 0
    /// What ready texts counted and the log does not say yet.
    var texts: [RecordBody.Counter: Uncounted] = [:]
    /// By slot, of events that have any of it.
    var standing: [UInt32: Standing] = [:]
    /// Open events by the hash under which they are found.
    var known: [UInt64: SlotReference] = [:]
    /// The decision that is being made: kept for its memory.
    var decision = Decision()
    /// First in their queues, and not to be sent since their customer opted out: they end with the next turn.
    var unwanted: [SlotReference] = []
    /// Ended messages that stay in the table until their source has heard of them.
    var owedCount = 0
    /// Of these, messages from handsets.
    var owedInbound = 0
    /// Those of them that are told only when their source asks.
    public internal(set) var parked: [SourceNumber: Int] = [:]
    var lanes: [GroupLanes] = Array(repeating: GroupLanes(), count: 256)
    var codeRing: PayloadRing
    var ring: PayloadRing
    var sequences: [UInt64] = Array(repeating: 0, count: partitionCount)
    let lookups: LookupHash
    let providerKeys: ProviderKeys
    var jitter: SplitMix
    /// Open messages whose payload is in each segment, so that the node knows what a trim would need carried.
    var livePerSegment: [UInt32: Int] = [:]
    var fired: [UInt32] = []
    var forgotten: [UInt64] = []
    /// Records of the past are being folded in: timers and lanes are made at its end.
    var replaying = true
    /// The newest credit mark of each group, and the raw position where it stands.
    var creditMarks: [GroupNumber: (value: UInt32, position: UInt64)] = [:]
    /// Segment of the newest record of each partition: its sequence must outlive a trim.
    var heads: [UInt32] = Array(repeating: 0, count: partitionCount)
    /// New places of payloads that are being carried forward, until they are durable.
    var moving: [SlotReference: UInt64] = [:]
    /// Records of the restart, and ends of holds, that are not durable yet; nothing is handed over before.
    var gate = 0
    /// Accepted, ended and open by source; what each source may send.
    public internal(set) var ledger = Ledger()
    var limits = Limits()
    /// Classes held back by group (0: on all groups), and the raw position of the newest mark that says so.
    var holds: [GroupNumber: (classes: ClassSet, position: UInt64)] = [:]
    public internal(set) var counts = Counts()
    /// Payloads to be read from the log, in order; the node takes them, reads and calls `loaded`.
    public internal(set) var wanted: [SlotReference] = []
    /// Most submits that one message of the table may have: those of the setting, or more where one was accepted under another setting or
    /// planned anew. What a hand-over may exceed its room by.
    public internal(set) var submitsLargest: Int
    /// Where the next message is to be planned anew; the node calls `replan`.
    var misfits: Set<Misfit> = []

    /// - Parameters:
    ///   - now: the moment of the start; replay clamps deadlines against it.
    ///   - seed: of the jitter of waits. Ids do not come from it.
    public init(_ configuration: Configuration, now: Instant, seed: UInt64) {
        precondition(
            !configuration.partitions.isEmpty && Int(configuration.partitions.upperBound) <= partitionCount,
            "an engine owns some of the partitions there are")
        self.configuration = configuration
        submitsLargest = min(configuration.partsMaximum, Engine.partsMaximum)
        wheel = TimingWheel(start: now.steady)
        codeRing = PayloadRing(capacity: configuration.codeRing)
        ring = PayloadRing(capacity: configuration.ring)
        parts = InboundParts(wait: configuration.inbound.partsWait)
        lookups = LookupHash(key: configuration.hashKey)
        providerKeys = ProviderKeys(key: configuration.hashKey)
        jitter = SplitMix(state: seed)
        caps = CapLedger(maximum: configuration.capMaximum)
        numberCaps = NumberCaps(maximum: configuration.numberCapMaximum)
    }

    public var openCount: Int { slots.count - owedCount }
    /// Messages about which a decision is due later.
    public internal(set) var plannedCount = 0
    /// Moments in memory that count for caps and limits, and whether there is room for no more.
    public var capMoments: (count: Int, isFull: Bool) { (caps.count, caps.isFull) }
    /// The same of numbers that are no one customer's.
    public var numberCapMoments: (count: Int, isFull: Bool) { (numberCaps.count, numberCaps.isFull) }

    /// Whether messages to and from this number are this engine's. Where several engines share the partitions, `accept` and `receive`
    /// take only these.
    public func owns(_ number: PhoneNumber) -> Bool { configuration.partitions.contains(lookups.partition(of: number)) }
    /// The same of a message, by its id.
    public func owns(_ id: MessageID) -> Bool { configuration.partitions.contains(id.partition) }

    /// Where records stand that belong to no message.
    var home: PartitionNumber { configuration.partitions.lowerBound }

    public mutating func set(routes: Routes) { configuration.routes = routes }
    public mutating func set(groups: [String: GroupNumber]) { configuration.groups = groups }
    public mutating func set(inbound: InboundRules) { configuration.inbound = inbound }

    /// Other rules from now on. What waits is looked at when its turn comes.
    public mutating func set(texts: Texts) { configuration.texts = texts }

    /// What events are decided by from now on; nil: events are refused, and what is due waits.
    public mutating func set(book: DecisionBook?) { self.book = book }

    /// Channels over which something can be handed over from now on.
    public mutating func set(served: ChannelSet) { self.served = served }

    /// Queued for a group and lane, for gauges.
    public func queued(_ group: GroupNumber, _ lane: Lane) -> Int { lanes[Int(group)].count(of: lane) }
    public func queued(_ group: GroupNumber) -> Int { lanes[Int(group)].count }

    /// Whether parts of it are on the wire now.
    public func isSubmitted(_ id: MessageID) -> Bool {
        slots.number(of: id).map { slots.pointer($0).pointee.openParts != 0 } ?? false
    }

    /// Newest record of an open message: its raw position; 0 while that record has none yet.
    public func last(of id: MessageID) -> UInt64? { slots.number(of: id).map { slots.pointer($0).pointee.last } }

    /// The same of the further messages of its notification that are open and have a record of their own.
    public func lastOfOthers(of id: MessageID) -> [MessageID: UInt64] {
        var found: [MessageID: UInt64] = [:]
        for number in members(of: id.notification, upTo: Engine.lastOrdinal) {
            let slot = slots.pointer(number).pointee
            if slot.last != 0 { found[slot.id] = slot.last }
        }
        return found
    }
}

/// What happened since the start, for metrics; indexed by raw values of classes and states.
public struct Counts: Sendable {
    public var accepted = [Int](repeating: 0, count: 16)
    public var ended = [[Int]](repeating: [Int](repeating: 0, count: 16), count: 16)
    public var outcomes = [Int](repeating: 0, count: 8)
    public var receipts = [Int](repeating: 0, count: 16)
    public var orphans = 0
    public var lateReceipts = 0
    public var possibleDuplicates = 0
    /// Answers to something that was not open any more, such as a second answer.
    public var staleAnswers = 0
    public var replayedRecords = 0
    public var carried = 0
    /// Notices by how telling ended, and those that were told once more.
    public var told = [Int](repeating: 0, count: 4)
    /// Messages from handsets, whole or given up waiting for; parts that wait for others; parts brought twice; given up incomplete.
    public var inbound = 0
    public var inboundParts = 0
    public var inboundRepeated = 0
    public var inboundIncomplete = 0
    /// Those that nobody is told of: no source is for them, or too many wait.
    public var inboundUntold = 0
    /// Answers by rule that were accepted for sending, and those held back (too many to one handset, or refused).
    public var answers = 0
    public var answersHeldBack = 0
    public var optOuts = 0
    public var optIns = 0
    /// Words on packages that were heeded; from numbers that are not one customer's; and such as could not be heeded then.
    public var packagesConnected = 0
    public var packagesDisconnected = 0
    public var packageWordsUnknown = 0
    public var packageWordsLater = 0
    /// What came of inquiries to providers: by what was wanted, then by result.
    public var inquiries = [[Int]](repeating: [Int](repeating: 0, count: 10), count: 3)
    /// Parts settled by the answer to a question.
    public var settledByQuery = 0
    /// Times that a group was left alone, since its provider does not answer.
    public var inquiriesRested = 0
    /// Submissions refused since too many numbers opted out.
    public var optOutRefusals = 0
    /// Decisions about events: by outcome, then by the reason not to tell (0: none).
    public var decisions = [[Int]](repeating: [Int](repeating: 0, count: 32), count: 4)
    /// Messages that a decision passed over: by channel, then by why.
    public var skips = [[Int]](repeating: [Int](repeating: 0, count: 32), count: 8)
    /// Messages planned anew, since their operator's rules had changed.
    public var replanned = 0
}

/// Small fast generator for waits; never for ids or codes.
struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    /// A wait between 80 and 120 percent of `base`.
    mutating func spread(_ base: Int64) -> Int64 { base * 4 / 5 + Int64(next() % UInt64(max(1, base * 2 / 5))) }
}
