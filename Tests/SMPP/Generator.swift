import NIOCore
import SMPP

/// Random PDUs of every kind within the limits of their fields, the same for the same seed.
struct Generator {
    var random: Seeded
    init(_ seed: UInt64) { random = Seeded(seed) }

    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
    mutating func octet() -> UInt8 { UInt8.random(in: 0...255, using: &random) }
    mutating func flip() -> Bool { Bool.random(using: &random) }

    mutating func octets(_ most: Int) -> [UInt8] {
        let count = below(most + 1)
        var all: [UInt8] = []
        all.reserveCapacity(count)
        for _ in 0..<count { all.append(octet()) }
        return all
    }

    /// Plain text of 0 ... `most` octets; the longest comes often.
    mutating func text(_ most: Int) -> String {
        let count = below(4) == 0 ? most : below(most + 1)
        var all: [UInt8] = []
        for _ in 0..<count { all.append(UInt8.random(in: 1...127, using: &random)) }
        return String(decoding: all, as: UTF8.self)
    }

    mutating func shortText(_ most: Int) -> ShortText { short(text(most)) }

    mutating func address() -> Address { Address(ton: octet(), npi: octet(), text: shortText(20)) }
    mutating func longAddress() -> LongAddress { LongAddress(ton: octet(), npi: octet(), text: text(64)) }

    /// Integer, text, octets of a bounded length, octets of any; and vendors' tags.
    mutating func parameter() -> Parameter {
        switch below(6) {
        case 0: Parameter(.userMessageReference, .integer(UInt32(below(65_536))))
        case 1: Parameter(.receiptedMessageID, .text(text(64)))
        case 2: Parameter(.networkErrorCode, .octets([octet(), octet(), octet()]))
        case 3: Parameter(.messagePayload, .octets(octets(300)))
        case 4: Parameter(.messageState, .integer(UInt32(octet())))
        default: Parameter(Tag(rawValue: UInt16.random(in: 0x1400...0x3FFF, using: &random)), .octets(octets(40)))
        }
    }

    mutating func parameters() -> [Parameter] {
        var all: [Parameter] = []
        for _ in 0..<below(4) { all.append(parameter()) }
        return all
    }

    mutating func message() -> Message {
        var fields = MessageFields()
        fields.serviceType = shortText(5)
        fields.source = address()
        fields.destination = address()
        fields.esmClass = EsmClass(rawValue: octet())
        fields.protocolID = octet()
        fields.priority = octet()
        fields.scheduleDeliveryTime = shortText(16)
        fields.validityPeriod = shortText(16)
        fields.registeredDelivery = RegisteredDelivery(rawValue: octet())
        fields.replaceIfPresent = octet()
        fields.dataCoding = octet()
        fields.defaultMessageID = octet()
        return Message(fields: fields, shortMessage: octets(254), parameters: parameters())
    }

    mutating func multi() -> MultiSubmit {
        var destinations: [Destination] = []
        let count = below(8) == 0 ? 254 : 1 + below(8)
        for _ in 0..<count { destinations.append(flip() ? .address(address()) : .list(shortText(20))) }
        var message = message()
        message.fields.destination = Address()
        return MultiSubmit(destinations: destinations, message: message)
    }

    mutating func bind() -> Bind {
        let mode = Bind.Mode.allCases[below(3)]
        return Bind(
            mode: mode, systemID: text(15), password: text(64), systemType: text(12), interfaceVersion: octet(), addressTon: octet(),
            addressNpi: octet(), addressRange: text(40))
    }

    static let kinds = 25

    mutating func body(_ kind: Int) -> Packet.Body {
        switch kind {
        case 0: return .bind(bind())
        case 1:
            let answer = BindResponse(systemID: text(15), interfaceVersion: flip() ? octet() : nil)
            return .bindResponse(Bind.Mode.allCases[below(3)], answer)
        case 2: return .outbind(Outbind(systemID: text(15), password: text(64)))
        case 3: return .unbind
        case 4: return .unbindResponse
        case 5: return .submit(message())
        case 6: return .submitResponse(messageID: text(64))
        case 7: return .deliver(message())
        case 8: return .deliverResponse(messageID: text(64))
        case 9: return .query(Query(messageID: text(64), source: address()))
        case 10: return .queryResponse(QueryResponse(messageID: text(64), finalDate: shortText(16), state: octet(), errorCode: octet()))
        case 11:
            return .cancel(Cancel(serviceType: shortText(5), messageID: text(64), source: address(), destination: address()))
        case 12: return .cancelResponse
        case 13:
            return .replace(
                Replace(
                    messageID: text(64), source: address(), scheduleDeliveryTime: shortText(16), validityPeriod: shortText(16),
                    registeredDelivery: RegisteredDelivery(rawValue: octet()), defaultMessageID: octet(), shortMessage: octets(254)))
        case 14: return .replaceResponse
        case 15, 16: return .submitMulti(multi())
        case 17:
            var refused: [MultiAnswer.Refused] = []
            for _ in 0..<below(20) {
                refused.append(MultiAnswer.Refused(destination: address(), status: CommandStatus(rawValue: UInt32(below(65_536)))))
            }
            return .submitMultiResponse(MultiAnswer(messageID: text(64), refused: refused))
        case 18, 19:
            return .data(
                DataMessage(
                    serviceType: shortText(5), source: longAddress(), destination: longAddress(), esmClass: EsmClass(rawValue: octet()),
                    registeredDelivery: RegisteredDelivery(rawValue: octet()), dataCoding: octet(), parameters: parameters()))
        case 20: return .dataResponse(DataAnswer(messageID: text(64), parameters: parameters()))
        case 21: return .alertNotification(AlertNotification(source: longAddress(), esme: longAddress(), parameters: parameters()))
        case 22: return .enquireLink
        case 23: return .enquireLinkResponse
        default: return .genericNack
        }
    }

    mutating func packet(_ kind: Int) -> Packet {
        Packet(body(kind), sequence: UInt32.random(in: 1...0x7FFF_FFFF, using: &random))
    }
}
