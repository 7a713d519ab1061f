import MartletModel
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletDoors

/// How a batch is bounded: its turns, its window, its peer, its time, and the end of the server.
@Suite struct HTTPBatchFlowTests {
    @Test("A turn takes 256 lines, and a message of another connection does not wait for the next")
    func turns() throws {
        let bench = try DoorBench()
        let other = EmbeddedChannel(loop: bench.loop)
        try bench.door.attach(to: other)
        try other.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 2)).wait()
        try bench.send(batch(lines(600)))
        #expect(bench.intake.submissions.isEmpty)
        bench.turns()
        #expect(bench.intake.submissions.count == 256)
        _ = try other.writeInbound(ByteBuffer(string: post()))
        #expect(bench.intake.submissions.count == 257)
        bench.turns()
        #expect(bench.intake.submissions.count == 513)
        bench.turns()
        #expect(bench.intake.submissions.count == 601)
        _ = try? other.finish(acceptAlreadyClosed: true)
        try bench.end()
    }

    @Test("Two batches have their turns one after the other")
    func share() throws {
        let bench = try DoorBench()
        let other = EmbeddedChannel(loop: bench.loop)
        try bench.door.attach(to: other)
        try other.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 2)).wait()
        try bench.send(batch(lines(500)))
        _ = try other.writeInbound(ByteBuffer(string: batch(lines(300), key: "SENDS")))
        bench.turns()
        #expect(bench.intake.submissions.allSatisfy { $0.source == 7 })
        bench.turns()
        #expect(bench.intake.submissions.count { $0.source == 8 } == 256)
        bench.turns()
        // What the first leaves of its turn (the end of its body costs one) is the second's.
        #expect(bench.intake.submissions.count { $0.source == 7 } == 500)
        #expect(bench.intake.submissions.count { $0.source == 8 } == 267)
        bench.turns()
        #expect(bench.intake.submissions.count == 800)
        _ = try? other.finish(acceptAlreadyClosed: true)
        try bench.end()
    }

    @Test("Lines that are slow to refuse or to read count for more")
    func costly() throws {
        let bench = try DoorBench()
        let wrong = "{" + (0..<40).map { "\"field\($0)\":1" }.joined(separator: ",") + "}\n"
        try bench.send(batch(String(repeating: wrong, count: 10)))
        bench.turns()
        let first = try bench.written().text
        #expect(Answer.streamed(in: first).first?.lines.count == 2)
        bench.turns(10)
        #expect(Answer.streamed(in: first + (try bench.written().text)).first?.lines.count == 10)
        try bench.end()
    }

    @Test("Beyond 1,024 unanswered lines nothing is taken or read until answers come")
    func window() throws {
        let bench = try DoorBench()
        let reads = ReadCount()
        try bench.channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try bench.send(batch(lines(1500)))
        bench.turns(20)
        #expect(bench.intake.submissions.count == 1024)
        bench.channel.read()
        #expect(reads.count == 0)
        bench.wait(100)
        #expect(bench.isOpen, "the wait is not the peer's")
        bench.intake.release([1, 2])
        bench.turns(20)
        #expect(bench.intake.submissions.count == 1024, "answers that wait for another hold their place")
        bench.intake.release([0])
        bench.turns(20)
        #expect(bench.intake.submissions.count == 1027)
        bench.intake.release(Array(3..<1027))
        bench.turns(20)
        #expect(bench.intake.submissions.count == 1500)
        #expect(reads.count == 1)
        bench.intake.release(Array(1027..<1500))
        #expect(try bench.streamed().first?.lines.count == 1500)
        try bench.end()
    }

    @Test("Refusals that wait behind an unanswered line are bounded by their bytes")
    func heldBytes() throws {
        let bench = try DoorBench()
        let wrong = "{" + (0..<33).map { "\"a rather long name of a field \($0)\":1" }.joined(separator: ",") + "}\n"
        try bench.send(batch(lines(1) + String(repeating: wrong, count: 500)))
        bench.turns(2000)
        bench.intake.releaseAll()
        let first = try bench.written().text
        #expect(first.utf8.count > HTTPLimit.heldLineBytes)
        #expect(first.utf8.count < HTTPLimit.heldLineBytes * 2)
        bench.turns(2000)
        #expect(Answer.streamed(in: first + (try bench.written().text)).first?.lines.count == 501)
        try bench.end()
    }

    @Test("A peer that does not read its answers has no further line taken, and is closed after the idle time")
    func notReading() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(batch(lines(1000)))
        bench.turns()
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.turns(100)
        #expect(bench.intake.submissions.count == 256)
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.turns()
        #expect(bench.intake.submissions.count == 512)
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.wait(62)
        #expect(!bench.isOpen)
        try bench.end()
    }

    // MARK: Time

    @Test("A batch whose lines keep coming may last, one that stalls within a line ends with 408 in its last answer")
    func time() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let line = lines(1)
        try bench.send(batch("").replacing("Content-Length: 0", with: "Content-Length: 100000"))
        for _ in 0..<5 {
            try bench.send(line)
            bench.wait(10)
        }
        #expect(bench.isOpen)
        for byte in line.utf8.prefix(17) {
            try bench.send(ByteBuffer(bytes: [byte]))
            bench.wait(1)
        }
        bench.turns()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 6)
        #expect(answer.lines.last?.contains("/problems/request_timeout") == true)
        #expect(!bench.isOpen)
        try bench.end()
    }

    // MARK: Stop

    @Test("A stopping door answers what was submitted, refuses further lines unread, and closes")
    func stop() throws {
        let bench = try DoorBench()
        let request = batch(lines(300))
        try bench.send(String(request.dropLast(20)))
        bench.turns()
        var isStopped = false
        bench.door.stop(within: .seconds(10)) { isStopped = true }
        try bench.send(String(request.suffix(20)))
        bench.turns(10)
        #expect(bench.intake.submissions.count == 256)
        bench.intake.releaseAll()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 300)
        #expect(answer.closes)
        #expect(answer.lines[255].contains(#""status":202"#))
        #expect(answer.lines[256].contains("/problems/stopping"))
        #expect(answer.lines[256].hasSuffix(#""retryAfter":1}"#))
        bench.loop.run()
        #expect(isStopped)
        try bench.end()
    }

    @Test("A core that is stopping is told in each line, and the connection closes after the batch")
    func coreStopping() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .refused(.stopping)
        try bench.send(batch(lines(3)))
        bench.turns()
        let answer = try #require(try bench.streamed().first)
        #expect(answer.lines.count == 3)
        #expect(answer.lines.allSatisfy { $0.contains("/problems/stopping") })
        #expect(bench.intake.submissions.count == 1)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A stopping door closes a batch that takes longer than it may")
    func stopAborts() throws {
        let bench = try DoorBench()
        try bench.send(batch(lines(3)).dropLast(5) + "")
        bench.turns()
        bench.door.stop(within: .seconds(10)) {}
        bench.wait(11)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("Over TCP a batch of 20,000 lines is answered whole, while another connection is served")
    func overTCP() async throws {
        let world = try await DoorWorld()
        async let text = world.exchangeText(batch(lines(20_000), extra: "Connection: close\r\n"))
        #expect(try await world.exchange(post(extra: "Connection: close\r\n")).map(\.status) == [202])
        let answer = try #require(Answer.streamed(in: try await text).first)
        #expect(answer.lines.count == 20_000)
        #expect(answer.lines.allSatisfy { $0 == HTTPBatchTests.accepted(1) })
        try await world.end()
    }

    @Test("Over TCP a peer that ends its side after its batch reads the answer to its end", arguments: [1, 5000])
    func halfCloseOverTCP(count: Int) async throws {
        let world = try await DoorWorld()
        let text = try await world.exchangeText(batch(lines(count)), endsOutput: true)
        #expect(text.hasSuffix("0\r\n\r\n"))
        #expect(Answer.streamed(in: text).first?.lines.count == count)
        try await world.end()
    }

    @Test("Over TLS a batch is answered to its end")
    func overTLS() async throws {
        let files = try TestFiles()
        let world = try await DoorWorld(settings: HTTPSettings(port: 0, certificate: files.certificate, key: files.key))
        let text = try await world.exchangeText(batch(lines(3000), extra: "Connection: close\r\n"), tls: try files.clientContext())
        #expect(Answer.streamed(in: text).first?.lines.count == 3000)
        try await world.end()
        files.remove()
    }
}

/// Counts the reads that are asked of the socket.
private final class ReadCount: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
