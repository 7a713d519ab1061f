import MartletModel

@testable import MartletEngine

/// What a world knows of an event that was submitted.
struct WorldEvent {
    let number: UInt16
    let subject: SubjectNumber
    /// What its text says beside the event's name.
    let value: String
    /// Decisions that are in the log, and what the newest said.
    var decisions = 0
    var outcome: RecordBody.Decided.Outcome?
    /// Wall seconds at which each cap of it counts, while it does.
    var toldAt: Int64 = 0
    /// Wall milliseconds until which its customer is reminded; 0: no reminder was planned.
    var openUntil: Int64 = 0

    /// The text, as the rulebook of any release writes it.
    func text(_ key: String) -> String { value.isEmpty ? "\(key) for Ada" : "\(key) \(value) for Ada" }
}

/// The bank of a world: customers whose facts change, and releases that are published while events wait.
///
/// Quiet are the even minutes, for what may wait: so something is held and released in the short life of a world.
struct WorldBank {
    static let mostOffers = 2
    static let offersWithin: Int64 = 30

    var customers = EventCustomers()
    private(set) var books: [UInt32: DecisionBook] = [:]
    private(set) var newest: UInt32 = 0
    /// Releases that know no quiet hours, and those without an event.
    private(set) var loud: Set<UInt32> = []
    /// Steps of the plans that differ from release to release: none waits so long that it were not due while a world lives.
    private static let steps: [[DeliveryPlan.Step]] = [
        [.init(channels: [.sms], wait: 5, route: "quiet"), .init(channels: [.sms], wait: 0)],
        [
            .init(channels: [.sms], wait: 2), .init(channels: [.sms], wait: 8, route: "quiet"),
            .init(channels: [.sms], wait: 0, route: "main"),
        ],
        [.init(channels: [.sms], wait: 0, route: "quiet"), .init(channels: [.sms], wait: 0, route: "main")],
        [.init(channels: [.sms], wait: 10, success: .sent, route: "quiet"), .init(channels: [.push, .sms], wait: 0)],
        [
            .init(channels: [.push], wait: 3), .init(channels: [.sms], wait: 20, success: .sent),
            .init(channels: [.sms], wait: 0, route: "quiet"),
        ],
    ]
    private(set) var without: [UInt32: UInt16] = [:]

    var book: DecisionBook? { books[newest] }

    mutating func publish(_ dice: inout Dice) {
        newest += 1
        let isLoud = dice.chance(20)
        let missing = dice.chance(30) ? dice.pick([EventBank.news, EventBank.order, EventBank.alert]) : 0
        let uncapped = dice.chance(20)
        let plan = DeliveryPlan(key: dice.chance(80) ? "two-routes" : "other", steps: dice.pick(WorldBank.steps))
        let followers = Set(
            [EventBank.payment, EventBank.news, EventBank.offer, EventBank.code, EventBank.order, EventBank.login, EventBank.bill].filter {
                _ in
                dice.chance(40)
            })
        if isLoud { loud.insert(newest) }
        if missing != 0 { without[newest] = missing }
        books[newest] = EventBank.book(newest) { rules in
            rules.quietHours[0].windows = isLoud ? [] : stride(from: 0, to: 1440, by: 2).map { .init(from: $0, until: $0 + 1) }
            rules.quietHours[0].classes.insert(ClassSet(.actionRequired))
            rules.plans[2] = plan
            for index in rules.events.indices where followers.contains(rules.events[index].number) { rules.events[index].plan = 2 }
            rules.events.removeAll { $0.number == missing }
            if let place = rules.events.firstIndex(where: { $0.number == EventBank.bill }) {
                rules.events[place].actionRequired?.reminders = [20, 10, 5]
            }
            if uncapped { return rules.caps = [] }
            rules.caps[0] = FrequencyCap(
                key: "offers", classes: ClassSet(.marketing), most: WorldBank.mostOffers, within: WorldBank.offersWithin)
            for index in rules.events.indices where rules.events[index].limit != nil {
                rules.events[index].limit = .init(most: 3, within: 20)
            }
        }
    }

    /// The customer whose number it is alone; 0: nobody's, or not one's alone.
    func owner(of number: PhoneNumber) -> SubjectNumber {
        let owners = customers.all.filter { $0.value.details.address(1) == .phone(number.digits) && !customers.erased.contains($0.key) }
        return owners.count == 1 ? owners.first?.key ?? 0 : 0
    }

