import Foundation
import Guard
import MartletModel
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import MartletDoors

@Suite("Webhooks: documents, schedule, health")
struct WebhookPartsTests {
    @Test("The document of an end is this, to the byte, with an id that stays the same")
    func golden() throws {
        let notice = SMPPBench.notice(7, .failed, .undeliverable, error: 27, reference: "r-1", text: "secret words")
        let document = WebhookDocument(notice)
        let id = FakeIntake.id(7).notification.text
        #expect(document.id == "msg_\(id)_failed")
        #expect(
            String(decoding: document.body, as: UTF8.self)
                == #"{"type":"message.failed","timestamp":"2026-11-22T18:05:09.000000Z","data":{"id":"\#(id)","state":"failed","#
                + #""reason":"undeliverable","class":"transactional","reference":"r-1","from":"HARBOUR","to":"+44•••••0123","parts":1,"#
                + #""error":27,"possibleDuplicate":false,"createdAt":"2026-11-22T18:04:09.000000Z","#
                + #""endedAt":"2026-11-22T18:05:09.000000Z"}}"#)
        let plain = String(decoding: WebhookDocument(SMPPBench.notice(7)).body, as: UTF8.self)
        #expect(plain.contains(#""reason":null"#) && plain.contains(#""reference":null"#) && plain.contains(#""error":null"#))
        #expect(!plain.contains("hello"))
    }

    @Test("The end of an event says which it was and what was decided; its key is null when no rulebook has it any more")
    func ofEvent() {
        var notice = SMPPBench.notice(7, .suppressed, .noContact, from: "", reference: "r-1", text: "")
        notice.event = "card_payment"
        notice.payload.to = PhoneNumber(digits: 0)
        let id = FakeIntake.id(7).notification.text
        #expect(
            String(decoding: WebhookDocument(notice).body, as: UTF8.self)
                == #"{"type":"notification.suppressed","timestamp":"2026-11-22T18:05:09.000000Z","data":{"id":"\#(id)","state":"suppressed","#
                + #""reason":"no_contact","class":"transactional","event":"card_payment","outcome":"suppress","reference":"r-1","from":"","#
                + #""to":"","parts":1,"error":null,"possibleDuplicate":false,"createdAt":"2026-11-22T18:04:09.000000Z","#
                + #""endedAt":"2026-11-22T18:05:09.000000Z"}}"#)
        // It was held to its end.
        notice.state = .expired
        #expect(String(decoding: WebhookDocument(notice).body, as: UTF8.self).contains(#""outcome":"hold""#))
        var told = SMPPBench.notice(7)
        told.event = ""
        let text = String(decoding: WebhookDocument(told).body, as: UTF8.self)
        #expect(text.contains(#""type":"notification.delivered""#) && text.contains(#""event":null,"outcome":"tell""#))
    }

    @Test("A message from a handset comes whole, with the numbers as the operator writes them")
    func received() {
        var notice = SMPPBench.notice(7, from: "7070", reference: "447700900123", text: "BALANCE")
        notice.state = .received
        let id = FakeIntake.id(7).notification.text
        #expect(
            String(decoding: WebhookDocument(notice).body, as: UTF8.self)
                == #"{"type":"message.received","timestamp":"2026-11-22T18:05:09.000000Z","data":{"id":"\#(id)","from":"447700900123","#
                + #""to":"7070","text":"BALANCE","parts":1,"inReplyTo":null,"receivedAt":"2026-11-22T18:05:09.000000Z"}}"#)
        notice.payload.inReplyTo = FakeIntake.id(9)
        #expect(String(decoding: WebhookDocument(notice).body, as: UTF8.self).contains("\"inReplyTo\":\"\(FakeIntake.id(9).text)\""))
    }

    @Test("Every secret signs, the newest first, over id, time and body")
    func headers() throws {
        let other = try #require(WebhookSecret("whsec_" + String(repeating: "A", count: 32)))
        let document = WebhookDocument(SMPPBench.notice(7))
        let headers = Dictionary(
            uniqueKeysWithValues: document.headers([other, Webhook.secret], at: 1_795_370_710).map { ($0.name, $0.value) })
        #expect(headers["webhook-id"] == document.id && headers["webhook-timestamp"] == "1795370710")
        #expect(headers["content-type"] == "application/json")
        let signatures = [other, Webhook.secret].map { $0.signature(id: document.id, timestamp: 1_795_370_710, body: document.body) }
        #expect(headers["webhook-signature"] == signatures.joined(separator: " ") && signatures[0] != signatures[1])
    }

