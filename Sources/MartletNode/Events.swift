import Guard
import Logging
public import MartletEngine
import MartletLocal
public import MartletModel

/// Events at the node's door: what the core cannot know of one is found here - whose it is, what the customer's record says, whether the same came
/// before - and then it is decided and made durable as any message is.
extension Node {
    // MARK: Rules

    /// Routes, events and rules of one release, taken into use in one go: nothing is decided by one and routed by the other.
    /// - Parameter book: nil: no release has events, or none is published.
    public func use(routes: Routes, book: DecisionBook?) {
        engine.set(routes: routes)
        engine.set(book: book)
        self.book = book
        generation += 1
        catalogue =
            book.map { EventCatalogue(generation: generation, release: $0.release, $0.rules.events, packages: $0.rules.packages) } ?? .empty
        decideDue()
    }

    // MARK: Intake

    public func submit(event: EventSubmission, then: @escaping (Acceptance) -> Void) {
        if let idempotency = event.idempotency { return submitKeyed(event, idempotency, then: then) }
        take(event, key: nil, then: then)
    }

    /// - Parameter key: hashes of its idempotency key and body, which is new.
    func take(_ event: EventSubmission, key: (hash: UInt64, body: UInt64)?, then: @escaping (Acceptance) -> Void) {
        if let refusal = refusal() { return refuse(refusal, then) }
        let facts = facts(of: event)
        if key != nil || facts.duplicate != 0, keys.isFull { return refuse(.full(retryAfterSeconds: 60), then) }
        if facts.duplicate == 0 { return accept(event, facts, key, then) }
        takeOnce(event, facts, key, then)
    }

    /// Whether the same came before is asked of the memory that has the idempotency keys; seldom it must look on disk.
    private func takeOnce(
        _ event: EventSubmission, _ facts: EventFacts, _ key: (hash: UInt64, body: UInt64)?, _ then: @escaping (Acceptance) -> Void
    ) {
        switch keys.find(facts.duplicate, now()) {
        case .new: return accept(event, facts, key, then)
        case .known(let earlier): return accept(event, facts.after(earlier, event.definition, now()), key, then)
        case .beingAsked:
            let isWaiting = keys.wait(for: facts.duplicate) { self.goOn(key) { self.takeOnce(event, facts, key, then) } }
            if !isWaiting { return refuse(.full(retryAfterSeconds: 1), then) }
        case .ask(let runs):
            let isAsked = ask(facts.duplicate, runs) { found in
                self.goOn(key) {
                    switch found {
                    case .new: self.accept(event, facts, key, then)
                    case .known(let earlier): self.accept(event, facts.after(earlier, event.definition, self.now()), key, then)
                    // It may have come before: better told later than twice.
                    case .unread: self.refuse(.storage(retryAfterSeconds: 5), then)
                    }
                }
            }
            if !isAsked { return refuse(.full(retryAfterSeconds: 1), then) }
        }
        // Meanwhile a second try under its key has no answer to get.
        if let key { keys.asked.insert(key.hash) }
    }

    private func goOn(_ key: (hash: UInt64, body: UInt64)?, _ body: () -> Void) {
        if let key { keys.asked.remove(key.hash) }
        body()
    }

    private func accept(
        _ event: EventSubmission, _ facts: EventFacts, _ key: (hash: UInt64, body: UInt64)?, _ then: @escaping (Acceptance) -> Void
    ) {
        // It may have waited for the disk.
        if let refusal = refusal() { return refuse(refusal, then) }
        if owners.areUnusable { return refuse(.storage(retryAfterSeconds: 5), then) }
        let person: Person
        do { person = try find(facts.customer) } catch {
            unreadable(error)
            return refuse(.storage(retryAfterSeconds: 5), then)
        }
        turn.begin(parts.clock.now())
        let verdict = engine.accept(
            event, facts, person.customer, opening: { _ in self.details(person) }, random: random.word(), key: key ?? (0, 0), &turn)
        switch verdict {
        case .refused(let refusal):
            refuse(refusal, then)
        case .accepted(let id, let parts):
            guard append() else { return refuse(.storage(retryAfterSeconds: 5), then) }
            if key != nil || facts.duplicate != 0, let first = turn.records.first {
                KeyMemory.Remembered.each(of: first.record) { hash, remembered in
                    var remembered = remembered
                    remembered.position = lastAppended
                    keys.remember(hash, remembered, at: lastAppended)
                }
            }
            open.answers.append(
                PendingBatch.Answer(
                    id: id, parts: parts, messageClass: event.definition.messageClass, receivedAt: event.receivedAt.steady, then: then))
            kickSoon()
        }
    }

    // MARK: Explaining

    public func explain(
        _ event: EventSubmission, at: Int64?, release: UInt32?, then: @escaping (Result<Explanation, ExplanationFault>) -> Void
    ) {
        guard !stopping else { return then(.failure(.stopping)) }
        guard let book else { return then(.failure(.noRulebook)) }
        guard let release, release != book.release else { return explain(event, at, book, then) }
        // Others lie on disk, for restarts.
        guard let otherRelease else { return then(.failure(.noRelease(release))) }
        otherRelease(release) { book in
            guard let book else { return then(.failure(.noRelease(release))) }
            self.explain(event, at, book, then)
        }
    }

