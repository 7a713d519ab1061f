/// The rules of a decision, in the order in which they are asked. Raw values are in answers to `:explain`: never change one.
public enum DecisionRule: UInt8, CaseIterable, Sendable {
    case published = 1
    case duplicate = 2
    case superseded = 3
    case stale = 4
    case customer = 5
    case abuse = 6
    case suppression = 7
    case package = 8
    case threshold = 9
    case conditions = 16
    case wishes = 10
    case consent = 11
    case channels = 12
    case quietHours = 13
    case bestHour = 17
    case cap = 14
    case budget = 15

    public var word: String {
        switch self {
        case .published: "published"
        case .duplicate: "duplicate"
        case .superseded: "superseded"
        case .stale: "stale"
        case .customer: "customer"
        case .abuse: "abuse"
        case .suppression: "suppression"
        case .package: "package"
        case .threshold: "threshold"
        case .conditions: "conditions"
        case .wishes: "wishes"
        case .consent: "consent"
        case .channels: "channels"
        case .quietHours: "quiet_hours"
        case .bestHour: "best_hour"
        case .cap: "cap"
        case .budget: "budget"
        }
    }
}

/// What one rule said.
public struct RuleAnswer: Equatable, Sendable {
    public var rule: DecisionRule
    public var verdict: Verdict
    public var because: Because
    /// What `because` speaks of: a number, an amount, a moment; see there.
    public var number: Int64

    public enum Verdict: Equatable, Sendable {
        case passes
        /// The rule does not hold for this event.
        case ignored
        case holds(until: Int64)
        case suppresses(SuppressionReason)
    }

    /// Why. Each has its sentence.
    public enum Because: UInt8, CaseIterable, Sendable {
        case nothingAgainst
        case isPublished
        case isDraft
        case cameBefore
        case firstOfItsKind
        case newerCame
        /// number: seconds left.
        case inTime
        /// number: seconds since its deadline.
        case late
        case isKnown
        case isUnknown
        /// number: events within the limit's time.
        case fewEnough
        case tooMany
        /// number: raw value of the status.
        case status
        /// number: place of the rule.
        case suppressionRule
        case isMandatory
        case isForEveryone
        /// number: of the package.
        case connected
        case notConnected
        case notForThisAccount
        case paused
        case notYetOrNoLonger
        /// number: the threshold, in the smallest unit.
        case reachesThreshold
        case belowThreshold
        case hasNoThreshold
        case otherCurrency
        case saysNoAmount
        /// number: of the event type.
        case muted
        case needsNoConsent
        /// number: of the purpose.
        case consented
        case notConsented
        case withdrawn
        /// number: place of the first step that can work.
        case canGo
        /// number: raw value of the skip.
        case noChannel
        case noPlan
        case classIgnoresIt
        case alreadyBegun
        case isAllowedNow
        /// number: wall microseconds.
        case quietUntil
        case quietPastDeadline
        case alwaysQuiet
        /// number: place of the cap.
        case capUsedUp
        case noneUsedUp
        case budgetUsedUp
        /// number: of the list.
        case suppressionList
        case hasNoCondition
        case meetsConditions
        /// number: place of the condition.
        case missesCondition
        case asksNoHour
        case knowsNoBestHour
        case isBestHour
        /// number: wall microseconds.
        case bestHourComes
        case bestHourTooLate
    }

    public init(_ rule: DecisionRule, _ verdict: Verdict, _ because: Because, _ number: Int64 = 0) {
        self.rule = rule
        self.verdict = verdict
        self.because = because
        self.number = number
    }
}

extension RuleAnswer.Verdict {
    public var word: String {
        switch self {
        case .passes: "passes"
        case .ignored: "ignored"
        case .holds: "holds"
        case .suppresses: "suppresses"
        }
    }
}

extension RuleAnswer {
    /// A sentence for people. It says nothing of the customer but what the rulebook names.
    public var sentence: String { sentence(RuleNames()) }

    /// - Parameter names: of the things that the rules of this decision name by number.
    public func sentence(_ names: RuleNames) -> String {
        switch because {
        case .nothingAgainst: "Nothing speaks against it."
        case .isPublished: "The event is published."
        case .isDraft: "The event is not published."
        case .cameBefore: "An event with the same content came before."
        case .firstOfItsKind: "No event with the same content came before."
        case .newerCame: "A newer event took its place."
        case .inTime: "It is worth telling for another \(number) s."
        case .late: "It is \(number) s past its deadline."
        case .isKnown: "The customer is known."
        case .isUnknown: "Nobody is known by that reference."
        case .fewEnough: "\(number) such events came shortly before."
        case .tooMany: "\(number) such events came shortly before, which are too many."
        case .status: "The customer's state forbids it."
        case .suppressionRule: "A rule of the bank forbids it."
        case .isMandatory: "The event is mandatory."
        case .isForEveryone: "The event is for everyone."
        case .connected: "Package \(names.package ?? String(number)) is connected and has the event."
        case .notConnected: "No package with this event is connected."
        case .notForThisAccount: "A package with this event is connected, for another account or card."
        case .paused: "The package is paused."
        case .notYetOrNoLonger: "The package is not connected on this day."
        case .reachesThreshold: "The amount reaches \(names.amount(number)), from which the customer is told."
        case .belowThreshold: "The amount is below \(names.amount(number)), from which the customer is told."
        case .hasNoThreshold: "Every amount is told."
        case .otherCurrency: "The thresholds are in other currencies, so it is told."
        case .saysNoAmount: "The event says no amount."
        case .muted: "The customer does not want to hear of event type \(names.eventType ?? String(number))."
        case .needsNoConsent: "It needs no consent."
        case .consented: "The customer agreed to purpose \(names.purpose ?? String(number))."
        case .notConsented: "The customer did not agree to purpose \(names.purpose ?? String(number))."
        case .withdrawn: "The customer withdrew the consent to purpose \(names.purpose ?? String(number))."
        case .canGo: "Step \(number + 1) of the plan can work."
        case .noChannel: "No step of the plan can work."
        case .noPlan: "No plan says how it is told."
        case .classIgnoresIt: "It is of a class that this never holds back."
        case .alreadyBegun: "It was asked when the plan began."
        case .isAllowedNow: "Now is no quiet time."
        case .quietUntil: "It is a quiet time until \(timestamp(number))."
        case .quietPastDeadline: "It is a quiet time until \(timestamp(number)), which is past its deadline."
        case .alwaysQuiet: "It is always a quiet time."
        case .capUsedUp: "The customer has had as many as \(names.cap.map { "cap \($0) allows" } ?? "are allowed")."
        case .noneUsedUp: "No cap is used up."
        case .budgetUsedUp: "What was set aside is used up."
        case .hasNoCondition: "It is for customers of every kind."
        case .meetsConditions: "The customer is one of those it is for."
        case .missesCondition: "The customer is not one of those it is for: condition \(number + 1) does not hold."
        case .asksNoHour: "It is told as soon as it may be."
        case .knowsNoBestHour: "No hour is known at which the customer is best reached."
        case .isBestHour: "Now is the hour at which the customer is best reached."
        case .bestHourComes: "The hour at which the customer is best reached begins at \(timestamp(number))."
        case .bestHourTooLate: "The hour at which the customer is best reached comes too late, so it is not waited for."
        case .suppressionList: "The customer stands on list \(number) of the bank, which forbids it."
        }
    }
}
