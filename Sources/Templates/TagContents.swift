/// What a tag that writes a value says: `amount | money: code | upper`.
struct TagContents {
    /// Names, outermost first; none for `.`.
    let path: [String]
    let filters: [FilterCall]
}

/// One filter as it is written: `plural: one="day", other="days"`.
struct FilterCall {
    struct Argument {
        let key: String?
        let value: Literal
        let offset: Int
    }

    enum Literal: Equatable {
        case word(String)
        case number(Int)
        case text(String)
    }

    let name: String
    let offset: Int
    let arguments: [Argument]
}

/// A mistake inside of a tag, before its place is known in lines.
struct TagMistake: Error {
    let code: TemplateFinding.Code
    let offset: Int
    let reason: String
}

/// Reads what stands in a tag.
struct TagParser {
    static let nameOctetsMax = 128
    static let partsMax = 16
    static let filtersMax = 8
    static let argumentsMax = 16

    private let source: Source
    private var index: Int
    private let end: Int

    init(_ source: Source, _ range: Range<Int>) {
        self.source = source
        index = range.lowerBound
        end = range.upperBound
    }

    /// - Throws: the first mistake; a tag is short, and one mistake in it often makes the next.
    static func contents(_ source: Source, _ range: Range<Int>) throws(TagMistake) -> TagContents {
        var parser = TagParser(source, range)
        let path = try parser.path()
        var filters: [FilterCall] = []
        while parser.takes("|") {
            guard filters.count < filtersMax else {
                throw TagMistake(code: .tooLarge, offset: parser.index, reason: "A tag has at most \(filtersMax) filters.")
            }
            filters.append(try parser.filter())
        }
        guard parser.atEnd else { throw parser.unexpected() }
        return TagContents(path: path, filters: filters)
    }

    /// The name of a section or what closes it: a path, nothing else.
    static func name(_ source: Source, _ range: Range<Int>) throws(TagMistake) -> [String] {
        var parser = TagParser(source, range)
        let path = try parser.path()
        guard parser.atEnd else {
            if parser.takes("|") {
                throw TagMistake(code: .filterRefused, offset: parser.index - 1, reason: "A section has a name and no filters.")
            }
            throw parser.unexpected()
        }
        return path
    }

    private var atEnd: Bool { skipping(index) >= end }

    private func skipping(_ from: Int) -> Int {
        var at = from
        while at < end, Source.isBlank(source.bytes[at]) { at += 1 }
        return at
    }

    private mutating func takes(_ sign: Unicode.Scalar) -> Bool {
        let at = skipping(index)
        guard at < end, source.bytes[at] == UInt8(truncatingIfNeeded: sign.value) else { return false }
        index = at + 1
        return true
    }

    private mutating func path() throws(TagMistake) -> [String] {
        index = skipping(index)
        let start = index
        if index < end, source.bytes[index] == 0x2E {
            index += 1
            return []
        }
        var parts: [String] = []
        repeat {
            guard let part = word() else {
                throw TagMistake(code: .badName, offset: start, reason: index >= end ? "A tag has no name." : "\(here()) is no name.")
            }
            parts.append(part)
        } while dot()
        guard parts.count <= Self.partsMax, index - start <= Self.nameOctetsMax else {
            throw TagMistake(
                code: .badName, offset: start, reason: "A name has at most \(Self.partsMax) parts and \(Self.nameOctetsMax) octets.")
        }
        return parts
    }

    private mutating func dot() -> Bool {
        guard index < end, source.bytes[index] == 0x2E else { return false }
        index += 1
        return true
    }

    /// Letters of any script, digits, `_`, `-`.
    private mutating func word() -> String? {
        let start = index
        while index < end {
            let byte = source.bytes[index]
            let plain = byte == 0x5F || byte == 0x2D || (0x30...0x39).contains(byte) || (byte < 0x80 && (0x41...0x5A).contains(byte & 0xDF))
            if plain {
                index += 1
                continue
            }
            guard byte >= 0xC2 else { break }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            guard index + length <= end, let scalar = source.text(index..<(index + length)).unicodeScalars.first,
                scalar.properties.isAlphabetic || scalar.properties.isGraphemeExtend
            else { break }
            index += length
        }
        return index > start ? source.text(start..<index) : nil
    }

    private mutating func filter() throws(TagMistake) -> FilterCall {
        index = skipping(index)
        let offset = index
        guard let name = word() else {
            throw TagMistake(code: .unknownFilter, offset: offset, reason: "The name of a filter is missing behind `|`.")
        }
        var arguments: [FilterCall.Argument] = []
        if takes(":") {
            repeat {
                guard arguments.count < Self.argumentsMax else {
                    throw TagMistake(code: .tooLarge, offset: index, reason: "A filter has at most \(Self.argumentsMax) arguments.")
                }
                arguments.append(try argument())
            } while takes(",")
        }
        return FilterCall(name: name, offset: offset, arguments: arguments)
    }

    private mutating func argument() throws(TagMistake) -> FilterCall.Argument {
        index = skipping(index)
        let offset = index
        if let quoted = try quoted() { return .init(key: nil, value: .text(quoted), offset: offset) }
        guard let word = word() else {
            let reason = atEnd ? "An argument is missing." : "\(here()) is no argument; texts stand in straight quotes."
            throw TagMistake(code: .badArgument, offset: offset, reason: reason)
        }
        guard takes("=") else { return .init(key: nil, value: Int(word).map { .number($0) } ?? .word(word), offset: offset) }
        index = skipping(index)
        guard let quoted = try quoted() else {
            throw TagMistake(code: .badArgument, offset: index, reason: "Behind `\(word)=` a text in straight quotes is wanted.")
        }
        return .init(key: word, value: .text(quoted), offset: offset)
    }

    /// A text in `"` or `'`; nil when none begins here. There is no escape: a text that needs one quote stands in the other.
    private mutating func quoted() throws(TagMistake) -> String? {
        guard index < end, source.bytes[index] == 0x22 || source.bytes[index] == 0x27 else { return nil }
        let quote = source.bytes[index]
        let start = index + 1
        var at = start
        while at < end, source.bytes[at] != quote { at += 1 }
        guard at < end else {
            throw TagMistake(code: .badArgument, offset: index, reason: "A text is not closed by the quote it began with.")
        }
        index = at + 1
        return source.text(start..<at)
    }

    private func unexpected() -> TagMistake {
        let at = skipping(index)
        var parser = self
        parser.index = at
        return TagMistake(code: .badName, offset: at, reason: "\(parser.here()) is not understood here.")
    }

    /// The letter at hand, for a reason.
    private func here() -> String {
        let at = skipping(index)
        guard at < end, let letter = source.text(at..<min(at + 16, end)).first else { return "The end of the tag" }
        return "`\(letter)`"
    }
}
