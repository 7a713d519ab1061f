/// bind_transmitter, bind_receiver and bind_transceiver (SMPP 3.4, section 4.1).
public struct Bind: Equatable, Sendable {
    public enum Mode: UInt8, Sendable, CaseIterable {
        case receiver = 1, transmitter = 2, transceiver = 9

        public var command: Command { Command(rawValue: UInt32(rawValue)) }
        /// May send submit_sm, submit_multi, data_sm, query_sm, cancel_sm and replace_sm.
        public var transmits: Bool { self != .receiver }
        /// Is sent deliver_sm, data_sm and alert_notification.
        public var receives: Bool { self != .transmitter }
    }

    public var mode: Mode
    /// At most 15 octets.
    public var systemID: String
    /// At most 8 octets by the specification; up to 64 are taken and written, since operators issue longer ones.
    public var password: String
    /// At most 12 octets.
    public var systemType: String
    /// 0x34 for 3.4; 0x00 ... 0x33 for an earlier one (section 5.2.4), whose peers know no optional parameters.
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
        systemType = frame.text(try cursor.text(.systemType, maximum: Bind.systemTypeMaximum))
        interfaceVersion = try cursor.octet(.interfaceVersion)
        let range = try cursor.addressRange()
        (addressTon, addressNpi, addressRange) = (range.ton, range.npi, frame.text(range.text))
        try cursor.finish(frame)
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
        try cursor.finish(frame)
    }
}

/// submit_sm_resp, deliver_sm_resp, data_sm_resp or submit_multi_resp: the id in place. Peers that refuse often leave the body out.
public struct MessageIDView: Equatable, Sendable {
    public var messageID: Field

    public init(_ frame: Frame) throws(PDUFault) {
        switch frame.header.command {
        case .submitResponse, .deliverResponse, .dataResponse, .submitMultiResponse: break
        default: throw .otherCommand(frame.header.command)
        }
        var cursor = Cursor(frame)
        messageID = try cursor.lenientText(.messageID, maximum: Limits.messageIDOctets + 1)
    }
}
