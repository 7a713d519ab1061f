import MartletModel
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import MartletDoors

/// Paths, methods, keys, types, and the answers of the core: each refusal as its caller gets it.
@Suite struct HTTPRefusalTests {
    @Test(
        "A path that is not there is 404",
        arguments: [
            "/", "/v1", "/v1/messagess", "/v1/messages/", "/v1/messages//trace", "/v1/messages/x/y", "*", "/V1/messages", "http://h",
            "/v1/messages/0192f0c1000070008000000000000000/trace/", "/v1/messages:batches", "/v1/messages/:cancel",
            "/v1/messages/0192f0c1000070008000000000000000:resend", "/v1/messages/0192f0c1000070008000000000000000:cancel/trace",
        ])
    func nowhere(path: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get(path, method: path == "*" ? "OPTIONS" : "GET"))
        #expect(answer.status == 404)
        #expect(answer["Content-Type"] == "application/problem+json")
        #expect(answer.body.contains(#""type":"/problems/not_found""#))
        #expect(answer.body.contains(#""status":404"#))
        try bench.end()
    }

    @Test(
        "An id that cannot be one is 404, like an unknown one",
        arguments: ["x", "0192f0c1000070008000000000000002", String(repeating: "z", count: 32)])
    func impossibleID(id: String) throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: get("/v1/messages/\(id)")).status == 404)
        #expect(try bench.answer(to: get("/v1/messages/\(id)/trace")).status == 404)
        #expect(try bench.answer(to: get("/v1/messages/\(id)", key: nil)).status == 401, "ids are not told to strangers")
        try bench.end()
    }

    @Test("A request target in absolute form is served")
    func absoluteForm() throws {
        let bench = try DoorBench()
        try bench.send(post(path: "http://h/v1/messages"))
        try bench.send(post(path: "https://h:443/v1/messages"))
        #expect(bench.intake.submissions.count == 2)
        try bench.end()
    }

    @Test("A query is refused, with one key for all", arguments: ["/v1/messages?a=b", "/v1/messages?"])
    func query(path: String) throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(path: path)).body.contains("query_not_supported"))
        #expect(bench.intake.submissions.isEmpty)
        try bench.end()
    }

    @Test(
        "A method that a path does not take is 405 with those it takes",
        arguments: [
            ("/v1/messages", "GET", "POST"), ("/v1/messages", "PUT", "POST"), ("/v1/messages", "DELETE", "POST"),
            ("/v1/messages", "OPTIONS", "POST"), ("/v1/messages/0192f0c1000070008000000000000000", "POST", "GET"),
            ("/v1/messages/x", "PATCH", "GET"), ("/v1/messages/0192f0c1000070008000000000000000/trace", "DELETE", "GET"),
        ])
    func method(path: String, method: String, allowed: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get(path, method: method))
        #expect(answer.status == 405)
        #expect(answer["Allow"] == allowed)
        #expect(bench.isOpen)
        try bench.end()
    }

    @Test("A method that HTTP has no word for is 405 and ends the connection")
    func unknownMethod() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get("/v1/messages", method: "BREWX"))
        #expect(answer.status == 405)
        #expect(answer["Allow"] == "GET, POST")
        #expect(answer.closes)
        try bench.end()
    }

    @Test(
        "Without a valid key it is 401 with a challenge",
        arguments: [
            nil, "", "Bearer", "Bearer ", "Bearer  ", "Bearer WRONG", "Bearer KE", "Bearer KEYS", "Bearer KEY KEY", "Basic KEY", "KEY",
            "BearerKEY", "Bearer \u{e9}",
        ])
    func unauthenticated(credentials: String?) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(key: nil, extra: credentials.map { "Authorization: \($0)\r\n" } ?? ""))
        #expect(answer.status == 401)
        #expect(answer["WWW-Authenticate"]?.hasPrefix("Bearer realm=\"martlet\"") == true)
        #expect(!answer.body.contains("KEY"))
        #expect(bench.intake.submissions.isEmpty)
        try bench.end()
    }

    @Test("The scheme's case does not matter", arguments: ["bearer", "BEARER", "Bearer "])
    func schemeCase(scheme: String) throws {
        let bench = try DoorBench()
        try bench.send(post(key: nil, extra: "authorization: \(scheme) KEY\r\n"))
        #expect(bench.intake.submissions.count == 1)
        try bench.end()
    }

    @Test("Two Authorization fields are malformed")
    func twoKeys() throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(extra: "Authorization: Bearer KEY\r\n")).status == 400)
        try bench.end()
    }

    @Test("A key without the scope is 403 and names the scope")
    func scopes() throws {
        let bench = try DoorBench()
        let sending = try bench.answer(to: post(key: "READS"))
        #expect(sending.status == 403)
        #expect(sending.body.contains("scope send"))
        #expect(sending["WWW-Authenticate"]?.contains("insufficient_scope") == true)
        let reading = try bench.answer(to: get("/v1/messages/0192f0c1000070008000000000000000", key: "SENDS"))
        #expect(reading.status == 403)
        #expect(reading.body.contains("scope read"))
        try bench.end()
    }

    @Test("The directory is asked once for a connection, and again when it changed or the key did")
    func cachedKey() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(post() + post())
        try bench.send(post())
        #expect(bench.sources.asked == 1)
        try bench.send(post(key: "SENDS"))
        #expect(bench.sources.asked == 2)
        #expect(bench.intake.submissions.last?.source == 8)
        bench.sources.keys["SENDS"] = nil
        bench.sources.generation += 1
        _ = try bench.written()
        #expect(try bench.answer(to: post(key: "SENDS")).status == 401)
        try bench.end()
    }

    @Test(
        "A body of another type is 415",
        arguments: [
            nil, "text/plain", "application/json; charset=iso-8859-1", "application/jsonx", "application/json;charset", "",
            "application/json\r\nContent-Type: application/json", "application/json\r\nContent-Encoding: gzip",
        ])
    func mediaType(type: String?) throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(type: type)).status == 415)
        try bench.end()
    }

    @Test(
        "JSON may be named with its charset and in any case",
        arguments: [
            "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json; v=1;",
            "application/json ;charset=Utf-8",
            "application/json\r\nContent-Encoding: identity",
        ])
    func mediaTypeTaken(type: String) throws {
        let bench = try DoorBench()
        try bench.send(post(type: type))
        #expect(bench.intake.submissions.count == 1)
        try bench.end()
    }

    @Test("traceparent is taken, well-formed or not")
    func traceparent() throws {
        let bench = try DoorBench()
        try bench.send(
            post(extra: "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n") + post(extra: "traceparent: x\r\n"))
        #expect(bench.intake.submissions.count == 2)
        try bench.end()
    }

    @Test("Each refusal of the core has its status, its code and its Retry-After")
    func refusals() throws {
        let bench = try DoorBench()
        let table: [(Refusal, Int, String, String?)] = [
            (.tooManyParts(parts: 12, limit: 10), 422, "too_many_parts", nil), (.noAlphabet, 422, "no_alphabet", nil),
            (.noRoute, 422, "no_route", nil),
            (.full(retryAfterSeconds: 7), 503, "full", "7"), (.storage(retryAfterSeconds: 30), 503, "storage_trouble", "30"),
            (.rateLimited(retryAfterSeconds: 2), 429, "rate_limited", "2"),
            (.quotaUsedUp(retryAfterSeconds: 3600), 429, "quota_used_up", "3600"),
            (.keyReused, 422, "idempotency_key_reused", nil), (.keyInFlight(retryAfterSeconds: 1), 409, "idempotency_key_in_flight", "1"),
            (.noRulebook(retryAfterSeconds: 5), 503, "no_rulebook", "5"),
            (.eventTooLarge(bytes: 5000, limit: 4096), 413, "event_too_large", nil), (.stopping, 503, "stopping", "1"),
        ]
        for (refusal, status, code, retry) in table {
            bench.intake.immediate = .refused(refusal)
            let answer = try bench.answer(to: post())
            #expect(answer.status == status)
            #expect(answer.body.contains("/problems/\(code)\""))
            #expect(answer["Retry-After"] == retry)
        }
        #expect(bench.door.counters.problems["full"] == 1)
        try bench.end()
    }

    @Test("Every code is declared once, and every problem has a title, a remedy and a proper status")
    func catalogue() {
        #expect(Set(HTTPErrors.all.map(\.code)).count == HTTPErrors.all.count)
        for code in HTTPErrors.all {
            #expect((400...599).contains(code.status))
            #expect(!code.title.isEmpty && !code.remedy.isEmpty)
            #expect(HTTPResponseStatus(statusCode: code.status).reasonPhrase != "")
        }
        #expect(HTTPErrors.fields.allSatisfy { $0.status == 422 })
        #expect(Set(HTTPSettings.all.map(\.path)).count == HTTPSettings.all.count)
    }

    @Test("What was counted is given out under the declared metrics")
    func samples() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(post() + get("/nowhere"))
        let samples = bench.door.counters.samples
        #expect(samples.first { $0.label == "accepted" }?.value == 1)
        #expect(samples.first { $0.label == "not_found" }?.value == 1)
        #expect(samples.first { $0.metric == HTTPCounters.open }?.value == 1)
        #expect(Set(samples.map(\.metric)) == Set(HTTPCounters.all))
        try bench.end()
    }
}