    @Test("Tries come after 5 s, 5 min, 30 min, 2, 5, 10, 14 and 20 h, a fifth more or less, and end before notices are given up")
    func schedule() {
        var longest: Int64 = 0
        for (tries, seconds) in [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000].enumerated() {
            let (least, most) = (
                WebhookSchedule.pause(after: UInt8(tries), random: 0),
                WebhookSchedule.pause(after: UInt8(tries), random: UInt64(seconds * 400 - 1))
            )
            #expect(least == Int64(seconds) * 800 && most == Int64(seconds) * 1200 - 1)
            longest += most ?? 0
        }
        #expect(WebhookSchedule.pause(after: 8, random: 1) == nil && WebhookSchedule.pause(after: .max, random: 1) == nil)
        #expect(longest < 72 * 3_600_000)
    }

    @Test("An endpoint that fails rests for longer and longer, is tried with one post, and is well when that is heard")
    func health() {
        var health = WebhookHealth()
        for _ in 0..<9 { #expect(health.failed(random: 0) == .none) }
        #expect(health.room(inFlight: 1, maximum: 4) == 3 && health.heard() == .none)
        for _ in 0..<9 { #expect(health.failed(random: 0) == .none) }
        var rests: [Int64] = []
        for _ in 0..<9 {
            guard case .rest(let milliseconds, let number) = health.failed(random: 0) else { return #expect(Bool(false)) }
            rests.append(milliseconds)
            #expect(health.state == .resting && health.room(inFlight: 0, maximum: 4) == 0)
            #expect(health.failed(random: 0) == .none, "one that was on its way")
            #expect(health.restOver(number) && !health.restOver(number))
            #expect(health.state == .trying && health.room(inFlight: 0, maximum: 4) == 1 && health.room(inFlight: 1, maximum: 4) == 0)
        }
        #expect(rests == [4000, 8000, 16_000, 32_000, 64_000, 128_000, 240_000, 240_000, 240_000])
        #expect(health.heard() == .recovered && health.state == .well)
    }

    @Test("The end of a rest that was cut short ends none that came after it, however the endpoint had become well")
    func oldRest() {
        var health = WebhookHealth()
        func rest() -> UInt64? {
            for _ in 0..<WebhookHealth.failureMaximum { if case .rest(_, let number) = health.failed(random: 0) { return number } }
            return nil
        }
        let first = rest()
        #expect(health.heard() == .recovered, "one that was on its way is heard after all")
        let second = rest()
        health.askedAgain()
        let third = rest()
        for old in [first, second] { #expect(old.map { health.restOver($0) } == false) }
        #expect(health.state == .resting && third.map { health.restOver($0) } == true && health.state == .trying)
    }

    @Test("One that is gone stays so, whatever comes late, until somebody asks for it")
    func gone() {
        var health = WebhookHealth()
        #expect(health.saidGone() == .wentGone && health.saidGone() == .none)
        #expect(health.heard() == .none && health.failed(random: 0) == .none && health.room(inFlight: 0, maximum: 4) == 0)
        #expect(!health.restOver(0) && health.state == .gone)
        health.askedAgain()
        #expect(health.state == .well)
    }

    @Test("2xx is heard, 410 is gone, all else is a failure of its kind")
    func verdicts() {
        let cases: [(Result<Int, OutboundFault>, String)] = [
            (.success(200), "heard"), (.success(299), "heard"), (.success(410), "gone"), (.success(302), "redirect"),
            (.success(404), "status_4xx"), (.success(503), "status_5xx"), (.success(101), "status_5xx"), (.failure(.timedOut), "timeout"),
            (.failure(.notAllowed), "not_allowed"),
        ]
        for (result, word) in cases { #expect(WebhookVerdict(result).word == word) }
    }

    @Test("The ends are named by two words")
    func ends() {
        #expect(Webhook.tells(["failed", "delivered"]) == [.delivered, .failed] && Webhook.tells(["failed"]) == [.failed])
        #expect(Webhook.tells([]) == [] && Webhook.tells(["read"]) == nil)
    }
}

@Suite("Webhooks: telling")
struct WebhookTellingTests {
    /// Answers as a test says; what is held waits for `release`.
    final class Script: Sendable {
        let answer = Mutex<Result<Int, OutboundFault>?>(.success(200))
        private let held = Mutex<[CheckedContinuation<Result<Int, OutboundFault>, Never>]>([])
        let requests = Mutex<[OutboundRequest]>([])

        var post: Webhooks.Post {
            { request in
                self.requests.withLock { $0.append(request) }
                if let answer = self.answer.withLock({ $0 }) { return answer }
                return await withCheckedContinuation { one in self.held.withLock { $0.append(one) } }
            }
        }

        func say(_ result: Result<Int, OutboundFault>?) { answer.withLock { $0 = result } }
        var count: Int { requests.withLock { $0.count } }

        func release(_ result: Result<Int, OutboundFault>) {
            for one in held.withLock({ list in
                defer { list = [] }; return list
            }) { one.resume(returning: result) }
        }
    }

    @Test("Ends are posted, at most as many at once as allowed, and counted")
    func heard() async throws {
        let script = Script()
        script.say(nil)
        let bench = try await WebhookBench(script.post)
        try await bench.replace([try .to(1)])
        try await bench.end(1, 1...6)
        #expect(try await bench.wait { _, _ in script.count == 4 })
        #expect(try await bench.run { _, hooks in hooks.samples.first { $0.metric.name == "martlet_webhook_in_flight" }?.value } == 4)
        script.say(.success(204))
        script.release(.success(200))
        #expect(try await bench.wait { node, _ in node.outcomes.count == 6 })
        #expect(try await bench.outcomes().allSatisfy { $0.hasSuffix("heard") })
        let samples = try await bench.run { _, hooks in hooks.samples.map { "\($0.metric.name) \($0.labels) \($0.value)" } }
        #expect(
            samples == [
                #"martlet_webhook_posts_total ["s1", "heard"] 6"#, #"martlet_webhook_delay_milliseconds_total ["s1"] 6000"#,
                #"martlet_webhook_in_flight ["s1"] 0"#, #"martlet_webhook_well ["s1"] 1"#,
            ])
        let request = try #require(script.requests.withLock { $0.first })
        #expect(request.method == .post && request.timeout == 300_000 && request.url.place == "127.0.0.1:9")
        try await bench.stop()
    }

    @Test("One that fails is put off by its tries, the others go on; after the last try it is parked, which is said")
    func fails() async throws {
        let script = Script()
        let bench = try await WebhookBench { request in
            String(decoding: request.body, as: UTF8.self).contains(FakeIntake.id(2).notification.text)
                ? .success(500) : await script.post(request)
        }
        try await bench.replace([try .to(1)])
        try await bench.end(1, 1...3)
        #expect(try await bench.wait { node, _ in node.outcomes.count == 3 })
        #expect(Set(try await bench.outcomes()) == ["1 heard", "2 later(milliseconds: 4000)", "3 heard"])
        try await bench.end(1, 2...2, tries: 7)
        #expect(try await bench.wait { node, _ in node.outcomes.count == 4 })
        try await bench.end(1, 2...2, tries: 8)
        #expect(try await bench.wait { node, _ in node.outcomes.count == 5 })
        #expect(try await bench.outcomes().suffix(2) == ["2 later(milliseconds: 57600000)", "2 parked"])
        #expect(bench.reports.list.withLock { $0 } == [.parked(source: "s1", id: FakeIntake.id(2))])
        try await bench.stop()
    }

    @Test("An endpoint that was well between two rests has the second one whole: the clock of the first does not end it")
    func restsWhole() async throws {
        let script = Script()
        script.say(nil)
        let loop = NIOAsyncTestingEventLoop()
        let bench = try await WebhookBench(on: loop) { request in
            // The first post is on its way while the others fail.
            let isFirst = String(decoding: request.body, as: UTF8.self).contains(FakeIntake.id(1).notification.text)
            return isFirst ? await script.post(request) : .failure(.noConnection)
        }
        let failures = WebhookHealth.failureMaximum
        try await bench.replace([try .to(1, inFlight: failures + 1)])
        try await bench.end(1, 1...failures + 1)
        #expect(try await bench.wait { node, _ in node.outcomes.count == failures })
        await loop.advanceTime(by: .milliseconds(3000))
        script.release(.success(200))
        #expect(try await bench.wait { node, _ in node.heard(1...1) == 1 })
        #expect(try await bench.run { node, _ in node.tellers[1]?.room } == failures + 1)
        try await bench.end(1, 101...100 + failures)
        #expect(try await bench.wait { node, _ in node.outcomes.count == 2 * failures + 1 })
        // Both rest for 4 s: the first one would be over now, the second 3 s later.
        await loop.advanceTime(by: .milliseconds(1000))
        #expect(try await bench.run { node, _ in node.tellers[1]?.room } == 0)
        await loop.advanceTime(by: .milliseconds(2999))
        #expect(try await bench.run { node, _ in node.tellers[1]?.room } == 0)
        await loop.advanceTime(by: .milliseconds(1))
        #expect(try await bench.run { node, _ in node.tellers[1]?.room } == 1)
        #expect(
            bench.reports.list.withLock { $0 } == [
                .failing(source: "s1", place: "127.0.0.1:9", kind: "connect", milliseconds: 4000),
                .recovered(source: "s1", place: "127.0.0.1:9"),
                .failing(source: "s1", place: "127.0.0.1:9", kind: "connect", milliseconds: 4000),
            ])
        try await bench.stop()
    }

    @Test("A dead endpoint is left alone, said once, and what waits keeps its tries; asking for it tells all")
    func dead() async throws {
        let script = Script()
        script.say(.failure(.noConnection))
        // Its clock stands still: the rest ends by being asked alone.
        let bench = try await WebhookBench(on: NIOAsyncTestingEventLoop(), script.post)
        try await bench.replace([try .to(1, inFlight: 1)])
        try await bench.end(1, 1...30)
        #expect(try await bench.wait { _, _ in bench.reports.list.withLock { !$0.isEmpty } })
        #expect(script.count == WebhookHealth.failureMaximum)
        #expect(try await bench.run { node, _ in node.waiting[1]?.count } == 20)
        #expect(bench.reports.list.withLock { $0 } == [.failing(source: "s1", place: "127.0.0.1:9", kind: "connect", milliseconds: 4000)])
        script.say(.success(200))
        try await bench.run { node, _ in
            node.tellers[1]?.askedAgain()
            node.pump(1)
        }
        #expect(try await bench.wait { node, _ in node.heard(1...30) == 20 })
        try await bench.stop()
    }

    @Test("After its rest an endpoint is tried with one post, and told all when that was heard")
    func recovers() async throws {
        let script = Script()
        script.say(.failure(.timedOut))
        let loop = NIOAsyncTestingEventLoop()
        let bench = try await WebhookBench(on: loop, script.post)
        try await bench.replace([try .to(1, inFlight: 16)])
        try await bench.end(1, 1...12)
        #expect(try await bench.wait { node, _ in node.outcomes.count == 12 })
        script.say(nil)
        try await bench.end(1, 20...25)
        // Its rest is 4 s here.
        await loop.advanceTime(by: .milliseconds(4000))
        #expect(try await bench.wait { _, _ in script.count == 13 })
        script.say(.success(200))
        script.release(.success(200))
        #expect(try await bench.wait { node, _ in node.heard(20...25) == 6 })
        #expect(bench.reports.list.withLock { $0.last } == .recovered(source: "s1", place: "127.0.0.1:9"))
        try await bench.stop()
    }

    @Test("410 stops everything for that source, loudly, and loses nothing; settings applied anew begin again")
    func gone() async throws {
        let script = Script()
        script.say(.success(410))
        let bench = try await WebhookBench(script.post)
        try await bench.replace([try .to(1, inFlight: 1)])
        try await bench.end(1, 1...3)
        #expect(try await bench.wait { _, _ in bench.reports.list.withLock { !$0.isEmpty } })
        #expect(bench.reports.list.withLock { $0 } == [.gone(source: "s1", place: "127.0.0.1:9")] && script.count == 1)
        #expect(try await bench.run { node, hooks in [node.waiting[1]?.count, hooks.samples.last?.value] } == [3, 0])
        script.say(.success(200))
        try await bench.replace([try .to(1, inFlight: 1)])
        #expect(try await bench.wait { node, _ in node.heard(1...3) == 3 })
        try await bench.stop()
    }

    @Test("Other settings make another teller; outcomes of the old one still count, a source that is not there has none")
    func replaced() async throws {
        let script = Script()
        script.say(nil)
        let bench = try await WebhookBench(script.post)
        try await bench.replace([try .to(1, inFlight: 1), try .to(9)])
        #expect(try await bench.run { node, hooks in [node.tellers.count, hooks.count] } == [1, 1])
        try await bench.end(1, 1...2)
        #expect(try await bench.wait { _, _ in script.count == 1 })
        try await bench.replace([try .to(1, port: 10, inFlight: 2)])
        #expect(try await bench.wait { _, _ in script.count == 2 })
        #expect(script.requests.withLock { $0.map(\.url.port) } == [9, 10])
        try await bench.replace([])
        #expect(try await bench.run { node, hooks in [node.tellers.count, hooks.count] } == [0, 0])
        script.release(.success(200))
        #expect(try await bench.wait { node, _ in node.heard(1...2) == 2 })
        try await bench.stop()
    }

    @Test("A stop waits for what is on its way; what comes later is told to nobody")
    func stop() async throws {
        let script = Script()
        script.say(nil)
        let bench = try await WebhookBench(script.post)
        try await bench.replace([try .to(1)])
        try await bench.end(1, 1...1)
        #expect(try await bench.wait { _, _ in script.count == 1 })
        let over = bench.loop.makePromise(of: Bool.self)
        bench.loop.execute { [webhooks = bench.webhooks, node = bench.node] in
            webhooks.value.stop(within: .seconds(60)) { over.succeed(node.value.outcomes.count == 1) }
        }
        script.release(.success(200))
        #expect(try await over.futureResult.get(), "the stop came after the outcome")
        try await bench.group.shutdownGracefully()

        let late = try await WebhookBench(script.post)
        try await late.replace([try .to(1)])
        try await late.end(1, 1...1)
        #expect(try await late.wait { _, _ in script.count == 2 })
        let cut = late.loop.makePromise(of: Void.self)
        late.loop.execute { [webhooks = late.webhooks] in webhooks.value.stop(within: .milliseconds(10)) { cut.succeed() } }
        try await cut.futureResult.get()
        script.release(.success(200))
        try await late.replace([try .to(2)])
        #expect(try await late.run { node, hooks in [node.outcomes.count, node.tellers.count] } == [0, 0])
        // The last post must be back before its loop ends.
        #expect(
            try await late.wait { _, hooks in hooks.samples.allSatisfy { $0.metric.name != "martlet_webhook_in_flight" || $0.value == 0 } })
        try await late.group.shutdownGracefully()
    }

    @Test("One absent, one silent and one dead receiver leave the others untouched, over real sockets")
    func independent() async throws {
        let good = try WebhookReceiver(status: 200)
        let silent = try WebhookReceiver(status: nil)
        let failing = try WebhookReceiver(status: 500)
        // Nobody listens there, at whatever port: a port that was given back could be another test's by then.
        let absent = "127.0.83.2"
        let ports = [good, silent, failing].map(\.port)
        let rules = OutboundRules([try #require(.init("127.0.0.1", ports: ports)), try #require(.init(absent, ports: [9]))])
        var options = OutboundClient.Options()
        options.connectTimeout = 300_000
        let client = try OutboundClient(rules, options)
        let bench = try await WebhookBench { request in
            do throws(OutboundFault) {
                return .success(try await client.send(request).status)
            } catch {
                return .failure(error)
            }
        }
        for source in 1...4 { try await bench.end(SourceNumber(source), source * 1000...source * 1000 + 199) }
        try await bench.replace([
            try .to(1, port: good.port), try .to(2, port: silent.port), try .to(3, port: failing.port), try .to(4, absent),
        ])
        #expect(try await bench.wait { node, _ in node.heard(1000...1199) == 200 })
        // On a slow machine its first ones may have timed out already.
        #expect(try await bench.wait { _, _ in silent.posts.count >= 4 }, "it holds what it was given")
        #expect(try await bench.wait { _, _ in bench.reports.list.withLock { $0.count } >= 2 })
        let left = try await bench.run { node, _ in [2, 3, 4].map { node.waiting[$0]?.count ?? 0 } }
        #expect(left[0] >= 180 && left[1] >= 180 && left[2] >= 180, "\(left)")
        #expect(Set(good.posts.map { $0.headers["webhook-id"] }).count == 200)
        let post = try #require(good.posts.first)
        let (id, time) = (try #require(post.headers["webhook-id"]), try #require(Int64(post.headers["webhook-timestamp"] ?? "")))
        #expect(post.headers["webhook-signature"] == Webhook.secret.signature(id: id, timestamp: time, body: post.body))
        // The silent one is dropped; its posts end with the client.
        await client.stop()
        try await bench.stop()
        try await good.stop()
        try await silent.stop()
        try await failing.stop()
    }
}

@Suite("POST /v1/callbacks:replay")
struct CallbackReplayTests {
    static let path = "/v1/callbacks:replay"

    @Test("It is answered 202 with how many ends are told again, and since when: what is older than three days is owed no more")
    func taken() throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(#"{"since":"2026-11-22T18:04:09.500Z"}"#, type: "application/json", path: Self.path))
        #expect(answer.status == 202 && answer.body == #"{"count":3,"since":"2026-11-22T18:04:09.500000Z"}"#)
        #expect(bench.intake.toldAgain.map(\.source) == [7] && bench.intake.toldAgain.map(\.since) == [1_795_370_649_500])
        #expect(bench.door.counters.told == 1)
        bench.intake.instant = Instant(wall: 1_795_370_649_000_000, steady: 0)
        let old = try bench.answer(to: post(#"{"since":"2020-01-01T00:00:00Z"}"#, type: "application/json", path: Self.path))
        #expect(old.body == #"{"count":3,"since":"2026-11-19T18:04:09.000000Z"}"#)
        let extra = "Idempotency-Key: 7\r\n"
        #expect(
            try bench.answer(to: post(#"{"since":"2026-11-22T18:04:09Z"}"#, type: "application/json", extra: extra, path: Self.path)).status
                == 202)
        try bench.end()
    }

    @Test(
        "What is wrong with it is told by field",
        arguments: [
            ("{}", 422, "required"), (#"{"since":7}"#, 422, "wrong_type"), (#"{"since":"yesterday"}"#, 422, "invalid_time"),
            (#"{"since":"2026-11-22T18:04:09Z","until":1,"x":{}}"#, 422, "unknown_field"), ("[]", 422, "wrong_type"),
            ("{", 400, "malformed_json"), ("", 400, "malformed_json"),
        ])
    func refused(body: String, status: Int, code: String) throws {
        let bench = try DoorBench()
        let answer = try bench.answer(to: post(body, type: "application/json", path: Self.path))
        #expect(answer.status == status && answer.body.contains(code))
        #expect(bench.intake.toldAgain.isEmpty)
        try bench.end()
    }

    @Test("It needs POST, a key, the scope send and a JSON body; a node that stops says so")
    func gate() throws {
        let bench = try DoorBench()
        let body = #"{"since":"2026-11-22T18:04:09Z"}"#
        #expect(try bench.answer(to: get(Self.path)).status == 405)
        #expect(try bench.answer(to: post(body, key: nil, type: "application/json", path: Self.path)).status == 401)
        #expect(try bench.answer(to: post(body, key: "READS", type: "application/json", path: Self.path)).status == 403)
        #expect(try bench.answer(to: post(body, type: "text/plain", path: Self.path)).status == 415)
        bench.intake.owed = nil
        #expect(try bench.answer(to: post(body, type: "application/json", path: Self.path)).status == 503)
        try bench.end()
    }

    @Test("Messages of a source with a webhook ask for its ends, alone and in batches; those of others ask for none")
    func tells() throws {
        let bench = try DoorBench()
        bench.door.tells = [7: [.failed]]
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        let message = #"{"to":"+447700900123","text":"hello"}"#
        #expect(try bench.answer(to: post(message, type: "application/json")).status == 202)
        #expect(try bench.answer(to: post(message, key: "SENDS", type: "application/json")).status == 202)
        try bench.send(post(message + "\n", type: "application/x-ndjson", path: "/v1/messages:batch"))
        bench.wait(1)
        #expect(bench.intake.submissions.map(\.tells) == [[.failed], [], [.failed]])
        try bench.end()
    }
}
