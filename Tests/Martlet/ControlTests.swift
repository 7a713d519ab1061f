import Dispatch
import Foundation
import Guard
import Journal
import Logging
import MartletDoors
import MartletModel
import MartletNode
import NIOCore
import NIOPosix
import Testing

@testable import martlet

/// A server with two groups whose operators are not there, asked as through its control socket.
private final class ServerRig: Sendable {
    let directory: String
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server: NIOLoopBound<Server>
    var loop: any EventLoop { group.next() }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "martlet-control-\(UUID().uuidString)").path
        let data = "\(directory)/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let key = "\(directory)/master.key"
        let master = try MasterKey.create(at: key)
        let text = """
            keys: {master: \(key)}
            connections:
              - {name: north, group: north, host: 127.0.0.1, port: 1, systemId: martlet}
              - {name: south, group: south, host: 127.0.0.1, port: 1, systemId: martlet}
            routes:
              - {prefix: "44", group: north}
              - {prefix: "", group: south}

            """
        try text.write(toFile: "\(directory)/martlet.yaml", atomically: true, encoding: .utf8)
        let settings = try ServerSettings.read(file: "\(directory)/martlet.yaml", dataDirectory: data, environment: [:])
        let sources = try SourceFile.change(data) { file throws(SourceFile.Fault) in
            _ = try file.add("core", scopes: ["send"], limits: SourceLimits(rate: 100, dailyQuota: 1000), key: nil)
            return file
        }
        var options = settings.node
        options.journal.segmentSize = 512 << 10
        options.journal.batchSize = 64 << 10
        options.journal.recordSize = 32 << 10
        options.journal.spares = 1
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let loop = group.next()
        let (node, _) = try Node.open(
            options, master: master, loop: loop, logger: logger, background: DispatchQueue(label: "test"), storageFailed: { _ in })
        let groups = try NumberFile.numbers(of: ["north", "south"], in: "\(data)/groups")
        let file = "\(directory)/martlet.yaml"
        server = try loop.submit {
            let server = Server(
                node: node.value, logger: logger, settings: settings, settingsFile: file, registry: SourceRegistry(sources),
                groups: groups,
                receiptForms: ReceiptForms(path: "\(data)/receipt-forms", background: DispatchQueue(label: "test"), failed: { _ in }),
                readiness: Readiness())
            server.node.set(routes: Server.routes(settings, groups))
            for entry in settings.connections { try server.add(entry) }
            return NIOLoopBound(server, eventLoop: loop)
        }.wait()
    }

    func ask(_ verb: String, _ name: String? = nil, _ fields: [String: String] = [:]) throws -> ControlAnswer {
        let promise = loop.makePromise(of: ControlAnswer.self)
        let server = server
        loop.execute {
            server.value.control(ControlRequest(verb: verb, name: name, fields: fields), ControlPeer.test) { answer in
                if answer.more != true { promise.succeed(answer) }
            }
        }
        return try promise.futureResult.wait()
    }

    /// Puts more into the settings file, and has it read again.
    func reload(adding text: String) throws -> ControlAnswer {
        let file = "\(directory)/martlet.yaml"
        let present = try String(contentsOfFile: file, encoding: .utf8)
        try (present + text).write(toFile: file, atomically: true, encoding: .utf8)
        return try ask("reload")
    }

    func send(_ messageClass: String, to: String = "+447700900123") throws -> String {
        try ask("send", nil, ["to": to, "class": messageClass, "text": "Hello"]).message
    }

    func stop() throws {
        let promise = loop.makePromise(of: Void.self)
        let server = server
        loop.execute { server.value.node.drain { promise.succeed() } }
        try promise.futureResult.wait()
        try loop.submit { server.value.node.takeJournal() }.wait().close()
    }

    /// What people did, by the journal.
    func acts() throws -> [String] {
        var acts: [String] = []
        _ = try Journal.verify("\(directory)/data/journal") { _, bytes in
            if let record = try? Record(reading: bytes), case .mark(let it) = record.body, it.what == .operated { acts.append(it.text) }
        }
        return acts
    }
}

extension ControlPeer {
    fileprivate static var test: ControlPeer { ControlPeer(who: "alice (uid 7)") }
}

