import MartletModel
import Testing

@testable import MartletEngine

/// One engine of two, as each of two hot loops has one; the worlds run both.
@Suite("Engines that share the partitions")
struct PartitionsTests {
    private static func number(in partitions: Range<PartitionNumber>, of engine: borrowing Engine) -> PhoneNumber {
        var number = Rig.number
        while !partitions.contains(engine.lookups.partition(of: number)) { number = PhoneNumber(digits: number.digits + 1) }
        return number
    }

    @Test("A number and its messages belong to the engine that has their partition, and to no other")
    func owns() {
        let (low, high) = (Rig { $0.partitions = 0..<16 }, Rig { $0.partitions = 16..<32 })
        let number = PartitionsTests.number(in: 16..<32, of: low.engine)
        #expect(!low.engine.owns(number) && high.engine.owns(number))
        guard case .accepted(let id, _) = high.verdict(to: number) else {
            Issue.record("not accepted")
            return
        }
        #expect(high.engine.owns(id) && !low.engine.owns(id))
    }

    @Test("Marks, sums and receipts without a message stand in the first partition that the engine owns")
    func home() {
        let rig = Rig { $0.partitions = 16..<32 }
        #expect(rig.hear("stranger", .delivered).records.map(\.header.partition) == [16])
        _ = rig.verdict(to: PartitionsTests.number(in: 16..<32, of: rig.engine))
        #expect(rig.step { $0.engine.stateLedgers(&$0.turn) }.map(\.header.partition) == [16])
        #expect(rig.step { $0.engine.mark(.init(what: .started), &$0.turn) }.map(\.header.partition) == [16])
    }

    @Test("In replay the records of partitions that others own are passed over")
    func replay() throws {
        let rig = Rig { $0.partitions = 16..<32 }
        _ = rig.verdict(to: PartitionsTests.number(in: 16..<32, of: rig.engine))
        rig.commit()
        for (partitions, open) in [(PartitionNumber(0)..<16, 0), (16..<32, 1), (0..<32, 1)] {
            var configuration = rig.configuration
            configuration.partitions = partitions
            var other = Engine(configuration, now: rig.now, seed: 1)
            for (position, bytes) in rig.log {
                other.apply(try bytes.withUnsafeBytes { try Record(reading: $0) }, at: position, rig.now)
            }
            #expect(other.openCount == open && (other.counts.replayedRecords > 0) == (open > 0))
        }
    }

    @Test("An engine knows the receipts of its open messages by their id, and of no others")
    func knows() throws {
        let rig = Rig()
        rig.accept()
        rig.answer(try #require(rig.hand()), .accepted(providerID: "a"))
        func knows(_ id: String) -> Bool { rig.engine.knows(Heard(group: 1, providerID: id, state: .delivered, error: 0)) }
        #expect(knows("a") && !knows("b"))
        rig.hear("a", .delivered)
        #expect(!knows("a"))
    }

    @Test("The newest receipts without a message are named for a start to look for")
    func strays() {
        let rig = Rig()
        for id in ["a", "b", "c"] { rig.hear(id, .delivered) }
        #expect(rig.engine.strays(limit: 2).map(\.providerID) == ["b", "c"])
        #expect(rig.engine.strays(limit: 9).count == 3)
    }
}
