import MartletModel
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletDoors

/// `POST /v1/messages:batch`: lines in, answers out, in order.
@Suite struct HTTPBatchTests {
    static func accepted(_ n: Int, parts: Int = 1) -> String { #"{"status":202,"id":"\#(FakeIntake.id(n).text)","parts":\#(parts)}"# }

    @Test("Each line is a message, and its answer is a line in the same place, whatever the order the core answers in")
    func order() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(3)))
        bench.turns()
        #expect(bench.intake.submissions.map(\.reference) == ["0", "1", "2"])
        bench.intake.release([2, 1])
        #expect(try bench.written().text == "")
        bench.intake.release([0])
        let answer = try #require(try bench.streamed().first)
        #expect(answer.status == 200)
        #expect(answer["Content-Type"] == "application/x-ndjson")
        #expect(answer["Transfer-Encoding"] == "chunked")
        #expect(answer.lines == [0, 1, 2].map { HTTPBatchTests.accepted($0) })
        #expect(!answer.closes)
        #expect(bench.door.counters.batches == 1)
        #expect(bench.door.counters.linesAccepted == 3)
        #expect(bench.door.counters.accepted == 0)
        try bench.end()
    }

    @Test("Parts are told whatever their number")
    func parts() throws {
        let bench = try DoorBench()
        let counts: [UInt8] = [9, 10, 99, 100, 255]
        bench.intake.decide = { .accepted(FakeIntake.id(0), parts: counts[Int($0.reference) ?? 0]) }
        try bench.send(batch(lines(5)))
        bench.turns()
        #expect(try bench.streamed().first?.lines == counts.map { HTTPBatchTests.accepted(0, parts: Int($0)) })
        try bench.end()
    }

    @Test("Answers are sent as they become known, before the body has ended")
    func streams() throws {
        let bench = try DoorBench()
        bench.intake.decide = { .accepted(FakeIntake.id(Int($0.reference) ?? 0), parts: 1) }
        let request = batch(lines(2))
        try bench.send(String(request.dropLast(5)))
        bench.turns()
        let first = try bench.written().text
        #expect(Answer.streamed(in: first).first?.lines == [HTTPBatchTests.accepted(0)])
        try bench.send(String(request.suffix(5)))
        bench.turns()
        let second = try bench.written().text
        #expect(second.hasSuffix("0\r\n\r\n"))
        #expect(Answer.streamed(in: first + second).first?.lines == [0, 1].map { HTTPBatchTests.accepted($0) })
        try bench.end()
    }

    @Test("Every wrong line has its own problem and stops no other")
    func problems() throws {
        let bench = try DoorBench()
        bench.intake.decide = {
            switch $0.reference {
            case "full": .refused(.full(retryAfterSeconds: 3))
            case "disk": .refused(.storage(retryAfterSeconds: 5))
            case "route": .refused(.noRoute)
            case "parts": .refused(.tooManyParts(parts: 12, limit: 10))
            default: .accepted(FakeIntake.id(1), parts: 2)
            }
        }
        let good = #"{"to":"+447700900123","text":"x"}"#
        let marked = ["full", "disk", "route", "parts"].map { #"{"to":"+447700900123","text":"x","reference":"\#($0)"}"# }
        let body = ([good, "{nonsense", #"{"to":"1"}"#, "[]"] + marked + [good]).joined(separator: "\n")
        try bench.send(batch(body))
        bench.turns()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 9)
        #expect(answer.lines[0] == HTTPBatchTests.accepted(1, parts: 2))
        #expect(answer.lines[1].hasPrefix(#"{"type":"/problems/malformed_json","title":""#))
        #expect(answer.lines[1].contains(#""code":"malformed_json","message":"at byte 1: "#))
        #expect(answer.lines[2].contains(#""status":422,"errors":[{"path":"/to","code":"invalid_number""#))
        #expect(answer.lines[3].contains("wrong_type"))
        #expect(answer.lines[4].hasSuffix(#""status":503,"retryAfter":3}"#))
        #expect(answer.lines[5].hasSuffix(#""status":503,"retryAfter":5}"#))
        #expect(answer.lines[6].contains("no_route"))
        #expect(answer.lines[7].contains("too_many_parts"))
        #expect(answer.lines[8] == HTTPBatchTests.accepted(1, parts: 2))
        #expect(bench.isOpen)
        let samples = bench.door.counters.samples.filter { $0.metric == HTTPCounters.lines }
        #expect(samples.first { $0.label == "accepted" }?.value == 2)
        #expect(samples.first { $0.label == "full" }?.value == 1)
        try bench.end()
    }

    @Test("Split at every byte, with line ends of either kind, blank lines, and no end of the last line, it is the same batch")
    func splits() throws {
        let line = #"{"to":"+447700900123","text":"é"}"#
        let body = "\r\n\(line)\r\n \t\n\(line)\n\n{}\r\n\(line)"
        let request = Array(batch(body).utf8)
        for place in 1..<request.count {
            let bench = try DoorBench()
            bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
            try bench.send(ByteBuffer(bytes: request[..<place]))
            bench.turns()
            try bench.send(ByteBuffer(bytes: request[place...]))
            bench.turns()
            let answer = try bench.streamed().first
            #expect(answer?.lines.count == 4, "split at \(place)")
            #expect(answer?.lines[2].contains(#""status":422"#) == true)
            #expect(bench.intake.submissions.count == 3)
            try bench.end()
        }
    }

    @Test("Byte by byte, chunked, it is the same batch")
    func dripping() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let body = lines(3)
        let head = batch("").replacing("Content-Length: 0", with: "Transfer-Encoding: chunked")
        try bench.send(head)
        for byte in body.utf8 {
            try bench.send("1\r\n" + String(UnicodeScalar(byte)) + "\r\n")
            bench.turns()
        }
        #expect(bench.intake.submissions.count == 3)
        try bench.send("0\r\n\r\n")
        bench.turns()
        #expect(try bench.streamed().first?.lines.count == 3)
        try bench.end()
    }

    @Test("A batch without a line is answered 200 with none", arguments: ["", "\n", "\r\n \n\t\n"])
    func empty(body: String) throws {
        let bench = try DoorBench()
        try bench.send(batch(body) + post())
        bench.turns()
        bench.intake.releaseAll()
        let answers = try bench.streamed()
        #expect(answers.map(\.status) == [200, 202])
        #expect(answers.first?.body == "")
        try bench.end()
    }

    @Test("Before HTTP/1.1 the answer has no chunks and ends with the connection")
    func old() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(2)).replacing("HTTP/1.1", with: "HTTP/1.0"))
        bench.turns()
        bench.intake.releaseAll()
        let answer = try #require(try bench.streamed().first)
        #expect(answer["Transfer-Encoding"] == nil)
        #expect(answer["Content-Length"] == nil)
        #expect(answer.closes)
        #expect(answer.lines.count == 2)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("Connection: close is said in the head and kept after the last line")
    func closes() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(batch(lines(2), extra: "Connection: close\r\n"))
        bench.turns()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.closes)
        #expect(answer.lines.count == 2)
        #expect(!bench.isOpen)
        try bench.end()
    }

    // MARK: Pipelining

    @Test("Requests around a batch are answered in order, and batches after one another too")
    func pipelined() throws {
        let bench = try DoorBench()
        try bench.send(post() + batch(lines(2)) + post() + batch(lines(1)) + get("/nowhere"))
        bench.turns()
        // The single messages go in as they are read, the lines when their turn comes.
        #expect(bench.intake.submissions.map(\.reference) == ["", "", "0", "1", "0"])
        bench.intake.release([4, 3, 2, 1])
        #expect(try bench.written().text == "")
        bench.intake.release([0])
        let answers = try bench.streamed()
        #expect(answers.map(\.status) == [202, 200, 202, 200, 404])
        #expect(answers[0].body.contains(FakeIntake.id(0).text))
        #expect(answers[1].lines == [2, 3].map { HTTPBatchTests.accepted($0) })
        #expect(answers[2].body.contains(FakeIntake.id(1).text))
        #expect(answers[3].lines == [HTTPBatchTests.accepted(4)])
        try bench.end()
    }

    @Test("A batch read while the pipeline is full begins when there is a place")
    func held() throws {
        let bench = try DoorBench()
        try bench.send(String(repeating: post(), count: 64) + batch(lines(2)) + post())
        bench.turns()
        #expect(bench.intake.submissions.count == 64)
        bench.intake.release(Array(0..<64))
        bench.turns()
        #expect(bench.intake.submissions.count == 67)
        bench.intake.release([64, 65, 66])
        #expect(try bench.streamed().map(\.status) == [Int](repeating: 202, count: 64) + [200, 202])
        try bench.end()
    }

    @Test("Expect: 100-continue is answered before the lines")
    func goOn() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let body = lines(1)
        try bench.send(String(batch(body, extra: "Expect: 100-continue\r\n").dropLast(body.count)))
        #expect(try bench.written().text == "HTTP/1.1 100 Continue\r\n\r\n")
        try bench.send(body)
        bench.turns()
        #expect(try bench.streamed().first?.lines.count == 1)
        try bench.end()
    }

    // MARK: Refused as a whole

    @Test("Another method is refused with Allow", arguments: ["GET", "HEAD", "PUT"])
    func methods(method: String) throws {
        let bench = try DoorBench()
        try bench.send(get("/v1/messages:batch", method: method))
        let answer = try #require(Answer.all(in: try bench.written().text, headOnly: true).first)
        #expect(answer.status == 405)
        #expect(answer["Allow"] == "POST")
        try bench.end()
    }

    @Test("Key, scope, query, type and Idempotency-Key are looked at before a line is taken")
    func gate() throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: batch(lines(1), key: nil)).status == 401)
        #expect(try bench.answer(to: batch(lines(1), key: "READS")).status == 403)
        #expect(try bench.answer(to: batch(lines(1)).replacing(":batch ", with: ":batch?a ")).status == 400)
        #expect(try bench.answer(to: batch(lines(1), extra: "Idempotency-Key: 1\r\nIdempotency-Key: 1\r\n")).status == 400)
        for type: String? in [nil, "application/json", "text/plain", "application/x-ndjson; charset=latin1"] {
            let answer = try bench.answer(to: batch(lines(1), type: type))
            #expect(answer.status == 415)
        }
        #expect(try bench.answer(to: batch(lines(1), extra: "Content-Encoding: gzip\r\n")).status == 415)
        bench.turns()
        #expect(bench.intake.submissions.isEmpty)
        for type in ["application/jsonl", "application/x-ndjson; charset=UTF-8"] {
            try bench.send(batch(lines(1), type: type))
        }
        bench.turns()
        #expect(bench.intake.submissions.count == 2)
        #expect(try bench.answers().isEmpty)
        try bench.end()
    }

    @Test("A body announced beyond the limit is refused with 413 before it is read")
    func announced() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBatchBody: 100))
        let answer = try bench.answer(to: batch(String(repeating: "\n", count: 101)))
        #expect(answer.status == 413)
        #expect(answer.body.contains("At most 100 bytes"))
        #expect(!bench.isOpen)
        try bench.end()
    }

    // MARK: Cut in the middle

    @Test("A chunked body that grows beyond the limit keeps its whole lines; the last answer says where it ended")
    func grown() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBatchBody: 100))
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(batch("").replacing("Content-Length: 0", with: "Transfer-Encoding: chunked"))
        let line = lines(1)
        let chunk = "\(String(line.utf8.count, radix: 16))\r\n\(line)\r\n"
        try bench.send(chunk)
        bench.turns()
        try bench.send(chunk)
        try bench.send(chunk)
        bench.turns()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.first == HTTPBatchTests.accepted(1))
        #expect(answer.lines.last?.contains("/problems/body_too_large") == true)
        #expect(answer.lines.count == bench.intake.submissions.count + 1)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A broken chunk in the middle ends the answer with 400 in its last line")
    func broken() throws {
        let bench = try DoorBench()
        try bench.send(batch("").replacing("Content-Length: 0", with: "Transfer-Encoding: chunked"))
        let line = lines(1)
        try bench.send("\(String(line.utf8.count, radix: 16))\r\n\(line)\r\nxyz\r\n")
        bench.turns()
        bench.intake.releaseAll()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 2)
        #expect(answer.lines.last?.contains("/problems/malformed_request") == true)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that ends its side in the middle keeps its whole lines, and the half line is not taken")
    func halfClosed() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(3) + " ").dropLast(2) + "")
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        bench.turns()
        #expect(bench.intake.submissions.count == 2)
        bench.intake.releaseAll()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 3)
        #expect(answer.lines.last?.contains("The body ended early.") == true)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that ends its side after its batch gets every answer")
    func halfClosedAfter() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(2)))
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        bench.turns()
        bench.intake.releaseAll()
        #expect(try bench.streamed().first?.lines.count == 2)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that ends its side when its batch was answered is left after the answer")
    func halfClosedLater() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(batch(lines(2)))
        bench.turns()
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(try bench.streamed().first?.lines.count == 2)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A connection that drops in the middle leaves what was submitted, and late answers do no harm")
    func dropped() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(500)).dropLast(10) + "")
        weak let connection = try bench.channel.pipeline.syncOperations.handler(type: HTTPConnection.self)
        bench.turns()
        #expect(bench.intake.submissions.count == 256)
        try bench.channel.close().wait()
        bench.turns(10)
        #expect(bench.intake.submissions.count == 256)
        bench.intake.releaseAll()
        #expect(bench.door.counters.linesAccepted == 256)
        #expect(bench.door.counters.batches == 0)
        try bench.end()
        #expect(connection == nil)
    }

    @Test("A line beyond the limit is refused in its place, whether it came whole or not, and the next ones are taken")
    func longLine() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBody: 1024))
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let long = String(repeating: "x", count: 1025)
        let request = batch(lines(1) + long + "\n" + lines(1) + long + long + "\n" + lines(1) + long)
        for start in stride(from: 0, to: request.utf8.count, by: 700) {
            try bench.send(ByteBuffer(bytes: Array(request.utf8)[start..<min(start + 700, request.utf8.count)]))
            bench.turns()
        }
        try bench.send(batch(long + "\n" + lines(1)))
        bench.turns()
        let answers = try bench.streamed()
        let tooLarge = answers.map { $0.lines.map { $0.contains("line_too_large") } }
        #expect(tooLarge == [[false, true, false, true, false, true], [true, false]])
        #expect(bench.isOpen)
        try bench.end()
    }

    @Test("Beyond 100,000 lines the next one is answered 413 for all the rest")
    func tooManyLines() throws {
        let bench = try DoorBench()
        let line = #"{"to":"+447700900123","text":"x"}"# + "\n"
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let thousand = String(repeating: line, count: 1000)
        try bench.send(
            batch("", extra: "").replacing("Content-Length: 0", with: "Content-Length: \(line.utf8.count * 100_002)"))
        var text = ""
        for _ in 0..<100 {
            try bench.send(thousand)
            bench.turns(10)
            text += try bench.written().text
        }
        #expect(bench.intake.submissions.count == 100_000)
        try bench.send(line)
        bench.turns()
        text += try bench.written().text
        #expect(bench.intake.submissions.count == 100_000)
        #expect(text.hasSuffix("0\r\n\r\n"))
        #expect(text.contains("/problems/too_many_lines"))
        #expect(!bench.isOpen)
        try bench.end()
    }
}
