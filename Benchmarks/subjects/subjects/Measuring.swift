import Crypto
import Glibc
import Measure

// What a key for each of many customers costs: made, looked up, opened, erased, checked, wrapped anew, copied; beside them an entry of the
// audit and the tag of a row. Prints one line a figure. The directory must not exist; it is left behind for a second look.

@main
struct Measuring {
    static func main() throws {
        var arguments = Arguments(usage: "subjects --directory DIR [--count 1000000] [--batch 1000]")
        let directory = arguments.text("directory")
        let count = arguments.number("count", in: 100_000...100_000_000, default: 1_000_000)
        let batch = arguments.number("batch", in: 1...8192, default: 1000)
        arguments.finish()
        guard mkdir(directory, 0o700) == 0 else { arguments.stop("\(directory) exists, or cannot be made") }

        let master = MasterKey(root: SymmetricKey(size: .bits256))
        let owner = try SubjectKeys(directory: "\(directory)/subjects", master: master, access: .owner(create: true))
        let made = try seconds {
            var left = count
            while left > 0 { left -= try owner.make(min(batch, left)).count }
        }
        say("made, \(batch) a batch, each durable", Double(count) / made, "a second")
        let reader = try SubjectKeys(directory: "\(directory)/subjects", master: master, access: .reader)
        say("bytes a subject", Double(SubjectChunk.fileBytes * (count >> 16 + 1)) / Double(count), "")
        lookUp(reader, count)
        try open(reader, count)
        try erase(owner)
        try check(owner, reader, count)
        try change(directory, master, count)
        try audit()
        row()
    }

    /// Thread CPU time, best of five, of random numbers.
    private static func lookUp(_ keys: SubjectKeys, _ count: Int) {
        let asked = 200_000
        say("look-up without a cache", best(asked) { keys.key(random($0, count)).key == nil ? 1 : 0 }, "ns")
        var cache = SubjectKeyCache(keys, capacity: 65_536)
        say("look-up through the cache, hardly ever there", best(asked) { cache.key(random($0, count)).key == nil ? 1 : 0 }, "ns")
        let few = 10_000
        for number in 0..<few { _ = cache.key(UInt32(number + 1)) }
        say("look-up through the cache, mostly there", best(asked) { cache.key(random($0, few)).key == nil ? 1 : 0 }, "ns")
    }

    private static func open(_ keys: SubjectKeys, _ count: Int) throws {
        let asked = 50_000
        var sealer = Sealer()
        let text = [UInt8](repeating: 7, count: 100)
        var sealed = [[UInt8]](repeating: [UInt8](repeating: 0, count: Sealer.sealedCount(text.count)), count: asked)
        for place in 0..<asked {
            let number = random(place, count)
            guard let key = keys.key(number).key else { continue }
            let context = SealContext(high: 0, low: UInt64(number), kind: 1)
            _ = try text.withUnsafeBytes { text in
                try sealed[place].withUnsafeMutableBytes { try sealer.seal(text, context: context, key: key, into: $0) }
            }
        }
        var cache = SubjectKeyCache(keys, capacity: 1024)
        let spent = best(asked) { place in
            let number = random(place, count)
            guard let key = cache.key(number).key else { return 1 }
            let context = SealContext(high: 0, low: UInt64(number), kind: 1)
            return sealed[place].withUnsafeBytes { (try? Sealer.open($0, context: context, key: key)) == nil ? 1 : 0 }
        }
        say("key unwrapped and 100 bytes opened", spent, "ns")
    }

    private static func erase(_ owner: SubjectKeys) throws {
        var times: [Double] = []
        for number in 1...50 { times.append(try seconds { try owner.erase([UInt32(number * 1999)], time: 0) }) }
        say("one erased, durable, median", times.sorted()[25] * 1000, "ms")
        let thousand = (1...1000).map { UInt32($0 * 97 + 1) }
        say("a thousand erased in one call", try seconds { try owner.erase(thousand, time: 0) } * 1000, "ms")
    }

    private static func check(_ owner: SubjectKeys, _ reader: SubjectKeys, _ count: Int) throws {
        var report = SubjectKeyReport()
        say("checked", Double(count) / (try seconds { report = try reader.verify() }), "a second")
        guard report.isSound, report.keys + report.erased == count else {
            complain("the store is not sound: \(report.findingCount) findings, \(report.keys) keys")
            exit(1)
        }
        _ = owner.next
    }

    private static func change(_ directory: String, _ old: MasterKey, _ count: Int) throws {
        let reader = try SubjectKeys(directory: "\(directory)/subjects", master: old, access: .reader)
        say("backup made and checked", try seconds { _ = try reader.exportBackup(to: "\(directory)/backup") }, "s")
        let new = MasterKey(root: SymmetricKey(size: .bits256))
        // The backup is a store: what is done to it leaves the other as it is.
        var owner: SubjectKeys?
        say(
            "opened by its owner",
            try seconds {
                owner = try SubjectKeys(directory: "\(directory)/backup", master: new, previous: old, access: .owner(create: false))
            } * 1000, "ms")
        guard let owner else { return }
        say("wrapped by a new master key", Double(count) / (try seconds { try owner.rewrap() }), "a second")
    }

    private static func audit() throws {
        let count = 200_000
        var chain = try AuditChain(name: "bench")
        var entries: [ChainedAuditEntry] = []
        say(
            "audit entries appended",
            Double(count)
                / (try seconds {
                    for number in 0..<count {
                        entries.append(
                            try chain.append(
                                time: Int64(number), principal: "user:17", action: "text.viewed", object: "message:\(number)",
                                outcome: "done"))
                    }
                }), "a second")
        var verifier = AuditVerifier(chain: "bench")
        say("audit entries verified", Double(count) / (seconds { for entry in entries { verifier.take(entry) } }), "a second")
        guard verifier.finish().isSound else { exit(1) }
    }

    private static func row() {
        let rows = RowMAC(key: Secret([UInt8](repeating: 1, count: 32)), table: "message", columns: ["id", "state", "at", "text"])
        let values: [RowValue] = [.integer(1), .text("delivered"), .integer(1_700_000_000), .bytes([UInt8](repeating: 1, count: 60))]
        say("tag of a row of four columns", best(100_000) { _ in rows.tag(values).short == 0 ? 1 : 0 }, "ns")
    }

    // MARK: Measuring

    private static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let began = steadyNanoseconds()
        try body()
        return Double(steadyNanoseconds() - began) / 1e9
    }

    /// Nanoseconds of CPU time a call; the body says 1 for a call that found nothing, of which there may be few.
    private static func best(_ count: Int, _ body: (Int) -> Int) -> Double {
        var best = Double.infinity
        for _ in 0..<5 {
            let began = ownCPUMicroseconds()
            var failed = 0
            for number in 0..<count { failed += body(number) }
            best = min(best, (ownCPUMicroseconds() - began) * 1000 / Double(count))
            guard failed <= count / 50 else {
                complain("\(failed) of \(count) found nothing")
                exit(1)
            }
        }
        return best
    }

    private static func random(_ place: Int, _ count: Int) -> UInt32 {
        var z = UInt64(place) &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt32((z ^ (z >> 31)) % UInt64(count)) + 1
    }

    private static func say(_ what: String, _ value: Double, _ unit: String) {
        let shown = value >= 100 ? "\(Int(value.rounded()))" : "\((value * 100).rounded() / 100)"
        print("\(what): \(shown)\(unit.isEmpty ? "" : " \(unit)")")
    }
}