/// The desk's part: a file in the node's directory.
extension ServerRig {
    fileprivate func publish(_ number: Int64, _ routes: [(String, String)]) throws {
        let list = routes.map { JSONValue.object(["prefix": .text($0.0), "group": .text($0.1)]) }
        let content = JSONValue.object(["routes": .list(list)])
        try publish(number, [RulebookObject(kind: .routes, key: "default", version: number, content: content)])
    }

    fileprivate func publish(_ number: Int64, _ objects: [RulebookObject]) throws {
        let source = RulebookSource(number: number, at: 1, objects: objects)
        try FileManager.default.createDirectory(atPath: "\(directory)/data/local", withIntermediateDirectories: true)
        let bytes = try RulebookFile.bytes(source, digest: BodyDigest.sha256)
        try Data(bytes).write(to: URL(filePath: "\(directory)/data/local/\(RulebookFile.name(number))"))
    }

    fileprivate func begin() throws {
        let (server, directory) = (server, directory)
        try loop.submit {
            let shelf = RulebookShelf("\(directory)/data/local", zoneFile: ZoneFiles.read)
            let surroundings = RulebookInUse.surroundings(server.value.settings)
            server.value.rulebook.begin(server.value, shelf.look(in: surroundings, last: nil))
        }.wait()
    }

    /// An event told by SMS to everybody, in a release of its own.
    fileprivate func publishEvent(_ number: Int64, _ key: String) throws {
        let objects: [(RulebookKind, String, String)] = [
            (.eventType, "news", #"{"number": 3}"#), (.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#),
            (
                .event, key,
                #"{"number": 1, "type": "news", "class": "service", "everyone": true, "plan": "sms", "templates": {"sms": "news"}}"#
            ),
            (.template, "sms.news", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "News"}}"#),
        ]
        try publish(
            number,
            try objects.map { kind, key, text in
                RulebookObject(kind: kind, key: key, version: 1, content: try JSONValue(reading: Array(text.utf8), maximumBytes: 1 << 16))
            })
    }

    fileprivate func catalogue() throws -> EventCatalogue { try loop.submit { [server] in server.value.node.catalogue }.wait() }

    /// What the node would decide of an event of nobody that it knows.
    fileprivate func explain(_ event: EventDefinition, release: UInt32?) throws -> Result<Explanation, ExplanationFault> {
        let promise = loop.makePromise(of: Result<Explanation, ExplanationFault>.self)
        let server = server
        loop.execute {
            let it = EventSubmission(
                source: 1, definition: event, values: [], customer: "C-1", occurredAt: server.value.node.now().wall,
                receivedAt: server.value.node.now())
            server.value.node.explain(it, at: nil, release: release) { promise.succeed($0) }
        }
        return try promise.futureResult.wait()
    }

    fileprivate func metrics() throws -> String { try loop.submit { [server] in server.value.metricsText() }.wait() }
}

