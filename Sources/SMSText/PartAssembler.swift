/// One part of a long message as it came in.
public struct InboundPart: Sendable, Hashable {
    /// Which part of what: from the user data header, or from SMPP's sar_* TLVs (`.sar`).
    public let place: UserDataHeader.Concatenated
    public let dataCoding: UInt8
    /// National Language Identifiers of the header, 0 for the default tables.
    public let singleShift: UInt8
    public let lockingShift: UInt8
    /// Its octets, header taken off.
    public let octets: [UInt8]

    public init(place: UserDataHeader.Concatenated, dataCoding: UInt8, header: UserDataHeader? = nil, octets: [UInt8]) {
        self.place = place
        self.dataCoding = dataCoding
        self.singleShift = header?.singleShift ?? 0
        self.lockingShift = header?.lockingShift ?? 0
        self.octets = octets
    }

    fileprivate var header: UserDataHeader {
        UserDataHeader(concatenation: place, singleShift: singleShift, lockingShift: lockingShift, octets: 0)
    }

    fileprivate func isRead(as other: InboundPart) -> Bool {
        dataCoding == other.dataCoding && singleShift == other.singleShift && lockingShift == other.lockingShift
    }
}

/// A long message with all parts, or with those that came in time.
public struct AssembledMessage: Sendable, Hashable {
    /// The assembler's number of it, as in `PartAssembler.Outcome`.
    public let serial: UInt64
    public let source: String
    public let destination: String
    public let reference: UInt16
    public let total: Int
    /// Those there are, in their order.
    public let parts: [InboundPart]
    /// Numbers of those that are not there, from 1.
    public let missing: [UInt8]
    /// When the first part came, on the caller's clock.
    public let firstAt: Duration

    public var isComplete: Bool { missing.isEmpty }

    /// The text. Neighbours in the same alphabet are read as one run of octets, so that a letter which the sender cut in two is
    /// whole again.
    /// - Parameter gap: what stands where parts are missing, once for neighbours.
    public func text(_ profile: AlphabetProfile = .standard, gap: String = "[...]") -> String {
        var text = ""
        var at = 0
        var number = 1
        while at < parts.count {
            if Int(parts[at].place.number) > number { text += gap }
            let first = parts[at]
            var run = first.octets
            number = Int(first.place.number) + 1
            at += 1
            while at < parts.count, Int(parts[at].place.number) == number, parts[at].isRead(as: first) {
                run += parts[at].octets
                number += 1
                at += 1
            }
            text += profile.decode(run, dataCoding: first.dataCoding, header: first.header)
        }
        if number <= total { text += gap }
        return text
    }
}

/// Puts inbound parts together again: a pure value, the time is an argument, bounded in messages, octets and time.
///
/// Parts belong together when source, destination, kind of reference, reference and total are the same (TS 23.040, 9.2.3.24.1). They may
/// come in any order. A part that came before is told as `repeated`, also shortly after its message was complete: an operator
/// repeats what it believes unanswered. A part of the same number with other octets begins a new message: some phones use
/// one reference for everything; the older one is then given up with the parts it has.
///
/// Nothing is lost silently: what is given up for time or room comes out as an incomplete `AssembledMessage`.
public struct PartAssembler: Sendable {
    public struct Limits: Sendable, Hashable {
        /// Messages that wait for parts; the oldest is given up for a new one.
        public var messages: Int
        /// Octets of all parts that wait, `partOverhead` added for each.
        public var octets: Int
        /// From the first part until what there is is given out.
        public var keep: Duration
        /// After a message is complete, how long its parts are known again. At most `messages` complete ones are remembered.
        public var repeats: Duration

        public init(
            messages: Int = 10_000, octets: Int = 16 << 20, keep: Duration = .seconds(3600), repeats: Duration = .seconds(60)
        ) {
            self.messages = max(1, messages)
            self.octets = max(0, octets)
            self.keep = keep
            self.repeats = repeats
        }
    }

