public import MartletModel

/// A decision that is due and cannot be made now: what the node has of the customer cannot be read. The message waits where it is; no record says
/// so, since a restart has it due at once again.
extension Engine {
    /// Milliseconds until the second try; each pause is twice the one before, up to the longest.
    private static let firstPause: Int64 = 1000
    private static let longestPause: Int64 = 3_600_000

    /// It is due again after a pause. Its deadline ends it all the same, so it is not tried for ever.
    public mutating func putOff(decision reference: SlotReference, _ now: Instant) {
        guard let number = taken(reference) else { return }
        let slot = slots.pointer(number)
        if now.wallMilliseconds >= slot.pointee.deadline { return arm(number, wall: now.wallMilliseconds, now) }
        let pause = min(Engine.firstPause << Int64(min(slot.pointee.tries, 20)), Engine.longestPause)
        // What counts inquiries once it was sent counts this before.
        slot.pointee.tries = min(slot.pointee.tries, 20) + 1
        wait(number, until: now.wallMilliseconds + pause, now)
    }
}
