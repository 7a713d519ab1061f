import Measure
import NIOCore
import SMPP

/// An ESME whose window is always full. It reads each answer's message id and each receipt, and answers the receipt.
final class Client: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var session: ClientSession
    private var reader = FrameReader()
    private var out = ByteBuffer()
    private var fields = MessageFields()
    private let tally: Tally
    private var isReading = false
    private var now: Int64 = 0
    /// Sum of the ids that were given, less those that receipts named: 0 when every receipt named what was sent.
    private var balance: Int64 = 0
    private static let text = Array(
        "Payment 0000000001 of 1129.50 EUR to Nordic Lamps is waiting for you. Confirm it in the app by 18:00.".utf8)

    init(window: Int, tally: Tally) {
        session = ClientSession(settings: ClientSession.Settings(window: window))
        self.tally = tally
        fields.source = Address(ton: 5, npi: 0, text: ShortText("HARBOUR") ?? ShortText())
        fields.destination = Address(ton: 1, npi: 1, text: ShortText("447700900123") ?? ShortText())
        fields.registeredDelivery = RegisteredDelivery(receipt: .always)
    }

    func channelActive(context: ChannelHandlerContext) {
        do {
            try session.open(Bind(mode: .transceiver, systemID: "bank", password: "secret"), at: Steady.micros(), out: &out)
        } catch {
            tally.counts.wrong += 1
        }
        flush(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isReading {
            isReading = true
            now = Steady.micros()
            tally.counts.reads += 1
        }
        var buffer = unwrapInboundIn(data)
        do {
            try reader.read(&buffer) { frame in take(frame) }
        } catch {
            tally.counts.wrong += 1
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        fill()
        flush(context)
    }

    private func take(_ frame: Frame) {
        switch session.received(frame, at: now, out: &out) {
        case .bound: tally.counts.bound += 1
        case .answered(_, .ok, let id):
            tally.counts.answered += 1
            balance &+= Client.number(frame[id])
        case .deliver(let sequence):
            guard let view = try? MessageView(frame), let receipt = Receipt(view, in: frame), receipt.state == .delivered else {
                tally.counts.wrong += 1
                session.answerDeliver(sequence: sequence, status: .permanentReceiverError, out: &out)
                return
            }
            tally.counts.receipts += 1
            balance &-= Client.number(frame[receipt.messageID])
            session.answerDeliver(sequence: sequence, status: .ok, out: &out)
            if tally.stops, session.outstanding == 0, tally.counts.receipts == tally.counts.answered, balance != 0 {
                tally.counts.wrong += 1
            }
        default: tally.counts.wrong += 1
        }
    }

    private static func number(_ digits: UnsafeRawBufferPointer) -> Int64 {
        var value: Int64 = 0
        for digit in digits { value = value &* 10 &+ Int64(digit &- 48) }
        return value
    }

    private func fill() {
        guard !tally.stops else { return }
        while let (sequence, place) = session.take(at: now) {
            let fault = Client.text.withUnsafeBytes { out.writeMessage(.submit, fields, sequence: sequence, shortMessage: $0) }
            if fault != nil {
                session.giveBack(place: place)
                tally.counts.wrong += 1
                return
            }
            tally.counts.submitted += 1
        }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard out.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        // The socket took it within this call in the usual case; then the storage is ours again and nothing is allocated.
        out.clear()
    }
}

enum Steady {
    static func micros() -> Int64 { Int64(steadyNanoseconds() / 1000) }
}
