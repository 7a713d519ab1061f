import ArgumentParser
import Glibc
import Guard
import MartletDesk
import MartletModel
import MartletNode
import MartletStore
import SQL

/// Works on the store directly, with the master key at hand: so the first administrator is made, and one whose key was lost helped.
struct PrincipalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "principal", abstract: "Who may administer, and with which rights.",
        discussion: "Exit codes: 0 done, 1 refused, or the database is away, 2 bad settings or a wrong key.",
        subcommands: [Add.self, List.self, Rotate.self, Revoke.self])

    /// The user of this machine, with every right: whoever holds the master key has them anyway.
    static var caller: Caller {
        let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? String(getuid())
        return Caller(name: "shell:\(user)", rights: Set(Right.allCases), reason: "martlet principal")
    }

    static func with(_ place: StoreCommand.Place, _ body: (Principals) async throws -> Void) async throws {
        try await withDesk(place) { try await body(Principals($0, rowKey: $1)) }
    }

    /// The desk's use cases over the store itself, with the key of its rows.
    static func withDesk(_ place: StoreCommand.Place, _ body: (Desk, Secret) async throws -> Void) async throws {
        try await StoreCommand.with(place) { store, _, settings in
            let keys = try AtRest.keys(settings).days
            let clock = SystemClock()
            try await StoreSchema.ready(store, now: clock.now().wallMilliseconds)
            do {
                try await body(Desk(store: store, now: { clock.now().wall }), keys.rowKey)
            } catch let fault as DeskFault {
                print("martlet: \(fault)")
                throw ExitCode(1)
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Makes a principal and prints its key once.")

        @Argument(help: "Its name, which is never used again.") var name: String
        @OptionGroup var place: StoreCommand.Place
        @Option(help: "What it may do, with commas, or all; the page of rights has the words.") var rights: String
        @Option(help: "Number of the unit it belongs to; without one, the whole bank.") var unit: Int64?

        func run() async throws {
            let words = rights == "all" ? Right.allCases.map(\.rawValue) : rights.split(separator: ",").map(String.init)
            try await PrincipalCommand.with(place) { principals in
                let wish = Principals.Wish(name: name, rights: try Right.set(words), unit: unit)
                let (made, key) = try await principals.add(wish, by: PrincipalCommand.caller)
                print("principal \(made.name) made; its key, shown this once: \(key.reveal())")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Shows the principals.")

        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await PrincipalCommand.with(place) { principals in
                var rows = [["name", "unit", "state", "rights"]]
                var after: Cursor?
                repeat {
                    let page = try await principals.list(try PageWish(after: after, limit: PageWish.most), by: PrincipalCommand.caller)
                    for principal in page.items {
                        rows.append([
                            principal.name, principal.unit.map { String($0) } ?? "all", principal.revokedAt == nil ? "active" : "revoked",
                            principal.rights.count == Right.allCases.count
                                ? "all" : principal.rights.map(\.rawValue).sorted().joined(separator: ","),
                        ])
                    }
                    after = page.next
                } while after != nil
                Table.print(rows)
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate", abstract: "Gives a principal a new key and prints it once; the old one is refused from now on.")

        @Argument(help: "Its name.") var name: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await PrincipalCommand.with(place) { principals in
                let (_, key) = try await principals.rotate(name, version: nil, by: PrincipalCommand.caller)
                print("the new key of \(name), shown this once: \(key.reveal())")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Takes a principal's access away, for good.")

        @Argument(help: "Its name.") var name: String
        @OptionGroup var place: StoreCommand.Place

        func run() async throws {
            try await PrincipalCommand.with(place) { principals in
                _ = try await principals.revoke(name, version: nil, by: PrincipalCommand.caller)
                print("\(name) is revoked")
            }
        }
    }
}
