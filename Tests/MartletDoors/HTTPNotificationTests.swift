import MartletModel
import Testing

@testable import MartletDoors

/// `/v1/notifications/{id}`: the obligation that an event became, with its plan and decisions.
@Suite struct HTTPNotificationTests {
    static func decision(
        _ seconds: Int64, _ stage: RecordBody.Decided.Stage, _ outcome: RecordBody.Decided.Outcome, reason: SuppressionReason? = nil,
        until: Int64 = 0, event: UInt16 = 12
    ) -> Story.Decision {
        let made = RecordBody.Decided(
            stage: stage, outcome: outcome, reason: reason, event: event, package: outcome == .told ? 17 : 0, release: 7, subject: 9,
            until: until,
            messages: [
                PlannedMessage(step: 0, channel: .push, contact: 0, when: .skipped(.noContact)),
                PlannedMessage(step: 1, channel: .sms, contact: 1, when: outcome == .told ? .now : .later),
            ])
        return Story.Decision(at: HTTPStoryTests.start + seconds * 1_000_000, made: made)
    }

    static func story(_ state: MessageState, reason: EndReason = .none, _ decisions: [Story.Decision]) -> Story {
        var story = HTTPStoryTests.story(state, reason: reason, reference: "")
        story.decisions = decisions
        if !decisions.contains(where: { $0.made.outcome == .told }) {
            (story.from, story.to, story.parts, story.attempts) = ("", PhoneNumber(digits: 0), 0, [])
        }
        return story
    }

    @Test("It is as in its golden file: held, held and then told, suppressed", arguments: ["held", "told", "suppressed"])
    func golden(name: String) throws {
        let bench = try DoorBench.withEvents()
        let held = HTTPNotificationTests.decision(0, .fresh, .held, until: HTTPStoryTests.start / 1000 + 60_000)
        switch name {
        case "held": bench.intake.stories[HTTPStoryTests.id] = HTTPNotificationTests.story(.planned, [held])
        case "told":
            bench.intake.stories[HTTPStoryTests.id] = HTTPNotificationTests.story(
                .delivered, [held, HTTPNotificationTests.decision(60, .release, .told)])
        default:
            // Of an event that is in no rulebook any more.
            bench.intake.stories[HTTPStoryTests.id] = HTTPNotificationTests.story(
                .suppressed, reason: .noContact, [HTTPNotificationTests.decision(0, .fresh, .suppressed, reason: .noContact, event: 99)])
        }
        let answer = try bench.answer(to: get("/v1/notifications/\(HTTPStoryTests.id.text)"))
        #expect(answer.status == 200 && answer["Cache-Control"] == "no-store")
        try HTTPStoryTests.expectGolden("http-notification-\(name).json", answer.body)
        // A message and a notification have one id and one story.
        #expect(try bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.text)")).body == answer.body)
        bench.intake.page = .success(SearchPage(stories: [try #require(bench.intake.stories[HTTPStoryTests.id])], next: nil))
        #expect(try bench.answer(to: post(#"{"reference":"r"}"#, path: "/v1/messages:search")).body.contains(answer.body))
        try bench.end()
    }

    @Test("Stages have their words")
    func stages() throws {
        let bench = try DoorBench.withEvents()
        let stages = RecordBody.Decided.Stage.allCases
        bench.intake.stories[HTTPStoryTests.id] = HTTPNotificationTests.story(
            .sent, stages.map { HTTPNotificationTests.decision(1, $0, .told) })
        let body = try bench.answer(to: get("/v1/notifications/\(HTTPStoryTests.id.text)")).body
        for word in ["fresh", "release", "step", "reminder"] { #expect(body.contains(#""stage":"\#(word)""#)) }
        try bench.end()
    }

    @Test("Trace and cancelling lead to the same, by the id of the notification and of each of its messages")
    func paths() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.stories[HTTPStoryTests.id] = HTTPNotificationTests.story(.sent, [HTTPNotificationTests.decision(0, .fresh, .told)])
        for ordinal in [UInt8(0), 1, 2, 9] {
            let path = "/v1/notifications/\(HTTPStoryTests.id.with(ordinal: ordinal).text)"
            #expect(try bench.answer(to: get(path)).status == 200)
            #expect(
                try bench.answer(to: get(path + "/trace")).body
                    == bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.text)/trace")).body)
            #expect(try bench.answer(to: post("", type: nil, path: path + ":cancel")).status == 200)
        }
        #expect(bench.intake.cancelled == Array(repeating: HTTPStoryTests.id, count: 4))
        for path in [
            "", "/", "/x", "/\(HTTPStoryTests.id.with(ordinal: 10).text)", "/\(HTTPStoryTests.id.text)/other",
            "/\(HTTPStoryTests.id.text):stop",
        ] {
            #expect(try bench.answer(to: get("/v1/notifications\(path)")).status == 404, "\(path)")
        }
        #expect(try bench.answer(to: post("", type: nil, path: "/v1/notifications/\(HTTPStoryTests.id.text)"))["Allow"] == "GET")
        #expect(try bench.answer(to: get("/v1/notifications/\(HTTPStoryTests.id.text)", key: "SENDS")).status == 403)
        try bench.end()
    }
}
