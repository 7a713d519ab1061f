/// Names of the fields that a fault can be about.
public enum FieldName: String, Sendable {
    case systemID, password, systemType, interfaceVersion, addressRange, serviceType, source, destination, esmClass, protocolID, priority
    case scheduleDeliveryTime, validityPeriod, registeredDelivery, replaceIfPresent, dataCoding, defaultMessageID, shortMessage
    case messageID, finalDate, messageState, errorCode, parameters
}

/// What is wrong with octets that a peer sent.
public enum PDUFault: Error, Equatable, Sendable {
    /// command_length is outside of 16 ... maximum. Where the next PDU begins is not known: close the connection.
    case lengthOutOfRange(UInt32)
    /// The PDU ends inside of this field.
    case truncated(FieldName)
    /// A C-octet string has no NUL within its longest length.
    case unterminated(FieldName)
    /// sm_length says more octets than the PDU has.
    case shortMessageOverruns(stated: Int, available: Int)
    /// An optional parameter's length says more than the PDU has, or its head is cut.
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
        case .unterminated(let field):
            switch field {
            case .source: .invalidSource
            case .destination: .invalidDestination
            case .messageID: .invalidMessageID
            case .systemID: .invalidSystemID
            case .password: .invalidPassword
            default: .invalidCommandLength
            }
        case .shortMessageOverruns: .invalidMessageLength
        case .parameterOverruns: .invalidParameterStream
        case .parameterLength: .invalidParameterLength
        case .otherCommand: .invalidCommand
        }
    }
}

/// What cannot be written as a PDU. Nothing was written.
public enum EncodingFault: Error, Equatable, Sendable {
    /// A text is longer than its field allows.
    case tooLong(FieldName, octets: Int, maximum: Int)
    /// A text holds a NUL or an octet outside of ASCII.
    case notPlain(FieldName)
    /// A parameter's value does not fit its form or the 16-bit length.
    case parameter(tag: UInt16)
    /// The whole PDU would exceed the longest command_length.
    case pduTooLong(Int)
}

/// Bounds of this implementation.
public enum Limits {
    /// Largest command_length taken from a peer unless a smaller one is set, in octets.
    public static let pduOctets = 65_536
    /// Largest short_message (section 5.2.22), in octets; longer texts go in message_payload.
    public static let shortMessageOctets = 254
    /// Longest message_id without its NUL (section 5.2.23), in octets.
    public static let messageIDOctets = 64
}
