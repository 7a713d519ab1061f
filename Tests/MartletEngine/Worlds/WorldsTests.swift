import Glibc
import MartletModel
import Testing

@testable import MartletEngine

@Suite("Seeded worlds of the engine")
struct WorldsTests {
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    @Test("No law breaks in any seeded world of crashes, drops, late and double answers, trims and clock jumps")
    func worlds() async {
        if let seed = WorldsTests.number("MARTLET_SEED") {
            let faults = World(seed: seed).live()
            #expect(faults.isEmpty, "world \(seed): \(faults.joined(separator: "; "))")
            return
        }
        let count = WorldsTests.number("MARTLET_WORLDS") ?? 200
        let next = Counter()
        let broken = await withTaskGroup(of: [(UInt64, [String])].self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var broken: [(UInt64, [String])] = []
                    while case let seed = await next.take(), seed <= count, broken.count < 5 {
                        let faults = World(seed: seed).live()
                        if !faults.isEmpty { broken.append((seed, faults)) }
                    }
                    return broken
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        for (seed, faults) in broken.sorted(by: { $0.0 < $1.0 }) {
            Issue.record("world \(seed): \(faults.joined(separator: "; "))\n  again: make worlds SEED=\(seed)")
        }
    }

    @Test("The same seed gives the same world")
    func repeatable() {
        for seed in UInt64(1)...3 {
            let first = World(seed: seed)
            let second = World(seed: seed)
            #expect(first.live() == second.live())
            #expect(first.loops.map { $0.log.whole.map(\.bytes) } == second.loops.map { $0.log.whole.map(\.bytes) })
        }
    }

    @Test("The worlds meet every answer to an inquiry, messages settled by one, taken back by their source and past their deadline")
    func inquiries() {
        var results: Set<UInt8> = []
        var (settled, cancelled, withdrawn) = (0, 0, 0)
        for seed in UInt64(1)...260 {
            let world = World(seed: seed)
            #expect(world.live().isEmpty)
            for (_, bytes) in world.loops.flatMap(\.log.whole) {
                guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { continue }
                switch record.body {
                case .asked(let it): results.insert(it.result.code)
                case .receipt(let it) where it.isAnswer: settled += 1
                case .ended(let it) where it.reason == .withdrawn: withdrawn += 1
                case .ended(let it) where it.reason == .cancelledBySource:
                    if world.checker.card(record.header.id)?.forgotten != 0 { cancelled += 1 }
                default: break
                }
            }
        }
        #expect(results == [1, 2, 3, 4, 5], "state, cancelled, refused, not known, silent")
        #expect(settled > 3 && withdrawn > 3 && cancelled > 3, "\(settled) settled, \(withdrawn) withdrawn, \(cancelled) cancelled")
    }

    @Test(
        "The worlds meet steps that follow, arrive in place of the first, race it, are held, and are not needed any more; trims with open plans"
    )
    func steps() {
        var (told, arrived, held, notNeeded, suppressed, flagged, carried, over) = (0, 0, 0, 0, 0, 0, 0, 0)
        for seed in stride(from: UInt64(2), through: 160, by: 2) {
            let world = World(seed: seed)
            #expect(world.live().isEmpty, "world \(seed)")
            for (_, bytes) in world.loops.flatMap(\.log.whole) {
                guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { continue }
                let isStep = record.header.id.ordinal != 0
                switch record.body {
                case .decided(let it) where isStep:
                    switch it.outcome {
                    case .told:
                        told += 1
                        if record.header.flags.contains(.possibleDuplicate) { flagged += 1 }
                    case .held: held += 1
                    case .suppressed: suppressed += 1
                    }
                case .carried(let it):
                    if isStep { carried += 1 }
                    if it.event?.role.contains(.ownOver) ?? false { over += 1 }
                case .ended(let it) where isStep && it.reason == .notNeeded: notNeeded += 1
                case .ended(let it) where !isStep && it.state == .delivered: arrived += 1
                default: break
                }
            }
        }
        #expect(
            min(told, arrived, held, notNeeded, suppressed, flagged, carried, over) > 3,
            "\(told) told, \(arrived) arrived, \(held) held, \(notNeeded) not needed, \(suppressed) suppressed, \(flagged) flagged, \(carried), \(over) carried"
        )
    }

    @Test("A node that releases effects before their records are durable turns the checker red")
    func canary() {
        let red = (UInt64(1)...20).filter { !World(seed: $0, sabotage: .releasesBeforeDurable).live().isEmpty }
        #expect(red.count >= 6)
    }

