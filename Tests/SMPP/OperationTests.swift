import NIOCore
import SMPP
import Testing

/// A PDU of this command with this body.
private func pdu(_ command: Command, _ body: String, status: UInt32 = 0) -> [UInt8] {
    let octets = bytes(hex: body)
    var buffer = ByteBuffer()
    buffer.writeMultipleIntegers(UInt32(16 + octets.count), command.rawValue, status, UInt32(1))
    buffer.writeBytes(octets)
    return Array(buffer.readableBytesView)
}

private let long = String(repeating: "31", count: 65)

@Suite struct OperationTests {
    @Test("Each field of the rarer PDUs has its limit, and a fault names the field")
    func limits() {
        let cases: [(Command, String, PDUFault)] = [
            (.query, "", .truncated(.messageID)),
            (.query, "\(long)00", .unterminated(.messageID)),
            (.query, "3100 00 00 3132", .truncated(.source)),
            (.query, "3100 00 00 00 99", .parameterOverruns(tag: 0)),
            (.queryResponse, "3100 \(String(repeating: "30", count: 17))00", .unterminated(.finalDate)),
            (.queryResponse, "3100 00", .truncated(.messageState)),
            (.queryResponse, "3100 00 02", .truncated(.errorCode)),
            (.cancel, "414141414141 00", .unterminated(.serviceType)),
            (.cancel, "00 00 0000 00 0000", .truncated(.destination)),
            (.replace, "3100 000000 00 00 01 00 ff", .invalidValue(.shortMessage)),
            (.replace, "3100 000000 00 00 01 00 05 4142", .shortMessageOverruns(stated: 5, available: 2)),
            (.replace, "3100 000000 \(String(repeating: "30", count: 17))00", .unterminated(.scheduleDeliveryTime)),
            (.replace, "3100 000000 00 \(String(repeating: "30", count: 17))00", .unterminated(.validityPeriod)),
            (.replace, "3100 000000 00 00", .truncated(.registeredDelivery)),
            (.replace, "3100 000000 00 00 01", .truncated(.defaultMessageID)),
            (.submitMulti, "00 000000", .truncated(.destinationCount)),
            (.submitMulti, "00 000000 00", .invalidValue(.destinationCount)),
            (.submitMulti, "00 000000 ff", .invalidValue(.destinationCount)),
            (.submitMulti, "00 000000 01 03 00", .invalidValue(.destinationFlag)),
            (.submitMulti, "00 000000 02 01 000000", .truncated(.destinationFlag)),
            (.submitMulti, "00 000000 01 01 0000 \(long)00", .unterminated(.destination)),
            (.submitMulti, "00 000000 01 02 \(long)00", .unterminated(.distributionList)),
            (.submitMulti, "00 000000 01 01 000000", .truncated(.esmClass)),
            (.submitMultiResponse, "3100", .truncated(.destinationCount)),
            (.submitMultiResponse, "3100 ff", .invalidValue(.destinationCount)),
            (.submitMultiResponse, "3100 01 000000 000000", .truncated(.destinationStatus)),
            (.submitMultiResponse, "3100 02 000000 00000001", .truncated(.destination)),
            (.data, "00 0000 \(long)00", .unterminated(.source)),
            (.data, "00 000000 0000 \(long)00", .unterminated(.destination)),
            (.data, "00 000000 000000 00 00", .truncated(.dataCoding)),
            (.data, "00 000000 000000 00 00 00 0424 0005 41", .parameterOverruns(tag: 0x0424)),
            (.dataResponse, "\(long)00", .unterminated(.messageID)),
            (.dataResponse, "3100 0425 0002 0101", .parameterLength(tag: 0x0425, length: 2)),
            (.alertNotification, "0000 \(long)00", .unterminated(.source)),
            (.alertNotification, "000000 0000 \(long)00", .unterminated(.esmeAddress)),
            (.alertNotification, "000000 000000 0422 0001", .parameterOverruns(tag: 0x0422)),
            (.outbind, "6100 62", .truncated(.password)),
            (.bindReceiver, "6100 6200 \(String(repeating: "63", count: 13))00", .unterminated(.systemType)),
            (.bindReceiver, "6100 6200 00 34 00 00 00 01", .parameterOverruns(tag: 0)),
        ]
        for (command, body, fault) in cases {
            #expect(throws: fault, "\(command) \(body)") { try packet(pdu(command, body)) }
        }
        #expect(PDUFault.invalidValue(.destinationCount).status == .invalidDestinationCount)
        #expect(PDUFault.invalidValue(.destinationFlag).status == .invalidDestinationFlag)
        #expect(PDUFault.unterminated(.distributionList).status == .invalidListName)
    }

