import MartletModel
import Testing

@testable import MartletDoors

/// Parameters read in place, against the reading of documents that the rulebook's own defaults go through.
@Suite struct EventParametersTests {
    /// Nil: the text is no JSON for this reader.
    static func read(
        _ text: String, of definition: EventDefinition = EventFixture.everything, cards: CardNumbers.Policy = .off, most: Int = 100
    ) -> EventParameters? {
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(MartletDoors.JSONFault) {
                return try JSONReader.read(bytes) { reader throws(MartletDoors.JSONFault) in
                    try EventParameters(&reader, of: definition, cards: cards, faultsMaximum: most)
                }
            } catch {
                return nil
            }
        }
    }

    /// Names of the faults, each once: of money this reader tells more than the oracle does.
    private func names(_ parameters: EventParameters) -> Set<String> {
        Set(parameters.faults.map { EventParameter.isName($0.name) ? $0.name : "?" })
    }

    private func oracle(_ text: String, _ definition: EventDefinition) -> (values: [ParameterValue?], names: Set<String>)? {
        do throws(MartletModel.JSONFault) {
            let said = try JSONValue(reading: Array(text.utf8), maximumBytes: 100_000)
            let (values, faults) = definition.values(said)
            return (values, Set(faults.map { String($0.path.dropFirst("parameters.".utf8.count)) }))
        } catch {
            return nil
        }
    }

    static let whole =
        #"{"place":"Łódź","count":-7,"rate":"0.125","amount":{"currency":"KWD","amount":"-125.5"},"day":"2028-02-29","hour":"18:30:05","at":"2027-03-28T03:30:00.25+03:00","flag":true}"#

    @Test("Each type is read as documents have it, in any order, with escapes and blanks; what is left out or null is assumed")
    func types() throws {
        let one = try #require(EventParametersTests.read(EventParametersTests.whole))
        #expect(one.faults.isEmpty && one.masked == 0)
        #expect(one.values == oracle(EventParametersTests.whole, EventFixture.everything)?.values)
        #expect(one.values.compactMap(\.self).map(\.type) == EventFixture.everything.parameters.map(\.type))
        let other = try #require(
            EventParametersTests.read(
                #" { "flag" : null , "hour":"18:30", "\u0064ay":"2028-02-2\u0039","amount":{ "amount":"1","currency":"J\u0050Y" },"rate":3,"count":0,"place":"a\n" } "#
            ))
        #expect(other.faults.isEmpty)
        #expect(
            other.values == [
                .text("a\n"), .integer(0), .decimal(ExactDecimal(unscaled: 3, scale: 0)), .money(Money(minor: 1, currency: 392)),
                .date(21_243), .time(66_600), .instant(0, offset: 0), .boolean(false),
            ])
    }

    @Test(
        "What is wrong with one value is told by its kind",
        arguments: [
            (#""place":"Łódź?""#, "place", .tooLong(bytes: 7)),
            (#""place":"\u0041\u0041\u0041\u0041\u0041\u0041\u0041\u0041""#, "place", .tooLong(bytes: 7)),
            (#""place":"a\u0000""#, "place", .controlCharacter), (#""place":7"#, "place", .kind(.text)),
            (#""place":{"a":[1]}"#, "place", .kind(.text)),
            (#""count":"7""#, "count", .kind(.integer)), (#""count":7.5"#, "count", .form(.integer)),
            (#""count":1e3"#, "count", .form(.integer)),
            (#""count":9007199254740992"#, "count", .form(.integer)), (#""count":99999999999999999999"#, "count", .form(.integer)),
            (#""rate":"1.""#, "rate", .form(.decimal)), (#""rate":0.5"#, "rate", .form(.decimal)),
            (#""rate":true"#, "rate", .kind(.decimal)),
            (#""amount":"1 EUR""#, "amount", .kind(.money)), (#""amount":{"currency":"EUR"}"#, "amount", .amount),
            (#""amount":{"amount":1,"currency":"EUR"}"#, "amount", .amount), (#""amount":{"amount":"1"}"#, "amount", .currency),
            (#""amount":{"amount":"1","currency":"eur"}"#, "amount", .currency),
            (#""amount":{"amount":"1","currency":978}"#, "amount", .currency),
            (#""amount":{"amount":"1.234","currency":"EUR"}"#, "amount", .fraction),
            (#""amount":{"amount":"1","currency":"EUR","of":[1]}"#, "amount", .member),
            (#""day":"2027-02-29""#, "day", .form(.date)), (#""day":20270228"#, "day", .kind(.date)),
            (#""hour":"24:00""#, "hour", .form(.time)),
            (#""at":"2027-01-01""#, "at", .form(.instant)), (#""at":"\#(String(repeating: "2", count: 300))""#, "at", .form(.instant)),
            (#""flag":"yes""#, "flag", .kind(.boolean)), (#""flag":1"#, "flag", .kind(.boolean)), (#""more":1"#, "more", .unknown),
        ] as [(String, String, EventParameters.Wrong)])
    func wrong(member: String, name: String, wrong: EventParameters.Wrong) throws {
        let read = try #require(EventParametersTests.read("{\(member)}"))
        #expect(read.faults.first == .init(name: name, wrong: wrong))
        // The others are missing, in the order of the definition.
        let missing = EventFixture.everything.parameters.filter { $0.assumed == nil && $0.name != name }.map(\.name)
        #expect(read.faults.dropFirst().map(\.name) == missing && read.faults.dropFirst().allSatisfy { $0.wrong == .missing })
    }

    @Test("Everything wrong with an amount is told at once; null counts as absent, even of what is required")
    func amounts() throws {
        let read = try #require(EventParametersTests.read(#"{"amount":{"amount":1.5,"currency":null,"x":1},"place":null}"#))
        #expect(read.faults.prefix(4).map(\.wrong) == [.member, .amount, .currency, .missing])
    }

    @Test("No more faults are kept than are asked for, and a malformed body stays malformed")
    func bounded() throws {
        let many = "{" + (0..<50).map { #""x\#($0)":1"# }.joined(separator: ",") + "}"
        #expect(EventParametersTests.read(many, most: 5)?.faults.count == 5)
        for text in [
            "{", #"{"place":"a""#, #"{"place":"a","place":"b"}"#, #"{"count":1 2}"#, #"{"count":1x}"#, #"{"amount":{"amount":"\x"}}"#, "[]",
            "",
        ] {
            #expect(EventParametersTests.read(text) == nil, "\(text)")
        }
    }

    @Test("Card numbers in texts are seen to by the policy; identifiers are the templates' to mask")
    func cards() throws {
        let text =
            #"{"amount":{"amount":"1","currency":"EUR"},"card":"4111111111111111","shop":"Card 4111 1111 1111 1111","reference":"4111111111111111"}"#
        let masked = try #require(EventParametersTests.read(text, of: EventFixture.payment, cards: .mask))
        #expect(masked.masked == 2 && masked.faults.isEmpty)
        #expect(
            masked.values.dropFirst() == [.text("4111111111111111"), .text("Card 4111 11** **** 1111"), .text("411111******1111")])
        let refused = try #require(EventParametersTests.read(text, of: EventFixture.payment, cards: .refuse))
        #expect(refused.faults == [.init(name: "shop", wrong: .cardNumber), .init(name: "reference", wrong: .cardNumber)])
        #expect(EventParametersTests.read(text, of: EventFixture.payment, cards: .off)?.masked == 0)
    }

    @Test("An event that says nothing has what is assumed, and misses the rest")
    func nothing() {
        let none = EventParameters(of: EventFixture.payment, faultsMaximum: 10)
        #expect(none.values == [nil, nil, .text(""), .text("")])
        #expect(none.faults.map(\.name) == ["amount", "card"] && none.faults.allSatisfy { $0.wrong == .missing })
        #expect(EventParameters(of: EventFixture.offer, faultsMaximum: 10).values.isEmpty)
    }

    @Test(
        "Of documents made at random, both readings take the same ones with the same values, and miss the same parameters",
        arguments: 1...300)
    func oracle(seed: UInt64) throws {
        var random = HTTPRobustnessTests.Seeded(state: seed &* 0x9E37_79B9_7F4A_7C15)
        for _ in 0..<20 {
            let text = EventParametersTests.document(&random)
            guard let wanted = oracle(text, EventFixture.everything) else { continue }
            let read = try #require(EventParametersTests.read(text), "seed \(seed): \(text)")
            #expect(names(read) == wanted.names, "seed \(seed): \(text)")
            if wanted.names.isEmpty { #expect(read.values == wanted.values, "seed \(seed): \(text)") }
        }
    }

    /// An object whose members mostly are the definition's, in any order, with values of all forms, right and wrong.
    private static func document(_ random: inout HTTPRobustnessTests.Seeded) -> String {
        let values = [
            #""a""#, #""Łódź""#, #""much too long""#, #""\u0105\n""#, "0", "-7", "9007199254740991", "12345678901", "true", "false", "null",
            "[]", "{}",
            #""12.50""#, #""-0.5""#, #""1.2.3""#, #""2028-02-29""#, #""2027-02-29""#, #""18:30""#, #""18:30:05""#, #""25:00""#,
            #""2027-03-28T03:30:00.25+03:00""#, #""2027-03-28T03:30:00Z""#, #"{"amount":"1.5","currency":"EUR"}"#,
            #"{"currency":"JPY","amount":"1.5"}"#, #"{"amount":"999999999999999999","currency":"UAH"}"#,
            #"{"amount":"1","currency":"XXX"}"#,
            #"{"amount":"-7","currency":"KWD","note":null}"#, #"[{"a":1}]"#,
        ]
        var names = EventFixture.everything.parameters.map(\.name)
        names.shuffle(using: &random)
        if Bool.random(using: &random) { names.removeLast(Int.random(in: 0...3, using: &random)) }
        if Int.random(in: 0..<8, using: &random) == 0 { names.insert(Bool.random(using: &random) ? "other" : "No name", at: 0) }
        let right: [String: String] = [
            "place": #""Lviv""#, "count": "7", "rate": #""0.5""#, "amount": #"{"amount":"1","currency":"EUR"}"#, "day": #""2027-02-28""#,
            "hour": #""18:30""#, "at": #""2027-03-28T03:30:00Z""#, "flag": "true",
        ]
        let members = names.map { name in
            let wild = values[Int.random(in: values.indices, using: &random)]
            return "\"\(name)\":\(Int.random(in: 0..<10, using: &random) == 0 ? wild : right[name] ?? wild)"
        }
        return "{\(members.joined(separator: Bool.random(using: &random) ? "," : " ,\n "))}"
    }
}
