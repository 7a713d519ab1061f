import ArgumentParser
import Foundation
import Guard
import Logging
import MartletDesk
import MartletModel
import MartletNode
import MartletStore
import SQL
import Testing

@testable import martlet

/// `martlet import customers` as an operator meets it.
@Suite("Import: verb")
struct ImportCommandTests {
    private func run(_ arguments: String...) async throws -> Int32 {
        var command = try Martlet.parseAsRoot(arguments)
        do {
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }

    @Test("It takes a file over, says what is missing before that, and waits for nobody who owns the keys")
    func verb() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "import-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (config, file, data) = ("\(folder)/martlet.yaml", "\(folder)/c.csv", "\(folder)/data")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let master = try MasterKey.create(at: "\(folder)/master.key")
        try "keys: {master: \(folder)/master.key}\nconnections:\n  - {name: a, group: g, host: 127.0.0.1, systemId: m}\n"
            .write(toFile: config, atomically: true, encoding: .utf8)
        try "KUNNR;phone\nr1;+447700900123\nr2;none\nr3;\n".write(toFile: file, atomically: true, encoding: .utf8)
        try "reference = KUNNR\n".write(toFile: "\(folder)/map", atomically: true, encoding: .utf8)
        func go(_ more: String...) async throws -> Int32 {
            var command = try Martlet.parseAsRoot(
                ["import", "customers", file, "--config", config, "--data", data, "--separator", ";", "--map", "\(folder)/map"] + more)
            guard var asynchronous = command as? any AsyncParsableCommand else {
                try command.run()
                return 0
            }
            do {
                try await asynchronous.run()
                return 0
            } catch let code as ExitCode {
                return code.rawValue
            }
        }
        // No keys yet; then no tables.
        #expect(try await go() == ExitStatus.badSettings)
        _ = try KeyStore(directory: "\(data)/keys", master: master, access: .owner(create: true))
        #expect(try await go() == 1)
        #expect(try await run("store", "migrate", "--config", config, "--data", data) == 0)
        do {
            let owner = try SubjectKeys(directory: "\(data)/keys/subjects", master: master, access: .owner(create: true))
            #expect(try await go() == ExitStatus.dataInUse)
            withExtendedLifetime(owner) {}
        }
        #expect(try await go("--max-errors", "0") == 1)
        #expect(try await go() == 0)
        let errors = try String(contentsOfFile: "\(file).errors.csv", encoding: .utf8)
        #expect(errors == "line,field,reason\r\n3,phone,write + or 00 and the country code first\r\n")
        #expect(try await go("--config", "\(folder)/none.yaml") == ExitStatus.badSettings)
        await #expect(throws: (any Error).self) { try await go("--separator", "ab") }
        await #expect(throws: (any Error).self) { try await go("--format", "xml") }
        await #expect(throws: (any Error).self) { try await go("--batch", "0") }
        #expect(try await go("--map", "\(folder)/none") == 1)
    }

    /// An installation with keys, tables and a settings file.
    private struct Place {
        let folder: String
        let keys: KeyStore
        let master: MasterKey
        var data: String { "\(folder)/data" }
        var config: String { "\(folder)/martlet.yaml" }
        var options: [String] { ["--config", config, "--data", data] }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "import-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: "\(folder)/data/desk", withIntermediateDirectories: true)
            master = try MasterKey.create(at: "\(folder)/master.key")
            keys = try KeyStore(directory: "\(folder)/data/keys", master: master, access: .owner(create: true))
            let text = """
                keys: {master: \(folder)/master.key}
                imports: {batch: 100, keepFree: 1MiB}
                connections:
                  - {name: a, group: g, host: 127.0.0.1, systemId: m}
                """
            try text.write(toFile: config, atomically: true, encoding: .utf8)
        }

        func write(_ text: String, _ name: String) throws -> String {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            return "\(folder)/\(name)"
        }

