public import MartletModel

/// Ready texts and caps. But for whom the bank does not write to, no other rule is asked of a text that a source wrote itself: what a customer gets too much of is too much whoever
/// wrote it. A text that is sent counts for good, also where nothing of it comes out.
extension Engine {
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

    /// Whether one more text of this class is too much for its customer. Of somebody unknown, 0, none is.
    func isTooMany(_ messageClass: MessageClass, for subject: SubjectNumber, at wall: Int64) -> Bool {
        guard subject != 0, let book else { return false }
        return caps.used(by: subject, caps: capped(messageClass), of: book.decider.counters, at: wall) != 0
    }

    /// Counts one that goes, at once: the next of the same batch is asked with it. What the log says of it stands in the same batch.
    mutating func countText(_ messageClass: MessageClass, for subject: SubjectNumber, _ now: Instant) {
        guard subject != 0, let book else { return }
        var rest = capped(messageClass)
        while rest != 0 {
            let counter = book.decider.counters[rest.trailingZeroBitCount]
            rest &= rest - 1
            let at = caps.reserve(counter, for: subject, at: now.wall)
            texts[counter, default: []].append(.init(subject: subject, at: at))
        }
    }

    /// Whether the log does not say yet what ready texts counted.
    public var hasUncounted: Bool { !texts.isEmpty }

    /// Says what ready texts counted since the last call, together, 8 bytes each; called before the batch of their acceptances is written.
    public mutating func sayCounted(_ turn: inout Turn) {
        guard !texts.isEmpty else { return }
        for (counter, times) in texts.sorted(by: { $0.key.order < $1.key.order }) { count(times, of: counter, isNew: true, &turn) }
        texts.removeAll(keepingCapacity: true)
    }
}

extension RecordBody.Counter {
    /// The same in every process, as a dictionary's is not.
    fileprivate var order: (UInt32, UInt16, UInt32) { (key, most, within) }
}
