/// bind_transmitter, bind_receiver and bind_transceiver (SMPP 3.4, section 4.1).
public struct Bind: Equatable, Sendable {
    public enum Mode: UInt8, Sendable, CaseIterable {
        case receiver = 1, transmitter = 2, transceiver = 9

        public var command: Command { Command(rawValue: UInt32(rawValue)) }
        /// May send submit_sm, query_sm and cancel_sm.
        public var transmits: Bool { self != .receiver }
        /// Is sent deliver_sm.
        public var receives: Bool { self != .transmitter }
    }

    public var mode: Mode
    /// At most 15 octets.
    public var systemID: String
    /// At most 8 octets by the specification; up to 64 are taken and written, since operators issue longer ones.
    public var password: String
    /// At most 12 octets.
    public var systemType: String
    /// 0x34 for 3.4.
    public var interfaceVersion: UInt8
    public var addressTon: UInt8
    public var addressNpi: UInt8
    /// At most 40 octets.
    public var addressRange: String

    public init(
        mode: Mode, systemID: String, password: String, systemType: String = "", interfaceVersion: UInt8 = 0x34,
        addressTon: UInt8 = 0, addressNpi: UInt8 = 0, addressRange: String = ""
    ) {
        self.mode = mode
        self.systemID = systemID
        self.password = password
        self.systemType = systemType
        self.interfaceVersion = interfaceVersion
        self.addressTon = addressTon
        self.addressNpi = addressNpi
        self.addressRange = addressRange
    }

    static let systemIDMaximum = 16
    static let passwordMaximum = 65
    static let systemTypeMaximum = 13
    static let addressRangeMaximum = 41

    public init(_ frame: Frame) throws(PDUFault) {
        guard let mode = Mode(rawValue: UInt8(truncatingIfNeeded: frame.header.command.rawValue)), frame.header.command.isBind else {
            throw .otherCommand(frame.header.command)
        }
        var cursor = Cursor(frame)
        self.mode = mode
        systemID = frame.text(try cursor.text(.systemID, maximum: Bind.systemIDMaximum))
        password = frame.text(try cursor.text(.password, maximum: Bind.passwordMaximum))
        systemType = frame.text(try cursor.text(.serviceType, maximum: Bind.systemTypeMaximum))
        interfaceVersion = try cursor.octet(.interfaceVersion)
        let range = try cursor.addressRange()
        (addressTon, addressNpi, addressRange) = (range.ton, range.npi, frame.text(range.text))
    }
}

extension Cursor {
    mutating func addressRange() throws(PDUFault) -> AddressField {
        let ton = try octet(.addressRange)
        let npi = try octet(.addressRange)
        return AddressField(ton: ton, npi: npi, text: try text(.addressRange, maximum: Bind.addressRangeMaximum))
    }
}

/// Answer to a bind (section 4.1.2). The body is left out by many peers when the status is not ESME_ROK.
public struct BindResponse: Equatable, Sendable {
    public var systemID: String
    /// sc_interface_version of the SMSC; nil when it did not say.
    public var interfaceVersion: UInt8?

    public init(systemID: String, interfaceVersion: UInt8? = 0x34) {
        self.systemID = systemID
        self.interfaceVersion = interfaceVersion
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command.isBindResponse else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        systemID = frame.text(try cursor.lenientText(.systemID, maximum: Bind.systemIDMaximum))
        let parameters = try ParameterList(checking: frame, from: cursor.at)
        if let version = parameters.first(.interfaceVersion, in: frame), version.count == 1 {
            interfaceVersion = frame.bytes[version.start]
        } else {
            interfaceVersion = nil
        }
    }
}

/// outbind (section 4.1.7): an SMSC asks the ESME to bind as receiver.
public struct Outbind: Equatable, Sendable {
    public var systemID: String
    public var password: String

    public init(systemID: String, password: String) {
        self.systemID = systemID
        self.password = password
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .outbind else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        systemID = frame.text(try cursor.text(.systemID, maximum: Bind.systemIDMaximum))
        password = frame.text(try cursor.text(.password, maximum: Bind.passwordMaximum))
    }
}

/// submit_sm_resp or deliver_sm_resp: the id in place. Peers that refuse often leave the body out.
public struct MessageIDView: Equatable, Sendable {
    public var messageID: Field

    public init(_ frame: Frame) throws(PDUFault) {
        switch frame.header.command {
        case .submitResponse, .deliverResponse: break
        default: throw .otherCommand(frame.header.command)
        }
        var cursor = Cursor(frame)
        messageID = try cursor.lenientText(.messageID, maximum: Limits.messageIDOctets + 1)
    }
}

/// query_sm (section 4.8.1).
public struct Query: Equatable, Sendable {
    public var messageID: String
    public var source: Address

    public init(messageID: String, source: Address = Address()) {
        self.messageID = messageID
        self.source = source
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .query else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        messageID = frame.text(try cursor.text(.messageID, maximum: Limits.messageIDOctets + 1))
        source = frame.address(try cursor.address(.source))
    }
}

/// query_sm_resp (section 4.8.2).
public struct QueryResponse: Equatable, Sendable {
    public var messageID: String
    /// Empty or 16 octets.
    public var finalDate: ShortText
    /// message_state (section 5.2.28).
    public var state: UInt8
    public var errorCode: UInt8

    public init(messageID: String, finalDate: ShortText = ShortText(), state: UInt8, errorCode: UInt8 = 0) {
        self.messageID = messageID
        self.finalDate = finalDate
        self.state = state
        self.errorCode = errorCode
    }

    /// A refusal without body reads as empty id and state 0.
    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .queryResponse else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        guard frame.header.status == .ok || cursor.left > 0 else {
            (messageID, finalDate, state, errorCode) = ("", ShortText(), 0, 0)
            return
        }
        messageID = frame.text(try cursor.text(.messageID, maximum: Limits.messageIDOctets + 1))
        finalDate = frame.shortText(try cursor.text(.finalDate, maximum: 17))
        state = try cursor.octet(.messageState)
        errorCode = try cursor.octet(.errorCode)
    }
}

/// cancel_sm (section 4.9.1).
public struct Cancel: Equatable, Sendable {
    /// At most 5 octets.
    public var serviceType: ShortText
    public var messageID: String
    public var source: Address
    public var destination: Address

    public init(serviceType: ShortText = ShortText(), messageID: String, source: Address = Address(), destination: Address = Address()) {
        self.serviceType = serviceType
        self.messageID = messageID
        self.source = source
        self.destination = destination
    }

    public init(_ frame: Frame) throws(PDUFault) {
        guard frame.header.command == .cancel else { throw .otherCommand(frame.header.command) }
        var cursor = Cursor(frame)
        serviceType = frame.shortText(try cursor.text(.serviceType, maximum: 6))
        messageID = frame.text(try cursor.text(.messageID, maximum: Limits.messageIDOctets + 1))
        source = frame.address(try cursor.address(.source))
        destination = frame.address(try cursor.address(.destination))
    }
}
