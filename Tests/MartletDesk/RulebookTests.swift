import Foundation
import Guard
import MartletModel
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("Desk: the rulebook")
struct RulebookTests {
    private final class World: Sendable {
        let directory = FileManager.default.temporaryDirectory.appending(path: "martlet-desk-\(UUID().uuidString)/local").path
        let told = Mutex(0)

        init() throws {
            try FileManager.default.createDirectory(
                atPath: URL(filePath: directory).deletingLastPathComponent().path, withIntermediateDirectories: true)
        }

        var folder: RulebookFolder { RulebookFolder(directory) }

        func rulebooks(_ units: Units) -> Rulebooks {
            Rulebooks(
                units,
                Rulebooks.World(
                    folder: folder, surroundings: { Rulebook.Surroundings(groups: ["north", "south"]) },
                    tell: { self.told.withLock { $0 += 1 } }))
        }

        func file(_ number: Int64) throws -> RulebookSource {
            let data = try Data(contentsOf: URL(filePath: "\(directory)/\(RulebookFile.name(number))"))
            return try RulebookFile.read(Array(data), digest: BodyDigest.sha256).source
        }
    }

    private static func routes(_ routes: [(String, String)]) -> JSONValue {
        .object(["routes": .list(routes.map { .object(["prefix": .text($0.0), "group": .text($0.1)]) })])
    }

    private static func wish(_ content: JSONValue, unit: Int64? = nil) -> RulebookEntry.Wish {
        RulebookEntry.Wish(name: "Routes", description: "For tests.", unit: unit, content: content, note: "why not")
    }

    private static let everything = RulebookSelection()

