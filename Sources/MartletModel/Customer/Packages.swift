/// A package that a customer connected: which events are told, from which amount, over which channels, for how long.
public struct PackageSubscription: Equatable, Sendable {
    public var package: UInt16
    /// Nil: all accounts and cards of the customer.
    public var scope: Scope?
    /// First day, and the last when there is one: days since 1970 in the customer's time zone.
    public var from: UInt16
    public var until: UInt16?
    /// Nil: those of the package.
    public var channels: ChannelSet?
    public var thresholds: [Threshold]
    /// Switched off for now, by the customer.
    public var isPaused: Bool

    public init(
        package: UInt16, scope: Scope? = nil, from: UInt16, until: UInt16? = nil, channels: ChannelSet? = nil,
        thresholds: [Threshold] = [], isPaused: Bool = false
    ) {
        self.package = package
        self.scope = scope
        self.from = from
        self.until = until
        self.channels = channels
        self.thresholds = thresholds
        self.isPaused = isPaused
    }

    /// One account or card, by the keyed hash of its number.
    public enum Scope: Hashable, Sendable {
        case account(UInt64)
        case card(UInt64)
    }

    /// The least amount of an event type that is told.
    public struct Threshold: Hashable, Sendable {
        public var eventType: UInt16
        /// In the currency's smallest unit.
        public var amount: Int64
        /// ISO 4217, three digits: 985 is PLN.
        public var currency: UInt16

        public init(eventType: UInt16, amount: Int64, currency: UInt16) {
            self.eventType = eventType
            self.amount = amount
            self.currency = currency
        }
    }

    /// Whether it is one of its days, paused or not.
    public func hasDay(_ day: UInt16) -> Bool { day >= from && day <= until ?? .max }
    public func isOver(on day: UInt16) -> Bool { until.map { $0 < day } ?? false }
    public func isValid(on day: UInt16) -> Bool { hasDay(day) && !isPaused }

    /// The day before in UTC, which has begun wherever the customer lives: what is connected without a first day holds at once.
    /// - Parameter now: wall microseconds.
    public static func firstDay(at now: Int64) -> UInt16 { UInt16(clamping: now / 86_400_000_000 - 1) }
}
