/// A message from a handset as a provider brought it, or one part of a long one.
public struct Inbound: Equatable, Sendable {
    /// Which part of which message: from the user data header (3GPP TS 23.040, 9.2.3.24.1) or SMPP's sar_ parameters.
    public struct Part: Hashable, Sendable {
        public enum Kind: UInt8, CaseIterable, Sendable { case header8 = 1, header16, sar }
        public var kind: Kind
        public var reference: UInt16
        /// 1...255.
        public var total: UInt8
        /// From 1.
        public var number: UInt8

        /// Nil for a total or number of 0, or a number over the total.
        public init?(kind: Kind, reference: UInt16, total: UInt8, number: UInt8) {
            guard total > 0, number > 0, number <= total else { return nil }
            self.kind = kind
            self.reference = reference
            self.total = total
            self.number = number
        }
    }

    /// The last message to the handset before this one came.
    public struct Reply: Equatable, Sendable {
        public var id: MessageID
        public var source: SourceNumber
        public init(id: MessageID, source: SourceNumber) {
            self.id = id
            self.source = source
        }
    }

    /// Whose a number is, by the node's copy of customers.
    public enum Owner: Equatable, Sendable {
        case nobody
        case one(SubjectNumber)
        /// Several customers share it.
        case several
    }

    public var group: GroupNumber
    /// The handset's address as the provider writes it, at most 20 characters: digits of an international number in the usual case.
    public var from: String
    /// The number or name that it was sent to.
    public var to: String
    /// Text without its user data header.
    public var octets: [UInt8]
    /// By the numbers of SMPP 3.4, 5.2.19, whatever the provider calls them.
    public var dataCoding: UInt8
    /// National Language Identifiers of the header; 0: the default tables.
    public var singleShift: UInt8
    public var lockingShift: UInt8
    /// Nil: it came in one part.
    public var part: Part?
    /// Filled in by the node.
    public var reply: Reply?
    /// Whose number the handset's is; nil: it was not asked, or cannot be said now. Filled in by the node, where a word on a package may come.
    public var owner: Owner?

    public init(
        group: GroupNumber, from: String, to: String, octets: [UInt8], dataCoding: UInt8, singleShift: UInt8 = 0, lockingShift: UInt8 = 0,
        part: Part? = nil
    ) {
        self.group = group
        self.from = from
        self.to = to
        self.octets = octets
        self.dataCoding = dataCoding
        self.singleShift = singleShift
        self.lockingShift = lockingShift
        self.part = part
    }

    /// The handset's number; nil when its address is none, such as a name or a short code.
    public var number: PhoneNumber? {
        let digits = from.utf8.first == UInt8(ascii: "+") ? from.dropFirst() : from[...]
        return try? PhoneNumber.parse([UInt8(ascii: "+")] + digits.utf8)
    }
}

extension Inbound {
    /// Bytes of a part for the sealed place of its record: version, group, addresses, place, coding, octets; little-endian.
    public func appendPart(to out: inout [UInt8]) {
        out.append(Inbound.partVersion)
        out.append(group)
        for short in [from, to] {
            let count = short.shortCount
            out.append(UInt8(count))
            out.append(contentsOf: short.utf8.prefix(count))
        }
        out.append(part?.kind.rawValue ?? 0)
        let reference = part?.reference ?? 0
        out.append(UInt8(truncatingIfNeeded: reference))
        out.append(UInt8(truncatingIfNeeded: reference >> 8))
        out += [part?.total ?? 1, part?.number ?? 1, dataCoding, singleShift, lockingShift]
        let count = min(octets.count, 255)
        out.append(UInt8(count))
        out.append(contentsOf: octets.prefix(count))
    }

    public init(readingPart bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        var input = ByteReader(bytes)
        let version: UInt8 = try input.take()
        guard version == Inbound.partVersion else { throw .unknownVersion(version) }
        let group: UInt8 = try input.take()
        let (from, to) = (try input.text(), try input.text())
        let kind = Part.Kind(rawValue: try input.take())
        let reference: UInt16 = try input.take()
        let (total, number): (UInt8, UInt8) = (try input.take(), try input.take())
        let (coding, single, locking): (UInt8, UInt8, UInt8) = (try input.take(), try input.take(), try input.take())
        self.init(
            group: group, from: from, to: to, octets: try input.octets(), dataCoding: coding, singleShift: single, lockingShift: locking,
            part: kind.flatMap { Part(kind: $0, reference: reference, total: total, number: number) })
    }

    private static let partVersion: UInt8 = 1
}
