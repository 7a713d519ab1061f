import MartletModel

@testable import MartletEngine

/// One hot loop of a world: an engine with its share of the partitions, their log, and its own binds to every operator.
final class WorldLoop {
    /// What waits for the disk, in order.
    enum Waiting {
        case record(position: UInt64, bytes: [UInt8], slot: SlotReference?, after: Turn.After, flight: Flight?, link: Link?)
        case told(Card)
        case receipt(Hearing, [Engine.Stray])
        case inbound(HandsetMessage, Int)
    }

    unowned let world: World
    let number: Int
    var configuration: Engine.Configuration
    var log: WorldLog
    var engine: Engine
    var turn: Turn
    var links: [Link] = []
    var firstInGroup = 0
    /// Grows with each process: what an earlier one planned does not happen.
    var life = 0
    var running = false
    /// Steady time until which it gets no turn.
    var stalledUntil: Int64 = 0
    var open: [Waiting] = []
    var flying: [Waiting]?
    var kickPlanned = false
    var carrying = false
    var carryCursor: UInt32 = 0
    var carryBarrier: UInt64 = 0
    /// The oldest segment, once nothing in it must outlive it.
    var cleared: UInt32 = 0
    /// Who keeps the history of this log, in some worlds, and what of it that one lacks as the node read last.
    var projector: WorldProjector?
    var history = HistoryNeed()
    /// Segments over which the log goes on without what the history lacks; it came to that.
    var segmentCap = Int.max
    var wentOverCap = false
    var inDoubt: [ObjectIdentifier: Flight] = [:]
    /// Position of the last credit mark of this process.
    var marksUpTo: UInt64 = 0
    var damaged: Set<UInt64> = []
    /// Parts of the day of each source that this loop may take: its share of the quota.
    var shares: [SourceNumber: Int] = [:]
    var asksForShare = false
    /// Notices on their way to each source.
    var telling: [SourceNumber: Int] = [:]

    /// - Parameter configuration: with the partitions that are its own.
    init(_ world: World, number: Int, _ configuration: Engine.Configuration, segmentRecords: Int) {
        self.world = world
        self.number = number
        self.configuration = configuration
        log = WorldLog(segmentRecords: segmentRecords)
        engine = Engine(configuration, now: Instant(wall: 0, steady: 0), seed: 0)
        turn = Turn(now: Instant(wall: 0, steady: 0))
    }

    // MARK: The world it is in

    var dice: Dice {
        _read { yield world.dice }
        _modify { yield &world.dice }
    }
    var checker: WorldChecker {
        _read { yield world.checker }
        _modify { yield &world.checker }
    }
    var steady: Int64 { world.steady }
    var instant: Instant { world.instant }
    var sabotage: World.Sabotage { world.sabotage }
    var calming: Bool { world.calming }
    var waiting: Bool { world.waiting }
    var calm: Bool { world.calm }
    var narrow: Bool { world.narrow }
    var hasRules: Bool { world.hasRules }
    var sources: Int { world.sources }
    var classes: [MessageClass] { world.classes }
    var longPercent: Int { world.longPercent }
    var patience: Int64 { world.patience }
    var answerTimeout: Int64 { world.answerTimeout }
    var slowDiskPercent: Int { world.slowDiskPercent }
    var damagePercent: Int { world.damagePercent }
    var tellers: [WorldTeller] { world.tellers }
    var partitions: Range<PartitionNumber> { configuration.partitions }
    /// The loops beside this one.
    var others: [WorldLoop] { world.loops.filter { $0 !== self } }

    /// Plans something of this process.
    func after(_ delay: Int64, _ act: @escaping (WorldLoop) -> Void) {
        let born = life
        world.agenda.plan(steady + max(0, delay)) { [unowned self] in turn(of: born, act) }
    }

    /// Does something that comes from outside, when the loop has its next turn.
    func enter(_ act: @escaping (WorldLoop) -> Void) { turn(of: life, act) }

    private func turn(of born: Int, _ act: @escaping (WorldLoop) -> Void) {
        guard born == life, running else { return }
        if steady >= stalledUntil { return act(self) }
        world.agenda.plan(stalledUntil) { [unowned self] in turn(of: born, act) }
    }

    /// Plans something of the world outside.
    func whatever(_ delay: Int64, _ act: @escaping (WorldLoop) -> Void) {
        world.agenda.plan(steady + max(0, delay)) { [unowned self] in act(self) }
    }

    func stall() {
        if running { stalledUntil = steady + dice.between(Int64(50_000), 6_000_000) }
    }

    func reload(_ texts: Texts) {
        configuration.texts = texts
        guard running else { return }
        engine.set(texts: texts)
        pumpAll()
    }

