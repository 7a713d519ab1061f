import MartletModel
import SMSText

/// What a text will be on the wire, when it is what its handover says.
struct SMSTextPlan {
    private let plan: TextPlan
    /// Of a part that its sender cut.
    private let ownHeader: Bool

    /// Nil when the text has another number of parts than it was accepted with, or none is wanted.
    init?(_ handover: Handover) {
        plan = SMSText.plan(handover.text)
        ownHeader = !handover.userDataHeader.isEmpty
        guard plan.parts == Int(handover.parts), plan.parts <= 16, handover.partMask != 0, Int(handover.partMask) < 1 << plan.parts else {
            return nil
        }
        if ownHeader {
            // Header and text share 140 octets (3GPP TS 23.040, 9.2.3.24).
            let left = 140 - handover.userDataHeader.count
            guard plan.units <= (plan.alphabet == .gsm7 ? left * 8 / 7 : left / 2) else { return nil }
        }
    }

    var hasHeader: Bool { plan.hasHeader || ownHeader }
    var dataCoding: UInt8 { plan.dataCoding }

    /// Calls `body` with the parts from `part` on. True: the text does not fit its plan.
    @inline(__always)
    func forEachPart(of handover: Handover, from part: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) -> Bool {
        do {
            if ownHeader {
                var octets = handover.userDataHeader
                try SMSText.encode(handover.text, plan: plan, reference: 0, part: 0, into: &octets)
                octets.withUnsafeBytes { body(0, $0) }
                return false
            }
            try SMSText.forEachPart(handover.text, plan: plan, reference: handover.partsReference, in: part..<plan.parts, body)
            return false
        } catch {
            return true
        }
    }
}

/// Parts that were handed over as part of a message and found no room: bounded, since a handover is never larger than the room but
/// for the rest of its last message.
struct WaitingParts {
    struct Entry {
        var handover: Handover
        var plan: SMSTextPlan
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

    mutating func append(_ handover: Handover, _ plan: SMSTextPlan, from part: Int, begun: Bool) {
        entries.append(Entry(handover: handover, plan: plan, part: part, begun: begun))
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
