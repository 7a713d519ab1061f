import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: definitions")
struct DefinitionTests {
    private static func wish(_ code: String, unit: Int64? = nil, _ attribute: AttributeType? = nil) -> Definition.Wish {
        Definition.Wish(code: code, name: "The \(code)", description: "For tests.", unit: unit, attribute: attribute)
    }

    @Test("Definitions of every kind have numbers of their own; those of every installation are there", arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let definitions = Definitions(units)
            try await definitions.seed()
            try await definitions.seed()
            let anna = ReferenceRig.caller()
            let colour = try await definitions.add(
                .attribute, DefinitionTests.wish("card_colour", AttributeType(.choice, isPersonal: false, choices: ["gold", "blue"])),
                by: anna)
            #expect(colour.number == 16 && colour.attribute?.choices == ["gold", "blue"])
            for kind in DefinitionKind.allCases where kind != .attribute {
                #expect(try await definitions.add(kind, DefinitionTests.wish("one"), by: anna).number == 16)
                #expect(try await definitions.add(kind, DefinitionTests.wish("two"), by: anna).number == 17)
            }
            let attributes = try await definitions.list(.attribute, try PageWish(), by: anna).items
            #expect(attributes.map(\.code) == ["loyalty_tier", "loyalty_points", "engagement", "best_hour", "card_colour"])
            #expect(attributes[1].attribute == AttributeType(.integer, isPersonal: false))
            #expect(attributes[0].number == Int64(CustomerAttribute.loyaltyTier))
            #expect(try await definitions.list(.app, try PageWish(limit: 1), by: anna).next == Cursor(number: 16))

            var wish = DefinitionTests.wish("card_colour", AttributeType(.choice, isPersonal: false, choices: ["blue", "gold", "black"]))
            let grown = try await definitions.change(.attribute, 16, wish, version: 1, by: anna)
            #expect(grown.version == 2 && grown.attribute?.choices.count == 3)
            wish.name = "Colour"
            let retired = try await definitions.change(.attribute, 16, wish, isRetired: true, version: 2, by: anna)
            #expect(retired.retiredAt == ReferenceRig.now / 1000)
            #expect(try await definitions.get(.attribute, 16, by: anna) == retired)
            let found = try await desk.store.read { session in
                (
                    try definitions.find(.attribute, code: "card_colour", session), try definitions.find(.attribute, code: "none", session),
                    try definitions.all(.attribute, session).count
                )
            }
            #expect(found.0 == retired && found.1 == nil && found.2 == 5)
            #expect(try await ReferenceRig.audit(desk).last == "definition.written attribute/16@3 done")

            _ = try await units.add(UnitTests.wish("retail"), by: anna)
            let names = try await definitions.names(by: anna)
            #expect(names.number(.unit, "retail") == 1 && names.number(.purpose, "two") == 17 && names.number(.zone, "two") == nil)
            #expect(names.attribute("loyalty_points")?.form == .integer)
            #expect(names.attribute("card_colour") == nil)
        }
    }

    @Test("What does not hold is named; the type of what has values stays", arguments: SQLStore.Engine.allCases)
    func wrong(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { _, units in
            let definitions = Definitions(units)
            try await definitions.seed()
            let anna = ReferenceRig.caller()
            func fault(_ kind: DefinitionKind, _ wish: Definition.Wish) async -> [String]? {
                await ReferenceRig.fault { _ = try await definitions.add(kind, wish, by: anna) }?.paths
            }
            #expect(await fault(.attribute, DefinitionTests.wish("a")) == ["attribute required"])
            #expect(await fault(.app, DefinitionTests.wish("a", AttributeType(.text, isPersonal: true))) == ["attribute not_allowed"])
            #expect(
                await fault(.attribute, DefinitionTests.wish("a", AttributeType(.choice, isPersonal: true)))
                    == ["attribute.choices required"])
            #expect(
                await fault(.attribute, DefinitionTests.wish("a", AttributeType(.choice, isPersonal: true, choices: ["x", "", "x"])))
                    == ["attribute.choices[1] required", "attribute.choices[2] twice"])
            #expect(
                await fault(.attribute, DefinitionTests.wish("a", AttributeType(.text, isPersonal: true, choices: ["x"])))
                    == ["attribute.choices not_allowed"])
            #expect(await fault(.app, DefinitionTests.wish("a", unit: 5)) == ["unit unknown"])
            #expect(
                await fault(.attribute, DefinitionTests.wish("loyalty_tier", AttributeType(.integer, isPersonal: false))) == [
                    "code conflict"
                ])
            let own = try await definitions.add(.attribute, DefinitionTests.wish("a", AttributeType(.text, isPersonal: true)), by: anna)
            func change(_ number: Int64, _ wish: Definition.Wish, version: Int64 = 1) async -> [String]? {
                await ReferenceRig.fault { _ = try await definitions.change(.attribute, number, wish, version: version, by: anna) }?.paths
            }
            #expect(await change(own.number, DefinitionTests.wish("a", AttributeType(.text, isPersonal: false))) == ["attribute conflict"])
            #expect(await change(own.number, DefinitionTests.wish("a", AttributeType(.date, isPersonal: true))) == ["attribute conflict"])
            #expect(await change(1, DefinitionTests.wish("tier", AttributeType(.integer, isPersonal: false))) == ["number conflict"])
            #expect(await change(own.number, DefinitionTests.wish("a", AttributeType(.text, isPersonal: true)), version: 4)?.count == 1)
        }
    }

    @Test("A unit sees its own and the bank's definitions, and changes its own alone", arguments: SQLStore.Engine.allCases)
    func units(engine: SQLStore.Engine) async throws {
        try await ReferenceRig.with(engine) { desk, units in
            let definitions = Definitions(units)
            for code in ["retail", "corporate"] { _ = try await units.add(UnitTests.wish(code), by: ReferenceRig.caller()) }
            _ = try await definitions.add(.segment, DefinitionTests.wish("all"), by: ReferenceRig.caller())
            let own = try await definitions.add(.segment, DefinitionTests.wish("young"), by: ReferenceRig.caller(1))
            #expect(own.unit == 1)
            _ = try await definitions.add(.segment, DefinitionTests.wish("firms"), by: ReferenceRig.caller(2))
            #expect(try await definitions.list(.segment, try PageWish(), by: ReferenceRig.caller(1)).items.map(\.code) == ["all", "young"])
            #expect(try await definitions.list(.segment, try PageWish(), by: ReferenceRig.caller()).items.count == 3)
            #expect(
                await ReferenceRig.fault { _ = try await definitions.get(.segment, 18, by: ReferenceRig.caller(1)) }
                    == .notFound(noun: "segment", key: "18"))
            for (number, unit) in [(16, nil), (17, 2)] as [(Int64, Int64?)] {
                let wish = DefinitionTests.wish("other", unit: unit)
                #expect(
                    await ReferenceRig.fault {
                        _ = try await definitions.change(.segment, number, wish, version: 1, by: ReferenceRig.caller(1))
                    }?
                    .paths
                        == ["unit foreign"])
            }
            try await ReferenceRig.tamper(desk, "UPDATE definition SET unit = 1 WHERE number = 18")
            #expect(
                await ReferenceRig.fault { _ = try await definitions.get(.segment, 18, by: ReferenceRig.caller(1)) }
                    == .tampered(noun: "definition", key: "segment/18"))
        }
    }
}
