/// What a principal may do: a closed list, so that the page of rights, the check before every use case and the audit speak of the same words.
/// Raw values are stored with principals: never change one.
public enum Right: String, CaseIterable, Sendable, Hashable {
    case readPrincipals = "principals.read"
    case managePrincipals = "principals.manage"
    case readAudit = "audit.read"
    case readReference = "reference.read"
    case manageReference = "reference.manage"
    case readRulebook = "rulebook.read"
    case writeRulebook = "rulebook.write"
    case approveTexts = "rulebook.approve"
    case publishRulebook = "rulebook.publish"
    case readCustomers = "customers.read"
    case writeCustomers = "customers.write"
    case importCustomers = "customers.import"
    case eraseCustomers = "customers.erase"
    case actForCustomers = "customers.self"
    case readHistory = "history.read"
    case readStatistics = "statistics.read"
    case revealPersonal = "personal.reveal"

    /// What it allows, for the page of rights.
    public var doc: String {
        switch self {
        case .readPrincipals: "See who may administer, and with which rights; keys are never shown again."
        case .managePrincipals: "Make and revoke principals, and change their rights, never beyond one's own."
        case .readAudit: "Read and verify the audit."
        case .readReference: "Read sources, units and definitions."
        case .manageReference: "Change sources, units and definitions."
        case .readRulebook: "Read every version of the rulebook's objects."
        case .writeRulebook: "Write drafts of the rulebook's objects."
        case .approveTexts: "Approve texts of the rulebook that others wrote."
        case .publishRulebook: "Publish a rulebook, and roll back to an earlier one."
        case .readCustomers: "Find customers and read what is kept of them, masked."
        case .writeCustomers: "Add and change customers, their consents and contacts."
        case .importCustomers: "Import customers, and contacts made elsewhere, from files; see and cancel imports."
        case .eraseCustomers: "Erase a customer for good, and export all that is held on one."
        case .actForCustomers: "Make tokens with which the bank's app acts for one customer each."
        case .readHistory: "Search and trace messages, masked."
        case .readStatistics: "Read statistics."
        case .revealPersonal: "See numbers, addresses, names and texts in clear; asks for a reason, each look is an entry of the audit."
        }
    }
}
