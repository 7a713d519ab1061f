import MartletEngine
import MartletModel

/// A text as an editor sees it before anybody gets it.
struct TextDocument: Codable, APIExplained {
    struct Language: Codable, APIExplained {
        var asked: String
        var from: String
        var text: String?
        var why: String?

        static let explained = [
            "asked": APIField("What the customer reads; empty: no language is known."),
            "from": APIField("Where that was taken from.", words: TextPreview.Origin.allCases.map(\.rawValue)),
            "text": APIField("The language of the text."),
            "why": APIField(
                "`asked`: it is the one; `language`: there is no text of the country's own; `standard`: none in the language.",
                words: WordingPreview.Reason.allCases.map(\.rawValue)),
        ]
    }

    struct Fault: Codable {
        var field: String
        var code: String
        var message: String
    }

    struct Letter: Codable, APIExplained {
        var letter: String
        var code: String
        var count: Int
        var positions: [Int]
        var cheaper: String?

        static let explained = [
            "code": APIField("As Unicode numbers it."), "positions": APIField("The first places, counted in letters from 0."),
            "cheaper": APIField("What could stand there instead; empty: nothing."),
        ]
    }

    struct Offer: Codable {
        var spelling: String
        var text: String
        var parts: Int
        var alphabet: String
    }

    struct SMS: Codable, APIExplained {
        var sender: String?
        var parts: Int
        var submits: Int
        var alphabet: String
        var units: Int
        var left: Int
        var spelled: String?
        var letters: [Letter]
        var furtherLetters: Int
        var offers: [Offer]

        static let explained = [
            "sender": APIField("Not there: whom the source says."), "submits": APIField("Messages that the operator gets for it."),
            "units": APIField("Letters of the alphabet, all parts together."),
            "left": APIField("How many would still go into the last part."),
            "spelled": APIField("As it goes out, where the operator's profile spells it otherwise."),
            "letters": APIField("Those that the cheaper alphabet lacks."),
            "offers": APIField("Spellings that would cost less, the one that changes least first."),
        ]

        init(_ it: WordingPreview.SMS) {
            (sender, parts, submits, alphabet) = (it.sender, it.parts, it.submits, it.alphabet)
            (units, left, spelled, furtherLetters) = (it.units, it.left, it.spelled, it.further)
            letters = it.letters.map {
                Letter(letter: $0.letter, code: $0.code, count: $0.count, positions: $0.positions, cheaper: $0.cheaper)
            }
            offers = it.offers.map { Offer(spelling: $0.spelling, text: $0.text, parts: $0.parts, alphabet: $0.alphabet) }
        }
    }

    var event: String
    var channel: String
    var template: String
    /// Not there: a draft that is not written yet.
    var version: Int64?
    /// Of the override whose text it is.
    var override: Int64?
    var locale: Language
    var zone: String
    var parameters: JSONValue
    var fields: [String: String]
    var faults: [Fault]
    var sms: SMS?
    var findings: [FindingDocument]

    static let explained = [
        "version": APIField("Of the template; not there: a draft that is not written yet."),
        "override": APIField("Version of the override whose text it is, 0 of a draft; not there: it is the template's own."),
        "zone": APIField("Where the customer's clocks are."), "parameters": APIField("What was filled in."),
        "fields": APIField("Of a short message `text`; of a push `title`, `preview`, `body` and so on, as the template has them."),
        "faults": APIField("Fields that cannot be written with these values, or a message that would not be sent."),
        "findings": APIField("What compiling says of the event, its texts and the partials in them."),
    ]

    init(_ it: TextPreview) {
        let (preview, written) = (it.preview, it.written)
        (event, channel, template) = (preview.event.key, preview.channel.word, preview.template.key)
        version = preview.template.version == 0 ? nil : preview.template.version
        override = written?.isOverridden ?? false ? preview.override?.version : nil
        locale = Language(
            asked: it.locale.text, from: it.origin.rawValue, text: written?.locale, why: written?.reason.rawValue)
        (zone, parameters) = (it.zone, it.parameters)
        let all = written?.fields ?? []
        let address = it.pictureAddress ?? ""
        fields = Dictionary(
            all.compactMap { field in
                field.text.map { (field.name, ImagePath.name(of: $0) == nil || field.place != .image ? $0 : address + $0) }
            }
        ) { first, _ in first }
        faults = all.compactMap { field in field.fault.map { Fault(field: field.name, code: $0.word, message: $0.message) } }
        sms = written?.sms.map { SMS($0) }
        findings = preview.findings.map(FindingDocument.init)
    }
}
