import MartletModel

@testable import MartletEngine

/// The shell around the engine, as small as it can be: append, commit, release, pump, load, carry, trim.
extension World {
    // MARK: Log

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
        let count = dice.chance(70) ? open.count : dice.between(1, open.count)
        flying = Array(open.prefix(count))
        open.removeFirst(count)
        let stall = dice.chance(slowDiskPercent)
        after(stall ? dice.between(Int64(50_000), 2_500_000) : dice.between(Int64(200), 6_000)) { $0.committed() }
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
        checker.durable(bytes, at: position)
        if damagePercent > 0, bytes[0] == RecordKind.accepted.rawValue, dice.chance(damagePercent) { damaged.insert(position) }
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
        case .receipt: break
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
            after(0) { world in
                world.turn.begin(world.instant)
                world.engine.endUnwanted(&world.turn)
                world.append(nil, [])
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

    // MARK: Receipts

    func hear(_ receipt: WorldReceipt) {
        guard running, links.contains(where: { $0.group == receipt.group && $0.bound }) else {
            var again = receipt
            again.left -= 1
            if again.left > 0 { whatever(1_000_000) { [again] in $0.hear(again) } }
            return
        }
        turn.begin(instant)
        var strays: [Engine.Stray] = []
        let heard = Heard(group: receipt.group, providerID: receipt.providerID, state: receipt.state, error: receipt.error)
        engine.hear([heard], &turn, strays: &strays)
        append(nil, [])
        open.append(.receipt(receipt))
        kick()
        for stray in strays {
            after(dice.between(Int64(100), 5_000)) { $0.look(for: stray) }
        }
    }

    private func look(for stray: Engine.Stray) {
        guard let found = checker.answers["\(stray.group)/\(stray.providerID)"] else { return }
        after(200) { world in
            guard let last = world.checker.newest[found.header.id] else { return }
            world.turn.begin(world.instant)
            world.engine.late(stray, part: found.part, header: found.header, previous: last, &world.turn)
            world.append(nil, [])
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
        after(dice.between(Int64(50), 20_000)) { world in
            let payloads = wanted.map { (slot: $0.slot, payload: world.payload($0.position)) }
            world.turn.begin(world.instant)
            for item in payloads where item.payload == nil {
                if let number = world.engine.slots.number(of: item.slot) {
                    world.checker.lostPayloads.insert(world.engine.slots.pointer(number).pointee.id)
                }
            }
            world.engine.loaded(payloads, &world.turn)
            world.append(nil, [])
            world.pumpAll()
        }
    }

    private func stored(_ position: UInt64) -> (sealed: [UInt8], keyID: UInt32)? {
        guard !damaged.contains(position), let bytes = log.read(position),
            let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) })
        else { return nil }
        return (Array(bytes[Record.sealedOffset(header)...]), header.keyID)
    }

    func payload(_ position: UInt64) -> [UInt8]? { stored(position)?.sealed }

    // MARK: Clockwork

    func tick() {
        turn.begin(instant)
        engine.tick(&turn)
        append(nil, [])
        pumpAll()
        tellAll()
        // With nothing else to come the steps may be long.
        after(waiting ? 10_000_000 : dice.between(Int64(50_000), 300_000)) { $0.tick() }
    }

    func maintain() {
        guard !calming else { return }
        after(1_000_000) { $0.maintain() }
        guard !carrying, carryBarrier == 0 || log.read(carryBarrier) != nil else { return }
        carryBarrier = 0
        let oldest = log.trimmedBefore
        guard oldest < log.durableSegment else { return }
        if engine.live(in: oldest) == 0 {
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
        after(dice.between(Int64(100), 30_000)) { world in
            world.carrying = false
            let items = candidates.map { item in
                let found = world.stored(item.position)
                if found == nil, let number = world.engine.slots.number(of: item.slot) {
                    world.checker.lostPayloads.insert(world.engine.slots.pointer(number).pointee.id)
                }
                return (slot: item.slot, sealed: found?.sealed, keyID: found?.keyID ?? 0)
            }
            world.turn.begin(world.instant)
            world.engine.carry(items, orphansUpTo: oldest, &world.turn)
            world.append(nil, [])
            // The old segment goes when the copies are durable, not when they are appended.
            if case .record(let position, _, _, _, _, _)? = world.open.last { world.carryBarrier = position }
        }
    }

    // MARK: Folds

    /// What the log tells of an open message.
    struct Told: Equatable, CustomStringConvertible {
        var state: MessageState
        var reason: EndReason
        var masks: [UInt16]
        var strikes: UInt8
        var resends: UInt8
        var flagged: Bool
        var reference: UInt16
        var deadline: Int64
        var origin: UInt64
        var payloadAt: UInt64
        var last: UInt64
        var textShape: UInt32
        var header: [UInt64]

        init(_ slot: Slot) {
            state = slot.state == .submitted ? .queued : slot.state
            reason = slot.reason
            masks = [slot.answeredParts, slot.deliveredParts, slot.failedParts, slot.unknownParts]
            strikes = slot.strikes
            resends = slot.resends
            flagged = slot.flags.contains(.possibleDuplicate)
            reference = slot.partsReference
            deadline = slot.deadline
            origin = slot.origin
            payloadAt = slot.payloadAt
            last = slot.last
            textShape = slot.textShape
            header = [
                UInt64(slot.source), UInt64(slot.partition), UInt64(slot.messageClass.rawValue), UInt64(slot.group), UInt64(slot.parts),
            ]
        }

        var description: String {
            "\(state) \(reason) \(masks) s\(strikes) r\(resends) f\(flagged) @\(payloadAt) last \(last) \(header) as \(textShape)"
        }
    }

    static func told(_ engine: borrowing Engine) -> [MessageID: (told: Told, attempts: UInt8)] {
        var all: [MessageID: (told: Told, attempts: UInt8)] = [:]
        engine.slots.forEach { number in
            let slot = engine.slots.pointer(number).pointee
            if !slot.state.isEnd { all[slot.id] = (Told(slot), slot.attempts) }
        }
        return all
    }

    /// The live state, the whole log folded again and what trims left of it folded again are one.
    func compareFolds(_ when: String, fresh: Bool = false) {
        guard checker.faults.isEmpty else { return }
        let live = World.told(engine)
        compare(live, World.folded(log.whole, configuration, instant), "\(when), whole log")
        compareOwed(World.folded(log.whole, configuration, instant), "\(when), whole log")
        compareLedger(World.folded(log.whole, configuration, instant), "\(when), whole log")
        if !fresh {
            compare(live, World.folded(log.remaining, configuration, instant), "\(when), log after trims")
            compareOwed(World.folded(log.remaining, configuration, instant), "\(when), log after trims")
            compareLedger(World.folded(log.remaining, configuration, instant), "\(when), log after trims")
        }
        checkMemory(when)
    }

    private func compare(
        _ live: [MessageID: (told: Told, attempts: UInt8)], _ other: borrowing Engine, _ when: String
    ) {
        let again = World.told(other)
        for (id, one) in live {
            let number = checker.card(id)?.number ?? -1
            guard let two = again[id] else {
                checker.fault("\(when): message \(number) is open live (\(one.told)) and not in the fold")
                continue
            }
            checker.check(one.told == two.told, "\(when): message \(number) live \(one.told), folded \(two.told)")
            checker.check(one.attempts >= two.attempts, "\(when): message \(number) attempts \(one.attempts) live, \(two.attempts) folded")
        }
        for id in again.keys where live[id] == nil {
            let number = checker.card(id)?.number ?? -1
            checker.fault("\(when): message \(number) is open only in the fold")
        }
        checker.check(
            World.optOuts(engine) == World.optOuts(other),
            "\(when): opted out \(World.optOuts(engine)) live, \(World.optOuts(other)) folded")
        // Which orphans went first when there were too many is not in the log.
        guard configuration.orphanMaximum > 100 else { return }
        checker.check(
            other.livePerSegment == engine.livePerSegment,
            "\(when): live per segment \(engine.livePerSegment) live, \(other.livePerSegment) folded")
    }

    private func checkMemory(_ when: String) {
        var queued = 0
        var open = 0
        var timers = 0
        var payloads = 0
        engine.slots.forEach { number in
            let slot = engine.slots.pointer(number).pointee
            if slot.flags.contains(.queued) { queued += 1 }
            if !slot.state.isEnd { open += 1 }
            if !slot.state.isEnd || slot.flags.contains(.owed) && slot.bucket != Slot.noBucket { timers += 1 }
            if slot.state.isEnd, !slot.flags.isDisjoint(with: [.waiting, .parked]) {
                checker.check(slot.bucket != Slot.noBucket, "\(when): a notice waits for nothing")
            }
            if slot.payloadAt != 0 { payloads += 1 }
        }
        var inLanes = 0
        for group in engine.lanes.indices { inLanes += engine.lanes[group].count }
        checker.check(queued == inLanes, "\(when): \(queued) messages say they are queued, lanes hold \(inLanes)")
        let live = engine.livePerSegment.values.reduce(0, +)
        var marks = engine.creditMarks.values.reduce(0) { $0 + ($1.position == 0 ? 0 : 1) }
        marks += engine.holds.values.reduce(0) { $0 + ($1.position == 0 ? 0 : 1) }
        marks += engine.ledger.sources.reduce(0) { $0 + (engine.ledger[$1].position == 0 ? 0 : 1) }
        checker.check(
            live == payloads + engine.orphanCount + marks + inboundPlaces,
            "\(when): \(live) live records for \(payloads) payloads, \(engine.orphanCount) orphans, \(marks) marks, \(inboundPlaces) inbound"
        )
        checkLedger(when)
        guard inDoubt.isEmpty, self.open.isEmpty, flying == nil, !engine.replaying else { return }
        checker.check(engine.openCount == open, "\(when): \(engine.openCount) slots for \(open) open messages")
        checker.check(engine.wheel.count == timers, "\(when): \(engine.wheel.count) timers, \(timers) expected")
        checker.check(engine.moving.isEmpty && engine.gate == 0, "\(when): \(engine.moving.count) moving, gate \(engine.gate)")
    }

    /// Accepted is an obligation: it ended with a reason, or its time is not over.
    func checkEnds() {
        guard checker.faults.isEmpty else { return }
        let open = World.told(engine)
        for card in checker.cards.values {
            if card.told { checker.check(card.durable, "message \(card.number) was accepted and is not in the log") }
            guard card.durable else { continue }
            if card.end == nil {
                checker.check(open[card.id] != nil, "message \(card.number) is lost: neither open nor ended")
                let over = card.deadline + Engine.receiptGraceMilliseconds + jumped / 1000 + 30_000
                checker.check(
                    instant.wallMilliseconds < over, "message \(card.number) is open after its time: \(open[card.id].map { "\($0)" } ?? "")"
                )
            } else {
                checker.check(open[card.id] == nil, "message \(card.number) ended and is open")
            }
            // Where nothing went wrong outside, everything that had the time was sent.
            if calm, damagePercent == 0, card.submission.validity >= 120, let end = card.end, card.submission.messageClass != .otp,
                end.state != .suppressed
            {
                checker.check(end.state == .delivered || end.reason == .noReceipt, "message \(card.number): \(end) in a calm world")
            }
        }
    }
}
