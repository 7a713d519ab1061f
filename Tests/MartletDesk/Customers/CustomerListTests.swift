import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// Suppression lists: customers put on them and taken off, one by one and from files.
@Suite("Desk: suppression lists") struct CustomerListTests {
    private let anna = CustomerRig.anna

    private func run(
        _ rig: CustomerRig, _ text: String, _ name: String, format: ImportOptions.Format = .csv, names: CustomerNames = .numbers,
        lines: Int = 100, kind: ImportKind = .lists
    ) async throws -> ImportProgress {
        var options = ImportOptions()
        (options.kind, options.format, options.lines) = (kind, format, lines)
        return try await FileImport(rig.customers.desk.customers(rig.vault, names: names), options)
            .run(file: try rig.write(text, name), by: anna)
    }

    private func lists(_ rig: CustomerRig, _ reference: String) async throws -> [String] {
        let view = try #require(try await rig.customers.find(reference: reference, by: anna))
        return view.lists.map { "\($0.list)" + ($0.until.map { " until \($0)" } ?? "") }
    }

    private func audit(_ rig: CustomerRig) async throws -> [String] {
        try await rig.store.read { session in
            try session.rows(StoreStatements.auditForward, [.number(0), .number(100)]).map {
                "\(try $0.text("act")) \(try $0.text("object")) \(try $0.text("outcome"))"
            }
        }
    }

