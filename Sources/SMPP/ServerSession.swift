public import NIOCore

/// The SMSC's side of one SMPP connection as a pure machine: for a simulator or a server. It checks the order of things (bind first,
/// mode, window of both directions, enquire_link); what a bind or submit is worth is the owner's to say.
/// All times are steady microseconds of one clock.
public struct ServerSession: ~Copyable {
    public struct Settings: Equatable, Sendable {
        /// Given in bind answers, at most 15 octets.
        public var systemID: String
        /// Submits that may be unanswered; one more is answered `overflowStatus` at once. 1 ... 16,384.
        public var window: Int
        public var overflowStatus: CommandStatus
        /// deliver_sm that may be unanswered, 1 ... 16,384.
        public var deliverWindow: Int
        /// Wait for a bind after the connection was opened.
        public var bindTimeout: Int64
        public var enquireInterval: Int64
        /// Wait for the answer to a deliver or enquire_link.
        public var answerTimeout: Int64

        public init(
            systemID: String = "SMSC", window: Int = 1000, overflowStatus: CommandStatus = .throttled, deliverWindow: Int = 100,
            bindTimeout: Int64 = 10_000_000, enquireInterval: Int64 = 60_000_000, answerTimeout: Int64 = 30_000_000
        ) {
            self.systemID = systemID
            self.window = window
            self.overflowStatus = overflowStatus
            self.deliverWindow = deliverWindow
            self.bindTimeout = bindTimeout
            self.enquireInterval = enquireInterval
            self.answerTimeout = answerTimeout
        }
    }

    public enum State: Equatable, Sendable { case open, deciding(Bind.Mode), bound(Bind.Mode), unbinding(Bind.Mode), ended }

    public enum Event: Equatable, Sendable {
        case none
        /// Check it, then call `acceptBind` or `refuseBind`; until then every other request is refused.
        case bind(Bind)
        /// A submit_sm within the window: read it with `MessageView`, then call `answerSubmit` exactly once.
        case submit(sequence: UInt32)
        /// Answer with `ByteBuffer.writePacket`.
        case query(Query, sequence: UInt32)
        case cancel(Cancel, sequence: UInt32)
        /// A deliver was answered and its place is free.
        case answered(place: Int, status: CommandStatus)
        case unknownAnswer(sequence: UInt32)
        /// Refused in the machine; the answer was written.
        case refused(Command, CommandStatus)
        /// The peer unbinds; its answer was written: close when that is flushed.
        case peerUnbinds
        case unbound
    }

    public enum Alarm: Equatable, Sendable { case bindTimedOut, linkDead, unbindTimedOut }

    public private(set) var state = State.open
    private let settings: Settings
    private var window: Window
    /// Submits given up to the owner and not yet answered.
    public private(set) var openSubmits = 0
    private var bindSequence: UInt32 = 0
    private var unbindSequence: UInt32 = 0
    private var heardAt: Int64
    private var enquiredAt: Int64?
    private var stepAt: Int64

    public init(settings: Settings = Settings(), at now: Int64) {
        self.settings = settings
        window = Window(limit: settings.deliverWindow)
        heardAt = now
        stepAt = now
    }

    public var places: Int { window.places }
    /// Delivers without an answer.
    public var outstanding: Int { window.outstanding }

    /// deliver_sm that may be written now.
    public var room: Int {
        if case .bound(let mode) = state, mode.receives { return window.room }
        return 0
    }

    public mutating func acceptBind(out: inout ByteBuffer) throws(EncodingFault) {
        guard case .deciding(let mode) = state else { return }
        try out.writeBindResponse(mode, BindResponse(systemID: settings.systemID), sequence: bindSequence)
        state = .bound(mode)
    }

    /// The session is open for another bind afterwards, as the specification allows; most servers close.
    public mutating func refuseBind(_ status: CommandStatus, out: inout ByteBuffer) {
        guard case .deciding(let mode) = state else { return }
        out.writeHeaderOnly(mode.command.response, status: status, sequence: bindSequence)
        state = .open
    }

    /// - Throws: when the id cannot be written; the submit is then still open: answer it otherwise.
    public mutating func answerSubmit(
        sequence: UInt32, status: CommandStatus = .ok, messageID: String = "", out: inout ByteBuffer
    ) throws(EncodingFault) {
        try out.writeAnswer(.submitResponse, messageID: messageID, status: status, sequence: sequence)
        openSubmits = max(0, openSubmits - 1)
    }

    /// For an owner that never answers a submit: it is no longer counted in the window.
    public mutating func forgetSubmit() { openSubmits = max(0, openSubmits - 1) }

    /// Takes a place for one deliver_sm; nil without room. The caller writes it with this sequence number.
    public mutating func take(at now: Int64) -> (sequence: UInt32, place: Int)? {
        room > 0 ? window.take(at: now) : nil
    }

