import FoundationEssentials

/// One request on the control socket, a JSON object on one line.
public struct ControlRequest: Codable, Sendable {
    /// connections, start, stop, hold, release, reload, send, trace, status.
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

    public init(ok: Bool, message: String, rows: [[String]] = []) {
        self.ok = ok
        self.message = message
        self.rows = rows
    }

    public static func done(_ message: String, _ rows: [[String]] = []) -> ControlAnswer {
        ControlAnswer(ok: true, message: message, rows: rows)
    }
    public static func failed(_ message: String) -> ControlAnswer { ControlAnswer(ok: false, message: message) }
}
