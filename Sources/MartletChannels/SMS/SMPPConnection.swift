public import MartletModel
import NIOCore
import SMPP

/// One way out by SMPP: a transceiver bind, or a transmitter and a receiver. Confined to its event loop: every call is made on it.
///
/// While it is started it keeps itself alive; `stop` ends that.
public final class SMPPConnection: Connection {
    public let name: String
    public let number: ConnectionNumber
    public let group: GroupNumber
    public internal(set) var counters = SMPPCounters()
    public private(set) var settings: SMPPConnectionSettings
    /// An operator holds it: bound, but nothing is taken.
    public private(set) var isHeld = false

    let eventLoop: any EventLoop
    private(set) weak var owner: (any ConnectionOwner)?
    let random: () -> UInt64
    private(set) var submitting: SMPPLink?
    private var hearing: SMPPLink?
    private var alive: SMPPConnection?
    private let makeDialer: (SMPPConnectionSettings) throws -> any SMPPDialer

    private var throttle: SMPPThrottle
    var inquiryPace = Pace(limit: SMPPConnection.inquiriesPerSecond)
    private var waiting = WaitingParts()
    private var fields = MessageFields()
    private var form = TextForm(.standard)
    private let learning: ReceiptLearning
    private var lastSender = ""
    private var lastSource: Address?
    /// Answers to be given to the owner at the next turn of the loop: never inside of its own call.
    private var later: [Settled] = []

    private var mode = Mode.stopped
    private var lastError = ""
    private var since: Int64
    private var wake: Scheduled<Void>?
    private var sweepTimer: Scheduled<Void>?
    private var drainTimer: Scheduled<Void>?
    private var isRefilling = false
    private var whenStopped: [() -> Void] = []

    /// Longest wait for open answers before a stop or a rebind, in microseconds.
    static let drainTime: Int64 = 5_000_000

    private enum Mode {
        case stopped
        case running
        /// Nothing is taken until the window is empty or time is up; then the binds end.
        case draining
        /// The binds are ending; then it is stopped, or bound anew with other settings.
        case ending
    }

    init(
        name: String, number: ConnectionNumber, group: GroupNumber, settings: SMPPConnectionSettings, eventLoop: any EventLoop,
        owner: any ConnectionOwner, learning: ReceiptLearning = ReceiptLearning(), random: @escaping () -> UInt64,
        makeDialer: @escaping (SMPPConnectionSettings) throws -> any SMPPDialer
    ) {
        self.name = name
        self.number = number
        self.group = group
        self.settings = settings
        self.eventLoop = eventLoop
        self.owner = owner
        self.learning = learning
        self.random = random
        self.makeDialer = makeDialer
        since = owner.now().wall
        throttle = SMPPThrottle(messagesPerSecond: settings.messagesPerSecond, partsPerSecond: settings.partsPerSecond)
        prepareFields()
    }

    public var window: Int { settings.window }

    // MARK: Receipts

    public var naming: (any ReceiptNaming)? { settings.profile.receiptID == .learn ? learning : nil }

    /// How a receipt's id is read first.
    var receiptReading: MessageIdentifier.Conversion { settings.profile.receiptID.conversion ?? learning.expected }

    /// The same for people: `decimalToHex (learnt)`.
    public var receiptReadingWords: String {
        if let set = settings.profile.receiptID.conversion { return "\(set.rawValue) (set)" }
        return learning.learnt.map { "\($0.rawValue) (learnt)" } ?? "asIs (learning)"
    }

    /// Both clocks; zero when the owner is gone, which only happens to a connection that nobody uses.
    func now() -> Instant { owner?.now() ?? Instant(wall: 0, steady: 0) }

    // MARK: Life

    /// Begins to bind; `status` and `roomChanged` tell how it goes. A connection that runs already is left alone.
    /// - Throws: `SMPPSettingsFault` when a TLS file cannot be used.
    public func start() throws {
        guard case .stopped = mode else { return }
        try makeLinks()
        alive = self
        mode = .running
        since = now().wall
        submitting?.start()
        if hearing !== submitting { hearing?.start() }
        sweepLater()
    }

    private func makeLinks() throws {
        let dialer = try makeDialer(settings)
        switch settings.bind {
        case .transceiver:
            submitting = SMPPLink(mode: .transceiver, connection: self, dialer: dialer)
            hearing = submitting
        case .split:
            submitting = SMPPLink(mode: .transmitter, connection: self, dialer: dialer)
            hearing = SMPPLink(mode: .receiver, connection: self, dialer: dialer)
        }
    }

