import Calendar
import MartletModel

@testable import MartletEngine

/// A bank with a few events, whose texts are written as plainly as can be: what is told is what a test wants to see.
enum EventBank {
    static let payment: UInt16 = 1
    static let news: UInt16 = 2
    static let offer: UInt16 = 3
    static let code: UInt16 = 4
    static let draft: UInt16 = 5
    static let order: UInt16 = 6
    static let login: UInt16 = 7
    /// Told over group `quiet` first, then over the number's own.
    static let alert: UInt16 = 8
    /// Asks for something until a moment, two reminders before; `paid` says that it is done.
    static let bill: UInt16 = 9
    static let paid: UInt16 = 10
    /// Wall microseconds, ten days after the rig begins.
    static let due: Int64 = 1_790_864_000_000_000

    /// Quiet from 13:00 to 15:00 UTC; the rig begins at 14:13:20. Wall milliseconds of its end.
    static let quietUntil: Int64 = 1_790_002_800_000

    static func rules(_ change: (inout DecisionRules) -> Void = { _ in }) -> DecisionRules {
        var rules = DecisionRules()
        rules.eventTypes = [EventType(key: "cards", number: 3)]
        rules.purposes = [ConsentPurpose(key: "offers", number: 2)]
        rules.quietHours = [
            QuietProfile(key: "noon", classes: [ClassSet(.service), ClassSet(.marketing)], windows: [.init(from: 780, until: 900)])
        ]
        rules.caps = [FrequencyCap(key: "offers", classes: ClassSet(.marketing), most: 2, within: 86_400)]
        rules.plans = [
            DeliveryPlan(key: "sms", steps: [.init(channels: [.sms], wait: 0)]),
            DeliveryPlan(key: "push-then-sms", steps: [.init(channels: [.push], wait: 120), .init(channels: [.sms], wait: 0)]),
            DeliveryPlan(
                key: "two-routes", steps: [.init(channels: [.sms], wait: 30, route: "quiet"), .init(channels: [.sms], wait: 0)]),
        ]
        let shop = EventParameter(name: "shop", type: .text)
        let amount = EventParameter(name: "amount", type: .money, dataClass: .financial)
        rules.events = [
            EventDefinition(
                key: "payment", number: payment, type: 0, messageClass: .transactional, isForEveryone: true,
                parameters: [amount, shop], threshold: 0, templates: [.sms: "payment", .push: "payment"], plan: 1),
            EventDefinition(
                key: "news", number: news, type: 0, messageClass: .service, isForEveryone: true, parameters: [shop],
                templates: [.sms: "news"], plan: 0),
            EventDefinition(
                key: "offer", number: offer, type: 0, messageClass: .marketing, isForEveryone: true, purpose: 0, parameters: [shop],
                templates: [.sms: "offer"], plan: 0),
            EventDefinition(
                key: "code", number: code, type: 0, messageClass: .otp, isMandatory: true,
                parameters: [EventParameter(name: "code", type: .text, dataClass: .secret)], templates: [.sms: "code"], plan: 0),
            EventDefinition(
                key: "draft", number: draft, type: 0, messageClass: .service, isPublished: false, isForEveryone: true,
                templates: [.sms: "draft"], plan: 0),
            EventDefinition(
                key: "order", number: order, type: 0, messageClass: .service, isForEveryone: true, parameters: [shop], supersedes: [0],
                templates: [.sms: "order"], plan: 0),
            EventDefinition(
                key: "login", number: login, type: 0, messageClass: .security, isMandatory: true, parameters: [shop],
                limit: .init(most: 2, within: 60), templates: [.sms: "login"], plan: 0),
            EventDefinition(
                key: "alert", number: alert, type: 0, messageClass: .transactional, isForEveryone: true, parameters: [shop],
                templates: [.sms: "alert"], plan: 2),
            EventDefinition(
                key: "bill", number: bill, type: 0, messageClass: .actionRequired, isForEveryone: true,
                parameters: [shop, EventParameter(name: "until", type: .instant)], templates: [.sms: "bill"], plan: 0,
                actionRequired: .init(due: 1, completedBy: 9, reminders: [172_800, 86_400])),
            EventDefinition(
                key: "paid", number: paid, type: 0, messageClass: .transactional, isForEveryone: true, parameters: [shop],
                templates: [.sms: "paid"], plan: 0),
        ]
        change(&rules)
        return rules
    }

    static func book(_ release: UInt32 = 7, _ change: (inout DecisionRules) -> Void = { _ in }) -> DecisionBook {
        let rules = rules(change)
        return DecisionBook(release: release, rules: rules, decider: Decider(rules), wording: wording(rules))
    }

    /// `payment 12.50 Harbour Books for Ada`; a payment at no shop has no text.
    static func wording(_ rules: DecisionRules) -> Wording {
        var objects = WordingObjects()
        objects.templates = rules.events.map { event in
            let values = event.parameters.filter { $0.type != .instant }.map {
                $0.type == .money ? " {{\($0.name) | money: plain}}" : "{{#\($0.name)}} {{\($0.name)}}{{/\($0.name)}}"
            }
            let text = "\(event.key)\(values.joined()) for {{customer.givenName}}"
            let piece = WordingText.Piece(
                place: .message, text: event.number == payment ? "{{#shop}}\(text){{/shop}}" : text, path: event.key)
            return TemplateContent(
                key: "sms.\(event.templates[.sms] ?? "")", version: 1, channel: .sms, standard: "en",
                texts: [WordingText(locale: "en", pieces: [piece])])
        }
        var compiler = WordingCompiler(Rulebook(decisions: rules, wording: objects), parts: 10)
        return Wording(rules.events, compiler.run(broken: []))
    }

    /// As the texts have it.
    static func said(_ money: Money) -> String { "\(money.minor / 100).\(money.minor % 100 < 10 ? "0" : "")\(money.minor % 100)" }

    static func values(_ definition: EventDefinition, _ text: String, minor: Int64 = 1250, due: Int64 = due) -> [ParameterValue?] {
        definition.parameters.map { parameter in
            switch parameter.type {
            case .money: .money(Money(minor: minor, currency: 978))
            case .instant: .instant(due, offset: 0)
            default: .text(text)
            }
        }
    }
}

/// Who the bank's customers are, as a node's copy has them.
struct EventCustomers {
    var all: [SubjectNumber: (customer: Customer, details: CustomerDetails)] = [:]
    /// Their keys are destroyed.
    var erased: Set<SubjectNumber> = []

    static func hash(_ subject: SubjectNumber) -> UInt64 { UInt64(subject) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func add(_ subject: SubjectNumber, phone: UInt64?, _ change: (inout Customer) -> Void = { _ in }) {
        var customer = Customer(subject: subject)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        customer.consents = [Consent(purpose: 2, channel: nil, state: .given, at: 1)]
        change(&customer)
        let address = phone.map { [CustomerDetails.Address(number: 1, value: .phone($0))] } ?? []
        all[subject] = (customer, CustomerDetails(reference: "C\(subject)", givenName: "Ada", addresses: address))
    }

    func customer(hashed hash: UInt64) -> Customer? {
        all.first { EventCustomers.hash($0.key) == hash && !erased.contains($0.key) }?.value.customer
    }

    func details(_ subject: SubjectNumber) -> CustomerDetails? { erased.contains(subject) ? nil : all[subject]?.details }
}
