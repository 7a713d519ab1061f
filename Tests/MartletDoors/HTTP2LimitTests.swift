import MartletModel
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletDoors

/// What a peer may not do over HTTP/2, and how such a connection ends.
@Suite struct HTTP2LimitTests {
    private func frame(_ type: UInt8, _ stream: UInt32 = 0, flags: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        HTTP2Client.bytes(.init(type: type, flags: flags, stream: stream, payload: payload))
    }

    @Test("Of a head with too many fields, or one too large, the request is refused; over the list's limit the connection ends")
    func heads() throws {
        let bench = try HTTP2Bench()
        let many = bench.client.stream()
        let fields = (0..<65).map { ("x-\($0)", "1") }
        try bench.send(HTTP2Client.head(many, HTTP2Client.fields("GET", "/nowhere", extra: fields), ends: true))
        #expect(try bench.answer(many)?.status == 431)
        let long = bench.client.stream()
        try bench.send(
            HTTP2Client.head(long, HTTP2Client.fields("GET", "/nowhere", extra: [("x", String(repeating: "y", count: 9000))]), ends: true))
        #expect(try bench.answer(long)?.status == 431)
        let next = bench.client.stream()
        try bench.send(HTTP2Client.get(next, "/nowhere"))
        #expect(try bench.answer(next)?.status == 404)
        let most = bench.client.stream()
        let huge = (0..<3).map { ("x-\($0)", String(repeating: "y", count: 7000)) }
        let block = HTTP2Client.block(HTTP2Client.fields("GET", "/nowhere", extra: huge))
        try bench.send(frame(HTTP2Client.headers, most, flags: 1, Array(block.prefix(16_000))))
        try bench.send(frame(HTTP2Client.continuation, most, flags: 4, Array(block.dropFirst(16_000))))
        try bench.read()
        #expect(!bench.isOpen)
        #expect(bench.client.leaving != nil)
        try bench.end()
    }

    @Test("A head that goes on and on in CONTINUATION frames ends the connection")
    func continuation() throws {
        let bench = try HTTP2Bench()
        let stream = bench.client.stream()
        try bench.send(frame(HTTP2Client.headers, stream, flags: 1, HTTP2Client.block(HTTP2Client.fields("GET", "/nowhere"))))
        var sent = 0
        while bench.isOpen, sent < 1000 {
            try bench.send(frame(HTTP2Client.continuation, stream))
            sent += 1
        }
        #expect(sent < 20)
        try bench.end()
    }

    @Test("Streams opened and reset over and over end the connection, and the core is spared the rest (CVE-2023-44487)")
    func rapidReset() throws {
        let bench = try HTTP2Bench()
        for _ in 0..<1000 where bench.isOpen {
            let stream = bench.client.stream()
            try bench.send(HTTP2Client.post(stream) + frame(HTTP2Client.reset, stream, HTTP2Client.word(UInt32(8))))
        }
        try bench.read()
        #expect(!bench.isOpen)
        #expect(bench.client.leaving?.code == 11, "ENHANCE_YOUR_CALM")
        #expect(bench.intake.submissions.count <= HTTPLimit.resetStreams + 1)
        bench.intake.releaseAll()
        #expect(bench.bench.door.counters.connectionsOpen == 0)
        try bench.end()
    }

    @Test("Streams that make the server reset them end the connection too (CVE-2025-8671)")
    func madeReset() throws {
        let bench = try HTTP2Bench()
        for _ in 0..<1000 where bench.isOpen {
            let stream = bench.client.stream()
            try bench.send(HTTP2Client.post(stream) + frame(HTTP2Client.windowUpdate, stream, HTTP2Client.word(UInt32(0))))
        }
        try bench.read()
        #expect(!bench.isOpen)
        #expect(bench.intake.submissions.count <= HTTPLimit.resetStreams + 1)
        try bench.end()
    }