    public enum News: Sendable, Hashable {
        /// All parts are there; the message is out of the assembler's hands.
        case complete(AssembledMessage)
        case waiting(parts: Int, of: Int)
        /// The part is known: nothing has changed.
        case repeated
    }

    public struct Outcome: Sendable, Hashable {
        public var news: News
        /// The assembler's number of the message that the part belongs to, never used twice; 0 for a repeated one.
        public var serial: UInt64
        /// Incomplete messages that were given up for time, room, or a reference used anew, oldest first.
        public var givenUp: [AssembledMessage]
    }

    private struct Key: Hashable, Sendable {
        let source: String
        let destination: String
        let kind: Concatenation
        let reference: UInt16
        let total: UInt8
    }

    private struct Pending: Sendable {
        let serial: UInt64
        let firstAt: Duration
        var parts: [InboundPart]
        var octets: Int
    }

    private struct Done: Sendable {
        let serial: UInt64
        let at: Duration
        /// By number of part, of its octets.
        let fingerprints: [UInt64]
    }

    public let limits: Limits
    private var pending: [Key: Pending] = [:]
    private var done: [Key: Done] = [:]
    /// Oldest first; entries of keys that have gone or begun anew are passed over by their serial.
    private var pendingOrder = Order()
    private var doneOrder = Order()
    private var serial: UInt64 = 0
    /// What a part costs beside its octets, so that empty ones are bounded too.
    public static let partOverhead = 64
    /// Octets that wait, `partOverhead` added for each part.
    public private(set) var octets = 0
    /// Messages that wait.
    public var messages: Int { pending.count }

    public init(_ limits: Limits = Limits()) { self.limits = limits }

    /// Takes one part. A message of one part is complete at once.
    /// - Parameter now: on a clock that never goes back.
    public mutating func add(_ part: InboundPart, from source: String, to destination: String, at now: Duration) -> Outcome {
        var givenUp = expire(at: now, limit: Self.expiredWithOne)
        let place = part.place
        let key = Key(
            source: source, destination: destination, kind: place.kind, reference: place.reference, total: place.total)
        // Its message may still have its turn to be given up.
        if let entry = pending[key], now - entry.firstAt >= limits.keep, let older = giveUp(key) { givenUp.append(older) }
        if let done = done[key], done.fingerprints[Int(place.number) - 1] == Self.fingerprint(part) {
            return Outcome(news: .repeated, serial: 0, givenUp: givenUp)
        }
        if let known = pending[key]?.parts.first(where: { $0.place.number == place.number }) {
            if known == part { return Outcome(news: .repeated, serial: 0, givenUp: givenUp) }
            if let older = giveUp(key) { givenUp.append(older) }
        }
        var entry = pending[key] ?? Pending(serial: nextSerial(), firstAt: now, parts: [], octets: 0)
        if entry.parts.isEmpty {
            pendingOrder.tidy(live: pending.count) { pending[$0]?.serial == $1 }
            pendingOrder.append(key, entry.serial)
        }
        let at = entry.parts.firstIndex { $0.place.number > place.number } ?? entry.parts.count
        entry.parts.insert(part, at: at)
        let cost = part.octets.count + Self.partOverhead
        entry.octets += cost
        octets += cost
        if entry.parts.count == Int(place.total) {
            pending[key] = nil
            octets -= entry.octets
            remember(key, entry, now)
            return Outcome(news: .complete(message(key, entry)), serial: entry.serial, givenUp: givenUp)
        }
        pending[key] = entry
        while pending.count > limits.messages || octets > limits.octets, let oldest = oldestPending(), let older = giveUp(oldest) {
            givenUp.append(older)
        }
        return Outcome(news: .waiting(parts: entry.parts.count, of: Int(place.total)), serial: entry.serial, givenUp: givenUp)
    }

