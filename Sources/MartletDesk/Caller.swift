public import MartletModel

/// Who asks: a principal that proved itself, with what it may do. Every use case takes one, so that owner and audit are never a guess.
public struct Caller: Sendable, Hashable {
    /// As the audit names it: `principal:anna`, `system:projector`.
    public var name: String
    public var rights: Set<Right>
    /// The unit it belongs to; nil: the whole bank. Objects of other units are not there for it.
    public var unit: Int64?
    /// Why it asks, where it said so.
    public var reason: String?
    /// The customer whose token it showed; nil: a principal, or a part of Martlet.
    public var subject: SubjectNumber?

    public init(name: String, rights: Set<Right>, unit: Int64? = nil, reason: String? = nil, subject: SubjectNumber? = nil) {
        self.name = name
        self.rights = rights
        self.unit = unit
        self.reason = reason
        self.subject = subject
    }

    /// A part of Martlet that acts by itself.
    public static func system(_ part: String) -> Caller { Caller(name: "system:\(part)", rights: Set(Right.allCases)) }

    /// - Throws: `.forbidden`.
    public func require(_ right: Right) throws(DeskFault) {
        guard rights.contains(right) else { throw .forbidden(right) }
    }

    /// Asks for the right to see personal data, and for a reason.
    public func requireReveal() throws(DeskFault) {
        try require(.revealPersonal)
        let words = reason?.trimmed ?? ""
        guard !words.isEmpty else { throw .invalid([FieldFault("reason", "required", "say why personal data is looked at")]) }
    }
}

extension String {
    /// Without blanks at both ends.
    var trimmed: String {
        var view = self[...]
        while view.first?.isWhitespace ?? false { view.removeFirst() }
        while view.last?.isWhitespace ?? false { view.removeLast() }
        return String(view)
    }
}
