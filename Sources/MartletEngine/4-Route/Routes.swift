public import MartletModel

/// Which connection group serves a number: the longest prefix wins. Immutable; swapped whole.
public struct Routes: Sendable {
    public struct Route: Sendable, Equatable {
        /// Digits without plus; empty: every number.
        public var prefix: String
        public var group: GroupNumber
        public init(prefix: String, group: GroupNumber) {
            self.prefix = prefix
            self.group = group
        }
    }

    /// By length of the prefix, then its digits.
    private let byLength: [[UInt64: GroupNumber]]

    public init(_ routes: [Route]) {
        var table: [[UInt64: GroupNumber]] = Array(repeating: [:], count: 16)
        for route in routes where route.prefix.utf8.count <= 15 {
            table[route.prefix.utf8.count][UInt64(route.prefix) ?? 0] = route.group
        }
        while let last = table.last, last.isEmpty { table.removeLast() }
        byLength = table
    }

    public func group(for number: PhoneNumber) -> GroupNumber? {
        var digits = number.digits
        var length = 0
        var probe = digits
        while probe > 0 {
            probe /= 10
            length += 1
        }
        while length >= byLength.count, length > 0 {
            digits /= 10
            length -= 1
        }
        while true {
            if length < byLength.count, let group = byLength[length][length == 0 ? 0 : digits] { return group }
            if length == 0 { return nil }
            digits /= 10
            length -= 1
        }
    }
}