    /// What only a rulebook with quiet hours holds back goes in an odd minute.
    func mayGo(_ release: UInt32, _ messageClass: MessageClass, at wall: Int64) -> Bool {
        messageClass.ignoresQuietHours || loud.contains(release) || wall / 60_000_000 % 2 == 1
    }
}

extension World {
    static let eventCustomers = 24

    /// Customers whose number and whose events are of one loop: two loops have no home for both yet.
    func foundBank() {
        bank.publish(&dice)
        for subject in SubjectNumber(1)...SubjectNumber(World.eventCustomers) {
            let own = loop(of: lookups.partition(of: subject, reference: 0))
            var digits = UInt64(dice.between(41, 40 + groups)) * 1_000_000_000 + UInt64(dice.below(30))
            while loop(of: PhoneNumber(digits: digits)) !== own { digits += 1 }
            bank.customers.add(subject, phone: dice.chance(90) ? digits : nil)
        }
        let bursts = dice.between(3, 12)
        for _ in 0..<bursts {
            let count = dice.between(1, 12)
            whatever(dice.between(Int64(0), busyFor)) { world in for _ in 0..<count { world.report() } }
        }
        for _ in 0..<dice.below(5) { whatever(dice.between(Int64(0), busyFor)) { $0.changeCustomer() } }
        for _ in 0..<dice.below(3) { whatever(dice.between(Int64(0), busyFor)) { $0.publish() } }
    }

    private func publish() {
        bank.publish(&dice)
        for loop in loops {
            loop.whatever(dice.between(Int64(0), 5_000)) { loop in loop.enter { $0.engine.set(book: $0.world.bank.book) } }
        }
    }

    private func changeCustomer() {
        let subject = SubjectNumber(dice.between(1, World.eventCustomers))
        switch dice.below(4) {
        case 0: bank.customers.all[subject]?.customer.status = .closed
        case 1: bank.customers.all[subject]?.customer.contacts[0].isDead.toggle()
        case 2: bank.customers.all[subject]?.customer.consents = []
        default: bank.customers.all[subject]?.customer.preferences = Preferences(at: 1, mutedEventTypes: dice.chance(50) ? [3] : [])
        }
    }

    /// A source reports an event at any loop; it is taken by the one that owns its customer.
    private func report() {
        guard let book = bank.book else { return }
        let definition = dice.pick(book.rules.events)
        let subject = SubjectNumber(dice.between(1, World.eventCustomers + 2))
        let number = nextSubmission()
        var value = "e\(number)"
        if dice.chance(longPercent) { value += String(repeating: "x", count: dice.between(150, 400)) }
        let hash = EventCustomers.hash(subject)
        let customer = bank.customers.customer(hashed: hash)
        let validity: Int64? = dice.chance(85) ? dice.between(5, patience) : nil
        let due = instant.wall + dice.between(Int64(15), 60) * 1_000_000
        let values = EventBank.values(definition, value, due: due)
        if definition.number == EventBank.bill { latestDeadline = max(latestDeadline, due / 1000) }
        let it = EventSubmission(
            source: SourceNumber(dice.between(1, sources)), definition: definition, values: values, customer: "C\(subject)",
            occurredAt: instant.wall, deadline: validity.map { instant.wall + $0 * 1_000_000 }, sender: "Bank", reference: "r\(number)",
            tells: dice.chance(tellsPercent) ? Submission.Tells(rawValue: UInt8(dice.between(1, 3))) : [], receivedAt: instant)
        let said = values.compactMap { value in
            switch value {
            case .text(let text): text
            case .money(let money): EventBank.said(money)
            default: nil
            }
        }.joined(separator: " ")
        let event = WorldEvent(number: definition.number, subject: subject, value: said)
        let isBill = definition.number == EventBank.bill || definition.number == EventBank.paid
        let known = isBill ? hash &* 37 : definition.supersedes.isEmpty ? 0 : hash &* 31 &+ UInt64(definition.number)
        let facts = EventFacts(
            event: DecisionEvent(event: definition.number, occurredAt: it.occurredAt, deadline: it.deadline), customer: hash,
            knownAs: definition.number == EventBank.paid ? 0 : known, ends: definition.number == EventBank.bill ? 0 : known)
        let partition = lookups.partition(of: customer?.subject ?? 0, reference: hash)
        loop(of: partition).enter { $0.submit(it, facts, event, number) }
    }
}

