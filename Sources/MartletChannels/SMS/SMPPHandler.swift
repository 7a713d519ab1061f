import MartletModel
import NIOCore
import SMPP

/// What a submit in the window belongs to, kept in an array beside the session's places.
struct InFlight {
    var slot: SlotReference
    var attempt: UInt8
    var part: UInt8
    /// Wall microseconds when it was given to the socket.
    var handedAt: Int64

    static let empty = InFlight(slot: SlotReference(index: 0, generation: 0), attempt: 0, part: 0, handedAt: 0)
}

/// One TCP connection of a bind: framing, the session machine, and the answers of a read collected into one batch and one write.
/// Lives on one event loop, from connect to close; a rebind makes a new one.
final class SMPPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private(set) var session: ClientSession
    var inquiries = OpenInquiries()
    private(set) var inFlight: ContiguousArray<InFlight>
    private var reader = FrameReader()
    private var out = ByteBuffer()
    private(set) var context: ChannelHandlerContext?
    private let bind: Bind
    /// Cleared at the close, which also breaks the circle of references.
    private var link: SMPPLink?

    /// What the frames of this read came to.
    private var settled: [Settled] = []
    private var heard: [Heard] = []
    private var receipts: [(command: Command, sequence: UInt32)] = []
    private var inbound: [Inbound] = []
    private var inboundRequests: [(command: Command, sequence: UInt32)] = []
    /// In a read batch: writes wait for its end.
    private(set) var isReading = false
    private var closesAfterFlush = false
    private var now = Instant(wall: 0, steady: 0)
    /// Why the connection ends, for the status; empty: the peer closed it.
    private var failure = ""

    init(link: SMPPLink, bind: Bind, settings: ClientSession.Settings) {
        self.link = link
        self.bind = bind
        session = ClientSession(settings: settings)
        inFlight = ContiguousArray(repeating: .empty, count: session.places)
    }

    // MARK: Transport

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelActive(context: ChannelHandlerContext) {
        guard let link else {
            context.close(promise: nil)
            return
        }
        do {
            try session.open(bind, at: link.connection.now().steady, out: &out)
            flush()
        } catch {
            // The settings were checked against the same bounds; what is left is a password file with another alphabet.
            fail("bind cannot be written: \(error)")
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let link else { return }
        if !isReading {
            isReading = true
            now = link.connection.now()
        }
        var buffer = unwrapInboundIn(data)
        do {
            try reader.read(&buffer) { frame in take(frame, link) }
        } catch {
            failure = "cannot follow the peer's octets: \(error)"
            closesAfterFlush = true
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endBatch()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        endBatch()
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // NIO's and TLS's descriptions hold addresses and certificate names, never what was sent.
        if failure.isEmpty { failure = "\(error)" }
        context.close(promise: nil)
    }

    /// Closes with this reason.
    func fail(_ reason: String) {
        if failure.isEmpty { failure = reason }
        guard let context else { return }
        context.close(promise: nil)
    }

    /// Nobody waits for this connection any more: it closes as soon as it is open.
    func abandon() { link = nil }

    private func end() {
        guard let link else { return }
        self.link = nil
        let wall = link.connection.now().wall
        var lost: [Settled] = []
        session.lost { place in lost.append(settlement(place, .unknown, at: wall)) }
        inquiries.end(session.lostAsides(), .lost)
        tellInquiries(link)
        link.ended(self, failure: failure, lost: lost)
    }

    // MARK: Reading

    @inline(__always) private func settlement(_ place: Int, _ outcome: Outcome, rawID: String = "", at wall: Int64) -> Settled {
        let one = inFlight[place]
        return Settled(
            slot: one.slot, attempt: one.attempt, part: one.part, outcome: outcome, handedAt: one.handedAt, rawID: rawID)
    }

    private func take(_ frame: Frame, _ link: SMPPLink) {
        switch session.received(frame, at: now.steady, out: &out) {
        case .none: break
        case .answered(let place, let status, let messageID): answered(place, status, frame[messageID], link)
        case .deliver(let sequence): deliver(frame, .deliver, sequence, link)
        case .data(let sequence): deliver(frame, .data, sequence, link)
        case .asideAnswered(let tag, let status): heard(tag, status, frame, link)
        // None of ours stands in the window, and a handset that is there again changes nothing.
        case .requestAnswered, .alert: break
        case .bound(let answer): link.bound(self, answer)
        case .bindRefused(let status):
            failure = "bind refused: \(status)"
            closesAfterFlush = true
        case .answerUnreadable(let place, let fault):
            link.connection.counters.answersUnreadable += 1
            link.connection.note("an answer cannot be read: \(fault)")
            settled.append(settlement(place, .unknown, at: now.wall))
        case .unknownAnswer: link.connection.counters.answersUnknown += 1
        case .refusedRequest: link.connection.counters.requestsRefused += 1
        case .peerUnbinds:
            failure = "the peer has unbound"
            closesAfterFlush = true
        case .unbound: closesAfterFlush = true
        }
    }

    @inline(__always)
    private func answered(_ place: Int, _ status: CommandStatus, _ messageID: UnsafeRawBufferPointer, _ link: SMPPLink) {
        let connection = link.connection
        connection.counters.answers += 1
        let outcome: Outcome
        var rawID = ""
        switch status == .ok ? .accepted : connection.settings.statuses.meaning(of: status) {
        case .accepted:
            let id = MessageIdentifier.canonical(messageID)
            rawID = MessageIdentifier.given(messageID, unlike: id)
            outcome = .accepted(providerID: id)
        case .throttled:
            connection.throttled(at: now.steady)
            outcome = .throttled(status: status.rawValue)
        case .temporary: outcome = .deferred(status: status.rawValue)
        case .permanent: outcome = .refused(status: status.rawValue)
        }
        settled.append(settlement(place, outcome, rawID: rawID, at: now.wall))
    }

    /// - Parameter command: deliver_sm, or data_sm, which some operators use in its place.
    private func deliver(_ frame: Frame, _ command: Command, _ sequence: UInt32, _ link: SMPPLink) {
        let connection = link.connection
        let view: MessageView
        do {
            view = try MessageView(frame)
        } catch {
            connection.counters.receiptsUnreadable += 1
            return answer(command, sequence, error.status)
        }
        guard let receipt = Receipt(view, in: frame) else {
            if view.esmClass.isReceipt || view.esmClass.isIntermediateNotification {
                // It names no message or no state: asking for it again would bring the same.
                connection.counters.receiptsUnreadable += 1
                answer(command, sequence, .permanentReceiverError)
            } else {
                inbound.append(InboundReading.read(view, frame, group: connection.group))
                inboundRequests.append((command, sequence))
            }
            return
        }
        let raw = MessageIdentifier.canonical(frame[receipt.messageID])
        let reading = connection.receiptReading
        heard.append(
            Heard(
                group: connection.group, providerID: reading == .asIs ? raw : MessageIdentifier.fromReceipt(raw, reading),
                state: ReceiptState(receipt.state), error: receipt.error ?? 0, receiptID: raw,
                handset: SMPPHandler.digits(frame[view.source.text])))
        receipts.append((command, sequence))
    }

    /// A number with or without its plus sign; 0: none.
    private static func digits(_ octets: UnsafeRawBufferPointer) -> UInt64 {
        guard octets.count <= 19 else { return 0 }
        var number: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            if index == 0, octet == UInt8(ascii: "+") { continue }
            guard (48...57).contains(octet) else { return 0 }
            number = number * 10 + UInt64(octet - 48)
        }
        return number
    }

    private func answer(_ command: Command, _ sequence: UInt32, _ status: CommandStatus) {
        if command == .data {
            session.answerData(sequence: sequence, status: status, out: &out)
        } else {
            session.answerDeliver(sequence: sequence, status: status, out: &out)
        }
    }

    private func endBatch() {
        guard isReading, let link else { return }
        let connection = link.connection
        if !settled.isEmpty {
            let batch = settled
            settled.removeAll(keepingCapacity: true)
            connection.owner?.settled(batch, by: connection)
        }
        if !heard.isEmpty {
            let batch = heard
            let sequences = receipts
            heard.removeAll(keepingCapacity: true)
            receipts.removeAll(keepingCapacity: true)
            connection.counters.receipts += batch.count
            connection.owner?.heard(batch, by: connection) { [weak self] kept in
                guard let self else { return }
                if !kept { self.link?.connection.counters.receiptsDeferred += sequences.count }
                self.answer(sequences, kept: kept)
            }
        }
        if !inbound.isEmpty {
            let batch = inbound
            let sequences = inboundRequests
            inbound.removeAll(keepingCapacity: true)
            inboundRequests.removeAll(keepingCapacity: true)
            connection.counters.inbound += batch.count
            connection.owner?.received(batch, by: connection) { [weak self] kept in
                guard let self else { return }
                if !kept { self.link?.connection.counters.inboundDeferred += sequences.count }
                self.answer(sequences, kept: kept)
            }
        }
        tellInquiries(link)
        connection.refill()
        isReading = false
        flush()
        if closesAfterFlush { context?.close(promise: nil) }
    }

    /// What the peer brings is acknowledged only when its record is durable; else the peer keeps it and brings it again.
    private func answer(_ requests: [(command: Command, sequence: UInt32)], kept: Bool) {
        guard link != nil else { return }
        let status = kept ? CommandStatus.ok : .temporaryReceiverError
        for one in requests { answer(one.command, one.sequence, status) }
        if !isReading { flush() }
    }

    // MARK: Writing

    /// Writes one part as a submit_sm; the caller has seen room. Returns what was wrong, nothing was written then.
    @inline(__always)
    func submit(
        _ fields: MessageFields, octets: UnsafeRawBufferPointer, parameters: UnsafeRawBufferPointer, as one: InFlight, at steady: Int64
    ) -> EncodingFault? {
        guard let (sequence, place) = session.take(at: steady) else { preconditionFailure("a submit needs room") }
        if let fault = out.writeMessage(.submit, fields, sequence: sequence, shortMessage: octets, parameters: parameters) {
            session.giveBack(place: place)
            return fault
        }
        inFlight[place] = one
        return nil
    }

    /// Writes an inquiry beside the window.
    func writeAside(
        _ inquiry: Inquiry, _ source: Address, _ destination: Address, _ tag: Int, at steady: Int64
    ) throws(EncodingFault) {
        switch inquiry.what {
        case .query: try session.askAside(Query(messageID: inquiry.wireID, source: source), tag: tag, at: steady, out: &out)
        case .cancel:
            try session.cancelAside(
                Cancel(messageID: inquiry.wireID, source: source, destination: destination), tag: tag, at: steady, out: &out)
        }
    }

    func tellInquiries() {
        if let link { tellInquiries(link) }
    }

    private func tellInquiries(_ link: SMPPLink) {
        guard !inquiries.answers.isEmpty else { return }
        let batch = inquiries.answers
        inquiries.answers.removeAll(keepingCapacity: true)
        link.connection.counters.inquiries += batch.count
        link.connection.owner?.asked(batch, by: link.connection)
    }

    /// One write for all that was put together since the last.
    func flush() {
        guard out.readableBytes > 0, let context, !isReading else { return }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        // The socket took it within this call in the usual case; then the storage is ours again and nothing is allocated.
        out.clear()
    }

    /// Unbinds; the link is told when it has ended.
    func unbind(at steady: Int64) {
        guard case .bound = session.state else {
            fail("")
            return
        }
        session.unbind(at: steady, out: &out)
        flush()
    }

    func apply(_ settings: ClientSession.Settings) {
        let old = inFlight
        session.apply(settings, grown: { inFlight = ContiguousArray(repeating: .empty, count: $0) }, move: { inFlight[$1] = old[$0] })
    }

    /// What is due by time: answers that did not come, enquire_link, dead links.
    func sweep(_ now: Instant) {
        guard let link else { return }
        var expired: [Settled] = []
        let alarm = session.tick(at: now.steady, out: &out) { place in expired.append(settlement(place, .unknown, at: now.wall)) }
        flush()
        inquiries.end(session.expiredAsides(at: now.steady), .silent)
        tellInquiries(link)
        if !expired.isEmpty {
            link.connection.counters.answersMissing += expired.count
            link.connection.owner?.settled(expired, by: link.connection)
        }
        switch alarm {
        case nil: break
        case .bindTimedOut: fail("no answer to the bind")
        case .linkDead: fail("no answer to enquire_link")
        case .unbindTimedOut: fail("no answer to unbind")
        }
    }
}

extension ReceiptState {
    /// SMPP 5.0's two more states read as the nearest of 3.4.
    init(_ state: DeliveryState) {
        switch state {
        case .scheduled, .enroute: self = .enroute
        case .delivered: self = .delivered
        case .expired: self = .expired
        case .deleted: self = .deleted
        case .undeliverable, .skipped: self = .undeliverable
        case .accepted: self = .accepted
        case .unknown: self = .unknown
        case .rejected: self = .rejected
        }
    }
}