@Suite("Control of a running node", .serialized)
struct ControlTests {
    @Test("Holds, lists, counts, moves, purges and status as a person asks for them; each act is in the journal with who did it")
    func acts() throws {
        let rig = try ServerRig()
        #expect(try rig.ask("hold-class", nil, ["class": "marketing,otp", "group": ""]).message == "otp, marketing held on all groups")
        for _ in 0..<3 { _ = try rig.send("marketing") }
        _ = try rig.send("service")
        let list = try rig.ask("queue")
        #expect(list.message == "4 messages wait" && list.rows.count == 3)
        #expect(list.rows.last.map { Array($0[0...4]) } == ["north", "marketing", "command-line", "3", "3"])
        #expect(list.rows.last?.last == "held")
        #expect(
            try rig.ask("move", nil, ["from": "north", "to": "south", "class": "marketing"]).message
                == "would move 3 messages, 3 submits; add --yes to do it")
        #expect(
            try rig.ask("move", nil, ["from": "north", "to": "south", "class": "marketing", "yes": "true"]).message
                == "moved 3 messages, 3 submits")
        #expect(try rig.ask("purge", nil, ["group": "south"]).message == "would end 3 messages, 3 submits; add --yes to do it")
        #expect(try rig.ask("purge", nil, ["group": "south", "olderThan": "1h", "yes": "true"]).message == "ended 0 messages, 0 submits")
        #expect(
            try rig.ask("purge", nil, ["group": "south", "source": "command-line", "yes": "true"]).message == "ended 3 messages, 3 submits")
        #expect(try rig.ask("release-class", nil, ["class": "otp", "group": "north"]).message.contains("held on all groups"))
        let status = try rig.ask("status")
        #expect(status.message == "1 messages open; held on all groups: otp, marketing")
        #expect(status.rows.last == ["command-line", "4", "3", "1", "0", "4", "4", "no limits"])
        #expect(try rig.ask("release-class", nil, ["class": "otp,marketing"]).ok)
        #expect(try rig.ask("status").message == "1 messages open")
        #expect(try rig.ask("sources").message == "1 sources")
        try rig.stop()
        let acts = try rig.acts()
        #expect(acts.allSatisfy { $0.hasPrefix("alice (uid 7): ") })
        #expect(acts.contains("alice (uid 7): move from north to south class marketing"))
        #expect(acts.contains("alice (uid 7): done: purge group south source command-line: 3 messages"))
        #expect(try rig.ask("status").message.contains("takes no messages: stopping"))
        #expect(try rig.ask("purge").message == "the node is stopping")
    }

    @Test(
        "What cannot be meant is refused with its reason, and nothing is done",
        arguments: [
            ("hold-class", [:], "--class"), ("hold-class", ["class": "otpp"], "'otpp'"),
            ("hold-class", ["class": "otp", "group": "west"], "west"),
            ("purge", ["source": "nobody"], "nobody"), ("purge", ["olderThan": "10"], "--older-than"),
            ("purge", ["olderThan": "-1s"], "--older"),
            ("move", ["from": "north"], "--to"), ("move", ["from": "north", "to": "north"], "--from"), ("move", ["to": "south"], "--from"),
            ("move", ["from": "north", "to": "east"], "north, south"), ("drain", ["seconds": "x"], "no connection"),
            ("fly", [:], "unknown verb"),
        ] as [(String, [String: String], String)])
    func refused(_ verb: String, _ fields: [String: String], _ part: String) throws {
        let rig = try ServerRig()
        let answer = try rig.ask(verb, nil, fields)
        #expect(!answer.ok && answer.message.contains(part), "\(answer.message)")
        try rig.stop()
        #expect(try rig.acts().isEmpty)
    }

    @Test("A reload gives another policy on card numbers to both doors and to those who send by command at once")
    func guardReloaded() throws {
        let rig = try ServerRig()
        let server = rig.server
        func policies() throws -> [CardNumbers.Policy] {
            try rig.loop.submit {
                let it = server.value
                return [it.door.cardNumbers, it.smppDoor.cardNumbers, it.settings.http.cardNumbers]
            }.wait()
        }
        #expect(try policies() == [.mask, .mask, .mask])
        let answer = try rig.reload(adding: "guard: {cardNumbers: refuse}\n")
        #expect(answer.ok && answer.rows.contains(["guard", "cardNumbers: refuse"]), "\(answer)")
        #expect(try policies() == [.refuse, .refuse, .refuse])
        let again = try rig.ask("reload")
        #expect(again.ok && !again.rows.contains { $0[0] == "guard" })
        let card = ["to": "+447700900123", "text": "Card 4111 1111 1111 1111"]
        #expect(try rig.ask("send", nil, card).message.contains("guard.cardNumbers"))
        try rig.stop()
    }

    @Test("Ages are read with their unit")
    func ages() throws {
        #expect(try ["90s", "10m", "2h", "1d"].map { try Server.milliseconds($0) } == [90_000, 600_000, 7_200_000, 86_400_000])
    }

    @Test("A drained connection takes nothing; unbound it stops, and takes messages again once it is started")
    func drain() throws {
        let rig = try ServerRig()
        #expect(try rig.ask("drain", "north-1", ["seconds": "x"]).message.contains("--seconds"))
        #expect(try rig.ask("drain", "north-1", ["seconds": "1"]).message.contains("is drained and takes no new messages"))
        #expect(try rig.ask("connections").rows.contains { $0[0] == "north-1" && $0[1].contains("held") })
        #expect(try rig.ask("drain", "north-1", ["seconds": "1", "unbind": "true"]).message == "north-1 is drained and stopped")
        #expect(try rig.ask("connections").rows.contains { $0[0] == "north-1" && $0[1] == "stopped" })
        #expect(try rig.ask("start", "north-1").ok)
        try rig.stop()
        #expect(try rig.acts().contains("alice (uid 7): drain connection north-1 and unbind"))
    }

    @Test(
        "A published rulebook is taken without a restart, one that cannot be used changes nothing, and a reload may not take its groups away"
    )
    func rulebooks() throws {
        let rig = try ServerRig()
        try rig.publish(1, [("", "north")])
        try rig.begin()
        #expect(try rig.ask("status").message == "0 messages open; rulebook 1")
        _ = try rig.send("service", to: "+33612345678")
        #expect(try rig.ask("rulebook").message == "rulebook 1 in use")

        try rig.publish(2, [("", "south")])
        #expect(try rig.ask("rulebook").message == "rulebook 2 in use")
        _ = try rig.send("service", to: "+447700900123")
        let queue = try rig.ask("queue").rows.dropFirst().map { [$0[0], $0[3]] }
        #expect(queue == [["north", "1"], ["south", "1"]])

        try rig.publish(3, [("", "west")])
        let refused = try rig.ask("rulebook")
        #expect(!refused.ok && refused.message.contains("rulebook 3 cannot be used") && refused.message.contains("'west'"))
        #expect(try rig.ask("status").message.contains("rulebook 2; rulebook 3 cannot be used"))
        #expect(try rig.metrics().contains("martlet_rulebook_refused_release 3\n"))
        #expect(try rig.metrics().contains("martlet_rulebook_release 2\n"))

        let file = "\(rig.directory)/martlet.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let without = text.split(separator: "\n").filter { !$0.contains("south") }.joined(separator: "\n") + "\n"
        try without.write(toFile: file, atomically: true, encoding: .utf8)
        let reload = try rig.ask("reload")
        #expect(!reload.ok && reload.message.contains("rulebook 2 sends numbers to group 'south'"))
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try rig.ask("reload").ok)
        _ = try rig.send("service", to: "+447700900123")
        #expect(try rig.ask("queue").rows.last?.first == "south")
        try rig.stop()
        #expect(
            try rig.acts().filter { $0.contains("rulebook") }.map { $0.split(separator: "(")[0] } == ["rulebook 1 ", "other rulebook 2 "])
    }

    @Test("Without a rulebook the settings' routes hold, and a node that starts with a damaged one starts")
    func noRulebook() throws {
        let rig = try ServerRig()
        try rig.publish(1, [("", "north")])
        try Data("martlet-rulebook 1".utf8).write(to: URL(filePath: "\(rig.directory)/data/local/\(RulebookFile.name(1))"))
        #expect(try rig.ask("rulebook").message == "the node is starting")
        try rig.begin()
        #expect(try rig.ask("status").message.contains("rulebook 1 cannot be used"))
        _ = try rig.send("service", to: "+33612345678")
        #expect(try rig.ask("queue").rows.last?.first == "south")
        try FileManager.default.removeItem(atPath: "\(rig.directory)/data/local/\(RulebookFile.name(1))")
        #expect(try rig.ask("rulebook").message == "no rulebook is published; the settings hold")
        #expect(try rig.ask("status").message == "1 messages open")
        try rig.stop()
    }

    @Test(
        "A release brings events and routes in one step, one without events takes them away, and those kept can be asked what they would decide"
    )
    func events() throws {
        let rig = try ServerRig()
        try rig.publishEvent(3, "news")
        try rig.begin()
        let event = try #require(try rig.catalogue()["news"])
        #expect(try rig.catalogue().release == 3)
        #expect(try rig.explain(event, release: nil).get().release == 3)
        try rig.publishEvent(4, "letter")
        #expect(try rig.ask("rulebook").message == "rulebook 4 in use")
        #expect(try rig.catalogue()["news"] == nil && rig.catalogue()["letter"] != nil)
        for _ in 0..<2 {
            let explanation = try rig.explain(event, release: 3).get()
            #expect(explanation.release == 3 && explanation.outcome == .suppress(.unknownCustomer))
        }
        #expect(throws: ExplanationFault.noRelease(2)) { try rig.explain(event, release: 2).get() }
        try rig.publish(5, [("44", "north"), ("", "south")])
        #expect(try rig.ask("rulebook").ok)
        #expect(try rig.catalogue().isEmpty)
        #expect(throws: ExplanationFault.noRulebook) { try rig.explain(event, release: nil).get() }
        try rig.stop()
    }
}
