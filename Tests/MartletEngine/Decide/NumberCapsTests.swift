import MartletModel
import Testing

@testable import MartletEngine

/// What numbers have had of a cap, against a list of moments that is counted through.
@Suite("Caps by number")
struct NumberCapsTests {
    typealias Counter = CapLedger.Counter
    private let offers = Counter(key: 1, most: 3, within: 3600)

    @Test("As many count as the list of moments says, while places of numbers come and go")
    func model() {
        var caps = NumberCaps()
        var dice = SplitMix(state: 4711)
        var model: [(number: UInt64, at: Int64)] = []
        var wall: Int64 = 0
        for _ in 0..<20_000 {
            wall += Int64(dice.next() % 4) * 1_000_000
            // From all shards, and some of the same ones again.
            let number = (dice.next() % 3000 + 1) &* 0x9E37_79B9_7F4A_7C15
            let had = model.count { $0.number == number && wall - $0.at < 3600_000_000 }
            #expect(caps.count(of: offers, for: number, at: wall) == min(had, 3))
            if had < 3 {
                #expect(caps.reserve(offers, for: number, at: wall) == UInt32(wall / 1_000_000))
                model.append((number, wall))
            }
            caps.sweep()
            if model.count > 4000 { model.removeFirst(1000) }
        }
        #expect(caps.numbers <= 3000 && !caps.isEmpty)
    }

    @Test("What counts no more gives its place to another number, and takes no memory for long")
    func places() {
        var caps = NumberCaps()
        for round in 0..<5 {
            let now = Int64(round) * 4_000_000_000
            for number in 1...2000 { _ = caps.reserve(offers, for: UInt64(round * 2000 + number) << 40, at: now) }
            for _ in 0..<4 { caps.sweep() }
            #expect(caps.numbers == 2000 && caps.count == 2000)
        }
    }

    @Test("A full ledger says so, and counts no number that has no room")
    func full() {
        var caps = NumberCaps(maximum: 40)
        for number in 1...100 { _ = caps.reserve(offers, for: UInt64(number) << 50, at: 1_000_000) }
        #expect(caps.isFull && caps.count <= 40 && caps.numbers <= 40)
        #expect(caps.count(of: offers, for: 1 << 50, at: 1_000_000) == 1 && caps.count(of: offers, for: 99 << 50, at: 1_000_000) == 0)
        #expect(caps.count(of: offers, for: 0, at: 1_000_000) == 0)
    }

    @Test("Moments stand in the segments of their records, and are told of by number")
    func standing() {
        var caps = NumberCaps()
        _ = caps.reserve(offers, for: 5 << 52, at: 1_000_000)
        caps.placed(offers, for: 5 << 52, at: 1, in: 3)
        caps.moved(offers, for: 6 << 52, at: 2, to: 3, isNew: true)
        caps.placed(offers, for: 7 << 52, at: 1, in: 3)
        #expect(caps.live(in: 3) == 2)
        var cursor = 0
        let found = caps.standing(upTo: 3, limit: 10, &cursor)
        #expect(found.map(\.number) == [5 << 52, 6 << 52] && found.map(\.at) == [1, 2] && cursor == 0)
        caps.moved(offers, for: 6 << 52, at: 2, to: 4, isNew: false)
        #expect(caps.live(in: 3) == 1 && caps.live(in: 4) == 1 && caps.count == 2)
    }
}
