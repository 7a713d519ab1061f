import Calendar
import Foundation
import MartletModel
import SMSText
import Templates
import Testing

@testable import MartletEngine

@Suite("Wording: the starter library")
struct LibraryWordingTests {
    static let folder = "\(#filePath)".split(separator: "/").dropLast(4).map { "/\($0)" }.joined() + "/assets/library"
    static let languages = ["en", "uk", "ru"]

    static func json(_ path: String) throws -> JSONValue {
        try JSONValue(reading: Array(try Data(contentsOf: URL(filePath: "\(folder)/\(path)"))), maximumBytes: 1 << 22)
    }

    static func source() throws -> RulebookSource {
        var objects: [RulebookObject] = []
        for kind in RulebookKind.allCases {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(kind.rawValue)")) ?? []
            for name in names where name.hasSuffix(".json") {
                let content = try #require(try json("\(kind.rawValue)/\(name)")["content"])
                objects.append(RulebookObject(kind: kind, key: String(name.dropLast(5)), version: 1, content: content))
            }
        }
        return RulebookSource(number: 1, at: 0, objects: objects)
    }

    /// What an event says in the samples, in one language.
    static func sample(_ event: EventDefinition, _ samples: JSONValue, _ language: String) throws -> [EventPayload.NamedValue] {
        var said: [String: JSONValue] = [:]
        for parameter in event.parameters {
            let known = samples["events"]?[event.key]?[parameter.name] ?? samples["parameters"]?[parameter.name]
            let value = try #require(known, "samples.json has no \(parameter.name)")
            said[parameter.name] = value[language] ?? value
        }
        let (values, faults) = event.values(.object(said))
        try #require(faults.isEmpty, "\(event.key): \(faults)")
        return zip(event.parameters, values).compactMap { parameter, value in
            value.map { EventPayload.NamedValue(parameter.name, $0) }
        }
    }

    static func customer(_ samples: JSONValue, _ language: String) throws -> CustomerDetails {
        func name(_ field: String) throws -> String {
            guard case .text(let text)? = samples["customer"]?[field]?[language] else { throw Missing() }
            return text
        }
        return CustomerDetails(givenName: try name("givenName"), familyName: try name("familyName"))
    }

    struct Missing: Error {}

    @Test("What a customer calls a large withdrawal silences no smaller one: it has an event type of its own")
    func large() throws {
        let rules = Rulebook.compile(try LibraryWordingTests.source(), in: Rulebook.Surroundings()).rulebook.decisions
        let large = try #require(rules.events.first { $0.key == "large_withdrawal" })
        #expect(rules.events.filter { $0.type == large.type }.map(\.key) == ["large_withdrawal"])
    }

    @Test("What can wait for the hour at which its customer is best reached does: offers, news and good wishes")
    func bestHour() throws {
        let rules = Rulebook.compile(try LibraryWordingTests.source(), in: Rulebook.Surroundings()).rulebook.decisions
        #expect(Set(rules.events.filter(\.isAtBestHour).map(\.key)) == ["offer", "bank_news", "birthday"])
    }

    @Test("The library compiles without a finding")
    func compiles() throws {
        let source = try LibraryWordingTests.source()
        let (_, book, findings) = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        #expect(findings.isEmpty, "\(findings.map { "\($0.path): \($0.message)" }.joined(separator: "\n"))")
        #expect(source.objects.count { $0.kind == .template } == 163)
        #expect(book?.rules.events.count == 55)
    }

    @Test("Every text of every event is written with the sample values, in three languages", arguments: languages)
    func renders(language: String) throws {
        let source = try LibraryWordingTests.source()
        let samples = try LibraryWordingTests.json("samples.json")
        let (rulebook, _, _) = DecisionBook.compile(source, in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        var compiler = WordingCompiler(rulebook, parts: 10)
        let texts = compiler.run(broken: [])
        let zone = try Zone(tzif: try #require(WordingRig.zoneFile("Europe/Kyiv")))
        let details = try LibraryWordingTests.customer(samples, language)
        var written = 0
        for (event, own) in zip(rulebook.decisions.events, texts) {
            let record = WordingFields(event).record(try LibraryWordingTests.sample(event, samples, language), details, zone)
            for (channel, compiled) in own {
                let text = try #require(compiled.texts.first { $0.locale == language }, "\(event.key) \(channel)")
                for (piece, template) in text.pieces {
                    let words = try #require(template).text(record)
                    #expect(!words.isEmpty && !words.contains("{{"), "\(piece.path)")
                    // Sections that are not entered leave no double blanks behind.
                    #expect(piece.place == .html || !words.contains("  "), "\(piece.path): \(words)")
                    written += 1
                }
            }
        }
        // 55 short messages, 50 basic and 5 rich pushes, 53 mails.
        #expect(written == 55 + 50 * 3 + 5 * 7 + 53 * 3)
    }

    @Test("A short message of the library has at most two parts with the sample values", arguments: languages)
    func parts(language: String) throws {
        let samples = try LibraryWordingTests.json("samples.json")
        let compiled = DecisionBook.compile(try LibraryWordingTests.source(), in: Rulebook.Surroundings(), zoneFile: WordingRig.zoneFile)
        let book = try #require(compiled.book)
        let zone = try Zone(tzif: try #require(WordingRig.zoneFile("Europe/Kyiv")))
        let details = try LibraryWordingTests.customer(samples, language)
        for (place, event) in book.rules.events.enumerated() {
            let worded = try book.wording.sms(
                event: place, try LibraryWordingTests.sample(event, samples, language), details, try #require(CustomerLocale(language)),
                zone,
                count: WordingRig.count, limit: 10)
            #expect(worded.count.parts <= 2 && worded.locale == language, "\(event.key): \(worded.text)")
            #expect(worded.sender == "HARBOUR")
            // English goes in the short alphabet.
            #expect(language != "en" || SMSText.plan(worded.text).alphabet == .gsm7, "\(event.key): \(worded.text)")
        }
    }
}
