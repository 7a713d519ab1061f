public import MartletModel

extension Engine {
    /// Ends a message that no provider has; a provider that has all of it is told to forget it, where it may be, now or as soon
    /// as it can be, and what comes of that is told like any other end; further messages of its notification that wait end. Its record is in the turn when the answer is `cancelled` and there is one.
    /// - Returns: nil when no such message is open; the log may know an ended one.
    public mutating func cancel(_ id: MessageID, source: SourceNumber, _ turn: inout Turn) -> Cancellation? {
        guard let number = slots.number(of: id) else { return nil }
        let slot = slots.pointer(number)
        guard slot.pointee.source == source else { return .notFound }
        if slot.pointee.state == .cancelled { return .cancelled }
        if slot.pointee.state == .suppressed { return .suppressed }
        guard slot.pointee.state == .queued || slot.pointee.state == .planned, !anyLeft(of: number) else {
            withdraw(number, turn.now)
            endWaiting(number, .cancelled, .cancelledBySource, &turn)
            return .tooLate
        }
        emit(.ended(.init(state: .cancelled, reason: .cancelledBySource)), number, &turn, after: .retire)
        return .cancelled
    }
}
