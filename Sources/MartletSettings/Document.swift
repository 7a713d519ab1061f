import Yams

/// A settings file as a tree of its own words, each with the place where it stands.
indirect enum Tree {
    case scalar(String, isPlain: Bool, Mark)
    case list([Tree], Mark)
    case section([Member], Mark)

    struct Member {
        var name: String
        var mark: Mark
        var value: Tree
    }

    var mark: Mark {
        switch self {
        case .scalar(_, _, let mark), .list(_, let mark), .section(_, let mark): mark
        }
    }

    /// `key:` with nothing behind it, `~` or `null`.
    var isNothing: Bool {
        if case .scalar(let text, let isPlain, _) = self { isPlain && ["", "~", "null"].contains(text) } else { false }
    }
}

/// Reads YAML into a tree. Nil for an empty file, and after a mistake that leaves nothing to read.
struct Document {
    private(set) var mistakes: [Mistake] = []
    /// Keys that were renamed so that the reader goes on past a duplicate, with what stands in the file.
    private var renamed: [String: String] = [:]

    /// Duplicates found before reading gives up.
    private static let maximumDuplicates = 20

    static func read(_ text: String) -> (tree: Tree?, mistakes: [Mistake]) {
        if let mistake = Bounds.mistake(in: text) { return (nil, [mistake]) }
        var document = Document()
        let tree = document.parse(text)
        return (tree, document.mistakes)
    }

    private mutating func parse(_ original: String) -> Tree? {
        var text = original
        for _ in 0..<Document.maximumDuplicates {
            do {
                // The basic resolver leaves every scalar the text it is; what it means is the setting's to say.
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                // Nodes know their anchors only while the parser lives.
                return try withExtendedLifetime(parser) { try parser.singleRoot().flatMap { tree(of: $0, depth: 1) } }
            } catch let error as YamlError {
                if case .duplicatedKeysInMapping(let keys, let context) = error, let key = keys.first,
                    let next = renaming(key, at: context.mark, in: text)
                {
                    text = next
                    continue
                }
                mistakes.append(Document.mistake(of: error, in: text))
                return nil
            } catch {
                mistakes.append(Mistake(at: .start, "", "the file cannot be read as YAML (\(error))", remedy: "correct its form"))
                return nil
            }
        }
        mistakes.append(
            Mistake(at: .start, "", "more than \(Document.maximumDuplicates) keys stand twice", remedy: "keep one of each"))
        return nil
    }

    // MARK: Duplicate keys

    /// The reader stops at a key that stands twice. To find all mistakes at once, its first letter is replaced in the text read, by one
    /// that the text does not hold and that takes the same place; `tree` turns it back. Nil when the key is not written as it reads.
    private mutating func renaming(_ key: String, at mark: Yams.Mark, in text: String) -> String? {
        guard var index = Document.index(line: mark.line, column: mark.column, in: text), !key.isEmpty else { return nil }
        var scalars = text.unicodeScalars
        if index < scalars.endIndex, scalars[index] == "\"" || scalars[index] == "'" { index = scalars.index(after: index) }
        guard String(scalars[index...].prefix(key.unicodeScalars.count)) == key else { return nil }
        // Private use area: no key needs a letter of it.
        guard let letter = Unicode.Scalar(0xE000 + UInt32(renamed.count)), !scalars.contains(letter) else { return nil }
        scalars.replaceSubrange(index..<scalars.index(after: index), with: CollectionOfOne(letter))
        renamed[String(letter) + String(key.unicodeScalars.dropFirst())] = key
        return String(scalars)
    }

    /// Place of a line and column as libYAML counts them: in scalars, with all of YAML 1.1's line breaks.
    private static func index(line: Int, column: Int, in text: String) -> String.UnicodeScalarView.Index? {
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        var current = 1
        while current < line, index < scalars.endIndex {
            let scalar = scalars[index]
            index = scalars.index(after: index)
            switch scalar {
            case "\r":
                if index < scalars.endIndex, scalars[index] == "\n" { index = scalars.index(after: index) }
                current += 1
            case "\n", "\u{85}", "\u{2028}", "\u{2029}": current += 1
            default: break
            }
        }
        return scalars.index(index, offsetBy: column - 1, limitedBy: scalars.endIndex)
    }

    // MARK: Nodes

