import Crypto
import Glibc
import Local
import MartletModel
import Measure

// The local copy of customers: how fast it is written, how large it is, what a look-up costs. Customers are made from a seed, sealed with
// AES-256-GCM under a key of their own. Hashing a reference is not in the figures; making and sealing customers is not in the builder's.

@main
struct Bench {
    let people: Synthetic
    let count: Int
    let directory: String
    var report = Report()
    /// So that nothing measured is left out as useless.
    var sink = 0

    static func main() throws {
        var arguments = Arguments(usage: "customers --directory DIR [--count 2000000] [--seed 1] [--rounds 5]")
        let directory = arguments.text("directory")
        let count = arguments.number("count", in: 1_000...50_000_000, default: 2_000_000)
        let seed = arguments.number("seed", in: 0...UInt64.max, default: 1)
        let rounds = arguments.number("rounds", in: 1...100, default: 5)
        arguments.finish()
        mkdir(directory, 0o700)
        var bench = Bench(people: Synthetic(seed: seed), count: count, directory: directory)
        try bench.run(rounds)
        print(bench.report.text)
    }

    init(people: Synthetic, count: Int, directory: String) {
        self.people = people
        self.count = count
        self.directory = directory
    }

    mutating func run(_ rounds: Int) throws {
        let version = UInt64(wallNanoseconds() / 1_000_000_000)
        let path = try build(version)
        defer {
            unlink(path)
            unlink("\(directory)/customers.overlay")
        }
        let began = steadyNanoseconds()
        let customers = try LocalCustomers.open(directory, hashCheck: 7).customers
        report.add("open_and_check_seconds", Double(steadyNanoseconds() - began) / 1e9)
        guard customers.figures.version == version else { throw LocalFault.unfinished(path: path) }
        memory("after_check")
        try lookups(customers, rounds)
        memory("after_lookups")
        try cold(customers, path)
        try overlay(customers, rounds)
        report.add("load", load())
        if sink == 42 { complain("") }
    }

    private mutating func memory(_ name: String) {
        let now = residentMemory()
        var part = Report()
        part.add("anonymous_mib", now.anonymous)
        part.add("file_mib", now.file)
        report.add("memory_\(name)", part)
    }

    private func load() -> Double {
        var loads = [0.0]
        return getloadavg(&loads, 1) == 1 ? loads[0] : 0
    }

    // MARK: Writing

    private mutating func build(_ version: UInt64) throws -> String {
        var builder = try BaseBuilder(directory, .init(version: version, folded: 0, hashCheck: 7, madeAt: 1))
        var building: UInt64 = 0
        let began = steadyNanoseconds()
        var clear: [UInt8] = []
        var sealed: [UInt8] = []
        var ends: [(clear: Int, sealed: Int)] = []
        var plain: [UInt8] = []
        var next = 0
        while next < count {
            let first = next
            let last = min(first + 10_000, count)
            clear.removeAll(keepingCapacity: true)
            sealed.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            var records: [Customer] = []
            for number in first..<last {
                plain.removeAll(keepingCapacity: true)
                try people.details(number).write(to: &plain)
                let box = try AES.GCM.seal(plain, using: people.key(SubjectNumber(number + 1)))
                if let combined = box.combined { sealed.append(contentsOf: combined) }
                records.append(people.customer(number))
                ends.append((0, sealed.count))
            }
            // From here on it is the builder's work: writing the record is part of it.
            let from = steadyNanoseconds()
            for index in records.indices {
                try records[index].write(to: &clear)
                ends[index].clear = clear.count
            }
            try clear.withUnsafeBytes { clear in
                try sealed.withUnsafeBytes { sealed in
                    var at = (clear: 0, sealed: 0)
                    for (index, end) in ends.enumerated() {
                        let number = first + index
                        try builder.add(
                            subject: SubjectNumber(number + 1), reference: people.reference(number),
                            addresses: [
                                AddressHash(number: 1, hash: people.phoneHash(number)),
                                AddressHash(number: 2, hash: people.mailHash(number)),
                            ], clear: UnsafeRawBufferPointer(rebasing: clear[at.clear..<end.clear]),
                            sealed: UnsafeRawBufferPointer(rebasing: sealed[at.sealed..<end.sealed]))
                        at = end
                    }
                }
            }
            building += steadyNanoseconds() - from
            next = last
        }
        memory("of_building")
        let from = steadyNanoseconds()
        let summary = try builder.finish()
        let finishing = steadyNanoseconds() - from
        report.add("customers", count)
        report.add("bytes", summary.bytes)
        report.add("bytes_a_customer", Double(summary.bytes) / Double(count))
        report.add("gib_for_14_million_with_keys", (Double(summary.bytes) / Double(count) + 48) * 14e6 / Double(1 << 30))
        report.add("built_a_second", Double(count) / (Double(building + finishing) / 1e9))
        report.add("of_it_finish_seconds", Double(finishing) / 1e9)
        report.add("made_sealed_built_a_second", Double(count) / (Double(steadyNanoseconds() - began) / 1e9))
        return summary.path
    }

