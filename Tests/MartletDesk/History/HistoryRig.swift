import Foundation
import Guard
import MartletModel
import MartletStore
import PostgresServer
import SQL

@testable import MartletDesk

/// A store with a history, keys of its own, and rows as the projector writes them.
final class HistoryRig: Sendable {
    let store: SQLStore
    let keys: KeyStore
    let desk: Desk
    let directory: String

    /// In November 2026, at the start of a quarter of an hour.
    static let now: Int64 = 1_795_399_200_000
    static let names = HistoryNames(sources: [7: "cards", 8: "loans"], groups: [1: "harbour", 2: "north"], units: [5: [8]])
    static let anna = Caller(name: "principal:anna", rights: [.readHistory, .readStatistics])
    static let boris = Caller(name: "principal:boris", rights: [.readHistory, .revealPersonal], reason: "complaint 17")

    private let address: StoreAddress

    /// The same database under other statements.
    func another(_ statements: StatementSet) -> SQLStore { SQLStore(address, statements: statements) }

    private init(_ engine: SQLStore.Engine) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "martlet-history-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let master = try MasterKey.create(at: "\(directory)/master.key")
        keys = try KeyStore(directory: "\(directory)/keys", master: master, access: .owner(create: true))
        switch engine {
        case .sqlite: address = .sqlite(file: "\(directory)/history.db")
        case .postgres:
            let server = try await PostgresServer.shared()
            address = try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
        store = SQLStore(address, statements: try StoreStatements.all())
        desk = Desk(store: store, chain: "test", now: { HistoryRig.now * 1000 })
        try await StoreSchema.migrator().migrate(store, now: 1)
        let months = [-2, -1, 0, 1].map { HistoryMonth(number: HistoryMonth(of: HistoryRig.now).number + $0) }
        try await store.transaction { session in for month in months { try month.ensure(session, engine) } }
    }

    static func with(_ engine: SQLStore.Engine, _ body: (HistoryRig) async throws -> Void) async throws {
        let rig = try await HistoryRig(engine)
        let result: Result<Void, any Error>
        do { result = .success(try await body(rig)) } catch { result = .failure(error) }
        await rig.store.close()
        try? FileManager.default.removeItem(atPath: rig.directory)
        try result.get()
    }

    var history: History { desk.history(keys: HistoryKeys(keys), names: { HistoryRig.names }) }
    var statistics: Statistics { desk.statistics(names: { HistoryRig.names }) }

    /// One message of the history.
    struct Message {
        var id: MessageID
        var source: SourceNumber = 7
        var messageClass = MessageClass.transactional
        var phone = PhoneNumber(digits: 447_700_900_123)
        var reference = ""
        var customer: String?
        var text = "Your card was used"
        var state = MessageState.delivered
        var reason = EndReason.none
        var outcomes: [UInt8] = [1]
        var receipts: [ReceiptState] = []
        var told: ToldOutcome?
        /// Nil: the key of its class and day seals it; with a `customer` its row names a key that is not there.
        var sealedFor: SubjectKey?
        var isInbound = false

        init(minutesAgo: Double, number: UInt64 = 1) {
            id = MessageID(milliseconds: HistoryRig.now - Int64(minutesAgo * 60_000), partition: 3, random: number)
        }
    }

