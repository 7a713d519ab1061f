import Testing

@testable import MartletModel

@Suite("Rulebook: personal conditions")
struct PersonalConditionTests {
    private static func compile(_ conditions: String, more: String = "") throws -> (EventDefinition?, [String]) {
        let event = CompilerWordsTests.event(14, #""class": "service", "everyone": true\#(more), "conditions": \#(conditions)"#)
        let (rules, findings) = try DecidingRulesTests.compile(["event/tip": event])
        return (rules.events.first { $0.key == "tip" }, findings.map { "\($0.path): \($0.message)" }.filter { $0.contains("conditions") })
    }

    @Test("Conditions are read as they are written")
    func reads() throws {
        let (event, findings) = try Self.compile(
            #"""
            [{"segments": [3, 4], "tiers": [2]}, {"units": [9], "attribute": 21, "is": ["gold", 7, true]}, {"attribute": 22, "isNot": ["x"]},
             {"attribute": 23, "atLeast": -5}, {"attribute": 23, "atLeast": 1, "atMost": 1}, {"attribute": 24, "until": "2000-02-29"}]
            """#, more: #", "bestHour": true"#)
        #expect(findings.isEmpty && event?.isAtBestHour == true)
        #expect(
            event?.conditions == [
                PersonalCondition(segments: [3, 4], tiers: [2]),
                PersonalCondition(units: [9], attribute: .init(21, .isOne([.text("gold"), .integer(7), .boolean(true)]))),
                PersonalCondition(attribute: .init(22, .isNone([.text("x")]))),
                PersonalCondition(attribute: .init(23, .isWithin(least: -5, most: nil))),
                PersonalCondition(attribute: .init(23, .isWithin(least: 1, most: 1))),
                PersonalCondition(attribute: .init(24, .isDayWithin(first: nil, last: 11_016))),
            ])
    }

    @Test(
        "What cannot hold, or says nothing, is named with its place",
        arguments: [
            (#"[{}]"#, "event/tip$.conditions[0]: it names no customers"),
            (#"[{"is": [1]}]"#, "event/tip$.conditions[0].is: there is no attribute"),
            (#"[{"attribute": 21}]"#, "event/tip$.conditions[0].attribute: it is not said what its value has to be"),
            (#"[{"attribute": 21, "is": [1], "atLeast": 2}]"#, "event/tip$.conditions[0].attribute: its value is asked for in two ways"),
            (#"[{"attribute": 21, "atLeast": 3, "atMost": 2}]"#, "event/tip$.conditions[0].atMost: nothing lies in between"),
            (
                #"[{"attribute": 21, "from": "2027-03-01", "until": "2027-02-28"}]"#,
                "event/tip$.conditions[0].until: nothing lies in between"
            ),
            (#"[{"attribute": 21, "from": "2027-02-29"}]"#, "event/tip$.conditions[0].from: it is no date"),
            (#"[{"attribute": 21, "is": []}]"#, "event/tip$.conditions[0].is: it has 0 values"),
            (#"[{"attribute": 0, "is": [1]}]"#, "event/tip$.conditions[0].attribute: it is not within 1 to 65535"),
            (#"[{"segments": ["vip"]}]"#, "event/tip$.conditions[0].segments[0]: it is no number of 1 to 65535"),
        ])
    func faults(conditions: String, finding: String) throws {
        let (_, findings) = try Self.compile(conditions)
        #expect(findings.contains(finding), "\(findings)")
    }

    @Test("No more than sixteen, and no waiting of what never waits")
    func limits() throws {
        let one = #"{"segments": [3]}"#
        let (event, findings) = try Self.compile("[" + Array(repeating: one, count: 17).joined(separator: ",") + "]")
        #expect(event?.conditions.count == 16 && findings == ["event/tip$.conditions: 17 conditions; 16 are the most"])
        let code = CompilerWordsTests.event(15, #""class": "otp", "everyone": true, "bestHour": true"#)
        let (_, all) = try DecidingRulesTests.compile(["event/code": code])
        #expect(all.contains { $0.path == "event/code$.bestHour" && $0.message == "messages of class otp never wait" }, "\(all)")
    }

    @Test("A decimal is compared as a number, to its last digit")
    func decimals() {
        func holds(_ unscaled: Int64, _ scale: UInt8, _ test: PersonalCondition.Test) -> Bool {
            test.passes(.decimal(unscaled: unscaled, scale: scale))
        }
        let span = PersonalCondition.Test.isWithin(least: -2, most: 3)
        #expect(holds(-20, 1, span) && !holds(-21, 1, span) && holds(-19, 1, span) && holds(300, 2, span) && !holds(301, 2, span))
        #expect(
            holds(5_000_000_000_000_000_000, 18, .isWithin(least: 5, most: 5))
                && !holds(5_000_000_000_000_000_001, 18, .isWithin(least: nil, most: 5)))
        #expect(holds(700, 2, .isOne([.integer(7)])) && !holds(701, 2, .isOne([.integer(7)])) && holds(-70, 1, .isNone([.integer(7)])))
    }
}
