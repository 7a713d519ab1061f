/// Texts of one event in the place of those of the template that it shares with others: an object of kind `override`. The template stays as
/// it is, and languages that the override does not have are the template's.
public struct OverrideContent: Equatable, Sendable {
    /// Event and channel: `card_payment.sms`.
    public var key: String
    public var version: Int64
    /// Place in the rules' events.
    public var event: Int
    public var channel: ChannelKind
    /// Version of the template that it was written over.
    public var basedOn: Int64
    /// Of a short message; nil: the template's.
    public var sender: String?
    public var texts: [WordingText]

    public init(
        key: String, version: Int64 = 0, event: Int, channel: ChannelKind, basedOn: Int64, sender: String? = nil, texts: [WordingText]
    ) {
        self.key = key
        self.version = version
        self.event = event
        self.channel = channel
        self.basedOn = basedOn
        self.sender = sender
        self.texts = texts
    }

    /// As findings name it.
    public var name: String { "\(RulebookKind.override.rawValue)/\(key)" }

    /// `{"basedOn": 3, "texts": {"uk": "..."}}`, texts as those of the template.
    /// - Returns: nil, with a finding: nothing says what it overrides.
    static func read(
        _ object: RulebookObject, _ events: [String: Int], _ rules: DecisionRules, _ templates: [String: TemplateContent],
        _ findings: inout [RulebookFinding]
    ) -> OverrideContent? {
        let reading = DocumentReading(object.content, at: object.name)
        guard case .object = reading.value else {
            reading.allow([], &findings)
            return nil
        }
        guard let (key, channel) = parts(of: object.key) else {
            reading.error(
                nil, "its key does not say of which event and channel it is", remedy: "call it as card_payment.sms", &findings)
            return nil
        }
        guard let event = events[key] else {
            reading.error(nil, "there is no event/\(key)", remedy: "write it, or take the override out", &findings)
            return nil
        }
        guard let used = rules.events[event].templates[channel] else {
            reading.error(
                nil, "event/\(key) has no template for \(channel.word)", remedy: "name one in the event, or take the override out",
                &findings)
            return nil
        }
        let template = templates["\(channel.word).\(used)"]
        reading.allow(channel == .sms ? ["basedOn", "sender", "texts", "note"] : ["basedOn", "texts", "note"], &findings)
        _ = reading.optionalText("note", maximumBytes: 200, &findings)
        let basedOn = reading.integer("basedOn", in: 1...JSONValue.integers.upperBound, &findings) ?? 0
        // Of objects in files no version is known.
        if basedOn > 0, let template, template.version > 0, template.version != basedOn {
            reading.warning(
                "basedOn", "it was written over version \(basedOn) of \(template.name), which is at version \(template.version)",
                remedy: "see what differs between the two, then write \(template.version)", &findings)
        }
        return OverrideContent(
            key: object.key, version: object.version, event: event, channel: channel, basedOn: basedOn,
            sender: channel == .sms ? TemplateContent.sender(reading, &findings) : nil,
            texts: WordingText.read(reading, WordingForm(channel, isRich: template?.isRich ?? true), &findings))
    }

    /// Event and channel in the key of an override; nil: it says none. Keys of events may have points, words of channels have none.
    public static func parts(of key: String) -> (event: String, channel: ChannelKind)? {
        guard let point = key.lastIndex(of: "."), point != key.startIndex,
            let channel = ChannelKind.allCases.first(where: { $0.word == key[key.index(after: point)...] })
        else { return nil }
        return (String(key[..<point]), channel)
    }
}
