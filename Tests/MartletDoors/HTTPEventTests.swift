import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// `POST /v1/events`: what an event may say, what reaches the core, and how everything wrong with one comes back at once.
@Suite struct HTTPEventTests {
    static func submission(_ body: String = EventFixture.body, key: String = "KEY", extra: String = "") throws -> EventSubmission {
        let bench = try DoorBench.withEvents()
        try bench.send(event(body, key: key, extra: extra))
        let text = try bench.written().text
        guard let one = bench.intake.events.first else { throw DoorBenchFault(text: text) }
        try bench.end()
        return one
    }

    /// Path and code of each error, in order.
    static func errors(of body: String, key: String = "KEY", path: String = "/v1/events") throws -> [String] {
        let bench = try DoorBench.withEvents()
        bench.intake.explanation = .success(Explanation(release: 7, outcome: .tell, deadline: 0))
        let answer = try bench.answer(to: event(body, key: key, path: path))
        #expect(answer.status == 422)
        #expect(answer.body.contains(#""type":"/problems/invalid_event""#))
        #expect(bench.intake.events.isEmpty && bench.intake.explained.isEmpty)
        try bench.end()
        return answer.body.split(separator: #"{"path":""#).dropFirst().map { piece in
            let parts = piece.split(separator: #"""#, omittingEmptySubsequences: false)
            return "\(parts[0]) \(parts[4])"
        }
    }

    /// Errors of a payment with this member besides, or in the place of its own.
    static func with(_ member: String) throws -> [String] {
        try errors(of: #"{"definition":"card_payment","customer":"40-118-220","parameters":\#(EventFixture.parameters),\#(member)}"#)
    }

    @Test("All fields reach the core as they were sent; the deadline is counted from when it happened")
    func all() throws {
        let one = try HTTPEventTests.submission(
            #"{"definition":"card_payment","customer":"40-118-220","parameters":\#(EventFixture.parameters),"occurredAt":"2026-11-22T18:04:09.5Z","deadline":300,"reference":"tx-\u00e9"}"#
        )
        #expect(one.source == 7 && one.sender == "HARBOUR" && one.tells == [])
        #expect(one.definition == EventFixture.payment)
        #expect(one.values == [.money(Money(minor: 12_550, currency: 980)), .text("4111111111111111"), .text("Kava 7"), .text("")])
        #expect(one.customer == "40-118-220" && one.reference == "tx-é")
        #expect(one.occurredAt == 1_795_370_649_500_000 && one.deadline == 1_795_370_949_500_000)
        #expect(one.receivedAt == FakeIntake().instant && one.idempotency == nil && one.trace == nil)
    }

    @Test("What is left out, or null, comes from the definition, the source and the clock; fields stand in any order")
    func defaults() throws {
        for body in [
            EventFixture.body,
            #"{"reference":null,"parameters":\#(EventFixture.parameters),"occurredAt":null,"deadline":null,"customer":"40-118-220","definition":"card_payment"}"#,
            #"{ "parameters" : \#(EventFixture.parameters) , "customer":"40-118-220", "\u0064efinition":"card\u005fpayment" }"#,
        ] {
            let one = try HTTPEventTests.submission(body)
            #expect(one.occurredAt == FakeIntake().instant.wall && one.deadline == nil && one.reference == "")
            #expect(one.values.compactMap(\.self).count == 4 && one.definition.key == "card_payment")
        }
        for parameters in ["", #","parameters":null"#, #","parameters":{}"#] {
            #expect(try HTTPEventTests.submission(#"{"definition":"offer","customer":"c"\#(parameters)}"#).values.isEmpty)
        }
        #expect(try HTTPEventTests.submission(key: "TIGHT").sender == nil)
    }

    @Test("202 says the id and no parts, whatever was decided, and is the same for a repeated key but for its header")
    func accepted() throws {
        let bench = try DoorBench.withEvents()
        try bench.send(event())
        #expect(try bench.answers().isEmpty)
        for (acceptance, replayed) in [
            (Acceptance.accepted(FakeIntake.id(0), parts: 0), nil), (.accepted(FakeIntake.id(0), parts: 3), nil),
            (.repeated(FakeIntake.id(0), parts: 3), "true"),
        ] as [(Acceptance, String?)] {
            if bench.intake.waiting.isEmpty { try bench.send(event(extra: "Idempotency-Key: k\r\n")) }
            bench.intake.release([0], as: { _ in acceptance })
            bench.intake.forget()
            let answer = try #require(try bench.answers().first)
            #expect(answer.status == 202 && answer["Content-Type"] == "application/json")
            #expect(answer.body == #"{"id":"\#(FakeIntake.id(0).text)","state":"accepted"}"#)
            #expect(answer["Idempotent-Replayed"] == replayed)
        }
        #expect(bench.door.counters.accepted == 2 && bench.door.counters.repeated == 1)
        try bench.end()
    }

    @Test("On a connection that closes, and over the prepared answer, the 202 reads the same")
    func closing() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .accepted(FakeIntake.id(5), parts: 1)
        let first = try bench.answer(to: event())
        let last = try bench.answer(to: event(extra: "Connection: close\r\n"))
        #expect(first.body == last.body && last.closes && !first.closes)
        try bench.end()
    }

    @Test("Key, operation and digest of the bytes go to the core, and the tracing and the wish to hear of ends with them")
    func idempotency() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        bench.door.tells = [7: [.delivered, .failed]]
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try bench.send(event(extra: "Idempotency-Key: a b\r\nTraceparent: \(trace)\r\n"))
        let one = try #require(bench.intake.events.first)
        #expect(one.idempotency?.operation == .event && one.idempotency?.key == "a b" && one.idempotency?.line == 0)
        #expect(one.trace?.text == trace && one.tells == [.delivered, .failed])
        #expect(try bench.answers().map(\.status) == [202])
        #expect(try bench.answer(to: event(extra: "Idempotency-Key: \r\n")).status == 400)
        try bench.end()
    }

