import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// Imports of customers from files, on both engines.
@Suite("Desk: import of customers") struct CustomerImportTests {
    private let anna = CustomerRig.anna
    private static let head = "reference,given_name,family_name,phone,email,locale,unit,packages,consents,loyalty_points"

    private static func line(_ number: Int) -> String {
        "c\(number),Given\(number),\"Family, \(number)\",+44 7700 9\(String(number + 100_000).dropFirst()),c\(number)@mail.example,en-GB,"
            + "\(number % 7),3 2024-01-01,1 sms given 2024-02-03 v2|2 all withdrawn 2024-02-03T04:05:06Z,\(number)"
    }

    private func run(
        _ rig: CustomerRig, _ path: String, lines: Int = 100, errors: Int = 1000, map: String = "",
        format: ImportOptions.Format = .csv, progress: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportProgress {
        var options = ImportOptions()
        (options.lines, options.errorsMaximum, options.map, options.format) = (lines, errors, map, format)
        return try await FileImport(rig.customers, options).run(file: path, by: anna, progress: progress)
    }

    @Test(
        "A file's customers are there, sealed and found by their addresses, with consents as evidence", arguments: SQLStore.Engine.allCases)
    func whole(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let text = ([CustomerImportTests.head] + (1...1000).map(CustomerImportTests.line)).joined(separator: "\r\n")
            let end = try await run(rig, try rig.write(text, "a.csv"))
            #expect(end.added == 1000 && end.refused == 0 && end.isDone && end.lines == 1001)
            let found = try #require(try await rig.customers.find(email: "C777@MAIL.example", by: anna).first)
            #expect(found == (try await rig.customers.find(phone: "+44 7700 900777", by: anna).first))
            #expect(found.packages.map(\.package) == [3] && found.packages.map(\.from) == [19_723] && found.unit == 0)
            #expect(found.consents.map(\.state) == ["given", "withdrawn"] && found.consents.map(\.channel) == ["sms", nil])
            #expect(found.attributes.map(\.value) == ["777"])
            let said = try await rig.customers.consents(found.id, PageWish(), by: anna).items
            #expect(
                said.map(\.way) == ["file", "file"] && said.map(\.textVersion) == ["v2", ""] && said[0].at.milliseconds == 1_706_918_400_000
            )
            let clear = try await rig.customers.reveal(found.id, by: anna)
            #expect(clear.familyName == "Family, 777" && clear.reference == "c777")
            let changes = try await rig.customers.changes(after: 0, limit: 5000).changes
            #expect(changes.map(\.change) == Array(1...1000))
            let bytes = try await rig.allBytes()
            for word in ["Given7", "c777", "mail.example"] { #expect(!bytes.holds(Array(word.utf8))) }
            // Once more: the import is done, nothing is read.
            #expect(try await run(rig, "\(rig.folder)/a.csv") == end)
        }
    }

