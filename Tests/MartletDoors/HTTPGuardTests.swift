import MartletModel
import NIOCore
import Testing

@testable import MartletDoors

/// What the HTTP door does with card numbers and with the tracing of its senders.
@Suite struct HTTPGuardTests {
    private let card = #"{"to":"+447700900123","text":"Card 4111 1111 1111 1111 was used"}"#

    @Test("A card number goes on masked, in a message and in a line of a batch, and is counted")
    func masked() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        #expect(try bench.answer(to: post(card)).status == 202)
        try bench.send(batch(card + "\n" + lines(1)))
        bench.turns(2)
        #expect(bench.intake.submissions.map(\.text) == Array(repeating: "Card 4111 11** **** 1111 was used", count: 2) + ["hello"])
        #expect(bench.door.counters.cardsMasked == 2)
        #expect(bench.door.counters.samples.contains { $0.metric == HTTPCounters.cards && $0.label == "masked" && $0.value == 2 })
        try bench.end()
    }

    @Test("With refuse nothing of the message is kept, and the answer says why without the number")
    func refused() throws {
        let bench = try DoorBench(settings: HTTPSettings(cardNumbers: .refuse))
        let answer = try bench.answer(to: post(card))
        #expect(answer.status == 422)
        #expect(answer.body.contains(#"{"path":"/text","code":"card_number","message":"must not hold a card number"}"#))
        #expect(!answer.body.contains("1111"))
        #expect(bench.intake.submissions.isEmpty)
        #expect(bench.door.counters.cardsRefused == 1)
        try bench.end()
    }

    @Test("Another policy holds from the next text on, over connections that are open, in batches too")
    func changed() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        #expect(try bench.answer(to: post(card)).status == 202)
        bench.door.cardNumbers = .refuse
        #expect(try bench.answer(to: post(card)).status == 422)
        try bench.send(batch(card + "\n"))
        bench.turns(1)
        #expect(bench.intake.submissions.count == 1 && bench.door.counters.cardsRefused == 2)
        try bench.end()
    }

    @Test("Switched off, texts go on as they come")
    func off() throws {
        let bench = try DoorBench(settings: HTTPSettings(cardNumbers: .off))
        try bench.send(post(card))
        #expect(bench.intake.submissions.map(\.text) == ["Card 4111 1111 1111 1111 was used"])
        #expect(bench.door.counters.cardsMasked == 0)
        try bench.end()
    }

    private let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("A valid traceparent goes on with the message, of a batch with each of its lines")
    func traced() throws {
        let bench = try DoorBench()
        bench.intake.immediate = .accepted(FakeIntake.id(1), parts: 1)
        try bench.send(post(extra: "Traceparent: \(trace)\r\n"))
        try bench.send(batch(lines(2), extra: "traceparent: \(trace)\r\n"))
        bench.turns(2)
        #expect(bench.intake.submissions.map { $0.trace?.text } == [trace, trace, trace])
        try bench.end()
    }

    @Test(
        "One that is not valid, or stands there twice, counts as absent",
        arguments: [
            "", "traceparent: 00-0\r\n", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01\r\n",
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        ])
    func untraced(_ fields: String) throws {
        let bench = try DoorBench()
        try bench.send(post(extra: fields))
        #expect(bench.intake.submissions.count == 1)
        #expect(bench.intake.submissions.first?.trace == nil)
        try bench.end()
    }
}
