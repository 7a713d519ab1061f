import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// Rows of what was accepted and received: whose it is, of which class, with which text.
@Suite("Desk: tags of what was accepted and received") struct HistoryOriginTests {
    private static let columns: [(table: String, change: String)] = [
        ("notification", "source = 8"), ("notification", "class = 5"), ("notification", "received_at = received_at - 1024"),
        ("notification", "deadline = deadline + 64"), ("notification", "key_id = 1"), ("notification", "mac = mac + 1"),
        ("notification", "mac = NULL"), ("message", "channel = 2"), ("message", "parts = 3"), ("message", "key_id = key_id + 1"),
        ("message", "key_id = 77"), ("message", "sealed = x'00'"), ("message", "key_id = 0"), ("message", "sealed = x''"),
        ("message", "mac = x'00000000000000000000000000000000'"), ("message", "mac = NULL"), ("inbound", "source = 8"),
        ("inbound", "route = 2"), ("inbound", "received_at = received_at + 1"), ("inbound", "parts = 2"), ("inbound", "missing = 1"),
        ("inbound", "in_reply_to = id"), ("inbound", "key_id = key_id + 1"), ("inbound", "sealed = x'00'"), ("inbound", "mac = NULL"),
    ]

    @Test(
        "A row of what was accepted or received that somebody changed is named by search, story and check, and nothing of it is shown",
        arguments: SQLStore.Engine.allCases)
    func damaged(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let sent = HistoryRig.Message(minutesAgo: 5)
            var received = HistoryRig.Message(minutesAgo: 4, number: 2)
            (received.isInbound, received.state, received.outcomes) = (true, .received, [])
            try await rig.put([sent, received])
            #expect(try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings.filter { !$0.hasPrefix("the audit") } == [])
            let both = ["phone": "+447700900123", "reveal": "true"]
            #expect(try await rig.history.search(rig.wish(both), by: HistoryRig.boris).items.map(\.damaged) == [[], []])
            for (table, change) in HistoryOriginTests.columns {
                let id = table == "inbound" ? received.id : sent.id
                try await rig.tamper("CREATE TABLE kept AS SELECT * FROM \(table)")
                // SQLite writes bytes as x'..', PostgreSQL as '\x..'.
                let words = engine == .sqlite ? change : change.replacing("x'", with: "'\\x")
                try await rig.tamper("UPDATE \(table) SET \(words)")
                let items = try await rig.history.search(rig.wish(both), by: HistoryRig.boris).items
                let item = try #require(items.first { $0.id == id }, "\(table) \(change)")
                #expect(items.count == 2 && item.damaged == [table], "\(change)")
                #expect(item.text == nil && item.reference == nil && !item.number.hasPrefix("+447700900"), "\(change)")
                switch table {
                case "notification": #expect(item.source.isEmpty && item.messageClass == nil && item.state == .delivered, "\(change)")
                case "message": #expect(item.parts == 0 && item.channel == nil && item.content == .damaged, "\(change)")
                default:
                    #expect(item.source.isEmpty && item.group.isEmpty && item.changedAt == nil && item.content == .damaged, "\(change)")
                }
                let story = try await rig.history.story(id, reveals: true, by: HistoryRig.boris)
                #expect(story.damaged == [.init(table: table, sequence: nil)] && story.item.text == nil, "\(change)")
                let found = try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings
                #expect(found.contains { $0.hasPrefix("\(table) ") && $0.hasSuffix("not as Martlet wrote it") }, "\(change): \(found)")
                try await rig.tamper("DELETE FROM \(table)")
                let list = (table == "notification" ? EvidenceTable.notifications : table == "message" ? .messages : .inbound).columns
                let columns = (list + ["mac"]).joined(separator: ", ")
                try await rig.tamper("INSERT INTO \(table) (\(columns)) SELECT \(columns) FROM kept")
                try await rig.tamper("DROP TABLE kept")
            }
        }
    }

    @Test("The code of a customer with a key of their own is shown to nobody, whatever class is written into its row")
    func codes() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let subjects = try rig.subjects()
            let key = try subjects.make(1)[0]
            var (code, other) = (HistoryRig.Message(minutesAgo: 5, number: 2), HistoryRig.Message(minutesAgo: 6, number: 3))
            (code.messageClass, code.text) = (.otp, "Your code is 123456")
            (code.sealedFor, other.sealedFor) = (key, key)
            try await rig.put([code, other])
            let history = rig.desk.history(keys: HistoryKeys(rig.keys, subjects: subjects), names: { HistoryRig.names })
            func texts() async throws -> [String?] {
                try await history.search(rig.wish(["reveal": "true"]), by: HistoryRig.boris).items.map(\.text)
            }
            #expect(try await texts() == [nil, "Your card was used"])
            try await rig.tamper("UPDATE notification SET class = 4")
            #expect(try await texts() == [nil, "Your card was used"])
            #expect(try await history.search(rig.wish([:]), by: HistoryRig.anna).items.map(\.damaged) == [["notification"], []])
            #expect(try await history.story(code.id, reveals: true, by: HistoryRig.boris).item.text == nil)
            // Nor without its tag, wherever an earlier version could have written it.
            try await rig.tamper("UPDATE notification SET mac = NULL")
            #expect(try await texts() == [nil, nil])
            try await rig.noteUntagged()
            let items = try await history.search(rig.wish(["reveal": "true"]), by: HistoryRig.boris).items
            #expect(items.map(\.text) == [nil, nil] && items.allSatisfy { $0.isUntagged && !$0.isTampered && $0.number == "+44•••••0123" })
        }
    }

    @Test("A message whose row was given to another source is not there for that one's unit; who sees all sees the damage")
    func units() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let foreign = HistoryRig.Message(minutesAgo: 6, number: 3)
            try await rig.put([foreign])
            try await rig.tamper("UPDATE notification SET source = 8")
            try await rig.tamper("UPDATE lookup SET hash = 8 WHERE kind = 5")
            var caller = HistoryRig.anna
            caller.unit = 5
            for fields in [[:], ["source": "loans"], ["phone": "+447700900123"], ["id": foreign.id.text]] {
                #expect(try await rig.all(fields, by: caller).ids.isEmpty)
                #expect(try await rig.history.search(rig.wish(fields), by: HistoryRig.anna).items.map(\.damaged) == [["notification"]])
            }
            await #expect(throws: DeskFault.notFound(noun: "message", key: foreign.id.text)) {
                _ = try await rig.history.story(foreign.id, by: caller)
            }
        }
    }

    @Test(
        "What is forgotten, by time or with a customer, keeps its tag; any other change of it is damage",
        arguments: SQLStore.Engine.allCases)
    func forgotten(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            var (sent, received) = (HistoryRig.Message(minutesAgo: 60 * 24 * 9), HistoryRig.Message(minutesAgo: 60 * 24 * 8, number: 2))
            (sent.messageClass, received.isInbound, received.state, received.outcomes) = (.service, true, .received, [])
            try await rig.put([sent, received])
            let day: Int64 = 86_400_000
            let report = try await HistoryRetention(
                rig.desk, rules: [.init(messageClass: .service, text: day, addresses: 300 * day, rows: 300 * day)], reached: { .max }
            ).run()
            #expect(report.texts == 1)
            // As erasure does it.
            let range: [SQLValue] = [.bytes(sent.id.bytes), .bytes(sent.id.with(ordinal: 255).bytes)]
            #expect(try await rig.store.transaction { try $0.run(HistoryStatements.dropText, range + [.bytes([])]) } == 1)
            let both = ["phone": "+447700900123"]
            let items = try await rig.history.search(rig.wish(both), by: HistoryRig.anna).items
            #expect(items.map(\.content) == [.erased, .erased] && items.allSatisfy { !$0.isTampered && $0.parts == 1 })
            try await rig.tamper("UPDATE message SET parts = 2")
            try await rig.tamper("UPDATE inbound SET parts = 2")
            let changed = try await rig.history.search(rig.wish(both), by: HistoryRig.anna).items
            #expect(changed.map(\.damaged) == [["inbound"], ["message"]])
        }
    }

    @Test("Up to which message rows may lack a tag is noted once, and no later one is believed", arguments: SQLStore.Engine.allCases)
    func noted(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let (old, new) = (HistoryRig.Message(minutesAgo: 9), HistoryRig.Message(minutesAgo: 5, number: 2))
            try await rig.put([old])
            try await rig.noteUntagged()
            try await rig.put([new])
            try await rig.tamper("UPDATE notification SET mac = NULL")
            func standings() async throws -> [String] {
                try await rig.history.search(rig.wish([:]), by: HistoryRig.anna).items.map {
                    $0.isTampered ? "damaged" : $0.isUntagged ? "untagged" : "sound"
                }
            }
            #expect(try await standings() == ["damaged", "untagged"])
            let report = try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run()
            #expect(report.untagged == 1)
            // Another message in its place, or none, and the desk begun anew.
            try await rig.tamper(
                "UPDATE meta SET value = replace(value, '\(old.id.text)', '\(new.id.text)') WHERE name = 'history.untagged'")
            #expect(try await standings() == ["damaged", "damaged"])
            try await rig.tamper("DELETE FROM meta WHERE name = 'history.untagged'")
            try await rig.noteUntagged()
            #expect(try await standings() == ["damaged", "damaged"])
            let entries = try await rig.store.read { try $0.rows(StoreStatementsForTests.audit, [.integer(100), .number(10)]) }
            #expect(try entries.map { try $0.text("act") } == ["history.tagged"])
            #expect(try entries[0].text("outcome") == "rows up to message \(old.id.text) may lack a tag")
        }
    }
}
