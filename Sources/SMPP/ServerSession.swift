public import NIOCore

/// The SMSC's side of one SMPP connection as a pure machine: for a simulator or a server. It checks the order of things (bind first,
/// mode, windows of both directions, enquire_link); what a bind or a request is worth is the owner's to say, at once or later.
/// All times are steady microseconds of one clock.
///
/// A request that comes up as an event is open until the owner answers it, once, by its sequence number: `answerSubmit` and its
/// sisters, or `refuse`, or `forget`. Open requests of all kinds count in one window.
public struct ServerSession: ~Copyable {
    public struct Settings: Equatable, Sendable {
        /// Given in bind answers, at most 15 octets.
        public var systemID: String
        /// Requests that may be unanswered; one more is answered `overflowStatus` at once. 1 ... 16,384.
        public var window: Int
        public var overflowStatus: CommandStatus
        /// deliver_sm and data_sm of ours that may be unanswered, 1 ... 16,384.
        public var deliverWindow: Int
        /// Wait for a bind after the connection was opened.
        public var bindTimeout: Int64
        public var enquireInterval: Int64
        /// Wait for the answer to a deliver or enquire_link; also how long an unbind of the peer waits for our own answers.
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

    public enum State: Equatable, Sendable {
        case open, deciding(Bind.Mode), bound(Bind.Mode)
        /// We have asked for the end.
        case unbinding(Bind.Mode)
        /// The peer has asked for the end, and requests of its are open: unbind_resp is written after the last answer.
        case leaving
        case ended
    }

    /// Small, since one is returned for every frame: what is rare and large stands behind a reference.
    public enum Event: Equatable, Sendable {
        case none
        /// Check it, then call `acceptBind` or `refuseBind`; until then every other request is refused.
        indirect case bind(Bind)
        /// A submit_sm within the window: read it with `MessageView`, then call `answerSubmit`.
        case submit(sequence: UInt32)
        /// Read it with `MultiView` or `MultiSubmit`, then call `answerMulti`.
        case submitMulti(sequence: UInt32)
        /// Read it with `MessageView` or `DataMessage`, then call `answerData`.
        case data(sequence: UInt32)
        /// Then call `answerQuery`.
        indirect case query(Query, sequence: UInt32)
        /// Then call `answerCancel`.
        indirect case cancel(Cancel, sequence: UInt32)
        /// Then call `answerReplace`.
        indirect case replace(Replace, sequence: UInt32)
        /// A deliver was answered and its place is free.
        case answered(place: Int, status: CommandStatus)
        case unknownAnswer(sequence: UInt32)
        /// Refused in the machine; the answer was written.
        case refused(Command, CommandStatus)
        /// The peer unbinds: close when `state` is `.ended` and all is flushed. That is at once when none of its requests is open, else
        /// after the last answer.
        case peerUnbinds
        case unbound
    }

    public enum Alarm: Equatable, Sendable { case bindTimedOut, linkDead, unbindTimedOut }

    public internal(set) var state = State.open
    public private(set) var settings: Settings
    var window: Window
    var requests = OpenRequests()
    /// interface_version of the bind; 0x34 before it.
    public private(set) var peerVersion: UInt8 = 0x34
    private var bindSequence: UInt32 = 0
    private var unbindSequence: UInt32 = 0
    private var unbindOfPeer: UInt32 = 0
    private var heardAt: Int64
    private var enquiredAt: Int64?
    private var stepAt: Int64

    public init(settings: Settings = Settings(), at now: Int64) {
        self.settings = settings
        window = Window(limit: settings.deliverWindow)
        heardAt = now
        stepAt = now
    }

    /// Places of our own requests; may be larger after `acceptBind` or `apply` with another `deliverWindow`.
    public var places: Int { window.places }
    /// Delivers without an answer.
    public var outstanding: Int { window.outstanding }
    /// Requests given up to the owner and not yet answered.
    public var openRequests: Int { requests.count }

    /// deliver_sm and data_sm that may be written now.
    public var room: Int {
        if case .bound(let mode) = state, mode.receives { return window.room }
        return 0
    }

