import MartletModel

@testable import MartletEngine

/// Live, folded again from the whole log and folded from what trims left of it, a loop is one and the same.
extension WorldLoop {
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
        var role: UInt8
        var step: UInt8
        var members: UInt8

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
            role = slot.role.rawValue
            step = slot.step
            members = slot.members
            header = [
                UInt64(slot.source), UInt64(slot.partition), UInt64(slot.messageClass.rawValue), UInt64(slot.group), UInt64(slot.parts),
            ]
        }

        var description: String {
            "\(state) \(reason) \(masks) s\(strikes) r\(resends) f\(flagged) @\(payloadAt) last \(last) \(header) as \(textShape) role \(role) step \(step) members \(members)"
        }
    }

    /// What is kept of each open event beside its slot.
    private static func standing(_ engine: borrowing Engine) -> [MessageID: Standing] {
        var all: [MessageID: Standing] = [:]
        for (number, it) in engine.standing { all[engine.slots.pointer(number).pointee.id] = it }
        return all
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
        compare(World.folded(log.whole, configuration, instant), "\(when), whole log")
        if !fresh { compare(World.folded(log.remaining, configuration, instant), "\(when), log after trims") }
        checkMemory(when, fresh: fresh)
    }

    private func compare(_ other: borrowing Engine, _ when: String) {
        compare(WorldLoop.told(engine), other, when)
        compareOwed(other, when)
        compareLedger(other, when)
    }

    func compare(
        _ live: [MessageID: (told: Told, attempts: UInt8)], _ other: borrowing Engine, _ when: String
    ) {
        let again = WorldLoop.told(other)
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
            WorldLoop.optOuts(engine) == WorldLoop.optOuts(other),
            "\(when): opted out \(WorldLoop.optOuts(engine)) live, \(WorldLoop.optOuts(other)) folded")
        let (live, folded) = (WorldLoop.standing(engine), WorldLoop.standing(other))
        checker.check(live == folded, "\(when): kept of events \(live) live, \(folded) folded")
        checker.check(
            Set(engine.known.keys) == Set(other.known.keys), "\(when): \(engine.known.count) known live, \(other.known.count) folded")
        for counter in Set(world.bank.books.values.flatMap(\.decider.counters)) {
            for subject in 1...SubjectNumber(World.eventCustomers) {
                let had = engine.caps.count(of: counter, for: subject, at: instant.wall)
                let again = other.caps.count(of: counter, for: subject, at: instant.wall)
                // What was too old for a clock that stood ahead is forgotten live.
                checker.check(
                    had == again || had < again && checker.setBack > 0,
                    "\(when): customer \(subject) had \(had) offers live, \(again) folded")
            }
        }
        let numbers = Set(checker.cards.values.filter(\.isCapped).map(\.submission.to)).map { engine.lookups.number($0) }
        for counter in Set(world.bank.books.values.flatMap(\.decider.counters)) {
            for number in numbers {
                let had = engine.numberCaps.count(of: counter, for: number, at: instant.wall)
                let again = other.numberCaps.count(of: counter, for: number, at: instant.wall)
                checker.check(
                    had == again || had < again && checker.setBack > 0, "\(when): a number had \(had) offers live, \(again) folded")
            }
        }
        // Which orphans went first when there were too many is not in the log.
        guard configuration.orphanMaximum > 100 else { return }
        checker.check(
            other.livePerSegment == engine.livePerSegment,
            "\(when): live per segment \(engine.livePerSegment) live, \(other.livePerSegment) folded")
    }

    /// - Parameter fresh: nothing was made up yet for what a crash took: the end of a notification behind that of its last message.
    private func checkMemory(_ when: String, fresh: Bool) {
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
            if slot.role.contains(.isEvent), !slot.isMember, !slot.state.isEnd {
                let members = engine.members(of: slot.id, upTo: Engine.lastOrdinal).map { engine.slots.pointer($0).pointee }
                checker.check(
                    members.count { !$0.state.isEnd } == slot.openMembers && members.allSatisfy { $0.id.ordinal <= slot.lastOrdinal },
                    "\(when): a notification says that \(slot.openMembers) messages follow, and \(members.map(\.state)) do")
                checker.check(
                    fresh || !slot.role.contains(.ownOver) || slot.openMembers > 0,
                    "\(when): a notification is open, and none of its messages is")
            }
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
        let open = WorldLoop.told(engine)
        for card in Array(checker.cards.values) + checker.steps.values where world.loop(of: card.id) === self {
            if card.told { checker.check(card.durable, "message \(card.number) was accepted and is not in the log") }
            guard card.durable else { continue }
            if card.end == nil {
                checker.check(open[card.id] != nil, "message \(card.number) is lost: neither open nor ended")
                let over = max(card.deadline, card.event?.openUntil ?? 0) + Engine.receiptGraceMilliseconds + world.jumped / 1000 + 30_000
                checker.check(
                    instant.wallMilliseconds < over, "message \(card.number) is open after its time: \(open[card.id].map { "\($0)" } ?? "")"
                )
            } else {
                checker.check(open[card.id] == nil, "message \(card.number) ended and is open")
            }
            // Where nothing went wrong outside, everything that had the time was sent.
            if calm, damagePercent == 0, card.submission.validity >= 120, let end = card.end, card.submission.messageClass != .otp,
                end.state != .suppressed, end.reason != .completed, card.id.ordinal == 0
            {
                checker.check(end.state == .delivered || end.reason == .noReceipt, "message \(card.number): \(end) in a calm world")
            }
        }
    }
}

extension World {
    /// Where one journal holds the records of all loops, each makes the same of it as of its own.
    func compareTogether() {
        guard checker.faults.isEmpty, loops.count > 1 else { return }
        let all = loops.flatMap(\.log.whole)
        for loop in loops { loop.compare(WorldLoop.told(loop.engine), World.folded(all, loop.configuration, instant), "in one log") }
    }
}
