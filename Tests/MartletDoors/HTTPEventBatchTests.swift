import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// `POST /v1/events:batch`: the streaming is that of messages; here is what differs.
@Suite struct HTTPEventBatchTests {
    static func batch(_ body: String, key: String? = "KEY", extra: String = "", type: String = "application/x-ndjson") -> String {
        post(body, key: key, type: type, extra: extra, path: "/v1/events:batch")
    }

    static func lines(_ count: Int) -> String {
        (0..<count).map { #"{"definition":"offer","customer":"c\#($0)"}"# + "\n" }.joined()
    }

    @Test("Each line is an event, answered in its place without parts; a wrong one stops no other")
    func order() throws {
        let bench = try DoorBench.withEvents()
        try bench.send(
            HTTPEventBatchTests.batch(
                HTTPEventBatchTests.lines(2) + #"{"definition":"ofer","customer":"c"}"# + "\n" + HTTPEventBatchTests.lines(1)))
        bench.turns(2)
        #expect(bench.intake.events.map(\.customer) == ["c0", "c1", "c0"])
        bench.intake.release(
            [2, 1, 0], as: { $0 == 1 ? .repeated(FakeIntake.id(1), parts: 2) : .accepted(FakeIntake.id($0), parts: UInt8($0)) })
        let answer = try #require(try bench.streamed().first)
        #expect(answer.status == 200 && answer["Content-Type"] == "application/x-ndjson")
        #expect(answer.lines.count == 4)
        #expect(answer.lines[0] == #"{"status":202,"id":"\#(FakeIntake.id(0).text)"}"#)
        #expect(answer.lines[1] == #"{"status":202,"id":"\#(FakeIntake.id(1).text)","replayed":true}"#)
        #expect(answer.lines[2].contains("did you mean offer?") && answer.lines[2].contains(#""status":422"#))
        #expect(answer.lines[3] == #"{"status":202,"id":"\#(FakeIntake.id(2).text)"}"#)
        #expect(bench.door.counters.linesAccepted == 2 && bench.door.counters.linesRepeated == 1)
        #expect(bench.door.counters.lineProblems == ["invalid_event": 1])
        try bench.end()
    }

    @Test("With a key each line has its own, of another operation than messages and single events have; tells and tracing go along")
    func keys() throws {
        let bench = try DoorBench.withEvents()
        bench.door.tells = [7: .failed]
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        try bench.send(HTTPEventBatchTests.batch(HTTPEventBatchTests.lines(2), extra: "Idempotency-Key: b\r\ntraceparent: \(trace)\r\n"))
        bench.turns()
        #expect(bench.intake.events.map { $0.idempotency?.line } == [0, 1])
        #expect(bench.intake.events.allSatisfy { $0.idempotency?.operation == .eventBatch && $0.idempotency?.key == "b" })
        #expect(bench.intake.events.allSatisfy { $0.trace?.text == trace && $0.tells == .failed })
        try bench.end()
    }

    @Test("A line may be as long as an event, and is refused in its place beyond; lines of a server without a rulebook are 503")
    func limits() throws {
        let bench = try DoorBench.withEvents(settings: HTTPSettings(maximumBody: 1024))
        bench.intake.immediate = .accepted(FakeIntake.id(0), parts: 0)
        let long = #"{"definition":"offer","customer":"c"\#(String(repeating: " ", count: 60_000))}"#
        let tooLong = #"{"definition":"offer","customer":"c"\#(String(repeating: " ", count: 70_000))}"#
        try bench.send(HTTPEventBatchTests.batch("\(long)\n\(tooLong)\n"))
        bench.turns(200)
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 2 && answer.lines[0].contains("202"))
        #expect(answer.lines[1].contains("line_too_large") && answer.lines[1].contains("At most 65536 bytes are taken."))
        bench.intake.catalogue = .empty
        try bench.send(HTTPEventBatchTests.batch(HTTPEventBatchTests.lines(1)))
        bench.turns(2)
        #expect(try bench.streamed().first?.lines.first?.contains(#""status":503,"retryAfter":5"#) == true)
        try bench.end()
    }

    @Test("A node that stops in the middle refuses the rest of the lines")
    func stopping() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.immediate = .refused(.stopping)
        try bench.send(HTTPEventBatchTests.batch(HTTPEventBatchTests.lines(3)))
        bench.turns(2)
        let lines = try #require(try bench.streamed().first).lines
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains("/problems/stopping") })
        #expect(bench.intake.events.count == 1)
        try bench.end()
    }

    @Test("It needs the scope send and lines of JSON; a refused batch is held to the limit of a message")
    func gate() throws {
        let bench = try DoorBench.withEvents()
        #expect(try bench.answer(to: HTTPEventBatchTests.batch("", key: "READS")).status == 403)
        #expect(try bench.answer(to: HTTPEventBatchTests.batch("", type: "application/json")).status == 415)
        let body = String(repeating: " ", count: 20_000)
        let answer = try bench.answer(to: HTTPEventBatchTests.batch(body, key: "READS"))
        #expect(answer.status == 403 && answer.closes)
        try bench.end()
    }
}