    /// So many parts may be handed over and not recorded.
    func tellCredit() {
        for link in links { configuration.creditByGroup[link.group, default: 0] += UInt32(inDoubtMaximum(link)) }
    }

    // MARK: Life and death

    func start(clean: Bool) {
        life += 1
        running = true
        stalledUntil = 0
        engine = World.folded(log.remaining, configuration, instant)
        if world.hasEvents { engine.set(book: world.bank.book) }
        if log.trimmedBefore > 1 { compareFolds("after a restart", fresh: true) }
        for part in engine.partsToRestore { engine.restore(part.id, at: part.position, payload(part.position), instant) }
        turn.begin(instant)
        engine.recovered(clean: clean, &turn)
        shareQuotas()
        checker.recovered(at: steady, partitions)
        engine.mark(.init(what: .started), &turn)
        append(nil, [])
        var credit: [GroupNumber: Int] = [:]
        for link in links {
            link.session += 1
            link.bound = false
            link.outstanding = []
            link.unrecorded = 0
            credit[link.group, default: 0] += inDoubtMaximum(link)
            if sabotage != .forgetsMarks {
                turn.begin(instant)
                engine.mark(.init(what: .credit, value: UInt32(credit[link.group] ?? 0)), group: link.group, &turn)
                append(nil, [])
                if case .record(let position, _, _, _, _, _)? = open.last { marksUpTo = position }
            }
        }
        kick()
        // The process before may have died while it looked.
        for stray in engine.strays(limit: .max) { after(dice.between(Int64(100), 5_000)) { $0.look(for: stray) } }
        telling = [:]
        for link in links { after(dice.between(narrow ? Int64(0) : 20_000, dice.chance(50) ? 5_000 : 500_000)) { $0.bind(link) } }
        after(50_000) { $0.tick() }
        after(1_000_000) { $0.maintain() }
    }

    func crash() {
        guard running else { return }
        // Of the batch being written some of the first may have got there.
        if let batch = flying {
            for item in batch.prefix(whole(batch, dice.below(batch.count + 1))) {
                if case .record(let position, let bytes, _, _, let flight, _) = item {
                    keep(position, bytes)
                    if let flight { inDoubt[ObjectIdentifier(flight)] = nil }
                }
            }
        }
        for link in links {
            let count = inDoubt.values.reduce(0) { $0 + ($1.link === link ? 1 : 0) }
            checker.check(
                count <= inDoubtMaximum(link), "\(link.name): \(count) parts in doubt at a crash, window \(link.window)")
        }
        checker.crashed(partitions)
        for flight in inDoubt.values where flight.written {
            checker.card(flight.id)?.explained[Int(flight.part)] += 1
            checker.card(flight.id)?.onWireAtCrash |= 1 << UInt16(flight.part)
        }
        forget()
        // What was not acknowledged comes again.
        for item in (flying ?? []) + open {
            if case .receipt(let hearing, _) = item { hearing.lost(world) }
            if case .inbound(let message, let part) = item { world.whatever(3_000_000) { $0.bring(message, part) } }
        }
        world.restarts += 1
        flying = nil
        open = []
        log.cutTail(newSegment: dice.chance(50))
        whatever(dice.between(Int64(50_000), dice.chance(50) ? 3_000_000 : 20_000_000)) { if !$0.running { $0.start(clean: false) } }
    }

    /// A window on the wire and one answered and not recorded; the last message may have more parts than there is room for.
    private func inDoubtMaximum(_ link: Link) -> Int {
        2 * link.window + (hasRules ? Engine.partsMaximum - 2 : longPercent == 0 ? 0 : World.partsMaximum - 2)
    }

    private func forget() {
        running = false
        inDoubt = [:]
        kickPlanned = false
        carrying = false
        carryCursor = 0
        carryBarrier = 0
        cleared = 0
        history = HistoryNeed()
    }

    func restartCleanly() {
        guard running else { return }
        for link in links { lose(link) }
        turn.begin(instant)
        if dice.chance(50) { engine.stateLedgers(&turn) }
        engine.mark(.init(what: .stopped), &turn)
        append(nil, [])
        for item in (flying ?? []) + open { finish(item) }
        // Handed-over receipts and answers above may have made more.
        for item in open.dropFirst(0) {
            if case .record(let position, _, _, _, _, _) = item, log.read(position) == nil { checker.fault("left behind") }
        }
        flying = nil
        open = []
        checker.crashed(partitions)
        world.restarts += 1
        for link in links { link.bound = false }
        forget()
        log.cutTail(newSegment: false)
        whatever(500_000) { if !$0.running { $0.start(clean: true) } }
    }
}
