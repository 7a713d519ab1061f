public import MartletModel
import SMSText

extension Engine {
    /// Puts another text in the place of one that no provider has. Its record is in the turn when the answer is `replaced`; until
    /// that is durable the message is not handed over, and keeps its place.
    /// - Parameter payload: as it was accepted, nil where memory holds it no more: then it is taken from here.
    /// - Returns: nil when no such message is open.
    public mutating func replace(
        _ id: MessageID, source: SourceNumber, with change: Replacement, _ payload: Payload?, _ turn: inout Turn
    ) -> Replacement.Verdict? {
        guard let number = slots.number(of: id) else { return nil }
        let slot = slots.pointer(number)
        guard slot.pointee.source == source else { return .notFound }
        let taken = slot.pointee.openParts | slot.pointee.answeredParts | slot.pointee.unknownParts | slot.pointee.failedParts
        // What is being read or copied just now is the old text.
        // The text of an event is its template's.
        guard slot.pointee.state == .queued, slot.pointee.role.isEmpty, taken == 0, slot.pointee.pending == 0,
            slot.pointee.flags.isDisjoint(with: [.possibleDuplicate, .loading, .carrying]),
            var payload = self.payload(of: number) ?? payload, payload.userDataHeader.isEmpty
        else { return .tooLate }
        // As `accept` counts.
        guard let count = try? count(change.text, flash: payload.wishes.contains(.flash), slot.pointee.group) else { return .noAlphabet }
        let limit = min(configuration.partsMaximum, count.submits == count.parts ? Engine.partsMaximum : SMSText.partsMax)
        guard count.parts <= limit else { return .tooManyParts }
        payload.text = change.text
        payload.textShape = count.shape
        let start = turn.payloads.count
        payload.append(to: &turn.payloads)
        let range = start..<turn.payloads.count
        var body = snapshot(number, [], turn.now)
        // How the old text was planned anew says nothing of the new one.
        body.textShape = 0
        let now = turn.now.wallMilliseconds
        emit(.replaced(body), number, &turn, sealed: .payload(range), after: .moved) { header in
            header.parts = UInt8(count.submits)
            if let validity = change.validity { header.deadline = now + min(max(validity, 0), Engine.validityMaximum) * 1000 }
            header.flags.remove([.tellsDelivered, .tellsFailed])
            if change.tells.contains(.delivered) { header.flags.insert(.tellsDelivered) }
            if change.tells.contains(.failed) { header.flags.insert(.tellsFailed) }
        }
        let offset = turn.payloads.withUnsafeBytes { keep(UnsafeRawBufferPointer(rebasing: $0[range]), slot.pointee.messageClass) }
        slot.pointee.ringOffset = offset
        return .replaced
    }

    /// Raw position of the payload of an open message whose payload memory holds no more.
    public func payloadPosition(of id: MessageID) -> UInt64? {
        guard let number = slots.number(of: id), !slots.pointer(number).pointee.state.isEnd, payload(of: number) == nil else { return nil }
        return slots.pointer(number).pointee.payloadAt
    }

    /// The fold of it: parts, deadline and wishes are those of the record's header. After a trim it is the first record of its message.
    mutating func replaced(
        _ it: RecordBody.Carried, _ header: RecordHeader, at position: UInt64, _ now: Instant
    ) -> UInt32? {
        guard let number = slots.number(of: header.id) else { return carry(it, header, at: position, now) }
        if !slots.pointer(number).pointee.state.isEnd { replaced(header, number, at: position, now) }
        return number
    }

    private mutating func replaced(_ header: RecordHeader, _ number: UInt32, at position: UInt64, _ now: Instant) {
        let slot = slots.pointer(number)
        if position != 0 { slot.pointee.last = position }
        slot.pointee.parts = header.parts
        slot.pointee.textShape = 0
        submitsLargest = max(submitsLargest, Int(header.parts))
        slot.pointee.deadline = header.deadline
        slot.pointee.flags.remove([.tellsDelivered, .tellsFailed])
        if header.flags.contains(.tellsDelivered) { slot.pointee.flags.insert(.tellsDelivered) }
        if header.flags.contains(.tellsFailed) { slot.pointee.flags.insert(.tellsFailed) }
        if replaying {
            forget(slot.pointee.payloadAt)
            slot.pointee.payloadAt = position
            remember(position)
        } else {
            // Until it is durable neither this text nor the old one goes out.
            slot.pointee.flags.insert(.replacing)
            if !slot.pointee.flags.contains(.waiting) { arm(number, wall: header.deadline, now) }
        }
    }
}