    /// False when the peer bound with an interface_version before 3.4: it must be sent no optional parameters and no data_sm
    /// (sections 3.4 and 5.2.4).
    public var allowsParameters: Bool { peerVersion >= 0x34 }

    /// Longest message_id that the peer's version has room for, in octets: 8 before 3.4.
    public var messageIDOctets: Int { allowsParameters ? Limits.messageIDOctets : 8 }

    // MARK: Binding

    /// - Parameter settings: of the account that has bound, when they differ. Size what you keep by place by `places` afterwards.
    public mutating func acceptBind(_ settings: Settings? = nil, out: inout ByteBuffer) throws(EncodingFault) {
        guard case .deciding(let mode) = state else { return }
        let chosen = settings ?? self.settings
        // sc_interface_version is an optional parameter itself; ours is 3.4 whatever later one the peer has.
        let version: UInt8? = allowsParameters ? 0x34 : nil
        try out.writeBindResponse(mode, BindResponse(systemID: chosen.systemID, interfaceVersion: version), sequence: bindSequence)
        state = .bound(mode)
        apply(chosen, grown: { _ in }, move: { _, _ in })
    }

    /// The session is open for another bind afterwards, as the specification allows; most servers close.
    public mutating func refuseBind(_ status: CommandStatus, out: inout ByteBuffer) {
        guard case .deciding(let mode) = state else { return }
        out.writeHeaderOnly(mode.command.response, status: status, sequence: bindSequence)
        state = .open
    }

    /// Other settings from now on. What is open or outstanding stays so. `grown` gets the new number of places before `move` is told of
    /// each open deliver that gets another place.
    public mutating func apply(_ settings: Settings, grown: (Int) -> Void, move: (_ old: Int, _ new: Int) -> Void) {
        self.settings = settings
        window.setLimit(settings.deliverWindow, grown: grown, move: move)
    }

    // MARK: Reading

    public mutating func received(_ frame: Frame, at now: Int64, out: inout ByteBuffer) -> Event {
        heardAt = now
        enquiredAt = nil
        let header = frame.header
        switch header.command {
        case .submit, .submitMulti, .data: return submitted(header, out: &out)
        case .deliverResponse, .dataResponse, .genericNack: return answered(header)
        case .enquireLink:
            out.writeHeaderOnly(.enquireLinkResponse, sequence: header.sequence)
            return .none
        case .enquireLinkResponse: return .none
        case .bindReceiver, .bindTransmitter, .bindTransceiver: return binds(frame, out: &out)
        case .unbind: return peerUnbinds(header, at: now, out: &out)
        case .unbindResponse:
            guard case .unbinding = state, header.sequence == unbindSequence else { return .unknownAnswer(sequence: header.sequence) }
            state = .ended
            return .unbound
        case .query, .cancel, .replace: return asked(frame, out: &out)
        default:
            if header.command.isResponse { return .unknownAnswer(sequence: header.sequence) }
            out.writeHeaderOnly(.genericNack, status: .invalidCommand, sequence: header.sequence)
            return .refused(header.command, .invalidCommand)
        }
    }

    /// The stream cannot be followed any more (`FrameReader` threw): says so to the peer by generic_nack, and ends the session. Close
    /// when it is flushed, and ask `lost` what is unsettled.
    public mutating func unfollowable(_ fault: PDUFault, out: inout ByteBuffer) {
        guard state != .ended else { return }
        out.writeHeaderOnly(.genericNack, status: fault.status, sequence: 0)
        state = .ended
    }

    private func refuse(_ header: Header, _ status: CommandStatus, out: inout ByteBuffer) -> Event {
        out.writeRefusal(of: header.command, status, sequence: header.sequence)
        return .refused(header.command, status)
    }

    /// Why a request cannot be taken now; nil: it can.
    private var hindrance: CommandStatus? {
        guard case .bound(let mode) = state, mode.transmits else { return .wrongBindState }
        return requests.count < min(max(settings.window, 1), Window.limitMaximum) ? nil : settings.overflowStatus
    }

    private mutating func submitted(_ header: Header, out: inout ByteBuffer) -> Event {
        if let status = hindrance { return refuse(header, status, out: &out) }
        requests.insert(header.command, header.sequence)
        return switch header.command {
        case .submitMulti: .submitMulti(sequence: header.sequence)
        case .data: .data(sequence: header.sequence)
        default: .submit(sequence: header.sequence)
        }
    }