extension WorldLoop {
    func submit(_ it: EventSubmission, _ facts: EventFacts, _ event: WorldEvent, _ number: Int) {
        let to: PhoneNumber
        if case .phone(let digits)? = world.bank.customers.all[event.subject]?.details.address(1) {
            to = PhoneNumber(digits: digits)
        } else {
            to = PhoneNumber(digits: UInt64(event.subject))
        }
        let submission = Submission(
            source: it.source, messageClass: it.definition.messageClass, to: to, from: "Bank", text: event.text(it.definition.key),
            reference: it.reference, validity: it.deadline.map { ($0 - it.occurredAt) / 1_000_000 } ?? it.definition.deadline,
            tells: it.tells, receivedAt: it.receivedAt)
        if isUsedUp(submission) { return askForShare(it.source) }
        let customer = world.bank.customers.customer(hashed: facts.customer)
        // Erased while it was on its way here: the shell of another loop takes it.
        guard partitions.contains(engine.partition(of: facts, subject: customer?.subject ?? 0)) else { return }
        turn.begin(instant)
        switch engine.accept(it, facts, customer, opening: world.bank.customers.details, random: dice.next(), &turn) {
        case .accepted(let id, let count):
            let deadline = turn.records.first?.record.header.deadline ?? 0
            if submission.validity <= patience { world.latestDeadline = max(world.latestDeadline, deadline) }
            let card = Card(
                number: number, submission: submission, group: 0, parts: 0, onAir: max(1, Int(count)), id: id, acceptedAt: steady,
                deadline: deadline)
            card.event = event
            checker.cards[id] = card
            append(nil, [])
            if sabotage == .answersBeforeDurable { card.told = true } else { open.append(.told(card)) }
            kick()
        case .refused(.quotaUsedUp): askForShare(it.source)
        case .refused(.rateLimited):
            checker.check(world.limits[it.source].map { $0.rate > 0 } ?? false, "an event was refused for a rate")
        case .refused(.full):
            let isForOptOuts = engine.hasMostOptOuts && it.definition.messageClass == .marketing
            checker.check(isForOptOuts || engine.openCount >= configuration.openMaximum, "full with \(engine.openCount) open")
        case .refused(let other): checker.fault("an event was refused: \(other)")
        }
    }

    /// What is due is read and decided, some of it at a time.
    func decideDue() {
        guard world.hasEvents else { return }
        let due = engine.takeDecisions(limit: calming ? 64 : dice.between(1, 6))
        guard !due.isEmpty else { return }
        for item in due { checker.check(log.read(item.position) != nil, "a decision is due whose payload is not there") }
        after(dice.between(Int64(50), 20_000)) { loop in
            loop.turn.begin(loop.instant)
            for item in due { loop.decide(item.slot, at: item.position) }
            loop.append(nil, [])
        }
    }

    private func decide(_ slot: SlotReference, at position: UInt64) {
        guard let number = engine.slots.number(of: slot) else { return }
        let id = engine.slots.pointer(number).pointee.id
        if checker.isErased(id) { return engine.undecidable(slot, .erased, &turn) }
        guard let bytes = payload(position), let payload = bytes.withUnsafeBytes({ try? EventPayload(reading: $0) }) else {
            if damaged.contains(position) { checker.lostPayloads.insert(id) }
            return engine.undecidable(slot, .lost, &turn)
        }
        let customers = world.bank.customers
        engine.decide(slot, payload, customers.customer(hashed: payload.happened.customer), opening: customers.details, &turn)
    }

