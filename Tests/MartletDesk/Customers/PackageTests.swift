import Foundation
import Guard
import MartletModel
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// Packages for single accounts and cards, and what was connected when.
@Suite("Desk: packages of customers") struct PackageTests {
    private let anna = CustomerRig.anna
    private typealias View = CustomerView.PackageView
    private static let account = "UA21 3223 1300 0002 6007 2335 6600 1"

    private static func view(_ package: UInt16, account: String? = nil, card: String? = nil, until: UInt16? = nil) -> View {
        View(
            package: package, from: 20_000, until: until, channels: nil, isPaused: false, thresholds: [], account: account, card: card)
    }

    private static func wish(_ packages: [View]) -> CustomerWish {
        var wish = CustomerWish()
        wish.packages = packages
        return wish
    }

    private static func customer(_ rig: CustomerRig, _ id: SubjectNumber) async throws -> Customer {
        let image = try #require(try await rig.customers.images(after: id - 1, limit: 1).images.first)
        return try image.clear.withUnsafeBytes { try Customer(subject: id, reading: $0) }
    }

    @Test(
        "A package for one account or card is kept by a hash that every spelling leads to, and shown by its last letters",
        arguments: SQLStore.Engine.allCases)
    func scopes(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let packages = [
                Self.view(5, card: "4242-4242-4242-0042"), Self.view(4), Self.view(4, account: Self.account), Self.view(4, card: "1-7"),
            ]
            let view = try await rig.customers.change(id, Self.wish(packages), version: 1, by: anna)
            #expect(view.packages.map(\.package) == [4, 4, 5, 4])
            #expect(view.packages.map(\.account) == [nil, "•••6001", nil, nil])
            // Of a short number never more than half.
            #expect(view.packages.map(\.card) == [nil, nil, "•••0042", "•••7"])
            let hashes = rig.vault.hashes
            let kept = try await Self.customer(rig, id).packages.map(\.scope)
            #expect(
                kept == [
                    nil, .account(hashes.account("ua213223130000026007233566001")), .card(hashes.card("4242 4242 4242 0042")),
                    .card(hashes.card("17")),
                ])
            let bytes = try await rig.allBytes()
            for word in ["3566001", "4242", "356600"] { #expect(!bytes.holds(Array(word.utf8))) }
            // In clear it is no longer either: the number is nowhere.
            #expect(try await rig.customers.reveal(id, by: anna).packages == view.packages)

            // What is shown names what is there, so that a list can be written back with one more in it, for another package too.
            let back = try await rig.customers.change(
                id, Self.wish(view.packages + [Self.view(9, card: "•••0042")]), version: 2, by: anna)
            #expect(try await Self.customer(rig, id).packages.map(\.scope) == kept + [kept[2]])
            #expect(back.packages.last?.card == "•••0042")
            // Who has nothing connected for it any more is not known by it.
            let less = try await rig.customers.change(id, Self.wish([Self.view(4, account: "•••6001")]), version: 3, by: anna)
            #expect(less.packages.map(\.account) == ["•••6001"])
            #expect(try await fields(rig, id, [Self.view(9, card: "•••0042")], 4) == ["packages[0].card unknown"])
        }
    }

    private func fields(_ rig: CustomerRig, _ id: SubjectNumber, _ packages: [View], _ version: Int64) async throws -> [String] {
        try await CustomerRig.fault { try await rig.customers.change(id, Self.wish(packages), version: version, by: anna) }.paths
    }

    @Test("What cannot be a package for an account or card is named by its place")
    func mistakes() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let long = String(repeating: "1", count: 65)
            #expect(
                try await fields(
                    rig, id, [Self.view(4, account: " -"), Self.view(4, card: long), Self.view(4, account: "1", card: "2")], 1)
                    == ["packages[0].account length", "packages[1].card length", "packages[2].card not_allowed"])
            #expect(try await fields(rig, id, [Self.view(4), Self.view(4)], 1) == ["packages[1] repeated"])
            let twice = [Self.view(4, card: "1111 2222"), Self.view(4, card: "11112222")]
            #expect(try await fields(rig, id, twice, 1) == ["packages[1].card repeated"])
            let many = (1...65).map { Self.view(UInt16($0)) }
            #expect(try await fields(rig, id, many, 1) == ["packages[0] too_many"])
            let alike = [Self.view(4, card: "0000 1234"), Self.view(4, card: "9999 1234")]
            _ = try await rig.customers.change(id, Self.wish(alike), version: 1, by: anna)
            #expect(try await fields(rig, id, [Self.view(4, card: "•••1234")], 2) == ["packages[0].card ambiguous"])
        }
    }

    /// A desk whose clock is set by hand, over a rig's store.
    private final class Clock: Sendable {
        let now = Mutex(CustomerRig.now)
        func customers(_ rig: CustomerRig) -> Customers {
            Desk(store: rig.store, chain: "martlet-test") { self.now.withLock { $0 } }.customers(rig.vault)
        }
        func move(minutes: Int64) { now.withLock { $0 += minutes * 60_000_000 } }
        var milliseconds: Int64 { now.withLock { $0 / 1000 } }
    }

    @Test("What was connected at any moment is known afterwards, with when, by whom and by which way", arguments: SQLStore.Engine.allCases)
    func history(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let clock = Clock()
            let customers = clock.customers(rig)
            let id = try await customers.add(CustomerRig.wish(), by: anna).id
            let first = clock.milliseconds
            clock.move(minutes: 10)
            let bert = Caller(name: "principal:bert", rights: Set(Right.allCases))
            _ = try await customers.change(id, Self.wish([Self.view(3), Self.view(5, card: "12345678")]), version: 1, by: bert)
            let second = clock.milliseconds
            clock.move(minutes: 10)
            _ = try await customers.change(id, Self.wish([Self.view(5, card: "•••5678", until: 21_000)]), version: 2, by: anna)
            let third = clock.milliseconds
            // A change of something else is none of packages.
            var other = CustomerWish()
            other.tier = 4
            _ = try await customers.change(id, other, version: 3, by: anna)

            func at(_ moment: Int64?) async throws -> [String] {
                try await customers.packages(id, at: moment, by: anna).map {
                    "\($0.package.package) \($0.package.card ?? "all") \($0.connectedAt ?? 0) \($0.changedAt ?? 0) \($0.source ?? "") \($0.way ?? "")"
                }
            }
            #expect(try await at(first - 1).isEmpty)
            #expect(try await at(first) == ["3 all \(first) \(first) principal:anna api"])
            #expect(try await at(second - 1) == (try await at(first)))
            // Its channels were taken away: changed, not connected anew.
            #expect(
                try await at(second) == ["3 all \(first) \(second) principal:bert api", "5 •••5678 \(second) \(second) principal:bert api"])
            #expect(try await at(third) == ["5 •••5678 \(second) \(third) principal:anna api"])
            #expect(try await at(nil) == (try await at(third)))
            #expect(try await customers.packages(id, at: second, by: anna)[1].package.until == nil)

            let page = try await customers.packageChanges(id, PageWish(limit: 3), by: anna)
            #expect(page.items.map { "\($0.act) \($0.package.package)" } == ["disconnected 3", "changed 5", "connected 5"])
            let rest = try await customers.packageChanges(id, PageWish(after: page.next, limit: 3), by: anna)
            #expect(rest.items.map { "\($0.act) \($0.package.package) \($0.at)" } == ["changed 3 \(second)", "connected 3 \(first)"])
            #expect(
                try await customers.export(id, by: anna).packages.map(\.number)
                    == (rest.items.reversed() + page.items.reversed()).map(\.number))
            let stranger = Caller(name: "principal:c", rights: Set(Right.allCases), unit: 8)
            let missing = DeskFault.notFound(noun: "customer", key: "\(id)")
            #expect(try await CustomerRig.fault { try await customers.packages(id, at: nil, by: stranger) } == missing)
            #expect(try await CustomerRig.fault { try await customers.packageChanges(id, PageWish(), by: stranger) } == missing)
        }
    }

    @Test(
        "More changes than one read takes are all heeded; what no change speaks of was so all the time", arguments: SQLStore.Engine.allCases
    )
    func long(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let rest = Array(30...49).map { Self.view(UInt16($0)) }
            var version: Int64 = 1
            for round in 0..<30 {
                _ = try await rig.customers.change(id, Self.wish([Self.view(3)] + (round % 2 == 0 ? rest : [])), version: version, by: anna)
                version += 1
            }
            #expect(try await rig.customers.packages(id, at: nil, by: anna).map(\.package.package) == [3])
            #expect(try await rig.customers.export(id, by: anna).packages.count == 2 + 30 * 20)
            // As in a store whose customers were there before the history was.
            try await rig.change("DELETE FROM customer_package WHERE subject = \(id)")
            let now = try await rig.customers.packages(id, at: CustomerRig.now / 1000, by: anna)
            #expect(now.map(\.package.package) == [3] && now[0].connectedAt == nil && now[0].source == nil && now[0].way == nil)
            #expect(try await rig.customers.packages(id, at: CustomerRig.now / 1000 - 1, by: anna).isEmpty)
        }
    }

    @Test("Erasing a customer takes the history of packages along, and nobody else's", arguments: SQLStore.Engine.allCases)
    func erased(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            for reference in ["a", "b"] {
                var wish = CustomerRig.wish(reference)
                wish.packages = [Self.view(5, card: "12345678")]
                _ = try await rig.customers.add(wish, by: anna)
            }
            try await rig.customers.erase(1, by: anna)
            let kept = try await rig.store.read { session in
                try [1, 2].map { try session.rows(PackageStatements.page, [.number($0), .integer(0), .number(10)]).count }
            }
            #expect(kept == [0, 1])
        }
    }

    @Test("A row of the history that was changed by hand is named and not believed", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            try await rig.change("UPDATE customer_package SET act = 3 WHERE subject = \(id)")
            let fault = try await CustomerRig.fault { try await rig.customers.packages(id, at: nil, by: anna) }
            guard case .tampered("package of customer", _) = fault else { throw fault }
        }
    }

    @Test("Rows that a newer program wrote are told from damage")
    func newer() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            func put(_ changes: [String: SQLValue]) async throws -> String {
                try await rig.store.transaction { session in
                    let row = try session.rows(PackageStatements.page, [.number(id), .integer(0), .number(1)])[0]
                    try session.run(PackageStatements.forget, [.number(id)])
                    let columns = PackageStatements.columns.dropLast()
                    let values = zip(columns, row.values).map { changes[$0] ?? $1 }
                    var batch = SQLBatch(table: PackageStatements.table, columns: PackageStatements.columns)
                    batch.append(values + [.bytes(rig.vault.tags.package.bytes(values))])
                    try session.bulk(batch)
                }
                return try await CustomerRig.fault { try await rig.customers.packages(id, at: nil, by: anna) }.description
            }
            #expect(try await put(["act": .number(9)]).contains("an act that this version does not know"))
            #expect(try await put(["act": .number(1), "terms": .bytes([1, 255])]).contains("a value that no version wrote"))
        }
    }

    @Test("A file connects packages for accounts and cards, and leaves what it does not speak of", arguments: SQLStore.Engine.allCases)
    func imported(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            func run(_ lines: String..., name: String) async throws -> ImportProgress {
                let head = "reference,packages,package_account,package_card"
                let path = try rig.write(([head] + lines).joined(separator: "\n"), name)
                return try await FileImport(rig.customers, ImportOptions()).run(file: path, by: anna)
            }
            let line = "a,3 2024-01-01|4,3 UA213223130000026007233566001 2024-02-01 2024-12-31,5 4242-0042|5 4242-0043"
            #expect(try await run(line, name: "a.csv").added == 1)
            let view = try #require(try await rig.customers.find(reference: "a", by: anna))
            #expect(view.packages.map(\.package) == [3, 4, 3, 5, 5])
            #expect(view.packages.map { $0.account ?? $0.card } == [nil, nil, "•••6001", "•••0042", "•••0043"])
            #expect(view.packages[2].from == 19_754 && view.packages[2].until == 20_088)
            // The customer's own thresholds, channels and pause stay, whatever comes from the file each night.
            var packages = view.packages
            packages[0].thresholds = [.init(eventType: 3, amount: 5000, currency: 980)]
            (packages[3].isPaused, packages[3].channels) = (true, ["push"])
            let set = try await rig.customers.change(view.id, Self.wish(packages), version: 1, by: anna)
            let again = try await run(line, "b,3,,", name: "b.csv")
            #expect(again.same == 1 && again.added == 1)
            #expect(try await rig.customers.get(view.id, by: anna).packages == set.packages)
            // Each column is all of its kind.
            #expect(try await run("a,,-,5 42420043", name: "c.csv").changed == 1)
            #expect(try await rig.customers.get(view.id, by: anna).packages.map { $0.account ?? $0.card } == [nil, nil, "•••0043"])
            let changes = try await rig.customers.packageChanges(view.id, PageWish(limit: 2), by: anna).items
            #expect(changes.map(\.way) == ["file", "file"] && changes.map(\.act) == ["disconnected", "disconnected"])
            // The number of what is gone is known to nobody any more.
            #expect(changes.map { $0.package.account ?? $0.package.card ?? "" }.sorted() == ["•••", "•••"])
            let refused = try await run("d,3|3,3,5 1 2024-13-01", "e,,3 - ,5 12345678 2024-01-01 2024-12-31 x", name: "d.csv")
            #expect(refused.refused == 2 && refused.added == 0)
            let errors = try String(contentsOfFile: "\(rig.folder)/d.csv.errors.csv", encoding: .utf8)
            for start in ["2,package_account,", "2,package_card,", "3,package_account,", "3,package_card,"] {
                #expect(errors.contains(start), "\(errors)")
            }
        }
    }

    @Test(
        "A word from a handset changes packages once, with the message in their history; what was changed since holds",
        arguments: SQLStore.Engine.allCases)
    func words(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let clock = Clock()
            let customers = clock.customers(rig)
            let id = try await customers.add(CustomerRig.wish(), by: anna).id
            clock.move(minutes: 10)
            let message = MessageID(milliseconds: clock.milliseconds, partition: 3, random: 9)
            let heard = clock.now.withLock { $0 } + 7
            func learn(_ package: UInt16, _ isWanted: Bool, at: Int64, of subject: SubjectNumber? = nil) async throws {
                let said = PackageSaid(subject: subject ?? id, word: PackageWord(package, isWanted: isWanted, at: at), message: message)
                try await rig.store.transaction { try customers.learn(said, $0) }
            }
            func packages() async throws -> [UInt16] { try await customers.get(id, by: anna).packages.map(\.package) }
            // The store comes to it later.
            let moment = clock.milliseconds
            clock.move(minutes: 60)
            try await learn(17, true, at: heard)
            #expect(try await packages() == [3, 17])
            let change = try #require(try await customers.packageChanges(id, PageWish(), by: anna).items.first)
            #expect(
                change.act == "connected" && change.way == "handset" && change.source == "message:\(message.text)" && change.at == moment)
            #expect(try await customers.get(id, by: anna).version == 2)
            // Read from the log again: nothing. Then the bank takes it away, and it is read again all the same.
            try await learn(17, true, at: heard)
            #expect(try await customers.get(id, by: anna).version == 2)
            _ = try await customers.change(id, Self.wish([Self.view(3), Self.view(4, card: "12345678")]), version: 2, by: anna)
            try await learn(17, true, at: heard)
            #expect(try await packages() == [3, 4])
            // Away for the card, whose tail is forgotten with it.
            try await learn(4, false, at: heard + 1)
            let view = try await customers.get(id, by: anna)
            #expect(view.packages.map(\.package) == [3] && view.version == 4)
            #expect(try await fields(rig, id, [Self.view(9, card: "•••5678")], 4) == ["packages[0].card unknown"])
            let acts = try await customers.packageChanges(id, PageWish(), by: anna).items.map {
                "\($0.act) \($0.package.package) \($0.way)"
            }
            #expect(acts.first == "disconnected 4 handset")
            // A clock of the node that was ahead writes nothing into the future; nobody of that number is nobody.
            try await learn(8, true, at: heard + 86_400_000_000_000)
            #expect(try await customers.packageChanges(id, PageWish(), by: anna).items.first?.at == clock.milliseconds)
            try await learn(8, true, at: heard, of: 4711)
            try await rig.store.transaction { try customers.learn(.package(id, PackageWord(3, isWanted: false, at: .max)), $0) }
            #expect(try await packages() == [8])
            #expect(try await customers.packageChanges(id, PageWish(), by: anna).items.first?.source == "system:node")
        }
    }
}
