/// An event that the bank's systems may report: what it says, and what follows from it. Who owns it and what it is called for people is kept
/// with the object, not in its content.
public struct EventDefinition: Equatable, Sendable {
    public var key: String
    /// What records and customers' lists name it by; given once.
    public var number: UInt16
    /// Place in the rules' event types.
    public var type: Int
    public var messageClass: MessageClass
    /// Not: events are taken and suppressed (`unpublished`).
    public var isPublished: Bool
    /// The law or the contract asks for it: no package, consent, wish or cap holds it back.
    public var isMandatory: Bool
    /// Told to every customer, without a package.
    public var isForEveryone: Bool
    /// Place in the rules' purposes; nil: no consent is asked for.
    public var purpose: Int?
    public var parameters: [EventParameter]
    /// All have to hold of a customer who is told.
    public var conditions: [PersonalCondition]
    /// Place of the parameter that thresholds are about.
    public var threshold: Int?
    /// Places of the parameters that say which account and card it is about.
    public var account: Int?
    public var card: Int?
    /// Seconds after it happened within which it is worth telling.
    public var deadline: Int64
    public var duplicates: Repetition?
    /// Places of parameters: a newer event with the same values takes the place of one that still waits.
    public var supersedes: [Int]
    /// More than so many of one customer are abuse, or a fault of the source.
    public var limit: Limit?
    /// Key of the template for each channel that the event may go over.
    public var templates: [ChannelKind: String]
    public var channels: ChannelSet { ChannelSet(Array(templates.keys)) }
    /// Place in the rules' quiet hours; nil: the profile of its class.
    public var quiet: Int?
    /// Place in the rules' plans; nil: the matrix says it.
    public var plan: Int?
    /// It waits for the hour at which its customer is best reached, where that is known and before its deadline.
    public var isAtBestHour: Bool
    public var actionRequired: ActionRequired?
    /// What this event says is done. It follows from the event that names this one in its `actionRequired`, and stands in no content.
    public var completes: Completion?

    /// Parameters that make two events the same, within seconds.
    public struct Repetition: Equatable, Sendable {
        public var by: [Int]
        public var within: Int64

        public init(by: [Int], within: Int64) {
            self.by = by
            self.within = within
        }
    }

    public struct Limit: Equatable, Sendable {
        public var most: Int
        public var within: Int64

        public init(most: Int, within: Int64) {
            self.most = most
            self.within = within
        }
    }

    /// The customer has to do something until a day: reminded until it is done.
    public struct ActionRequired: Equatable, Sendable {
        /// Place of the parameter with the day or moment.
        public var due: Int
        /// Place of the event that says that it is done.
        public var completedBy: Int?
        /// Places of the parameters by whose values that event tells which one is done; empty: the customer's newest is.
        public var by: [Int]
        /// Seconds before it is due, falling.
        public var reminders: [Int64]

        public init(due: Int, completedBy: Int? = nil, by: [Int] = [], reminders: [Int64] = []) {
            self.due = due
            self.completedBy = completedBy
            self.by = by
            self.reminders = reminders
        }
    }

    /// The event that another one completes, and by which values it is found.
    public struct Completion: Equatable, Sendable {
        /// Number of the event that asked for something.
        public var event: UInt16
        /// Places of the completing event's parameters, in the order of the other's `found`.
        public var by: [Int]

        public init(event: UInt16, by: [Int]) {
            self.event = event
            self.by = by
        }
    }

    /// Places of the parameters by which an open one of it is found again, by a newer one or by the event that completes it; nil: it never is.
    public var found: [Int]? {
        if !supersedes.isEmpty { return supersedes }
        return actionRequired.flatMap { $0.completedBy == nil ? nil : $0.by }
    }

    public init(
        key: String, number: UInt16, type: Int, messageClass: MessageClass, isPublished: Bool = true, isMandatory: Bool = false,
        isForEveryone: Bool = false, purpose: Int? = nil, parameters: [EventParameter] = [], conditions: [PersonalCondition] = [],
        threshold: Int? = nil, account: Int? = nil,
        card: Int? = nil, deadline: Int64? = nil, duplicates: Repetition? = nil, supersedes: [Int] = [], limit: Limit? = nil,
        templates: [ChannelKind: String] = [:], quiet: Int? = nil, plan: Int? = nil, isAtBestHour: Bool = false,
        actionRequired: ActionRequired? = nil
    ) {
        self.key = key
        self.number = number
        self.type = type
        self.messageClass = messageClass
        self.isPublished = isPublished
        self.isMandatory = isMandatory
        self.isForEveryone = isForEveryone
        self.purpose = purpose
        self.parameters = parameters
        self.conditions = conditions
        self.threshold = threshold
        self.account = account
        self.card = card
        self.deadline = deadline ?? messageClass.validity
        self.duplicates = duplicates
        self.supersedes = supersedes
        self.limit = limit
        self.templates = templates
        self.quiet = quiet
        self.plan = plan
        self.isAtBestHour = isAtBestHour
        self.actionRequired = actionRequired
    }

    public static let mostParameters = 64
    public static let mostReminders = 10
    /// Seconds: a year.
    public static let longest: Int64 = 31_622_400
    /// Seconds for which it is remembered what came: a day, as long as idempotency keys are.
    public static let longestMemory: Int64 = 86_400
}

extension EventDefinition {
    /// One value, or none, a parameter, in their order, out of what an event says; every mistake at once with the field's path, such as
    /// `parameters.amount`. No message repeats a value.
    public func values(_ said: JSONValue) -> (values: [ParameterValue?], faults: [ParameterFault]) {
        guard case .object(let fields) = said else {
            return ([], [ParameterFault(path: "parameters", code: "malformed", message: "it is \(said.kind), not an object")])
        }
        var faults: [ParameterFault] = []
        var values: [ParameterValue?] = []
        for parameter in parameters {
            let path = "parameters.\(parameter.name)"
            switch fields[parameter.name] {
            case nil, .null?:
                if parameter.assumed == nil { faults.append(ParameterFault(path: path, code: "required", message: "it is missing")) }
                values.append(parameter.assumed)
            case let written?:
                let value = parameter.read(written)
                if value == nil {
                    let isLong = parameter.type == .text && written.kind == "a text"
                    faults.append(
                        ParameterFault(
                            path: path, code: isLong ? "too_long" : "malformed",
                            message: isLong ? "it is longer than \(parameter.maximumBytes) bytes" : "it is not \(parameter.type.form)"))
                }
                values.append(value)
            }
        }
        for name in fields.keys.sorted() where !parameters.contains(where: { $0.name == name }) {
            // A name of the sender's own is not repeated where it could be anything.
            let shown = EventParameter.isName(name) ? name : "?"
            faults.append(ParameterFault(path: "parameters.\(shown)", code: "unknown", message: "the event has no such parameter"))
        }
        return (values, faults)
    }
}

/// What is wrong with one parameter of an event.
public struct ParameterFault: Equatable, Sendable {
    public var path: String
    /// `required`, `malformed`, `too_long` or `unknown`.
    public var code: String
    public var message: String

    public init(path: String, code: String, message: String) {
        self.path = path
        self.code = code
        self.message = message
    }
}
