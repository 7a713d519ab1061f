import MartletModel
import MartletStore
import SQL

/// Takes out of the history what leads to one person, before the person's key is destroyed. What that key sealed is closed by its end; what
/// remains are the entries by which a number or mail address is searched, and parts that a key of class and day sealed.
///
/// In bounded transactions, safe to end and to repeat. Messages of other customers stay as they are, also where the address is one and the
/// same; so does what only a search entry leads to that the message itself does not bear out, and what was sealed by class and day to an address that another customer has too, for nobody can tell whose that was.
struct HistoryErasing: Sendable {
    let desk: Desk
    let keys: HistoryKeys
    /// Wall milliseconds.
    let now: Int64
    /// Messages that were accepted later stay: they are of whoever has the address now. Wall milliseconds; nil: all are meant.
    var upTo: Int64?

    func run(_ messages: PersonalMessages) async throws {
        guard let oldest = try await desk.store.read({ try PersonalMessages.oldest($0) }) else { return }
        for address in messages.addresses {
            // An id may be ahead of this clock.
            var below = MessageID.first(of: upTo.map { $0 + 1 } ?? now + 86_400_000)
            while true {
                let start = below
                let next = try await desk.store.transaction { session in
                    let rows = try HistoryRows(session: session, keys: keys, names: HistoryNames())
                    let step = try messages.step(address, oldest: oldest, below: start, session)
                    for found in step.found { try forget(found, address, rows) }
                    return step.next
                }
                guard let next else { break }
                below = next
            }
        }
    }

    private func forget(_ found: PersonalMessages.Found, _ address: PersonalMessages.Address, _ rows: HistoryRows) throws {
        let (range, session) = (PersonalMessages.range(found.id), rows.session)
        try session.run(
            HistoryStatements.dropEntry,
            [.integer(SearchSlot.of(found.id.milliseconds)), .number(address.kind.rawValue), .integer(address.hash)] + range)
        guard !found.isOwn else { return }
        if let message = try rows.item(found.id), try rows.proof(of: address.claim, message.item, rows.opened(message)) == .refuted {
            return desk.damage.note(SearchClaim.entry(of: found.id), instead: "the entry is gone, and the message's text stays")
        }
        for statement in [HistoryStatements.dropText, HistoryStatements.dropInboundText] {
            try session.run(statement, range + [.bytes([])])
        }
    }
}
