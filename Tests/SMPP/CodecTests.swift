import FoundationEssentials
import NIOCore
import SMPP
import Testing

@Suite struct CodecTests {
    @Test("Every kind of PDU reads back as it was written")
    func roundTrips() throws {
        for (name, sample) in Sample.all {
            let written = try octets(sample)
            #expect(try packet(written) == sample, "\(name)")
            #expect(written.count == Int(written[2]) << 8 + Int(written[3]), "\(name)")
        }
    }

    @Test("Every PDU is found whole, byte by byte, and joined with others")
    func framing() throws {
        let all = try Sample.all.map { try octets($0.packet) }
        let stream = all.flatMap { $0 }
        for size in [1, 2, 3, 7, 15, 16, 17, 64, stream.count] {
            var reader = FrameReader()
            var found: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                var piece = ByteBuffer(bytes: stream[start..<min(start + size, stream.count)])
                try reader.read(&piece) { found.append(Array($0.bytes)) }
                #expect(piece.readableBytes == 0)
            }
            #expect(found == all, "pieces of \(size)")
            #expect(reader.pendingOctets == 0)
        }
    }

    @Test("A PDU cut at any length is waited for by the reader and refused by the decoder, never read past its end")
    func truncated() throws {
        for (name, sample) in Sample.all {
            let written = try octets(sample)
            for length in 0..<written.count {
                var reader = FrameReader()
                var buffer = ByteBuffer(bytes: written[0..<length])
                try reader.read(&buffer) { _ in Issue.record("\(name) found in \(length) octets") }
                #expect(reader.pendingOctets == length)
                // The same octets with a length that says they are all: the body must end in a fault or in a shorter value.
                if length >= 16, name != "deliver_sm_resp" {
                    var cut = Array(written[0..<length])
                    cut.replaceSubrange(0..<4, with: [0, 0, UInt8(length >> 8), UInt8(length & 255)])
                    if let shorter = try? packet(cut) { #expect(shorter != sample, "\(name) at \(length)") }
                }
            }
        }
    }

    @Test("A frame is refused unless its length is its own", arguments: [0, 4, 15])
    func shortFrames(length: Int) {
        #expect(throws: PDUFault.lengthOutOfRange(UInt32(length))) { try packet([UInt8](repeating: 0, count: length)) }
        #expect(throws: PDUFault.lengthOutOfRange(17)) { try packet(bytes(hex: "00000011 00000015 00000000 00000001")) }
    }

    @Test(
        "A length outside of 16 ... maximum ends the stream after the PDUs before it",
        arguments: [0, 15, 65_537, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32])
    func lengthOutOfRange(length: UInt32) throws {
        var buffer = ByteBuffer()
        buffer.writeHeaderOnly(.enquireLink, sequence: 1)
        buffer.writeMultipleIntegers(length, UInt32(0x15), UInt32(0), UInt32(2))
        var reader = FrameReader()
        var seen = 0
        #expect(throws: PDUFault.lengthOutOfRange(length)) { try reader.read(&buffer) { _ in seen += 1 } }
        #expect(seen == 1)
        #expect(!PDUFault.lengthOutOfRange(length).isRecoverable)
        // In the part that waits it is found as well.
        var split = FrameReader(maximumLength: 100)
        var first = ByteBuffer(bytes: [0, 0])
        try split.read(&first) { _ in }
        var rest = ByteBuffer(bytes: [0, 101])
        #expect(throws: PDUFault.lengthOutOfRange(101)) { try split.read(&rest) { _ in } }
    }

    @Test("A PDU of the largest length is read, and the limit can be set lower")
    func largest() throws {
        var message = Sample.submit
        message.shortMessage = []
        message.parameters = []
        let head = try octets(Packet(.submit(message), sequence: 1)).count
        message.parameters = [Parameter(.messagePayload, .octets([UInt8](repeating: 7, count: 65_536 - head - 4)))]
        let written = try octets(Packet(.submit(message), sequence: 1))
        #expect(written.count == 65_536)
        #expect(try packet(written) == Packet(.submit(message), sequence: 1))
        message.parameters = [Parameter(.messagePayload, .octets([UInt8](repeating: 7, count: 65_536 - head - 3)))]
        #expect(throws: EncodingFault.pduTooLong(65_537)) { try octets(Packet(.submit(message), sequence: 1)) }
        var reader = FrameReader(maximumLength: 1000)
        var buffer = ByteBuffer(bytes: written)
        #expect(throws: PDUFault.lengthOutOfRange(65_536)) { try reader.read(&buffer) { _ in } }
        #expect(throws: EncodingFault.pduTooLong(70_016)) {
            try octets(Packet(.other(.data, [UInt8](repeating: 0, count: 70_000)), sequence: 1))
        }
    }

    @Test("Random messages read back as they were written", arguments: [1, 2, 3, 20_261_122] as [UInt64])
    func randomRoundTrips(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<500 {
            func text(_ most: Int) -> ShortText {
                short(
                    String(
                        decoding: (0..<Int.random(in: 0...most, using: &random)).map { _ in UInt8.random(in: 32...126, using: &random) },
                        as: UTF8.self))
            }
            func octets(_ most: Int) -> [UInt8] {
                (0..<Int.random(in: 0...most, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            }
            var fields = MessageFields()
            fields.serviceType = text(5)
            fields.source = Address(ton: .random(in: 0...255, using: &random), npi: .random(in: 0...255, using: &random), text: text(20))
            fields.destination = Address(
                ton: .random(in: 0...255, using: &random), npi: .random(in: 0...255, using: &random), text: text(20))
            fields.esmClass = EsmClass(rawValue: .random(in: 0...255, using: &random))
            fields.protocolID = .random(in: 0...255, using: &random)
            fields.scheduleDeliveryTime = text(16)
            fields.validityPeriod = text(16)
            fields.defaultMessageID = .random(in: 0...255, using: &random)
            fields.replaceIfPresent = .random(in: 0...255, using: &random)
            let parameters = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                Parameter(Tag(rawValue: .random(in: 0x1400...0x3FFF, using: &random)), .octets(octets(40)))
            }
            let message = Message(fields: fields, shortMessage: octets(254), parameters: parameters)
            let sample = Packet(
                Bool.random(using: &random) ? .submit(message) : .deliver(message), sequence: .random(in: 1...0x7FFF_FFFF, using: &random))
            var buffer = ByteBuffer()
            try buffer.writePacket(sample)
            #expect(try packet(Array(buffer.readableBytesView)) == sample, "seed \(seed)")
        }
    }

    @Test("Random and damaged octets end in a fault or a value, never in a crash", arguments: [11, 12, 13] as [UInt64])
    func damaged(seed: UInt64) throws {
        var random = Seeded(seed)
        let all = try Sample.all.map { try octets($0.packet) }
        var faults = 0
        for _ in 0..<5000 {
            var one = all[Int.random(in: 0..<all.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) where one.count > 16 {
                one[Int.random(in: 16..<one.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                try withFrame(one) { frame in
                    if let view = try? MessageView(frame) {
                        _ = Receipt(view, in: frame)
                        _ = ReceiptText(frame[view.content], offset: view.content.start)
                    }
                    _ = try Packet(frame)
                }
            } catch {
                faults += 1
                #expect((error as? PDUFault)?.isRecoverable == true)
            }
        }
        #expect(faults > 0)
    }

    @Test("The octets are those of the specification, checked by hand")
    func byHand() throws {
        let submit = try octets(Packet(.submit(Sample.submit), sequence: 6))
        let expected = """
            00000060 00000004 00000000 00000006 434d5400 0500 484152424f555200 0101 34343737303039303031323300 40 00 01
            00 3030303030303031303030303030305200 01 00 08 00 0a 0500032a0201041f0440 020400021234 14000003010203
            """
        let wanted = bytes(hex: expected)
        #expect(hex(submit) == hex([0, 0, 0, UInt8(wanted.count)] + wanted.dropFirst(4)))
        #expect(hex(try octets(Packet(.genericNack, status: .invalidCommand, sequence: 12))) == "0000001080000000000000030000000c")
        let bind = try octets(Packet(.bind(Bind(mode: .transmitter, systemID: "a", password: "b")), sequence: 1))
        #expect(hex(bind) == hex(bytes(hex: "00000019 00000002 00000000 00000001 6100 6200 00 34 00 00 00")))
        let refusal = try octets(Packet(.submitResponse(messageID: "x"), status: .throttled, sequence: 9))
        #expect(hex(refusal) == "00000010800000040000005800000009")
        let deliver = try octets(Packet(.deliverResponse(messageID: ""), sequence: 9))
        #expect(hex(deliver) == "0000001180000005000000000000000900")
    }

    @Test("The golden file holds these octets: third-party software reads it in Tests/Interop")
    func golden() throws {
        let lines = try Sample.all.map { "\($0.name) \(hex(try octets($0.packet)))" }
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Golden/smpp.hex")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        #expect(try String(decoding: Data(contentsOf: file), as: UTF8.self) == text, "run with UPDATE_GOLDEN=1 and review the difference")
    }
}

@Suite struct FaultTests {
    /// A submit_sm with this body.
    private func submit(_ body: String) -> [UInt8] {
        let octets = bytes(hex: body)
        return bytes(hex: "0000 \(hex([UInt8((16 + octets.count) >> 8), UInt8((16 + octets.count) & 255)])) 00000004 00000000 00000001")
            + octets
    }

    @Test("Each broken field is named, is recoverable and has a status to answer")
    func fields() {
        let cases: [(String, PDUFault, CommandStatus)] = [
            ("", .truncated(.serviceType), .invalidCommandLength),
            ("414141414141 00", .unterminated(.serviceType), .invalidServiceType),
            ("00", .truncated(.source), .invalidCommandLength),
            ("00 00 00 \(String(repeating: "31", count: 21)) 00", .unterminated(.source), .invalidSource),
            ("00 00 00 00 01 01 \(String(repeating: "31", count: 21)) 00", .unterminated(.destination), .invalidDestination),
            ("00 000000 000000 00", .truncated(.protocolID), .invalidCommandLength),
            ("00 000000 000000 000000 00 00 00 00 00", .truncated(.defaultMessageID), .invalidCommandLength),
            ("00 000000 000000 000000 00 00 00 00 00 00", .truncated(.shortMessage), .invalidCommandLength),
            ("00 000000 000000 000000 00 00 00 00 00 00 05 4142", .shortMessageOverruns(stated: 5, available: 2), .invalidMessageLength),
            ("00 000000 000000 000000 00 00 00 00 00 00 ff 4142", .invalidValue(.shortMessage), .invalidMessageLength),
            ("00 000000 000000 000000 00 00 00 00 00 00 00 0204 0002 01", .parameterOverruns(tag: 0x0204), .invalidParameterStream),
            ("00 000000 000000 000000 00 00 00 00 00 00 00 02", .parameterOverruns(tag: 0), .invalidParameterStream),
            (
                "00 000000 000000 000000 00 00 00 00 00 00 00 0204 0001 01", .parameterLength(tag: 0x0204, length: 1),
                .invalidParameterLength
            ),
        ]
        for (body, fault, status) in cases {
            #expect(throws: fault, "\(body)") { try packet(submit(body)) }
            #expect(fault.isRecoverable)
            #expect(fault.status == status)
        }
        #expect(PDUFault.unterminated(.messageID).status == .invalidMessageID)
        #expect(PDUFault.unterminated(.systemID).status == .invalidSystemID)
        #expect(PDUFault.unterminated(.password).status == .invalidPassword)
        #expect(PDUFault.unterminated(.systemType).status == .invalidSystemType)
        #expect(PDUFault.unterminated(.scheduleDeliveryTime).status == .invalidSchedule)
        #expect(PDUFault.unterminated(.validityPeriod).status == .invalidExpiry)
        #expect(PDUFault.unterminated(.finalDate).status == .invalidCommandLength)
        #expect(PDUFault.otherCommand(.data).status == .invalidCommand)
        #expect(PDUFault.lengthOutOfRange(3).status == .invalidCommandLength)
    }

    @Test("A body of another command is not read as this one")
    func otherCommands() throws {
        let enquire = try octets(Packet(.enquireLink, sequence: 1))
        try withFrame(enquire) { frame in
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try MessageView(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try Bind(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try BindResponse(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try Outbind(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try MessageIDView(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try Query(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try QueryResponse(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try Cancel(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try Replace(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try MultiSubmit(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try MultiAnswer(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try DataMessage(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try DataAnswer(frame) }
            #expect(throws: PDUFault.otherCommand(.enquireLink)) { try AlertNotification(frame) }
        }
    }

    @Test("Answers without a body, as many SMSCs send them, are read")
    func emptyAnswers() throws {
        #expect(
            try packet(bytes(hex: "00000010 80000004 00000058 00000007"))
                == Packet(.submitResponse(messageID: ""), status: .throttled, sequence: 7))
        #expect(
            try packet(bytes(hex: "00000010 80000009 0000000e 00000001"))
                == Packet(
                    .bindResponse(.transceiver, BindResponse(systemID: "", interfaceVersion: nil)), status: .invalidPassword, sequence: 1))
        #expect(
            try packet(bytes(hex: "00000010 80000003 00000067 00000001"))
                == Packet(.queryResponse(QueryResponse(messageID: "", state: 0)), status: .queryFailed, sequence: 1))
        #expect(throws: PDUFault.truncated(.messageID)) { try packet(bytes(hex: "00000010 80000003 00000000 00000001")) }
    }

    @Test("What cannot be written is refused and leaves the buffer as it was")
    func encodingFaults() throws {
        var buffer = ByteBuffer(string: "before")
        func refused(_ body: Packet.Body, _ fault: EncodingFault) {
            #expect(throws: fault) { try buffer.writePacket(Packet(body, sequence: 1)) }
            #expect(buffer.readableBytes == 6)
        }
        refused(
            .bind(Bind(mode: .receiver, systemID: String(repeating: "x", count: 16), password: "")),
            .tooLong(.systemID, octets: 16, maximum: 15))
        refused(.bind(Bind(mode: .receiver, systemID: "a\u{0}b", password: "")), .notPlain(.systemID))
        refused(.bind(Bind(mode: .receiver, systemID: "zażółć", password: "")), .notPlain(.systemID))
        refused(.submitResponse(messageID: String(repeating: "1", count: 65)), .tooLong(.messageID, octets: 65, maximum: 64))
        refused(.cancel(Cancel(serviceType: short("LONGER"), messageID: "1")), .tooLong(.serviceType, octets: 6, maximum: 5))
        var message = Sample.submit
        message.shortMessage = [UInt8](repeating: 1, count: 255)
        refused(.submit(message), .tooLong(.shortMessage, octets: 255, maximum: 254))
        message = Sample.submit
        message.fields.serviceType = short("LONGER")
        refused(.submit(message), .tooLong(.serviceType, octets: 6, maximum: 5))
        message = Sample.submit
        message.fields.validityPeriod = short("12345678901234567")
        refused(.submit(message), .tooLong(.validityPeriod, octets: 17, maximum: 16))
        message = Sample.submit
        message.fields.scheduleDeliveryTime = short("12345678901234567")
        refused(.submit(message), .tooLong(.scheduleDeliveryTime, octets: 17, maximum: 16))
        for wrong in [
            Parameter(.sarTotal, .integer(256)), Parameter(.sarTotal, .text("1")),
            Parameter(.receiptedMessageID, .text(String(repeating: "1", count: 65))),
            Parameter(.receiptedMessageID, .text("a\u{0}")), Parameter(.networkErrorCode, .octets([1, 2])),
            Parameter(Tag(rawValue: 0x1400), .integer(1)), Parameter(Tag(rawValue: 0x1400), .octets([UInt8](repeating: 0, count: 65_536))),
        ] {
            message = Sample.submit
            message.parameters = [wrong]
            refused(.submit(message), .parameter(tag: wrong.tag.rawValue))
        }
    }
}

@Suite struct TableTests {
    @Test("Statuses have the specification's names and what follows from them; a provider may differ")
    func statuses() {
        #expect(CommandStatus.throttled.description == "ESME_RTHROTTLED")
        #expect(CommandStatus(rawValue: 0x0451).description == "status 0x451")
        #expect(CommandStatus.throttled.meaning == .throttled)
        #expect(CommandStatus.queueFull.meaning == .throttled)
        #expect(CommandStatus.systemError.meaning == .temporary)
        #expect(CommandStatus(rawValue: 0x0451).meaning == .temporary)
        #expect(CommandStatus.invalidDestination.meaning == .permanent)
        #expect(CommandStatus.ok.meaning == .accepted)
        let table = StatusTable(exceptions: [0x451: .throttled, 0x45: .permanent, 0: .permanent])
        #expect(table.meaning(of: CommandStatus(rawValue: 0x451)) == .throttled)
        #expect(table.meaning(of: .submitFailed) == .permanent)
        #expect(table.meaning(of: .ok) == .accepted)
        #expect(table.meaning(of: .throttled) == .throttled)
        #expect(Set(CommandStatus.table.map(\.value)).count == CommandStatus.table.count)
        #expect(CommandStatus.table.allSatisfy { !$0.doc.isEmpty && $0.name.hasPrefix("ESME_R") })
    }

    @Test("Commands know their names, answers and kinds")
    func commands() {
        #expect(Command.submit.response == .submitResponse)
        #expect(Command.submitResponse.isResponse && !Command.submit.isResponse)
        #expect(Command.bindReceiver.isBind && Command.bindReceiverResponse.isBindResponse && !Command.genericNack.isBindResponse)
        #expect(Command(rawValue: 0x10_2003).description == "command 0x102003")
        let known = (0..<0x110).flatMap { [Command(rawValue: $0), Command(rawValue: $0 | 0x8000_0000)] }.filter { $0.name != nil }
        #expect(known.count == 27)
        #expect(Command.deliver.description == "deliver_sm")
        #expect(Set(known.compactMap(\.name)).count == 27)
    }

    @Test("Standard parameters have a form; their integers keep their width")
    func parameters() throws {
        #expect(Tag.messageState.standard?.name == "message_state")
        #expect(Tag(rawValue: 0x1400).standard == nil)
        let named = (UInt16.min...UInt16.max).compactMap { Tag(rawValue: $0).standard?.name }
        #expect(named.count == 44 && Set(named).count == 44)
        #expect(try Parameter(Tag(rawValue: 0x0017), .integer(0xFFFF_FFFF)).encoded() == [255, 255, 255, 255])
        #expect(try Parameter(.sourcePort, .integer(0x0102)).encoded() == [1, 2])
    }

    @Test("A text parameter is read with or without its NUL")
    func textWithoutNUL() throws {
        for tail in ["001e 0003 414200", "001e 0002 4142", "001e 0005 4142000000"] {
            let body = bytes(hex: "00 000000 000000 000000 00 00 00 00 00 00 00 \(tail)")
            let pdu = bytes(hex: "000000\(hex([UInt8(16 + body.count)])) 00000005 00000000 00000001") + body
            guard case .deliver(let message) = try packet(pdu).body else { return #expect(Bool(false)) }
            #expect(message.parameters == [Parameter(.receiptedMessageID, .text("AB"))])
            try withFrame(pdu) { frame in
                let view = try MessageView(frame)
                #expect(frame.text(view.receiptedMessageID) == "AB")
                #expect(view.parameters.first(.receiptedMessageID, in: frame) != nil)
                #expect(view.parameters.first(.messageState, in: frame) == nil)
            }
        }
    }

    @Test("Relative times are written as days, hours, minutes and seconds, and bounded")
    func relativeTimes() {
        #expect(RelativeTime.text(seconds: 3600).text == "000000010000000R")
        #expect(RelativeTime.text(seconds: 2 * 86_400 + 3 * 3600 + 4 * 60 + 5).text == "000002030405000R")
        #expect(RelativeTime.text(seconds: 0).text == "000000000001000R")
        #expect(RelativeTime.text(seconds: -5).text == "000000000001000R")
        #expect(RelativeTime.text(seconds: .max).text == "000030000000000R")
        for seconds: Int64 in [1, 59, 60, 180, 3599, 86_400, 172_800, 604_800] {
            #expect(RelativeTime.seconds(Array(RelativeTime.text(seconds: seconds).text.utf8)) == seconds)
        }
        let long: Int64 = 428 * 86_400 + 14_706
        #expect(RelativeTime.seconds(Array("010203040506000R".utf8)) == long)
        #expect(RelativeTime.seconds(Array("010203040506000+".utf8)) == nil)
        #expect(RelativeTime.seconds(Array("0102030405x6000R".utf8)) == nil)
        #expect(RelativeTime.seconds(Array("1R".utf8)) == nil)
    }

    @Test("Short texts hold up to 20 plain octets")
    func shortTexts() {
        #expect(ShortText(digits: 0).text == "0")
        #expect(ShortText(digits: 447_700_900_123).text == "447700900123")
        #expect(ShortText(digits: .max).text == "18446744073709551615")
        #expect(ShortText("12345678901234567890")?.count == 20)
        #expect(ShortText("123456789012345678901") == nil)
        #expect(ShortText("zażółć") == nil)
        #expect(ShortText("a\u{0}") == nil)
        #expect(ShortText(octets: UnsafeRawBufferPointer(start: nil, count: 0))?.isEmpty == true)
        #expect([UInt8](repeating: 65, count: 21).withUnsafeBytes { ShortText(octets: $0) } == nil)
        #expect([1, 0, 2].withUnsafeBytes { ShortText(octets: $0) } == nil)
        #expect("\(short("HARBOUR"))" == "HARBOUR")
        #expect(short("A") != short("B") && short("A") == short("A"))
    }
}
