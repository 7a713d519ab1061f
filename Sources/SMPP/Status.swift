/// command_status: what the answering side said (SMPP 3.4, section 5.1.3). Vendors use values of their own above 0x400.
public struct CommandStatus: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let ok = CommandStatus(rawValue: 0x00)
    public static let invalidMessageLength = CommandStatus(rawValue: 0x01)
    public static let invalidCommandLength = CommandStatus(rawValue: 0x02)
    public static let invalidCommand = CommandStatus(rawValue: 0x03)
    public static let wrongBindState = CommandStatus(rawValue: 0x04)
    public static let alreadyBound = CommandStatus(rawValue: 0x05)
    public static let systemError = CommandStatus(rawValue: 0x08)
    public static let invalidSource = CommandStatus(rawValue: 0x0A)
    public static let invalidDestination = CommandStatus(rawValue: 0x0B)
    public static let invalidMessageID = CommandStatus(rawValue: 0x0C)
    public static let invalidPriority = CommandStatus(rawValue: 0x06)
    public static let invalidRegisteredDelivery = CommandStatus(rawValue: 0x07)
    public static let bindFailed = CommandStatus(rawValue: 0x0D)
    public static let invalidPassword = CommandStatus(rawValue: 0x0E)
    public static let invalidSystemID = CommandStatus(rawValue: 0x0F)
    public static let cancelFailed = CommandStatus(rawValue: 0x11)
    public static let replaceFailed = CommandStatus(rawValue: 0x13)
    public static let queueFull = CommandStatus(rawValue: 0x14)
    public static let invalidServiceType = CommandStatus(rawValue: 0x15)
    public static let invalidDestinationCount = CommandStatus(rawValue: 0x33)
    public static let invalidListName = CommandStatus(rawValue: 0x34)
    public static let invalidDestinationFlag = CommandStatus(rawValue: 0x40)
    public static let invalidEsmClass = CommandStatus(rawValue: 0x43)
    public static let submitFailed = CommandStatus(rawValue: 0x45)
    public static let invalidSystemType = CommandStatus(rawValue: 0x53)
    public static let invalidReplaceFlag = CommandStatus(rawValue: 0x54)
    public static let throttled = CommandStatus(rawValue: 0x58)
    public static let invalidSchedule = CommandStatus(rawValue: 0x61)
    public static let invalidExpiry = CommandStatus(rawValue: 0x62)
    public static let invalidDefaultMessage = CommandStatus(rawValue: 0x63)
    public static let temporaryReceiverError = CommandStatus(rawValue: 0x64)
    public static let permanentReceiverError = CommandStatus(rawValue: 0x65)
    public static let rejectMessage = CommandStatus(rawValue: 0x66)
    public static let queryFailed = CommandStatus(rawValue: 0x67)
    public static let invalidParameterStream = CommandStatus(rawValue: 0xC0)
    public static let parameterNotAllowed = CommandStatus(rawValue: 0xC1)
    public static let invalidParameterLength = CommandStatus(rawValue: 0xC2)
    public static let missingParameter = CommandStatus(rawValue: 0xC3)
    public static let invalidParameterValue = CommandStatus(rawValue: 0xC4)
    public static let deliveryFailure = CommandStatus(rawValue: 0xFE)
    public static let unknownError = CommandStatus(rawValue: 0xFF)

    /// The specification's name, nil for reserved and vendors' values.
    public var name: String? { CommandStatus.table.first { $0.value == rawValue }?.name }

    /// What follows from it, as the specification reads; a `StatusTable` may say otherwise for one provider.
    public var meaning: StatusMeaning {
        if rawValue == 0 { return .accepted }
        if let known = CommandStatus.table.first(where: { $0.value == rawValue }) { return known.meaning }
        // Reserved and vendors' values: worth another try, since a wrong "for good" would lose the message.
        return .temporary
    }
}

extension CommandStatus: CustomStringConvertible {
    public var description: String { name ?? "status 0x\(String(rawValue, radix: 16, uppercase: true))" }
}

/// What the sender of a refused request should do.
public enum StatusMeaning: String, CaseIterable, Sendable {
    /// Taken.
    case accepted
    /// The peer asks for less speed: send again later, slower; the message itself is fine.
    case throttled
    /// A passing state of the peer: the same request may be taken later.
    case temporary
    /// The same request would be refused again.
    case permanent
}

/// Meanings of statuses for one provider: the standard ones with that provider's exceptions.
public struct StatusTable: Equatable, Sendable {
    public var exceptions: [UInt32: StatusMeaning]

    public init(exceptions: [UInt32: StatusMeaning] = [:]) { self.exceptions = exceptions }

    public func meaning(of status: CommandStatus) -> StatusMeaning {
        if status == .ok { return .accepted }
        if !exceptions.isEmpty, let own = exceptions[status.rawValue] { return own }
        return status.meaning
    }
}

extension CommandStatus {
    public struct Entry: Sendable {
        public var value: UInt32
        public var name: String
        public var meaning: StatusMeaning
        public var doc: String
    }

