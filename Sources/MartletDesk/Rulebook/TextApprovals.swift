public import MartletModel
import MartletStore
import SQL

/// Whether somebody else than the author of a text agreed to it.
public struct TextApproval: Equatable, Sendable {
    public enum State: String, CaseIterable, Sendable { case draft, submitted, approved }

    public var submittedBy: String
    /// Wall milliseconds.
    public var submittedAt: Int64
    public var approvedBy: String?
    public var approvedAt: Int64?
    public var state: State { approvedBy == nil ? .submitted : .approved }

    init(by caller: Caller, at: Int64) { (submittedBy, submittedAt) = (caller.name, at) }

    init(_ row: SQLRow, _ seal: RowSeal, _ name: String) throws {
        try seal.check(row, name)
        submittedBy = try row.text("submitted_by")
        submittedAt = try row.integer("submitted_at")
        approvedBy = try row.optionalText("approved_by")
        approvedAt = try row.optionalInteger("approved_at")
    }

    /// In the order of `RulebookStatements.approvalColumns`.
    func values(of object: Int64, _ version: Int64) -> [SQLValue] {
        [.integer(object), .integer(version), .text(submittedBy), .integer(submittedAt), .text(approvedBy), .number(approvedAt)]
    }
}

extension Rulebooks {
    /// Says that a version of a text is ready to be looked at.
    /// - Throws: `.conflict`: it is no text, or was submitted.
    public func submit(
        _ kind: RulebookKind, _ key: String, _ number: Int64, by caller: Caller
    ) async throws(DeskFault) -> RulebookVersion {
        try await desk.act(.writeRulebook, by: caller) { session in
            let (entry, version) = try text(kind, key, number, by: caller, session)
            guard version.approval == nil else {
                throw DeskFault.conflict(field: "number", reason: "\(entry.path)@\(number) was submitted already")
            }
            let approval = TextApproval(by: caller, at: desk.nowMilliseconds)
            let values = approval.values(of: entry.number, number)
            try session.run(RulebookStatements.addApproval, values + [approvalSeal.tag(values)])
            return (version.with(approval), AuditTrail.Line(act: .textSubmitted, object: "rulebook/\(entry.path)@\(number)"))
        }
    }

    /// Agrees to a version of a text that somebody else wrote.
    /// - Throws: `.conflict`: it was not submitted, is approved, or the caller wrote it.
    public func approve(
        _ kind: RulebookKind, _ key: String, _ number: Int64, by caller: Caller
    ) async throws(DeskFault) -> RulebookVersion {
        try await desk.act(.approveTexts, by: caller) { session in
            let (entry, version) = try text(kind, key, number, by: caller, session)
            let name = "\(entry.path)@\(number)"
            guard var approval = version.approval else { throw DeskFault.conflict(field: "number", reason: "\(name) was not submitted") }
            guard approval.approvedBy == nil else { throw DeskFault.conflict(field: "number", reason: "\(name) is approved already") }
            guard version.author != caller.name else {
                throw DeskFault.conflict(field: "author", reason: "somebody else than the author of \(name) approves it")
            }
            (approval.approvedBy, approval.approvedAt) = (caller.name, desk.nowMilliseconds)
            let values = approval.values(of: entry.number, number)
            let changed = try session.run(
                RulebookStatements.approve,
                [.integer(entry.number), .integer(number), .text(caller.name), .number(approval.approvedAt), approvalSeal.tag(values)])
            guard changed == 1 else { throw DeskFault.conflict(field: "number", reason: "\(name) is approved already") }
            return (version.with(approval), AuditTrail.Line(act: .textApproved, object: "rulebook/\(name)"))
        }
    }

    /// A version of a text that the caller may change, without content.
    private func text(
        _ kind: RulebookKind, _ key: String, _ number: Int64, by caller: Caller, _ session: SQLSession
    ) throws -> (RulebookEntry, RulebookVersion) {
        // Two who press the button at once come one after the other.
        try session.run(StoreStatements.lockAudit)
        let visibility = try units.visibility(of: caller, session)
        let entry = try find(kind, key, visibility, session)
        guard kind.isText else {
            throw DeskFault.conflict(field: "kind", reason: "templates, partials and overrides are approved, and nothing else")
        }
        try visibility.requireChange(entry.unit)
        var version = try stated(entry, try content(of: entry.number, number, "\(entry.path)@\(number)", session), session)
        version.content = nil
        return (entry, version)
    }

    func approval(of entry: RulebookEntry, _ version: Int64, _ session: SQLSession) throws -> TextApproval? {
        guard entry.kind.isText else { return nil }
        return try approval(of: entry.number, version, "\(entry.path)@\(version)", session)
    }

    private func approval(of object: Int64, _ version: Int64, _ name: String, _ session: SQLSession) throws -> TextApproval? {
        try session.row(RulebookStatements.approval, [.integer(object), .integer(version)]).map { try TextApproval($0, approvalSeal, name) }
    }

    /// Whether the bank's rule is that texts are approved.
    func needsApproval() throws(DeskFault) -> Bool {
        do { return try world.needsApproval() } catch { throw .broken("whether texts have to be approved cannot be read: \(error)") }
    }

    /// Each text that nobody but its author has agreed to.
    func unapproved(_ parts: [Part], _ session: SQLSession) throws -> [RulebookFinding] {
        try parts.filter { $0.object.kind.isText }.compactMap { part in
            let (object, version) = (part.object, part.object.version)
            let approval = try approval(of: part.number, version, "\(object.name)@\(version)", session)
            guard approval?.state != .approved else { return nil }
            return RulebookFinding(
                object.name, .error,
                approval == nil ? "version \(version) is not approved" : "version \(version) was submitted, and is not approved",
                remedy: approval == nil
                    ? "submit it, and have somebody else than its author approve it" : "have somebody else than its author approve it")
        }
    }
}

extension RulebookVersion {
    fileprivate func with(_ approval: TextApproval) -> RulebookVersion {
        var it = self
        it.approval = approval
        return it
    }
}
