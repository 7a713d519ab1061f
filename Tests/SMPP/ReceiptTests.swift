import NIOCore
import SMPP
import Testing

@Suite struct ReceiptTests {
    /// What is read of a deliver_sm with this text and these parameters: id, state, error.
    private func read(
        _ text: String, esmClass: EsmClass = .receipt, _ parameters: [Parameter] = []
    ) throws -> (id: String, state: DeliveryState, error: UInt16?)? {
        var message = Message(shortMessage: Array(text.utf8), parameters: parameters)
        message.fields.esmClass = esmClass
        let pdu = try octets(Packet(.deliver(message), sequence: 1))
        return try withFrame(pdu) { frame in
            guard let receipt = Receipt(try MessageView(frame), in: frame) else { return nil }
            return (frame.text(receipt.messageID), receipt.state, receipt.error)
        }
    }

    @Test(
        "The text form is read in vendors' spellings",
        arguments: [
            "id:0123456789 sub:001 dlvrd:000 submit date:2611221804 done date:2611221805 stat:UNDELIV err:021 text:Your code",
            "id:0123456789 sub:001 dlvrd:000 submit date:261122180400 done date:261122180500 stat:UNDELIVERABLE err:021 Text:Your code",
            "stat:UNDELIV err:021 id:0123456789",
            "ID:0123456789 STAT:undeliv ERR:21",
            "id: 0123456789 stat: UNDELIV err: 021 text: x",
            "id:0123456789,sub:001,dlvrd:000,stat:UNDELIV,err:021,text:",
            "text: id:0123456789 stat:UNDELIV err:15",
            "id:0123456789 sub: dlvrd: submit date: done date: stat:FAILED err:021 text:",
            "id :0123456789 done_date:1 submit_date:2 status:UNDELIV error:021",
        ])
    func spellings(text: String) throws {
        let receipt = try #require(try read(text))
        #expect(receipt.id == "0123456789")
        #expect(receipt.state == .undeliverable)
        #expect(receipt.error == 21 || text.contains("err:15"))
    }

    @Test("The customer's own words never count as fields once the receipt has its own")
    func ownWords() throws {
        let receipt = try #require(try read("id:77 stat:EXPIRED text:id:99 stat:DELIVRD err:001"))
        #expect(receipt.id == "77" && receipt.state == .expired && receipt.error == nil)
    }

    @Test("Parameters win over the text, and do without one")
    func parameters() throws {
        let all = [
            Parameter(.receiptedMessageID, .text("ABC")), Parameter(.messageState, .integer(5)),
            Parameter(.networkErrorCode, .octets([3, 1, 2])),
        ]
        let both = try #require(try read("id:123 stat:DELIVRD err:000", all))
        #expect(both.id == "ABC" && both.state == .undeliverable && both.error == 0x0102)
        let alone = try #require(try read("", all))
        #expect(alone.id == "ABC")
        let unmarked = try #require(try read("", esmClass: EsmClass(), all))
        #expect(unmarked.id == "ABC")
        let mixed = try #require(try read("id:123 stat:REJECTD err:00A", [all[0]]))
        #expect(mixed.id == "ABC" && mixed.state == .rejected && mixed.error == 10)
        let odd = try #require(try read("id:123 stat:REJECTD", [Parameter(.messageState, .integer(77))]))
        #expect(odd.state == .rejected && odd.error == nil)
    }

    @Test("Parameters of a wrong length are passed over by a receipt's reader")
    func oddParameters() throws {
        let body = bytes(hex: "00 000000 000000 040000 00 00 00 00 00 00 00 0427 0002 0202 0423 0001 01")
        let pdu = bytes(hex: "000000\(hex([UInt8(16 + body.count)])) 00000005 00000000 00000001") + body
        try withFrame(pdu) { frame in
            let view = try MessageView(frame)
            #expect(view.messageState == nil && view.networkError == nil)
            #expect(Receipt(view, in: frame) == nil)
        }
    }