    /// Takes nothing more, waits up to 5 s for the answers that are open, unbinds and closes. What is then without an answer is
    /// `unknown`; what was never written is `notWritten`. Called again while stopping, both are told at the end.
    public func stop(then: @escaping () -> Void) {
        if case .stopped = mode { return then() }
        whenStopped.append(then)
        if case .running = mode { drain() }
    }

    private func finishStop() {
        sweepTimer?.cancel()
        wake?.cancel()
        (sweepTimer, wake) = (nil, nil)
        (submitting, hearing) = (nil, nil)
        mode = .stopped
        since = now().wall
        alive = nil
        let stopped = whenStopped
        whenStopped = []
        owner?.roomChanged(self)
        for one in stopped { one() }
    }

    /// The end of it is a stop when somebody waits for one, else a new bind.
    private func drain() {
        mode = .draining
        giveBackWaiting()
        owner?.roomChanged(self)
        drainTimer = eventLoop.assumeIsolated().scheduleTask(in: .microseconds(SMPPConnection.drainTime)) { [weak self] in self?.drained() }
        checkDrained()
    }

    /// Ends the drain when nothing is open.
    private func checkDrained() {
        if case .draining = mode, outstanding == 0 { drained() }
    }

    private func drained() {
        guard case .draining = mode else { return }
        mode = .ending
        drainTimer?.cancel()
        drainTimer = nil
        let links = [submitting, hearing === submitting ? nil : hearing].compactMap { $0 }
        var open = links.count
        guard open > 0 else { return ended() }
        // A peer that does not answer the unbind must not hold the stop up.
        let cut = eventLoop.assumeIsolated().scheduleTask(in: .microseconds(SMPPConnection.unbindTime)) { for link in links { link.cut() } }
        for link in links {
            link.stop {
                open -= 1
                guard open == 0 else { return }
                cut.cancel()
                self.ended()
            }
        }
    }

    private func ended() {
        if whenStopped.isEmpty { restart() } else { finishStop() }
    }

    /// Longest wait for the answer to an unbind, in microseconds.
    static let unbindTime: Int64 = 1_000_000

    /// Stays bound and hears receipts, but takes nothing; what waits here unwritten goes back.
    public func hold() {
        guard !isHeld else { return }
        isHeld = true
        giveBackWaiting()
        owner?.roomChanged(self)
    }

    public func release() {
        guard isHeld else { return }
        isHeld = false
        owner?.roomChanged(self)
    }

    /// Other settings from now on. Rates, window, timers and addresses are applied to the open bind; another peer or account means
    /// to drain, unbind and bind anew. Nothing is lost or doubled: what is open is answered, or `unknown` after 5 s.
    /// - Throws: `SMPPSettingsFault` when they cannot be used; the present ones stay then.
    public func reconfigure(_ new: SMPPConnectionSettings) throws {
        if let fault = new.faults().first { throw fault }
        let rebinds = new.needsRebind(from: settings)
        let isOtherProfile = new.profile != settings.profile
        // Reads the TLS files before anything is changed.
        if rebinds { _ = try makeDialer(new) }
        // Cut by the old profile and not sent: the core looks again whether it fits the new one.
        if isOtherProfile { giveBackWaiting() }
        settings = new
        prepareFields()
        throttle.setLimits(messagesPerSecond: new.messagesPerSecond, partsPerSecond: new.partsPerSecond)
        submitting?.handler?.apply(new.session)
        if hearing !== submitting { hearing?.handler?.apply(new.session) }
        guard case .running = mode else { return }
        if rebinds {
            drain()
        } else {
            refill()
            submitting?.handler?.flush()
            owner?.roomChanged(self)
        }
    }

    private func restart() {
        mode = .running
        do {
            try makeLinks()
            submitting?.start()
            if hearing !== submitting { hearing?.start() }
        } catch {
            // The files were read a moment ago; that they are gone now is told, and the next reload mends it.
            note("cannot start: \(error)")
            finishStop()
        }
    }

