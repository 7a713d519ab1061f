import ArgumentParser
import Foundation
import SQL
import Testing

@testable import martlet

/// The store's verbs and settings, as an operator meets them.
@Suite("Store: verbs and settings")
struct StoreCommandTests {
    private let head = "keys: {master: /k}\nconnections:\n  - {name: a, group: g, host: 127.0.0.1, systemId: m}\n"

    private func with(_ settings: String, _ body: (_ config: String, _ folder: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "store-verbs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = "\(folder)/martlet.yaml"
        try (head + settings).write(toFile: config, atomically: true, encoding: .utf8)
        try await body(config, folder)
    }

    /// Exit code of a verb; 0: it ended well.
    private func run(_ arguments: String...) async throws -> Int32 {
        var command = try StoreCommand.parseAsRoot(arguments)
        do {
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }

    @Test("A store is not sound before it is migrated, and is after; to migrate again does nothing")
    func verbs() async throws {
        try await with("") { config, folder in
            let place = ["--config", config, "--data", folder]
            #expect(try await run("check", place[0], place[1], place[2], place[3]) == 1)
            #expect(try await run("migrate", place[0], place[1], place[2], place[3]) == 0)
            #expect(try await run("migrate", place[0], place[1], place[2], place[3]) == 0)
            #expect(try await run("check", place[0], place[1], place[2], place[3]) == 0)
            #expect(FileManager.default.fileExists(atPath: "\(folder)/history.db"))
            // One that differs: an index is gone, a table of someone else's is there.
            let store = SQLStore(.sqlite(file: "\(folder)/history.db"), statements: StatementSet())
            try await store.transaction { try $0.define("DROP INDEX audit_object; CREATE TABLE own (id INTEGER)") }
            await store.close()
            #expect(try await run("check", place[0], place[1], place[2], place[3]) == 1)
        }
    }

    @Test(
        "A store beyond this machine without TLS, a secret in the URL, and a password file for all are mistakes by their settings",
        arguments: [
            ("{url: \"postgresql://m@db.example/h\", tls: off}", "store.tls"),
            ("{url: \"postgresql://m:secret@db.example/h\"}", "store.url"),
            ("{url: mysql}", "store.url"), ("{passwordFile: /nowhere/p}", "store.passwordFile"), ("{tls: maybe}", "store.tls"),
        ])
    func mistakes(section: String, setting: String) async throws {
        try await with("store: \(section)\n") { config, folder in
            let found = #expect(throws: ServerSettings.Mistakes.self) {
                _ = try ServerSettings.read(file: config, dataDirectory: folder, environment: [:], opensStore: true)
            }
            #expect(found?.lines.count == 1 && found?.lines.first?.contains(setting) == true)
            #expect(found?.lines.first?.contains("secret") == false)
            let code = try await run("check", "--config", config)
            #expect(code == 2)
        }
    }

    @Test("A password of the store is read by who opens it; the node starts without the file, and holds nothing of it")
    func password() async throws {
        try await with("store: {url: \"postgresql://m@localhost/h\", passwordFile: p}\n") { config, folder in
            let file = "\(folder)/p"
            let settings = try String(contentsOfFile: config, encoding: .utf8).replacing("passwordFile: p", with: "passwordFile: \(file)")
            try settings.write(toFile: config, atomically: true, encoding: .utf8)
            func read(_ opensStore: Bool) throws -> String {
                String(describing: try ServerSettings.read(file: config, dataDirectory: folder, environment: [:], opensStore: opensStore))
            }
            _ = try read(false)
            #expect(throws: ServerSettings.Mistakes.self) { _ = try read(true) }
            try "mango-at-rest\n".write(toFile: file, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            #expect(try read(true).contains("mango-at-rest"))
            #expect(try !read(false).contains("mango-at-rest"))
        }
    }
}
