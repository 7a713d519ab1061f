import Guard
import MartletModel
import MartletStore
import Testing

@testable import MartletDesk
@testable import SQL

/// What the history makes of events: of what is told, held and suppressed, and of plans with more than one message.
@Suite("History: events") struct DecisionHistoryTests {
    private func decided(
        _ stage: RecordBody.Decided.Stage = .fresh, _ outcome: RecordBody.Decided.Outcome = .told, _ reason: SuppressionReason? = nil,
        step: UInt8? = nil, planned: UInt8 = 0, at: Int64 = 0
    ) -> RecordBody {
        .decided(
            .init(
                receivedAt: at, stage: stage, outcome: outcome, reason: reason, step: step, event: 116, package: 4, release: 7, subject: 11,
                until: outcome == .held ? at / 1000 + 1000 : 0, planned: planned, partsOnAir: outcome == .told ? 2 : 0,
                channel: outcome == .told ? .sms : nil))
    }

    private func nothing(_ number: Int, _ rig: ProjectorRig) -> Payload {
        var payload = rig.payload(number)
        payload.to = PhoneNumber(digits: 0)
        payload.text = ""
        return payload
    }

    /// 0: told, then a second message that arrives. 1: suppressed. 2: held, then told. 3: held, and still is, as a copy forward says too.
    private func put(_ rig: ProjectorRig) throws {
        let plan = rig.id(0)
        try rig.put(decided(step: 0, planned: 2, at: rig.now), plan, .queued, payload: rig.payload(0))
        try rig.put(
            .answered(.init(attempt: 1, part: 0, outcome: .accepted(providerID: "a1"), handedAt: rig.now, connection: "north")), plan, .sent
        )
        var second = rig.payload(0)
        second.to = PhoneNumber(digits: 447_700_900_777)
        try rig.put(decided(.step, step: 1), plan.with(ordinal: 2), .queued, payload: second)
        try rig.put(
            .answered(.init(attempt: 1, part: 0, outcome: .accepted(providerID: "b1"), handedAt: rig.now, connection: "south")),
            plan.with(ordinal: 2), .sent)
        try rig.put(
            .receipt(.init(part: 0, state: .undeliverable, error: 0, providerID: "a1")), plan, .planned)
        try rig.put(
            .receipt(.init(part: 0, state: .delivered, error: 0, providerID: "b1")), plan.with(ordinal: 2), .delivered, flags: .ends)
        try rig.put(.ended(.init(state: .delivered, reason: .none)), plan, .delivered, flags: .ends)

        try rig.put(
            decided(.fresh, .suppressed, .noConsent, at: rig.now), rig.id(1), .suppressed, .init(.noConsent), flags: .ends,
            payload: nothing(1, rig))

        try rig.put(decided(.fresh, .held, at: rig.now), rig.id(2), .planned, payload: nothing(2, rig))
        try rig.put(decided(.release, step: 0), rig.id(2), .queued, payload: rig.payload(2))

        try rig.put(decided(.fresh, .held, at: rig.now), rig.id(3), .planned, payload: nothing(3, rig))
        let carried = RecordBody.Carried(
            state: .planned, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 0, notBefore: 0, order: 0, providerKeys: [], event: .init(role: .isEvent))
        try rig.put(.carried(carried), rig.id(3), .planned, payload: nothing(3, rig))
        rig.commit()
    }

    private func ids(_ rig: ProjectorRig, _ table: String) async throws -> [String] {
        let statement = Statement("test.ids", "SELECT id FROM \(table) ORDER BY id")
        return try await rig.store.read { session in
            try session.look(statement).compactMap { MessageID(bytes: try $0.bytes("id")) }
        }.map { id in "\((id.milliseconds - 1_795_400_000_000)).\(id.ordinal)" }
    }

