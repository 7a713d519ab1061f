import MartletModel
import SMSText

@testable import MartletEngine

/// A node, its operators and its senders in one value that only a seed decides: no thread, no clock, no disk.
final class World {
    /// A law broken on purpose, to see that the checker sees it.
    enum Sabotage { case none, releasesBeforeDurable, forgetsMarks, answersBeforeDurable }

    /// What waits for the disk, in order.
    enum Waiting {
        case record(position: UInt64, bytes: [UInt8], slot: SlotReference?, after: Turn.After, flight: Flight?, link: Link?)
        case told(Card)
        case receipt(WorldReceipt)
        case inbound(HandsetMessage, Int)
    }

    let seed: UInt64
    let sabotage: Sabotage
    var dice: Dice
    var agenda = Agenda()
    var steady: Int64 = 1_000_000
    var wallAhead: Int64 = 1_790_000_000_000_000
    var instant: Instant { Instant(wall: steady + wallAhead, steady: steady) }
    var log: WorldLog
    var checker = WorldChecker()

    var engine: Engine
    var turn: Turn
    var configuration: Engine.Configuration
    var links: [Link] = []
    var firstInGroup = 0
    var tellers: [WorldTeller] = []
    var handsets: [HandsetMessage] = []
    var restarts = 0
    /// Grows with each process: what an earlier one planned does not happen.
    var life = 0
    var running = false
    var open: [Waiting] = []
    var flying: [Waiting]?
    var kickPlanned = false
    var carrying = false
    var carryCursor: UInt32 = 0
    var carryBarrier: UInt64 = 0
    /// The oldest segment, once nothing in it must outlive it.
    var cleared: UInt32 = 0
    var inDoubt: [ObjectIdentifier: Flight] = [:]
    /// No more trouble: the rest is seen to its end.
    var calming = false
    /// Only time passes.
    var waiting = false
    let calm: Bool
    let answerTimeout: Int64
    let busyFor: Int64
    let patience: Int64
    var jumped: Int64 = 0
    var damaged: Set<UInt64> = []
    var latestDeadline: Int64 = 0
    /// One queue, small windows: what a restart flags is then far less than all.
    let narrow: Bool
    /// Position of the last credit mark of this process.
    var marksUpTo: UInt64 = 0
    let groups: Int
    let sources: Int
    let classes: [MessageClass]
    let longPercent: Int
    let damagePercent: Int
    let slowDiskPercent: Int
    let tellsPercent: Int
    /// Of one source, in some worlds.
    let limits: [SourceNumber: SourceLimits]
    /// Operators' rules for texts, which a reload changes now and then; some texts are in other letters.
    let hasRules: Bool
    static let partsMaximum = 5

