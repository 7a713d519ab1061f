import SMPP
import Testing

@Suite struct IdentifierTests {
    @Test("An id is kept as it was given only where its common form is another")
    func given() {
        for (id, given) in [("00AB", "00AB"), ("ab", ""), ("0", ""), ("", ""), (" 12", " 12"), ("12é", "")] {
            let octets = Array(id.utf8)
            let kept = octets.withUnsafeBytes { MessageIdentifier.given($0, unlike: MessageIdentifier.canonical($0)) }
            #expect(kept == given)
        }
    }

    @Test("An id is written in its form, and the form reads it back")
    func forms() {
        #expect(IdentifierForm().text(255) == "255")
        #expect(IdentifierForm(.decimal, width: 10).text(255) == "0000000255")
        #expect(IdentifierForm(.hexadecimal, width: 8, isUppercase: true).text(255) == "000000FF")
        #expect(IdentifierForm(.hexadecimal).text(.max) == String(repeating: "f", count: 32))
        #expect(IdentifierForm(.decimal, width: 900).width == 64 && IdentifierForm(.decimal, width: -1).width == 0)
        var random = Seeded(3)
        for _ in 0..<2000 {
            let form = IdentifierForm(
                Bool.random(using: &random) ? .decimal : .hexadecimal, width: .random(in: 0...20, using: &random),
                isUppercase: .random(using: &random))
            let number = UInt128(UInt64.random(in: 0...UInt64.max, using: &random))
            #expect(form.number(form.text(number)) == number)
        }
        #expect(IdentifierForm(.decimal).number("12ab") == nil && IdentifierForm(.hexadecimal).number("12AB ") == 0x12AB)
        #expect(MessageIdentifier.areEqual("00AB", "ab ") && !MessageIdentifier.areEqual("AB", "AC"))
    }

    @Test("A provider's form is learnt from a few telling pairs, whatever its padding and case", arguments: [1, 2, 3] as [UInt64])
    func learns(seed: UInt64) {
        let answers: [IdentifierForm] = [
            IdentifierForm(.decimal), IdentifierForm(.decimal, width: 10), IdentifierForm(.hexadecimal, width: 8, isUppercase: true),
            IdentifierForm(.hexadecimal),
        ]
        var random = Seeded(seed)
        for answer in answers {
            for receipt in answers {
                var learner = IdentifierLearner()
                #expect(learner.learnt == nil)
                for _ in 0..<20 {
                    let number = UInt128(UInt32.random(in: 1_000_000...UInt32.max, using: &random))
                    let (one, other) = (answer.text(number), receipt.text(number))
                    #expect(learner.candidates(receipt: other).contains(MessageIdentifier.canonical(one)))
                    learner.observe(answer: one, receipt: other)
                }
                let wanted: MessageIdentifier.Conversion =
                    answer.base == receipt.base ? .asIs : answer.base == .decimal ? .hexToDecimal : .decimalToHex
                #expect(learner.learnt == wanted && learner.order.first == wanted && learner.strangers == 0)
                let first = learner.candidates(receipt: receipt.text(77_777_777)).first
                #expect(first == MessageIdentifier.canonical(answer.text(77_777_777)))
            }
        }
    }

    @Test("Pairs that fit every form teach nothing, strangers are counted, and a provider that changes is followed")
    func unlearns() {
        var learner = IdentifierLearner()
        for digit in 1...9 { learner.observe(answer: "\(digit)", receipt: "000\(digit)") }
        #expect(learner.learnt == nil && MessageIdentifier.Conversion.allCases.allSatisfy { learner.count($0) == 0 })
        learner.observe(answer: "123456", receipt: "999999")
        #expect(learner.strangers == 1)
        for number in 0..<600 { learner.observe(answer: "\(100_000 + number)", receipt: String(100_000 + number, radix: 16)) }
        #expect(learner.learnt == .hexToDecimal && learner.count(.hexToDecimal) < 256)
        for number in 0..<3000 { learner.observe(answer: "\(100_000 + number)", receipt: "\(100_000 + number)") }
        #expect(learner.learnt == .asIs)
        for _ in 0..<500 { learner.observe(answer: "123456", receipt: "x") }
        #expect(learner.strangers <= 256)
        var words = IdentifierLearner()
        for name in ["a-1-x", "b-2-y", "c-3-z"] { words.observe(answer: name, receipt: name.uppercased()) }
        #expect(words.learnt == .asIs && words.candidates(receipt: "Q-9-R") == ["q-9-r"])
    }
}

