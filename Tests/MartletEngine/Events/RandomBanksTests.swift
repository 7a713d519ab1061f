import Calendar
import MartletModel
import Testing

@testable import MartletEngine

/// Banks from seeds, run to the end of the last thing that they owe: any rulebook, releases that change it under way, customers who change,
/// an operator who answers or not, receipts or none, restarts.
@Suite("Events of any bank")
struct RandomBanksTests {
    private struct Bank {
        let bank: EventRig
        var dice: DecisionDice
        var ids: [MessageID] = []
        private let zones: [Zone]
        private var provider = 0

        init(_ seed: UInt64) throws {
            dice = DecisionDice(5000 + seed)
            zones = try DecisionDice.zones.map(DecisionWorld.zone)
            bank = EventRig()
            bank.customers.all = [:]
            publish(1)
            for subject in SubjectNumber(11)...18 { change(subject) }
        }

        mutating func publish(_ release: UInt32) {
            let rules = dice.rules()
            bank.book = DecisionBook(
                release: release, rules: rules, decider: Decider(rules, zones: zones), wording: EventBank.wording(rules))
            bank.rig.engine.set(served: dice.seldom() ? [] : ChannelSet(.sms))
        }

        mutating func change(_ subject: SubjectNumber) {
            let customer = dice.customer(subject)
            let addresses = customer.contacts.filter { $0.kind == .phone }.map {
                CustomerDetails.Address(number: $0.number, value: .phone(447_700_900_000 + UInt64(subject)))
            }
            bank.customers.all[subject] = (
                customer, CustomerDetails(reference: "C\(subject)", givenName: dice.flip() ? "Ada" : "", addresses: addresses)
            )
        }

        mutating func report() {
            let subject = SubjectNumber(11 + dice.below(9))
            var wish = EventRig.Wish()
            if dice.seldom() { wish.occurred = -Int64(dice.below(200_000)) }
            if dice.seldom() { wish.deadline = Int64(dice.below(100_000)) - 100 }
            if dice.seldom() { wish.isDuplicate = true }
            if dice.flip() { wish.tells = [.failed, .delivered] }
            if dice.seldom() { (wish.knownAs, wish.ends) = (UInt64(subject), UInt64(subject)) }
            wish.source = SourceNumber(1 + dice.below(3))
            let verdict = bank.verdict(
                UInt16(12 + dice.below(11)), ["Books", "Tea", ""][dice.below(3)], minor: Int64(dice.below(20_000)), to: subject, wish: wish)
            if case .accepted(let id, _) = verdict { ids.append(id) }
        }

        /// What is due is decided, what is queued goes out, and something becomes of it.
        mutating func work() {
            bank.decideDue()
            bank.rig.commit()
            while let handover = bank.rig.next() {
                provider += 1
                let name = "p\(provider)"
                switch dice.below(8) {
                case 0: bank.rig.answer(handover, .refused(status: 11))
                case 1: bank.rig.answer(handover, .unknown)
                case 2: bank.rig.answer(handover, .deferred(status: 88))
                default:
                    for part in 0..<handover.parts where handover.partMask >> UInt16(part) & 1 == 1 {
                        bank.rig.answer(handover, part: part, .accepted(providerID: "\(name)-\(part)"))
                    }
                    bank.rig.commit()
                    guard dice.flip() else { break }
                    let state: ReceiptState = dice.seldom() ? .undeliverable : .delivered
                    for part in 0..<handover.parts where dice.below(20) > 0 { bank.rig.hear("\(name)-\(part)", state) }
                }
                bank.rig.commit()
            }
        }
    }

    @Test("Every event that was accepted ends once, in a state and with a reason that are stated; accepted = ended", arguments: 0..<24)
    func ends(seed: UInt64) throws {
        var it = try Bank(seed)
        for turn in 0..<120 {
            it.report()
            if it.dice.flip() { it.bank.rig.commit() }
            if it.dice.flip() { it.bank.rig.tick(seconds: Double(it.dice.below(it.dice.seldom() ? 20_000 : 200))) }
            it.work()
            if it.dice.seldom() { it.change(SubjectNumber(11 + it.dice.below(8))) }
            if it.dice.seldom() { it.publish(UInt32(turn + 2)) }
            if it.dice.seldom() {
                // What is not durable was never accepted.
                it.bank.rig.commit()
                it.bank.restart()
                it.bank.rig.engine.set(served: ChannelSet(.sms))
                it.bank.rig.commit()
            }
        }
        it.bank.rig.commit()
        // All deadlines of these rulebooks are within two days.
        for _ in 0..<60 where it.bank.rig.engine.openCount > 0 {
            it.bank.rig.tick(seconds: 7200)
            it.work()
        }
        it.bank.rig.commit()
        let place: Comment = "seed \(seed)"
        #expect(it.ids.count > 60 && it.bank.rig.engine.openCount == 0, place)
        for source in SourceNumber(1)...3 {
            let sums = it.bank.rig.engine.ledger[source]
            #expect(sums.accepted == sums.ended && sums.open == 0 && sums.drift == 0, place)
        }
        // What the log says of each notification, record by record: it comes to its end once, and nothing happens to it afterwards.
        var fates: [MessageID: (state: MessageState, reason: EndReason?, ends: Int)] = [:]
        for (_, bytes) in it.bank.rig.log {
            let header = try bytes.withUnsafeBytes { try RecordHeader(reading: $0) }
            guard header.id.ordinal == 0, !header.flags.contains(.late), let state = header.flags.state else { continue }
            var fate = fates[header.id] ?? (state, nil, 0)
            let hadEnded = fate.ends > 0 && fate.state.isEnd
            #expect(!hadEnded || state == fate.state, "seed \(seed): \(header.id.text) went on after its end")
            if state.isEnd, !hadEnded { fate.ends += 1 }
            (fate.state, fate.reason) = (state, header.flags.reason)
            fates[header.id] = fate
        }
        for id in it.ids {
            let fate = try #require(fates[id], "seed \(seed): nothing is known of \(id.text)")
            #expect(fate.state.isEnd && fate.ends == 1, "seed \(seed): \(id.text) is \(fate.state.word) and ended \(fate.ends) times")
            let reason = try #require(fate.reason, place)
            // Only of what arrived, or was refused by the operator, the state says it all.
            if [.suppressed, .cancelled, .expired].contains(fate.state) {
                #expect(reason != EndReason.none, "\(id.text) \(fate.state.word)")
            }
        }
    }
}
