public import MartletModel

extension Engine {
    /// Takes an event: decides whether, how and when its customer is told, writes the text where that is now, and makes the one record of it all.
    /// It is accepted whatever is decided.
    /// - Parameters:
    ///   - customer: as the node's copy has it now; nil: nobody is known by the reference.
    ///   - opening: what is personal of that customer; asked once, only when a message goes now.
    ///   - random: 64 fresh bits of a secure generator for the id.
    ///   - key: hashes of its idempotency key and body, for the record; 0: it has none.
    /// - Returns: accepted with the parts of the message that goes now, 0 where none does; refused when the node is full or has no rulebook, the
    ///   source sent too much, or the event is too large.
    public mutating func accept(
        _ it: EventSubmission, _ facts: EventFacts, _ customer: borrowing Customer?, opening: (SubjectNumber) -> CustomerDetails?,
        random: UInt64, key: (key: UInt64, body: UInt64) = (0, 0), _ turn: inout Turn
    ) -> Verdict {
        guard let book else { return .refused(.noRulebook(retryAfterSeconds: 5)) }
        if openCount >= configuration.openMaximum { return .refused(.full(retryAfterSeconds: 1)) }
        if !it.tells.isEmpty, owedCount >= configuration.owedMaximum { return .refused(.full(retryAfterSeconds: 5)) }
        var happened = EventPayload.Happened(
            event: facts.event.event, occurredAt: facts.event.occurredAt, deadline: facts.event.deadline, customer: facts.customer,
            account: facts.event.account, card: facts.event.card, values: it.named)
        let place = book.decider.place(of: facts.event.event)
        let messageClass = place.map { book.rules.events[$0].messageClass } ?? it.definition.messageClass
        let isMandatory = place.map { book.rules.events[$0].isMandatory } ?? it.definition.isMandatory
        if hasMostOptOuts, configuration.inbound.unwanted.contains(messageClass), !messageClass.lane.isStrict, !isMandatory {
            counts.optOutRefusals += 1
            return .refused(.full(retryAfterSeconds: 600))
        }

        var decision = Decision()
        swap(&decision, &self.decision)
        defer { swap(&decision, &self.decision) }
        let circumstances = circumstances(
            facts.event.event, Engine.subject(customer), at: turn.now.wall, isDuplicate: facts.isDuplicate, isFresh: true, book)
        var considering = Considering(facts.event, happened.values, customer, circumstances, in: book)
        consider(&considering, book, opening: opening, into: &decision)

        let parts = considering.prepared?.worded.count.parts ?? 0
        let hasSecret = it.hasSecret
        var body = RecordBody.Decided(
            receivedAt: it.receivedAt.wall, stage: .fresh, decision, considering, release: book.release, hasSecret: hasSecret)
        body.counters = counters(decision, facts.event.event, isTold: body.outcome == .told, isFresh: true, book)
        if !body.counters.isEmpty { body.countedAt = countsAt(turn.now) }
        body.knownAs = facts.knownAs
        body.ends = facts.ends
        body.duplicate = facts.duplicate
        let partition = partition(of: facts, subject: body.subject)
        precondition(configuration.partitions.contains(partition), "an event goes to the engine that owns its customer")
        let id = MessageID(milliseconds: turn.now.wallMilliseconds, partition: partition, random: random)
        let deadline = Engine.deadline(decision, turn.now)
        planNext(&body, decision, after: id, deadline: deadline, book, turn.now)
        planReminder(&body, considering, after: id, book, turn.now)
        if body.outcome != .held, body.planned == 0, hasSecret { happened.values = it.openValues }
        let message = Payload(considering.prepared, sender: it.sender ?? "", reference: it.reference, trace: it.trace)
        guard let payload = EventPayload(message, happened, considering, book.next(decision, body)) else {
            return .refused(.storage(retryAfterSeconds: 5))
        }
        let start = turn.payloads.count
        let bytes = payload.append(to: &turn.payloads)
        let isTooLarge = bytes > EventPayload.Happened.maximumBytes
        // An event costs a part, whatever becomes of it.
        if let refusal = isTooLarge
            ? Refusal.eventTooLarge(bytes: bytes, limit: EventPayload.Happened.maximumBytes)
            : exceeds(it.source, messageClass, parts: max(1, parts), turn.now)
        {
            turn.payloads.removeLast(turn.payloads.count - start)
            return .refused(refusal)
        }

        var header = RecordHeader(
            kind: .decided, partition: partition, messageClass: messageClass.rawValue, source: it.source,
            group: considering.prepared?.group ?? 0, parts: UInt8(considering.prepared?.worded.count.submits ?? 0), id: id,
            at: turn.now.wall, deadline: deadline,
            flags: .outcome(body.state, body.reason.map { EndReason($0) } ?? .none))
        if it.tells.contains(.delivered) { header.flags.insert(.tellsDelivered) }
        if it.tells.contains(.failed) { header.flags.insert(.tellsFailed) }
        (header.keyHash, header.bodyHash) = key
        header.sequence = nextSequence(partition)
        let record = Record(header: header, body: .decided(body))
        let before = open(knownAs: facts.ends)

        let range = start..<turn.payloads.count
        guard let number = apply(record, at: 0, turn.now) else {
            // Two ids alike: the generator is broken. Refuse rather than fold two events into one.
            sequences[Int(partition)] -= 1
            return .refused(.storage(retryAfterSeconds: 1))
        }
        let slot = slots.pointer(number)
        if considering.prepared != nil {
            slot.pointee.ringOffset = keep(payload.message, messageClass)
            slot.pointee.acceptedMicros = UInt32(truncatingIfNeeded: it.receivedAt.steady)
        }
        slot.pointee.pending += 1
        var emitted = Turn.Emitted(record: record, slot: slots.reference(number), sealed: .payload(range), after: body.outcome.after)
        emitted.lookup = lookup(payload.message, of: it.source)
        emitted.subject = body.subject
        turn.records.append(emitted)
        if let before { takePlace(of: before, by: body, definition: place.map { book.rules.events[$0] }, &turn) }
        return .accepted(id, parts: UInt8(clamping: parts))
    }

