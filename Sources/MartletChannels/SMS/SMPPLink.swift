import MartletModel
import NIOCore
import SMPP

/// Keeps one bind up: dials, binds, and after a loss dials again, at once the first time and then with growing, jittered waits.
final class SMPPLink {
    enum Phase: Equatable { case stopped, dialing, binding, bound, unbinding, waiting }

    /// First wait after a failed try; doubles up to the longest. Microseconds.
    static let waitFirst: Int64 = 500_000
    static let waitMaximum: Int64 = 30_000_000
    /// A bind that lasted this long was a good one: after its loss the next try is made at once.
    static let goodBind: Int64 = 5_000_000

    let mode: Bind.Mode
    unowned let connection: SMPPConnection
    private(set) var phase = Phase.stopped
    private(set) var handler: SMPPHandler?
    private var dialer: any SMPPDialer
    private var failures = 0
    private var boundAt: Int64?
    private var wait: Scheduled<Void>?
    private var whenStopped: [() -> Void] = []
    /// Stop when the present handler has ended instead of dialing again.
    private var isStopping = false

    init(mode: Bind.Mode, connection: SMPPConnection, dialer: any SMPPDialer) {
        self.mode = mode
        self.connection = connection
        self.dialer = dialer
    }

    func start() {
        guard phase == .stopped else { return }
        isStopping = false
        failures = 0
        dial()
    }

    func replace(dialer: any SMPPDialer) { self.dialer = dialer }

    private func dial() {
        let settings = connection.settings
        let bind = Bind(mode: mode, systemID: settings.systemID, password: settings.password, systemType: settings.systemType)
        let handler = SMPPHandler(link: self, bind: bind, settings: settings.session)
        self.handler = handler
        enter(.dialing)
        // The connection is kept alive until the dial has an end.
        let connection = connection
        dialer.dial(handler, on: connection.eventLoop).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.dialed(handler, channel)
            case .failure(let error): self.ended(handler, failure: "cannot connect: \(error)", lost: [])
            }
            _ = connection
        }
    }

    private func dialed(_ handler: SMPPHandler, _ channel: any Channel) {
        guard self.handler === handler else {
            // Stopped, or lost again, in between.
            channel.close(promise: nil)
            return
        }
        if phase == .dialing { enter(.binding) }
        if isStopping { handler.fail("") }
    }

    func bound(_ handler: SMPPHandler, _ answer: BindResponse) {
        guard self.handler === handler else { return }
        boundAt = connection.now().steady
        connection.counters.binds += 1
        enter(isStopping ? .unbinding : .bound)
        if isStopping { handler.unbind(at: connection.now().steady) }
    }

    /// The handler's connection is gone, whatever the reason; `lost` are the submits it leaves without an answer.
    func ended(_ handler: SMPPHandler, failure: String, lost: [Settled]) {
        guard self.handler === handler else { return }
        self.handler = nil
        let wasBound = phase == .bound
        if !lost.isEmpty {
            connection.counters.answersMissing += lost.count
            connection.owner?.settled(lost, by: connection)
        }
        if isStopping {
            stopped()
            return
        }
        if wasBound { connection.counters.bindsLost += 1 }
        connection.note(failure.isEmpty ? "the peer has closed the connection" : failure)
        retry(wasGood: boundAt.map { connection.now().steady - $0 >= SMPPLink.goodBind } ?? false)
    }

    private func retry(wasGood: Bool) {
        boundAt = nil
        if wasGood { failures = 0 }
        let delay = failures == 0 ? 0 : SMPPLink.wait(failures: failures, random: connection.random())
        failures += 1
        enter(.waiting)
        wait = connection.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(delay)) { [weak self] in
            guard let self, self.phase == .waiting else { return }
            self.wait = nil
            self.dial()
        }
    }

    /// Half to all of 0.5 s, 1 s, 2 s ... 30 s.
    static func wait(failures: Int, random: UInt64) -> Int64 {
        let whole = min(waitMaximum, waitFirst << Int64(min(max(failures - 1, 0), 10)))
        return whole / 2 + Int64(random % UInt64(whole / 2 + 1))
    }

    /// Unbinds where bound and closes; `then` runs when nothing is open any more.
    func stop(then: @escaping () -> Void) {
        whenStopped.append(then)
        wait?.cancel()
        wait = nil
        isStopping = true
        switch phase {
        case .stopped, .waiting: stopped()
        case .dialing:
            // A dial cannot be called back; when it has its end the channel is closed.
            handler?.abandon()
            stopped()
        case .binding: handler?.fail("")
        case .bound:
            enter(.unbinding)
            handler?.unbind(at: connection.now().steady)
        case .unbinding: break
        }
    }

    /// Ends a stop that takes too long.
    func cut() { handler?.fail("") }

    private func stopped() {
        handler = nil
        boundAt = nil
        enter(.stopped)
        let waiting = whenStopped
        whenStopped = []
        for one in waiting { one() }
    }

    private func enter(_ next: Phase) {
        let before = phase
        phase = next
        connection.linkChanged(self, from: before)
    }
}
