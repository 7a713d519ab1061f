import Calendar
import Foundation
import MartletModel
import Mustache
import Templates
import Testing

@testable import MartletEngine

/// The starter library, written by our templates and by swift-mustache.
@Suite("Wording: the starter library as swift-mustache writes it")
struct LibraryMustacheTests {
    /// A text of ours as swift-mustache reads it. It knows no filters, so what one writes is put in as a value; sections, places, escapes and
    /// blanks are left to it.
    private struct Foreign {
        var text = ""
        var values: [String: Any]

        init(_ text: String, _ record: Templates.Record, _ locale: TextLocale) throws {
            values = Foreign.object(record)
            var rest = text[...]
            while let open = rest.range(of: "{{"), let close = rest[open.upperBound...].range(of: "}}") {
                self.text += rest[..<open.lowerBound]
                let tag = String(rest[open.upperBound..<close.lowerBound])
                rest = rest[close.upperBound...]
                if let first = tag.first, "#^/!>&=".contains(first) || Foreign.isText(tag, record) {
                    self.text += "{{\(tag)}}"
                    continue
                }
                let name = "written\(values.count)"
                values[name] = try Template("{{\(tag)}}", Template.Options(.plain, locale)).text(record)
                self.text += "{{\(name)}}"
            }
            self.text += rest
        }

        /// What is put in as it is.
        private static func isText(_ tag: String, _ record: Templates.Record) -> Bool {
            guard let place = record.names.firstIndex(of: tag), case .text = record.values[place] else { return false }
            return true
        }

        private static func object(_ record: Templates.Record) -> [String: Any] {
            var object: [String: Any] = [:]
            for (name, value) in zip(record.names, record.values) {
                switch value {
                // Whether an empty text opens a section the specification does not say; for us it does not.
                case .missing, .text(""): object[name] = NSNull()
                case .text(let text): object[name] = text
                case .boolean(let flag): object[name] = flag
                case .record(let inner): object[name] = self.object(inner)
                case .integer(let number): object[name] = number
                // There, and never written without a filter of ours.
                case .decimal, .money, .date, .time, .moment, .list: object[name] = "is there"
                }
            }
            return object
        }

        func render(_ isHTML: Bool) throws -> String {
            // It takes the kind from the text.
            try MustacheTemplate(string: isHTML ? text : "{{% CONTENT_TYPE:TEXT}}\n\(text)").render(values)
        }
    }

    enum Values: CaseIterable { case samples, onlyNeeded, hostile }

    private func values(
        _ event: EventDefinition, _ which: Values, _ samples: JSONValue, _ language: String
    ) throws -> [EventPayload.NamedValue] {
        let all = try LibraryWordingTests.sample(event, samples, language)
        return switch which {
        case .samples: all
        case .onlyNeeded: all.filter { value in event.parameters.first { $0.name == value.name }?.assumed == nil }
        case .hostile:
            all.map { one in
                guard case .text = one.value else { return one }
                return EventPayload.NamedValue(one.name, .text("<b>Tom & \"Jerry's\"</b> {{\(one.name)}} {{>x}}"))
            }
        }
    }

    @Test(
        "Every text of every event comes out as swift-mustache has it: with the samples, with what an event must say alone, and with values that try to break out",
        arguments: LibraryWordingTests.languages, Values.allCases)
    func oracle(language: String, which: Values) throws {
        let source = try LibraryWordingTests.source()
        let samples = try LibraryWordingTests.json("samples.json")
        let (rulebook, _, _) = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        var compiler = WordingCompiler(rulebook, parts: 10)
        let texts = compiler.run(broken: [])
        let zone = try Zone(tzif: try #require(WordingRig.zoneFile("Europe/Kyiv")))
        let details = try LibraryWordingTests.customer(samples, language)
        let locale = try #require(TextLocale.exact(language))
        var compared = 0
        for (event, own) in zip(rulebook.decisions.events, texts) {
            let record = WordingFields(event).record(try values(event, which, samples, language), details, zone)
            for (channel, compiled) in own {
                let text = try #require(compiled.texts.first { $0.locale == language }, "\(event.key) \(channel)")
                for (piece, template) in text.pieces {
                    let ours = try #require(template).text(record)
                    let theirs = try Foreign(piece.text, record, locale).render(piece.place.output == .html)
                    #expect(ours == theirs, "\(piece.path)")
                    compared += 1
                }
            }
        }
        #expect(compared == 55 + 50 * 3 + 5 * 7 + 53 * 3)
    }
}
