import MartletModel
import SMSText

/// A text is planned when it is accepted, by the rules of its group, and cut by that plan when it is handed over. When the rules changed in
/// between, or it was counted by another version of this program, the plan may not be what its operator takes any more.
///
/// Of a message of which no part is out, that is mended here: it is planned anew, which is a record, since its parts are what its receipts
/// are counted by; it ends as one that cannot be encoded only when no alphabet has its text. A message of which some part is out goes on as
/// it began: the handset could not put parts of two plans together.
extension Engine {
    /// A queue whose next message has a plan that its operator no longer takes.
    struct Misfit: Hashable {
        var group: GroupNumber
        var messageClass: MessageClass
    }

    /// Messages looked at in one turn, of all groups, classes and sources.
    static let replanMaximum = 256

    /// Whether a message in turn waits for `replan`.
    public var hasMisfits: Bool { !misfits.isEmpty }

    /// How its text is to be cut, a code of `TextShape`; 0: as everybody does.
    func textShape(_ slot: Slot, _ payload: Payload) -> UInt32 { slot.textShape != 0 ? slot.textShape : payload.textShape }

    /// Whether its plan has to be made anew before it is handed over.
    func isMisfit(_ number: UInt32, _ payload: Payload) -> Bool {
        let slot = slots.pointer(number)
        let rules = configuration.texts[slot.pointee.group]
        let code = textShape(slot.pointee, payload)
        // Accepted by this process under the rules that everybody has: the way of nearly all.
        if rules == nil, code == 0, slot.pointee.acceptedMicros != 0 { return false }
        let isOut = slot.pointee.answeredParts | slot.pointee.unknownParts | slot.pointee.failedParts | slot.pointee.openParts
        guard isOut == 0, payload.userDataHeader.isEmpty else { return false }
        if code == 0 {
            let plan = SMSText.plan(payload.text)
            return plan.parts != Int(slot.pointee.parts) || !(rules ?? .standard).takes(TextShape(plan))
        }
        guard let shape = TextShape(code: code), shape.submits == Int(slot.pointee.parts), (rules ?? .standard).takes(shape) else {
            return true
        }
        // What this process has planned it need not look at twice.
        return slot.pointee.acceptedMicros == 0 && shape.plan(shape.spelled(payload.text)) == nil
    }

    /// Plans anew what no longer fits at the front of the queues where `credit` met such a one. All stay in their places; nothing of them
    /// is handed over before the records are durable. Security messages and codes come first; queues beyond what is done in one turn stay
    /// `misfits` for the next. What was met is the first of its queue, so each turn brings some queue on.
    public mutating func replan(_ turn: inout Turn) {
        let queues = misfits.sorted { ($0.messageClass.rawValue, $0.group) < ($1.messageClass.rawValue, $1.group) }
        misfits.removeAll(keepingCapacity: true)
        var left = Engine.replanMaximum
        var numbers: [UInt32] = []
        for queue in queues {
            guard left > 0 else {
                misfits.insert(queue)
                continue
            }
            numbers.removeAll(keepingCapacity: true)
            lanes[Int(queue.group)][queue.messageClass].first(left, slots, &numbers)
            left -= numbers.count
            for number in numbers { replan(number, &turn) }
        }
    }

    private mutating func replan(_ number: UInt32, _ turn: inout Turn) {
        let slot = slots.pointer(number)
        guard slot.pointee.state == .queued, slot.pointee.pending == 0,
            let payload = payload(of: number), isMisfit(number, payload)
        else { return }
        let rules = configuration.texts[slot.pointee.group] ?? .standard
        do {
            let (plan, shape) = try rules.plan(payload.text, flash: payload.wishes.contains(.flash))
            // The limit of parts was met when it was accepted; only what cannot be counted at all is given up.
            if plan.parts <= SMSText.partsMax, plan.submits <= Engine.partsMaximum {
                counts.replanned += 1
                return emit(
                    .resumed(.init(why: .replanned, textShape: shape.code, submits: UInt8(plan.submits))), number, &turn)
            }
        } catch {
            // No alphabet of the operator has its text.
        }
        emit(.ended(.init(state: .failed, reason: .cannotBeEncoded)), number, &turn, after: .retire)
    }
}
