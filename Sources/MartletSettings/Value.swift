import Glibc
import MartletModel

/// A value as it is kept once it was read.
enum Value: Equatable, Sendable {
    case text(String)
    case integer(Int)
    case milliseconds(Int64)
    case bytes(Int)
    case flag(Bool)
    case address(host: String, port: Int)
    case list([String])
}

/// What is wrong with one value.
struct Wrong: Error, Equatable {
    var problem: String
    var remedy: String
}

extension Setting.Kind {
    /// Values a list may hold.
    static let maximumListCount = 1000
    static let maximumPathBytes = 4096

    /// Reads one scalar. Not for lists.
    func read(_ text: String) throws(Wrong) -> Value {
        switch self {
        case .text(let maximum): .text(try plain(text, maximumBytes: maximum))
        case .secret, .file: .text(try path(text))
        case .integer(let range): .integer(try integer(text, range))
        case .duration(let range): .milliseconds(try duration(text, range))
        case .size(let range): .bytes(try size(text, range))
        case .flag: .flag(try flag(text))
        case .choice(let words): .text(try choice(text, words))
        case .address: try address(text)
        case .list: .list([try listed(text)])
        }
    }

    /// One value of a list.
    func listed(_ text: String) throws(Wrong) -> String {
        guard !text.isEmpty else { throw Wrong(problem: "holds an empty value", remedy: "remove it") }
        return try plain(text, maximumBytes: 256)
    }

    private func plain(_ text: String, maximumBytes: Int) throws(Wrong) -> String {
        guard text.utf8.count <= maximumBytes else {
            throw Wrong(problem: "has \(text.utf8.count) bytes", remedy: "write at most \(maximumBytes)")
        }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw Wrong(problem: "holds a control character", remedy: "write it on one line, without tabs")
        }
        return text
    }

    /// The value is not shown: someone may have written the secret itself.
    private func path(_ text: String) throws(Wrong) -> String {
        guard !text.isEmpty else { throw Wrong(problem: "is empty", remedy: "write the path of a file") }
        return try plain(text, maximumBytes: Setting.Kind.maximumPathBytes)
    }

    private func integer(_ text: String, _ range: ClosedRange<Int>) throws(Wrong) -> Int {
        let remedy = "write a whole number, \(rangeText)"
        let digits = text.hasPrefix("-") ? text.dropFirst() : Substring(text)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw Wrong(problem: "\(quoted(text)) is not a whole number", remedy: remedy)
        }
        guard let value = Int(text), range.contains(value) else { throw Wrong(problem: "\(quoted(text)) is out of range", remedy: remedy) }
        return value
    }

    private func duration(_ text: String, _ range: ClosedRange<Int64>) throws(Wrong) -> Int64 {
        let remedy = "write a whole number and ms, s, m, h or d, \(rangeText), for example \(Unit.duration(range.lowerBound))"
        let value = try measured(text, Unit.durations, remedy, noun: "duration")
        guard range.contains(value) else { throw Wrong(problem: "\(quoted(text)) is out of range", remedy: remedy) }
        return value
    }

    private func size(_ text: String, _ range: ClosedRange<Int>) throws(Wrong) -> Int {
        let remedy = "write a whole number and B, KiB, MiB, GiB or TiB, \(rangeText), for example \(Unit.size(range.lowerBound))"
        let value = try measured(text, Unit.sizes, remedy, noun: "size")
        guard let bytes = Int(exactly: value), range.contains(bytes) else {
            throw Wrong(problem: "\(quoted(text)) is out of range", remedy: remedy)
        }
        return bytes
    }

    /// Digits and a unit, nothing between or around them.
    private func measured(_ text: String, _ units: [Unit], _ remedy: String, noun: String) throws(Wrong) -> Int64 {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let name = text[digits.endIndex...]
        guard !digits.isEmpty else { throw Wrong(problem: "\(quoted(text)) is not a \(noun)", remedy: remedy) }
        guard !name.isEmpty else { throw Wrong(problem: "\(quoted(text)) has no unit", remedy: remedy) }
        guard let unit = units.first(where: { $0.name == name }) else {
            throw Wrong(problem: "\(quoted(text)) has the unknown unit \(quoted(String(name)))", remedy: remedy)
        }
        guard let count = Int64(digits) else { throw Wrong(problem: "\(quoted(text)) is out of range", remedy: remedy) }
        let (value, overflow) = count.multipliedReportingOverflow(by: unit.length)
        guard !overflow else { throw Wrong(problem: "\(quoted(text)) is out of range", remedy: remedy) }
        return value
    }

    private func flag(_ text: String) throws(Wrong) -> Bool {
        switch text {
        case "true": true
        case "false": false
        default: throw Wrong(problem: "\(quoted(text)) is neither true nor false", remedy: "write true or false")
        }
    }

    private func choice(_ text: String, _ words: [String]) throws(Wrong) -> String {
        if words.contains(text) { return text }
        let meant = nearest(to: text, among: words).map { "did you mean \($0)? " } ?? ""
        throw Wrong(problem: "\(quoted(text)) is not one of its values", remedy: "\(meant)write one of: \(words.joined(separator: ", "))")
    }

    private func address(_ text: String) throws(Wrong) -> Value {
        let remedy = "write host:port, for example 127.0.0.1:8080 or [::1]:8080"
        guard let colon = text.lastIndex(of: ":") else { throw Wrong(problem: "\(quoted(text)) has no port", remedy: remedy) }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            var raw = in6_addr()
            guard inet_pton(AF_INET6, host, &raw) == 1 else { throw Wrong(problem: "\(quoted(text)) has no IPv6 address", remedy: remedy) }
        } else if host.contains(":") {
            throw Wrong(problem: "\(quoted(text)) has an IPv6 address without brackets", remedy: remedy)
        } else {
            let isName = host.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46 || $0 == 95
            }
            guard !host.isEmpty, host.utf8.count <= 253, isName else { throw Wrong(problem: "\(quoted(text)) has no host", remedy: remedy) }
        }
        guard !digits.isEmpty, digits.utf8.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            port <= 65_535
        else { throw Wrong(problem: "\(quoted(text)) has no port from 0 to 65535", remedy: remedy) }
        return .address(host: host, port: port)
    }
}

