import Foundation
import Guard
import Journal
import MartletEngine
import MartletLocal
import MartletModel
import NIOCore

@testable import MartletNode

/// An installation with customers, made as the desk makes them, and a rulebook with a few events.
struct EventBank {
    static let ada = "C-1"
    static let bob = "C-2"
    /// Has no phone.
    static let cyd = "C-3"
    static func phone(_ subject: SubjectNumber) -> UInt64 { 447_700_900_100 + UInt64(subject) }

    let place: String
    let master: MasterKey
    let keys: KeyStore
    let subjects: SubjectKeys
    let hashes: CustomerHashes
    var local: String { "\(place)/data/local" }

    init(customers: UInt32 = 3) throws {
        place = FileManager.default.temporaryDirectory.appending(path: "martlet-events-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: "\(place)/data/local", withIntermediateDirectories: true)
        master = try MasterKey.create(at: "\(place)/master.key")
        keys = try KeyStore(directory: "\(place)/data/keys", master: master, access: .owner(create: true))
        subjects = try SubjectKeys(directory: "\(place)/data/keys/subjects", master: master, access: .owner(create: true))
        _ = try subjects.make(Int(customers))
        hashes = CustomerHashes(keys)
        try writeBase(1, customers)
    }

    /// Customer n has the reference C-n, the name Ann, and, but for the third, a number.
    func writeBase(
        _ version: UInt64, _ customers: UInt32, at directory: String? = nil, phone: (SubjectNumber) -> UInt64 = EventBank.phone,
        _ change: (inout Customer) -> Void = { _ in }
    ) throws {
        var builder = try BaseBuilder(directory ?? local, .init(version: version, folded: 0, hashCheck: keys.localHashCheck, madeAt: 1))
        var sealer = Sealer()
        for subject in 1...customers {
            var customer = Customer(subject: subject)
            customer.consents = [Consent(purpose: 2, channel: nil, state: .given, at: 1)]
            if subject != 3 { customer.contacts = [ContactPoint(number: 1, kind: .phone)] }
            change(&customer)
            let phone = phone(subject)
            let details = CustomerDetails(
                reference: "C-\(subject)", givenName: "Ann",
                addresses: subject == 3 ? [] : [.init(number: 1, value: .phone(phone))])
            var clear: [UInt8] = []
            try customer.write(to: &clear)
            var plain: [UInt8] = []
            try details.write(to: &plain)
            guard let key = subjects.key(subject).key else { throw Rig.Unexpected() }
            let sealed = try sealer.seal(plain, context: .details(of: subject), key: key)
            try clear.withUnsafeBytes { clear in
                try sealed.withUnsafeBytes { sealed in
                    try builder.add(
                        subject: subject, reference: hashes.reference("C-\(subject)"),
                        addresses: subject == 3 ? [] : [AddressHash(number: 1, hash: hashes.phone(phone))], clear: clear, sealed: sealed)
                }
            }
        }
        _ = try builder.finish()
    }

    /// A base file in which the record of the first customer is as another version would have written it.
    func writeDamaged(_ version: UInt64, of reference: String, at directory: String) throws {
        var builder = try BaseBuilder(directory, .init(version: version, folded: 0, hashCheck: keys.localHashCheck, madeAt: 1))
        try [UInt8]([250, 1, 2, 3]).withUnsafeBytes { clear in
            try builder.add(
                subject: 1, reference: hashes.reference(reference), addresses: [], clear: clear, sealed: .init(start: nil, count: 0))
        }
        _ = try builder.finish()
    }

    // MARK: Rulebook

    /// Of the service class it is quiet for an hour before and after now.
    static func source(
        _ number: Int64 = 7, quiet: Bool = false, plan: String = #"{"steps": [{"channels": ["sms"]}]}"#,
        suppression: String? = nil, now: Int64 = SystemClock().now().wall
    ) throws -> RulebookSource {
        func clock(_ moment: Int64) -> String {
            let minute = moment / 60_000_000 % 1440
            return "\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60)"
        }
        let window = "{\"from\": \"\(clock(now - 3_600_000_000))\", \"until\": \"\(clock(now + 3_600_000_000))\"}"
        var text: [(RulebookKind, String, String)] = [
            (.eventType, "cards", #"{"number": 3}"#),
            (.purpose, "offers", #"{"number": 2}"#),
            (.plan, "sms", plan),
            (.cap, "offers", #"{"classes": ["marketing"], "most": 2, "within": 86400}"#),
            (
                .event, "payment",
                #"""
                {"number": 1, "type": "cards", "class": "transactional", "everyone": true, "plan": "sms",
                 "parameters": [{"name": "amount", "type": "money"}, {"name": "shop", "type": "text"}, {"name": "card", "type": "text", "default": ""}],
                 "threshold": "amount", "card": "card", "duplicates": {"by": ["shop"], "within": 3600}, "templates": {"sms": "payment"}}
                """#
            ),
            (
                .event, "statement",
                #"""
                {"number": 2, "type": "cards", "class": "service", "everyone": true, "plan": "sms", "supersedes": ["month"],
                 "parameters": [{"name": "month", "type": "text"}], "templates": {"sms": "statement"}}
                """#
            ),
            (
                .event, "offer",
                #"""
                {"number": 3, "type": "cards", "class": "marketing", "everyone": true, "purpose": "offers", "plan": "sms",
                 "templates": {"sms": "offer"}}
                """#
            ),
            (
                .event, "instalment_due",
                #"""
                {"number": 4, "type": "cards", "class": "action_required", "everyone": true, "plan": "sms",
                 "parameters": [{"name": "day", "type": "date", "default": "2027-02-28"}, {"name": "loan", "type": "text"}],
                 "actionRequired": {"due": "day", "completedBy": "instalment_paid", "by": ["loan"]}, "templates": {"sms": "instalment"}}
                """#
            ),
            (
                .event, "instalment_paid",
                #"""
                {"number": 5, "type": "cards", "class": "service", "published": false,
                 "parameters": [{"name": "loan", "type": "text"}, {"name": "month", "type": "text", "default": ""}]}
                """#
            ),
            (
                .event, "alert",
                #"{"number": 6, "type": "cards", "class": "transactional", "plan": "sms", "templates": {"sms": "offer"}}"#
            ),
            (.package, "alerts", #"{"number": 17, "events": [{"event": "alert"}]}"#),
            (
                .template, "sms.payment",
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "{{amount}} at {{shop}}"}}"#
            ),
            (
                .template, "sms.statement",
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Statement {{month}}"}}"#
            ),
            (
                .template, "sms.instalment",
                #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Loan {{loan}}: {{day | date: medium}}"}}"#
            ),
            (.template, "sms.offer", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "For you"}}"#),
        ]
        if let suppression { text.append((.suppression, "lawsuit", suppression)) }
        if quiet { text.append((.quietHours, "now", "{\"classes\": [\"service\", \"action_required\"], \"windows\": [\(window)]}")) }
        let objects = try text.map { kind, key, content in
            RulebookObject(kind: kind, key: key, version: 1, content: try JSONValue(reading: Array(content.utf8), maximumBytes: 1 << 20))
        }
        return RulebookSource(number: number, at: 1, objects: objects)
    }

    static func book(
        _ number: Int64 = 7, quiet: Bool = false, plan: String = #"{"steps": [{"channels": ["sms"]}]}"#, suppression: String? = nil
    ) throws -> DecisionBook {
        let (_, book, findings) = DecisionBook.compile(
            try source(number, quiet: quiet, plan: plan, suppression: suppression), in: Rulebook.Surroundings(), zoneFile: { _ in nil })
        guard let book else { throw Faulty(findings: findings) }
        return book
    }

    struct Faulty: Error { var findings: [RulebookFinding] }
}

extension Rig {
    func use(_ book: DecisionBook?) throws {
        try run { $0.use(routes: Routes([.init(prefix: "", group: 1)]), book: book) }
    }

    /// Reports an event; `minor` is its amount in cents.
    func report(
        _ key: String, _ customer: String = EventBank.ada, _ text: String = "Harbour Books", minor: Int64 = 1250,
        key idempotency: String? = nil,
        body: UInt64 = 1, reference: String = "r-1"
    ) throws -> Acceptance {
        try report([(key, customer, text)], minor: minor, key: idempotency, body: body, reference: reference)[0]
    }

    /// Several in one turn of the loop.
    func report(
        _ events: [(key: String, customer: String, text: String)], minor: Int64 = 1250, key idempotency: String? = nil, body: UInt64 = 1,
        reference: String = "r-1", tells: Submission.Tells = []
    ) throws -> [Acceptance] {
        let node = node
        let promises = events.map { _ in loop.makePromise(of: Acceptance.self) }
        loop.execute {
            for (event, promise) in zip(events, promises) {
                guard let submission = node.value.submission(event.key, event.customer, event.text, minor, reference) else {
                    promise.fail(Unexpected())
                    continue
                }
                var it = submission
                it.tells = tells
                it.idempotency = idempotency.map { Idempotency(operation: .submit, key: $0, bodyHigh: body, bodyLow: 2) }
                node.value.submit(event: it) { promise.succeed($0) }
            }
        }
        return try promises.map { try $0.futureResult.wait() }
    }

    func explained(
        _ key: String, _ customer: String = EventBank.ada, _ text: String = "Harbour Books", release: UInt32? = nil
    ) throws
        -> Result<Explanation, ExplanationFault>
    {
        let node = node
        let promise = loop.makePromise(of: Result<Explanation, ExplanationFault>.self)
        loop.execute {
            guard let it = node.value.submission(key, customer, text, 1250, "") else { return promise.fail(Unexpected()) }
            node.value.explain(it, at: nil, release: release) { promise.succeed($0) }
        }
        return try promise.futureResult.wait()
    }

    /// The newest decision about an event that is open or just ended, as its record has it.
    func decision(_ id: MessageID) throws -> RecordBody.Decided {
        // What follows the decision may still be on its way to the disk.
        _ = try wait { ($0.engine.last(of: id) ?? 0) < $0.durableEnd }
        return try run { node in
            var at = node.engine.last(of: id) ?? node.parts.recent.find(id) ?? 0
            while at != 0 {
                let record = try node.parts.reader.read(at: at).withUnsafeBytes { try Record(reading: $0) }
                if case .decided(let it) = record.body { return it }
                at = record.header.previous
            }
            throw Unexpected()
        }
    }
}

extension Node {
    /// With the text for the parameter that is one, and the amount.
    func submission(_ key: String, _ customer: String, _ text: String, _ minor: Int64, _ reference: String) -> EventSubmission? {
        guard let definition = catalogue[key] else { return nil }
        let values = definition.parameters.map { parameter -> ParameterValue? in
            parameter.type == .money ? .money(Money(minor: minor, currency: 978)) : parameter.assumed ?? .text(text)
        }
        return EventSubmission(
            source: 7, definition: definition, values: values, customer: customer, occurredAt: now().wall, reference: reference,
            receivedAt: now())
    }
}

extension RulebookSource {
    /// With other words wherever these stand.
    /// - Parameter key: in the object of this key alone; nil: in all.
    func changed(_ words: String, _ others: String, in key: String? = nil) throws -> RulebookSource {
        var it = self
        for place in it.objects.indices where key == nil || it.objects[place].key == key {
            let content = String(decoding: it.objects[place].content.canonical, as: UTF8.self).replacing(words, with: others)
            it.objects[place].content = try JSONValue(reading: Array(content.utf8), maximumBytes: 1 << 20)
        }
        return it
    }
}
