import Calendar
import Glibc
import MartletEngine
import MartletModel
import Measure
import SMSText

// What a decision costs, and the text that it leads to: processor time of one thread, beside a loop of hashing in the same run as the
// reference. The rulebook is that of the decision tables with texts of its own; customers are written and read as the node's local copy has
// them. `whole` is what one event takes: decided, its short message written and counted, what was read written down. `accepted` is all that the
// engine does of it, the record made and folded besides. Sealing is in neither.

@main
struct Bench {
    static func main() throws {
        var arguments = Arguments(usage: "decisions --rulebook Tests/Golden/decisions/rulebook.json [--count 2000000] [--rounds 5]")
        let path = arguments.text("rulebook")
        let count = arguments.number("count", in: 1000...100_000_000, default: 2_000_000)
        let rounds = arguments.number("rounds", in: 1...100, default: 5)
        arguments.finish()
        let book = try book(path)
        let records = try customers().map { customer in
            var bytes: [UInt8] = []
            try customer.write(to: &bytes)
            return (customer.subject, bytes)
        }
        var report = Report()
        report.add("record_bytes", Double(records.reduce(0) { $0 + $1.1.count }) / Double(records.count))
        var best: [String: Double] = [:]
        for _ in 0..<rounds {
            for (name, cost) in try round(book, records, count) { best[name] = min(best[name] ?? .infinity, cost) }
        }
        for (name, cost) in best.sorted(by: { $0.key < $1.key }) { report.add("\(name)_ns", cost) }
        if let reference = best["reference"], let payment = best["payment"] { report.add("payment_to_reference", payment / reference) }
        print(report.text)
    }

    /// Nanoseconds of processor time for one of each.
    private static func round(_ book: DecisionBook, _ records: [(SubjectNumber, [UInt8])], _ count: Int) throws -> [(String, Double)] {
        let decider = book.decider
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
        guard let place = decider.place(of: 12) else { throw Unreadable(path: "event 12") }
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
        try measure("facts") { index in
            bytes.removeAll(keepingCapacity: true)
            try DecisionFacts(event: payment, customer: people[index & 1023], circumstances: Circumstances(now: noon)).write(to: &bytes)
            sink &+= UInt64(bytes.count)
        }
        let details = CustomerDetails(givenName: "Olena", familyName: "Kovalenko")
        func word(_ customer: Customer, _ count: (String) -> Engine.TextCount) throws -> Worded {
            try book.wording.sms(
                event: place, Bench.values, details, book.locale(of: customer), decider.zone(of: customer),
                count: { text throws(TextFault) in count(text) }, limit: 10)
        }
        try measure("wording") { index in
            sink &+= UInt64(try word(people[index & 1023]) { _ in Engine.TextCount(parts: 1, submits: 1) }.text.utf8.count)
        }
        let texts = try people.map { try word($0, Bench.count).text }
        measure("count") { index in sink &+= UInt64(Bench.count(texts[index & 1023]).parts) }
        try measure("whole") { index in
            let circumstances = Circumstances(now: noon)
            decider.decide(payment, people[index & 1023], circumstances, into: &decision)
            sink &+= UInt64(try word(people[index & 1023], Bench.count).count.parts)
            bytes.removeAll(keepingCapacity: true)
            try DecisionFacts(event: payment, customer: people[index & 1023], circumstances: circumstances).write(to: &bytes)
            sink &+= UInt64(decision.messages.count + bytes.count)
        }
        // Open messages take memory, so there are fewer of them.
        var accepting = Accepting(book, event: place, said: Bench.values, wall: noon)
        results.append(("accepted", try accepting.measure(people, count: min(count, 300_000))))
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
            customer.locale = CustomerLocale(index % 2 == 0 ? "uk" : "en") ?? .none
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

    /// What the payment says, as the door has read it.
    private static let values: [EventPayload.NamedValue] = [
        .init("amount", .money(Money(minor: 123_450, currency: 980))), .init("card", .text("4111111111111234")),
        .init("account", .text("UA213223130000026007233566001")), .init("reference", .text("Corner Bakery")),
        .init("at", .instant(1_803_988_800_000_000, offset: 0)),
    ]

    /// English in GSM 7-bit, Ukrainian in UCS-2: half of the customers each.
    private static let payment = """
        {"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {
          "en": "Card {{card | mask: card}}: {{amount | money: code}}, {{at | date: medium}}, {{at | time}}, {{reference | fit: 10}}",
          "uk": "Картка {{card | mask: card}}: {{amount | money}}, {{at | datetime}}, {{reference | fit: 10}}"}}
        """

    private static func count(_ text: String) -> Engine.TextCount {
        let parts = SMSText.plan(text).parts
        return Engine.TextCount(parts: parts, submits: parts)
    }

    private static func book(_ path: String) throws -> DecisionBook {
        guard case .list(let list) = try JSONValue(reading: try bytes(path), maximumBytes: 1 << 24) else { throw Unreadable(path: path) }
        var objects = list.compactMap { element -> RulebookObject? in
            guard case .text(let kind)? = element["kind"], let kind = RulebookKind(rawValue: kind), case .text(let key)? = element["key"],
                let content = element["content"]
            else { return nil }
            return RulebookObject(kind: kind, key: key, version: 1, content: key == "card_payment" ? withMoment(content) : content)
        }
        for (name, text) in try texts(of: objects) { objects.append(RulebookObject(kind: .template, key: name, version: 1, content: text)) }
        let (_, book, findings) = DecisionBook.compile(RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings()) {
            (name: String) -> [UInt8]? in
            do { return try bytes("/usr/share/zoneinfo/\(name)") } catch { return nil }
        }
        guard let book else { throw Unreadable(path: findings.first { $0.severity == .error }.map { "\($0.path): \($0.message)" } ?? path) }
        return book
    }

    /// The payment of the tables says no time.
    private static func withMoment(_ content: JSONValue) -> JSONValue {
        guard case .object(var fields) = content, case .list(let parameters)? = fields["parameters"] else { return content }
        fields["parameters"] = .list(parameters + [.object(["name": .text("at"), "type": .text("instant")])])
        return .object(fields)
    }

    /// A template for each that an event names.
    private static func texts(of objects: [RulebookObject]) throws -> [String: JSONValue] {
        var texts: [String: JSONValue] = [:]
        for object in objects where object.kind == .event {
            guard case .object(let channels)? = object.content["templates"] else { continue }
            for (channel, name) in channels {
                guard case .text(let name) = name else { continue }
                let fields = ["push": ["title", "preview", "body"], "email": ["subject", "text"], "voice": ["speech"]][channel]
                let text = fields.map { JSONValue.object(Dictionary(uniqueKeysWithValues: $0.map { ($0, .text("-")) })) } ?? .text("-")
                var content: [String: JSONValue] = ["channel": .text(channel), "standard": .text("en"), "texts": .object(["en": text])]
                if channel == "push" { content["form"] = .text("basic") }
                texts["\(channel).\(name)"] = .object(content)
            }
        }
        texts["sms.card-payment"] = try JSONValue(reading: Array(payment.utf8), maximumBytes: 10_000)
        return texts
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
