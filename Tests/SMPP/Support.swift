import NIOCore
import SMPP

/// SplitMix64: the same numbers for the same seed on every machine.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func short(_ text: String) -> ShortText { ShortText(text) ?? ShortText() }

func octets(_ packet: Packet) throws -> [UInt8] {
    var buffer = ByteBuffer()
    try buffer.writePacket(packet)
    return Array(buffer.readableBytesView)
}

func hex(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

/// Calls `body` with a whole PDU as a frame.
func withFrame<R>(_ octets: [UInt8], _ body: (Frame) throws -> R) throws -> R {
    try octets.withUnsafeBytes { try body(try Frame($0)) }
}

func packet(_ octets: [UInt8]) throws -> Packet { try withFrame(octets) { try Packet($0) } }

func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R { Array(text.utf8).withUnsafeBytes(body) }

enum Sample {
    static var submit: Message {
        var fields = MessageFields()
        fields.serviceType = short("CMT")
        fields.source = Address(ton: 5, npi: 0, text: short("HARBOUR"))
        fields.destination = Address(ton: 1, npi: 1, text: short("447700900123"))
        fields.esmClass = .userDataHeader
        fields.priority = 1
        fields.validityPeriod = RelativeTime.text(seconds: 3600)
        fields.registeredDelivery = 1
        fields.dataCoding = 8
        return Message(
            fields: fields, shortMessage: [0x05, 0x00, 0x03, 0x2A, 0x02, 0x01, 0x04, 0x1F, 0x04, 0x40],
            parameters: [
                Parameter(.userMessageReference, .integer(0x1234)),
                Parameter(Tag(rawValue: 0x1400), .octets([1, 2, 3])),
            ])
    }

    static var receipt: Message {
        var fields = MessageFields()
        fields.source = Address(ton: 1, npi: 1, text: short("447700900123"))
        fields.destination = Address(ton: 5, npi: 0, text: short("HARBOUR"))
        fields.esmClass = .receipt
        let text = ReceiptText.compose(
            id: "0A1B2C", submitDate: "2611221804", doneDate: "2611221805", state: .delivered, text: "Your code is 483920 now")
        return Message(
            fields: fields, shortMessage: Array(text.utf8),
            parameters: [
                Parameter(.receiptedMessageID, .text("0A1B2C")),
                Parameter(.messageState, .integer(2)),
                Parameter(.networkErrorCode, .octets([3, 0, 7])),
            ])
    }

    /// One of every kind, with a name each.
    static var all: [(name: String, packet: Packet)] {
        var payload = submit
        payload.shortMessage = []
        payload.fields.esmClass = EsmClass()
        payload.parameters = [
            Parameter(.messagePayload, .octets([UInt8](repeating: 0x41, count: 300))), Parameter(.sarTotal, .integer(2)),
            Parameter(.languageIndicator, .integer(1)), Parameter(.alertOnDelivery, .octets([])),
        ]
        let source = Address(ton: 5, npi: 0, text: short("HARBOUR"))
        let destination = Address(ton: 1, npi: 1, text: short("447700900123"))
        let bind = Bind(
            mode: .transceiver, systemID: "martlet", password: "secret08", systemType: "bank", addressTon: 1, addressNpi: 1,
            addressRange: "4477")
        var transmitter = bind
        transmitter.mode = .transmitter
        var receiver = bind
        receiver.mode = .receiver
        return [
            ("bind_transceiver", Packet(.bind(bind), sequence: 1)),
            ("bind_transmitter", Packet(.bind(transmitter), sequence: 2)),
            ("bind_receiver", Packet(.bind(receiver), sequence: 3)),
            ("bind_transceiver_resp", Packet(.bindResponse(.transceiver, BindResponse(systemID: "SMSC")), sequence: 1)),
            (
                "bind_transmitter_resp",
                Packet(.bindResponse(.transmitter, BindResponse(systemID: "SMSC", interfaceVersion: nil)), sequence: 2)
            ),
            ("bind_receiver_resp", Packet(.bindResponse(.receiver, BindResponse(systemID: "SMSC")), sequence: 3)),
            ("outbind", Packet(.outbind(Outbind(systemID: "SMSC", password: "pw")), sequence: 4)),
            ("unbind", Packet(.unbind, sequence: 5)),
            ("unbind_resp", Packet(.unbindResponse, sequence: 5)),
            ("submit_sm", Packet(.submit(submit), sequence: 6)),
            ("submit_sm_payload", Packet(.submit(payload), sequence: 7)),
            ("submit_sm_resp", Packet(.submitResponse(messageID: "0A1B2C"), sequence: 6)),
            ("deliver_sm_receipt", Packet(.deliver(receipt), sequence: 8)),
            ("deliver_sm_resp", Packet(.deliverResponse(messageID: ""), sequence: 8)),
            ("query_sm", Packet(.query(Query(messageID: "0A1B2C", source: source)), sequence: 9)),
            (
                "query_sm_resp",
                Packet(.queryResponse(QueryResponse(messageID: "0A1B2C", finalDate: short("261122180500000+"), state: 2)), sequence: 9)
            ),
            ("cancel_sm", Packet(.cancel(Cancel(messageID: "0A1B2C", source: source, destination: destination)), sequence: 10)),
            ("cancel_sm_resp", Packet(.cancelResponse, sequence: 10)),
            ("enquire_link", Packet(.enquireLink, sequence: 11)),
            ("enquire_link_resp", Packet(.enquireLinkResponse, sequence: 11)),
            ("generic_nack", Packet(.genericNack, status: .invalidCommand, sequence: 12)),
            ("data_sm", Packet(.data(data), sequence: 13)),
            ("data_sm_resp", Packet(.dataResponse(DataAnswer(messageID: "0A1B2D")), sequence: 13)),
            (
                "data_sm_resp_failed",
                Packet(
                    .dataResponse(
                        DataAnswer(
                            messageID: "0A1B2E",
                            parameters: [
                                Parameter(.deliveryFailureReason, .integer(1)), Parameter(.networkErrorCode, .octets([3, 0, 27])),
                                Parameter(.additionalStatusText, .text("absent subscriber")),
                            ])),
                    status: .deliveryFailure, sequence: 14)
            ),
            ("replace_sm", Packet(.replace(replace), sequence: 15)),
            ("replace_sm_resp", Packet(.replaceResponse, sequence: 15)),
            (
                "submit_multi",
                Packet(
                    .submitMulti(
                        MultiSubmit(
                            destinations: [
                                .address(destination), .list(short("branches")),
                                .address(Address(ton: 1, npi: 1, text: short("447700900456"))),
                            ],
                            message: multi)),
                    sequence: 16)
            ),
            (
                "submit_multi_resp",
                Packet(
                    .submitMultiResponse(
                        MultiAnswer(
                            messageID: "0A1B2F",
                            refused: [
                                MultiAnswer.Refused(destination: destination, status: .invalidDestination),
                                MultiAnswer.Refused(destination: source, status: .throttled),
                            ])),
                    sequence: 16)
            ),
            (
                "alert_notification",
                Packet(
                    .alertNotification(
                        AlertNotification(
                            source: LongAddress(destination), esme: LongAddress(source),
                            parameters: [Parameter(Tag(rawValue: 0x0422), .integer(0))])),
                    sequence: 17)
            ),
            ("query_sm_resp_failed", Packet(.queryResponse(QueryResponse(messageID: "", state: 7)), status: .queryFailed, sequence: 18)),
            ("deliver_sm_notification", Packet(.deliver(notification), sequence: 19)),
        ]
    }

    static var data: DataMessage {
        DataMessage(
            serviceType: short("CMT"), source: LongAddress(ton: 5, npi: 0, text: "HARBOUR"),
            destination: LongAddress(ton: 1, npi: 1, text: "447700900123"),
            registeredDelivery: RegisteredDelivery(receipt: .failure, intermediate: true), dataCoding: 0,
            parameters: [
                Parameter(.messagePayload, .octets(Array("Your statement is ready.".utf8))), Parameter(.userMessageReference, .integer(7)),
            ])
    }

    static var replace: Replace {
        Replace(
            messageID: "0A1B2C", source: Address(ton: 5, npi: 0, text: short("HARBOUR")),
            scheduleDeliveryTime: AbsoluteTime(seconds: 1_795_372_800, quarterHours: 8).text ?? ShortText(),
            validityPeriod: RelativeTime.text(seconds: 7200), registeredDelivery: 1, shortMessage: Array("Corrected".utf8))
    }

    static var multi: Message {
        var message = submit
        message.fields.destination = Address()
        message.fields.esmClass = EsmClass()
        message.fields.dataCoding = 0
        message.shortMessage = Array("To all branches".utf8)
        message.parameters = [Parameter(.userMessageReference, .integer(0x1234))]
        return message
    }

    static var notification: Message {
        ReceiptForm(dates: .seconds, text: .none).message(
            ReceiptFacts(id: "0A1B2C", submitted: 1_795_370_640, done: 1_795_370_700, state: .enroute, error: 0),
            source: Address(ton: 1, npi: 1, text: short("447700900123")), destination: Address(ton: 5, npi: 0, text: short("HARBOUR")),
            isFinal: false)
    }
}
