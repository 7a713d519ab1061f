import MartletModel

/// `/v1/audit`.
struct AuditRoutes: APINoun {
    let audits: Audits

    private struct Document: Codable {
        var sequence: Int64
        var at: String
        var principal: String
        var act: String
        var object: String
        var outcome: String
        var reason: String?
        var hash: String

        init(_ entry: Audits.Entry) {
            sequence = entry.sequence
            at = timestamp(entry.at)
            principal = entry.principal
            act = entry.act
            object = entry.object
            outcome = entry.outcome
            reason = entry.reason
            hash = entry.hash
        }
    }

    private static let list = APIOperation(
        .get, "/v1/audit", "Entries of the audit, newest first", note: "The reading is an entry too.", [.readAudit],
        query: APIParameter.page,
        answer: .json(.page(of: Document.self, "AuditEntry")))

    static let operations = [list]

    func add(to routes: inout APIRoutes) {
        let audits = audits
        routes.on(AuditRoutes.list) { ask in
            .page(try await audits.list(try ask.page(), by: ask.caller)) { Document($0) }
        }
    }
}
