import MartletModel
import Testing

@testable import MartletEngine

@Suite("Acts of people")
struct OperateTests {
    private func move(
        _ rig: Rig, from: GroupNumber = 1, to: GroupNumber = 2, suspects: Bool = false, _ change: (inout Waiting) -> Void = { _ in }
    ) -> WaitingTally {
        var meant = Waiting(group: from, before: rig.now.wallMilliseconds + 1)
        change(&meant)
        var cursor: UInt32 = 0
        var found: [WaitingPlace] = []
        var tally = WaitingTally()
        repeat { rig.engine.collect(meant, to: to, suspects: suspects, &cursor, &found, &tally) } while cursor != 0
        found.sort { $0.order < $1.order }
        rig.step { $0.engine.reroute(found, meant, to: to, suspects: suspects, &tally, &$0.turn) }
        return tally
    }

    private func purge(_ rig: Rig, _ meant: Waiting) -> WaitingTally {
        var cursor: UInt32 = 0
        var tally = WaitingTally()
        repeat { rig.step { $0.engine.purge(meant, &cursor, &tally, &$0.turn) } } while cursor != 0
        return tally
    }

    private func hold(_ rig: Rig, _ classes: [MessageClass], of group: GroupNumber, _ held: Bool) {
        rig.step { $0.engine.hold(ClassSet(classes), of: group, held, &$0.turn) }
        rig.commit()
    }

    @Test("A held class waits while the others of its lane go; the hold outlives a restart and a trim")
    func hold() throws {
        let rig = Rig()
        hold(rig, [.service], of: 1, true)
        let held = rig.accept(.service)
        let free = rig.accept(.employeeInfo)
        #expect(rig.hand()?.id == free && rig.hand() == nil)
        rig.restart(clean: true)
        #expect(rig.engine.isHeld(.service, 1) && !rig.engine.isHeld(.service, 2))
        #expect(rig.next()?.id == free && rig.next() == nil)
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        #expect(rig.engine.held(1) == ClassSet(.service) && rig.engine.heldGroups == [1])
        hold(rig, [.service], of: 1, false)
        #expect(rig.next()?.id == held)
        rig.restart(clean: true, before: 2)
        #expect(rig.engine.heldGroups.isEmpty)
    }

    @Test("A hold on all groups and one on a group add up; what holds nothing leaves no mark to be kept")
    func holds() {
        let rig = Rig()
        let before = rig.engine.livePerSegment[1] ?? 0
        hold(rig, [.marketing, .service], of: 0, true)
        hold(rig, [.marketing], of: 2, true)
        #expect(rig.engine.isHeld(.marketing, 200) && rig.engine.isHeld(.service, 2))
        #expect(rig.engine.livePerSegment[1] == before + 2)
        #expect(rig.step { $0.engine.hold(ClassSet(.marketing), of: 2, true, &$0.turn) }.isEmpty, "nothing changes")
        hold(rig, [.marketing, .service], of: 0, false)
        #expect(rig.engine.isHeld(.marketing, 2) && !rig.engine.isHeld(.marketing, 1) && !rig.engine.isHeld(.service, 2))
        hold(rig, [.marketing], of: 2, false)
        #expect(rig.engine.heldGroups.isEmpty && rig.engine.livePerSegment[1] == before)
    }

    @Test("What came while its class was held is no suspect after a crash; what came before, or after the hold ended, is")
    func heldAreNoSuspects() {
        let rig = Rig()
        let before = rig.accept(.service)
        hold(rig, [.service], of: 1, true)
        let (kept, other) = (rig.accept(.service), rig.accept(.otp))
        #expect(Set(rig.restart(after: 1).map(\.header.id)) == [before, other])
        rig.commit()
        hold(rig, [.service], of: 1, false)
        #expect(rig.next() != nil && rig.next() != nil && rig.next()?.id == kept)
        #expect(rig.restart(after: 1).contains { $0.header.id == kept })
        rig.commit()
        // Held on all groups and on this one: the older hold counts.
        hold(rig, [.service], of: 0, true)
        let third = rig.accept(.service)
        hold(rig, [.service], of: 1, true)
        #expect(!rig.restart(after: 1).contains { $0.header.id == third })
    }

    @Test("When one class of a lane was held, a crash suspects the first of the class that went, not those that stood before it")
    func suspectsByClass() throws {
        let rig = Rig()
        hold(rig, [.service], of: 1, true)
        for _ in 0..<6 { rig.accept(.service) }
        let gone = rig.accept(.employeeInfo)
        #expect(rig.hand()?.id == gone)
        #expect(rig.restart().contains { $0.header.id == gone && $0.body == .resumed(.init(why: .restart)) })
    }

