import Glibc
import Measure

// What it costs the node's loop that many idempotency keys are remembered: a question about a new key and its insertion, with so many
// there before; the memory they take; how often a new key is affirmed by chance and must be looked up. The filter is the
// product's own file, by a link.

@main
struct Keys {
    static func main() {
        var arguments = Arguments(usage: "keys [--count 10000000]")
        let count = arguments.number("count", in: 100_000...200_000_000, default: 10_000_000)
        arguments.finish()
        let asked = 1_000_000

        var filter = KeyFilter()
        let began = steadyNanoseconds()
        for number in 0..<count {
            filter.insert(hash(number), segment: UInt32(number / 134_000), milliseconds: 1)
        }
        let inserted = steadyNanoseconds() - began
        var affirmed = 0
        var best = UInt64.max
        for round in 0..<5 {
            let from = steadyNanoseconds()
            affirmed = 0
            for number in 0..<asked where filter.hits(hash(count + round * asked + number)) != 0 { affirmed += 1 }
            best = min(best, steadyNanoseconds() - from)
        }
        var missed = 0
        for number in stride(from: 0, to: count, by: 97) where filter.hits(hash(number)) == 0 { missed += 1 }
        guard missed == 0 else {
            complain("\(missed) keys that were inserted are denied")
            exit(1)
        }

        func tenth(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        print("\(count) keys in \(filter.filterCount) filters, \(tenth(Double(filter.bytes) / Double(count))) bytes a key")
        print("insert \(tenth(Double(inserted) / Double(count))) ns, question \(tenth(Double(best) / Double(asked))) ns")
        print("affirmed by chance: \(affirmed) of \(asked)")
    }

    /// As well mixed as a keyed hash.
    private static func hash(_ number: Int) -> UInt64 {
        var z = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