    /// Messages given up for time when one part comes.
    private static let expiredWithOne = 16

    /// Gives up what has waited too long; to be called now and then also when nothing comes in.
    /// - Parameter limit: messages; the rest is given up with the next call.
    public mutating func expire(at now: Duration, limit: Int = .max) -> [AssembledMessage] {
        while let (key, serial) = doneOrder.first {
            if let entry = done[key], entry.serial == serial {
                guard now - entry.at >= limits.repeats || done.count > limits.messages else { break }
                done[key] = nil
            }
            doneOrder.removeFirst()
        }
        var givenUp: [AssembledMessage] = []
        while givenUp.count < limit, let key = oldestPending(), let entry = pending[key], now - entry.firstAt >= limits.keep,
            let older = giveUp(key)
        {
            givenUp.append(older)
        }
        return givenUp
    }

    /// When `expire` has something to give up; nil: nothing waits.
    public var nextExpiry: Duration? {
        mutating get {
            guard let key = oldestPending(), let entry = pending[key] else { return nil }
            return entry.firstAt + limits.keep
        }
    }

    /// Everything that waits, oldest first; the assembler is empty then. For a shutdown.
    public mutating func giveUpAll() -> [AssembledMessage] {
        var givenUp: [AssembledMessage] = []
        while let key = oldestPending(), let older = giveUp(key) { givenUp.append(older) }
        return givenUp
    }

    // MARK: - Inside

    private mutating func nextSerial() -> UInt64 {
        serial += 1
        return serial
    }

    private mutating func oldestPending() -> Key? {
        while let (key, serial) = pendingOrder.first {
            if pending[key]?.serial == serial { return key }
            pendingOrder.removeFirst()
        }
        return nil
    }

    private mutating func giveUp(_ key: Key) -> AssembledMessage? {
        guard let entry = pending.removeValue(forKey: key) else { return nil }
        octets -= entry.octets
        return message(key, entry)
    }

    private mutating func remember(_ key: Key, _ entry: Pending, _ now: Duration) {
        guard limits.repeats > .zero else { return }
        let serial = nextSerial()
        done[key] = Done(serial: serial, at: now, fingerprints: entry.parts.map(Self.fingerprint))
        doneOrder.tidy(live: done.count) { done[$0]?.serial == $1 }
        doneOrder.append(key, serial)
    }

    private func message(_ key: Key, _ entry: Pending) -> AssembledMessage {
        let there = Set(entry.parts.map(\.place.number))
        return AssembledMessage(
            serial: entry.serial, source: key.source, destination: key.destination, reference: key.reference, total: Int(key.total),
            parts: entry.parts,
            missing: (1...key.total).filter { !there.contains($0) }, firstAt: entry.firstAt)
    }

    /// FNV-1a of the octets and how they are read: only to know a part again.
    private static func fingerprint(_ part: InboundPart) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ octet: UInt8) { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        mix(part.dataCoding)
        mix(part.singleShift)
        mix(part.lockingShift)
        for octet in part.octets { mix(octet) }
        return hash
    }

    /// Keys in order of arrival, with the serial of their entry.
    private struct Order: Sendable {
        private var entries: [(key: Key, serial: UInt64)] = []
        private var head = 0

        var first: (key: Key, serial: UInt64)? { head < entries.count ? entries[head] : nil }

        mutating func append(_ key: Key, _ serial: UInt64) { entries.append((key, serial)) }

        mutating func removeFirst() {
            head += 1
            if head * 2 > entries.count, head > 32 {
                entries.removeFirst(head)
                head = 0
            }
        }

        /// Drops entries that are not live, once they are most: so the order stays at about twice the live ones.
        mutating func tidy(live: Int, _ isLive: (Key, UInt64) -> Bool) {
            guard entries.count - head > live * 2 + 64 else { return }
            entries = entries[head...].filter { isLive($0.key, $0.serial) }
            head = 0
        }
    }
}
