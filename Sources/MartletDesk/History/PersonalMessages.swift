import Guard
import MartletModel
import MartletStore
import SQL

/// The messages of one person, as far as that can be told: those that the person's own key sealed, and, to and from addresses that are nobody
/// else's, those that a key of class and day sealed because Martlet did not know the customer then.
struct PersonalMessages: Sendable {
    struct Address: Sendable {
        var kind: SearchKind
        var hash: Int64
        /// Another customer has it too.
        var isShared: Bool

        var claim: SearchClaim { SearchClaim(kind, [hash]) }
    }

    struct Found {
        var id: MessageID
        /// The person's own key sealed it.
        var isOwn: Bool
    }

    let subject: SubjectNumber
    let addresses: [Address]

    /// Messages of one step at most.
    static let step = 200

    /// Where the history begins; nil: there is none. In wall milliseconds.
    static func oldest(_ session: SQLSession) throws -> Int64? {
        let ids = try [RetentionStatements.oldest, RetentionStatements.oldestInbound].compactMap {
            try session.row($0, [.bytes(MessageID.none.bytes)]).flatMap { MessageID(bytes: try $0.bytes("id")) }
        }
        return ids.min()?.milliseconds
    }

    /// The next messages of an address, newest first, a bounded amount of work.
    /// - Returns: `next` nil: that were all.
    func step(
        _ address: Address, oldest: Int64, below: MessageID, _ session: SQLSession
    ) throws -> (found: [Found], next: MessageID?) {
        var walk = HistoryWalk(.value(address.kind, hashes: [address.hash]), from: oldest, below: below)
        var ids: [MessageID] = []
        while ids.isEmpty, !walk.isDone, !walk.isSpent { ids = try walk.step(PersonalMessages.step, session) }
        let found = try ids.compactMap { id -> Found? in
            let owners = try owners(id, session)
            if owners.contains(where: { $0 != subject }) { return nil }
            let isOwn = owners.contains(subject)
            return isOwn || !address.isShared ? Found(id: id, isOwn: isOwn) : nil
        }
        return (found, walk.isDone ? nil : walk.below)
    }

    static func range(_ id: MessageID) -> [SQLValue] { [.bytes(id.notification.bytes), .bytes(id.with(ordinal: .max).bytes)] }

    /// Whose keys sealed it.
    private func owners(_ id: MessageID, _ session: SQLSession) throws -> [SubjectNumber] {
        let rows = try [HistoryStatements.messages, HistoryStatements.inbound].flatMap {
            try session.rows($0, PersonalMessages.range(id), maximum: 512)
        }
        return try rows.compactMap { RecordKeyID(rawValue: try $0.integer("key_id", as: UInt32.self)).subject }
    }
}

extension Customers {
    /// - Parameter row: the customer's, before anything is taken from it.
    func messages(of row: CustomerRow, _ session: SQLSession) throws -> PersonalMessages {
        let addresses = try row.addresses.compactMap { address -> PersonalMessages.Address? in
            let kind: SearchKind
            switch address.kind {
            case .phone: kind = .phone
            case .email: kind = .email
            case .device: return nil
            }
            let isShared = try holders(of: address.hash, address.kind, after: 0, limit: 3, session).contains { $0 != row.subject }
            return PersonalMessages.Address(kind: kind, hash: Int64(bitPattern: address.hash), isShared: isShared)
        }
        return PersonalMessages(subject: row.subject, addresses: addresses)
    }
}
