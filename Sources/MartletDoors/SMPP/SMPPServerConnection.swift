import MartletModel
import NIOCore
import SMPP
import SMSText

/// One TCP connection of a sender system: frames in, answers in whatever order the core gives them, receipts out. What the protocol
/// allows is `ServerSession`'s to say; here stands what a request is worth. Everything runs on the door's event loop.
final class SMPPServerConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private unowned let door: SMPPDoor
    private let peer: String
    private var session: ServerSession
    private var reader = FrameReader()
    private var context: ChannelHandlerContext?
    private var account: SMPPAccountBinds?
    private var out = ByteBuffer()
    private var isFlushPlanned = false
    private var isReading = false
    private var isClosing = false
    /// To say goodbye when the last open request is answered; no new message is taken.
    private var isDraining = false
    /// A refusal waits, so that guessing is slow: whatever comes meanwhile is dropped.
    private var isJudging = false
    /// Notices by the place of their deliver_sm.
    private var told: [SlotReference?] = []
    private var heard: [(slot: SlotReference, outcome: NoticeOutcome)] = []
    /// No receipt before this steady time: the client asked for a pause.
    private var pausedUntil: Int64 = 0

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

    private func now() -> Int64 { door.intake.now().steady }

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

    private func submit(_ frame: Frame, _ sequence: UInt32, _ command: Command) {
        guard let account, let source = source(of: account) else { return refuse(command, sequence, .systemError) }
        let view: MessageView
        do {
            view = try MessageView(frame)
        } catch {
            return refuse(command, sequence, error.status)
        }
        let now = door.intake.now()
        switch door.read(view, frame, account, source, now) {
        case .refused(let status): refuse(command, sequence, status)
        case .cardNumber: refuse(command, sequence, .submitFailed)
        case .submission(let submission, _):
            guard account.takes(parts: submission.partsWanted, at: now.steady) else { return refuse(command, sequence, .throttled) }
            door.intake.submit(submission) { [self] acceptance in
                switch acceptance {
                case .accepted(let id, _), .repeated(let id, _): accept(command, sequence, id)
                case .refused(let refusal): refuse(command, sequence, refusal.status)
                }
                answeredLater()
            }
        }
    }

    /// Whom the account sends as; nil when nothing may be sent now: its rights may have changed since the bind.
    private func source(of account: SMPPAccountBinds) -> Source? {
        guard !isDraining, let source = door.sources.source(numbered: account.source), source.scopes.contains(.send) else { return nil }
        return source
    }

    private func accept(_ command: Command, _ sequence: UInt32, _ id: MessageID) {
        let text = id.text
        do {
            let isAnswered =
                if command == .data {
                    try session.answerData(sequence: sequence, DataAnswer(messageID: text), out: &out)
                } else {
                    try session.answerSubmit(sequence: sequence, messageID: text, out: &out)
                }
            if isAnswered { door.counters.submits += 1 }
        } catch {
            // Cannot be: 32 digits fit the field.
            refuse(command, sequence, .systemError)
        }
    }

    /// One message for each destination, taken or refused by itself; distribution lists are not kept here.
    private func submitMulti(_ frame: Frame, _ sequence: UInt32) {
        guard let account, let source = source(of: account) else { return refuse(.submitMulti, sequence, .systemError) }
        let view: MultiView
        do {
            view = try MultiView(frame)
        } catch {
            return refuse(.submitMulti, sequence, error.status)
        }
        let now = door.intake.now()
        var wanted: [(address: Address, reading: SubmitReading)] = []
        var hasList = false
        view.destinations.each(in: frame) { entry in
            switch entry {
            case .address(let field):
                wanted.append((frame.address(field), door.read(view.message, frame, to: frame[field.text], account, source, now)))
            case .list: hasList = true
            }
        }
        guard !hasList else { return refuse(.submitMulti, sequence, .invalidListName) }
        let answer = MultiSubmission(count: wanted.count) { [self] id, refused in
            accept(sequence, id, refused)
            answeredLater()
        }
        for (place, (address, reading)) in wanted.enumerated() {
            switch reading {
            case .refused(let status): answer.refused(address, status)
            case .cardNumber: answer.refused(address, .submitFailed)
            case .submission(let submission, _):
                guard account.takes(parts: submission.partsWanted, at: now.steady) else {
                    answer.refused(address, .throttled)
                    continue
                }
                door.intake.submit(submission) { acceptance in
                    switch acceptance {
                    case .accepted(let id, _), .repeated(let id, _): answer.accepted(id, place)
                    case .refused(let refusal): answer.refused(address, refusal.status)
                    }
                }
            }
        }
    }

    private func accept(_ multi: UInt32, _ id: MessageID?, _ refused: [MultiAnswer.Refused]) {
        guard let id else { return refuse(.submitMulti, multi, refused.first?.status ?? .submitFailed) }
        do {
            if try session.answerMulti(sequence: multi, MultiAnswer(messageID: id.text, refused: refused), out: &out) {
                door.counters.submits += 1
            }
        } catch {
            refuse(.submitMulti, multi, .systemError)
        }
    }

    private func tell(_ query: Query, _ sequence: UInt32) {
        guard let account, let id = MessageID(text: query.messageID) else { return refuse(.query, sequence, .invalidMessageID) }
        // As over HTTP: what became of messages is told to those who may read.
        guard door.sources.source(numbered: account.source)?.scopes.contains(.read) ?? false else {
            return refuse(.query, sequence, .queryFailed)
        }
        door.intake.story(of: id, source: account.source) { [self] result in
            switch result {
            case .success(.some(let story)) where story.source == account.source:
                let state = ReceiptWriting.state(story.state, story.reason)
                let end = story.state.isEnd ? AbsoluteTime(seconds: story.updatedAt / 1_000_000) : nil
                do {
                    try session.answerQuery(
                        sequence: sequence, QueryResponse(messageID: query.messageID, finalDate: end, state: state), out: &out)
                } catch {
                    refuse(.query, sequence, .queryFailed)
                }
            case .success: refuse(.query, sequence, .invalidMessageID)
            case .failure: refuse(.query, sequence, .queryFailed)
            }
            answeredLater()
        }
    }

    private func cancel(_ cancel: Cancel, _ sequence: UInt32) {
        // Only by its id: to cancel everything between two addresses is nobody's wish by accident.
        guard let account, let id = MessageID(text: cancel.messageID) else { return refuse(.cancel, sequence, .invalidMessageID) }
        guard source(of: account) != nil else { return refuse(.cancel, sequence, .cancelFailed) }
        door.intake.cancel(id, source: account.source) { [self] verdict in
            switch verdict {
            case .cancelled: session.answerCancel(sequence: sequence, out: &out)
            case .notFound: refuse(.cancel, sequence, .invalidMessageID)
            case .tooLate, .storage: refuse(.cancel, sequence, .cancelFailed)
            }
            answeredLater()
        }
    }

    private func replace(_ replace: Replace, _ sequence: UInt32) {
        guard let account, let id = MessageID(text: replace.messageID) else { return refuse(.replace, sequence, .invalidMessageID) }
        guard source(of: account) != nil else { return refuse(.replace, sequence, .replaceFailed) }
        switch ReplaceReading.read(replace, account.settings, cards: door.cardNumbers, now: door.intake.now()) {
        case .failure(let fault):
            if fault.isCard { door.counters.cardsRefused += 1 }
            refuse(.replace, sequence, fault.status)
        case .success((let change, let isMasked)):
            if isMasked { door.counters.cardsMasked += 1 }
            door.intake.replace(id, source: account.source, with: change) { [self] verdict in
                switch verdict {
                case .replaced: session.answerReplace(sequence: sequence, out: &out)
                case .notFound: refuse(.replace, sequence, .invalidMessageID)
                case .tooManyParts: refuse(.replace, sequence, .invalidMessageLength)
                case .tooLate, .storage, .noAlphabet: refuse(.replace, sequence, .replaceFailed)
                }
                answeredLater()
            }
        }
    }

    private func refuse(_ command: Command, _ sequence: UInt32, _ status: CommandStatus) {
        if session.refuse(command, sequence: sequence, status, out: &out) { note(status) }
    }

    private func note(_ status: CommandStatus) {
        door.counters.refused[status.name ?? "vendor", default: 0] += 1
    }

    // MARK: Receipts

    /// Receipts that may be given to this bind now.
    var room: Int {
        guard !isClosing, !isDraining, account != nil, context?.channel.isWritable ?? false, pausedUntil <= now() else { return 0 }
        return session.room
    }

    /// False: it could not be written here.
    func give(_ notice: Notice) -> Bool {
        guard let account else { return false }
        do {
            guard let place = try session.deliver(message(notice, account), at: now(), out: &out) else {
                return false
            }
            told[place] = notice.slot
            return true
        } catch {
            // Nothing of a receipt is longer than its field; should it be, the client is spared the same again and again.
            heard.append((notice.slot, .refused))
            return true
        }
    }

    private func message(_ notice: Notice, _ account: SMPPAccountBinds) -> Message {
        notice.state == .received ? InboundWriting.message(notice) : ReceiptWriting.message(notice, account.settings.receipts)
    }

    private func answered(_ place: Int, _ status: CommandStatus, at steady: Int64) {
        guard let slot = told[place] else { return }
        told[place] = nil
        switch status {
        case .ok: heard.append((slot, .heard))
        case .systemError, .queueFull, .throttled, .temporaryReceiverError:
            heard.append((slot, .notHeard))
            pausedUntil = steady + SMPPServerConnection.pause
        default: heard.append((slot, .refused))
        }
    }

    /// Microseconds without a receipt after the client asked for less.
    private static let pause: Int64 = 1_000_000

    private func tellHeard() {
        guard !heard.isEmpty, let account else { return }
        let batch = heard
        heard = []
        account.told(batch)
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

    /// After the batch of answers that the core is giving out.
    private func answeredLater() {
        if !isReading { flushSoon() }
    }

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
