import SMPP

/// Where the fields of one submit_sm stand in its PDU (SMPP 3.4, 4.4.1). The simulator reads bodies with its own eyes and not with
/// the codec of the server under test: a mistake there must not be answered by its mirror.
struct SubmitView {
    /// source_addr_ton up to the NUL of destination_addr: what a receipt needs, in one piece.
    var addresses: Range<Int>
    var source: Range<Int>
    var destination: Range<Int>
    var esmClass: UInt8
    var registeredDelivery: UInt8
    var replaceIfPresent: UInt8
    var dataCoding: UInt8
    /// short_message, or message_payload when that is there.
    var text: Range<Int>
    /// Concatenation told by TLVs: sar_msg_ref_num, sar_total_segments, sar_segment_seqnum; total 0: none.
    var sarReference: UInt16 = 0
    var sarTotal: UInt8 = 0
    var sarPart: UInt8 = 0
    /// dest_addr_subunit; 1 is the display.
    var subunit: UInt8 = 0

    /// Longest octets of `addresses`: twice TON, NPI and a C-octet string of 21.
    static let addressesMaximum = 46

    private enum Tag {
        static let subunit: UInt16 = 0x0005
        static let sarReference: UInt16 = 0x020C
        static let sarTotal: UInt16 = 0x020E
        static let sarPart: UInt16 = 0x020F
        static let messagePayload: UInt16 = 0x0424
    }

    /// - Throws: the command_status that names the first mistake.
    @inline(__always)
    init(_ pdu: UnsafeRawBufferPointer) throws(WireFault) {
        var at = Header.octets
        _ = try Self.text(pdu, &at, maximum: 6, else: .invalidCommandLength)
        let addressesStart = at
        at &+= 2
        source = try Self.text(pdu, &at, maximum: 21, else: .invalidSource)
        at &+= 2
        destination = try Self.text(pdu, &at, maximum: 21, else: .invalidDestination)
        addresses = addressesStart..<at
        guard !destination.isEmpty else { throw WireFault(.invalidDestination) }
        guard at &+ 3 <= pdu.count else { throw WireFault(.invalidCommandLength) }
        esmClass = pdu[at]
        at &+= 3
        _ = try Self.text(pdu, &at, maximum: 17, else: .invalidCommandLength)
        _ = try Self.text(pdu, &at, maximum: 17, else: .invalidCommandLength)
        guard at &+ 5 <= pdu.count else { throw WireFault(.invalidCommandLength) }
        registeredDelivery = pdu[at]
        replaceIfPresent = pdu[at &+ 1]
        dataCoding = pdu[at &+ 2]
        let length = Int(pdu[at &+ 4])
        at &+= 5
        guard length <= 254, at &+ length <= pdu.count else { throw WireFault(.invalidMessageLength) }
        text = at..<at &+ length
        at &+= length
        if at < pdu.count { try parameters(pdu, from: at) }
    }

    private mutating func parameters(_ pdu: UnsafeRawBufferPointer, from start: Int) throws(WireFault) {
        var at = start
        while at < pdu.count {
            guard at + 4 <= pdu.count else { throw WireFault(.invalidParameterStream) }
            let tag = UInt16(pdu[at]) << 8 | UInt16(pdu[at + 1])
            let length = Int(pdu[at + 2]) << 8 | Int(pdu[at + 3])
            at += 4
            guard at + length <= pdu.count else { throw WireFault(.invalidParameterStream) }
            switch (tag, length) {
            case (Tag.sarReference, 2): sarReference = UInt16(pdu[at]) << 8 | UInt16(pdu[at + 1])
            case (Tag.sarTotal, 1): sarTotal = pdu[at]
            case (Tag.sarPart, 1): sarPart = pdu[at]
            case (Tag.subunit, 1): subunit = pdu[at]
            case (Tag.sarReference, _), (Tag.sarTotal, _), (Tag.sarPart, _), (Tag.subunit, _): throw WireFault(.invalidParameterLength)
            case (Tag.messagePayload, _): text = at..<at + length
            default: break
            }
            at += length
        }
    }

    /// A C-octet string of at most `maximum` octets with its NUL; moves past it.
    @inline(__always)
    static func text(
        _ pdu: UnsafeRawBufferPointer, _ at: inout Int, maximum: Int, else fault: CommandStatus
    ) throws(WireFault) -> Range<Int> {
        let start = at
        let limit = min(pdu.count, start &+ maximum)
        while at < limit {
            if pdu[at] == 0 {
                at &+= 1
                return start..<at &- 1
            }
            at &+= 1
        }
        throw WireFault(limit < start &+ maximum ? .invalidCommandLength : fault)
    }
}

/// What is wrong with a PDU, as the command_status that says so.
struct WireFault: Error {
    let status: CommandStatus

    init(_ status: CommandStatus) {
        self.status = status
    }
}

/// The fields of a bind that matter here (SMPP 3.4, 4.1).
struct BindView {
    var systemId: [UInt8]
    var password: [UInt8]

    init(_ pdu: UnsafeRawBufferPointer) throws(WireFault) {
        var at = Header.octets
        systemId = Array(pdu[try SubmitView.text(pdu, &at, maximum: 16, else: .invalidSystemID)])
        password = Array(pdu[try SubmitView.text(pdu, &at, maximum: 9, else: .invalidPassword)])
    }
}
