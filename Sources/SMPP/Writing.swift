public import NIOCore

// Each call appends one whole PDU, or throws and leaves the buffer as it was. Many PDUs go into one buffer and one write.
extension ByteBuffer {
    /// A PDU that is its header: enquire_link, unbind, generic_nack and the answers to them (SMPP 3.4, section 3.2).
    public mutating func writeHeaderOnly(_ command: Command, status: CommandStatus = .ok, sequence: UInt32) {
        writeMultipleIntegers(UInt32(Header.octets), command.rawValue, status.rawValue, sequence)
    }

    public mutating func writeBind(_ bind: Bind, sequence: UInt32) throws(EncodingFault) {
        try writeBody(bind.mode.command, status: .ok, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(bind.systemID, .systemID, maximum: Bind.systemIDMaximum)
            try body.writeText(bind.password, .password, maximum: Bind.passwordMaximum)
            try body.writeText(bind.systemType, .systemType, maximum: Bind.systemTypeMaximum)
            body.writeMultipleIntegers(bind.interfaceVersion, bind.addressTon, bind.addressNpi)
            try body.writeText(bind.addressRange, .addressRange, maximum: Bind.addressRangeMaximum)
        }
    }

    /// The body is left out when the bind is refused (section 4.1.2, note).
    public mutating func writeBindResponse(
        _ mode: Bind.Mode, _ answer: BindResponse, status: CommandStatus = .ok, sequence: UInt32
    ) throws(EncodingFault) {
        guard status == .ok else {
            writeHeaderOnly(mode.command.response, status: status, sequence: sequence)
            return
        }
        try writeBody(mode.command.response, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(answer.systemID, .systemID, maximum: Bind.systemIDMaximum)
            if let version = answer.interfaceVersion {
                body.writeMultipleIntegers(Tag.interfaceVersion.rawValue, UInt16(1), version)
            }
        }
    }

    /// submit_sm_resp or deliver_sm_resp. submit_sm_resp has no body when it refuses (section 4.4.2);
    /// deliver_sm_resp always has an empty message_id (section 4.6.2).
    public mutating func writeAnswer(
        _ command: Command, messageID: some StringProtocol = "", status: CommandStatus = .ok, sequence: UInt32
    ) throws(EncodingFault) {
        if command == .submitResponse, status != .ok {
            writeHeaderOnly(command, status: status, sequence: sequence)
            return
        }
        try writeBody(command, status: status, sequence: sequence) { body throws(EncodingFault) in
            try body.writeText(messageID, .messageID, maximum: Limits.messageIDOctets + 1)
        }
    }

    /// deliver_sm_resp: 17 octets, cannot fail.
    public mutating func writeDeliverResponse(status: CommandStatus = .ok, sequence: UInt32) {
        writeMultipleIntegers(UInt32(17), Command.deliverResponse.rawValue, status.rawValue, sequence, UInt8(0))
    }

    /// submit_sm or deliver_sm (sections 4.4.1 and 4.6.1) from a message copied out.
    public mutating func writeMessage(
        _ command: Command, _ message: Message, status: CommandStatus = .ok, sequence: UInt32
    ) throws(EncodingFault) {
        var parameters = ByteBuffer()
        try parameters.writeParameters(message.parameters)
        let fault = parameters.withUnsafeReadableBytes { tail in
            message.shortMessage.withUnsafeBytes { text in
                writeMessage(command, message.fields, status: status, sequence: sequence, shortMessage: text, parameters: tail)
            }
        }
        if let fault { throw fault }
    }

