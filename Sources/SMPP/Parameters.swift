/// Tag of an optional parameter, TLV (SMPP 3.4, section 5.3.2).
public struct Tag: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let destinationSubunit = Tag(rawValue: 0x0005)
    public static let userMessageReference = Tag(rawValue: 0x0204)
    public static let sourcePort = Tag(rawValue: 0x020A)
    public static let destinationPort = Tag(rawValue: 0x020B)
    public static let sarReference = Tag(rawValue: 0x020C)
    public static let languageIndicator = Tag(rawValue: 0x020D)
    public static let sarTotal = Tag(rawValue: 0x020E)
    public static let sarNumber = Tag(rawValue: 0x020F)
    public static let interfaceVersion = Tag(rawValue: 0x0210)
    public static let additionalStatusText = Tag(rawValue: 0x001D)
    public static let receiptedMessageID = Tag(rawValue: 0x001E)
    public static let payloadType = Tag(rawValue: 0x0019)
    public static let privacyIndicator = Tag(rawValue: 0x0201)
    public static let networkErrorCode = Tag(rawValue: 0x0423)
    public static let messagePayload = Tag(rawValue: 0x0424)
    public static let deliveryFailureReason = Tag(rawValue: 0x0425)
    public static let moreMessages = Tag(rawValue: 0x0426)
    public static let messageState = Tag(rawValue: 0x0427)
    public static let alertOnDelivery = Tag(rawValue: 0x130C)

    /// How the value of a standard tag is written.
    public enum Form: Equatable, Sendable {
        /// Big-endian, of exactly this many octets.
        case integer(octets: Int)
        /// Ends with NUL; at most this many octets with it.
        case text(maximum: Int)
        case octets(ClosedRange<Int>)
    }

    /// Name and form of a standard tag, nil for others.
    public var standard: (name: String, form: Form)? {
        switch rawValue {
        case 0x0005: ("dest_addr_subunit", .integer(octets: 1))
        case 0x0006: ("dest_network_type", .integer(octets: 1))
        case 0x0007: ("dest_bearer_type", .integer(octets: 1))
        case 0x0008: ("dest_telematics_id", .integer(octets: 2))
        case 0x000D: ("source_addr_subunit", .integer(octets: 1))
        case 0x000E: ("source_network_type", .integer(octets: 1))
        case 0x000F: ("source_bearer_type", .integer(octets: 1))
        case 0x0010: ("source_telematics_id", .integer(octets: 1))
        case 0x0017: ("qos_time_to_live", .integer(octets: 4))
        case 0x0019: ("payload_type", .integer(octets: 1))
        case 0x001D: ("additional_status_info_text", .text(maximum: 256))
        case 0x001E: ("receipted_message_id", .text(maximum: 65))
        case 0x0030: ("ms_msg_wait_facilities", .integer(octets: 1))
        case 0x0201: ("privacy_indicator", .integer(octets: 1))
        case 0x0202: ("source_subaddress", .octets(2...23))
        case 0x0203: ("dest_subaddress", .octets(2...23))
        case 0x0204: ("user_message_reference", .integer(octets: 2))
        case 0x0205: ("user_response_code", .integer(octets: 1))
        case 0x020A: ("source_port", .integer(octets: 2))
        case 0x020B: ("destination_port", .integer(octets: 2))
        case 0x020C: ("sar_msg_ref_num", .integer(octets: 2))
        case 0x020D: ("language_indicator", .integer(octets: 1))
        case 0x020E: ("sar_total_segments", .integer(octets: 1))
        case 0x020F: ("sar_segment_seqnum", .integer(octets: 1))
        case 0x0210: ("sc_interface_version", .integer(octets: 1))
        case 0x0302: ("callback_num_pres_ind", .integer(octets: 1))
        case 0x0303: ("callback_num_atag", .octets(0...65))
        case 0x0304: ("number_of_messages", .integer(octets: 1))
        case 0x0381: ("callback_num", .octets(4...19))
        case 0x0420: ("dpf_result", .integer(octets: 1))
        case 0x0421: ("set_dpf", .integer(octets: 1))
        case 0x0422: ("ms_availability_status", .integer(octets: 1))
        case 0x0423: ("network_error_code", .octets(3...3))
        case 0x0424: ("message_payload", .octets(0...65_535))
        case 0x0425: ("delivery_failure_reason", .integer(octets: 1))
        case 0x0426: ("more_messages_to_send", .integer(octets: 1))
        case 0x0427: ("message_state", .integer(octets: 1))
        case 0x0501: ("ussd_service_op", .integer(octets: 1))
        case 0x1201: ("display_time", .integer(octets: 1))
        case 0x1203: ("sms_signal", .integer(octets: 2))
        case 0x1204: ("ms_validity", .integer(octets: 1))
        case 0x130C: ("alert_on_message_delivery", .octets(0...0))
        case 0x1380: ("its_reply_type", .integer(octets: 1))
        case 0x1383: ("its_session_info", .octets(2...2))
        default: nil
        }
    }
}

