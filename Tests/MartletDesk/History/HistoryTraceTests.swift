import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("History: trace") struct HistoryTraceTests {
    /// All that can happen to one message, in an order in which it could; the state that each leaves.
    private static func records(_ at: Int64) -> [(body: RecordBody, state: MessageState, flags: RecordFlags)] {
        let carried = RecordBody.Carried(
            state: .queued, attempts: 1, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 0, notBefore: 0, order: 0, providerKeys: [])
        func asked(_ what: Inquiry.What, _ result: InquiryAnswer.Result) -> RecordBody {
            .asked(.init(what: what, part: 0, tries: 1, result: result, providerID: "p1", connection: "north"))
        }
        func answered(_ attempt: UInt8, _ outcome: Outcome) -> RecordBody {
            .answered(.init(attempt: attempt, part: 0, outcome: outcome, handedAt: at, connection: "north"))
        }
        return [
            (.accepted(.init(receivedAt: at)), .queued, []), (.replaced(carried), .queued, []),
            (.rerouted(.init(group: 5)), .queued, []), (.resumed(.init(why: .replanned)), .queued, []),
            (answered(1, .throttled(status: 0x58)), .queued, []), (answered(2, .unknown), .unknown, []),
            (.resumed(.init(why: .unknown)), .queued, .possibleDuplicate), (.resumed(.init(why: .restart)), .queued, .possibleDuplicate),
            (answered(3, .accepted(providerID: "p1")), .sent, .possibleDuplicate), (.carried(carried), .sent, []),
            (asked(.query, .silent), .sent, []), (asked(.query, .state(.enroute, error: 0, endedAt: 0)), .sent, []),
            (asked(.cancel, .refused(status: 0x11)), .sent, []), (.resumed(.init(why: .left)), .unknown, .possibleDuplicate),
            (.receipt(.init(part: 0, state: .enroute, error: 0, providerID: "p1")), .sent, []),
            (
                .receipt(.init(part: 0, state: .undeliverable, error: 7, providerID: "p1", isAnswer: true, endedAt: 1_795_400_000)),
                .failed, .ends
            ),
            (.receipt(.init(part: 0, state: .delivered, error: 0, providerID: "p1")), .failed, .late),
            (.told(.init(outcome: .heard, teller: "")), .failed, []),
        ]
    }

    private func words(_ hops: [Story.Hop]) -> [String] {
        hops.map { hop in "\(hop.at) \(hop.hop): \(hop.what) \(hop.details.map { "\($0.0)=\($0.1)" }.joined(separator: " "))" }
    }

    @Test("The history tells what the node's trace tells, over all kinds of records of a message", arguments: SQLStore.Engine.allCases)
    func same(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let id = rig.id(0)
            var node = Story(
                id: id, source: 7, messageClass: .transactional, state: .queued, reason: .none, parts: 1, createdAt: 0, updatedAt: 0,
                deadline: 0, reference: "", from: "", to: PhoneNumber(digits: 0), attempts: [], hops: [])
            for (body, state, flags) in Self.records(rig.now) {
                let holds = [.accepted, .replaced, .carried].contains(body.kind)
                let flags = flags.union(.outcome(state, .none))
                var header = RecordHeader(
                    kind: body.kind, partition: id.partition, messageClass: MessageClass.transactional.rawValue, source: 7, group: 2,
                    parts: 1,
                    id: id, at: rig.now, deadline: 0, flags: flags)
                header.sequence = 1
                node.take(Record(header: header, body: body))
                try rig.put(body, id, state, flags: flags, payload: holds ? rig.payload(0) : nil)
            }
            rig.commit()
            // Twice over: what is read again is told once.
            try await rig.projector(batch: 3).catchUp()
            let history = rig.desk.history(keys: HistoryKeys(rig.keys), names: { HistoryRig.names })
            let story = try await history.story(id, by: HistoryRig.anna)
            // That a segment of the journal ended is nothing that happened to the message. The history names the source and the end besides.
            let expected = words(node.hops.filter { $0.hop != "journal" })
            let told = story.hops.filter { $0.hop != "end" }.map { hop in
                Story.Hop(at: hop.at, hop: hop.hop, what: hop.what, details: hop.details.filter { $0.0 != "source" })
            }
            // In the same moment the order of the flow stands before that of the records.
            #expect(words(told).sorted() == expected.sorted())
            #expect(story.hops.filter { $0.hop == "end" }.map(\.what) == ["failed"])
            #expect(Set(Self.records(0).map(\.body.kind)).isSuperset(of: [.asked, .resumed, .rerouted, .replaced]))
            #expect(Set(Self.records(0).map(\.body.kind)).count == RecordKind.allCases.count - Self.ofNoMessage.count)
            #expect(try await rig.count("step") == 10)
        }
    }

    /// A message with the records of `records`, projected.
    private func projected(_ rig: ProjectorRig) async throws -> (history: History, id: MessageID) {
        let id = rig.id(0)
        for (body, state, flags) in Self.records(rig.now) {
            let holds = [.accepted, .replaced, .carried].contains(body.kind)
            try rig.put(body, id, state, flags: flags, payload: holds ? rig.payload(0) : nil)
        }
        rig.commit()
        try await rig.projector(batch: 3).catchUp()
        return (rig.desk.history(keys: HistoryKeys(rig.keys), names: { HistoryRig.names }), id)
    }

    private func steps(_ rig: ProjectorRig, _ id: MessageID) async throws -> [(sequence: Int64, record: [UInt8])] {
        let range: [SQLValue] = [.bytes(id.notification.bytes), .bytes(id.with(ordinal: 255).bytes), .number(5000)]
        return try await rig.store.read { session in
            try session.rows(HistoryStatements.steps, range).map { (try $0.integer("sequence"), try $0.bytes("record")) }
        }
    }

    private func put(_ record: [UInt8], _ sequence: Int64, _ engine: SQLStore.Engine, _ rig: ProjectorRig) async throws {
        let digits = record.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let literal = engine == .sqlite ? "x'\(digits)'" : "'\\x\(digits)'::bytea"
        try await rig.store.transaction { try $0.define("UPDATE step SET record = \(literal) WHERE sequence = \(sequence)") }
    }

    @Test(
        "A step that somebody changed is named and not told, whichever bit it was; the others are, and one without a tag says so",
        arguments: SQLStore.Engine.allCases)
    func damaged(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let (history, id) = try await projected(rig)
            let whole = words(try await history.story(id, by: HistoryRig.anna).hops)
            let rows = try await steps(rig, id)
            // Of a step that is not believed as much is told as of one that is not there; its receipt has a row of its own.
            var without: [Int64: [String]] = [:]
            for row in rows {
                try await rig.store.transaction { try $0.define("DELETE FROM step WHERE sequence = \(row.sequence)") }
                without[row.sequence] = words(try await history.story(id, by: HistoryRig.anna).hops)
                var batch = SQLBatch(table: "step", columns: StepRow.columns)
                batch.append(.bytes(id.with(ordinal: 1).bytes), .integer(row.sequence), .bytes(row.record))
                let again = batch
                try await rig.store.transaction { try $0.bulk(again) }
            }
            #expect(without.values.filter { $0 != whole }.count > rows.count / 2)
            var dice = EngineStream.Dice(state: 7)
            for round in 0..<24 {
                let row = rows[Int.random(in: 0..<rows.count, using: &dice)]
                var record = row.record
                record[Int.random(in: 0..<record.count, using: &dice)] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
                try await put(record, row.sequence, engine, rig)
                let story = try await history.story(id, by: HistoryRig.anna)
                #expect(story.damaged == [.init(table: "step", sequence: row.sequence)], "seed 7, sequence \(row.sequence)")
                #expect(words(story.hops) == without[row.sequence], "seed 7, sequence \(row.sequence)")
                if round % 8 == 0 {
                    let found = try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings
                    #expect(found.contains("step \(id.with(ordinal: 1).text)/\(row.sequence): not as Martlet wrote it"))
                }
                try await put(row.record, row.sequence, engine, rig)
            }
            // The tag fits no other row.
            try await put(rows[1].record, rows[0].sequence, engine, rig)
            #expect(try await history.story(id, by: HistoryRig.anna).damaged.map(\.sequence) == [rows[0].sequence])
            try await put([], rows[0].sequence, engine, rig)
            #expect(try await history.story(id, by: HistoryRig.anna).damaged.map(\.sequence) == [rows[0].sequence])
            // As an earlier version wrote it, when it did; no later.
            try await put(Array(rows[0].record.dropLast(16)), rows[0].sequence, engine, rig)
            #expect(try await history.story(id, by: HistoryRig.anna).damaged.map(\.sequence) == [rows[0].sequence])
            try await rig.desk.noteUntagged(LastUntagged.tags(rig.keys.rowKey))
            let story = try await history.story(id, by: HistoryRig.anna)
            #expect(story.damaged.isEmpty && story.hops.count == whole.count)
            #expect(story.hops.filter { $0.details.contains { $0 == ("untagged", "true") } }.count == 1)
            #expect(try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().untagged == 1)
            try await rig.projector().repair()
            #expect(words(try await history.story(id, by: HistoryRig.anna).hops) == whole)
        }
    }

    @Test("Of a message with very many steps the first are told, and that there are more")
    func many() async throws {
        try await ProjectorTests.with(.sqlite) { rig in
            let (history, id) = try await projected(rig)
            let hops = try await history.story(id, by: HistoryRig.anna).hops.count
            let first = try #require(try await steps(rig, id).first)
            var rows = SQLBatch(table: "step", columns: StepRow.columns)
            for number in 0..<4096 {
                rows.append(.bytes(id.with(ordinal: 1).bytes), .number(10_000 + number), .bytes(first.record.dropLast(16)))
            }
            let batch = StepRow.tagged(rows, StepRow.tags(rig.keys.rowKey))
            try await rig.store.transaction { try $0.bulk(batch) }
            let story = try await history.story(id, by: HistoryRig.anna)
            #expect(story.hasMoreSteps && story.hops.count == hops + 4096 - 10)
        }
    }

    /// Kinds that are no part of a message's story, and the end of another kind of record, whose hop the history makes of the state.
    private static let ofNoMessage: Set<RecordKind> = [
        .orphan, .mark, .ledger, .inbound, .preference, .ended, .decided, .counted, .subscribed,
    ]
}
