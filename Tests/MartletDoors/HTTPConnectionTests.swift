import MartletModel
import NIOCore
import NIOEmbedded
import Testing

@testable import MartletDoors

/// One connection on an embedded loop, against a core that answers when told to.
@Suite struct HTTPConnectionTests {
    @Test("A good message is answered 202 with the contract's body")
    func accepted() throws {
        let bench = try DoorBench()
        try bench.send(post())
        #expect(try bench.written().text == "")
        #expect(bench.intake.submissions.count == 1)
        bench.intake.releaseAll()
        let answer = try #require(try bench.answers().first)
        #expect(answer.status == 202)
        #expect(answer.body == #"{"id":"\#(FakeIntake.id(0).text)","state":"accepted","parts":1}"#)
        #expect(answer["Content-Type"] == "application/json")
        #expect(answer["Date"] == "Sun, 22 Nov 2026 21:24:09 GMT" || answer["Date"]?.hasSuffix("GMT") == true)
        #expect(!answer.closes)
        #expect(bench.door.counters.accepted == 1)
        try bench.end()
    }

    @Test("A message of ten parts or more is answered like one of fewer")
    func manyParts() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(5), parts: 12)
        #expect(try bench.answer(to: post()).body == #"{"id":"\#(FakeIntake.id(5).text)","state":"accepted","parts":12}"#)
        try bench.end()
    }

    @Test("Answers leave in the order of the requests, whatever the order they are given in")
    func pipelining() throws {
        let bench = try DoorBench()
        try bench.send(post() + post() + get("/nowhere") + post())
        #expect(bench.intake.waiting.count == 3)
        bench.intake.release([2])
        #expect(try bench.answers().isEmpty)
        bench.intake.release([1])
        #expect(try bench.answers().isEmpty)
        bench.intake.release([0])
        let (text, writes) = try bench.written()
        let answers = Answer.all(in: text)
        #expect(answers.map(\.status) == [202, 202, 404, 202])
        for (place, answer) in zip([0, 1, 2], [answers[0], answers[1], answers[3]]) {
            #expect(answer.body.contains(FakeIntake.id(place).text))
        }
        #expect(writes == 1, "a batch of answers is one write")
        try bench.end()
    }

    @Test("One read of many requests that are answered at once makes one write")
    func oneWrite() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(String(repeating: post(), count: 20))
        let (text, writes) = try bench.written()
        #expect(Answer.all(in: text).count == 20)
        #expect(writes == 1)
        try bench.end()
    }

    @Test("Beyond 64 unanswered requests nothing more is submitted or read until answers come")
    func depth() throws {
        let bench = try DoorBench()
        try bench.send(String(repeating: post(), count: 100))
        #expect(bench.intake.submissions.count == 64)
        bench.channel.read()
        bench.wait(100)
        bench.intake.release([0, 1])
        #expect(try bench.answers().count == 2)
        #expect(bench.intake.submissions.count == 66)
        bench.intake.release(Array(2..<66))
        #expect(bench.intake.submissions.count == 100)
        bench.intake.release(Array(66..<100))
        #expect(try bench.answers().count == 98)
        // And it goes on afterwards.
        try bench.send(post())
        #expect(bench.intake.submissions.count == 101)
        try bench.end()
    }

    @Test("Held requests that are answered at once do not wait for another turn")
    func heldAnsweredAtOnce() throws {
        let bench = try DoorBench()
        try bench.send(String(repeating: post(), count: 64) + String(repeating: get("/nowhere"), count: 150))
        bench.intake.releaseAll()
        #expect(try bench.answers().count == 214)
        try bench.end()
    }

    @Test("An answer that comes after its connection ended is dropped without harm")
    func lateAnswer() throws {
        let bench = try DoorBench()
        try bench.send(post() + post())
        weak let connection = try bench.channel.pipeline.syncOperations.handler(type: HTTPConnection.self)
        try bench.channel.close().wait()
        bench.loop.run()
        #expect(bench.door.counters.connectionsOpen == 0)
        bench.intake.releaseAll()
        try bench.end()
        #expect(connection == nil)
    }

    @Test("A body that comes byte by byte is the same body")
    func partialBody() throws {
        let bench = try DoorBench()
        for byte in post().utf8 { try bench.send(ByteBuffer(bytes: [byte])) }
        #expect(bench.intake.submissions.first?.text == "hello")
        try bench.end()
    }

    @Test("A chunked body is taken")
    func chunked() throws {
        let bench = try DoorBench()
        let body = #"{"to":"+447700900123","text":"hello"}"#
        let first = String(body.prefix(10))
        let second = String(body.dropFirst(10))
        try bench.send(
            "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "a\r\n\(first)\r\n" + "\(String(second.utf8.count, radix: 16))\r\n\(second)\r\n0\r\n\r\n")
        #expect(bench.intake.submissions.first?.text == "hello")
        try bench.end()
    }

    @Test("A body beyond the limit is refused by its Content-Length, before it is read, and the connection closes")
    func announcedTooLarge() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBody: 1024))
        let answer = try bench.answer(
            to:
                "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: 1025\r\n\r\n"
        )
        #expect(answer.status == 413)
        #expect(answer.closes)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A chunked body beyond the limit is refused when it gets there")
    func grownTooLarge() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBody: 1024))
        try bench.send(
            "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try bench.send("400\r\n" + String(repeating: " ", count: 1024) + "\r\n")
        #expect(try bench.answers().isEmpty)
        let answer = try bench.answer(to: "1\r\n \r\n")
        #expect(answer.status == 413)
        #expect(answer.closes)
        try bench.end()
    }

    @Test("A refused request's body is read past, so that the connection can go on")
    func refusedBodySkipped() throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(key: nil)).status == 401)
        #expect(bench.isOpen)
        try bench.send(post())
        #expect(bench.intake.submissions.count == 1)
        try bench.end()
    }

    @Test("A refused request's body beyond the limit gets its own refusal, and the connection closes")
    func refusedBodyTooLarge() throws {
        let bench = try DoorBench(settings: HTTPSettings(maximumBody: 1024))
        try bench.send("PUT /v1/messages HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        let answer = try bench.answer(to: "401\r\n" + String(repeating: "x", count: 1025) + "\r\n")
        #expect(answer.status == 405)
        #expect(answer.closes)
        try bench.end()
    }

    @Test("Expect: 100-continue gets 100 in its turn, then the answer")
    func expectContinue() throws {
        let bench = try DoorBench()
        let body = #"{"to":"+447700900123","text":"hello"}"#
        let head = post(body, extra: "Expect: 100-continue\r\n").dropLast(body.count)
        try bench.send(post() + head)
        #expect(try bench.written().text == "")
        bench.intake.release([0])
        let before = try bench.written().text
        #expect(before.hasSuffix("HTTP/1.1 100 Continue\r\n\r\n"))
        try bench.send(body)
        bench.intake.release([1])
        #expect(try bench.answers().map(\.status) == [202])
        try bench.end()
    }

    @Test("Expect: 100-continue of a request that is refused anyway gets the refusal, and the connection closes")
    func expectRefused() throws {
        let bench = try DoorBench()
        let body = #"{"to":"+447700900123","text":"hello"}"#
        let answer = try bench.answer(to: String(post(body, key: "WRONG", extra: "Expect: 100-continue\r\n").dropLast(body.count)))
        #expect(answer.status == 401)
        #expect(answer.closes)
        try bench.end()
    }

    @Test("Another expectation is refused with 417")
    func otherExpectation() throws {
        let bench = try DoorBench()
        #expect(try bench.answer(to: post(extra: "Expect: tea\r\n")).status == 417)
        try bench.end()
    }

    @Test("Connection: close is kept, said back, and further requests are dropped", arguments: ["HTTP/1.1", "HTTP/1.0"])
    func connectionClose(version: String) throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let request = post(extra: "Connection: close\r\n").replacing("HTTP/1.1", with: version)
        let answer = try bench.answer(to: request + get("/nowhere"))
        #expect(answer.status == 202)
        #expect(answer.closes)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("HTTP/1.0 with keep-alive gets one answer and a close")
    func oldKeepAlive() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get("/nowhere", extra: "Connection: keep-alive\r\n").replacing("HTTP/1.1", with: "HTTP/1.0"))
        #expect(answer.closes)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A request that asks for another protocol is answered in this one, and the connection closes")
    func upgrade() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: get("/nowhere", extra: "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"))
        #expect(answer.status == 404)
        #expect(answer.closes)
        try bench.end()
    }

    @Test("HEAD gets 405 with Allow and no body, and 404 without one where there is nothing")
    func head() throws {
        let bench = try DoorBench()
        try bench.send(get("/v1/messages", method: "HEAD") + get("/nowhere"))
        let text = try bench.written().text
        let first = try #require(Answer.all(in: text, headOnly: true).first)
        #expect(first.status == 405)
        #expect(first["Allow"] == "POST")
        #expect(text.components(separatedByEmptyLine: 2)[1].hasPrefix("HTTP/1.1 404"))
        try bench.send(get("/nowhere", method: "HEAD"))
        let missing = try bench.written().text
        #expect(missing.hasPrefix("HTTP/1.1 404") && missing.hasSuffix("\r\n\r\n"))
        try bench.end()
    }

    @Test("Half a peer is answered: what it asked for before it ended its side comes back, then the connection closes")
    func halfClosed() throws {
        let bench = try DoorBench()
        try bench.send(post())
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(bench.isOpen)
        bench.intake.releaseAll()
        let answer = try #require(try bench.answers().first)
        #expect(answer.status == 202)
        #expect(answer.closes)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that ends its side in the middle of a body submits nothing")
    func halfClosedInBody() throws {
        let bench = try DoorBench()
        try bench.send(String(post().dropLast(3)))
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(bench.intake.submissions.isEmpty)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that ends its side with nothing asked is closed")
    func halfClosedIdle() throws {
        let bench = try DoorBench()
        bench.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A failing socket closes the connection")
    func socketFails() throws {
        let bench = try DoorBench()
        bench.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A peer that takes no answers is not read from, and is closed after the idle time")
    func notWritable() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.wait(59)
        #expect(bench.isOpen)
        bench.wait(2)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("What is held while the peer takes no answers begins when it takes them again")
    func writableAgain() throws {
        let bench = try DoorBench()
        try bench.send(String(repeating: post(), count: 70))
        bench.channel.isWritable = false
        bench.channel.pipeline.fireChannelWritabilityChanged()
        bench.intake.releaseAll()
        #expect(bench.intake.submissions.count == 64)
        bench.channel.isWritable = true
        bench.channel.pipeline.fireChannelWritabilityChanged()
        #expect(bench.intake.submissions.count == 70)
        try bench.end()
    }

    // MARK: Time

    @Test("An idle connection is closed without a word after the idle time")
    func idle() throws {
        let bench = try DoorBench()
        bench.wait(59)
        #expect(bench.isOpen)
        bench.wait(2)
        #expect(!bench.isOpen)
        #expect(try bench.written().text == "")
        try bench.end()
    }

    @Test("A connection that waits for its answer is not idle")
    func waitingIsNotIdle() throws {
        let bench = try DoorBench()
        try bench.send(post())
        bench.wait(200)
        #expect(bench.isOpen)
        bench.intake.releaseAll()
        #expect(try bench.answers().count == 1)
        try bench.end()
    }

    @Test("A head that drips in is refused with 408 after its time")
    func slowHead() throws {
        let bench = try DoorBench()
        try bench.send("P")
        for _ in 0..<9 {
            bench.wait(1)
            try bench.send("")
        }
        #expect(bench.isOpen)
        bench.wait(2)
        let answer = try #require(try bench.answers().first)
        #expect(answer.status == 408)
        #expect(answer.closes)
        #expect(!bench.isOpen)
        try bench.end()
    }

    @Test("A body that drips in is refused with 408 after its time, after the answers before it")
    func slowBody() throws {
        let bench = try DoorBench()
        try bench.send(post() + String(post().dropLast(5)))
        bench.wait(16)
        #expect(try bench.answers().isEmpty)
        bench.intake.releaseAll()
        #expect(try bench.answers().map(\.status) == [202, 408])
        try bench.end()
    }

    // MARK: End

    @Test("A stopping door closes idle connections at once and tells when all are gone")
    func stopIdle() throws {
        let bench = try DoorBench()
        var stopped = 0
        bench.door.stop(within: .seconds(10)) { stopped += 1 }
        bench.loop.run()
        #expect(!bench.isOpen)
        #expect(stopped == 1)
        bench.door.stop(within: .seconds(10)) { stopped += 1 }
        #expect(stopped == 2, "a second call is told too")
        try bench.end()
    }

    @Test("A stopping door lets open requests be answered, with Connection: close, and takes no further ones")
    func stopDrains() throws {
        let bench = try DoorBench()
        try bench.send(post())
        var isStopped = false
        bench.door.stop(within: .seconds(10)) { isStopped = true }
        #expect(bench.isOpen)
        try bench.send(post())
        #expect(bench.intake.submissions.count == 1)
        bench.intake.releaseAll()
        let answers = try bench.answers()
        #expect(answers.map(\.status) == [202])
        #expect(answers.first?.closes == true)
        bench.loop.run()
        #expect(isStopped)
        try bench.end()
    }

    @Test("A request half arrived when the door stops is still served")
    func stopMidBody() throws {
        let bench = try DoorBench()
        try bench.send(String(post().dropLast(5)))
        bench.door.stop(within: .seconds(10)) {}
        try bench.send(String(post().suffix(5)))
        bench.intake.releaseAll()
        #expect(try bench.answers().map(\.status) == [202])
        try bench.end()
    }

    @Test("A stopping door closes what is left after its time")
    func stopAborts() throws {
        let bench = try DoorBench()
        try bench.send(post())
        var isStopped = false
        bench.door.stop(within: .seconds(10)) { isStopped = true }
        bench.wait(11)
        #expect(!bench.isOpen)
        #expect(isStopped)
        bench.intake.releaseAll()
        try bench.end()
    }

    @Test("A core that is stopping is answered 503 with Connection: close")
    func coreStopping() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .refused(.stopping)
        let answer = try bench.answer(to: post())
        #expect(answer.status == 503)
        #expect(answer.closes)
        #expect(answer["Retry-After"] == "1")
        try bench.end()
    }
}

extension String {
    /// Pieces between empty lines, at most so many.
    func components(separatedByEmptyLine most: Int) -> [String] {
        split(separator: "\r\n\r\n", maxSplits: most - 1).map(String.init)
    }
}
