import MartletModel

@testable import MartletEngine

/// A rig whose sources report events, with the customers that its node would find.
final class EventRig {
    let rig: Rig
    var book: DecisionBook? { didSet { rig.engine.set(book: book) } }
    var customers = EventCustomers()
    /// Customers whose details were asked for.
    var opened: [SubjectNumber] = []
    private var random: UInt64 = 1000

    init(_ change: (inout Engine.Configuration) -> Void = { _ in }) {
        rig = Rig { configuration in
            configuration.groups = ["main": 1, "quiet": 2]
            change(&configuration)
        }
        book = EventBank.book()
        rig.engine.set(book: book)
        customers.add(11, phone: 447_700_900_011)
        customers.add(12, phone: 337_700_900_012)
    }

    struct Wish {
        var knownAs: UInt64 = 0
        var ends: UInt64 = 0
        var duplicate: UInt64 = 0
        var isDuplicate = false
        var tells: Submission.Tells = []
        var occurred: Int64 = 0
        var deadline: Int64?
        var source: SourceNumber = 1
    }

    func submission(_ event: UInt16, _ text: String, minor: Int64, _ wish: Wish) -> EventSubmission {
        let definition =
            book?.rules.events.first { $0.number == event }
            ?? EventDefinition(
                key: "gone", number: event, type: 0, messageClass: .service, parameters: [EventParameter(name: "shop", type: .text)])
        return EventSubmission(
            source: wish.source, definition: definition, values: EventBank.values(definition, text, minor: minor), customer: "C",
            occurredAt: rig.now.wall + wish.occurred * 1_000_000, deadline: wish.deadline.map { rig.now.wall + $0 * 1_000_000 },
            sender: "Bank", reference: "r-1", tells: wish.tells, receivedAt: rig.now)
    }

    func facts(_ it: EventSubmission, _ subject: SubjectNumber, _ wish: Wish) -> EventFacts {
        let event = DecisionEvent(event: it.definition.number, occurredAt: it.occurredAt, deadline: it.deadline)
        return EventFacts(
            event: event, customer: EventCustomers.hash(subject), knownAs: wish.knownAs, ends: wish.ends, duplicate: wish.duplicate,
            isDuplicate: wish.isDuplicate)
    }

    /// One turn with an event in it.
    func verdict(
        _ event: UInt16, _ text: String = "Books", minor: Int64 = 1250, to subject: SubjectNumber = 11, wish: Wish = Wish()
    )
        -> Engine.Verdict
    {
        let it = submission(event, text, minor: minor, wish)
        let facts = facts(it, subject, wish)
        var verdict = Engine.Verdict.refused(.stopping)
        random += 1
        rig.step { rig in
            verdict = rig.engine.accept(
                it, facts, customers.customer(hashed: facts.customer), opening: open, random: random, &rig.turn)
        }
        return verdict
    }

    /// Accepts an event and makes it durable.
    @discardableResult
    func accept(
        _ event: UInt16, _ text: String = "Books", minor: Int64 = 1250, to subject: SubjectNumber = 11, wish: Wish = Wish()
    )
        -> MessageID
    {
        let verdict = verdict(event, text, minor: minor, to: subject, wish: wish)
        rig.commit()
        if case .accepted(let id, _) = verdict { return id }
        return .none
    }

    private func open(_ subject: SubjectNumber) -> CustomerDetails? {
        opened.append(subject)
        return customers.details(subject)
    }

    /// The node takes what is due, reads it back and decides.
    @discardableResult
    func decideDue(limit: Int = 256, lost: Bool = false) -> [Record] {
        let due = rig.engine.takeDecisions(limit: limit)
        return rig.step { rig in
            for item in due {
                guard !lost, let payload = payload(at: item.position) else {
                    rig.engine.undecidable(item.slot, .lost, &rig.turn)
                    continue
                }
                let hash = payload.happened.customer
                if customers.erased.contains(where: { EventCustomers.hash($0) == hash }) {
                    rig.engine.undecidable(item.slot, .erased, &rig.turn)
                    continue
                }
                rig.engine.decide(item.slot, payload, customers.customer(hashed: hash), opening: open, &rig.turn)
            }
        }
    }

    func payload(at position: UInt64) -> EventPayload? {
        rig.sealed(position).flatMap { bytes in bytes.withUnsafeBytes { try? EventPayload(reading: $0) } }
    }

    /// The newest decision about an event.
    func decided(_ id: MessageID) -> RecordBody.Decided? {
        for bytes in (rig.log.map(\.bytes) + rig.open.map(\.bytes)).reversed() {
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), record.header.id == id,
                case .decided(let it) = record.body
            else { continue }
            return it
        }
        return nil
    }

    /// The last payload of it that is durable.
    func payload(_ id: MessageID) -> EventPayload? {
        for (position, bytes) in rig.log.reversed() {
            guard let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) }), header.id == id, header.kind == .decided
            else { continue }
            return payload(at: position)
        }
        return nil
    }

    func fate(_ id: MessageID) -> String { rig.fate(id) }

    /// Of what was appended and is not durable only the first so many records come to the disk before the process dies.
    @discardableResult
    func crash(keeping count: Int) -> [Record] {
        rig.open = Array(rig.open.prefix(count))
        rig.commit()
        return restart()
    }

    /// The process dies; another one folds the log and takes the same rulebook.
    @discardableResult
    func restart(clean: Bool = false, after seconds: Double = 1, before segment: UInt64 = 0) -> [Record] {
        let records = rig.restart(clean: clean, after: seconds, before: segment)
        rig.engine.set(book: book)
        return records
    }
}