    @Test(
        "Who is put on a list stands in the record with when and until when, for a reason that the audit has",
        arguments: SQLStore.Engine.allCases)
    func single(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let today = UInt16(CustomerRig.now / 86_400_000_000)
            var view = try await rig.customers.list(id, ListEntry(list: 16), by: anna)
            #expect(view.lists.map(\.list) == [16] && view.lists[0].since == today && view.lists[0].until == nil && view.version == 2)
            view = try await rig.customers.list(id, ListEntry(list: 17, until: today), by: anna)
            // The same again writes nothing, and another last day is another entry in the same place.
            #expect(try await rig.customers.list(id, ListEntry(list: 17, until: today), by: anna).version == view.version)
            view = try await rig.customers.list(id, ListEntry(list: 16, until: today + 9), by: anna)
            #expect(view.lists.map(\.until) == [today + 9, today])
            let image = try #require(try await rig.customers.images(after: 0, limit: 1).images.first)
            let customer = try image.clear.withUnsafeBytes { try Customer(subject: id, reading: $0) }
            #expect(customer.listed.map(\.list) == [16, 17])
            view = try await rig.customers.unlist(id, 16, by: anna)
            #expect(view.lists.map(\.list) == [17])
            let gone = DeskFault.notFound(noun: "entry of the suppression list", key: "1")
            #expect(try await CustomerRig.fault { try await rig.customers.unlist(id, 16, by: anna) } == gone)
            // What else is written of the customer leaves them.
            var wish = CustomerWish()
            wish.tier = 4
            #expect(try await rig.customers.change(id, wish, version: Int64(view.version), by: anna).lists == view.lists)
            let acts = try await audit(rig).filter { $0.contains("listed") }
            #expect(
                acts == [
                    "customer.listed customer:1 list 16", "customer.listed customer:1 list 17 until day \(today)",
                    "customer.listed customer:1 list 17 until day \(today)", "customer.listed customer:1 list 16 until day \(today + 9)",
                    "customer.unlisted customer:1 list 16",
                ])
        }
    }

    @Test("Without a reason, with a day that is over or no number, and beyond the room, nobody is put on a list")
    func mistakes() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            var silent = anna
            silent.reason = " "
            func fields(_ entry: ListEntry, by caller: Caller) async throws -> [String] {
                try await CustomerRig.fault { try await rig.customers.list(id, entry, by: caller) }.paths
            }
            #expect(try await fields(ListEntry(list: 16), by: silent) == ["reason required"])
            #expect(try await CustomerRig.fault { try await rig.customers.unlist(id, 16, by: silent) }.paths == ["reason required"])
            #expect(try await fields(ListEntry(list: 0, until: 19_000), by: anna) == ["list range", "until range"])
            for list in 1...32 { _ = try await rig.customers.list(id, ListEntry(list: UInt16(list)), by: anna) }
            #expect(try await fields(ListEntry(list: 33), by: anna) == ["list too_many"])
            let full = try await run(rig, "list,reference\n33,40-118-220\n32,40-118-220", "full.csv")
            #expect(full.refused == 1 && full.same == 1)
            var stranger = anna
            stranger.unit = 8
            let gone = DeskFault.notFound(noun: "customer", key: "1")
            #expect(try await CustomerRig.fault { try await rig.customers.list(id, ListEntry(list: 1), by: stranger) } == gone)
        }
    }

    @Test(
        "A file puts customers on lists by reference or by what they share, and takes them off; read again it changes nothing",
        arguments: SQLStore.Engine.allCases)
    func file(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let customers = "reference,phone,email\nc1,+447700900123,a@mail.example\nc2,+447700900123,\nc3,,c@mail.example"
            _ = try await run(rig, customers, "customers.csv", kind: .customers)
            let text = """
                list,reference,phone,email,until,state
                deceased,c1,,,,
                17,,+44 7700 900123,,2026-12-31,
                17,,,c@mail.example,2027-01-31,on
                deceased,c3,,,,
                deceased,c3,,,,off
                """
            let names = CustomerNames(number: { noun, name in noun == .list && name == "deceased" ? 16 : nil }, attribute: { _ in nil })
            let end = try await run(rig, text, "a.csv", names: names, lines: 2)
            #expect(end.changed == 5 && end.same == 0 && end.refused == 0 && end.isDone && end.lines == 6)
            #expect(try await lists(rig, "c1") == ["16", "17 until 20818"])
            #expect(try await lists(rig, "c2") == ["17 until 20818"])
            #expect(try await lists(rig, "c3") == ["17 until 20849"])
            let again = try await run(rig, text.replacing("\ndeceased,c3,,,,\n", with: "\n"), "b.csv", names: names)
            #expect(again.changed == 0 && again.same == 4)
            #expect(try await audit(rig).contains { $0.hasPrefix("lists.imported") && $0.hasSuffix("5 changed, 0 refused") })
        }
    }

    @Test("Bad lines are named with line, field and reason; an address that is nobody's is one of them")
    func errors() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            _ = try await run(rig, "reference\nc1", "customers.csv", kind: .customers)
            let text = #"""
                {"list": 16, "reference": "c1"}
                {"list": "gone", "reference": "c1"}
                {"reference": "c1", "until": "soon", "state": "maybe"}
                {"list": 16, "phone": "+447700900999"}
                {"list": 16, "email": "x@mail.example", "reference": "c1"}
                {"list": 0, "phone": "7"}
                {"list": 16, "reference": "c9"}
                {"list": 16, "shoes": 40}
                """#
            let end = try await run(rig, text, "a.ndjson", format: .ndjson)
            #expect(end.changed == 1 && end.refused == 7 && end.isDone)
            let errors = try String(contentsOfFile: "\(rig.folder)/a.ndjson.errors.csv", encoding: .utf8)
            #expect(
                errors.split(separator: "\r\n").dropFirst().map { $0.split(separator: ",").prefix(2).joined(separator: " ") } == [
                    "2 list", "3 list", "3 until", "3 state", "4 phone", "5 reference", "6 list", "6 phone", "7 reference", "8 shoes",
                ])
            for (head, reason) in [
                ("reference", "no column is `list`, which an entry has"),
                ("list", "no column is `reference`, `phone` or `email`, one of which an entry has"),
            ] {
                await #expect(throws: ImportFault.header(reason: reason)) { try await run(rig, "\(head)\n1", "\(head).csv") }
            }
            await #expect(throws: ImportFault.tooManyErrors(refused: 2, maximum: 1)) {
                var options = ImportOptions()
                (options.kind, options.errorsMaximum) = (.lists, 1)
                let path = try rig.write("list,reference\n1,c7\n1,c8\n1,c1", "many.csv")
                _ = try await FileImport(rig.customers, options).run(file: path, by: anna)
            }
        }
    }

    @Test("An address that more than a hundred customers have says nothing of any")
    func shared() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let customers = "reference,phone\n" + (0...ListImport.sharing).map { "c\($0),+447700900123" }.joined(separator: "\n")
            _ = try await run(rig, customers, "customers.csv", kind: .customers)
            #expect(try await run(rig, "list,phone\n16,+447700900123", "a.csv").refused == 1)
        }
    }
}