    static func subject(_ customer: borrowing Customer?) -> SubjectNumber {
        switch customer {
        case .some(let customer): customer.subject
        case .none: 0
        }
    }

    /// What waits is told no more: a newer event stands for it, or what it asked for was done. A newer one that is not told itself takes nobody's
    /// place. What has gone already ends as it does, without what was to follow; its reminders end with what they were for.
    private mutating func takePlace(
        of number: UInt32, by it: RecordBody.Decided, definition: EventDefinition?, _ turn: inout Turn
    ) {
        guard let (reason, isWhole) = ending(of: number, by: it.outcome, definition) else { return }
        let state: MessageState = reason == .completed ? .cancelled : .suppressed
        if isWhole {
            emit(.ended(.init(state: state, reason: reason)), number, &turn, after: .retire)
        } else {
            endWaiting(number, state, reason, &turn)
        }
    }

    /// Why the open one ends, and whether all of it does, where an event of this definition was decided so; nil: it goes on.
    private func ending(
        of number: UInt32, by outcome: RecordBody.Decided.Outcome, _ definition: EventDefinition?
    ) -> (reason: EndReason, isWhole: Bool)? {
        let isDone = definition?.supersedes.isEmpty ?? true
        guard isDone || outcome != .suppressed else { return nil }
        let slot = slots.pointer(number).pointee
        let waits = (slot.state == .planned || slot.state == .queued) && !anyLeft(of: number)
        return (isDone ? .completed : .superseded, waits || isDone && slot.role.isSuperset(of: [.untilDone, .ownOver]))
    }

    /// The same of what is only explained; nil also where nothing of the open one waits any more.
    private func ending(
        _ facts: EventFacts, _ decision: borrowing Decision, isReady: Bool, _ definition: EventDefinition
    ) -> Explanation.Ending? {
        guard let number = open(knownAs: facts.ends) else { return nil }
        let outcome: RecordBody.Decided.Outcome =
            switch decision.outcome {
            case .tell: isReady ? .told : .suppressed
            case .hold: .held
            case .suppress: .suppressed
            }
        guard let (reason, isWhole) = ending(of: number, by: outcome, definition), isWhole || !waiting(of: number).isEmpty else {
            return nil
        }
        let slot = slots.pointer(number).pointee
        return Explanation.Ending(id: slot.id, source: slot.source, reason: reason, isWhole: isWhole)
    }

    /// Where an event's records stand. Where several engines share the partitions, `accept` takes only its own.
    /// - Parameter subject: 0: nobody is known by the reference.
    public func partition(of facts: EventFacts, subject: SubjectNumber) -> PartitionNumber {
        lookups.partition(of: subject, reference: facts.customer)
    }