        /// A desk's part that imports, while `body` runs: it owns the keys and the desk's folder.
        func withDesk(_ body: () async throws -> Void) async throws {
            let lock = try DirectoryLock("\(data)/desk")
            let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: master, access: .owner(create: true))
            let store = SQLStore(.sqlite(file: "\(data)/history.db"), statements: try StoreStatements.all())
            let desk = Desk(store: store) { Int64(Date().timeIntervalSince1970 * 1_000_000) }
            let units = Units(desk, rowKey: keys.rowKey)
            let imports = Imports(
                desk, keys: keys, folder: "\(data)/desk/imports", settings: ImportSettings(keepFree: 0, lines: 100))
            let worker = ImportWorker(
                imports, desk.customers(CustomerVault(keys, subjects)),
                names: { try await Definitions(units).names(by: .system("imports")) },
                logger: Logger(label: "imports", factory: { _ in SwiftLogNoOpLogHandler() }), pause: .milliseconds(20))
            let working = Task { try await worker.run() }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            working.cancel()
            _ = await working.result
            await store.close()
            withExtendedLifetime(lock) {}
            try result.get()
        }
    }

    private func run(_ words: [String]) async throws -> Int32 {
        var command = try Martlet.parseAsRoot(words)
        guard var asynchronous = command as? any AsyncParsableCommand else {
            try command.run()
            return 0
        }
        do {
            try await asynchronous.run()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }

    @Test("Beside a running desk the file goes through it; what stopped goes on, and what is done is not read again")
    func throughDesk() async throws {
        let place = try Place()
        defer { try? FileManager.default.removeItem(atPath: place.folder) }
        #expect(try await run(["store", "migrate"] + place.options) == 0)
        let lines = (1...500).map { $0 % 100 == 0 ? "c\($0);0" : "c\($0);+44 7700 9\(String($0 + 100_000).dropFirst())" }
        let file = try place.write((["reference;phone"] + lines).joined(separator: "\n"), "c.csv")
        let contacts = try place.write(
            #"{"reference": "c7", "at": "2026-01-10", "kind": "branch", "summary": "was here"}"#, "k.ndjson")
        try await place.withDesk {
            func customers(_ more: String...) async throws -> Int32 {
                try await run(["import", "customers", file, "--separator", ";"] + place.options + more)
            }
            #expect(try await customers("--max-errors", "3") == 1)
            let first = try String(contentsOfFile: "\(file).errors.csv", encoding: .utf8)
            #expect(first.split(separator: "\r\n").count == 5 && first.contains("\r\n101,phone,"))
            #expect(try await customers() == 0)
            #expect(try await customers() == 0)
            #expect(try String(contentsOfFile: "\(file).errors.csv", encoding: .utf8).split(separator: "\r\n").count == 6)
            #expect(try await run(["import", "contacts", contacts] + place.options) == 0)
            #expect(try await run(["import", "list"] + place.options) == 0)
            #expect(try await run(["import", "cancel", "none"] + place.options) == 1)
            #expect(try await run(["import", "discard", "none"] + place.options) == 1)
            #expect(try await run(["import", "customers", "\(place.folder)/none.csv"] + place.options) == 1)
            let store = SQLStore(.sqlite(file: "\(place.data)/history.db"), statements: try StoreStatements.all())
            let desk = Desk(store: store) { 1_795_400_000_000_000 }
            let imports = Imports(desk, keys: place.keys, folder: "\(place.data)/desk/imports", settings: ImportSettings())
            let items = try await imports.list(try PageWish(), by: .system("test")).items.compactMap { entry in
                if case .sound(let view) = entry { view } else { nil }
            }
            await store.close()
            #expect(items.map(\.job.state) == [.done, .done] && items.map(\.progress.added) == [1, 495])
            #expect(items.map(\.job.options.kind) == [.contacts, .customers] && items[1].progress.refused == 5)
        }
        // Without the desk the same import is known as well.
        #expect(try await run(["import", "customers", file, "--separator", ";"] + place.options) == 0)
    }

    @Test("What waits for a desk that is away can be cancelled")
    func cancelled() async throws {
        let place = try Place()
        defer { try? FileManager.default.removeItem(atPath: place.folder) }
        #expect(try await run(["store", "migrate"] + place.options) == 0)
        let store = SQLStore(.sqlite(file: "\(place.data)/history.db"), statements: try StoreStatements.all())
        let desk = Desk(store: store) { 1_795_400_000_000_000 }
        let imports = Imports(desk, keys: place.keys, folder: "\(place.data)/desk/imports", settings: ImportSettings(keepFree: 0))
        let file = try place.write("reference\nr1", "c.csv")
        let job = try await imports.take(file: file, ImportOptions(), place: "p", by: .system("test")).job
        #expect(try await run(["import", "cancel", job.id] + place.options) == 0)
        #expect(try await imports.get(job.id, by: .system("test")).job.state == .cancelled)
        // One whose row somebody changed is shown and taken away.
        #expect(try await run(["import", "discard", job.id] + place.options) == 1)
        try await store.transaction { try $0.define("UPDATE import_job SET size = 1") }
        #expect(try await run(["import", "list"] + place.options) == 0)
        #expect(try await run(["import", "cancel", job.id] + place.options) == 1)
        #expect(try await run(["import", "discard", job.id] + place.options) == 0)
        #expect(try await imports.list(try PageWish(), by: .system("test")).items.isEmpty)
        await store.close()
    }
}
