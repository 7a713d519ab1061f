import Foundation
import Guard
import Logging
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// What a customer's row that is damaged keeps from others, and what of his own it loses: nothing.
@Suite("Desk: customers whose rows are damaged") struct SetAsideTests {
    private let anna = CustomerRig.anna
    private static let now = FactTime(CustomerRig.now / 1_000_000)

    private func work() -> SetAsideWork { SetAsideWork(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) }

    /// Three customers; the first two share a number.
    private func with(_ engine: SQLStore.Engine, _ body: (CustomerRig, [SubjectNumber], UInt64) async throws -> Void) async throws {
        try await CustomerRig.with(engine) { rig in
            var ids: [SubjectNumber] = []
            for reference in ["40-118-220", "40-118-221"] {
                ids.append(try await rig.customers.add(CustomerRig.wish(reference), by: anna).id)
            }
            var third = CustomerRig.wish("40-118-222")
            third.contacts = [.init(kind: "phone", value: "+44 7700 900456")]
            ids.append(try await rig.customers.add(third, by: anna).id)
            try await body(rig, ids, rig.vault.hashes.phone(447_700_900_123))
        }
    }

    private func damage(_ rig: CustomerRig, _ subject: SubjectNumber) async throws {
        try await rig.change("UPDATE customer SET unit = unit + 1 WHERE subject = \(subject)")
    }

    private func restore(_ rig: CustomerRig, _ subject: SubjectNumber) async throws {
        try await rig.change("UPDATE customer SET unit = unit - 1 WHERE subject = \(subject)")
    }

    private func learn(_ rig: CustomerRig, _ fact: AddressFact, _ hash: UInt64) async throws {
        try await rig.store.transaction { try rig.customers.learn(fact, kind: .phone, hash: hash, $0) }
    }

    private func say(_ rig: CustomerRig, _ subject: SubjectNumber, _ package: UInt16, _ isWanted: Bool, at: Int64) async throws {
        let said = PackageSaid(
            subject: subject, word: PackageWord(package, isWanted: isWanted, at: at),
            message: MessageID(milliseconds: at / 1000, partition: 1, random: UInt64(at)))
        try await rig.store.transaction { try rig.customers.learn(said, $0) }
    }

