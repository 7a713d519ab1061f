import MartletModel
import Testing

@testable import MartletEngine

/// Words from handsets that connect and disconnect packages: recorded for the one customer whose number it is, answered truthfully.
@Suite("Words on packages")
struct PackageWordTests {
    private static let rules = InboundRules(
        rules: [
            .init(keyword: "Card on", source: 9, answer: "On", package: .init(17, isWanted: true)),
            .init(to: "7070", keyword: "CARD OFF", answer: "Off", package: .init(17, isWanted: false)),
            .init(keyword: "LOAN ON", answer: "Loan on", package: .init(99, isWanted: true)), .init(keyword: "card", answer: "Card what?"),
        ], optOut: .init(["STOP"], answer: "Stopped"), unknownAnswer: "Who?", laterAnswer: "Later", fallback: 5)

    private let rig = Rig { $0.inbound = PackageWordTests.rules }

    init() throws {
        let texts: [(RulebookKind, String, String)] = [
            (.eventType, "cards", #"{"number": 3}"#), (.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#),
            (.event, "payment", #"{"number": 1, "type": "cards", "class": "service", "plan": "sms", "templates": {"sms": "payment"}}"#),
            (.template, "sms.payment", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid"}}"#),
            (.package, "cards", #"{"number": 17, "events": [{"event": "payment"}]}"#),
        ]
        let objects = try texts.map { kind, key, text in
            RulebookObject(kind: kind, key: key, version: 1, content: try JSONValue(reading: Array(text.utf8), maximumBytes: 1 << 20))
        }
        let compiled = DecisionBook.compile(
            RulebookSource(number: 1, at: 0, objects: objects), in: Rulebook.Surroundings(), zoneFile: { _ in nil })
        #expect(compiled.book != nil, "\(compiled.findings)")
        rig.engine.set(book: compiled.book)
    }

    private func say(_ text: String, _ owner: Inbound.Owner?, to: String = "7070", from: String = "447700900123") -> [Record] {
        var made = Inbound(group: 1, from: from, to: to, octets: Array(text.utf8), dataCoding: 0)
        made.owner = owner
        var random = UInt64(rig.log.count) << 8
        let records = rig.step {
            $0.engine.receive(
                [made],
                random: {
                    random += 1
                    return random
                }, &$0.turn)
        }
        rig.commit()
        return records
    }

    /// What was recorded of packages, and the text that goes back.
    private func outcome(_ records: [Record]) -> (said: [RecordBody.Subscribed], answer: String?) {
        let said = records.compactMap { if case .subscribed(let it) = $0.body { it } else { nil } }
        return (said, rig.next()?.text)
    }

    @Test("A word that stands alone is a record of the customer's, in the batch of its message, and is answered by the rule")
    func heeded() throws {
        let records = say("\"card  On.\"", .one(4711))
        let message = try #require(records.first)
        #expect(records.map(\.header.kind) == [.inbound, .subscribed, .accepted])
        #expect(records[1].body == .subscribed(.init(subject: 4711, package: 17, isWanted: true, message: message.header.id)))
        #expect(records[1].header.partition == message.header.partition && records[1].header.id == .none)
        #expect(rig.next()?.text == "On" && message.header.source == 9)
        let off = outcome(say("Card off", .one(4711)))
        #expect(off.said.map(\.isWanted) == [false] && off.answer == "Off")
        let counts = rig.engine.counts
        #expect((counts.packagesConnected, counts.packagesDisconnected) == (1, 1))
        // The log folds it and keeps nothing of it.
        rig.restart()
        #expect(rig.engine.counts.packagesConnected == 0 && rig.engine.optedOutCount == 0)
    }

    @Test(
        "Nothing is guessed: a number of nobody or of several, one that cannot be looked up, and a package that is not there get another answer",
        arguments: [
            ("card on", Inbound.Owner.nobody, "Who?"), ("card off", .several, "Who?"), ("card on", nil, "Later"),
            ("loan on", .one(4711), "Later"), ("card off the table", .one(4711), "Card what?"), ("stop", .one(4711), "Stopped"),
        ] as [(String, Inbound.Owner?, String)])
    func truthful(text: String, owner: Inbound.Owner?, answer: String) {
        let (said, given) = outcome(say(text, owner))
        #expect(said.isEmpty && given == answer)
    }

    @Test("Who wants no more of a package is heard without a rulebook; who wants it, is not yet")
    func bookless() {
        rig.engine.set(book: nil)
        #expect(outcome(say("card off", .one(4711))).said.map(\.package) == [17])
        let on = outcome(say("card on", .one(4711)))
        #expect(on.said.isEmpty && on.answer == "Later")
        let counts = rig.engine.counts
        #expect((counts.packageWordsLater, counts.packageWordsUnknown, counts.packagesDisconnected) == (1, 0, 1))
        // To another number the rule does not fit; the one for the first word does.
        #expect(outcome(say("card off", .one(4711), to: "8080")).answer == "Card what?")
    }

    @Test("Two words of one moment have an order by their times, and a clock that goes back is followed")
    func order() {
        func times() -> [Int64] {
            say("card on", .one(1)).filter { $0.header.kind == .subscribed }.map(\.header.at)
                + say("card off", .one(1)).filter { $0.header.kind == .subscribed }.map(\.header.at)
        }
        let wall = rig.now.wall
        #expect(times() == [wall, wall + 1])
        rig.pass(seconds: 1, wall: -3600)
        #expect(times() == [rig.now.wall, rig.now.wall + 1])
    }
}
