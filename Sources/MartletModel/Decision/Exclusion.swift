/// What is left out of a plan, since it was found that it cannot be made ready, or was told already. A circumstance, so that a decision from
/// which one way was taken can be made again from its record.
public struct Exclusion: Equatable, Sendable {
    /// Place in the plan; nil: every step.
    public var step: UInt8?
    public var channel: ChannelKind
    /// Number of the contact point; 0: every one.
    public var contact: UInt8
    public var why: PlannedMessage.Skip

    public init(step: UInt8? = nil, channel: ChannelKind, contact: UInt8 = 0, why: PlannedMessage.Skip) {
        self.step = step
        self.channel = channel
        self.contact = contact
        self.why = why
    }

    /// Of one decision, at most.
    public static let most = 64

    public func covers(step: UInt8, _ channel: ChannelKind, contact: UInt8) -> Bool {
        self.channel == channel && (self.contact == 0 || self.contact == contact) && (self.step == nil || self.step == step)
    }
}
