public import MartletModel
public import SMSText

/// How the operator of each connection group wants texts. Immutable; swapped whole, with the routes.
public struct Texts: Sendable {
    /// By group; empty when all are standard.
    private var rules: [TextRules?] = []

    /// - Parameter rules: a group that is not there, or has the standard rules, is counted in the quickest way.
    public init(_ rules: [GroupNumber: TextRules] = [:]) {
        for (group, one) in rules where one != .standard {
            if self.rules.isEmpty { self.rules = Array(repeating: nil, count: 256) }
            self.rules[Int(group)] = one
        }
    }

    /// Nil: the standard rules.
    @inline(__always)
    subscript(group: GroupNumber) -> TextRules? { rules.isEmpty ? nil : rules[Int(group)] }
}