    /// Every status of section 5.1.3 in order: value, name, what follows, what it says.
    public static let table: [Entry] = [
        Entry(value: 0x00, name: "ESME_ROK", meaning: .accepted, doc: "no error"),
        Entry(value: 0x01, name: "ESME_RINVMSGLEN", meaning: .permanent, doc: "message length is invalid"),
        Entry(value: 0x02, name: "ESME_RINVCMDLEN", meaning: .permanent, doc: "command length is invalid"),
        Entry(value: 0x03, name: "ESME_RINVCMDID", meaning: .permanent, doc: "command id is invalid"),
        Entry(value: 0x04, name: "ESME_RINVBNDSTS", meaning: .temporary, doc: "wrong bind state for the command"),
        Entry(value: 0x05, name: "ESME_RALYBND", meaning: .temporary, doc: "already bound"),
        Entry(value: 0x06, name: "ESME_RINVPRTFLG", meaning: .permanent, doc: "invalid priority flag"),
        Entry(value: 0x07, name: "ESME_RINVREGDLVFLG", meaning: .permanent, doc: "invalid registered delivery flag"),
        Entry(value: 0x08, name: "ESME_RSYSERR", meaning: .temporary, doc: "system error"),
        Entry(value: 0x0A, name: "ESME_RINVSRCADR", meaning: .permanent, doc: "invalid source address"),
        Entry(value: 0x0B, name: "ESME_RINVDSTADR", meaning: .permanent, doc: "invalid destination address"),
        Entry(value: 0x0C, name: "ESME_RINVMSGID", meaning: .permanent, doc: "message id is invalid"),
        Entry(value: 0x0D, name: "ESME_RBINDFAIL", meaning: .temporary, doc: "bind failed"),
        Entry(value: 0x0E, name: "ESME_RINVPASWD", meaning: .permanent, doc: "invalid password"),
        Entry(value: 0x0F, name: "ESME_RINVSYSID", meaning: .permanent, doc: "invalid system id"),
        Entry(value: 0x11, name: "ESME_RCANCELFAIL", meaning: .permanent, doc: "cancel failed"),
        Entry(value: 0x13, name: "ESME_RREPLACEFAIL", meaning: .permanent, doc: "replace failed"),
        Entry(value: 0x14, name: "ESME_RMSGQFUL", meaning: .throttled, doc: "message queue is full"),
        Entry(value: 0x15, name: "ESME_RINVSERTYP", meaning: .permanent, doc: "invalid service type"),
        Entry(value: 0x33, name: "ESME_RINVNUMDESTS", meaning: .permanent, doc: "invalid number of destinations"),
        Entry(value: 0x34, name: "ESME_RINVDLNAME", meaning: .permanent, doc: "invalid distribution list name"),
        Entry(value: 0x40, name: "ESME_RINVDESTFLAG", meaning: .permanent, doc: "invalid destination flag"),
        Entry(value: 0x42, name: "ESME_RINVSUBREP", meaning: .permanent, doc: "submit with replace is not supported"),
        Entry(value: 0x43, name: "ESME_RINVESMCLASS", meaning: .permanent, doc: "invalid esm_class"),
        Entry(value: 0x44, name: "ESME_RCNTSUBDL", meaning: .permanent, doc: "cannot submit to the distribution list"),
        Entry(value: 0x45, name: "ESME_RSUBMITFAIL", meaning: .temporary, doc: "submit failed"),
        Entry(value: 0x48, name: "ESME_RINVSRCTON", meaning: .permanent, doc: "invalid source type of number"),
        Entry(value: 0x49, name: "ESME_RINVSRCNPI", meaning: .permanent, doc: "invalid source numbering plan"),
        Entry(value: 0x50, name: "ESME_RINVDSTTON", meaning: .permanent, doc: "invalid destination type of number"),
        Entry(value: 0x51, name: "ESME_RINVDSTNPI", meaning: .permanent, doc: "invalid destination numbering plan"),
        Entry(value: 0x53, name: "ESME_RINVSYSTYP", meaning: .permanent, doc: "invalid system type"),
        Entry(value: 0x54, name: "ESME_RINVREPFLAG", meaning: .permanent, doc: "invalid replace_if_present flag"),
        Entry(value: 0x55, name: "ESME_RINVNUMMSGS", meaning: .permanent, doc: "invalid number of messages"),
        Entry(value: 0x58, name: "ESME_RTHROTTLED", meaning: .throttled, doc: "allowed rate exceeded"),
        Entry(value: 0x61, name: "ESME_RINVSCHED", meaning: .permanent, doc: "invalid scheduled delivery time"),
        Entry(value: 0x62, name: "ESME_RINVEXPIRY", meaning: .permanent, doc: "invalid validity period"),
        Entry(value: 0x63, name: "ESME_RINVDFTMSGID", meaning: .permanent, doc: "invalid predefined message"),
        Entry(value: 0x64, name: "ESME_RX_T_APPN", meaning: .temporary, doc: "receiver temporary error"),
        Entry(value: 0x65, name: "ESME_RX_P_APPN", meaning: .permanent, doc: "receiver permanent error"),
        Entry(value: 0x66, name: "ESME_RX_R_APPN", meaning: .permanent, doc: "receiver rejects the message"),
        Entry(value: 0x67, name: "ESME_RQUERYFAIL", meaning: .temporary, doc: "query failed"),
        Entry(value: 0xC0, name: "ESME_RINVOPTPARSTREAM", meaning: .permanent, doc: "error in the optional parameters"),
        Entry(value: 0xC1, name: "ESME_ROPTPARNOTALLWD", meaning: .permanent, doc: "optional parameter is not allowed"),
        Entry(value: 0xC2, name: "ESME_RINVPARLEN", meaning: .permanent, doc: "invalid parameter length"),
        Entry(value: 0xC3, name: "ESME_RMISSINGOPTPARAM", meaning: .permanent, doc: "expected optional parameter is missing"),
        Entry(value: 0xC4, name: "ESME_RINVOPTPARAMVAL", meaning: .permanent, doc: "invalid optional parameter value"),
        Entry(value: 0xFE, name: "ESME_RDELIVERYFAILURE", meaning: .permanent, doc: "delivery failed (data_sm_resp)"),
        Entry(value: 0xFF, name: "ESME_RUNKNOWNERR", meaning: .temporary, doc: "unknown error"),
    ]
}
