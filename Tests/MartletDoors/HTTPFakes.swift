import MartletModel
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import MartletDoors

/// A core that answers when the test says so, in the batches the test makes.
final class FakeIntake: Intake {
    var submissions: [Submission] = []
    /// Given at once when set; else the answer waits for `release`.
    var immediate: Acceptance?
    /// Given at once when it says so; asked before `immediate`.
    var decide: (Submission) -> Acceptance? = { _ in nil }
    var stories: [MessageID: Story] = [:]
    var storyFault: StoryFault?
    var holdsStories = false
    private(set) var waiting: [(Acceptance) -> Void] = []
    private var waitingStories: [() -> Void] = []
    private var flushes: [() -> Void] = []
    private var isGivingOut = false
    var instant = Instant(wall: 1_795_370_649_000_123, steady: 0)
    /// Tells the time instead of `instant`, where a test runs on real sockets.
    var clock: (() -> Instant)?

    func submit(_ submission: Submission, then: @escaping (Acceptance) -> Void) {
        submissions.append(submission)
        if let acceptance = decide(submission) ?? immediate { then(acceptance) } else { waiting.append(then) }
    }

    var catalogue = EventCatalogue.empty
    var events: [EventSubmission] = []

    func submit(event: EventSubmission, then: @escaping (Acceptance) -> Void) {
        events.append(event)
        if let immediate { then(immediate) } else { waiting.append(then) }
    }

    var explanation = Result<Explanation, ExplanationFault>.failure(.noRulebook)
    private(set) var explained: [(event: EventSubmission, at: Int64?, release: UInt32?)] = []

    func explain(
        _ event: EventSubmission, at: Int64?, release: UInt32?, then: @escaping (Result<Explanation, ExplanationFault>) -> Void
    ) {
        explained.append((event, at, release))
        then(explanation)
    }

    func story(of id: MessageID, source: SourceNumber, then: @escaping (Result<Story?, StoryFault>) -> Void) {
        let result: Result<Story?, StoryFault> = storyFault.map { .failure($0) } ?? .success(stories[id])
        if holdsStories { waitingStories.append { then(result) } } else { then(result) }
    }

    var cancellation = Cancellation.cancelled
    private(set) var cancelled: [MessageID] = []

    func cancel(_ id: MessageID, source: SourceNumber, then: @escaping (Cancellation) -> Void) {
        cancelled.append(id)
        then(cancellation)
    }

    var replacement = Replacement.Verdict.replaced
    private(set) var replaced: [Replacement] = []

    func replace(
        _ id: MessageID, source: SourceNumber, with change: Replacement, then: @escaping (Replacement.Verdict) -> Void
    ) {
        replaced.append(change)
        then(replacement)
    }

    var page = Result<SearchPage, SearchFault>.success(SearchPage(stories: [], next: nil))
    private(set) var searches: [(search: MessageSearch, source: SourceNumber)] = []

    func search(_ search: MessageSearch, source: SourceNumber, then: @escaping (Result<SearchPage, SearchFault>) -> Void) {
        searches.append((search, source))
        then(page)
    }

    /// Answer to a wish to be told again; nil: the node stops.
    var owed: Int? = 3
    private(set) var toldAgain: [(source: SourceNumber, since: Int64)] = []

    func tellAgain(_ source: SourceNumber, since: Int64, then: @escaping (Int?) -> Void) {
        toldAgain.append((source, since))
        then(owed)
    }

    func afterAnswers(_ flush: @escaping () -> Void) {
        if isGivingOut { flushes.append(flush) } else { flush() }
    }

    func now() -> Instant { clock?() ?? instant }

    static func id(_ n: Int) -> MessageID {
        MessageID(milliseconds: 1_795_370_649_000, partition: 3, random: UInt64(n))
    }

    /// Gives out the answers of the waiting submissions with these places, in this order and as one batch.
    func release(_ order: [Int], as acceptance: (Int) -> Acceptance = { .accepted(FakeIntake.id($0), parts: 1) }) {
        batch {
            for place in order { waiting[place](acceptance(place)) }
        }
    }

    func releaseAll() {
        release(Array(waiting.indices))
        waiting = []
    }

    /// The waiting ones are answered.
    func forget() { waiting = [] }

    func releaseStories() {
        let all = waitingStories
        waitingStories = []
        batch { for one in all { one() } }
    }

    private func batch(_ body: () -> Void) {
        isGivingOut = true
        body()
        isGivingOut = false
        let all = flushes
        flushes = []
        for one in all { one() }
    }
}

final class FakeSources: SourceDirectory {
    var keys: [String: Source] = [:]
    var generation: UInt64 = 1
    private(set) var asked = 0

    func source(presenting key: some Collection<UInt8>) -> Source? {
        asked += 1
        return keys[String(decoding: Array(key), as: UTF8.self)]
    }

    func source(numbered number: SourceNumber) -> Source? { keys.values.first { $0.number == number } }
    func source(named name: String) -> Source? { keys.values.first { $0.name == name } }
}

/// A door with one connection on an embedded loop: bytes in, bytes out, time in the test's hand.
final class DoorBench {
    let loop = EmbeddedEventLoop()
    let intake = FakeIntake()
    let sources = FakeSources()
    let door: HTTPDoor
    let channel: EmbeddedChannel

