import Foundation
import Journal
import MartletEngine
import MartletModel
import NIOCore
import SMSText
import Synchronization
import Testing

@testable import MartletNode

extension Rig {
    /// Hands in one message under a key; `body` stands for its bytes.
    func keyed(
        _ key: String, body: UInt64 = 1, text: String = "Hello", operation: Idempotency.Operation = .submit, line: UInt32 = 0,
        source: SourceNumber = 7, to: UInt64 = 447_700_900_123
    ) throws -> Acceptance {
        try keyed([(key, body)], text: text, operation: operation, line: line, source: source, to: to)[0]
    }

    /// Hands in several in one turn of the loop.
    func keyed(
        _ keys: [(key: String, body: UInt64)], text: String = "Hello", operation: Idempotency.Operation = .submit, line: UInt32 = 0,
        source: SourceNumber = 7, to: UInt64 = 447_700_900_123
    ) throws -> [Acceptance] {
        let node = node
        let promises = keys.map { _ in loop.makePromise(of: Acceptance.self) }
        loop.execute {
            for (key, promise) in zip(keys, promises) {
                let submission = Submission(
                    source: source, messageClass: .transactional, to: PhoneNumber(digits: to), from: "HARBOUR", text: text,
                    receivedAt: node.value.now(),
                    idempotency: Idempotency(operation: operation, key: key.key, line: line, bodyHigh: key.body, bodyLow: 2))
                node.value.submit(submission) { promise.succeed($0) }
            }
        }
        return try promises.map { try $0.futureResult.wait() }
    }

    /// Fills segments until a few are finished.
    func fill(_ count: Int = 1200) throws {
        let text = String(repeating: "x", count: 1400)
        for _ in 0..<count { _ = try submit(text) }
    }

    /// The files of runs of keys, by segment.
    func runFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(directory)/data/idempotency").filter { $0.hasSuffix(".run") }.sorted()
    }
}

extension Acceptance {
    var accepted: MessageID? { if case .accepted(let id, _) = self { id } else { nil } }
    var repeated: MessageID? { if case .repeated(let id, _) = self { id } else { nil } }
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

@Suite("Idempotency keys", .serialized)
struct KeyedTests {
    @Test("A second try gets the first answer; another body, source, operation or line is another matter; a refusal is not remembered")
    func scope() throws {
        let rig = try Rig { $0.engine.routes = Routes([.init(prefix: "44", group: 1)]) }
        let long = String(repeating: "x", count: 200)
        guard case .accepted(let id, 2) = try rig.keyed("k", text: long) else { throw Rig.Unexpected() }
        guard case .repeated(id, 2) = try rig.keyed("k", text: long) else { throw Rig.Unexpected() }
        #expect(try rig.keyed("k", body: 2).refusal == .keyReused)
        let others = [
            try rig.keyed("K").accepted, try rig.keyed("k", source: 8).accepted, try rig.keyed("k", operation: .batch).accepted,
            try rig.keyed("k", operation: .batch, line: 1).accepted,
        ]
        #expect(Set(others.compactMap { $0 }).count == 4)
        #expect(try rig.keyed("k", operation: .batch, line: 1).repeated == others[3])
        #expect(try rig.keyed("r", to: 33_612_345_678).refusal == .noRoute)
        #expect(try rig.keyed("r").accepted != nil)
        #expect(try rig.run { $0.openMessages } == 6)
        let metrics = try rig.run { $0.metricsText() }
        #expect(metrics.contains("martlet_idempotency_repeated_total 2"))
        #expect(metrics.contains("martlet_refused_total{reason=\"key_reused\"} 1"))
        #expect(metrics.contains("martlet_idempotency_keys 6"))
        try rig.stop()
        #expect(try rig.keyed("k", text: long).refusal == .stopping)
    }

    @Test("While the first request has no answer a second hears so, unless its body can never be right")
    func inFlight() throws {
        let rig = try Rig()
        let answers = try rig.keyed([("a", 1), ("a", 1), ("a", 2), ("b", 1)])
        #expect(answers[0].accepted != nil && answers[3].accepted != nil)
        #expect(answers[1].refusal == .keyInFlight(retryAfterSeconds: 1))
        #expect(answers[2].refusal == .keyReused)
        #expect(try rig.keyed("a").repeated == answers[0].accepted)
        try rig.stop()
    }