    public mutating func giveBack(place: Int) { window.free(place) }

    public mutating func received(_ frame: Frame, at now: Int64, out: inout ByteBuffer) -> Event {
        heardAt = now
        enquiredAt = nil
        let header = frame.header
        switch header.command {
        case .submit: return submitted(header, out: &out)
        case .deliverResponse, .genericNack: return answered(header)
        case .enquireLink:
            out.writeHeaderOnly(.enquireLinkResponse, sequence: header.sequence)
            return .none
        case .enquireLinkResponse: return .none
        case .bindReceiver, .bindTransmitter, .bindTransceiver: return binds(frame, out: &out)
        case .unbind:
            out.writeHeaderOnly(.unbindResponse, sequence: header.sequence)
            state = .ended
            return .peerUnbinds
        case .unbindResponse:
            guard case .unbinding = state, header.sequence == unbindSequence else { return .unknownAnswer(sequence: header.sequence) }
            state = .ended
            return .unbound
        case .query, .cancel: return asked(frame, out: &out)
        default:
            if header.command.isResponse { return .unknownAnswer(sequence: header.sequence) }
            out.writeHeaderOnly(.genericNack, status: .invalidCommand, sequence: header.sequence)
            return .refused(header.command, .invalidCommand)
        }
    }

    private mutating func refuse(_ header: Header, _ status: CommandStatus, out: inout ByteBuffer) -> Event {
        out.writeHeaderOnly(header.command.response, status: status, sequence: header.sequence)
        return .refused(header.command, status)
    }

    private var transmits: Bool {
        if case .bound(let mode) = state { mode.transmits } else { false }
    }

    private mutating func submitted(_ header: Header, out: inout ByteBuffer) -> Event {
        guard transmits else { return refuse(header, .wrongBindState, out: &out) }
        guard openSubmits < settings.window else { return refuse(header, settings.overflowStatus, out: &out) }
        openSubmits += 1
        return .submit(sequence: header.sequence)
    }

    private mutating func answered(_ header: Header) -> Event {
        if let place = window.place(of: header.sequence) {
            window.free(place)
            return .answered(place: place, status: header.status)
        }
        if header.command == .genericNack, case .unbinding = state, header.sequence == unbindSequence {
            state = .ended
            return .unbound
        }
        return .unknownAnswer(sequence: header.sequence)
    }

    private mutating func binds(_ frame: Frame, out: inout ByteBuffer) -> Event {
        guard state == .open else { return refuse(frame.header, .alreadyBound, out: &out) }
        do {
            let bind = try Bind(frame)
            state = .deciding(bind.mode)
            bindSequence = frame.header.sequence
            return .bind(bind)
        } catch {
            return refuse(frame.header, error.status, out: &out)
        }
    }

    private mutating func asked(_ frame: Frame, out: inout ByteBuffer) -> Event {
        guard transmits else { return refuse(frame.header, .wrongBindState, out: &out) }
        do {
            if frame.header.command == .query { return .query(try Query(frame), sequence: frame.header.sequence) }
            return .cancel(try Cancel(frame), sequence: frame.header.sequence)
        } catch {
            return refuse(frame.header, error.status, out: &out)
        }
    }

    public mutating func unbind(at now: Int64, out: inout ByteBuffer) {
        guard case .bound(let mode) = state else { return }
        unbindSequence = window.number()
        out.writeHeaderOnly(.unbind, sequence: unbindSequence)
        state = .unbinding(mode)
        stepAt = now
    }

    /// Does what is due: delivers without an answer go to `expired`, oldest first; a silent peer is asked for a sign of life.
    public mutating func tick(at now: Int64, out: inout ByteBuffer, steps: Int = 1024, expired: (_ place: Int) -> Void) -> Alarm? {
        var left = steps
        while left > 0, let (place, takenAt) = window.first(), now - takenAt >= settings.answerTimeout {
            window.free(place)
            expired(place)
            left -= 1
        }
        switch state {
        case .ended: return nil
        case .open, .deciding: return now - stepAt >= settings.bindTimeout ? .bindTimedOut : nil
        case .unbinding: return now - stepAt >= settings.answerTimeout ? .unbindTimedOut : nil
        case .bound: break
        }
        if let enquiredAt { return now - enquiredAt >= settings.answerTimeout ? .linkDead : nil }
        if now - heardAt >= settings.enquireInterval {
            out.writeHeaderOnly(.enquireLink, sequence: window.number())
            enquiredAt = now
        }
        return nil
    }

    /// The transport is gone: every deliver without an answer, oldest first.
    public mutating func lost(_ unsettled: (_ place: Int) -> Void) {
        state = .ended
        window.drain(unsettled)
    }
}
