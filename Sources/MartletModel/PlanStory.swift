/// What became of each message of an event's plan, over all decisions that were made of it.
public struct PlanStory: Equatable, Sendable {
    public struct Step: Equatable, Sendable {
        /// From 0.
        public var step: UInt8
        public var channel: ChannelKind
        public var state: State
    }

    public enum State: Equatable, Sendable {
        /// A message of it was made; wall microseconds.
        case gone(at: Int64)
        /// Its turn comes, at this moment where that is known, else 0.
        case planned(at: Int64)
        /// It cannot work for this customer.
        case skipped(PlannedMessage.Skip)
        /// The notification ended before its turn.
        case dropped

        public var word: String {
            switch self {
            case .gone: "gone"
            case .planned: "planned"
            case .skipped: "skipped"
            case .dropped: "dropped"
            }
        }
    }

    /// In the plan's order.
    public private(set) var steps: [Step] = []

    /// A later decision says what holds of what has not gone. Under another release the plan may be another: what it has no more is dropped.
    public init(_ story: Story) {
        for (index, decision) in story.decisions.enumerated() {
            let isLast = index == story.decisions.count - 1
            take(decision, mayCome: isLast && !story.state.isEnd)
        }
        steps.sort { ($0.step, $0.channel.rawValue) < ($1.step, $1.channel.rawValue) }
    }

    private mutating func take(_ decision: Story.Decision, mayCome: Bool) {
        let made = decision.made
        for index in steps.indices {
            if case .planned = steps[index].state { steps[index].state = .dropped }
        }
        for message in made.messages {
            let hasGone = made.outcome == .told && made.step == message.step && made.channel == message.channel
            let state: State
            switch message.when {
            case .now where hasGone: state = .gone(at: decision.at)
            case .now, .later: state = mayCome ? .planned(at: made.until * 1000) : .dropped
            case .skipped(let why): state = .skipped(why)
            }
            guard let index = steps.firstIndex(where: { $0.step == message.step && $0.channel == message.channel }) else {
                steps.append(Step(step: message.step, channel: message.channel, state: state))
                continue
            }
            if case .gone = steps[index].state { continue }
            steps[index].state = state
        }
    }
}
