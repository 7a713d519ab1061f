import MartletModel
import Testing

@testable import MartletEngine

@Suite("Frequency caps")
struct CapLedgerTests {
    private typealias Counter = CapLedger.Counter
    private let three = Counter(key: 1, most: 3, within: 3600)
    private let five = Counter(key: 2, most: 5, within: 7200)
    private var counters: ContiguousArray<Counter> { [three, five] }

    private struct Told {
        var moment: UInt32
        var caps: UInt32
    }

    /// Each time with its caps; whatever window is laid over them holds no more than the cap.
    private func check(_ told: [SubjectNumber: [Told]]) {
        for times in told.values {
            for (place, cap) in counters.enumerated() {
                let of = times.filter { $0.caps >> UInt32(place) & 1 == 1 }.map(\.moment).sorted()
                let most = Int(cap.most)
                for index in of.indices where index >= most { #expect(of[index] - of[index - most] >= cap.within, "cap \(cap.key)") }
            }
        }
    }

    @Test("No window ever holds more than a cap, whoever sends, whichever is given back, over clocks that jump back")
    func never() {
        var dice = DecisionDice(3)
        for round in 0..<60 {
            var ledger = CapLedger()
            var told: [SubjectNumber: [Told]] = [:]
            var now: Int64 = 1_804_000_000_000_000
            var count = 0
            for _ in 0..<1500 {
                now += Int64(dice.below(round % 3 == 0 ? 60 : 600)) * 1_000_000
                if dice.below(40) == 0 { now -= Int64(dice.below(5000)) * 1_000_000 }
                let subject = SubjectNumber(1 + dice.below(4))
                let asked: UInt32 = [0b11, 0b10][dice.below(2)]
                if dice.below(12) == 0, let times = told[subject], !times.isEmpty {
                    // Any of them, among those that count no more, too.
                    let place = max(0, times.count - 1 - dice.below(6))
                    let gone = times[place]
                    for cap in 0..<2 where gone.caps >> UInt32(cap) & 1 == 1 {
                        ledger.release(counters[cap], for: subject, at: gone.moment)
                    }
                    told[subject]?.remove(at: place)
                    continue
                }
                guard ledger.used(by: subject, caps: asked, of: counters, at: now) == 0 else { continue }
                var moment: UInt32 = 0
                for cap in 0..<2 where asked >> UInt32(cap) & 1 == 1 { moment = ledger.reserve(counters[cap], for: subject, at: now) }
                told[subject, default: []].append(Told(moment: moment, caps: asked))
                count += 1
                if dice.below(50) == 0 { ledger.sweep(pages: 3) }
            }
            #expect(count >= 20)
            check(told)
        }
    }

    /// What a ledger should say, from a list of everything.
    private struct Oracle {
        var times: [(counter: Counter, subject: SubjectNumber, at: UInt32)] = []
        var latest: UInt32 = 0

        func count(_ counter: Counter, _ subject: SubjectNumber, _ wall: Int64) -> Int {
            let now = max(latest, UInt32(wall / 1_000_000))
            let all = times.filter { $0.counter.key == counter.key && $0.counter.isLimit == counter.isLimit && $0.subject == subject }
            return min(Int(counter.most), all.filter { now - $0.at < counter.within }.count)
        }
    }

    @Test("It counts as a list of everything would, for many counters, customers far apart, and what is given back or counted unasked")
    func oracle() {
        var dice = DecisionDice(5)
        let all = [three, five, Counter(key: 1, most: 4, within: 60, isLimit: true), Counter(key: 9, most: 100, within: 100_000)]
        let subjects: [SubjectNumber] = [1, 2, 1023, 1024, 5_000_000]
        var ledger = CapLedger()
        var oracle = Oracle()
        var now: Int64 = 1_804_000_000_000_000
        var some = 0
        for step in 0..<20_000 {
            now += Int64(dice.below(400)) * 1_000_000
            let (counter, subject) = (all[dice.below(4)], subjects[dice.below(5)])
            switch dice.below(8) {
            case 0:
                // Of those that may still count; a limit is never given back.
                let mine = oracle.times.indices.suffix(300).filter {
                    !oracle.times[$0].counter.isLimit && oracle.times[$0].subject == subject
                }
                guard let index = mine.last else { continue }
                let gone = oracle.times.remove(at: index)
                ledger.release(gone.counter, for: gone.subject, at: gone.at)
            case 1: ledger.sweep(pages: 1 + dice.below(5))
            default:
                oracle.latest = max(oracle.latest, UInt32(now / 1_000_000))
                #expect(ledger.reserve(counter, for: subject, at: now) == oracle.latest)
                oracle.times.append((counter, subject, oracle.latest))
            }
            if oracle.times.count > 1200 { oracle.times.removeFirst(600) }
            let asked = (all[dice.below(4)], subjects[dice.below(5)])
            let expected = oracle.count(asked.0, asked.1, now)
            some += expected
            #expect(ledger.count(of: asked.0, for: asked.1, at: now) == expected, "step \(step)")
        }
        #expect(some > 10_000 && ledger.count < 1200 && ledger.dropped == 0)
        // All is over a while after the last record, and nothing is kept for it.
        ledger.reserve(three, for: 1, at: now + 200_000_000_000)
        for _ in 0..<40 { ledger.sweep(pages: 200) }
        #expect(ledger.count == 1)
    }

    @Test("Exactly as many as the cap go, and one more when the first is out of its time")
    func exact() {
        var ledger = CapLedger()
        let start: Int64 = 1_804_000_000_000_000
        for index in 0..<3 {
            let now = start + Int64(index) * 60_000_000
            #expect(ledger.used(by: 7, caps: 1, of: counters, at: now) == 0)
            ledger.reserve(three, for: 7, at: now)
        }
        #expect(ledger.used(by: 7, caps: 1, of: counters, at: start + 3599_000_000) == 1)
        #expect(ledger.used(by: 8, caps: 1, of: counters, at: start + 3599_000_000) == 0)
        #expect(ledger.used(by: 7, caps: 1, of: counters, at: start + 3600_000_000) == 0)
        ledger.reserve(three, for: 7, at: start + 3600_000_000)
        #expect(ledger.used(by: 7, caps: 1, of: counters, at: start + 3600_000_000) == 1)
    }

    @Test("What was not sent is given back once; what never counted gives nothing, nor does a place without a cap")
    func release() {
        var ledger = CapLedger()
        for index in 0..<3 { ledger.reserve(three, for: 7, at: Int64(index) * 1_000_000) }
        #expect(ledger.used(by: 7, caps: 0b101, of: counters, at: 5_000_000) == 1)
        ledger.release(three, for: 9, at: 1)
        ledger.release(three, for: 7, at: 9)
        ledger.release(five, for: 7, at: 1)
        #expect(ledger.count(of: three, for: 7, at: 5_000_000) == 3)
        ledger.release(three, for: 7, at: 1)
        ledger.release(three, for: 7, at: 1)
        #expect(ledger.count(of: three, for: 7, at: 5_000_000) == 2)
        // Customer 0 stands for those whom nobody knows.
        ledger.reserve(three, for: 0, at: 5_000_000)
        #expect(ledger.count(of: three, for: 0, at: 5_000_000) == 0)
    }

    @Test("A release that makes a cap smaller or larger counts what customers had before it")
    func otherSize() {
        var ledger = CapLedger()
        for index in 0..<3 { ledger.reserve(three, for: 7, at: Int64(index) * 1_000_000) }
        let (larger, smaller) = (Counter(key: 1, most: 4, within: 3600), Counter(key: 1, most: 2, within: 3600))
        #expect(ledger.used(by: 7, caps: 1, of: [larger], at: 5_000_000) == 0)
        ledger.reserve(larger, for: 7, at: 5_000_000)
        #expect(ledger.used(by: 7, caps: 1, of: [larger], at: 6_000_000) == 1)
        #expect(ledger.used(by: 7, caps: 1, of: [smaller], at: 3601_000_000) == 1)
        #expect(ledger.used(by: 7, caps: 1, of: [smaller], at: 3602_000_000) == 0)
    }

    @Test("A full ledger lets nothing capped pass and everything limited, until somebody's time is over")
    func full() {
        var ledger = CapLedger(maximum: 40)
        let limit = Counter(key: 12, most: 2, within: 60, isLimit: true)
        for subject in 1...8 { ledger.reserve(three, for: SubjectNumber(subject), at: Int64(subject) * 1_000_000) }
        #expect(ledger.isFull && ledger.used(by: 1, caps: 0b11, of: counters, at: 20_000_000) == 0b11)
        #expect(ledger.count(of: limit, for: 1, at: 20_000_000) == 0)
        // Those that count unasked take what was kept free, and then are dropped.
        for subject in 9...50 { ledger.reserve(limit, for: SubjectNumber(subject), at: 20_000_000) }
        #expect(ledger.count == 40 && ledger.dropped == 10)
        #expect(ledger.count(of: limit, for: 40, at: 20_000_000) == 1 && ledger.count(of: limit, for: 50, at: 20_000_000) == 0)
        // The next record moves the moment from which all is measured.
        ledger.reserve(limit, for: 9, at: 3607_000_000)
        ledger.sweep(pages: 1)
        #expect(ledger.count == 2 && !ledger.isFull && ledger.used(by: 3, caps: 1, of: counters, at: 3607_000_000) == 0)
        #expect(ledger.count(of: three, for: 8, at: 3607_000_000) == 1)
    }

    @Test("More names than can be numbered are not counted, and said to be")
    func manyNames() {
        var ledger = CapLedger()
        for key in 0..<65_536 as Range<UInt32> { ledger.reserve(Counter(key: key, most: 1, within: 60), for: 1 + key, at: 0) }
        #expect(ledger.dropped == 1)
    }

    @Test("A trim that carries forward what counts changes no answer, whatever record each moment stands in")
    func segments() {
        var dice = DecisionDice(11)
        for _ in 0..<40 {
            var ledger = CapLedger()
            var now: Int64 = 1_804_000_000_000_000
            var segment: UInt32 = 1
            for _ in 0..<400 {
                now += Int64(dice.below(40)) * 1_000_000
                let (counter, subject) = (counters[dice.below(2)], SubjectNumber(1 + dice.below(3) * 1500))
                let moment = ledger.reserve(counter, for: subject, at: now)
                if dice.below(4) > 0 { ledger.reserve(counter, for: subject, at: now) }
                // Two records of one batch have their places one after the other.
                ledger.placed(counter, for: subject, at: moment, in: segment)
                if dice.below(8) == 0 { segment += 1 }
                ledger.placed(counter, for: subject, at: moment, in: segment)
                if dice.below(60) == 0 { segment += 1 }
            }
            let before = (0..<3).flatMap { place in counters.map { ledger.count(of: $0, for: SubjectNumber(1 + place * 1500), at: now) } }
            // The node carries a segment after the other; a replay has the newer records alone.
            var replayed = CapLedger()
            segment += 1
            var cursor = 0
            var (last, copies) = (CapLedger.Standing?.none, 0)
            repeat {
                for one in ledger.standing(upTo: segment - 1, limit: 7, &cursor) {
                    (last, copies) = (one, last == one ? copies + 1 : 1)
                    ledger.moved(one.counter, for: one.subject, at: one.at, to: 0, copies: copies)
                    ledger.moved(one.counter, for: one.subject, at: one.at, to: segment, copies: copies)
                    replayed.moved(one.counter, for: one.subject, at: one.at, to: segment, copies: copies)
                }
            } while cursor != 0
            for old in 1..<segment { #expect(ledger.live(in: old) == 0) }
            #expect(ledger.live(in: segment) == ledger.count && ledger.live(in: segment) == replayed.live(in: segment))
            for ledger in [ledger, replayed] {
                let after = (0..<3).flatMap { place in
                    counters.map { ledger.count(of: $0, for: SubjectNumber(1 + place * 1500), at: now) }
                }
                #expect(after == before)
            }
        }
    }

    @Test("Of two in one second, in records of two segments, the trim of the first loses neither: both are said again, and once")
    func twins() {
        var (ledger, replayed) = (CapLedger(), CapLedger())
        for segment in [1, 2] as [UInt32] {
            ledger.reserve(three, for: 7, at: 5_000_000)
            ledger.placed(three, for: 7, at: 5, in: segment)
        }
        // Before the first is trimmed both are said again, into the segment in which the second may stand already.
        for target in [2, 3] as [UInt32] {
            replayed = CapLedger()
            replayed.moved(three, for: 7, at: 5, to: 2, isNew: true)
            var (cursor, live) = (0, ledger)
            for (index, one) in live.standing(upTo: 1, limit: 9, &cursor).enumerated() {
                #expect(one == .init(counter: three, subject: 7, at: 5))
                live.moved(three, for: 7, at: 5, to: target, copies: index + 1)
                replayed.moved(three, for: 7, at: 5, to: target, copies: index + 1)
            }
            for one in [live, replayed] { #expect(one.count == 2 && one.live(in: target) == 2 && one.live(in: 1) == 0) }
        }
        // A record whose moment came later may stand before the other's.
        ledger.reserve(three, for: 8, at: 6_000_000)
        ledger.reserve(three, for: 8, at: 7_000_000)
        ledger.placed(three, for: 8, at: 7, in: 4)
        ledger.placed(three, for: 8, at: 6, in: 5)
        var cursor = 0
        #expect(ledger.standing(upTo: 4, limit: 9, &cursor).filter { $0.subject == 8 }.map(\.at) == [7])
        let times = (0..<UInt32(1200)).map { RecordBody.Counted.Time(subject: 1, at: $0 / 7) }
        let pieces = Engine.pieces(of: times)
        #expect(pieces.flatMap { $0 } == times && pieces.count == 3 && pieces.allSatisfy { $0.count <= RecordBody.Counted.most })
        #expect((1..<3).allSatisfy { pieces[$0].first != pieces[$0 - 1].last } && Engine.pieces(of: times.prefix(0).map { $0 }).isEmpty)
    }

    @Test("Decisions of 32 sources about the same customers, decided and counted one after the other, keep every cap")
    func decisions() throws {
        let world = try DecisionTableTests.world.get()
        var ledger = CapLedger()
        var dice = DecisionDice(9)
        var decision = Decision()
        var told: [SubjectNumber: [(at: UInt32, caps: UInt32)]] = [:]
        var now: Int64 = 1_804_000_000_000_000
        var refused = 0
        for _ in 0..<20_000 {
            now += Int64(dice.below(120)) * 1_000_000
            var facts = dice.facts(near: now, spread: 1)
            facts.event.event = [13, 14, 15][dice.below(3)]
            guard let customer = facts.customer, customer.subject != 0 else { continue }
            facts.circumstances.stage = .fresh
            facts.circumstances.usedCaps = ledger.used(
                by: customer.subject, caps: 0b11, of: world.decider.counters, at: facts.circumstances.now)
            world.decider.decide(facts.event, customer, facts.circumstances, into: &decision)
            if decision.reason == .capReached { refused += 1 }
            guard decision.outcome == .tell else { continue }
            var moment: UInt32 = 0
            for place in 0..<2 where decision.caps >> UInt32(place) & 1 == 1 {
                moment = ledger.reserve(world.decider.counters[place], for: customer.subject, at: facts.circumstances.now)
            }
            told[customer.subject, default: []].append((moment, decision.caps))
        }
        #expect(refused > 50)
        for times in told.values {
            for (place, cap) in world.rules.caps.enumerated() {
                let of = times.filter { $0.caps >> UInt32(place) & 1 == 1 }.map { Int64($0.at) }
                for index in of.indices where index >= cap.most { #expect(of[index] - of[index - cap.most] >= cap.within) }
            }
        }
    }
}
