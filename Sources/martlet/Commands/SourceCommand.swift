import ArgumentParser
import Guard
import MartletModel
import MartletNode

struct SourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Sender systems and their keys.",
        subcommands: [Add.self, Key.self, Revoke.self, Limit.self, Certificates.self, List.self])

    /// Changes the file and tells a running node.
    static func change<Result>(_ data: String, _ body: (inout SourceFile) throws(SourceFile.Fault) -> Result) throws -> Result {
        do {
            let result = try SourceFile.change(data, body)
            do {
                let answer = try ControlClient.ask(ControlRequest(verb: "sources"), socket: "\(data)/control.sock")
                if !answer.ok { print("the running node did not take it over: \(answer.message)") }
            } catch ControlClient.Fault.notRunning {
                // It reads the file when it starts.
            } catch {
                print("the file is changed, but the running node could not be told: \(error); run `martlet connection reload`")
            }
            return result
        } catch {
            print("martlet: \(error)")
            throw ExitCode(ExitStatus.badSettings)
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Makes a sender system and prints its key once.")

        @Argument(help: "Its name.") var name: String
        @Option(help: "Data directory.") var data: String
        @Option(help: "What its key may do, with commas: send, read.") var scopes = "send,read"
        @Option(help: "Sender ids it may use, with commas; empty: any.") var senders = ""
        @Option(help: "Classes it may use, with commas; empty: any.") var classes = ""
        @Option(help: "Sender id of its messages that name none.") var sender: String?
        @Option(name: .customLong("class"), help: "Class of its messages that name none.") var messageClass = "transactional"
        @Option(help: "Client certificates its keys may be used with, with commas: \(CertificateRule.forms); empty: none is needed.")
        var certificates = ""

        @Option(help: "Parts a second that it may hand in; 0: any.") var rate = 0
        @Option(help: "Parts that it may hand in at once after a silence; 0: as many as in a second.") var burst = 0
        @Option(help: "Parts that it may hand in on one day; 0: any.") var quota = 0

        func run() throws {
            let key = APIKey.generate()
            _ = try SourceCommand.change(data) { file throws(SourceFile.Fault) in
                try file.add(
                    name, scopes: words(scopes), senders: words(senders), classes: words(classes), sender: sender,
                    messageClass: messageClass, limits: SourceLimits(rate: rate, burst: burst, dailyQuota: quota),
                    certificates: words(certificates), key: APIKey.hash(of: key))
            }
            print("source \(name) made; its key, shown this once: \(key.reveal())")
        }
    }

    struct Key: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "key", abstract: "Gives a source a further key and prints it once.")

        @Argument(help: "Name of the source.") var name: String
        @Option(help: "Data directory.") var data: String

        func run() throws {
            let key = APIKey.generate()
            try SourceCommand.change(data) { file throws(SourceFile.Fault) in try file.addKey(name, APIKey.hash(of: key)) }
            print("a further key of \(name), shown this once: \(key.reveal())")
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Takes all keys of a source away.")

        @Argument(help: "Name of the source.") var name: String
        @Option(help: "Data directory.") var data: String

        func run() throws {
            try SourceCommand.change(data) { file throws(SourceFile.Fault) in try file.revoke(name) }
            print("\(name) has no key any more")
        }
    }

    struct Limit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "limit", abstract: "Changes what a source may send, over all doors together; what is not given stays.",
            discussion: "Security messages and codes have the rate again for themselves, and are taken beyond the day's quota.")

        @Argument(help: "Name of the source.") var name: String
        @Option(help: "Data directory.") var data: String
        @Option(help: "Parts a second; 0: any.") var rate: Int?
        @Option(help: "Parts at once after a silence; 0: as many as in a second.") var burst: Int?
        @Option(help: "Parts on one day; 0: any.") var quota: Int?

        func run() throws {
            let limits = try SourceCommand.change(data) { file throws(SourceFile.Fault) in
                try file.limit(name, rate: rate, burst: burst, dailyQuota: quota)
            }
            print("\(name): \(limits.words)")
        }
    }

    struct Certificates: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "certificates",
            abstract: "Binds a source to client certificates: its keys are refused over connections without one.")

        @Argument(help: "Name of the source.") var name: String
        @Argument(help: "\(CertificateRule.forms); none: its keys need no certificate.") var rules: [String] = []
        @Option(help: "Data directory.") var data: String

        func run() throws {
            try SourceCommand.change(data) { file throws(SourceFile.Fault) in try file.bind(name, to: rules) }
            print(rules.isEmpty ? "\(name) needs no certificate" : "\(name) is bound to \(rules.joined(separator: ", "))")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows the sender systems.")

        @Option(help: "Data directory.") var data: String

        func run() throws {
            var rows = [["number", "name", "scopes", "senders", "classes", "certificates", "keys", "limits"]]
            for entry in try SourceFile.load(data).sources {
                rows.append([
                    String(entry.number), entry.name, entry.scopes.joined(separator: ","), entry.senders.joined(separator: ","),
                    entry.classes.joined(separator: ","), (entry.certificates ?? []).joined(separator: ","), String(entry.keyHashes.count),
                    entry.limits.words,
                ])
            }
            Table.print(rows)
        }
    }
}

extension SourceLimits {
    /// As people read it.
    var words: String {
        var words: [String] = []
        if rate > 0 { words.append("\(rate) parts a second, \(burst > 0 ? burst : rate) at once") }
        if dailyQuota > 0 { words.append("\(dailyQuota) parts a day") }
        return words.isEmpty ? "no limits" : words.joined(separator: ", ")
    }
}

private func words(_ text: String) -> [String] { text.split(separator: ",").map { $0.trimming } }

extension Substring {
    fileprivate var trimming: String { String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}
