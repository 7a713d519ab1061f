import Testing

@testable import MartletModel

@Suite("Rulebook: events, packages, plans and what goes with them")
struct DecidingRulesTests {
    static func object(_ name: String, _ text: String) throws -> RulebookObject {
        let parts = name.split(separator: "/").map(String.init)
        let kind = try #require(RulebookKind(rawValue: parts[0]))
        return RulebookObject(
            kind: kind, key: parts[1], version: 1, content: try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000))
    }

    /// A rulebook of which nothing bad is to be said.
    static let sound: [(String, String)] = [
        ("event-type/cards", #"{"number": 3, "group": "cards", "note": "all cards"}"#),
        ("purpose/offers", #"{"number": 2, "presumed": false}"#),
        ("holidays/bank", #"{"yearly": ["01-01", "02-29"], "days": ["2027-03-29"]}"#),
        (
            "quiet-hours/night",
            #"{"classes": ["marketing"], "windows": [{"days": ["sunday", "monday"], "from": "22:00", "until": "08:00"}], "holidays": "bank"}"#
        ),
        (
            "zones/bank",
            #"{"default": "Europe/Kyiv", "zones": [{"number": 1, "zone": "Europe/Warsaw"}], "units": [{"unit": 9, "zone": "Europe/Warsaw"}]}"#
        ),
        ("cap/week", #"{"classes": ["marketing"], "most": 3, "within": 604800}"#),
        ("plan/both", #"{"steps": [{"channels": ["push"], "wait": 60}, {"channels": ["sms"], "route": "harbour"}]}"#),
        (
            "matrix/bank",
            #"{"cells": [{"class": "transactional", "plan": "both"}, {"class": "marketing", "segment": 3, "engagement": "low", "plan": "both"}]}"#
        ),
        ("suppression/law", #"{"segments": [13], "classes": ["marketing"], "channels": ["sms"]}"#),
        (
            "event/paid",
            #"""
            {"number": 12, "type": "cards", "class": "transactional", "deadline": 3600, "threshold": "amount", "card": "card", "account": "card",
             "parameters": [{"name": "amount", "type": "money", "dataClass": "financial"}, {"name": "card", "type": "text", "default": "", "maximum": 20},
               {"name": "at", "type": "instant", "default": "2027-01-01T00:00:00Z"}],
             "duplicates": {"by": ["card", "at"], "within": 86400}, "supersedes": ["card"], "limit": {"most": 20, "within": 3600},
             "templates": {"sms": "paid", "push": "paid"}}
            """#
        ),
        (
            "package/cards",
            #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": "10.00", "currency": "EUR"}]}], "fee": {"amount": "25.00", "currency": "UAH", "period": "month"}}"#
        ),
    ]

    /// The sound rulebook with some objects written otherwise, added, or (empty) left out.
    static func compile(
        _ changes: [String: String], _ surroundings: Rulebook.Surroundings = .init(groups: ["harbour"])
    ) throws -> (DecisionRules, [RulebookFinding]) {
        var texts = Dictionary(sound, uniquingKeysWith: { first, _ in first })
        for (name, text) in changes { texts[name] = text.isEmpty ? nil : text }
        let (rulebook, findings) = Rulebook.compile(
            RulebookSource(number: 1, at: 0, objects: try texts.map { try object($0.key, $0.value) }), in: surroundings)
        return (rulebook.decisions, findings)
    }

    @Test("A sound rulebook is read as it is written, without a finding")
    func whole() throws {
        let (rules, findings) = try DecidingRulesTests.compile([:])
        #expect(findings.isEmpty, "\(findings)")
        #expect(rules.eventTypes == [EventType(key: "cards", number: 3, group: "cards")])
        #expect(rules.purposes == [ConsentPurpose(key: "offers", number: 2)])
        #expect(rules.holidays == [HolidayCalendar(key: "bank", yearly: [101, 229], single: [20_906])])
        #expect(
            rules.quietHours == [
                QuietProfile(
                    key: "night", classes: ClassSet(.marketing), windows: [.init(days: [0, 6], from: 1320, until: 480)], holidays: 0)
            ])
        #expect(rules.zones == ZoneNames(names: ["Europe/Kyiv", "Europe/Warsaw"], zones: [1: 1], units: [9: 1], assumed: 0))
        #expect(rules.caps == [FrequencyCap(key: "week", classes: ClassSet(.marketing), most: 3, within: 604_800)])
        let plan = DeliveryPlan(
            key: "both", steps: [.init(channels: [.push], wait: 60), .init(channels: [.sms], wait: 0, route: "harbour")])
        #expect(rules.plans == [plan] && plan.lastBegins == 60)
        #expect(
            rules.matrix == [
                MatrixCell(messageClass: .transactional, plan: 0),
                MatrixCell(messageClass: .marketing, segment: 3, engagement: .low, plan: 0),
            ])
        #expect(
            rules.suppressions == [SuppressionRule(key: "law", segments: [13], classes: ClassSet(.marketing), channels: ChannelSet(.sms))])
        let package = try #require(rules.packages.first)
        #expect(package.number == 17 && package.entries == [.init(event: 0, thresholds: [Money(minor: 1000, currency: 978)])])
        #expect(package.fee == Package.Fee(amount: Money(minor: 2500, currency: 980), period: .month) && package.channels == nil)
        let event = try #require(rules.events.first)
        #expect(event.number == 12 && event.threshold == 0 && event.card == 1 && event.account == 1 && event.deadline == 3600)
        #expect(
            event.duplicates == .init(by: [1, 2], within: 86_400) && event.supersedes == [1] && event.limit == .init(most: 20, within: 3600)
        )
        #expect(event.templates == [.sms: "paid", .push: "paid"] && event.channels == ChannelSet([.sms, .push]) && event.isPublished)
        #expect(event.parameters[2].assumed == .instant(1_798_761_600_000_000, offset: 0))
    }

    @Test("A suppression names lists, and may hold back what is mandatory")
    func lists() throws {
        let (rules, findings) = try DecidingRulesTests.compile([
            "suppression/law": #"{"lists": [16, 17], "classes": ["service"], "mandatory": true, "note": "by law"}"#
        ])
        #expect(findings.isEmpty, "\(findings)")
        #expect(
            rules.suppressions == [SuppressionRule(key: "law", lists: [16, 17], classes: ClassSet(.service), isForMandatory: true)])
    }

    static let mistakes: [(String, String, String, String)] = [
        ("event-type/cards", #"{}"#, "event-type/cards$.number", "missing"),
        ("event-type/cards", #"{"number": "3"}"#, "event-type/cards$.number", "not a number"),
        ("event-type/cards", #"{"number": 70000}"#, "event-type/cards$.number", "not within"),
        ("event-type/cards", #"{"number": 3, "colour": 1}"#, "event-type/cards$.colour", "no such field"),
        ("event-type/more", #"{"number": 3}"#, "event-type/more$.number", "event-type/cards"),
        ("event-type/cards", #"[]"#, "event-type/cards$", "not an object"),
        ("purpose/offers", #"{"number": 2, "presumed": "no"}"#, "purpose/offers$.presumed", "true or false"),
        ("holidays/bank", #"{"yearly": ["02-30"]}"#, "holidays/bank$.yearly[0]", "no day"),
        ("holidays/bank", #"{"days": ["2027-02-29"]}"#, "holidays/bank$.days[0]", "no day"),
        ("holidays/bank", #"{"days": [20270229]}"#, "holidays/bank$.days[0]", "not a text"),
        (
            "quiet-hours/night", #"{"windows": [{"from": "24:00", "until": "08:00"}]}"#, "quiet-hours/night$.windows[0].from",
            "time of the day"
        ),
        (
            "quiet-hours/night", #"{"windows": [{"days": ["someday"], "from": "22:00", "until": "08:00"}]}"#,
            "quiet-hours/night$.windows[0].days[0]", "no such word"
        ),
        (
            "quiet-hours/night", #"{"windows": [{"days": [], "from": "22:00", "until": "08:00"}]}"#, "quiet-hours/night$.windows[0].days",
            "no day"
        ),
        (
            "quiet-hours/night", #"{"windows": [{"days": ["monday", "monday"], "from": "22:00", "until": "08:00"}]}"#,
            "quiet-hours/night$.windows[0].days[1]", "twice"
        ),
        ("quiet-hours/night", #"{"windows": [], "classes": ["otp"]}"#, "quiet-hours/night$.classes", "never wait"),
        ("quiet-hours/night", #"{"windows": [], "holidays": "moon"}"#, "quiet-hours/night$.holidays", "no holidays/moon"),
        ("quiet-hours/night", #"{"windows": [], "holidayWindows": []}"#, "quiet-hours/night$.holidayWindows", "no holidays"),
        ("quiet-hours/other", #"{"windows": [], "classes": ["marketing"]}"#, "quiet-hours/other$.classes", "quiet-hours/night"),
        ("zones/bank", #"{"default": "Nowhere Land"}"#, "zones/bank$.default", "no such time zone"),
        ("zones/more", #"{"default": "UTC"}"#, "zones/more$.default", "one already"),
        ("zones/more", #"{"zones": [{"number": 1, "zone": "UTC"}]}"#, "zones/more$.zones[0].number", "already"),
        ("cap/week", #"{"classes": [], "most": 3, "within": 60}"#, "cap/week$.classes", "no class"),
        ("cap/week", #"{"classes": ["transactional"], "most": 3, "within": 60}"#, "cap/week$.classes", "never too many"),
        ("cap/week", #"{"classes": ["marketing"], "most": 101, "within": 5}"#, "cap/week$.within", "not within"),
        ("plan/both", #"{"steps": []}"#, "plan/both$.steps", "no step"),
        ("plan/both", #"{"steps": [{"channels": ["push"]}, {"channels": ["sms"]}]}"#, "plan/both$.steps[0].wait", "missing"),
        ("plan/both", #"{"steps": [{"channels": []}]}"#, "plan/both$.steps[0].channels", "no channel"),
        ("plan/both", #"{"steps": [{"channels": ["sms"], "route": "nobody"}]}"#, "plan/both$.steps[0].route", "no connection"),
        ("plan/both", #"{"steps": [{"channels": ["push"], "route": "harbour"}]}"#, "plan/both$.steps[0].route", "no short message"),
        ("plan/both", #"{"steps": [{"channels": ["sms"], "until": "displayed"}]}"#, "plan/both$.steps[0].until", "never tells"),
        (
            "plan/both", #"{"steps": [{"channels": ["push"], "wait": 60, "fallback": false}, {"channels": ["sms"]}]}"#,
            "plan/both$.steps[0].fallback", "never reached"
        ),
        (
            "plan/both", #"{"steps": [{"channels": ["push"], "wait": 3600}, {"channels": ["sms"]}]}"#, "event/paid$.deadline",
            "past its deadline"
        ),
        ("plan/both", #"{"steps": [{"channels": ["voice"]}]}"#, "event/paid$.templates", "no channel with a template"),
        ("matrix/bank", #"{"cells": [{"class": "otp", "plan": "none"}]}"#, "matrix/bank$.cells[0].plan", "no plan/none"),
        ("matrix/more", #"{"cells": [{"class": "transactional", "plan": "both"}]}"#, "matrix/more$.cells[0]", "never reached"),
        ("matrix/bank", #"{"cells": []}"#, "event/paid$.plan", "class transactional"),
        ("suppression/law", #"{"classes": ["marketing"]}"#, "suppression/law$", "no customers"),
        ("suppression/law", #"{"lists": [0], "classes": ["marketing"]}"#, "suppression/law$.lists[0]", "no number"),
        (
            "suppression/law", #"{"lists": [16], "mandatory": "yes", "classes": ["marketing"]}"#, "suppression/law$.mandatory",
            "not true or false"
        ),
        ("suppression/law", #"{"segments": [1], "classes": []}"#, "suppression/law$.classes", "no class"),
        ("suppression/law", #"{"segments": ["vip"], "classes": ["marketing"]}"#, "suppression/law$.segments[0]", "no number"),
        ("package/cards", #"{"number": 17, "events": []}"#, "package/cards$.events", "no events"),
        ("package/cards", #"{"number": 17, "events": [{"event": "sold"}]}"#, "package/cards$.events[0].event", "no event/sold"),
        (
            "package/cards", #"{"number": 17, "events": [{"event": "paid"}, {"event": "paid"}]}"#, "package/cards$.events[1].event",
            "already"
        ),
        (
            "package/cards", #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": "1.001", "currency": "EUR"}]}]}"#,
            "package/cards$.events[0].thresholds[0]", "digits"
        ),
        (
            "package/cards", #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": 1, "currency": "EUR"}]}]}"#,
            "package/cards$.events[0].thresholds[0]", "in quotes"
        ),
        (
            "package/cards",
            #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": "1", "currency": "EUR"}, {"amount": "2", "currency": "EUR"}]}]}"#,
            "package/cards$.events[0].thresholds", "twice"
        ),
        (
            "package/cards",
            #"{"number": 17, "events": [{"event": "paid"}], "fee": {"amount": "-1", "currency": "EUR", "period": "month"}}"#,
            "package/cards$.fee.amount", "below zero"
        ),
        (
            "package/cards", #"{"number": 17, "events": [{"event": "paid"}], "fee": {"amount": "1", "currency": "XXX", "period": "week"}}"#,
            "package/cards$.fee.period", "no such word"
        ),
    ]

    @Test("Each mistake is an error at its place, with a remedy", arguments: mistakes)
    func mistake(name: String, text: String, path: String, word: String) throws {
        let (_, findings) = try DecidingRulesTests.compile([name: text])
        let found = findings.filter { $0.path == path && $0.severity == .error }
        #expect(found.contains { $0.message.contains(word) && !$0.remedy.isEmpty }, "\(findings)")
    }

    static let eventMistakes: [(String, String, String)] = [
        (#""number": null"#, "number", "missing"), (#""type": "boats""#, "type", "no event-type/boats"),
        (#""class": "urgent""#, "class", "no such word"),
        (#""published": "yes""#, "published", "true or false"), (#""purpose": "fun""#, "purpose", "no purpose/fun"),
        (#""class": "marketing""#, "purpose", "needs a consent"),
        (#""class": "marketing", "purpose": "offers", "mandatory": true"#, "mandatory", "cannot be"),
        (#""class": "action_required""#, "actionRequired", "missing"),
        (#""actionRequired": {"due": "at"}"#, "class", "not action_required"),
        (#""class": "action_required", "actionRequired": {}"#, "actionRequired.due", "missing"),
        (#""class": "action_required", "actionRequired": {"due": "amount"}"#, "actionRequired.due", "type money"),
        (#""class": "action_required", "actionRequired": {"due": "at", "reminders": [5]}"#, "actionRequired.reminders[0]", "seconds"),
        (
            #""class": "action_required", "actionRequired": {"due": "at", "completedBy": "paid"}"#, "actionRequired.completedBy",
            "complete itself"
        ),
        (#""quietHours": "night""#, "quietHours", "never wait"), (#""threshold": "card""#, "threshold", "type text"),
        (#""threshold": "size""#, "threshold", "no such parameter"), (#""deadline": 0"#, "deadline", "not within"),
        (#""duplicates": {"by": [], "within": 5}"#, "duplicates.by", "no parameter"),
        (#""duplicates": {"by": ["x"], "within": 5}"#, "duplicates.by[0]", "no such"),
        (#""duplicates": {"by": ["card"], "within": 86401}"#, "duplicates.within", "remembered for a day"),
        (#""duplicates": {"by": ["card"], "within": 0}"#, "duplicates.within", "not within"),
        (#""class": "action_required", "actionRequired": {"due": "at", "by": ["card"]}"#, "actionRequired.by", "no completedBy"),
        (#""class": "action_required", "actionRequired": {"due": "at", "by": ["x"]}"#, "actionRequired.by[0]", "no such"),
        (#""limit": {"most": 0, "within": 5}"#, "limit.most", "not within"), (#""templates": {}"#, "templates", "nobody could be told"),
        (#""templates": {"fax": "paid"}"#, "templates.fax", "no such field"),
        (#""templates": {"sms": "Not A Key"}"#, "templates.sms", "no key"),
        (#""plan": "none""#, "plan", "no plan/none"),
        (#""parameters": [{"name": "Amount", "type": "text"}]"#, "parameters[0].name", "no name"),
        (#""parameters": [{"name": "a", "type": "float"}]"#, "parameters[0].type", "no such word"),
        (#""parameters": [{"name": "a", "type": "date", "default": "2027-13-01"}]"#, "parameters[0].default", "form"),
        (#""parameters": [{"name": "a", "type": "date", "maximum": 4}]"#, "parameters[0].maximum", "only a text"),
        (#""parameters": [{"name": "a", "type": "date"}, {"name": "a", "type": "text"}]"#, "parameters[1].name", "already"),
        (
            #""parameters": [{"name": "code", "type": "text", "dataClass": "secret"}], "templates": {"email": "x", "sms": "y"}"#,
            "templates", "secret"
        ),
        (#""number": 12, "type": 3"#, "type", "not a text"), (#""parameters": 5"#, "parameters", "not a list"),
    ]

    @Test("Each mistake of an event is an error at its place", arguments: eventMistakes)
    func eventMistake(fields: String, path: String, word: String) throws {
        var content = try JSONValue(
            reading: Array((DecidingRulesTests.sound.first { $0.0 == "event/paid" }?.1 ?? "").utf8), maximumBytes: 10_000)
        let changes = try JSONValue(reading: Array("{\(fields)}".utf8), maximumBytes: 10_000)
        guard case .object(var all) = content, case .object(let some) = changes else { return }
        all.merge(some) { _, new in new }
        content = .object(all)
        let (_, findings) = try DecidingRulesTests.compile(["event/paid": String(decoding: content.canonical, as: UTF8.self)])
        let found = findings.filter { $0.path == "event/paid$.\(path)" && $0.severity == .error }
        #expect(found.contains { $0.message.contains(word) && !$0.remedy.isEmpty }, "\(findings)")
    }

    @Test(
        "What is only odd is a warning: a plan that nobody uses, quiet hours without a zone, no days, no template and no package yet"
    )
    func warnings() throws {
        func warning(_ changes: [String: String], _ path: String) throws {
            let (_, findings) = try DecidingRulesTests.compile(changes)
            #expect(findings.areUsable && findings.contains { $0.path == path && $0.severity == .warning }, "\(findings)")
        }
        try warning(["plan/idle": #"{"steps": [{"channels": ["sms"]}]}"#], "plan/idle$")
        try warning(["zones/bank": ""], "zones")
        try warning(["holidays/bank": "{}"], "holidays/bank$")
        try warning(["event/later": #"{"number": 13, "type": "cards", "class": "service", "published": false}"#], "event/later$.templates")
    }

    @Test("What a published event lacks is named at once: template, package, plan")
    func prerequisites() throws {
        let bare = #"{"number": 12, "type": "cards", "class": "service"}"#
        let (_, findings) = try DecidingRulesTests.compile(["event/paid": bare, "package/cards": ""])
        let errors = findings.filter { $0.severity == .error && $0.path.hasPrefix("event/paid") }
        #expect(errors.map(\.path).sorted() == ["event/paid$", "event/paid$.plan", "event/paid$.templates"], "\(findings)")
        #expect(errors.allSatisfy { !$0.remedy.isEmpty })
        let (_, later) = try DecidingRulesTests.compile(
            ["event/paid": bare.replacing("}", with: #", "published": false}"#), "package/cards": ""])
        #expect(later.areUsable)
    }

    @Test("Who names an object is found in every field that can name one, and nobody names what is only spelled alike")
    func users() throws {
        let more: [(String, String)] = [
            ("package/cards", #"{"events": [{"event": "paid"}, {"event": "done"}, 5]}"#),
            (
                "event/loan",
                #"{"type": "cards", "purpose": "offers", "quietHours": "night", "plan": "both", "actionRequired": {"completedBy": "done"}}"#
            ),
            ("event/done", #"{"type": "cards", "actionRequired": {"completedBy": "done"}}"#), ("event/odd", "[]"),
            ("matrix/bank", #"{"cells": [{"plan": "both"}, {"plan": "both"}]}"#), ("quiet-hours/night", #"{"holidays": "bank"}"#),
        ]
        let source = RulebookSource(
            number: 1, at: 0, objects: try more.map { try DecidingRulesTests.object($0.0, $0.1) })
        #expect(source.users(of: .eventType, "cards") == ["event/done", "event/loan"])
        #expect(source.users(of: .event, "done") == ["event/loan", "package/cards"])
        #expect(source.users(of: .plan, "both") == ["event/loan", "matrix/bank"])
        #expect(source.users(of: .purpose, "offers") == ["event/loan"] && source.users(of: .quietHours, "night") == ["event/loan"])
        #expect(source.users(of: .holidays, "bank") == ["quiet-hours/night"])
        #expect(source.users(of: .package, "cards").isEmpty && source.users(of: .routes, "both").isEmpty)
    }

    @Test("Templates, zones and limits that are known around the rulebook are looked up")
    func surroundings() throws {
        let (_, findings) = try DecidingRulesTests.compile([:], .init(templates: ["sms/paid"], zones: ["Europe/Kyiv"]))
        #expect(findings.map(\.path).sorted() == ["event/paid$.templates.push", "zones/bank$.units[0].zone", "zones/bank$.zones[0].zone"])
        var many: [String: String] = [:]
        for index in 0...FrequencyCap.mostCaps { many["cap/c\(index)"] = #"{"classes": ["service"], "most": 1, "within": 60}"# }
        #expect(try DecidingRulesTests.compile(many).1.contains { $0.path == "cap" && $0.message.contains("34 caps") })
        let steps = Array(repeating: #"{"channels": ["sms"], "wait": 1}"#, count: 9).joined(separator: ",")
        #expect(try DecidingRulesTests.compile(["plan/long": "{\"steps\": [\(steps)]}"]).1.contains { $0.message.contains("9 steps") })
        let parameters = (0..<65).map { "{\"name\": \"p\($0)\", \"type\": \"text\"}" }.joined(separator: ",")
        let wide = "{\"number\": 13, \"type\": \"cards\", \"class\": \"service\", \"published\": false, \"parameters\": [\(parameters)]}"
        #expect(try DecidingRulesTests.compile(["event/wide": wide]).1.contains { $0.message.contains("65 parameters") })
        let reminders = (0..<11).map { "\(60 + $0)" }.joined(separator: ",")
        let due =
            "{\"number\": 13, \"type\": \"cards\", \"class\": \"action_required\", \"published\": false, \"parameters\": [{\"name\": \"due\", \"type\": \"date\"}], \"actionRequired\": {\"due\": \"due\", \"reminders\": [\(reminders)]}}"
        #expect(try DecidingRulesTests.compile(["event/due": due]).1.contains { $0.message.contains("11 reminders") })
    }

    @Test("A package with thresholds for an event that has no amount is refused")
    func thresholds() throws {
        let (_, findings) = try DecidingRulesTests.compile([
            "event/plain": #"{"number": 13, "type": "cards", "class": "transactional", "templates": {"sms": "x"}}"#,
            "package/plain": #"{"number": 18, "events": [{"event": "plain", "thresholds": [{"amount": "1", "currency": "EUR"}]}]}"#,
        ])
        #expect(findings.contains { $0.path == "package/plain$.events" && $0.severity == .error })
    }

    @Test("Every kind has its word and what it is for; words of channels, classes and data are told apart")
    func words() {
        #expect(RulebookKind.allCases.allSatisfy { !$0.doc.isEmpty && RulebookObject.isKey($0.rawValue) })
        #expect(Set(DataClass.allCases.map(\.word)).count == 5 && Set(ParameterType.allCases.map(\.form)).count == 8)
        #expect(SuppressionReason.allCases.allSatisfy { !$0.doc.isEmpty })
        for channel in ChannelKind.allCases { #expect(channel.canTell(.sent)) }
        #expect(!ChannelKind.email.canTell(.confirmed) && ChannelKind.sms.canTell(.confirmed) && ChannelKind.voice.canTell(.displayed))
        #expect(MessageClass.allCases.filter(\.ignoresCaps) == [.security, .employeeAlarm, .otp, .transactional])
        #expect(DecisionRules().isEmpty && CustomerStatus.allCases.map(\.word) == ["active", "blocked", "deceased", "closed"])
    }
}
