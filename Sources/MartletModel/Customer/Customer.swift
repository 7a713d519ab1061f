/// A customer's number inside Martlet, given once and never again: what keys, facts and overlays name. Not the bank's own reference.
public typealias SubjectNumber = UInt32

/// Wall seconds since 1970, until 2106: when a fact about a customer came to be. Of two facts of one second that speak of the same,
/// the one that forbids holds.
public typealias FactTime = UInt32

/// What a decision reads of a customer: nothing here names a person. Names, addresses and personal attributes are `CustomerDetails`,
/// sealed under the customer's own key and opened only to write or send a message.
///
/// Unit, segment, tier, zone, packages, event types, purposes, apps and attributes are numbers that the rulebook gives names to;
/// 0 is "none of its own", where there is such a thing.
public struct Customer: Equatable, Sendable {
    public var subject: SubjectNumber
    public var status: CustomerStatus
    /// Rises with each write of the desk: which state of the customer a decision read.
    public var version: UInt32
    public var unit: UInt16
    public var segment: UInt16
    public var tier: UInt16
    /// Time zone, by its number in the rulebook; 0: the unit's.
    public var zone: UInt16
    public var locale: CustomerLocale
    public var packages: [PackageSubscription]
    /// Wall microseconds of the newest word from a handset that is in `packages`; 0: there was none.
    public var packagesHeardAt: Int64 = 0
    public var consents: [Consent]
    public var preferences: Preferences?
    /// In the customer's order: the first is preferred.
    public var contacts: [ContactPoint]
    /// The bank's own, as far as they are not personal.
    public var attributes: [CustomerAttribute]
    /// Lists of the bank on which the customer stands, each once.
    public var listed: [SuppressionListing] = []

    public init(
        subject: SubjectNumber, status: CustomerStatus = .active, version: UInt32 = 0, unit: UInt16 = 0, segment: UInt16 = 0,
        tier: UInt16 = 0, zone: UInt16 = 0, locale: CustomerLocale = .none, packages: [PackageSubscription] = [], consents: [Consent] = [],
        preferences: Preferences? = nil, contacts: [ContactPoint] = [], attributes: [CustomerAttribute] = []
    ) {
        self.subject = subject
        self.status = status
        self.version = version
        self.unit = unit
        self.segment = segment
        self.tier = tier
        self.zone = zone
        self.locale = locale
        self.packages = packages
        self.consents = consents
        self.preferences = preferences
        self.contacts = contacts
        self.attributes = attributes
    }

    /// What was said of this purpose and channel; a consent for the channel itself goes before one for all channels.
    public func consent(_ purpose: UInt16, _ channel: ChannelKind) -> Consent? {
        var general: Consent?
        for one in consents where one.purpose == purpose {
            if one.channel == channel { return one }
            if one.channel == nil { general = one }
        }
        return general
    }
}

/// Raw values are in files: never change one.
public enum CustomerStatus: UInt8, CaseIterable, Sendable {
    case active = 1
    /// Nothing but what the law or security asks for is sent.
    case blocked = 2
    case deceased = 3
    case closed = 4
}

/// A language and a country, two letters each (ISO 639-1, ISO 3166-1 alpha-2), as they stand in BCP 47: `pl-PL`, `uk`.
public struct CustomerLocale: Hashable, Sendable {
    /// Language in the two high bytes, country in the two low ones, ASCII; 0: none.
    public let code: UInt32

    /// The unit's.
    public static let none = CustomerLocale(code: 0)

    private init(code: UInt32) { self.code = code }

    /// Nil when the bytes are neither none, nor two small letters and then two capitals or nothing.
    init?(reading code: UInt32) {
        func letters(_ half: UInt32, _ first: UInt8, _ last: UInt8) -> Bool {
            (UInt32(first)...UInt32(last)).contains(half >> 8) && (UInt32(first)...UInt32(last)).contains(half & 255)
        }
        let (language, country) = (code >> 16, code & 0xFFFF)
        let isNone = code == 0
        let isLocale =
            letters(language, UInt8(ascii: "a"), UInt8(ascii: "z"))
            && (country == 0 || letters(country, UInt8(ascii: "A"), UInt8(ascii: "Z")))
        guard isNone || isLocale else { return nil }
        self.code = code
    }

    /// `pl-PL`, `uk`, or empty for none; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        switch bytes.count {
        case 0: self.init(reading: 0)
        case 2: self.init(reading: UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16)
        case 5 where bytes[2] == UInt8(ascii: "-"):
            self.init(reading: UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[3]) << 8 | UInt32(bytes[4]))
        default: return nil
        }
    }

    /// The same without a country.
    public var language: CustomerLocale { CustomerLocale(code: code & 0xFFFF_0000) }

    public var text: String {
        guard code != 0 else { return "" }
        func pair(_ half: UInt32) -> String { String(decoding: [UInt8(half >> 8 & 255), UInt8(half & 255)], as: UTF8.self) }
        return code & 0xFFFF == 0 ? pair(code >> 16) : "\(pair(code >> 16))-\(pair(code & 0xFFFF))"
    }
}
