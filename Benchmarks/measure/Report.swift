/// One JSON object on one line, its members in the order they were added.
public struct Report {
    private var members: [String] = []

    public init() {}

    public mutating func add(_ name: String, _ value: some BinaryInteger) { members.append("\"\(name)\": \(value)") }

    /// Kept to three decimals.
    public mutating func add(_ name: String, _ value: Double) {
        let rounded = value.isFinite ? (value * 1000).rounded() / 1000 : 0
        members.append("\"\(name)\": \(rounded)")
    }

    /// `word` comes from this program: it needs no escapes.
    public mutating func add(_ name: String, word: String) { members.append("\"\(name)\": \"\(word)\"") }

    public mutating func add(_ name: String, _ object: Report) { members.append("\"\(name)\": \(object.text)") }

    /// Quantiles in milliseconds.
    public mutating func add(_ name: String, _ histogram: Histogram) {
        var inner = Report()
        inner.add("p50", Double(histogram.value(at: 0.5)) / 1e6)
        inner.add("p99", Double(histogram.value(at: 0.99)) / 1e6)
        inner.add("p99.9", Double(histogram.value(at: 0.999)) / 1e6)
        inner.add("max", Double(histogram.largest) / 1e6)
        add(name, inner)
    }

    public var text: String { "{" + members.joined(separator: ", ") + "}" }
}
