import MartletModel

/// What of a plan follows the message that goes.
extension Engine {
    /// Plans the next step, where one may follow while it is worth telling. A notification has room for so many messages; what is beyond does not
    /// follow.
    func planNext(
        _ body: inout RecordBody.Decided, _ decision: borrowing Decision, after id: MessageID, deadline: Int64, _ book: DecisionBook,
        _ now: Instant
    ) {
        guard body.outcome == .told, let place = body.step, let step = book.step(place, of: decision) else { return }
        if step.success == .sent { body.bits.insert(.noFallbackOnceSent) }
        let due = now.wallMilliseconds + step.wait * 1000
        guard step.allowsNext, due < deadline, decision.messages.contains(where: { $0.when == .later }), let ordinal = nextOrdinal(id)
        else {
            return body.bits.formUnion(.noFurtherStep)
        }
        body.planned = ordinal
        body.until = due
    }

    /// Of the notification's next message; nil: it has had as many as it can have.
    private func nextOrdinal(_ id: MessageID) -> UInt8? {
        guard let head = slots.number(of: id.notification) else { return 2 }
        let slot = slots.pointer(head).pointee
        guard slot.lastOrdinal < Engine.lastOrdinal, slot.openMembers < Engine.openMembersMaximum else { return nil }
        return max(2, slot.lastOrdinal + 1)
    }
}

extension DecisionBook {
    /// A step of the plan that was decided.
    func step(_ place: UInt8, of decision: borrowing Decision) -> DeliveryPlan.Step? {
        guard let plan = plan(of: decision), plan.steps.indices.contains(Int(place)) else { return nil }
        return plan.steps[Int(place)]
    }

    /// What the message that follows reads of its plan; nil: none follows.
    /// - Parameter before: what this one had read.
    func next(
        _ decision: borrowing Decision, _ body: RecordBody.Decided, after before: EventPayload.Plan? = nil
    ) -> EventPayload.Plan? {
        // What is held begins where it would have begun.
        guard body.outcome != .held else { return before }
        guard body.planned != 0, let plan = plan(of: decision) else { return nil }
        return EventPayload.Plan(key: plan.hash, told: (before?.told ?? []).union(body.channel.map { ChannelSet($0) } ?? []))
    }

    /// Nil: none was looked for.
    func plan(of decision: borrowing Decision) -> DeliveryPlan? {
        rules.plans.indices.contains(Int(decision.plan)) ? rules.plans[Int(decision.plan)] : nil
    }
}

extension DeliveryPlan {
    /// As payloads name it.
    var hash: UInt32 { RecordBody.Counter.hash(key) }
}
