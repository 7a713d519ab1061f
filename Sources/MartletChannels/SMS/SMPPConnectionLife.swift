import MartletModel
import NIOCore
import SMPP

/// Its life: started, stopped, held by an operator, given other settings while it is bound.
extension SMPPConnection {
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
    func drain() {
        mode = .draining
        giveBackWaiting()
        owner?.roomChanged(self)
        drainTimer = eventLoop.assumeIsolated().scheduleTask(in: .microseconds(SMPPConnection.drainTime)) { [weak self] in self?.drained() }
        checkDrained()
    }

    /// Ends the drain when nothing is open.
    func checkDrained() {
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
        inquiryPace.setLimit(SMPPConnection.inquiryLimit(new))
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

    func prepareFields() {
        fields = MessageFields()
        // Checked by `faults`; a service type that does not fit is left empty, as the peer's default.
        fields.serviceType = ShortText(settings.serviceType) ?? ShortText()
        fields.registeredDelivery = settings.profile.registeredDelivery
        form = TextForm(settings.profile)
        (lastSender, lastSource) = ("", nil)
    }
}
