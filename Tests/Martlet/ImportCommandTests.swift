import ArgumentParser
import Foundation
import Guard
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
        #expect(try await go() == 1)
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
}
