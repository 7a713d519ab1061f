public import NIOCore

// The answers to open requests, and our own messages to the peer.
//
// Every answer returns false, and writes nothing, when no request of that command and sequence number is open: answered before, or
// the connection has ended since. It throws when it cannot be written; the request is open then: answer it otherwise.
extension ServerSession {
    /// - Parameter messageID: at most `messageIDOctets`; not written with another status than ESME_ROK (section 4.4.2).
    @discardableResult
    public mutating func answerSubmit(
        sequence: UInt32, status: CommandStatus = .ok, messageID: String = "", out: inout ByteBuffer
    ) throws(EncodingFault) -> Bool {
        try answer(.submit, sequence, out: &out) { out throws(EncodingFault) in
            try out.writeAnswer(.submitResponse, messageID: messageID, status: status, sequence: sequence)
        }
    }

    /// - Parameter answer: destinations that were refused stand in it; the status is ESME_ROK as long as one was taken.
    @discardableResult
    public mutating func answerMulti(
        sequence: UInt32, status: CommandStatus = .ok, _ answer: MultiAnswer = MultiAnswer(), out: inout ByteBuffer
    ) throws(EncodingFault) -> Bool {
        try self.answer(.submitMulti, sequence, out: &out) { out throws(EncodingFault) in
            try out.writeMultiAnswer(answer, status: status, sequence: sequence)
        }
    }

    /// Parameters are left out for a peer whose version has none.
    @discardableResult
    public mutating func answerData(
        sequence: UInt32, status: CommandStatus = .ok, _ answer: DataAnswer = DataAnswer(), out: inout ByteBuffer
    ) throws(EncodingFault) -> Bool {
        let known = allowsParameters ? answer : DataAnswer(messageID: answer.messageID)
        return try self.answer(.data, sequence, out: &out) { out throws(EncodingFault) in
            try out.writeDataAnswer(known, status: status, sequence: sequence)
        }
    }

    /// A query that fails is answered by `refuse` with `.queryFailed` or `.invalidMessageID`.
    @discardableResult
    public mutating func answerQuery(
        sequence: UInt32, _ answer: QueryResponse, out: inout ByteBuffer
    ) throws(EncodingFault) -> Bool {
        try self.answer(.query, sequence, out: &out) { out throws(EncodingFault) in
            try out.writeQueryResponse(answer, sequence: sequence)
        }
    }

    @discardableResult
    public mutating func answerCancel(sequence: UInt32, status: CommandStatus = .ok, out: inout ByteBuffer) -> Bool {
        refuse(.cancel, sequence: sequence, status, out: &out)
    }

    @discardableResult
    public mutating func answerReplace(sequence: UInt32, status: CommandStatus = .ok, out: inout ByteBuffer) -> Bool {
        refuse(.replace, sequence: sequence, status, out: &out)
    }

    /// Answers any open request by its status alone.
    /// - Parameter command: of the request: `.submit`, `.submitMulti`, `.data`, `.query`, `.cancel` or `.replace`.
    @discardableResult
    public mutating func refuse(_ command: Command, sequence: UInt32, _ status: CommandStatus, out: inout ByteBuffer) -> Bool {
        guard isAnswerable(command, sequence) else { return false }
        out.writeRefusal(of: command, status, sequence: sequence)
        settle(command, sequence, out: &out)
        return true
    }

    /// For an owner that never answers a request: it is no longer counted in the window.
    public mutating func forget(_ command: Command, sequence: UInt32, out: inout ByteBuffer) {
        settle(command, sequence, out: &out)
    }

    private func isAnswerable(_ command: Command, _ sequence: UInt32) -> Bool {
        state != .ended && requests.contains(command, sequence)
    }

    private mutating func settle(_ command: Command, _ sequence: UInt32, out: inout ByteBuffer) {
        if requests.remove(command, sequence) { leaveIfDone(out: &out) }
    }

    private mutating func answer(
        _ command: Command, _ sequence: UInt32, out: inout ByteBuffer, _ write: (inout ByteBuffer) throws(EncodingFault) -> Void
    ) throws(EncodingFault) -> Bool {
        guard isAnswerable(command, sequence) else { return false }
        try write(&out)
        settle(command, sequence, out: &out)
        return true
    }

    // MARK: To the peer

    /// Takes a place for one deliver_sm; nil without room. The caller writes it with this sequence number, without parameters unless
    /// `allowsParameters`.
    public mutating func take(at now: Int64) -> (sequence: UInt32, place: Int)? {
        room > 0 ? window.take(at: now) : nil
    }

    /// Gives back a place whose deliver was not written.
    public mutating func giveBack(place: Int) { window.free(place) }

    /// Writes a deliver_sm and takes its place; nil, and nothing written, without room. To a peer whose version has no parameters they
    /// are left out, and a message_payload that fits takes the place of an empty short_message.
    public mutating func deliver(_ message: Message, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        guard room > 0 else { return nil }
        let known = allowsParameters ? message : try ServerSession.withoutParameters(message)
        let (sequence, place) = window.take(at: now)
        do {
            try out.writeMessage(.deliver, known, sequence: sequence)
        } catch {
            window.free(place)
            throw error
        }
        return place
    }

    /// Writes a data_sm and takes its place; nil, and nothing written, without room.
    /// - Throws: `.notInVersion` when the peer's version has no data_sm: use `deliver`.
    public mutating func deliverData(_ message: DataMessage, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        guard allowsParameters else { throw .notInVersion(.data) }
        guard room > 0 else { return nil }
        let (sequence, place) = window.take(at: now, .data)
        do {
            try out.writeData(message, sequence: sequence)
        } catch {
            window.free(place)
            throw error
        }
        return place
    }

    /// Writes an alert_notification, which has no answer. False, and nothing written, unless the peer is bound to receive.
    public mutating func alert(_ alert: AlertNotification, out: inout ByteBuffer) throws(EncodingFault) -> Bool {
        guard case .bound(let mode) = state, mode.receives else { return false }
        guard allowsParameters else { throw .notInVersion(.alertNotification) }
        try out.writeAlert(alert, sequence: window.number())
        return true
    }

    private static func withoutParameters(_ message: Message) throws(EncodingFault) -> Message {
        var plain = message
        plain.parameters = []
        guard message.shortMessage.isEmpty, let payload = message.parameters.first(where: { $0.tag == .messagePayload }) else {
            return plain
        }
        plain.shortMessage = try payload.encoded()
        return plain
    }
}
