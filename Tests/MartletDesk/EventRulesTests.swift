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
                let refused = await Self.fault { try await save(.event, "paid", "{\"type\": \"cards\", \"number\": \(other)}", 3) }
                #expect(refused == "content.number immutable it is 1 and stays; leave it out, or write it as it is")
            }
            #expect(
                await Self.fault { try await save(.event, "new", #"{"type": "cards", "number": 9}"#) }
                    == "content.number immutable it is given by Martlet; leave it out")
            #expect(await Self.fault { try await save(.event, "new", "[]") } == "content type it is a list, not an object")
            #expect(
                await Self.fault { try await save(.event, "new", #"{"type": "cards", "owner": "principal:bert"}"#) }
                    == "content.owner immutable the owner is who made the object")
            // What was refused has taken no number.
            #expect(try await save(.event, "new", #"{"type": "cards"}"#) == .integer(3))
            // Kinds whose numbers are those of definitions are as they were.
            #expect(try await save(.package, "p", #"{"number": 17}"#) == .integer(17))
            #expect(try await rulebooks.get(.event, "paid", by: ReferenceRig.caller()).newest == 3)
            try await ReferenceRig.tamper(desk, "UPDATE rulebook_number SET number = 40 WHERE key = 'new'")
            let tampered = await ReferenceRig.fault { _ = try await save(.event, "new", #"{"type": "cards"}"#, 1) }
            #expect(tampered == .tampered(noun: "rulebook number", key: "event/new"))
        }
    }

    @Test(
        "Files keep the numbers that they had elsewhere, where nobody has them; what was written before numbers were kept has its own",
        arguments: SQLStore.Engine.allCases)
    func kept(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let rulebooks = Self.rulebooks(units)
            _ = try await Self.save(rulebooks, .eventType, "cards", "{}")
            func keep(_ key: String, _ content: String, _ version: Int64? = nil) async throws -> JSONValue? {
                try await Self.save(rulebooks, .event, key, content, version: version, .kept)
            }
            #expect(try await keep("a", #"{"type": "cards", "number": 101}"#) == .integer(101))
            #expect(try await keep("b", #"{"type": "cards"}"#) == .integer(102))
            #expect(
                await Self.fault { try await keep("c", #"{"type": "cards", "number": 101}"#) }
                    == "content.number immutable event/a was given it; leave it out")
            #expect(await Self.fault { try await keep("c", #"{"type": "cards", "number": 65536}"#) }.contains("not within 1 to 65535"))
            #expect(await Self.fault { try await keep("c", #"{"type": "cards", "number": "x"}"#) }.contains("no whole number"))
            #expect(await Self.fault { try await keep("a", #"{"type": "cards", "number": 5}"#, 1) }.contains("it is 101 and stays"))
            // As in a store that is older than the table: the number of its newest content is the object's, but where two have one.
            try await ReferenceRig.tamper(desk, "DELETE FROM rulebook_number")
            #expect(try await keep("a", #"{"type": "cards"}"#, 1) == .integer(101))
            #expect(try await keep("b", #"{"type": "cards", "number": 102}"#, 1) == .integer(102))
            try await ReferenceRig.tamper(desk, "DELETE FROM rulebook_number WHERE key = 'b'")
            #expect(
                await Self.fault { try await keep("d", #"{"type": "cards", "number": 102}"#) }
                    == "content.number immutable event/b was given it; leave it out")
            #expect(try await keep("e", #"{"type": "cards", "number": 65535}"#) == .integer(65_535))
            #expect(await ReferenceRig.fault { _ = try await keep("f", #"{"type": "cards"}"#) }?.paths == ["content.number conflict"])
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
}
