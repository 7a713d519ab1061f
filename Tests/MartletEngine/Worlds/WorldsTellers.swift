import MartletModel

@testable import MartletEngine

/// Where one source of a world hears: there or away, quick or slow, and now and then it does not answer.
final class WorldTeller {
    let source: SourceNumber
    let window: Int
    let lossPercent: Int
    let refusePercent: Int
    let laterPercent: Int
    let parkPercent: Int
    var present = true

    init(source: SourceNumber, _ dice: inout Dice) {
        self.source = source
        window = dice.pick([1, 3, 10])
        lossPercent = dice.pick([0, 10, 40])
        refusePercent = dice.pick([0, 0, 5])
        laterPercent = dice.pick([0, 10, 50])
        parkPercent = dice.pick([0, 0, 20])
    }

    func answer(_ dice: inout Dice) -> NoticeOutcome {
        if dice.chance(lossPercent) { return .notHeard }
        if dice.chance(refusePercent) { return .refused }
        if dice.chance(laterPercent) { return .later(milliseconds: dice.between(Int64(0), 30_000)) }
        return dice.chance(parkPercent) ? .parked : .heard
    }
}

extension WorldLoop {
    /// Gives every source that is there what it is owed. Each notice must tell a durable end, and the oldest first.
    func tellAll() {
        guard running else { return }
        for teller in tellers where teller.present {
            let owed = engine.owed(teller.source, room: teller.window - telling[teller.source, default: 0])
            for item in owed { tell(item, teller) }
        }
    }

    private func tell(_ item: Engine.Owed, _ teller: WorldTeller) {
        if item.state == .received {
            let payload = item.payload ?? self.payload(item.position).flatMap { $0.withUnsafeBytes { try? Payload(reading: $0) } }
            return tellInbound(item, teller, payload)
        }
        guard let card = checker.card(item.id) else { return checker.fault("a source hears of a message that nobody submitted") }
        let name = "message \(card.number)"
        checker.check(
            card.end.map { $0 == (item.state, item.reason) } ?? false, "\(name): told \(item.state), ended \(String(describing: card.end))")
        checker.check(card.submission.source == teller.source, "\(name): another source hears of it")
        checker.check(card.wants(item.state), "\(name): its source did not ask to hear of \(item.state)")
        checker.check(!card.isParked, "\(name): told while it is parked")
        checker.check(steady >= card.tellAfter, "\(name): told \(card.tellAfter - steady) us before its time")
        checker.check(!card.heard, "\(name): told again after its source had heard and that was durable")
        let isErased = checker.erased.contains(item.id)
        guard item.payload != nil || !isErased && payload(item.position) != nil else {
            checker.check(!damaged.isEmpty || isErased, "\(name): its payload for the notice is not in the log")
            turn.begin(instant)
            engine.untellable(item.slot, &turn)
            return append(nil, [])
        }
        telling[teller.source, default: 0] += 1
        let outcome = calming ? .heard : teller.answer(&dice)
        after(dice.between(Int64(100), 400_000)) { loop in
            loop.telling[teller.source, default: 0] -= 1
            loop.turn.begin(loop.instant)
            if case .later(let milliseconds) = outcome { card.tellAfter = loop.steady + milliseconds * 1000 }
            if case .parked = outcome { card.isParked = true }
            loop.engine.told([(item.slot, outcome)], teller: "t\(teller.source)", &loop.turn)
            loop.append(nil, [])
            loop.tellAll()
        }
    }

    fileprivate func askAgain(_ source: SourceNumber, from start: UInt32 = 0) {
        guard running else { return }
        var cursor = start
        for card in checker.cards.values where card.submission.source == source && world.loop(of: card.id) === self {
            card.isParked = false
            card.tellAfter = 0
        }
        let count = engine.tellAgain(source, since: 0, cursor: &cursor, now: instant)
        checker.check(count <= engine.owedTotal, "\(count) ends told again, \(engine.owedTotal) owed")
        tellAll()
        if cursor != 0 { after(50) { [cursor] in $0.askAgain(source, from: cursor) } }
    }

    fileprivate func cancel(_ card: Card) {
        turn.begin(instant)
        let verdict = engine.cancel(card.id, source: card.submission.source, &turn)
        append(nil, [])
        if verdict == .cancelled, !turn.records.isEmpty {
            checker.check(card.takenLive == 0 && card.onWire == 0, "message \(card.number) was cancelled after it left")
        }
    }

