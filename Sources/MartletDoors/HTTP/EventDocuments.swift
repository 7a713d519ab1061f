import MartletModel
import NIOCore

// The JSON that this door writes of events; what a notification shares with a ready text stands in `HTTPDocuments.swift`.

extension Explanation {
    /// Answer of `POST /v1/events:explain`.
    /// - Parameter source: who asks.
    func document(for source: SourceNumber) -> ByteBuffer {
        var json = JSONWriter(capacity: 2048)
        json.object { json in
            json.member("outcome", outcome.word)
            json.member("until", outcome.until.map { timestamp($0) })
            json.member("reason", outcome.reason?.word)
            json.member("deadline", timestamp(deadline))
            json.member("release", release)
            json.key("package")
            if package == 0 { json.null() } else { json.integer(package) }
            json.member("plan", plan)
            json.key("ends")
            if let ends {
                json.object { json in
                    json.member("id", ends.source == source ? ends.id.notification.text : nil)
                    json.member("reason", ends.reason.word)
                    json.member("whole", ends.isWhole)
                }
            } else {
                json.null()
            }
            json.key("rules")
            json.array { json in
                // Nothing measures what is spent yet, so that rule would say nothing.
                for rule in rules where rule.rule != .budget { rule.write(names, to: &json) }
            }
            json.key("messages")
            json.array { json in
                for var message in messages {
                    switch (outcome, message.planned.when) {
                    case (_, .skipped), (.tell, .now), (.tell, .later): break
                    case (.hold, .now), (.hold, .later): message.planned.when = .later
                    // Nothing goes, so there is nothing to be said of what would.
                    case (.suppress, .now), (.suppress, .later): continue
                    }
                    message.write(to: &json)
                }
            }
        }
        return json.sink.bytes
    }
}

extension Decision.Outcome {
    fileprivate var word: String {
        switch self {
        case .tell: "tell"
        case .hold: "hold"
        case .suppress: "suppress"
        }
    }

    fileprivate var until: Int64? { if case .hold(let until) = self { until } else { nil } }
    fileprivate var reason: SuppressionReason? { if case .suppress(let reason) = self { reason } else { nil } }
}

extension RuleAnswer {
    fileprivate func write(_ names: RuleNames, to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            json.member("rule", rule.word)
            json.member("verdict", verdict.word)
            json.member("text", sentence(names))
        }
    }
}

extension Explanation.Message {
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            planned.write(to: &json)
            if let obstacle { json.member("obstacle", obstacle) }
            if let template { json.member("template", template) }
            if let locale { json.member("locale", locale) }
            if let from { json.member("from", from) }
            if let text { json.member("text", text) }
            if parts > 0 { json.member("parts", parts) }
        }
    }
}

extension PlannedMessage {
    /// Members of an object: which step, over what, and whether it goes.
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.member("step", Int(step) + 1)
        json.member("channel", channel.word)
        json.member("when", when.word)
        if case .skipped(let skip) = when { json.member("why", skip.word) }
    }
}

extension PlannedMessage.When {
    fileprivate var word: String {
        switch self {
        case .now: "now"
        case .later: "later"
        case .skipped: "skipped"
        }
    }
}

extension Story {
    /// Whether it is the notification of an event.
    var isOfEvent: Bool { !decisions.isEmpty }
    /// Whether a message of it went, or was to go.
    var hasMessage: Bool { !isOfEvent || decisions.contains { $0.made.outcome == .told } }

    /// What a notification of an event has beside others: the event, what became of each message of its plan, and each decision.
    /// - Parameter catalogue: where the event's key is found; an event that is in no rulebook any more has none.
    func writeEvent(_ catalogue: EventCatalogue, to json: inout JSONWriter<DocumentSink>) {
        guard let last = decisions.last?.made else { return }
        json.member("event", catalogue.key(of: last.event))
        json.key("plan")
        json.array { json in
            for step in PlanStory(self).steps { step.write(to: &json) }
        }
        json.key("decisions")
        json.array { json in
            for decision in decisions { decision.write(to: &json) }
        }
    }
}

extension PlanStory.Step {
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            json.member("step", Int(step) + 1)
            json.member("channel", channel.word)
            json.member("state", state.word)
            switch state {
            case .gone(let at): json.member("at", timestamp(at))
            case .planned(let at): json.member("at", at == 0 ? nil : timestamp(at))
            case .skipped(let why): json.member("why", why.word)
            case .dropped: break
            }
        }
    }
}

extension Story.Decision {
    fileprivate func write(to json: inout JSONWriter<DocumentSink>) {
        json.object { json in
            json.member("at", timestamp(at))
            json.member("stage", made.stage.word)
            json.member("outcome", made.outcome.word)
            json.member("until", made.outcome == .held ? timestamp(made.until * 1000) : nil)
            json.member("reason", made.reason?.word)
            json.member("release", made.release)
            json.key("package")
            if made.package == 0 { json.null() } else { json.integer(made.package) }
        }
    }
}

extension RecordBody.Decided.Outcome {
    /// As `:explain` says it.
    var word: String {
        switch self {
        case .told: "tell"
        case .held: "hold"
        case .suppressed: "suppress"
        }
    }
}

extension RecordBody.Decided.Stage {
    fileprivate var word: String {
        switch self {
        case .fresh: "fresh"
        case .release: "release"
        case .step: "step"
        case .reminder: "reminder"
        }
    }
}

extension Story.Hop {
    /// Says the keys of the event that was decided of and of its package; the number stays where the rulebook in use has it no more.
    func naming(_ catalogue: EventCatalogue) -> Story.Hop {
        var named = self
        named.name("event") { catalogue.key(of: $0) }
        named.name("package") { catalogue.package($0) }
        return named
    }
}
