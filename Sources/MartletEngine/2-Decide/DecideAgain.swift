public import MartletModel

/// Decisions that are due: the node takes them, reads their payloads, finds the customer as that is now, and each is decided anew, which is a
/// record of the same id.
extension Engine {
    /// The next of them, to be read from these positions. Each that was taken is answered by `decide` or `undecidable`. None while no rulebook is
    /// in use: they wait, until their deadlines.
    public mutating func takeDecisions(limit: Int) -> [(slot: SlotReference, position: UInt64)] {
        guard book != nil else { return [] }
        var taken: [(slot: SlotReference, position: UInt64)] = []
        var left = min(limit, dueDecisions.count)
        while left > 0, let reference = dueDecisions.pop() {
            left -= 1
            guard let number = slots.number(of: reference), slots.pointer(number).pointee.state == .planned,
                slots.pointer(number).pointee.flags.isDisjoint(with: [.loading, .waiting])
            else { continue }
            let slot = slots.pointer(number)
            // The record of the step before holds its event.
            guard isDurable(slot.pointee.id) else {
                dueDecisions.push(reference)
                continue
            }
            slot.pointee.flags.insert(.loading)
            slot.pointee.flags.remove(.moved)
            taken.append((reference, slot.pointee.payloadAt))
        }
        return taken
    }

    /// Decides what was held, or whether and how the next step of a plan goes.
    /// - Parameters:
    ///   - payload: read from the position that was taken.
    ///   - customer: as it is now.
    public mutating func decide(
        _ reference: SlotReference, _ payload: EventPayload, _ customer: borrowing Customer?,
        opening: (SubjectNumber) -> CustomerDetails?, _ turn: inout Turn
    ) {
        guard let number = taken(reference) else { return }
        // A copy forward of the old payload is under way: what is decided now would be undone by it.
        guard let book, slots.pointer(number).pointee.pending == 0, !slots.pointer(number).pointee.flags.contains(.carrying) else {
            return dueDecisions.push(reference)
        }
        var happened = payload.happened
        var event = DecisionEvent(
            event: happened.event, occurredAt: happened.occurredAt, deadline: happened.deadline, account: happened.account,
            card: happened.card)
        var decision = Decision()
        swap(&decision, &self.decision)
        defer { swap(&decision, &self.decision) }
        var circumstances = circumstances(happened.event, Engine.subject(customer), at: turn.now.wall, isFresh: false, book)
        let isReminder = slots.pointer(number).pointee.isMember && slots.pointer(number).pointee.role.contains(.untilDone)
        // It is worth telling until what it asks for is due.
        if isReminder { event.deadline = slots.pointer(number).pointee.deadline * 1000 }
        let isStep = slots.pointer(number).pointee.isMember && !isReminder
        if isStep { circumstances.stage = .step(slots.pointer(number).pointee.step) }
        var considering = Considering(event, happened.values, customer, circumstances, in: book)
        consider(&considering, book, opening: opening, into: &decision)
        if isStep, let before = payload.plan, let plan = book.plan(of: decision) {
            let isOther = !before.isOf(plan)
            let told = before.exclusions(from: plan)
            if isOther || !told.isEmpty {
                // Another plan begins anew, over what the customer was not told over yet.
                if isOther { circumstances.stage = .step(0) }
                circumstances.exclusions = told
                considering = Considering(event, happened.values, customer, circumstances, in: book)
                consider(&considering, book, opening: opening, into: &decision)
            }
        }

        let secrets = considering.place.map { place in
            Set(book.rules.events[place].parameters.lazy.filter { $0.dataClass == .secret }.map(\.name))
        }
        let hasSecret = happened.values.contains { secrets?.contains($0.name) ?? true }
        var body = RecordBody.Decided(
            stage: isReminder ? .reminder : isStep ? .step : .release, decision, considering, release: book.release, hasSecret: hasSecret)
        // A step that is held begins there again, also when the record that planned it is trimmed.
        if isStep, body.outcome == .held { body.step = slots.pointer(number).pointee.step }
        let deadline = Engine.deadline(decision, turn.now)
        if !isReminder { planNext(&body, decision, after: slots.pointer(number).pointee.id, deadline: deadline, book, turn.now) }
        if !isStep { planReminder(&body, considering, after: slots.pointer(number).pointee.id, book, turn.now) }
        // What is told in steps counts once; a reminder is told besides.
        if !isStep { body.counters = counters(decision, happened.event, isTold: body.outcome == .told, isFresh: false, book) }
        // It stands for the whole of it when the record that accepted it is trimmed.
        body.knownAs = standing[number]?.knownAs ?? 0
        if !body.counters.isEmpty { body.countedAt = countsAt(turn.now) }
        if body.outcome != .held, body.planned == 0 { happened.values.removeAll { secrets?.contains($0.name) ?? true } }
        let message = Payload(
            considering.prepared, sender: payload.message.from, reference: payload.message.reference, trace: payload.message.trace)
        guard let sealed = EventPayload(message, happened, considering, book.next(decision, body, after: payload.plan)) else {
            return emit(.ended(.init(state: .failed, reason: .payloadLost)), number, &turn, after: .retire)
        }
        let start = turn.payloads.count
        sealed.append(to: &turn.payloads)
        let prepared = considering.prepared
        let isSecond = isStep && mayArrive(slots.pointer(number).pointee.id)
        let place = turn.records.count
        emit(.decided(body), number, &turn, sealed: .payload(start..<turn.payloads.count), after: .decided) { header in
            if isSecond, prepared != nil { header.flags.insert(.possibleDuplicate) }
            header.group = prepared?.group ?? 0
            header.parts = UInt8(prepared?.worded.count.submits ?? 0)
            header.deadline = deadline
        }
        // Behind it may stand what follows for the other messages.
        turn.records[place].lookup = lookup(message, of: slots.pointer(number).pointee.source)
        turn.records[place].subject = body.subject
        guard prepared != nil else { return }
        let slot = slots.pointer(number)
        slot.pointee.ringOffset = keep(sealed.message, slot.pointee.messageClass)
        slot.pointee.acceptedMicros = UInt32(truncatingIfNeeded: turn.now.steady)
    }

    /// Its payload cannot be read: lost by the disk, or closed with the key of its customer, who was erased.
    public mutating func undecidable(_ reference: SlotReference, _ why: Turn.Loaded, _ turn: inout Turn) {
        guard let number = taken(reference) else { return }
        // It was read where it had stood before it was copied forward.
        if slots.pointer(number).pointee.flags.contains(.moved) || slots.pointer(number).pointee.pending > 0 {
            slots.pointer(number).pointee.flags.remove(.moved)
            return dueDecisions.push(reference)
        }
        emit(end(of: number, why), number, &turn, after: .retire)
    }

    /// The slot, when it is still to be decided.
    mutating func taken(_ reference: SlotReference) -> UInt32? {
        guard let number = slots.number(of: reference), slots.pointer(number).pointee.state == .planned,
            slots.pointer(number).pointee.flags.contains(.loading)
        else { return nil }
        slots.pointer(number).pointee.flags.remove(.loading)
        return number
    }
}
