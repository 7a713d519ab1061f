/// All texts of one message in one language.
public struct WordingText: Equatable, Sendable {
    /// As BCP 47 has it, a language and perhaps a country: `uk`, `en-GB`.
    public var locale: String
    /// In the order in which they are shown.
    public var pieces: [Piece]

    /// One text, in the notation of templates.
    public struct Piece: Equatable, Sendable {
        public var place: WordingPlace
        /// As its form has it: `title`, `buttons[0].label`; of a message that is one text, `text`.
        public var name: String
        public var text: String
        /// Where it stands: `template/push.card-payment$.texts.uk.title`.
        public var path: String

        public init(place: WordingPlace, name: String = "text", text: String, path: String) {
            self.place = place
            self.name = name
            self.text = text
            self.path = path
        }
    }

    public init(locale: String, pieces: [Piece]) {
        self.locale = locale
        self.pieces = pieces
    }

    /// Bytes of one text before anything is filled in.
    public static let longest = 100_000
    public static let mostLocales = 64
    public static let mostButtons = 3
    public static let mostFields = 64
}

/// What texts a message of a channel has.
enum WordingForm: Equatable {
    /// Short messages, and partials: one text a language.
    case line
    case basicPush, richPush, mail, messenger, voice, pass

    init(_ channel: ChannelKind, isRich: Bool) {
        self =
            switch channel {
            case .sms: .line
            case .push: isRich ? .richPush : .basicPush
            case .email: .mail
            case .messenger: .messenger
            case .voice: .voice
            case .pass: .pass
            }
    }

    struct Field {
        var name: String
        var place: WordingPlace
        var isNeeded: Bool

        init(_ name: String, _ place: WordingPlace, isNeeded: Bool = true) {
            (self.name, self.place, self.isNeeded) = (name, place, isNeeded)
        }
    }

    /// Those that are one text each.
    var fields: [Field] {
        switch self {
        case .line, .pass: []
        case .basicPush: [Field("title", .lockedScreen), Field("preview", .lockedScreen), Field("body", .message)]
        case .richPush:
            [
                Field("title", .lockedScreen), Field("preview", .lockedScreen), Field("body", .markup), Field("fallback", .message),
                Field("image", .image, isNeeded: false), Field("link", .link, isNeeded: false),
            ]
        case .mail: [Field("subject", .lockedScreen), Field("text", .letter), Field("html", .html, isNeeded: false)]
        case .messenger: [Field("text", .message)]
        case .voice: [Field("speech", .message)]
        }
    }

    var hasButtons: Bool { self == .richPush || self == .messenger }
}

extension WordingText {
    /// The field `texts`: a language each, `{"en": "...", "uk": "..."}` or with objects in the place of texts, as the form has it.
    static func read(_ reading: DocumentReading, _ form: WordingForm, _ findings: inout [RulebookFinding]) -> [WordingText] {
        guard case .object = reading.value else { return [] }
        guard let texts = reading.object("texts") else {
            reading.error("texts", "it is missing", remedy: "write a text for each language, such as {\"en\": ...}", &findings)
            return []
        }
        guard case .object(let fields) = texts.value else {
            texts.error(nil, "it is \(texts.value.kind), not an object", remedy: "write {...}", &findings)
            return []
        }
        if fields.isEmpty { texts.error(nil, "there is no text", remedy: "write one for each language of your customers", &findings) }
        if fields.count > mostLocales {
            texts.error(nil, "\(fields.count) languages; \(mostLocales) are the most", remedy: "leave those that customers have", &findings)
        }
        var found: [WordingText] = []
        for locale in fields.keys.sorted().prefix(mostLocales) {
            guard !locale.isEmpty, CustomerLocale(locale) != nil else {
                texts.error(nil, "one of its fields is no language", remedy: "write uk, or uk-UA for a country's own text", &findings)
                continue
            }
            guard let text = texts.object(locale) else {
                texts.error(locale, "it is null", remedy: "write the text, or take the language out", &findings)
                continue
            }
            let pieces = form.pieces(text, &findings).map { piece in
                var piece = piece
                let name = piece.path.dropFirst(text.path.count)
                if !name.isEmpty { piece.name = String(name.first == "." ? name.dropFirst() : name) }
                return piece
            }
            found.append(WordingText(locale: locale, pieces: pieces))
        }
        return found
    }
}

