import NIOCore
import SMPP

/// One TCP connection of an ESME to a simulated operator: cuts PDUs, keeps the bind's state, collects what goes out and writes it
/// once for each batch that was read. All of it happens on the operator's loop.
final class SMSCConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Bind { case open, receiver, transmitter, transceiver }

    let id: Int
    private let core: SMSCCore
    private var context: ChannelHandlerContext?
    private var reader = FrameReader()
    private(set) var bind = Bind.open
    private(set) var closing = false
    /// What goes out at the end of the batch.
    var out = ByteBuffer()
    var isDirty = false
    var window = DeliverWindow()
    /// submit_sm seen on this connection, and those without an answer.
    var submitted: UInt32 = 0
    var outstanding = 0
    /// Answers in `out`: their submits stay outstanding until the write.
    var answersInBatch = 0
    private var readPending = false

    /// A peer has this long to bind.
    static let bindWithin = TimeAmount.seconds(30)

    init(id: Int, core: SMSCCore) {
        self.id = id
        self.core = core
    }

    var mayTransmit: Bool { bind == .transmitter || bind == .transceiver }
    var mayReceive: Bool { bind == .receiver || bind == .transceiver }
    var isBound: Bool { bind != .open }
    /// Room for a receipt now.
    var takesReceipt: Bool { mayReceive && !closing && window.hasRoom && context?.channel.isWritable == true }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        guard core.opened(self) else { return context.close(promise: nil) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.bindWithin) {
            if !bound.value.isBound { bound.value.close() }
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        guard !closing else { return }
        core.beginBatch()
        do {
            try reader.read(&incoming) { frame in
                if !closing { receive(frame) }
            }
        } catch {
            // Where the next PDU would begin is not known any more.
            core.markDirty(self)
            out.appendBare(.genericNack, status: error.status.rawValue, sequence: 0)
            closing = true
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        core.endBatch()
        context.fireChannelReadComplete()
    }

    /// A peer that does not read its answers is not read either.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { readPending = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if readPending {
                readPending = false
                context.read()
            }
            core.hasRoom()
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        closing = true
        bind = .open
        self.context = nil
        core.closed(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer is an ordinary end; channelInactive follows.
        context.close(promise: nil)
    }

    /// Writes what the batch left.
    func flush() {
        isDirty = false
        outstanding -= answersInBatch
        answersInBatch = 0
        if out.readableBytes > 0, let context {
            // Taken out first: the write can report room at once, and more receipts come in while it runs.
            var batch = out
            out = ByteBuffer()
            context.writeAndFlush(wrapOutboundOut(batch), promise: nil)
            // Keeps the memory when the write is already done with it.
            batch.clear()
            if out.readableBytes == 0 { out = batch }
        }
        if closing { context?.close(promise: nil) }
    }

    /// Closes without unbind, as an operator's router does.
    func close() {
        closing = true
        context?.close(promise: nil)
    }

    /// Closes at the end of the batch.
    func closeAfterBatch() {
        closing = true
        core.markDirty(self)
    }

    // MARK: PDUs

    private func receive(_ frame: Frame) {
        let sequence = frame.header.sequence
        switch frame.header.command {
        case .submit:
            core.submit(frame.bytes, sequence: sequence, on: self)
        case .deliverResponse:
            core.answered(sequence, status: frame.header.status, on: self)
        case .enquireLink:
            reply(.enquireLinkResponse, sequence)
        case .bindReceiver: bind(frame, as: .receiver)
        case .bindTransmitter: bind(frame, as: .transmitter)
        case .bindTransceiver: bind(frame, as: .transceiver)
        case .unbind:
            reply(.unbindResponse, sequence)
            closing = true
        case .query:
            guard mayTransmit else { return reply(.queryResponse, sequence, .wrongBindState) }
            core.inquire(.query, frame.bytes, sequence: sequence, on: self)
        case .cancel:
            guard mayTransmit else { return reply(.cancelResponse, sequence, .wrongBindState) }
            core.inquire(.cancel, frame.bytes, sequence: sequence, on: self)
        case .enquireLinkResponse, .genericNack:
            break
        default:
            // Operations this operator does not have (SMPP 3.4, 4.3.1), and answers nobody asked for.
            if !frame.header.command.isResponse { reply(.genericNack, sequence, .invalidCommand) }
        }
    }

    private func reply(_ command: Command, _ sequence: UInt32, _ status: CommandStatus = .ok) {
        core.markDirty(self)
        out.appendBare(command, status: status.rawValue, sequence: sequence)
    }

    private func bind(_ frame: Frame, as wanted: Bind) {
        let sequence = frame.header.sequence
        let command = frame.header.command.response
        guard bind == .open else { return reply(command, sequence, .alreadyBound) }
        let view: BindView
        do {
            view = try BindView(frame.bytes)
        } catch {
            closing = true
            return reply(command, sequence, error.status)
        }
        let status = core.admits(view)
        guard status == .ok else {
            closing = true
            return reply(command, sequence, status)
        }
        bind = wanted
        core.markDirty(self)
        out.appendPDU(room: 48) { writer in
            writer.header(command, status: 0, sequence: sequence)
            for octet in "martlet-sim".utf8 { writer.octet(octet) }
            // NUL; sc_interface_version 3.4 (5.3.2.25)
            for octet: UInt8 in [0, 0x02, 0x10, 0, 1, 0x34] { writer.octet(octet) }
        }
        core.bound(self)
    }
}
