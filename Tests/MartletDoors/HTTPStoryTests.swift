import Glibc
import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// States and traces, against golden files. `UPDATE_GOLDEN=1` writes them anew; look at the difference.
@Suite struct HTTPStoryTests {
    static let id = FakeIntake.id(42)
    static let start: Int64 = 1_795_370_649_000_123

    static func story(_ state: MessageState, reason: EndReason = .none, reference: String = "stmt-\"7\"/é\n") -> Story {
        let second = Story.Attempt(
            n: 2, connection: "harbour-2", state: state, providerIDs: ["7A01F3", "7A01F4"], submittedAt: start + 30_000_000,
            possibleDuplicate: true,
            receipts: [
                Story.PartReceipt(part: 1, providerID: "7A01F3", state: .undeliverable, error: 27, at: start + 31_000_000),
                Story.PartReceipt(part: 2, providerID: "7A01F4"),
            ])
        return Story(
            id: id, source: 7, messageClass: .transactional, state: state, reason: reason, parts: 2, createdAt: start,
            updatedAt: start + 31_234_567, deadline: start + 86_400_000_000, reference: reference, from: "HARBOUR",
            to: PhoneNumber(digits: 447_700_900_123),
            attempts: [
                Story.Attempt(
                    n: 1, connection: "harbour-1", state: .unknown, providerIDs: [], submittedAt: start + 884, possibleDuplicate: false),
                second,
            ],
            hops: [
                Story.Hop(at: start, hop: "accept", what: "accepted", details: [("parts", "2"), ("class", "transactional")]),
                Story.Hop(at: start + 884, hop: "send", what: "part 1 submitted to harbour-1"),
                Story.Hop(
                    at: start + 31_234_567, hop: "end", what: state.word, details: [("at", "never replaces"), ("status", "0x00000045")]),
            ])
    }

    static func expectGolden(_ name: String, _ text: String) throws {
        let path =
            "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/Golden/\(name)"
        if getenv("UPDATE_GOLDEN") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(text + "\n", file)
            fclose(file)
        }
        let file = try #require(fopen(path, "r"), "no golden file \(name); run with UPDATE_GOLDEN=1")
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        fclose(file)
        #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == text + "\n", "differs from \(name)")
    }

    @Test("The state of a message is as in its golden file", arguments: ["delivered", "failed", "queued"])
    func state(word: String) throws {
        let bench = try DoorBench()
        switch word {
        case "delivered": bench.intake.stories[HTTPStoryTests.id] = HTTPStoryTests.story(.delivered)
        case "failed": bench.intake.stories[HTTPStoryTests.id] = HTTPStoryTests.story(.failed, reason: .refused)
        default:
            var story = HTTPStoryTests.story(.queued, reference: "")
            story.attempts = [
                Story.Attempt(n: 1, connection: "harbour-1", state: .queued, providerIDs: [], submittedAt: 0, possibleDuplicate: false)
            ]
            bench.intake.stories[HTTPStoryTests.id] = story
        }
        let answer = try bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.text)"))
        #expect(answer.status == 200)
        #expect(answer["Cache-Control"] == "no-store")
        #expect(answer["Content-Type"] == "application/json")
        try HTTPStoryTests.expectGolden("http-state-\(word).json", answer.body)
        try bench.end()
    }

    @Test("The trace of a message is as in its golden file")
    func trace() throws {
        let bench = try DoorBench()
        bench.intake.stories[HTTPStoryTests.id] = HTTPStoryTests.story(.failed, reason: .refused)
        // The message's own id leads to the same story, in either case of its digits.
        let answer = try bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.with(ordinal: 1).text.uppercased())/trace"))
        #expect(answer.status == 200)
        try HTTPStoryTests.expectGolden("http-trace.json", answer.body)
        #expect(bench.door.counters.told == 1)
        try bench.end()
    }

    @Test("An unknown message, and one of another source, are not found")
    func foreign() throws {
        let bench = try DoorBench()
        let path = "/v1/messages/\(HTTPStoryTests.id.text)"
        #expect(try bench.answer(to: get(path)).status == 404)
        var story = HTTPStoryTests.story(.delivered)
        story.source = 9
        bench.intake.stories[HTTPStoryTests.id] = story
        #expect(try bench.answer(to: get(path)).status == 404)
        #expect(try bench.answer(to: get(path + "/trace")).status == 404)
        #expect(try bench.answer(to: get(path, key: "READS")).status == 200)
        try bench.end()
    }

    @Test("A log that cannot be read is 503 with Retry-After, not 404")
    func unreadable() throws {
        let bench = try DoorBench()
        bench.intake.storyFault = StoryFault(reason: "damaged")
        let answer = try bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.text)"))
        #expect(answer.status == 503)
        #expect(answer["Retry-After"] == "5")
        #expect(answer.body.contains("story_unreadable"))
        try bench.end()
    }

    @Test("A story that comes later keeps its place among the answers, and is flushed with its batch")
    func later() throws {
        let bench = try DoorBench()
        bench.intake.holdsStories = true
        bench.intake.stories[HTTPStoryTests.id] = HTTPStoryTests.story(.delivered)
        try bench.send(get("/v1/messages/\(HTTPStoryTests.id.text)") + post() + get("/v1/messages/\(HTTPStoryTests.id.text)/trace"))
        bench.intake.releaseAll()
        #expect(try bench.answers().isEmpty)
        bench.intake.releaseStories()
        let (text, writes) = try bench.written()
        #expect(Answer.all(in: text).map(\.status) == [200, 202, 200])
        #expect(writes == 1)
        try bench.end()
    }

    @Test(
        "Dates are those of HTTP",
        arguments: [
            (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ])
    func dates(seconds: Int64, text: String) {
        #expect(HTTPStationery.fixdate(seconds) == text)
    }

    @Test("The date goes on with the clock")
    func dateGoesOn() throws {
        let bench = try DoorBench()
        let before = try bench.answer(to: get("/nowhere"))["Date"]
        bench.intake.instant = bench.intake.instant.advanced(microseconds: 5_000_000)
        bench.wait(1)
        let after = try bench.answer(to: get("/nowhere"))["Date"]
        #expect(before != after)
        try bench.end()
    }
}
