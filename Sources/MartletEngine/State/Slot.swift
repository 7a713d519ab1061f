import MartletModel

/// What memory holds of one open message: 120 bytes. Its text stays in the log (and, while new, in a ring).
struct Slot {
    var id = MessageID(high: 0, low: 0)
    /// Raw position of the record that holds the sealed payload.
    var payloadAt: UInt64 = 0
    /// Raw position of the record that accepted it: the order in which messages enter their queues. Once its end is owed to its
    /// source, the wall milliseconds of that end: the order in which it hears.
    var origin: UInt64 = 0
    /// Raw position of the newest record of this id.
    var last: UInt64 = 0
    /// Where the ring holds the plain payload, if it still does.
    var ringOffset: UInt64 = .max
    /// Wall milliseconds.
    var deadline: Int64 = 0
    /// Low bits of the steady microseconds at acceptance, for the accept-to-wire histogram. Once it ended, the provider's error code.
    var acceptedMicros: UInt32 = 0
    var generation: UInt32 = 0
    var queueNext: UInt32 = Slot.none
    var timerNext: UInt32 = Slot.none
    var timerPrevious: UInt32 = Slot.none
    /// Tick of the timing wheel.
    var due: UInt32 = 0
    var queuePrevious: UInt32 = Slot.none
    var bucket: UInt16 = Slot.noBucket
    var source: SourceNumber = 0
    var partsReference: UInt16 = 0
    var flags: Flags = []
    /// Parts by their bit: given to a connection and not answered; taken by the provider; received; refused; not answered for good.
    var openParts: UInt16 = 0
    var answeredParts: UInt16 = 0
    var deliveredParts: UInt16 = 0
    var failedParts: UInt16 = 0
    var unknownParts: UInt16 = 0
    var partition: PartitionNumber = 0
    var messageClass: MessageClass = .transactional
    var group: GroupNumber = 0
    var parts: UInt8 = 1
    var state: MessageState = .queued
    /// Reason of the end, once it ended.
    var reason: EndReason = .none
    var attempts: UInt8 = 0
    var resends: UInt8 = 0
    /// Attempts that met a passing refusal; being throttled is none.
    var strikes: UInt8 = 0
    /// Records of this message that are not durable yet.
    var pending: UInt8 = 0
    /// How often telling its end was put off. Before its end: how often its provider was asked about it, see `Asking`.
    var tries: UInt8 = 0
    /// What it is to the notification of an event; empty: it is no event's.
    var role: RecordBody.Carried.Role = []
    /// `step` and `isMandatory`.
    private var place: UInt8 = 0
    /// Of a notification's slot, about its further messages; as records have it.
    var members: UInt8 = 0
    /// How its text was planned anew; 0: as its payload says.
    var textShape: UInt32 = 0

    static let none: UInt32 = .max
    static let noBucket: UInt16 = .max

    struct Flags: OptionSet {
        let rawValue: UInt16
        /// What is sent from here on may reach the customer twice.
        static let possibleDuplicate = Flags(rawValue: 1)
        /// Linked into a lane.
        static let queued = Flags(rawValue: 2)
        /// Linked into the front of its queue: it had its turn before.
        static let inFront = Flags(rawValue: 4)
        /// The timer runs until it may be tried again; of one that is owed, until it is told again.
        static let waiting = Flags(rawValue: 8)
        /// In this attempt a part met a passing refusal.
        static let deferred = Flags(rawValue: 16)
        /// The payload was asked for from the log.
        static let loading = Flags(rawValue: 32)
        /// A copy forward is under way.
        static let carrying = Flags(rawValue: 64)
        /// In this attempt a part was answered while another was open.
        static let partial = Flags(rawValue: 128)
        /// Its payload moved to a newer record while it was being read from the old one.
        static let moved = Flags(rawValue: 256)
        /// The source is to be told of a delivery; of any other end.
        static let tellsDelivered = Flags(rawValue: 512)
        static let tellsFailed = Flags(rawValue: 1024)
        /// It ended and its source has not heard of it.
        static let owed = Flags(rawValue: 2048)
        /// It is in the outbox, or with its teller.
        static let inOutbox = Flags(rawValue: 4096)
        /// Its new text is not durable yet: not handed over, and nothing from behind it.
        static let replacing = Flags(rawValue: 8192)
        /// Linked into the list that stands until payloads are read.
        static let inLoading = Flags(rawValue: 16384)
        /// Owed, and told only when its source asks.
        static let parked = Flags(rawValue: 32768)
    }

    /// Place of its step in the plan; of one that is planned, the first that it may be.
    var step: UInt8 {
        get { place & 127 }
        set { place = place & 128 | newValue & 127 }
    }
    /// It goes to who opted out, too.
    var isMandatory: Bool {
        get { place & 128 != 0 }
        set { place = newValue ? place | 128 : place & 127 }
    }
    /// The highest ordinal that a message of it was given; 0: it has no further one.
    var lastOrdinal: UInt8 {
        get { members & 31 }
        set { members = members & ~31 | newValue & 31 }
    }
    /// Further messages that are open.
    var openMembers: UInt8 {
        get { members >> 5 }
        set { members = members & 31 | newValue << 5 }
    }
    /// A further message of an event's notification.
    var isMember: Bool { id.ordinal != 0 && role.contains(.isEvent) }

    var allParts: UInt16 { parts >= 16 ? .max : (1 << UInt16(parts)) &- 1 }
    /// Parts that no provider has and that are not on the wire.
    var missingParts: UInt16 { allParts & ~answeredParts & ~unknownParts & ~failedParts & ~openParts }
    /// A provider may have some of it: parts were answered, or it is a possible duplicate, which may have left before a crash.
    var mayHaveLeft: Bool { isTaken || flags.contains(.possibleDuplicate) }
    /// It may come to the customer, or have: a provider has some of it that is not said to have failed.
    var mayArrive: Bool { (openParts | answeredParts | unknownParts) & ~failedParts != 0 || flags.contains(.possibleDuplicate) }
    /// A provider has some of it, or had.
    var isTaken: Bool { openParts | answeredParts | unknownParts | failedParts != 0 }
    /// Wall milliseconds; of a message that is owed.
    var endedAt: Int64 { Int64(truncatingIfNeeded: origin) }
    var endError: UInt16 { UInt16(truncatingIfNeeded: acceptedMicros) }
    var segment: UInt32 { UInt32(truncatingIfNeeded: payloadAt >> 32) }
}
