import Guard
import MartletModel
import MartletStore
import SQL

/// By which way a package was connected or disconnected. Raw values are in rows: never change one.
public enum PackageWay: UInt8, CaseIterable, Sendable {
    case api = 1
    case file = 2
    /// The customer, through the bank's app or pages.
    case app = 3
    /// The customer, by a message from a handset.
    case handset = 4

    /// The word used in the API.
    public var word: String {
        switch self {
        case .api: "api"
        case .file: "file"
        case .app: "app"
        case .handset: "handset"
        }
    }
}

/// What became of a package. Raw values are in rows: never change one.
enum PackageAct: UInt8, Sendable {
    case connected = 1
    /// Its days, thresholds or channels, or whether it is paused.
    case changed = 2
    case disconnected = 3

    var word: String {
        switch self {
        case .connected: "connected"
        case .changed: "changed"
        case .disconnected: "disconnected"
        }
    }
}

/// What a package is connected for.
enum PackageScopeKind: CaseIterable, Sendable {
    /// All accounts and cards.
    case all
    case account
    case card

    init(_ scope: PackageSubscription.Scope?) {
        switch scope {
        case nil: self = .all
        case .account: self = .account
        case .card: self = .card
        }
    }
}

/// A package as customers connect it: for all accounts and cards, or for one. Each stands once with a customer.
struct PackagePlace: Hashable, Sendable {
    var package: UInt16
    var scope: PackageSubscription.Scope?

    init(_ one: PackageSubscription) { (package, scope) = (one.package, one.scope) }
}

/// A row of the history of a customer's packages.
struct PackageRow: Equatable, Sendable {
    var subject: SubjectNumber
    /// The number of the change that it came with, and its place in it: rises for each customer.
    var number: Int64
    var act: PackageAct
    /// Wall milliseconds.
    var at: Int64
    /// Who did it.
    var source: String
    var way: UInt8
    /// As it is from then on; of a disconnected one as it was.
    var terms: PackageSubscription
    private var bytes: [UInt8]

    /// What differs between two states of a customer, in the order of the new one, then what is gone.
    static func differences(
        from old: [PackageSubscription], to new: [PackageSubscription]
    ) -> [(act: PackageAct, terms: PackageSubscription)] {
        var found: [(act: PackageAct, terms: PackageSubscription)] = []
        for one in new {
            guard let before = old.first(where: { PackagePlace($0) == PackagePlace(one) }) else {
                found.append((.connected, one))
                continue
            }
            if before != one { found.append((.changed, one)) }
        }
        for one in old where !new.contains(where: { PackagePlace($0) == PackagePlace(one) }) { found.append((.disconnected, one)) }
        return found
    }

    func values(_ tags: CustomerTags) -> [SQLValue] {
        let (kind, hash): (UInt8, SQLValue) =
            switch terms.scope {
            case nil: (0, .null)
            case .account(let hash): (1, .hash(hash))
            case .card(let hash): (2, .hash(hash))
            }
        var values: [SQLValue] = [
            .number(subject), .integer(number), .number(terms.package), .number(kind), hash, .number(act.rawValue), .integer(at),
            .text(source), .number(way), .bytes(bytes),
        ]
        values.append(.bytes(tags.package.bytes(values)))
        return values
    }

    /// - Throws: `CustomerFault`: it has more thresholds than a record holds.
    init(
        _ act: PackageAct, _ terms: PackageSubscription, of subject: SubjectNumber, number: Int64, _ circumstances: WritingCircumstances
    ) throws(CustomerFault) {
        bytes = try terms.bytes()
        self.subject = subject
        self.number = number
        self.act = act
        at = circumstances.now
        source = circumstances.source
        way = circumstances.way.rawValue
        self.terms = terms
    }

    /// - Throws: `.tampered` when the row is not as it was written.
    init(_ row: SQLRow, _ tags: CustomerTags) throws {
        subject = try row.integer("subject", as: SubjectNumber.self)
        number = try row.integer("number")
        let key = "\(subject)/\(number)"
        _ = try tags.package.checked(row, noun: "package of customer", key: key)
        guard let act = PackageAct(rawValue: try row.integer("act", as: UInt8.self)) else {
            throw DeskFault.broken("package of customer \(key): an act that this version does not know; install the newer one")
        }
        self.act = act
        at = try row.integer("at")
        source = try row.text("source")
        way = try row.integer("way", as: UInt8.self)
        bytes = try row.bytes("terms")
        do {
            terms = try bytes.withUnsafeBytes { try PackageSubscription(reading: $0) }
        } catch let fault as CustomerFault {
            throw DeskFault.broken("package of customer \(key): \(fault)")
        }
    }

    /// Every row of a customer in the order they were written, read in stretches.
    static func each(
        of subject: SubjectNumber, _ tags: CustomerTags, _ session: SQLSession, _ take: (PackageRow) throws -> Void
    ) throws {
        var after: Int64 = 0
        while true {
            let rows = try session.rows(PackageStatements.page, [.number(subject), .integer(after), .number(500)])
            for row in rows {
                let row = try PackageRow(row, tags)
                try take(row)
                after = row.number
            }
            if rows.count < 500 { return }
        }
    }
}