    @Test("Floods of PING, SETTINGS, PRIORITY and empty DATA frames end the connection", arguments: [6, 4, 2, 0] as [UInt8])
    func floods(_ type: UInt8) throws {
        let bench = try HTTP2Bench()
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.head(stream, HTTP2Client.fields("POST", "/v1/messages", type: "application/json"), ends: false))
        let payload: [UInt8] = type == 6 ? [0, 0, 0, 0, 0, 0, 0, 1] : type == 2 ? [0, 0, 0, 0, 5] : []
        var sent = 0
        while bench.isOpen, sent < 1000 {
            try bench.send(frame(type, type == 2 || type == 0 ? stream : 0, payload))
            sent += 1
        }
        #expect(sent <= HTTPLimit.controlFrames + 1)
        if type == 6 {
            try bench.read()
            #expect(bench.client.pings > 0)
        }
        try bench.end()
    }

    @Test("More streams at once than are told end the connection")
    func streams() throws {
        let bench = try HTTP2Bench()
        let open = (0..<64).map { _ in bench.client.stream() }
        try bench.send(open.flatMap { HTTP2Client.post($0) })
        #expect(bench.intake.submissions.count == 64)
        #expect(bench.isOpen)
        try bench.send(HTTP2Client.post(bench.client.stream()))
        try bench.read()
        #expect(bench.intake.submissions.count == 64)
        #expect(!bench.isOpen || bench.client.answers[129]?.reset != nil)
        try bench.end()
    }

    @Test("What is no frame ends the connection; one stream's fault ends that stream alone")
    func faults() throws {
        let bench = try HTTP2Bench()
        let fine = bench.client.stream()
        try bench.send(HTTP2Client.post(fine))
        let faulty = bench.client.stream()
        try bench.send(HTTP2Client.head(faulty, [(":method", "GET"), (":scheme", "http")], ends: true))
        #expect(try bench.answer(faulty)?.reset == 1)
        let short = bench.client.stream()
        let fields = HTTP2Client.fields("POST", "/v1/messages", type: "application/json", extra: [("content-length", "9")])
        try bench.send(HTTP2Client.head(short, fields, ends: false) + HTTP2Client.body(short, "{}"))
        #expect(try bench.answer(short)?.reset == 1)
        #expect(bench.isOpen)
        bench.intake.releaseAll()
        #expect(try bench.answer(fine)?.status == 202)
        try bench.send(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A connection without a stream is left with GOAWAY when it was idle for long, even while it sends PING")
    func idle() throws {
        let bench = try HTTP2Bench(settings: HTTPSettings(idleTimeout: 10_000))
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.post(stream))
        bench.bench.wait(60)
        #expect(bench.isOpen, "a request is open")
        bench.intake.releaseAll()
        bench.bench.wait(5)
        try bench.send(frame(HTTP2Client.ping, 0, [0, 0, 0, 0, 0, 0, 0, 1]))
        bench.bench.wait(4)
        #expect(bench.isOpen)
        bench.bench.wait(2)
        try bench.read()
        #expect(!bench.isOpen)
        #expect(bench.client.leaving.map { [$0.newest, $0.code] } == [stream, 0])
        try bench.end()
    }

    @Test("A body that does not come is refused in time; an answer that nobody takes is given up")
    func slow() throws {
        let bench = try HTTP2Bench(settings: HTTPSettings(idleTimeout: 10_000, bodyTimeout: 2000), clientSettings: [(4, 0)])
        let stream = bench.client.stream()
        try bench.send(HTTP2Client.head(stream, HTTP2Client.fields("POST", "/v1/messages", type: "application/json"), ends: false))
        bench.bench.wait(3)
        #expect(try bench.answer(stream)?.status == 408)
        let stuck = bench.client.stream()
        try bench.send(HTTP2Client.get(stuck, "/nowhere"))
        #expect(try bench.answer(stuck)?.body == "")
        bench.bench.wait(11)
        #expect(try bench.answer(stuck)?.reset != nil)
        try bench.end()
    }

    @Test("A door that stops answers what is open and what comes until then, says GOAWAY, and ends")
    func drains() throws {
        let bench = try HTTP2Bench()
        let open = bench.client.stream()
        let half = bench.client.stream()
        try bench.send(HTTP2Client.post(open))
        try bench.send(HTTP2Client.head(half, HTTP2Client.fields("POST", "/v1/messages", type: "application/json"), ends: false))
        var isStopped = false
        bench.bench.door.stop(within: .seconds(5)) { isStopped = true }
        try bench.read()
        #expect(bench.client.leaving == nil)
        // It cannot know yet.
        let late = bench.client.stream()
        try bench.send(HTTP2Client.post(late))
        try bench.send(HTTP2Client.body(half, #"{"to":"+447700900123","text":"hello"}"#))
        #expect(bench.faults == [])
        #expect(bench.intake.submissions.count == 3)
        #expect(!isStopped)
        bench.intake.releaseAll()
        #expect(try bench.answer(open)?.status == 202)
        #expect(try bench.answer(half)?.status == 202)
        #expect(try bench.answer(late)?.status == 202)
        // With the loop's next round, when the last answer has left.
        bench.bench.loop.run()
        try bench.read()
        #expect(bench.client.leaving.map { [$0.newest, $0.code] } == [late, 0])
        #expect(!bench.isOpen)
        #expect(isStopped)
        try bench.end()
    }

    @Test("A door that stops ends an idle connection at once, and one that does not finish after the time it has")
    func stops() throws {
        let idle = try HTTP2Bench()
        var isStopped = false
        idle.bench.door.stop(within: .seconds(5)) { isStopped = true }
        #expect(isStopped && !idle.isOpen)
        try idle.end()
        let stuck = try HTTP2Bench()
        try stuck.send(HTTP2Client.post(stuck.client.stream()))
        isStopped = false
        stuck.bench.door.stop(within: .seconds(5)) { isStopped = true }
        #expect(!isStopped)
        stuck.bench.wait(6)
        #expect(isStopped && !stuck.isOpen)
        stuck.intake.releaseAll()
        try stuck.end()
    }
}
