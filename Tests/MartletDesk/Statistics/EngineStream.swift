import MartletModel

@testable import MartletEngine

/// Records as the engine makes them, from a seed: messages of three sources over two groups, answered, refused, throttled, cancelled, moved,
/// reported late, forgotten until their deadline.
struct EngineStream: ~Copyable {
    private(set) var engine: Engine
    private var turn: Turn
    private var now: Instant
    private var dice: Dice
    private var offset: UInt64 = 0
    private var handed: [Handover] = []
    /// Provider ids that receipts may come for.
    private var ids: [(group: GroupNumber, id: String)] = []

    struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    init(seed: UInt64) {
        var configuration = Engine.Configuration()
        configuration.routes = Routes([.init(prefix: "44", group: 1), .init(prefix: "33", group: 2)])
        configuration.codeRing = 1 << 16
        configuration.ring = 1 << 16
        now = Instant(wall: 1_790_000_000_000_000, steady: 5_000_000)
        engine = Engine(configuration, now: now, seed: seed)
        turn = Turn(now: now)
        dice = Dice(state: seed)
    }

    /// Records of the start.
    mutating func start() -> [Record] {
        turn.begin(now)
        engine.recovered(clean: true, &turn)
        engine.mark(.init(what: .credit, value: 64), group: 1, &turn)
        engine.mark(.init(what: .credit, value: 64), group: 2, &turn)
        return commit()
    }

    /// One act of the world, and the records it left, durable.
    mutating func step() -> [Record] {
        turn.begin(now)
        switch Int.random(in: 0..<20, using: &dice) {
        case 0..<7: accept()
        case 7..<10: hand()
        case 10..<14: answer()
        case 14..<17: hear()
        case 17: move()
        case 18: purge()
        default:
            let micros = Int64.random(in: 100_000...5_000_000_000, using: &dice)
            now = Instant(wall: now.wall + micros, steady: now.steady + micros)
            turn.begin(now)
            engine.tick(&turn)
        }
        return commit()
    }

    private mutating func accept() {
        let country: UInt64 = Bool.random(using: &dice) ? 447_700_900_000 : 33_700_900_000
        let classes: [MessageClass] = [.otp, .transactional, .marketing, .security]
        let submission = Submission(
            source: SourceNumber.random(in: 7...9, using: &dice), messageClass: classes[Int.random(in: 0..<4, using: &dice)],
            to: PhoneNumber(digits: country + UInt64.random(in: 0..<50, using: &dice)), from: "Bank",
            text: String(repeating: "x", count: Int.random(in: 1...400, using: &dice)), receivedAt: now)
        _ = engine.accept(submission, random: dice.next(), &turn)
    }

    private mutating func hand() {
        let group = GroupNumber.random(in: 1...2, using: &dice)
        for _ in 0..<3 { if let handover = engine.credit(group, room: 16) { handed.append(handover) } }
    }

    private mutating func answer() {
        guard !handed.isEmpty else { return }
        let handover = handed.remove(at: Int.random(in: 0..<handed.count, using: &dice))
        var settled: [Settled] = []
        for part in 0..<handover.parts where handover.partMask >> UInt16(part) & 1 == 1 {
            let outcome: Outcome =
                switch Int.random(in: 0..<10, using: &dice) {
                case 0: .refused(status: 11)
                case 1: .throttled(status: 88)
                case 2: .unknown
                case 3: .notWritten
                default: .accepted(providerID: "p\(dice.next() % 1_000_000_000)")
                }
            if !outcome.providerID.isEmpty { ids.append((handover.id.high % 2 == 0 ? 1 : 2, outcome.providerID)) }
            settled.append(
                Settled(slot: handover.slot, attempt: handover.attempt, part: part, outcome: outcome, handedAt: now.wall))
        }
        engine.settle(settled, connection: "c", &turn)
    }

    private mutating func hear() {
        guard let one = ids.randomElement(using: &dice) else { return }
        let states: [ReceiptState] = [.delivered, .delivered, .delivered, .undeliverable, .enroute]
        var strays: [Engine.Stray] = []
        // Whose group it is nobody wrote down: both are told.
        let state = states[Int.random(in: 0..<5, using: &dice)]
        let heard = [1, 2].map { Heard(group: $0, providerID: one.id, state: state, error: 0) }
        engine.hear(heard, &turn, strays: &strays)
    }

    private mutating func move() {
        let from = GroupNumber.random(in: 1...2, using: &dice)
        let meant = Waiting(group: from, before: now.wallMilliseconds - 1000)
        var (cursor, tally): (UInt32, WaitingTally) = (0, WaitingTally())
        var found: [WaitingPlace] = []
        engine.collect(meant, to: 3 - from, suspects: false, &cursor, &found, &tally)
        engine.reroute(found.prefix(3), meant, to: 3 - from, suspects: false, &tally, &turn)
    }

    private mutating func purge() {
        guard Int.random(in: 0..<8, using: &dice) == 0 else { return }
        var (cursor, tally): (UInt32, WaitingTally) = (0, WaitingTally())
        engine.purge(Waiting(group: 1, classes: ClassSet(.marketing), before: now.wallMilliseconds), &cursor, &tally, &turn)
    }

    private mutating func commit() -> [Record] {
        for index in turn.records.indices {
            turn.records[index].record.header.previous = engine.previous(of: turn.records[index])
            offset += 1
            engine.placed(turn.records[index], at: 1 << 32 | offset)
        }
        let records = turn.records.map(\.record)
        for emitted in turn.records { if let slot = emitted.slot { engine.released(slot, emitted.after, now) } }
        return records
    }
}
