import Guard
import MartletModel
import MartletStore
import SQL

/// What finds customers by an address where nothing of them is opened.
struct CustomerKeys: Sendable {
    let hashes: CustomerHashes
    private let tags: CustomerTags

    init(_ keys: KeyStore) {
        hashes = CustomerHashes(keys)
        tags = CustomerTags(keys.rowKey)
    }

    /// Customers with a mail address, by rising number, `Customers.sharing` at most.
    /// - Throws: `.tampered` where the row of one is not as it was written: whether it has the address is not to be believed.
    func holders(ofMail hash: UInt64, _ session: SQLSession) throws -> [SubjectNumber] {
        let entries = try session.rows(
            CustomerStatements.byAddress,
            [.number(AddressKind.email.rawValue), .hash(hash), .number(0), .number(Customers.sharing)])
        var found: [SubjectNumber] = []
        for entry in entries {
            let subject = try entry.integer("subject", as: SubjectNumber.self)
            guard found.last != subject else { continue }
            guard let row = try session.row(CustomerStatements.bySubject, [.number(subject)]).map({ try CustomerRow($0, tags) }),
                row.addresses.contains(where: { $0.kind == .email && $0.hash == hash })
            else { throw DeskFault.tampered(noun: "customer", key: "\(subject)") }
            found.append(subject)
        }
        return found
    }
}
