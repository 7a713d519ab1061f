import Calendar
import MartletModel
import Testing

@testable import MartletEngine

@Suite("Decisions in general")
struct DecidePropertyTests {
    private static let rounds = 40_000

    private func each(_ seed: UInt64, _ check: (DecisionWorld, DecisionFacts, EventDefinition, Decision) throws -> Void) throws {
        let world = try DecisionTableTests.world.get()
        var dice = DecisionDice(seed)
        var decision = Decision()
        for _ in 0..<DecidePropertyTests.rounds {
            let facts = dice.facts()
            let definition = try #require(world.rules.events.first { $0.number == facts.event.event })
            let isDecided = world.decider.decide(facts.event, facts.customer, facts.circumstances, into: &decision)
            try #require(isDecided)
            try check(world, facts, definition, decision)
        }
    }

    @Test("Every event ends in exactly one outcome, which one rule gives, and every outcome there is comes up")
    func outcomes() throws {
        var seen: Set<String> = []
        try each(1) { _, facts, _, decision in
            let against = decision.said.filter { if case .passes = $0.verdict { false } else { $0.verdict != .ignored } }
            switch decision.outcome {
            case .tell:
                #expect(against.isEmpty && decision.said.count == DecisionRule.allCases.count)
                seen.insert("tell")
            case .hold(let until):
                #expect(against.map(\.verdict) == [.holds(until: until)] && until > facts.circumstances.now && until < decision.deadline)
                seen.insert("hold")
            case .suppress(let reason):
                #expect(against.map(\.verdict) == [.suppresses(reason)] && decision.said.last == against.last)
                seen.insert(reason.word)
            }
            #expect(decision.said.map(\.rule) == DecisionRule.allCases.filter { rule in decision.said.contains { $0.rule == rule } })
        }
        #expect(seen == Set(SuppressionReason.allCases.map(\.word) + ["tell", "hold"]))
    }

