import Calendar
import MartletModel

@testable import MartletEngine

/// Rulebooks from a seed: as a bank could write them, good or not so good. Events and packages have the numbers that `DecisionDice.facts` draws.
extension DecisionDice {
    private mutating func some<Item>(of items: [Item]) -> [Item] { items.filter { _ in flip() } }
    private mutating func one<Item>(of items: [Item]) -> Item { items[below(items.count)] }

    static let zones = ["Europe/Kyiv", "America/New_York", "Asia/Kathmandu"]

    mutating func rules() -> DecisionRules {
        var rules = DecisionRules()
        rules.eventTypes = [EventType(key: "a", number: 3), EventType(key: "b", number: 4), EventType(key: "c", number: 5)]
        rules.purposes = [ConsentPurpose(key: "offers", number: 2), ConsentPurpose(key: "surveys", number: 3, isPresumed: true)]
        rules.holidays = [HolidayCalendar(key: "bank", yearly: [101, 229, 302])]
        rules.zones = ZoneNames(names: DecisionDice.zones, zones: [1: 1, 2: 2], units: [9: 1], assumed: flip() ? 0 : nil)
        let quiet = MessageClass.allCases.filter { !$0.ignoresQuietHours }
        var left = quiet
        rules.quietHours = (0..<below(3)).map { index in
            let classes = some(of: left)
            left.removeAll { classes.contains($0) }
            return QuietProfile(
                key: "q\(index)", classes: ClassSet(classes), windows: (0..<below(3)).map { _ in window() }, holidays: flip() ? 0 : nil,
                holidayWindows: [window()])
        }
        rules.caps = (0..<below(4)).map { index in
            FrequencyCap(
                key: "c\(index)", classes: ClassSet(some(of: quiet)), most: 1 + below(3), within: Int64(60 + below(200_000)))
        }
        rules.plans = (0..<(1 + below(4))).map { index in
            let count = 1 + below(3)
            let steps = (0..<count).map { step in
                DeliveryPlan.Step(
                    channels: Array(Set((0...below(2)).map { _ in one(of: [ChannelKind.sms, .sms, .push, .email, .voice]) })).sorted {
                        $0.rawValue < $1.rawValue
                    }, wait: step == count - 1 ? 0 : Int64(1 + below(4000)), success: flip() ? .delivered : .sent, allowsNext: !seldom())
            }
            return DeliveryPlan(key: "p\(index)", steps: steps)
        }
        for one in MessageClass.allCases where !seldom() {
            rules.matrix.append(MatrixCell(messageClass: one, plan: below(rules.plans.count)))
            if flip() { rules.matrix.append(MatrixCell(messageClass: one, segment: 7, plan: below(rules.plans.count))) }
            if flip() { rules.matrix.append(MatrixCell(messageClass: one, engagement: .low, plan: below(rules.plans.count))) }
        }
        rules.suppressions = (0..<below(3)).map { index in
            SuppressionRule(
                key: "s\(index)", statuses: seldom() ? [.active] : [], segments: [[7, 8, 13, 14][below(4)]],
                classes: ClassSet(some(of: MessageClass.allCases)),
                channels: flip() ? .all : ChannelSet(.sms))
        }
        let amount = EventParameter(name: "amount", type: .money, dataClass: .financial)
        let shop = EventParameter(name: "shop", type: .text)
        let conditions = [
            PersonalCondition(segments: [7, 8, 13]), PersonalCondition(units: [9]),
            PersonalCondition(attribute: .init(CustomerAttribute.bestHour, .isWithin(least: 6, most: 20))),
            PersonalCondition(attribute: .init(CustomerAttribute.engagement, .isNone([.integer(1)]))),
        ]
        for number in UInt16(12)...24 {
            let messageClass = one(of: MessageClass.allCases)
            let isMandatory = !messageClass.needsConsent && seldom()
            var event = EventDefinition(
                key: "e\(number)", number: number, type: below(3), messageClass: messageClass, isPublished: !seldom(),
                isMandatory: isMandatory, isForEveryone: flip(), purpose: messageClass.needsConsent ? 0 : seldom() ? 1 : nil,
                parameters: flip() ? [amount, shop] : [shop], conditions: seldom() ? some(of: conditions) : [],
                deadline: flip() ? Int64(60 + below(100_000)) : nil,
                duplicates: flip() ? .init(by: [0], within: 3600) : nil, supersedes: seldom() ? [0] : [],
                limit: flip() ? .init(most: 1 + below(40), within: 3600) : nil,
                templates: Dictionary(uniqueKeysWithValues: some(of: [ChannelKind.sms, .push, .email]).map { ($0, "e\(number)") }),
                quiet: !messageClass.ignoresQuietHours && seldom() && !rules.quietHours.isEmpty ? 0 : nil,
                plan: seldom() ? below(rules.plans.count) : nil, isAtBestHour: !messageClass.ignoresQuietHours && flip())
            if flip() { event.templates[.sms] = "e\(number)" }
            if event.parameters.count == 2 { event.threshold = 0 }
            rules.events.append(event)
        }
        rules.packages = [17, 18].map { number in
            Package(
                key: "k\(number)", number: number,
                entries: some(of: Array(rules.events.indices)).map {
                    .init(event: $0, thresholds: flip() ? [Money(minor: Int64(below(10_000)), currency: 978)] : [])
                }, channels: seldom() ? ChannelSet([.sms, .push]) : nil)
        }
        return rules
    }

    private mutating func window() -> QuietProfile.Window {
        QuietProfile.Window(days: flip() ? Array(0...6) : some(of: Array(0...6)), from: below(1440), until: below(1440))
    }
}
