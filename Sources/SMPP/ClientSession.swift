public import NIOCore

/// The ESME's side of one SMPP connection as a pure machine: time and frames come in, octets to write and events go out.
/// It holds no socket, no clock and no text of any message. All times are steady microseconds of one clock.
///
/// Requests are named by their place, 0 ..< `places`: keep what belongs to one, and which command it is, in an array of that size.
public struct ClientSession: ~Copyable {
    public struct Settings: Equatable, Sendable {
        /// Submits and other requests that may be unanswered, 1 ... 16,384.
        public var window: Int
        /// Wait for the answer to a bind.
        public var bindTimeout: Int64
        /// Silence of the peer before an enquire_link.
        public var enquireInterval: Int64
        /// Wait for the answer to a submit or enquire_link.
        public var answerTimeout: Int64

        public init(
            window: Int = 50, bindTimeout: Int64 = 10_000_000, enquireInterval: Int64 = 30_000_000, answerTimeout: Int64 = 10_000_000
        ) {
            self.window = window
            self.bindTimeout = bindTimeout
            self.enquireInterval = enquireInterval
            self.answerTimeout = answerTimeout
        }
    }

    public enum State: Equatable, Sendable { case idle, binding(Bind.Mode), bound(Bind.Mode), unbinding(Bind.Mode), ended }

    /// What a frame meant to the owner.
    public enum Event: Equatable, Sendable {
        /// Handled, or nothing to do.
        case none
        case bound(BindResponse)
        /// The session has ended.
        case bindRefused(CommandStatus)
        /// A submit was answered and its place is free. `messageID` is a field of this frame.
        case answered(place: Int, status: CommandStatus, messageID: Field)
        /// A submit was answered but the answer cannot be read: what became of it is not known. Its place is free.
        case answerUnreadable(place: Int, PDUFault)
        /// An answer to nothing that is open: late, doubled, or of another's making.
        case unknownAnswer(sequence: UInt32)
        /// A query_sm, cancel_sm, replace_sm, submit_multi or data_sm of ours (`request`) was answered, and its place is free. The frame
        /// is the answer: read it with `QueryResponse`, `MultiAnswer` or `DataAnswer` when the status is ESME_ROK. It is a generic_nack
        /// when the peer does not know the command.
        case requestAnswered(place: Int, request: Command, status: CommandStatus)
        /// A request beside the window was answered: as above, by its tag.
        case asideAnswered(tag: Int, status: CommandStatus)
        /// A deliver_sm: read it with `MessageView`, then call `answerDeliver`.
        case deliver(sequence: UInt32)
        /// A data_sm: read it with `MessageView` or `DataMessage`, then call `answerData`.
        case data(sequence: UInt32)
        /// An alert_notification: read it with `AlertNotification`. It has no answer.
        case alert
        /// A request that is not served; generic_nack was written.
        case refusedRequest(Command)
        /// The peer unbinds; its answer was written. Nothing more may be submitted; close when that is flushed.
        case peerUnbinds
        /// Our unbind was answered: close.
        case unbound
    }

    public enum Alarm: Equatable, Sendable {
        /// No answer to the bind: close.
        case bindTimedOut
        /// No sign of life after an enquire_link: close.
        case linkDead
        /// No answer to our unbind: close.
        case unbindTimedOut
    }

    public private(set) var state = State.idle
    private var settings: Settings
    private var window: Window
    var asides = Asides()
    private var bindSequence: UInt32 = 0
    private var unbindSequence: UInt32 = 0
    private var enquiredAt: Int64?
    private var heardAt: Int64 = 0
    /// When the bind or unbind in progress was written.
    private var stepAt: Int64 = 0
    /// sc_interface_version of the peer: nil before the bind, and when it did not say. By the specification such a peer knows no
    /// optional parameters (section 3.4); in practice many do, so the choice is the owner's.
    public private(set) var peerVersion: UInt8?

    public init(settings: Settings = Settings()) {
        self.settings = settings
        window = Window(limit: settings.window)
    }

    public var places: Int { window.places }
    public var outstanding: Int { window.outstanding }

    /// Submits that may be written now.
    public var room: Int {
        if case .bound(let mode) = state, mode.transmits { return window.room }
        return 0
    }

    /// Writes the bind. Call once, when the transport is open.
    public mutating func open(_ bind: Bind, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) {
        precondition(state == .idle, "a session binds once")
        bindSequence = window.number()
        try out.writeBind(bind, sequence: bindSequence)
        state = .binding(bind.mode)
        (stepAt, heardAt) = (now, now)
    }

    /// Takes a place for one submit; nil without room. The caller then writes the submit_sm with this sequence number.
    @inline(__always) public mutating func take(at now: Int64) -> (sequence: UInt32, place: Int)? {
        room > 0 ? window.take(at: now) : nil
    }

    /// Gives back a place whose submit was not written.
    public mutating func giveBack(place: Int) { window.free(place) }

    // MARK: Other requests, in the same window

