public import NIOCore

// The rarer PDUs; like those of Writing.swift each call appends one whole PDU, or throws and leaves the buffer as it was.
extension ByteBuffer {
    /// outbind (SMPP 3.4, section 4.1.7).
    public mutating func writeOutbind(_ outbind: Outbind, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.outbind, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(outbind.systemID, .systemID, maximum: Bind.systemIDMaximum)
            try body.writeText(outbind.password, .password, maximum: Bind.passwordMaximum)
        }
    }

    /// query_sm (section 4.8.1).
    public mutating func writeQuery(_ query: Query, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.query, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(query.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            body.writeAddress(query.source)
        }
    }

    /// query_sm_resp (section 4.8.2).
    public mutating func writeQueryResponse(
        _ answer: QueryResponse, status: CommandStatus = .ok, sequence: UInt32
    ) throws(EncodingFault) {
        try writeBody(.queryResponse, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(answer.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            try body.writeShortText(answer.finalDate, .finalDate, maximum: 16)
            body.writeMultipleIntegers(answer.state, answer.errorCode)
        }
    }

    /// cancel_sm (section 4.9.1).
    public mutating func writeCancel(_ cancel: Cancel, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.cancel, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeShortText(cancel.serviceType, .serviceType, maximum: 5)
            try body.writeText(cancel.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            body.writeAddress(cancel.source)
            body.writeAddress(cancel.destination)
        }
    }

    /// replace_sm (section 4.10.1).
    public mutating func writeReplace(_ replace: Replace, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.replace, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(replace.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            body.writeAddress(replace.source)
            try body.writeShortText(replace.scheduleDeliveryTime, .scheduleDeliveryTime, maximum: 16)
            try body.writeShortText(replace.validityPeriod, .validityPeriod, maximum: 16)
            body.writeMultipleIntegers(replace.registeredDelivery.rawValue, replace.defaultMessageID)
            try body.writeShortMessage(replace.shortMessage)
        }
    }

    /// submit_multi (section 4.5.1).
    public mutating func writeMultiSubmit(_ multi: MultiSubmit, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        let (fields, count) = (multi.message.fields, multi.destinations.count)
        guard count >= 1 else { throw .invalidValue(.destinationCount) }
        guard count <= Limits.destinations else { throw .tooLong(.destinationCount, octets: count, maximum: Limits.destinations) }
        try writeBody(.submitMulti, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeShortText(fields.serviceType, .serviceType, maximum: 5)
            body.writeAddress(fields.source)
            body.writeInteger(UInt8(count))
            for destination in multi.destinations {
                switch destination {
                case .address(let address):
                    body.writeInteger(UInt8(1))
                    body.writeAddress(address)
                case .list(let name):
                    body.writeInteger(UInt8(2))
                    body.writeShortText(name)
                }
            }
            body.writeMultipleIntegers(fields.esmClass.rawValue, fields.protocolID, fields.priority)
            try body.writeShortText(fields.scheduleDeliveryTime, .scheduleDeliveryTime, maximum: 16)
            try body.writeShortText(fields.validityPeriod, .validityPeriod, maximum: 16)
            body.writeMultipleIntegers(
                fields.registeredDelivery.rawValue, fields.replaceIfPresent, fields.dataCoding, fields.defaultMessageID)
            try body.writeShortMessage(multi.message.shortMessage)
            try body.writeParameters(multi.message.parameters)
        }
    }

    /// submit_multi_resp (section 4.5.2).
    public mutating func writeMultiAnswer(_ answer: MultiAnswer, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        let count = answer.refused.count
        guard count <= Limits.destinations else { throw .tooLong(.destinationCount, octets: count, maximum: Limits.destinations) }
        try writeBody(.submitMultiResponse, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(answer.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            body.writeInteger(UInt8(count))
            for refused in answer.refused {
                body.writeAddress(refused.destination)
                body.writeInteger(refused.status.rawValue)
            }
        }
    }

    /// data_sm (section 4.7.1).
    public mutating func writeData(_ message: DataMessage, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.data, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeShortText(message.serviceType, .serviceType, maximum: 5)
            try body.writeLongAddress(message.source, .source)
            try body.writeLongAddress(message.destination, .destination)
            body.writeMultipleIntegers(message.esmClass.rawValue, message.registeredDelivery.rawValue, message.dataCoding)
            try body.writeParameters(message.parameters)
        }
    }

    /// data_sm_resp (section 4.7.2).
    public mutating func writeDataAnswer(_ answer: DataAnswer, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.dataResponse, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(answer.messageID, .messageID, maximum: Limits.messageIDOctets + 1)
            try body.writeParameters(answer.parameters)
        }
    }

    /// alert_notification (section 4.12.1).
    public mutating func writeAlert(_ alert: AlertNotification, status: CommandStatus = .ok, sequence: UInt32) throws(EncodingFault) {
        try writeBody(.alertNotification, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeLongAddress(alert.source, .source)
            try body.writeLongAddress(alert.esme, .esmeAddress)
            try body.writeParameters(alert.parameters)
        }
    }

    /// Refuses a request whose command is known. The specification leaves the body out of bind_*_resp and submit_sm_resp only, and there
    /// are readers that insist on it elsewhere: the others have theirs, with nothing in it.
    mutating func writeRefusal(of command: Command, _ status: CommandStatus, sequence: UInt32) {
        let header = (command.response.rawValue, status.rawValue, sequence)
        switch command {
        case .data: writeMultipleIntegers(UInt32(17), header.0, header.1, header.2, UInt8(0))
        case .submitMulti: writeMultipleIntegers(UInt32(18), header.0, header.1, header.2, UInt16(0))
        case .query:
            // No id, no date; of the states one says "unknown".
            writeMultipleIntegers(UInt32(20), header.0, header.1, header.2, UInt16(0), DeliveryState.unknown.rawValue, UInt8(0))
        default: writeHeaderOnly(command.response, status: status, sequence: sequence)
        }
    }
}