    /// A decision became durable: it can be made again from its record, and it is one that may be made.
    func checkDecision(_ bytes: [UInt8]) {
        guard world.hasEvents, bytes[0] == RecordKind.decided.rawValue,
            let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), case .decided(let it) = record.body,
            let card = checker.card(record.header.id), var event = card.event
        else { return }
        let name = "event \(card.number) (\(card.submission.messageClass))"
        let sealed = Array(bytes[Record.sealedOffset(record.header)...])
        guard let payload = sealed.withUnsafeBytes({ try? EventPayload(reading: $0) }) else {
            return checker.fault("\(name) cannot be read")
        }
        guard let book = world.bank.books[it.release] else { return checker.fault("\(name) was decided by no release") }
        checker.check(it.event == event.number, "\(name) is of event \(it.event)")
        checker.check(
            event.decisions == 0 ? it.stage != .release : event.outcome == .held && it.stage != .fresh,
            "\(name) is decided again (\(it.stage)) and was not held")
        checker.check((it.stage == .step || it.stage == .reminder) == (record.header.id.ordinal != 0), "\(name) is decided as \(it.stage)")
        event.decisions += 1
        if let reminder = it.reminder, let head = checker.cards[card.id.notification] {
            if head === card { event.openUntil = reminder.due } else { head.event?.openUntil = reminder.due }
        }
        event.outcome = it.outcome
        checkAgain(name, it, record.header, payload, book)
        checker.check(
            it.outcome != .told || world.bank.mayGo(it.release, card.submission.messageClass, at: record.header.at),
            "\(name) goes in a quiet minute")
        checker.check(
            it.outcome != .held || it.until * 1000 > record.header.at && it.until <= record.header.deadline,
            "\(name) is held until \(it.until), decided at \(record.header.at)")
        if it.outcome == .told {
            checker.check(
                payload.message.text == card.submission.text, "\(name) says '\(payload.message.text)' for '\(card.submission.text)'")
            card.submission.to = payload.message.to
            card.submission.from = payload.message.from
            card.group = record.header.group
            card.parts = Int(record.header.parts)
            if it.stage == .step || it.stage == .reminder {
                checker.check(
                    checker.cards[card.id.notification]?.end == nil, "\(name) goes in a further message after its notification's end")
            }
            if it.stage == .step {
                let others = checker.messages(of: card.id).filter { $0 !== card }
                checker.check(
                    record.header.flags.contains(.possibleDuplicate) || !others.contains { [.sent, .unknown].contains($0.state) },
                    "\(name) goes in a further step, unflagged, while another may have arrived")
            }
            if card.submission.messageClass == .marketing, it.stage != .step, it.counters.contains(where: { !$0.isLimit }) {
                event.toldAt = record.header.at / 1_000_000
                card.event = event
                checkCap(event.subject, at: event.toldAt)
            }
        }
        card.deadline = record.header.deadline
        card.event = event
    }

    private func checkAgain(
        _ name: String, _ it: RecordBody.Decided, _ header: RecordHeader, _ payload: EventPayload, _ book: DecisionBook
    ) {
        guard let facts = payload.facts.withUnsafeBytes({ try? DecisionFacts(reading: $0, now: header.at) }) else {
            return checker.fault("\(name): what was read cannot be read")
        }
        let recorded = RecordedDecision(id: header.id, at: header.at, made: it, facts: facts, values: payload.happened.values)
        let again = book.decide(again: recorded)
        let fields = recorded.differences(from: again)
        checker.check(
            fields.isEmpty,
            "\(name): decided again from its record it is \(again.outcome), and was \(it.outcome) \(String(describing: it.reason)): \(fields.words)"
        )
    }

    /// A ready text became durable: it is none too many for its customer.
    func checkText(_ bytes: [UInt8]) {
        guard world.hasEvents, bytes[0] == RecordKind.accepted.rawValue,
            let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) }), header.flags.state == .queued,
            let card = checker.cards[header.id], card.isCapped
        else { return }
        if card.capped != 0 { checkCap(card.capped, at: header.at / 1_000_000) } else { checkCap(of: card, at: header.at / 1_000_000) }
    }

    /// The same for a number that is nobody's.
    private func checkCap(of card: Card, at moment: Int64) {
        guard world.jumped == 0 else { return }
        let told = checker.cards.values.filter { other in
            other.isCapped && other.capped == 0 && other.submission.to == card.submission.to && other.durable
                && other.end?.state != .suppressed && moment - other.id.milliseconds / 1000 < WorldBank.offersWithin
        }
        checker.check(told.count <= WorldBank.mostOffers, "a number got \(told.count) offers within \(WorldBank.offersWithin) s")
    }

    /// Counted from the records alone. Where a clock jumps, a moment is no measure.
    private func checkCap(_ subject: SubjectNumber, at moment: Int64) {
        guard world.jumped == 0 else { return }
        let told = checker.cards.values.filter { other in
            if other.capped == subject {
                return other.durable && other.end?.state != .suppressed && moment - other.id.milliseconds / 1000 < WorldBank.offersWithin
            }
            guard let one = other.event, one.subject == subject, one.toldAt != 0, other.submission.messageClass == .marketing else {
                return false
            }
            // Given back where nobody got anything of it.
            let isBack =
                other.end != nil && checker.messages(of: other.id).allSatisfy { $0.takenDurable | $0.unknownDurable == 0 && !$0.flagged }
            return moment - one.toldAt < WorldBank.offersWithin && !isBack
        }
        checker.check(told.count <= WorldBank.mostOffers, "customer \(subject) got \(told.count) offers within \(WorldBank.offersWithin) s")
    }
}
