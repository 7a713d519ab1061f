import MartletModel
import NIOCore
import SMPP
import SMSText

/// One TCP connection of a sender system: frames in, answers in whatever order the core gives them, receipts out. What the protocol
/// allows is `ServerSession`'s to say; here stands what a request is worth. Everything runs on the door's event loop.
final class SMPPServerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    unowned let door: SMPPDoor
    private let peer: String
    var session: ServerSession
    private var reader = FrameReader()
    var context: ChannelHandlerContext?
    var account: SMPPAccountBinds?
    var out = ByteBuffer()
    private var isFlushPlanned = false
    var isReading = false
    var isClosing = false
    /// To say goodbye when the last open request is answered; no new message is taken.
    var isDraining = false
    /// A refusal waits, so that guessing is slow: whatever comes meanwhile is dropped.
    private var isJudging = false
    /// Notices by the place of their deliver_sm.
    var told: [SlotReference?] = []
    var heard: [(slot: SlotReference, outcome: NoticeOutcome)] = []
    /// No receipt before this steady time: the client asked for a pause.
    var pausedUntil: Int64 = 0

    init(door: SMPPDoor, peer: String) {
        self.door = door
        self.peer = peer
        session = ServerSession(settings: SMPPServerConnection.settings(door, nil), at: door.intake.now().steady)
    }

    private static func settings(_ door: SMPPDoor, _ account: SMPPAccount?) -> ServerSession.Settings {
        ServerSession.Settings(
            systemID: door.settings.systemID, window: account?.window ?? 1, deliverWindow: account?.deliverWindow ?? 1,
            bindTimeout: door.settings.bindTimeout * 1000, enquireInterval: door.settings.enquireInterval * 1000,
            answerTimeout: door.settings.answerTimeout * 1000)
    }

    func now() -> Int64 { door.intake.now().steady }

    // MARK: Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        guard !isClosing, !isJudging else { return }
        isReading = true
        let steady = now()
        do {
            try reader.read(&incoming) { frame in
                if !isClosing, !isJudging { receive(frame, at: steady) }
            }
        } catch {
            session.unfollowable(error, out: &out)
            isClosing = true
        }
        isReading = false
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        tellHeard()
        flush()
        context.fireChannelReadComplete()
    }

    /// A client that does not read its answers is given no receipts, and is not read: its answers would pile up here.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        context.channel.setOption(.autoRead, value: isWritable).whenFailure { _ in }
        if isWritable { account?.hasRoom() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer or a failed handshake is an ordinary end; channelInactive follows.
        context.close(promise: nil)
    }

    private func ended() {
        guard context != nil else { return }
        context = nil
        isClosing = true
        session.lost { place in if let slot = told[place] { heard.append((slot, .notHeard)) } }
        let account = account
        self.account = nil
        account?.left(self)
        let unheard = heard
        heard = []
        if !unheard.isEmpty { account?.told(unheard) }
        door.closed(self)
    }

    // MARK: Requests

    private func receive(_ frame: Frame, at steady: Int64) {
        switch session.received(frame, at: steady, out: &out) {
        case .none, .unknownAnswer: break
        case .bind(let bind): judge(bind, at: steady)
        case .submit(let sequence): submit(frame, sequence, .submit)
        case .data(let sequence): submit(frame, sequence, .data)
        case .submitMulti(let sequence): submitMulti(frame, sequence)
        case .query(let query, let sequence): tell(query, sequence)
        case .cancel(let cancel, let sequence): self.cancel(cancel, sequence)
        case .replace(let replace, let sequence): self.replace(replace, sequence)
        case .answered(let place, let status): answered(place, status, at: steady)
        case .refused(_, let status): note(status)
        case .peerUnbinds: if session.state == .ended { isClosing = true }
        case .unbound: isClosing = true
        }
    }

    private func judge(_ bind: Bind, at steady: Int64) {
        let channel = context?.channel
        switch door.judge(bind, from: peer, certificate: { channel.flatMap { PeerCertificate.of($0) } }, at: steady) {
        case .account(let account):
            do {
                try session.acceptBind(SMPPServerConnection.settings(door, account.settings), out: &out)
            } catch {
                isClosing = true
                return
            }
            told = Array(repeating: nil, count: session.places)
            self.account = account
            flushSoon()
            account.joined(self)
        case .refused(let status, let delay):
            isJudging = true
            let bound = NIOLoopBound(self, eventLoop: door.eventLoop)
            door.eventLoop.scheduleTask(in: .microseconds(delay)) { bound.value.refuseBind(status) }
        }
    }

    private func refuseBind(_ status: CommandStatus) {
        guard context != nil else { return }
        session.refuseBind(status, out: &out)
        isClosing = true
        flush()
    }

    // MARK: Time and the end

    func tick(at steady: Int64) {
        guard !isJudging else { return }
        let alarm = session.tick(at: steady, out: &out) { place in
            if let slot = told[place] { heard.append((slot, .notHeard)) }
            told[place] = nil
        }
        // First, so that what was not heard here is not given here again.
        if alarm != nil { isClosing = true }
        tellHeard()
        if pausedUntil != 0, pausedUntil <= steady {
            pausedUntil = 0
            account?.hasRoom()
        }
        flush()
    }

    /// Says goodbye: requests that are open are answered first, since a client may close as soon as it has read the unbind.
    func drain() {
        if account == nil { return close() }
        isDraining = true
        flushSoon()
    }

    func close() { context?.close(promise: nil) }

    func flushSoon() {
        guard !isFlushPlanned, !isReading, context != nil else { return }
        isFlushPlanned = true
        door.flushLater(self)
    }

    func flush() {
        isFlushPlanned = false
        guard let context else { return }
        if isDraining, session.openRequests == 0 { session.unbind(at: now(), out: &out) }
        if session.state == .ended { isClosing = true }
        if out.readableBytes > 0 {
            // Moved out first, since the write may call back into this; its storage is used again once it is written.
            var bytes = ByteBuffer()
            swap(&bytes, &out)
            let last = isClosing
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
            if last { return context.close(promise: nil) }
            if out.storageCapacity == 0 {
                bytes.clear()
                out = bytes
            }
        } else if isClosing {
            context.close(promise: nil)
        }
    }
}
