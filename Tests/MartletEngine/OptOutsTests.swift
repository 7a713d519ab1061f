import MartletModel
import Testing

@testable import MartletEngine

@Suite("Opt-outs")
struct OptOutsTests {
    private struct Known {
        var unwanted: ClassSet
        var segment: UInt32
    }

    @Test("Random words of customers, records and trims agree with a dictionary; the order is that of the records")
    func random() {
        var dice = Dice(seed: 7)
        var optOuts = OptOuts()
        var known: [UInt64: Known] = [:]
        // Few in each place of an index, then many in one of them.
        var numbers = (0..<4000).map { _ in dice.next() }
        numbers += (0..<200).map { UInt64($0) << 20 | 5 }
        var segment: UInt32 = 1
        for step in 0..<60_000 {
            if step % 500 == 0 { segment += 1 }
            let number = dice.pick(numbers)
            switch dice.below(5) {
            case 0:
                #expect(optOuts.set(number, [], in: segment) == known.removeValue(forKey: number)?.segment ?? 0)
            case 1:
                // Live: its record has no place yet.
                let unwanted = ClassSet([dice.pick(MessageClass.allCases)])
                #expect(optOuts.set(number, unwanted, in: 0) == 0)
                known[number] = Known(unwanted: unwanted, segment: known[number]?.segment ?? 0)
            case 2:
                #expect(optOuts.place(number, in: segment) == known[number]?.segment)
                known[number]?.segment = segment
            default:
                let unwanted = ClassSet([.marketing, dice.pick(MessageClass.allCases)])
                #expect(optOuts.set(number, unwanted, in: segment) == known[number]?.segment ?? 0)
                known[number] = Known(unwanted: unwanted, segment: segment)
            }
            #expect(optOuts.unwanted(by: number) == known[number]?.unwanted ?? [])
            #expect(optOuts.count == known.count && optOuts.isEmpty == known.isEmpty)
            if step % 10_000 == 0 { agree(optOuts, known) }
        }
        agree(optOuts, known)
        for number in known.keys { _ = optOuts.set(number, [], in: segment) }
        #expect(optOuts.isEmpty && optOuts.placed.isEmpty && optOuts.unwanted(by: numbers[0]) == [])
    }

    private func agree(_ optOuts: OptOuts, _ known: [UInt64: Known]) {
        for (number, one) in known { #expect(optOuts.unwanted(by: number) == one.unwanted) }
        let placed = optOuts.placed
        #expect(placed.count == known.values.count { $0.segment != 0 })
        #expect(placed.allSatisfy { known[$0.number]?.segment == $0.segment })
        #expect(zip(placed, placed.dropFirst()).allSatisfy { $0.segment <= $1.segment })
    }

    @Test("What is carried forward comes step by step, oldest first, and leaves its step once it has another place")
    func steps() {
        var optOuts = OptOuts()
        for number in UInt64(1)...100 { _ = optOuts.set(number, ClassSet([.marketing]), in: UInt32(number / 40 + 1)) }
        #expect(optOuts.standing(upTo: 0, limit: 9).isEmpty && optOuts.standing(upTo: 1, limit: 99).count == 39)
        var carried: [UInt64] = []
        while case let step = optOuts.standing(upTo: 2, limit: 30), !step.isEmpty {
            #expect(step.map(\.number) == optOuts.standing(upTo: 2, limit: 30).map(\.number), "not told of new places yet")
            for one in step { #expect(optOuts.place(one.number, in: 9) != nil) }
            carried += step.map(\.number)
        }
        #expect(carried == Array(1...79) && optOuts.standing(upTo: 9, limit: 200).map(\.number) == Array(80...100) + Array(1...79))
        #expect(optOuts.place(7777, in: 9) == nil && optOuts.set(7777, [], in: 9) == 0)
    }
}
