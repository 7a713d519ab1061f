/// One setting, declared once beside the code that uses it. The loader, `martlet check`, the sample file and the reference page
/// all come from this value.
public struct Setting: Sendable {
    /// Dotted path in the settings file; `[]` stands for each element of a list: `connections[].window`.
    public var path: String
    public var kind: Kind
    /// Text of the default as it would stand in the file; nil: required.
    public var fallback: String?
    /// What it does, with unit and range in words.
    public var doc: String
    public var reload: Reload

    public enum Kind: Sendable, Equatable {
        case text(maximumBytes: Int)
        case secret
        case integer(ClosedRange<Int>)
        /// Written with its unit: `250ms`, `30s`, `5m`, `24h`, `7d`. Range in milliseconds.
        case duration(ClosedRange<Int64>)
        /// Written with its unit: `64MiB`, `1GiB`. Range in bytes.
        case size(ClosedRange<Int>)
        case flag
        case choice([String])
        /// `host:port` or `[v6]:port`.
        case address
        case file
        case list(of: String)
    }

    public enum Reload: String, Sendable {
        /// Applied by `martlet connection reload`.
        case live
        /// Applied at the next start.
        case restart
    }

    public init(_ path: String, _ kind: Kind, default fallback: String?, reload: Reload = .restart, doc: String) {
        self.path = path
        self.kind = kind
        self.fallback = fallback
        self.reload = reload
        self.doc = doc
    }
}