    private func prepareFields() {
        fields = MessageFields()
        // Checked by `faults`; a service type that does not fit is left empty, as the peer's default.
        fields.serviceType = ShortText(settings.serviceType) ?? ShortText()
        fields.registeredDelivery = settings.profile.registeredDelivery
        form = TextForm(settings.profile)
        (lastSender, lastSource) = ("", nil)
    }

    // MARK: What the links tell

    func linkChanged(_ link: SMPPLink, from before: SMPPLink.Phase) {
        if link === submitting { since = now().wall }
        guard link === submitting, (before == .bound) != (link.phase == .bound) else { return }
        if link.phase != .bound { giveBackWaiting() }
        owner?.roomChanged(self)
        checkDrained()
    }

    /// Remembers what went wrong last, for the status.
    func note(_ error: String) { lastError = error }

    func throttled(at steady: Int64) {
        counters.throttled += 1
        throttle.throttled(at: steady)
    }

    public var outstanding: Int { submitting?.handler?.session.outstanding ?? 0 }

    public var status: ConnectionStatus {
        let state: ConnectionStatus.State =
            switch mode {
            case .stopped: .stopped
            case .draining, .ending: .draining
            case .running:
                switch submitting?.phase {
                case nil, .stopped: .stopped
                case .dialing: .connecting
                case .binding: .binding
                case .bound: .bound
                case .unbinding: .draining
                case .waiting: .waiting
                }
            }
        return ConnectionStatus(state: state, outstanding: outstanding, lastError: lastError, since: since)
    }

    // MARK: Room

    private var isOpen: Bool {
        if case .running = mode { !isHeld } else { false }
    }

    public var room: Int {
        guard isOpen, let handler = submitting?.handler else { return 0 }
        let session = handler.session.room
        if session == 0 { return 0 }
        let steady = now().steady
        let pace = throttle.room(at: steady)
        let room = min(session, pace.messages, pace.parts) - waiting.parts
        if room <= 0 {
            wakeWhenPaced(at: steady)
            return 0
        }
        return room
    }

    /// The window frees by answers; pace frees by time alone, so time must wake us.
    private func wakeWhenPaced(at steady: Int64) {
        guard wake == nil else { return }
        let next = throttle.next(after: steady)
        guard next > steady else { return }
        wake = eventLoop.assumeIsolated().scheduleTask(in: .microseconds(next - steady)) { [weak self] in
            guard let self else { return }
            self.wake = nil
            self.refill()
            self.submitting?.handler?.flush()
        }
    }

    /// Sends what waits here, then tells the owner when there is room for more.
    func refill() {
        guard !isRefilling else { return }
        isRefilling = true
        defer { isRefilling = false }
        checkDrained()
        if !waiting.isEmpty { sendWaiting() }
        if room > 0 { owner?.roomChanged(self) }
    }

    // MARK: Handing over

    public func hand(_ batch: [Handover]) {
        guard isOpen, let handler = submitting?.handler, handler.session.room > 0 || !waiting.isEmpty else {
            for one in batch.reversed() { settleLater(one, from: 0, .notWritten) }
            return
        }
        let now = now()
        var pace = throttle.room(at: now.steady)
        let before = pace
        for one in batch {
            guard let cut = TextCut(one, form) else {
                settleLater(one, from: 0, .unencodable)
                continue
            }
            guard waiting.isEmpty else {
                waiting.append(one, cut, from: 0, begun: false)
                continue
            }
            if let rest = send(one, cut, from: 0, begun: false, handler, now, &pace) {
                waiting.append(one, cut, from: rest.part, begun: rest.begun)
            }
        }
        charge(before, pace, now)
        handler.flush()
        if !waiting.isEmpty { wakeWhenPaced(at: now.steady) }
    }

    private func charge(_ before: (messages: Int, parts: Int), _ after: (messages: Int, parts: Int), _ now: Instant) {
        let (messages, parts) = (before.messages - after.messages, before.parts - after.parts)
        guard parts > 0 else { return }
        counters.messages += messages
        counters.parts += parts
        throttle.took(messages: messages, parts: parts, at: now.steady)
    }

    private func sendWaiting() {
        guard isOpen, let handler = submitting?.handler else { return }
        let now = now()
        var pace = throttle.room(at: now.steady)
        let before = pace
        while let first = waiting.first {
            if let rest = send(first.handover, first.cut, from: first.part, begun: first.begun, handler, now, &pace) {
                waiting.update(part: rest.part, begun: rest.begun)
                break
            }
            waiting.removeFirst()
        }
        charge(before, pace, now)
        if !waiting.isEmpty { wakeWhenPaced(at: now.steady) }
    }

