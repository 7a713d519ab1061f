import Guard
import Logging
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("Customers: ending an erasure in the history") struct ErasureEndingTests {
    private static let boss = Caller(name: "principal:boss", rights: Set(Right.allCases), reason: "asked by the person")

    /// Seconds after the wish.
    private static func ending(
        _ rig: HistoryRig, _ customers: Customers, after seconds: Int64, oldest: Int64? = nil,
        isProjected: @escaping @Sendable () async throws -> Bool = { true }
    ) -> ErasureEnding {
        let desk = Desk(store: rig.store, chain: "test", now: { (HistoryRig.now + seconds * 1000) * 1000 })
        return ErasureEnding(
            desk.customers(customers.vault), isProjected: isProjected,
            oldest: { oldest }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private static func open(_ rig: HistoryRig) async throws -> Int {
        try await rig.store.read { try $0.rows(ErasureStatements.open, [.integer(.max), .number(100)]).count }
    }

    @Test(
        "What comes to the history behind an erasure is forgotten there; what was accepted later stays", arguments: SQLStore.Engine.allCases
    )
    func late(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: Self.boss)
            try await customers.erase(customer.id, by: Self.boss)
            // Of the log's last moments, and of whoever has the number next.
            let (late, later) = (HistoryRig.Message(minutesAgo: 0.01, number: 1), HistoryRig.Message(minutesAgo: -5, number: 2))
            try await rig.put([late, later])
            // The node may not have heard of it yet; then the history is not level yet.
            #expect(try await Self.ending(rig, customers, after: 1).end() == nil)
            #expect(try await Self.open(rig) == 1)
            #expect(try await Self.ending(rig, customers, after: 3, isProjected: { false }).end() == HistoryRig.now)
            #expect(try await rig.all(["phone": "+447700900123"]).ids.contains(late.id.notification))

            #expect(try await Self.ending(rig, customers, after: 3).end() == nil)
            #expect(try await Self.open(rig) == 0)
            #expect(try await rig.all(["phone": "+447700900123"]).ids.contains(late.id.notification) == false)
            let story = try await rig.history.story(late.id, reveals: true, by: Self.boss)
            #expect(story.item.content == .erased && story.item.text == nil)
            let kept = try await rig.history.story(later.id, reveals: true, by: Self.boss)
            #expect(kept.item.text == later.text)
        }
    }

    @Test(
        "It is done again when the log was projected anew, and forgotten when the log begins behind it", arguments: SQLStore.Engine.allCases
    )
    func again(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: Self.boss)
            try await customers.erase(customer.id, by: Self.boss)
            _ = try await Self.ending(rig, customers, after: 3).end()
            let back = HistoryRig.Message(minutesAgo: 5)
            try await rig.put([back])
            _ = try await rig.store.transaction { try $0.run(ErasureStatements.again) }
            #expect(try await Self.open(rig) == 1)
            _ = try await Self.ending(rig, customers, after: 60).end()
            #expect(try await rig.all(["phone": "+447700900123"]).ids.isEmpty)

            func remembered() async throws -> Int {
                _ = try await rig.store.transaction { try $0.run(ErasureStatements.again) }
                return try await Self.open(rig)
            }
            let month: Int64 = 30 * 86_400
            try await Self.ending(rig, customers, after: month, oldest: HistoryRig.now - 1).drop()
            #expect(try await Self.open(rig) == 0)
            #expect(try await remembered() == 1)
            _ = try await Self.ending(rig, customers, after: month).end()
            try await Self.ending(rig, customers, after: month, oldest: HistoryRig.now + month * 1000).drop()
            #expect(try await remembered() == 0)
        }
    }

    @Test(
        "A key goes behind the entry of its erasure and never before it; what was cut short in between is ended, with an address or without",
        arguments: SQLStore.Engine.allCases)
    func key(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let subjects = customers.vault.subjects
            var bare = CustomerWish()
            bare.reference = "40-2"
            let ids = [
                try await customers.add(HistoryRig.customer("40-1"), by: Self.boss).id, try await customers.add(bare, by: Self.boss).id,
            ]
            func erasures() async throws -> Int {
                try await rig.store.read { session in
                    try session.rows(StoreStatements.auditForward, [.number(0), .number(100)])
                        .count { try $0.text("act") == AuditAct.customerErased.rawValue }
                }
            }
            // The transaction with its entry fails: the customer is there as before.
            try await rig.tamper("ALTER TABLE audit RENAME TO elsewhere")
            for id in ids { await #expect(throws: DeskFault.self) { try await customers.erase(id, by: Self.boss) } }
            try await rig.tamper("ALTER TABLE elsewhere RENAME TO audit")
            #expect(ids.allSatisfy { subjects.key($0).key != nil })
            for id in ids { #expect(try await customers.get(id, by: Self.boss).id == id) }
            // A row of `erasure` that somebody put there destroys nothing.
            try await rig.tamper("INSERT INTO erasure (subject, kind, hash, shared, wished_at) VALUES (\(ids[0]), 2, 1, 0, 1)")
            _ = try await Self.ending(rig, customers, after: 3).end()
            #expect(subjects.key(ids[0]).key != nil)
            #expect(try await erasures() == 0)

            // The desk ends between the transaction and the key. That waits for no history.
            for id in ids { try await customers.eraseRow(id, at: HistoryRig.now * 1000, by: Self.boss) }
            #expect(ids.allSatisfy { subjects.key($0).key != nil })
            #expect(try await erasures() == 2)
            #expect(try await Self.ending(rig, customers, after: 3, isProjected: { false }).end() == HistoryRig.now)
            #expect(ids.allSatisfy { subjects.key($0).key == nil })
            #expect(try await Self.ending(rig, customers, after: 3).end() == nil)
            #expect(try await Self.open(rig) == 0)
            #expect(try await erasures() == 2)
        }
    }

    @Test("It works by itself until it is ended, and says when the history does not get on")
    func runs() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: Self.boss)
            try await customers.erase(customer.id, by: Self.boss)
            let rounds = Atomic(0)
            let ending = Self.ending(rig, customers, after: 7200) { rounds.add(1, ordering: .relaxed).newValue > 2 }
            let task = Task { try await ending.run(pause: .milliseconds(1)) }
            while try await Self.open(rig) > 0 { await Task.yield() }
            task.cancel()
            await #expect(throws: (any Error).self) { try await task.value }
            #expect(rounds.load(ordering: .relaxed) == 3)
        }
    }

    @Test("Of more addresses than one look takes no customer is ended by half", arguments: SQLStore.Engine.allCases)
    func pages(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            // 512 a look: the ninth of ten customers with 60 addresses each is cut through.
            _ = try await rig.store.transaction { session in
                for number in 0..<600 {
                    try session.run(
                        ErasureStatements.add,
                        [.number(number / 60 + 1), .number(SearchKind.phone.rawValue), .number(number), .number(0), .integer(1)])
                }
            }
            func open() async throws -> Int {
                try await rig.store.read { try $0.rows(ErasureStatements.open, [.integer(.max), .number(1000)], maximum: 1000).count }
            }
            #expect(try await Self.ending(rig, customers, after: 3).end() == nil)
            #expect(try await open() == 120)
            #expect(try await Self.ending(rig, customers, after: 3).end() == nil)
            #expect(try await open() == 0)
        }
    }

    @Test("An erasure that names an unknown kind of address is no erasure of ours")
    func tampered() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let customers = try rig.customers()
            try await rig.tamper("INSERT INTO erasure (subject, kind, hash, shared, wished_at) VALUES (1, 99, 1, 0, 1)")
            await #expect(throws: DeskFault.tampered(noun: "erasure", key: "1")) { try await Self.ending(rig, customers, after: 3).end() }
        }
    }
}
