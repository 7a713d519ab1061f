extension RecordBody {
    /// What was decided of an event: all that the fold reads of it. What the decision read stands sealed beside it (`EventPayload`).
    public struct Decided: Equatable, Sendable {
        /// Wall microseconds at which the door had read the whole request; 0 unless fresh.
        public var receivedAt: Int64
        public var stage: Stage
        public var outcome: Outcome
        /// Why the customer is not told; nil: that was not decided.
        public var reason: SuppressionReason?
        /// Place in the plan of the step whose message goes; nil: none goes.
        public var step: UInt8?
        /// Number of the event's definition.
        public var event: UInt16
        /// By which the customer is told; 0: none was needed.
        public var package: UInt16
        public var release: UInt32
        /// 0: nobody is known by the reference that the event names.
        public var subject: SubjectNumber
        /// Wall milliseconds until which it is held, or at which the next step is due; 0: neither.
        public var until: Int64
        /// Ordinal of the message that this record plans for then; 0: none.
        public var planned: UInt8
        /// Of the message that goes; 0: none goes.
        public var partsOnAir: UInt8
        public var bits: Bits
        /// Of the message that goes.
        public var channel: ChannelKind?
        /// Keyed hash under which it is found while it is open; 0: it need not be, or a newer one is found there.
        public var knownAs: UInt64
        /// Keyed hash of the one that it supersedes or completes; 0: none.
        public var ends: UInt64
        /// Keyed hash of what makes it the same as another; 0: nothing does.
        public var duplicate: UInt64
        /// What it counts for.
        public var counters: [Counter]
        /// Wall seconds at which it counts, never less than before, whatever the clock does; 0: it counts for nothing.
        public var countedAt: UInt32
        /// As the decision has them: those that go now, those that may follow, those that cannot work.
        public var messages: [PlannedMessage]
        /// What the customer is asked for is not done yet: told again then. Nil: not, or not any more.
        public var reminder: Reminder?

        public struct Reminder: Equatable, Sendable {
            /// Of its message.
            public var ordinal: UInt8
            /// Wall milliseconds at which it goes.
            public var at: Int64
            /// Wall milliseconds at which what is asked for is due.
            public var due: Int64

            public init(ordinal: UInt8, at: Int64, due: Int64) {
                self.ordinal = ordinal
                self.at = at
                self.due = due
            }
        }

        /// Raw values are in records.
        public enum Stage: UInt8, CaseIterable, Sendable {
            case fresh = 0
            /// It was held.
            case release = 1
            case step = 2
            case reminder = 3
        }

        /// Raw values are in records.
        public enum Outcome: UInt8, CaseIterable, Sendable {
            case told = 1
            case held = 2
            case suppressed = 3

            public var word: String {
                switch self {
                case .told: "told"
                case .held: "held"
                case .suppressed: "suppressed"
                }
            }
        }

        public struct Bits: OptionSet, Sendable {
            public let rawValue: UInt8
            @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
            /// Once it was sent, no other step follows.
            public static let noFallbackOnceSent = Bits(rawValue: 1)
            /// Its plan has no further step that can work.
            public static let noFurtherStep = Bits(rawValue: 2)
            /// A secret is in the payload: nobody of the staff is shown it.
            public static let hasSecret = Bits(rawValue: 4)
            /// Its message goes to who opted out, too.
            public static let isMandatory = Bits(rawValue: 8)
        }

        public init(
            receivedAt: Int64 = 0, stage: Stage, outcome: Outcome, reason: SuppressionReason? = nil, step: UInt8? = nil, event: UInt16,
            package: UInt16 = 0, release: UInt32, subject: SubjectNumber, until: Int64 = 0, planned: UInt8 = 0, partsOnAir: UInt8 = 0,
            bits: Bits = [], channel: ChannelKind? = nil, knownAs: UInt64 = 0, ends: UInt64 = 0, duplicate: UInt64 = 0,
            counters: [Counter] = [], countedAt: UInt32 = 0, messages: [PlannedMessage] = [], reminder: Reminder? = nil
        ) {
            self.receivedAt = receivedAt
            self.stage = stage
            self.outcome = outcome
            self.reason = reason
            self.step = step
            self.event = event
            self.package = package
            self.release = release
            self.subject = subject
            self.until = until
            self.planned = planned
            self.partsOnAir = partsOnAir
            self.bits = bits
            self.channel = channel
            self.knownAs = knownAs
            self.ends = ends
            self.duplicate = duplicate
            self.counters = counters
            self.countedAt = countedAt
            self.messages = messages
            self.reminder = reminder
        }

        /// What quotas count: an event costs a part, whatever becomes of it.
        public var parts: UInt8 { max(1, partsOnAir) }
    }

    /// A cap, or the limit of an event, named so that the log is folded without the rulebook that had it.
    public struct Counter: Hashable, Sendable {
        /// Of a cap the hash of its key, of a limit the number of the event.
        public var key: UInt32
        /// 1...32,767.
        public var most: UInt16
        /// Seconds.
        public var within: UInt32
        /// Counts whatever the outcome was, and is never given back.
        public var isLimit: Bool

        public init(key: UInt32, most: UInt16, within: UInt32, isLimit: Bool = false) {
            self.key = key
            self.most = most
            self.within = within
            self.isLimit = isLimit
        }

        /// Of a cap.
        public init(_ cap: FrequencyCap) {
            self.init(
                key: Counter.hash(cap.key), most: UInt16(clamping: min(cap.most, Counter.mostMaximum)), within: UInt32(clamping: cap.within)
            )
        }

        /// Of an event's limit.
        public init(_ limit: EventDefinition.Limit, of event: UInt16) {
            self.init(
                key: UInt32(event), most: UInt16(clamping: min(limit.most, Counter.mostMaximum)), within: UInt32(clamping: limit.within),
                isLimit: true)
        }

        static let mostMaximum = 0x7FFF

        /// FNV-1a of its bytes: the same in every process and version, and secret to nobody.
        public static func hash(_ key: String) -> UInt32 {
            key.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
        }
    }

    /// Times of one counter, seconds of the wall clock by subject, or by number where that is no one customer's.
    public struct Counted: Equatable, Sendable {
        public var counter: Counter
        public var times: [Time]
        public var numbers: [NumberTime]
        /// Counted for the first time, by ready texts; else said again.
        public var isNew: Bool

        public struct Time: Hashable, Sendable {
            public var subject: SubjectNumber
            /// Wall seconds.
            public var at: UInt32
            public init(subject: SubjectNumber, at: UInt32) {
                self.subject = subject
                self.at = at
            }
        }

        public struct NumberTime: Hashable, Sendable {
            /// Keyed hash.
            public var number: UInt64
            /// Wall seconds.
            public var at: UInt32
            public init(number: UInt64, at: UInt32) {
                self.number = number
                self.at = at
            }
        }

        /// Times of one record at most, of either kind; what is beyond is left out.
        public static let most = 500

        public init(counter: Counter, times: [Time] = [], numbers: [NumberTime] = [], isNew: Bool = false) {
            self.counter = counter
            self.times = times
            self.numbers = numbers
            self.isNew = isNew
        }
    }
}