    @Test("Everything wrong with an event comes back at once, in the order of the body, then what is missing")
    func allAtOnce() throws {
        let body =
            #"{"definition":"card_payment","custmer":"c","parameters":{"shop":7,"amout":{},"amount":{"amount":"1.234","currency":"EUR"},"Not a name":1},"occurredAt":"yesterday","deadline":0,"reference":"a\u0000"}"#
        #expect(
            try HTTPEventTests.errors(of: body) == [
                "/custmer unknown_field", "/parameters/shop wrong_type", "/parameters/amout unknown_parameter",
                "/parameters/amount/amount invalid_value", "/parameters unknown_parameter", "/parameters/card required",
                "/occurredAt invalid_time", "/deadline deadline_out_of_range", "/reference control_character", "/customer required",
            ])
        #expect(try HTTPEventTests.errors(of: "{}") == ["/definition required", "/customer required"])
        #expect(try HTTPEventTests.errors(of: "[]") == [" wrong_type"])
    }

    @Test("The problem of an event with errors is as in its golden file, and repeats no value of it")
    func golden() throws {
        let bench = try DoorBench.withEvents()
        let answer = try bench.answer(
            to: event(
                #"{"definition":"everything","customer":"40\u0000118","parameters":{"place":"secret and long","cuont":1,"count":"77","rate":"1,5","amount":{"amount":"12","currency":"GOLD"},"day":"31.12.2026","hour":1830,"at":"now","flag":"yes"},"deadline":"5m"}"#
            ))
        try HTTPStoryTests.expectGolden("http-problem-invalid-event.json", answer.body)
        for value in ["118", "secret", "77", "1,5", "GOLD", "31.12.2026", "1830", "5m"] {
            #expect(!answer.body.contains(value), "\(value)")
        }
        try bench.end()
    }

    @Test(
        "A definition that there is not is told with the one that was probably meant",
        arguments: [
            ("card_paymen", "card_payment"), ("cardpayment", "card_payment"), ("Offer", "offer"), ("ofer", "offer"), ("zzz", nil),
            ("", nil),
        ])
    func definitions(key: String, nearest: String?) throws {
        let bench = try DoorBench.withEvents()
        let answer = try bench.answer(to: event(#"{"definition":"\#(key)","customer":"c","parameters":{"x":1}}"#))
        let hint = nearest.map { "; did you mean \($0)?" } ?? ""
        #expect(
            answer.body.hasSuffix(
                #""errors":[{"path":"/definition","code":"unknown_definition","message":"is no event of this server\#(hint)"}]}"#))
        try bench.end()
    }

    @Test("Of very many definitions a bounded number is looked at")
    func manyDefinitions() {
        let many = EventCatalogue(
            generation: 1, release: 1,
            (0..<5000).map { EventDefinition(key: "event_\($0)", number: UInt16($0 + 1), type: 0, messageClass: .service) })
        #expect(many.nearest(to: "evnt_7") == "event_7")
        #expect(many.nearest(to: "event_99999999") == nil)
        #expect(EventCatalogue.empty.nearest(to: "event") == nil)
    }

    @Test("A source with a list of classes reports events of these only")
    func classes() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        #expect(try bench.answer(to: event(key: "TIGHT")).status == 202)
        let answer = try bench.answer(to: event(#"{"definition":"offer","customer":"c"}"#, key: "TIGHT"))
        #expect(answer.status == 422)
        #expect(
            answer.body.contains(
                #"{"path":"/definition","code":"class_not_allowed","message":"is of class marketing, which is not among the classes of this source"}"#
            ))
        try bench.end()
    }

    @Test("A customer is 1 to 64 bytes without control characters")
    func customers() throws {
        func errors(_ customer: String) throws -> [String] {
            try HTTPEventTests.errors(of: #"{"definition":"offer","customer":\#(customer)}"#)
        }
        #expect(try errors(#""""#) == ["/customer required"])
        #expect(try errors("\"\(String(repeating: "c", count: 65))\"") == ["/customer too_long"])
        #expect(try errors(#""a\u007f""#) == ["/customer control_character"])
        #expect(try errors("7") == ["/customer wrong_type"])
        #expect(try errors("null") == ["/customer required"])
        #expect(
            try HTTPEventTests.submission(#"{"definition":"offer","customer":"\#(String(repeating: "c", count: 64))"}"#).customer.count
                == 64)
    }

    @Test("It may have happened at any time before, and five minutes ahead of the clock at most")
    func moments() throws {
        func body(_ moment: String) -> String { #"{"definition":"offer","customer":"c","occurredAt":\#(moment)}"# }
        // The clock of the bench shows 2026-11-22T18:04:09.000123Z.
        #expect(
            try HTTPEventTests.submission(body(#""2026-11-22T18:09:09.000123Z""#)).occurredAt == FakeIntake().instant.wall + 300_000_000)
        #expect(try HTTPEventTests.errors(of: body(#""2026-11-22T18:09:09.000124Z""#)) == ["/occurredAt in_future"])
        #expect(try HTTPEventTests.submission(body(#""1999-12-31T23:59:60+02:00""#)).occurredAt == 946_677_600_000_000)
        for wrong in [#""2026-11-22""#, #""2026-11-22T18:04:09""#, #""""#] {
            #expect(try HTTPEventTests.errors(of: body(wrong)) == ["/occurredAt invalid_time"])
        }
        #expect(try HTTPEventTests.errors(of: body("1795370649")) == ["/occurredAt wrong_type"])
    }

    @Test("A deadline is 1 second to 366 days, in whole seconds")
    func deadlines() throws {
        for wrong in ["0", "-1", "31622401", "99999999999999999999"] {
            #expect(try HTTPEventTests.with(#""deadline":\#(wrong)"#) == ["/deadline deadline_out_of_range"])
        }
        for wrong in ["1.5", "\"300\"", "[1]", "1e2"] {
            #expect(try HTTPEventTests.with(#""deadline":\#(wrong)"#) == ["/deadline wrong_type"])
        }
        let now = FakeIntake().instant.wall
        let longest = try HTTPEventTests.submission(#"{"definition":"offer","customer":"c","deadline":31622400}"#)
        #expect(longest.deadline == now + 31_622_400_000_000)
    }

    @Test("Parameters that are no object are wrong themselves, and nothing is said of what they lack")
    func parameters() throws {
        for wrong in ["[]", "7", "\"\"", "true"] {
            let body = #"{"definition":"card_payment","customer":"c","parameters":\#(wrong)}"#
            #expect(try HTTPEventTests.errors(of: body) == ["/parameters wrong_type"])
        }
        let early = #"{"parameters":{"shop":7},"definition":"card_payment","customer":"c"}"#
        #expect(
            try HTTPEventTests.errors(of: early) == [
                "/parameters/shop wrong_type", "/parameters/amount required", "/parameters/card required",
            ])
    }

    @Test("Of very many errors 32 are listed, and the last entry says that there are more")
    func manyErrors() throws {
        let names = (0..<100).map { #""x\#($0)":1"# }.joined(separator: ",")
        let body = #"{"definition":"card_payment","customer":"c","parameters":{\#(names)}}"#
        let errors = try HTTPEventTests.errors(of: body)
        #expect(errors.count == 33 && errors.last == " too_many_errors" && errors[31] == "/parameters/x31 unknown_parameter")
        let outside = try HTTPEventTests.errors(of: "{\(names)}")
        #expect(outside.count == 33 && outside.last == " too_many_errors")
    }

    @Test("JSON that is malformed is 400 and says where, in parameters that stand before their definition too")
    func malformed() throws {
        let bench = try DoorBench.withEvents()
        for body in [
            #"{"parameters":{"a":},"definition":"offer"}"#, #"{"definition":"card_payment","parameters":{"amount":{"amount":"1",}}}"#, "",
            "{",
        ] {
            let answer = try bench.answer(to: event(body))
            #expect(answer.status == 400 && answer.body.contains(#""code":"malformed_json""#), "\(body)")
        }
        try bench.end()
    }

    @Test("A card number goes on masked and is counted; with refuse nothing is kept; identifiers go on as they are")
    func cards() throws {
        let body = EventFixture.body.replacing("Kava 7", with: "4111 1111 1111 1111")
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        #expect(try bench.answer(to: event(body)).status == 202)
        #expect(bench.intake.events.first?.values[1] == .text("4111111111111111"))
        #expect(bench.intake.events.first?.values[2] == .text("4111 11** **** 1111"))
        #expect(bench.door.counters.cardsMasked == 1)
        bench.door.cardNumbers = .refuse
        let answer = try bench.answer(to: event(body))
        #expect(answer.status == 422 && !answer.body.contains("1111"))
        #expect(answer.body.contains(#"{"path":"/parameters/shop","code":"card_number","message":"must not hold a card number"}"#))
        #expect(bench.door.counters.cardsRefused == 1 && bench.intake.events.count == 1)
        try bench.end()
    }

    @Test("An event may have 64 KiB of body, more where a message may, and what is kept of it has its own limit")
    func sizes() throws {
        let bench = try DoorBench.withEvents(settings: HTTPSettings(maximumBody: 1024))
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        let start = #"{"definition":"long","customer":"c","parameters":{"#
        func texts(_ count: Int, _ length: Int) -> String {
            (0..<count).map { #""text\#($0)":"\#(String(repeating: "t", count: length))""# }.joined(separator: ",")
        }
        #expect(try bench.answer(to: event(start + texts(4, 980) + "}}")).status == 202)
        #expect(try bench.answer(to: event(start + texts(4, 990) + "}}")).status == 202)
        // What stands beside the texts is counted with them.
        let large = try bench.answer(to: event(start + texts(4, 1000) + "}}"))
        #expect(large.status == 413 && large.body.contains("/problems/event_too_large") && large.body.contains("at most 4096 are kept"))
        #expect(!large.closes)
        let blank = String(repeating: " ", count: 64 * 1024 - start.utf8.count - 2)
        #expect(try bench.answer(to: event(start + blank + "}}")).status == 202)
        #expect(bench.intake.events.count == 3)
        let over = try bench.answer(to: event(start + blank + " }}"))
        #expect(over.status == 413 && over.body.contains("At most 65536 bytes are taken.") && over.closes)
        try bench.end()
        let wide = try DoorBench.withEvents(settings: HTTPSettings(maximumBody: 128 * 1024))
        wide.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        #expect(try wide.answer(to: event(start + blank + blank + "}}")).status == 202)
        try wide.end()
    }

    @Test("A body without a length is held to the same limit")
    func chunked() throws {
        let bench = try DoorBench.withEvents()
        try bench.send(
            "POST /v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        let piece = "4000\r\n\(String(repeating: " ", count: 0x4000))\r\n"
        for _ in 0..<4 { try bench.send(piece) }
        #expect(try bench.answers().isEmpty)
        try bench.send("1\r\n \r\n")
        let answer = try #require(try bench.answers().first)
        #expect(answer.status == 413 && answer.body.contains("At most 65536 bytes are taken."))
        try bench.end()
    }

    @Test("Without a rulebook the answer is 503, and what the core refuses is told as for a message")
    func refused() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: event())
        #expect(answer.status == 503 && answer["Retry-After"] == "5" && answer.body.contains("/problems/no_rulebook"))
        bench.intake.catalogue = EventFixture.catalogue
        for (refusal, status, code) in [
            (Refusal.full(retryAfterSeconds: 1), 503, "full"), (.rateLimited(retryAfterSeconds: 1), 429, "rate_limited"),
            (.noRulebook(retryAfterSeconds: 5), 503, "no_rulebook"), (.stopping, 503, "stopping"),
        ] {
            bench.intake.immediate = .refused(refusal)
            let answer = try bench.answer(to: event())
            #expect(answer.status == status && answer.body.contains("/problems/\(code)\""))
        }
        try bench.end()
    }

    @Test("It needs POST, a key, the scope send and JSON")
    func gate() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 0)
        #expect(try bench.answer(to: get("/v1/events"))["Allow"] == "POST")
        #expect(try bench.answer(to: event(key: nil)).status == 401)
        #expect(try bench.answer(to: event(key: "READS")).status == 403)
        #expect(try bench.answer(to: event(key: "SENDS")).status == 202)
        #expect(try bench.answer(to: post(EventFixture.body, type: "text/plain", path: "/v1/events")).status == 415)
        #expect(try bench.answer(to: event(path: "/v1/events?x=1")).status == 400)
        #expect(try bench.answer(to: event(path: "http://h/v1/events")).status == 202)
        for path in ["/v1/events/", "/v1/event", "/v1/events:explai", "/v1/events/x"] {
            #expect(try bench.answer(to: event(path: path)).status == 404, "\(path)")
        }
        try bench.end()
    }
}
