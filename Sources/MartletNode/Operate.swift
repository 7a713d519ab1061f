import Dispatch
import Logging
public import MartletEngine
public import MartletModel
import NIOCore

/// What people do to a running node. Each act stands in the journal as a mark that says who did what; long ones go in steps, so that
/// the loop is never held and codes pass between them.
extension Node {
    /// A person's act, for the log.
    public func note(_ act: String, by who: String = "") {
        turn.begin(now())
        operated(act, who)
        if append() { kickLater() }
    }

    private func operated(_ act: String, _ who: String) {
        let text = who.isEmpty ? act : "\(who): \(act)"
        engine.mark(.init(what: .operated, text: String(decoding: text.utf8.prefix(200), as: UTF8.self)), &turn)
        parts.logger.notice("operated", metadata: ["act": "\(act)", "who": "\(who)"])
    }

    /// Holds classes back on a group, or on all (group 0), or releases them. Answers when that is durable.
    public func hold(
        _ classes: ClassSet, of group: GroupNumber, _ held: Bool, by who: String, then: @escaping (Bool) -> Void
    ) {
        guard !broken, !stopping else { return then(false) }
        turn.begin(now())
        let words = classes.classes.map(\.word).joined(separator: ", ")
        operated(
            "\(held ? "hold" : "release") \(words) \(group == 0 ? "on all groups" : "on \(groupNames[group] ?? "group \(group)")")", who)
        engine.hold(classes, of: group, held, &turn)
        if group == 0, !held { for one in engine.heldGroups { engine.hold(classes, of: one, false, &turn) } }
        answerWhenDurable(then)
        pumpAll()
    }

    public func held(_ group: GroupNumber) -> ClassSet { engine.held(group) }
    public var heldGroups: [GroupNumber] { engine.heldGroups }
    /// Whether a class waits on this group because a person said so, on it or on all.
    public func isHeld(_ one: MessageClass, _ group: GroupNumber) -> Bool { engine.isHeld(one, group) }

    private func answerWhenDurable(_ then: @escaping (Bool) -> Void) {
        guard append() else { return then(false) }
        if turn.records.isEmpty { return then(true) }
        open.receipts.append(then)
        kickSoon()
    }

    // MARK: What waits

    /// How an act on what waits ended.
    public enum ActEnd: Equatable, Sendable {
        case done
        /// Another act is under way; nothing was done.
        case busy
        /// Whoever began it went away, or the node stops; what was done is done.
        case stopped
        /// The journal failed.
        case storage
    }

    /// Adds up what waits, a step a turn of the loop.
    public func survey(_ then: @escaping ([WaitingKey: WaitingLine]) -> Void) {
        survey(from: 0, [:], then)
    }

    private func survey(from cursor: UInt32, _ lines: [WaitingKey: WaitingLine], _ then: @escaping ([WaitingKey: WaitingLine]) -> Void) {
        var (cursor, lines) = (cursor, lines)
        engine.survey(&cursor, &lines)
        if cursor == 0 { return then(lines) }
        loop.assumeIsolated().execute { [lines] in self.survey(from: cursor, lines, then) }
    }

    /// Counts what an act would meet.
    public func count(_ waiting: Waiting, suspects: Bool, _ then: @escaping (WaitingTally) -> Void) {
        count(waiting, suspects, from: 0, WaitingTally(), then)
    }

    private func count(
        _ waiting: Waiting, _ suspects: Bool, from cursor: UInt32, _ tally: WaitingTally, _ then: @escaping (WaitingTally) -> Void
    ) {
        var (cursor, tally) = (cursor, tally)
        engine.count(waiting, suspects: suspects, &cursor, &tally)
        if cursor == 0 { return then(tally) }
        loop.assumeIsolated().execute { [tally] in self.count(waiting, suspects, from: cursor, tally, then) }
    }

    /// An act under way.
    private final class Act {
        let waiting: Waiting
        let name: String
        let who: String
        let progress: (WaitingTally) -> Bool
        let then: (WaitingTally, ActEnd) -> Void
        var tally = WaitingTally()
        var cursor: UInt32 = 0
        var steps = 0
        // Of a move.
        var target: GroupNumber = 0
        var suspects = false
        var found: [WaitingPlace] = []
        var next = 0
        var rounds = 0

        init(
            _ waiting: Waiting, _ name: String, _ who: String, _ progress: @escaping (WaitingTally) -> Bool,
            _ then: @escaping (WaitingTally, ActEnd) -> Void
        ) {
            self.waiting = waiting
            self.name = name
            self.who = who
            self.progress = progress
            self.then = then
        }
    }

