import SMPP

/// query_sm and cancel_sm.
extension SMSCCore {
    func query(_ pdu: UnsafeRawBufferPointer, sequence: UInt32, on connection: SMSCConnection) {
        var at = Header.octets
        let id = (try? SubmitView.text(pdu, &at, maximum: 65, else: .invalidMessageID)).map { Array(pdu[$0]) } ?? []
        markDirty(connection)
        guard let n = find(id), let progress = ring.progress(of: n) else {
            return connection.out.appendBare(.queryResponse, status: CommandStatus.queryFailed.rawValue, sequence: sequence)
        }
        connection.out.appendPDU(room: Header.octets + id.count + 4) { writer in
            writer.header(.queryResponse, status: 0, sequence: sequence)
            for octet in id { writer.octet(octet) }
            // NUL, final_date not told, message_state, error_code
            for octet in [0, 0, progress.queryState, 0] { writer.octet(octet) }
        }
    }

    func cancel(_ pdu: UnsafeRawBufferPointer) -> CommandStatus {
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
            if let n = ring.n(ofNumber: candidate) { return n }
        }
        return nil
    }
}
