public import MartletModel

extension Engine {
    /// Ends a message that no provider has. Its record is in the turn when the answer is `cancelled` and there is one.
    /// - Returns: nil when no such message is open; the log may know an ended one.
    public mutating func cancel(_ id: MessageID, source: SourceNumber, _ turn: inout Turn) -> Cancellation? {
        guard let number = slots.number(of: id) else { return nil }
        let slot = slots.pointer(number)
        guard slot.pointee.source == source else { return .notFound }
        if slot.pointee.state == .cancelled { return .cancelled }
        // A possible duplicate may have left before a crash.
        let taken = slot.pointee.openParts | slot.pointee.answeredParts | slot.pointee.unknownParts | slot.pointee.failedParts
        guard slot.pointee.state == .queued, taken == 0, !slot.pointee.flags.contains(.possibleDuplicate) else { return .tooLate }
        emit(.ended(.init(state: .cancelled, reason: .cancelledBySource)), number, &turn, after: .retire)
        return .cancelled
    }
}
