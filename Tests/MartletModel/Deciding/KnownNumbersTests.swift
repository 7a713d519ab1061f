import Testing

@testable import MartletModel

@Suite("Rulebook: numbers that the bank defined")
struct KnownNumbersTests {
    private static let changes = [
        "matrix/more":
            #"{"cells": [{"class": "transactional", "segment": 99, "plan": "both"}, {"class": "transactional", "segment": 13, "plan": "both"}]}"#,
        "suppression/some":
            #"{"segments": [13, 98], "tiers": [2, 3], "units": [7, 8], "lists": [16, 999], "classes": ["service"], "channels": ["sms"]}"#,
        "event/tip": CompilerWordsTests.event(
            14,
            #""class": "transactional", "everyone": true, "conditions": [{"segments": [3, 97], "attribute": 20, "is": [1]}]"#),
        "zones/units": #"{"units": [{"unit": 7, "zone": "Europe/Warsaw"}, {"unit": 6, "zone": "Europe/Warsaw"}]}"#,
    ]
    private static let known = KnownNumbers(
        units: [7, 9], segments: [3, 13], tiers: [2], lists: [16], packages: [17], purposes: [2], attributes: [20: .number])

    /// Warnings alone: what stands ready for a number to come is no mistake.
    private static func found(_ known: KnownNumbers?) throws -> [String] {
        let findings = try DecidingRulesTests.compile(changes, .init(known: known)).1
        #expect(findings.areUsable && findings.allSatisfy { !$0.remedy.isEmpty }, "\(findings)")
        return findings.map { "\($0.path): \($0.message)" }.filter { $0.contains("there is no") }.sorted()
    }

    @Test("What names a number that nobody has is named, of every kind; the node, which does not know them, asks for none")
    func numbers() throws {
        #expect(
            try Self.found(Self.known) == [
                "event/tip$.conditions[0].segments[1]: there is no segment 97, so no customer has it",
                "matrix/more$.cells[0].segment: there is no segment 99, so no customer has it",
                "suppression/some$.lists[1]: there is no suppression-list 999, so no customer has it",
                "suppression/some$.segments[1]: there is no segment 98, so no customer has it",
                "suppression/some$.tiers[1]: there is no tier 3, so no customer has it",
                "suppression/some$.units[1]: there is no unit 8, so no customer has it",
                "zones/units$.units[1].unit: there is no unit 6, so no customer has it",
            ])
        #expect(try Self.found(nil).isEmpty)
        var none = Self.known
        (none.packages, none.purposes) = ([], [])
        let found = try Self.found(none)
        #expect(found.contains("package/cards$.number: there is no package 17, so no customer has it"), "\(found)")
        #expect(found.contains { $0.hasPrefix("purpose/offers$.number: there is no purpose") }, "\(found)")
    }

    @Test("An attribute that decisions do not read, or read as something else, is an error: who is to be left out would be told")
    func attributes() throws {
        let conditions = #"""
            [{"attribute": 21, "isNot": ["x"]}, {"attribute": 20, "is": ["x", 1, true]}, {"attribute": 20, "from": "2027-01-01"},
             {"attribute": 16, "atLeast": 1, "atMost": 2}, {"attribute": 17, "is": ["2027-01-01"]}, {"attribute": 18, "isNot": [false, 0]}]
            """#
        let event = CompilerWordsTests.event(14, #""class": "transactional", "everyone": true, "conditions": \#(conditions)"#)
        let known = KnownNumbers(
            units: [7, 9], segments: [3, 13], tiers: [2], lists: [16], packages: [17], purposes: [2],
            attributes: [16: .text, 17: .date, 18: .flag, 20: .number])
        let findings = try DecidingRulesTests.compile(["event/tip": event], .init(known: known)).1
        #expect(!findings.areUsable)
        #expect(
            findings.filter { $0.severity == .error }.map { "\($0.path): \($0.message)" } == [
                "event/tip$.conditions[0].attribute: there is no attribute 21 that decisions read",
                "event/tip$.conditions[1].is[0]: attribute 20 is a number", "event/tip$.conditions[1].is[2]: attribute 20 is a number",
                "event/tip$.conditions[2].from: attribute 20 is a number", "event/tip$.conditions[3].atLeast: attribute 16 is a text",
                "event/tip$.conditions[3].atMost: attribute 16 is a text", "event/tip$.conditions[4].is[0]: attribute 17 is a date",
                "event/tip$.conditions[5].isNot[1]: attribute 18 is true or false",
            ])
    }

    @Test("Of an event whose plan is not there only that is told, and nothing of the plans that it would follow without")
    func plan() throws {
        let event = CompilerWordsTests.event(14, #""class": "service", "everyone": true, "plan": "nowhere", "deadline": 60"#)
        let (_, findings) = try DecidingRulesTests.compile([
            "event/notice": event, "plan/slow": #"{"steps": [{"channels": ["push"], "wait": 600}, {"channels": ["voice"]}]}"#,
            "matrix/service": #"{"cells": [{"class": "service", "plan": "slow"}]}"#,
        ])
        #expect(findings.filter { $0.path.hasPrefix("event/notice") }.map(\.path) == ["event/notice$.plan"], "\(findings)")
    }
}
