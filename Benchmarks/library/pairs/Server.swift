import NIOCore
import SMPP

/// An SMSC that takes everything: each submit_sm is read, answered with an id of its own, and followed by its receipt as soon as the
/// window of receipts has room.
final class Server: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: ServerSession
    private var reader = FrameReader()
    private var out = ByteBuffer()
    private var fields = MessageFields()
    private var isReading = false
    private var now: Int64 = 0
    /// Ids are numbers in order, so what waits for its receipt is a range.
    private var given: UInt64 = 1_000_000_000
    private var told: UInt64 = 1_000_000_000
    /// short_message and parameters of a receipt; the id's ten digits are put into both.
    private var text: [UInt8]
    private var parameters: [UInt8]
    private let digitsInText: Int
    private let digitsInParameters = 4

    init(window: Int) {
        session = ServerSession(settings: ServerSession.Settings(window: 2 * window, deliverWindow: window), at: Steady.micros())
        fields.source = Address(ton: 1, npi: 1, text: ShortText("447700900123") ?? ShortText())
        fields.destination = Address(ton: 5, npi: 0, text: ShortText("HARBOUR") ?? ShortText())
        fields.esmClass = .receipt
        let facts = ReceiptFacts(id: "0000000000", submitted: 1_795_370_940, done: 1_795_370_941, state: .delivered)
        text = ReceiptForm(text: .none).octets(facts)
        digitsInText = 3
        // receipted_message_id (section 5.3.2.12) and message_state (5.3.2.35): ten digits and NUL; delivered.
        parameters = [0x00, 0x1E, 0, 11] + Array("0000000000".utf8) + [0, 0x04, 0x27, 0, 1, 2]
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isReading {
            isReading = true
            now = Steady.micros()
        }
        var buffer = unwrapInboundIn(data)
        do {
            try reader.read(&buffer) { frame in take(frame, context) }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        tell()
        guard out.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        out.clear()
    }

    private func take(_ frame: Frame, _ context: ChannelHandlerContext) {
        do {
            switch session.received(frame, at: now, out: &out) {
            case .bind: try session.acceptBind(out: &out)
            case .submit(let sequence):
                let view = try MessageView(frame)
                if let status = SubmitRules.refusal(of: view, in: frame) {
                    session.refuse(.submit, sequence: sequence, status, out: &out)
                    return
                }
                given += 1
                try session.answerSubmit(sequence: sequence, messageID: String(given), out: &out)
            case .answered(_, .ok), .none: break
            default: context.close(promise: nil)
            }
        } catch {
            context.close(promise: nil)
        }
    }

    private func tell() {
        while told < given, let (sequence, place) = session.take(at: now) {
            told += 1
            var rest = told
            for digit in 0..<10 {
                let octet = 48 + UInt8(truncatingIfNeeded: rest % 10)
                text[digitsInText + 9 - digit] = octet
                parameters[digitsInParameters + 9 - digit] = octet
                rest /= 10
            }
            let fault = text.withUnsafeBytes { text in
                parameters.withUnsafeBytes { tail in
                    out.writeMessage(.deliver, fields, sequence: sequence, shortMessage: text, parameters: tail)
                }
            }
            if fault != nil { session.giveBack(place: place) }
        }
    }
}
