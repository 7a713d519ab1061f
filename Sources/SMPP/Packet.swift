public import NIOCore

/// One PDU with everything copied out: for tools, simulators and tests. A hot path reads `MessageView` and `MessageIDView` and
/// writes through `ByteBuffer.writeMessage` instead.
public struct Packet: Equatable, Sendable {
    public var status: CommandStatus
    public var sequence: UInt32
    public var body: Body

    public enum Body: Equatable, Sendable {
        case bind(Bind)
        case bindResponse(Bind.Mode, BindResponse)
        case outbind(Outbind)
        case unbind
        case unbindResponse
        case submit(Message)
        case submitResponse(messageID: String)
        case deliver(Message)
        case deliverResponse(messageID: String)
        case query(Query)
        case queryResponse(QueryResponse)
        case cancel(Cancel)
        case cancelResponse
        case replace(Replace)
        case replaceResponse
        case submitMulti(MultiSubmit)
        case submitMultiResponse(MultiAnswer)
        case data(DataMessage)
        case dataResponse(DataAnswer)
        case alertNotification(AlertNotification)
        case enquireLink
        case enquireLinkResponse
        case genericNack
        /// Any other command with its body as it came; a request of this kind is answered by generic_nack.
        case other(Command, [UInt8])
    }

    public init(_ body: Body, status: CommandStatus = .ok, sequence: UInt32) {
        self.status = status
        self.sequence = sequence
        self.body = body
    }

    public var command: Command {
        switch body {
        case .bind(let bind): bind.mode.command
        case .bindResponse(let mode, _): mode.command.response
        case .outbind: .outbind
        case .unbind: .unbind
        case .unbindResponse: .unbindResponse
        case .submit: .submit
        case .submitResponse: .submitResponse
        case .deliver: .deliver
        case .deliverResponse: .deliverResponse
        case .query: .query
        case .queryResponse: .queryResponse
        case .cancel: .cancel
        case .cancelResponse: .cancelResponse
        case .replace: .replace
        case .replaceResponse: .replaceResponse
        case .submitMulti: .submitMulti
        case .submitMultiResponse: .submitMultiResponse
        case .data: .data
        case .dataResponse: .dataResponse
        case .alertNotification: .alertNotification
        case .enquireLink: .enquireLink
        case .enquireLinkResponse: .enquireLinkResponse
        case .genericNack: .genericNack
        case .other(let command, _): command
        }
    }

    /// - Throws: the first fault of the body, each recoverable.
    public init(_ frame: Frame) throws(PDUFault) {
        status = frame.header.status
        sequence = frame.header.sequence
        let command = frame.header.command
        switch command {
        case .bindReceiver, .bindTransmitter, .bindTransceiver: body = .bind(try Bind(frame))
        case .bindReceiverResponse: body = .bindResponse(.receiver, try BindResponse(frame))
        case .bindTransmitterResponse: body = .bindResponse(.transmitter, try BindResponse(frame))
        case .bindTransceiverResponse: body = .bindResponse(.transceiver, try BindResponse(frame))
        case .outbind: body = .outbind(try Outbind(frame))
        case .unbind: body = .unbind
        case .unbindResponse: body = .unbindResponse
        case .submit: body = .submit(try MessageView(frame).copied(from: frame))
        case .submitResponse: body = .submitResponse(messageID: frame.text(try MessageIDView(frame).messageID))
        case .deliver: body = .deliver(try MessageView(frame).copied(from: frame))
        case .deliverResponse: body = .deliverResponse(messageID: frame.text(try MessageIDView(frame).messageID))
        case .query: body = .query(try Query(frame))
        case .queryResponse: body = .queryResponse(try QueryResponse(frame))
        case .cancel: body = .cancel(try Cancel(frame))
        case .cancelResponse: body = .cancelResponse
        case .replace: body = .replace(try Replace(frame))
        case .replaceResponse: body = .replaceResponse
        case .submitMulti: body = .submitMulti(try MultiSubmit(frame))
        case .submitMultiResponse: body = .submitMultiResponse(try MultiAnswer(frame))
        case .data: body = .data(try DataMessage(frame))
        case .dataResponse: body = .dataResponse(try DataAnswer(frame))
        case .alertNotification: body = .alertNotification(try AlertNotification(frame))
        case .enquireLink: body = .enquireLink
        case .enquireLinkResponse: body = .enquireLinkResponse
        case .genericNack: body = .genericNack
        default: body = .other(command, Array(frame.bytes[Header.octets...]))
        }
    }
}

extension ByteBuffer {
    /// Writes any PDU. Nothing is written when it throws.
    public mutating func writePacket(_ packet: Packet) throws(EncodingFault) {
        let (command, status, sequence) = (packet.command, packet.status, packet.sequence)
        switch packet.body {
        case .bind(let bind): try writeBind(bind, sequence: sequence)
        case .bindResponse(let mode, let answer): try writeBindResponse(mode, answer, status: status, sequence: sequence)
        case .outbind(let outbind): try writeOutbind(outbind, status: status, sequence: sequence)
        case .unbind, .unbindResponse, .cancelResponse, .replaceResponse, .enquireLink, .enquireLinkResponse, .genericNack:
            writeHeaderOnly(command, status: status, sequence: sequence)
        case .submit(let message), .deliver(let message):
            try writeMessage(command, message, status: status, sequence: sequence)
        case .submitResponse(let messageID), .deliverResponse(let messageID):
            try writeAnswer(command, messageID: messageID, status: status, sequence: sequence)
        case .query(let query): try writeQuery(query, status: status, sequence: sequence)
        case .queryResponse(let answer): try writeQueryResponse(answer, status: status, sequence: sequence)
        case .cancel(let cancel): try writeCancel(cancel, status: status, sequence: sequence)
        case .replace(let replace): try writeReplace(replace, status: status, sequence: sequence)
        case .submitMulti(let multi): try writeMultiSubmit(multi, status: status, sequence: sequence)
        case .submitMultiResponse(let answer): try writeMultiAnswer(answer, status: status, sequence: sequence)
        case .data(let message): try writeData(message, status: status, sequence: sequence)
        case .dataResponse(let answer): try writeDataAnswer(answer, status: status, sequence: sequence)
        case .alertNotification(let alert): try writeAlert(alert, status: status, sequence: sequence)
        case .other(_, let octets):
            try writeBody(command, status: status, sequence: sequence) { body throws(EncodingFault) in body.writeBytes(octets) }
        }
    }
}