    @Test("After a crash, and after that again from its run, a key has the answer it had")
    func restart() throws {
        let rig = try Rig()
        let ids = try (0..<20).map { try #require(try rig.keyed("k\($0)").accepted) }
        let next = try Rig(at: try rig.crashImage())
        for number in 0..<20 { #expect(try next.keyed("k\(number)").repeated == ids[number]) }
        #expect(try next.wait { $0.keys.runs.count == 1 })
        // Now from the file, all in one turn of the loop.
        let before = try next.run { $0.keys.looked }
        let answers = try next.keyed((0..<20).map { ("k\($0)", 1) } + [("k3", 2), ("k3", 1)])
        #expect(answers[..<20].map(\.repeated) == ids)
        #expect(answers[20].refusal == .keyInFlight(retryAfterSeconds: 1) && answers[21].refusal == .keyInFlight(retryAfterSeconds: 1))
        #expect(try next.keyed("k3", body: 2).refusal == .keyReused)
        #expect(try next.run { $0.keys.looked } == before + 21)
        #expect(try next.run { $0.metricsText() }.contains("martlet_idempotency_lookups_total \(before + 21)"))
        #expect(try next.keyed("new").accepted != nil)
        try next.stop()
        let third = try Rig(at: try next.crashImage())
        for number in 0..<20 { #expect(try third.keyed("k\(number)").repeated == ids[number]) }
        try third.stop()
        try rig.stop()
    }

    @Test("A second try hears of the same parts before and after a restart, from records and from a run, where one submit carries several")
    func partsOnAir() throws {
        func rig(_ image: String? = nil) throws -> Rig {
            try Rig(at: image) { $0.engine.texts = Texts([1: TextRules(options: TextOptions(concatenation: .payload))]) }
        }
        let text = String(repeating: "x", count: 400)
        let first = try rig()
        guard case .accepted(let id, 3) = try first.keyed("k", text: text) else { throw Rig.Unexpected() }
        guard case .repeated(id, 3) = try first.keyed("k", text: text) else { throw Rig.Unexpected() }
        #expect(try first.run { $0.metricsText() }.contains("martlet_source_parts_today{source=\"source-7\"} 3"))
        // From the records of its segment.
        let second = try rig(try first.crashImage())
        guard case .repeated(id, 3) = try second.keyed("k", text: text) else { throw Rig.Unexpected() }
        #expect(try second.run { $0.metricsText() }.contains("martlet_source_parts_today{source=\"source-7\"} 3"))
        #expect(try second.wait { $0.keys.runs.count == 1 })
        guard case .repeated(id, 3) = try second.keyed("k", text: text) else { throw Rig.Unexpected() }
        // From the run, which is also what a damaged one is made anew from.
        let third = try rig(try second.crashImage())
        guard case .repeated(id, 3) = try third.keyed("k", text: text) else { throw Rig.Unexpected() }
        #expect(try third.run { try $0.parts.keyWork.scan($0.keys.runs[0].segment).map(\.key.parts) } == [3])
        for rig in [first, second, third] { try rig.stop() }
    }

    @Test("A key outlives the segment of its message")
    func trimmed() throws {
        let rig = try Rig { $0.keepMicroseconds = 1 }
        try rig.run { $0.start() }
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { _ in .refused(status: 1) } }
        let id = try #require(try rig.keyed("old").accepted)
        try rig.fill()
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        #expect(try rig.runFiles().contains("0000000001.run"))
        #expect(try rig.keyed("old").repeated == id)
        #expect(try rig.story(id) == nil)
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(try next.keyed("old").repeated == id)
        #expect(try next.keyed("old", body: 7).refusal == .keyReused)
        try next.stop()
    }

    @Test("Keys that are too old are forgotten, their runs removed")
    func expiry() throws {
        let rig = try Rig { $0.keysKeptMicroseconds = 30_000_000 }
        let id = try #require(try rig.keyed("k").accepted)
        try rig.stop()
        let image = try rig.crashImage()
        let next = try Rig(at: image) { $0.keysKeptMicroseconds = 30_000_000 }
        #expect(try next.wait { $0.keys.runs.count == 1 })
        #expect(try next.keyed("k").repeated == id)
        try next.stop()
        let late = try Rig(at: try next.crashImage()) { $0.keysKeptMicroseconds = -1_000_000 }
        #expect(try late.run { $0.keys.runs.count } == 1)
        try late.run { $0.start() }
        #expect(try late.wait { $0.keys.runs.isEmpty && $0.keys.count == 0 })
        for _ in 0..<6000 where try !late.runFiles().isEmpty { usleep(10_000) }
        #expect(try late.runFiles().isEmpty)
        #expect(try late.keyed("k").accepted != id)
        try late.stop()
    }

    @Test("As many keys are kept as are allowed; then only requests without one are taken")
    func limit() throws {
        let rig = try Rig { $0.keyMaximum = 2 }
        let id = try rig.keyed("a").accepted
        _ = try rig.keyed("b")
        #expect(try rig.keyed("c").refusal == .full(retryAfterSeconds: 60))
        #expect(try rig.keyed("a").repeated == id)
        _ = try rig.accepted()
        try rig.stop()
    }

    @Test("A key that the filter affirms by chance is looked up and taken")
    func chance() throws {
        let rig = try Rig()
        _ = try rig.keyed("k")
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(try next.wait { $0.keys.runs.count == 1 })
        try next.run { node in
            let hash = node.lookups.key(Idempotency(operation: .submit, key: "by chance", bodyHigh: 1, bodyLow: 2), of: 7)
            node.keys.take(RunEntry(hash, KeyMemoryTests.remembered(node.now().wallMilliseconds)), segment: node.keys.runs[0].segment)
        }
        let answers = try next.keyed([("by chance", 1), ("by chance", 1)])
        #expect(answers[0].accepted != nil && answers[1].refusal == .keyInFlight(retryAfterSeconds: 1))
        #expect(try next.keyed("by chance").repeated == answers[0].accepted)
        try next.stop()
    }

    /// Flips one bit of the run's first page.
    private func damage(_ rig: Rig, _ name: String = "0000000001.run") throws {
        let path = "\(rig.directory)/data/idempotency/\(name)"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[4100] ^= 1
        try bytes.write(to: URL(filePath: path))
    }

    @Test("A run that rots is made anew from its segment; until then a key that may be in it is not taken")
    func rot() throws {
        let rig = try Rig()
        let id = try #require(try rig.keyed("k").accepted)
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(try next.wait { $0.keys.runs.count == 1 })
        let name = try #require(try next.runFiles().first)
        try damage(next, name)
        #expect(try next.keyed("k").refusal == .storage(retryAfterSeconds: 5))
        var answer = try next.keyed("k")
        for _ in 0..<6000 where answer.repeated == nil {
            #expect(answer.refusal == .storage(retryAfterSeconds: 5))
            usleep(10_000)
            answer = try next.keyed("k")
        }
        #expect(answer.repeated == id)
        try next.stop()

        // Damaged before a start: made anew at once.
        try damage(next, name)
        let third = try Rig(at: try next.crashImage())
        #expect(try third.keyed("k").repeated == id)
        #expect(try third.run { $0.keys.failures } == 0)
        try third.stop()
    }

    @Test(
        "A run that rots behind a trimmed segment: its keys are refused while it is open, and forgotten, with an alarm, at the next start")
    func rotBehindTrim() throws {
        let rig = try Rig { $0.keepMicroseconds = 1 }
        try rig.run { $0.start() }
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { _ in .refused(status: 1) } }
        let id = try #require(try rig.keyed("old").accepted)
        try rig.fill()
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        try damage(rig)
        #expect(try rig.keyed("old").refusal == .storage(retryAfterSeconds: 5))
        #expect(try rig.wait { $0.keys.failures == 1 })
        #expect(try rig.keyed("old").refusal == .storage(retryAfterSeconds: 5))
        try rig.stop()
        let next = try Rig(at: try rig.crashImage())
        #expect(try next.run { $0.keys.failures } == 1)
        let again = try next.keyed("old").accepted
        #expect(again != nil && again != id)
        try next.stop()
    }

    @Test("When runs cannot be written keys stay in memory, the journal keeps their segments, and the trouble is counted")
    func unwritable() throws {
        let broken = Mutex(true)
        let rig = try Rig { options in
            let rename = options.disk.rename
            options.keepMicroseconds = 1
            options.disk.rename = { from, to in
                to.contains("/idempotency/") && broken.withLock { $0 } ? -EIO : rename(from, to)
            }
        }
        try rig.run { $0.start() }
        let connection = try rig.connect(window: 100, answering: false)
        try rig.run { _ in connection.value.answer = { _ in .refused(status: 1) } }
        let id = try #require(try rig.keyed("k").accepted)
        try rig.fill()
        #expect(try rig.wait { $0.keys.failures > 0 })
        #expect(try rig.keyed("k").repeated == id)
        usleep(1_200_000)
        #expect(try rig.run { $0.takeJournal().segments.first?.number } == 1)
        broken.withLock { $0 = false }
        try rig.run { $0.keys.retryAt = .min }
        #expect(try rig.wait { $0.keys.runs.count == 1 })
        #expect(try rig.wait { $0.takeJournal().segments.first.map { $0.number > 1 } ?? false })
        #expect(try rig.keyed("k").repeated == id)
        try rig.stop()
    }
}
