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
            stage: stage, outcome: outcome, reason: reason, step: outcome == .told ? 1 : nil, event: event,
            package: outcome == .told ? 17 : 0, release: 7, subject: 9, until: until, channel: outcome == .told ? .sms : nil,
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

    @Test("The trace says the event's key; its number where the rulebook in use has it no more")
    func traced() throws {
        let bench = try DoorBench.withEvents()
        var story = HTTPNotificationTests.story(.sent, [HTTPNotificationTests.decision(0, .fresh, .told)])
        for event in ["12", "99"] {
            story.hops = [
                Story.Hop(at: 0, hop: "accept", what: "accepted", details: [("event", "12")]),
                Story.Hop(at: 0, hop: "decide", what: "told", details: [("event", event), ("release", "7")]),
            ]
            bench.intake.stories[HTTPStoryTests.id] = story
            let body = try bench.answer(to: get("/v1/notifications/\(HTTPStoryTests.id.text)/trace")).body
            #expect(body.contains(#""what":"told","event":"\#(event == "12" ? "card_payment" : "99")","release":"7""#), "\(body)")
            #expect(body.contains(#""what":"accepted","event":"12""#))
        }
        try bench.end()
    }

    @Test("Of a plan it is told what has gone and when, what is to come, what is skipped and why, and what will not come any more")
    func plan() {
        func made(
            _ outcome: RecordBody.Decided.Outcome, step: UInt8? = nil, until: Int64 = 0, _ messages: [(UInt8, PlannedMessage.When)]
        ) -> Story.Decision {
            let planned = messages.map { PlannedMessage(step: $0.0, channel: .sms, contact: 1, when: $0.1) }
            return Story.Decision(
                at: Int64(messages.count) * 1000,
                made: .init(
                    stage: .fresh, outcome: outcome, step: step, event: 12, release: 7, subject: 9, until: until,
                    channel: step == nil ? nil : .sms, messages: planned))
        }
        func states(_ state: MessageState, _ decisions: [Story.Decision]) -> [PlanStory.State] {
            PlanStory(HTTPNotificationTests.story(state, decisions)).steps.map(\.state)
        }
        let first = made(.told, step: 1, until: 60, [(0, .skipped(.noContact)), (1, .now), (2, .later)])
        #expect(states(.sent, [first]) == [.skipped(.noContact), .gone(at: 3000), .planned(at: 60_000)])
        #expect(states(.delivered, [first]) == [.skipped(.noContact), .gone(at: 3000), .dropped])
        // The last step has its turn; what went stays as it was.
        let second = made(.told, step: 2, [(1, .later), (2, .now)])
        #expect(states(.sent, [first, second]) == [.skipped(.noContact), .gone(at: 3000), .gone(at: 2000)])
        // Another release has no third step.
        #expect(states(.sent, [first, made(.held, until: 90, [(1, .now)])]) == [.skipped(.noContact), .gone(at: 3000), .dropped])
        #expect(states(.planned, [made(.held, until: 90, [(0, .now), (1, .later)])]) == [.planned(at: 90_000), .planned(at: 90_000)])
        #expect(states(.suppressed, [made(.suppressed, [(0, .now)])]) == [.dropped])
        #expect(Set([PlanStory.State.gone(at: 1), .planned(at: 1), .skipped(.noContact), .dropped].map(\.word)).count == 4)
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
        for ordinal in [UInt8(0), 1, 2, 66] {
            let path = "/v1/notifications/\(HTTPStoryTests.id.with(ordinal: ordinal).text)"
            #expect(try bench.answer(to: get(path)).status == 200)
            #expect(
                try bench.answer(to: get(path + "/trace")).body
                    == bench.answer(to: get("/v1/messages/\(HTTPStoryTests.id.text)/trace")).body)
            #expect(try bench.answer(to: post("", type: nil, path: path + ":cancel")).status == 200)
        }
        #expect(bench.intake.cancelled == Array(repeating: HTTPStoryTests.id, count: 4))
        for path in [
            "", "/", "/x", "/\(HTTPStoryTests.id.text)0", "/\(HTTPStoryTests.id.text)/other",
            "/\(HTTPStoryTests.id.text):stop",
        ] {
            #expect(try bench.answer(to: get("/v1/notifications\(path)")).status == 404, "\(path)")
        }
        #expect(try bench.answer(to: post("", type: nil, path: "/v1/notifications/\(HTTPStoryTests.id.text)"))["Allow"] == "GET")
        #expect(try bench.answer(to: get("/v1/notifications/\(HTTPStoryTests.id.text)", key: "SENDS")).status == 403)
        try bench.end()
    }
}
