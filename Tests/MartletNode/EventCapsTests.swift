import Guard
import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// Caps of a real node, with its log on disk, asked by many sources at once. Judged by what left, not by what the node says of it.
@Suite("Caps of events under many sources", .serialized)
struct EventCapsTests {
    private static let sources = SourceNumber(1)...32
    /// Of the bank's rulebook: two offers a day.
    private static let most = 2

    /// Each source reports its events one after the other, all of them at once.
    /// - Returns: how many were told, by customer.
    private func report(_ rig: Rig, _ customers: @escaping @Sendable (SourceNumber) -> [Int]) async throws -> [Int: Int] {
        try await withThrowingTaskGroup(of: [Int: Int].self) { group in
            for source in EventCapsTests.sources {
                group.addTask {
                    var told: [Int: Int] = [:]
                    for customer in customers(source) {
                        guard case .accepted(_, let parts) = try await rig.offer("C-\(customer)", source: source) else {
                            throw Rig.Unexpected()
                        }
                        if parts > 0 { told[customer, default: 0] += 1 }
                    }
                    return told
                }
            }
            return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        }
    }

    /// Messages that left, by customer.
    private func left(_ rig: Rig, _ connection: NIOLoopBound<FakeConnection>) throws -> [Int: Int] {
        try rig.run { _ in
            connection.value.handed.reduce(into: [:]) { $0[Int($1.to.digits - EventBank.phone(0)), default: 0] += 1 }
        }
    }

    @Test("One customer whom 32 sources write to at once gets no more than the cap allows, over a crash; and the next when the day is over")
    func one() async throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let first = try rig.connect(window: 100)
        #expect(try await report(rig) { _ in Array(repeating: 1, count: 10) } == [1: EventCapsTests.most])
        #expect(try rig.wait { _ in first.value.handed.count == EventCapsTests.most })

        let next = try Rig(at: try rig.crashImage())
        #expect(try left(rig, first) == [1: EventCapsTests.most])
        try rig.stop()
        try next.use(try EventBank.book())
        let second = try next.connect(window: 100)
        #expect(try await report(next) { _ in [1, 1, 2] } == [2: EventCapsTests.most])
        // What the crash took from the way out to the first customer may go once more; nothing else goes to them.
        #expect(try next.wait { _ in second.value.handed.count { $0.to.digits == EventBank.phone(2) } == EventCapsTests.most })
        let again = try next.run { _ in Set(second.value.handed.filter { $0.to.digits == EventBank.phone(1) }.map(\.id)) }
        #expect(try rig.run { _ in again.isSubset(of: Set(first.value.handed.map(\.id))) })

