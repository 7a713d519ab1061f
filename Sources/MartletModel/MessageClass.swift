/// What a message is for. The class fixes its lane, validity and what follows when an outcome is not known.
/// Raw values are in records: never change one.
public enum MessageClass: UInt8, CaseIterable, Sendable {
    case security = 1
    case employeeAlarm = 2
    case otp = 3
    case transactional = 4
    case service = 5
    case actionRequired = 6
    case employeeInfo = 7
    case marketing = 8

    /// The word used in the API, settings and pages.
    public var word: String {
        switch self {
        case .security: "security"
        case .employeeAlarm: "employee_alarm"
        case .otp: "otp"
        case .transactional: "transactional"
        case .service: "service"
        case .actionRequired: "action_required"
        case .employeeInfo: "employee_info"
        case .marketing: "marketing"
        }
    }

    public init?(word: some StringProtocol) {
        for one in MessageClass.allCases where one.word == word {
            self = one
            return
        }
        return nil
    }

    public var lane: Lane {
        switch self {
        case .security, .employeeAlarm: .security
        case .otp: .otp
        case .transactional: .transactional
        case .service, .actionRequired, .employeeInfo: .service
        case .marketing: .marketing
        }
    }

    /// How long the message is worth sending when the sender does not say, in seconds.
    public var validity: Int64 {
        switch self {
        case .security, .employeeAlarm: 3600
        case .otp: 180
        case .transactional, .service, .actionRequired, .employeeInfo: 24 * 3600
        case .marketing: 48 * 3600
        }
    }

    /// No answer was heard to a message written to the wire, or its bind was lost.
    public var afterUnknown: AfterUnknown {
        switch self {
        case .security, .employeeAlarm: .sendAgainAtOnce
        case .otp: .leave
        case .transactional: .waitThenSendAgain(seconds: 30)
        case .service, .actionRequired, .employeeInfo, .marketing: .sendAgainOnce
        }
    }

    /// Seconds without a final receipt after which the provider is asked what became of it, where it can be asked; each further question
    /// waits four times as long as the one before. Nil: it is not asked.
    public var askAfter: Int64? {
        switch self {
        case .security, .employeeAlarm: 60
        case .otp: 20
        case .transactional: 600
        case .service, .actionRequired, .employeeInfo: 3600
        case .marketing: nil
        }
    }

    /// Whether a provider that still has it past its deadline is told to forget it: a code that comes late only misleads.
    public var cancelsLate: Bool {
        switch self {
        case .otp: true
        case .security, .employeeAlarm, .transactional, .service, .actionRequired, .employeeInfo, .marketing: false
        }
    }

    /// The process died while the message may have been handed over and its record not written.
    public var afterCrash: AfterCrash {
        switch self {
        case .otp: .sendAgainIfYounger(seconds: 10)
        default: .sendAgain
        }
    }
}

/// Some of the classes; bit n is the class of raw value n, which is how records hold it.
public struct ClassSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    @inlinable public init(_ one: MessageClass) { self.init(rawValue: 1 << UInt16(one.rawValue)) }
    public init(_ list: [MessageClass]) { self = list.reduce(into: []) { $0.formUnion(ClassSet($1)) } }
    public static let all = ClassSet(MessageClass.allCases)

    @inlinable public func contains(_ one: MessageClass) -> Bool { rawValue >> UInt16(one.rawValue) & 1 == 1 }
    /// In the order of their raw values.
    public var classes: [MessageClass] { MessageClass.allCases.filter { contains($0) } }
}

/// What follows an `unknown` outcome. Whatever is sent again is flagged a possible duplicate.
public enum AfterUnknown: Equatable, Sendable {
    /// At once, up to five times while the deadline allows, by whichever connection of its group has room.
    case sendAgainAtOnce
    /// Once, at once.
    case sendAgainOnce
    /// Once, when no receipt came in this time.
    case waitThenSendAgain(seconds: Int64)
    /// Never by itself: a new code is one tap away.
    case leave
}

public enum AfterCrash: Equatable, Sendable {
    case sendAgain
    /// Older ones stay `unknown` and wait for a receipt.
    case sendAgainIfYounger(seconds: Int64)
}

/// One queue discipline a class has of its own. `security` then `otp` are strict: while one of theirs waits nothing else
/// goes. The others share what is left by weight.
public enum Lane: UInt8, CaseIterable, Sendable {
    case security = 0, otp, transactional, service, marketing

    public var isStrict: Bool { self == .security || self == .otp }

    /// Share of the capacity left by the strict lanes, in parts.
    public var weight: Int {
        switch self {
        case .security, .otp: 0
        case .transactional: 8
        case .service: 4
        case .marketing: 1
        }
    }

    public var word: String {
        switch self {
        case .security: "security"
        case .otp: "otp"
        case .transactional: "transactional"
        case .service: "service"
        case .marketing: "marketing"
        }
    }
}
