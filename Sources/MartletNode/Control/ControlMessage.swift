import FoundationEssentials

/// One request on the control socket, a JSON object on one line.
public struct ControlRequest: Codable, Sendable {
    /// As the commands: connections, start, stop, hold, release, drain, reload, sources, rulebook, send, trace, status; for classes hold-class
    /// and release-class; for what waits queue, purge, move; of the desk customers, customers-apply.
    public var verb: String
    /// Names what the verb acts on: a connection, a lane, an id.
    public var name: String?
    public var fields: [String: String]?

    public init(verb: String, name: String? = nil, fields: [String: String]? = nil) {
        self.verb = verb
        self.name = name
        self.fields = fields
    }
}

/// Its answer, likewise.
public struct ControlAnswer: Codable, Sendable {
    public var ok: Bool
    public var message: String
    /// Table for people: the first row holds the headings.
    public var rows: [[String]]
    /// True on a line of progress: the answer is still to come.
    public var more: Bool?

    public init(ok: Bool, message: String, rows: [[String]] = [], more: Bool? = nil) {
        self.ok = ok
        self.message = message
        self.rows = rows
        self.more = more
    }

    public static func done(_ message: String, _ rows: [[String]] = []) -> ControlAnswer {
        ControlAnswer(ok: true, message: message, rows: rows)
    }
    public static func progress(_ message: String) -> ControlAnswer { ControlAnswer(ok: true, message: message, more: true) }
    public static func failed(_ message: String) -> ControlAnswer { ControlAnswer(ok: false, message: message) }
}
