public import MartletModel

/// A customer as the API shows it. Masked unless someone with the right gave a reason; a device's token is never shown.
public struct CustomerView: Codable, Equatable, Sendable {
    public struct ContactPointView: Codable, Equatable, Sendable {
        public var number: UInt8
        /// `phone`, `email`, `device`.
        public var kind: String
        public var value: String
        public var isVerified: Bool
        public var isForbidden: Bool
        public var isDead: Bool
        public var isOptedOut: Bool
        public var app: UInt16?
        /// `ios`, `android`, `huawei`, `web`.
        public var platform: String?
    }

    public struct PackageView: Codable, Equatable, Sendable {
        public var package: UInt16
        /// Days since 1970.
        public var from: UInt16
        public var until: UInt16?
        public var channels: [String]?
        public var isPaused: Bool
        public var thresholds: [ThresholdView]
        /// The one account or card that it is for: the last letters or digits, `•••1234`. In what is written the whole number, or what is shown of one
        /// that the customer has; neither: all of them.
        public var account: String?
        public var card: String?
    }

    public struct ThresholdView: Codable, Equatable, Sendable {
        public var eventType: UInt16
        /// In the currency's smallest unit.
        public var amount: Int64
        /// ISO 4217, three digits.
        public var currency: UInt16
    }

    public struct ConsentView: Codable, Equatable, Sendable {
        public var purpose: UInt16
        /// Nil: all.
        public var channel: String?
        /// `withdrawn`, `given`, `pending`.
        public var state: String
        public var at: APIMoment
    }

    public struct PreferencesView: Codable, Equatable, Sendable {
        /// Since when; nil in what is written, which holds from then on.
        public var at: APIMoment?
        public var quietFrom: UInt16?
        public var quietUntil: UInt16?
        public var channelsOff: [String]
        public var mutedEventTypes: [UInt16]
    }

    /// A list of the bank on which the customer stands.
    public struct ListingView: Codable, Equatable, Sendable {
        public var list: UInt16
        /// Days since 1970: when it was entered, and the last day on which it holds; nil: until it is taken away.
        public var since: UInt16
        public var until: UInt16?

        init(_ one: SuppressionListing) { (list, since, until) = (one.list, one.since, one.until) }
    }

    public struct AttributeView: Codable, Equatable, Sendable {
        public var attribute: UInt16
        public var isPersonal: Bool
        public var value: String
    }

    /// The subject number: what paths name a customer by.
    public var id: SubjectNumber
    public var version: UInt32
    /// `active`, `blocked`, `deceased`, `closed`.
    public var status: String
    public var unit: UInt16
    public var segment: UInt16
    public var tier: UInt16
    public var zone: UInt16
    public var locale: String
    public var isMasked: Bool
    public var reference: String
    public var givenName: String
    public var familyName: String
    public var contacts: [ContactPointView]
    public var packages: [PackageView]
    public var consents: [ConsentView]
    public var preferences: PreferencesView?
    public var attributes: [AttributeView]
    public var lists: [ListingView]
    public var createdAt: APIMoment
    public var changedAt: APIMoment

    init(_ one: OpenedCustomer, isMasked: Bool) {
        let (customer, details) = (one.customer, one.details)
        func shown(_ text: String) -> String { isMasked ? Mask.name(text) : text }
        id = one.row.subject
        version = one.row.version
        status = customer.status.word
        (unit, segment, tier, zone) = (customer.unit, customer.segment, customer.tier, customer.zone)
        locale = customer.locale.text
        self.isMasked = isMasked
        reference = isMasked ? Mask.reference(details.reference) : details.reference
        givenName = shown(details.givenName)
        familyName = shown(details.familyName)
        contacts = customer.contacts.map { ContactPointView($0, details.address($0.number), isMasked: isMasked) }
        packages = customer.packages.map { PackageView($0, details) }
        consents = customer.consents.map {
            ConsentView(purpose: $0.purpose, channel: $0.channel?.word, state: $0.state.word, at: APIMoment(seconds: $0.at))
        }
        preferences = customer.preferences.map { PreferencesView($0) }
        attributes =
            customer.attributes.map { AttributeView(attribute: $0.attribute, isPersonal: false, value: $0.value.text) }
            + details.attributes.map { AttributeView(attribute: $0.attribute, isPersonal: true, value: isMasked ? "•••" : $0.value.text) }
        lists = customer.listed.map { ListingView($0) }
        createdAt = APIMoment(milliseconds: one.row.createdAt)
        changedAt = APIMoment(milliseconds: one.row.changedAt)
    }
}