        let later = try Rig(at: try next.crashImage()) { $0.clock = SystemClock(ahead: 86_500_000_000) }
        try next.stop()
        try later.use(try EventBank.book())
        _ = try later.connect(window: 100)
        #expect(try await report(later) { _ in [1, 2] } == [1: EventCapsTests.most, 2: EventCapsTests.most])
        try later.stop()
    }

    @Test("Events and ready texts of 32 sources at once: what leaves to one customer is no more than the cap allows, over a crash")
    func texts() async throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let first = try rig.connect(window: 100)
        try await mix(rig)
        #expect(try rig.wait { _ in first.value.handed.count == EventCapsTests.most })
        try await mix(rig)
        #expect(try left(rig, first) == [1: EventCapsTests.most])

        let next = try Rig(at: try rig.crashImage())
        let ids = try rig.run { _ in Set(first.value.handed.map(\.id)) }
        try rig.stop()
        try next.use(try EventBank.book())
        let second = try next.connect(window: 100)
        try await mix(next)
        #expect(try next.run { _ in Set(second.value.handed.map(\.id)) }.isSubset(of: ids))
        try next.stop()
    }

    @Test(
        "Ready texts of 32 sources to a number that nobody has, and to one that two customers share: no more than the cap allows, over a crash"
    )
    func numbers() async throws {
        let bank = try EventBank()
        try bank.writeBase(2, 3, phone: { EventBank.phone($0 == 2 ? 1 : $0) })
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let first = try rig.connect(window: 100)
        let (nobodys, shared) = (EventBank.phone(77), EventBank.phone(1))
        func write(_ rig: Rig) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for source in EventCapsTests.sources {
                    group.addTask {
                        for to in [nobodys, shared, nobodys, shared] {
                            guard case .accepted = try await rig.text(to, source: source) else { throw Rig.Unexpected() }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        try await write(rig)
        #expect(try rig.wait { _ in first.value.handed.count == 2 * EventCapsTests.most })
        #expect(try left(rig, first) == [1: EventCapsTests.most, 77: EventCapsTests.most])
        #expect(try rig.run { $0.engine.capMoments.count } == 2 * EventCapsTests.most)
        // Each of the two has had as many as may be, by texts to the number that they share.
        #expect(try await report(rig) { _ in [1, 2] }.isEmpty)

        let next = try Rig(at: try rig.crashImage())
        let ids = try rig.run { _ in Set(first.value.handed.map(\.id)) }
        try rig.stop()
        try next.use(try EventBank.book())
        let second = try next.connect(window: 100)
        try await write(next)
        #expect(try next.run { $0.engine.numberCapMoments.count } == EventCapsTests.most)
        #expect(try next.run { _ in Set(second.value.handed.map(\.id)) }.isSubset(of: ids))
        try next.stop()
    }

    @Test("The number of a customer who was erased is nobody's: texts to it count from there on, by the number")
    func erased() async throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let first = try rig.connect(window: 100)
        for _ in 0..<3 { _ = try await rig.text(EventBank.phone(2), source: 1) }
        #expect(try rig.wait { _ in first.value.handed.count == EventCapsTests.most })
        try bank.subjects.erase([2], time: 1)
        for _ in 0..<3 { _ = try await rig.text(EventBank.phone(2), source: 1) }
        #expect(try rig.wait { _ in first.value.handed.count == 2 * EventCapsTests.most })
        #expect(try rig.run { $0.engine.numberCapMoments.count } == EventCapsTests.most)
        try rig.stop()
    }

    /// Every other source writes its offers itself.
    private func mix(_ rig: Rig) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in EventCapsTests.sources {
                group.addTask {
                    for _ in 0..<5 {
                        let it =
                            source % 2 == 0
                            ? try await rig.offer("C-1", source: source) : try await rig.text(EventBank.phone(1), source: source)
                        guard case .accepted = it else { throw Rig.Unexpected() }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("A thousand customers, each written to by many sources at once: none gets more than the cap allows, before and after a crash")
    func thousand() async throws {
        let bank = try EventBank(customers: 1000)
        let rig = try Rig(at: bank.place)
        try rig.use(try EventBank.book())
        let first = try rig.connect(window: 4000)
        /// Every fourth customer, beginning elsewhere for each source, so that eight of them write to each.
        @Sendable func some(_ source: SourceNumber) -> [Int] {
            (0..<250).map { index in 1 + (Int(source) % 4 + 4 * ((index + Int(source) * 37) % 250)) }
        }
        let told = try await report(rig, some)
        // The third has no number.
        #expect(told.count == 999 && told[3] == nil && told.values.allSatisfy { $0 == EventCapsTests.most })
        #expect(try rig.wait { _ in first.value.handed.count == 999 * EventCapsTests.most })
        let before = try left(rig, first)
        #expect(before == told)

        let next = try Rig(at: try rig.crashImage())
        try rig.stop()
        try next.use(try EventBank.book())
        let second = try next.connect(window: 4000)
        #expect(try await report(next) { source in Array(some(source).prefix(40)) }.isEmpty)
        // What the crash took from the way out goes once more, flagged; nobody gets another offer.
        let ids = try next.run { _ in Set(second.value.handed.map(\.id)) }
        #expect(try rig.run { _ in ids.isSubset(of: Set(first.value.handed.map(\.id))) })
        try next.stop()
    }
}

extension Rig {
    /// An offer of a source, from whatever task.
    fileprivate func offer(_ customer: String, source: SourceNumber) async throws -> Acceptance {
        let node = node
        let promise = loop.makePromise(of: Acceptance.self)
        loop.execute {
            guard var event = node.value.submission("offer", customer, "", 0, "r") else { return promise.fail(Unexpected()) }
            event.source = source
            node.value.submit(event: event) { promise.succeed($0) }
        }
        return try await promise.futureResult.get()
    }

    /// An offer that its source wrote itself.
    fileprivate func text(_ to: UInt64, source: SourceNumber) async throws -> Acceptance {
        let node = node
        let promise = loop.makePromise(of: Acceptance.self)
        loop.execute {
            let it = Submission(
                source: source, messageClass: .marketing, to: PhoneNumber(digits: to), from: "HARBOUR", text: "An offer",
                receivedAt: node.value.now())
            node.value.submit(it) { promise.succeed($0) }
        }
        return try await promise.futureResult.get()
    }
}
