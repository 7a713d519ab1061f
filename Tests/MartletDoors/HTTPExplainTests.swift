import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// `POST /v1/events:explain`: what would be decided, with what each rule said; nothing is kept.
@Suite struct HTTPExplainTests {
    static let path = "/v1/events:explain"

    static let held = Explanation(
        release: 7, outcome: .hold(until: 1_803_884_400_000_000), deadline: 1_803_970_800_000_000, package: 17, plan: "push-then-sms",
        rules: [
            RuleAnswer(.published, .passes, .isPublished), RuleAnswer(.package, .passes, .connected, 17),
            RuleAnswer(.quietHours, .holds(until: 1_803_884_400_000_000), .quietUntil, 1_803_884_400_000_000),
            RuleAnswer(.budget, .passes, .nothingAgainst),
        ],
        messages: [
            .init(planned: PlannedMessage(step: 0, channel: .push, contact: 0, when: .skipped(.noContact))),
            .init(planned: PlannedMessage(step: 1, channel: .sms, contact: 1, when: .later)),
        ])

    static let told = Explanation(
        release: 7, outcome: .tell, deadline: 1_803_970_800_000_000, plan: "sms", rules: [RuleAnswer(.cap, .ignored, .classIgnoresIt)],
        messages: [
            .init(
                planned: PlannedMessage(step: 0, channel: .sms, contact: 1, when: .now), text: "Оплата 125,50 ₴", from: "HARBOUR", parts: 1,
                template: "sms.card-payment", locale: "uk"),
            .init(planned: PlannedMessage(step: 0, channel: .email, contact: 2, when: .now), obstacle: "no_route"),
        ])

    @Test("The answer is as in its golden file", arguments: ["held", "told", "suppressed"])
    func golden(name: String) throws {
        let bench = try DoorBench.withEvents()
        switch name {
        case "held": bench.intake.explanation = .success(HTTPExplainTests.held)
        case "told": bench.intake.explanation = .success(HTTPExplainTests.told)
        default:
            bench.intake.explanation = .success(
                Explanation(
                    release: 7, outcome: .suppress(.notInPackage), deadline: 1_803_970_800_000_000,
                    rules: [RuleAnswer(.package, .suppresses(.notInPackage), .notConnected)]))
        }
        let answer = try bench.answer(to: event(path: HTTPExplainTests.path))
        #expect(answer.status == 200 && answer["Cache-Control"] == "no-store" && answer["Content-Type"] == "application/json")
        try HTTPStoryTests.expectGolden("http-explain-\(name).json", answer.body)
        #expect(bench.intake.events.isEmpty && bench.door.counters.told == 1)
        try bench.end()
    }

    @Test("What would end is named to the source whose it is, and to no other")
    func ends() throws {
        let id = MessageID(milliseconds: 1, partition: 1, random: 1)
        let explanation = Explanation(
            release: 7, outcome: .tell, deadline: 1, ends: .init(id: id, source: 7, reason: .superseded, isWhole: false))
        #expect(String(buffer: explanation.document(for: 7)).contains(#""ends":{"id":"\#(id.text)","reason":"superseded","whole":false}"#))
        #expect(String(buffer: explanation.document(for: 8)).contains(#""ends":{"id":null,"reason":"superseded","whole":false}"#))
    }