    @Test("Longest fields are read and written: an address of 64 octets in data_sm, 254 destinations, 64 octets of id")
    func longest() throws {
        var data = Sample.data
        data.source.text = String(repeating: "7", count: 64)
        data.destination.text = String(repeating: "8", count: 64)
        #expect(data.source.short == nil && LongAddress(ton: 1, npi: 2, text: "9").short == Address(ton: 1, npi: 2, text: short("9")))
        let one = Packet(.data(data), sequence: 1)
        #expect(try packet(try octets(one)) == one)
        var multi = MultiSubmit(destinations: [], message: Sample.multi)
        multi.destinations = (0..<254).map {
            $0 % 3 == 0
                ? .list(short("list of twenty oct\($0 % 10)")) : .address(Address(ton: 1, npi: 1, text: ShortText(digits: UInt64($0))))
        }
        let many = Packet(.submitMulti(multi), sequence: 2)
        #expect(try packet(try octets(many)) == many)
        try withFrame(try octets(many)) { frame in
            let view = try MultiView(frame)
            var lists = 0
            var addresses = 0
            view.destinations.each(in: frame) { if case .list = $0 { lists += 1 } else { addresses += 1 } }
            #expect(view.destinations.count == 254 && lists == 85 && addresses == 169)
            #expect(frame.text(view.message.shortMessage) == "To all branches" && view.message.registeredDelivery == 1)
        }
        let refused = (0..<254).map {
            MultiAnswer.Refused(destination: Address(text: ShortText(digits: UInt64($0))), status: .invalidDestination)
        }
        let answer = Packet(
            .submitMultiResponse(MultiAnswer(messageID: String(repeating: "f", count: 64), refused: refused)), sequence: 3)
        #expect(try packet(try octets(answer)) == answer)
    }