extension WordingForm {
    /// What stands in one language, as far as it can be read.
    fileprivate func pieces(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> [WordingText.Piece] {
        if self == .line { return piece(reading, .message, &findings).map { [$0] } ?? [] }
        if self == .pass { return passFields(reading, &findings) }
        reading.allow(Set(fields.map(\.name)).union(hasButtons ? ["buttons"] : []), &findings)
        guard case .object = reading.value else { return [] }
        var pieces: [WordingText.Piece] = []
        for field in fields {
            guard let part = reading.object(field.name) else {
                if field.isNeeded { reading.error(field.name, "it is missing", remedy: "write it", &findings) }
                continue
            }
            if let piece = piece(part, field.place, &findings) { pieces.append(piece) }
        }
        if hasButtons { pieces += buttons(reading, &findings) }
        return pieces
    }

    private func buttons(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> [WordingText.Piece] {
        let elements = reading.optionalList("buttons", &findings)
        if elements.count > WordingText.mostButtons {
            reading.error(
                "buttons", "\(elements.count) buttons; \(WordingText.mostButtons) are the most", remedy: "take some out", &findings)
        }
        return elements.prefix(WordingText.mostButtons).flatMap { element -> [WordingText.Piece] in
            element.allow(["label", "link"], &findings)
            return [("label", WordingPlace.lockedScreen), ("link", .link)].compactMap { name, place in
                guard let part = element.object(name) else {
                    if case .object = element.value { element.error(name, "it is missing", remedy: "write it", &findings) }
                    return nil
                }
                return piece(part, place, &findings)
            }
        }
    }

    /// `{"fields": {"balance": "..."}}`, named as the pass has them.
    private func passFields(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> [WordingText.Piece] {
        reading.allow(["fields"], &findings)
        guard case .object = reading.value else { return [] }
        guard let part = reading.object("fields"), case .object(let fields) = part.value, !fields.isEmpty else {
            reading.error("fields", "it has no fields", remedy: "write a text for each field of the pass", &findings)
            return []
        }
        if fields.count > WordingText.mostFields {
            part.error(nil, "\(fields.count) fields; \(WordingText.mostFields) are the most", remedy: "take some out", &findings)
        }
        return fields.keys.sorted().prefix(WordingText.mostFields).compactMap { name in
            part.object(name).flatMap { piece($0, .letter, &findings) }
        }
    }

    private func piece(
        _ reading: DocumentReading, _ place: WordingPlace, _ findings: inout [RulebookFinding]
    ) -> WordingText.Piece? {
        guard let text = reading.asText(maximumBytes: WordingText.longest, &findings) else { return nil }
        if text.utf8.allSatisfy({ $0 <= 0x20 }) {
            reading.error(nil, "it is empty", remedy: "write the text", &findings)
            return nil
        }
        if self == .basicPush, WordingForm.hasMarkup(text) {
            reading.error(nil, "a basic push has no markup", remedy: "write plain text, or make it a rich push", &findings)
        }
        if place == .link || place == .image, !WordingForm.isAddress(text, ofPicture: place == .image) {
            reading.error(
                nil, "it is no address that customers may be sent to",
                remedy: place == .image
                    ? "write the path of an uploaded picture, or begin with https:// and the host's name"
                    : "begin with https:// and the host's name, or with the scheme of your app",
                &findings)
        }
        return WordingText.Piece(place: place, text: text, path: reading.path)
    }

    /// `<b>`, `</b>`, `<!-- -->`; not `5 < 6`.
    private static func hasMarkup(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return zip(bytes, bytes.dropFirst()).contains { first, next in
            first == UInt8(ascii: "<") && ((97...122).contains(next | 32) || next == UInt8(ascii: "/") || next == UInt8(ascii: "!"))
        }
    }

    /// Where it leads is written out: no value decides about scheme and host. Schemes that run or read something on the device are none.
    private static func isAddress(_ text: String, ofPicture isPicture: Bool) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 || $0 == 0x20 && text.contains("{{") }) else { return false }
        if isPicture, ImagePath.name(of: text) != nil { return true }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = parts.first, let first = scheme.utf8.first, (97...122).contains(first),
            scheme.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || [43, 45, 46].contains($0) })
        else { return false }
        if scheme == "https" {
            guard parts[1].hasPrefix("//") else { return false }
            let host = parts[1].dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            // A name before `@` is no host, and browsers read a backslash as `/`: what looks like the bank's host would be another's.
            return !host.isEmpty && !host.contains { "{@\\".contains($0) }
        }
        return !isPicture && !WordingPlace.refusedSchemes.contains(String(scheme))
    }
}
