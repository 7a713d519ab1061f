public import MartletModel
import MartletStore
import SQL

extension Rulebooks {
    /// What a release holds, as the node was handed it: for who decides again what an old one decided, whose file the node keeps no more. All of it,
    /// whatever units its objects are of.
    /// - Throws: `.notFound`: there is no such release; `.tampered`: it is not what was published.
    public func source(of release: Int64, by caller: Caller) async throws(DeskFault) -> RulebookSource {
        try await desk.read(.readRulebook, by: caller) { session in
            let found = try find(release, session)
            return RulebookSource(number: found.number, at: found.at, objects: try parts(found, session).map(\.object))
        }
    }
}