    private mutating func asked(_ frame: Frame, out: inout ByteBuffer) -> Event {
        let header = frame.header
        if let status = hindrance { return refuse(header, status, out: &out) }
        do {
            let event: Event =
                switch header.command {
                case .query: .query(try Query(frame), sequence: header.sequence)
                case .cancel: .cancel(try Cancel(frame), sequence: header.sequence)
                default: .replace(try Replace(frame), sequence: header.sequence)
                }
            requests.insert(header.command, header.sequence)
            return event
        } catch {
            return refuse(header, error.status, out: &out)
        }
    }

    private mutating func answered(_ header: Header) -> Event {
        if let place = window.place(of: header.sequence) {
            let isNack = header.command == .genericNack
            guard isNack || window.kind(at: place) == RequestKind(answeredBy: header.command) else {
                return .unknownAnswer(sequence: header.sequence)
            }
            window.free(place)
            // A nack that says "no error" is a refusal all the same.
            return .answered(place: place, status: isNack && header.status == .ok ? .unknownError : header.status)
        }
        if header.command == .genericNack, case .unbinding = state, header.sequence == unbindSequence {
            state = .ended
            return .unbound
        }
        return .unknownAnswer(sequence: header.sequence)
    }

    private mutating func binds(_ frame: Frame, out: inout ByteBuffer) -> Event {
        switch state {
        case .open: break
        case .leaving, .ended: return refuse(frame.header, .wrongBindState, out: &out)
        case .deciding, .bound, .unbinding: return refuse(frame.header, .alreadyBound, out: &out)
        }
        do {
            let bind = try Bind(frame)
            state = .deciding(bind.mode)
            bindSequence = frame.header.sequence
            peerVersion = bind.interfaceVersion
            return .bind(bind)
        } catch {
            return refuse(frame.header, error.status, out: &out)
        }
    }

    private mutating func peerUnbinds(_ header: Header, at now: Int64, out: inout ByteBuffer) -> Event {
        if case .leaving = state { return .none }
        guard requests.count > 0 else {
            out.writeHeaderOnly(.unbindResponse, sequence: header.sequence)
            state = .ended
            return .peerUnbinds
        }
        (unbindOfPeer, stepAt) = (header.sequence, now)
        state = .leaving
        return .peerUnbinds
    }

    // MARK: Ending

    /// Called when a request was answered or forgotten.
    mutating func leaveIfDone(out: inout ByteBuffer) {
        guard case .leaving = state, requests.count == 0 else { return }
        out.writeHeaderOnly(.unbindResponse, sequence: unbindOfPeer)
        state = .ended
    }

    /// Writes an unbind; nothing more is taken, answers go both ways. Nothing happens unless bound.
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
        case .unbinding, .leaving: return now - stepAt >= settings.answerTimeout ? .unbindTimedOut : nil
        case .bound: break
        }
        if let enquiredAt { return now - enquiredAt >= settings.answerTimeout ? .linkDead : nil }
        if now - heardAt >= settings.enquireInterval {
            out.writeHeaderOnly(.enquireLink, sequence: window.number())
            enquiredAt = now
        }
        return nil
    }

    /// When `tick` has something to do, as things stand now; nil: never.
    public mutating func deadline() -> Int64? {
        let answer = window.first().map { $0.takenAt + settings.answerTimeout }
        let step: Int64? =
            switch state {
            case .ended: nil
            case .open, .deciding: stepAt + settings.bindTimeout
            case .unbinding, .leaving: stepAt + settings.answerTimeout
            case .bound: enquiredAt.map { $0 + settings.answerTimeout } ?? heardAt + settings.enquireInterval
            }
        guard let answer else { return step }
        guard let step else { return answer }
        return min(answer, step)
    }

    /// The transport is gone: every deliver without an answer, oldest first. Open requests of the peer are forgotten: answers that the
    /// owner still gives are written nowhere.
    public mutating func lost(_ unsettled: (_ place: Int) -> Void) {
        state = .ended
        requests = OpenRequests()
        window.drain(unsettled)
    }
}
