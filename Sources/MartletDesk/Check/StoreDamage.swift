public import Guard
import MartletModel
import MartletStore
public import SQL

/// Reads a store through and names what is not as Martlet wrote it. Changes nothing; others go on meanwhile.
///
/// Three kinds of proof: the engine's own (SQLite's check of its file), the tags of rows (every table that has them), and the chain of the
/// audit. What none of them covers is never believed by itself: search entries are proposals that rows confirm, sealed parts open or do not.
public struct StoreDamage: Sendable {
    public struct Report: Sendable {
        /// What is wrong, in words that hold nothing personal.
        public var findings: [String] = []
        /// All of them, of which `findings` keeps the first.
        public var count = 0
        /// Rows whose tags hold, and entries of the audit.
        public var rows = 0
        /// Rows that an earlier version wrote without a tag.
        public var untagged = 0
        public var entries: UInt64 = 0
        public var isSound: Bool { count == 0 }

        mutating func find(_ words: String) {
            count += 1
            if findings.count < Report.most { findings.append(words) }
        }

        private static let most = 1000
    }

    private let store: SQLStore
    private let rowKey: Secret
    private let checkpoints: [String]
    private let keys: [AuditCheckpointKey]
    /// Rows read at once.
    private static let pageRows = 1000

    /// - Parameters:
    ///   - rowKey: of the installation, `KeyStore.rowKey`.
    ///   - checkpoints: of the audit, in the order of their entries, and the keys they may be signed with.
    public init(_ store: SQLStore, rowKey: Secret, checkpoints: [String] = [], keys: [AuditCheckpointKey] = []) {
        self.store = store
        self.rowKey = rowKey
        self.checkpoints = checkpoints
        self.keys = keys
    }

    /// - Throws: `SQLFault` when the database is away; that it is damaged is a finding.
    public func run() async throws -> Report {
        var report = Report()
        try await found("the file", &report) { report in
            for line in try await store.integrity() { report.find("SQLite: \(line)") }
        }
        // Where nobody can say which rows may lack a tag, none may.
        var untagged = LastUntagged.none
        try await found("table meta", &report) { [rowKey] _ in
            untagged = try await store.read { try LastUntagged(LastUntagged.tags(rowKey), $0) }
        }
        var addresses = AddressSum()
        let before = await changes()
        for table in TaggedTables.all {
            try await found("table \(table.name)", &report) { report in
                try await rows(of: table, &report) { if table.name == CustomerStatements.table { addresses.take(customer: $0, table) } }
            }
        }
        try await found("table step", &report) { try await steps(&$0, untagged) }
        for table in TaggedTables.evidence { try await found("table \(table.name)", &report) { try await evidence(table, &$0, untagged) } }
        try await found("table lookup_part", &report) { try await parts(&$0) }
        try await found("table \(CustomerStatements.addressTable)", &report) { report in
            // Only where nobody changed customers meanwhile: the two are read one after the other.
            try await index(&addresses, &report, isQuiet: { await changes() == before })
        }
        try await found("the audit", &report) { report in
            let audit = try await AuditCheck.run(store, checkpoints: checkpoints, keys: keys)
            report.entries = audit.entries
            for finding in audit.findings { report.find("audit: \(finding)") }
            report.count += Int(clamping: audit.findingCount) - audit.findings.count
        }
        return report
    }

    /// A fault that says what is wrong with the content is a finding, and the next part is looked at all the same.
    private func found(_ part: String, _ report: inout Report, _ body: (inout Report) async throws -> Void) async throws {
        do {
            try await body(&report)
        } catch {
            let fault: any Error = if case DeskFault.store(let inner) = error { inner } else { error }
            switch fault {
            case SQLFault.corrupt, SQLFault.row, SQLFault.disk, SQLFault.refused, is DeskFault: report.find("\(part): \(fault)")
            default: throw fault
            }
        }
    }

    private func rows(of table: TaggedTable, _ report: inout Report, _ take: (SQLRow) -> Void) async throws {
        let tags = RowMAC(key: rowKey, table: table.name, columns: table.columns)
        try await pages(table.page, from: table.start, key: table.key.count, table.name, &report) { row, report in
            take(row)
            let values = row.values.dropLast()
            if case .bytes(let tag)? = row.values.last, tags.tag(values.map { RowValue($0) }).matches(tag) {
                report.rows += 1
            } else {
                report.find("\(table.name) \(StoreDamage.name(row, table.key)): not as Martlet wrote it")
            }
        }
    }

    /// What happened in between, whose tags stand behind the records.
    private func steps(_ report: inout Report, _ untagged: LastUntagged) async throws {
        let tags = StepRow.tags(rowKey)
        try await pages(TaggedTables.steps, from: [.bytes([]), .integer(.min)], key: 2, "step", &report) { row, report in
            guard let step = try? StepRow(row, tags, untagged) else {
                return report.find("step \(StoreDamage.name(row, ["id", "sequence"])): not as Martlet wrote it")
            }
            if step.isTagged { report.rows += 1 } else { report.untagged += 1 }
        }
    }

