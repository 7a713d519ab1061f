import Calendar
import Glibc
import MartletEngine
import MartletModel
import Measure

// What a decision costs: processor time of one thread, beside a loop of hashing in the same run as the reference. The rulebook is that of
// the decision tables; customers are written and read as the node's local copy has them. Rendering and sealing are not in it.

@main
struct Bench {
    static func main() throws {
        var arguments = Arguments(usage: "decisions --rulebook Tests/Golden/decisions/rulebook.json [--count 2000000] [--rounds 5]")
        let path = arguments.text("rulebook")
        let count = arguments.number("count", in: 1000...100_000_000, default: 2_000_000)
        let rounds = arguments.number("rounds", in: 1...100, default: 5)
        arguments.finish()
        let decider = try decider(path)
        let records = try customers().map { customer in
            var bytes: [UInt8] = []
            try customer.write(to: &bytes)
            return (customer.subject, bytes)
        }
        var report = Report()
        report.add("record_bytes", Double(records.reduce(0) { $0 + $1.1.count }) / Double(records.count))
        var best: [String: Double] = [:]
        for _ in 0..<rounds {
            for (name, cost) in try round(decider, records, count) { best[name] = min(best[name] ?? .infinity, cost) }
        }
        for (name, cost) in best.sorted(by: { $0.key < $1.key }) { report.add("\(name)_ns", cost) }
        if let reference = best["reference"], let payment = best["payment"] { report.add("payment_to_reference", payment / reference) }
        print(report.text)
    }

    /// Nanoseconds of processor time for one of each.
    private static func round(_ decider: Decider, _ records: [(SubjectNumber, [UInt8])], _ count: Int) throws -> [(String, Double)] {
        let people = try records.map { try read($0) }
        let noon: Int64 = 1_803_988_800_000_000
        var sink: UInt64 = 0
        var results: [(String, Double)] = []
        func measure(_ name: String, _ body: (Int) throws -> Void) rethrows {
            let began = processorNanoseconds()
            for index in 0..<count { try body(index) }
            results.append((name, Double(processorNanoseconds() - began) / Double(count)))
        }
        var decision = Decision()
        let payment = DecisionEvent(event: 12, occurredAt: noon, amount: Money(minor: 100_00, currency: 978), card: 1111)
        let hash = SipHash(key: (1, 2))
        measure("reference") { sink &+= hash.hash(UInt64($0)) }
        measure("payment") { index in
            decider.decide(payment, people[index & 1023], Circumstances(now: noon), into: &decision)
            sink &+= UInt64(decision.messages.count)
        }
        let statement = DecisionEvent(event: 13, occurredAt: noon)
        measure("service_by_day") { index in
            decider.decide(statement, people[index & 1023], Circumstances(now: noon), into: &decision)
            sink &+= UInt64(decision.messages.count)
        }
        let night = noon + 11 * 3_600_000_000
        measure("service_held_by_night") { index in
            decider.decide(DecisionEvent(event: 13, occurredAt: night), people[index & 1023], Circumstances(now: night), into: &decision)
            sink &+= UInt64(decision.said.count)
        }
        try measure("payment_with_reading_the_customer") { index in
            decider.decide(payment, try read(records[index & 1023]), Circumstances(now: noon), into: &decision)
            sink &+= UInt64(decision.messages.count)
        }
        var bytes: [UInt8] = []
        try measure("writing_what_was_read") { index in
            bytes.removeAll(keepingCapacity: true)
            try DecisionFacts(event: payment, customer: people[index & 1023], circumstances: Circumstances(now: noon)).write(to: &bytes)
            sink &+= UInt64(bytes.count)
        }
        // Two caps, customers in an order that no cache foresees.
        for (name, customers) in [("cap_asked_and_taken", 0x1_0000), ("cap_of_ten_million_asked_and_taken", 10_000_000)] {
            var ledger = CapLedger()
            measure(name) { index in
                let subject = 1 + UInt32(truncatingIfNeeded: UInt64(index &* 2_654_435_761) % UInt64(customers))
                let now = noon + Int64(index)
                guard ledger.used(by: subject, caps: 3, of: decider.counters, at: now) == 0 else { return }
                for counter in decider.counters.prefix(2) { ledger.reserve(counter, for: subject, at: now) }
            }
            sink &+= UInt64(ledger.count)
        }
        // So that nothing measured is left out as useless.
        if sink == 42 { complain("") }
        return results
    }

    private static func read(_ record: (SubjectNumber, [UInt8])) throws -> Customer {
        try record.1.withUnsafeBytes { try Customer(subject: record.0, reading: $0) }
    }

    /// With what most have: two addresses, a package for all and one for a card, two consents, wishes.
    private static func customers() -> [Customer] {
        (0..<1024).map { index in
            var customer = Customer(subject: UInt32(index), version: 3, unit: 9, segment: index % 2 == 0 ? 7 : 0, zone: UInt16(index % 3))
            customer.packages = [
                PackageSubscription(package: 17, from: 0), PackageSubscription(package: 18, scope: .card(UInt64(1000 + index)), from: 0),
            ]
            customer.consents = [
                Consent(purpose: 2, channel: nil, state: .given, at: 1), Consent(purpose: 3, channel: .sms, state: .withdrawn, at: 1),
            ]
            customer.preferences = index % 4 == 0 ? Preferences(at: 1, quiet: .init(from: 1380, until: 420)) : nil
            customer.contacts = [
                ContactPoint(number: 1, kind: .phone, isVerified: true), ContactPoint(number: 2, kind: .device(app: 1, platform: .ios)),
            ]
            customer.attributes = [
                CustomerAttribute(1, .integer(2)), CustomerAttribute(CustomerAttribute.engagement, .integer(Int64(1 + index % 3))),
            ]
            return customer
        }
    }

    private static func decider(_ path: String) throws -> Decider {
        guard case .list(let list) = try JSONValue(reading: try bytes(path), maximumBytes: 1 << 24) else { throw Unreadable(path: path) }
        let objects = list.compactMap { element -> RulebookObject? in
            guard case .text(let kind)? = element["kind"], let kind = RulebookKind(rawValue: kind), case .text(let key)? = element["key"],
                let content = element["content"]
            else { return nil }
            return RulebookObject(kind: kind, key: key, version: 1, content: content)
        }
        let (rulebook, findings) = Rulebook.compile(RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings())
        guard findings.areUsable else { throw Unreadable(path: path) }
        let rules = rulebook.decisions
        return Decider(rules, zones: try rules.zones.names.map { try Zone(tzif: try bytes("/usr/share/zoneinfo/\($0)")) })
    }

    struct Unreadable: Error { var path: String }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Unreadable(path: path) }
        defer { fclose(file) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&part, 1, part.count, file)
            guard count > 0 else { return all }
            all.append(contentsOf: part[..<count])
        }
    }

    private static func processorNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
