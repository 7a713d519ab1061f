/// One metric, declared once beside the code that counts it; `/metrics` and the reference page come from it.
/// Labels come from closed sets only (class, lane, connection, reason), never a number, an id or a text.
public struct Metric: Sendable, Hashable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }
    /// `martlet_<part>_<noun>_<unit>`; counters end in `_total`.
    public var name: String
    public var kind: Kind
    public var labels: [String]
    public var doc: String

    public init(_ name: String, _ kind: Kind, labels: [String] = [], doc: String) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.doc = doc
    }
}
