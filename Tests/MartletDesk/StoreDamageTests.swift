import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: damage of the store") struct StoreDamageTests {
    private static let anna = CustomerRig.anna

    /// A row or more in each table about customers, in principals, in what was accepted and where it stands, and in the audit. Keys of rows as in production: one for all.
    private static func with(_ engine: SQLStore.Engine, _ body: (CustomerRig, Secret) async throws -> Void) async throws {
        try await CustomerRig.with(engine) { rig in
            let key = try KeyStore(
                directory: "\(rig.folder)/keys", master: MasterKey.load(from: "\(rig.folder)/master.key"), access: .reader
            ).rowKey
            try await rig.store.transaction { _ = try $0.run(StoreStatements.metaOnce, [.text("installation"), .text("test")]) }
            for number in 0..<10 {
                var wish = CustomerRig.wish("40-118-\(220 + number)")
                wish.contacts = [.init(kind: "phone", value: "+44 7700 900\(100 + number)")]
                let id = try await rig.customers.add(wish, by: anna).id
                _ = try await rig.customers.enter(
                    ConsentStatement(
                        purpose: 4, channel: .sms, state: .given, at: 2_000_000, way: .branch, textVersion: "v3", proof: "form \(number)"),
                    of: id, by: anna)
                _ = try await rig.customers.enter(ContactElsewhere(at: 2000, kind: "branch", unit: 7, summary: "a loan"), of: id, by: anna)
            }
            let desk = Desk(store: rig.store, chain: "martlet-test") { CustomerRig.now }
            for name in ["a", "b", "c"] {
                _ = try await Principals(desk, rowKey: key).add(.init(name: name, rights: [.readHistory], unit: nil), by: anna)
            }
            let months = [HistoryMonth(of: CustomerRig.now / 1000)]
            try await rig.store.transaction { session in
                for month in months { try month.ensure(session, engine) }
                var states = SQLBatch(table: "state", columns: StateRow.columns + ["mac"])
                let tags = EvidenceTags(key)
                var (accepted, texts) = (EvidenceTable.notifications.batch, EvidenceTable.messages.batch)
                for number in 0..<300 {
                    let id = MessageID(
                        milliseconds: CustomerRig.now / 1000 + Int64(number), partition: 1, random: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
                    let row = StateRow(
                        id: id, sequence: Int64(number), state: 4, reason: 0, flags: 3, route: 1, attempts: 1, changedAt: CustomerRig.now)
                    states.append(row.values(StateRow.tags(key)))
                    accepted.append(
                        .bytes(id.bytes), .number(7), .number(4), .integer(id.milliseconds), .integer(id.milliseconds + 60_000), .number(0))
                    texts.append(.bytes(id.with(ordinal: 1).bytes), .number(1), .number(1), .number(9), .bytes(id.bytes + id.bytes))
                }
                try session.bulk(states)
                try session.bulk(EvidenceTable.notifications.tagged(accepted, tags.notifications))
                try session.bulk(EvidenceTable.messages.tagged(texts, tags.messages))
            }
            try await body(rig, key)
        }
    }

    private static func findings(_ store: SQLStore, _ key: Secret) async throws -> [String] {
        try await StoreDamage(store, rowKey: key).run().findings
    }

    @Test(
        "A store as Martlet wrote it is sound; what a hand changes in a row of any kind is named by table and key",
        arguments: SQLStore.Engine.allCases)
    func hands(engine: SQLStore.Engine) async throws {
        try await StoreDamageTests.with(engine) { rig, key in
            let sound = try await StoreDamage(rig.store, rowKey: key).run()
            #expect(sound.isSound && sound.findings.isEmpty)
            #expect(sound.rows >= 10 * 4 + 3 * 300 + 3 && sound.entries >= 33)
            let changes = [
                ("UPDATE principal SET rights = 'keys.write' WHERE name = 'b'", "principal 2: not as Martlet wrote it"),
                ("UPDATE customer SET unit = unit + 1 WHERE subject = 7", "customer 7: not as Martlet wrote it"),
                ("UPDATE consent SET state = 2 WHERE subject = 8", "consent 8/"),
                ("UPDATE customer_package SET way = 3 WHERE subject = 6", "customer_package 6/"),
                ("UPDATE contact SET kind = 3 WHERE subject = 9", "contact 9/"),
                ("UPDATE state SET state = 5 WHERE sequence = 12", "state "),
                ("UPDATE notification SET class = 5 WHERE id = (SELECT id FROM notification ORDER BY id LIMIT 1)", "notification "),
                ("UPDATE message SET channel = 2 WHERE id = (SELECT id FROM message ORDER BY id DESC LIMIT 1)", "message "),
                (
                    "INSERT INTO set_aside (subject, number, noticed_at, mac) SELECT 3, 0, 5, mac FROM customer WHERE subject = 3",
                    "set_aside 3/0: not as Martlet wrote it"
                ),
                (
                    "INSERT INTO lookup_part (slot, part, first_id) SELECT 17, 1, id FROM state WHERE sequence = 3",
                    "lookup_part 17/1: not as Martlet wrote it"
                ),
                ("DELETE FROM customer_address WHERE subject = 10", "customer_address: it is not what the customers' rows say"),
                ("UPDATE audit SET outcome = 'refused' WHERE sequence = 20", "audit: "),
            ]
            for (index, (sql, _)) in changes.enumerated() {
                try await rig.change(sql)
                let found = try await StoreDamageTests.findings(rig.store, key)
                // Each was found, and those before it still are.
                #expect(found.count > index, "\(sql): \(found)")
                for (_, words) in changes[...index] { #expect(found.contains { $0.hasPrefix(words) }, "\(words): \(found)") }
            }
        }
    }

    /// What anybody believes: rows with tags whose tag is not looked at here, and the audit.
    private static func believed(_ store: SQLStore) async throws -> [String: [[SQLValue]]] {
        var all: [String: [[SQLValue]]] = [:]
        for table in TaggedTables.all {
            all[table.name] = try await store.read { try $0.rows(table.page, table.start + [.number(5000)]).map(\.values) }
        }
        for table in TaggedTables.evidence {
            all[table.name] = try await store.read { try $0.rows(table.page, table.start + [.number(5000)]).map(\.values) }
        }
        all["audit"] = try await store.read { try $0.rows(StoreStatements.auditForward, [.number(0), .number(5000)]).map(\.values) }
        return all
    }

    @Test("Bits flipped in pages of a SQLite file are named, or change nothing that is believed: 60 seeds")
    func flips() async throws {
        try await StoreDamageTests.with(.sqlite) { rig, key in
            let truth = try await StoreDamageTests.believed(rig.store)
            await rig.store.close()
            let whole = try Data(contentsOf: URL(filePath: "\(rig.folder)/history.db"))
            var dice = EngineStream.Dice(state: 20_261_123)
            var (named, harmless) = (0, 0)
            for round in 0..<60 {
                var bytes = whole
                // One bit mostly, sometimes a handful in one page.
                let page = Int.random(in: 0..<bytes.count / 4096, using: &dice)
                for _ in 0..<(round % 4 == 0 ? Int.random(in: 2...9, using: &dice) : 1) {
                    bytes[page * 4096 + Int.random(in: 0..<4096, using: &dice)] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
                }
                let file = "\(rig.folder)/flipped-\(round).db"
                try bytes.write(to: URL(filePath: file))
                let store = SQLStore(.sqlite(file: file), statements: try StoreStatements.all())
                do {
                    let report = try await StoreDamage(store, rowKey: key).run()
                    if report.isSound {
                        #expect(try await StoreDamageTests.believed(store) == truth, "round \(round), page \(page)")
                        harmless += 1
                    } else {
                        named += 1
                    }
                } catch is SQLFault {
                    // The file cannot be opened at all, and says so.
                    named += 1
                }
                await store.close()
                for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + suffix) }
            }
            #expect(named >= 12 && named + harmless == 60, "\(named) named, \(harmless) without effect")
        }
    }
}
