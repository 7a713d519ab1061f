import Testing

@testable import MartletModel

/// Sentences of an explanation call things as the rulebook does, where it has them.
@Suite struct RuleNamesTests {
    static let rules = {
        var rules = DecisionRules()
        rules.eventTypes = [EventType(key: "card-payment", number: 9)]
        rules.packages = [Package(key: "savings", number: 21, entries: []), Package(key: "cards", number: 18, entries: [])]
        rules.purposes = [ConsentPurpose(key: "offers", number: 17)]
        rules.caps = [FrequencyCap(key: "week", classes: [], most: 3, within: 604_800)]
        return rules
    }()

    static let answers = [
        RuleAnswer(.package, .passes, .connected, 18), RuleAnswer(.threshold, .suppresses(.belowThreshold), .belowThreshold, 50_000),
        RuleAnswer(.threshold, .passes, .reachesThreshold, 5), RuleAnswer(.wishes, .suppresses(.optedOut), .muted, 9),
        RuleAnswer(.consent, .passes, .consented, 17), RuleAnswer(.consent, .suppresses(.noConsent), .notConsented, 17),
        RuleAnswer(.consent, .suppresses(.optedOut), .withdrawn, 17), RuleAnswer(.cap, .suppresses(.capReached), .capUsedUp, 0),
    ]

    @Test("Packages, event types, purposes and caps stand there by key, amounts in their currency")
    func named() {
        let names = RuleNames(Self.answers, Self.rules, currency: 980)
        #expect(
            Self.answers.map { $0.sentence(names) } == [
                "Package cards is connected and has the event.", "The amount is below 500.00 UAH, from which the customer is told.",
                "The amount reaches 0.05 UAH, from which the customer is told.",
                "The customer does not want to hear of event type card-payment.", "The customer agreed to purpose offers.",
                "The customer did not agree to purpose offers.", "The customer withdrew the consent to purpose offers.",
                "The customer has had as many as cap week allows.",
            ])
    }

    @Test("What the rulebook has no more keeps its number")
    func numbered() {
        let names = RuleNames(Self.answers, DecisionRules(), currency: nil)
        #expect(names == RuleNames())
        #expect(
            Self.answers.map { $0.sentence(names) } == [
                "Package 18 is connected and has the event.", "The amount is below 50000, from which the customer is told.",
                "The amount reaches 5, from which the customer is told.", "The customer does not want to hear of event type 9.",
                "The customer agreed to purpose 17.", "The customer did not agree to purpose 17.",
                "The customer withdrew the consent to purpose 17.", "The customer has had as many as are allowed.",
            ])
    }

    @Test(
        "An amount has the digits of its currency",
        arguments: [
            (12_550, 980, "125.50 UAH"), (7, 392, "7 JPY"), (-5, 978, "-0.05 EUR"), (1_234_567, 414, "1234.567 KWD"), (0, 980, "0.00 UAH"),
        ] as [(Int64, UInt16, String)])
    func amounts(minor: Int64, currency: UInt16, words: String) {
        #expect(Money(minor: minor, currency: currency).words == words)
    }

    @Test("An amount in a currency that is not known has no words")
    func unknown() {
        #expect(Money(minor: 1, currency: 1).words == nil)
    }
}
