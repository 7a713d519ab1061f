import Testing

@testable import MartletModel

@Suite("Rulebook: which event completes which")
struct CompletionsTests {
    /// An event of a loan by the name of its key.
    private static func event(_ number: Int, _ fields: String, parameters: String = #"{"name": "loan", "type": "text"}"#) -> String {
        #"""
        {"number": \#(number), "type": "cards", "class": "service", "published": false, \#(fields) "parameters": [{"name": "day", "type": "date"},
         \#(parameters), {"name": "bank", "type": "text", "default": ""}]}
        """#
    }

    private static func due(_ number: Int, _ action: String, _ more: String = "") -> String {
        event(number, #""actionRequired": {"due": "day", \#(action)}, \#(more)"#).replacing(
            #""class": "service""#, with: #""class": "action_required""#)
    }

    /// Places of events follow their keys.
    private static func compile(_ events: [String: String]) throws -> (rules: DecisionRules, errors: [RulebookFinding]) {
        let (rules, findings) = try DecidingRulesTests.compile(
            Dictionary(events.map { ("event/\($0.key)", $0.value) }, uniquingKeysWith: { first, _ in first }))
        return (rules, findings.filter { $0.severity == .error })
    }

    @Test("Both sides know the values by which they find each other, in one order; without any the customer alone tells")
    func links() throws {
        let paid = CompletionsTests.event(41, "", parameters: #"{"name": "bank", "type": "text"}, {"name": "loan", "type": "text"}"#)
            .replacing(#", {"name": "bank", "type": "text", "default": ""}"#, with: "")
        let (rules, errors) = try CompletionsTests.compile([
            "loan_due": CompletionsTests.due(40, #""completedBy": "loan_paid", "by": ["bank", "loan"]"#), "loan_paid": paid,
            "form_due": CompletionsTests.due(42, #""completedBy": "form_sent""#), "form_sent": CompletionsTests.event(43, ""),
            "visit_due": CompletionsTests.due(44, #""reminders": [60]"#),
        ])
        #expect(errors.isEmpty, "\(errors)")
        func event(_ key: String) throws -> EventDefinition { try #require(rules.events.first { $0.key == key }) }
        let loan = try event("loan_due")
        #expect(loan.found?.map { loan.parameters[$0].name } == ["bank", "loan"] && loan.completes == nil)
        let completion = try event("loan_paid")
        #expect(completion.completes?.event == 40 && completion.found == nil)
        #expect(completion.completes?.by.map { completion.parameters[$0].name } == ["bank", "loan"])
        #expect(try event("form_due").found == [] && event("form_sent").completes == .init(event: 42, by: []))
        #expect(try event("visit_due").found == nil)
    }

    @Test("What replaces and is completed by the same values is found by them")
    func replaces() throws {
        let (rules, errors) = try CompletionsTests.compile([
            "loan_due": CompletionsTests.due(
                40, #""completedBy": "loan_paid", "by": ["bank", "loan"]"#, #""supersedes": ["loan", "bank"],"#),
            "loan_paid": CompletionsTests.event(41, ""),
        ])
        #expect(errors.isEmpty, "\(errors)")
        let event = try #require(rules.events.first { $0.key == "loan_paid" })
        #expect(event.completes?.by.map { event.parameters[$0].name } == ["loan", "bank"])
    }

    @Test("What one hash cannot find, or no event can say, is an error with its place")
    func mistakes() throws {
        func error(_ events: [String: String], _ path: String, _ word: String) throws {
            let (rules, errors) = try CompletionsTests.compile(events)
            #expect(errors.contains { $0.path == path && $0.message.contains(word) && !$0.remedy.isEmpty }, "\(errors)")
            #expect(rules.events.count == events.count + 1)
        }
        let paid = CompletionsTests.event(41, "")
        let by = #""completedBy": "loan_paid", "by": ["loan"]"#
        try error(
            ["loan_due": CompletionsTests.due(40, by, #""supersedes": ["bank"],"#), "loan_paid": paid], "event/loan_due$.actionRequired.by",
            "other parameters")
        try error(
            ["loan_due": CompletionsTests.due(40, by), "loan_paid": CompletionsTests.event(41, #""supersedes": ["loan"],"#)],
            "event/loan_due$.actionRequired.completedBy", "takes the place of others")
        try error(
            ["loan_due": CompletionsTests.due(40, by), "loan_late": CompletionsTests.due(42, by), "loan_paid": paid],
            "event/loan_late$.actionRequired.completedBy", "completes event/loan_due already")
        for other in [#"{"name": "loan", "type": "integer"}"#, #"{"name": "account", "type": "text"}"#] {
            try error(
                ["loan_due": CompletionsTests.due(40, by), "loan_paid": CompletionsTests.event(41, "", parameters: other)],
                "event/loan_due$.actionRequired.by", "no parameter loan of type text")
        }
    }
}
