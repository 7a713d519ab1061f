import NIOCore
import SMPP

/// One receipt before it is written: which message, which fate, whose addresses.
struct Receipt {
    var number: UInt64
    var state: ReceiptState
    /// Wall clock of the submit and of the final state, microseconds since 1970.
    var submittedAt: Int64
    var doneAt: Int64
    var answerForm: Behaviour.AnswerIdForm
    var form: Behaviour.ReceiptIdForm
    var withTlvs: Bool
    /// On the way: an intermediate notification (SMPP 3.4, 5.2.12), not the receipt of the end.
    var isPassing = false

    /// Octets of the longest receipt: header 16, addresses 46, fixed fields 13, text 131, TLVs 30.
    static let octetsMaximum = 256

    /// Writes the deliver_sm (SMPP 3.4, 4.6.1 and appendix B). `addresses` are the submit's own: they change places.
    func write(to writer: inout RawWriter, sequence: UInt32, addresses: UnsafeRawBufferPointer) {
        writer.header(.deliver, status: 0, sequence: sequence)
        writer.octet(0)
        let split = Self.destinationStart(addresses)
        writer.copy(UnsafeRawBufferPointer(rebasing: addresses[split...]))
        writer.copy(UnsafeRawBufferPointer(rebasing: addresses[..<split]))
        writer.octet(isPassing ? 0x20 : 0x04)
        // protocol_id, priority, schedule, validity, registered_delivery, replace, data_coding, default message
        for _ in 0..<8 { writer.octet(0) }
        let lengthAt = writer.at
        writer.octet(0)
        writeText(to: &writer)
        writer.bytes[lengthAt] = UInt8(writer.at - lengthAt - 1)
        if withTlvs {
            writer.octet(0x00)
            writer.octet(0x1E)
            writer.octet(0)
            let idLengthAt = writer.at
            writer.octet(0)
            writer.messageNumber(number, form, answered: answerForm)
            writer.octet(0)
            writer.bytes[idLengthAt] = UInt8(writer.at - idLengthAt - 1)
            for octet: UInt8 in [0x04, 0x27, 0, 1, isPassing ? 1 : state.rawValue] { writer.octet(octet) }
        }
    }

    private func writeText(to writer: inout RawWriter) {
        let good = state == .delivered && !isPassing
        writer.text("id:")
        writer.messageNumber(number, form, answered: answerForm)
        writer.text(good ? " sub:001 dlvrd:001 submit date:" : " sub:001 dlvrd:000 submit date:")
        Self.date(submittedAt, to: &writer)
        writer.text(" done date:")
        Self.date(doneAt, to: &writer)
        writer.text(" stat:")
        writer.text(isPassing ? "ENROUTE" : state.word)
        writer.text(" err:")
        writer.text(isPassing ? "000" : state.errorDigits)
        writer.text(" text:")
    }

    /// Where dest_addr_ton stands: after TON, NPI and the source's NUL.
    private static func destinationStart(_ addresses: UnsafeRawBufferPointer) -> Int {
        var at = 2
        while at < addresses.count, addresses[at] != 0 { at += 1 }
        return min(at + 1, addresses.count)
    }

    /// YYMMDDhhmm in UTC.
    private static func date(_ micros: Int64, to writer: inout RawWriter) {
        let moment = CivilTime(micros: micros)
        writer.decimal(UInt64(moment.year % 100), padded: 2)
        writer.decimal(UInt64(moment.month), padded: 2)
        writer.decimal(UInt64(moment.day), padded: 2)
        writer.decimal(UInt64(moment.hour), padded: 2)
        writer.decimal(UInt64(moment.minute), padded: 2)
    }
}
