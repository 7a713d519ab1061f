public import Guard
import MartletStore
public import SQL

/// Reading the audit, which is an act itself.
struct Audits: Sendable {
    let desk: Desk

    struct Entry: Sendable, Equatable {
        var sequence: Int64
        /// Wall microseconds.
        var at: Int64
        var principal: String
        var act: String
        var object: String
        var outcome: String
        var reason: String?
        var hash: String
    }

    /// Newest first. Entries are of the whole bank, so a caller of one unit has no right to them.
    func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<Entry> {
        guard caller.unit == nil else { throw .forbidden(.readAudit) }
        let below = try wish.after?.number() ?? .max
        return try await desk.act(.readAudit, by: caller) { session in
            let entries = try session.rows(StoreStatements.audit, [.integer(below), .number(wish.limit + 1)]).map { row in
                Entry(
                    sequence: try row.integer("sequence"), at: try row.integer("at"), principal: try row.text("principal"),
                    act: try row.text("act"), object: try row.text("object"), outcome: try row.text("outcome"),
                    reason: try row.optionalText("reason"), hash: AuditHash(try row.bytes("hash"))?.text ?? "")
            }
            let page = Page(entries, limit: wish.limit) { Cursor(number: $0.sequence) }
            let newest = page.items.first.map { "\($0.sequence)" } ?? "none"
            let line = AuditTrail.Line(act: .auditRead, object: "audit", outcome: "done: \(page.items.count) entries from \(newest)")
            return (page, line)
        }
    }
}

/// Checks the chain in the store against itself and against checkpoints that were kept outside.
public enum AuditCheck {
    /// Entries that are read at once.
    private static let pageRows = 1000

    /// - Parameters:
    ///   - checkpoints: lines in the order of their entries.
    ///   - keys: public keys that they may be signed with.
    /// - Throws: `DeskFault`.
    public static func run(
        _ store: SQLStore, checkpoints: [String] = [], keys: [AuditCheckpointKey] = []
    ) async throws(DeskFault) -> AuditReport {
        do {
            let chain = try await store.read { try AuditTrail.chain($0) }
            var verifier = AuditVerifier(chain: chain, checkpoints: checkpoints, keys: keys)
            // From before the first number there is, so that an entry put in front is found too.
            var after = Int64.min
            while true {
                let from = after
                let page = try await store.read { session in
                    try session.rows(StoreStatements.auditForward, [.integer(from), .number(pageRows)]).map { try entry($0) }
                }
                for stored in page { verifier.take(stored) }
                guard page.count == pageRows, let last = page.last else { return verifier.finish() }
                after = Int64(bitPattern: last.entry.sequence)
            }
        } catch {
            throw DeskFault.of(error)
        }
    }

    private static func entry(_ row: SQLRow) throws -> ChainedAuditEntry {
        // A hash of another length is no hash; zeros are none of any entry, so the entry is named as altered.
        func hash(_ bytes: [UInt8]) -> AuditHash {
            AuditHash(bytes) ?? AuditHash([UInt8](repeating: 0, count: AuditHash.byteCount)) ?? AuditChain.origin("").hash
        }
        return ChainedAuditEntry(
            entry: AuditEntry(
                sequence: UInt64(bitPattern: try row.integer("sequence")), time: try row.integer("at"),
                principal: try row.text("principal"),
                action: try row.text("act"), object: try row.text("object"), outcome: try row.text("outcome"),
                reason: try row.optionalText("reason"), details: try row.optionalBytes("commitment").map(hash),
                previous: hash(try row.bytes("previous"))),
            hash: hash(try row.bytes("hash")))
    }
}
