/// What customers read over one channel when something happened, in the languages of the bank: an object of kind `template`. Any
/// number of events may use it.
public struct TemplateContent: Equatable, Sendable {
    /// Begins with its channel: `sms.card-payment`. Events name it without.
    public var key: String
    public var version: Int64
    public var channel: ChannelKind
    /// The language of customers in whose own there is no text.
    public var standard: String
    /// Whom a short message comes from; nil: whom the source says.
    public var sender: String?
    /// Of a short message: how many parts it has at most as long as `fit` can make it shorter; nil: as many as the node sends.
    public var parts: Int?
    /// By language.
    public var texts: [WordingText]
    /// Of a push: with picture, markup, buttons.
    public var isRich: Bool

    public init(
        key: String, version: Int64 = 0, channel: ChannelKind, standard: String, sender: String? = nil, parts: Int? = nil,
        texts: [WordingText], isRich: Bool = false
    ) {
        self.key = key
        self.version = version
        self.channel = channel
        self.standard = standard
        self.sender = sender
        self.parts = parts
        self.texts = texts
        self.isRich = isRich
    }

    /// As findings name it.
    public var name: String { "\(RulebookKind.template.rawValue)/\(key)" }

    /// `{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "...", "uk": "..."}}`;
    /// [the guide](docs/guides/events.md) has the texts of the other channels.
    /// - Returns: nil, with a finding: it is of no channel.
    static func read(_ object: RulebookObject, _ findings: inout [RulebookFinding]) -> TemplateContent? {
        let reading = DocumentReading(object.content, at: object.name)
        guard case .object = reading.value else {
            reading.allow([], &findings)
            return nil
        }
        guard let channel = reading.word("channel", of: ChannelKind.words, &findings) else { return nil }
        let own: Set<String> =
            switch channel {
            case .sms: ["sender", "parts"]
            case .push: ["form"]
            case .email, .messenger, .voice, .pass: []
            }
        reading.allow(own.union(["channel", "standard", "texts", "note"]), &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let (prefix, rest) = TemplateContent.parts(of: object.key)
        if prefix != channel.word || rest.isEmpty {
            reading.error(
                "channel", "the key of a template begins with its channel",
                remedy: "call it \(channel.word).\(rest.isEmpty ? object.key : rest)", &findings)
        }
        var template = TemplateContent(key: object.key, version: object.version, channel: channel, standard: "", texts: [])
        if channel == .push {
            template.isRich = reading.word("form", of: [("basic", false), ("rich", true)], &findings) ?? true
        }
        if channel == .sms {
            template.sender = sender(reading, &findings)
            template.parts = reading.optionalInteger("parts", in: 1...10, &findings).map { Int($0) }
        }
        template.texts = WordingText.read(reading, WordingForm(channel, isRich: template.isRich), &findings)
        template.standard = reading.text("standard", maximumBytes: 5, &findings) ?? ""
        if !template.standard.isEmpty, !template.texts.isEmpty, !template.texts.contains(where: { $0.locale == template.standard }) {
            reading.error("standard", "there is no text in this language", remedy: "write it, or name a language that has one", &findings)
        }
        return template
    }

    static func sender(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> String? {
        guard reading.field("sender") != nil, let sender = reading.optionalText("sender", maximumBytes: 64, &findings) else { return nil }
        guard MessageShape.isSender(sender) else {
            reading.error(
                "sender", "it is no sender of short messages", remedy: "write 1 to 11 letters and digits, or up to 15 digits", &findings)
            return nil
        }
        return sender
    }

    /// What stands before the first point of a key, and behind it.
    static func parts(of key: String) -> (first: String, rest: String) {
        let parts = key.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : "")
    }
}