    @Test(
        "A STOP from a number whose customer is damaged holds for all others at once, and for him when his row is whole again",
        arguments: SQLStore.Engine.allCases)
    func stop(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, hash in
            let work = work()
            try await damage(rig, ids[0])
            try await learn(rig, AddressFact(.optedOut, at: SetAsideTests.now), hash)
            #expect(try await rig.customers.get(ids[1], by: anna).contacts[0].isOptedOut)
            #expect(try await rig.customers.setAside(after: 0, limit: 9) == [ids[0]])
            try await work.look(rig.customers)
            #expect(work.samples.map(\.value) == [1, 0])

            // The row alone is whole: until what waits was taken in, the node is without him.
            try await restore(rig, ids[0])
            #expect(try await rig.customers.images(after: 0, limit: 9).images.map(\.subject) == [ids[1], ids[2]])
            let newest = try await rig.customers.newestChange()
            try await work.look(rig.customers)
            #expect(work.samples.map(\.value) == [0, 0])
            #expect(try await rig.customers.get(ids[0], by: anna).contacts.map(\.isOptedOut) == [true, false])
            let page = try await rig.customers.changes(after: newest, limit: 9)
            guard case .written(let image)? = page.changes.first?.1, page.changes.count == 1 else { throw CustomerRig.NotFailed() }
            let told = try image.clear.withUnsafeBytes { try Customer(subject: image.subject, reading: $0) }
            #expect(image.subject == ids[0] && told.contacts[0].isOptedOut)
            #expect(try await rig.customers.images(after: 0, limit: 9).images.map(\.subject) == ids)
        }
    }

    @Test("Words on packages wait in their order, also those that come when the row is whole", arguments: SQLStore.Engine.allCases)
    func words(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, _ in
            let work = work()
            try await damage(rig, ids[0])
            try await say(rig, ids[0], 3, false, at: CustomerRig.now)
            try await say(rig, ids[0], 4, true, at: CustomerRig.now + 1)
            try await say(rig, ids[1], 4, true, at: CustomerRig.now + 2)
            #expect(try await rig.customers.get(ids[1], by: anna).packages.map(\.package) == [3, 4])
            try await work.look(rig.customers)
            try await restore(rig, ids[0])
            // Taken in at once it would count as newer than all that waits.
            try await say(rig, ids[0], 5, true, at: CustomerRig.now + 3)
            #expect(try await rig.customers.get(ids[0], by: anna).packages.map(\.package) == [3])
            try await work.look(rig.customers)
            #expect(try await rig.customers.get(ids[0], by: anna).packages.map(\.package) == [4, 5])
            #expect(try await rig.customers.setAsideCount() == 0)
            let sources = try await rig.store.read { session in
                try session.rows(PackageStatements.page, [.number(ids[0]), .integer(0), .number(500)]).map { try $0.text("source") }
            }
            #expect(sources.count == 4 && sources.dropFirst().allSatisfy { $0.hasPrefix("message:") })
        }
    }

    @Test("What waits and is damaged itself is not believed, and the customer stays set aside", arguments: SQLStore.Engine.allCases)
    func damagedWait(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, _ in
            try await damage(rig, ids[0])
            try await say(rig, ids[0], 3, false, at: CustomerRig.now)
            try await restore(rig, ids[0])
            try await rig.change("UPDATE set_aside SET wanted = 1 WHERE number = 1")
            let fault = try await CustomerRig.fault { try await rig.customers.takeIn(ids[0]) }
            guard case .tampered = fault else { throw CustomerRig.NotFailed() }
            #expect(try await rig.customers.images(after: 0, limit: 9).images.map(\.subject) == [ids[1], ids[2]])
            #expect(try await rig.customers.setAsideCount() == 1)
            // Erased, he is nobody's any more, and nothing waits.
            try await rig.customers.erase(ids[0], by: anna)
            #expect(try await rig.customers.setAsideCount() == 0)
        }
    }

    @Test("What is known of an address and damaged counts as a wish not to be written to", arguments: SQLStore.Engine.allCases)
    func facts(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, hash in
            try await learn(rig, AddressFact(.optedOut, at: 500), hash)
            try await rig.change("UPDATE address_fact SET wish = 4")
            // That the number is alive says nothing of the wish.
            try await learn(rig, AddressFact(.alive, at: 600), hash)
            #expect(try await rig.customers.get(ids[0], by: anna).contacts[0].isOptedOut)
            #expect(rig.customers.desk.damage.count == 1)
            #expect(rig.customers.desk.damage.take().map(\.row) == ["address_fact 1/\(Int64(bitPattern: hash))"])
            let key = rig.keys.rowKey
            #expect(try await StoreDamage(rig.store, rowKey: key).run().findings.filter { $0.hasPrefix("address_fact") } == [])
            // Damaged once more: who comes with the number is not written to; what he says then holds.
            try await rig.change("UPDATE address_fact SET wish = 4")
            let late = try await rig.customers.add(CustomerRig.wish("40-118-223"), by: anna)
            #expect(late.contacts.map(\.isOptedOut) == [true, false])
            try await learn(rig, AddressFact(.optedIn, at: 700), hash)
            #expect(try await rig.customers.get(late.id, by: anna).contacts[0].isOptedOut == false)
        }
    }

    @Test("An index that leads to nobody is passed over; one whose row is gone, and who has a key, is waited for")
    func gone() async throws {
        try await with(.sqlite) { rig, ids, hash in
            try await rig.change("INSERT INTO customer_address VALUES (1, \(Int64(bitPattern: hash)), 900, 1)")
            try await rig.change("DELETE FROM customer WHERE subject = \(ids[0])")
            try await learn(rig, AddressFact(.optedOut, at: SetAsideTests.now), hash)
            #expect(try await rig.customers.get(ids[1], by: anna).contacts[0].isOptedOut)
            #expect(try await rig.customers.setAside(after: 0, limit: 9) == [ids[0]])
            #expect(rig.customers.desk.damage.take().map(\.row) == ["customer_address of 900"])
        }
    }

    @Test("Changes go on behind damaged rows, and never by a number that is damaged", arguments: SQLStore.Engine.allCases)
    func changes(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, _ in
            try await rig.change("UPDATE customer SET change = change + 1000000 WHERE subject = \(ids[2])")
            var page = try await rig.customers.changes(after: 0, limit: 9)
            #expect(page.through == 3 && page.damaged == [ids[2]])
            #expect(page.changes.map(\.1).last == .erased(ids[2]))
            // What is damaged stands at the end of a stretch: the last sound one is where it goes on.
            try await damage(rig, ids[1])
            page = try await rig.customers.changes(after: 0, limit: 2)
            #expect(page.through == 1 && page.isFull && page.damaged == [ids[1]])
            await #expect(throws: DeskFault.self) { try await rig.customers.changes(after: 1, limit: 1) }
        }
    }

    @Test("The loop looks by itself, and waits for a store that is away")
    func runs() async throws {
        try await with(.sqlite) { rig, ids, hash in
            let work = work()
            try await damage(rig, ids[0])
            try await learn(rig, AddressFact(.optedOut, at: SetAsideTests.now), hash)
            let customers = rig.customers
            let running = Task { try await work.run(customers, pause: .milliseconds(5)) }
            while work.samples[0].value != 1 { try await Task.sleep(for: .milliseconds(5)) }
            try await restore(rig, ids[0])
            while work.samples[0].value != 0 { try await Task.sleep(for: .milliseconds(5)) }
            running.cancel()
            await #expect(throws: (any Error).self) { try await running.value }
            await rig.store.close()
            await #expect(throws: DeskFault.self) { try await work.look(customers) }
        }
    }

    // MARK: Files, erasures

    private func read(_ rig: CustomerRig, _ kind: ImportKind, _ text: String) async throws -> (end: ImportProgress, errors: String) {
        var options = ImportOptions()
        (options.kind, options.lines) = (kind, 2)
        let path = try rig.write(text, "\(kind.rawValue).csv")
        let end = try await FileImport(rig.customers, options).run(file: path, by: anna)
        return (end, try String(contentsOfFile: "\(path).errors.csv", encoding: .utf8))
    }

    @Test(
        "A file whose second customer is damaged is imported for all others: the line is refused with the customer's number, whichever kind of file it is",
        arguments: SQLStore.Engine.allCases)
    func files(engine: SQLStore.Engine) async throws {
        try await with(engine) { rig, ids, _ in
            try await damage(rig, ids[1])
            let whole = "customer \(ids[1]) is damaged"
            let customers = try await read(
                rig, .customers,
                "reference,given_name\n40-118-220,Ann\n40-118-221,Bo\n40-118-222,Cy\n40-118-223,Di\n40-118-221,Ed\n")
            #expect(customers.end.isDone && customers.end.changed == 2 && customers.end.added == 1 && customers.end.refused == 2)
            #expect(customers.errors.split(separator: "\r\n").count == 3 && customers.errors.contains(whole))
            #expect(try await rig.customers.setAside(after: 0, limit: 9) == [ids[1]])
            for (reference, name) in [("40-118-220", "Ann"), ("40-118-222", "Cy"), ("40-118-223", "Di")] {
                let id = try #require(try await rig.customers.find(reference: reference, by: anna)).id
                #expect(try await rig.customers.reveal(id, by: anna).givenName == name)
            }
            let contacts = try await read(
                rig, .contacts,
                "reference,at,kind,summary\n40-118-220,2026-01-10T10:00:00Z,branch,a\n40-118-221,2026-01-10T10:00:00Z,branch,b\n"
                    + "40-118-222,2026-01-10T10:00:00Z,branch,c\n")
            #expect(contacts.end.isDone && contacts.end.added == 2 && contacts.end.refused == 1 && contacts.errors.contains(whole))
            // The first two share a number: of whom the line would be, nobody can say.
            let lists = try await read(
                rig, .lists, "list,reference,phone\n7,40-118-220,\n7,40-118-221,\n7,,+447700900123\n7,,+447700900456\n")
            #expect(lists.end.isDone && lists.end.changed == 2 && lists.end.refused == 2 && lists.errors.contains(whole))
            // Whole again, nothing of it was lost or overwritten.
            try await restore(rig, ids[1])
            #expect(try await rig.customers.reveal(ids[1], by: anna).givenName == "Wanda")
        }
    }

    @Test(
        "A damaged customer is erased as any other, and the audit says what was damaged; a caller of a unit cannot",
        arguments: SQLStore.Engine.allCases)
    func erased(engine: SQLStore.Engine) async throws {
        for change in ["unit = unit + 1", "addresses = clear", "version = 99", "sealed = clear", "reference = 5", "erased_at = 5"] {
            try await with(engine) { rig, ids, hash in
                _ = try await rig.customers.enter(
                    ConsentStatement(purpose: 4, channel: nil, state: .withdrawn, at: 1000, way: .web, proof: "letter"), of: ids[0],
                    by: anna)
                try await rig.change("UPDATE consent SET state = 1 WHERE subject = \(ids[0])")
                try await rig.change("UPDATE customer SET \(change) WHERE subject = \(ids[0])")
                var clerk = anna
                clerk.unit = 7
                let refused = try await CustomerRig.fault { try await rig.customers.erase(ids[0], by: clerk) }
                #expect(refused == .tampered(noun: "customer", key: "\(ids[0])"), "\(change)")
                try await rig.customers.setAside([ids[0]])
                try await rig.customers.erase(ids[0], by: anna)
                #expect(rig.vault.subjects.key(ids[0]).key == nil, "\(change)")
                let row = try await rig.store.read { try rig.customers.row(subject: ids[0], $0) }
                #expect(row?.erasedAt != nil && row?.sealed == [] && row?.addresses == [], "\(change)")
                #expect(try await rig.customers.setAsideCount() == 0)
                let proofs = try await rig.store.read { session in
                    try session.rows(ConsentStatements.page, [.number(ids[0]), .integer(0), .number(9)]).map {
                        try $0.optionalBytes("sealed")
                    }
                }
                #expect(proofs == [nil], "\(change)")
                // The other one who has the number is found by it, alone.
                #expect(try await rig.customers.find(phone: "+44 7700 900123", by: anna).map(\.id) == [ids[1]], "\(change)")
                if change != "sealed = clear" {
                    let left = try await rig.store.read { try rig.customers.holders(of: hash, .phone, after: 0, limit: 9, $0) }
                    #expect(left == [ids[1]], "\(change)")
                }
                let entry = try await rig.store.read { session in
                    try session.rows(StoreStatements.auditForward, [.number(0), .number(1000)]).last {
                        try $0.text("act") == "customer.erased"
                    }
                }
                let known = change == "sealed = clear" ? ", its addresses are not known" : ""
                #expect(try entry?.text("outcome") == "done: its row was damaged\(known), 1 damaged consent(s)", "\(change)")
            }
        }
    }
}
