import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// `POST /v1/messages:search`.
@Suite struct HTTPSearchTests {
    static let path = "/v1/messages:search"

    private func ask(_ bench: DoorBench, _ body: String, key: String = "KEY") throws -> Answer {
        try bench.answer(to: post(body, key: key, path: HTTPSearchTests.path))
    }

    @Test("Every field goes to the core; what is left out or null is open")
    func fields() throws {
        let bench = try DoorBench()
        let body =
            #"{"reference":"r-\u0031","to":"+447700900123","from":"2026-11-22T18:04:09Z","until":"2026-11-22T19:04:08.5+01:00","#
            + #""limit":7,"cursor":null}"#
        #expect(try ask(bench, body).status == 422)
        let good = body.replacing("19:04:08.5+01:00", with: "20:04:09.5+01:00")
        #expect(try ask(bench, good).status == 200)
        #expect(try ask(bench, #"{"to":"+447700900123","reference":null,"from":null}"#, key: "READS").status == 200)
        let first = bench.intake.searches[0]
        #expect(first.source == 7)
        #expect(
            first.search
                == MessageSearch(
                    reference: "r-1", to: PhoneNumber(digits: 447_700_900_123), from: 1_795_370_649_000_000,
                    until: 1_795_374_249_500_000, limit: 7))
        #expect(bench.intake.searches[1].source == 9)
        #expect(bench.intake.searches[1].search == MessageSearch(to: PhoneNumber(digits: 447_700_900_123)))
        try bench.end()
    }

    @Test("The answer holds the state documents in order, and the cursor to go on with")
    func answers() throws {
        let bench = try DoorBench()
        let story = HTTPStoryTests.story(.delivered)
        var foreign = story
        foreign.source = 9
        let next = SearchCursor(position: 0xABC_0000_1008, isCarried: true)
        bench.intake.page = .success(SearchPage(stories: [story, foreign, story], next: next))
        let answer = try ask(bench, #"{"reference":"r"}"#)
        let document = String(buffer: story.stateDocument())
        let cursor = next.text(of: MessageSearch(reference: "r"))
        #expect(answer.status == 200 && answer["Cache-Control"] == "no-store")
        #expect(answer.body == #"{"messages":[\#(document),\#(document)],"next":"\#(cursor)"}"#)
        #expect(try ask(bench, #"{"reference":"r","limit":3,"cursor":"\#(cursor)"}"#).status == 200)
        #expect(bench.intake.searches[1].search.cursor == next)
        // To another search it does not belong.
        for body in [#"{"reference":"s","cursor":"\#(cursor)"}"#, #"{"reference":"r","to":"+447700900123","cursor":"\#(cursor)"}"#] {
            let answer = try ask(bench, body)
            #expect(answer.status == 422 && answer.body.contains("invalid_cursor"))
        }
        bench.intake.page = .success(SearchPage(stories: [], next: nil))
        #expect(try ask(bench, #"{"reference":"r"}"#).body == #"{"messages":[],"next":null}"#)
        try bench.end()
    }

    @Test(
        "A search that cannot be taken names every field that is wrong",
        arguments: [
            ("{}", [#""path":"","code":"required""#]), (#"{"reference":""}"#, ["required"]), (#"{"to":"0770"}"#, ["invalid_number"]),
            (#"{"reference":"a\u0007b"}"#, ["control_character"]),
            (#"{"reference":5,"to":[]}"#, [#""path":"/reference","code":"wrong_type""#, #""path":"/to","code":"wrong_type""#]),
            (#"{"reference":"r","from":"yesterday","until":3}"#, [#""path":"/from","code":"invalid_time""#, "/until"]),
            (
                #"{"reference":"r","from":"2026-11-22T18:04:09Z","until":"2026-11-22T18:04:09Z"}"#,
                [#""path":"/until","code":"invalid_time""#]
            ),
            (#"{"reference":"r","limit":0}"#, ["limit_out_of_range"]), (#"{"reference":"r","limit":101}"#, ["limit_out_of_range"]),
            (#"{"reference":"r","limit":99999999999999999999}"#, ["limit_out_of_range"]),
            (#"{"reference":"r","limit":"5"}"#, [#""path":"/limit","code":"wrong_type""#]),
            (#"{"reference":"r","cursor":"x"}"#, ["invalid_cursor"]),
            (#"{"reference":"r","cursor":"azzzzzzzzzzzzzzzz00000000"}"#, ["invalid_cursor"]),
            (#"{"refrence":"r"}"#, ["did you mean reference?", "required"]),
            (#"{"reference":"r","text":"x"}"#, ["unknown_field", "a search"]),
            ("[]", ["must be a JSON object"]),
        ])
    func wrong(body: String, words: [String]) throws {
        let bench = try DoorBench()
        let answer = try ask(bench, body)
        #expect(answer.status == 422)
        #expect(answer.body.contains("/problems/invalid_search"))
        for word in words { #expect(answer.body.contains(word), "\(word)") }
        #expect(bench.intake.searches.isEmpty)
        try bench.end()
    }

    @Test("Errors are listed up to their limit")
    func manyErrors() throws {
        let bench = try DoorBench()
        let members = (0..<50).map { #""x\#($0)":1"# }.joined(separator: ",")
        let answer = try ask(bench, "{\(members)}")
        #expect(answer.status == 422 && answer.body.contains("too_many_errors"))
        try bench.end()
    }

    @Test("It needs POST, JSON, and the scope read; a key for sending is not enough")
    func gate() throws {
        let bench = try DoorBench()
        let body = #"{"reference":"r"}"#
        #expect(try bench.answer(to: get(HTTPSearchTests.path)).status == 405)
        #expect(try bench.answer(to: post(body, key: nil, path: HTTPSearchTests.path)).status == 401)
        let answer = try ask(bench, body, key: "SENDS")
        #expect(answer.status == 403 && answer.body.contains("scope read"))
        #expect(try bench.answer(to: post(body, type: "text/plain", path: HTTPSearchTests.path)).status == 415)
        #expect(try bench.answer(to: post(body, path: HTTPSearchTests.path + "?a")).status == 400)
        #expect(try ask(bench, "{").status == 400)
        #expect(try ask(bench, "").status == 400)
        #expect(bench.intake.searches.isEmpty)
        // A key does no harm.
        #expect(try bench.answer(to: post(body, extra: "Idempotency-Key: 1\r\n", path: HTTPSearchTests.path)).status == 200)
        try bench.end()
    }

    @Test("What the core cannot say now is 503 with Retry-After")
    func faults() throws {
        let bench = try DoorBench()
        for (fault, code, seconds) in [(SearchFault.busy, "search_busy", "1"), (.unreadable("damaged"), "story_unreadable", "5")] {
            bench.intake.page = .failure(fault)
            let answer = try ask(bench, #"{"reference":"r"}"#)
            #expect(answer.status == 503 && answer["Retry-After"] == seconds && answer.body.contains(code))
        }
        try bench.end()
    }
}
