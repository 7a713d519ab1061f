/// Names of the fields that a fault can be about.
public enum FieldName: String, Sendable, CaseIterable {
    case systemID, password, systemType, interfaceVersion, addressRange, serviceType, source, destination, esmClass, protocolID, priority
    case scheduleDeliveryTime, validityPeriod, registeredDelivery, replaceIfPresent, dataCoding, defaultMessageID, shortMessage
    case messageID, finalDate, messageState, errorCode, parameters
    /// number_of_dests and no_unsuccess.
    case destinationCount
    case destinationFlag
    /// dl_name.
    case distributionList
    /// esme_addr of alert_notification.
    case esmeAddress
    /// error_status_code of one destination.
    case destinationStatus
}

/// What is wrong with octets that a peer sent.
public enum PDUFault: Error, Equatable, Sendable {
    /// command_length is outside of 16 ... maximum. Where the next PDU begins is not known: close the connection.
    case lengthOutOfRange(UInt32)
    /// The PDU ends inside of this field.
    case truncated(FieldName)
    /// A C-octet string has no NUL within its longest length.
    case unterminated(FieldName)
    /// A value that the field cannot have: sm_length over 254, number_of_dests 0 or over 254, a dest_flag other than 1 and 2.
    case invalidValue(FieldName)
    /// sm_length says more octets than the PDU has.
    case shortMessageOverruns(stated: Int, available: Int)
    /// An optional parameter's length says more than the PDU has, or its head is cut; also octets after the last field that are no
    /// parameters.
    case parameterOverruns(tag: UInt16)
    /// A standard parameter has a length that its form does not allow.
    case parameterLength(tag: UInt16, length: Int)
    /// Octets of another command than the one asked for.
    case otherCommand(Command)

    /// True: the frame's borders are known, so answer it with `status` and go on. False: close the connection.
    public var isRecoverable: Bool {
        if case .lengthOutOfRange = self { false } else { true }
    }

    /// How to answer a request with this fault.
    public var status: CommandStatus {
        switch self {
        case .lengthOutOfRange, .truncated: .invalidCommandLength
        case .unterminated(let field), .invalidValue(let field): PDUFault.status(of: field)
        case .shortMessageOverruns: .invalidMessageLength
        case .parameterOverruns: .invalidParameterStream
        case .parameterLength: .invalidParameterLength
        case .otherCommand: .invalidCommand
        }
    }

    private static func status(of field: FieldName) -> CommandStatus {
        switch field {
        case .source: .invalidSource
        case .destination: .invalidDestination
        case .messageID: .invalidMessageID
        case .systemID: .invalidSystemID
        case .password: .invalidPassword
        case .systemType: .invalidSystemType
        case .serviceType: .invalidServiceType
        case .scheduleDeliveryTime: .invalidSchedule
        case .validityPeriod: .invalidExpiry
        case .shortMessage: .invalidMessageLength
        case .destinationCount: .invalidDestinationCount
        case .destinationFlag: .invalidDestinationFlag
        case .distributionList: .invalidListName
        default: .invalidCommandLength
        }
    }
}

/// What cannot be written as a PDU. Nothing was written.
public enum EncodingFault: Error, Equatable, Sendable {
    /// A text is longer than its field allows, or a list has more entries (`octets` counts those then).
    case tooLong(FieldName, octets: Int, maximum: Int)
    /// A text holds a NUL or an octet outside of ASCII.
    case notPlain(FieldName)
    /// A value that the field cannot have, such as no destination at all.
    case invalidValue(FieldName)
    /// A parameter's value does not fit its form or the 16-bit length.
    case parameter(tag: UInt16)
    /// The whole PDU would exceed the longest command_length.
    case pduTooLong(Int)
    /// The peer bound with an interface_version that does not have this command.
    case notInVersion(Command)
}

/// Bounds of this implementation.
public enum Limits {
    /// Largest command_length taken from a peer unless a smaller one is set, in octets.
    public static let pduOctets = 65_536
    /// Largest short_message (section 5.2.22), in octets; longer texts go in message_payload.
    public static let shortMessageOctets = 254
    /// Longest message_id without its NUL (section 5.2.23), in octets.
    public static let messageIDOctets = 64
    /// Longest address of submit_sm, deliver_sm and the requests about them without its NUL, in octets.
    public static let addressOctets = 20
    /// Longest address of data_sm and alert_notification without its NUL (sections 4.7.1 and 4.12.1), in octets.
    public static let longAddressOctets = 64
    /// Most destinations of one submit_multi (section 5.2.24).
    public static let destinations = 254
}
