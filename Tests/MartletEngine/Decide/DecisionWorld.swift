import Calendar
import Foundation
import MartletModel
import Testing

@testable import MartletEngine

/// The bank of the decision tables: its rulebook compiled, and what a row says made into what a decision reads.
struct DecisionWorld {
    let rules: DecisionRules
    let findings: [RulebookFinding]
    let decider: Decider

    init() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(DecisionTables.folder)/rulebook.json"))
        guard case .list(let list) = try JSONValue(reading: Array(data), maximumBytes: 1 << 20) else { throw Fault.rulebook }
        var objects: [RulebookObject] = []
        for element in list {
            guard case .text(let kind)? = element["kind"], let kind = RulebookKind(rawValue: kind), case .text(let key)? = element["key"],
                let content = element["content"]
            else { throw Fault.rulebook }
            objects.append(RulebookObject(kind: kind, key: key, version: 1, content: content))
        }
        let (rulebook, findings) = Rulebook.compile(RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings())
        rules = rulebook.decisions
        self.findings = findings
        decider = Decider(rules, zones: try rules.zones.names.map(DecisionWorld.zone))
    }

    enum Fault: Error { case rulebook, cell(String) }

    /// As tzdata installs them.
    static func zone(_ name: String) throws -> Zone {
        try Zone(tzif: Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)"))))
    }

    func facts(_ row: DecisionRow) throws -> DecisionFacts {
        let now = try row["now"].flatMap { $0.isEmpty ? nil : try moment($0) } ?? (try moment("2027-03-02T12:00:00Z"))
        let key = row["event"] ?? "card_payment"
        guard let definition = rules.events.first(where: { $0.key == key }) else { throw Fault.cell("event \(key)") }
        var event = DecisionEvent(event: definition.number, occurredAt: now - (try seconds(row["happened"]) ?? 0) * 1_000_000)
        event.deadline = try seconds(row["deadline"]).map { now + $0 * 1_000_000 }
        event.amount = try row["amount"].map { $0.isEmpty ? nil : try money($0) } ?? Money(minor: 10_000, currency: 978)
        event.card = hash(row["card"])
        event.account = hash(row["account"])
        var circumstances = Circumstances(
            now: now, isDuplicate: row["duplicate"] == "yes", isSuperseded: row["superseded"] == "yes", hasBudget: row["budget"] != "no",
            recent: UInt32(try seconds(row["recent"]) ?? 0))
        circumstances.stage = try stage(row["stage"] ?? "")
        if let served = row["served"], !served.isEmpty { circumstances.channels = try channels(served) }
        for cap in row.list("caps") ?? [] {
            guard let place = rules.caps.firstIndex(where: { $0.key == cap }) else { throw Fault.cell("cap \(cap)") }
            circumstances.usedCaps |= 1 << UInt32(place)
        }
        return DecisionFacts(event: event, customer: try customer(row), circumstances: circumstances)
    }

    private func customer(_ row: DecisionRow) throws -> Customer? {
        let status = row["customer"] ?? ""
        if status == "none" { return nil }
        var customer = Customer(subject: 4711)
        if !status.isEmpty {
            guard let found = CustomerStatus.allCases.first(where: { $0.word == status }) else { throw Fault.cell("customer \(status)") }
            customer.status = found
        }
        customer.segment = UInt16(try seconds(row["segment"]) ?? 0)
        customer.listed = try (row.list("lists") ?? []).map(listing)
        customer.zone = UInt16(try seconds(row["zone"]) ?? 0)
        customer.unit = UInt16(try seconds(row["unit"]) ?? 0)
        if let word = row["engagement"], !word.isEmpty {
            guard let engagement = Engagement.allCases.first(where: { $0.word == word }) else { throw Fault.cell("engagement \(word)") }
            customer.attributes = [CustomerAttribute(CustomerAttribute.engagement, .integer(Int64(engagement.rawValue)))]
        }
        customer.attributes += try (row.list("attributes") ?? []).map(attribute)
        customer.packages = try (row.list("package") ?? ["17"]).map(package)
        customer.consents = try (row.list("consents") ?? []).map(consent)
        customer.preferences = try row.list("wishes").flatMap { $0.isEmpty ? nil : try wishes($0) }
        customer.contacts = try (row.list("contacts") ?? ["phone"]).enumerated().map { try contact($0.element, UInt8($0.offset + 1)) }
        return customer
    }

    /// `22 250`, `22 99.5`, `21 student`, `23 true`, `24 2001-05-06`.
    private func attribute(_ text: String) throws -> CustomerAttribute {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2, let number = UInt16(words[0]) else { throw Fault.cell("attributes \(text)") }
        let value = words[1]
        if let whole = Int64(value) { return CustomerAttribute(number, .integer(whole)) }
        if value == "true" || value == "false" { return CustomerAttribute(number, .boolean(value == "true")) }
        if value.dropFirst(4).first == "-" { return CustomerAttribute(number, .date(Int32(try day(value)))) }
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2, let unscaled = Int64(parts[0] + parts[1]) {
            return CustomerAttribute(number, .decimal(unscaled: unscaled, scale: UInt8(parts[1].count)))
        }
        return CustomerAttribute(number, .text(value))
    }

    private func listing(_ text: String) throws -> SuppressionListing {
        let words = text.split(separator: " ").map(String.init)
        guard let list = words.first.flatMap({ UInt16($0) }) else { throw Fault.cell("lists \(text)") }
        switch words.count {
        case 1: return SuppressionListing(list: list, since: 1)
        case 3 where words[1] == "until": return SuppressionListing(list: list, since: 1, until: UInt16(try day(words[2])))
        default: throw Fault.cell("lists \(text)")
        }
    }

    private func package(_ text: String) throws -> PackageSubscription {
        var words = text.split(separator: " ").map(String.init)
        guard let number = UInt16(words.removeFirst()) else { throw Fault.cell("package \(text)") }
        var package = PackageSubscription(package: number, from: 0)
        while let word = words.first {
            words.removeFirst()
            func next() throws -> String {
                guard !words.isEmpty else { throw Fault.cell("package \(text)") }
                return words.removeFirst()
            }
            switch word {
            case "paused": package.isPaused = true
            case "from": package.from = UInt16(try day(try next()))
            case "until": package.until = UInt16(try day(try next()))
            case "above":
                let amount = try money("\(try next()) \(try next())")
                package.thresholds.append(.init(eventType: 3, amount: amount.minor, currency: amount.currency))
            case "over": package.channels = try channels(try next())
            case _ where word.hasPrefix("card:"): package.scope = .card(hash(String(word.dropFirst(5))))
            case _ where word.hasPrefix("account:"): package.scope = .account(hash(String(word.dropFirst(8))))
            default: throw Fault.cell("package \(text)")
            }
        }
        return package
    }

    private func consent(_ text: String) throws -> Consent {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first, let last = words.last, let purpose = rules.purposes.first(where: { $0.key == first }),
            let state = ["given": Consent.State.given, "withdrawn": .withdrawn, "pending": .pending][last]
        else { throw Fault.cell("consents \(text)") }
        let channel = words.count == 3 ? ChannelKind.allCases.first { $0.word == words[1] } : nil
        if words.count == 3, channel == nil { throw Fault.cell("consents \(text)") }
        return Consent(purpose: purpose.number, channel: channel, state: state, at: 1)
    }

    private func wishes(_ list: [String]) throws -> Preferences {
        var preferences = Preferences(at: 1)
        for text in list {
            let words = text.split(separator: " ").map(String.init)
            guard words.count == 2 else { throw Fault.cell("wishes \(text)") }
            switch words[0] {
            case "mute": preferences.mutedEventTypes = words[1].split(separator: ",").compactMap { UInt16($0) }
            case "off": preferences.channelsOff = try channels(words[1])
            case "quiet":
                let ends = try words[1].split(separator: "-").map { text in
                    let parts = text.split(separator: ":").compactMap { UInt16($0) }
                    guard parts.count == 2 else { throw Fault.cell("wishes \(text)") }
                    return parts[0] * 60 + parts[1]
                }
                preferences.quiet = .init(from: ends[0], until: ends[1])
            default: throw Fault.cell("wishes \(text)")
            }
        }
        return preferences
    }

    private func contact(_ text: String, _ number: UInt8) throws -> ContactPoint {
        let words = text.split(separator: " ").map(String.init)
        let kinds: [String: ContactPoint.Kind] = ["phone": .phone, "email": .email, "device": .device(app: 1, platform: .android)]
        guard let word = words.first, let kind = kinds[word] else { throw Fault.cell("contacts \(text)") }
        var contact = ContactPoint(number: number, kind: kind)
        for word in words.dropFirst() {
            switch word {
            case "dead": contact.isDead = true
            case "forbidden": contact.isForbidden = true
            case "opted-out": contact.isOptedOut = true
            default: throw Fault.cell("contacts \(text)")
            }
        }
        return contact
    }

    private func channels(_ text: String) throws -> ChannelSet {
        ChannelSet(
            try text.split(separator: ",").map { word in
                guard let channel = ChannelKind.allCases.first(where: { $0.word == word }) else { throw Fault.cell("channel \(word)") }
                return channel
            })
    }

    private func stage(_ text: String) throws -> Circumstances.Stage {
        switch text {
        case "", "fresh": return .fresh
        case "release": return .release
        default:
            guard text.hasPrefix("step "), let number = UInt8(text.dropFirst(5)), number > 0 else { throw Fault.cell("stage \(text)") }
            return .step(number - 1)
        }
    }

    private func money(_ text: String) throws -> Money {
        let words = text.split(separator: " ")
        guard words.count == 2, let decimal = ExactDecimal(words[0]), let currency = Currency.of(code: words[1]),
            let minor = decimal.minor(digits: currency.digits)
        else { throw Fault.cell("amount \(text)") }
        return Money(minor: minor, currency: currency.number)
    }

    private func seconds(_ text: String?) throws -> Int64? {
        guard let text, !text.isEmpty else { return nil }
        guard let number = Int64(text) else { throw Fault.cell(text) }
        return number
    }

    func moment(_ text: String) throws -> Int64 {
        guard let date = ISO8601DateFormatter().date(from: text) else { throw Fault.cell(text) }
        return Int64(date.timeIntervalSince1970) * 1_000_000
    }

    private func day(_ text: String) throws -> Int64 { try moment("\(text)T00:00:00Z") / 86_400_000_000 }

    /// Stands for the keyed hash of a card or account.
    private func hash(_ text: String?) -> UInt64 {
        guard let text, !text.isEmpty else { return 0 }
        return text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    // What a decision says, as the tables write it.

    static func outcome(_ decision: Decision) -> String {
        switch decision.outcome {
        case .tell: "tell"
        case .hold(let until): "hold until \(timestamp(until).replacingOccurrences(of: ".000000Z", with: "Z"))"
        case .suppress(let reason): reason.word
        }
    }

    static func messages(_ decision: Decision) -> String {
        decision.messages.map { message in
            switch message.when {
            case .now: "\(message.channel.word) now"
            case .later: "\(message.channel.word) later"
            case .skipped(let skip): "\(message.channel.word) skipped \(skip.word)"
            }
        }.joined(separator: "; ")
    }

    static func rule(_ decision: Decision) -> String {
        for answer in decision.said {
            switch answer.verdict {
            case .passes, .ignored: continue
            case .holds, .suppresses: return answer.rule.word
            }
        }
        return "-"
    }
}
