/// Reads single lines of Swift, as far as the tests here need it.
enum SourceLine {
    /// Module named by an import line; nil for any other line. Attributes, access levels and the kind of a single imported
    /// name are stepped over: `@preconcurrency public import struct A.B` is `A`.
    static func importedModule(_ line: some StringProtocol) -> String? {
        var words = withoutComment(line).split(whereSeparator: \.isWhitespace)[...]
        while let word = words.first, word.hasPrefix("@") || accessLevels.contains(String(word)) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        if let word = words.first, kinds.contains(String(word)) { words.removeFirst() }
        guard let path = words.first else { return nil }
        return path.split(separator: ".").first.map(String.init)
    }

    /// The line up to `//`. A `//` inside a string ends it too, which hides nothing that the tests look for.
    static func withoutComment(_ line: some StringProtocol) -> Substring {
        let text = Substring(line)
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            if text[index] == "/", next < text.endIndex, text[next] == "/" { return text[..<index] }
            index = next
        }
        return text
    }

    private static let accessLevels: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
}
