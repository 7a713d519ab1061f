import Foundation
import Guard
import MartletModel
import SQL
import Testing

@testable import MartletDesk

/// Imports of contacts made elsewhere, and names in files, on both engines.
@Suite("Desk: import of contacts") struct ContactImportTests {
    private let anna = CustomerRig.anna

    private func run(
        _ rig: CustomerRig, _ path: String, kind: ImportKind = .contacts, format: ImportOptions.Format = .csv, lines: Int = 100,
        names: CustomerNames = .numbers, errors: Int = 1000
    ) async throws -> ImportProgress {
        var options = ImportOptions()
        (options.kind, options.format, options.lines, options.errorsMaximum) = (kind, format, lines, errors)
        return try await FileImport(rig.customers.desk.customers(rig.vault, names: names), options).run(file: path, by: anna)
    }

    private func contacts(_ rig: CustomerRig, _ reference: String) async throws -> [ContactElsewhere] {
        let view = try #require(try await rig.customers.find(reference: reference, by: anna))
        return try await rig.customers.revealContacts(view.id, PageWish(), by: anna).items
    }

    @Test(
        "A file's contacts are in their customers' timelines, sealed, each once however often it is read",
        arguments: SQLStore.Engine.allCases)
    func whole(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let customers = (["reference"] + (1...300).map { "c\($0)" }).joined(separator: "\n")
            _ = try await run(rig, try rig.write(customers, "customers.csv"), kind: .customers)
            let head = "reference,at,kind,unit,summary"
            let lines = (1...900).map { "c\($0 % 300 + 1),2026-01-\(10 + $0 / 300)T10:00:00Z,branch,7,\"asked, number \($0)\"" }
            let path = try rig.write(([head] + lines + [lines[0]]).joined(separator: "\r\n"), "a.csv")
            let end = try await run(rig, path, lines: 70)
            #expect(end.added == 900 && end.same == 1 && end.refused == 0 && end.isDone && end.lines == 902)
            let found = try await contacts(rig, "c8")
            #expect(found.map(\.summary) == ["asked, number 607", "asked, number 307", "asked, number 7"])
            #expect(found.map(\.kind) == ["branch", "branch", "branch"] && found[0].unit == 7 && found[0].source == anna.name)
            #expect(!(try await rig.allBytes()).holds(Array("asked".utf8)))
            // As another file: everything is there already.
            let again = try await run(rig, try rig.write(([head] + lines).joined(separator: "\n"), "b.csv"))
            #expect(again.added == 0 && again.same == 900)
            #expect(try await contacts(rig, "c8").count == 3)
        }
    }

    @Test("Bad lines are named with line, field and reason; more than are allowed stop it, and it goes on from there")
    func errors() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            _ = try await run(rig, try rig.write("reference\nc1\nc2", "customers.csv"), kind: .customers)
            let text = #"""
                {"reference": "c1", "at": "2026-01-10", "kind": "social_page", "summary": "asked for help"}
                {"reference": "c1", "at": "soon", "kind": "carrier pigeon", "unit": "north", "summary": "x"}
                {"reference": "nobody", "at": "2026-01-10", "kind": "letter", "summary": "x"}
                {"reference": "c1", "at": "2062-01-10", "kind": "letter", "summary": "x"}
                {"reference": "c1", "shoes": 40}
                {"at": "2026-01-10", "kind": "letter"}
                {"reference": "c2", "at": "2026-01-10T08:00:00+02:00", "kind": "visit", "summary": "was at home"}
                """#
            let path = try rig.write(text, "a.ndjson")
            await #expect(throws: ImportFault.tooManyErrors(refused: 2, maximum: 1)) {
                try await run(rig, path, format: .ndjson, lines: 3, errors: 1)
            }
            let end = try await run(rig, path, format: .ndjson, lines: 3)
            #expect(end.added == 2 && end.refused == 5 && end.isDone)
            let errors = try String(contentsOfFile: "\(path).errors.csv", encoding: .utf8)
            #expect(
                errors.split(separator: "\r\n").map(String.init) == [
                    "line,field,reason", "2,at,\(quoted(CustomerText.momentForm))", "2,kind,\(quoted(ContactKind.form))",
                    "2,unit,no unit has this name or number", "3,reference,no customer has it", "4,at,it is in the future",
                    "5,shoes,no column has this name", "6,reference,a contact has it", "6,summary,a contact has it",
                ])
            #expect(try await contacts(rig, "c2").map(\.at.milliseconds) == [1_768_024_800_000])
            let long = String(repeating: "x", count: 8193)
            let longer = #"{"reference": "c1", "at": "2026-01-10", "kind": "letter", "summary": "\#(long)"}"#
            #expect(try await run(rig, try rig.write(longer, "long.ndjson"), format: .ndjson).refused == 1)
            await #expect(throws: ImportFault.header(reason: "no column is `kind`, which a contact has")) {
                try await run(rig, try rig.write("reference,at,summary\n", "b.csv"))
            }
        }
    }

    @Test("Kinds are the bank's own words, those of a file as those of a person, and known again", arguments: SQLStore.Engine.allCases)
    func kinds(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            _ = try await run(rig, try rig.write("reference\nc1", "customers.csv"), kind: .customers)
            let head = "reference,at,kind,summary"
            let lines = ["fair", "video-call", "branch", "fair2"].enumerated().map { "c1,2026-01-1\($0.offset),\($0.element),asked" }
            let end = try await run(rig, try rig.write(([head] + lines).joined(separator: "\n"), "a.csv"))
            #expect(end.added == 4 && end.refused == 0)
            // One moment and one text, of another kind: another contact.
            let other = try await run(
                rig, try rig.write("\(head)\nc1,2026-01-10,roadshow,asked\nc1,2026-01-10,fair,asked", "b.csv"))
            #expect(other.added == 1 && other.same == 1)
            let found = try await contacts(rig, "c1")
            #expect(found.map(\.kind) == ["fair2", "branch", "video-call", "roadshow", "fair"])
            #expect(found.allSatisfy { $0.summary == "asked" })
            #expect(!(try await rig.allBytes()).holds(Array("video-call".utf8)))
        }
    }

    private func quoted(_ text: String) -> String { text.contains(",") ? "\"\(text)\"" : text }

    @Test("Files name units, packages, purposes, segments, tiers and attributes as the bank does", arguments: SQLStore.Engine.allCases)
    func names(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let units = Units(rig.customers.desk, rowKey: rig.keys.rowKey)
            let definitions = Definitions(units)
            let unit = try await units.add(
                Unit.Wish(code: "north", name: "North", description: "Branches of the north.", zone: "Europe/Warsaw", locale: "pl-PL"),
                by: anna)
            var numbers: [DefinitionKind: Int64] = [:]
            for kind in [DefinitionKind.package, .purpose, .segment, .tier] {
                let wish = Definition.Wish(code: "gold", name: "Gold", description: "For a test.")
                numbers[kind] = try await definitions.add(kind, wish, by: anna).number
            }
            let shoes = Definition.Wish(
                code: "shoe_size", name: "Shoes", description: "For a test.", attribute: AttributeType(.integer, isPersonal: false))
            let attribute = try await definitions.add(.attribute, shoes, by: anna).number
            let names = try await definitions.names(by: anna)
            let text = """
                reference,unit,segment,tier,packages,consents,attribute.shoe_size,loyalty_points
                r1,north,gold,gold,gold 2024-01-01,gold sms given 2024-02-03,42,7
                r2,south,,,silver,,,
                """
            let path = try rig.write(text, "a.csv")
            let end = try await run(rig, path, kind: .customers, names: names)
            #expect(end.added == 1 && end.refused == 1)
            let view = try #require(try await rig.customers.find(reference: "r1", by: anna))
            #expect(Int64(view.unit) == unit.number && Int64(view.segment) == numbers[.segment] && Int64(view.tier) == numbers[.tier])
            #expect(view.packages.first.map { Int64($0.package) } == numbers[.package])
            #expect(view.consents.map { Int64($0.purpose) } == [numbers[.purpose]])
            #expect(view.attributes.contains { Int64($0.attribute) == attribute && $0.value == "42" })
            let errors = try String(contentsOfFile: "\(path).errors.csv", encoding: .utf8)
            #expect(errors.contains("3,unit,no unit has this name or number\r\n3,packages,no package has this name or number"))
            let contacts = try rig.write("reference,at,kind,unit,summary\nr1,2026-01-10,letter,north,wrote", "b.csv")
            #expect(try await run(rig, contacts, names: names).added == 1)
            #expect(try await self.contacts(rig, "r1").map { Int64($0.unit) } == [unit.number])
        }
    }

    @Test("A file of another night is read, also where it begins as the one before did and is as long")
    func anotherNight() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let lines = ["reference,tier"] + (1...9000).map { "c\($0 + 100_000),1" }
            let path = try rig.write(lines.joined(separator: "\n"), "night.csv")
            #expect(try await run(rig, path, kind: .customers, lines: 5000).added == 9000)
            var next = lines
            next[9000] = "c109000,2"
            let written = try rig.write(next.joined(separator: "\n"), "night.csv")
            #expect(try await run(rig, written, kind: .customers, lines: 5000).changed == 1)
        }
    }
}