    /// The hot form: writes in one pass without the heap. `parameters` are TLVs already in wire form.
    /// Returns what was wrong; nothing was written then. (A value and not a throw, so that it can be called inside `withUnsafeBytes`.)
    public mutating func writeMessage(
        _ command: Command, _ fields: MessageFields, status: CommandStatus = .ok, sequence: UInt32,
        shortMessage: UnsafeRawBufferPointer, parameters: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> EncodingFault? {
        if shortMessage.count > Limits.shortMessageOctets {
            return .tooLong(.shortMessage, octets: shortMessage.count, maximum: Limits.shortMessageOctets)
        }
        if let fault = ByteBuffer.check(fields) { return fault }
        let texts = fields.serviceType.count + fields.source.text.count + fields.destination.text.count
        let times = fields.scheduleDeliveryTime.count + fields.validityPeriod.count
        // 16 of header, five NULs, four of address types, eight single octets.
        let total = 33 + texts + times + shortMessage.count + parameters.count
        if total > Limits.pduOctets { return .pduTooLong(total) }
        writeWithUnsafeMutableBytes(minimumWritableBytes: total) { target in
            var pen = Pen(target)
            pen.word(UInt32(total))
            pen.word(command.rawValue)
            pen.word(status.rawValue)
            pen.word(sequence)
            pen.text(fields.serviceType)
            pen.octet(fields.source.ton)
            pen.octet(fields.source.npi)
            pen.text(fields.source.text)
            pen.octet(fields.destination.ton)
            pen.octet(fields.destination.npi)
            pen.text(fields.destination.text)
            pen.octet(fields.esmClass.rawValue)
            pen.octet(fields.protocolID)
            pen.octet(fields.priority)
            pen.text(fields.scheduleDeliveryTime)
            pen.text(fields.validityPeriod)
            pen.octet(fields.registeredDelivery.rawValue)
            pen.octet(fields.replaceIfPresent)
            pen.octet(fields.dataCoding)
            pen.octet(fields.defaultMessageID)
            pen.octet(UInt8(truncatingIfNeeded: shortMessage.count))
            pen.octets(shortMessage)
            pen.octets(parameters)
            return pen.at
        }
        return nil
    }

    private static func check(_ fields: MessageFields) -> EncodingFault? {
        if fields.serviceType.count > 5 { return .tooLong(.serviceType, octets: fields.serviceType.count, maximum: 5) }
        let schedule = fields.scheduleDeliveryTime.count
        if schedule > 16 { return .tooLong(.scheduleDeliveryTime, octets: schedule, maximum: 16) }
        let validity = fields.validityPeriod.count
        if validity > 16 { return .tooLong(.validityPeriod, octets: validity, maximum: 16) }
        return nil
    }

    /// TLVs in wire form, for the hot form of `writeMessage`. What was written stays when one of them throws.
    public mutating func writeParameters(_ parameters: [Parameter]) throws(EncodingFault) {
        for parameter in parameters {
            let octets = try parameter.encoded()
            writeMultipleIntegers(parameter.tag.rawValue, UInt16(octets.count))
            writeBytes(octets)
        }
    }

    /// Header, then what `body` writes; the length is set afterwards.
    mutating func writeBody(
        _ command: Command, status: CommandStatus, sequence: UInt32, _ body: (inout ByteBuffer) throws(EncodingFault) -> Void
    ) throws(EncodingFault) {
        let start = writerIndex
        writeMultipleIntegers(UInt32(0), command.rawValue, status.rawValue, sequence)
        do {
            try body(&self)
        } catch {
            moveWriterIndex(to: start)
            throw error
        }
        let total = writerIndex - start
        guard total <= Limits.pduOctets else {
            moveWriterIndex(to: start)
            throw .pduTooLong(total)
        }
        setInteger(UInt32(total), at: start)
    }

    /// - Parameter maximum: longest length with NUL, in octets.
    mutating func writeText(_ text: some StringProtocol, _ name: FieldName, maximum: Int) throws(EncodingFault) {
        let count = text.utf8.count
        guard count < maximum else { throw .tooLong(name, octets: count, maximum: maximum - 1) }
        guard !text.utf8.contains(where: { $0 == 0 || $0 > 127 }) else { throw .notPlain(name) }
        writeBytes(text.utf8)
        writeInteger(UInt8(0))
    }

    mutating func writeShortText(_ text: ShortText) {
        text.withBytes { octets in _ = writeBytes(octets) }
        writeInteger(UInt8(0))
    }

    /// - Parameter maximum: longest length without NUL, in octets.
    mutating func writeShortText(_ text: ShortText, _ name: FieldName, maximum: Int) throws(EncodingFault) {
        guard text.count <= maximum else { throw .tooLong(name, octets: text.count, maximum: maximum) }
        writeShortText(text)
    }

    mutating func writeAddress(_ address: Address) {
        writeMultipleIntegers(address.ton, address.npi)
        writeShortText(address.text)
    }

    mutating func writeLongAddress(_ address: LongAddress, _ name: FieldName) throws(EncodingFault) {
        writeMultipleIntegers(address.ton, address.npi)
        try writeText(address.text, name, maximum: Limits.longAddressOctets + 1)
    }

    /// sm_length and short_message.
    mutating func writeShortMessage(_ octets: [UInt8]) throws(EncodingFault) {
        guard octets.count <= Limits.shortMessageOctets else {
            throw .tooLong(.shortMessage, octets: octets.count, maximum: Limits.shortMessageOctets)
        }
        writeInteger(UInt8(octets.count))
        writeBytes(octets)
    }
}

/// Writes one after the other into memory that was reserved for the whole PDU.
private struct Pen {
    let target: UnsafeMutableRawBufferPointer
    var at = 0

    @inline(__always) init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    @inline(__always) mutating func octet(_ value: UInt8) {
        target[at] = value
        at &+= 1
    }

    @inline(__always) mutating func word(_ value: UInt32) {
        target.storeBytes(of: value.bigEndian, toByteOffset: at, as: UInt32.self)
        at &+= 4
    }

    @inline(__always) mutating func octets(_ source: UnsafeRawBufferPointer) {
        guard source.count > 0 else { return }
        UnsafeMutableRawBufferPointer(rebasing: target[at...]).copyMemory(from: source)
        at &+= source.count
    }

    @inline(__always) mutating func text(_ text: ShortText) {
        text.withBytes { octets($0) }
        octet(0)
    }
}