/// A unit of time or size.
struct Unit {
    var name: String
    var length: Int64

    static let durations = [
        Unit(name: "d", length: 86_400_000), Unit(name: "h", length: 3_600_000), Unit(name: "m", length: 60_000),
        Unit(name: "s", length: 1000),
        Unit(name: "ms", length: 1),
    ]
    static let sizes = [
        Unit(name: "TiB", length: 1 << 40), Unit(name: "GiB", length: 1 << 30), Unit(name: "MiB", length: 1 << 20),
        Unit(name: "KiB", length: 1 << 10), Unit(name: "B", length: 1),
    ]

    /// In the largest unit that leaves a whole number: `90s`, `24h`. Milliseconds.
    static func duration(_ milliseconds: Int64) -> String { text(milliseconds, durations, zero: "0ms") }
    /// `64MiB`. Bytes.
    static func size(_ bytes: Int) -> String { text(Int64(bytes), sizes, zero: "0B") }

    private static func text(_ value: Int64, _ units: [Unit], zero: String) -> String {
        for unit in units where value != 0 && value % unit.length == 0 { return "\(value / unit.length)\(unit.name)" }
        return zero
    }
}

extension Setting.Kind {
    /// `1 to 1000`, `1s to 1h`; empty for kinds without a range.
    var rangeText: String {
        switch self {
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .duration(let range): "\(Unit.duration(range.lowerBound)) to \(Unit.duration(range.upperBound))"
        case .size(let range): "\(Unit.size(range.lowerBound)) to \(Unit.size(range.upperBound))"
        case .text, .secret, .flag, .choice, .address, .file, .list: ""
        }
    }

    /// What may be written, in words: for the reference page and the sample file.
    var words: String {
        switch self {
        case .text(let maximum): "text, at most \(maximum) bytes"
        case .secret: "path of a file that holds the secret, mode 0600"
        case .integer: "number, \(rangeText)"
        case .duration: "duration, \(rangeText)"
        case .size: "size, \(rangeText)"
        case .flag: "true or false"
        case .choice(let words): "one of \(words.joined(separator: ", "))"
        case .address: "host:port"
        case .file: "path of a file"
        case .list(let noun): "list, each a \(noun)"
        }
    }

    /// Stands for a value that was refused or is not set.
    var zero: Value {
        switch self {
        case .text, .secret, .choice, .file: .text("")
        case .integer(let range): .integer(range.lowerBound)
        case .duration(let range): .milliseconds(range.lowerBound)
        case .size(let range): .bytes(range.lowerBound)
        case .flag: .flag(false)
        case .address: .address(host: "", port: 0)
        case .list: .list([])
        }
    }
}
