import MartletModel

// What a further message knows of the plan that its notification began with. Where that plan is another now, its places mean something
// else: the plan begins anew, and nobody is told twice the same way.

extension DecisionBook {
    /// What the message that follows reads of its plan; nil: none follows.
    /// - Parameter before: what this one had read.
    func next(
        _ decision: borrowing Decision, _ body: RecordBody.Decided, after before: EventPayload.Plan? = nil
    ) -> EventPayload.Plan? {
        // What is held begins where it would have begun.
        guard body.outcome != .held else { return before }
        guard body.planned != 0, let plan = plan(of: decision), let channel = body.channel else { return nil }
        var route: UInt32 = 0
        if let place = body.step, plan.steps.indices.contains(Int(place)) { route = plan.steps[Int(place)].way }
        var told = before?.waysTold ?? []
        var earlier = 0
        if let before { earlier = before.isOf(plan) ? Int(before.earlier) : told.count }
        told.append(EventPayload.Plan.Way(channel: channel, route: route))
        return EventPayload.Plan(
            key: plan.hash, told: (before?.told ?? []).union(ChannelSet(channel)), ways: told, earlier: UInt8(clamping: earlier))
    }
}

extension EventPayload.Plan {
    /// Stands for every route: an older program kept none.
    private static let anyRoute = UInt32.max

    /// Whether its places are those of this plan.
    func isOf(_ plan: DeliveryPlan) -> Bool { key == (ways.isEmpty ? RecordBody.Counter.hash(plan.key) : plan.hash) }

    fileprivate var waysTold: [Way] {
        ways.isEmpty ? ChannelKind.all.filter { told.contains($0) }.map { Way(channel: $0, route: Self.anyRoute) } : ways
    }

    /// What a step of the plan does not tell over again: what plans before it told, and where this is another plan all that was told. A channel that
    /// the plan has twice may be told over its other route.
    func exclusions(from plan: DeliveryPlan) -> ContiguousArray<Exclusion> {
        let ways = isOf(plan) ? Array(waysTold.prefix(Int(earlier))) : waysTold
        var all: ContiguousArray<Exclusion> = []
        for way in ways {
            let places = plan.steps.indices.filter { plan.steps[$0].channels.contains(way.channel) }
            if places.count < 2 || way.route == Self.anyRoute {
                all.append(Exclusion(channel: way.channel, why: .toldBefore))
            } else {
                for place in places where plan.steps[place].way == way.route {
                    all.append(Exclusion(step: UInt8(place), channel: way.channel, why: .toldBefore))
                }
            }
        }
        return all
    }
}

extension DeliveryPlan {
    /// As payloads name it: another where its steps go other ways, or in another order.
    var hash: UInt32 {
        var hash = RecordBody.Counter.hash(key)
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        for step in steps {
            for channel in step.channels { add(channel.rawValue) }
            add(0)
            for byte in step.route?.utf8 ?? "".utf8 { add(byte) }
            add(0)
        }
        return hash
    }
}

extension DeliveryPlan.Step {
    /// The route that it names, as payloads have it; 0: none.
    var way: UInt32 { route.map { RecordBody.Counter.hash($0) } ?? 0 }
}