    @Test("A message from a handset is no receipt, nor is a receipt without id or state")
    func noReceipts() throws {
        #expect(try read("id:1 stat:DELIVRD", esmClass: EsmClass()) == nil)
        #expect(try read("STOP") == nil)
        #expect(try read("id:1") == nil)
        #expect(try read("stat:DELIVRD") == nil)
        #expect(try read("id:1 stat:??") == nil)
        #expect(try read("id:") == nil)
        #expect(try read("") == nil)
        #expect(try read("id:5 stat:ENROUTE", esmClass: .intermediateNotification)?.state == .enroute)
    }

    @Test("Every state has a word that reads back")
    func states() {
        for state in DeliveryState.allCases { #expect(DeliveryState(word: state.word.utf8) == state) }
        #expect(DeliveryState(word: "Delivered".utf8) == .delivered)
        #expect(DeliveryState(word: "failed".utf8) == .undeliverable)
        #expect(DeliveryState(word: "DEL".utf8) == nil)
        #expect(DeliveryState(word: "whatever".utf8) == nil)
    }

    @Test("All fields of the text are found, with their places")
    func fields() {
        let text = ReceiptText.compose(
            id: "9F", submitDate: "2611221804", doneDate: "2611221805", state: .rejected, error: 7,
            text: "A text longer than twenty characters")
        #expect(
            text == "id:9F sub:001 dlvrd:000 submit date:2611221804 done date:2611221805 stat:REJECTD err:007 text:A text longer than t")
        withBytes(text) { octets in
            let fields = ReceiptText(octets)
            func value(_ field: Field) -> String { String(decoding: octets[field.start..<(field.start + field.count)], as: UTF8.self) }
            #expect(value(fields.id) == "9F" && value(fields.submitted) == "001" && value(fields.delivered) == "000")
            #expect(value(fields.submitDate) == "2611221804" && value(fields.doneDate) == "2611221805")
            #expect(value(fields.state) == "REJECTD" && value(fields.error) == "007" && value(fields.text) == "A text longer than t")
        }
        for (text, number) in [("000", 0), ("65535", 65_535), ("65536", nil), ("E1", 0xE1), ("", nil), ("123456789", nil), ("zz", nil)]
            as [(String, UInt16?)]
        {
            #expect(withBytes(text) { ReceiptText.number($0) } == number)
        }
    }

    @Test("A delivered receipt's whole text reads with its sample")
    func sample() throws {
        let pdu = try octets(Packet(.deliver(Sample.receipt), sequence: 1))
        try withFrame(pdu) { frame in
            let receipt = try #require(Receipt(try MessageView(frame), in: frame))
            #expect(frame.text(receipt.messageID) == "0A1B2C" && receipt.state == .delivered && receipt.error == 7)
        }
    }

    @Test("Ids of answers and receipts meet in one form")
    func identifiers() {
        #expect(MessageIdentifier.canonical("00AbC") == "abc")
        #expect(MessageIdentifier.canonical(" 000 ") == "0")
        #expect(MessageIdentifier.canonical("") == "")
        #expect(MessageIdentifier.canonical("ż1") == "??1")
        #expect(MessageIdentifier.fromReceipt("00AB", .asIs) == "ab")
        #expect(MessageIdentifier.fromReceipt("00FF", .hexToDecimal) == "255")
        #expect(MessageIdentifier.fromReceipt("0255", .decimalToHex) == "ff")
        #expect(
            MessageIdentifier.fromReceipt("ffffffffffffffffffffffffffffffff", .hexToDecimal) == "340282366920938463463374607431768211455")
        #expect(MessageIdentifier.fromReceipt("1ffffffffffffffffffffffffffffffff", .hexToDecimal) == "1ffffffffffffffffffffffffffffffff")
        #expect(
            MessageIdentifier.fromReceipt("340282366920938463463374607431768211456", .decimalToHex)
                == "340282366920938463463374607431768211456")
        #expect(MessageIdentifier.fromReceipt("12ab", .decimalToHex) == "12ab")
        #expect(MessageIdentifier.fromReceipt("xyz", .hexToDecimal) == "xyz")
        #expect(MessageIdentifier.fromReceipt("", .hexToDecimal) == "")
    }
}