    // MARK: Looking up

    private mutating func lookups(_ customers: LocalCustomers, _ rounds: Int) throws {
        let people = self.people
        try measure("found_ns", rounds) { number, _ in customers.find(reference: people.reference(number)) == nil ? 0 : 1 }
        try measure("not_found_ns", rounds, expecting: 0) { number, _ in customers.find(reference: ~people.reference(number)) == nil ? 0 : 1
        }
        try measure("found_by_address_ns", rounds) { number, _ in customers.find(address: people.phoneHash(number)).customers.count }
        try measure("found_and_read_ns", rounds) { number, _ in
            try customers.find(reference: people.reference(number))?.customer().consents.count == 2 ? 1 : 0
        }
        try measure("found_and_opened_ns", rounds) { number, key in
            let found = customers.find(reference: people.reference(number))
            let details = try found?.details { _, sealed in try Array(AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key)) }
            return details?.addresses.count == 2 ? 1 : 0
        }
    }

    /// Median, least and most nanoseconds of the rounds, each of 200,000 look-ups in no order.
    private mutating func measure(
        _ name: String, _ rounds: Int, expecting: Int = 1, _ look: (_ number: Int, _ key: SymmetricKey) throws -> Int
    ) throws {
        let asked = 200_000
        var figures: [Double] = []
        for round in 0..<rounds {
            let numbers = (0..<asked).map { Int(people.mix(UInt64($0 &+ round &* asked), 10) % UInt64(count)) }
            // Keys come from another file, whose cost is not this one's.
            let keys = name.contains("opened") ? numbers.map { people.key(SubjectNumber($0 + 1)) } : []
            let none = SymmetricKey(size: .bits256)
            var found = 0
            let from = steadyNanoseconds()
            for (index, number) in numbers.enumerated() { found += try look(number, keys.isEmpty ? none : keys[index]) }
            figures.append(Double(steadyNanoseconds() - from) / Double(asked))
            guard found == asked * expecting else {
                complain("\(name): \(found) of \(asked * expecting) found")
                exit(1)
            }
            sink &+= found
        }
        figures.sort()
        var part = Report()
        part.add("median", figures[figures.count / 2])
        part.add("least", figures[0])
        part.add("most", figures[figures.count - 1])
        report.add(name, part)
    }

    /// The file's pages are dropped before; each look-up is timed by itself.
    private mutating func cold(_ customers: LocalCustomers, _ path: String) throws {
        dropFromMemory(path)
        memory("after_drop")
        var histogram = Histogram()
        for index in 0..<2_000 {
            let number = Int(people.mix(UInt64(index), 11) % UInt64(count))
            let from = steadyNanoseconds()
            let found = try customers.find(reference: people.reference(number))?.customer()
            histogram.record(steadyNanoseconds() - from)
            sink &+= found == nil ? 0 : 1
        }
        report.add("cold_ms", histogram)
    }

    // MARK: Changes

    private mutating func overlay(_ customers: LocalCustomers, _ rounds: Int) throws {
        let people = self.people
        let changes = 100_000
        let from = steadyNanoseconds()
        for start in stride(from: 0, to: changes, by: 100) {
            var batch: [CustomerChange] = []
            for index in start..<start + 100 {
                let subject = SubjectNumber(Int(people.mix(UInt64(index), 12) % UInt64(count)) + 1)
                batch.append(.consent(subject, Consent(purpose: 2, channel: .sms, state: .withdrawn, at: 1_800_000_000 + UInt32(index))))
            }
            try customers.append(batch)
        }
        report.add("changes_a_second_100_a_sync", Double(changes) / (Double(steadyNanoseconds() - from) / 1e9))
        // Warm again before it is measured.
        for number in 0..<count { sink &+= customers.find(reference: people.reference(number)) == nil ? 0 : 1 }
        try measure("found_and_read_over_100000_changes_ns", rounds) { number, _ in
            try customers.find(reference: people.reference(number))?.customer().consents.isEmpty == false ? 1 : 0
        }
    }
}
