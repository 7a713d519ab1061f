import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("History: retention") struct RetentionTests {
    private static let day: Int64 = 86_400_000

    private func rules(text: Int64, addresses: Int64, rows: Int64) -> [HistoryRetention.Rule] {
        MessageClass.allCases.map { .init(messageClass: $0, text: text, addresses: addresses, rows: rows) }
    }

    /// The desk so many milliseconds after the messages.
    private func desk(_ rig: ProjectorRig, after milliseconds: Int64) -> Desk {
        let moment = rig.now + milliseconds * 1000
        return Desk(store: rig.store, chain: "martlet-test", now: { moment })
    }

    @Test("Each field goes when its time is over and not before, and a second pass finds nothing", arguments: SQLStore.Engine.allCases)
    func fields(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            for number in 0..<700 { try rig.message(number, end: number % 7 == 0 ? .failed : .delivered) }
            var words = rig.payload(1)
            words.reference = ""
            try rig.put(.inbound(.init(total: 1, number: 0)), rig.id(9000), .received, flags: .ends, payload: words)
            rig.commit()
            try await rig.projector().catchUp()
            let rules = rules(text: Self.day, addresses: 2 * Self.day, rows: 3 * Self.day)
            let hashes = SearchHashes(rig.keys)
            func pass(_ days: Double) async throws -> HistoryRetention.Report {
                try await HistoryRetention(desk(rig, after: Int64(days * Double(Self.day))), rules: rules, reached: { .max }).run()
            }
            #expect(try await pass(0.5) == HistoryRetention.Report())
            #expect(try await pass(1.1) == HistoryRetention.Report(texts: 701))
            #expect(try await rig.rows(HistoryStatements.messages, rig.id(5)).first?.bytes("sealed") == [])
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(5).to)) == [rig.id(5)])
            #expect(try await pass(1.2) == HistoryRetention.Report())
            #expect(try await pass(2.1) == HistoryRetention.Report(addresses: 1401))
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(5).to)) == [])
            #expect(try await rig.count("lookup") == 701)
            #expect(try await rig.state(rig.id(5))?.told == ToldOutcome.heard.rawValue)
            #expect(try await pass(3.1) == HistoryRetention.Report(rows: 701))
            #expect(try await rig.counts(ProjectorTests.tables) == [0, 0, 0, 0, 0, 0, 0, 0])
            #expect(try await rig.audit().map { try $0.text("act") } == Array(repeating: "history.retained", count: 3))
        }
    }

    @Test("A class with a rule of its own goes alone", arguments: SQLStore.Engine.allCases)
    func classes(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try rig.message(1)
            rig.commit()
            try await rig.projector().catchUp()
            let other = HistoryRetention.Rule(messageClass: .marketing, text: 1, addresses: 1, rows: 1)
            let late = desk(rig, after: 10 * Self.day)
            #expect(try await HistoryRetention(late, rules: [other], reached: { .max }).run() == HistoryRetention.Report())
            let own = HistoryRetention.Rule(messageClass: .transactional, text: 1, addresses: 1, rows: 1)
            #expect(
                try await HistoryRetention(late, rules: [other, own], reached: { .max }).run()
                    == HistoryRetention.Report(texts: 1, addresses: 2, rows: 1))
            #expect(try await rig.count("notification") == 0)
        }
    }

    @Test(
        "Counts of an hour go when their class's time is over, a class for itself, and the audit says how many",
        arguments: SQLStore.Engine.allCases)
    func counts(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let hour = rig.now / 1000 / TrafficFold.millisecondsOfHour
            func put(_ hours: Int64, _ messageClass: MessageClass) async throws {
                try await rig.store.transaction { session in
                    try session.run(
                        StatisticsStatements.add,
                        [
                            .integer(hour - hours), .number(7), .number(messageClass.rawValue), .number(1), .number(2), .number(0),
                            .number(0),
                        ]
                            + Array(repeating: .number(5), count: 5))
                }
            }
            for hours: Int64 in [0, 24, 47, 48, 49, 1000, 20_000] {
                try await put(hours, .otp)
                try await put(hours, .marketing)
            }
            var rule = HistoryRetention.Rule(messageClass: .otp, text: Self.day, addresses: Self.day, rows: Self.day, counts: 2 * Self.day)
            let report = try await HistoryRetention(desk(rig, after: 0), rules: [rule], reached: { .max }).run()
            #expect(report == HistoryRetention.Report(counts: 3))
            #expect(try await rig.count("traffic") == 11)
            #expect(try await rig.audit().last?.text("outcome").hasSuffix("3 counts") == true)
            #expect(try await HistoryRetention(desk(rig, after: 0), rules: [rule], reached: { .max }).run() == HistoryRetention.Report())
            #expect(try await HistoryRetention(desk(rig, after: 3 * Self.day), rules: [rule], reached: { .max }).run().counts == 4)
            // Without a time they stay for good.
            (rule.messageClass, rule.counts) = (.marketing, nil)
            #expect(try await HistoryRetention(desk(rig, after: 9000 * Self.day), rules: [rule], reached: { .max }).run().counts == 0)
            #expect(try await rig.count("traffic") == 7)
        }
    }

    @Test("However busy a quarter of an hour was, a step of it is bounded, and all that is to go goes", arguments: SQLStore.Engine.allCases)
    func steps(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            for number in 0..<2600 {
                rig.messageClass = number % 5 == 0 ? .marketing : .transactional
                try rig.message(number)
            }
            rig.commit()
            try await rig.projector().catchUp()
            let slot = SearchSlot.of(rig.id(0).milliseconds)
            #expect(SearchSlot.of(rig.id(2599).milliseconds) == slot)
            func forget(_ field: RetentionSteps.Field) async throws -> (done: Int, steps: [Int]) {
                let steps = Mutex<[Int]>([])
                var forgetting = RetentionSteps(store: rig.store, classes: [.transactional], field: field)
                forgetting.stepped = { count in steps.withLock { $0.append(count) } }
                return (try await forgetting.run(slot), steps.withLock { $0 })
            }
            let texts = try await forget(.text)
            #expect(texts.done == 2080 && texts.steps.reduce(0, +) == 2080)
            #expect(texts.steps.max() == RetentionSteps.idsInStep)
            let entries = try await forget(.addresses)
            #expect(entries.done == 2 * 2080 && entries.steps.reduce(0, +) == entries.done)
            #expect(entries.steps.max() == RetentionSteps.entriesInStep)
            let rows = try await forget(.rows)
            #expect(rows.done == 2080)
            #expect(rows.steps.max() == RetentionSteps.entriesInStep && rows.steps.reduce(0, +) == 2080 + 2080)
            #expect(try await rig.counts(["notification", "lookup"]) == [520, 3 * 520])
        }
    }

    @Test("A pass ends where the history ends, and goes on when it has more", arguments: SQLStore.Engine.allCases)
    func reached(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let hour = 3_600_000
            try rig.message(1)
            rig.commit()
            try await rig.projector().catchUp()
            // The database is away: these wait in the log.
            let waiting = rig.now / 1000 + Int64(hour)
            for hours in 1...3 {
                rig.now += Int64(hour) * 1000
                try rig.message(hours * hour)
            }
            rig.commit()
            let late = desk(rig, after: 2 * Self.day)
            let reach = HistoryReach(late, journal: "\(rig.directory)/journal")
            #expect(try await reach.moment() == waiting)
            let rules = rules(text: Self.day, addresses: 30 * Self.day, rows: 30 * Self.day)
            func pass() async throws -> Int { try await HistoryRetention(late, rules: rules) { try await reach.moment() }.run().texts }
            #expect(try await pass() == 1)
            try await rig.projector().catchUp()
            #expect(try await reach.moment() == late.nowMilliseconds)
            #expect(try await pass() == 3)
            #expect(try await rig.rows(HistoryStatements.messages, rig.id(3 * hour)).first?.bytes("sealed") == [])
            // Where it is not known what the history has, nothing goes.
            let unknown = HistoryRetention(desk(rig, after: 90 * Self.day), rules: rules) { nil }
            #expect(try await unknown.run() == HistoryRetention.Report())
        }
    }

    @Test("What the log brings back past its time is forgotten again", arguments: SQLStore.Engine.allCases)
    func again(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            try rig.message(1)
            rig.commit()
            try await rig.projector().catchUp()
            let late = desk(rig, after: 2 * Self.day)
            let rules = rules(text: Self.day, addresses: 30 * Self.day, rows: 30 * Self.day)
            func pass() async throws -> Int { try await HistoryRetention(late, rules: rules, reached: { .max }).run().texts }
            func text() async throws -> [UInt8]? { try await rig.rows(HistoryStatements.messages, rig.id(1)).first?.bytes("sealed") }
            #expect(try await pass() == 1)
            try await rig.projector().repair()
            #expect(try await text() != [])
            #expect(try await pass() == 1)
            #expect(try await text() == [])
        }
    }

    @Test("PostgreSQL drops a month that no class wants any more")
    func months() async throws {
        try await ProjectorTests.with(.postgres) { rig in
            for number in 0..<20 { try rig.message(number) }
            rig.commit()
            try await rig.projector().catchUp()
            let rules = rules(text: Self.day, addresses: Self.day, rows: Self.day)
            let report = try await HistoryRetention(desk(rig, after: 60 * Self.day), rules: rules, reached: { .max }).run()
            #expect(report.months >= 1 && report.rows == 0 && report.texts == 0)
            await #expect(throws: SQLFault.self) { try await rig.count("notification_2026_11") }
            #expect(try await rig.count("notification") == 0)
        }
    }
}
