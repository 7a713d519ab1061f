import MartletModel

@testable import MartletEngine

/// What the desk does with one log, as small as it can be: takes committed records in order into a store, each transaction with the place
/// at which it goes on. Its store is away now and then, in some worlds for an hour; the desk dies; a commit's answer is lost; and what was
/// not synced yet a power cut takes back. Meanwhile the node lives and dies as it likes, carries forward and trims.
final class WorldProjector {
    /// What one transaction changes together.
    private struct Store {
        /// How many transactions there were: whoever writes must know the one before.
        var batches = 0
        /// Of the records of the log, in their order, how many were taken or passed over.
        var place = 0
        var sequences: [PartitionNumber: UInt64] = [:]
        /// Positions of the records that were counted; of the others only their number is known.
        var taken: [UInt64] = []
        var lost: UInt64 = 0
        var states: [MessageID: (state: MessageState, reason: EndReason)] = [:]
        var accepted: [SourceNumber: UInt64] = [:]
        var ended: [SourceNumber: UInt64] = [:]
    }

    /// What the desk remembers of its store: where it goes on.
    private struct Memory {
        var batches: Int
        var place: Int
        var sequences: [PartitionNumber: UInt64]

        init(_ store: Store) { (batches, place, sequences) = (store.batches, store.place, store.sequences) }
    }

    private unowned let loop: WorldLoop
    private var dice: Dice
    private var store = Store()
    /// What a power cut leaves.
    private var synced = Store()
    private var memory: Memory
    private var awayUntil: Int64 = 0
    private let largest: Int
    private let forgets: Bool
    private var syncedAt: Int64 = 0
    /// What the desk's file says: the first segment of which the synced store lacks something. It outlives every process.
    private(set) var told: UInt32 = 0
    /// Longest time without the store, microseconds; records that waited at its end; records that went unread.
    private(set) var longest: Int64 = 0
    private(set) var mostBehind = 0
    private(set) var passedOver = 0

    /// - Parameter forgets: it does not look whether a transaction happened before it makes it again.
    init(_ loop: WorldLoop, seed: UInt64, forgets: Bool) {
        self.loop = loop
        self.forgets = forgets
        dice = Dice(seed: seed ^ 0x5350_494C_4C00 &+ UInt64(loop.number))
        memory = Memory(store)
        largest = dice.pick([1, 7, 100])
    }

    /// - Parameters:
    ///   - span: microseconds in which the store goes away now and then.
    ///   - hour: it also is away for an hour of it.
    func start(over span: Int64, hour: Bool) {
        for _ in 0..<dice.below(4) {
            let length = dice.between(Int64(100_000), 20_000_000)
            loop.whatever(dice.between(Int64(0), span)) { [self] in leave(for: length, $0.steady) }
        }
        if hour { loop.whatever(dice.between(Int64(0), span - 3_600_000_000)) { [self] in leave(for: 3_600_000_000, $0.steady) } }
        loop.whatever(0) { [self] in step($0) }
    }

    private func leave(for length: Int64, _ now: Int64) {
        awayUntil = max(awayUntil, now + length)
        longest = max(longest, length)
    }

    private func step(_ loop: WorldLoop) {
        loop.whatever(loop.waiting ? 10_000_000 : dice.between(Int64(20_000), 1_500_000)) { [self] in step($0) }
        guard loop.steady >= awayUntil else { return }
        switch dice.below(100) {
        // The desk dies and another begins with what the store has.
        case 0..<5: memory = Memory(store)
        // The power goes where the store is.
        case 5..<8:
            store = synced
            memory = Memory(store)
        default: transact()
        }
        if loop.steady - syncedAt >= 1_000_000 { sync() }
    }

    private func sync() {
        (synced, syncedAt) = (store, loop.steady)
        told = loop.log.segment(of: synced.place)
    }

    // MARK: One transaction

