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
    public internal(set) var settings: SMPPConnectionSettings
    /// An operator holds it: bound, but nothing is taken.
    public internal(set) var isHeld = false

    let eventLoop: any EventLoop
    private(set) weak var owner: (any ConnectionOwner)?
    let random: () -> UInt64
    var submitting: SMPPLink?
    var hearing: SMPPLink?
    var alive: SMPPConnection?
    let makeDialer: (SMPPConnectionSettings) throws -> any SMPPDialer

    var throttle: SMPPThrottle
    var inquiryPace: Pace
    /// What an operator that is too busy for inquiries does to their pace; submits go by `throttle`.
    var inquiryBackoff = Backoff()
    var waiting = WaitingParts()
    var fields = MessageFields()
    var form = TextForm(.standard)
    private let learning: ReceiptLearning
    var lastSender = ""
    var lastSource: Address?
    /// Answers to be given to the owner at the next turn of the loop: never inside of its own call.
    var later: [Settled] = []

    var mode = Mode.stopped
    private var lastError = ""
    var since: Int64
    var wake: Scheduled<Void>?
    var sweepTimer: Scheduled<Void>?
    var drainTimer: Scheduled<Void>?
    var isRefilling = false
    var whenStopped: [() -> Void] = []

    /// Longest wait for open answers before a stop or a rebind, in microseconds.
    static let drainTime: Int64 = 5_000_000

    enum Mode {
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
        inquiryPace = Pace(limit: SMPPConnection.inquiryLimit(settings))
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

    // MARK: Time

    /// One timer a connection looks at all that is due, a tenth of the shortest time-out apart.
    func sweepLater() {
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
