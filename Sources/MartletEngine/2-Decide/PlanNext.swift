import Calendar
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

    /// Plans when the customer is reminded next of what the event asks for; those whose time has passed are left out.
    func planReminder(
        _ body: inout RecordBody.Decided, _ it: borrowing Considering, after id: MessageID, _ book: DecisionBook, _ now: Instant
    ) {
        guard leavesReminders(body), let place = it.place else { return }
        let definition = book.rules.events[place]
        guard let action = definition.actionRequired, definition.parameters.indices.contains(action.due) else { return }
        let name = definition.parameters[action.due].name
        guard let value = it.values.first(where: { $0.name == name })?.value else { return }
        let zone =
            switch it.customer {
            case .some(let customer): book.decider.zone(of: customer)
            case .none: Zone.utc
            }
        guard let due = Engine.due(value, in: zone) else { return }
        guard let before = action.reminders.first(where: { due - $0 * 1000 > now.wallMilliseconds }), var ordinal = nextOrdinal(id) else {
            return
        }
        if body.planned != 0 {
            let open = slots.number(of: id.notification).map { slots.pointer($0).pointee.openMembers } ?? 0
            ordinal = body.planned + 1
            guard ordinal <= Engine.lastOrdinal, open + 1 < Engine.openMembersMaximum else { return }
        }
        body.reminder = .init(ordinal: ordinal, at: due - before * 1000, due: due)
    }

    /// A message that is not told itself does not keep the next from being told, where what stood against it may pass.
    private func leavesReminders(_ body: RecordBody.Decided) -> Bool {
        switch body.outcome {
        case .told: true
        case .held: false
        case .suppressed: body.stage == .reminder || body.reason?.mayPass ?? false
        }
    }

    /// Wall milliseconds; of a day its end, by the customer's clocks.
    static func due(_ value: ParameterValue, in zone: Zone) -> Int64? {
        switch value {
        case .instant(let at, _): return at / 1000
        case .date(let days):
            switch zone.moments(of: LocalTime(CivilDay(days), secondOfDay: 86_400)) {
            case .one(let seconds), .gap(let seconds), .overlap(let seconds, _): return seconds * 1000
            }
        case .text, .integer, .decimal, .money, .time, .boolean: return nil
        }
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

    /// Nil: none was looked for.
    func plan(of decision: borrowing Decision) -> DeliveryPlan? {
        rules.plans.indices.contains(Int(decision.plan)) ? rules.plans[Int(decision.plan)] : nil
    }
}