    /// Rounds over the table for what a read or a write held before.
    private static let moveRounds = 40
    private static let roundPause: TimeAmount = .milliseconds(100)

    /// Ends what waits as cancelled by an operator.
    /// - Parameters:
    ///   - act: in words, for the log.
    ///   - progress: told now and then; false ends the act.
    public func purge(
        _ waiting: Waiting, act: String, by who: String, progress: @escaping (WaitingTally) -> Bool,
        then: @escaping (WaitingTally, ActEnd) -> Void
    ) {
        guard let act = begin(Act(waiting, act, who, progress, then)) else { return }
        purge(act)
    }

    private func purge(_ act: Act) {
        guard goesOn(act, then: { self.purge(act) }) else { return }
        turn.begin(now())
        engine.purge(act.waiting, &act.cursor, &act.tally, &turn)
        guard append() else { return finish(act, .storage) }
        if !turn.records.isEmpty { kickLater() }
        if act.cursor == 0 { return finish(act, .done) }
        loop.assumeIsolated().execute { self.purge(act) }
    }

    /// Moves what waits to another group.
    /// - Parameter suspects: possible duplicates too.
    public func move(
        _ waiting: Waiting, to group: GroupNumber, suspects: Bool, act: String, by who: String,
        progress: @escaping (WaitingTally) -> Bool, then: @escaping (WaitingTally, ActEnd) -> Void
    ) {
        guard let act = begin(Act(waiting, act, who, progress, then)) else { return }
        act.target = group
        act.suspects = suspects
        collect(act)
    }

    private func collect(_ act: Act) {
        guard goesOn(act, then: { self.collect(act) }) else { return }
        var tally = WaitingTally()
        engine.collect(act.waiting, to: act.target, suspects: act.suspects, &act.cursor, &act.found, &tally)
        if act.rounds == 0 { act.tally.mayHaveLeft += tally.mayHaveLeft }
        if act.cursor != 0 { return loop.assumeIsolated().execute { self.collect(act) } }
        // They keep their order; a million of them is not sorted on the loop.
        let bound = NIOLoopBound((self, act), eventLoop: loop)
        let loop = self.loop
        parts.background.async { [found = act.found] in
            let sorted = found.sorted { $0.order < $1.order }
            loop.execute {
                let (node, act) = bound.value
                act.found = sorted
                node.move(act)
            }
        }
    }

    private func move(_ act: Act) {
        guard goesOn(act, then: { self.move(act) }) else { return }
        let end = min(act.found.count, act.next + Engine.walkActs)
        turn.begin(now())
        engine.reroute(act.found[act.next..<end], act.waiting, to: act.target, suspects: act.suspects, &act.tally, &turn)
        guard append() else { return finish(act, .storage) }
        if !turn.records.isEmpty { kickLater() }
        act.next = end
        if act.next < act.found.count { return loop.assumeIsolated().execute { self.move(act) } }
        act.rounds += 1
        guard act.tally.busy > 0, act.rounds < Node.moveRounds else { return finish(act, .done) }
        // What a read or a write held is free in a moment.
        act.tally.busy = 0
        act.found = []
        act.next = 0
        loop.assumeIsolated().scheduleTask(in: Node.roundPause) { self.collect(act) }
    }

    private func begin(_ act: Act) -> Act? {
        guard !broken, !stopping, !isActing else {
            act.then(act.tally, broken ? .storage : stopping ? .stopped : .busy)
            return nil
        }
        isActing = true
        note(act.name, by: act.who)
        return act
    }

    /// Whether the next step may be done now; else it is planned, or the act is over.
    private func goesOn(_ act: Act, then: @escaping () -> Void) -> Bool {
        if broken || stopping {
            finish(act, broken ? .storage : .stopped)
            return false
        }
        if isBehind {
            loop.assumeIsolated().scheduleTask(in: .milliseconds(10)) { then() }
            return false
        }
        act.steps += 1
        if act.steps % progressSteps == 0, !act.progress(act.tally) {
            finish(act, .stopped)
            return false
        }
        return true
    }

    /// The end stands in the log too, with what was done; the answer waits for the disk.
    private func finish(_ act: Act, _ end: ActEnd) {
        isActing = false
        guard !broken, !stopping else { return act.then(act.tally, end) }
        turn.begin(now())
        operated("\(end == .done ? "done" : "broken off"): \(act.name): \(act.tally.messages) messages", act.who)
        answerWhenDurable { durable in act.then(act.tally, durable ? end : .storage) }
    }
}
