import MartletModel

@testable import MartletEngine

/// What people do to a running node of a world, and the sums that must hold whatever they do.
extension World {
    /// Plans holds, purges, moves and statements of the ledger.
    func operate() {
        for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.dice.pick($0.loops).enter { $0.purgeSome() } } }
        for _ in 0..<dice.below(narrow ? 10 : 5) {
            whatever(dice.between(Int64(0), busyFor)) { $0.dice.pick($0.loops).enter { $0.moveSome() } }
        }
        for _ in 0..<dice.below(4) { whatever(dice.between(Int64(0), busyFor)) { for loop in $0.loops { loop.enter { $0.stateSums() } } } }
    }

    func releaseAll() {
        for loop in loops {
            loop.stalledUntil = 0
            loop.releaseAll()
        }
    }

    func holdOne() {
        let group = dice.chance(30) ? 0 : GroupNumber(dice.between(1, groups))
        let classes: ClassSet = dice.chance(50) ? ClassSet(dice.pick(classes)) : ClassSet([.service, .employeeInfo, .otp])
        // One loop hears of it after the other.
        for loop in loops { loop.whatever(dice.between(Int64(0), 3_000)) { $0.enter { $0.hold(classes, group, true) } } }
        // Whoever is there then: a hold outlives the process that took it.
        whatever(dice.between(Int64(100_000), 20_000_000)) { for loop in $0.loops { loop.enter { $0.hold(classes, group, false) } } }
    }
}

extension WorldLoop {
    fileprivate func hold(_ classes: ClassSet, _ group: GroupNumber, _ held: Bool) {
        turn.begin(instant)
        engine.hold(classes, of: group, held, &turn)
        append(nil, [])
        if !held { pumpAll() }
    }

    func releaseAll() {
        for group in engine.heldGroups { hold(.all, group, false) }
        checker.check(engine.heldGroups.isEmpty, "something is held after all was released")
        pumpAll()
    }

    private func meant() -> MartletEngine.Waiting {
        MartletEngine.Waiting(
            group: dice.chance(50) ? dice.pick(links).group : nil, classes: dice.chance(50) ? .all : ClassSet(dice.pick(classes)),
            source: dice.chance(30) ? SourceNumber(dice.between(1, sources)) : nil,
            before: instant.wallMilliseconds - Int64(dice.chance(50) ? -1 : dice.below(narrow ? 500 : 5000)))
    }

    fileprivate func purgeSome() {
        guard running, dice.chance(50) else { return }
        let meant = meant()
        var cursor: UInt32 = 0
        var (expected, done) = (WaitingTally(), WaitingTally())
        repeat { engine.count(meant, &cursor, &expected) } while cursor != 0
        turn.begin(instant)
        repeat { engine.purge(meant, &cursor, &done, &turn) } while cursor != 0
        append(nil, [])
        checker.check(done == expected, "\(expected) was counted, \(done) was purged")
    }

    fileprivate func moveSome() {
        guard running else { return }
        var meant = meant()
        let target = dice.pick(links).group
        if meant.group == nil { meant.group = dice.pick(links).group }
        let suspects = dice.chance(30)
        var cursor: UInt32 = 0
        var found: [WaitingPlace] = []
        var tally = WaitingTally()
        repeat { engine.collect(meant, to: target, suspects: suspects, &cursor, &found, &tally) } while cursor != 0
        found.sort { $0.order < $1.order }
        turn.begin(instant)
        engine.reroute(found, meant, to: target, suspects: suspects, &tally, &turn)
        append(nil, [])
        checker.check(tally.messages + tally.busy == found.count, "\(found.count) were found, \(tally) were moved at the same moment")
        if dice.chance(50) { pumpAll() }
    }

    fileprivate func stateSums() {
        guard running else { return }
        turn.begin(instant)
        engine.stateLedgers(&turn)
        append(nil, [])
    }

    // MARK: Sums

    /// At every moment what was accepted is what ended and what is open, by source.
    func checkLedger(_ when: String) {
        var open: [SourceNumber: Int] = [:]
        engine.slots.forEach { number in
            let slot = engine.slots.pointer(number).pointee
            if !slot.state.isEnd, !slot.isMember { open[slot.source, default: 0] += 1 }
        }
        for source in Set(engine.ledger.sources).union(open.keys) {
            let entry = engine.ledger[source]
            checker.check(entry.drift == 0 && entry.miscount == 0, "\(when): the ledger of source \(source) does not add up: \(entry)")
            checker.check(
                entry.open == open[source] ?? 0, "\(when): source \(source) has \(open[source] ?? 0) open, its ledger \(entry.open)")
        }
        // With nothing on its way to the disk the sums are those of the cards.
        guard self.open.isEmpty, flying == nil else { return }
        checkOptOuts(when)
        for source in 1...SourceNumber(sources) {
            let cards = checker.cards.values.filter { $0.submission.source == source && $0.durable && world.loop(of: $0.id) === self }
            let entry = engine.ledger[source]
            let ended = cards.count { $0.end != nil }
            checker.check(
                entry.accepted == UInt64(cards.count) && entry.ended == UInt64(ended),
                "\(when): source \(source) has \(entry.accepted) accepted and \(entry.ended) ended of \(cards.count) and \(ended)")
            let onAir = cards.reduce(0) { $0 + $1.onAir }
            // Of messages over midnight it is not told here which day they are of.
            checker.check(
                world.loops.count > 1 || checker.used[source]?.count ?? 1 > 1 || engine.ledger.statement(source).dayParts == UInt64(onAir),
                "\(when): source \(source) was told \(onAir) parts, its ledger says \(engine.ledger.statement(source))")
        }
    }

    /// The sums that a fold comes to are those of the process that lived through it.
    func compareLedger(_ other: borrowing Engine, _ when: String) {
        for source in Set(engine.ledger.sources).union(other.ledger.sources) {
            let (live, again) = (engine.ledger[source], other.ledger[source])
            checker.check(
                engine.ledger.statement(source) == other.ledger.statement(source),
                "\(when): the sums of source \(source) are \(live) live, \(again) folded")
            checker.check(live.open == again.open && again.drift == 0, "\(when): source \(source) has \(live) live, \(again) folded")
        }
        checker.check(
            engine.heldGroups == other.heldGroups && engine.heldGroups.allSatisfy { engine.held($0) == other.held($0) },
            "\(when): held \(engine.holds) live, \(other.holds) folded")
    }
}