    @Test("A purge ends what waits of the class and source meant, and leaves what a provider may have")
    func purges() throws {
        let rig = Rig()
        let onWire = rig.accept(.marketing)
        let handed = try #require(rig.hand())
        let young = rig.accept(.marketing, source: 2)
        let ids = (0..<3).map { _ in rig.accept(.marketing) }
        let other = rig.accept(.service)
        let suspect = rig.accept(.marketing)
        if let number = rig.engine.slots.number(of: suspect) {
            rig.engine.slots.pointer(number).pointee.flags.insert(.possibleDuplicate)
        }
        var meant = Waiting(group: 1, classes: ClassSet(.marketing), source: 1, before: rig.now.wallMilliseconds + 1)
        var (cursor, expected): (UInt32, WaitingTally) = (0, WaitingTally())
        rig.engine.count(meant, &cursor, &expected)
        let done = purge(rig, meant)
        #expect(done == expected && done.messages == 3 && done.submits == 3 && done.mayHaveLeft == 1)
        // What was purged bars its class until that is durable; then it is gone.
        #expect(rig.hand()?.id == other && rig.hand() == nil)
        rig.commit()
        #expect(ids.allSatisfy { rig.fate($0) == "cancelled cancelled_by_operator" && rig.slot($0) == nil })
        #expect(rig.hand() != nil && rig.hand() != nil && rig.hand() == nil)
        rig.answer(handed, .accepted(providerID: "a"))
        #expect(rig.fate(onWire) == "sent" && rig.slot(young)?.state == .submitted)
        meant.before = 0
        #expect(purge(rig, meant) == WaitingTally())
        #expect(rig.engine.ledger[1].drift == 0)
    }

    @Test("A purge of many goes in steps")
    func purgeSteps() {
        let rig = Rig()
        for _ in 0..<9000 { _ = rig.verdict(.marketing) }
        rig.commit()
        var (cursor, tally, steps): (UInt32, WaitingTally, Int) = (0, WaitingTally(), 0)
        let meant = Waiting(before: .max)
        repeat {
            let records = rig.step { $0.engine.purge(meant, &cursor, &tally, &$0.turn) }
            #expect(records.count <= Engine.walkActs)
            steps += 1
        } while cursor != 0
        rig.commit()
        #expect(tally.messages == 9000 && steps >= 9 && rig.engine.openCount == 0 && rig.engine.queued(1) == 0)
    }

    @Test("What is moved goes by the other group, behind what waits there, in its order; a restart finds it there")
    func moves() throws {
        let rig = Rig()
        let there = PhoneNumber(digits: 331_234_567)
        let ids = (0..<3).map { _ in rig.accept(.service) }
        guard case .accepted(let first, _) = rig.verdict(.service, to: there) else { throw Missing() }
        rig.commit()
        #expect(move(rig).messages == 3)
        // Not durable: it stands in neither queue's way, and goes nowhere.
        #expect(rig.hand(1) == nil && rig.hand(2)?.id == first && rig.hand(2) == nil)
        rig.commit()
        #expect(rig.engine.queued(1) == 0 && rig.engine.queued(2) == 3)
        let order = ids.map { _ in rig.hand(2)?.id }
        #expect(order == ids)
        rig.restart(clean: true)
        #expect(rig.engine.queued(1) == 0 && rig.engine.queued(2) == 4)
    }

    @Test("While moves wait for the disk nothing of their class goes from behind them: a crash would leave it unflagged")
    func moveBars() throws {
        let rig = Rig()
        for _ in 0..<2 { rig.accept(.service) }
        rig.pass(seconds: 1)
        let behind = rig.accept(.service)
        let bulk = rig.accept(.marketing)
        let alarm = rig.accept(.employeeAlarm)
        let tally = move(rig) {
            $0.classes = ClassSet(.service)
            $0.before = rig.now.wallMilliseconds
        }
        #expect(tally.messages == 2)
        #expect(rig.hand()?.id == alarm && rig.hand()?.id == bulk && rig.hand() == nil)
        rig.commit()
        #expect(rig.hand()?.id == behind)
        // Nothing at all passes a strict class that waits for the disk.
        rig.accept(.employeeAlarm)
        let other = rig.accept(.transactional)
        #expect(move(rig) { $0.classes = ClassSet(.employeeAlarm) }.messages == 1)
        #expect(rig.hand() == nil)
        rig.commit()
        #expect(rig.hand()?.id == other)
    }

    @Test("A move that was not durable never was")
    func moveLost() {
        let rig = Rig()
        let id = rig.accept(.service)
        #expect(move(rig).messages == 1)
        rig.restart(clean: true)
        #expect(rig.slot(id)?.group == 1 && rig.engine.queued(1) == 1 && rig.engine.queued(2) == 0)
    }

