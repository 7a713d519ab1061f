/// A template's text, or a partial's, while it is read.
struct Source {
    let bytes: [UInt8]
    /// The partial's name; nil for the template itself.
    let partial: String?
    /// Octets put before every line of a partial that stands indented; places are told without them.
    let indent: Int
    private let lines: [Int]

    init(_ text: String, partial: String? = nil, indent: String = "") {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var lineBegins = true
        for byte in text.utf8 {
            if lineBegins { bytes += indent.utf8 }
            bytes.append(byte)
            lineBegins = byte == 0x0A
        }
        self.bytes = bytes
        self.partial = partial
        self.indent = indent.utf8.count
        var lines = [0]
        for index in bytes.indices where bytes[index] == 0x0A { lines.append(index + 1) }
        self.lines = lines
    }

    func place(_ offset: Int) -> Place {
        var low = 0
        var high = lines.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lines[middle] <= offset { low = middle } else { high = middle }
        }
        let scalars = bytes[lines[low]..<max(offset, lines[low])].count { $0 & 0xC0 != 0x80 }
        return Place(partial: partial, line: low + 1, column: max(scalars - indent, 0) + 1)
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Where `wanted` begins at or behind `start`; nil when it does not.
    func find(_ wanted: [UInt8], from start: Int) -> Int? {
        guard let first = wanted.first, bytes.count >= wanted.count else { return nil }
        var index = start
        while index + wanted.count <= bytes.count {
            if bytes[index] == first, matches(wanted, at: index) { return index }
            index += 1
        }
        return nil
    }

    func matches(_ wanted: [UInt8], at index: Int) -> Bool {
        guard index + wanted.count <= bytes.count else { return false }
        for offset in wanted.indices where bytes[index + offset] != wanted[offset] { return false }
        return true
    }

    /// `range` without blanks at either end.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, Self.isBlank(bytes[low]) { low += 1 }
        while high > low, Self.isBlank(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    /// The line that a tag stands alone on, its end with it; nil when there is something else but blanks on it.
    func line(of tag: Range<Int>) -> Range<Int>? {
        var start = tag.lowerBound
        while start > 0, bytes[start - 1] != 0x0A {
            guard bytes[start - 1] == 0x20 || bytes[start - 1] == 0x09 else { return nil }
            start -= 1
        }
        var end = tag.upperBound
        while end < bytes.count, bytes[end] != 0x0A {
            let carriageReturn = bytes[end] == 0x0D && end + 1 < bytes.count && bytes[end + 1] == 0x0A
            guard bytes[end] == 0x20 || bytes[end] == 0x09 || carriageReturn else { return nil }
            end += 1
        }
        return start..<min(end + 1, bytes.count)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

/// One tag of a template.
struct Tag {
    enum Kind {
        case value, raw, section, inverted, close, partial, comment, delimiters
        /// Lambdas, inheritance and the like: the sign it begins with.
        case unsupported(UInt8)
    }

    let kind: Kind
    /// With its delimiters.
    let whole: Range<Int>
    /// What stands in it, without sign and blanks.
    let inside: Range<Int>
}

/// Finds the tags of a source, one by one, with the delimiters as they are by then (mustache(5)).
struct TagReader {
    private var open = Array("{{".utf8)
    private var close = Array("}}".utf8)

    enum Step {
        case tag(Tag)
        /// The tag that begins here has no end.
        case broken(at: Int)
        case end
    }

    func next(_ source: Source, from start: Int) -> Step {
        guard let begin = source.find(open, from: start) else { return .end }
        var inside = begin + open.count
        while inside < source.bytes.count, Source.isBlank(source.bytes[inside]) { inside += 1 }
        guard inside < source.bytes.count else { return .broken(at: begin) }
        let sign = source.bytes[inside]
        let (kind, closing) = kind(of: sign)
        let from = kind.hasSign ? inside + 1 : inside
        guard let end = source.find(closing, from: from) else { return .broken(at: begin) }
        return .tag(Tag(kind: kind, whole: begin..<(end + closing.count), inside: source.trimmed(from..<end)))
    }

    private func kind(of sign: UInt8) -> (Tag.Kind, [UInt8]) {
        switch sign {
        case UInt8(ascii: "{"): (.raw, [UInt8(ascii: "}")] + close)
        case UInt8(ascii: "="): (.delimiters, [UInt8(ascii: "=")] + close)
        case UInt8(ascii: "&"): (.raw, close)
        case UInt8(ascii: "#"): (.section, close)
        case UInt8(ascii: "^"): (.inverted, close)
        case UInt8(ascii: "/"): (.close, close)
        case UInt8(ascii: ">"): (.partial, close)
        case UInt8(ascii: "!"): (.comment, close)
        case UInt8(ascii: "<"), UInt8(ascii: "$"), UInt8(ascii: "*"), UInt8(ascii: "%"): (.unsupported(sign), close)
        default: (.value, close)
        }
    }

    /// Takes `{{=<% %>=}}`. False, and nothing changes, when these are no delimiters.
    mutating func change(_ source: Source, _ inside: Range<Int>) -> Bool {
        let words = source.bytes[inside].split(whereSeparator: Source.isBlank)
        guard words.count == 2, words.allSatisfy({ $0.count <= 16 && !$0.contains(UInt8(ascii: "=")) }) else { return false }
        open = Array(words[0])
        close = Array(words[1])
        return true
    }
}

extension Tag.Kind {
    fileprivate var hasSign: Bool {
        switch self {
        case .value: false
        case .raw, .section, .inverted, .close, .partial, .comment, .delimiters, .unsupported: true
        }
    }

    /// Whether it takes its line with it when it stands alone there: all but those that write something.
    var standsAlone: Bool {
        switch self {
        case .value, .raw, .unsupported: false
        case .section, .inverted, .close, .partial, .comment, .delimiters: true
        }
    }
}