    /// What would be decided, under this book or another, with what each rule says.
    /// - Parameter at: wall microseconds.
    public func explain(
        _ it: EventSubmission, _ facts: EventFacts, _ customer: borrowing Customer?, opening: (SubjectNumber) -> CustomerDetails?,
        at: Int64, book: DecisionBook
    ) -> Explanation? {
        guard let place = book.decider.place(of: facts.event.event) else { return nil }
        var decision = Decision()
        let circumstances = circumstances(
            facts.event.event, Engine.subject(customer), at: at, isDuplicate: facts.isDuplicate, isFresh: true, book)
        var considering = Considering(facts.event, it.named, customer, circumstances, in: book)
        consider(&considering, book, asksAll: true, opening: opening, into: &decision)
        let plans = book.rules.plans
        return Explanation(
            release: book.release, outcome: decision.outcome, deadline: decision.deadline, package: decision.package,
            plan: plans.indices.contains(Int(decision.plan)) ? plans[Int(decision.plan)].key : nil, rules: Array(decision.said),
            names: RuleNames(decision.said, book.rules, currency: facts.event.amount?.currency),
            messages: decision.messages.map { message in
                var told = Explanation.Message(planned: message, obstacle: message.obstacle?.word)
                if let prepared = considering.prepared, prepared.message == message, decision.outcome == .tell {
                    told.text = it.hasSecret ? nil : prepared.worded.text
                    told.from = prepared.worded.sender ?? it.sender ?? ""
                    told.parts = prepared.worded.count.parts
                    told.template = prepared.worded.template
                    told.locale = prepared.worded.locale
                }
                return told
            },
            ends: ending(facts, decision, isReady: considering.prepared != nil, book.rules.events[place]))
    }

    /// Wall milliseconds; a year is for ever.
    static func deadline(_ decision: Decision, _ now: Instant) -> Int64 {
        min(decision.deadline / 1000, now.wallMilliseconds + validityMaximum * 1000)
    }

    func lookup(_ message: Payload, of source: SourceNumber) -> Turn.Lookup {
        var lookup = Turn.Lookup()
        if message.to.digits != 0 { lookup.number = lookups.number(message.to) }
        if !message.reference.isEmpty { lookup.reference = lookups.reference(message.reference, of: source) }
        return lookup
    }

    mutating func keep(_ message: Payload, _ messageClass: MessageClass) -> UInt64 {
        var slim: [UInt8] = []
        message.append(to: &slim)
        return slim.withUnsafeBytes { keep($0, messageClass) }
    }
}

extension EventSubmission {
    /// Its values without those that are secret: a text that is written already needs them no more.
    var openValues: [EventPayload.NamedValue] {
        zip(definition.parameters, values).compactMap { parameter, value in
            parameter.dataClass == .secret ? nil : value.map { EventPayload.NamedValue(parameter.name, $0) }
        }
    }
}

extension Payload {
    /// What goes out; where nothing does, what is needed to write it later.
    init(_ prepared: Engine.Prepared?, sender: String, reference: String, trace: TraceContext?) {
        self.init(
            to: prepared?.to ?? PhoneNumber(digits: 0), from: prepared?.worded.sender ?? sender, reference: reference,
            text: prepared?.worded.text ?? "", textShape: prepared?.worded.count.shape ?? 0, trace: trace)
    }
}

extension EventPayload {
    /// Nil when what was read cannot be written, which no customer that was read from bytes is.
    init?(_ message: Payload, _ happened: Happened, _ considering: Engine.Considering, _ plan: Plan?) {
        var facts: [UInt8] = []
        do {
            try DecisionFacts(event: considering.event, customer: considering.customer, circumstances: considering.circumstances)
                .write(to: &facts)
        } catch {
            return nil
        }
        guard facts.count <= Int(UInt16.max) else { return nil }
        self.init(message: message, happened: happened, facts: facts, plan: plan)
        if let prepared = considering.prepared {
            wording = Wording(
                channel: prepared.message.channel, template: prepared.worded.template, version: prepared.worded.version,
                override: prepared.worded.override, locale: prepared.worded.locale)
        }
    }
}

extension RecordBody.Decided {
    init(
        receivedAt: Int64 = 0, stage: Stage, _ decision: Decision, _ considering: Engine.Considering, release: UInt32, hasSecret: Bool
    ) {
        let prepared = considering.prepared
        self.init(
            receivedAt: receivedAt, stage: stage, outcome: .suppressed, event: considering.event.event, package: decision.package,
            release: release, subject: considering.customer?.subject ?? 0, partsOnAir: UInt8(clamping: prepared?.worded.count.parts ?? 0),
            messages: Array(decision.messages))
        switch decision.outcome {
        case .tell where prepared != nil:
            outcome = .told
            step = prepared?.message.step
            channel = prepared?.message.channel
        case .tell:
            // The rules let it go over nothing that could be tried.
            reason = .channelForbidden
        case .hold(let until):
            outcome = .held
            self.until = (until + 999) / 1000
        case .suppress(let why): reason = why
        }
        if hasSecret, outcome != .suppressed { bits.insert(.hasSecret) }
        if considering.isMandatory, outcome == .told { bits.insert(.isMandatory) }
    }

    /// Of the message that it is about.
    var state: MessageState {
        switch outcome {
        case .told: .queued
        case .held: .planned
        // Or its own message is over, and it goes on.
        case .suppressed: reminder == nil ? .suppressed : .planned
        }
    }
}

extension RecordBody.Decided.Outcome {
    /// Of a fresh one.
    var after: Turn.After {
        switch self {
        case .told: .ready
        case .held: .nothing
        case .suppressed: .retire
        }
    }
}
