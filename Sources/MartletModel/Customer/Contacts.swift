/// One way to a customer, without its address: that is in `CustomerDetails` under the same number.
public struct ContactPoint: Hashable, Sendable {
    /// Tells the contact points of one customer apart; 1...127 from the desk, 128...255 registered on the sending side since.
    public var number: UInt8
    public var kind: Kind
    public var isVerified: Bool
    /// The customer or the bank forbade its use.
    public var isForbidden: Bool
    /// It bounced for good, or the push service said that the token is no more.
    public var isDead: Bool
    /// Its owner wants nothing there that needs a consent.
    public var isOptedOut: Bool

    public init(
        number: UInt8, kind: Kind, isVerified: Bool = false, isForbidden: Bool = false, isDead: Bool = false, isOptedOut: Bool = false
    ) {
        self.number = number
        self.kind = kind
        self.isVerified = isVerified
        self.isForbidden = isForbidden
        self.isDead = isDead
        self.isOptedOut = isOptedOut
    }

    public enum Kind: Hashable, Sendable {
        case phone
        case email
        /// An installation of one of the bank's apps.
        case device(app: UInt16, platform: Platform)

        /// In files: never change one; 1...15.
        var code: UInt8 {
            switch self {
            case .phone: 1
            case .email: 2
            case .device: 3
            }
        }
    }

    /// Raw values are in files: never change one.
    public enum Platform: UInt8, CaseIterable, Sendable {
        case ios = 1
        case android = 2
        case huawei = 3
        case web = 4
    }
}
