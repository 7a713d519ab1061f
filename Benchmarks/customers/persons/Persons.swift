import Glibc
import Guard
import Local
import MartletModel
import Measure

// What an event costs before it is decided: its customer found by the hash of the bank's reference, read, and opened under the customer's own
// key. Over a data directory that `fill` made and no node uses. Processor time of one thread; customers asked for in no order, of all there are
// (`all`: nearly each key is unwrapped) and of the first 10,000 (`few`: their keys are in the cache).

@main
struct Persons: ~Copyable {
    private let hashes: CustomerHashes
    private let customers: LocalCustomers
    private var cache: SubjectKeyCache
    private var report = Report()
    private let asked: Int
    private let rounds: Int
    /// So that nothing measured is left out as useless.
    private var sink = 0

    static func main() throws {
        var arguments = Arguments(usage: "persons --data DIR --master FILE [--count 100000] [--asked 200000] [--rounds 5]")
        let data = arguments.text("data")
        let master = arguments.text("master")
        let count = arguments.number("count", in: 1...50_000_000, default: 100_000)
        let asked = arguments.number("asked", in: 1000...10_000_000, default: 200_000)
        let rounds = arguments.number("rounds", in: 1...100, default: 5)
        arguments.finish()
        let key = try MasterKey.load(from: master)
        let keys = try KeyStore(directory: "\(data)/keys", master: key, access: .owner(create: false))
        let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: key, access: .reader)
        let customers = try LocalCustomers.open("\(data)/local", hashCheck: keys.localHashCheck).customers
        var persons = Persons(
            hashes: CustomerHashes(keys), customers: customers, cache: SubjectKeyCache(subjects), asked: asked, rounds: rounds)
        try persons.run(count)
    }

    private init(
        hashes: CustomerHashes, customers: LocalCustomers, cache: consuming SubjectKeyCache, asked: Int, rounds: Int
    ) {
        self.hashes = hashes
        self.customers = customers
        self.cache = cache
        self.asked = asked
        self.rounds = rounds
    }

    private mutating func run(_ count: Int) throws {
        report.add("customers", count)
        for (name, many) in [("few", min(count, 10_000)), ("all", count)] {
            // The same each time: what is measured is the code, not the luck of the draw.
            let references = (0..<asked).map { "40-\(Int(mix(UInt64($0)) % UInt64(many)))" }
            let hashed = references.map { hashes.reference($0) }
            for hash in hashed { if let found = customers.find(reference: hash) { _ = cache.key(found.subject) } }
            try measure("hash_\(name)_ns") { it, index in it.hashes.reference(references[index]) == 0 ? 1 : 0 }
            try measure("find_and_read_\(name)_ns") { it, index in
                try it.customers.find(reference: hashed[index])?.customer().contacts.count ?? 0
            }
            try measure("key_\(name)_ns") { it, index in
                guard let found = it.customers.find(reference: hashed[index]) else { return 0 }
                return it.cache.key(found.subject).key == nil ? 0 : 1
            }
            try measure("person_\(name)_ns") { it, index in
                guard let found = it.customers.find(reference: it.hashes.reference(references[index])) else { return 0 }
                let customer = try found.customer()
                let details = try it.details(of: found)
                return customer.contacts.count + details.addresses.count
            }
        }
        var loads = [0.0]
        report.add("load", getloadavg(&loads, 1) == 1 ? loads[0] : 0)
        if sink == 42 { complain("") }
        print(report.text)
    }

    /// As the node opens them.
    private mutating func details(of found: FoundCustomer) throws -> CustomerDetails {
        let lookup = cache.key(found.subject)
        return try found.details { subject, sealed in
            guard let key = lookup.key else { throw SealFault.erased(subject: subject) }
            return try Sealer.open(sealed, context: .details(of: subject), key: key)
        }
    }

    /// The least of the rounds.
    private mutating func measure(_ name: String, _ body: (inout Persons, Int) throws -> Int) throws {
        var best = Double.infinity
        for _ in 0..<rounds {
            let began = processorNanoseconds()
            for index in 0..<asked { sink &+= try body(&self, index) }
            best = min(best, Double(processorNanoseconds() - began) / Double(asked))
        }
        report.add(name, best)
    }

    private func mix(_ number: UInt64) -> UInt64 {
        var z = number &* 0x9E37_79B9_7F4A_7C15 &+ 1
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        return z ^ (z >> 27)
    }

    private func processorNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
