/// Something the bank defined about its customers: a number that the rulebook names, and a value of the type it was defined with.
public struct CustomerAttribute: Hashable, Sendable {
    public var attribute: UInt16
    public var value: Value

    public init(_ attribute: UInt16, _ value: Value) {
        self.attribute = attribute
        self.value = value
    }

    /// Numbers that every installation has; the bank's own begin at 16.
    public static let loyaltyTier: UInt16 = 1
    public static let loyaltyPoints: UInt16 = 2
    /// An integer, `Engagement`: how much of the bank's digital offers the customer uses.
    public static let engagement: UInt16 = 3
    /// An integer, 0 to 23: the hour of the day, on the clocks of the customer's zone, at which the customer is best reached.
    public static let bestHour: UInt16 = 4

    public enum Value: Hashable, Sendable {
        /// At most 1024 bytes of UTF-8.
        case text(String)
        case integer(Int64)
        /// `unscaled` / 10^`scale`, scale 0...18.
        case decimal(unscaled: Int64, scale: UInt8)
        /// Days since 1970-01-01, before it negative.
        case date(Int32)
        case boolean(Bool)
    }
}
