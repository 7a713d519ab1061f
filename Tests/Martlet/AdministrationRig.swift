import ArgumentParser
import Foundation
import Guard

@testable import martlet

/// An installation without a node, and verbs run on it as an operator does.
enum AdministrationRig {
    static func with(keys: Bool = true, _ body: (_ place: [String], _ folder: String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "verbs-\(UUID().uuidString)").path
        let data = "\(folder)/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let master = try MasterKey.create(at: "\(folder)/master.key")
        if keys { _ = try KeyStore(directory: "\(data)/keys", master: master, access: .owner(create: true)) }
        let config = "\(folder)/martlet.yaml"
        let text = """
            keys: {master: \(folder)/master.key}
            audit: {checkpoints: \(folder)/checkpoints}
            connections:
              - {name: a, group: g, host: 127.0.0.1, systemId: m}

            """
        try text.write(toFile: config, atomically: true, encoding: .utf8)
        try await body(["--config", config, "--data", data], folder)
    }

    static func run(_ root: any AsyncParsableCommand.Type, _ arguments: [String]) async throws -> Int32 {
        var command = try root.parseAsRoot(arguments)
        do {
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }
}
