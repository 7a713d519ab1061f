import ArgumentParser
import MartletNode

/// Asks the node of a data directory and shows its answer.
enum Running {
    /// - Parameter seconds: longest silence of the node.
    static func ask(_ request: ControlRequest, data: String, seconds: Int = 30) throws -> ControlAnswer {
        do {
            let answer = try ControlClient.ask(request, socket: "\(data)/control.sock", seconds: seconds) { progress in
                JSONLogHandler.toStandardError("\(progress.message)\n")
            }
            guard answer.ok else {
                print("martlet: \(answer.message)")
                Table.print(answer.rows)
                throw ExitCode(1)
            }
            return answer
        } catch let fault as ControlClient.Fault {
            print("martlet: \(fault)")
            throw ExitCode(1)
        }
    }
}

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Sends the text on standard input as one message; prints its id.")

    @Option(help: "International number, such as +447700900123.") var to: String
    @Option(help: "Sender id.") var from = "MARTLET"
    @Option(name: .customLong("class"), help: "Class of the message.") var messageClass = "transactional"
    @Option(help: "Your own word for it.") var reference = ""
    @Option(help: "Data directory of the running node.") var data: String

    func run() throws {
        var text = ""
        while let line = readLine(strippingNewline: false), text.utf8.count <= 8192 { text += line }
        if text.hasSuffix("\n") { text.removeLast() }
        let fields = ["to": to, "from": from, "class": messageClass, "reference": reference, "text": text]
        print(try Running.ask(ControlRequest(verb: "send", fields: fields), data: data).message)
    }
}

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "trace", abstract: "Tells the story of a message, hop by hop.")

    @Argument(help: "Its id, 32 hexadecimal digits.") var id: String
    @Option(help: "Data directory of the running node.") var data: String

    func run() throws {
        let answer = try Running.ask(ControlRequest(verb: "trace", name: id), data: data)
        print(answer.message)
        Table.print(answer.rows)
    }
}

struct ConnectionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connection", abstract: "Connections of a running node.",
        subcommands: [List.self, Start.self, Stop.self, Hold.self, Release.self, Drain.self, Reload.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows all connections.")
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws { Table.print(try Running.ask(ControlRequest(verb: "connections"), data: data).rows) }
    }

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Binds a stopped connection again.")
        @Argument(help: "Its name.") var name: String
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws { print(try Running.ask(ControlRequest(verb: "start", name: name), data: data).message) }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drains and unbinds a connection; its messages wait or go by others of its group.")
        @Argument(help: "Its name.") var name: String
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws { print(try Running.ask(ControlRequest(verb: "stop", name: name), data: data).message) }
    }

    struct Hold: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Keeps it bound and hearing receipts, but sends nothing new.")
        @Argument(help: "Its name.") var name: String
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws { print(try Running.ask(ControlRequest(verb: "hold", name: name), data: data).message) }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ends a hold.")
        @Argument(help: "Its name.") var name: String
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws { print(try Running.ask(ControlRequest(verb: "release", name: name), data: data).message) }
    }

    struct Drain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives it nothing new and waits until all that is on its wire is answered; then it stays bound, as held, or unbinds.")
        @Argument(help: "Its name.") var name: String
        @Option(help: "Longest wait in seconds.") var seconds = 20
        @Flag(help: "Unbind it then; `martlet connection start` binds it again.") var unbind = false
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws {
            let fields = ["seconds": String(seconds), "unbind": String(unbind)]
            print(try Running.ask(ControlRequest(verb: "drain", name: name, fields: fields), data: data).message)
        }
    }

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Applies a changed settings file: connections, routes, sources, SMPP accounts and webhooks, without losing or doubling a message."
        )
        @Option(help: "Data directory of the running node.") var data: String
        func run() throws {
            let answer = try Running.ask(ControlRequest(verb: "reload"), data: data)
            print(answer.message)
            Table.print(answer.rows)
        }
    }
}

/// Rows as a table with aligned columns.
enum Table {
    static func print(_ rows: [[String]]) {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            Swift.print(line)
        }
    }
}
