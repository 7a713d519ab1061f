import MartletModel
import Testing

@testable import MartletEngine

@Suite("Frequency caps")
struct CapLedgerTests {
    private let caps = [
        FrequencyCap(key: "a", classes: ClassSet(.marketing), most: 3, within: 3600),
        FrequencyCap(key: "b", classes: [ClassSet(.marketing), ClassSet(.service)], most: 5, within: 7200),
    ]

    private struct Told {
        var at: Int64
        var moment: Int64
        var caps: UInt32
    }

    /// Each time with its caps; whatever window is laid over them holds no more than the cap.
    private func check(_ told: [SubjectNumber: [Told]]) {
        for times in told.values {
            for (place, cap) in caps.enumerated() {
                let of = times.filter { $0.caps >> UInt32(place) & 1 == 1 }.map(\.moment).sorted()
                for index in of.indices where index >= cap.most {
                    #expect(of[index] - of[index - cap.most] >= cap.within, "cap \(cap.key)")
                }
            }
        }
    }

    @Test("No window ever holds more than a cap, whoever sends and in whatever order, over releases and clocks that jump back")
    func never() {
        var dice = DecisionDice(3)
        for round in 0..<60 {
            var ledger = CapLedger(caps)
            var told: [SubjectNumber: [Told]] = [:]
            var now: Int64 = 1_804_000_000_000_000
            var count = 0
            for _ in 0..<1500 {
                now += Int64(dice.below(round % 3 == 0 ? 60 : 600)) * 1_000_000
                if dice.below(40) == 0 { now -= Int64(dice.below(5000)) * 1_000_000 }
                let subject = SubjectNumber(dice.below(4))
                let asked: UInt32 = [0b11, 0b10][dice.below(2)]
                if dice.below(20) == 0, let last = told[subject]?.last {
                    ledger.release(subject, caps: last.caps, at: last.at)
                    told[subject]?.removeLast()
                    continue
                }
                guard ledger.used(by: subject, caps: asked, at: now) == 0 else { continue }
                let moment = ledger.reserve(subject, caps: asked, at: now)
                told[subject, default: []].append(Told(at: now, moment: moment, caps: asked))
                count += 1
                if dice.below(50) == 0 { ledger.sweep(at: now) }
            }
            #expect(count >= 20)
            check(told)
        }
    }

    @Test("Exactly as many as the cap go, and one more when the first is out of its time")
    func exact() {
        var ledger = CapLedger(caps)
        let start: Int64 = 1_804_000_000_000_000
        for index in 0..<3 {
            let now = start + Int64(index) * 60_000_000
            #expect(ledger.used(by: 7, caps: 1, at: now) == 0)
            ledger.reserve(7, caps: 1, at: now)
        }
        #expect(ledger.used(by: 7, caps: 1, at: start + 3599_000_000) == 1)
        #expect(ledger.used(by: 8, caps: 1, at: start + 3599_000_000) == 0)
        #expect(ledger.used(by: 7, caps: 1, at: start + 3600_000_000) == 0)
        ledger.reserve(7, caps: 1, at: start + 3600_000_000)
        #expect(ledger.used(by: 7, caps: 1, at: start + 3600_000_000) == 1)
    }

    @Test("What was not sent is given back; caps that there are not do not count")
    func release() {
        var ledger = CapLedger(caps)
        for index in 0..<3 { ledger.reserve(7, caps: 0b101, at: Int64(index) * 1_000_000) }
        #expect(ledger.used(by: 7, caps: 0b101, at: 5_000_000) == 1)
        ledger.release(7, caps: 0b101, at: 1_000_000)
        ledger.release(9, caps: 1, at: 1_000_000)
        #expect(ledger.used(by: 7, caps: 1, at: 5_000_000) == 0)
    }

    @Test("A full ledger tells nobody new of what is capped, until somebody's time is over")
    func full() {
        var ledger = CapLedger(caps, maximum: 2)
        ledger.reserve(1, caps: 1, at: 0)
        ledger.reserve(2, caps: 1, at: 10_000_000)
        #expect(ledger.used(by: 3, caps: 1, at: 20_000_000) == 1 && ledger.used(by: 1, caps: 1, at: 20_000_000) == 0)
        ledger.sweep(at: 3600_000_000)
        #expect(ledger.count == 1 && ledger.used(by: 3, caps: 1, at: 3600_000_000) == 0)
        ledger.reserve(3, caps: 1, at: 3600_000_000)
        #expect(ledger.count == 2)
    }

    @Test("Decisions of 32 sources about the same customers, decided and counted one after the other, keep every cap")
    func decisions() throws {
        let world = try DecisionTableTests.world.get()
        var ledger = CapLedger(world.decider.caps)
        var dice = DecisionDice(9)
        var decision = Decision()
        var told: [SubjectNumber: [(at: Int64, caps: UInt32)]] = [:]
        var now: Int64 = 1_804_000_000_000_000
        var refused = 0
        for _ in 0..<20_000 {
            now += Int64(dice.below(120)) * 1_000_000
            var facts = dice.facts(near: now, spread: 1)
            facts.event.event = [13, 14, 15][dice.below(3)]
            guard let customer = facts.customer else { continue }
            facts.circumstances.stage = .fresh
            facts.circumstances.usedCaps = ledger.used(by: customer.subject, caps: 0b11, at: facts.circumstances.now)
            world.decider.decide(facts.event, customer, facts.circumstances, into: &decision)
            if decision.reason == .capReached { refused += 1 }
            guard decision.outcome == .tell else { continue }
            ledger.reserve(customer.subject, caps: decision.caps, at: facts.circumstances.now)
            told[customer.subject, default: []].append((facts.circumstances.now, decision.caps))
        }
        #expect(refused > 50)
        for times in told.values {
            for (place, cap) in world.rules.caps.enumerated() {
                let of = times.filter { $0.caps >> UInt32(place) & 1 == 1 }.map { $0.at / 1_000_000 }
                for index in of.indices where index >= cap.most { #expect(of[index] - of[index - cap.most] >= cap.within) }
            }
        }
    }
}