    @Test(
        "A message has a row where one goes, by its ordinal, a decision wherever one was made, and a number is found where one was told",
        arguments: SQLStore.Engine.allCases)
    func rows(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try put(rig)
            // Twice over: what is read again is there once.
            for _ in 0..<2 {
                try await rig.projector(batch: 2).catchUp()
                #expect(try await ids(rig, "notification") == ["0.0", "1.0", "2.0", "3.0"])
                #expect(try await ids(rig, "message") == ["0.1", "0.2", "2.1"])
                #expect(try await ids(rig, "state") == ["0.0", "0.2", "1.0", "2.0", "3.0"])
                #expect(try await ids(rig, "decision") == ["0.1", "0.2", "1.1", "2.1", "2.1", "3.1"])
                #expect(try await ids(rig, "step") == ["0.1", "0.2", "1.1", "2.1", "2.1", "3.1"])
                #expect(try await ids(rig, "attempt") == ["0.1", "0.2"])
                #expect(try await ids(rig, "receipt") == ["0.1", "0.2"])
                #expect(try await ids(rig, "undelivered") == ["1.0"], "a message that failed is no end of its notification")
                try await rig.projector().repair()
            }
            let hashes = SearchHashes(rig.keys)
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(0).to)) == [rig.id(0)])
            #expect(try await rig.search(.phone, hashes.phone(PhoneNumber(digits: 447_700_900_777))) == [rig.id(0)])
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(1).to)) == [])
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(2).to)) == [rig.id(2)])
            #expect(try await rig.search(.reference, hashes.reference("r-1")) == [rig.id(1)])

            let row = try #require(try await rig.rows(HistoryStatements.messages, rig.id(2)).first)
            #expect(try row.integer("parts") == 2 && row.integer("channel") == Int64(ChannelKind.sms.rawValue))
            let all = Statement("test.decisions", "SELECT * FROM decision WHERE event = 116 AND at >= 0 ORDER BY at")
            let found = try await rig.store.read { try $0.look(all) }
            #expect(try found.map { try $0.integer("outcome") } == [1, 1, 3, 2, 1, 2])
            #expect(try found.map { try $0.optionalInteger("reason") } == [nil, nil, 5, nil, nil, nil])
            #expect(try found.map { try $0.optionalInteger("step") } == [0, 1, nil, nil, 0, nil])
            #expect(try found.allSatisfy { try $0.integer("package") == 4 && $0.integer("release") == 7 })
        }
    }

    @Test("A decision that somebody changed is named by the check of all rows", arguments: SQLStore.Engine.allCases)
    func damaged(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try put(rig)
            try await rig.projector().catchUp()
            func findings() async throws -> [String] {
                try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings.filter { !$0.hasPrefix("the audit") }
            }
            #expect(try await findings() == [])
            try await rig.store.transaction { try $0.define("UPDATE decision SET outcome = 1 WHERE outcome = 3") }
            let found = try await findings()
            #expect(found.count == 1 && found[0].hasPrefix("decision \(rig.id(1).with(ordinal: 1).text)/"), "\(found)")
        }
    }

    @Test(
        "The story of a plan has the hops of all its messages in their order, and the event by its key", arguments: SQLStore.Engine.allCases
    )
    func story(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try put(rig)
            try await rig.projector().catchUp()
            let history = rig.desk.history(keys: HistoryKeys(rig.keys), names: { HistoryRig.names })
            func words(_ number: Int) async throws -> [String] {
                try await history.story(rig.id(number), by: HistoryRig.anna).hops.map { "\($0.hop): \($0.what)" }
            }
            #expect(
                try await words(0) == [
                    "accept: request read", "accept: accepted", "decide: told", "send: submitted", "send: answer: accepted", "decide: told",
                    "send: submitted", "send: answer: accepted", "track: receipt UNDELIV", "track: receipt DELIVRD",
                    "end: delivered",
                ])
            #expect(try await words(1).suffix(2) == ["decide: suppressed", "end: suppressed"])
            #expect(try await words(2).suffix(2) == ["decide: held", "decide: told"])
            #expect(try await words(2).count == 4)
            let story = try await history.story(rig.id(0), by: HistoryRig.anna)
            #expect(story.attempts.map(\.message) == [1, 2] && story.attempts.map(\.n) == [1, 1] && story.item.state == .delivered)
            #expect(story.attempts.map(\.providerIDs) == [["a1"], ["b1"]] && story.attempts.map(\.state) == [.failed, .delivered])

            // The number stands where nobody has it, or its row is not as Martlet wrote it.
            func event() async throws -> String? {
                try await history.story(rig.id(1), by: HistoryRig.anna).hops.first { $0.hop == "decide" }?.details.first {
                    $0.0 == "event"
                }?.1
            }
            #expect(try await event() == "116")
            let seal = RowSeal(rig.keys.rowKey, table: "rulebook_number", noun: "number", columns: RulebookStatements.numberColumns)
            let values: [SQLValue] = [.text("event"), .number(116), .text("card_payment")]
            try await rig.store.transaction { try $0.run(RulebookStatements.addNumber, values + [seal.tag(values)]) }
            #expect(try await event() == "card_payment")
            try await rig.store.transaction { try $0.define("UPDATE rulebook_number SET key = 'another'") }
            #expect(try await event() == "116")
        }
    }

    @Test("All of a plan's messages are forgotten with it: their texts, then all rows", arguments: SQLStore.Engine.allCases)
    func retention(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try put(rig)
            try await rig.projector().catchUp()
            let day: Int64 = 86_400_000
            func pass(_ days: Int64) async throws -> HistoryRetention.Report {
                let moment = rig.now + days * day * 1000
                let desk = Desk(store: rig.store, chain: "martlet-test", now: { moment })
                return try await HistoryRetention(
                    desk, rules: [.init(messageClass: .transactional, text: day, addresses: 2 * day, rows: 4 * day)],
                    reached: { .max }
                ).run()
            }
            #expect(try await pass(2).texts == 3)
            #expect(try await rig.rows(HistoryStatements.messages, rig.id(0)).map { try $0.bytes("sealed") } == [[], []])
            #expect(try await pass(5).rows == 4)
            let tables = ["notification", "message", "state", "attempt", "receipt", "step", "decision", "undelivered"]
            #expect(try await rig.counts(tables) == Array(repeating: 0, count: tables.count))
        }
    }

    @Test("The text of an event with a secret is shown to nobody, also where its step was changed; another one is, with a reason")
    func secrets() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            rig.messageClass = .security
            func told(_ number: Int, _ bits: RecordBody.Decided.Bits) throws {
                let body = RecordBody.decided(
                    .init(
                        receivedAt: rig.now, stage: .fresh, outcome: .told, step: 0, event: 4, release: 7, subject: 11, partsOnAir: 1,
                        bits: bits, channel: .sms))
                try rig.put(body, rig.id(number), .queued, payload: rig.payload(number))
            }
            try told(0, .hasSecret)
            try told(1, .noFurtherStep)
            rig.commit()
            try await rig.projector().catchUp()
            let history = rig.desk.history(keys: HistoryKeys(rig.keys), names: { HistoryRig.names })
            func text(_ number: Int) async throws -> String? {
                try await history.story(rig.id(number), reveals: true, by: HistoryRig.boris).item.text
            }
            #expect(try await text(0) == nil)
            #expect(try await text(1) == "Text 1")
            try await rig.store.transaction { try $0.define("UPDATE step SET record = substr(record, 1, 100)") }
            #expect(try await text(1) == nil)
        }
    }

    @Test(
        "The text of a security event whose decision is not there is shown to nobody, and the message says so; a ready text has none",
        arguments: SQLStore.Engine.allCases)
    func undecided(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            rig.messageClass = .security
            func put(_ stage: RecordBody.Decided.Stage, _ id: MessageID, _ number: Int, _ bits: RecordBody.Decided.Bits = []) throws {
                var payload = rig.payload(number)
                payload.event = 4
                let body = RecordBody.decided(
                    .init(
                        receivedAt: rig.now, stage: stage, outcome: .told, step: 0, event: 4, release: 7, subject: 11, partsOnAir: 1,
                        bits: bits, channel: .sms))
                try rig.put(body, id, .queued, payload: payload)
            }
            // A code; a text of an event without secrets; a code, and a reminder that has none; a text as its source wrote it.
            try put(.fresh, rig.id(0), 0, .hasSecret)
            try put(.fresh, rig.id(1), 1)
            try put(.fresh, rig.id(2), 2, .hasSecret)
            try put(.reminder, rig.id(2).with(ordinal: 2), 2)
            try rig.put(.accepted(.init(receivedAt: rig.now)), rig.id(3), .queued, payload: rig.payload(3))
            rig.commit()
            try await rig.projector().catchUp()
            let history = rig.desk.history(keys: HistoryKeys(rig.keys), names: { HistoryRig.names })
            func item(_ number: Int) async throws -> HistoryItem {
                try await history.story(rig.id(number), reveals: true, by: HistoryRig.boris).item
            }
            func texts() async throws -> [String?] {
                var texts: [String?] = []
                for number in 0..<4 { texts.append(try await item(number).text) }
                return texts
            }
            #expect(try await texts() == [nil, "Text 1", nil, "Text 3"])
            #expect(try await item(1).lacks == [])
            func drop(_ table: String, _ id: MessageID) async throws {
                let key = engine == .sqlite ? "x'\(id.text)'" : "'\\x\(id.text)'"
                try await rig.store.transaction { try $0.define("DELETE FROM \(table) WHERE id = \(key)") }
            }
            // The reminder becomes what is shown, then the code itself.
            try await drop("step", rig.id(2).with(ordinal: 1))
            try await drop("message", rig.id(2).with(ordinal: 2))
            #expect(try await item(2).text == nil)
            #expect(try await item(2).lacks == ["step"])
            try await rig.store.transaction { try $0.define("DELETE FROM step") }
            #expect(try await texts() == [nil, nil, nil, "Text 3"])
            for number in 0..<3 { #expect(try await item(number).lacks == ["step"]) }
            #expect(try await item(3).lacks == [])
        }
    }

    // MARK: Counts

    @Test("A plan's further messages are no messages of their own in the statistics, but their submits count; its end counts once")
    func traffic() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            var fold = TrafficFold()
            func take(_ body: RecordBody, _ id: MessageID, _ state: MessageState, _ reason: EndReason = .none, ends: Bool = false) {
                let header = RecordHeader(
                    kind: body.kind, partition: id.partition, messageClass: 0, source: 7, group: 1, parts: 1, id: id, at: rig.now,
                    deadline: 0,
                    flags: RecordFlags.outcome(state, reason).union(ends ? .ends : []))
                fold.take(header, body)
            }
            let id = rig.id(0)
            let answer = RecordBody.answered(
                .init(attempt: 1, part: 0, outcome: .accepted(providerID: "a"), handedAt: 1, connection: "north"))
            take(decided(step: 0, planned: 2), id, .queued)
            take(answer, id, .sent)
            take(decided(.step, step: 1), id.with(ordinal: 2), .queued)
            take(answer, id.with(ordinal: 2), .sent)
            take(decided(.step, .suppressed, .noContact), id.with(ordinal: 3), .suppressed, .init(.noContact), ends: true)
            take(.ended(.init(state: .failed, reason: .undeliverable)), id.with(ordinal: 2), .failed, ends: true)
            take(.ended(.init(state: .delivered, reason: .none)), id, .delivered, ends: true)
            take(decided(.fresh, .suppressed, .noConsent), rig.id(1), .suppressed, .init(.noConsent))
            let open = fold.changed.filter { $0.key.state == 0 }.map(\.value)
            #expect(open.reduce(0) { $0 + $1.messages } == 2 && open.reduce(0) { $0 + $1.submits } == 2)
            #expect(open.reduce(0) { $0 + $1.parts } == 4)
            let ends = fold.changed.filter { $0.key.state != 0 }
            #expect(ends.values.reduce(0) { $0 + $1.messages } == 2)
            #expect(Set(ends.keys.map(\.state)) == [MessageState.delivered.rawValue, MessageState.suppressed.rawValue])
        }
    }

    @Test(
        "Decisions are counted by outcome and reason, sliced as asked; a caller of a unit sees its sources",
        arguments: SQLStore.Engine.allCases)
    func counts(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            var fold = DecisionFold()
            func take(_ body: RecordBody, source: SourceNumber, hours: Int64 = 0, event: UInt16 = 116) {
                var body = body
                if case .decided(var it) = body {
                    it.event = event
                    body = .decided(it)
                }
                fold.take(
                    RecordHeader(
                        kind: body.kind, partition: 3, messageClass: MessageClass.marketing.rawValue, source: source, group: 1, parts: 1,
                        id: rig.id(0), at: rig.now + hours * 3_600_000_000, deadline: 0, flags: []), body)
            }
            for source: SourceNumber in [7, 7, 8] { take(decided(.fresh, .suppressed, .capReached), source: source) }
            take(decided(.fresh, .held), source: 7)
            take(decided(.release), source: 7, hours: 9)
            take(decided(), source: 8, event: 9)
            take(.told(.init(outcome: .heard, teller: "")), source: 7)
            let once = fold
            for _ in 0..<2 { try await rig.store.transaction { try once.write($0) } }

            let statistics = rig.desk.decisionStatistics(names: { HistoryRig.names }, rowKey: rig.keys.rowKey)
            let hour = rig.now / 1000
            var wish = DecisionStatistics.Wish(from: hour, to: hour + 36_000_000)
            func rows(_ caller: Caller = HistoryRig.anna) async throws -> [String] {
                try await statistics.report(wish, by: caller).rows.map { row in
                    let labels = [row.source, row.messageClass, row.event].compactMap { $0 }
                    return (labels + [row.outcome.word, row.reason?.word ?? "", String(row.decisions)]).joined(separator: " ")
                }
            }
            #expect(try await rows() == ["told  4", "held  2", "suppressed cap_reached 6"])
            let report = try await statistics.report(wish, by: HistoryRig.anna)
            #expect(report.sum(.told) == 4 && report.sum(.held) == 2 && report.sum(.suppressed) == 6)
            wish.by = [.source, .class, .event]
            #expect(
                try await rows().sorted() == [
                    "cards marketing event 116 held  2", "cards marketing event 116 suppressed cap_reached 4",
                    "cards marketing event 116 told  2", "loans marketing event 116 suppressed cap_reached 2",
                    "loans marketing event 9 told  2",
                ])
            wish.by = [.hour]
            #expect(try await Set(statistics.report(wish, by: HistoryRig.anna).rows.compactMap(\.hour)).count == 2)
            wish.by = [.day]
            #expect(try await statistics.report(wish, by: HistoryRig.anna).rows.allSatisfy { $0.day != nil && $0.hour == nil })
            wish.by = []
            wish.source = "loans"
            #expect(try await rows() == ["told  2", "suppressed cap_reached 2"])
            wish.source = nil
            wish.event = "card_payment"
            await #expect(throws: DeskFault.invalid([FieldFault("event", "unknown", "there is no such event")])) { try await rows() }
            let seal = RowSeal(rig.keys.rowKey, table: "rulebook_number", noun: "number", columns: RulebookStatements.numberColumns)
            let values: [SQLValue] = [.text("event"), .number(9), .text("card_payment")]
            try await rig.store.transaction { try $0.run(RulebookStatements.addNumber, values + [seal.tag(values)]) }
            wish.by = [.event]
            #expect(try await rows() == ["card_payment told  2"])
            // Counts go with the others of their hour.
            let moment = rig.now + 90 * 86_400_000_000
            let late = Desk(store: rig.store, chain: "martlet-test", now: { moment })
            let rule = HistoryRetention.Rule(messageClass: .marketing, text: 1, addresses: 1, rows: 1, counts: 86_400_000)
            #expect(try await HistoryRetention(late, rules: [rule], reached: { .max }).run().counts == 5)
            #expect(try await rig.count("decision_count") == 0)
        }
    }

    @Test("A wish that does not hold says every field")
    func wishes() throws {
        let fault = #expect(throws: DeskFault.self) {
            try DecisionStatistics.Wish(query: ["by": "event,colour", "from": "now", "to": "1999-01-01T00:00:00Z"], now: 1_795_400_000_000)
        }
        guard case .invalid(let faults)? = fault else { return #expect(Bool(false)) }
        #expect(faults.map(\.path) == ["from", "by"])
        let usual = try DecisionStatistics.Wish(query: ["by": "event", "event": "e", "source": "s"], now: 1_795_400_000_000)
        #expect(usual.by == [.event] && usual.to - usual.from == 86_400_000 && usual.event == "e" && usual.source == "s")
    }
}
