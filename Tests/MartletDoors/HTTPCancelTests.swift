import MartletModel
import Testing

@testable import MartletDoors

/// `POST /v1/messages/{id}:cancel`: what the core says of it, as the caller gets it.
@Suite struct HTTPCancelTests {
    static let id = FakeIntake.id(42)
    static var path: String { "/v1/messages/\(id.text):cancel" }

    @Test("A cancelled message is answered 200 with its id and state, with or without a body", arguments: ["", "{}", " {\n} ", "\n"])
    func cancelled(body: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(body, type: body.isEmpty ? nil : "application/json", path: HTTPCancelTests.path))
        #expect(answer.status == 200)
        #expect(answer.body == #"{"id":"\#(HTTPCancelTests.id.text)","state":"cancelled"}"#)
        #expect(bench.intake.cancelled == [HTTPCancelTests.id])
        #expect(bench.door.counters.told == 1)
        try bench.end()
    }

    @Test("The id of its one message names the notification too, and a repeated try carries what key it likes")
    func ordinal() throws {
        let bench = try DoorBench()
        let path = "/v1/messages/\(HTTPCancelTests.id.with(ordinal: 1).text):cancel"
        #expect(try bench.answer(to: post("", type: nil, extra: "Idempotency-Key: 7\r\n", path: path)).status == 200)
        #expect(bench.intake.cancelled == [HTTPCancelTests.id.notification])
        try bench.end()
    }

    @Test(
        "What the core refuses is told with its own code",
        arguments: [
            (Cancellation.tooLate, 409, "already_handed_over"), (.suppressed, 409, "already_suppressed"), (.notFound, 404, "not_found"),
            (.storage, 503, "storage_trouble"),
        ])
    func refused(_ cancellation: Cancellation, _ status: Int, _ code: String) throws {
        let bench = try DoorBench()
        bench.intake.cancellation = cancellation
        let answer = try bench.answer(to: post("", type: nil, path: HTTPCancelTests.path))
        #expect(answer.status == status)
        #expect(answer.body.contains("/problems/\(code)"))
        #expect(answer["Retry-After"] == (status == 503 ? "5" : nil))
        try bench.end()
    }

    @Test(
        "A body that says something is refused and cancels nothing",
        arguments: [
            (#"{"why":"x"}"#, "application/json", 422), ("[]", "application/json", 422), ("{", "application/json", 400),
            ("{}", "text/plain", 415), ("{}", nil, 415),
        ] as [(String, String?, Int)])
    func bodies(_ body: String, _ type: String?, _ status: Int) throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(body, type: type, path: HTTPCancelTests.path)).status == status)
        #expect(bench.intake.cancelled.isEmpty)
        try bench.end()
    }

    @Test("It needs POST, a key and the scope send, and an id that can be one")
    func gate() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get(HTTPCancelTests.path))
        #expect(answer.status == 405)
        #expect(answer["Allow"] == "POST")
        #expect(try bench.answer(to: post("", key: nil, type: nil, path: HTTPCancelTests.path)).status == 401)
        #expect(try bench.answer(to: post("", key: "READS", type: nil, path: HTTPCancelTests.path)).status == 403)
        #expect(try bench.answer(to: post("", key: "SENDS", type: nil, path: HTTPCancelTests.path)).status == 200)
        #expect(try bench.answer(to: post("", type: nil, path: "/v1/messages/x:cancel")).status == 404)
        #expect(try bench.answer(to: post("", type: nil, path: "/v1/messages/x")).status == 405)
        #expect(try bench.answer(to: post("", type: nil, path: HTTPCancelTests.path + "?now")).status == 400)
        #expect(bench.intake.cancelled.count == 1)
        try bench.end()
    }
}
