import Foundation
import FoundationXML
import MartletModel
import PostgresServer
import SQL
import Testing

@testable import MartletDesk

/// What an event's editor hands to those whose systems report it, read by those who would read it: an XML parser, PostgreSQL, a shell.
@Suite("Desk: examples of an event") struct EventExampleTests {
    private static let anna = ReferenceRig.caller()

    /// What may hinder a form: quotes of each kind, signs of markup, of SQL and of JSON, line ends, letters of any alphabet.
    private static let hard = "O'Neill & <Sons> ]]> \"a\\b\" $HOME `x` ; -- \r\n\tЇжак 💶"

    private static func parameters(_ shop: String) -> String {
        let shop = String(decoding: JSONValue.text(shop).canonical, as: UTF8.self)
        return #"""
            {"type": "cards", "parameters": [
              {"name": "amount", "type": "money", "dataClass": "financial"}, {"name": "card", "type": "text", "dataClass": "identifier", "maximum": 4},
              {"name": "shop", "type": "text", "default": \#(shop)}, {"name": "code", "type": "text", "dataClass": "secret"},
              {"name": "place", "type": "text", "default": ""}, {"name": "count", "type": "integer"}, {"name": "rate", "type": "decimal"},
              {"name": "day", "type": "date"}, {"name": "hour", "type": "time"}, {"name": "at", "type": "instant"},
              {"name": "first", "type": "boolean"}]}
            """#
    }

    private struct Bank {
        let rulebooks: Rulebooks

        init(_ units: Units) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "examples-\(UUID().uuidString)").path
            rulebooks = Rulebooks(units, Rulebooks.World(folder: RulebookFolder(folder), surroundings: { Rulebook.Surroundings() }))
            try await save(.eventType, "cards", "{}")
        }

        func save(_ kind: RulebookKind, _ key: String, _ content: String) async throws {
            let wish = RulebookEntry.Wish(
                name: "N", description: "D", content: try JSONValue(reading: Array(content.utf8), maximumBytes: 10_000), note: "why")
            _ = try await rulebooks.save(kind, key, wish, version: nil, by: EventExampleTests.anna)
        }

        func examples(_ key: String) async throws -> [EventExample.Form: EventExample] {
            let all = try await rulebooks.examples(of: key, by: EventExampleTests.anna).examples
            #expect(all.map(\.form) == EventExample.Form.allCases.map(\.rawValue))
            return Dictionary(uniqueKeysWithValues: zip(EventExample.Form.allCases, all))
        }
    }

    private static func with(_ body: (Bank) async throws -> Void) async throws {
        try await ReferenceRig.with(.sqlite) { _, units in try await body(try await Bank(units)) }
    }

    private static func json(_ text: String) throws -> JSONValue { try JSONValue(reading: Array(text.utf8), maximumBytes: 10_000) }

    @Test("Examples have the values that the event asks for, and say which form a door takes; the line with curl has the same body")
    func values() async throws {
        try await Self.with { bank in
            try await bank.save(.event, "paid", Self.parameters(Self.hard))
            let examples = try await bank.examples("paid")
            #expect(Set(examples.filter { $0.value.live }.keys) == [.json, .curl] && examples.values.allSatisfy { !$0.door.isEmpty })
            #expect(examples.values.allSatisfy { $0.note == nil })
            let json = try Self.json(try #require(examples[.json]).text)
            #expect(json["definition"] == .text("paid") && json["occurredAt"] == .text("2026-11-23T02:13:20Z"))
            // What the example says is what the event takes.
            let content = try await bank.rulebooks.version(.event, "paid", 1, by: Self.anna).content
            let definition = EventDefinition(
                key: "paid", number: 1, type: 0, messageClass: .service, parameters: EventDefinition.parameters(of: content ?? .null))
            let (values, faults) = definition.values(try #require(json["parameters"]))
            #expect(faults.isEmpty && values.allSatisfy { $0 != nil } && values.count == 11, "\(faults)")
            #expect(values[1] == .text("1234") && values[2] == .text(Self.hard))
            // A line of the shell: path, headers, and the same body.
            let curl = try #require(examples[.curl]).text
            #expect(curl.hasPrefix("curl -sS -X POST \"$MARTLET/v1/events\" \\\n  -H \"Authorization: Bearer $KEY\" \\\n"), "\(curl)")
            let said = try Self.shell(curl)
            #expect(said.contains("Idempotency-Key: paid-1795400000") && said.contains("Content-Type: application/json"))
            #expect(said.last == examples[.json]?.text && said.contains("https://bank.example/v1/events"))
        }
    }

    /// What a shell would hand to curl.
    private static func shell(_ line: String) throws -> [String] {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "curl() { for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }\n" + line]
        process.environment = ["MARTLET": "https://bank.example", "KEY": "secret"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: XML and SOAP

    /// What a parser makes of a request: its fields, and its parameters with their currencies.
    private struct Request: Equatable {
        var fields: [String: String] = [:]
        var parameters: [String: String] = [:]
        var currencies: [String: String] = [:]

        init(_ element: XMLElement) throws {
            #expect(element.localName == "SendEvent" && element.uri == "urn:martlet:intake:1")
            for child in element.children?.compactMap({ $0 as? XMLElement }) ?? [] {
                #expect(child.uri == "urn:martlet:intake:1")
                let name = try #require(child.localName)
                guard name == "parameters" else {
                    fields[name] = child.stringValue
                    continue
                }
                for one in child.children?.compactMap({ $0 as? XMLElement }) ?? [] {
                    #expect(one.localName == "parameter")
                    // `attribute(forName:)` finds none where a namespace is assumed.
                    let said = Dictionary(uniqueKeysWithValues: (one.attributes ?? []).map { ($0.name, $0.stringValue) })
                    let name = try #require(said["name"] ?? nil)
                    parameters[name] = one.stringValue
                    currencies[name] = said["currency"] ?? nil
                }
            }
        }

        init(xml: String) throws {
            try self.init(try #require(try XMLDocument(xmlString: xml, options: [.nodePreserveWhitespace]).rootElement()))
        }

        init(soap: String) throws {
            let soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
            let envelope = try #require(try XMLDocument(xmlString: soap, options: [.nodePreserveWhitespace]).rootElement())
            #expect(envelope.localName == "Envelope" && envelope.uri == soap11)
            let body = try #require(envelope.children?.compactMap { $0 as? XMLElement }.first)
            #expect(body.localName == "Body" && body.uri == soap11)
            try self.init(try #require(body.children?.compactMap { $0 as? XMLElement }.first))
        }
    }

    @Test("An XML parser reads the same event out of XML and SOAP as JSON says, whatever signs its values have")
    func xml() async throws {
        try await Self.with { bank in
            try await bank.save(.event, "paid", Self.parameters(Self.hard))
            let examples = try await bank.examples("paid")
            let xml = try Request(xml: try #require(examples[.xml]).text)
            #expect(try Request(soap: try #require(examples[.soap]).text) == xml)
            #expect(xml.fields == ["definition": "paid", "customer": "40-118-220", "occurredAt": "2026-11-23T02:13:20Z"])
            #expect(xml.parameters["amount"] == "125.50" && xml.currencies == ["amount": "EUR"])
            guard case .object(let said)? = try Self.json(try #require(examples[.json]).text)["parameters"] else {
                Issue.record("JSON without parameters")
                return
            }
            #expect(xml.parameters.count == said.count)
            for (name, value) in said where name != "amount" {
                let text = if case .text(let text) = value { text } else { String(decoding: value.canonical, as: UTF8.self) }
                #expect(xml.parameters[name] == text, "\(name)")
            }
            try await bank.save(.event, "bare", #"{"type": "cards"}"#)
            let bare = try await bank.examples("bare")
            #expect(bare[.json]?.text.contains(#""parameters": {}"#) == true)
            #expect(
                bare[.soap]?.text == """
                    <?xml version="1.0" encoding="UTF-8"?>
                    <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
                      <soap:Body>
                        <SendEvent xmlns="urn:martlet:intake:1">
                          <definition>bare</definition>
                          <customer>40-118-220</customer>
                          <occurredAt>2026-11-23T02:13:20Z</occurredAt>
                          <parameters/>
                        </SendEvent>
                      </soap:Body>
                    </soap:Envelope>
                    """)
            #expect(
                await ReferenceRig.fault { _ = try await bank.rulebooks.examples(of: "none", by: Self.anna) }
                    == .notFound(noun: "rulebook object", key: "event/none"))
        }
    }

    @Test("What XML 1.0 cannot write is left out of XML and SOAP and named; JSON has it")
    func control() async throws {
        try await Self.with { bank in
            try await bank.save(.event, "paid", Self.parameters("a\u{1}b\u{C}c\u{FFFF}d\u{85}e\u{C}"))
            let examples = try await bank.examples("paid")
            for form in [EventExample.Form.xml, .soap] {
                let example = try #require(examples[form])
                #expect(!example.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
                #expect(
                    example.note == "XML 1.0 cannot write U+0001, U+000C, U+FFFF in shop, so it is left out here; JSON and SQL say it")
            }
            #expect(try Request(xml: try #require(examples[.xml]).text).parameters["shop"] == "abcd\u{85}e")
            #expect(examples[.json]?.note == nil && examples[.sql]?.note == nil)
            let json = try Self.json(try #require(examples[.json]).text)
            #expect(json["parameters"]?["shop"] == .text("a\u{1}b\u{C}c\u{FFFF}d\u{85}e\u{C}"))
        }
    }

    // MARK: SQL

    /// The guide's definition of table and function, as a bank's database administrator would paste it.
    private static func shape() throws -> String {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let guide = try String(contentsOfFile: "\(root)/docs/guides/sending-events.md", encoding: .utf8)
        let blocks = guide.components(separatedBy: "```sql\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        return try #require(blocks.first { $0.contains("CREATE TABLE martlet_outbox") })
    }

    @Test("PostgreSQL takes the row and the call into a table of the documented shape, and keeps every sign of the values")
    func sql() async throws {
        let server = try await PostgresServer.shared()
        let database = try await server.makeDatabase()
        try server.sql(try Self.shape(), in: database)
        try await Self.with { bank in
            for (key, shop) in [("paid", Self.hard), ("bell", "a\u{1}b\u{C}c")] {
                try await bank.save(.event, key, Self.parameters(shop))
                let examples = try await bank.examples(key)
                try server.sql(try #require(examples[.sql]).text, in: database)
                let number = try server.sql(try #require(examples[.procedure]).text, in: database).trimmingCharacters(
                    in: .whitespacesAndNewlines)
                #expect(Int(number) != nil, "the function answers the row's id: \(number)")
                let said = try Self.json(try #require(examples[.json]).text)
                let rows = try server.sql(
                    """
                    SELECT customer || ' ' || status || ' ' || to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                        || ' ' || encode(convert_to(parameters, 'UTF8'), 'hex') FROM martlet_outbox WHERE definition = '\(key)' ORDER BY id
                    """, in: database
                ).split(separator: "\n")
                #expect(rows.count == 2)
                for row in rows {
                    let words = row.split(separator: " ")
                    #expect(words.prefix(3) == ["40-118-220", "new", "2026-11-23T02:13:20Z"], "\(row)")
                    let hex = Array(try #require(words.last).utf8)
                    let bytes = stride(from: 0, to: hex.count, by: 2).compactMap {
                        UInt8(String(decoding: hex[$0..<$0 + 2], as: UTF8.self), radix: 16)
                    }
                    #expect(try JSONValue(reading: bytes, maximumBytes: 10_000) == said["parameters"])
                }
            }
            #expect(try server.sql("SELECT count(*) FROM martlet_outbox", in: database).hasPrefix("4"))
        }
    }

    @Test("Amounts are in the currency that the bank writes, with its digits: of this event's thresholds before others")
    func currency() async throws {
        try await Self.with { bank in
            try await bank.save(.event, "paid", Self.parameters(""))
            func amount() async throws -> JSONValue? {
                try Self.json(try #require(try await bank.examples("paid")[.json]).text)["parameters"]?["amount"]
            }
            #expect(try await amount() == .object(["amount": .text("125.50"), "currency": .text("EUR")]))
            try await bank.save(.package, "all", #"{"number": 17, "fee": {"amount": "1", "currency": "JPY", "period": "month"}}"#)
            #expect(try await amount() == .object(["amount": .text("125"), "currency": .text("JPY")]))
            try await bank.save(
                .package, "cards", #"{"number": 18, "events": [{"event": "paid", "thresholds": [{"amount": "1", "currency": "KWD"}]}]}"#)
            #expect(try await amount() == .object(["amount": .text("125.500"), "currency": .text("KWD")]))
        }
    }
}