    init(settings: HTTPSettings = HTTPSettings()) throws {
        sources.keys["KEY"] = Source(number: 7, name: "cards", scopes: [.send, .read], defaultSender: "HARBOUR")
        sources.keys["SENDS"] = Source(number: 8, name: "sends", scopes: [.send], defaultSender: "HARBOUR")
        sources.keys["READS"] = Source(number: 9, name: "reads", scopes: [.read])
        sources.keys["TIGHT"] = Source(
            number: 10, name: "tight", scopes: [.send], senders: ["HARBOUR", "4477"], classes: [.otp, .transactional], defaultClass: .otp)
        door = HTTPDoor(intake: intake, sources: sources, settings: settings, eventLoop: loop)
        door.startClock()
        channel = EmbeddedChannel(loop: loop)
        try door.attach(to: channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// One read of the socket.
    func send(_ text: String) throws { try send(ByteBuffer(string: text)) }

    func send(_ bytes: ByteBuffer) throws {
        _ = try channel.writeInbound(bytes)
    }

    /// Everything written since the last call, and in how many writes.
    func written() throws -> (text: String, writes: Int) {
        var text = ""
        var writes = 0
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            text += String(buffer: bytes)
            writes += 1
        }
        return (text, writes)
    }

    func answers() throws -> [Answer] { Answer.all(in: try written().text) }

    func answer(to request: String) throws -> Answer {
        try send(request)
        let all = try answers()
        guard let one = all.first, all.count == 1 else { throw DoorBenchFault(text: "\(all.count) answers") }
        return one
    }

    var isOpen: Bool { channel.isActive }

    /// Seconds of the door's clock.
    func wait(_ seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

    func end() throws {
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}

struct DoorBenchFault: Error { var text: String }

/// One answer as a client reads it.
struct Answer: Equatable {
    var status: Int
    var fields: [(String, String)]
    var body: String

    static func == (a: Answer, b: Answer) -> Bool {
        a.status == b.status && a.body == b.body && a.fields.map { "\($0)" } == b.fields.map { "\($0)" }
    }

    subscript(_ name: String) -> String? { fields.first { $0.0.lowercased() == name.lowercased() }?.1 }
    var closes: Bool { self["Connection"] == "close" }

    /// Splits a byte stream of answers by their Content-Length; whatever does not parse ends the list.
    static func all(in text: String, headOnly: Bool = false) -> [Answer] {
        var rest = Array(text.utf8)[...]
        var all: [Answer] = []
        while !rest.isEmpty {
            guard let end = rest.indices.first(where: { rest[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else { break }
            let lines = String(decoding: rest[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
            let status = Int(lines[0].split(separator: " ")[1]) ?? 0
            let fields = lines.dropFirst().map { line -> (String, String) in
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                return (String(line[..<colon]), line[colon...].dropFirst().trimmingPrefix { $0 == " " }.description)
            }
            rest = rest[(end + 4)...]
            var answer = Answer(status: status, fields: fields, body: "")
            let length = headOnly ? 0 : Int(answer["Content-Length"] ?? "0") ?? 0
            answer.body = String(decoding: rest.prefix(length), as: UTF8.self)
            rest = rest.dropFirst(length)
            all.append(answer)
        }
        return all
    }
}

/// A well-formed POST of this body.
func post(
    _ body: String = #"{"to":"+447700900123","text":"hello"}"#, key: String? = "KEY", type: String? = "application/json",
    extra: String = "",
    path: String = "/v1/messages"
) -> String {
    var text = "POST \(path) HTTP/1.1\r\nHost: h\r\n"
    if let key { text += "Authorization: Bearer \(key)\r\n" }
    if let type { text += "Content-Type: \(type)\r\n" }
    return text + "Content-Length: \(body.utf8.count)\r\n\(extra)\r\n\(body)"
}

func get(_ path: String, key: String? = "KEY", method: String = "GET", extra: String = "") -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: h\r\n" + (key.map { "Authorization: Bearer \($0)\r\n" } ?? "") + "\(extra)\r\n"
}

/// A well-formed batch of these bytes.
func batch(_ body: String, type: String? = "application/x-ndjson", key: String? = "KEY", extra: String = "") -> String {
    post(body, key: key, type: type, extra: extra, path: "/v1/messages:batch")
}

/// One good line for each reference.
func lines(_ count: Int) -> String {
    (0..<count).map { #"{"to":"+447700900123","text":"hello","reference":"\#($0)"}"# + "\n" }.joined()
}

extension DoorBench {
    /// Lets the door give so many turns.
    func turns(_ count: Int64 = 1) { loop.advanceTime(by: .microseconds(20 * count)) }

    /// Everything written since the last call, with chunked answers put together.
    func streamed() throws -> [Answer] { Answer.streamed(in: try written().text) }
}

extension Answer {
    /// Splits a byte stream in which answers may be chunked; an answer that is not whole holds what came of it.
    static func streamed(in text: String) -> [Answer] {
        var rest = text[...]
        var all: [Answer] = []
        while let end = rest.firstRange(of: "\r\n\r\n") {
            guard var answer = Answer.all(in: rest[..<end.upperBound] + "", headOnly: true).first else { break }
            rest = rest[end.upperBound...]
            if answer["Transfer-Encoding"] == "chunked" {
                while let line = rest.firstRange(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16) {
                    let bytes = rest[line.upperBound...].utf8
                    answer.body += String(decoding: bytes.prefix(size), as: UTF8.self)
                    rest = Substring(bytes.dropFirst(size + 2))
                    if size == 0 { break }
                }
            } else {
                let length = answer["Content-Length"].flatMap { Int($0) } ?? rest.utf8.count
                answer.body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
                rest = Substring(rest.utf8.dropFirst(length))
            }
            all.append(answer)
        }
        return all
    }

    /// Lines of a batch's answer.
    var lines: [String] { body.split(separator: "\n").map(String.init) }
}
