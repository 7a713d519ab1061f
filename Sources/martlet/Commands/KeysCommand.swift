import ArgumentParser
import Guard

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The master key, and the data keys that it wraps.",
        subcommands: [Init.self, Check.self, Backup.self, Restore.self, Rewrap.self])

    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Makes a master key; never overwrites one.",
            discussion: "Keep it outside the data directory and back it up apart: without it nothing in the data directory can be read.")

        @Argument(help: "File to make.") var file: String

        func run() throws {
            do {
                let key = try MasterKey.create(at: file)
                print("master key \(key.idText) made in \(file)")
            } catch {
                print("martlet: \(error)")
                throw ExitCode(ExitStatus.badSettings)
            }
        }
    }
}