    init(seed: UInt64, sabotage: Sabotage = .none) {
        self.seed = seed
        self.sabotage = sabotage
        dice = Dice(seed: seed)
        log = WorldLog(segmentRecords: dice.pick([12, 40, 150]))
        configuration = Engine.Configuration()
        configuration.hashKey = (seed, 42)
        configuration.partsMaximum = World.partsMaximum
        configuration.codeRing = dice.pick([4096, 1 << 16])
        configuration.ring = dice.pick([4096, 8192, 1 << 17])
        configuration.openMaximum = dice.chance(15) ? 40 : 10_000
        // Reached in few worlds, and then opt-outs still are heeded.
        if seed % 8 == 5 { configuration.optOutMaximum = 1 }
        configuration.orphanMaximum = dice.chance(20) ? 3 : 1000
        narrow = dice.chance(40)
        groups = narrow ? dice.between(1, 2) : dice.between(1, 3)
        sources = narrow ? 1 : 3
        classes = narrow ? [dice.pick(MessageClass.allCases)] : MessageClass.allCases
        longPercent = dice.chance(narrow ? 60 : 0) ? 0 : 25
        configuration.routes = Routes((0..<groups).map { Routes.Route(prefix: "\(41 + $0)", group: GroupNumber($0 + 1)) })
        configuration.inbound = World.inboundRules
        calm = dice.chance(15)
        answerTimeout = dice.between(Int64(1_000_000), 8_000_000)
        busyFor = dice.between(Int64(2_000_000), 40_000_000)
        patience = dice.pick([30, 120, 600])
        damagePercent = dice.chance(10) ? 3 : 0
        slowDiskPercent = dice.pick([0, 2, 20])
        engine = Engine(configuration, now: Instant(wall: 0, steady: 0), seed: 0)
        tellsPercent = dice.pick([0, 30, 100])
        let limit = SourceLimits(rate: dice.pick([0, 1, 20]), burst: dice.pick([0, 3]), dailyQuota: dice.pick([0, 10, 40]))
        limits = dice.chance(30) ? [1: limit] : [:]
        if limits[1] != nil, limit.dailyQuota > 0 { checker.quotas[1] = limit.dailyQuota }
        turn = Turn(now: Instant(wall: 0, steady: 0))
        for group in 1...groups {
            let one = SimulatedOperator(calm ? .calm : .drawn(&dice))
            for n in 0..<(narrow ? dice.between(1, 2) : dice.between(1, 3)) {
                let window = dice.pick(narrow ? [1, 2, 3] : [1, 2, 5, 10])
                links.append(Link(name: "g\(group)-\(n)", group: GroupNumber(group), window: window, operatorOf: one))
            }
        }
        hasRules = dice.chance(30)
        if hasRules { drawRules() }
        for source in 1...sources { tellers.append(WorldTeller(source: SourceNumber(source), &dice)) }
    }

    private func tellCredit() {
        for link in links { configuration.creditByGroup[link.group, default: 0] += UInt32(inDoubtMaximum(link)) }
    }

