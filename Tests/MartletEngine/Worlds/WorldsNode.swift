import MartletModel

@testable import MartletEngine

/// The shell around the engine, as small as it can be: append, commit, release, pump, load, carry, trim.
extension WorldLoop {
    // MARK: Log

    var isAtRest: Bool { open.isEmpty && flying == nil }

    /// Appends the records of the turn; `flights` are the parts whose answers they are, in order.
    func append(_ link: Link?, _ flights: [Flight]) {
        var flights = flights[...]
        for index in turn.records.indices {
            turn.records[index].record.header.previous = engine.previous(of: turn.records[index])
            var sealed: [UInt8] = []
            switch turn.records[index].sealed {
            case .none: break
            case .payload(let range):
                sealed = Array(turn.payloads[range])
                turn.records[index].record.header.keyID = 1
            case .copy(let bytes, let keyID):
                sealed = bytes
                turn.records[index].record.header.keyID = keyID
            }
            let bytes = turn.records[index].record.bytes(sealed: sealed)
            let position = log.place()
            engine.placed(turn.records[index], at: position)
            if case .preference(let it) = turn.records[index].record.body { checker.unwanted[it.number] = it.unwanted }
            let isAnswer = turn.records[index].record.header.kind == .answered
            if isAnswer { link?.unrecorded += 1 }
            open.append(
                .record(
                    position: position, bytes: bytes, slot: turn.records[index].slot, after: turn.records[index].after,
                    flight: isAnswer ? flights.popFirst() : nil, link: isAnswer ? link : nil))
            if sabotage == .releasesBeforeDurable, let slot = turn.records[index].slot {
                engine.released(slot, turn.records[index].after, instant)
            }
        }
        if !turn.records.isEmpty { kick() }
    }

    func kick() {
        guard !kickPlanned, flying == nil, !open.isEmpty else { return }
        kickPlanned = true
        after(dice.between(Int64(0), 3_000)) { $0.cut() }
    }

    private func cut() {
        kickPlanned = false
        guard flying == nil, !open.isEmpty else { return }
        let count = whole(open, dice.chance(70) ? open.count : dice.between(1, open.count))
        flying = Array(open.prefix(count))
        open.removeFirst(count)
        let stall = dice.chance(slowDiskPercent)
        after(stall ? dice.between(Int64(50_000), 2_500_000) : dice.between(Int64(200), 6_000)) { $0.committed() }
    }

    /// What a text counts is of the same batch: of that all of it comes to the disk, or nothing.
    func whole(_ batch: [Waiting], _ count: Int) -> Int {
        var count = count
        while count > 0, count < batch.count, case .record(_, let bytes, _, _, _, _) = batch[count], bytes[0] == RecordKind.counted.rawValue
        {
            count += 1
        }
        return count
    }

    private func committed() {
        guard let batch = flying else { return }
        flying = nil
        for item in batch { finish(item) }
        pumpAll()
        tellAll()
        kick()
    }

