import MartletModel
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletDoors

/// What a request meets over HTTP/2: the same serving as over HTTP/1.1, each on a stream of its own.
@Suite struct HTTP2Tests {
    @Test("A message over HTTP/2 without TLS is accepted, its answer the contract's")
    func accepted() throws {
        let bench = try HTTP2Bench()
        #expect(bench.client.settings[3] == 64)
        #expect(bench.client.settings[6] == UInt32(HTTPLimit.headList))
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.post(stream))
        #expect(try bench.answer(stream) == nil)
        bench.intake.releaseAll()
        let answer = try #require(try bench.answer(stream))
        #expect(answer.status == 202)
        #expect(answer.body == #"{"id":"\#(FakeIntake.id(0).text)","state":"accepted","parts":1}"#)
        #expect(answer.ended && answer.reset == nil)
        #expect(answer["content-type"] == "application/json")
        #expect(answer["content-length"] == String(answer.body.utf8.count))
        #expect(answer["date"]?.hasSuffix("GMT") == true)
        #expect(bench.bench.door.counters.http2Connections == 1)
        #expect(bench.bench.door.counters.connectionsOpen == 1)
        #expect(bench.bench.door.counters.accepted == 1)
        try bench.end()
        #expect(bench.bench.door.counters.connectionsOpen == 0)
    }

    @Test("A preface that comes byte by byte is the same preface, and a request that begins like it is HTTP/1.1")
    func preface() throws {
        let bench = try DoorBench()
        let client = HTTP2Client()
        for byte in HTTP2Client.begin() { try bench.send(ByteBuffer(bytes: [byte])) }
        while case .some(.byteBuffer(let bytes)) = try bench.channel.readOutbound(as: IOData.self) {
            try client.take(Array(bytes.readableBytesView))
        }
        #expect(client.settings[3] == 64)
        try bench.end()
        let other = try DoorBench()
        for byte in get("/nowhere", method: "PROPFIND").utf8 { try other.send(ByteBuffer(bytes: [byte])) }
        #expect(try other.answers().map(\.status) == [404])
        try other.end()
    }

    @Test("Answers leave in the order they are given in: no stream waits for another")
    func independent() throws {
        let bench = try HTTP2Bench()
        let streams = (0..<3).map { _ in bench.client.stream() }
        try bench.send(streams.flatMap { HTTP2Client.post($0) })
        bench.intake.release([2])
        #expect(try bench.answer(streams[2])?.ended == true)
        #expect(try bench.answer(streams[0]) == nil)
        bench.intake.release([0, 1])
        for (place, stream) in streams.enumerated() {
            #expect(try bench.answer(stream)?.body.contains(FakeIntake.id(place).text) == true)
        }
        try bench.end()
    }

    @Test("A batch of answers to many streams leaves in one write")
    func gathered() throws {
        let bench = try HTTP2Bench()
        let counter = FlushCounter()
        try bench.bench.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        let streams = (0..<20).map { _ in bench.client.stream() }
        try bench.send(streams.flatMap { HTTP2Client.post($0) })
        counter.flushes = 0
        bench.intake.releaseAll()
        try bench.read()
        #expect(streams.allSatisfy { bench.client.answers[$0]?.ended == true })
        #expect(counter.flushes == 1)
        try bench.end()
    }

    @Test("States, problems and refusals read as over HTTP/1.1")
    func others() throws {
        let bench = try HTTP2Bench()
        let id = FakeIntake.id(4)
        bench.intake.stories[id] = Story(
            id: id, source: 7, messageClass: .otp, state: .delivered, reason: .none, parts: 1, createdAt: 0, updatedAt: 0, deadline: 0,
            reference: "", from: "HARBOUR", to: PhoneNumber(digits: 447_700_900_123), attempts: [], hops: [])
        let paths: [(path: String, status: Int)] = [
            ("/v1/messages/\(id.text)", 200), ("/v1/messages/\(id.text)/trace", 200), ("/v1/messages/\(FakeIntake.id(9).text)", 404),
            ("/nowhere", 404), ("/v1/messages", 405), ("/v1/messages/\(id.text)?x=1", 400),
        ]
        for (path, status) in paths {
            let stream = bench.client.stream()
            try bench.send(HTTP2Client.get(stream, path))
            let answer = try #require(try bench.answer(stream))
            #expect(answer.status == status, "\(path)")
            #expect(answer.ended && answer.reset == nil)
            if status == 405 { #expect(answer["allow"] == "POST") }
            if status == 200 { #expect(answer["cache-control"] == "no-store") }
        }
        let stranger = bench.client.stream()
        try bench.send(HTTP2Client.post(stranger, key: nil))
        #expect(try bench.answer(stranger)?["www-authenticate"]?.hasPrefix("Bearer") == true)
        let wrong = bench.client.stream()
        try bench.send(HTTP2Client.post(wrong, #"{"to":"1"}"#))
        #expect(try bench.answer(wrong)?.status == 422)
        // The key was right once; the directory is asked once for all streams.
        #expect(bench.bench.sources.asked == 1)
        let head = bench.client.stream()
        try bench.send(HTTP2Client.head(head, HTTP2Client.fields("HEAD", "/v1/messages"), ends: true))
        let answer = try #require(try bench.answer(head))
        #expect(answer.status == 405 && answer.body.isEmpty && answer.ended)
        try bench.end()
    }

    @Test("A body in pieces, of a length not told, with fields after it, is the same body")
    func pieces() throws {
        let bench = try HTTP2Bench()
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.head(stream, HTTP2Client.fields("POST", "/v1/messages", type: "application/json"), ends: false))
        try bench.send(HTTP2Client.body(stream, #"{"to":"+447700900123","#, ends: false))
        try bench.send(HTTP2Client.body(stream, #""text":"hello"}"#, ends: false))
        #expect(bench.intake.submissions.isEmpty)
        try bench.send(HTTP2Client.head(stream, [("x-after", "1")], ends: true))
        #expect(bench.intake.submissions.map(\.text) == ["hello"])
        try bench.end()
    }

    @Test("A body beyond the limit is refused by its length or when it gets there, and its sender is told to stop without harm to others")
    func tooLarge() throws {
        let bench = try HTTP2Bench(settings: HTTPSettings(maximumBody: 1024))
        let announced = bench.client.stream()
        let fields = HTTP2Client.fields("POST", "/v1/messages", type: "application/json", extra: [("content-length", "1025")])
        try bench.send(HTTP2Client.head(announced, fields, ends: false))
        let grown = bench.client.stream()
        try bench.send(HTTP2Client.head(grown, HTTP2Client.fields("POST", "/v1/messages", type: "application/json"), ends: false))
        try bench.send(HTTP2Client.body(grown, String(repeating: " ", count: 1025), ends: false))
        for stream in [announced, grown] {
            let answer = try #require(try bench.answer(stream))
            #expect(answer.status == 413 && answer.ended)
            #expect(answer.reset == nil, "it may read the answer first")
        }
        try bench.send(HTTP2Client.body(grown, "and so on", ends: false))
        try bench.send(HTTP2Client.body(announced, String(repeating: " ", count: 1025)))
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let next = bench.client.stream()
        try bench.send(HTTP2Client.post(next))
        #expect(try bench.answer(next)?.status == 202)
        bench.bench.wait(4)
        #expect(try bench.answer(grown)?.reset == 0, "NO_ERROR: the answer is whole")
        #expect(try bench.answer(announced)?.reset == nil)
        #expect(bench.isOpen)
        try bench.end()
    }

    @Test("A client that waits for 100 gets it, then its answer")
    func goOn() throws {
        let bench = try HTTP2Bench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let stream = bench.client.stream()
        let extra = [("expect", "100-continue"), ("content-length", "37")]
        try bench.send(
            HTTP2Client.head(stream, HTTP2Client.fields("POST", "/v1/messages", type: "application/json", extra: extra), ends: false))
        #expect(try bench.answer(stream)?.interim == ["100"])
        try bench.send(HTTP2Client.body(stream, #"{"to":"+447700900123","text":"hello"}"#))
        #expect(try bench.answer(stream)?.status == 202)
        try bench.end()
    }

    @Test("A request that names no host, or two, is malformed")
    func hosts() throws {
        let bench = try HTTP2Bench()
        for (fields, status) in [
            ([(":method", "GET"), (":scheme", "http"), (":path", "/nowhere")], 400),
            (HTTP2Client.fields("GET", "/nowhere", extra: [("host", "other")]), 400),
            (HTTP2Client.fields("GET", "/nowhere", extra: [("host", "h")]), 404),
            ([(":method", "GET"), (":scheme", "http"), (":path", "/nowhere"), ("host", "h")], 404),
        ] {
            let stream = bench.client.stream()
            try bench.send(HTTP2Client.head(stream, fields, ends: true))
            let answer = try #require(try bench.answer(stream))
            // Where the wire's own rules refuse it, the stream is reset instead.
            #expect(answer.status == status || status == 400 && answer.reset == 1, "\(fields)")
        }
        try bench.end()
    }

    @Test("A batch is streamed both ways, and others are served meanwhile")
    func batches() throws {
        let bench = try HTTP2Bench()
        let stream = bench.client.stream()
        let fields = HTTP2Client.fields("POST", "/v1/messages:batch", type: "application/x-ndjson")
        try bench.send(HTTP2Client.head(stream, fields, ends: false))
        try bench.send(HTTP2Client.body(stream, lines(2), ends: false))
        bench.bench.turns(2)
        bench.intake.releaseAll()
        var answer = try #require(try bench.answer(stream))
        #expect(answer.status == 200 && !answer.ended)
        #expect(answer["content-type"] == "application/x-ndjson")
        #expect(answer.body.split(separator: "\n").count == 2)
        #expect(bench.faults.isEmpty)
        let other = bench.client.stream()
        try bench.send(HTTP2Client.get(other, "/nowhere"))
        #expect(try bench.answer(other)?.status == 404)
        try bench.send(HTTP2Client.body(stream, lines(3)))
        bench.bench.turns(2)
        bench.intake.releaseAll()
        bench.bench.turns(2)
        answer = try #require(try bench.answer(stream))
        #expect(bench.faults.isEmpty)
        #expect(bench.intake.submissions.count == 5)
        #expect(answer.ended && answer.reset == nil)
        #expect(answer.body.split(separator: "\n").count == 5)
        #expect(bench.bench.door.counters.batches == 1)
        try bench.end()
    }

    @Test("A batch's answer waits for the window of its stream, and no line more is taken than may wait")
    func window() throws {
        // SETTINGS_INITIAL_WINDOW_SIZE 0: not a byte of a body may leave.
        let bench = try HTTP2Bench(clientSettings: [(4, 0)])
        let stream = bench.client.stream()
        let fields = HTTP2Client.fields("POST", "/v1/messages:batch", type: "application/x-ndjson")
        try bench.send(HTTP2Client.head(stream, fields, ends: false))
        // Short lines with long answers.
        try bench.send(HTTP2Client.body(stream, String(repeating: "{}\n", count: 1000)))
        bench.bench.turns(200)
        #expect(try bench.answer(stream)?.body ?? "" == "")
        #expect((bench.bench.door.counters.lineProblems["invalid_message"] ?? 0) < 1000)
        let more = HTTP2Client.word(UInt32(1 << 20))
        for one in [stream, 0] {
            try bench.send(HTTP2Client.bytes(.init(type: HTTP2Client.windowUpdate, flags: 0, stream: one, payload: more)))
        }
        bench.bench.turns(200)
        let answer = try #require(try bench.answer(stream))
        #expect(answer.ended)
        #expect(answer.body.split(separator: "\n").count == 1000)
        try bench.end()
    }

    @Test("What a stream asked for goes on when it is reset; its answer is dropped without harm")
    func reset() throws {
        let bench = try HTTP2Bench()
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.post(stream))
        try bench.send(HTTP2Client.bytes(.init(type: HTTP2Client.reset, flags: 0, stream: stream, payload: HTTP2Client.word(UInt32(8)))))
        #expect(bench.intake.submissions.count == 1)
        bench.intake.releaseAll()
        #expect(try bench.answer(stream) == nil)
        let next = bench.client.stream()
        try bench.send(HTTP2Client.post(next))
        bench.intake.releaseAll()
        #expect(try bench.answer(next)?.status == 202)
        try bench.end()
    }
}

/// Counts the flushes that reach the socket.
final class FlushCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var flushes = 0

    func flush(context: ChannelHandlerContext) {
        flushes += 1
        context.flush()
    }
}
