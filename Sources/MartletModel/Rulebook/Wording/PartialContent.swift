/// A text that others put in with `{{>key}}`: a footer, a greeting. An object of kind `partial`.
public struct PartialContent: Equatable, Sendable {
    public var key: String
    /// By language, one piece each.
    public var texts: [WordingText]

    public init(key: String, texts: [WordingText]) {
        self.key = key
        self.texts = texts
    }

    /// As findings name it.
    public var name: String { "\(RulebookKind.partial.rawValue)/\(key)" }

    /// `{"texts": {"en": "...", "uk": "..."}}`.
    static func read(_ object: RulebookObject, _ findings: inout [RulebookFinding]) -> PartialContent {
        let reading = DocumentReading(object.content, at: object.name)
        reading.allow(["texts", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        return PartialContent(key: object.key, texts: WordingText.read(reading, .line, &findings))
    }
}
