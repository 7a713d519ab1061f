import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// What holds of events and event types besides what holds of every object of the rulebook.
@Suite("Desk: events in the rulebook") struct EventRulesTests {
    private static func rulebooks(_ units: Units) -> Rulebooks {
        let folder = FileManager.default.temporaryDirectory.appending(path: "events-\(UUID().uuidString)").path
        return Rulebooks(
            units, Rulebooks.World(folder: RulebookFolder(folder), surroundings: { Rulebook.Surroundings(groups: ["north"]) }))
    }

    private static func wish(_ content: String) throws -> RulebookEntry.Wish {
        RulebookEntry.Wish(
            name: "N", description: "D", content: try JSONValue(reading: Array(content.utf8), maximumBytes: 10_000), note: "why")
    }

    /// Saves a new object, or another version of one.
    private static func save(
        _ rulebooks: Rulebooks, _ kind: RulebookKind, _ key: String, _ content: String, version: Int64? = nil,
        _ numbering: RulebookNumbering = .given
    ) async throws -> JSONValue? {
        let saved = try await rulebooks.save(
            kind, key, try wish(content), version: version, numbering: numbering, by: ReferenceRig.caller())
        return try await rulebooks.version(kind, key, saved.entry.newest, by: ReferenceRig.caller()).content?["number"]
    }

    private static func fault(_ body: () async throws -> JSONValue?) async -> String {
        guard case .invalid(let faults)? = await ReferenceRig.fault({ _ = try await body() }) else { return "" }
        return faults.map { "\($0.path) \($0.code) \($0.message)" }.joined(separator: "; ")
    }

