/// Why bytes are no zone's file.
public enum TZifFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// They do not begin with `TZif`.
    case notTZif
    /// Only the first version, whose times end in 2038; the tzdata of this century writes the second or a later one.
    case tooOld
    case truncated(field: String)
    case badValue(field: String)

    public var description: String {
        switch self {
        case .notTZif: "it is no compiled time zone (TZif)"
        case .tooOld: "it is of version 1, whose times end in 2038; install tzdata of today"
        case .truncated(let field): "it ends within its \(field)"
        case .badValue(let field): "its \(field) has a value that it cannot have"
        }
    }
}

extension Zone {
    /// Most bytes of a file; the longest of tzdata have under 4 KiB.
    public static let maximumBytes = 1 << 16

    /// Reads a compiled zone as tzdata installs it under `/usr/share/zoneinfo` (RFC 9636), version 2 and later; leap seconds are not looked at.
    public init(tzif bytes: [UInt8]) throws(TZifFault) {
        guard bytes.count <= Zone.maximumBytes else { throw .badValue(field: "length") }
        var input = TZifReader(bytes: bytes)
        let old = try input.header()
        guard old.version >= UInt8(ascii: "2") else { throw .tooOld }
        try input.skip(old.bodyCount(timeSize: 4), "first block")
        let head = try input.header()
        guard head.types > 0, head.transitions <= 4096, head.types <= 256 else { throw .badValue(field: "counts") }
        var times: [Int64] = []
        for _ in 0..<head.transitions {
            let time = Int64(bitPattern: try input.word(8, "transition times"))
            guard time > times.last ?? .min else { throw .badValue(field: "transition times") }
            times.append(time)
        }
        let kinds = try input.bytes(head.transitions, "transition types")
        var offsets: [Int32] = []
        for _ in 0..<head.types {
            let offset = Int32(truncatingIfNeeded: try input.word(4, "types"))
            // RFC 9636, section 3.2: offsets should be within -25 to 26 hours.
            guard (-93_600...93_600).contains(offset) else { throw .badValue(field: "offset") }
            offsets.append(offset)
            try input.skip(2, "types")
        }
        try input.skip(head.characters + head.leaps * 12 + head.standards + head.universals, "rest of the second block")
        let footer = try input.footer()
        var transitions: ContiguousArray<Transition> = []
        for (at, kind) in zip(times, kinds) {
            guard Int(kind) < offsets.count else { throw .badValue(field: "transition types") }
            transitions.append(Transition(at: at, offset: offsets[Int(kind)]))
        }
        var rule: ZoneRule?
        if !footer.isEmpty {
            guard let read = ZoneRule(footer) else { throw .badValue(field: "rule") }
            rule = read
        }
        self.init(first: offsets[0], transitions: transitions, rule: rule)
    }
}

/// Big-endian fields one after the other (RFC 9636, section 3).
private struct TZifReader {
    let bytes: [UInt8]
    var index = 0

    struct Header {
        var version: UInt8
        var universals, standards, leaps, transitions, types, characters: Int

        /// Section 3.2.
        func bodyCount(timeSize: Int) -> Int {
            transitions * (timeSize + 1) + types * 6 + characters + leaps * (timeSize + 4) + standards + universals
        }
    }

    mutating func header() throws(TZifFault) -> Header {
        guard bytes.count - index >= 4, bytes[index..<index + 4].elementsEqual("TZif".utf8) else { throw .notTZif }
        index += 4
        let version = UInt8(truncatingIfNeeded: try word(1, "header"))
        try skip(15, "header")
        var counts: [Int] = []
        for _ in 0..<6 {
            let count = Int(try word(4, "header"))
            guard count <= bytes.count else { throw .truncated(field: "header") }
            counts.append(count)
        }
        return Header(
            version: version, universals: counts[0], standards: counts[1], leaps: counts[2], transitions: counts[3], types: counts[4],
            characters: counts[5])
    }

    mutating func word(_ size: Int, _ field: String) throws(TZifFault) -> UInt64 {
        try self.bytes(size, field).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func bytes(_ count: Int, _ field: String) throws(TZifFault) -> ArraySlice<UInt8> {
        guard count <= bytes.count - index else { throw .truncated(field: field) }
        defer { index += count }
        return bytes[index..<index + count]
    }

    mutating func skip(_ count: Int, _ field: String) throws(TZifFault) { _ = try bytes(count, field) }

    /// Between two line feeds.
    mutating func footer() throws(TZifFault) -> ArraySlice<UInt8> {
        guard try word(1, "rule") == 10 else { throw .badValue(field: "rule") }
        guard let end = bytes[index...].firstIndex(of: 10) else { throw .truncated(field: "rule") }
        return bytes[index..<end]
    }
}
