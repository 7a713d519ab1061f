import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: objects that are used no more") struct RulebookRetiringTests {
    private static let anna = ReferenceRig.caller()

    private struct Bank {
        let rulebooks: Rulebooks

        init(_ units: Units) {
            let folder = FileManager.default.temporaryDirectory.appending(path: "retiring-\(UUID().uuidString)").path
            rulebooks = Rulebooks(units, Rulebooks.World(folder: RulebookFolder(folder), surroundings: { Rulebook.Surroundings() }))
        }

        func save(_ kind: RulebookKind, _ key: String, _ content: String, version: Int64? = nil) async throws -> RulebookEntry {
            let content = try JSONValue(reading: Array(content.utf8), maximumBytes: 10_000)
            return try await rulebooks.save(
                kind, key, .init(name: "N", description: "D", content: content, note: "why"), version: version,
                by: RulebookRetiringTests.anna
            ).entry
        }

        func publish(_ base: Int64, _ selection: RulebookSelection = RulebookSelection()) async throws {
            _ = try await rulebooks.publish(selection, note: "n", base: base, by: RulebookRetiringTests.anna)
        }

        /// Names of what would hold, had everything been published.
        func differences() async throws -> [String] {
            try await rulebooks.preview(RulebookSelection(), by: RulebookRetiringTests.anna).differences.map {
                "\($0.kind.rawValue)/\($0.key) \($0.before.map { "\($0)" } ?? "-") \($0.after.map { "\($0)" } ?? "-")"
            }
        }
    }

    private static let days = #"{"yearly": ["01-01"]}"#
    private static let night =
        #"{"classes": ["marketing"], "windows": [{"from": "22:00", "until": "08:00"}], "holidays": "bank"}"#

    @Test(
        "What others use cannot be retired; what is retired goes with the next publishing of everything and stays away until it is written anew",
        arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let bank = Bank(units)
            let (rulebooks, anna) = (bank.rulebooks, Self.anna)
            _ = try await bank.save(.holidays, "bank", Self.days)
            _ = try await bank.save(.quietHours, "night", Self.night)
            _ = try await bank.save(.holidays, "spare", Self.days)
            try await bank.publish(0)
            func retire(_ key: String, _ version: Int64) async -> DeskFault? {
                await ReferenceRig.fault { try await rulebooks.retire(.holidays, key, version: version, by: anna) }
            }
            #expect(await retire("bank", 1) == .conflict(field: "key", reason: "it is used by quiet-hours/night"))
            // A draft that no longer names it does not free it while the release does.
            _ = try await bank.save(.quietHours, "night", Self.night.replacing(#", "holidays": "bank""#, with: ""), version: 1)
            #expect(await retire("bank", 1) == .conflict(field: "key", reason: "it is used by quiet-hours/night"))
            #expect(await retire("spare", 7) == .changed(noun: "rulebook object", version: 1))
            #expect(await retire("nobody", 1) == .notFound(noun: "rulebook object", key: "holidays/nobody"))

            #expect(await retire("spare", 1) == nil)
            #expect(await retire("spare", 2) == .conflict(field: "key", reason: "it is retired already"))
            let retired = try await rulebooks.get(.holidays, "spare", by: anna)
            #expect(retired.retiredAt == ReferenceRig.now / 1000 && retired.version == 2 && retired.newest == 1 && !retired.hasDraft)
            #expect(try await bank.differences() == ["holidays/spare 1 -", "quiet-hours/night 1 2"])
            // Who names it is told; a release of others leaves what holds.
            let named = RulebookSelection(objects: [.init(kind: "holidays", key: "spare")])
            #expect(
                await ReferenceRig.fault { try await bank.publish(1, named) }
                    == .invalid([FieldFault("objects[0].key", "retired", "it is retired; write it anew, or leave it out")]))
            try await bank.publish(1)
            #expect(try await bank.differences().isEmpty)
            #expect(try await rulebooks.get(.holidays, "spare", by: anna).published == nil)
            #expect(await retire("bank", 1) == nil)
            try await bank.publish(2)
            #expect(try await bank.differences().isEmpty)

            // What an older release had comes back with it, and goes again.
            _ = try await rulebooks.rollBack(to: 1, note: "n", base: 3, by: anna)
            #expect(try await bank.differences() == ["holidays/bank 1 -", "holidays/spare 1 -", "quiet-hours/night 1 2"])
            // Written anew, by who does not know of it, it is another version of the same object.
            let again = try await bank.save(.holidays, "spare", #"{"yearly": ["05-01"]}"#)
            #expect(again.newest == 2 && again.version == 3 && again.retiredAt == nil && again.number == retired.number)
            #expect(try await rulebooks.versions(.holidays, "spare", PageWish(limit: 9), by: anna).items.map(\.number) == [2, 1])
            #expect(try await bank.differences() == ["holidays/bank 1 -", "holidays/spare 1 2", "quiet-hours/night 1 2"])
            #expect(
                try await ReferenceRig.audit(desk).filter { $0.hasPrefix("rulebook.retired") && $0.hasSuffix("done") }
                    == ["rulebook.retired rulebook/holidays/spare done", "rulebook.retired rulebook/holidays/bank done"])
        }
    }

    @Test("A hand in the database that retires an object, or brings it back, is found", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        for change in ["retired_at = NULL WHERE key = 'spare'", "retired_at = 5 WHERE key = 'bank'", "retired_at = 5 WHERE key = 'spare'"] {
            try await ReferenceRig.with(engine) { desk, units in
                let bank = Bank(units)
                _ = try await bank.save(.holidays, "bank", Self.days)
                _ = try await bank.save(.holidays, "spare", Self.days)
                try await bank.rulebooks.retire(.holidays, "spare", version: 1, by: Self.anna)
                try await ReferenceRig.tamper(desk, "UPDATE rulebook_object SET \(change)")
                let key = change.contains("bank") ? "holidays/bank" : "holidays/spare"
                let fault = await ReferenceRig.fault { _ = try await bank.rulebooks.list(PageWish(limit: 9), by: Self.anna) }
                #expect(fault == .tampered(noun: "rulebook object", key: key), "\(change)")
            }
        }
    }

    @Test("A unit retires its own objects alone, and only who may write does")
    func rights() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let bank = Bank(units)
            _ = try await bank.save(.holidays, "bank", Self.days)
            let unit = try await units.add(
                .init(code: "north", name: "North", description: "D", zone: "Europe/Kyiv", locale: "uk-UA"), by: Self.anna)
            let bert = ReferenceRig.caller(unit.number, "bert")
            #expect(await ReferenceRig.fault { try await bank.rulebooks.retire(.holidays, "bank", version: 1, by: bert) } != nil)
            let reader = ReferenceRig.caller(nil, "carl", [.readRulebook])
            #expect(
                await ReferenceRig.fault { try await bank.rulebooks.retire(.holidays, "bank", version: 1, by: reader) }
                    == .forbidden(.writeRulebook))
            #expect(try await bank.rulebooks.get(.holidays, "bank", by: Self.anna).retiredAt == nil)
        }
    }

    @Test("Errors at publishing stand at their places, as preview tells them, and an event whose type is not there is not saved")
    func faults() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let bank = Bank(units)
            _ = try await bank.save(.quietHours, "night", Self.night)
            let fault = await ReferenceRig.fault { try await bank.publish(0) }
            guard case .invalid(let faults)? = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
            #expect(faults.map(\.path) == ["quiet-hours/night$.holidays"] && faults.map(\.code) == ["rulebook"])
            #expect(faults.first?.message.hasPrefix("there is no holidays/bank; ") == true)
            // To the caller as it is, though other paths become pointers into the body.
            guard case .bytes(let bytes) = APIProblem(.invalid(faults + [FieldFault("objects[0].key", "unknown", "m")])).answer.body else {
                Issue.record("it has no text")
                return
            }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(
                text.contains(#""path":"quiet-hours/night$.holidays""#) || text.contains(#""path":"quiet-hours\/night$.holidays""#),
                "\(text)")
            #expect(text.contains(#""path":"/objects/0/key""#) || text.contains(#""path":"\/objects\/0\/key""#), "\(text)")

            let unknown = DeskFault.invalid([
                FieldFault("content.type", "unknown", "there is no such event-type; write it first, or name another")
            ])
            #expect(await ReferenceRig.fault { _ = try await bank.save(.event, "paid", #"{"type": "cards"}"#) } == unknown)
            let type = try await bank.save(.eventType, "cards", "{}")
            #expect(try await bank.save(.event, "paid", #"{"type": "cards"}"#).newest == 1)
            // A draft has a type, too, and a number that it does not bring is not all that is told.
            let required = FieldFault("content.type", "required", "an event has a type; name an event-type")
            for none in ["{}", #"{"type": null}"#] {
                #expect(await ReferenceRig.fault { _ = try await bank.save(.event, "lost", none) } == .invalid([required]))
            }
            #expect(
                await ReferenceRig.fault { _ = try await bank.save(.event, "lost", #"{"number": 5}"#) }
                    == .invalid([required, FieldFault("content.number", "immutable", "it is given by Martlet; leave it out")]))
            #expect(
                await ReferenceRig.fault { _ = try await bank.save(.event, "lost", #"{"type": 3}"#) }
                    == .invalid([FieldFault("content.type", "type", "it is a number, not the key of an event-type")]))
            #expect(await ReferenceRig.fault { _ = try await bank.rulebooks.get(.event, "lost", by: Self.anna) } != nil)
            // One that an event's draft has is not retired, and one that is retired is not there.
            #expect(
                await ReferenceRig.fault { try await bank.rulebooks.retire(.eventType, "cards", version: type.version, by: Self.anna) }
                    == .conflict(field: "key", reason: "it is used by event/paid"))
            let old = try await bank.save(.eventType, "old", "{}")
            try await bank.rulebooks.retire(.eventType, "old", version: old.version, by: Self.anna)
            #expect(await ReferenceRig.fault { _ = try await bank.save(.event, "paid", #"{"type": "old"}"#, version: 1) } == unknown)
        }
    }
}
