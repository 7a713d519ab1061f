import FoundationEssentials

/// A JSON document whose members keep the order in which they were put: what the OpenAPI document is made of.
enum APINode: Equatable, Sendable {
    case text(String)
    case integer(Int64)
    case flag(Bool)
    case list([APINode])
    case map([Member])

    struct Member: Equatable, Sendable {
        var name: String
        var value: APINode
    }

    static func map(_ pairs: KeyValuePairs<String, APINode?>) -> APINode {
        .map(pairs.compactMap { pair in pair.value.map { Member(name: pair.key, value: $0) } })
    }

    static func texts(_ texts: [String]) -> APINode { .list(texts.map { .text($0) }) }

    subscript(name: String) -> APINode? {
        guard case .map(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The same object with more members; of a name that is there already the old value goes.
    func with(_ more: KeyValuePairs<String, APINode?>) -> APINode {
        guard case .map(var members) = self else { return self }
        for (name, value) in more {
            guard let value else { continue }
            members.removeAll { $0.name == name }
            members.append(Member(name: name, value: value))
        }
        return .map(members)
    }

    /// On one line (RFC 8259).
    var json: String {
        switch self {
        case .text(let text): APINode.quoted(text)
        case .integer(let number): String(number)
        case .flag(let flag): flag ? "true" : "false"
        case .list(let list): "[\(list.map(\.json).joined(separator: ","))]"
        case .map(let members): "{\(members.map { "\(APINode.quoted($0.name)):\($0.value.json)" }.joined(separator: ","))}"
        }
    }

    /// As YAML 1.2 for people: a member a line, texts plain where they can be, else in quotes as in JSON, which YAML reads alike.
    var yaml: String {
        var out = ""
        write(&out, "")
        return out
    }

    private func write(_ out: inout String, _ indent: String) {
        switch self {
        case .map(let members):
            for member in members {
                out += "\(indent)\(APINode.plain(member.name)):"
                member.value.follow(&out, indent + "  ")
            }
        case .list(let list):
            for item in list {
                out += "\(indent)-"
                item.follow(&out, indent + "  ")
            }
        case .text, .integer, .flag: out += "\(indent)\(scalar)\n"
        }
    }

    /// Behind `name:` or `-`.
    private func follow(_ out: inout String, _ indent: String) {
        switch self {
        case .map(let members):
            out += members.isEmpty ? " {}\n" : "\n"
            write(&out, indent)
        case .list(let list) where list.allSatisfy { $0.isScalar }:
            out += " [\(list.map(\.scalar).joined(separator: ", "))]\n"
        case .list:
            out += "\n"
            write(&out, indent)
        case .text, .integer, .flag: out += " \(scalar)\n"
        }
    }

    private var isScalar: Bool {
        switch self {
        case .text, .integer, .flag: true
        case .list, .map: false
        }
    }

    private var scalar: String {
        if case .text(let text) = self { return APINode.plain(text) }
        return json
    }

    /// In quotes where YAML would read something else.
    private static func plain(_ text: String) -> String {
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"]
        let isPlain =
            text.utf8.first.map { $0 == 0x24 || $0 == 0x2F || isLetter($0) } ?? false && !words.contains(text.lowercased())
            && text.utf8.last != 0x20 && text.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || "_-/.${} ".utf8.contains($0) }
        return isPlain ? text : quoted(text)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