    /// Writes a query_sm; nil, and nothing written, without room. So the four below. What belongs to the request is kept by place.
    public mutating func query(_ query: Query, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        try request(.query, at: now) { sequence throws(EncodingFault) in try out.writeQuery(query, sequence: sequence) }
    }

    public mutating func cancel(_ cancel: Cancel, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        try request(.cancel, at: now) { sequence throws(EncodingFault) in try out.writeCancel(cancel, sequence: sequence) }
    }

    public mutating func replace(_ replace: Replace, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        try request(.replace, at: now) { sequence throws(EncodingFault) in try out.writeReplace(replace, sequence: sequence) }
    }

    public mutating func submitMulti(_ multi: MultiSubmit, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        try request(.submitMulti, at: now) { sequence throws(EncodingFault) in try out.writeMultiSubmit(multi, sequence: sequence) }
    }

    public mutating func submitData(_ message: DataMessage, at now: Int64, out: inout ByteBuffer) throws(EncodingFault) -> Int? {
        try request(.data, at: now) { sequence throws(EncodingFault) in try out.writeData(message, sequence: sequence) }
    }

    private mutating func request(
        _ kind: RequestKind, at now: Int64, _ write: (UInt32) throws(EncodingFault) -> Void
    ) throws(EncodingFault) -> Int? {
        guard room > 0 else { return nil }
        let (sequence, place) = window.take(at: now, kind)
        do {
            try write(sequence)
        } catch {
            window.free(place)
            throw error
        }
        return place
    }

    /// A number for a request beside the window.
    mutating func numberAside() -> UInt32 { window.number() }
    var answerTimeout: Int64 { settings.answerTimeout }

    // MARK: Answers

    public mutating func answerDeliver(sequence: UInt32, status: CommandStatus, out: inout ByteBuffer) {
        out.writeDeliverResponse(status: status, sequence: sequence)
    }

    /// Answers a data_sm of the peer with an empty message_id.
    public mutating func answerData(sequence: UInt32, status: CommandStatus, out: inout ByteBuffer) {
        out.writeRefusal(of: .data, status, sequence: sequence)
    }

    // MARK: Reading

    /// The stream cannot be followed any more (`FrameReader` threw): says so to the peer by generic_nack, and ends the session. Close
    /// when it is flushed, and ask `lost` what is unsettled.
    public mutating func unfollowable(_ fault: PDUFault, out: inout ByteBuffer) {
        guard state != .ended else { return }
        out.writeHeaderOnly(.genericNack, status: fault.status, sequence: 0)
        state = .ended
    }

    public mutating func received(_ frame: Frame, at now: Int64, out: inout ByteBuffer) -> Event {
        heardAt = now
        enquiredAt = nil
        let header = frame.header
        switch header.command {
        case .submitResponse: return submitAnswered(frame)
        case .deliver, .data: return delivered(header, out: &out)
        case .queryResponse, .cancelResponse, .replaceResponse, .submitMultiResponse, .dataResponse: return requestAnswered(header)
        case .genericNack: return nacked(header)
        case .enquireLink:
            out.writeHeaderOnly(.enquireLinkResponse, sequence: header.sequence)
            return .none
        case .enquireLinkResponse: return .none
        case .bindReceiverResponse, .bindTransmitterResponse, .bindTransceiverResponse: return bindAnswered(frame)
        case .unbind:
            out.writeHeaderOnly(.unbindResponse, sequence: header.sequence)
            state = .ended
            return .peerUnbinds
        case .unbindResponse:
            guard case .unbinding = state, header.sequence == unbindSequence else { return .unknownAnswer(sequence: header.sequence) }
            state = .ended
            return .unbound
        case .alertNotification: return .alert
        case .outbind:
            // It has no answer (section 4.1.7), and asks for nothing of a session that binds by itself.
            return .none
        default:
            if header.command.isResponse { return .unknownAnswer(sequence: header.sequence) }
            out.writeHeaderOnly(.genericNack, status: .invalidCommand, sequence: header.sequence)
            return .refusedRequest(header.command)
        }
    }

    @inline(__always) private mutating func submitAnswered(_ frame: Frame) -> Event {
        guard let place = window.place(of: frame.header.sequence), window.kind(at: place) == .usual else {
            return .unknownAnswer(sequence: frame.header.sequence)
        }
        window.free(place)
        do {
            return .answered(place: place, status: frame.header.status, messageID: try MessageIDView(frame).messageID)
        } catch {
            // A refusal needs no id.
            if frame.header.status != .ok { return .answered(place: place, status: frame.header.status, messageID: .none) }
            return .answerUnreadable(place: place, error)
        }
    }

    private mutating func requestAnswered(_ header: Header) -> Event {
        if let tag = asides.take(header.sequence, answeredBy: header.command) { return .asideAnswered(tag: tag, status: header.status) }
        guard let place = window.place(of: header.sequence), window.kind(at: place) == RequestKind(answeredBy: header.command) else {
            return .unknownAnswer(sequence: header.sequence)
        }
        window.free(place)
        return .requestAnswered(place: place, request: Command(rawValue: header.command.rawValue & 0x7FFF_FFFF), status: header.status)
    }

