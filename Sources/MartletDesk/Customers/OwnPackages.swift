import MartletModel

/// What a customer sees of packages.
public struct OwnPackages: Codable, Equatable, Sendable {
    public var packages: [OfferedPackage]
    /// Events that are told whatever is connected, for the law or the contract asks for it.
    public var fixed: [OfferedEvent]
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
    public var fee: Fee?
    /// As the customer has it: for all accounts and cards, or for single ones; empty: it is not connected.
    public var connected: [CustomerView.PackageView] = []
}

/// An event as people call it.
public struct OfferedEvent: Codable, Equatable, Sendable {
    public var event: String
    public var name: String
}

/// A package as a customer wishes it.
public struct OwnPackageWish: Codable, Equatable, Sendable {
    public var package: UInt16
    /// The whole number of one account or card, or what is shown of one that has something connected; neither: all.
    public var account: String?
    public var card: String?
    /// Not there: those of the package.
    public var channels: [String]?
    public var isPaused: Bool?
    public var thresholds: [CustomerView.ThresholdView]?

    var view: CustomerView.PackageView {
        CustomerView.PackageView(
            package: package, from: 0, until: nil, channels: channels, isPaused: isPaused ?? false, thresholds: thresholds ?? [],
            account: account, card: card)
    }
}

extension SelfService.Offer {
    /// - Parameter entries: by path, for what people call them.
    init(_ objects: [RulebookObject], _ entries: [String: RulebookEntry]) {
        func event(_ key: String) -> OfferedEvent { OfferedEvent(event: key, name: entries["event/\(key)"]?.name ?? key) }
        for object in objects {
            switch object.kind {
            case .event where object.content["mandatory"] == .flag(true) && object.content["published"] != .flag(false):
                fixed.append(event(object.key))
            case .package:
                guard case .integer(let number)? = object.content["number"], let package = UInt16(exactly: number) else { continue }
                var one = OfferedPackage(package: package, name: entries[object.name]?.name, description: entries[object.name]?.description)
                if case .list(let events)? = object.content["events"] {
                    one.events = events.compactMap { if case .text(let key)? = $0["event"] { event(key) } else { nil } }
                }
                one.fee = object.content["fee"].flatMap { OfferedPackage.Fee($0) }
                packages.append(one)
            default: break
            }
        }
        packages.sort { $0.package < $1.package }
        fixed.sort { $0.event < $1.event }
    }
}

extension OfferedPackage.Fee {
    fileprivate init?(_ content: JSONValue) {
        guard case .text(let amount)? = content["amount"], case .text(let currency)? = content["currency"],
            case .text(let period)? = content["period"]
        else { return nil }
        self.init(amount: amount, currency: currency, period: period)
    }
}