    @Test("What cannot be written is refused and leaves the buffer as it was")
    func encodingFaults() throws {
        var buffer = ByteBuffer(string: "before")
        func refused(_ body: Packet.Body, _ fault: EncodingFault) {
            #expect(throws: fault) { try buffer.writePacket(Packet(body, sequence: 1)) }
            #expect(buffer.readableBytes == 6)
        }
        let wide = String(repeating: "1", count: 65)
        refused(.query(Query(messageID: wide)), .tooLong(.messageID, octets: 65, maximum: 64))
        refused(
            .queryResponse(QueryResponse(messageID: "1", finalDate: short("12345678901234567"), state: 2)),
            .tooLong(.finalDate, octets: 17, maximum: 16))
        refused(.submitMulti(MultiSubmit(destinations: [], message: Sample.multi)), .invalidValue(.destinationCount))
        let tooMany = [Destination](repeating: .address(Address()), count: 255)
        refused(
            .submitMulti(MultiSubmit(destinations: tooMany, message: Sample.multi)),
            .tooLong(.destinationCount, octets: 255, maximum: 254))
        var message = Sample.multi
        message.fields.serviceType = short("LONGER")
        refused(
            .submitMulti(MultiSubmit(destinations: [.list(short("a"))], message: message)), .tooLong(.serviceType, octets: 6, maximum: 5))
        message = Sample.multi
        message.shortMessage = [UInt8](repeating: 1, count: 255)
        refused(
            .submitMulti(MultiSubmit(destinations: [.list(short("a"))], message: message)),
            .tooLong(.shortMessage, octets: 255, maximum: 254))
        message = Sample.multi
        message.parameters = [Parameter(.sarTotal, .text("1"))]
        refused(.submitMulti(MultiSubmit(destinations: [.list(short("a"))], message: message)), .parameter(tag: 0x020E))
        let crowd = [MultiAnswer.Refused](
            repeating: MultiAnswer.Refused(destination: Address(), status: .throttled), count: 255)
        refused(.submitMultiResponse(MultiAnswer(refused: crowd)), .tooLong(.destinationCount, octets: 255, maximum: 254))
        var data = Sample.data
        data.destination.text = wide
        refused(.data(data), .tooLong(.destination, octets: 65, maximum: 64))
        data.destination.text = "ż"
        refused(.data(data), .notPlain(.destination))
        refused(.dataResponse(DataAnswer(messageID: wide)), .tooLong(.messageID, octets: 65, maximum: 64))
        refused(
            .alertNotification(AlertNotification(source: LongAddress(), esme: LongAddress(text: wide))),
            .tooLong(.esmeAddress, octets: 65, maximum: 64))
        var replace = Sample.replace
        replace.validityPeriod = short("12345678901234567")
        refused(.replace(replace), .tooLong(.validityPeriod, octets: 17, maximum: 16))
        replace = Sample.replace
        replace.shortMessage = [UInt8](repeating: 1, count: 255)
        refused(.replace(replace), .tooLong(.shortMessage, octets: 255, maximum: 254))
        refused(.outbind(Outbind(systemID: wide, password: "")), .tooLong(.systemID, octets: 65, maximum: 15))
    }

    @Test("Answers without a body, and bodies with parameters that 3.4 does not have there, are read")
    func tolerated() throws {
        #expect(try packet(pdu(.submitMultiResponse, "", status: 0x45)).body == .submitMultiResponse(MultiAnswer()))
        #expect(try packet(pdu(.dataResponse, "", status: 0x45)).body == .dataResponse(DataAnswer()))
        #expect(try packet(pdu(.query, "3100 00 00 00 1400 0001 07")).body == .query(Query(messageID: "1")))
        #expect(throws: PDUFault.truncated(.messageID)) { try packet(pdu(.submitMultiResponse, "")) }
        #expect(try withFrame(pdu(.dataResponse, "414200")) { $0.text(try MessageIDView($0).messageID) } == "AB")
        #expect(try withFrame(pdu(.submitMultiResponse, "414200 00")) { $0.text(try MessageIDView($0).messageID) } == "AB")
    }

    @Test("query_sm_resp has typed state and time")
    func queryAnswer() throws {
        let ended = AbsoluteTime(seconds: 1_795_370_700)
        let answer = QueryResponse(messageID: "1", finalDate: ended, state: .expired, errorCode: 3)
        #expect(answer.deliveryState == .expired && answer.endedAt == ended && answer.state == 3)
        #expect(QueryResponse(messageID: "1", state: 77).deliveryState == nil)
        #expect(QueryResponse(messageID: "1", finalDate: nil, state: .enroute).endedAt == nil)
    }

    @Test("A receipt that comes as data_sm is read like one that comes as deliver_sm")
    func dataReceipt() throws {
        var data = DataMessage(
            source: LongAddress(ton: 1, npi: 1, text: "447700900123"), destination: LongAddress(ton: 5, npi: 0, text: "HARBOUR"),
            esmClass: .receipt,
            parameters: [
                Parameter(.receiptedMessageID, .text("77")), Parameter(.messageState, .integer(5)),
                Parameter(.networkErrorCode, .octets([3, 0, 21])),
            ])
        try withFrame(try octets(Packet(.data(data), sequence: 1))) { frame in
            let view = try MessageView(frame)
            let receipt = try #require(Receipt(view, in: frame))
            #expect(frame.text(receipt.messageID) == "77" && receipt.state == .undeliverable && receipt.error == 21)
            #expect(frame.text(view.source.text) == "447700900123" && view.deliveryState == .undeliverable && view.protocolID == 0)
        }
        data.parameters = [Parameter(.messagePayload, .octets(Array("id:78 stat:DELIVRD".utf8)))]
        try withFrame(try octets(Packet(.data(data), sequence: 1))) { frame in
            let receipt = try #require(Receipt(try MessageView(frame), in: frame))
            #expect(frame.text(receipt.messageID) == "78" && receipt.state == .delivered)
        }
    }