    private mutating func tree(of node: Node, depth: Int) -> Tree? {
        let mark = node.mark.map { Mark.line($0.line, column: $0.column) } ?? .start
        guard depth <= Bounds.maximumDepth else {
            mistakes.append(
                Mistake(at: mark, "", "values are nested deeper than \(Bounds.maximumDepth)", remedy: "correct the indentation"))
            return nil
        }
        if node.anchor != nil {
            mistakes.append(Mistake(at: mark, "", "anchors (&) and aliases (*) are not read", remedy: "write the values out"))
            return nil
        }
        switch node {
        case .scalar(let scalar):
            guard isUntagged(node, Tag.Name.str, mark) else { return nil }
            return .scalar(scalar.string, isPlain: scalar.style == .plain, mark)
        case .sequence(let sequence):
            guard isUntagged(node, Tag.Name.seq, mark) else { return nil }
            var items: [Tree] = []
            for item in sequence {
                if let item = tree(of: item, depth: depth + 1) { items.append(item) }
            }
            return .list(items, mark)
        case .mapping(let mapping):
            guard isUntagged(node, Tag.Name.map, mark) else { return nil }
            return .section(members(of: mapping, depth: depth), mark)
        case .alias:
            return nil
        }
    }

    private mutating func members(of mapping: Node.Mapping, depth: Int) -> [Tree.Member] {
        var members: [Tree.Member] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            guard case .scalar(let name, _, let mark)? = tree(of: key, depth: depth + 1) else {
                if key.scalar == nil, let mark = key.mark {
                    mistakes.append(
                        Mistake(at: .line(mark.line, column: mark.column), "", "a key is not a word", remedy: "write `name: value`"))
                }
                continue
            }
            let known = renamed[name] ?? name
            if known == "<<" {
                mistakes.append(Mistake(at: mark, "", "merge keys (<<) are not read", remedy: "write the values out"))
                continue
            }
            if let first = lines[known] {
                mistakes.append(Mistake(at: mark, "", "\(quoted(known)) stands twice, first in line \(first)", remedy: "keep one of them"))
                continue
            }
            if case .line(let line, _) = mark { lines[known] = line }
            if let value = tree(of: value, depth: depth + 1) { members.append(Tree.Member(name: known, mark: mark, value: value)) }
        }
        return members
    }

    private mutating func isUntagged(_ node: Node, _ expected: Tag.Name, _ mark: Mark) -> Bool {
        let tag = node.tag.description
        if tag == expected.rawValue { return true }
        mistakes.append(Mistake(at: mark, "", "the tag \(quoted(tag)) is not read", remedy: "write the value without a tag"))
        return false
    }

    // MARK: Errors of the reader

    private static func mistake(of error: YamlError, in text: String) -> Mistake {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let begun = context.map { ", \($0.text) begun in line \($0.mark.line)" } ?? ""
            return Mistake(
                at: .line(mark.line, column: mark.column), "", "not valid YAML: \(problem)\(begun)", remedy: remedy(for: problem))
        case .reader(let problem, let offset, _, _):
            return Mistake(at: mark(atCharacter: offset, in: text), "", "not valid YAML: \(problem)", remedy: "save the file as UTF-8")
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.map(quoted).joined(separator: ", ")
            return Mistake(
                at: .line(context.mark.line, column: context.mark.column), "", "\(names) stands twice", remedy: "keep one of them")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return Mistake(at: .start, "", "the file cannot be read as YAML", remedy: "correct its form")
        }
    }

    private static func mark(atCharacter offset: Int?, in text: String) -> Mark {
        guard let offset else { return .start }
        let before = text.prefix(offset)
        let line = before.count(where: \.isNewline) + 1
        let column = before.reversed().prefix { !$0.isNewline }.count + 1
        return .line(line, column: column)
    }

    private static func remedy(for problem: String) -> String {
        if problem.contains("mapping values are not allowed") { return "put a value that holds `: ` in quotes, or correct the indentation" }
        if problem.contains("cannot start any token") { return "indent with spaces, not tabs, and put the value in quotes" }
        if problem.contains("undefined alias") { return "anchors and aliases are not read; put a value that begins with * in quotes" }
        if problem.contains("another document") { return "keep one document; remove the line `---` and what follows" }
        return "look at the indentation, quotes and brackets of this line and the one above"
    }
}