@Suite struct ReceiptFormTests {
    private let facts = ReceiptFacts(
        id: "0000000255", submitted: 1_795_370_640, done: 1_795_370_700, state: .undeliverable, error: 27,
        text: Array("Your code is 483920 and more".utf8))

    private func text(_ form: ReceiptForm) -> String { String(decoding: form.octets(facts), as: UTF8.self) }

    @Test("The text of a receipt is written as the peer wants it")
    func texts() {
        #expect(
            text(ReceiptForm())
                == "id:0000000255 sub:001 dlvrd:000 submit date:2611221804 done date:2611221805 stat:UNDELIV err:027 text:Your code is 483920 "
        )
        #expect(
            text(ReceiptForm(dates: .seconds, zoneMinutes: 120, text: .empty, errorDigits: 1))
                == "id:0000000255 sub:001 dlvrd:000 submit date:261122200400 done date:261122200500 stat:UNDELIV err:27 text:")
        #expect(text(ReceiptForm(text: .none)).hasSuffix("err:027"))
        #expect(text(ReceiptForm(text: .first(-1))).hasSuffix("text:"))
        var long = facts
        long.text = [UInt8](repeating: 65, count: 400)
        #expect(ReceiptForm(text: .first(300)).octets(long).count == 254)
    }

    @Test("Every form of receipt is understood by the reader", arguments: DeliveryState.allCases)
    func readBack(state: DeliveryState) throws {
        var facts = facts
        facts.state = state
        facts.error = state == .delivered ? 0 : 27
        for form in [
            ReceiptForm(), ReceiptForm(dates: .seconds, text: .none, hasParameters: false),
            ReceiptForm(dates: .fullYear, text: .empty, errorDigits: 5, hasParameters: false), ReceiptForm(text: .first(0)),
        ] {
            let message = form.message(facts, source: Address(), destination: Address(), isFinal: state.isFinal)
            #expect(message.parameters.isEmpty == !form.hasParameters)
            try withFrame(try octets(Packet(.deliver(message), sequence: 1))) { frame in
                let view = try MessageView(frame)
                #expect(view.esmClass == (state.isFinal ? .receipt : .intermediateNotification))
                let receipt = try #require(Receipt(view, in: frame))
                #expect(frame.text(receipt.messageID) == "0000000255" && receipt.state == state)
                #expect(state == .delivered || receipt.error == 27)
                let fields = ReceiptText(frame[view.shortMessage], offset: view.shortMessage.start)
                #expect(fields.doneAt(in: frame) == facts.done && fields.submittedAt(in: frame) == facts.submitted)
            }
        }
    }

    @Test(
        "Vendors' other spellings are read",
        arguments: [
            "id=0123456789;stat=UNDELIV;err=021", "msgid:0123456789 status:UNDELIVERABLE error:021",
            "message_id:0123456789|state:undeliv|errorcode:21", "id:\"0123456789\" stat:\"UNDELIV\" err:\"021\"",
            "id:'0123456789' stat:'UNDELIV' error_code:'021' text:'x'", "messageid:0123456789\r\nstat:UNDELIV\r\nerr:021\r\n",
            "msg_id:0123456789\u{0}stat:UNDELIV\u{0}err:021\u{0}",
        ])
    func spellings(text: String) throws {
        var message = Message(shortMessage: Array(text.utf8))
        message.fields.esmClass = .receipt
        try withFrame(try octets(Packet(.deliver(message), sequence: 1))) { frame in
            let receipt = try #require(Receipt(try MessageView(frame), in: frame))
            #expect(frame.text(receipt.messageID) == "0123456789" && receipt.state == .undeliverable && receipt.error == 21)
        }
    }
}
