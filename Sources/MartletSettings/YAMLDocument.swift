public import MartletModel

/// YAML that people write beside the settings, such as files of the rulebook, as the JSON it stands for.
public enum YAMLDocument {
    /// Plain `true`, `false`, `null` and whole numbers are what they say, everything else is a text. A plain fraction is a mistake: Martlet's
    /// documents have whole numbers, and a text would be a guess.
    /// - Returns: nil for an empty file, and after a mistake that leaves nothing to read.
    public static func read(_ text: String) -> (value: JSONValue?, mistakes: [Mistake]) {
        let (tree, found) = Document.read(text)
        var mistakes = found
        guard let tree else { return (nil, mistakes) }
        let read = value(of: tree, "", &mistakes)
        return (read, mistakes)
    }

    private static func value(of tree: Tree, _ path: String, _ mistakes: inout [Mistake]) -> JSONValue {
        switch tree {
        case .section(let members, _):
            var object: [String: JSONValue] = [:]
            for member in members {
                object[member.name] = value(of: member.value, path.isEmpty ? member.name : "\(path).\(member.name)", &mistakes)
            }
            return .object(object)
        case .list(let elements, _):
            var list: [JSONValue] = []
            for (index, element) in elements.enumerated() { list.append(value(of: element, "\(path)[\(index)]", &mistakes)) }
            return .list(list)
        case .scalar(let text, let isPlain, let mark):
            guard isPlain else { return .text(text) }
            switch text {
            case "", "~", "null": return .null
            case "true": return .flag(true)
            case "false": return .flag(false)
            default: break
            }
            if let number = Int64(text), JSONValue.integers.contains(number), text.first != "+" { return .integer(number) }
            if Double(text) != nil {
                mistakes.append(Mistake(at: mark, path, "numbers are whole, below 2^53", remedy: "write it in quotes, as a text"))
            }
            return .text(text)
        }
    }
}
