/// How a customer can be reached. Raw values are in files: never change one; 1...15, for four bits hold it there.
public enum ChannelKind: UInt8, CaseIterable, Sendable {
    case sms = 1
    case push = 2
    case email = 3
    case messenger = 4
    case voice = 5
    case pass = 6

    /// The word used in the API, settings and pages.
    public var word: String {
        switch self {
        case .sms: "sms"
        case .push: "push"
        case .email: "email"
        case .messenger: "messenger"
        case .voice: "voice"
        case .pass: "pass"
        }
    }
}

/// Some of the channels; bit n is the channel of raw value n. A bit that this version does not know is kept.
public struct ChannelSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    @inlinable public init(_ one: ChannelKind) { self.init(rawValue: 1 << UInt16(one.rawValue)) }
    public init(_ list: [ChannelKind]) { self = list.reduce(into: []) { $0.formUnion(ChannelSet($1)) } }
    public static let all = ChannelSet(ChannelKind.allCases)

    @inlinable public func contains(_ one: ChannelKind) -> Bool { rawValue >> UInt16(one.rawValue) & 1 == 1 }
}