    fileprivate func replace(_ card: Card, with change: Replacement) {
        let position = engine.payloadPosition(of: card.id)
        let payload = position.flatMap { self.payload($0) }.flatMap { $0.withUnsafeBytes { try? Payload(reading: $0) } }
        // What nobody can read cannot be replaced: the shell never asks.
        if position != nil, checker.erased.contains(card.id) { return }
        turn.begin(instant)
        let verdict = engine.replace(card.id, source: card.submission.source, with: change, payload, &turn)
        append(nil, [])
        if verdict == .replaced {
            checker.check(card.takenLive == 0 && card.onWire == 0, "message \(card.number) was replaced after it left")
            if let validity = change.validity {
                world.latestDeadline = max(world.latestDeadline, instant.wallMilliseconds + validity * 1000)
            }
        }
    }

    /// Live and folded, the same ends are owed.
    func compareOwed(_ other: borrowing Engine, _ when: String) {
        let (live, again) = (WorldLoop.owed(engine), WorldLoop.owed(other))
        for (id, state) in live {
            let number = checker.card(id)?.number ?? -1
            checker.check(
                again[id] == state, "\(when): the end of message \(number) is owed live as \(state), in the fold \(again[id] ?? [])")
        }
        for id in again.keys where live[id] == nil {
            let number = checker.card(id)?.number ?? -1
            checker.fault("\(when): the end of message \(number) is owed only in the fold")
        }
        checker.check(engine.owedTotal == live.count, "\(when): \(engine.owedTotal) owed, \(live.count) in the table")
    }

    /// State, reason and error of each.
    private static func owed(_ engine: borrowing Engine) -> [MessageID: [UInt16]] {
        var all: [MessageID: [UInt16]] = [:]
        engine.slots.forEach { number in
            let slot = engine.slots.pointer(number).pointee
            guard slot.flags.contains(.owed) else { return }
            all[slot.id] = [UInt16(slot.state.rawValue), UInt16(slot.reason.rawValue), slot.endError]
        }
        return all
    }
}

extension World {
    func leaveOne() {
        let teller = dice.pick(tellers)
        teller.present = false
        whatever(dice.between(Int64(100_000), 20_000_000)) { world in
            teller.present = true
            for loop in world.loops { loop.enter { $0.tellAll() } }
        }
    }

    /// A source asks for what it was not heard to take.
    func askAgain(_ source: SourceNumber) {
        for loop in loops { loop.enter { $0.askAgain(source) } }
    }

    /// A sender thinks better of it.
    func cancelOne() {
        guard !checker.cards.isEmpty else { return }
        let card = dice.pick(checker.cards.values.sorted { $0.number < $1.number })
        loop(of: card.id).enter { $0.cancel(card) }
    }

    /// The bank forgets a customer: what was written to that number up to now opens no more, wherever it lies.
    func eraseOne() {
        guard !checker.cards.isEmpty else { return }
        let customer = dice.pick(checker.cards.values.sorted { $0.number < $1.number }).submission.to
        let subjects = Set(checker.cards.values.filter { $0.submission.to == customer }.compactMap { $0.event?.subject })
        bank.customers.erased.formUnion(subjects)
        for card in checker.cards.values where card.submission.to == customer || card.event.map({ subjects.contains($0.subject) }) ?? false
        {
            checker.erased.insert(card.id)
        }
    }

    /// A sender finds better words.
    func replaceOne() {
        guard !checker.cards.isEmpty else { return }
        let card = dice.pick(checker.cards.values.sorted { $0.number < $1.number })
        let text = "message \(card.number) replaced " + String(repeating: "y", count: dice.below(longPercent == 0 ? 100 : 400))
        let change = Replacement(
            text: text, validity: dice.chance(50) ? dice.between(5, patience) : nil, tells: Submission.Tells(rawValue: UInt8(dice.below(4)))
        )
        loop(of: card.id).enter { $0.replace(card, with: change) }
    }

    /// Whoever asked to hear of an end has heard.
    func checkHeard() {
        for card in checker.cards.values where card.durable {
            guard let end = card.end, card.wants(end.state) else { continue }
            checker.check(card.heard, "message \(card.number): its source never heard of \(end)")
        }
        for loop in loops { checker.check(loop.engine.owedTotal == 0, "\(loop.engine.owedTotal) ends are owed at the end") }
    }
}

extension Card {
    func wants(_ state: MessageState) -> Bool { submission.tells.contains(state == .delivered ? .delivered : .failed) }
}
