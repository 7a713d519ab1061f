import Guard
import MartletModel
import MartletStore
import SQL

/// Takes out of the history what leads to one person, before the person's key is destroyed. What that key sealed is closed by its end; what
/// remains are the entries by which a number or mail address is searched, and parts that were sealed with a key of class and day, because
/// Martlet did not know the customer then.
///
/// In bounded transactions, safe to end and to repeat. Messages of other customers stay as they are, also where the address is one and the
/// same; so does what was sealed by class and day to an address that another customer has too, for nobody can tell whose that was.
struct HistoryErasing: Sendable {
    let store: SQLStore
    /// Wall milliseconds.
    let now: Int64

    struct Address: Sendable {
        var kind: SearchKind
        var hash: Int64
        /// Another customer has it too.
        var isShared: Bool
    }

    /// Messages of one transaction.
    private static let step = 200

    func run(_ subject: SubjectNumber, _ addresses: [Address]) async throws {
        let oldest = try await store.read { session -> Int64? in
            let ids = try [RetentionStatements.oldest, RetentionStatements.oldestInbound].compactMap {
                try session.row($0, [.bytes(MessageID.none.bytes)]).flatMap { MessageID(bytes: try $0.bytes("id")) }
            }
            return ids.min()?.milliseconds
        }
        guard let oldest else { return }
        for address in addresses {
            // An id may be ahead of this clock.
            var below = MessageID.first(of: now + 86_400_000)
            while true {
                let start = below
                let place = try await store.transaction { session -> MessageID? in
                    var walk = HistoryWalk(.value(address.kind, hash: address.hash), from: oldest, below: start)
                    while !walk.isDone, !walk.isSpent {
                        let found = try walk.step(HistoryErasing.step, session)
                        for id in found { try forget(id, address, of: subject, session) }
                        if !found.isEmpty { break }
                    }
                    return walk.isDone ? nil : walk.below
                }
                guard let place else { break }
                below = place
            }
        }
    }

    private func forget(_ id: MessageID, _ address: Address, of subject: SubjectNumber, _ session: SQLSession) throws {
        let range: [SQLValue] = [.bytes(id.notification.bytes), .bytes(id.with(ordinal: .max).bytes)]
        let rows = try [HistoryStatements.messages, HistoryStatements.inbound].flatMap { try session.rows($0, range, maximum: 512) }
        let owners = try rows.compactMap { RecordKeyID(rawValue: try $0.integer("key_id", as: UInt32.self)).subject }
        if owners.contains(where: { $0 != subject }) { return }
        let isOwn = owners.contains(subject)
        guard isOwn || !address.isShared else { return }
        try session.run(
            HistoryStatements.dropEntry,
            [.integer(SearchSlot.of(id.milliseconds)), .number(address.kind.rawValue), .integer(address.hash)] + range)
        guard !isOwn else { return }
        for statement in [HistoryStatements.dropText, HistoryStatements.dropInboundText] { try session.run(statement, range + [.bytes([])]) }
    }
}

extension Customers {
    /// The addresses of a customer by which the history is searched.
    func searched(_ row: CustomerRow, _ session: SQLSession) throws -> [HistoryErasing.Address] {
        try row.addresses.compactMap { address in
            let kind: SearchKind
            switch address.kind {
            case .phone: kind = .phone
            case .email: kind = .email
            case .device: return nil
            }
            let others = try owners(of: address.hash, address.kind, after: 0, limit: 3, session).contains { $0.subject != row.subject }
            return HistoryErasing.Address(kind: kind, hash: Int64(bitPattern: address.hash), isShared: others)
        }
    }
}