    private static let rules: [TextRules] = [
        .standard, TextRules(options: TextOptions(concatenation: .udh16)), TextRules(options: TextOptions(concatenation: .payload)),
        TextRules(options: TextOptions(alphabets: [.ucs2])),
        TextRules(options: TextOptions(alphabets: [.gsm7, .cyrillic], concatenation: .sar)),
        TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.russian]), TextRules(options: TextOptions(alphabets: [.gsm7])),
    ]

    /// In a calm world every operator has an alphabet for every text.
    private func drawRules() {
        var all: [GroupNumber: TextRules] = [:]
        for group in Set(links.map(\.group)).sorted() { all[group] = dice.pick(calm ? World.rules.dropLast() : World.rules) }
        configuration.texts = Texts(all)
    }

    private func reload() {
        drawRules()
        guard running else { return }
        engine.set(texts: configuration.texts)
        pumpAll()
    }

    // MARK: Time

    /// Plans something of this process.
    func after(_ delay: Int64, _ act: @escaping (World) -> Void) {
        let born = life
        agenda.plan(steady + max(0, delay)) { [unowned self] in if born == life, running { act(self) } }
    }

    /// Plans something of the world outside.
    func whatever(_ delay: Int64, _ act: @escaping (World) -> Void) {
        agenda.plan(steady + max(0, delay)) { [unowned self] in act(self) }
    }

    func run(until end: Int64) {
        while let next = agenda.next, next <= end, checker.faults.isEmpty {
            guard let item = agenda.take() else { break }
            steady = max(steady, item.at)
            item.act()
        }
        steady = max(steady, end)
    }

    /// From the first message to the last end. The laws it broke.
    func live() -> [String] {
        if sabotage != .forgetsMarks, dice.chance(50) { tellCredit() }
        start(clean: true)
        let began = steady
        var at: Int64 = 0
        let bursts = dice.between(3, 12)
        for _ in 0..<bursts {
            let count = dice.between(1, 18)
            whatever(at) { world in for _ in 0..<count { world.submit() } }
            at += dice.between(Int64(0), busyFor / Int64(bursts))
        }
        if !calm || dice.chance(50) {
            for _ in 0..<dice.below(4) { whatever(dice.between(Int64(0), busyFor)) { $0.crash() } }
            for _ in 0..<dice.below(2) { whatever(dice.between(Int64(0), busyFor)) { $0.restartCleanly() } }
        }
        if !calm {
            for _ in 0..<(dice.chance(30) ? dice.between(1, 2) : 0) { whatever(dice.between(Int64(0), busyFor)) { $0.jump() } }
            for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.holdOne() } }
            for _ in 0..<dice.below(4) { whatever(dice.between(Int64(0), busyFor)) { $0.leaveOne() } }
            for _ in 0..<dice.below(5) { whatever(dice.between(Int64(0), busyFor)) { $0.cancelOne() } }
            for _ in 0..<dice.below(5) { whatever(dice.between(Int64(0), busyFor)) { $0.replaceOne() } }
            if dice.chance(50) { for _ in 0..<dice.below(12) { whatever(dice.between(Int64(0), busyFor)) { $0.write() } } }
            operate()
            for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.askAgain($0.dice.pick($0.tellers).source) } }
            for _ in 0..<(hasRules ? dice.between(1, 4) : 0) { whatever(dice.between(Int64(0), busyFor)) { $0.reload() } }
        }
        run(until: began + busyFor)
        guard checker.faults.isEmpty else { return finish() }
        calming = true
        if !running { start(clean: false) }
        releaseAll()
        run(until: steady + 60_000_000)
        guard checker.faults.isEmpty else { return finish() }
        settleDown()
        compareFolds("in the quiet")
        // Then time alone: until the last of those with a short life ended.
        let last = (latestDeadline + Engine.receiptGraceMilliseconds) * 1000 - instant.wall + jumped + 60_000_000
        waiting = true
        run(until: steady + max(0, last))
        // What is parked waits for its source; the last to end may still be told.
        for teller in tellers { askAgain(teller.source) }
        for _ in 0..<100 where engine.owedTotal > 0 { run(until: steady + 1_000_000) }
        settleDown()
        compareFolds("at the end")
        checkEnds()
        checkHeard()
        checkHandsets()
        return finish()
    }

    private func finish() -> [String] {
        agenda.clear()
        return checker.faults
    }

    /// Lets commits in flight come down.
    private func settleDown() {
        for _ in 0..<100 where !open.isEmpty || flying != nil { run(until: steady + 1_000_000) }
        checker.check(open.isEmpty && flying == nil, "the log does not come to rest")
    }

    // MARK: Senders

    func submit() {
        guard running else { return }
        let messageClass = dice.pick(classes)
        let number = checker.cards.count
        let wanted = dice.chance(longPercent) ? dice.between(2, 6) : 1
        var text = "message \(number) "
        let length = wanted == 1 ? dice.between(20, 160) : (wanted - 1) * 153 + dice.between(10, 150)
        let letter = hasRules && dice.chance(30) ? "ж" : "x"
        while text.utf8.count < length { text += letter }
        let to = PhoneNumber(
            digits: UInt64(narrow ? 40 + dice.between(1, groups) : dice.between(41, 44)) * 1_000_000_000 + UInt64(dice.below(30)))
        let validity: Int64? = dice.chance(85) ? dice.between(5, patience) : nil
        let submission = Submission(
            source: SourceNumber(dice.between(1, sources)), messageClass: messageClass, to: to, from: "Bank", text: text,
            reference: "r\(number)", validity: validity,
            tells: dice.chance(tellsPercent) ? Submission.Tells(rawValue: UInt8(dice.between(1, 3))) : [], receivedAt: instant)
        let route = configuration.routes.group(for: to)
        let planned = try? (configuration.texts[route ?? 0] ?? .standard).plan(text)
        // Plain letters: 160 in a single message, 153 in each part of a longer one.
        let parts = hasRules ? planned?.plan.parts ?? 0 : text.utf8.count <= 160 ? 1 : (text.utf8.count + 152) / 153
        turn.begin(instant)
        switch engine.accept(submission, random: dice.next(), &turn) {
        case .accepted(let id, let count):
            checker.check(Int(count) == parts && parts <= World.partsMaximum, "accepted in \(count) parts, has \(parts)")
            let deadline = instant.wallMilliseconds + submission.validity * 1000
            if validity != nil { latestDeadline = max(latestDeadline, deadline) }
            let card = Card(
                number: number, submission: submission, group: route ?? 0, parts: planned?.plan.submits ?? 0, onAir: Int(count), id: id,
                acceptedAt: steady, deadline: deadline)
            checker.cards[id] = card
            append(nil, [])
            if sabotage == .answersBeforeDurable { card.told = true } else { open.append(.told(card)) }
            kick()
        case .refused(.noAlphabet): checker.check(hasRules && planned == nil, "no alphabet for a text that has one")
        case .refused(.noRoute): checker.check(route == nil, "no route for a number that has one")
        case .refused(.tooManyParts(let has, let limit)): checker.check(has == parts && parts > limit, "too many parts: \(has)")
        case .refused(.quotaUsedUp(let seconds)):
            checker.check(checker.quotas[submission.source] != nil && (1...86_400).contains(seconds), "refused for a quota: \(seconds) s")
        case .refused(.rateLimited(let seconds)):
            checker.check(limits[submission.source].map { $0.rate > 0 } ?? false && seconds >= 1, "refused for a rate: \(seconds) s")
        case .refused(.full):
            let isForOptOuts = engine.hasMostOptOuts && messageClass == .marketing
            checker.check(isForOptOuts || engine.openCount >= configuration.openMaximum, "full with \(engine.openCount) open")
        case .refused(let other): checker.fault("refused: \(other)")
        }
    }

    private func jump() {
        let by: Int64 = dice.chance(50) ? 3_600_000_000 : -3_600_000_000
        jumped += abs(by)
        wallAhead += by
    }

    // MARK: Life and death

    func start(clean: Bool) {
        life += 1
        running = true
        engine = World.folded(log.remaining, configuration, instant)
        if log.trimmedBefore > 1 { compareFolds("after a restart", fresh: true) }
        for part in engine.partsToRestore { engine.restore(part.id, at: part.position, payload(part.position), instant) }
        turn.begin(instant)
        engine.recovered(clean: clean, &turn)
        engine.set(limits: limits, instant)
        checker.recovered(at: steady)
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
        for teller in tellers { teller.outstanding = 0 }
        for link in links { after(dice.between(narrow ? Int64(0) : 20_000, dice.chance(50) ? 5_000 : 500_000)) { $0.bind(link) } }
        after(50_000) { $0.tick() }
        after(1_000_000) { $0.maintain() }
    }

    static func folded(_ records: [(position: UInt64, bytes: [UInt8])], _ configuration: Engine.Configuration, _ now: Instant) -> Engine {
        var engine = Engine(configuration, now: now, seed: 1)
        for (position, bytes) in records {
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { continue }
            engine.apply(record, at: position, now)
        }
        return engine
    }

    private func crash() {
        guard running else { return }
        // Of the batch being written some of the first may have got there.
        if let batch = flying {
            for item in batch.prefix(dice.below(batch.count + 1)) {
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
        checker.crashed()
        for flight in inDoubt.values where flight.written {
            checker.card(flight.id)?.explained[Int(flight.part)] += 1
            checker.card(flight.id)?.onWireAtCrash |= 1 << UInt16(flight.part)
        }
        forget()
        // Receipts that were not acknowledged come again.
        for item in (flying ?? []) + open {
            if case .receipt(let receipt) = item { whatever(3_000_000) { $0.hear(receipt) } }
            if case .inbound(let message, let part) = item { whatever(3_000_000) { $0.bring(message, part) } }
        }
        restarts += 1
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
    }

    private func restartCleanly() {
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
        checker.crashed()
        restarts += 1
        for link in links { link.bound = false }
        forget()
        log.cutTail(newSegment: false)
        whatever(500_000) { if !$0.running { $0.start(clean: true) } }
    }
}