    @Test("What is told has an address now, of a channel that is served, in one step; nothing goes before what cannot work")
    func messages() throws {
        try each(2) { world, facts, definition, decision in
            guard decision.outcome == .tell else { return }
            let now = decision.messages.filter { $0.when == .now }
            let customer = try #require(facts.customer)
            #expect(!now.isEmpty && Set(now.map(\.step)).count == 1)
            for message in decision.messages {
                switch message.when {
                case .skipped: continue
                case .now, .later:
                    #expect(facts.circumstances.channels.contains(message.channel) && definition.channels.contains(message.channel))
                    #expect(customer.contacts.contains { $0.number == message.contact && !$0.isDead && !$0.isForbidden })
                }
                if case .later = message.when { #expect(now.allSatisfy { $0.step < message.step }) }
            }
            let plan = try #require(world.rules.plans.indices.contains(Int(decision.plan)) ? world.rules.plans[Int(decision.plan)] : nil)
            for message in decision.messages { #expect(plan.steps[Int(message.step)].channels.contains(message.channel)) }
        }
    }

    @Test("Nobody can switch off, cap or leave out of a package what is mandatory")
    func mandatory() throws {
        let never: Set<SuppressionReason> = [.notInPackage, .belowThreshold, .noConsent, .optedOut, .capReached, .budget]
        var count = 0
        try each(3) { _, _, definition, decision in
            guard definition.isMandatory else { return }
            count += 1
            if let reason = decision.reason { #expect(!never.contains(reason), "\(reason.word)") }
            #expect(decision.caps == 0)
        }
        #expect(count > 1000)
    }

    @Test("What a decision read, written and read back, is decided the same: bit for bit")
    func replay() throws {
        var again = Decision()
        try each(4) { world, facts, _, decision in
            var bytes: [UInt8] = []
            try facts.write(to: &bytes)
            let read = try bytes.withUnsafeBytes { try DecisionFacts(reading: $0, now: facts.circumstances.now) }
            #expect(read == facts)
            world.decider.decide(read.event, read.customer, read.circumstances, into: &again)
            #expect(again == decision)
        }
    }

    @Test("What was held is not held again by the same rule at its end, when nothing else changed, and by two rules at most")
    func release() throws {
        var later = Decision()
        var (count, twice) = (0, 0)
        try each(5) { world, facts, _, decision in
            guard case .hold(let until) = decision.outcome else { return }
            count += 1
            var circumstances = facts.circumstances
            (circumstances.now, circumstances.stage) = (until, .release)
            world.decider.decide(facts.event, facts.customer, circumstances, into: &later)
            guard case .hold(let still) = later.outcome else { return }
            twice += 1
            #expect(decision.said.last?.rule == .quietHours && later.said.last?.rule == .bestHour, "\(facts)")
            circumstances.now = still
            world.decider.decide(facts.event, facts.customer, circumstances, into: &later)
            if case .hold = later.outcome { Issue.record("held a third time: \(facts)") }
        }
        #expect(count > 500 && twice > 10)
    }

    @Test(
        "No service message is told while the customer's clocks show the night, in 12 zones, over both changes of the clocks and all of 28 February to 1 March",
        arguments: [
            "Europe/Kyiv", "Europe/Warsaw", "Europe/London", "Europe/Dublin", "Asia/Tbilisi", "Asia/Kathmandu", "America/New_York",
            "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza",
        ])
    func nights(name: String) throws {
        let world = try DecisionTableTests.world.get()
        var rules = world.rules
        rules.zones = ZoneNames(names: [name], assumed: 0)
        rules.holidays = []
        rules.quietHours = [QuietProfile(key: "night", classes: ClassSet(.service), windows: [.init(from: 22 * 60, until: 8 * 60)])]
        let zone = try DecisionWorld.zone(name)
        let decider = Decider(rules, zones: [zone])
        // 2028-02-28 to 2028-03-02, midnight UTC, and 15 hours before and after it: whatever the zone, all three days.
        var moments = (Int64(0)..<612).map { 1_835_308_800 - 54_000 + $0 * 600 }
        // The newest changes up to 2030. Some zones had their last ones long ago; Kathmandu only ever went forward.
        var changes: [Int64] = []
        var at: Int64 = 0
        while let change = zone.nextChange(after: at), change < 1_900_000_000 {
            changes.append(change)
            at = change
        }
        func shift(_ change: Int64) -> Int64 { zone.wall(change) - zone.wall(change - 1) - 1 }
        let turns = changes.suffix(12)
        #expect(turns.contains { shift($0) > 0 } && (turns.contains { shift($0) < 0 } || name == "Asia/Kathmandu"))
        for change in turns { moments += (Int64(-60)..<60).map { change + $0 * 1500 } }
        var customer = Customer(subject: 1)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        var decision = Decision()
        var dice = DecisionDice(UInt64(name.utf8.count))
        var hours: Set<Int64> = []
        for moment in moments {
            for _ in 0..<3 {
                let now = (moment + Int64(dice.below(1500))) * 1_000_000 + Int64(dice.below(1_000_000))
                hours.insert(zone.wall(floorSeconds(now)) / 3600)
                decider.decide(DecisionEvent(event: 13, occurredAt: now), customer, Circumstances(now: now), into: &decision)
                let toldAt: Int64
                switch decision.outcome {
                case .tell: toldAt = now
                case .hold(let until): toldAt = until
                case .suppress(let reason):
                    Issue.record("\(reason.word)")
                    continue
                }
                let hour = zone.local(at: floorSeconds(toldAt)).secondOfDay / 3600
                #expect((8..<22).contains(hour), "\(name) \(now)")
                // Not a second is lost: just before, it was still night.
                if toldAt > now {
                    let before = zone.local(at: toldAt / 1_000_000 - 1).secondOfDay / 3600
                    #expect(!(8..<22).contains(before), "\(name) \(now)")
                }
            }
        }
        // All 72 hours of these days on the customer's clocks.
        #expect((Int64(0)..<72).allSatisfy { hours.contains(1_835_308_800 / 3600 + $0) }, "\(name)")
    }
}

extension Zone {
    /// What the clocks show, as seconds since 1970 on them.
    fileprivate func wall(_ seconds: Int64) -> Int64 { local(at: seconds).seconds }
}
