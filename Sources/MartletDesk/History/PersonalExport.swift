import MartletModel
import MartletStore
import SQL

extension History {
    /// Messages of one person in clear, newest first, for that person. One-time codes are left out as everywhere, and what a damaged row or one without a
    /// tag says may be one; the caller has checked the right and enters the look in the audit.
    /// - Parameter limit: of messages; more are told by `isWhole`.
    func all(of messages: PersonalMessages, limit: Int) async throws -> (items: [HistoryItem], isWhole: Bool) {
        let (keys, names, damage) = (keys, names(), desk.damage)
        let end = MessageID.first(of: desk.nowMilliseconds + 86_400_000)
        guard let oldest = try await desk.store.read({ try PersonalMessages.oldest($0) }) else { return ([], true) }
        var found: [MessageID: HistoryItem] = [:]
        for address in messages.addresses {
            var below = end
            while found.count < limit {
                let start = below
                let (items, next) = try await desk.store.read { session in
                    let rows = try HistoryRows(session: session, keys: keys, names: names)
                    let step = try messages.step(address, oldest: oldest, below: start, session)
                    let items = try step.found.compactMap { one -> HistoryItem? in
                        guard let found = try rows.item(one.id) else { return nil }
                        var item = found.item
                        let opened = rows.opened(found)
                        switch try rows.proof(of: address.claim, item, opened) {
                        case .borneOut: break
                        case .unknown: item.isUnconfirmed = true
                        case .refuted:
                            damage.note(SearchClaim.entry(of: one.id), instead: "the message is in nobody's export for it")
                            return nil
                        }
                        try rows.fill(&item, opened, reveals: true)
                        return item
                    }
                    return (items, step.next)
                }
                for item in items { found[item.id] = item }
                guard let next else { break }
                below = next
            }
        }
        let items = found.values.sorted { $0.id > $1.id }
        return (Array(items.prefix(limit)), items.count < limit)
    }
}
