/// One error a caller can meet, declared once beside the code that raises it. HTTP answers, the command line and the
/// reference page come from it.
public struct ErrorCode: Sendable, Hashable {
    /// Stable word, as in `errors[].code` of a problem and in the fragment of its `type`.
    public var code: String
    /// HTTP status; 0 for those that never leave by HTTP.
    public var status: Int
    public var title: String
    /// What the caller can do about it.
    public var remedy: String

    public init(_ code: String, status: Int, title: String, remedy: String) {
        self.code = code
        self.status = status
        self.title = title
        self.remedy = remedy
    }
}
