import ArgumentParser
import FoundationEssentials
import Guard
import MartletDesk
import SQL

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The audit of what was administered and seen.", subcommands: [Verify.self, Key.self])

    /// - Throws: exit code 2, having said why.
    static func signer(_ settings: ServerSettings) throws -> AuditCheckpointSigner {
        do {
            return try AuditCheckpointSigner(master: try AtRest.masterOrExit(settings))
        } catch let code as ExitCode {
            throw code
        } catch {
            throw AtRest.failure("\(error)", ExitStatus.badSettings)
        }
    }

    /// Lines of a file that is not empty at its end.
    static func lines(_ path: String) throws -> [String] {
        do {
            return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        } catch {
            print("martlet: \(path) is not there, or is no text that this user may read")
            throw ExitCode(ExitStatus.badSettings)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Reads the whole chain and names what was altered, deleted, moved or cut off.",
            discussion: "A cut end, and a chain written anew, show only against checkpoints that were kept outside. Exit codes: 0 sound, "
                + "1 damage, or the database is away, 2 bad settings, or a file cannot be read.")

        @OptionGroup var place: StoreCommand.Place
        @Option(help: "File of checkpoints, instead of that of the settings; may be given again, in the order of their entries.")
        var checkpoints: [String] = []
        @Option(help: "File of public keys of earlier master keys, a line each; may be given again.") var key: [String] = []

        func run() async throws {
            try await StoreCommand.with(place) { store, _, settings in
                var keys = [try AuditCommand.signer(settings).publicKey]
                for line in try key.flatMap(AuditCommand.lines) {
                    guard let known = AuditCheckpointKey(line: line) else {
                        print("martlet: --key: a line is no public key of the audit")
                        throw ExitCode(ExitStatus.badSettings)
                    }
                    keys.append(known)
                }
                var files = checkpoints
                if files.isEmpty, let own = settings.desk.checkpoints, FileManager.default.fileExists(atPath: own) { files = [own] }
                let lines = try files.flatMap(AuditCommand.lines)
                let report = try await AuditCheck.run(store, checkpoints: lines, keys: keys)
                for finding in report.findings { print(finding) }
                let kept = UInt64(report.findings.count)
                if report.findingCount > kept { print("and \(report.findingCount - kept) more") }
                guard report.isSound else { throw ExitCode(1) }
                print("sound: \(report.entries) entries, of which \(report.confirmed) are confirmed by \(lines.count) checkpoints")
                if lines.isEmpty { print("no checkpoint was given: that the end was cut off would not show") }
            }
        }
    }

    struct Key: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "key", abstract: "Prints the public key of the checkpoints, to be kept with them.")

        @OptionGroup var place: StoreCommand.Place

        func run() throws {
            print(try AuditCommand.signer(try AtRest.settings(file: place.config, data: place.data)).publicKey.line)
        }
    }
}
