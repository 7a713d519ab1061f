/// Over which channels a customer is told, one step after the other until one succeeds.
public struct DeliveryPlan: Equatable, Sendable {
    public var key: String
    public var steps: [Step]

    public struct Step: Equatable, Sendable {
        /// All at once; the step succeeds with the first that does.
        public var channels: [ChannelKind]
        /// Seconds to the next step when none has succeeded, 0: they go at once; of the last step how long its success counts.
        public var wait: Int64
        public var success: Success
        /// Whether the next step may follow. Not: it stays with this one.
        public var allowsNext: Bool
        /// Name of the connection group that its short message goes over; nil: the one that serves the number.
        public var route: String?

        public init(
            channels: [ChannelKind], wait: Int64, success: Success = .delivered, allowsNext: Bool = true, route: String? = nil
        ) {
            self.channels = channels
            self.wait = wait
            self.success = success
            self.allowsNext = allowsNext
            self.route = route
        }
    }

    /// What a message must have come to. Raw values will stand in records: never change one.
    public enum Success: UInt8, CaseIterable, Sendable {
        case sent = 1
        case delivered = 2
        case displayed = 3
        case confirmed = 4

        public var word: String {
            switch self {
            case .sent: "sent"
            case .delivered: "delivered"
            case .displayed: "displayed"
            case .confirmed: "confirmed"
            }
        }
    }

    public init(key: String, steps: [Step]) {
        self.key = key
        self.steps = steps
    }

    public static let mostSteps = 8
    /// Seconds.
    public static let waits: ClosedRange<Int64> = 0...604_800

    /// Seconds until the last step begins.
    public var lastBegins: Int64 { steps.dropLast().reduce(0) { $0 + $1.wait } }

    /// `{"steps": [{"channels": ["push"], "wait": 120, "until": "delivered", "fallback": true}, {"channels": ["sms"]}]}`.
    static func read(
        _ reading: DocumentReading, _ key: String, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> DeliveryPlan {
        reading.allow(["steps", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let elements = reading.list("steps", &findings)
        if elements.isEmpty, case .list? = reading.field("steps") {
            reading.error("steps", "the plan has no step", remedy: "write a step, such as {\"channels\": [\"sms\"]}", &findings)
        }
        if elements.count > mostSteps {
            reading.error("steps", "\(elements.count) steps; \(mostSteps) are the most", remedy: "write fewer", &findings)
        }
        var steps: [Step] = []
        for (index, element) in elements.prefix(mostSteps).enumerated() {
            let isLast = index == elements.count - 1
            let step = step(element, isLast: isLast, surroundings, &findings)
            if !step.allowsNext, !isLast {
                element.error(
                    "fallback", "the steps behind it are never reached", remedy: "allow it, or take out the steps behind", &findings)
            }
            steps.append(step)
        }
        return DeliveryPlan(key: key, steps: steps)
    }

    private static func step(
        _ reading: DocumentReading, isLast: Bool, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]
    ) -> Step {
        reading.allow(["channels", "wait", "until", "fallback", "route"], &findings)
        let channels = reading.words("channels", of: ChannelKind.words, &findings) ?? []
        if channels.isEmpty { reading.error("channels", "it names no channel", remedy: "name channels, such as [\"sms\"]", &findings) }
        let wait = isLast ? reading.optionalInteger("wait", in: waits, &findings) ?? 0 : reading.integer("wait", in: waits, &findings) ?? 1
        let success = reading.optionalWord("until", of: Success.allCases.map { ($0.word, $0) }, &findings) ?? .delivered
        for channel in channels where !channel.canTell(success) {
            reading.error(
                "until", "\(channel.word) never tells that something was \(success.word)",
                remedy: "ask for less, or put the channel into a step of its own", &findings)
        }
        let route = reading.optionalText("route", maximumBytes: 32, &findings)
        if let route, let groups = surroundings.groups, !groups.contains(route) {
            reading.error("route", "no connection is of group '\(route)'", remedy: "name the group of a connection", &findings)
        }
        if route != nil, !channels.isEmpty, !channels.contains(.sms) {
            reading.error("route", "the step has no short message", remedy: "leave it out, or add channel sms", &findings)
        }
        return Step(
            channels: channels, wait: wait, success: success, allowsNext: reading.flag("fallback", true, &findings), route: route)
    }
}

extension ChannelKind {
    /// Whether there is any way to learn it.
    public func canTell(_ success: DeliveryPlan.Success) -> Bool {
        switch (self, success) {
        case (_, .sent), (.sms, .delivered), (.email, .delivered), (.pass, .delivered): true
        case (.push, _), (.messenger, _): true
        // A call is answered, which is as good as displayed; a key pressed confirms it.
        case (.voice, _): true
        case (.sms, .confirmed): true
        case (.sms, .displayed), (.email, .displayed), (.email, .confirmed), (.pass, .displayed), (.pass, .confirmed): false
        }
    }
}

/// How much of the bank's digital offers a customer uses, set by the bank, since no channel tells yet what was opened: attribute `CustomerAttribute.engagement`.
public enum Engagement: UInt8, CaseIterable, Sendable {
    case low = 1
    case medium = 2
    case high = 3

    public var word: String {
        switch self {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        }
    }

    static let words = Engagement.allCases.map { ($0.word, $0) }
}

/// Which plan a customer's notifications of a class follow: the bank's own mix for each kind of customer and each case.
public struct MatrixCell: Equatable, Sendable {
    public var messageClass: MessageClass
    /// Nil: every segment, every engagement.
    public var segment: UInt16?
    public var engagement: Engagement?
    /// Place in the rules' plans.
    public var plan: Int

    public init(messageClass: MessageClass, segment: UInt16? = nil, engagement: Engagement? = nil, plan: Int) {
        self.messageClass = messageClass
        self.segment = segment
        self.engagement = engagement
        self.plan = plan
    }

    public static let most = 10_000

    /// All objects together: `{"cells": [{"class": "marketing", "segment": 3, "engagement": "low", "plan": "sms-first"}]}`. The cell that says
    /// most holds: segment and engagement, then segment, then engagement, then the class alone.
    static func compile(_ draft: RulebookDraft, _ findings: inout [RulebookFinding]) -> [MatrixCell] {
        struct Place: Hashable {
            var messageClass: MessageClass
            var segment: UInt16?
            var engagement: Engagement?
        }
        var cells: [MatrixCell] = []
        var places: [Place: String] = [:]
        for reading in draft[.matrix] {
            reading.allow(["cells", "note"], &findings)
            _ = reading.optionalText("note", maximumBytes: 200, &findings)
            for element in reading.list("cells", &findings) {
                element.allow(["class", "segment", "engagement", "plan"], &findings)
                let messageClass = element.word("class", of: MessageClass.words, &findings)
                let segment = element.optionalInteger("segment", in: 1...65_535, &findings).map { UInt16($0) }
                let engagement = element.optionalWord("engagement", of: Engagement.words, &findings)
                guard let plan = draft.place(.plan, element, "plan", &findings), let messageClass else { continue }
                let place = Place(messageClass: messageClass, segment: segment, engagement: engagement)
                if let first = places.updateValue(element.path, forKey: place) {
                    element.error(nil, "it is never reached: \(first) says the same", remedy: "leave one of them", &findings)
                }
                cells.append(MatrixCell(messageClass: messageClass, segment: segment, engagement: engagement, plan: plan))
            }
        }
        if cells.count > most, let first = draft[.matrix].first {
            first.error("cells", "\(cells.count) cells; \(most) are the most", remedy: "use segments with fewer exceptions", &findings)
        }
        return cells
    }
}
