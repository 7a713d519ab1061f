import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// The Idempotency-Key header: what goes to the core, and how its answers read.
@Suite struct HTTPIdempotencyTests {
    static let body = #"{"to":"+447700900123","text":"hello"}"#

    @Test("Key, operation and digest of the very bytes go to the core; without the header nothing does")
    func handedOn() throws {
        let bench = try DoorBench()
        try bench.send(
            post(extra: "idempotency-key:  a b~ \r\n") + post(" " + HTTPIdempotencyTests.body, extra: "Idempotency-Key: a b~\r\n"))
        try bench.send(post(extra: "Idempotency-Key: a b~\r\n") + post())
        let keys = bench.intake.submissions.map(\.idempotency)
        #expect(keys[0]?.operation == .submit && keys[0]?.key == "a b~" && keys[0]?.line == 0)
        // sha256sum of the body begins with these 128 bits.
        #expect(keys[0] == keys[2])
        #expect(keys[1]?.bodyHigh != keys[0]?.bodyHigh && keys[1]?.key == "a b~")
        #expect(keys[3] == nil)
        try bench.end()
    }

    @Test(
        "A header that is no key is refused, and nothing goes to the core",
        arguments: ["", "é", "a\tb", String(repeating: "k", count: 256), "a\r\nIdempotency-Key: a"])
    func refused(key: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(extra: "Idempotency-Key: \(key)\r\n"))
        #expect(answer.status == 400)
        #expect(answer.body.contains("invalid_idempotency_key"))
        #expect(bench.intake.submissions.isEmpty)
        try bench.end()
    }

    @Test("A repeated answer is the first one and says that it is repeated")
    func repeated() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 2)
        let first = try bench.answer(to: post(extra: "Idempotency-Key: k\r\n"))
        bench.intake.immediate = .repeated(FakeIntake.id(1), parts: 2)
        let second = try bench.answer(to: post(extra: "Idempotency-Key: k\r\n"))
        #expect(first.status == 202 && second.status == 202)
        #expect(first.body == second.body && second["Content-Type"] == "application/json")
        #expect(first["Idempotent-Replayed"] == nil && second["Idempotent-Replayed"] == "true")
        #expect(bench.door.counters.samples.first { $0.label == "repeated" }?.value == 1)
        try bench.end()
    }

    @Test("With a key on a batch each line has its own: the key and its place among the answers")
    func batches() throws {
        let bench = try DoorBench()
        bench.intake.decide = { $0.idempotency?.line == 3 ? .repeated(FakeIntake.id(9), parts: 12) : nil }
        let good = HTTPIdempotencyTests.body
        try bench.send(batch("\(good)\n\n{}\n\(good)\r\n\(good)", extra: "Idempotency-Key: b\r\n"))
        bench.turns()
        #expect(bench.intake.submissions.map(\.idempotency?.line) == [0, 2, 3])
        #expect(bench.intake.submissions.allSatisfy { $0.idempotency?.operation == .batch && $0.idempotency?.key == "b" })
        // The carriage return belongs to the line's bytes.
        #expect(bench.intake.submissions[0].idempotency?.bodyHigh != bench.intake.submissions[1].idempotency?.bodyHigh)
        #expect(bench.intake.submissions[0].idempotency?.bodyLow == bench.intake.submissions[2].idempotency?.bodyLow)
        bench.intake.releaseAll()
        let lines = try #require(try bench.streamed().first).lines
        #expect(lines.count == 4)
        #expect(lines[3] == #"{"status":202,"id":"\#(FakeIntake.id(9).text)","parts":12,"replayed":true}"#)
        #expect(bench.door.counters.linesRepeated == 1)
        try bench.end()
    }
}
