import Testing

@testable import MartletModel

@Suite("What an event says")
struct EventValuesTests {
    private let event = EventDefinition(
        key: "x", number: 1, type: 0, messageClass: .service,
        parameters: [
            EventParameter(name: "place", type: .text, maximumBytes: 7),
            EventParameter(name: "count", type: .integer, assumed: .integer(1)),
            EventParameter(name: "rate", type: .decimal, assumed: .decimal(ExactDecimal(unscaled: 0, scale: 0))),
            EventParameter(name: "amount", type: .money, assumed: .money(Money(minor: 0, currency: 978))),
            EventParameter(name: "day", type: .date, assumed: .date(0)), EventParameter(name: "hour", type: .time, assumed: .time(0)),
            EventParameter(name: "at", type: .instant, assumed: .instant(0, offset: 0)),
            EventParameter(name: "flag", type: .boolean, assumed: .boolean(false)),
        ])

    private func values(_ text: String) throws -> (values: [ParameterValue?], faults: [ParameterFault]) {
        event.values(try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000))
    }

    @Test("Values are read in the order of the parameters; what is left out or null is as assumed")
    func read() throws {
        let said = try values(
            #"""
            {"amount": {"amount": "-125.5", "currency": "KWD"}, "place": "Łódź", "count": -7, "rate": "0.125", "day": "2028-02-29", "hour": "18:30:05",
             "at": "2027-03-28T03:30:00.25+03:00", "flag": true}
            """#)
        #expect(said.faults.isEmpty)
        // Its limit is in bytes, of which these letters have seven.
        #expect(
            said.values == [
                .text("Łódź"), .integer(-7), .decimal(ExactDecimal(unscaled: 125, scale: 3)), .money(Money(minor: -125_500, currency: 414)),
                .date(21_243),
                .time(66_605), .instant(1_806_193_800_250_000, offset: 10_800), .boolean(true),
            ])
        let assumed = try values(#"{"place": "Lviv", "count": null}"#)
        #expect(assumed.faults.isEmpty && assumed.values[0] == .text("Lviv") && assumed.values[1] == .integer(1))
        #expect(assumed.values.compactMap(\.self).map(\.type) == event.parameters.map(\.type))
    }

    @Test("All mistakes at once, each with its path and code; no message repeats what was said")
    func faults() throws {
        let said = try values(
            #"""
            {"count": "7", "rate": "1.", "amount": {"amount": "1.234", "currency": "EUR"}, "day": "2027-02-29", "hour": "24:00", "at": "2027-01-01",
             "flag": "yes", "more": 1, "Secret 4441": 2}
            """#)
        #expect(
            said.faults.map(\.path) == [
                "parameters.place", "parameters.count", "parameters.rate", "parameters.amount", "parameters.day", "parameters.hour",
                "parameters.at",
                "parameters.flag", "parameters.?", "parameters.more",
            ])
        #expect(said.faults.map(\.code) == ["required"] + Array(repeating: "malformed", count: 7) + ["unknown", "unknown"])
        #expect(!said.faults.contains { "\($0)".contains("4441") })
        #expect(try values(#"{"place": "Łódź?"}"#).faults.map(\.code) == ["too_long"])
        #expect(try values("[]").faults.map(\.path) == ["parameters"])
    }

    @Test(
        "Moments are those of RFC 3339",
        arguments: [
            ("2027-02-28T18:30:05Z", 1_803_839_405_000_000), ("2027-02-28t18:30:05z", 1_803_839_405_000_000),
            ("2027-02-28T18:30:05.000001-01:30", 1_803_844_805_000_001), ("2016-12-31T23:59:60Z", 1_483_228_799_000_000),
        ] as [(String, Int64)])
    func moments(text: String, microseconds: Int64) { #expect(CivilText.instant(text)?.microseconds == microseconds) }

    @Test(
        "What is no moment, no day and no time is refused",
        arguments: [
            "2027-02-28T18:30:05", "2027-02-28 18:30:05Z", "2027-02-30T18:30:05Z", "2027-02-28T18:60:05Z", "2027-02-28T18:30:05.Z",
            "2027-02-28T18:30:05.0000001Z", "2027-02-28T18:30:05+0100", "2027-02-28T18:30:05+25:00", "2027-02-28T18:30:05Zx",
            "2027-02-28T18:30:05.5",
            "1899-12-31T00:00:00Z", "2027-2-28T18:30:05Z", "2027-02-28T18-30-05Z", "2027-02-28T1a:30:05Z",
        ])
    func noMoments(text: String) {
        #expect(CivilText.instant(text) == nil)
        #expect(CivilText.date(text) == nil && CivilText.time(text) == nil && CivilText.yearly(text) == nil)
    }

    @Test("Decimals keep their digits; amounts have those of their currency and no more")
    func decimals() throws {
        #expect(
            ExactDecimal("-12.50") == ExactDecimal(unscaled: -1250, scale: 2) && ExactDecimal("7") == ExactDecimal(unscaled: 7, scale: 0))
        for text in ["", "-", ".5", "5.", "1.2.3", "1e5", "+1", "1234567890123456789", "1-2"] {
            #expect(ExactDecimal(text) == nil, "\(text)")
        }
        #expect(ExactDecimal("1.500")?.minor(digits: 2) == 150 && ExactDecimal("1.501")?.minor(digits: 2) == nil)
        #expect(ExactDecimal("999999999999999999")?.minor(digits: 2) == nil)
        func fault(_ text: String) throws -> Money.Fault? {
            let value = try JSONValue(reading: Array(text.utf8), maximumBytes: 1000)
            do throws(Money.Fault) {
                _ = try Money(value)
                return nil
            } catch {
                return error
            }
        }
        #expect(try fault(#"{"amount": "1", "currency": "JPY"}"#) == nil && fault(#"{"amount": "1.5", "currency": "JPY"}"#) == .digits)
        #expect(try fault(#"{"amount": "1", "currency": "jpy"}"#) == .currency && fault(#"{"amount": "x", "currency": "EUR"}"#) == .amount)
        #expect(try fault(#"{"amount": "1", "currency": "EUR", "of": 1}"#) == .unknownField && fault("5") == .notAnObject)
        #expect(Set(Currency.all.map(\.code)).count == Currency.all.count && Set(Currency.all.map(\.number)).count == Currency.all.count)
        #expect(Currency.of(number: 980)?.code == "UAH" && Currency.of(number: 1) == nil)
    }

    @Test("What a decision read is refused when it was cut, or is of a version that is not known")
    func damaged() throws {
        var customer = Customer(subject: 7)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        let facts = DecisionFacts(
            event: DecisionEvent(event: 300, occurredAt: 5, deadline: 9, amount: Money(minor: -5, currency: 978), account: 1, card: 2),
            customer: customer,
            circumstances: Circumstances(now: 100, stage: .step(200), isDuplicate: true, hasBudget: false, recent: 9, usedCaps: 1 << 31))
        var bytes: [UInt8] = []
        try facts.write(to: &bytes)
        #expect(try bytes.withUnsafeBytes { try DecisionFacts(reading: $0, now: 100) } == facts)
        for end in bytes.indices {
            #expect(throws: CustomerFault.self, "\(end) bytes") {
                try bytes[..<end].withUnsafeBytes { _ = try DecisionFacts(reading: $0, now: 100) }
            }
        }
        bytes[0] = 9
        #expect(throws: CustomerFault.unknownVersion(9)) { try bytes.withUnsafeBytes { _ = try DecisionFacts(reading: $0, now: 100) } }
    }
}
