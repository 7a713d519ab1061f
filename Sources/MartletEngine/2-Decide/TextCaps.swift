public import MartletModel

/// Ready texts and caps. But for whom the bank does not write to, no other rule is asked of a text that a source wrote itself: what a customer gets too much of is too much whoever
/// wrote it. A text that is sent counts for good, also where nothing of it comes out.
extension Engine {
    /// Whom a ready text counts for.
    public enum TextParty: Sendable {
        /// No cap is asked: none is there for its class, or it answers a message from this handset.
        case nobody
        /// Its number alone: nobody's that the node knows, or more than sixteen customers'.
        case number
        /// The one customer who has the number.
        case customer(SubjectNumber)
        /// Each of those who share the number, since each may read it.
        case customers([SubjectNumber])
    }

    /// Whether a cap is asked of ready texts of this class; then the node says whose number it is.
    public func hasCaps(of messageClass: MessageClass) -> Bool { capped(messageClass) != 0 }

    /// Bit n: the cap of that place holds for the class.
    private func capped(_ messageClass: MessageClass) -> UInt32 {
        guard let book, !messageClass.ignoresCaps else { return 0 }
        var capped: UInt32 = 0
        for place in book.decider.caps.indices where book.decider.caps[place].classes.contains(messageClass) {
            capped |= 1 << UInt32(place)
        }
        return capped
    }

    /// Whether one more text of this class is too much for whom it is for. What came to the number while it was nobody's counts for its customers, too.
    /// - Parameter number: keyed hash.
    func isTooMany(_ messageClass: MessageClass, for party: borrowing TextParty, _ number: UInt64, at wall: Int64) -> Bool {
        guard let book else { return false }
        var rest = capped(messageClass)
        while rest != 0 {
            let counter = book.decider.counters[rest.trailingZeroBitCount]
            rest &= rest - 1
            let left = Int(counter.most) - numberCaps.count(of: counter, for: number, at: wall)
            let isUsedUp =
                switch copy party {
                case .nobody: false
                case .number: numberCaps.isFull || left <= 0
                case .customer(let subject): caps.isFull || caps.count(of: counter, for: subject, at: wall) >= left
                case .customers(let all): caps.isFull || all.contains { caps.count(of: counter, for: $0, at: wall) >= left }
                }
            if isUsedUp { return true }
        }
        return false
    }

    /// Counts one that goes, at once: the next of the same batch is asked with it. What the log says of it stands in the same batch.
    mutating func countText(_ messageClass: MessageClass, for party: borrowing TextParty, _ number: UInt64, _ now: Instant) {
        guard let book else { return }
        var rest = capped(messageClass)
        while rest != 0 {
            let counter = book.decider.counters[rest.trailingZeroBitCount]
            rest &= rest - 1
            switch copy party {
            case .nobody: return
            case .number:
                let at = numberCaps.reserve(counter, for: number, at: now.wall)
                texts[counter, default: .init()].numbers.append(.init(number: number, at: at))
            case .customer(let subject): countText(counter, for: subject, now)
            case .customers(let all): for subject in all { countText(counter, for: subject, now) }
            }
        }
    }

    private mutating func countText(_ counter: RecordBody.Counter, for subject: SubjectNumber, _ now: Instant) {
        let at = caps.reserve(counter, for: subject, at: now.wall)
        texts[counter, default: .init()].times.append(.init(subject: subject, at: at))
    }

    /// What ready texts counted of one counter since the log was told of it last.
    struct Uncounted {
        var times: [RecordBody.Counted.Time] = []
        var numbers: [RecordBody.Counted.NumberTime] = []
    }

    /// Whether the log does not say yet what ready texts counted.
    public var hasUncounted: Bool { !texts.isEmpty }

    /// Says what ready texts counted since the last call, together, 8 bytes for a customer and 12 for a number each; called before the batch of their acceptances is written.
    public mutating func sayCounted(_ turn: inout Turn) {
        guard !texts.isEmpty else { return }
        for (counter, said) in texts.sorted(by: { $0.key.order < $1.key.order }) {
            count(said.times, of: counter, isNew: true, &turn)
            count(said.numbers, of: counter, isNew: true, &turn)
        }
        texts.removeAll(keepingCapacity: true)
    }
}

extension RecordBody.Counter {
    /// The same in every process, as a dictionary's is not.
    fileprivate var order: (UInt32, UInt16, UInt32) { (key, most, within) }
}
