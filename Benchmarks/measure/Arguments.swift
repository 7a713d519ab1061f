import Glibc

/// `--name value` pairs of the command line. A name that was never asked for is a mistake and ends the program.
public struct Arguments {
    private var values: [String: String] = [:]
    private let usage: String

    public init(usage: String) {
        self.usage = usage
        var words = CommandLine.arguments.dropFirst()
        while let word = words.popFirst() {
            guard word.hasPrefix("--"), let value = words.popFirst() else { stop("cannot read '\(word)'") }
            values[String(word.dropFirst(2))] = value
        }
    }

    public mutating func text(_ name: String, default fallback: String? = nil) -> String {
        guard let value = values.removeValue(forKey: name) ?? fallback else { stop("--\(name) is missing") }
        return value
    }

    public mutating func number<N: LosslessStringConvertible & Comparable>(
        _ name: String, in range: ClosedRange<N>, default fallback: N
    ) -> N {
        guard let word = values.removeValue(forKey: name) else { return fallback }
        guard let value = N(word), range.contains(value) else {
            stop("--\(name) must be \(range.lowerBound)...\(range.upperBound), not '\(word)'")
        }
        return value
    }

    /// Call after the last option was read.
    public func finish() {
        if let name = values.keys.min() { stop("unknown option --\(name)") }
    }

    /// Says what is wrong and how it is meant; exit status 2.
    public func stop(_ why: String) -> Never {
        complain("\(why)\n\(usage)")
        exit(2)
    }
}
