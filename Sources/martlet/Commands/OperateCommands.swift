import ArgumentParser
import MartletNode

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what every source handed in, what of it ended and what is open, and what is held.",
        discussion: "A drift other than 0 is a message that was lost or counted twice: run `martlet journal verify`.")

    @Option(help: "Data directory of the running node.") var data: String

    func run() throws {
        let answer = try Running.ask(ControlRequest(verb: "status"), data: data)
        print(answer.message)
        Table.print(answer.rows)
    }
}

struct HoldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Holds classes back; they are taken in and wait. Outlives restarts, until `martlet release`.")

    @Option(name: .customLong("class"), help: "Classes, with commas.") var classes: String
    @Option(help: "Connection group; all when left out.") var group = ""
    @Option(help: "Data directory of the running node.") var data: String

    func run() throws {
        print(try Running.ask(ControlRequest(verb: "hold-class", fields: ["class": classes, "group": group]), data: data).message)
    }
}

struct ReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "release", abstract: "Lets held classes go.")

    @Option(name: .customLong("class"), help: "Classes, with commas.") var classes: String
    @Option(help: "Connection group; when left out, all of them, those held on one group too.") var group = ""
    @Option(help: "Data directory of the running node.") var data: String

    func run() throws {
        print(try Running.ask(ControlRequest(verb: "release-class", fields: ["class": classes, "group": group]), data: data).message)
    }
}

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "What waits to be sent.", subcommands: [List.self, Purge.self, Move.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows what waits by group, class and source.")
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws {
            let answer = try Running.ask(ControlRequest(verb: "queue"), data: data)
            print(answer.message)
            Table.print(answer.rows)
        }
    }

    struct Filter: ParsableArguments {
        @Option(name: .customLong("class"), help: "Classes, with commas; all when left out.") var classes = ""
        @Option(help: "Source; all when left out.") var source = ""
        @Option(help: "Only what was accepted longer ago than this: 90s, 10m, 2h, 1d.") var olderThan = ""
        @Flag(help: "Do it. Without, it is only counted.") var yes = false

        var fields: [String: String] { ["class": classes, "source": source, "olderThan": olderThan, "yes": String(yes)] }
    }

    struct Purge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends what waits as cancelled_by_operator. What a provider may have stays.",
            discussion: "Without --yes it is only counted. Ctrl-C breaks it off; what was ended is ended.")
        @Option(help: "Connection group; all when left out.") var group = ""
        @OptionGroup var filter: Filter
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws {
            let fields = filter.fields.merging(["group": group]) { $1 }
            print(try Running.ask(ControlRequest(verb: "purge", fields: fields), data: data, seconds: 120).message)
        }
    }

    struct Move: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves what waits to another group, behind what waits there. What a provider may have stays.",
            discussion: "Without --yes it is only counted. Ctrl-C breaks it off; what was moved is moved.")
        @Option(help: "Connection group it waits in.") var from: String
        @Option(help: "Connection group it is to go by.") var to: String
        @OptionGroup var filter: Filter
        @Flag(help: "Move possible duplicates too, which may have left before a crash; they stay flagged.") var suspects = false
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws {
            let fields = filter.fields.merging(["from": from, "to": to, "suspects": String(suspects)]) { $1 }
            print(try Running.ask(ControlRequest(verb: "move", fields: fields), data: data, seconds: 120).message)
        }
    }
}
