import NIOCore
import SMPP

/// query_sm and cancel_sm: told truly, and at once, unless the behaviour has it otherwise.
extension SMSCCore {
    func inquire(_ command: Command, _ pdu: UnsafeRawBufferPointer, sequence: UInt32, on connection: SMSCConnection) {
        count { if command == .query { $0.queries &+= 1 } else { $0.cancels &+= 1 } }
        let answer: [UInt8]
        switch command == .query ? behaviour.query : behaviour.cancel {
        case .silent: return
        case .unknown: answer = SMSCCore.bare(.genericNack, .invalidCommand, sequence)
        case .fail: answer = SMSCCore.bare(command.response, command == .query ? .queryFailed : .cancelFailed, sequence)
        case .truthful:
            answer = command == .query ? query(pdu, sequence: sequence) : SMSCCore.bare(.cancelResponse, cancel(pdu), sequence)
        }
        write(answer, to: connection, after: behaviour.inquiryDelayMs)
    }

    private static func bare(_ command: Command, _ status: CommandStatus, _ sequence: UInt32) -> [UInt8] {
        var out = ByteBuffer()
        out.appendBare(command, status: status.rawValue, sequence: sequence)
        return Array(out.readableBytesView)
    }

    private func query(_ pdu: UnsafeRawBufferPointer, sequence: UInt32) -> [UInt8] {
        var at = Header.octets
        let id = (try? SubmitView.text(pdu, &at, maximum: 65, else: .invalidMessageID)).map { Array(pdu[$0]) } ?? []
        guard let n = find(id), let progress = ring.progress(of: n) else {
            return SMSCCore.bare(.queryResponse, .queryFailed, sequence)
        }
        var out = ByteBuffer()
        out.appendPDU(room: Header.octets + id.count + 4) { writer in
            writer.header(.queryResponse, status: 0, sequence: sequence)
            for octet in id { writer.octet(octet) }
            // NUL, final_date not told, message_state, error_code
            for octet in [0, 0, progress.queryState, 0] { writer.octet(octet) }
        }
        return Array(out.readableBytesView)
    }

    private func cancel(_ pdu: UnsafeRawBufferPointer) -> CommandStatus {
        var at = Header.octets
        guard (try? SubmitView.text(pdu, &at, maximum: 6, else: .invalidCommandLength)) != nil,
            let range = try? SubmitView.text(pdu, &at, maximum: 65, else: .invalidMessageID)
        else { return .invalidMessageID }
        guard let n = find(Array(pdu[range])) else { return .invalidMessageID }
        guard let progress = ring.progress(of: n), progress == .enroute || progress == .held else { return .cancelFailed }
        ring.set(.deleted, of: n)
        return .ok
    }

    private func find(_ id: [UInt8]) -> UInt64? {
        for candidate in MessageNumber.candidates(id) {
            if behaviour.exactIds, Array(MessageNumber(value: candidate).text(behaviour.answerIdForm).utf8) != id { continue }
            if let n = ring.n(ofNumber: candidate) { return n }
        }
        return nil
    }
}
