#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads the fields of one body in their order; every step is checked against the end of the PDU.
struct Cursor {
    let bytes: UnsafeRawBufferPointer
    var at = Header.octets

    @inline(__always) init(_ frame: Frame) { bytes = frame.bytes }

    var left: Int { bytes.count &- at }

    @inline(__always) mutating func octet(_ name: FieldName) throws(PDUFault) -> UInt8 {
        guard at < bytes.count else { throw .truncated(name) }
        let value = bytes[at]
        at &+= 1
        return value
    }

    /// - Parameter maximum: longest length with its NUL, in octets.
    @inline(__always) mutating func text(_ name: FieldName, maximum: Int) throws(PDUFault) -> Field {
        let room = min(maximum, bytes.count &- at)
        guard room > 0, let base = bytes.baseAddress else { throw .truncated(name) }
        let start = base + at
        guard let end = memchr(start, 0, room) else {
            if room < maximum { throw .truncated(name) }
            throw .unterminated(name)
        }
        let count = UnsafeRawPointer(end) - start
        let field = Field(start: at, count: count)
        at &+= count &+ 1
        return field
    }

    /// An answer's field that many peers leave out: an empty rest reads as the empty text.
    mutating func lenientText(_ name: FieldName, maximum: Int) throws(PDUFault) -> Field {
        left == 0 ? .none : try text(name, maximum: maximum)
    }

    /// - Parameter maximum: longest length of the text with its NUL, in octets.
    @inline(__always) mutating func address(
        _ name: FieldName, maximum: Int = Limits.addressOctets + 1
    ) throws(PDUFault) -> AddressField {
        let ton = try octet(name)
        let npi = try octet(name)
        return AddressField(ton: ton, npi: npi, text: try text(name, maximum: maximum))
    }

    @inline(__always) mutating func messageID() throws(PDUFault) -> Field {
        try text(.messageID, maximum: Limits.messageIDOctets + 1)
    }

    /// sm_length and short_message.
    @inline(__always) mutating func shortMessage() throws(PDUFault) -> Field {
        let stated = Int(try octet(.shortMessage))
        guard stated <= Limits.shortMessageOctets else { throw .invalidValue(.shortMessage) }
        guard left >= stated else { throw .shortMessageOverruns(stated: stated, available: left) }
        let field = Field(start: at, count: stated)
        at &+= stated
        return field
    }

    /// After the last field of a body without parameters of its own: what follows must be well-formed parameters, and is passed over
    /// (section 3.3, forward compatibility).
    mutating func finish(_ frame: Frame) throws(PDUFault) {
        if left > 0 { _ = try ParameterList(checking: frame, from: at) }
    }
}

/// An address in place.
public struct AddressField: Equatable, Sendable {
    public var ton: UInt8
    public var npi: UInt8
    public var text: Field

    @usableFromInline init(ton: UInt8, npi: UInt8, text: Field) {
        self.ton = ton
        self.npi = npi
        self.text = text
    }
}

extension Frame {
    /// An address copied out.
    public func address(_ field: AddressField) -> Address {
        Address(ton: field.ton, npi: field.npi, text: shortText(field.text))
    }

    /// A field copied out; empty when it is longer than 20 octets, which no field read as C-octet text of that size is.
    public func shortText(_ field: Field) -> ShortText { ShortText(octets: self[field]) ?? ShortText() }
}
