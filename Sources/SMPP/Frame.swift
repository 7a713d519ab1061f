public import NIOCore

/// Where a field stands in its PDU: counted in octets from the first octet of command_length.
public struct Field: Equatable, Sendable {
    // A PDU has at most 65,536 octets of which 16 are header, so both fit.
    @usableFromInline var start16: UInt16
    @usableFromInline var count16: UInt16

    @inlinable public init(start: Int, count: Int) {
        start16 = UInt16(truncatingIfNeeded: start)
        count16 = UInt16(truncatingIfNeeded: count)
    }

    public static let none = Field(start: 0, count: 0)

    @inlinable public var start: Int { Int(start16) }
    @inlinable public var count: Int { Int(count16) }
    @inlinable public var isEmpty: Bool { count16 == 0 }
}

/// One whole PDU in place. Its octets are valid only inside of the call that gave it: copy out what must stay.
public struct Frame {
    public let header: Header
    /// The whole PDU, header included; `bytes.count == header.length`.
    public let bytes: UnsafeRawBufferPointer

    /// - Throws: `.lengthOutOfRange` unless `bytes` is exactly one PDU of 16 ... 65,536 octets.
    @inlinable public init(_ bytes: UnsafeRawBufferPointer) throws(PDUFault) {
        guard bytes.count >= Header.octets else { throw .lengthOutOfRange(UInt32(bytes.count)) }
        let header = Header(reading: bytes)
        guard Int(header.length) == bytes.count, bytes.count <= Limits.pduOctets else { throw .lengthOutOfRange(header.length) }
        self.header = header
        self.bytes = bytes
    }

    @inlinable init(header: Header, bytes: UnsafeRawBufferPointer) {
        self.header = header
        self.bytes = bytes
    }

    /// The octets of a field of this PDU.
    @inlinable public subscript(field: Field) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[field.start..<(field.start + field.count)])
    }

    /// A field as text; octets that are not UTF-8 become replacement characters.
    @inlinable public func text(_ field: Field) -> String { String(decoding: self[field], as: UTF8.self) }

    public func array(_ field: Field) -> [UInt8] { Array(self[field]) }
}

/// Cuts a byte stream into whole PDUs. Keeps the incomplete end of a read until the rest arrives, at most one PDU.
public struct FrameReader: Sendable {
    public let maximumLength: UInt32
    private var pending: ByteBuffer

    /// - Parameter maximumLength: largest command_length taken, 16 ... 65,536.
    public init(maximumLength: Int = Limits.pduOctets) {
        self.maximumLength = UInt32(min(max(maximumLength, Header.octets), Limits.pduOctets))
        pending = ByteBuffer()
    }

    /// Octets of an incomplete PDU that wait for their rest.
    public var pendingOctets: Int { pending.readableBytes }

    /// Consumes all of `incoming` and calls `body` for every PDU that is now whole, in order.
    /// `body` must not touch this reader and must not keep the frame.
    /// - Throws: `.lengthOutOfRange`: the stream cannot be followed any more; close the connection. PDUs before it were given out.
    public mutating func read(_ incoming: inout ByteBuffer, _ body: (Frame) -> Void) throws(PDUFault) {
        if pending.readableBytes == 0 {
            try FrameReader.walk(&incoming, maximumLength: maximumLength, body)
            if incoming.readableBytes > 0 {
                pending.clear()
                pending.writeBuffer(&incoming)
            }
        } else {
            pending.writeBuffer(&incoming)
            try FrameReader.walk(&pending, maximumLength: maximumLength, body)
            pending.discardReadBytes()
        }
    }

    /// Moves `buffer` past every whole PDU, calling `body` for each; what is left is an incomplete one.
    public static func walk(
        _ buffer: inout ByteBuffer, maximumLength: UInt32 = UInt32(Limits.pduOctets), _ body: (Frame) -> Void
    ) throws(PDUFault) {
        var consumed = 0
        var fault: PDUFault?
        buffer.withUnsafeReadableBytes { bytes in
            while bytes.count - consumed >= 4 {
                let length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: consumed, as: UInt32.self))
                guard length >= UInt32(Header.octets), length <= maximumLength else {
                    fault = .lengthOutOfRange(length)
                    return
                }
                guard bytes.count - consumed >= Int(length) else { return }
                let whole = UnsafeRawBufferPointer(rebasing: bytes[consumed..<(consumed + Int(length))])
                consumed += Int(length)
                body(Frame(header: Header(reading: whole), bytes: whole))
            }
        }
        buffer.moveReaderIndex(forwardBy: consumed)
        if let fault { throw fault }
    }
}