    @Test("A node that says yes before the record is durable turns the checker red once it crashes")
    func earlyYes() {
        let red = (UInt64(1)...60).filter { seed in
            World(seed: seed, sabotage: .answersBeforeDurable).live().contains { $0.contains("is not in the log") }
        }
        #expect(!red.isEmpty)
    }

    @Test("With two loops, one that keeps to itself what it hears leaves messages without their receipts, and the checker sees it")
    func hearsAlone() {
        #expect(isSeen(.hearsAlone, "never found it") { $0.loops.count == 2 })
    }

    @Test("With two loops that each give a source its whole quota, the checker sees it")
    func sharesNothing() {
        #expect(isSeen(.sharesNothing, "parts of its") { $0.loops.count == 2 && !$0.checker.quotas.isEmpty })
    }

    private func isSeen(_ sabotage: World.Sabotage, _ words: String, where suits: (World) -> Bool) -> Bool {
        for seed in UInt64(1)...300 {
            let world = World(seed: seed, sabotage: sabotage)
            if suits(world), world.live().contains(where: { $0.contains(words) }) { return true }
        }
        return false
    }

    @Test("Some seeded worlds have two loops: one dies alone, receipts and messages from handsets come by the other, quotas are shared")
    func twoLoops() {
        var (alone, handed, overtook, inbound, shares, single) = (0, 0, 0, 0, 0, 0)
        for seed in UInt64(1)...60 where min(alone, handed, overtook, inbound, shares, single) == 0 {
            let world = World(seed: seed)
            if world.loops.count == 1 {
                single += 1
                continue
            }
            _ = world.live()
            alone += world.diedAlone
            handed += world.handedOver
            overtook += world.overtook
            inbound += world.inboundHandedOver
            shares += world.sharesMoved
        }
        #expect(min(alone, handed, overtook, inbound, shares, single) > 0)
    }

    @Test("Through an hour without its database, and over crashes, the history counts each record once and comes to the engine's own state")
    func hour() {
        var mostBehind = 0
        for seed in [UInt64(15), 39, 63] {
            let world = World(seed: seed)
            #expect(world.live().isEmpty)
            let projectors = world.loops.compactMap(\.projector)
            #expect(!projectors.isEmpty && projectors.allSatisfy { $0.longest >= 3_600_000_000 && $0.passedOver == 0 })
            #expect(world.restarts > 0 && world.loops.contains { $0.log.trimmedBefore > 1 })
            mostBehind = projectors.map(\.mostBehind).reduce(mostBehind, max)
        }
        #expect(mostBehind > 200, "hardly anything happened in the hour")
    }

    @Test("A log over its cap goes on without the history, which then says how many records it lacks")
    func overCap() {
        let lacking = (UInt64(1)...200).filter { seed in
            seed % 12 == 9 && { $0.live().isEmpty && $0.loops.contains { $0.projector?.passedOver ?? 0 > 0 } }(World(seed: seed))
        }
        #expect(!lacking.isEmpty)
    }

    @Test("A node that trims what the history lacks turns the checker red")
    func trimsUnread() {
        #expect(isSeen(.trimsUnread, "never was over its cap") { $0.hasHistory })
    }

    @Test("A desk that makes a transaction again whose answer was lost turns the checker red")
    func countsAgain() {
        #expect(isSeen(.countsAgain, "records twice") { $0.hasHistory })
    }

    @Test("Messages that wait while their customers are erased end cancelled, with that reason, or went out before")
    func erased() {
        var ends: [MessageState: Int] = [:]
        for seed in stride(from: UInt64(2), through: 300, by: 5) {
            let world = World(seed: seed)
            #expect(world.live().isEmpty, "world \(seed)")
            for card in world.checker.cards.values where card.end?.reason == .customerErased {
                ends[card.end?.state ?? .queued, default: 0] += 1
            }
        }
        #expect(ends[.cancelled] ?? 0 > 3, "\(ends)")
    }

    @Test("Without the credit marks a crash leaves duplicates unflagged, and the checker sees it")
    func withoutMarks() {
        let red = (UInt64(1)...60).filter { seed in
            World(seed: seed, sabotage: .forgetsMarks).live().contains { $0.contains("not flagged") }
        }
        #expect(!red.isEmpty)
    }
}

private actor Counter {
    private var last: UInt64 = 0
    func take() -> UInt64 {
        last += 1
        if last.isMultiple(of: 10_000) { print("world \(last)") }
        return last
    }
}
