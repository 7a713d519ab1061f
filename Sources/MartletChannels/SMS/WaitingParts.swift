import MartletModel

/// Parts that were handed over as part of a message and found no room: bounded, since a handover is never larger than the room but
/// for the rest of its last message.
struct WaitingParts {
    struct Entry {
        var handover: Handover
        var cut: TextCut
        /// First part not sent.
        var part: Int
        /// A part of this message was sent: it counts no more as a message.
        var begun: Bool
    }

    private var entries: [Entry] = []
    private var head = 0
    private(set) var parts = 0

    var isEmpty: Bool { head == entries.count }
    var first: Entry? { isEmpty ? nil : entries[head] }

    private static func count(_ mask: UInt16, from part: Int) -> Int { part >= 16 ? 0 : (mask >> UInt16(part)).nonzeroBitCount }

    mutating func append(_ handover: Handover, _ cut: TextCut, from part: Int, begun: Bool) {
        entries.append(Entry(handover: handover, cut: cut, part: part, begun: begun))
        parts += WaitingParts.count(handover.partMask, from: part)
    }

    mutating func update(part: Int, begun: Bool) {
        let mask = entries[head].handover.partMask
        parts += WaitingParts.count(mask, from: part) - WaitingParts.count(mask, from: entries[head].part)
        entries[head].part = part
        entries[head].begun = begun
    }

    mutating func removeFirst() {
        parts -= WaitingParts.count(entries[head].handover.partMask, from: entries[head].part)
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        }
    }
}
