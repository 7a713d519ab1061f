/// command_id: which operation a PDU is (SMPP 3.4, section 5.1.2.1). Bit 31 marks an answer.
public struct Command: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let genericNack = Command(rawValue: 0x8000_0000)
    public static let bindReceiver = Command(rawValue: 0x0000_0001)
    public static let bindReceiverResponse = Command(rawValue: 0x8000_0001)
    public static let bindTransmitter = Command(rawValue: 0x0000_0002)
    public static let bindTransmitterResponse = Command(rawValue: 0x8000_0002)
    public static let query = Command(rawValue: 0x0000_0003)
    public static let queryResponse = Command(rawValue: 0x8000_0003)
    public static let submit = Command(rawValue: 0x0000_0004)
    public static let submitResponse = Command(rawValue: 0x8000_0004)
    public static let deliver = Command(rawValue: 0x0000_0005)
    public static let deliverResponse = Command(rawValue: 0x8000_0005)
    public static let unbind = Command(rawValue: 0x0000_0006)
    public static let unbindResponse = Command(rawValue: 0x8000_0006)
    public static let replace = Command(rawValue: 0x0000_0007)
    public static let replaceResponse = Command(rawValue: 0x8000_0007)
    public static let cancel = Command(rawValue: 0x0000_0008)
    public static let cancelResponse = Command(rawValue: 0x8000_0008)
    public static let bindTransceiver = Command(rawValue: 0x0000_0009)
    public static let bindTransceiverResponse = Command(rawValue: 0x8000_0009)
    public static let outbind = Command(rawValue: 0x0000_000B)
    public static let enquireLink = Command(rawValue: 0x0000_0015)
    public static let enquireLinkResponse = Command(rawValue: 0x8000_0015)
    public static let submitMulti = Command(rawValue: 0x0000_0021)
    public static let submitMultiResponse = Command(rawValue: 0x8000_0021)
    public static let alertNotification = Command(rawValue: 0x0000_0102)
    public static let data = Command(rawValue: 0x0000_0103)
    public static let dataResponse = Command(rawValue: 0x8000_0103)

    @inlinable public var isResponse: Bool { rawValue & 0x8000_0000 != 0 }
    /// The command that answers this one; itself for an answer.
    @inlinable public var response: Command { Command(rawValue: rawValue | 0x8000_0000) }
    public var isBind: Bool { self == .bindTransceiver || self == .bindTransmitter || self == .bindReceiver }
    public var isBindResponse: Bool { isResponse && Command(rawValue: rawValue & 0x7FFF_FFFF).isBind }

    /// The name used by the specification, nil when it has none.
    public var name: String? {
        switch self {
        case .genericNack: "generic_nack"
        case .bindReceiver: "bind_receiver"
        case .bindReceiverResponse: "bind_receiver_resp"
        case .bindTransmitter: "bind_transmitter"
        case .bindTransmitterResponse: "bind_transmitter_resp"
        case .query: "query_sm"
        case .queryResponse: "query_sm_resp"
        case .submit: "submit_sm"
        case .submitResponse: "submit_sm_resp"
        case .deliver: "deliver_sm"
        case .deliverResponse: "deliver_sm_resp"
        case .unbind: "unbind"
        case .unbindResponse: "unbind_resp"
        case .replace: "replace_sm"
        case .replaceResponse: "replace_sm_resp"
        case .cancel: "cancel_sm"
        case .cancelResponse: "cancel_sm_resp"
        case .bindTransceiver: "bind_transceiver"
        case .bindTransceiverResponse: "bind_transceiver_resp"
        case .outbind: "outbind"
        case .enquireLink: "enquire_link"
        case .enquireLinkResponse: "enquire_link_resp"
        case .submitMulti: "submit_multi"
        case .submitMultiResponse: "submit_multi_resp"
        case .alertNotification: "alert_notification"
        case .data: "data_sm"
        case .dataResponse: "data_sm_resp"
        default: nil
        }
    }
}

extension Command: CustomStringConvertible {
    public var description: String { name ?? "command 0x\(String(rawValue, radix: 16, uppercase: true))" }
}

/// The 16 octets before every body (section 3.2), already checked for length.
public struct Header: Equatable, Sendable {
    /// Octets of the whole PDU, header included.
    public var length: UInt32
    public var command: Command
    public var status: CommandStatus
    public var sequence: UInt32

    public static let octets = 16

    @inlinable public init(length: UInt32 = 16, command: Command, status: CommandStatus = .ok, sequence: UInt32) {
        self.length = length
        self.command = command
        self.status = status
        self.sequence = sequence
    }

    /// Reads the first 16 octets; the caller has checked that they are there.
    @inlinable init(reading bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= 16, "a header has 16 octets")
        length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        command = Command(rawValue: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        status = CommandStatus(rawValue: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        sequence = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
    }
}