    func keep(_ position: UInt64, _ bytes: [UInt8]) {
        log.store(position, bytes)
        if let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) }) { checker.meet(header.id) }
        checkDecision(bytes)
        checker.durable(bytes, at: position, of: partitions)
        checkText(bytes)
        let isPayload = bytes[0] == RecordKind.accepted.rawValue || bytes[0] == RecordKind.decided.rawValue
        if damagePercent > 0, isPayload, dice.chance(damagePercent) { damaged.insert(position) }
    }

    func finish(_ item: Waiting) {
        switch item {
        case .record(let position, let bytes, let slot, let after, let flight, let link):
            keep(position, bytes)
            if let flight { inDoubt[ObjectIdentifier(flight)] = nil }
            link?.unrecorded -= 1
            if let slot, sabotage != .releasesBeforeDurable { engine.released(slot, after, instant) }
        case .told(let card):
            checker.check(card.durable, "message \(card.number): its sender heard yes before it was durable")
            card.told = true
        case .receipt(let hearing, let strays):
            hearing.durable(world)
            for stray in strays { self.after(dice.between(Int64(100), 5_000)) { $0.look(for: stray) } }
        case .inbound(let message, let part): message.answered.insert(part)
        }
    }

    // MARK: Sending

    func pumpAll() {
        guard running, !links.isEmpty else { return }
        firstInGroup += 1
        for step in links.indices { pump(links[(firstInGroup + step) % links.count]) }
    }

    func pump(_ link: Link) {
        guard running else { return }
        var room = min(link.room(steady), link.window - link.unrecorded)
        var batch: [Handover] = []
        while room > 0, let handover = engine.credit(link.group, room: room) {
            checkStrict(handover, link.group)
            checker.handed(handover, group: link.group)
            // The rest of one whose first parts a provider has is still sent.
            checker.check(
                handover.partMask.nonzeroBitCount < handover.parts
                    || !(checker.unwanted[engine.lookups.number(handover.to)] ?? []).contains(handover.messageClass),
                "a \(handover.messageClass) message went to somebody who opted out")
            room -= handover.partMask.nonzeroBitCount
            batch.append(handover)
        }
        load()
        if engine.meetsUnwanted {
            after(0) { loop in
                loop.turn.begin(loop.instant)
                loop.engine.endUnwanted(&loop.turn)
                loop.append(nil, [])
            }
        }
        if engine.hasMisfits {
            turn.begin(instant)
            engine.replan(&turn)
            append(nil, [])
        }
        for handover in batch { send(handover, over: link) }
    }

    /// Nothing of another lane leaves while a strict lane has something to give.
    private func checkStrict(_ handover: Handover, _ group: GroupNumber) {
        let lane = handover.messageClass.lane
        for strict in [Lane.security, .otp] where strict.rawValue < lane.rawValue {
            for one in MessageClass.allCases where one.lane == strict && !engine.isHeld(one, group) {
                let queue = engine.lanes[Int(group)][one]
                checker.check(!queue.isReady, "a \(lane) message left while \(queue.count) of \(one) waited")
            }
        }
    }

    func settle(_ answers: [(flight: Flight, outcome: Outcome)], on link: Link) {
        var batch: [Settled] = []
        var flights: [Flight] = []
        for (flight, outcome) in answers {
            flight.settled = true
            link.outstanding.removeAll { $0 === flight }
            batch.append(
                Settled(slot: flight.slot, attempt: flight.attempt, part: flight.part, outcome: outcome, handedAt: flight.handedAt))
            note(flight, outcome)
        }
        // One at a time, so that each record is known to be of which part.
        for (settled, answer) in zip(batch, answers) {
            turn.begin(instant)
            engine.settle([settled], connection: link.name, &turn)
            if answer.outcome == .notWritten { inDoubt[ObjectIdentifier(answer.flight)] = nil }
            flights = [answer.flight]
            append(link, flights)
        }
    }

    private func note(_ flight: Flight, _ outcome: Outcome) {
        guard let card = checker.card(flight.id) else { return }
        let bit: UInt16 = 1 << UInt16(flight.part)
        card.onWire &= ~bit
        switch outcome {
        case .accepted: card.takenLive |= bit
        case .unknown:
            card.unknownLive |= bit
            card.explained[Int(flight.part)] += 1
        case .throttled, .deferred, .refused, .notWritten, .unencodable: break
        }
    }

    // MARK: Reading back

    private func load() {
        guard !engine.wanted.isEmpty else { return }
        let wanted = engine.takeWanted()
        guard !wanted.isEmpty else { return }
        for item in wanted {
            checker.check(log.read(item.position) != nil, "a payload is wanted from \(item.position), which is not durable or is trimmed")
        }
        after(dice.between(Int64(50), 20_000)) { loop in
            let payloads = wanted.map { (slot: $0.slot, payload: loop.opened($0.position, of: $0.slot)) }
            loop.turn.begin(loop.instant)
            for item in payloads {
                if case .lost = item.payload, let number = loop.engine.slots.number(of: item.slot) {
                    loop.checker.lostPayloads.insert(loop.engine.slots.pointer(number).pointee.id)
                }
            }
            loop.engine.loaded(payloads, &loop.turn)
            loop.append(nil, [])
            loop.pumpAll()
        }
    }

    private func stored(_ position: UInt64) -> (sealed: [UInt8], keyID: UInt32)? {
        guard !damaged.contains(position), let bytes = log.read(position),
            let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) })
        else { return nil }
        return (Array(bytes[Record.sealedOffset(header)...]), header.keyID)
    }

    /// As a message of an erased customer is found: nobody can open it any more.
    private func opened(_ position: UInt64, of slot: SlotReference) -> Turn.Loaded {
        if let number = engine.slots.number(of: slot), checker.isErased(engine.slots.pointer(number).pointee.id) { return .erased }
        return payload(position).map { .payload($0) } ?? .lost
    }

    func payload(_ position: UInt64) -> [UInt8]? { stored(position)?.sealed }

    // MARK: Clockwork

    func tick() {
        turn.begin(instant)
        engine.tick(&turn)
        append(nil, [])
        pumpAll()
        tellAll()
        askOperators()
        decideDue()
        // With nothing else to come the steps may be long.
        after(waiting ? 10_000_000 : world.lastsAnHour ? dice.between(Int64(500_000), 3_000_000) : dice.between(Int64(50_000), 300_000)) {
            $0.tick()
        }
    }

    func maintain() {
        guard !calming else { return }
        after(1_000_000) { $0.maintain() }
        guard !carrying, carryBarrier == 0 || log.read(carryBarrier) != nil else { return }
        carryBarrier = 0
        let isRead = history
        history.take(first: projector?.told)
        let oldest = log.trimmedBefore
        guard oldest < log.durableSegment else { return }
        // What is kept for its time alone is told by the clock of the log; here that is always over.
        let choice = OldestSegment.choose(
            .init(
                isOverCap: log.segments > segmentCap, isPastTime: true, live: engine.live(in: oldest), segments: log.segments,
                isLacked: sabotage != .trimsUnread && isRead.lacks(oldest)))
        switch choice {
        case .stays: return
        case .isCarried: break
        case .goes(let reason):
            if reason == .capBeforeHistory { wentOverCap = true }
            // What stands in for it now may only be appended: it goes when that is durable.
            if cleared != oldest {
                cleared = oldest
                for item in (flying ?? []) + open { if case .record(let position, _, _, _, _, _) = item { carryBarrier = position } }
                if carryBarrier != 0 { return }
            }
            return log.trim(upTo: oldest)
        }
        carrying = true
        let candidates = engine.carryCandidates(upTo: oldest, limit: dice.between(1, 30), cursor: &carryCursor)
        if candidates.isEmpty, carryCursor != 0 {
            carrying = false
            return
        }
        for item in candidates {
            checker.check(log.read(item.position) != nil, "a payload is carried from \(item.position), which is not there")
        }
        after(dice.between(Int64(100), 30_000)) { loop in
            loop.carrying = false
            let items = candidates.map { item in
                let found = loop.stored(item.position)
                if found == nil, let number = loop.engine.slots.number(of: item.slot) {
                    loop.checker.lostPayloads.insert(loop.engine.slots.pointer(number).pointee.id)
                }
                return (slot: item.slot, sealed: found?.sealed, keyID: found?.keyID ?? 0)
            }
            loop.turn.begin(loop.instant)
            loop.engine.carry(items, orphansUpTo: oldest, &loop.turn)
            loop.append(nil, [])
            // The old segment goes when the copies are durable, not when they are appended.
            if case .record(let position, _, _, _, _, _)? = loop.open.last { loop.carryBarrier = position }
        }
    }
}
