import MartletModel
import SMSText

@testable import MartletEngine

/// A node of one hot loop or two, its operators and its senders in one value that only a seed decides: no thread, no clock, no disk.
///
/// Two loops share the partitions, half each, and with them everything that belongs to a number. Each has its engine, its log and its
/// binds; a source, an operator and a person who acts are one and the same for both.
final class World {
    /// A law broken on purpose, to see that the checker sees it.
    enum Sabotage {
        case none, releasesBeforeDurable, forgetsMarks, answersBeforeDurable, hearsAlone, sharesNothing, trimsUnread, countsAgain
    }

    let seed: UInt64
    let sabotage: Sabotage
    var dice: Dice
    var agenda = Agenda()
    var steady: Int64 = 1_000_000
    var wallAhead: Int64 = 1_790_000_000_000_000
    var instant: Instant { Instant(wall: steady + wallAhead, steady: steady) }
    var checker = WorldChecker()

    private(set) var loops: [WorldLoop] = []
    var tellers: [WorldTeller] = []
    var handsets: [HandsetMessage] = []
    var restarts = 0
    private var submissions = 0
    /// What two loops had to do with each other: loops that died alone, receipts and messages from handsets that came by a bind of the other,
    /// receipts that neither knew, shares of a quota given.
    var diedAlone = 0
    var handedOver = 0
    var overtook = 0
    var inboundHandedOver = 0
    var sharesMoved = 0
    /// No more trouble: the rest is seen to its end.
    var calming = false
    /// Only time passes.
    var waiting = false
    let calm: Bool
    let answerTimeout: Int64
    let busyFor: Int64
    /// It has a history, and somebody who keeps it; or it goes on for more than an hour, through one without the database.
    let hasHistory: Bool
    let lastsAnHour: Bool
    let patience: Int64
    var jumped: Int64 = 0
    var latestDeadline: Int64 = 0
    /// One queue, small windows: what a restart flags is then far less than all.
    let narrow: Bool
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
    let lookups: LookupHash
    /// Sources report events besides, in every second world.
    let hasEvents: Bool
    var bank = WorldBank()
    static let partsMaximum = 5

    init(seed: UInt64, sabotage: Sabotage = .none) {
        self.seed = seed
        self.sabotage = sabotage
        dice = Dice(seed: seed)
        let segmentRecords = dice.pick([12, 40, 150])
        var configuration = Engine.Configuration()
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
        configuration.groups = ["main": 1, "quiet": GroupNumber(groups)]
        configuration.inbound = World.inboundRules
        if dice.chance(60) {
            for group in 1...groups { configuration.inquiries[GroupNumber(group)] = InquirySet(rawValue: UInt8(dice.below(4))) }
        }
        calm = dice.chance(15)
        answerTimeout = dice.between(Int64(1_000_000), 8_000_000)
        hasHistory = seed % 3 == 0
        lastsAnHour = seed % 24 == 15
        hasEvents = seed % 2 == 0
        let short = dice.between(Int64(2_000_000), 40_000_000)
        busyFor = lastsAnHour ? 3_700_000_000 : short
        patience = dice.pick([30, 120, 600])
        damagePercent = dice.chance(10) ? 3 : 0
        slowDiskPercent = dice.pick([0, 2, 20])
        tellsPercent = dice.pick([0, 30, 100])
        let limit = SourceLimits(rate: dice.pick([0, 1, 20]), burst: dice.pick([0, 3]), dailyQuota: dice.pick([0, 10, 40]))
        limits = dice.chance(30) ? [1: limit] : [:]
        if limits[1] != nil, limit.dailyQuota > 0 { checker.quotas[1] = limit.dailyQuota }
        hasRules = dice.chance(30)
        lookups = LookupHash(key: configuration.hashKey)
        let count = dice.chance(40) ? 2 : 1
        checker.loops = count
        for number in 0..<count {
            let share = partitionCount / count
            configuration.partitions = PartitionNumber(number * share)..<PartitionNumber((number + 1) * share)
            loops.append(WorldLoop(self, number: number, configuration, segmentRecords: segmentRecords))
        }
        if hasHistory {
            for loop in loops {
                loop.projector = WorldProjector(loop, seed: seed, forgets: sabotage == .countsAgain)
                // In some there is no room for all that the history lacks.
                if seed % 4 == 1 { loop.segmentCap = 4 }
            }
        }
        for group in 1...groups {
            let one = SimulatedOperator(calm ? .calm : .drawn(&dice))
            // Takes what it gets and never says what became of it.
            if hasEvents, !calm, group == groups, group > 1, seed % 4 == 0 { one.manner.noReceipt = 100 }
            for loop in loops {
                for n in 0..<(narrow ? dice.between(1, 2) : dice.between(1, 3)) {
                    let window = dice.pick(narrow ? [1, 2, 3] : [1, 2, 5, 10])
                    let name = "l\(loop.number)-g\(group)-\(n)"
                    loop.links.append(Link(name: name, group: GroupNumber(group), window: window, operatorOf: one))
                }
            }
        }
        if hasRules {
            let texts = drawnRules()
            for loop in loops { loop.configuration.texts = texts }
        }
        for source in 1...sources { tellers.append(WorldTeller(source: SourceNumber(source), &dice)) }
    }