    @Test(
        "Martlet gives events and event types their numbers, each kind its own, and nobody changes one or gets one twice",
        arguments: SQLStore.Engine.allCases)
    func numbers(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let rulebooks = Self.rulebooks(units)
            func save(_ kind: RulebookKind, _ key: String, _ content: String, _ version: Int64? = nil) async throws -> JSONValue? {
                try await Self.save(rulebooks, kind, key, content, version: version)
            }
            #expect(try await save(.eventType, "cards", "{}") == .integer(1))
            #expect(try await save(.event, "paid", #"{"type": "cards"}"#) == .integer(1))
            #expect(try await save(.event, "lost", #"{"type": "cards", "number": null}"#) == .integer(2))
            // Left out or as it is: it stays.
            #expect(try await save(.event, "paid", #"{"type": "cards", "note": "x"}"#, 1) == .integer(1))
            #expect(try await save(.event, "paid", #"{"type": "cards", "number": 1}"#, 2) == .integer(1))
            for other in ["2", "7", "\"1\"", "[]"] {
                let refused = await Self.fault { try await save(.event, "paid", "{\"number\": \(other)}", 3) }
                #expect(refused == "content.number immutable it is 1 and stays; leave it out, or write it as it is")
            }
            #expect(
                await Self.fault { try await save(.event, "new", #"{"number": 9}"#) }
                    == "content.number immutable it is given by Martlet; leave it out")
            #expect(await Self.fault { try await save(.event, "new", "[]") } == "content type it is a list, not an object")
            #expect(
                await Self.fault { try await save(.event, "new", #"{"owner": "principal:bert"}"#) }
                    == "content.owner immutable the owner is who made the object")
            // What was refused has taken no number.
            #expect(try await save(.event, "new", "{}") == .integer(3))
            // Kinds whose numbers are those of definitions are as they were.
            #expect(try await save(.package, "p", #"{"number": 17}"#) == .integer(17))
            #expect(try await rulebooks.get(.event, "paid", by: ReferenceRig.caller()).newest == 3)
            try await ReferenceRig.tamper(desk, "UPDATE rulebook_number SET number = 40 WHERE key = 'new'")
            let tampered = await ReferenceRig.fault { _ = try await save(.event, "new", "{}", 1) }
            #expect(tampered == .tampered(noun: "rulebook number", key: "event/new"))
        }
    }

    @Test(
        "Files keep the numbers that they had elsewhere, where nobody has them; what was written before numbers were kept has its own",
        arguments: SQLStore.Engine.allCases)
    func kept(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let rulebooks = Self.rulebooks(units)
            func keep(_ key: String, _ content: String, _ version: Int64? = nil) async throws -> JSONValue? {
                try await Self.save(rulebooks, .event, key, content, version: version, .kept)
            }
            #expect(try await keep("a", #"{"number": 101}"#) == .integer(101))
            #expect(try await keep("b", "{}") == .integer(102))
            #expect(
                await Self.fault { try await keep("c", #"{"number": 101}"#) }
                    == "content.number immutable event/a was given it; leave it out")
            #expect(await Self.fault { try await keep("c", #"{"number": 65536}"#) }.contains("not within 1 to 65535"))
            #expect(await Self.fault { try await keep("c", #"{"number": "x"}"#) }.contains("no whole number"))
            #expect(await Self.fault { try await keep("a", #"{"number": 5}"#, 1) }.contains("it is 101 and stays"))
            // As in a store that is older than the table: the number of its newest content is the object's, but where two have one.
            try await ReferenceRig.tamper(desk, "DELETE FROM rulebook_number")
            #expect(try await keep("a", "{}", 1) == .integer(101))
            #expect(try await keep("b", #"{"number": 102}"#, 1) == .integer(102))
            try await ReferenceRig.tamper(desk, "DELETE FROM rulebook_number WHERE key = 'b'")
            #expect(
                await Self.fault { try await keep("d", #"{"number": 102}"#) }
                    == "content.number immutable event/b was given it; leave it out")
            #expect(try await keep("e", #"{"number": 65535}"#) == .integer(65_535))
            #expect(await ReferenceRig.fault { _ = try await keep("f", "{}") }?.paths == ["content.number conflict"])
        }
    }

    @Test("What a published event lacks stops the release, all of it at once; a type goes when nobody names it")
    func releases() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let (rulebooks, anna) = (Self.rulebooks(units), ReferenceRig.caller())
            _ = try await Self.save(rulebooks, .eventType, "cards", "{}")
            _ = try await Self.save(rulebooks, .event, "paid", #"{"type": "cards", "class": "transactional"}"#)
            func publish(_ selection: RulebookSelection = RulebookSelection(), base: Int64) async throws -> String {
                let fault = await ReferenceRig.fault {
                    _ = try await rulebooks.publish(selection, note: "n", base: base, by: anna)
                }
                guard case .invalid(let faults)? = fault else { return fault.map { "\($0)" } ?? "published" }
                return faults.map { "\($0.path): \($0.message)" }.sorted().joined(separator: "\n")
            }
            let lacks = try await publish(base: 0)
            for word in ["event/paid$: no package has it", "event/paid$.templates: ", "event/paid$.plan: "] {
                #expect(lacks.contains(word))
            }
            _ = try await Self.save(
                rulebooks, .event, "paid",
                #"{"type": "cards", "class": "transactional", "templates": {"sms": "paid"}, "plan": "sms"}"#, version: 1)
            _ = try await Self.save(
                rulebooks, .template, "sms.paid", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid"}}"#)
            _ = try await Self.save(rulebooks, .plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#)
            _ = try await Self.save(rulebooks, .package, "p", #"{"number": 17, "events": [{"event": "paid"}]}"#)
            _ = try await rulebooks.publish(RulebookSelection(), note: "n", base: 0, by: anna)
            let without = RulebookSelection(
                objects: [], without: [.init(kind: "event-type", key: "cards"), .init(kind: "plan", key: "sms")])
            let used = try await publish(without, base: 1)
            #expect(used.contains("event-type/cards: it cannot be taken out, for it is used by event/paid"))
            #expect(used.contains("plan/sms: it cannot be taken out, for it is used by event/paid"))
            #expect(try await rulebooks.preview(without, by: anna).findings.contains { $0.path == "event-type/cards" })
            let all = RulebookSelection(
                objects: [],
                without: [.init(kind: "event-type", key: "cards"), .init(kind: "event", key: "paid"), .init(kind: "package", key: "p")])
            #expect(try await publish(all, base: 1) == "published")
        }
    }

    @Test("Twenty that use something are named, of more their count")
    func manyUsers() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let (rulebooks, anna) = (Self.rulebooks(units), ReferenceRig.caller())
            _ = try await Self.save(rulebooks, .eventType, "cards", "{}")
            for number in 10...31 {
                _ = try await Self.save(rulebooks, .event, "e\(number)", #"{"type": "cards", "class": "service", "published": false}"#)
            }
            _ = try await rulebooks.publish(RulebookSelection(), note: "n", base: 0, by: anna)
            let found = try await rulebooks.preview(
                RulebookSelection(objects: [], without: [.init(kind: "event-type", key: "cards")]), by: anna
            ).findings.first { $0.path == "event-type/cards" }
            #expect(found?.message.hasSuffix("event/e29 and 2 more") == true, "\(found?.message ?? "")")
        }
    }

    @Test("Examples have the values that the event asks for, in every form, and say which form a door takes")
    func examples() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let (rulebooks, anna) = (Self.rulebooks(units), ReferenceRig.caller())
            let parameters = #"""
                {"parameters": [
                  {"name": "amount", "type": "money", "dataClass": "financial"}, {"name": "card", "type": "text", "dataClass": "identifier", "maximum": 4},
                  {"name": "shop", "type": "text", "default": "O'Neill & <Sons>"}, {"name": "code", "type": "text", "dataClass": "secret"},
                  {"name": "place", "type": "text", "default": ""}, {"name": "count", "type": "integer"}, {"name": "rate", "type": "decimal"},
                  {"name": "day", "type": "date"}, {"name": "hour", "type": "time"}, {"name": "at", "type": "instant"},
                  {"name": "first", "type": "boolean"}]}
                """#
            _ = try await Self.save(rulebooks, .event, "paid", parameters)
            let (version, examples) = try await rulebooks.examples(of: "paid", by: anna)
            #expect(version == 1 && examples.map(\.form) == ["json", "curl", "xml", "soap", "sql"])
            #expect(examples.map(\.live) == [true, true, false, false, false] && examples.allSatisfy { !$0.door.isEmpty })
            let json = try JSONValue(reading: Array(examples[0].text.utf8), maximumBytes: 10_000)
            #expect(json["definition"] == .text("paid") && json["occurredAt"] == .text("2026-11-23T02:13:20Z"))
            // What the example says is what the event takes.
            let content = try await rulebooks.version(.event, "paid", 1, by: anna).content
            let definition = EventDefinition(
                key: "paid", number: 1, type: 0, messageClass: .service, parameters: EventDefinition.parameters(of: content ?? .null))
            let (values, faults) = definition.values(try #require(json["parameters"]))
            #expect(faults.isEmpty && values.allSatisfy { $0 != nil } && values.count == 11, "\(faults)")
            #expect(values[1] == .text("1234") && values[2] == .text("O'Neill & <Sons>"))
            for xml in examples[2...3].map(\.text) {
                #expect(xml.contains(#"<amount currency="EUR">125.50</amount>"#) && xml.contains("<shop>O'Neill &amp; &lt;Sons&gt;</shop>"))
                #expect(xml.contains("<count>7</count>") && xml.contains("<first>true</first>"))
            }
            #expect(examples[4].text.contains("O''Neill") && examples[4].text.hasSuffix(");"))
            // A line of the shell: path, headers, and the same body.
            let curl = examples[1].text
            #expect(curl.hasPrefix("curl -sS -X POST \"$MARTLET/v1/events\" \\\n  -H \"Authorization: Bearer $KEY\" \\\n"), "\(curl)")
            #expect(curl.contains("Idempotency-Key: paid-1795400000") && curl.contains("Content-Type: application/json"))
            #expect(curl.hasSuffix("-d '\(examples[0].text.replacing("'", with: #"'\''"#))'"))
            // Amounts are in the currency that the bank writes, with its digits: of this event's thresholds before others.
            func amount() async throws -> JSONValue? {
                let json = try await rulebooks.examples(of: "paid", by: anna).examples[0].text
                return try JSONValue(reading: Array(json.utf8), maximumBytes: 10_000)["parameters"]?["amount"]
            }
            _ = try await Self.save(
                rulebooks, .package, "all", #"{"number": 17, "fee": {"amount": "1", "currency": "JPY", "period": "month"}}"#)
            #expect(try await amount() == .object(["amount": .text("125"), "currency": .text("JPY")]))
            let thresholds = #"{"number": 18, "events": [{"event": "paid", "thresholds": [{"amount": "1", "currency": "KWD"}]}]}"#
            _ = try await Self.save(rulebooks, .package, "cards", thresholds)
            #expect(try await amount() == .object(["amount": .text("125.500"), "currency": .text("KWD")]))
            _ = try await Self.save(rulebooks, .event, "bare", "{}")
            let bare = try await rulebooks.examples(of: "bare", by: anna).examples
            #expect(bare[0].text.contains(#""parameters": {}"#))
            #expect(
                bare[3].text == """
                    <?xml version="1.0" encoding="UTF-8"?>
                    <soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
                      <soap:Body>
                        <event xmlns="urn:martlet:events:1" definition="bare">
                          <customer>40-118-220</customer>
                          <occurredAt>2026-11-23T02:13:20Z</occurredAt>
                          <parameters/>
                        </event>
                      </soap:Body>
                    </soap:Envelope>
                    """)
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.examples(of: "none", by: anna) }
                    == .notFound(noun: "rulebook object", key: "event/none"))
        }
    }
}
