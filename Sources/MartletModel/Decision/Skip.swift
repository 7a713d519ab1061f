extension PlannedMessage {
    /// Why a channel cannot work for this customer. Raw values are in records: never change one. In the order in which it is looked at: what
    /// came furthest says most.
    public enum Skip: UInt8, CaseIterable, Comparable, Sendable {
        case noTemplate = 1
        case notInPackage = 2
        case switchedOff = 3
        case noConsent = 4
        case consentWithdrawn = 5
        case suppressed = 6
        case noContact = 7
        case contactForbidden = 8
        case contactOptedOut = 9
        case contactDead = 10
        case notServed = 11
        // From here on the rules let it go, and it could not be made ready.
        /// What is personal of the customer cannot be read: no key, or none any more.
        case noKey = 12
        case noAddress = 13
        case noRoute = 14
        case valueMissing = 15
        case emptyText = 16
        case noAlphabet = 17
        case tooManyParts = 18
        case textTooLong = 19
        /// A plan that held before told the customer over it.
        case toldBefore = 20

        public static func < (one: Skip, other: Skip) -> Bool { one.rawValue < other.rawValue }

        public var word: String {
            switch self {
            case .noTemplate: "no_template"
            case .notInPackage: "not_in_package"
            case .switchedOff: "switched_off"
            case .noConsent: "no_consent"
            case .consentWithdrawn: "consent_withdrawn"
            case .suppressed: "suppressed"
            case .noContact: "no_contact"
            case .contactForbidden: "contact_forbidden"
            case .contactOptedOut: "contact_opted_out"
            case .contactDead: "contact_dead"
            case .notServed: "not_served"
            case .noKey: "no_key"
            case .noAddress: "no_address"
            case .noRoute: "no_route"
            case .valueMissing: "value_missing"
            case .emptyText: "empty_text"
            case .noAlphabet: "no_alphabet"
            case .tooManyParts: "too_many_parts"
            case .textTooLong: "text_too_long"
            case .toldBefore: "told_before"
            }
        }

        /// Found only when the message was to be made ready: the rules let it go.
        public var isObstacle: Bool { self >= .noKey && self != .toldBefore }

        /// Of the notification, when nothing of its plan came further.
        public var reason: SuppressionReason {
            switch self {
            case .noTemplate, .contactForbidden, .notServed, .noKey, .noRoute, .valueMissing, .emptyText, .noAlphabet, .tooManyParts,
                .textTooLong, .toldBefore:
                .channelForbidden
            case .notInPackage: .notInPackage
            case .noConsent: .noConsent
            case .switchedOff, .consentWithdrawn, .contactOptedOut: .optedOut
            case .suppressed, .contactDead: .addressSuppressed
            case .noContact, .noAddress: .noContact
            }
        }
    }
}
