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

    /// Nil: there are no customers' keys.
    static func subjects(_ directory: String, _ master: MasterKey) throws -> SubjectKeys? {
        try subjectFaults { () throws(SubjectKeyFault) in try AtRest.subjects(directory, master) }
    }

    /// A fault as a line and an exit code.
    static func faults<Value>(_ body: () throws(KeyStoreFault) -> Value) throws -> Value {
        do throws(KeyStoreFault) {
            return try body()
        } catch {
            if case .wrongMasterKey = error { throw AtRest.failure(error.description, ExitStatus.badSettings) }
            throw AtRest.failure(error.description)
        }
    }

    static func subjectFaults<Value>(_ body: () throws(SubjectKeyFault) -> Value) throws -> Value {
        do throws(SubjectKeyFault) {
            return try body()
        } catch {
            switch error {
            case .wrongMasterKey: throw AtRest.failure(error.description, ExitStatus.badSettings)
            case .inUse: throw AtRest.failure(error.description, ExitStatus.dataInUse)
            default: throw AtRest.failure(error.description)
            }
        }
    }
}