    @Test("After a crash the first of the new queue are suspects by their place in it, not by their age")
    func suspectsAfterMove() throws {
        let rig = Rig { $0.creditByGroup = [2: 1] }
        let there = PhoneNumber(digits: 331_234_567)
        let moved = rig.accept(.service)
        guard case .accepted(let first, _) = rig.verdict(.service, to: there) else { throw Missing() }
        rig.commit()
        #expect(move(rig).messages == 1)
        rig.commit()
        #expect(rig.hand(2)?.id == first)
        let records = rig.restart()
        #expect(records.map(\.header.id) == [first])
        rig.commit()
        rig.newSegment()
        rig.carry(upTo: 1)
        rig.commit()
        rig.restart(clean: true, before: 2)
        #expect(rig.slot(moved)?.group == 2)
    }

    @Test("Left where they are: what a provider has a part of, possible duplicates unless they are wanted, what a read or a write holds")
    func leftAlone() throws {
        let rig = Rig()
        let half = rig.accept(.service, parts: 2)
        let handover = try #require(rig.hand())
        rig.answer(handover, part: 0, .accepted(providerID: "a"))
        rig.answer(handover, part: 1, .deferred(status: 1))
        let paused = rig.accept(.service)
        rig.answer(try #require(rig.hand()), .deferred(status: 1))
        rig.commit()
        let flagged = rig.accept(.otp)
        if let number = rig.engine.slots.number(of: flagged) { rig.engine.slots.pointer(number).pointee.flags.insert(.possibleDuplicate) }
        _ = rig.verdict(.marketing)
        var tally = move(rig)
        #expect(tally.messages == 1 && tally.mayHaveLeft == 2 && tally.busy == 1)
        rig.commit()
        #expect(rig.slot(paused)?.group == 2 && rig.hand(2)?.id == paused, "its pause was for the provider it left")
        tally = move(rig, suspects: true)
        #expect(tally.messages == 2 && tally.mayHaveLeft == 1)
        rig.commit()
        #expect(rig.hand(2)?.id == flagged && rig.slot(half)?.group == 1)
        #expect(move(rig, to: 1).messages == 0, "they are there already")

        let reading = Rig()
        reading.accept(.service)
        reading.restart(clean: true)
        #expect(reading.hand() == nil, "its payload is asked for")
        #expect(move(reading).busy == 1)
        reading.load()
        #expect(move(reading).messages == 1)
    }

    @Test("One that is cancelled while its move is on its way to the disk is gone from both queues")
    func cancelWhileMoving() throws {
        let rig = Rig()
        let id = rig.accept(.service)
        #expect(move(rig).messages == 1)
        rig.step { _ = $0.engine.cancel(id, source: 1, &$0.turn) }
        rig.commit()
        #expect(rig.fate(id) == "cancelled cancelled_by_source")
        #expect(rig.engine.queued(1) == 0 && rig.engine.queued(2) == 0 && rig.engine.slots.count == 0)
    }

    @Test("A list that was made is looked at anew when it is acted on")
    func stale() throws {
        let rig = Rig()
        let gone = rig.accept(.service, validity: 5)
        rig.accept(.service)
        rig.accept(.service)
        let meant = Waiting(group: 1, before: .max)
        var (cursor, found, tally): (UInt32, [WaitingPlace], WaitingTally) = (0, [], WaitingTally())
        rig.engine.collect(meant, to: 2, suspects: false, &cursor, &found, &tally)
        #expect(found.count == 3)
        rig.tick(seconds: 6)
        #expect(rig.slot(gone) == nil)
        let handed = try #require(rig.hand())
        rig.step { $0.engine.reroute(found, meant, to: 2, suspects: false, &tally, &$0.turn) }
        #expect(tally.messages == 1 && rig.slot(handed.id)?.group == 1)
    }

    @Test("What waits is listed by group, class and source, with the oldest and those in a pause")
    func list() throws {
        let rig = Rig()
        rig.accept(.service, parts: 3)
        let began = rig.now.wallMilliseconds
        rig.accept(.service)
        rig.answer(try #require(rig.hand()), part: 0, .deferred(status: 1))
        rig.pass(seconds: 10)
        rig.accept(.otp, source: 2)
        var (cursor, lines): (UInt32, [WaitingKey: WaitingLine]) = (0, [:])
        rig.engine.survey(&cursor, &lines)
        #expect(cursor == 0 && lines.count == 2)
        let service = lines[WaitingKey(group: 1, messageClass: .service, source: 1)]
        #expect(service?.messages == 1 && service?.submits == 1 && service?.oldest == began && service?.pausing == 0)
        #expect(lines[WaitingKey(group: 1, messageClass: .otp, source: 2)]?.oldest == began + 10_000)
    }

    struct Missing: Error {}
}