/// Framing that two parties could read differently: refused, and nothing behind it is ever taken for a request.
@Suite struct HTTPSmugglingTests {
    static let body = #"{"to":"+447700900123","text":"hello"}"#
    static let smuggled =
        "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n"
        + body

    /// Name and the raw head after the request line; the smuggled request follows each.
    static let corpus: [(name: String, request: String)] = {
        let start = "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
        let zero = "0\r\n\r\n"
        return [
            ("length and coding", start + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + zero),
            ("coding and length", start + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + zero),
            ("two lengths", start + "Content-Length: 0\r\nContent-Length: 37\r\n\r\n"),
            ("two equal lengths", start + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
            ("list of lengths", start + "Content-Length: 0, 0\r\n\r\n"),
            ("signed length", start + "Content-Length: +0\r\n\r\n"),
            ("negative length", start + "Content-Length: -1\r\n\r\n"),
            ("hexadecimal length", start + "Content-Length: 0x0\r\n\r\n"),
            ("huge length", start + "Content-Length: 99999999999999999999999\r\n\r\n"),
            ("empty length", start + "Content-Length:\r\n\r\n"),
            ("space before the colon of the length", start + "Content-Length : 0\r\n\r\n"),
            ("space before the colon of the coding", start + "Transfer-Encoding : chunked\r\n\r\n" + zero),
            ("tab in a name", start + "Transfer-\tEncoding: chunked\r\n\r\n" + zero),
            ("unknown coding", start + "Transfer-Encoding: xchunked\r\n\r\n" + zero),
            ("identity coding", start + "Transfer-Encoding: identity\r\n\r\n"),
            ("coding twice", start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + zero),
            ("list of codings", start + "Transfer-Encoding: gzip, chunked\r\n\r\n" + zero),
            ("chunked not last", start + "Transfer-Encoding: chunked, identity\r\n\r\n" + zero),
            ("coding with a vertical tab", start + "Transfer-Encoding: \u{0B}chunked\r\n\r\n" + zero),
            ("folded coding", start + "Transfer-Encoding:\r\n chunked\r\n\r\n" + zero),
            ("folded field", start + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
            ("bare line feed in a field", start + "X: a\nContent-Length: 0\r\n\r\n"),
            ("bare carriage return in a field", start + "X: a\rContent-Length: 0\r\n\r\n"),
            ("null in a field", start + "X: a\u{0}b\r\nContent-Length: 0\r\n\r\n"),
            ("null in a name", start + "X\u{0}: a\r\nContent-Length: 0\r\n\r\n"),
            ("no name", start + ": a\r\nContent-Length: 0\r\n\r\n"),
            ("no colon", start + "Whatever\r\nContent-Length: 0\r\n\r\n"),
            ("chunk size with a sign", start + "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n"),
            ("chunk size with 0x", start + "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n"),
            ("huge chunk size", start + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"),
            ("chunk without its line end", start + "Transfer-Encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n"),
            ("empty chunk size", start + "Transfer-Encoding: chunked\r\n\r\n\r\n0\r\n\r\n"),
            ("coding in HTTP/1.0", start.replacing("HTTP/1.1", with: "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n" + zero),
            ("no host", start.replacing("Host: h\r\n", with: "") + "Content-Length: 0\r\n\r\n"),
            ("two hosts", start + "Host: other\r\nContent-Length: 0\r\n\r\n"),
            ("two hosts in HTTP/1.0", (start + "Host: other\r\nContent-Length: 0\r\n\r\n").replacing("HTTP/1.1", with: "HTTP/1.0")),
            ("HTTP/0.9", "GET /v1/messages\r\n\r\n"),
            ("another version", "GET /v1/messages HTTP/3.7\r\nHost: h\r\n\r\n"),
            ("another protocol", "GET /v1/messages SIP/2.0\r\nHost: h\r\n\r\n"),
            ("TLS on a plain port", "\u{16}\u{03}\u{01}\u{00}\u{A5}\u{01}"),
            ("space in the target", "GET /v1/mess ages HTTP/1.1\r\nHost: h\r\n\r\n"),
        ]
    }()

    @Test("Framing that could be read in two ways is refused and closes the connection", arguments: corpus.indices)
    func refused(index: Int) throws {
        let (name, request) = HTTPSmugglingTests.corpus[index]
        for inOne in [true, false] {
            let bench = try DoorBench()
            if inOne {
                try? bench.send(request + HTTPSmugglingTests.smuggled)
            } else {
                for byte in (request + HTTPSmugglingTests.smuggled).utf8 { try? bench.send(ByteBuffer(bytes: [byte])) }
            }
            let answers = try bench.answers()
            #expect(answers.count == 1, "\(name)")
            #expect([400, 405, 413, 505].contains(answers.first?.status ?? 0), "\(name): \(answers.first?.status ?? 0)")
            #expect(answers.first?.closes == true, "\(name)")
            #expect(!bench.isOpen, "\(name)")
            #expect(bench.intake.submissions.isEmpty, "\(name)")
            try bench.end()
        }
    }

    @Test("Requests before a malformed one are answered first")
    func goodBeforeBad() throws {
        let bench = try DoorBench()
        try? bench.send(post() + "BAD\u{0}\r\n\r\n" + post())
        #expect(bench.intake.submissions.count == 1)
        bench.intake.releaseAll()
        let answers = try bench.answers()
        #expect(answers.count == 2)
        #expect(answers.first?.status == 202 && answers.first?.closes == false)
        #expect(answers.last?.status == 405 || answers.last?.status == 400)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A head beyond 16 KiB, a field beyond 8 KiB or a 65th field is 431", arguments: [0, 1, 2, 3])
    func headTooLarge(kind: Int) throws {
        let bench = try DoorBench()
        let extra =
            switch kind {
            case 0: "X: " + String(repeating: "a", count: 9000) + "\r\n"
            case 1: (0..<40).map { "X\($0): " + String(repeating: "a", count: 500) + "\r\n" }.joined()
            case 2: (0..<70).map { "X\($0): a\r\n" }.joined()
            default: ""
            }
        try? bench.send(get(kind == 3 ? "/" + String(repeating: "a", count: 9000) : "/v1/messages", extra: extra))
        let answer = try #require(try bench.answers().first)
        #expect(answer.status == 431)
        #expect(answer.closes)
        try bench.end()
    }

    @Test("What follows in trailers changes nothing")
    func trailers() throws {
        let bench = try DoorBench()
        try bench.send(
            "POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "25\r\n\(HTTPSmugglingTests.body)\r\n0\r\nAuthorization: Bearer KEY\r\n\r\n")
        #expect(try bench.answers().map(\.status) == [401])
        try bench.end()
    }
}