extension RecordBody.Carried {
    /// What the message of an event has beside others, so that it outlives the record of its decision.
    public struct Event: Equatable, Sendable {
        public var role: Role
        /// Place of its step in the plan.
        public var step: UInt8
        public var subject: SubjectNumber
        /// 0: it need not be found.
        public var knownAs: UInt64
        /// Wall seconds at which its counters were taken; 0: it has none.
        public var reservedAt: UInt32
        /// Caps, to be given back where nothing of it is sent.
        public var counters: [RecordBody.Counter]
        /// Of a notification, about its further messages: the highest ordinal given in the low five bits, how many are open in the others.
        public var members: UInt8
        /// It goes to who opted out, too.
        public var isMandatory: Bool

        public init(
            role: Role, step: UInt8 = 0, subject: SubjectNumber = 0, knownAs: UInt64 = 0, reservedAt: UInt32 = 0,
            counters: [RecordBody.Counter] = [], members: UInt8 = 0, isMandatory: Bool = false
        ) {
            self.role = role
            self.step = step
            self.subject = subject
            self.knownAs = knownAs
            self.reservedAt = reservedAt
            self.counters = counters
            self.members = members
            self.isMandatory = isMandatory
        }

        /// 0: it has no further message.
        public var lastOrdinal: UInt8 { members & 31 }
    }

    /// What a message is to the notification of an event.
    public struct Role: OptionSet, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let isEvent = Role(rawValue: 1)
        /// Of a notification: its customer is reminded until what it asks for is done. Of a further message: it is a reminder.
        public static let untilDone = Role(rawValue: 2)
        /// Its own message is over and another is open.
        public static let ownOver = Role(rawValue: 4)
        /// Another message of it arrived.
        public static let isMet = Role(rawValue: 8)
        /// Its step asks for no more than that it is sent.
        public static let metWhenSent = Role(rawValue: 16)
        /// Another message of its notification may have reached the customer.
        public static let anyLeft = Role(rawValue: 32)
        /// Its caps are taken.
        public static let isReserved = Role(rawValue: 64)
        /// Where its own message is over: the last one that is over expired.
        public static let hasExpired = Role(rawValue: 128)
    }
}
