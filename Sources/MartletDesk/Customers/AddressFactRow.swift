import Guard
import MartletModel
import MartletStore
import SQL

/// What was learnt of an address, as a row.
struct AddressFactRow: Sendable {
    var kind: AddressKind
    var hash: UInt64
    var state: AddressState

    static let columns = CustomerStatements.factColumns + ["mac"]

    init(kind: AddressKind, hash: UInt64, state: AddressState = AddressState()) {
        self.kind = kind
        self.hash = hash
        self.state = state
    }

    func values(_ tags: CustomerTags) -> [SQLValue] {
        var values: [SQLValue] = [
            .number(kind.rawValue), .hash(hash), .number(state.life?.what.rawValue), .number(state.life?.at),
            .number(state.wish?.what.rawValue), .number(state.wish?.at),
        ]
        values.append(.bytes(tags.fact.bytes(values)))
        return values
    }

    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        _ = try tags.fact.checked(row, noun: "address", key: "fact")
        guard let kind = AddressKind(rawValue: try row.integer("kind", as: UInt8.self)) else {
            throw DeskFault.broken("kind of an address")
        }
        self.init(kind: kind, hash: UInt64(bitPattern: try row.integer("hash")))
        for (what, at) in [("life", "life_at"), ("wish", "wish_at")] {
            guard let raw = try row.optionalInteger(what), let since = try row.optionalInteger(at) else { continue }
            guard let fact = AddressFact.What(rawValue: UInt8(clamping: raw)) else { throw DeskFault.broken("fact of an address") }
            state.learn(AddressFact(fact, at: FactTime(clamping: since)))
        }
    }

    /// What counts of an address whose row is damaged. What its owner wished is not known: so nothing that needs a consent goes there until he
    /// says otherwise, whenever that is. Whether it is alive is learnt anew.
    static let damaged: AddressState = {
        var state = AddressState()
        state.learn(AddressFact(.optedOut, at: 0))
        return state
    }()

    /// What is known of these addresses, those of which nothing is known left out. A row that is damaged is noted and counts as `damaged`.
    static func known(
        _ addresses: [AddressKind: [UInt64]], _ tags: CustomerTags, _ damage: DamageNotes, _ session: SQLSession
    ) throws -> [AddressKind: [UInt64: AddressState]] {
        var found: [AddressKind: [UInt64: AddressState]] = [:]
        let width = CustomerStatements.factHashes
        for (kind, hashes) in addresses {
            for start in stride(from: 0, to: hashes.count, by: width) {
                var values = [SQLValue.number(kind.rawValue)]
                for place in start..<start + width { values.append(.hash(hashes[min(place, hashes.count - 1)])) }
                for row in try session.rows(CustomerStatements.facts, values) {
                    let hash = UInt64(bitPattern: try row.integer("hash"))
                    let fact = try RowDamage.sound { try AddressFactRow(row, tags) }
                    if fact == nil {
                        damage.note(
                            "address_fact \(kind.rawValue)/\(Int64(bitPattern: hash))", instead: "the address counts as opted out")
                    }
                    found[kind, default: [:]][hash] = fact?.state ?? AddressFactRow.damaged
                }
            }
        }
        return found
    }
}