    /// Each customer of a test has a number.
    private static func subject(of customer: String) -> Int64 { Int64(customer.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFFF }) }

    func put(_ messages: [Message]) async throws {
        var known: Set<Int64> = []
        var batches: [String: SQLBatch] = [:]
        func add(_ table: String, _ columns: [String], _ values: [SQLValue]) {
            batches[table, default: SQLBatch(table: table, columns: columns)].append(values)
        }
        let (hashes, tags) = (SearchHashes(keys), StateRow.tags(keys.rowKey))
        var sealer = Sealer()
        for message in messages {
            let id = message.id.bytes
            let payload = Payload(to: message.phone, from: "HARBOUR", reference: message.reference, text: message.text)
            var plain: [UInt8] = []
            payload.append(to: &plain)
            let day = DataKey.day(ofMicroseconds: message.id.milliseconds * 1000)
            let key = try message.sealedFor.map { RecordKey.subject($0) } ?? .day(keys.key(class: message.messageClass.rawValue, day: day))
            var sealed = [UInt8](repeating: 0, count: Sealer.sealedCount(plain.count))
            let context = SealContext(high: message.id.high, low: message.id.low, kind: 1)
            _ = try plain.withUnsafeBytes { plain in
                try sealed.withUnsafeMutableBytes { try sealer.seal(plain, context: context, key: key, into: $0) }
            }
            // By its number alone: what stands there does not open.
            let keyID = message.customer.map { RecordKeyID(subject: SubjectNumber(HistoryRig.subject(of: $0))).rawValue } ?? key.id.rawValue
            let at = message.id.milliseconds
            var entries: [(SearchKind, Int64)] = [(.phone, hashes.phone(message.phone)), (.source, Int64(message.source))]
            if !message.reference.isEmpty { entries.append((.reference, hashes.reference(message.reference))) }
            if let customer = message.customer {
                let (hash, subject) = (hashes.customer(customer), HistoryRig.subject(of: customer))
                entries.append((.customer, subject))
                if known.insert(subject).inserted {
                    add(
                        "customer",
                        [
                            "subject", "version", "unit", "reference", "addresses", "clear", "sealed", "created_at", "changed_at", "change",
                            "mac",
                        ],
                        [
                            .integer(subject), .number(1), .number(0), .integer(hash), .bytes([]), .bytes([]), .bytes([]), .integer(at),
                            .integer(at), .number(1), .bytes([]),
                        ])
                }
            }
            for (kind, hash) in entries {
                add(
                    "lookup", ["slot", "kind", "hash", "id"],
                    [.integer(SearchSlot.of(at)), .number(kind.rawValue), .integer(hash), .bytes(id)])
            }
            if message.isInbound {
                add(
                    "inbound", EvidenceTable.inbound.columns,
                    [
                        .bytes(id), .number(message.source), .number(1), .integer(at + 5), .number(1), .number(0), .null,
                        .number(keyID), .bytes(sealed),
                    ])
            } else {
                add(
                    "notification", EvidenceTable.notifications.columns,
                    [
                        .bytes(id), .number(message.source), .number(message.messageClass.rawValue), .integer(at),
                        .integer(at + 86_400_000),
                        .number(0),
                    ])
                add(
                    "message", EvidenceTable.messages.columns,
                    [.bytes(id), .number(1), .number(1), .number(keyID), .bytes(sealed)])
            }
            for (index, outcome) in message.outcomes.enumerated() {
                let handed = at + Int64(index * 1000)
                add(
                    "attempt", EvidenceTable.attempts.columns,
                    [
                        .bytes(id), .number(index + 2), .number(index + 1), .number(0), .number(outcome), .number(outcome == 4 ? 8 : 0),
                        .integer(handed + 5), .integer(handed + 20), .text("harbour-1"), outcome == 1 ? .text("p\(index)") : .null,
                    ])
            }
            for (index, state) in message.receipts.enumerated() {
                add(
                    "receipt", EvidenceTable.receipts.columns,
                    [
                        .bytes(id), .number(index + 10), .number(0), .number(state.rawValue), .number(state == .delivered ? 0 : 27),
                        .integer(at + 30_000 + Int64(index) * 120_000), .text("p\(message.outcomes.count - 1)"),
                    ])
            }
            let ended = message.state.isEnd ? at + 60_000 : nil
            let row = StateRow(
                id: message.id, sequence: 20, state: message.state.rawValue, reason: message.reason.rawValue, flags: 0, route: 1,
                attempts: Int16(message.outcomes.count), changedAt: at + 60_000, endedAt: ended, told: message.told?.rawValue,
                toldAt: message.told.map { _ in at + 61_000 })
            add("state", StateRow.columns + ["mac"], row.values(tags))
            if [.failed, .expired, .cancelled, .suppressed].contains(message.state) {
                add(
                    "undelivered", ["id", "state", "reason", "source"],
                    [.bytes(id), .number(message.state.rawValue), .number(message.reason.rawValue), .number(message.source)])
            }
        }
        let evidence = EvidenceTags(keys.rowKey)
        let tagged: [(EvidenceTable, RowMAC)] = [
            (.notifications, evidence.notifications), (.messages, evidence.messages), (.inbound, evidence.inbound),
            (.attempts, evidence.attempts), (.receipts, evidence.receipts),
        ]
        for (table, tags) in tagged {
            if let rows = batches[table.name] { batches[table.name] = table.tagged(rows, tags) }
        }
        let all = Array(batches.values)
        try await store.transaction { session in
            for batch in all { try session.bulk(batch, merge: batch.table == "customer" ? SQLMerge(key: ["subject"]) : nil) }
        }
    }

    /// An entry of the search as whoever writes to the database can make it.
    func forge(_ kind: SearchKind, _ hash: Int64, _ id: MessageID) async throws {
        try await store.transaction { session in
            var entry = SQLBatch(table: "lookup", columns: ["slot", "kind", "hash", "id"])
            entry.append(.integer(SearchSlot.of(id.milliseconds)), .number(kind.rawValue), .integer(hash), .bytes(id.bytes))
            try session.bulk(entry)
        }
    }

    /// Rows that were met and not believed, since the last call.
    var damaged: [String] { desk.damage.take().map(\.row) }

    /// What somebody with the database at hand does; text as SQL.
    func tamper(_ sql: String) async throws { try await store.transaction { try $0.define(sql) } }

    /// As if what is there were of before all rows had tags.
    func noteUntagged() async throws { try await desk.noteUntagged(LastUntagged.tags(keys.rowKey)) }

    func wish(_ fields: [String: String], limit: Int = 50, after: Cursor? = nil) throws -> HistoryWish {
        try HistoryWish(fields: fields, page: PageWish(after: after, limit: limit), now: HistoryRig.now)
    }

    /// All pages, and how many there were.
    func all(
        _ fields: [String: String], limit: Int = 50, by caller: Caller = HistoryRig.anna
    ) async throws -> (ids: [MessageID], pages: Int) {
        var (ids, pages): ([MessageID], Int) = ([], 0)
        var after: Cursor?
        var reached = Int64.max
        while true {
            let page = try await history.search(wish(fields, limit: limit, after: after), by: caller)
            ids += page.items.map(\.id)
            pages += 1
            guard page.reached <= reached, pages < 10_000 else { return ([], -1) }
            reached = page.reached
            guard let next = page.next else { return (ids, pages) }
            after = next
        }
    }
}

/// The fields that a call names as wrong; none: it took them, or failed otherwise.
func invalid(_ body: () async throws -> Void) async -> [FieldFault] {
    do {
        try await body()
    } catch {
        if let fault = error as? DeskFault, case .invalid(let faults) = fault { return faults }
    }
    return []
}

extension HistoryRig {
    /// The customers of this store, with keys of their own.
    func customers() throws -> Customers {
        desk.customers(CustomerVault(keys, try subjects()))
    }

    /// Keys of customers, in a folder of their own.
    func subjects() throws -> SubjectKeys {
        let master = try MasterKey.load(from: "\(directory)/master.key", credentials: nil)
        return try SubjectKeys(directory: "\(directory)/keys/subjects", master: master, access: .owner(create: true))
    }

    /// Somebody with the number +447700900123.
    static func customer(_ reference: String) -> CustomerWish {
        var wish = CustomerWish()
        wish.reference = reference
        wish.contacts = [.init(kind: "phone", value: "+447700900123")]
        return wish
    }
}
