import Guard
import MartletModel
import MartletStore
import SQL

extension Desk {
    /// Notes up to which message rows of the history may lack a tag, before the first row with all tags is written. Where there are such rows it is an entry of
    /// the audit, which stays: who takes the note away gets no second one. A store that begins with tags has none; a note of a later message is then the entry that tells.
    func noteUntagged(_ tags: RowMAC) async throws {
        guard try await !store.read({ try LastUntagged.isNoted($0) }) else { return }
        let (trail, at) = (trail, now())
        try await store.transaction { session in
            guard try session.row(StoreStatements.firstAudit, [.text(Desk.untagged)]) == nil,
                let last = try LastUntagged.note(tags, session)
            else { return }
            guard last != .none else { return }
            try trail.enter(
                AuditTrail.Line(act: .historyTagged, object: Desk.untagged, outcome: "rows up to message \(last.text) may lack a tag"),
                by: .system("desk"), at: at, session)
        }
    }

    private static let untagged = "history:untagged"
}
