import Guard
import MartletModel
import MartletStore
import SQL

/// By what an address is found. Raw values are in rows: never change one.
public enum AddressKind: UInt8, CaseIterable, Sendable {
    case phone = 1
    case email = 2
    case device = 3

    init(_ kind: ContactPoint.Kind) {
        switch kind {
        case .phone: self = .phone
        case .email: self = .email
        case .device: self = .device
        }
    }
}

/// One address of a customer as it is looked up.
struct CustomerAddress: Hashable, Sendable {
    /// The contact point's.
    var number: UInt8
    var kind: AddressKind
    var hash: UInt64

    static let octets = 10
}

/// A customer's row.
struct CustomerRow: Equatable, Sendable {
    var subject: SubjectNumber
    var version: UInt32
    var unit: UInt16
    /// Nil: erased.
    var reference: UInt64?
    var addresses: [CustomerAddress]
    /// A customer record v1; empty: erased.
    var clear: [UInt8]
    var sealed: [UInt8]
    /// Wall milliseconds.
    var createdAt: Int64
    var changedAt: Int64
    var erasedAt: Int64?
    var change: Int64

    /// What stays of a customer who was erased: that there was one, and when.
    func erased(at now: Int64, change: Int64) -> CustomerRow {
        CustomerRow(
            subject: subject, version: version &+ 1, unit: unit, reference: nil, addresses: [], clear: [], sealed: [], createdAt: createdAt,
            changedAt: now, erasedAt: now, change: change)
    }

    /// In the order of the columns, the tag last.
    func values(_ tags: CustomerTags) -> [SQLValue] {
        var packed: [UInt8] = []
        packed.reserveCapacity(addresses.count * CustomerAddress.octets)
        for one in addresses {
            packed.append(one.number)
            packed.append(one.kind.rawValue)
            withUnsafeBytes(of: one.hash.bigEndian) { packed.append(contentsOf: $0) }
        }
        var values: [SQLValue] = [
            .number(subject), .number(version), .number(unit), reference.map { .hash($0) } ?? .null, .bytes(packed), .bytes(clear),
            .bytes(sealed), .integer(createdAt), .integer(changedAt), .number(erasedAt), .integer(change),
        ]
        values.append(.bytes(tags.customer.bytes(values)))
        return values
    }

    /// - Throws: `.tampered` when the row is not as it was written.
    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        let subject = try row.integer("subject", as: SubjectNumber.self)
        _ = try tags.customer.checked(row, noun: "customer", key: "\(subject)")
        let packed = try row.bytes("addresses")
        let addresses = CustomerRow.addresses(packed)
        guard addresses.count == packed.count / CustomerAddress.octets else {
            throw DeskFault.broken("customer \(subject): kind of an address")
        }
        self.init(
            subject: subject, version: try row.integer("version", as: UInt32.self), unit: try row.integer("unit", as: UInt16.self),
            reference: try row.optionalInteger("reference").map { UInt64(bitPattern: $0) }, addresses: addresses,
            clear: try row.bytes("clear"), sealed: try row.bytes("sealed"), createdAt: try row.integer("created_at"),
            changedAt: try row.integer("changed_at"), erasedAt: try row.optionalInteger("erased_at"), change: try row.integer("change"))
    }

    /// Those that have a kind.
    static func addresses(_ packed: [UInt8]) -> [CustomerAddress] {
        stride(from: 0, to: packed.count - CustomerAddress.octets + 1, by: CustomerAddress.octets).compactMap { start in
            guard let kind = AddressKind(rawValue: packed[start + 1]) else { return nil }
            let hash = packed[start + 2..<start + CustomerAddress.octets].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return CustomerAddress(number: packed[start], kind: kind, hash: hash)
        }
    }

    init(
        subject: SubjectNumber, version: UInt32, unit: UInt16, reference: UInt64?, addresses: [CustomerAddress], clear: [UInt8],
        sealed: [UInt8], createdAt: Int64, changedAt: Int64, erasedAt: Int64? = nil, change: Int64
    ) {
        self.subject = subject
        self.version = version
        self.unit = unit
        self.reference = reference
        self.addresses = addresses
        self.clear = clear
        self.sealed = sealed
        self.createdAt = createdAt
        self.changedAt = changedAt
        self.erasedAt = erasedAt
        self.change = change
    }

    /// As the node keeps it; nil: erased.
    var image: CustomerImage? {
        guard erasedAt == nil, let reference else { return nil }
        return CustomerImage(
            subject: subject, reference: reference, addresses: addresses.map { AddressHash(number: $0.number, hash: $0.hash) },
            clear: clear,
            sealed: sealed)
    }
}

extension SQLValue {
    /// A keyed hash: the same 64 bits, as a database's integer.
    static func hash(_ hash: UInt64) -> SQLValue { .integer(Int64(bitPattern: hash)) }
}

/// A customer with what is personal, opened.
struct OpenedCustomer: Sendable {
    var row: CustomerRow
    var customer: Customer
    var details: CustomerDetails
}

extension CustomerVault {
    /// - Throws: `.notFound` when the customer was erased, `.tampered` or `.broken` when the parts do not open.
    func opened(_ row: CustomerRow) throws -> OpenedCustomer {
        guard row.erasedAt == nil else { throw DeskFault.notFound(noun: "customer", key: "\(row.subject)") }
        do {
            let customer = try row.clear.withUnsafeBytes { try Customer(subject: row.subject, reading: $0) }
            let plain = try open(row.sealed, .details(of: row.subject), subject: row.subject)
            return OpenedCustomer(row: row, customer: customer, details: try plain.withUnsafeBytes { try CustomerDetails(reading: $0) })
        } catch let fault as CustomerFault {
            throw DeskFault.broken("customer \(row.subject): \(fault)")
        }
    }

    /// - Throws: `.notFound` when the subject's key was destroyed, `.tampered` when it is another text, `.broken` when the key is damaged.
    func open(_ sealed: [UInt8], _ context: SealContext, subject: SubjectNumber) throws -> [UInt8] {
        let key = try key(subject)
        do {
            return try Sealer.open(sealed, context: context, key: key)
        } catch {
            throw DeskFault.tampered(noun: "customer", key: "\(subject)")
        }
    }

    func key(_ subject: SubjectNumber) throws -> SubjectKey {
        switch subjects.key(subject) {
        case .key(let key): return key
        case .erased: throw DeskFault.notFound(noun: "customer", key: "\(subject)")
        case .unknown, .damaged: throw DeskFault.broken("the key of customer \(subject) is damaged; restore the keys from their backup")
        }
    }
}
