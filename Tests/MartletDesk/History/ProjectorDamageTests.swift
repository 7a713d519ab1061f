import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("History: the projector and damaged rows") struct ProjectorDamageTests {
    @Test(
        "Where parts begin is read from the entries when the rows are damaged: the walk finds all, the projector goes on and makes them anew",
        arguments: SQLStore.Engine.allCases)
    func damagedParts(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let slot = SearchSlot.of(rig.id(1).milliseconds)
            func parts() async throws -> [MessageID] {
                try await rig.store.read { session in
                    try session.rows(HistoryStatements.parts, [.integer(slot)]).compactMap { MessageID(bytes: try $0.bytes("first_id")) }
                }
            }
            // Each of three batches fills a part, so that the last part is empty.
            for round in 0..<3 {
                for number in round * 8..<(round + 1) * 8 { try rig.message(number) }
                rig.commit()
                try await rig.projector(searchPart: 8).catchUp()
            }
            #expect(try await parts().count == 3)
            let all = (0..<24).reversed().map { rig.id($0) }
            let damages = [
                "UPDATE lookup_part SET first_id = (SELECT min_id FROM (SELECT id AS min_id FROM state ORDER BY id LIMIT 1) one) "
                    + "WHERE part = 2",
                "UPDATE lookup_part SET part = 5 WHERE part = 1",
                "DELETE FROM lookup_part WHERE part = 1",
            ]
            for (place, sql) in damages.enumerated() {
                try await rig.store.transaction { try $0.define(sql) }
                #expect(try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings.contains { $0.hasPrefix("lookup_part") })
                #expect(try await rig.walked(.source(7), steps: 7) == (0..<place).reversed().map { rig.id(24 + $0) } + all, "\(sql)")
                try rig.message(24 + place)
                rig.commit()
                let projector = rig.projector(searchPart: 100)
                try await projector.catchUp()
                #expect(projector.figures.read.tampered == 1)
                #expect(try await parts().count == 2)
                #expect(try await rig.walked(.source(7), steps: 7) == (0...place).reversed().map { rig.id(24 + $0) } + all, "\(sql)")
                #expect(
                    try await StoreDamage(rig.store, rowKey: rig.keys.rowKey).run().findings.filter { $0.hasPrefix("lookup_part") } == [])
            }
            // A part of which nobody speaks, behind the last entry.
            try await rig.store.transaction { try $0.define("UPDATE lookup_part SET part = 9 WHERE part = 2") }
            try await rig.projector().repair()
            #expect(try await parts().count == 2)
        }
    }

    @Test(
        "A customer's row that is damaged keeps nothing from the history: all records are written, and his word waits",
        arguments: SQLStore.Engine.allCases)
    func damagedCustomer(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let master = try MasterKey.load(from: "\(rig.directory)/master.key")
            let subjects = try SubjectKeys(directory: "\(rig.directory)/keys/subjects", master: master, access: .owner(create: true))
            let vault = CustomerVault(rig.keys, subjects)
            let customers = rig.desk.customers(vault)
            let id = try await customers.add(CustomerRig.wish(), by: CustomerRig.anna).id
            try await rig.store.transaction { try $0.define("UPDATE customer SET clear = sealed WHERE subject = \(id)") }
            for number in 0..<10 { try rig.message(number) }
            let address = vault.hashes.phone(447_700_900_123)
            try rig.put(.preference(.init(number: 77, unwanted: [.init(.marketing)], address: address)), .none, .queued)
            try rig.put(.subscribed(.init(subject: id, package: 3, isWanted: false, message: rig.id(3))), .none, .queued)
            for number in 10..<20 { try rig.message(number) }
            rig.commit()
            let projector = rig.projector(
                batch: 10,
                preferences: { changes, session in
                    for change in changes {
                        if let (hash, fact) = change.fact { try customers.learn(fact, kind: .phone, hash: hash, session) }
                    }
                },
                said: { words, session in for one in words { try customers.learn(one, session) } })
            try await projector.catchUp()
            #expect(projector.figures.read.failures == 0)
            #expect(try await rig.counts(["notification", "state", "attempt"]) == [20, 20, 20])
            #expect(try await rig.count("set_aside") == 2)
            #expect(try await customers.setAside(after: 0, limit: 9) == [id])
        }
    }
}
