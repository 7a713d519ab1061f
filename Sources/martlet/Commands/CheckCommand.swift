import ArgumentParser
import FoundationEssentials

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads a settings file and tells all of its mistakes; exit 2 if there are any.")

    @Option(help: "Settings file.") var config: String

    func run() throws {
        do {
            let settings = try ServerSettings.read(
                file: config, dataDirectory: "", environment: ProcessInfo.processInfo.environment, opensStore: true)
            print("\(config): no mistakes; \(settings.connections.count) connection(s), \(settings.routes.count) route(s)")
        } catch let mistakes as ServerSettings.Mistakes {
            for line in mistakes.lines { print(line) }
            throw ExitCode(ExitStatus.badSettings)
        }
    }
}
