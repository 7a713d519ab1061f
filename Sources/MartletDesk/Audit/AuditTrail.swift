import Guard
import MartletStore
import SQL

/// The chain of entries in the store. An act and its entry are one transaction: neither stands without the other.
struct AuditTrail: Sendable {
    /// Nil: that of the installation, which the store knows.
    let chain: String?

    /// Name of the installation's chain: `martlet-` and what was drawn when its store was made.
    static func chain(_ session: SQLSession) throws -> String {
        guard let installation = try session.row(StoreStatements.meta, [.text("installation")])?.text("value") else {
            throw DeskFault.broken("the store has no installation yet: run `martlet store migrate`")
        }
        return "martlet-\(installation)"
    }

    /// Of the newest entry; nil: there is none.
    static func head(_ session: SQLSession) throws -> AuditHead? {
        guard let newest = try session.row(StoreStatements.newestAudit) else { return nil }
        guard let hash = AuditHash(try newest.bytes("hash")) else { throw DeskFault.tampered(noun: "audit", key: "head") }
        return AuditHead(sequence: try newest.integer("sequence", as: UInt64.self), hash: hash)
    }

    /// What the entry says beside who and when.
    struct Line: Sendable {
        var act: AuditAct
        /// To what, by identifier; nothing personal.
        var object: String
        var outcome = "done"
        /// What is personal, sealed under a key that erasure destroys.
        var details: SealedDetails?
    }

    struct SealedDetails: Sendable {
        var details: AuditDetails
        var keyID: UInt32
        /// Salt and bytes, sealed.
        var sealed: [UInt8]
    }

    /// - Parameter at: wall microseconds.
    func enter(_ line: Line, by caller: Caller, at: Int64, _ session: SQLSession) throws {
        // Taken before the head is read: whoever comes second waits here and reads the head that the first one leaves.
        try session.run(StoreStatements.lockAudit)
        var chain = try AuditChain(name: try self.chain ?? AuditTrail.chain(session), head: try AuditTrail.head(session))
        let made = try chain.append(
            time: at, principal: caller.name, action: line.act.rawValue, object: line.object, outcome: line.outcome,
            reason: caller.reason, details: line.details?.details)
        try session.run(
            StoreStatements.addAudit,
            [
                .number(made.entry.sequence), .integer(at), .text(caller.name), .text(line.act.rawValue), .text(line.object),
                .text(line.outcome), .text(caller.reason), .bytes(made.entry.details?.bytes), .bytes(made.entry.previous.bytes),
                .bytes(made.hash.bytes), .number(line.details?.keyID ?? 0), .bytes(line.details?.sealed),
            ])
    }
}
