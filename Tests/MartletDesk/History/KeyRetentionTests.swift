import MartletModel
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("History: keys of class and day whose time is over") struct KeyRetentionTests {
    private static let day: Int64 = 86_400_000

    @Test("A class's keys may go a day after the last message of theirs was forgotten, by the shorter of text and rows")
    func days() {
        let rules: [HistoryRetention.Rule] = [
            .init(messageClass: .otp, text: 7 * Self.day, addresses: 30 * Self.day, rows: 400 * Self.day),
            .init(messageClass: .marketing, text: 90 * Self.day, addresses: 90 * Self.day, rows: 30 * Self.day),
            .init(messageClass: .service, text: .max, addresses: .max, rows: .max),
        ]
        // Any moment of day 20,780.
        for moment in [0, Self.day - 1] {
            let days = KeyRetention.days(rules, now: 20_780 * Self.day + moment)
            #expect(days[.otp] == 20_772 && days[.marketing] == 20_749 && days[.security] == nil)
            // The last message of the newest key that may go is older than its time.
            #expect(20_772 * Self.day - 1 + 7 * Self.day < 20_780 * Self.day)
            #expect((days[.service] ?? 0) < 0)
        }
    }

    @Test(
        "The node is asked when the history has all of the log, and what it destroyed is an entry of the audit",
        arguments: SQLStore.Engine.allCases)
    func run(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let rules = MessageClass.allCases.map {
                HistoryRetention.Rule(messageClass: $0, text: Self.day, addresses: Self.day, rows: Self.day)
            }
            let asked = Mutex<[[MessageClass: Int32]]>([])
            func pass(projected: Bool, _ forget: @escaping KeyRetention.Forget) async throws -> Int {
                try await KeyRetention(rig.desk, rules: rules, isProjected: { projected }, forget: forget).run()
            }
            let five: KeyRetention.Forget = { days in
                asked.withLock { $0.append(days) }
                return 5
            }
            #expect(try await pass(projected: false, five) == 0)
            #expect(asked.withLock { $0.isEmpty })
            #expect(try await pass(projected: true) { _ in 0 } == 0)
            #expect(try await rig.audit().isEmpty)
            #expect(try await pass(projected: true, five) == 5)
            #expect(asked.withLock { $0.first?.count } == MessageClass.allCases.count)
            let entries = try await rig.audit()
            #expect(try entries.map { try $0.text("act") } == ["history.retained"])
            #expect(try entries.map { try $0.text("outcome") } == ["5 of class and day"])
        }
    }
}
