import Foundation
import Guard
import Logging
import MartletStore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// What was done to the rows of the audit, and what the check says of it.
@Suite("Desk: audit") struct DeskAuditTests {
    /// Six acts, then what the body does to the database, then the findings, with the checkpoint of the whole as a witness.
    private func findings(after sql: String, engine: SQLStore.Engine = .sqlite) async throws -> [AuditFinding] {
        var found: [AuditFinding] = []
        try await DeskRig.with(engine) { rig in
            for name in ["a", "b", "c", "d", "e", "f"] { _ = try await rig.key(name, []) }
            let checkpoints = AuditCheckpoints(rig.desk, signer: rig.signer, file: nil)
            let line = try #require(try await checkpoints.make()).line
            #expect(try await checkpoints.make() == nil)
            let sound = try await AuditCheck.run(rig.desk.store, checkpoints: [line], keys: [rig.signer.publicKey])
            #expect(sound.isSound)
            #expect(sound.entries == 6)
            #expect(sound.confirmed == 6)
            if !sql.isEmpty { try await rig.desk.store.transaction { try $0.define(sql) } }
            found = try await AuditCheck.run(rig.desk.store, checkpoints: [line], keys: [rig.signer.publicKey]).findings
        }
        return found
    }

    @Test("An entry that was changed is named", arguments: SQLStore.Engine.allCases)
    func flip(engine: SQLStore.Engine) async throws {
        let found = try await findings(after: "UPDATE audit SET object = 'principal:z' WHERE sequence = 3", engine: engine)
        #expect(found == [.altered(sequence: 3, stored: 3)])
    }

    @Test("A hash that is none is an altered entry, and one bit of the time is enough")
    func small() async throws {
        #expect(try await findings(after: "UPDATE audit SET at = at + 1 WHERE sequence = 2") == [.altered(sequence: 2, stored: 2)])
        let short = try await findings(after: "UPDATE audit SET previous = x'00' WHERE sequence = 4")
        #expect(short.contains(.altered(sequence: 4, stored: 4)))
    }

    @Test("Entries that were deleted are named, also the first and the last", arguments: SQLStore.Engine.allCases)
    func deletion(engine: SQLStore.Engine) async throws {
        #expect(try await findings(after: "DELETE FROM audit WHERE sequence IN (3, 4)", engine: engine) == [.missing(from: 3, through: 4)])
        #expect(try await findings(after: "DELETE FROM audit WHERE sequence = 1", engine: engine) == [.missing(from: 1, through: 1)])
        #expect(try await findings(after: "DELETE FROM audit WHERE sequence > 4", engine: engine) == [.cut(after: 4, known: 6)])
        #expect(try await findings(after: "DELETE FROM audit", engine: engine) == [.cut(after: 0, known: 6)])
    }

    @Test("Two entries that changed places are named, both")
    func swap() async throws {
        let found = try await findings(
            after: """
                UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 5;
                UPDATE audit SET sequence = 5 WHERE sequence = 99
                """)
        #expect(found.contains(.altered(sequence: 2, stored: 2)))
        #expect(found.contains(.altered(sequence: 5, stored: 5)))
    }

    @Test("A desk whose audit has no witness outside says at its start what that is for and what to set; one that has says nothing")
    func witness() async throws {
        for isSet in [true, false] {
            let words = Warnings()
            try await DeskRig.with(
                .sqlite, settings: { if !isSet { $0.checkpoints = nil } }, logger: Logger(label: "desk", factory: { _ in words }), { _ in })
            let found = words.read.filter { $0.hasPrefix("audit.checkpoints is not set") }
            #expect(found.count == (isSet ? 0 : 1))
            #expect(found.allSatisfy { $0.contains("elsewhere. Name a file outside the data directory") })
        }
    }

    @Test("The head goes outside, signed, when it moved, and a line that was cut off does not take the next with it")
    func checkpoints() async throws {
        try await DeskRig.with(.sqlite) { rig in
            let file = "\(rig.folder)/outside"
            let checkpoints = AuditCheckpoints(rig.desk, signer: rig.signer, file: file)
            #expect(try await checkpoints.make() == nil)
            _ = try await rig.key("a", [])
            #expect(try await checkpoints.make()?.sequence == 1)
            try "\(String(contentsOfFile: file, encoding: .utf8))martlet-audit-che".write(toFile: file, atomically: true, encoding: .utf8)
            _ = try await rig.key("b", [])
            _ = try await checkpoints.make()
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
            #expect(lines.count == 3)
            let report = try await AuditCheck.run(rig.desk.store, checkpoints: lines, keys: [rig.signer.publicKey])
            #expect(report.confirmed == 2)
            #expect(report.findings.count == 1)
            let nowhere = AuditCheckpoints(rig.desk, signer: rig.signer, file: "\(rig.folder)/no/such")
            await #expect(throws: DeskFault.self) { try await nowhere.make() }
        }
    }

    @Test("Reading the audit is an entry, newest first, in pages", arguments: SQLStore.Engine.allCases)
    func reading(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let key = try await rig.key("anna", [.readAudit])
            let first = try await rig.ask("GET", "/v1/audit?limit=1", key: key, ["Martlet-Reason": "yearly review"])
            #expect(first.items.first?["act"] as? String == "principal.added")
            #expect(first.items.first?["at"] as? String == "2026-11-23T02:13:20.000000Z")
            let second = try await rig.ask("GET", "/v1/audit?limit=1", key: key)
            #expect(second.items.first?["act"] as? String == "audit.read")
            #expect(second.items.first?["reason"] as? String == "yearly review")
            let cursor = try #require(second.json["next"] as? String)
            let third = try await rig.ask("GET", "/v1/audit?limit=1&cursor=\(cursor)", key: key)
            #expect(third.items.first?["sequence"] as? Int == 1)
            // Entries are of the whole bank.
            let inside = try await rig.key("ben", [.readAudit], unit: 4)
            #expect(try await rig.ask("GET", "/v1/audit", key: inside).status == 403)
            #expect(try await AuditCheck.run(rig.desk.store).isSound)
        }
    }
}

/// Keeps what is warned of.
private final class Warnings: LogHandler {
    private let lines = Mutex<[String]>([])
    var read: [String] { lines.withLock { $0 } }

    var logLevel: Logger.Level {
        get { .warning }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
}