/// One optional parameter with its value copied out. Unknown tags keep their octets.
public struct Parameter: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        case integer(UInt32)
        case text(String)
        case octets([UInt8])
    }

    public var tag: Tag
    public var value: Value

    public init(_ tag: Tag, _ value: Value) {
        self.tag = tag
        self.value = value
    }

    /// Octets of the value on the wire.
    /// - Throws: `.parameter` when the value does not have the form of its standard tag, or is too long.
    public func encoded() throws(EncodingFault) -> [UInt8] {
        let fault = EncodingFault.parameter(tag: tag.rawValue)
        switch (value, tag.standard?.form) {
        case (.integer(let number), .integer(let octets)):
            guard octets >= 4 || number < 1 << UInt32(8 * octets) else { throw fault }
            return (0..<octets).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * (octets - 1 - $0))) }
        case (.text(let text), .text(let maximum)):
            let octets = Array(text.utf8)
            guard octets.count < maximum, !octets.contains(0) else { throw fault }
            return octets + [0]
        case (.octets(let octets), .octets(let range)):
            guard range.contains(octets.count) else { throw fault }
            return octets
        case (.octets(let octets), nil):
            guard octets.count <= 65_535 else { throw fault }
            return octets
        default:
            throw fault
        }
    }
}

/// The optional parameters at the end of a body, read as they are walked.
public struct ParameterList: Equatable, Sendable {
    public var area: Field

    public struct Entry: Equatable, Sendable {
        public var tag: Tag
        public var value: Field

        @inlinable init(tag: Tag, value: Field) {
            self.tag = tag
            self.value = value
        }
    }

    /// - Throws: `.parameterOverruns` when a length leads out of the PDU.
    @inlinable init(checking frame: Frame, from start: Int) throws(PDUFault) {
        area = Field(start: start, count: frame.bytes.count - start)
        var at = start
        while at < frame.bytes.count {
            guard let entry = ParameterList.entry(frame, at: at) else { throw ParameterList.overrun(frame, at: at) }
            at = entry.value.start + entry.value.count
        }
    }

    @usableFromInline static func overrun(_ frame: Frame, at: Int) -> PDUFault {
        guard frame.bytes.count - at >= 2 else { return .parameterOverruns(tag: 0) }
        return .parameterOverruns(tag: UInt16(bigEndian: frame.bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
    }

    @inlinable static func entry(_ frame: Frame, at: Int) -> Entry? {
        guard frame.bytes.count - at >= 4 else { return nil }
        let tag = UInt16(bigEndian: frame.bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
        let length = Int(UInt16(bigEndian: frame.bytes.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self)))
        guard frame.bytes.count - at - 4 >= length else { return nil }
        return Entry(tag: Tag(rawValue: tag), value: Field(start: at + 4, count: length))
    }

    /// Calls `body` for each parameter in wire order.
    @inlinable public func each(in frame: Frame, _ body: (Entry) -> Void) {
        var at = area.start
        while at < area.start + area.count, let entry = ParameterList.entry(frame, at: at) {
            body(entry)
            at = entry.value.start + entry.value.count
        }
    }

    /// The first value with this tag.
    public func first(_ tag: Tag, in frame: Frame) -> Field? {
        var found: Field?
        each(in: frame) { entry in
            if found == nil, entry.tag == tag { found = entry.value }
        }
        return found
    }

    /// All parameters copied out, standard ones in their form.
    /// - Throws: `.parameterLength` for a standard one of another length than its form.
    public func copied(from frame: Frame) throws(PDUFault) -> [Parameter] {
        var all: [Parameter] = []
        var fault: PDUFault?
        each(in: frame) { entry in
            let octets = frame[entry.value]
            switch entry.tag.standard?.form {
            case .integer(let count) where count == octets.count:
                all.append(Parameter(entry.tag, .integer(octets.reduce(0) { $0 << 8 | UInt32($1) })))
            case .text(let maximum) where octets.count <= maximum:
                // Some peers leave the NUL out, others send several.
                let end = octets.firstIndex(of: 0) ?? octets.count
                all.append(Parameter(entry.tag, .text(String(decoding: octets[0..<end], as: UTF8.self))))
            case .octets(let range) where range.contains(octets.count):
                all.append(Parameter(entry.tag, .octets(Array(octets))))
            case nil:
                all.append(Parameter(entry.tag, .octets(Array(octets))))
            default:
                if fault == nil { fault = .parameterLength(tag: entry.tag.rawValue, length: octets.count) }
            }
        }
        if let fault { throw fault }
        return all
    }
}
