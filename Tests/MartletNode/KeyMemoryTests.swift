import Journal
import MartletModel
import Testing

@testable import MartletNode

@Suite("Key filter and memory")
struct KeyMemoryTests {
    /// A well-mixed 64-bit number for each small one.
    static func hash(_ number: Int) -> UInt64 {
        var z = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    @Test("What was inserted is never denied, over several filters; what was not is affirmed in less than two of a hundred cases")
    func filter() {
        var filter = KeyFilter()
        #expect(filter.hits(1) == 0)
        let count = 3 * KeyFilter.leastCapacity
        for number in 0..<count { filter.insert(KeyMemoryTests.hash(number), segment: UInt32(1 + number / 100_000), milliseconds: 5) }
        #expect(filter.count == count && filter.filterCount == 3)
        #expect(filter.bytes == count * 2)
        #expect((0..<count).allSatisfy { filter.hits(KeyMemoryTests.hash($0)) != 0 })
        let wrong = (count..<count + 20_000).count { filter.hits(KeyMemoryTests.hash($0)) != 0 }
        #expect(wrong < 400, "\(wrong) of 20,000")
        // Each filter says of which segments its hashes are.
        for number in stride(from: 0, to: count, by: 997) {
            let segments = filter.segments(filter.hits(KeyMemoryTests.hash(number)))
            #expect(segments.contains { $0.contains(UInt32(1 + number / 100_000)) })
        }
    }

    @Test("A filter goes when its newest hash is too old, with all it holds")
    func filterExpires() {
        var filter = KeyFilter()
        let capacity = KeyFilter.leastCapacity
        for number in 0..<capacity + 1 { filter.insert(KeyMemoryTests.hash(number), segment: 1, milliseconds: Int64(number)) }
        #expect(filter.expire(before: Int64(capacity) - 1).isEmpty)
        #expect(filter.expire(before: Int64(capacity)).count == 1)
        #expect(filter.count == 1 && filter.filterCount == 1)
        #expect(filter.hits(KeyMemoryTests.hash(0)) == 0 && filter.hits(KeyMemoryTests.hash(capacity)) == 1)
    }

    static func id(_ milliseconds: Int64) -> MessageID { MessageID(milliseconds: milliseconds, partition: 3, random: 77) }

    static func remembered(_ milliseconds: Int64, position: UInt64 = 0) -> KeyMemory.Remembered {
        .init(body: 9, id: id(milliseconds), parts: 3, position: position)
    }

    @Test("A key is known from its acceptance on and forgotten when it is too old; then it may be used anew")
    func age() throws {
        let memory = KeyMemory(keptMicroseconds: 1_000_000, limit: 100)
        func now(_ milliseconds: Int64) -> Instant { Instant(wall: milliseconds * 1000, steady: 0) }
        guard case .new = memory.find(5, now(10)) else { throw Rig.Unexpected() }
        memory.remember(5, KeyMemoryTests.remembered(10, position: 1 << 32 | 4096), at: 1 << 32 | 4096)
        guard case .known(let found) = memory.find(5, now(1010)), found == KeyMemoryTests.remembered(10, position: 1 << 32 | 4096) else {
            throw Rig.Unexpected()
        }
        guard case .new = memory.find(5, now(1011)) else { throw Rig.Unexpected() }
        memory.remember(5, KeyMemoryTests.remembered(1011), at: 2 << 32)
        guard case .known(let again) = memory.find(5, now(1500)), again.id.milliseconds == 1011 else { throw Rig.Unexpected() }

        // One segment after the other is settled; one whose keys are too old leaves no run.
        #expect(memory.finished(before: 1)?.segment == nil)
        let first = try #require(memory.finished(before: 3))
        #expect(first.segment == 1 && first.count == 1)
        #expect(first.entries(since: 10) == [RunEntry(5, KeyMemoryTests.remembered(10))])
        #expect(first.entries(since: 11).isEmpty)
        #expect(!memory.isSettled(1) && memory.isSettled(7))
        memory.settled(1, nil)
        #expect(memory.isSettled(1) && memory.finished(before: 3)?.segment == 2 && memory.finished(before: 2)?.segment == nil)
        #expect(memory.expire(now(2011)).filters.isEmpty)
        #expect(memory.expire(now(2012)).filters.count == 1 && memory.count == 0)
    }

    @Test(
        "An entry of a run holds id and parts in one; a record without key says nothing, one of an event what makes it the same as another, too"
    )
    func entry() {
        func keys(_ header: RecordHeader, _ body: RecordBody) -> [UInt64: KeyMemory.Remembered] {
            var found: [UInt64: KeyMemory.Remembered] = [:]
            KeyMemory.Remembered.each(of: Record(header: header, body: body)) { found[$0] = $1 }
            return found
        }
        let remembered = KeyMemoryTests.remembered(1_795_370_649_000)
        #expect(KeyMemory.Remembered(RunEntry(4, remembered)) == remembered)
        var header = RecordHeader(kind: .accepted, parts: 3, id: KeyMemoryTests.id(1_795_370_649_000), at: 1)
        let body = RecordBody.accepted(.init(receivedAt: 1))
        #expect(keys(header, body).isEmpty)
        header.keyHash = 4
        header.bodyHash = 9
        #expect(keys(header, body) == [4: remembered])
        let several = RecordBody.accepted(.init(receivedAt: 1, partsOnAir: 7))
        #expect(keys(header, several)[4]?.parts == 7)
        header.kind = .ended
        #expect(keys(header, .ended(.init(state: .failed, reason: .refused))).isEmpty)

        header.kind = .decided
        var event = RecordBody.Decided(stage: .fresh, outcome: .told, event: 1, release: 7, subject: 1, partsOnAir: 2)
        #expect(keys(header, .decided(event)).keys.sorted() == [4] && keys(header, .decided(event))[4]?.parts == 2)
        event.duplicate = 6
        #expect(keys(header, .decided(event)).keys.sorted() == [4, 6] && keys(header, .decided(event))[6]?.id == header.id.notification)
        // What was the same is not the first of its kind; what was not told for another reason is.
        (event.outcome, event.reason) = (.suppressed, .noContact)
        #expect(keys(header, .decided(event)).count == 2)
        event.reason = .duplicateEvent
        #expect(keys(header, .decided(event)).keys.sorted() == [4])
        event.stage = .release
        #expect(keys(header, .decided(event)).isEmpty)
    }
}
