import MartletModel

/// What a customer sees of packages.
public struct OwnPackages: Codable, Equatable, Sendable {
    public var packages: [OfferedPackage]
    /// Events that are told whatever is connected, for the law or the contract asks for it.
    public var fixed: [OfferedEvent]
    /// What thresholds and wishes are of.
    public var eventTypes: [OfferedType]
    public var withoutEffect: [WithoutEffect]
}

/// A package that can be connected.
public struct OfferedPackage: Codable, Equatable, Sendable {
    public struct Fee: Codable, Equatable, Sendable {
        /// With the digits of its currency.
        public var amount: String
        public var currency: String
        /// `day`, `month`, `year`, `once`, `message`.
        public var period: String
    }

    public var package: UInt16
    /// For people; not there: it is no longer offered.
    public var name: String?
    public var description: String?
    public var events: [OfferedEvent] = []
    /// Over which it tells whoever names none.
    public var channels: [String] = []
    /// That the customer may name: those over which one of its events is told.
    public var allowedChannels: [String] = []
    public var fee: Fee?
    /// As the customer has it: for all accounts and cards, or for single ones; empty: it is not connected, or its last day is over.
    public var connected: [OwnPackage] = []
}

/// An event as people call it.
public struct OfferedEvent: Codable, Equatable, Sendable {
    public var event: String
    public var name: String
    /// Number of its type.
    public var eventType: UInt16
    /// Over which it is told.
    public var channels: [String]
    /// From which amounts the package tells it; empty: from any.
    public var thresholds: [OwnAmount]
}

/// An event type as people call it.
public struct OfferedType: Codable, Equatable, Sendable {
    public var eventType: UInt16
    public var key: String
    public var name: String
}

/// A package as the customer has it.
public struct OwnPackage: Codable, Equatable, Sendable {
    /// Days since 1970.
    public var from: UInt16
    public var until: UInt16?
    /// Not there: those of the package.
    public var channels: [String]?
    public var isPaused: Bool
    public var thresholds: [OwnThreshold]
    /// The one account or card that it is for: the last letters or digits, `•••1234`; neither: all of them.
    public var account: String?
    public var card: String?
}

/// An amount of money: a decimal number and a currency by its letters (ISO 4217).
public struct OwnAmount: Codable, Equatable, Sendable {
    public var amount: String
    public var currency: String

    init(_ money: Money) {
        let known = Currency.of(number: money.currency)
        amount = CustomerAttribute.Value.decimal(unscaled: money.minor, scale: known?.digits ?? 0).text
        currency = known?.code ?? String(money.currency)
    }
}

/// From which amount events of a type are told, as the customer set it.
public struct OwnThreshold: Codable, Equatable, Sendable {
    /// Number of the event type.
    public var eventType: UInt16
    /// A decimal number: `50.00`.
    public var amount: String
    /// By its letters (ISO 4217): `EUR`.
    public var currency: String

    init(_ view: CustomerView.ThresholdView) {
        let shown = OwnAmount(Money(minor: view.amount, currency: view.currency))
        (eventType, amount, currency) = (view.eventType, shown.amount, shown.currency)
    }
}

/// What the customer set and nothing follows from.
public struct WithoutEffect: Codable, Equatable, Sendable {
    /// Where it stands in the answer: `packages[0].connected[0].channels`, `mutedEventTypes[1]`.
    public var path: String
    /// For a person.
    public var reason: String
}

extension OwnPackage {
    init(_ view: CustomerView.PackageView) {
        (from, until, channels, isPaused) = (view.from, view.until, view.channels, view.isPaused)
        (account, card) = (view.account, view.card)
        thresholds = view.thresholds.map { OwnThreshold($0) }
    }
}
