import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: units")
struct UnitTests {
    static func wish(_ code: String, parent: Int64? = nil) -> Unit.Wish {
        Unit.Wish(code: code, name: "Unit \(code)", description: "For tests.", parent: parent, zone: "Europe/Warsaw", locale: "pl-PL")
    }

    @Test("A unit is made, changed and listed; each act is in the audit, with its owner", arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let anna = ReferenceRig.caller()
            let retail = try await units.add(UnitTests.wish("retail"), by: anna)
            #expect(
                retail.number == 1 && retail.version == 1 && retail.owner == "principal:anna" && retail.createdAt == ReferenceRig.now / 1000
            )
            _ = try await units.add(UnitTests.wish("cards", parent: 1), by: anna)
            var wish = UnitTests.wish("retail")
            wish.name = "Retail banking"
            let changed = try await units.change(1, wish, version: 1, by: ReferenceRig.caller(nil, "bert"))
            #expect(changed.name == "Retail banking" && changed.version == 2 && changed.owner == "principal:anna")
            #expect(try await units.get(1, by: anna) == changed)
            let page = try await units.list(try PageWish(limit: 1), by: anna)
            #expect(page.items == [changed])
            let next = try await units.list(try PageWish(after: page.next, limit: 1), by: anna)
            #expect(next.items.map(\.code) == ["cards"] && next.next == nil)
            #expect(
                try await ReferenceRig.audit(desk) == [
                    "unit.written unit/1@1 done", "unit.written unit/2@1 done", "unit.written unit/1@2 done",
                ])
        }
    }

    @Test("What does not hold is named, all fields at once, and nothing is entered", arguments: SQLStore.Engine.allCases)
    func wrong(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let anna = ReferenceRig.caller()
            _ = try await units.add(UnitTests.wish("retail"), by: anna)
            _ = try await units.add(UnitTests.wish("cards", parent: 1), by: anna)
            let bad = Unit.Wish(code: "X", name: " ", description: "a\u{1}", zone: "nowhere!", locale: "polish")
            #expect(
                await ReferenceRig.fault { _ = try await units.add(bad, by: anna) }?.paths == [
                    "code malformed", "name required", "description characters", "zone malformed", "locale malformed",
                ])
            #expect(await ReferenceRig.fault { _ = try await units.add(UnitTests.wish("retail"), by: anna) }?.paths == ["code conflict"])
            #expect(
                await ReferenceRig.fault { _ = try await units.add(UnitTests.wish("new", parent: 9), by: anna) }?.paths == [
                    "parent unknown"
                ])
            #expect(
                await ReferenceRig.fault { _ = try await units.change(1, UnitTests.wish("retail", parent: 2), version: 1, by: anna) }?.paths
                    == ["parent circle"])
            #expect(
                await ReferenceRig.fault { _ = try await units.change(1, UnitTests.wish("retail"), version: 3, by: anna) }
                    == .changed(noun: "unit", version: 1))
            #expect(await ReferenceRig.fault { _ = try await units.get(7, by: anna) } == .notFound(noun: "unit", key: "7"))
            let reader = ReferenceRig.caller(nil, "carl", [.readReference])
            #expect(await ReferenceRig.fault { _ = try await units.add(UnitTests.wish("new"), by: reader) } == .forbidden(.manageReference))
            #expect(try await ReferenceRig.audit(desk).count == 2)
        }
    }

    @Test("Whoever belongs to a unit sees it and those below, and changes nothing beside them", arguments: SQLStore.Engine.allCases)
    func visibility(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { _, units in
            let anna = ReferenceRig.caller()
            for (code, parent) in [("retail", nil), ("corporate", nil), ("cards", 1), ("loans", 3)] as [(String, Int64?)] {
                _ = try await units.add(UnitTests.wish(code, parent: parent), by: anna)
            }
            let retail = ReferenceRig.caller(1)
            #expect(try await units.list(try PageWish(), by: retail).items.map(\.code) == ["retail", "cards", "loans"])
            #expect(await ReferenceRig.fault { _ = try await units.get(2, by: retail) } == .notFound(noun: "unit", key: "2"))
            #expect(try await units.add(UnitTests.wish("savings", parent: 4), by: retail).number == 5)
            #expect(
                await ReferenceRig.fault { _ = try await units.add(UnitTests.wish("x", parent: 2), by: retail) }?.paths == ["unit foreign"])
            #expect(await ReferenceRig.fault { _ = try await units.add(UnitTests.wish("x"), by: retail) }?.paths == ["unit foreign"])
            #expect(
                await ReferenceRig.fault { _ = try await units.change(3, UnitTests.wish("cards", parent: 2), version: 1, by: retail) }?
                    .paths
                    == ["unit foreign"])
            #expect(try await units.list(try PageWish(), by: ReferenceRig.caller(99)).items.isEmpty)
        }
    }

    @Test("A row changed in the database is named and never believed", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            _ = try await units.add(UnitTests.wish("retail"), by: ReferenceRig.caller())
            _ = try await units.add(UnitTests.wish("cards", parent: 1), by: ReferenceRig.caller())
            try await ReferenceRig.tamper(desk, "UPDATE unit SET parent = NULL WHERE number = 2")
            #expect(await ReferenceRig.fault { _ = try await units.get(2, by: ReferenceRig.caller()) } == .tampered(noun: "unit", key: "2"))
            // Neither is what a caller sees built on it.
            #expect(
                await ReferenceRig.fault { _ = try await units.get(1, by: ReferenceRig.caller(1)) } == .tampered(noun: "unit", key: "2"))
        }
    }

    @Test("A circle of units in memory ends")
    func circle() {
        #expect(Visibility(of: 1, parents: [1: 2, 2: 1, 3: 2, 4: nil]).units == [1, 2, 3])
        #expect(Visibility(of: nil, parents: [:]).sees(7) && Visibility(of: 1, parents: [:]).sees(nil))
        #expect(!Visibility(of: 1, parents: [:]).mayChange(nil) && Visibility(of: 1, parents: [:]).mayChange(1))
    }
}
