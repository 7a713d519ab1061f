import MartletModel
import SMPP
import Testing

@testable import MartletDoors

/// What the SMPP door does with card numbers.
@Suite struct SMPPGuardTests {
    @Test("A card number goes on masked, and what is none as it came")
    func masked() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        try client.send(.text("Card 4111111111111111"))
        try client.send(.text("Card 4111111111111112"))
        #expect(bench.intake.submissions.map(\.text) == ["Card 411111******1111", "Card 4111111111111112"])
        #expect(bench.door.counters.cardsMasked == 1)
    }

    @Test("With refuse it is answered ESME_RSUBMITFAIL, and nothing is kept")
    func refused() throws {
        let bench = SMPPBench([.bank()], SMPPDoorSettings(cardNumbers: .refuse))
        let client = try bench.bound()
        #expect(try client.answer(to: .text("Card 4111 1111 1111 1111")).status == .submitFailed)
        var message = Message(shortMessage: Array("Card 4111 1111 1111 1111".utf8))
        message.fields.source = Address(text: ShortText("HARBOUR") ?? ShortText())
        let destination = Destination.address(Address(ton: 1, npi: 1, text: ShortText(digits: 447_700_900_123)))
        #expect(try client.answer(to: .submitMulti(MultiSubmit(destinations: [destination], message: message))).status == .submitFailed)
        #expect(bench.intake.submissions.isEmpty)
        #expect(bench.door.counters.cardsRefused == 2)
        #expect(bench.door.counters.samples.contains { $0.metric == SMPPDoorCounters.cards && $0.label == "refused" && $0.value == 2 })
    }

    @Test("Another policy holds from the next text on, over binds that are there, for replacements too")
    func changed() throws {
        let bench = SMPPBench()
        let client = try bench.bound()
        bench.door.cardNumbers = .refuse
        #expect(try client.answer(to: .text("Card 4111111111111111")).status == .submitFailed)
        let replace = Replace(messageID: FakeIntake.id(1).text, shortMessage: Array("Card 4111111111111111".utf8))
        #expect(try client.answer(to: .replace(replace)).status == .replaceFailed)
        bench.door.cardNumbers = .off
        try client.send(.text("Card 4111111111111111"))
        #expect(bench.intake.submissions.map(\.text) == ["Card 4111111111111111"] && bench.intake.replaced.isEmpty)
    }

    @Test("Switched off, texts go on as they come")
    func off() throws {
        let bench = SMPPBench([.bank()], SMPPDoorSettings(cardNumbers: .off))
        let client = try bench.bound()
        try client.send(.text("Card 4111111111111111"))
        #expect(bench.intake.submissions.map(\.text) == ["Card 4111111111111111"])
    }
}
