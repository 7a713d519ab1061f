import MartletModel

@testable import MartletEngine

/// How an operator behaves, in percent.
struct Manner {
    var throttle = 0
    var deferral = 0
    var refuse = 0
    var unencodable = 0
    /// Takes nothing and says nothing.
    var ignore = 0
    /// Takes it and does not say so, or too late.
    var mute = 0
    var late = 0
    var twice = 0
    /// Receipts: none, two, before the answer, a bad one, one of an unknown id, passing ones first.
    var noReceipt = 0
    var twoReceipts = 0
    var earlyReceipt = 0
    var badReceipt = 0
    var strangeReceipt = 0
    var passing = 0
    /// Seconds between two drops of a bind; 0: never.
    var dropEvery = 0
    var slowest: Int64 = 60_000
    /// How it answers inquiries.
    var answering = Answering.truthful
    var answersAfter: Int64 = 50_000

    enum Answering: CaseIterable { case truthful, lying, silent, notKnown, failing, forgetful }

    static let calm = Manner()

    static func drawn(_ dice: inout Dice) -> Manner {
        if dice.chance(20) { return .calm }
        func some(_ most: Int) -> Int { dice.chance(40) ? dice.below(most) : 0 }
        return Manner(
            throttle: some(40), deferral: some(40), refuse: some(15), unencodable: some(10), ignore: some(15), mute: some(15),
            late: some(15), twice: some(20), noReceipt: some(50), twoReceipts: some(50), earlyReceipt: some(60), badReceipt: some(30),
            strangeReceipt: some(20), passing: some(50), dropEvery: dice.chance(50) ? dice.between(1, 20) : 0,
            slowest: dice.pick([5_000, 60_000, 400_000]), answering: dice.pick(Answering.allCases),
            answersAfter: dice.pick([5_000, 400_000, 20_000_000]))
    }
}

/// One part given to a connection.
final class Flight {
    let slot: SlotReference
    let id: MessageID
    let attempt: UInt8
    let part: UInt8
    let link: Link
    let session: Int
    var handedAt: Int64 = 0
    var written = false
    /// The engine heard its outcome.
    var settled = false

    init(_ handover: Handover, part: UInt8, link: Link) {
        slot = handover.slot
        id = handover.id
        attempt = handover.attempt
        self.part = part
        self.link = link
        session = link.session
    }
}

/// One connection of a group.
final class Link {
    let name: String
    let group: GroupNumber
    let window: Int
    let operatorOf: SimulatedOperator
    var session = 0
    var bound = false
    var outstanding: [Flight] = []
    /// Answered parts whose records are not durable yet.
    var unrecorded = 0
    /// Steady time until which it holds back because the operator was too busy.
    var pausedUntil: Int64 = 0

    init(name: String, group: GroupNumber, window: Int, operatorOf: SimulatedOperator) {
        self.name = name
        self.group = group
        self.window = window
        self.operatorOf = operatorOf
    }

    func room(_ steady: Int64) -> Int { bound && steady >= pausedUntil ? window - outstanding.count : 0 }
}

/// The operator's side of one group. It remembers over our crashes.
final class SimulatedOperator {
    var manner: Manner
    private var made = 0
    /// What becomes of each message, and the steady time from which that is so; those that it was told to forget.
    var fates: [String: (state: ReceiptState, from: Int64)] = [:]
    var forgotten: Set<String> = []

    init(_ manner: Manner) { self.manner = manner }

    func newID() -> String {
        made += 1
        return "op-\(made)"
    }
}

extension WorldLoop {
    /// The connection sends its parts one after the other.
    func send(_ handover: Handover, over link: Link) {
        var delay: Int64 = 0
        for part in 0..<UInt8(16) where handover.partMask >> UInt16(part) & 1 == 1 {
            let flight = Flight(handover, part: part, link: link)
            link.outstanding.append(flight)
            inDoubt[ObjectIdentifier(flight)] = flight
            delay += dice.between(Int64(0), 2_000)
            if dice.chance(link.operatorOf.manner.unencodable) {
                after(delay) { $0.answer(flight, .unencodable) }
                continue
            }
            after(delay) { $0.write(flight) }
        }
    }

    private func write(_ flight: Flight) {
        guard !flight.settled else { return }
        flight.written = true
        flight.handedAt = instant.wall
        after(answerTimeout) { $0.timeOut(flight) }
        let way = dice.between(Int64(500), flight.link.operatorOf.manner.slowest)
        // What is on the wire arrives, whatever becomes of us.
        whatever(way) { $0.arrive(flight) }
    }

    private func timeOut(_ flight: Flight) {
        if !flight.settled { answer(flight, .unknown) }
    }

