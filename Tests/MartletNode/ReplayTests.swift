import Foundation
import Guard
import Journal
import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// Decisions of a real log, decided again.
@Suite("Deciding a log again", .serialized)
struct ReplayTests {
    private let now = SystemClock().now().wall

    /// The same rules whenever they are compiled.
    private func book(_ number: Int64 = 7, quiet: Bool = true) throws -> DecisionBook {
        let source = try EventBank.source(number, quiet: quiet, now: now)
        return try #require(DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: { _ in nil }).book)
    }

    /// A node's log with decisions of every outcome by two releases, after the node is gone; `place` is its installation.
    private func log(_ change: (Rig, EventBank) throws -> Void = { _, _ in }) throws -> (place: String, bank: EventBank, decisions: Int) {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try book())
        try rig.run { $0.set(connected: [1]) }
        var events: [(key: String, customer: String, text: String)] = []
        for number in 0..<20 { events.append(("payment", number % 5 == 0 ? "C-9" : "C-\(1 + number % 3)", "shop \(number / 2)")) }
        for number in 0..<6 { events.append(("offer", number % 2 == 0 ? EventBank.ada : EventBank.bob, "")) }
        for _ in 0..<2 { events.append(("payment", EventBank.ada, "twice")) }
        for number in 0..<4 { events.append(("statement", EventBank.ada, "month \(number)")) }
        _ = try rig.report(events)
        try change(rig, bank)
        let image = try rig.crashImage()
        try rig.stop()
        // Two hours later another release decides what was held.
        let next = try Rig(at: image) { $0.clock = SystemClock(ahead: 7_200_000_000) }
        try next.use(try book(8))
        let connection = try next.connect(window: 100)
        try next.run { $0.start() }
        #expect(try next.wait { _ in connection.value.handed.filter { $0.text.contains("month") }.count == 4 })
        try next.stop()
        return (image, bank, events.count + 4)
    }

    private static func name(_ segment: UInt32) -> String {
        let digits = String(segment)
        return String(repeating: "0", count: 10 - digits.count) + digits + ".log"
    }

    private func keys(_ place: String, _ bank: EventBank) throws -> RecordKeys {
        RecordKeys(
            days: try KeyStore(directory: "\(place)/data/keys", master: bank.master, access: .reader),
            subjects: try SubjectKeys(directory: "\(place)/data/keys/subjects", master: bank.master, access: .reader))
    }

    private func books() throws -> @Sendable (UInt32) async -> DecisionBook? {
        let known = [7: try book(), 8: try book(8)] as [UInt32: DecisionBook]
        return { known[$0] }
    }

    private func run(
        _ place: String, _ bank: EventBank, from: Int64 = .min, until: Int64 = .max, other: DecisionReplay.Other? = nil,
        books: (@Sendable (UInt32) async -> DecisionBook?)? = nil
    ) async throws -> ReplayReport {
        let replay = DecisionReplay(from: from, until: until, other: other, books: try books ?? self.books())
        return try await replay.run(RecordedDecisions("\(place)/data/journal", keys: try keys(place, bank)))
    }

    @Test("Every decision of a log comes out as it was recorded, over a crash and two releases; a stretch of time has its own")
    func same() async throws {
        let (place, bank, decisions) = try log()
        var told = 0
        let replay = DecisionReplay(books: try books())
        let report = try await replay.run(RecordedDecisions("\(place)/data/journal", keys: try keys(place, bank))) { told = $0.records }
        #expect(report.decisions == decisions && report.compared == decisions && report.differences == 0, "\(report.different)")
        #expect(report.isSound && !report.isTrimmed && report.damage.isEmpty && report.erased == 0)
        // Each text by another compile of the same release: byte for byte.
        #expect(report.texts == 20 && report.unknownTexts.isEmpty)
        #expect(report.oldest > 0 && report.newest > report.oldest + 7_000_000_000 && told == report.records)
        let middle = report.oldest + 3_600_000_000
        let early = try await run(place, bank, until: middle)
        let late = try await run(place, bank, from: middle)
        #expect(late.decisions == 4 && early.decisions == decisions - 4)
    }

    @Test("Decided by other rules than those that decided it, a decision differs, and is named with what it was and is")
    func differences() async throws {
        let (place, bank, decisions) = try log()
        // What release 7 held, this one would have told.
        let loud = try book(quiet: false)
        let report = try await run(place, bank, books: { _ in loud })
        #expect(report.differences == 4 && report.different.count == 4 && !report.isSound && report.compared == decisions)
        let one = try #require(report.different.first)
        #expect(one.recorded.words == "held" && one.again.words == "told" && one.fields.contains(.outcome) && one.release == 7)
        // A release that nobody has any more leaves its decisions aside, and says how many.
        let known = try books()
        let without = try await run(place, bank, books: { $0 == 8 ? nil : await known($0) })
        #expect(without.missing == [8: 4] && without.compared == decisions - 4 && without.differences == 0 && !without.isSound)
    }

    @Test(
        "A text that the same rules would write otherwise is a difference of the text; one with the customer's name in it is not compared, and counted"
    )
    func texts() async throws {
        let (place, bank, decisions) = try log()
        func book(_ from: String, _ to: String) throws -> DecisionBook {
            let source = try EventBank.source(7, quiet: true, now: now).changed(from, to)
            let (_, book, findings) = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: { _ in nil })
            guard let book else { throw EventBank.Faulty(findings: findings) }
            return book
        }
        let worded = try book("{{amount}} at {{shop}}", "{{amount}} at {{shop}}.")
        let report = try await run(place, bank, books: { _ in worded })
        #expect(report.compared == decisions && report.different.contains { $0.fields == .text && $0.recorded == $0.again })
        #expect(report.texts == 20 && !report.isSound && report.different.allSatisfy { $0.fields == .text || $0.release == 8 })
        let named = try book(
            "{{amount}} at {{shop}}", "{{#customer.givenName}}{{customer.givenName}}: {{/customer.givenName}}{{amount}} {{shop}}")
        let unnamed = try await run(place, bank, books: { _ in named })
        let count = unnamed.unknownTexts[.name] ?? 0
        #expect(count > 5 && unnamed.texts == 20 - count && unnamed.unknownTexts.count == 1)
    }

    @Test(
        "The same events under the same release, in another engine that knows nothing of the first: the messages are the same byte for byte"
    )
    func sameBytes() async throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        func told(_ rig: Rig) throws -> [[UInt8]] {
            try rig.use(try book(quiet: false))
            let connection = try rig.connect(window: 100)
            let events = (0..<10).map { ("payment", $0 % 2 == 0 ? EventBank.ada : EventBank.bob, "shop \($0) Zürich №\($0)") }
            _ = try rig.report(events + [("statement", EventBank.ada, "März"), ("offer", EventBank.bob, "")])
            #expect(try rig.wait { _ in connection.value.handed.count == 12 })
            return try rig.run { _ in
                connection.value.handed.map { [UInt8]("\($0.to.digits)|\($0.from)|\($0.text)".utf8) }.sorted {
                    $0.lexicographicallyPrecedes($1)
                }
            }
        }
        let image = try rig.crashImage()
        let first = try told(rig)
        let path = try rig.crashImage()
        try rig.stop()
        // From the empty log of then: the caps and duplicates of the first are unknown to it.
        let next = try Rig(at: image)
        #expect(try told(next) == first && Set(first).count == 12)
        try next.stop()
        // And written once more from the records of the first.
        let loud = try book(quiet: false)
        let report = try await run(path, bank, books: { _ in loud })
        #expect(report.texts == 12 && report.differences == 0 && report.unknownTexts.isEmpty)
    }

    @Test("Of an erased customer nothing can be opened: such decisions are counted, and are no damage")
    func erased() async throws {
        let (place, bank, decisions) = try log()
        let subjects = try SubjectKeys(directory: "\(place)/data/keys/subjects", master: bank.master, access: .owner(create: false))
        try subjects.erase([1], time: 1)
        let report = try await run(place, bank)
        #expect(report.erased > 8 && report.compared == decisions - report.erased && report.isSound)
        // Without any key of a customer it cannot be told from damage.
        let days = RecordKeys(days: try KeyStore(directory: "\(place)/data/keys", master: bank.master, access: .reader), subjects: nil)
        let closed = try await DecisionReplay(books: try books()).run(RecordedDecisions("\(place)/data/journal", keys: days))
        #expect(
            closed.damagedCount > report.erased && closed.damage.count == min(ReplayReport.named, closed.damagedCount) && !closed.isSound)
        #expect(closed.damage.first?.id != nil && closed.damage.first?.reason.contains("key") == true)
    }

    @Test("Bytes of a record that rotted are named, with how much is lost; the others are compared")
    func damaged() async throws {
        let (place, bank, decisions) = try log()
        let path = "\(place)/data/journal"
        var decided: [Position] = []
        var at: Position = 0
        let follower = Follower(path)
        while true {
            let step = try follower.read(from: at) { position, bytes in
                if bytes.first == RecordKind.decided.rawValue { decided.append(position) }
            }
            if step.isAtEnd { break }
            at = step.next
        }
        let file = "\(path)/\(Self.name(decided[4].journalSegment))"
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
        bytes[Int(decided[4].journalOffset) + 120] ^= 1
        try Data(bytes).write(to: URL(filePath: file))
        let report = try await run(place, bank)
        #expect(report.damagedCount >= 1 && !report.isSound && report.compared == decisions - 1 && report.differences == 0, "\(report)")
        #expect(report.damage.first.map { !$0.reason.isEmpty && $0.position > 0 } == true)
    }

    @Test("A log without its beginning says so; one that nobody has written to holds nothing")
    func trimmed() async throws {
        let (place, bank, decisions) = try log { rig, _ in
            _ = try rig.report((0..<3000).map { ("payment", "C-9", "shop \($0)") })
        }
        let whole = try await run(place, bank)
        #expect(whole.decisions == decisions + 3000)
        let path = "\(place)/data/journal"
        try FileManager.default.removeItem(atPath: "\(path)/\(Self.name(1))")
        let rest = try await run(place, bank)
        #expect(rest.isTrimmed && rest.decisions < whole.decisions && rest.isSound)
        let empty = try await DecisionReplay(books: { _ in nil }).run(
            RecordedDecisions("\(place)/nothing", keys: try keys(place, bank)))
        #expect(empty.decisions == 0 && empty.oldest == 0 && empty.isSound)
    }

    @Test("Under another rulebook it says which rule would change what: before and after, parts, and for whom")
    func other() async throws {
        let (place, bank, decisions) = try log()
        func other(_ book: DecisionBook) -> DecisionReplay.Other {
            DecisionReplay.Other(book: book, count: { Engine.TextCount(parts: 1 + $0.utf8.count / 160, submits: 1) }, limit: 10)
        }
        let same = try await run(place, bank, other: other(try book(9)))
        let unchanged = try #require(same.changes)
        #expect(
            unchanged.count == 0 && unchanged.changed.isEmpty && unchanged.release == 9 && unchanged.parts.before == unchanged.parts.after)
        #expect(unchanged.uncertain == 0 && unchanged.unknownParts == 0)

        let loud = try await run(place, bank, other: other(try book(9, quiet: false)))
        let changes = try #require(loud.changes)
        #expect(loud.compared == decisions && loud.isSound && changes.count == 4)
        #expect(changes.outcomes[.held]?.before == 4 && changes.outcomes[.held]?.after == 0)
        #expect(changes.rules[.quietHours] == .init(before: 4, after: 0) && changes.rules[.cap]?.before == 2)
        #expect(
            changes.reasons[.capReached] == .init(before: 2, after: 2) && changes.reasons[.duplicateEvent] == .init(before: 1, after: 1))
        #expect(changes.parts.after == changes.parts.before + 4)
        let (kind, change) = try #require(changes.changed.first)
        #expect(changes.changed.count == 1 && kind.event == 2 && kind.before.rule == .quietHours && kind.after.outcome == .told)
        #expect(change.count == 4 && change.ids.count == 4 && change.parts == .init(before: 0, after: 4))
        #expect(kind.before < kind.after || kind.after < kind.before)
        #expect(changes.events[2] == .init(decisions: 8, changed: 4, told: .init(before: 4, after: 8)))
        #expect(changes.events.values.map(\.decisions).reduce(0, +) == decisions && changes.events.values.map(\.changed).reduce(0, +) == 4)
        #expect(changes.segments[0]?.decisions == decisions && changes.segments[0]?.changed == 4 && changes.segments.count == 1)

        // Each of them as it is found, and none where nothing changes.
        var found: [ReplayChanges.Changed] = []
        let replay = DecisionReplay(other: other(try book(9, quiet: false)), books: try books())
        _ = try await replay.run(
            RecordedDecisions("\(place)/data/journal", keys: try keys(place, bank)), changed: { found.append($0) })
        #expect(
            found.map(\.id) == change.ids && found.allSatisfy { $0.event == 2 && $0.customer == 1 && $0.segment == 0 && !$0.isUncertain })
        #expect(found.allSatisfy { $0.before == kind.before && $0.after == kind.after && $0.fields == kind.fields && $0.at > 0 })
        struct Full: Error {}
        await #expect(throws: Full.self) {
            _ = try await replay.run(
                RecordedDecisions("\(place)/data/journal", keys: try self.keys(place, bank)), changed: { _ in throw Full() })
        }
    }
}
