import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

enum StoreStatementsForTests { static let audit = StoreStatements.audit }

@Suite("Desk: stories")
struct HistoryStoryTests {
    @Test(
        "A story holds attempts, receipts, the end and who was told, in the order in which they happened",
        arguments: SQLStore.Engine.allCases)
    func whole(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            var message = HistoryRig.Message(minutesAgo: 30)
            message.outcomes = [2, 1]
            message.receipts = [.enroute, .undeliverable]
            (message.state, message.reason, message.told) = (.failed, .undeliverable, .heard)
            try await rig.put([message])
            let story = try await rig.history.story(message.id.with(ordinal: 1), by: HistoryRig.anna)
            #expect(story.attempts.map(\.state) == [.queued, .sent])
            #expect(story.attempts.last?.receipts.map(\.state) == [.enroute])
            #expect(
                story.hops.map { "\($0.hop): \($0.what)" } == [
                    "accept: request read", "accept: accepted", "send: submitted", "send: answer: throttled", "send: submitted",
                    "send: answer: accepted", "track: receipt ENROUTE", "end: failed", "tell: source: heard", "track: late receipt UNDELIV",
                ])
            #expect(story.told == .heard && story.deadline == message.id.milliseconds + 86_400_000)
            #expect(story.failedHop == .handset)
            #expect(story.hops.first { $0.hop == "end" }?.details.map { $0.1 } == ["undeliverable", "handset"])
            #expect(story.item.number == "+44•••••0123" && story.item.text == nil)
            let unknown = MessageID(milliseconds: HistoryRig.now, partition: 1, random: 5)
            await #expect(throws: DeskFault.notFound(noun: "message", key: unknown.text)) {
                _ = try await rig.history.story(unknown, by: HistoryRig.anna)
            }
        }
    }

    @Test("A receipt before the end marks its attempt, and the first final one stays")
    func receipts() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var message = HistoryRig.Message(minutesAgo: 30)
            message.receipts = [.delivered]
            try await rig.put([message])
            let story = try await rig.history.story(message.id, by: HistoryRig.anna)
            #expect(story.attempts.map(\.state) == [.delivered] && story.attempts[0].receipts.map(\.state) == [.delivered])
            #expect(story.failedHop == nil && story.item.endedAt == message.id.milliseconds + 60_000)
        }
    }

    @Test("Rows of attempts and receipts that cannot be read are named, and the rest is told", arguments: SQLStore.Engine.allCases)
    func unreadable(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            var message = HistoryRig.Message(minutesAgo: 30)
            (message.outcomes, message.receipts) = ([2, 1], [.enroute, .delivered])
            try await rig.put([message])
            try await rig.tamper("UPDATE attempt SET outcome = 900 WHERE sequence = 2")
            try await rig.tamper("UPDATE receipt SET state = 99 WHERE sequence = 10")
            try await rig.tamper("UPDATE receipt SET part = -9, error = -1 WHERE sequence = 11")
            let story = try await rig.history.story(message.id, by: HistoryRig.anna)
            #expect(story.damaged.map { "\($0.table) \($0.sequence ?? 0)" } == ["attempt 2", "receipt 10", "receipt 11"])
            #expect(story.attempts.map(\.state) == [.sent] && story.attempts[0].receipts.map(\.state) == [nil])
            #expect(
                story.hops.map { "\($0.hop): \($0.what)" } == [
                    "accept: request read", "accept: accepted", "send: submitted", "send: answer: accepted", "end: delivered",
                ])
        }
    }

    @Test(
        "What a receipt or an attempt says is believed with its tag alone; one of an earlier version says that it has none",
        arguments: SQLStore.Engine.allCases)
    func changed(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            var message = HistoryRig.Message(minutesAgo: 30)
            message.receipts = [.delivered]
            try await rig.put([message])
            let whole = try await rig.history.story(message.id, by: HistoryRig.anna)
            #expect(whole.damaged.isEmpty && whole.attempts.map(\.state) == [.delivered])
            // Each value is one that its column may have.
            for change in [
                "attempt SET outcome = outcome + 1", "attempt SET part = 1", "attempt SET status = 4",
                "attempt SET handed_at = handed_at + 64",
                "attempt SET connection = 'harbour-2'", "attempt SET provider_id = 'p1'", "attempt SET mac = mac + 1",
                "receipt SET state = 5 WHERE sequence = 10", "receipt SET error = 1 WHERE sequence = 10",
                "receipt SET provider_id = 'p4' WHERE sequence = 10", "receipt SET heard_at = heard_at - 1024 WHERE sequence = 10",
            ] {
                let table = String(change.prefix { $0 != " " })
                let sequence = table == "attempt" ? 2 : 10
                let columns = (table == "attempt" ? EvidenceTable.attempts : .receipts).columns + ["mac"]
                try await rig.tamper("CREATE TABLE kept AS SELECT * FROM \(table) WHERE sequence = \(sequence)")
                try await rig.tamper("UPDATE \(change)")
                let story = try await rig.history.story(message.id, by: HistoryRig.anna)
                #expect(story.damaged == [.init(table: table, sequence: Int64(sequence))], "\(change)")
                #expect(story.hops.count < whole.hops.count, "\(change)")
                let found = try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings
                #expect(
                    found.contains { $0.hasPrefix("\(table) ") && $0.hasSuffix("/\(sequence): not as Martlet wrote it") },
                    "\(change): \(found)")
                try await rig.tamper("DELETE FROM \(table) WHERE sequence = \(sequence)")
                let list = columns.joined(separator: ", ")
                try await rig.tamper("INSERT INTO \(table) (\(list)) SELECT \(list) FROM kept")
                try await rig.tamper("DROP TABLE kept")
            }
            try await rig.tamper("UPDATE attempt SET mac = NULL")
            try await rig.tamper("UPDATE receipt SET mac = NULL WHERE sequence = 10")
            // Since all rows have tags, one without was changed; of what was there before, nobody can say.
            #expect(try await rig.history.story(message.id, by: HistoryRig.anna).damaged.map(\.table) == ["attempt", "receipt"])
            try await rig.noteUntagged()
            let old = try await rig.history.story(message.id, by: HistoryRig.anna)
            #expect(old.damaged.isEmpty && old.attempts.map(\.state) == [.delivered])
            let untagged = old.hops.filter { $0.details.contains { $0 == ("untagged", "true") } }
            #expect(untagged.map(\.what) == ["submitted", "answer: accepted", "receipt DELIVRD"])
            #expect(try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().untagged == 2)
        }
    }

    @Test("A moment that a flipped bit threw beyond all time ends no story")
    func moments() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var (sent, received) = (HistoryRig.Message(minutesAgo: 30), HistoryRig.Message(minutesAgo: 20, number: 2))
            sent.receipts = [.delivered]
            (received.isInbound, received.state, received.outcomes) = (true, .received, [])
            try await rig.put([sent, received])
            for (table, column) in [
                ("attempt", "handed_at"), ("receipt", "heard_at"), ("notification", "deadline"), ("inbound", "received_at"),
            ] {
                try await rig.tamper("UPDATE \(table) SET \(column) = 9223372036854775807")
            }
            let story = try await rig.history.story(sent.id, by: HistoryRig.anna)
            #expect(story.damaged.map(\.table) == ["notification", "attempt", "receipt"] && story.deadline == 0)
            #expect(story.hops.map { "\($0.hop): \($0.what)" } == ["accept: accepted", "end: delivered"])
            let inbound = try await rig.history.story(received.id, by: HistoryRig.anna)
            #expect(inbound.hops.isEmpty && inbound.damaged.map(\.table) == ["inbound"])
            #expect(HistoryRoutes.Item(inbound.item).updatedAt == nil)
            // As an earlier version wrote them.
            try await rig.tamper("UPDATE notification SET mac = NULL")
            try await rig.tamper("UPDATE inbound SET mac = NULL")
            try await rig.noteUntagged()
            let old = try await rig.history.story(sent.id, by: HistoryRig.anna)
            #expect(old.item.isUntagged && old.damaged.map(\.table) == ["notification", "attempt", "receipt"] && old.deadline == 0)
            let item = try await rig.history.story(received.id, by: HistoryRig.anna).item
            #expect(HistoryRoutes.Item(item).updatedAt?.hasPrefix("2") == true)
        }
    }

    @Test("A message from a handset has a story too, and is found by its number")
    func inbound() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var message = HistoryRig.Message(minutesAgo: 30)
            (message.isInbound, message.state, message.outcomes, message.told, message.text) = (true, .received, [], .refused, "STOP")
            try await rig.put([message])
            let found = try await rig.history.search(rig.wish(["phone": "+447700900123"]), by: HistoryRig.anna)
            #expect(found.items.map(\.isInbound) == [true] && found.items.map(\.state) == [.received])
            let story = try await rig.history.story(message.id, reveals: true, by: HistoryRig.boris)
            #expect(story.hops.map(\.hop) == ["receive", "tell"] && story.item.text == "STOP" && story.told == .refused)
        }
    }

    @Test("Each way to fail names the hop where it happened; what was delivered or is open names none")
    func hops() {
        let cases: [(MessageState, EndReason, UInt8?, ReceiptState?, FailedHop?)] = [
            (.delivered, .none, 1, .delivered, nil), (.sent, .none, 1, nil, nil), (.queued, .none, nil, nil, nil),
            (.cancelled, .cancelledBySource, nil, nil, nil), (.received, .none, nil, nil, nil), (.unknown, .none, 5, nil, nil),
            (.suppressed, .optedOut, nil, nil, .decision), (.failed, .cannotBeEncoded, nil, nil, .render),
            (.failed, .payloadLost, nil, nil, .intake), (.failed, .refused, 4, nil, .operator),
            (.expired, .notSentInTime, nil, nil, .connection), (.expired, .notSentInTime, 2, nil, .operator),
            (.expired, .notSentInTime, 5, nil, .connection), (.expired, .notSentInTime, 6, nil, .connection),
            (.failed, .attemptsUsedUp, 3, nil, .operator), (.failed, .attemptsUsedUp, 7, nil, .render),
            (.expired, .noReceipt, 1, nil, .operator), (.expired, .noReceipt, 5, nil, .connection),
            (.expired, .withdrawn, 1, nil, .operator), (.failed, .undeliverable, 1, .undeliverable, .handset),
            (.expired, .undeliverable, 1, .expired, .handset), (.failed, .undeliverable, 1, .rejected, .operator),
            (.failed, .undeliverable, 1, .deleted, .operator), (.failed, .optedOut, nil, nil, .decision),
            (.failed, .cancelledByOperator, nil, nil, nil),
        ]
        for (state, reason, outcome, receipt, expected) in cases {
            #expect(FailedHop.of(state, reason, outcome: outcome, receipt: receipt) == expected, "\(state.word) \(reason.word)")
        }
        func decided(_ stage: RecordBody.Decided.Stage, _ reason: SuppressionReason, _ skips: PlannedMessage.Skip...) -> RecordBody.Decided
        {
            let messages = skips.map { PlannedMessage(step: 0, channel: .sms, contact: 1, when: .skipped($0)) }
            var it = RecordBody.Decided(stage: stage, outcome: .suppressed, event: 1, release: 1, subject: 1, messages: messages)
            it.reason = reason
            return it
        }
        let suppressed: [(RecordBody.Decided, FailedHop)] = [
            (decided(.fresh, .notInPackage, .notInPackage), .decision), (decided(.fresh, .duplicateEvent), .intake),
            (decided(.fresh, .stale), .intake), (decided(.step, .stale), .decision), (decided(.release, .heldPastDeadline), .decision),
            (decided(.fresh, .channelForbidden), .decision), (decided(.fresh, .channelForbidden, .notServed), .decision),
            (decided(.fresh, .channelForbidden, .noKey), .decision), (decided(.fresh, .channelForbidden, .noRoute), .route),
            (decided(.fresh, .channelForbidden, .notServed, .tooManyParts, .noTemplate), .render),
            (decided(.step, .channelForbidden, .noRoute, .toldBefore), .route),
            (decided(.fresh, .channelForbidden, .valueMissing), .render),
        ]
        for (it, expected) in suppressed {
            let reason = it.reason.map { EndReason($0) } ?? .none
            #expect(FailedHop.of(.suppressed, reason, outcome: nil, receipt: nil, decided: it) == expected, "\(it.messages)")
        }
        #expect(FailedHop.of(.suppressed, .channelForbidden, outcome: nil, receipt: nil) == .decision)
        #expect(Set(cases.compactMap { $0.4 } + suppressed.map(\.1)) == Set(FailedHop.allCases))
        #expect(Set(FailedHop.allCases.map(\.doc)).count == FailedHop.allCases.count)
    }
}
