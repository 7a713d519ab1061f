import ArgumentParser
import Dispatch
import Foundation
import Guard
import Journal
import Logging
import MartletLocal
import MartletModel
import NIOCore
import NIOPosix
import Testing

@testable import MartletEngine
@testable import MartletNode
@testable import martlet

/// `martlet replay`, over the log of a node that decided events of a published rulebook.
@Suite("Replay: the verb") struct ReplayCommandTests {
    private static let objects: [(String, String)] = [
        ("event-type/cards", #"{}"#), ("plan/sms", #"{"steps": [{"channels": ["sms"]}]}"#),
        (
            "event/payment",
            #"""
            {"type": "cards", "class": "transactional", "everyone": true, "plan": "sms", "templates": {"sms": "payment"},
             "parameters": [{"name": "shop", "type": "text"}]}
            """#
        ),
        ("template/sms.payment", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid at {{shop}}"}}"#),
        ("routes/all", #"{"routes": [{"prefix": "", "group": "g"}]}"#),
    ]

    private func put(_ folder: String, _ change: [String: String] = [:]) throws {
        for (name, content) in Self.objects {
            let path = "\(folder)/\(name).json"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let text = "{\"name\": \"N\", \"description\": \"D\", \"content\": \(change[name] ?? content)}"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }

    /// One customer, subject 1 with the reference C-1 and a number, as the desk writes the node's copy.
    private func customer(_ folder: String) throws {
        let data = "\(folder)/data"
        let master = try MasterKey.load(from: "\(folder)/master.key")
        let keys = try KeyStore(directory: "\(data)/keys", master: master, access: .owner(create: true))
        let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: master, access: .owner(create: true))
        let key = try #require(try subjects.make(1).first)
        let hashes = CustomerHashes(keys)
        var builder = try BaseBuilder("\(data)/local", .init(version: 1, folded: 0, hashCheck: keys.localHashCheck, madeAt: 1))
        var customer = Customer(subject: key.number)
        customer.contacts = [ContactPoint(number: 1, kind: .phone)]
        let details = CustomerDetails(reference: "C-1", addresses: [.init(number: 1, value: .phone(447_700_900_101))])
        var (clear, plain): ([UInt8], [UInt8]) = ([], [])
        try customer.write(to: &clear)
        try details.write(to: &plain)
        var sealer = Sealer()
        let sealed = try sealer.seal(plain, context: .details(of: key.number), key: key)
        try clear.withUnsafeBytes { clear in
            try sealed.withUnsafeBytes { sealed in
                try builder.add(
                    subject: key.number, reference: hashes.reference("C-1"),
                    addresses: [AddressHash(number: 1, hash: hashes.phone(447_700_900_101))], clear: clear, sealed: sealed)
            }
        }
        _ = try builder.finish()
    }

    /// A node that takes events by the newest release, and stops.
    private func decide(_ folder: String, _ customers: [String]) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let master = try MasterKey.load(from: "\(folder)/master.key")
        var options = NodeOptions(dataDirectory: "\(folder)/data")
        options.journal.spares = 1
        options.journal.segmentSize = 512 << 10
        options.journal.batchSize = 64 << 10
        options.journal.recordSize = 32 << 10
        let settings = options
        let node = try await Task.detached {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            return try Node.open(
                settings, master: master, loop: loop, logger: logger, background: DispatchQueue(label: "test"), storageFailed: { _ in }
            ).node
        }.value
        let shelf = RulebookShelf(options.localDirectory, zoneFile: ZoneFiles.read)
        let book = try #require(shelf.look(in: Rulebook.Surroundings(groups: ["g"]), last: nil)?.loaded?.book)
        let promises = customers.map { _ in loop.makePromise(of: Acceptance.self) }
        try await loop.submit {
            let node = node.value
            node.use(routes: Routes([.init(prefix: "", group: 1)]), book: book)
            node.set(connected: [1])
            let definition = try #require(node.catalogue["payment"])
            for (customer, promise) in zip(customers, promises) {
                node.submit(
                    event: EventSubmission(
                        source: 1, definition: definition, values: [.text("Books")], customer: customer, occurredAt: node.now().wall,
                        receivedAt: node.now())
                ) { promise.succeed($0) }
            }
        }.get()
        for promise in promises {
            guard case .accepted = try await promise.futureResult.get() else {
                Issue.record("an event was not accepted")
                continue
            }
        }
        let drained = loop.makePromise(of: Void.self)
        loop.execute { node.value.drain { drained.succeed() } }
        try await drained.futureResult.get()
        try await loop.submit { node.value.takeJournal() }.get().close()
        try await group.shutdownGracefully()
    }

    @Test("A log comes out as it was recorded; another release or a folder says what it would change; what cannot be had is said, exit 1")
    func verb() async throws {
        try await AdministrationRig.with { place, folder in
            func rulebook(_ words: String...) async throws -> Int32 { try await AdministrationRig.run(RulebookCommand.self, words + place) }
            func replay(_ words: String...) async throws -> Int32 { try await AdministrationRig.run(ReplayCommand.self, words + place) }
            #expect(try await replay() == 1, "no node has worked there")
            let files = "\(folder)/files"
            try put(files)
            #expect(try await rulebook("import", files, "--note", "first") == 0)
            #expect(try await rulebook("publish", "--note", "first") == 0)
            try customer(folder)
            try await decide(folder, ["C-1", "C-1", "nobody"])
            #expect(try await replay() == 0)
            #expect(try await replay("--json") == 0)

            // Another release, and files that were never published; neither changes what is.
            let quiet = ["event/payment": Self.objects[2].1.replacing("{\"type\"", with: "{\"published\": false, \"type\"")]
            try put(files, quiet)
            #expect(try await replay("--rulebook", files) == 0)
            #expect(try await rulebook("import", files, "--note", "second") == 0)
            #expect(try await rulebook("publish", "--note", "second") == 0)
            #expect(try await replay("--release", "2", "--json") == 0)
            #expect(try await replay("--release", "2") == 0)
            let changed = "\(folder)/changed.ndjson"
            #expect(try await replay("--release", "2", "--changes", changed) == 0)
            let said = try String(contentsOfFile: changed, encoding: .utf8).split(separator: "\n")
            #expect(
                said.count == 3 && said.allSatisfy { $0.contains("\"reason\":\"unpublished\"") && $0.contains("\"event\":\"payment\"") })
            #expect(said.count { $0.contains("\"customer\":1,") } == 2 && said.count { $0.contains("\"customer\":null,") } == 1)
            #expect(try FileManager.default.attributesOfItem(atPath: changed)[.posixPermissions] as? Int == 0o600)
            #expect(try await replay("--release", "2", "--changes", changed) == 1, "nothing is written over")
            #expect(try await replay("--release", "9") == 1)
            #expect(try await replay("--rulebook", "\(folder)/nowhere") == 1)
            try put("\(folder)/wrong", ["plan/sms": "{\"steps\": []}"])
            #expect(try await replay("--rulebook", "\(folder)/wrong") == 1)

            // The node keeps a few releases, the store all of them; where it is away too, that is said.
            let local = "\(folder)/data/local"
            for name in try FileManager.default.contentsOfDirectory(atPath: local) where name.hasPrefix("rulebook") {
                try FileManager.default.removeItem(atPath: "\(local)/\(name)")
            }
            #expect(try await replay() == 0)
            for name in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data") where name.hasPrefix("history.db") {
                try FileManager.default.removeItem(atPath: "\(folder)/data/\(name)")
            }
            #expect(try await replay() == 1)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/data/history.db"), "looking makes no database")
        }
    }

    @Test("Options that cannot be together are refused, and moments that are none")
    func options() {
        for words in [
            ["--release", "1", "--rulebook", "x"], ["--from", "yesterday"], ["--changes", "x"],
            ["--from", "2027-01-02T00:00:00Z", "--until", "2027-01-01T00:00:00Z"],
        ] {
            #expect(throws: (any Error).self) { try ReplayCommand.parse(["--config", "c"] + words) }
        }
    }

    // MARK: What it tells

    private func recorded(_ outcome: RecordBody.Decided.Outcome, _ reason: SuppressionReason? = nil, parts: UInt8 = 0) -> RecordedDecision {
        let event = DecisionEvent(event: 116, occurredAt: 1)
        return RecordedDecision(
            id: MessageID(milliseconds: 1_795_400_000_000, partition: 3, random: 7), at: 1_795_400_000_000_000,
            made: .init(stage: .fresh, outcome: outcome, reason: reason, event: 116, release: 7, subject: 11, partsOnAir: parts),
            facts: DecisionFacts(event: event, customer: nil, circumstances: Circumstances(now: 1)))
    }

    private func made(_ outcome: RecordBody.Decided.Outcome, _ reason: SuppressionReason? = nil, _ rule: DecisionRule? = nil) -> Redecision
    {
        Redecision(
            outcome: outcome, reason: reason, rule: rule, until: 0, package: 0, step: nil, channel: nil, messages: [], counters: [])
    }

    @Test("Lines name what differs by id, event and rule, and whatever could not be looked at")
    func lines() throws {
        var report = ReplayReport()
        for _ in 0..<21 { report.compared(recorded(.told), made(.suppressed, .capReached, .cap)) }
        report.compared(recorded(.held), made(.held))
        report.compared(recorded(.told), made(.told), text: .same)
        report.compared(recorded(.told), made(.told), text: .other)
        for why in WrittenAgain.Why.allCases { report.compared(recorded(.told), made(.told), text: .unknown(why)) }
        report.closed(.none)
        report.withoutRelease(recorded(.told))
        for number in 0..<21 {
            report.damaged(.init(position: UInt64(number), id: number == 0 ? recorded(.told).id : nil, reason: "rotten"))
        }
        (report.oldest, report.newest, report.isTrimmed) = (1_795_400_000_000_000, 1_795_400_001_000_000, true)
        let text = ReplayText(report, names: [116: "card_payment"], seconds: 1.234)
        let lines = text.lines
        #expect(lines[0] == "29 decisions, 22 differences, 1.23 s")
        #expect(lines[1].contains("2026-") && lines[1].contains("older records are trimmed"))
        #expect(lines.contains { $0.hasPrefix("1 not decided again: nobody can open them") })
        #expect(lines.contains { $0.hasPrefix("1 not decided again: release 7 is kept neither") })
        #expect(lines.contains("damaged: \(recorded(.told).id.text), position 0: rotten") && lines.contains("damaged: position 1: rotten"))
        #expect(lines.contains("1 more are damaged") && lines.contains("2 more differ"))
        #expect(lines.contains("2 texts written again and compared"))
        #expect(lines.contains("1 texts not compared: they have the customer's name in them, which no record holds"))
        #expect(lines.contains { $0.hasSuffix("outcome, reason: told -> suppressed cap_reached (cap)") && $0.contains("card_payment") })
        let document = text.document
        for part in [
            "\"decisions\":29", "\"differences\":22", "\"damaged\":21", "\"trimmed\":true", "\"milliseconds\":1234", "\"compared\":27",
            "\"texts\":{\"compared\":2,\"notCompared\":{\"channel\":1,\"name\":1,\"secret\":1}}",
            "\"missingReleases\":[{\"decisions\":1,\"release\":7}]", "\"fields\":[\"outcome\",\"reason\"]",
        ] { #expect(document.contains(part), "\(part) of \(document)") }
        #expect(ReplayText(ReplayReport(), names: [:], seconds: 0).lines == ["0 decisions, 0 differences, 0.00 s"])
        #expect(ReplayText(ReplayReport(), names: [:], seconds: 0).document.contains("\"oldest\":null"))
    }

    @Test(
        "Under another rulebook lines and document say outcomes, rules, reasons and parts before and after, and whom each change is about")
    func changes() throws {
        var report = ReplayReport(other: 9)
        func take(
            _ it: RecordedDecision, _ before: Redecision, _ after: Redecision, _ fields: DecisionFields, parts: Int?,
            uncertain: Bool = false
        ) {
            report.compared(it, Alternative(before: before, after: after, fields: fields, parts: parts, isUncertain: uncertain))
        }
        for _ in 0..<21 {
            take(
                recorded(.told, parts: 2), made(.told), made(.suppressed, .capReached, .cap), [.outcome, .reason, .parts], parts: 0,
                uncertain: true)
        }
        take(recorded(.held), made(.held, nil, .quietHours), made(.told), .outcome, parts: nil)
        take(recorded(.told, parts: 1), made(.told), made(.told), [], parts: 1)
        let text = ReplayText(report, names: [:], seconds: 0.5)
        let lines = text.lines
        #expect(lines[0] == "23 decisions, 22 would be other ones under release 9, 0.50 s")
        for line in [
            "  told: 22 -> 2", "  held: 1 -> 0", "  suppressed: 0 -> 21", "  quiet_hours: 1 -> 0", "  cap: 0 -> 21",
            "  cap_reached: 0 -> 21",
            "parts: 43 -> 1", "by event", "  event 116: 22 of 23 would be other ones, told 22 -> 2", "by segment",
            "  none: 22 of 23 would be other ones, told 22 -> 2",
        ] { #expect(lines.contains(line), "\(line) of \(lines)") }
        #expect(lines.contains { $0.hasPrefix("1 texts cannot be written") } && lines.contains { $0.hasPrefix("21 are not certain") })
        let place = try #require(
            lines.firstIndex {
                $0.hasPrefix("21 of event 116: told -> suppressed cap_reached (cap) [outcome, reason, parts], parts 42 -> 0")
            })
        #expect(lines[place + 1].hasSuffix(" ...") && lines[place + 1].split(separator: " ").count == 21)
        #expect(lines.contains("1 of event 116: held (quiet_hours) -> told [outcome], parts 0 -> 0"))
        let document = text.document
        for part in [
            "\"changes\":{\"count\":22", "\"release\":9", "\"uncertain\":21", "\"rules\":{\"cap\":{\"after\":21,\"before\":0}",
            "\"events\":[{\"changed\":22,\"decisions\":23,\"event\":\"event 116\",\"told\":{\"after\":2,\"before\":22}}]",
            "\"segments\":[{\"changed\":22,\"decisions\":23,\"segment\":null,",
            "\"parts\":{\"after\":1,\"before\":43}", "\"rule\":\"quiet_hours\"", "\"differences\":0",
        ] { #expect(document.contains(part), "\(part) of \(document)") }
        #expect(ReplayText(ReplayReport(other: 0), names: [:], seconds: 0).lines[0].contains("under those files"))
    }

    @Test("Of very many kinds of changes the rest is a number")
    func kinds() {
        var report = ReplayReport(other: 9)
        for event in 0..<UInt16(ReplayChanges.most + 5) {
            var it = recorded(.told)
            it.made.event = event
            let other = Alternative(before: made(.told), after: made(.held), fields: .outcome, parts: 0, isUncertain: false)
            report.compared(it, other)
        }
        #expect(report.changes?.others == 5 && report.changes?.changed.count == ReplayChanges.most)
        #expect(ReplayText(report, names: [:], seconds: 0).lines.last == "5 of further kinds")
    }
}
