import Guard
import Journal
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("History: projector") struct ProjectorTests {
    static let tables = ["notification", "message", "lookup", "state", "attempt", "receipt", "undelivered", "inbound"]
    /// And what some messages have.
    static let all = tables + ["step"]

    static func with(_ engine: SQLStore.Engine, _ body: (ProjectorRig) async throws -> Void) async throws {
        let rig = try await ProjectorRig(engine)
        try await body(rig)
        try await rig.close()
    }

    @Test("Every record becomes its rows, once, with what a search goes by and tags that hold", arguments: SQLStore.Engine.allCases)
    func rows(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            for number in 0..<250 { try rig.message(number, partition: UInt8(number % 5), end: number % 10 == 0 ? .failed : .delivered) }
            rig.commit()
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(try await rig.counts(Self.tables) == [250, 250, 750, 250, 250, 250, 25, 0])
            #expect(try await rig.counted() == 1000)
            #expect(projector.figures.read.records == 1000 && projector.figures.read.isLevel)
            #expect(projector.figures.read.durable == projector.figures.read.position)
            let id = rig.id(20, partition: 0)
            let state = try #require(try await rig.state(id))
            #expect(state.state == MessageState.failed.rawValue && state.reason == EndReason.undeliverable.rawValue)
            #expect(state.attempts == 1 && state.told == ToldOutcome.heard.rawValue && state.route == 2)
            #expect(state.endedAt.map { $0 < state.changedAt } == true && state.toldAt == state.changedAt)
            #expect(try await rig.rows(HistoryStatements.attempts, id).first?.text("provider_id") == "P20")
            #expect(try await rig.rows(HistoryStatements.receipts, id).count == 1)
            let hashes = SearchHashes(rig.keys)
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(20).to)) == [id])
            #expect(try await rig.search(.reference, hashes.reference("r-20")) == [id])
            #expect(try await rig.search(.source, 7).count == 100)
            // The ciphertext is the log's own.
            let row = try #require(try await rig.rows(HistoryStatements.messages, id).first)
            let opened = HistoryKeys(rig.keys).open(
                try row.bytes("sealed"), of: id, keyID: try row.integer("key_id", as: UInt32.self))
            guard case .payload(let payload, _) = opened else {
                Issue.record("the message's text does not open")
                return
            }
            #expect(payload == rig.payload(20))
            // Again, from another process: nothing is there to be done.
            try await rig.projector().catchUp()
            #expect(try await rig.counted() == 1000)
        }
    }

    @Test(
        "A state is the newest record's whatever lies between: over batches, beside memory, and never back",
        arguments: SQLStore.Engine.allCases)
    func states(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            let id = rig.id(1)
            try rig.put(.accepted(.init(receivedAt: rig.now)), id, .queued, payload: rig.payload(1))
            try rig.put(.rerouted(.init(group: 5)), id, .queued)
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.state(id)?.route == 5)
            try rig.put(
                .answered(.init(attempt: 2, part: 0, outcome: .unknown, handedAt: 0, connection: "north")), id, .unknown,
                flags: .possibleDuplicate)
            try rig.put(.resumed(.init(why: .unknown)), id, .queued)
            rig.commit()
            // A projector that remembers nothing reads the row back.
            try await rig.projector().catchUp()
            var state = try #require(try await rig.state(id))
            #expect(state.attempts == 2 && state.sequence == 4 && state.state == MessageState.queued.rawValue)
            #expect(RecordFlags(rawValue: state.flags).contains(.possibleDuplicate))
            let carried = RecordBody.Carried(
                state: .queued, attempts: 2, resends: 1, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
                partsReference: 0, notBefore: 0, order: 1, providerKeys: [])
            try rig.put(.carried(carried), id, .queued, payload: rig.payload(1))
            try rig.put(.replaced(carried), id, .queued, payload: rig.payload(2))
            try rig.put(.ended(.init(state: .expired, reason: .notSentInTime)), id, .expired, .notSentInTime, flags: .ends)
            rig.commit()
            try await rig.projector().catchUp()
            state = try #require(try await rig.state(id))
            #expect(state.state == MessageState.expired.rawValue && state.endedAt != nil && state.attempts == 2)
            #expect(try await rig.counts(["notification", "message", "state", "undelivered"]) == [1, 1, 1, 1])
            let row = try #require(try await rig.rows(HistoryStatements.messages, id).first)
            guard
                case .payload(let payload, _) = HistoryKeys(rig.keys).open(
                    try row.bytes("sealed"), of: id, keyID: try row.integer("key_id", as: UInt32.self))
            else {
                Issue.record("the message's text does not open")
                return
            }
            #expect(payload.text == "Text 2")
        }
    }

    @Test("A message of which only a copy forward is left, and one from a handset, have their rows", arguments: SQLStore.Engine.allCases)
    func others(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            let carried = RecordBody.Carried(
                state: .delivered, attempts: 1, resends: 0, strikes: 0, answeredParts: 1, deliveredParts: 1, failedParts: 0,
                unknownParts: 0,
                partsReference: 0, notBefore: 0, order: 1_795_400_000_123, providerKeys: [])
            try rig.put(.carried(carried), rig.id(1), .delivered, flags: .tellsDelivered, payload: rig.payload(1))
            let answer = rig.id(2)
            var words = rig.payload(2)
            words.inReplyTo = rig.id(1)
            try rig.put(.inbound(.init(total: 2, number: 1)), answer, .received, payload: words)
            try rig.put(.inbound(.init(total: 2, number: 0, inReplyTo: rig.id(1))), answer, .received, flags: .ends, payload: words)
            try rig.put(.told(.init(outcome: .heard, teller: "core")), answer, .received)
            try rig.put(.mark(.init(what: .started)), .none, .queued)
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.counts(Self.tables) == [1, 1, 5, 2, 0, 0, 0, 1])
            #expect(try await rig.state(rig.id(1))?.endedAt == 1_795_400_000_123)
            #expect(try await rig.state(answer)?.told == ToldOutcome.heard.rawValue)
            let row = try #require(try await rig.rows(HistoryStatements.inbound, answer).first)
            #expect(try row.bytes("in_reply_to") == rig.id(1).bytes && row.integer("parts") == 2)
            // The same of a copy forward.
            var copy = carried
            copy.state = .received
            try rig.put(.carried(copy), rig.id(9), .received, payload: words)
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.rows(HistoryStatements.inbound, rig.id(9)).first?.bytes("in_reply_to") == rig.id(1).bytes)
        }
    }

    @Test("A transaction that fails is made again and counts once; opt-outs go with it", arguments: SQLStore.Engine.allCases)
    func again(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            struct Refused: Error {}
            let tries = Mutex(0)
            let heard = Mutex<[PreferenceChange]>([])
            for number in 0..<30 { try rig.message(number) }
            try rig.put(.preference(.init(number: 77, unwanted: [.init(.marketing)])), .none, .queued)
            for number in 30..<60 { try rig.message(number) }
            rig.commit()
            let projector = rig.projector(batch: 50) { changes, _ in
                let count = tries.withLock { count in
                    count += 1
                    return count
                }
                guard count > 3 else { throw Refused() }
                heard.withLock { $0 += changes }
            }
            let running = Task { await projector.run() }
            for _ in 0..<2000 where !(projector.figures.read.isLevel && projector.figures.read.end > 0) {
                try await Task.sleep(for: .milliseconds(10))
            }
            running.cancel()
            await running.value
            #expect(projector.figures.read.failures == 3)
            #expect(heard.withLock { $0.map(\.number) } == [77])
            #expect(try await rig.counted() == 241)
            #expect(try await rig.counts(["notification", "state", "attempt"]) == [60, 60, 60])
        }
    }

    @Test(
        "Words on packages go with the records around them, once, and not again when the history is repaired",
        arguments: SQLStore.Engine.allCases)
    func words(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            let heard = Mutex<[PackageSaid]>([])
            try rig.message(1)
            try rig.put(.subscribed(.init(subject: 7, package: 17, isWanted: true, message: rig.id(1))), .none, .queued)
            try rig.put(.subscribed(.init(subject: 7, package: 18, isWanted: false, message: rig.id(1))), .none, .queued)
            rig.commit()
            let projector = rig.projector(said: { words, _ in heard.withLock { $0 += words } })
            try await projector.catchUp()
            try await projector.catchUp()
            try await projector.repair()
            let said = heard.withLock { $0 }
            #expect(said.map(\.subject) == [7, 7] && said.map(\.message) == [rig.id(1), rig.id(1)])
            #expect(said.map(\.word.package) == [17, 18] && said.map(\.word.isWanted) == [true, false])
            #expect(said.allSatisfy { abs($0.word.at - rig.now) < 3_600_000_000 })
        }
    }

    @Test("While the store is away the history tells ever more bytes that it lacks")
    func behind() async throws {
        try await Self.with(.sqlite) { rig in
            for number in 0..<60 { try rig.message(number) }
            rig.commit()
            let projector = rig.projector(folder: "\(rig.directory)/desk")
            let running = Task { await projector.run() }
            func behind() -> Double? {
                projector.figures.samples(segmentSize: 256 << 10).first { $0.metric.name == "martlet_history_behind_bytes" }?.value
            }
            func until(_ condition: () -> Bool) async throws {
                for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
                #expect(condition())
            }
            try await until { projector.figures.read.records == 240 && projector.figures.read.isLevel }
            #expect(behind() == 0)
            await rig.store.close()
            for number in 60..<90 { try rig.message(number) }
            rig.commit()
            try await until { behind() ?? 0 > 0 }
            running.cancel()
            await running.value
        }
    }

    @Test("Two projectors on one store take each record once between them", arguments: SQLStore.Engine.allCases)
    func two(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            let projectors = [rig.projector(batch: 40), rig.projector(batch: 30)]
            let running = projectors.map { projector in Task { await projector.run() } }
            for number in 0..<300 {
                try rig.message(number)
                if number % 10 == 9 {
                    rig.commit()
                    try await Task.sleep(for: .milliseconds(3))
                }
            }
            for _ in 0..<2000 where try await rig.counted() < 1200 { try await Task.sleep(for: .milliseconds(10)) }
            for task in running { task.cancel() }
            for task in running { await task.value }
            #expect(try await rig.counted() == 1200)
            #expect(try await rig.counts(["notification", "lookup", "state", "receipt"]) == [300, 900, 300, 300])
        }
    }

    @Test("Rows that are there already, as a restored cursor leaves them, are not written twice", arguments: SQLStore.Engine.allCases)
    func restored(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            for number in 0..<50 { try rig.message(number) }
            rig.commit()
            try await rig.projector().catchUp()
            let before = try await rig.counts(Self.tables)
            try await rig.store.transaction { try $0.define("DELETE FROM cursor") }
            try await rig.projector().catchUp()
            #expect(try await rig.counts(Self.tables) == before)
            #expect(try await rig.state(rig.id(7))?.told == ToldOutcome.heard.rawValue)
        }
    }

    @Test("What the log lost is an entry of the audit that says how much, never a silent skip", arguments: SQLStore.Engine.allCases)
    func gaps(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            try rig.message(0)
            rig.commit()
            try await rig.projector().catchUp()
            for number in 1..<1500 {
                try rig.message(number)
                if number % 20 == 0 { rig.commit() }
            }
            rig.commit()
            let last = try #require(rig.segments.last?.number)
            rig.trim(before: last)
            for _ in 0..<500 where (try? Spill("\(rig.directory)/journal").journal().count) != 1 {
                try await Task.sleep(for: .milliseconds(10))
            }
            // A record of a form nobody knows, and a hole in the numbers.
            try rig.putRaw([200] + Array(repeating: 0, count: 90))
            try rig.put(.ended(.init(state: .expired, reason: .noReceipt)), rig.id(1499), .expired, .noReceipt, flags: .ends, skip: 3)
            rig.commit()
            let projector = rig.projector()
            try await projector.catchUp()
            let left = rig.positions.filter { UInt32($0 >> 32) == last }.count - 2
            let figures = projector.figures.read
            #expect(figures.lost == UInt64(1500 * 4 - 4 - left + 3))
            #expect(figures.gaps == 2)
            let entries = try await rig.audit()
            #expect(try entries.map { try $0.text("act") } == ["history.gap", "history.gap"])
            #expect(try entries.first?.text("outcome") == "trimmed, \(figures.lost) record(s) missing")
            #expect(try entries.last?.text("outcome") == "unreadable")
        }
    }

    @Test("A flipped state is named, not believed, and made anew by the next record", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await Self.with(engine) { rig in
            let id = rig.id(1)
            try rig.put(.accepted(.init(receivedAt: rig.now)), id, .queued, payload: rig.payload(1))
            rig.commit()
            try await rig.projector().catchUp()
            try await rig.store.transaction { try $0.define("UPDATE state SET state = 4, sequence = 900") }
            #expect(try await rig.state(id) == nil)
            try rig.put(.ended(.init(state: .failed, reason: .refused)), id, .failed, .refused, flags: .ends)
            rig.commit()
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(projector.figures.read.tampered == 1)
            #expect(try await rig.state(id)?.state == MessageState.failed.rawValue)
        }
    }

    @Test("A message whose key was destroyed has its rows, and is found by its source alone")
    func erased() async throws {
        try await Self.with(.sqlite) { rig in
            try rig.message(1)
            rig.commit()
            for id in rig.keys.keys(before: .max) { try rig.keys.destroy(id: id) }
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(projector.figures.read.unopened == 1)
            #expect(try await rig.counts(["message", "lookup"]) == [1, 1])
        }
    }

    @Test(
        "A busy quarter of an hour is cut into parts; every message is found through them, once, also after a restart and a repair",
        arguments: SQLStore.Engine.allCases)
    func searchParts(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            // Batches of 20 records or what is read at once, parts of 12 messages; each projector begins with nothing remembered.
            for round in 0..<4 {
                for number in round * 40..<(round + 1) * 40 {
                    try rig.put(
                        .accepted(.init(receivedAt: rig.now)), rig.id(number), .queued, payload: rig.payload(number % 50), source: 7)
                }
                rig.commit()
                try await rig.projector(batch: 20, searchPart: 12).catchUp()
            }
            #expect(try await rig.count("lookup") == 160 * 3)
            let parts = try await rig.count("lookup_part")
            #expect((3...14).contains(parts))
            // By number, by reference, by source: newest first, none twice.
            let hashes = SearchHashes(rig.keys)
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(9).to)) == [159, 109, 59, 9].map { rig.id($0) })
            #expect(try await rig.search(.reference, hashes.reference("r-20")) == [120, 70, 20].map { rig.id($0) })
            let ofSource = try await rig.walked(.source(7), steps: 7)
            #expect(ofSource == (0..<160).reversed().map { rig.id($0) })
            for number in [0, 11, 12, 60, 159] {
                let (id, hash) = (rig.id(number), hashes.phone(rig.payload(number % 50).to))
                #expect(try await rig.has(.phone, hash, id))
                #expect(try await !rig.has(.phone, hash &+ 1, id))
            }
            // Rows that were written before keep their places.
            try await rig.store.transaction { try $0.define("DELETE FROM lookup WHERE kind % 16 = 2") }
            try await rig.projector(batch: 33, searchPart: 3).repair()
            #expect(try await rig.count("lookup") == 160 * 3)
            #expect(try await rig.count("lookup_part") == parts)
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(9).to)) == [159, 109, 59, 9].map { rig.id($0) })
            // What is forgotten goes from every part.
            let entry = [SearchSlot.of(rig.id(100).milliseconds), 7].map { SQLValue.integer($0) }
            let range = [SQLValue.bytes(rig.id(100).bytes), .bytes(rig.id(100).with(ordinal: .max).bytes)]
            let dropped = try await rig.store.transaction {
                try $0.run(HistoryStatements.dropEntry, [entry[0], .number(SearchKind.source.rawValue), entry[1]] + range)
            }
            #expect(dropped == 1)
            let addresses = try await RetentionSteps(store: rig.store, classes: [.transactional], field: .addresses)
                .run(SearchSlot.of(rig.id(100).milliseconds))
            #expect(addresses == 320)
            #expect(try await rig.count("lookup") == 159)
        }
    }

    @Test(
        "A cursor that is ahead of the log is an entry of the audit, and what comes is written: never skipped in silence",
        arguments: SQLStore.Engine.allCases)
    func cursorAhead(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            for number in 0..<10 { try rig.message(number) }
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.audit().isEmpty)
            try await rig.store.transaction {
                try $0.define("UPDATE cursor SET sequence = sequence + 1000 WHERE follower = 'history' AND partition = 3")
            }
            for number in 10..<20 { try rig.message(number) }
            rig.commit()
            let projector = rig.projector()
            try await projector.catchUp()
            #expect(try await rig.count("notification") == 20)
            #expect(try await rig.count("receipt") == 20)
            #expect(try await rig.counted() == 80)
            let entries = try await rig.audit()
            #expect(entries.count == 1)
            #expect(try entries.first?.text("act") == "history.gap")
            #expect(try entries.first?.text("outcome").hasPrefix("cut-back") == true)
            #expect(projector.figures.read.gaps == 1)
            // Said once.
            try rig.message(20)
            rig.commit()
            try await rig.projector().catchUp()
            #expect(try await rig.audit().count == 1)
            #expect(try await rig.count("notification") == 21)
        }
    }
}