    private func explain(
        _ event: EventSubmission, _ at: Int64?, _ book: DecisionBook, _ then: @escaping (Result<Explanation, ExplanationFault>) -> Void
    ) {
        let facts = facts(of: event)
        guard facts.duplicate != 0 else { return explain(event, facts, at, book, then) }
        switch keys.find(facts.duplicate, now()) {
        case .new, .beingAsked: explain(event, facts, at, book, then)
        case .known(let earlier): explain(event, facts.after(earlier, event.definition, now()), at, book, then)
        case .ask(let runs):
            let isAsked = ask(facts.duplicate, runs) { found in
                guard case .known(let earlier) = found else { return self.explain(event, facts, at, book, then) }
                self.explain(event, facts.after(earlier, event.definition, self.now()), at, book, then)
            }
            if !isAsked { explain(event, facts, at, book, then) }
        }
    }

    private func explain(
        _ event: EventSubmission, _ facts: EventFacts, _ at: Int64?, _ book: DecisionBook,
        _ then: (Result<Explanation, ExplanationFault>) -> Void
    ) {
        if owners.areUnusable { return then(.failure(.unreadableCustomer)) }
        let person: Person
        do { person = try find(facts.customer) } catch {
            unreadable(error)
            return then(.failure(.unreadableCustomer))
        }
        let explanation = engine.explain(
            event, facts, person.customer, opening: { _ in self.details(person) }, at: at ?? now().wall, book: book)
        then(explanation.map { .success($0) } ?? .failure(.noEvent))
    }

    // MARK: Facts

    /// What of an event stands in no document: hashes under the keys of this installation.
    func facts(of event: EventSubmission) -> EventFacts {
        let definition = event.definition
        var read = DecisionEvent(event: definition.number, occurredAt: event.occurredAt, deadline: event.deadline)
        if let place = definition.threshold, case .money(let amount)? = event.value(place) { read.amount = amount }
        if let place = definition.account, case .text(let account)? = event.value(place) { read.account = hashes.account(account) }
        if let place = definition.card, case .text(let card)? = event.value(place) { read.card = hashes.card(card) }
        var facts = EventFacts(event: read, customer: hashes.reference(event.customer))
        if let by = definition.duplicates?.by { facts.duplicate = hash(event, by, facts.customer, .same) }
        if let found = definition.found { facts.knownAs = hash(event, found, facts.customer, .open) }
        if !definition.supersedes.isEmpty {
            facts.ends = facts.knownAs
        } else if let it = definition.completes {
            facts.ends = hash(event, it.by, facts.customer, .open, as: it.event)
        }
        return facts
    }

    /// - Parameter number: of the definition that the hash is of; nil: the event's own.
    private func hash(
        _ event: EventSubmission, _ places: [Int], _ customer: UInt64, _ use: LookupHash.EventUse, as number: UInt16? = nil
    ) -> UInt64 {
        event.identity(of: number ?? event.definition.number, customer: customer, by: places).withUnsafeBytes { lookups.event($0, use) }
    }

    // MARK: Customers

    /// A customer as the local copy has it; neither is there when nobody is known.
    struct Person {
        var found: FoundCustomer?
        var customer: Customer?
    }

    /// - Parameter reference: keyed hash.
    /// - Throws: when there is one and what is written of it cannot be read.
    func find(_ reference: UInt64) throws(LocalFault) -> Person {
        guard let found = owners.find(reference: reference) else { return Person() }
        return Person(found: found, customer: try found.customer())
    }

    /// What is personal; nil, with an alarm, when it cannot be opened, and nil without one when the customer was erased a moment ago.
    func details(_ person: Person) -> CustomerDetails? {
        guard let found = person.found else { return nil }
        do { return try owners.details(of: found) } catch {
            unreadable(error)
            return nil
        }
    }

    func unreadable(_ error: any Error) {
        counters.unreadableCustomers += 1
        parts.logger.error("what the local copy has of a customer cannot be read", metadata: ["reason": "\(error)"])
    }
}

extension EventSubmission: HandedIn {
    func take(into node: Node, key: (hash: UInt64, body: UInt64)?, then: @escaping (Acceptance) -> Void) {
        node.take(self, key: key, then: then)
    }

    fileprivate func value(_ place: Int) -> ParameterValue? { values.indices.contains(place) ? values[place] : nil }
}

extension EventFacts {
    /// The same, once it is known that something with its hash came before: within the definition's time it is the same event.
    fileprivate func after(_ earlier: KeyMemory.Remembered, _ definition: EventDefinition, _ now: Instant) -> EventFacts {
        var facts = self
        let within = (definition.duplicates?.within ?? 0) * 1000
        guard earlier.id.milliseconds > now.wallMilliseconds - within else { return facts }
        facts.isDuplicate = true
        // What came twice takes nobody's place.
        (facts.knownAs, facts.ends) = (0, 0)
        return facts
    }
}
