/// Why a customer is not told of an event. A closed list; raw values will stand in records: never change one.
public enum SuppressionReason: UInt8, CaseIterable, Sendable {
    case unknownCustomer = 1
    case unpublished = 2
    case notInPackage = 3
    case belowThreshold = 4
    case noConsent = 5
    case optedOut = 6
    case addressSuppressed = 7
    case noContact = 8
    case channelForbidden = 9
    case capReached = 10
    case heldPastDeadline = 11
    case stale = 12
    case duplicateEvent = 13
    case superseded = 14
    case abuseGuard = 15
    case budget = 16
    case conditionNotMet = 17

    public var word: String {
        switch self {
        case .unknownCustomer: "unknown_customer"
        case .unpublished: "unpublished"
        case .notInPackage: "not_in_package"
        case .belowThreshold: "below_threshold"
        case .noConsent: "no_consent"
        case .optedOut: "opted_out"
        case .addressSuppressed: "address_suppressed"
        case .noContact: "no_contact"
        case .channelForbidden: "channel_forbidden"
        case .capReached: "cap_reached"
        case .heldPastDeadline: "held_past_deadline"
        case .stale: "stale"
        case .duplicateEvent: "duplicate_event"
        case .superseded: "superseded"
        case .abuseGuard: "abuse_guard"
        case .budget: "budget"
        case .conditionNotMet: "condition_not_met"
        }
    }

    public var doc: String {
        switch self {
        case .unknownCustomer: "Nobody is known by the reference that the event names."
        case .unpublished: "The event's definition is not published."
        case .notInPackage:
            "No package that the customer has connected holds the event for this account or card, or over a channel that it goes over."
        case .belowThreshold: "The amount is below the one that the customer, or the package, is told from."
        case .noConsent: "The customer has not agreed to the event's purpose."
        case .optedOut: "The customer withdrew the consent, or switched off the event, its channels or its address."
        case .addressSuppressed: "A rule or a list of the bank or the state of the customer forbids it, or every address is dead."
        case .noContact: "The customer has no address for any channel that the event goes over."
        case .channelForbidden: "No channel of the plan may be used for this event, or can be used now; why stands beside each in the plan."
        case .capReached: "The customer has had as many notifications of this kind as within that time are allowed."
        case .heldPastDeadline: "The hours in which the customer may be told begin only when it is no longer worth telling."
        case .stale: "It came, or its turn came, when it was no longer worth telling."
        case .duplicateEvent: "An event with the same content was taken before."
        case .superseded: "A newer event took its place while it waited."
        case .abuseGuard: "More such events came for this customer than can be meant."
        case .conditionNotMet: "The customer is not one of those whom the event's conditions name."
        case .budget: "The money or the number of messages set aside for it is used up."
        }
    }

    /// Whether what stood against it may be over by the time a reminder of it goes, which is decided anew. What the customer or the bank does not
    /// want told is not asked for again.
    public var mayPass: Bool {
        switch self {
        case .addressSuppressed, .noContact, .channelForbidden, .capReached, .heldPastDeadline, .budget: true
        case .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .optedOut, .stale, .duplicateEvent, .superseded,
            .abuseGuard, .conditionNotMet:
            false
        }
    }
}