    /// Writes the parts of `one` from `part` on, while there is room. Nil: all of them are written or settled; else the first that is not.
    private func send(
        _ one: Handover, _ cut: TextCut, from part: Int, begun: Bool, _ handler: SMPPHandler, _ now: Instant,
        _ pace: inout (messages: Int, parts: Int)
    ) -> (part: Int, begun: Bool)? {
        guard let source = source(of: one.from) else {
            settleLater(one, from: part, .unencodable)
            return nil
        }
        fields.source = source
        fields.destination = Address(ton: settings.destinationTon, npi: settings.destinationNpi, text: ShortText(digits: one.to.digits))
        fields.esmClass = cut.hasHeader ? .userDataHeader : EsmClass()
        fields.dataCoding = cut.dataCoding
        // Of several submits each would take the place of the one before.
        fields.replaceIfPresent = form.replacesPending && cut.submits == 1 && one.wishes.contains(.replacesPending) ? 1 : 0
        fields.validityPeriod =
            settings.sendValidity ? RelativeTime.text(seconds: (one.deadline - now.wallMilliseconds) / 1000) : ShortText()
        var begun = begun
        var stopped: Int?
        var unsettled = part
        var available = pace
        let failed = cut.forEachSubmit(of: one, from: part) { number, octets, parameters in
            guard stopped == nil, one.partMask & (1 << UInt16(number)) != 0 else { return }
            guard handler.session.room > 0, available.parts > 0, begun || available.messages > 0 else {
                stopped = number
                return
            }
            unsettled = number + 1
            let entry = InFlight(slot: one.slot, attempt: one.attempt, part: UInt8(number), handedAt: now.wall)
            if handler.submit(fields, octets: octets, parameters: parameters, as: entry, at: now.steady) != nil {
                settleLater(one, only: number, .unencodable)
                return
            }
            available.parts -= 1
            if !begun { available.messages -= 1 }
            begun = true
        }
        pace = available
        if failed {
            settleLater(one, from: unsettled, .unencodable)
            return nil
        }
        return stopped.map { ($0, begun) }
    }

    func source(of from: String) -> Address? {
        if let lastSource, lastSender == from { return lastSource }
        guard let address = Sender.address(from, ton: settings.sourceTon, npi: settings.sourceNpi) else { return nil }
        (lastSender, lastSource) = (from, address)
        return address
    }

    // MARK: Settling without the wire

    private func giveBackWaiting() {
        // The last one first: each is put back before all others, so they stand in their old order then.
        var given: [WaitingParts.Entry] = []
        while let first = waiting.first {
            given.append(first)
            waiting.removeFirst()
        }
        for one in given.reversed() { settleLater(one.handover, from: one.part, .notWritten) }
    }

    private func settleLater(_ one: Handover, from part: Int, _ outcome: Outcome) {
        for number in part..<16 { settleLater(one, only: number, outcome) }
    }

    private func settleLater(_ one: Handover, only number: Int, _ outcome: Outcome) {
        guard one.partMask & (1 << UInt16(number)) != 0 else { return }
        if later.isEmpty {
            // Strong: what was handed over is answered even when the connection is let go of.
            eventLoop.assumeIsolated().execute {
                let batch = self.later
                self.later = []
                self.owner?.settled(batch, by: self)
            }
        }
        later.append(Settled(slot: one.slot, attempt: one.attempt, part: UInt8(number), outcome: outcome, handedAt: 0))
    }

    // MARK: Time

    /// One timer a connection looks at all that is due, a tenth of the shortest time-out apart.
    private func sweepLater() {
        let shortest = min(settings.answerTimeout, settings.enquireInterval, settings.bindTimeout)
        let gap = min(max(shortest / 10, 10), 1000)
        sweepTimer = eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(gap)) { [weak self] in
            guard let self, self.sweepTimer != nil else { return }
            self.sweep()
            if self.sweepTimer != nil { self.sweepLater() }
        }
    }

    private func sweep() {
        let now = now()
        submitting?.handler?.sweep(now)
        if hearing !== submitting { hearing?.handler?.sweep(now) }
        refill()
        submitting?.handler?.flush()
    }
}