    private mutating func delivered(_ header: Header, out: inout ByteBuffer) -> Event {
        switch state {
        case .bound(let mode) where mode.receives, .unbinding(let mode) where mode.receives:
            return header.command == .deliver ? .deliver(sequence: header.sequence) : .data(sequence: header.sequence)
        default:
            // deliver_sm_resp and data_sm_resp have the same form: an empty message_id.
            out.writeMultipleIntegers(
                UInt32(17), header.command.response.rawValue, CommandStatus.wrongBindState.rawValue, header.sequence, UInt8(0))
            return .refusedRequest(header.command)
        }
    }

    private mutating func nacked(_ header: Header) -> Event {
        if let tag = asides.take(header.sequence, answeredBy: header.command) { return .asideAnswered(tag: tag, status: header.status) }
        if let place = window.place(of: header.sequence) {
            let kind = window.kind(at: place)
            window.free(place)
            // A nack that says "no error" is a refusal all the same.
            let status = header.status == .ok ? CommandStatus.unknownError : header.status
            if kind == .usual { return .answered(place: place, status: status, messageID: .none) }
            return .requestAnswered(place: place, request: kind.command(usual: .submit), status: status)
        }
        if case .binding = state, header.sequence == bindSequence {
            state = .ended
            return .bindRefused(header.status)
        }
        if case .unbinding = state, header.sequence == unbindSequence {
            state = .ended
            return .unbound
        }
        return .unknownAnswer(sequence: header.sequence)
    }

    private mutating func bindAnswered(_ frame: Frame) -> Event {
        let header = frame.header
        guard case .binding(let mode) = state, header.command == mode.command.response, header.sequence == bindSequence else {
            return .unknownAnswer(sequence: header.sequence)
        }
        guard header.status == .ok else {
            state = .ended
            return .bindRefused(header.status)
        }
        state = .bound(mode)
        // A bind is a bind even when its body is not well-formed: the status decides.
        let answer = (try? BindResponse(frame)) ?? BindResponse(systemID: "", interfaceVersion: nil)
        peerVersion = answer.interfaceVersion
        return .bound(answer)
    }

    /// Writes an unbind; no more is taken, answers still come in. Nothing happens unless bound.
    public mutating func unbind(at now: Int64, out: inout ByteBuffer) {
        guard case .bound(let mode) = state else { return }
        unbindSequence = window.number()
        out.writeHeaderOnly(.unbind, sequence: unbindSequence)
        state = .unbinding(mode)
        stepAt = now
    }

    /// Does what is due: gives requests without an answer to `expired`, oldest first, and asks a silent peer for a sign of life.
    /// `steps`, the most expired at once, bounds a call.
    public mutating func tick(at now: Int64, out: inout ByteBuffer, steps: Int = 1024, expired: (_ place: Int) -> Void) -> Alarm? {
        var left = steps
        while left > 0, let (place, takenAt) = window.first(), now - takenAt >= settings.answerTimeout {
            window.free(place)
            expired(place)
            left -= 1
        }
        switch state {
        case .idle, .ended: return nil
        case .binding: return now - stepAt >= settings.bindTimeout ? .bindTimedOut : nil
        case .unbinding: return now - stepAt >= settings.answerTimeout ? .unbindTimedOut : nil
        case .bound: return enquire(at: now, out: &out)
        }
    }

    private mutating func enquire(at now: Int64, out: inout ByteBuffer) -> Alarm? {
        if let enquiredAt {
            return now - enquiredAt >= settings.answerTimeout ? .linkDead : nil
        }
        if now - heardAt >= settings.enquireInterval {
            out.writeHeaderOnly(.enquireLink, sequence: window.number())
            enquiredAt = now
        }
        return nil
    }

    /// When `tick` or `expiredAsides` has something to do, as things stand now; nil: never.
    public mutating func deadline() -> Int64? {
        let oldest = [window.first()?.takenAt, asides.oldest].compactMap { $0 }.min()
        let answer = oldest.map { $0 + settings.answerTimeout }
        let step: Int64? =
            switch state {
            case .idle, .ended: nil
            case .binding: stepAt + settings.bindTimeout
            case .unbinding: stepAt + settings.answerTimeout
            case .bound: enquiredAt.map { $0 + settings.answerTimeout } ?? heardAt + settings.enquireInterval
            }
        guard let answer else { return step }
        guard let step else { return answer }
        return min(answer, step)
    }

    /// Other settings from now on. What is outstanding stays so. `grown` gets the new number of places before `move` is told of each
    /// open submit that gets another place.
    public mutating func apply(_ settings: Settings, grown: (Int) -> Void, move: (_ old: Int, _ new: Int) -> Void) {
        self.settings = settings
        window.setLimit(settings.window, grown: grown, move: move)
    }

    /// The transport is gone, or is to be closed: every submit without an answer, oldest first. What became of them is not known.
    public mutating func lost(_ unsettled: (_ place: Int) -> Void) {
        state = .ended
        window.drain(unsettled)
    }
}
