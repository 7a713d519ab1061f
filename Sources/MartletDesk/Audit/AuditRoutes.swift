import MartletModel

/// `/v1/audit`.
struct AuditRoutes: APINoun {
    let audits: Audits

    private struct Document: Encodable {
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

    func add(to routes: inout APIRoutes) {
        let audits = audits
        routes.get("/v1/audit") { ask in
            .page(try await audits.list(try ask.page(), by: ask.caller)) { Document($0) }
        }
    }
}