    private func transact() {
        var next = store
        (next.place, next.sequences) = (memory.place, memory.sequences)
        read(&next)
        let mayWrite = memory.batches == store.batches || forgets
        let died = dice.chance(3)
        guard mayWrite, !died else { return memory = Memory(store) }
        mostBehind = max(mostBehind, loop.log.whole.count - store.place)
        next.batches += 1
        store = next
        // Whoever does not hear of the commit makes it again, and finds that somebody came first.
        if !dice.chance(4) { memory = Memory(store) }
    }

    private func read(_ next: inout Store) {
        var room = largest
        let log = loop.log
        while next.place < log.whole.count, room > 0 {
            let (position, bytes) = log.whole[next.place]
            next.place += 1
            // Trimmed before it was read.
            guard UInt32(position >> 32) >= log.trimmedBefore else { continue }
            room -= 1
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { continue }
            let header = record.header
            let known = next.sequences[header.partition] ?? 0
            guard header.sequence > known else { continue }
            next.lost += header.sequence - known - 1
            next.sequences[header.partition] = header.sequence
            next.taken.append(position)
            count(header, record.body, &next)
        }
    }

    private func count(_ header: RecordHeader, _ body: RecordBody, _ next: inout Store) {
        guard header.id.high != 0, loop.checker.card(header.id) != nil else { return }
        if case .accepted = body { next.accepted[header.source, default: 0] += 1 }
        if case .decided(let it) = body, it.stage == .fresh { next.accepted[header.source, default: 0] += 1 }
        guard !header.flags.contains(.late), let state = header.flags.state, let reason = header.flags.reason else { return }
        // A copy forward repeats what was counted.
        if state.isEnd, header.kind != .carried, header.id.ordinal == 0,
            header.flags.contains(.ends) || header.kind == .accepted || header.kind == .decided
        {
            next.ended[header.source, default: 0] += 1
        }
        next.states[header.id] = (state, reason)
    }

    // MARK: What must hold

    /// The store is there again and the desk has read all: each record counted once, or is told as lost where the log had to give it up.
    func check() {
        let checker = loop.checker
        guard checker.faults.isEmpty else { return }
        awayUntil = 0
        for _ in 0..<100_000 where store.place < loop.log.whole.count || memory.batches != store.batches { transact() }
        sync()
        let name = "the history of loop \(loop.number)"
        let whole = loop.log.whole
        loop.checker.check(store.place == whole.count, "\(name) does not come to the end of the log")
        let taken = Set(store.taken)
        loop.checker.check(taken.count == store.taken.count, "\(name) counted \(store.taken.count - taken.count) records twice")
        passedOver = whole.count - taken.count
        loop.checker.check(
            store.lost == UInt64(passedOver), "\(name) lacks \(passedOver) of \(whole.count) records and says \(store.lost)")
        loop.checker.check(
            passedOver == 0 || loop.wentOverCap, "\(name) lacks \(passedOver) records, and the log never was over its cap")
        guard passedOver == 0 else { return }
        for source in loop.engine.ledger.sources {
            let live = loop.engine.ledger[source]
            let (accepted, ended) = (store.accepted[source] ?? 0, store.ended[source] ?? 0)
            loop.checker.check(
                live.accepted == accepted && live.ended == ended,
                "\(name) has \(accepted) accepted and \(ended) ended of source \(source), the ledger \(live.accepted) and \(live.ended)")
        }
        let open = WorldLoop.told(loop.engine)
        for card in Array(checker.cards.values) + checker.steps.values where card.durable && loop.world.loop(of: card.id) === loop {
            let found = store.states[card.id]
            let wanted = card.end.map { ($0.state, $0.reason) } ?? open[card.id].map { ($0.told.state, $0.told.reason) }
            loop.checker.check(
                found?.state == wanted?.0 && (card.end == nil || found?.reason == wanted?.1),
                "\(name) has message \(card.number) as \(String(describing: found)), the engine as \(String(describing: wanted))")
        }
    }
}
