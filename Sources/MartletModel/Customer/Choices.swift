/// What a customer said of a purpose, on one channel or on all.
public struct Consent: Hashable, Sendable {
    public var purpose: UInt16
    /// Nil: every channel for which nothing else was said.
    public var channel: ChannelKind?
    public var state: State
    public var at: FactTime

    public init(purpose: UInt16, channel: ChannelKind?, state: State, at: FactTime) {
        self.purpose = purpose
        self.channel = channel
        self.state = state
        self.at = at
    }

    /// Raw values are in files: never change one; 0...15, for four bits hold it there.
    public enum State: UInt8, CaseIterable, Sendable {
        case withdrawn = 0
        case given = 1
        /// Asked for and not yet confirmed: counts as not given.
        case pending = 2
    }

    /// Whether this one holds against another of the same purpose and channel: the newer; in one second the withdrawal.
    public func holds(against other: Consent) -> Bool {
        at != other.at ? at > other.at : state == .withdrawn || other.state != .withdrawn
    }
}

/// What a customer set for all notifications.
public struct Preferences: Equatable, Sendable {
    public var at: FactTime
    public var quiet: QuietHours?
    /// Channels the customer switched off.
    public var channelsOff: ChannelSet
    /// Event types the customer does not want to hear of.
    public var mutedEventTypes: [UInt16]

    public init(at: FactTime, quiet: QuietHours? = nil, channelsOff: ChannelSet = [], mutedEventTypes: [UInt16] = []) {
        self.at = at
        self.quiet = quiet
        self.channelsOff = channelsOff
        self.mutedEventTypes = mutedEventTypes
    }

    /// Minutes of the customer's day, 0...1439; `until` is not in them. From 22:00 until 07:00 goes over midnight; equal: the whole day.
    public struct QuietHours: Hashable, Sendable {
        public var from: UInt16
        public var until: UInt16

        public init(from: UInt16, until: UInt16) {
            self.from = from
            self.until = until
        }

        public func contains(minute: UInt16) -> Bool {
            from < until ? (from..<until).contains(minute) : minute >= from || minute < until
        }
    }
}
