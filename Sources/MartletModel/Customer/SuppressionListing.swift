/// That a customer stands on a list of the bank, such as of lawsuits or of staff who test. What follows from it, the rulebook says.
public struct SuppressionListing: Hashable, Sendable {
    /// The list's number.
    public var list: UInt16
    /// Days since 1970: when it was entered, in UTC; and the last day on which it holds, in the customer's time zone; nil: until it is taken away.
    public var since: UInt16
    public var until: UInt16?

    public init(list: UInt16, since: UInt16, until: UInt16? = nil) {
        self.list = list
        self.since = since
        self.until = until
    }

    public func holds(on day: UInt16) -> Bool { day <= until ?? .max }
}
