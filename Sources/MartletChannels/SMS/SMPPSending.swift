public import MartletModel
import NIOCore
import SMPP

/// How messages leave: as many as window and pace allow, part by part; what cannot go is given back.
extension SMPPConnection {
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

    func giveBackWaiting() {
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
}