extension CustomerView.ContactPointView {
    init(_ contact: ContactPoint, _ value: CustomerDetails.Address.Value?, isMasked: Bool) {
        number = contact.number
        isVerified = contact.isVerified
        isForbidden = contact.isForbidden
        isDead = contact.isDead
        isOptedOut = contact.isOptedOut
        switch contact.kind {
        case .phone: kind = "phone"
        case .email: kind = "email"
        case .device(let app, let platform):
            kind = "device"
            self.app = app
            self.platform = platform.word
        }
        switch (contact.kind, value) {
        case (.device, _), (_, nil): self.value = "•••"
        case (_, .phone(let digits)?):
            let number = PhoneNumber(digits: digits)
            self.value = isMasked ? number.masked : number.international
        case (_, .text(let text)?): self.value = isMasked ? MailAddress(text: text).masked : text
        }
    }
}

extension CustomerView.PackageView {
    /// What stands before the part of a number that is shown.
    static let masked = "•••"

    init(_ one: PackageSubscription, _ details: CustomerDetails) {
        package = one.package
        (from, until, isPaused) = (one.from, one.until, one.isPaused)
        channels = one.channels.map { $0.words }
        thresholds = one.thresholds.map {
            CustomerView.ThresholdView(eventType: $0.eventType, amount: $0.amount, currency: $0.currency)
        }
        let shown = one.scope.map { CustomerView.PackageView.masked + (details.tail($0) ?? "") }
        switch one.scope {
        case nil: break
        case .account: account = shown
        case .card: card = shown
        }
    }
}

extension CustomerView.PreferencesView {
    init(_ one: Preferences) {
        at = APIMoment(seconds: one.at)
        quietFrom = one.quiet?.from
        quietUntil = one.quiet?.until
        channelsOff = one.channelsOff.words
        mutedEventTypes = one.mutedEventTypes
    }
}

extension ChannelSet {
    var words: [String] { ChannelKind.allCases.filter { contains($0) }.map(\.word) }
}

extension ChannelKind {
    init?(word: some StringProtocol) {
        guard let kind = ChannelKind.allCases.first(where: { $0.word == word }) else { return nil }
        self = kind
    }
}

extension CustomerStatus {
    var word: String {
        switch self {
        case .active: "active"
        case .blocked: "blocked"
        case .deceased: "deceased"
        case .closed: "closed"
        }
    }

    init?(word: some StringProtocol) {
        guard let status = CustomerStatus.allCases.first(where: { $0.word == word }) else { return nil }
        self = status
    }
}

extension Consent.State {
    var word: String {
        switch self {
        case .withdrawn: "withdrawn"
        case .given: "given"
        case .pending: "pending"
        }
    }

    init?(word: some StringProtocol) {
        guard let state = Consent.State.allCases.first(where: { $0.word == word }) else { return nil }
        self = state
    }
}

extension ContactPoint.Platform {
    var word: String {
        switch self {
        case .ios: "ios"
        case .android: "android"
        case .huawei: "huawei"
        case .web: "web"
        }
    }

    init?(word: some StringProtocol) {
        guard let platform = ContactPoint.Platform.allCases.first(where: { $0.word == word }) else { return nil }
        self = platform
    }
}

extension CustomerAttribute.Value {
    /// As it is written in files: a decimal with its point, a date as `2026-11-23`, `true` or `false`.
    var text: String {
        switch self {
        case .text(let text): return text
        case .integer(let value): return String(value)
        case .boolean(let value): return value ? "true" : "false"
        case .date(let days):
            let (year, month, day) = civil(Int64(days))
            func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
            return "\(year)-\(two(month))-\(two(day))"
        case .decimal(let unscaled, let scale):
            guard scale > 0 else { return String(unscaled) }
            var digits = String(unscaled.magnitude)
            while digits.count <= Int(scale) { digits = "0\(digits)" }
            let place = digits.index(digits.endIndex, offsetBy: -Int(scale))
            return "\(unscaled < 0 ? "-" : "")\(digits[..<place]).\(digits[place...])"
        }
    }
}