    private func arrive(_ flight: Flight) {
        let manner = flight.link.operatorOf.manner
        let back = dice.between(Int64(500), manner.slowest)
        if dice.chance(manner.ignore) { return }
        if dice.chance(manner.throttle) { return after(back) { $0.answer(flight, .throttled(status: 0x58)) } }
        if dice.chance(manner.deferral) { return after(back) { $0.answer(flight, .deferred(status: 0x14)) } }
        if dice.chance(manner.refuse) { return after(back) { $0.answer(flight, .refused(status: 0x0B)) } }
        let providerID = flight.link.operatorOf.newID()
        checker.took(flight.id, Int(flight.part))
        receipts(of: providerID, flight.link.group, flight.link.operatorOf, back)
        if dice.chance(manner.mute) { return }
        after(dice.chance(manner.late) ? back + answerTimeout : back) { $0.answer(flight, .accepted(providerID: providerID)) }
        if dice.chance(manner.twice) {
            after(back + dice.between(Int64(0), 3_000_000)) { $0.answer(flight, .accepted(providerID: providerID)) }
        }
    }

    private func receipts(of providerID: String, _ group: GroupNumber, _ one: SimulatedOperator, _ back: Int64) {
        let manner = one.manner
        if dice.chance(manner.strangeReceipt) {
            world.whatever(dice.between(Int64(0), 5_000_000)) {
                $0.hear(WorldReceipt(group: group, providerID: "strange-\(providerID)", state: .delivered))
            }
        }
        let bad: [ReceiptState] = [.expired, .deleted, .undeliverable, .unknown, .rejected]
        let state: ReceiptState = dice.chance(manner.badReceipt) ? dice.pick(bad) : .delivered
        let at = dice.chance(manner.earlyReceipt) ? dice.below(Int(back)) : Int(back) + dice.below(20_000_000)
        let isLost = dice.chance(manner.noReceipt)
        // Some of these never reach the handset at all, and nobody ever says so.
        one.fates[providerID] = (state, isLost && dice.chance(30) ? .max : steady + Int64(at))
        if isLost { return }
        if dice.chance(manner.passing) {
            world.whatever(Int64(at) / 2) { $0.hear(WorldReceipt(group: group, providerID: providerID, state: .enroute)) }
        }
        let count = dice.chance(manner.twoReceipts) ? 2 : 1
        for n in 0..<count {
            world.whatever(Int64(at) + Int64(n) * dice.between(Int64(0), 2_000_000)) {
                let state = one.forgotten.contains(providerID) ? .deleted : state
                $0.hear(WorldReceipt(group: group, providerID: providerID, state: state))
            }
        }
    }

    /// The connection hears the answer and tells the node; what belongs to an earlier bind is lost.
    private func answer(_ flight: Flight, _ outcome: Outcome) {
        guard flight.session == flight.link.session else { return }
        // The timeout came first; a connection that does not know that tells it all the same.
        if flight.settled { return repeated(flight, outcome) }
        if case .throttled = outcome { pause(flight.link) }
        settle([(flight, outcome)], on: flight.link)
        pumpAll()
    }

    private func pause(_ link: Link) {
        link.pausedUntil = steady + 500_000
        after(500_001) { $0.pump(link) }
    }

    /// A second answer to the same part, as some operators give, or one after its timeout.
    private func repeated(_ flight: Flight, _ outcome: Outcome) {
        turn.begin(instant)
        engine.settle(
            [Settled(slot: flight.slot, attempt: flight.attempt, part: flight.part, outcome: outcome, handedAt: flight.handedAt)],
            connection: flight.link.name, &turn)
        checker.check(turn.records.isEmpty, "a second answer made a record")
    }

    // MARK: Binds

    func bind(_ link: Link) {
        guard !link.bound else { return }
        // The log must know how much may be on the wire before anything is; or the settings tell it.
        if configuration.creditByGroup.isEmpty, log.newest < marksUpTo { return after(5_000) { $0.bind(link) } }
        link.bound = true
        let manner = link.operatorOf.manner
        if manner.dropEvery > 0, !calming {
            let session = link.session
            after(dice.between(Int64(100_000), Int64(manner.dropEvery) * 2_000_000)) { if link.session == session { $0.drop(link) } }
        }
        pump(link)
    }

    private func drop(_ link: Link) {
        lose(link)
        after(dice.between(Int64(10_000), 4_000_000)) { $0.bind(link) }
    }

    /// Every part is answered for: written ones are unknown, the others never left.
    func lose(_ link: Link) {
        link.session += 1
        link.bound = false
        let open = link.outstanding
        guard !open.isEmpty else { return }
        settle(open.map { ($0, $0.written ? .unknown : .notWritten) }, on: link)
        pumpAll()
    }
}