    /// Whose messages to and from this number are.
    func loop(of number: PhoneNumber) -> WorldLoop { loop(of: lookups.partition(of: number)) }
    func loop(of id: MessageID) -> WorldLoop { loop(of: id.partition) }
    func loop(of partition: PartitionNumber) -> WorldLoop { loops[Int(partition) * loops.count / partitionCount] }

    private static let rules: [TextRules] = [
        .standard, TextRules(options: TextOptions(concatenation: .udh16)), TextRules(options: TextOptions(concatenation: .payload)),
        TextRules(options: TextOptions(alphabets: [.ucs2])),
        TextRules(options: TextOptions(alphabets: [.gsm7, .cyrillic], concatenation: .sar)),
        TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.russian]), TextRules(options: TextOptions(alphabets: [.gsm7])),
    ]

    /// In a calm world every operator has an alphabet for every text.
    private func drawnRules() -> Texts {
        var all: [GroupNumber: TextRules] = [:]
        for group in 1...groups { all[GroupNumber(group)] = dice.pick(calm ? World.rules.dropLast() : World.rules) }
        return Texts(all)
    }

    /// The loops hear of it one after the other.
    private func reload() {
        let texts = drawnRules()
        for loop in loops { loop.whatever(dice.between(Int64(0), 5_000)) { $0.reload(texts) } }
    }

    // MARK: Time

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
        if sabotage != .forgetsMarks, dice.chance(50) { for loop in loops { loop.tellCredit() } }
        if hasEvents {
            // Somewhere in a minute, so that some end while it lives.
            wallAhead += dice.between(Int64(0), 60_000_000)
            foundBank()
        }
        for loop in loops { loop.start(clean: true) }
        for loop in loops { loop.projector?.start(over: busyFor, hour: lastsAnHour) }
        let began = steady
        var at: Int64 = 0
        let bursts = lastsAnHour ? 60 : dice.between(3, 12)
        for _ in 0..<bursts {
            let count = dice.between(1, 18)
            whatever(at) { world in for _ in 0..<count { world.submit() } }
            at += dice.between(Int64(0), busyFor / Int64(bursts))
        }
        if !calm || dice.chance(50) {
            for _ in 0..<(lastsAnHour ? 6 : dice.below(4)) { whatever(dice.between(Int64(0), busyFor)) { $0.crash() } }
            for _ in 0..<dice.below(2) { whatever(dice.between(Int64(0), busyFor)) { $0.restartCleanly() } }
        }
        if !calm, loops.count > 1 {
            for _ in 0..<dice.below(4) { whatever(dice.between(Int64(0), busyFor)) { $0.dice.pick($0.loops).stall() } }
        }
        if !calm {
            for _ in 0..<(dice.chance(30) ? dice.between(1, 2) : 0) { whatever(dice.between(Int64(0), busyFor)) { $0.jump() } }
            for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.holdOne() } }
            for _ in 0..<dice.below(4) { whatever(dice.between(Int64(0), busyFor)) { $0.leaveOne() } }
            for _ in 0..<dice.below(5) { whatever(dice.between(Int64(0), busyFor)) { $0.cancelOne() } }
            for _ in 0..<dice.below(5) { whatever(dice.between(Int64(0), busyFor)) { $0.replaceOne() } }
            for _ in 0..<(seed % 5 == 2 ? 4 : 0) { whatever(dice.between(Int64(0), busyFor)) { $0.eraseOne() } }
            if dice.chance(50) { for _ in 0..<dice.below(12) { whatever(dice.between(Int64(0), busyFor)) { $0.write() } } }
            operate()
            for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.askAgain($0.dice.pick($0.tellers).source) } }
            for _ in 0..<(hasRules ? dice.between(1, 4) : 0) { whatever(dice.between(Int64(0), busyFor)) { $0.reload() } }
        }
        run(until: began + busyFor)
        guard checker.faults.isEmpty else { return finish() }
        calming = true
        for loop in loops where !loop.running { loop.start(clean: false) }
        releaseAll()
        run(until: steady + 60_000_000)
        guard checker.faults.isEmpty else { return finish() }
        settleDown()
        for loop in loops { loop.compareFolds("in the quiet") }
        // Then time alone: until the last of those with a short life ended.
        let last = (latestDeadline + Engine.receiptGraceMilliseconds) * 1000 - instant.wall + jumped + 60_000_000
        waiting = true
        run(until: steady + max(0, last))
        // What is parked waits for its source; the last to end may still be told.
        for teller in tellers { askAgain(teller.source) }
        // Others may end in the last moment, whose class has a short life; their ends are owed once they are durable.
        for _ in 0..<100 {
            settleDown()
            guard loops.contains(where: { $0.engine.owedTotal > 0 }) else { break }
            run(until: steady + 1_000_000)
            for teller in tellers { askAgain(teller.source) }
        }
        for loop in loops { loop.compareFolds("at the end") }
        compareTogether()
        for loop in loops { loop.checkEnds() }
        for loop in loops { loop.projector?.check() }
        checkReceipts()
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
        for _ in 0..<100 where loops.contains(where: { !$0.isAtRest }) { run(until: steady + 1_000_000) }
        checker.check(loops.allSatisfy(\.isAtRest), "a log does not come to rest")
    }

    /// The whole process dies, or one loop and its log alone.
    private func crash() {
        let one = loops.count > 1 && dice.chance(60) ? dice.pick(loops) : nil
        if one?.running ?? false { diedAlone += 1 }
        for loop in loops where one == nil || loop === one { loop.crash() }
    }

    private func restartCleanly() {
        for loop in loops { loop.enter { $0.restartCleanly() } }
    }

    private func jump() {
        let by: Int64 = dice.chance(50) ? 3_600_000_000 : -3_600_000_000
        jumped += abs(by)
        checker.setBack = max(checker.setBack, -by)
        wallAhead += by
    }

    static func folded(_ records: [(position: UInt64, bytes: [UInt8])], _ configuration: Engine.Configuration, _ now: Instant) -> Engine {
        var engine = Engine(configuration, now: now, seed: 1)
        for (position, bytes) in records {
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { continue }
            engine.apply(record, at: position, now)
        }
        return engine
    }

    // MARK: Senders

    func nextSubmission() -> Int {
        submissions += 1
        return submissions - 1
    }

    /// A source's submission comes in at any loop and is taken by the one that owns its number.
    func submit() {
        let messageClass = dice.pick(classes)
        let number = nextSubmission()
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
        loop(of: to).enter { $0.submit(submission, number) }
    }
}