    @Test("Nothing that is held or suppressed is said to go now")
    func nothingGoes() throws {
        let messages = [
            Explanation.Message(planned: PlannedMessage(step: 0, channel: .push, contact: 0, when: .skipped(.noContact))),
            Explanation.Message(planned: PlannedMessage(step: 1, channel: .sms, contact: 1, when: .now)),
            Explanation.Message(planned: PlannedMessage(step: 2, channel: .email, contact: 2, when: .later)),
        ]
        func said(_ outcome: Decision.Outcome) -> String {
            String(buffer: Explanation(release: 7, outcome: outcome, deadline: 1, messages: messages).document(for: 7))
        }
        let skipped = #"{"step":1,"channel":"push","when":"skipped","why":"no_contact"}"#
        #expect(said(.suppress(.belowThreshold)).hasSuffix(#""messages":[\#(skipped)]}"#))
        #expect(
            said(.hold(until: 1)).hasSuffix(
                #""messages":[\#(skipped),{"step":2,"channel":"sms","when":"later"},{"step":3,"channel":"email","when":"later"}]}"#))
        #expect(said(.tell).contains(#"{"step":2,"channel":"sms","when":"now"}"#))
    }

    @Test("It takes an event as it would be submitted; a moment and a release may be wished")
    func asked() throws {
        let bench = try DoorBench.withEvents()
        bench.intake.explanation = .success(HTTPExplainTests.told)
        let wishes = #","at":"2026-12-01T12:00:00+02:00","release":6}"#
        #expect(try bench.answer(to: event(extra: "Idempotency-Key: k\r\n", path: HTTPExplainTests.path)).status == 200)
        #expect(try bench.answer(to: event(String(EventFixture.body.dropLast()) + wishes, path: HTTPExplainTests.path)).status == 200)
        let asked = bench.intake.explained
        #expect(asked.count == 2)
        #expect(asked[0].at == nil && asked[0].release == nil && asked[0].event.occurredAt == bench.intake.instant.wall)
        #expect(asked[0].event.idempotency == nil && asked[0].event.definition.key == "card_payment")
        // What happens at that moment happens then.
        #expect(asked[1].at == 1_796_119_200_000_000 && asked[1].release == 6 && asked[1].event.occurredAt == 1_796_119_200_000_000)
        try bench.end()
    }

    @Test("Wishes that are none are named, and an event that is submitted has none")
    func wishes() throws {
        func errors(_ member: String, path: String = HTTPExplainTests.path) throws -> [String] {
            try HTTPEventTests.errors(of: #"{"definition":"offer","customer":"c",\#(member)}"#, path: path)
        }
        #expect(try errors(#""at":"tomorrow","release":"7""#) == ["/at invalid_time", "/release wrong_type"])
        #expect(try errors(#""release":0"#) == ["/release unknown_release"])
        #expect(try errors(#""release":4294967296"#) == ["/release unknown_release"])
        #expect(try errors(#""at":"2026-12-01T12:00:00Z","occurredAt":"2026-12-01T12:05:01Z""#) == ["/occurredAt in_future"])
        #expect(
            try errors(#""at":"2026-12-01T12:00:00Z","release":6"#, path: "/v1/events") == ["/at unknown_field", "/release unknown_field"])
        #expect(try errors(#""relase":6"#) == ["/relase unknown_field"])
    }

    @Test(
        "Why nothing is explained is told",
        arguments: [
            (ExplanationFault.noRulebook, 503, "/problems/no_rulebook"), (.stopping, 503, "/problems/stopping"),
            (.unreadableCustomer, 503, "/problems/customer_unreadable"),
            (.noRelease(9), 422, #"{"path":"/release","code":"unknown_release""#),
            (.noEvent, 422, #"{"path":"/definition","code":"unknown_definition""#),
        ])
    func faults(fault: ExplanationFault, status: Int, words: String) throws {
        let bench = try DoorBench.withEvents()
        bench.intake.explanation = .failure(fault)
        let answer = try bench.answer(to: event(path: HTTPExplainTests.path))
        #expect(answer.status == status && answer.body.contains(words))
        #expect((answer["Retry-After"] != nil) == (status == 503))
        try bench.end()
    }

    @Test("It needs both scopes, since it tells of customers to whom may tell them")
    func gate() throws {
        let bench = try DoorBench.withEvents()
        for (key, scope) in [("READS", "send"), ("SENDS", "read")] {
            let answer = try bench.answer(to: event(key: key, path: HTTPExplainTests.path))
            #expect(answer.status == 403 && answer.body.contains("The scope \(scope) is needed."))
        }
        #expect(try bench.answer(to: get(HTTPExplainTests.path))["Allow"] == "POST")
        #expect(bench.intake.explained.isEmpty)
        try bench.end()
    }
}