    /// Where parts of search entries begin: no tags, but an order that damage breaks.
    private func parts(_ report: inout Report) async throws {
        var (slot, firsts): (Int64, [MessageID]) = (.min, [])
        try await pages(TaggedTables.parts, from: [.integer(.min), .integer(.min)], key: 2, "lookup_part", &report) { row, report in
            let next = try? row.integer("slot")
            if next != slot { (slot, firsts) = (next ?? .min, []) }
            guard let first = try? SearchPartStarts.follows(row, firsts, slot) else {
                return report.find("lookup_part \(StoreDamage.name(row, ["slot", "part"])): not as Martlet wrote it")
            }
            firsts.append(first)
        }
    }

    private func evidence(_ table: EvidenceTable, _ report: inout Report, _ untagged: LastUntagged) async throws {
        let tags = table.tags(rowKey)
        try await pages(table.page, from: table.start, key: table.key.count, table.name, &report) { row, report in
            switch table.standing(of: row, tags, untagged) {
            case .sound: report.rows += 1
            case .untagged: report.untagged += 1
            case .damaged: report.find("\(table.name) \(StoreDamage.name(row, table.key)): not as Martlet wrote it")
            }
        }
    }

    /// All rows in the order of their keys. A tree in disorder ends it with a finding: its pages could lead round for ever.
    private func pages(
        _ statement: StatementID, from start: [SQLValue], key: Int, _ name: String, _ report: inout Report,
        _ take: (SQLRow, inout Report) -> Void
    ) async throws {
        var after = start
        while true {
            let from = after
            let page = try await store.read { try $0.rows(statement, from + [.number(StoreDamage.pageRows)]) }
            for row in page {
                let next = keyOf(row, key)
                guard isBefore(after, next) else { return report.find("\(name): rows are not in the order of their keys") }
                after = next
                take(row, &report)
            }
            if page.count < StoreDamage.pageRows { return }
        }
    }

    private func keyOf(_ row: SQLRow, _ count: Int) -> [SQLValue] { Array(row.values.prefix(count)) }

    private func isBefore(_ one: [SQLValue], _ other: [SQLValue]) -> Bool {
        for (a, b) in zip(one, other) {
            switch (a, b) {
            case (.integer(let a), .integer(let b)): if a != b { return a < b }
            // In which order texts are is the server's to say.
            case (.text(let a), .text(let b)): if a != b { return store.engine == .postgres || a.utf8.lexicographicallyPrecedes(b.utf8) }
            case (.bytes(let a), .bytes(let b)): if a != b { return a.lexicographicallyPrecedes(b) }
            default: return false
            }
        }
        return false
    }

    private static func name(_ row: SQLRow, _ key: [String]) -> String {
        key.map { column in
            guard let place = row.columns.firstIndex(of: column) else { return "?" }
            switch row.values[place] {
            case .integer(let number): return String(number)
            case .bytes(let bytes): return MessageID(bytes: bytes)?.text ?? "of \(bytes.count) bytes"
            case .text(let text): return text
            case .null: return "?"
            }
        }.joined(separator: "/")
    }

    // MARK: The index of addresses

    /// A sum over addresses that does not depend on their order: over the customers' rows, less the index.
    private struct AddressSum {
        private(set) var sum: UInt64 = 0

        mutating func take(customer row: SQLRow, _ table: TaggedTable) {
            guard case .integer(let subject)? = row.values.first, let place = table.columns.firstIndex(of: "addresses"),
                case .bytes(let packed) = row.values[place]
            else { return }
            for start in stride(from: 0, to: packed.count - CustomerAddress.octets + 1, by: CustomerAddress.octets) {
                let hash = packed[start + 2..<start + CustomerAddress.octets].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                sum &+= AddressSum.mixed(UInt64(packed[start + 1]), hash, UInt64(bitPattern: subject), UInt64(packed[start]))
            }
        }

        mutating func take(index row: SQLRow) {
            let numbers = row.values.map { if case .integer(let number) = $0 { UInt64(bitPattern: number) } else { UInt64.max } }
            sum &-= AddressSum.mixed(numbers[0], numbers[1], numbers[2], numbers[3])
        }

        private static func mixed(_ numbers: UInt64...) -> UInt64 {
            var state: UInt64 = 0x9E37_79B9_7F4A_7C15
            for number in numbers {
                state = (state ^ number) &* 0xBF58_476D_1CE4_E5B9
                state = (state ^ state >> 29) &* 0x94D0_49BB_1331_11EB
                state ^= state >> 32
            }
            return state
        }
    }

    /// The newest number of a change of customers; nil: that cannot be read.
    private func changes() async -> Int64? {
        try? await store.read { try $0.row(CustomerStatements.newestChange)?.integer("number") }
    }

    private func index(_ sum: inout AddressSum, _ report: inout Report, isQuiet: () async -> Bool) async throws {
        let start = [SQLValue](repeating: .integer(.min), count: 4)
        var read = sum
        try await pages(TaggedTables.addresses, from: start, key: 4, CustomerStatements.addressTable, &report) { row, _ in
            read.take(index: row)
        }
        if read.sum != 0, await isQuiet() {
            report.find("\(CustomerStatements.addressTable): it is not what the customers' rows say")
        }
        sum = read
    }
}
