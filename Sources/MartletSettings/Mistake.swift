/// Where a value stands.
public enum Mark: Hashable, Sendable {
    /// In the settings file; both count from 1, the column in Unicode scalars.
    case line(Int, column: Int)
    /// In an environment variable of this name.
    case environment(String)

    public static let start = Mark.line(1, column: 1)
}

extension Mark: Comparable {
    /// Lines in their order, then variables by name.
    public static func < (a: Mark, b: Mark) -> Bool {
        switch (a, b) {
        case (.line(let lineA, let columnA), .line(let lineB, let columnB)): (lineA, columnA) < (lineB, columnB)
        case (.line, .environment): true
        case (.environment, .line): false
        case (.environment(let a), .environment(let b)): a < b
        }
    }
}

/// One mistake in the settings: where, at which setting, what is wrong and what to do about it.
public struct Mistake: Error, Hashable, Sendable {
    public var mark: Mark
    /// Dotted path with positions in lists, counted from 0: `connections[1].window`. Empty for the file as a whole.
    public var path: String
    public var problem: String
    public var remedy: String

    public init(at mark: Mark, _ path: String, _ problem: String, remedy: String) {
        self.mark = mark
        self.path = path
        self.problem = problem
        self.remedy = remedy
    }

    /// One line: `config/martlet.yaml:12:5: http.listen: "x" is no address; write host:port, for example 127.0.0.1:8080`.
    public func text(file: String) -> String {
        let place =
            switch mark {
            case .line(let line, let column): "\(file):\(line):\(column)"
            case .environment(let name): "environment \(name)"
            }
        return "\(place): \(sentence)"
    }

    private var sentence: String { "\(path.isEmpty ? "" : "\(path): ")\(problem); \(remedy)" }
}

extension Mistake: CustomStringConvertible {
    public var description: String {
        switch mark {
        case .line(let line, let column): "line \(line), column \(column): \(sentence)"
        case .environment(let name): "environment \(name): \(sentence)"
        }
    }
}

/// A value as a mistake may show it: at most 40 characters, on one line, in quotes.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(41).map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : String($0) }
    return "\"" + (shown.count > 40 ? shown.prefix(40).joined() + "..." : shown.joined()) + "\""
}