    @Test(
        "Drafts are versions; a release publishes them as a whole and hands them to the node; rolling back is a release too",
        arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let world = try World()
            let rulebooks = world.rulebooks(units)
            let anna = ReferenceRig.caller()
            let first = try await rulebooks.save(
                .routes, "default", RulebookTests.wish(RulebookTests.routes([("", "north")])), version: nil, by: anna)
            #expect(first.entry.newest == 1 && first.entry.hasDraft && first.findings.isEmpty)
            #expect(try await rulebooks.deliver() == nil)

            let preview = try await rulebooks.preview(RulebookTests.everything, by: anna)
            #expect(preview.base == 0 && preview.findings.isEmpty)
            #expect(preview.differences.map(\.after) == [1])
            let one = try await rulebooks.publish(RulebookTests.everything, note: "the first", base: 0, by: anna).release
            #expect(one.number == 1 && one.author == "principal:anna" && one.note == "the first")
            #expect(try world.file(1).objects.map(\.content) == [RulebookTests.routes([("", "north")])])

            let content = RulebookTests.routes([("44", "south"), ("", "north")])
            let second = try await rulebooks.save(.routes, "default", RulebookTests.wish(content), version: 1, by: anna)
            #expect(second.entry.newest == 2 && second.entry.version == 2)
            #expect(try await rulebooks.get(.routes, "default", by: anna).published == 1)
            #expect(try await rulebooks.publish(RulebookTests.everything, note: "44 is cheaper", base: 1, by: anna).release.number == 2)
            let differences = try await rulebooks.diff(from: 1, to: 2, by: anna)
            #expect(differences.map(\.key) == ["default"] && differences.first?.changes.map(\.place) == ["$.routes[0]"])
            #expect(try await rulebooks.diff(.routes, "default", from: 2, to: 1, by: anna).first?.after == nil)

            let back = try await rulebooks.rollBack(to: 1, note: "44 was not", base: 2, by: anna).release
            #expect(back.number == 3 && back.restores == 1)
            #expect(try world.file(3).objects == world.file(1).objects && world.file(3).number == 3)
            let versions = try await rulebooks.versions(.routes, "default", try PageWish(), by: anna).items
            #expect(versions.map(\.number) == [2, 1] && versions.map(\.state) == [.retired, .published])
            #expect(try await rulebooks.get(.routes, "default", by: anna).hasDraft)
            #expect(try await rulebooks.version(.routes, "default", nil, by: anna).content == content)
            #expect(try await rulebooks.releases(try PageWish(limit: 2), by: anna).items.map(\.number) == [3, 2])
            #expect(try await rulebooks.diff(from: 0, to: 3, by: anna).first?.before == nil)
            #expect(world.told.withLock { $0 } == 3)
            #expect(
                try await ReferenceRig.audit(desk) == [
                    "rulebook.written rulebook/routes/default@1 done", "rulebook.published rulebook/1 done",
                    "rulebook.written rulebook/routes/default@2 done", "rulebook.published rulebook/2 done",
                    "rulebook.rolled-back rulebook/3 done",
                ])
        }
    }

    @Test("A draft is compiled with the newest versions of the others, and what it breaks in those that name it is said too")
    func together() async throws {
        try await ReferenceRig.with(.sqlite) { desk, units in
            let rulebooks = try World().rulebooks(units)
            let anna = ReferenceRig.caller()
            func save(_ kind: RulebookKind, _ key: String, _ text: String, _ version: Int64? = nil) async throws -> [String] {
                let content = try JSONValue(reading: Array(text.utf8), maximumBytes: 1 << 20)
                return try await rulebooks.save(kind, key, RulebookTests.wish(content), version: version, by: anna).findings
                    .filter { $0.severity == .error }.map(\.path)
            }
            #expect(try await save(.eventType, "cards", "{}") == [])
            let event = #"{"type": "cards", "class": "service", "everyone": true, "plan": "sms", "published": false}"#
            #expect(try await save(.event, "paid", event) == ["event/paid$.plan"])
            #expect(try await save(.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#) == [])
            #expect(try await save(.event, "paid", event, 1) == [])
            // What another has wrong is not this one's.
            #expect(try await save(.cap, "week", "{}") != [])
            #expect(try await save(.eventType, "news", "{}") == [])
            // A plan that is broken now, and the event that goes by it.
            let broken = try await save(.plan, "sms", #"{"steps": []}"#, 1)
            #expect(broken.contains("plan/sms$.steps") && broken.allSatisfy { $0.hasPrefix("plan/sms") || $0.hasPrefix("event/paid") })
        }
    }

    @Test("What cannot be compiled is not published, and a draft of it says why", arguments: SQLStore.Engine.allCases)
    func mistakes(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let world = try World()
            let rulebooks = world.rulebooks(units)
            let anna = ReferenceRig.caller()
            let saved = try await rulebooks.save(
                .routes, "default", RulebookTests.wish(RulebookTests.routes([("", "west"), ("+1", "north")])), version: nil, by: anna)
            #expect(saved.findings.filter { $0.severity == .error }.count == 2)
            #expect(try await !rulebooks.preview(RulebookTests.everything, by: anna).findings.areUsable)
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.publish(RulebookTests.everything, note: "x", base: 0, by: anna) }?.paths
                    .sorted()
                    == ["routes/default$.routes[0].group rulebook", "routes/default$.routes[1].prefix rulebook"])
            #expect(try world.folder.numbers().isEmpty)
            func publish(_ selection: RulebookSelection, note: String = "x", base: Int64 = 0, by caller: Caller? = nil) async -> [String]? {
                await ReferenceRig.fault { _ = try await rulebooks.publish(selection, note: note, base: base, by: caller ?? anna) }?.paths
            }
            #expect(await publish(RulebookTests.everything, note: " ") == ["note required"])
            #expect(await publish(RulebookTests.everything, base: 4)?.first?.contains("version 0") == true)
            #expect(await publish(RulebookSelection(objects: [])) == ["objects conflict"])
            #expect(await publish(RulebookSelection(objects: [.init(kind: "moods", key: "a")])) == ["objects[0].kind unknown"])
            #expect(await publish(RulebookSelection(objects: [.init(kind: "routes", key: "no")]))?.first?.contains("routes/no") == true)
            let writer = ReferenceRig.caller(nil, "bert", [.writeRulebook, .readRulebook])
            #expect(await publish(RulebookTests.everything, by: writer)?.first?.contains("rulebook.publish") == true)
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.rollBack(to: 1, note: "x", base: 0, by: anna) }
                    == .notFound(noun: "release", key: "1"))
            func save(_ key: String, _ wish: RulebookEntry.Wish, _ version: Int64?) async -> [String]? {
                await ReferenceRig.fault { _ = try await rulebooks.save(.routes, key, wish, version: version, by: anna) }?.paths
            }
            var wish = RulebookTests.wish(.null)
            wish.note = ""
            #expect(await save("No Key", wish, nil) == ["key malformed", "note required"])
            #expect(await save("default", RulebookTests.wish(.null), nil)?.first?.contains("version 1") == true)
            #expect(await save("other", RulebookTests.wish(.null), 1)?.first?.contains("routes/other") == true)
            #expect(await save("other", RulebookTests.wish(.null, unit: 8), nil) == ["unit unknown"])
            #expect(try await ReferenceRig.audit(desk).count == 1)
        }
    }

    @Test(
        "A unit publishes its own objects; what is others' stays as it is, unseen, and rolling back is the bank's",
        arguments: SQLStore.Engine.allCases)
    func units(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { _, units in
            let rulebooks = try World().rulebooks(units)
            let (anna, retail, corporate) = (ReferenceRig.caller(), ReferenceRig.caller(1), ReferenceRig.caller(2))
            for code in ["retail", "corporate"] { _ = try await units.add(UnitTests.wish(code), by: anna) }
            _ = try await rulebooks.save(.routes, "bank", RulebookTests.wish(RulebookTests.routes([("", "north")])), version: nil, by: anna)
            _ = try await rulebooks.save(
                .routes, "retail", RulebookTests.wish(RulebookTests.routes([("44", "north")])), version: nil, by: retail)
            _ = try await rulebooks.save(
                .routes, "corporate", RulebookTests.wish(RulebookTests.routes([("33", "south")])), version: nil, by: corporate)
            #expect(try await rulebooks.list(try PageWish(), by: retail).items.map(\.key) == ["bank", "retail"])
            #expect(try await rulebooks.publish(RulebookTests.everything, note: "own", base: 0, by: retail).release.number == 1)
            #expect(try await rulebooks.diff(from: 0, to: 1, by: anna).map(\.key) == ["retail"])
            #expect(try await rulebooks.publish(RulebookTests.everything, note: "all", base: 1, by: anna).release.number == 2)
            #expect(try await rulebooks.diff(from: 1, to: 2, by: retail).map(\.key) == ["bank"])
            #expect(try await rulebooks.list(try PageWish(), by: anna).items.map(\.published) == [1, 1, 1])
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.rollBack(to: 1, note: "x", base: 2, by: retail) }?.paths == [
                    "unit foreign"
                ])
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.get(.routes, "corporate", by: retail) }
                    == .notFound(noun: "rulebook object", key: "routes/corporate"))
            let taken = await ReferenceRig.fault {
                _ = try await rulebooks.save(.routes, "corporate", RulebookTests.wish(.null), version: nil, by: retail)
            }
            #expect(taken?.paths == ["key conflict"])
            let without = RulebookSelection(objects: [], without: [.init(kind: "routes", key: "retail")])
            #expect(try await rulebooks.publish(without, note: "gone", base: 2, by: retail).release.number == 3)
            #expect(try await rulebooks.diff(from: 2, to: 3, by: anna).map(\.after) == [nil])
            let foreign = RulebookSelection(objects: [.init(kind: "routes", key: "bank")])
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.publish(foreign, note: "x", base: 3, by: retail) }?.paths == [
                    "unit foreign"
                ])
        }
    }

    @Test("A second person who does not agree stops a release", arguments: SQLStore.Engine.allCases)
    func agreement(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let folder = try World().folder
            let rulebooks = Rulebooks(
                units,
                Rulebooks.World(
                    folder: folder, surroundings: { Rulebook.Surroundings() },
                    agree: { source, differences, caller in
                        #expect(source.number == 1 && differences.count == 1)
                        throw DeskFault.conflict(field: "agreement", reason: "\(caller.name) asked for it, and nobody else has agreed")
                    }))
            _ = try await rulebooks.save(
                .routes, "default", RulebookTests.wish(RulebookTests.routes([("", "north")])), version: nil, by: ReferenceRig.caller())
            #expect(
                await ReferenceRig.fault {
                    _ = try await rulebooks.publish(RulebookTests.everything, note: "x", base: 0, by: ReferenceRig.caller())
                }?
                .paths
                    == ["agreement conflict"])
            #expect(try await ReferenceRig.audit(desk).count == 1)
        }
    }

    @Test("Contents, entries and releases changed in the database are named and never published", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let rulebooks = try World().rulebooks(units)
            let anna = ReferenceRig.caller()
            for (key, prefix) in [("a", "1"), ("b", "2")] {
                let wish = RulebookTests.wish(RulebookTests.routes([(prefix, "north")]))
                _ = try await rulebooks.save(.routes, key, wish, version: nil, by: anna)
            }
            _ = try await rulebooks.publish(RulebookTests.everything, note: "x", base: 0, by: anna)
            for (change, undo, noun, key) in [
                (
                    "DELETE FROM rulebook_entry WHERE object = 2", "INSERT INTO rulebook_entry (release, object, version) VALUES (1, 2, 1)",
                    "rulebook release", "1"
                ),
                (
                    "UPDATE rulebook_version SET content = '{}' WHERE object = 2",
                    "UPDATE rulebook_version SET content = '{\"routes\":[{\"group\":\"north\",\"prefix\":\"2\"}]}' WHERE object = 2",
                    "rulebook release", "1"
                ),
                (
                    "UPDATE rulebook_release SET note = 'y'", "UPDATE rulebook_release SET note = 'x'", "rulebook release", "1"
                ),
                (
                    "UPDATE rulebook_object SET unit = 5 WHERE number = 1", "UPDATE rulebook_object SET unit = NULL WHERE number = 1",
                    "rulebook object", "routes/a"
                ),
            ] {
                try await ReferenceRig.tamper(desk, change)
                #expect(await ReferenceRig.fault { _ = try await rulebooks.deliver() } == .tampered(noun: noun, key: key), "\(change)")
                try await ReferenceRig.tamper(desk, undo)
                #expect(try await rulebooks.deliver() == 1)
            }
            try await ReferenceRig.tamper(desk, "UPDATE rulebook_version SET content = '{}' WHERE object = 2")
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.version(.routes, "b", 1, by: anna) }
                    == .tampered(noun: "rulebook version", key: "routes/b@1"))
        }
    }

    @Test("A file that is gone or damaged is written again; none that a node may have had is overtaken by a restored store")
    func delivery() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let world = try World()
            let rulebooks = world.rulebooks(units)
            let anna = ReferenceRig.caller()
            var version: Int64?
            for number in 1...7 {
                let wish = RulebookTests.wish(RulebookTests.routes([("", "north"), (String(number), "south")]))
                version = try await rulebooks.save(.routes, "default", wish, version: version, by: anna).entry.version
                _ = try await rulebooks.publish(RulebookTests.everything, note: "x", base: Int64(number - 1), by: anna)
            }
            #expect(try world.folder.numbers() == [7, 6, 5, 4, 3])
            let path = "\(world.directory)/\(RulebookFile.name(7))"
            try Data("damaged".utf8).write(to: URL(filePath: path))
            #expect(try await rulebooks.deliver() == 7)
            #expect(try world.file(7).number == 7)
            try FileManager.default.removeItem(atPath: path)
            #expect(try await rulebooks.deliver() == 7)
            #expect(try world.file(7).number == 7)
            try FileManager.default.copyItem(atPath: path, toPath: "\(world.directory)/\(RulebookFile.name(20))")
            #expect(try await rulebooks.deliver() == nil)
            let back = try await rulebooks.rollBack(to: 5, note: "after the restore", base: 7, by: anna).release
            #expect(back.number == 21)
            #expect(try world.file(21).objects == world.file(5).objects)
            let folder = RulebookFolder("\(world.directory)/none/of/it")
            let elsewhere = Rulebooks(units, Rulebooks.World(folder: folder, surroundings: { Rulebook.Surroundings() }))
            let unheard = try await elsewhere.rollBack(to: 6, note: "nobody hears", base: 21, by: anna)
            #expect(unheard.release.number == 22 && !unheard.isHanded)
            #expect(try await rulebooks.deliver() == 22)
            // The folder cannot be written: it is a file.
            try FileManager.default.removeItem(atPath: world.directory)
            try Data().write(to: URL(filePath: world.directory))
            #expect(
                await ReferenceRig.fault { _ = try await rulebooks.deliver() }?.description.contains("cannot be handed to the node") == true
            )
            let refused = await ReferenceRig.fault { _ = try await rulebooks.rollBack(to: 5, note: "x", base: 22, by: anna) }
            #expect(refused?.description.contains("open") == true)
        }
    }
}