    @Test("Bad lines are named with line, field and reason in a file beside, and stop nothing")
    func errors() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let lines = [
                CustomerImportTests.head, CustomerImportTests.line(1), ",No,Reference,,,,,,,", "c2,Given", "c3,A,B,07700900123,none,,,,,",
                "c4,A,B,,,,,3 soon,1 sms maybe 2024-01-01,x", CustomerImportTests.line(5), "c1,Changed,,,,,,,,",
                "c9,,,,,,,,1 sms given 2062-01-01,",
            ]
            let end = try await run(rig, try rig.write(lines.joined(separator: "\n"), "b.csv"), lines: 3)
            #expect(end.added == 2 && end.changed == 1 && end.refused == 5 && end.same == 0)
            let errors = try String(contentsOfFile: "\(rig.folder)/b.csv.errors.csv", encoding: .utf8)
            #expect(
                errors.split(separator: "\r\n").map(String.init) == [
                    "line,field,reason", "3,reference,what the bank's systems name the customer", "4,line,2 fields instead of 10",
                    "5,phone,write + or 00 and the country code first", "5,email,it has no @", "6,packages,a date as 2026-11-23",
                    "6,consents,\"given, withdrawn or pending\"", "6,loyalty_points,a whole number", "9,consents,it is said in the future",
                ])
            let first = try #require(try await rig.customers.find(reference: "c1", by: anna))
            // What the last line does not speak of is as it was.
            #expect(first.givenName == "C•••" && first.contacts.count == 2 && first.version == 2)
            var bound = anna
            bound.unit = 7
            await #expect(throws: DeskFault.self) {
                try await FileImport(rig.customers, ImportOptions()).run(file: "\(rig.folder)/b.csv", by: bound)
            }
        }
    }

    @Test("More bad lines than are allowed stop the import, and it goes on from there when more are allowed")
    func tooMany() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let lines = [CustomerImportTests.head] + (1...40).map { $0 % 2 == 0 ? "bad" : CustomerImportTests.line($0) }
            let path = try rig.write(lines.joined(separator: "\n"), "c.csv")
            await #expect(throws: ImportFault.tooManyErrors(refused: 10, maximum: 9)) {
                try await run(rig, path, lines: 10, errors: 9)
            }
            let end = try await run(rig, path, lines: 10, errors: 20)
            #expect(end.added == 20 && end.refused == 20 && end.isDone)
            let errors = try String(contentsOfFile: "\(path).errors.csv", encoding: .utf8)
            #expect(errors.split(separator: "\r\n").count == 21)
        }
    }

    @Test("An import that is stopped anywhere goes on where it stood, and ends as one that was not", arguments: SQLStore.Engine.allCases)
    func restarted(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let lines = [CustomerImportTests.head] + (1...600).map { $0 % 50 == 0 ? "bad" : CustomerImportTests.line($0) }
            let path = try rig.write(lines.joined(separator: "\n"), "d.csv")
            var runs = 0
            var last = ImportProgress(id: "")
            while !last.isDone, runs < 50 {
                runs += 1
                // Each run is cancelled after its second stretch: what was being written then may be in the store or not.
                let box = Progress()
                let task = Task {
                    try await run(rig, path, lines: 40) { progress in
                        box.add()
                        if box.count == 3 { withUnsafeCurrentTask { $0?.cancel() } }
                        _ = progress
                    }
                }
                do {
                    last = try await task.value
                } catch ImportFault.cancelled {
                    continue
                }
            }
            #expect(runs > 2 && last.isDone)
            #expect(last.added == 588 && last.refused == 12 && last.changed == 0 && last.same == 0)
            let images = try await rig.customers.images(after: 0, limit: 5000).images
            #expect(Set(images.map(\.reference)).count == 588 && images.count == 588)
            let errors = try String(contentsOfFile: "\(path).errors.csv", encoding: .utf8).split(separator: "\r\n")
            #expect(errors.dropFirst().compactMap { Int($0.prefix { $0 != "," }) } == (1...12).map { $0 * 50 + 1 })
        }
    }

    @Test(
        "What a file writes is not urgent; what is said otherwise is, as the customer is now, until it is forgotten",
        arguments: SQLStore.Engine.allCases)
    func urgent(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let lines = [CustomerImportTests.head] + (1...300).map(CustomerImportTests.line)
            _ = try await run(rig, try rig.write(lines.joined(separator: "\n"), "g.csv"))
            func urgent(after: Int64 = 0, limit: Int = 10) async throws -> [(change: Int64, CustomerChange)] {
                try await rig.customers.urgent(after: after, limit: limit).changes
            }
            #expect(try await urgent().isEmpty)
            let (first, second) = (try await rig.customers.newestChange() + 1, try await rig.customers.newestChange() + 2)
            let seventh = try #require(try await rig.customers.find(email: "c7@mail.example", by: anna).first).id
            let word = ConsentStatement(purpose: 1, channel: .sms, state: .withdrawn, at: CustomerRig.now / 1000, way: .callCentre)
            _ = try await rig.customers.enter(word, of: seventh, by: anna)
            try await rig.customers.erase(9, by: anna)
            let said = try await urgent()
            #expect(said.map(\.change) == [first, second] && said.last?.1 == .erased(9))
            guard case .written(let before)? = said.first?.1 else { throw CustomerRig.NotFailed() }
            #expect(before.subject == seventh)
            // A file changes the same customer: what goes ahead is the customer with both.
            var more = lines
            more[7] = "c7,-,,+447700912345|+447700900007,-,,,-,,"
            _ = try await run(rig, try rig.write(more.joined(separator: "\n"), "h.csv"))
            let now = try await urgent()
            #expect(now.map(\.change) == [first, second])
            guard case .written(let after)? = now.first?.1 else { throw CustomerRig.NotFailed() }
            let customer = try after.clear.withUnsafeBytes { try Customer(subject: after.subject, reading: $0) }
            #expect(after != before && customer.consents.contains { $0.channel == .sms && $0.state == .withdrawn })
            #expect(try await urgent(after: first).map(\.change) == [second])
            #expect(try await urgent(limit: 1).map(\.change) == [first])
            #expect(try await rig.customers.dropUrgent(upTo: second, limit: 1) == 1)
            #expect(try await urgent().map(\.change) == [second])
            #expect(try await rig.customers.dropUrgent(upTo: first, limit: 9) == 0)
            #expect(try await rig.customers.dropUrgent(upTo: second, limit: 9) == 1)
            #expect(try await urgent().isEmpty)
        }
    }

    @Test("Lines that say nothing new change nothing; others change what they speak of", arguments: SQLStore.Engine.allCases)
    func again(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let lines = [CustomerImportTests.head] + (1...300).map(CustomerImportTests.line)
            _ = try await run(rig, try rig.write(lines.joined(separator: "\n"), "e.csv"))
            let change = try await rig.customers.newestChange()
            var more = lines
            more[7] = "c7,-,,+447700912345|+447700900007,-,,,-,1 sms withdrawn 2025-01-01,"
            more.append(CustomerImportTests.line(301))
            let end = try await run(rig, try rig.write(more.joined(separator: "\n"), "f.csv"))
            #expect(end.same == 299 && end.changed == 1 && end.added == 1)
            let seventh = try await rig.customers.changes(after: change, limit: 10).changes
            #expect(seventh.count == 2)
            let view = try #require(try await rig.customers.find(phone: "+447700912345", by: anna).first)
            #expect(view.contacts.map(\.number) == [3, 1] && view.givenName.isEmpty && view.familyName == "F•••")
            #expect(view.packages.isEmpty && view.consents.map(\.state) == ["withdrawn", "withdrawn"])
            #expect(try await rig.customers.consents(view.id, PageWish(), by: anna).items.count == 3)
            #expect(try await rig.customers.find(email: "c7@mail.example", by: anna).isEmpty)
        }
    }

    @Test("A customer whom someone else writes meanwhile is taken as it then is", arguments: SQLStore.Engine.allCases)
    func meanwhile(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let lines = [CustomerImportTests.head] + (1...200).map(CustomerImportTests.line)
            let path = try rig.write(lines.joined(separator: "\n"), "g.csv")
            // Written between two stretches, among them customers that the file has too.
            let writer = Task {
                for number in [150, 900, 151, 901, 152] {
                    var wish = CustomerRig.wish("c\(number)")
                    wish.tier = 5
                    _ = try await rig.customers.add(wish, by: anna)
                }
            }
            let end = try await run(rig, path, lines: 10)
            var refusals = 0
            do { try await writer.value } catch DeskFault.conflict { refusals += 1 }
            #expect(end.isDone && end.added + end.changed == 200 && refusals <= 1)
            let images = try await rig.customers.images(after: 0, limit: 5000).images
            #expect(Set(images.map(\.reference)).count == images.count)
            for number in [1, 150, 200] {
                let view = try #require(try await rig.customers.find(reference: "c\(number)", by: anna))
                #expect(view.attributes.map(\.value).contains("\(number)"))
            }
            let changes = try await rig.customers.changes(after: 0, limit: 5000).changes.map(\.change)
            #expect(Set(changes).count == changes.count)
        }
    }

    @Test("NDJSON says the same as CSV; names that are other than ours are told by a list")
    func formats() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let text = #"""
                {"KUNNR": "n1", "phone": ["+447700900001", "+447700900002"], "given_name": "Żaneta", "loyalty_tier": 2, "consents": ["1 sms given 2024-01-01"], "ERDAT": 5}
                {"KUNNR": "n2", "shoes": 40}
                """#
            let end = try await run(
                rig, try rig.write(text, "h.ndjson"), map: "# theirs\nreference = KUNNR\nignore = ERDAT\n", format: .ndjson)
            #expect(end.added == 1 && end.refused == 1)
            let view = try #require(try await rig.customers.find(reference: "n1", by: anna))
            #expect(view.contacts.count == 2 && view.givenName == "Ż•••" && view.attributes.map(\.value) == ["2"])
            let errors = try String(contentsOfFile: "\(rig.folder)/h.ndjson.errors.csv", encoding: .utf8)
            #expect(errors.contains("2,shoes,no column has this name"))
        }
    }

    @Test(
        "A heading that cannot be read stops the import before anything is taken",
        arguments: [
            ("phone,email\n+447700900001,a@b.example", "no column is `reference`"), ("reference,shoes\n1,2", "column 2 (`shoes`)"),
            ("reference,Anna Nowak +48\n", "column 2 is not known"), ("reference,phone,phone\n", "column 3 has the name"),
            ("", "first line"),
        ])
    func headings(text: String, reason: String) async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let path = try rig.write(text, "i.csv")
            let fault = await #expect(throws: ImportFault.self) { try await run(rig, path) }
            #expect(fault?.description.contains(reason) == true)
            #expect(fault?.description.contains("Nowak") == false)
            await #expect(throws: ImportFault.self) { try await run(rig, "\(rig.folder)/none.csv") }
            await #expect(throws: ImportFault.self) { try await run(rig, rig.folder) }
            await #expect(throws: ImportFault.self) { try await run(rig, path, map: "reference KUNNR") }
        }
    }

    private final class Progress: Sendable {
        private let total = Mutex(0)
        var count: Int { total.withLock { $0 } }
        func add() { total.withLock { $0 += 1 } }
    }
}
