import MartletModel

/// A package as a customer wishes it.
public struct OwnPackageWish: Codable, Equatable, Sendable {
    public var package: UInt16
    /// The whole number of one account or card, or what is shown of one that has something connected; neither: all.
    public var account: String?
    public var card: String?
    /// Not there: those of the package.
    public var channels: [String]?
    public var isPaused: Bool?
    public var thresholds: [OwnThreshold]?

    /// As the bank would write it. Thresholds that do not hold are named and left out.
    /// - Parameter types: numbers of event types that there are.
    func view(_ path: String, _ types: Set<UInt16>, _ faults: inout [FieldFault]) -> CustomerView.PackageView {
        var own: [CustomerView.ThresholdView] = []
        for (index, wish) in (thresholds ?? []).enumerated() {
            let place = "\(path).thresholds[\(index)]"
            if !types.contains(wish.eventType) { faults.append(FieldFault("\(place).eventType", "unknown", "there is no such event type")) }
            do throws(FieldFault) {
                let money = try wish.money(place)
                guard !own.contains(where: { $0.eventType == wish.eventType && $0.currency == money.currency }) else {
                    throw FieldFault(place, "repeated", "the type has an amount in this currency already")
                }
                own.append(.init(eventType: wish.eventType, amount: money.minor, currency: money.currency))
            } catch {
                faults.append(error)
            }
        }
        return CustomerView.PackageView(
            package: package, from: 0, until: nil, channels: channels, isPaused: isPaused ?? false, thresholds: own, account: account,
            card: card)
    }
}

extension OwnThreshold {
    fileprivate func money(_ path: String) throws(FieldFault) -> Money {
        guard let known = Currency.of(code: currency) else {
            throw FieldFault("\(path).currency", "unknown", "three letters of ISO 4217, such as EUR")
        }
        guard let decimal = ExactDecimal(amount) else { throw FieldFault("\(path).amount", "malformed", "a decimal number such as 50.00") }
        guard let minor = decimal.minor(digits: known.digits), minor >= 0 else {
            throw FieldFault("\(path).amount", "range", "not below zero, with at most \(known.digits) digits behind the point")
        }
        return Money(minor: minor, currency: known.number)
    }
}

/// What a customer set for all notifications.
public struct OwnPreferences: Codable, Equatable, Sendable {
    /// Since when; in what is written it counts for nothing, as does `withoutEffect`.
    public var at: APIMoment?
    /// Minutes of the customer's day, 0 to 1439; not there: none.
    public var quietFrom: UInt16?
    public var quietUntil: UInt16?
    public var channelsOff: [String]
    public var mutedEventTypes: [UInt16]
    public var withoutEffect: [WithoutEffect]?

    init(_ view: CustomerView.PreferencesView, _ offer: OwnOffer) {
        (at, quietFrom, quietUntil) = (view.at, view.quietFrom, view.quietUntil)
        (channelsOff, mutedEventTypes) = (view.channelsOff, view.mutedEventTypes)
        withoutEffect = offer.withoutEffect(muted: mutedEventTypes)
    }

    var view: CustomerView.PreferencesView {
        .init(quietFrom: quietFrom, quietUntil: quietUntil, channelsOff: channelsOff, mutedEventTypes: mutedEventTypes)
    }
}
