import ArgumentParser
import Foundation
import Guard
import MartletDesk
import MartletStore
import SQL
import Testing

@testable import martlet

/// `martlet principal` and `martlet audit`, as an operator meets them.
@Suite("Desk: verbs") struct AdministrationCommandTests {
    @Test("The first administrator is made from the shell, then found, given a new key and revoked; the audit knows and is sound")
    func principals() async throws {
        try await AdministrationRig.with { place, folder in
            func principal(_ words: String...) async throws -> Int32 {
                try await AdministrationRig.run(PrincipalCommand.self, words + place)
            }
            #expect(try await principal("add", "anna", "--rights", "all") == 0)
            #expect(try await principal("add", "ben", "--rights", "audit.read,history.read", "--unit", "3") == 0)
            #expect(try await principal("add", "anna", "--rights", "all") == 1)
            #expect(try await principal("add", "cleo", "--rights", "fly") == 1)
            #expect(try await principal("list") == 0)
            #expect(try await principal("rotate", "ben") == 0)
            #expect(try await principal("revoke", "ben") == 0)
            #expect(try await principal("revoke", "ben") == 1)
            #expect(try await principal("rotate", "nobody") == 1)

            #expect(try await AdministrationRig.run(AuditCommand.self, ["verify"] + place) == 0)
            #expect(try await AdministrationRig.run(AuditCommand.self, ["key"] + place) == 0)
            let store = SQLStore(.sqlite(file: "\(folder)/data/history.db"), statements: try StoreStatements.all())
            let desk = Desk(store: store, now: { 1 })
            let signer = try AuditCheckpointSigner(master: MasterKey.load(from: "\(folder)/master.key"))
            let line = try await AuditCheckpoints(desk, signer: signer, file: "\(folder)/checkpoints").make()
            #expect(line?.sequence == 4)
            #expect(try await AdministrationRig.run(AuditCommand.self, ["verify"] + place) == 0)
            try await store.transaction { try $0.define("DELETE FROM audit WHERE sequence = 4") }
            #expect(try await AdministrationRig.run(AuditCommand.self, ["verify"] + place) == 1)
            #expect(try await AdministrationRig.run(AuditCommand.self, ["verify", "--checkpoints", "\(folder)/none"] + place) == 2)
            #expect(try await AdministrationRig.run(AuditCommand.self, ["verify", "--key", "\(folder)/master.key"] + place) == 2)
            await store.close()
        }
    }

    @Test("Without the node's keys no principal is made, and the reason is said")
    func keyless() async throws {
        try await AdministrationRig.with(keys: false) { place, _ in
            let code = try await AdministrationRig.run(PrincipalCommand.self, ["add", "anna", "--rights", "all"] + place)
            #expect(code == 2)
        }
    }

    @Test("A checkpoint file among the data, and an admin API in clear beyond loopback, are mistakes by their settings")
    func mistakes() async throws {
        try await AdministrationRig.with { _, folder in
            let config = "\(folder)/bad.yaml"
            let text = """
                keys: {master: /k}
                audit: {checkpoints: \(folder)/data/checkpoints}
                desk: {listen: "0.0.0.0:8090", tls: {certificate: ""}}
                connections:
                  - {name: a, group: g, host: 127.0.0.1, systemId: m}

                """
            try text.write(toFile: config, atomically: true, encoding: .utf8)
            let found = #expect(throws: ServerSettings.Mistakes.self) {
                _ = try ServerSettings.read(file: config, dataDirectory: "\(folder)/data", environment: [:])
            }
            #expect(found?.lines.count == 2)
            #expect(found?.lines.contains { $0.contains("desk.listen") } == true)
            #expect(found?.lines.contains { $0.contains("audit.checkpoints") } == true)
        }
    }
}