    @Test("Values that 3.4 does not allow in a submit are refused with the status of their field")
    func submitRules() throws {
        func refusal(_ change: (inout Message) -> Void) throws -> CommandStatus? {
            var message = Sample.submit
            change(&message)
            return try withFrame(try octets(Packet(.submit(message), sequence: 1))) {
                SubmitRules.refusal(of: try MessageView($0), in: $0)
            }
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.fields.esmClass = .receipt } == .invalidEsmClass)
        #expect(try refusal { $0.fields.esmClass = EsmClass(rawValue: 0x0B) } == nil)
        #expect(try refusal { $0.fields.priority = 4 } == .invalidPriority)
        #expect(try refusal { $0.fields.registeredDelivery = 0x20 } == .invalidRegisteredDelivery)
        #expect(try refusal { $0.fields.replaceIfPresent = 2 } == .invalidReplaceFlag)
        #expect(try refusal { $0.fields.scheduleDeliveryTime = short("tomorrow") } == .invalidSchedule)
        #expect(try refusal { $0.fields.scheduleDeliveryTime = short("261122180500000+") } == nil)
        #expect(try refusal { $0.fields.validityPeriod = short("263122180500000+") } == .invalidExpiry)
        #expect(try refusal { $0.parameters = [Parameter(.messagePayload, .octets([1]))] } == .parameterNotAllowed)
        #expect(try refusal { $0.shortMessage = [] } == .invalidMessageLength)
        let sar = [
            Parameter(.sarReference, .integer(9)), Parameter(.sarTotal, .integer(2)), Parameter(.sarNumber, .integer(2)),
        ]
        #expect(try refusal { $0.parameters = sar } == nil)
        #expect(try refusal { $0.parameters = [] } == nil)
        #expect(try refusal { $0.parameters = Array(sar.dropLast()) } == .missingParameter)
        #expect(try refusal { $0.parameters = [sar[0], sar[1], Parameter(.sarNumber, .integer(3))] } == .invalidParameterValue)
        let odd = pdu(.submit, "00 000000 000000 00 00 00 00 00 00 00 00 00 00 020c 0001 01 020e 0002 0101")
        #expect(try withFrame(odd) { SubmitRules.refusal(of: try MessageView($0), in: $0) } == .invalidParameterLength)
    }

    @Test("registered_delivery says what is wanted, bit by bit")
    func registeredDelivery() {
        for raw in UInt8.min...UInt8.max {
            var value = RegisteredDelivery(rawValue: raw)
            let again = RegisteredDelivery(
                receipt: value.receipt, acknowledgement: value.acknowledgement, intermediate: value.intermediate)
            #expect(again.rawValue == raw & 0x1F && value.isStandard == (raw < 0x20))
            let old = value
            (value.receipt, value.acknowledgement, value.intermediate) = (old.receipt, old.acknowledgement, old.intermediate)
            #expect(value == old)
        }
        let failures = RegisteredDelivery(receipt: .failure)
        #expect(failures.rawValue == 2 && failures.wants(.expired) && !failures.wants(.delivered) && !failures.wants(.enroute))
        let successes = RegisteredDelivery(receipt: .success)
        #expect(successes.wants(.delivered) && !successes.wants(.rejected))
        let all = RegisteredDelivery(receipt: .always, acknowledgement: .both, intermediate: true)
        #expect(all.rawValue == 0x1D && all.wants(.enroute) && all.wants(.scheduled) && all.wants(.delivered))
        #expect(!RegisteredDelivery(receipt: .none).wants(.delivered))
    }
}
