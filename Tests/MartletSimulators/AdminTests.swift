import Testing

@testable import MartletSimulators

@Suite("The admin API", .timeLimit(.minutes(2)))
struct AdminTests {
    @Test("Messages are listed with text, parts and arrival, since a number and up to a limit")
    func messages() async throws {
        try await world { world, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(Submit(text: Array("first".utf8)))
            _ = try await client.submit(Submit(dataCoding: 8, text: [0x04, 0x14, 0x04, 0x30]))
            _ = try await client.submit(Submit(esmClass: 0x40, text: [5, 0, 3, 9, 2, 1] + Array("part one".utf8)))
            _ = try await client.submit(Submit(parameters: [0x02, 0x0C, 0, 2, 1, 0, 0x02, 0x0E, 0, 1, 3, 0x02, 0x0F, 0, 1, 2, 9, 9, 0, 0]))
            _ = try await client.submit(Submit(text: [], parameters: [0x04, 0x24, 0, 4] + Array("load".utf8)))
            _ = try await client.submit(Submit(dataCoding: 4, text: [0xDE, 0xAD]))
            for _ in 0..<6 { _ = await client.next(0x8000_0004) }
            let all = try await http(world, "GET", "/sim/smsc/north/messages").json
            #expect(all.items == 6)
            #expect((0..<6).map { all[$0]?["text"]?.text } == ["first", "Да", "part one", "hello", "load", "dead"])
            #expect((0..<6).map { all[$0]?["parts"]?.integer } == [1, 1, 2, 3, 1, 1])
            #expect((0..<6).map { all[$0]?["part"]?.integer } == [1, 1, 1, 2, 1, 1])
            #expect(all[2]?["reference"]?.integer == 9 && all[3]?["reference"]?.integer == 256)
            #expect(all[0]?["source"]?.text == "HARBOUR" && all[0]?["destination"]?.text == "447700900123")
            #expect(all[1]?["dataCoding"]?.integer == 8 && all[2]?["esmClass"]?.integer == 64)
            #expect(all[0]?["messageId"]?.text == "1795370941000000" && all[0]?["state"]?.text == "DELIVRD")
            let micros = Int64(all[0]?["atMicros"]?.integer ?? 0)
            #expect(all[0]?["at"]?.text == CivilTime(micros: micros).rfc3339)
            let some = try await http(world, "GET", "/sim/smsc/north/messages?since=2&limit=3").json
            #expect((0..<3).map { some[$0]?["n"]?.integer } == [3, 4, 5] && some.items == 3)
            #expect(try await http(world, "GET", "/sim/smsc/north/messages?since=6").body == "[]\n")
        }
    }

    @Test("A subscriber writes: deliver_sm from the phone to the number, long texts in parts, kept until there is a bind")
    func inbound() async throws {
        try await world { world, smsc in
            let long = String(repeating: "ж", count: 100)
            #expect(
                try await http(world, "POST", "/sim/smsc/north/inbound", #"{"from": "+447700900123", "to": "7070", "text": "STOP"}"#)
                    .json["parts"]?.integer == 1)
            let client = try await Client.bound(to: smsc)
            let first = try #require(await client.next(0x05))
            let body = String(decoding: first.body, as: UTF8.self)
            #expect(body.contains("447700900123\0") && body.contains("7070\0") && body.hasSuffix("STOP"))
            #expect(
                try await http(world, "POST", "/sim/smsc/north/inbound", #"{"from": "1", "to": "2", "text": "\#(long)"}"#)
                    .json["parts"]?.integer == 2)
            for part: UInt8 in 1...2 {
                let pdu = try #require(await client.next(0x05))
                #expect(pdu.body.count > 60 && pdu.body.contains(part))
            }
            for wrong in [#"{"from": "1", "to": "2"}"#, "[]", #"{"from": "123456789012345678901", "to": "2", "text": "x"}"#] {
                #expect(try await http(world, "POST", "/sim/smsc/north/inbound", wrong).status == 400)
            }
            #expect(try await http(world, "GET", "/sim/smsc/north/inbound").status == 405)
        }
    }

    @Test("A list longer than one look at the operator comes whole")
    func longList() async throws {
        try await world(smsc { $0.keep = 5000 }) { world, smsc in
            let client = try await Client.bound(to: smsc)
            try await client.write((UInt32(1)...2500).flatMap { pdu(0x04, Submit(registered: 0).body, sequence: $0) })
            for _ in 0..<2500 { _ = await client.next() }
            let all = try await http(world, "GET", "/sim/smsc/north/messages").json
            #expect(all.items == 2500 && all[2499]?["n"]?.integer == 2500)
        }
    }

    @Test("Statistics have the promised names, and the list of operators shows what each is")
    func stats() async throws {
        try await world { world, _ in
            let stats = try await http(world, "GET", "/sim/smsc/north/stats").json
            for name in ["binds", "submits", "unique", "duplicates", "rate", "maxOutstanding", "receiptsSent", "maxPerSecond"] {
                #expect(stats[name]?.integer == 0, "\(name)")
            }
            let list = try await http(world, "GET", "/sim/smsc").json
            #expect(list[0]?["name"]?.text == "north" && list[0]?["preset"]?.text == "calm")
            #expect(list[0]?["behaviour"]?["delayMs"]?.integer == 0)
            #expect(try await http(world, "GET", "/sim/smsc/north").json["systemId"]?.text == "martlet")
            #expect(try await http(world, "GET", "/sim/presets").json.items == Behaviour.presets.count)
            #expect(try await http(world, "GET", "/healthz").status == 200)
        }
    }

    @Test("A behaviour is changed in part, and a mistake is answered with 400, its field and its reason")
    func behaviour() async throws {
        try await world { world, _ in
            let path = "/sim/smsc/north/behaviour"
            let changed = try await http(world, "POST", path, #"{"delayMs": 12, "receiptStatus": {"DELIVRD": 75, "UNDELIV": 25}}"#)
            #expect(changed.status == 200)
            let now = try await http(world, "GET", path).json
            #expect(now["delayMs"]?.integer == 12 && now["receiptStatus"]?["UNDELIV"]?.integer == 25)
            let bad = try await http(world, "POST", path, #"{"delayMs": 1, "throttlePercent": 140}"#)
            #expect(bad.status == 400 && bad.head.contains("application/problem+json"))
            #expect(try bad.json["errors"]?[0]?["path"]?.text == "throttlePercent")
            #expect(try bad.json["errors"]?[0]?["message"]?.text?.contains("0 to 100") == true)
            #expect(try await http(world, "GET", path).json["delayMs"]?.integer == 12)
            #expect(try await http(world, "POST", path, "no json").json["detail"]?.text == "the body is not JSON")
            #expect(try await http(world, "POST", path, "[1]").status == 400)
            #expect(try await http(world, "POST", path, #"{"x": ""# + String(repeating: "y", count: 70_000) + "\"}").status == 413)
        }
    }

    @Test("Reset and disconnect do what they say and answer with the figures")
    func verbs() async throws {
        try await world { world, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit()
            _ = await client.next(0x8000_0004)
            let reset = try await http(world, "POST", "/sim/smsc/north:reset").json
            #expect(reset["submits"]?.integer == 0 && reset["binds"]?.integer == 1)
            #expect(try await http(world, "POST", "/sim/smsc/north:disconnect").status == 200)
            while let seen = await client.next() { #expect(seen.command == 0x05) }
        }
    }

    @Test(
        "What is not there, not so or not asked from here is refused",
        arguments: [
            ("GET", "/nothing", 404), ("GET", "/sim/smsc/west/stats", 404), ("GET", "/sim/smsc/north/colour", 404),
            ("POST", "/sim/smsc/north:explode", 404), ("GET", "/sim/smsc/north:reset", 405), ("POST", "/sim/smsc/north:reset/x", 404),
            ("POST", "/sim/smsc", 405), ("POST", "/sim/smsc/north", 405), ("POST", "/sim/smsc/north/stats", 405),
            ("POST", "/sim/smsc/north/messages", 405), ("PUT", "/sim/smsc/north/behaviour", 405), ("POST", "/handsets", 405),
            ("GET", "/sim/smsc/north/messages?since=x", 400), ("GET", "/sim/smsc/north/messages?limit=0", 400), ("GET", "/%zz", 400),
            ("GET", "/a?b=%z", 400), ("POST", "/sim/presets", 405), ("GET", "/sim/handsets/447", 405), ("POST", "/sim/handsets", 405),
            ("POST", "/sim/handsets/events", 405), ("POST", "/sim/handsets/a/b", 404), ("POST", "/sim/handsets/%D0%B9", 400),
        ])
    func refused(_ method: String, _ path: String, _ status: Int) async throws {
        try await world { world, _ in
            let answer = try await http(world, method, path)
            #expect(answer.status == status)
            #expect(answer.head.contains("application/problem+json"))
        }
    }

    @Test("A page from elsewhere, or a name made to point here, steers nothing")
    func elsewhere() async throws {
        try await world { world, _ in
            let foreign = try await http(world, "POST", "/sim/smsc/north:reset", origin: "http://evil.example")
            let renamed = try await http(world, "GET", "/sim/smsc", host: "evil.example")
            let own = try await http(world, "POST", "/sim/smsc/north:reset", origin: "http://\(world.adminEndpoint)")
            let local = try await http(world, "GET", "/sim/smsc", host: "localhost:1")
            let six = try await http(world, "GET", "/sim/smsc", host: "[::1]:8190")
            #expect([foreign, renamed, own, local, six].map { $0.status } == [403, 403, 200, 200, 200])
        }
    }
}

@Suite("The handsets page", .timeLimit(.minutes(2)))
struct HandsetsTests {
    private func long(_ number: UInt8, of total: UInt8, _ text: String, reference: UInt8 = 7) -> Submit {
        Submit(esmClass: 0x40, text: [5, 0, 3, reference, total, number] + Array(text.utf8))
    }

    @Test("The page and its files are served under a policy that forbids everything inline")
    func policy() async throws {
        try await world { world, _ in
            for (path, type) in [
                ("/handsets", "text/html"), ("/handsets.css", "text/css"), ("/handsets.js", "text/javascript"),
                ("/martlet-mark.svg", "image/svg+xml"), ("/chevron.svg", "image/svg+xml"),
            ] {
                let answer = try await http(world, "GET", path)
                #expect(answer.status == 200 && answer.head.contains(type) && !answer.body.isEmpty)
                #expect(answer.head.contains("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'"))
                #expect(!answer.head.contains("unsafe"))
                if type == "text/html" {
                    for inline in [" style=", "<style", " onclick=", "<script>"] { #expect(!answer.body.contains(inline)) }
                    #expect(answer.body.contains(Pages.markPath))
                }
            }
            let root = try await http(world, "GET", "/")
            #expect(root.status == 303 && root.head.contains("Location: /handsets"))
        }
    }

    @Test("Parts are joined into one message when all are there, whatever their order")
    func joined() async throws {
        try await world { world, smsc in
            let client = try await Client.bound(to: smsc)
            _ = try await client.submit(long(2, of: 2, "second"))
            _ = await client.next(0x8000_0004)
            let half = try await http(world, "GET", "/sim/handsets").json[0]
            #expect(half?["messages"]?[0]?["text"] == Loose(.null) && half?["messages"]?[0]?["arrived"]?.integer == 1)
            _ = try await client.submit(long(1, of: 2, "first, "))
            _ = await client.next(0x8000_0004)
            let whole = try await http(world, "GET", "/sim/handsets").json[0]
            let message = whole?["messages"]?[0]
            #expect(message?["text"]?.text == "first, second" && message?["parts"]?.integer == 2 && whole?["total"]?.integer == 1)
            #expect(
                message?["from"]?.text == "HARBOUR" && message?["alphabet"]?.text == "GSM 7-bit" && message?["state"]?.text == "DELIVRD")
        }
    }

    @Test("An open page hears of new messages and of figures")
    func events() async throws {
        try await world { world, smsc in
            let client = try await Client.bound(to: smsc)
            async let page = http(world, "GET", "/sim/handsets/events", until: "\"text\":\"for the page\"")
            _ = try await client.submit(Submit(text: Array("for the page".utf8)))
            let answer = try await page
            #expect(answer.head.contains("text/event-stream"))
            #expect(answer.body.contains("event: phones\ndata: {\"order\":[\"447700900123\"]"))
            let figures = try await http(world, "GET", "/sim/handsets/events", until: "\"submits\":1")
            #expect(figures.body.contains("event: operators\n"))
        }
    }

    @Test("The buttons switch a phone at every operator, and say what is wrong with a mode")
    func modes() async throws {
        let settings = [SMSCSettings(name: "north", port: 0, keep: 100), SMSCSettings(name: "south", port: 0, keep: 100)]
        try await world(settings) { world, smsc in
            let path = "/sim/handsets/+447700900123"
            #expect(try await http(world, "POST", path, #"{"mode": "off"}"#).status == 200)
            for smsc in world.smscs {
                let client = try await Client.bound(to: smsc)
                _ = try await client.submit()
                _ = await client.next(0x8000_0004)
                #expect(await smsc.messages(after: 0, limit: 1).messages.first?.progress == .held)
            }
            #expect(try await http(world, "GET", "/sim/handsets").json[0]?["mode"]?.text == "off")
            for body in [#"{"mode": "loud"}"#, "{}", "", #"{"mode": 1}"#] {
                let bad = try await http(world, "POST", path, body)
                #expect(bad.status == 400)
                #expect(try bad.json["errors"]?[0]?["path"]?.text == "mode")
            }
            #expect(try await http(world, "POST", "/sim/handsets/123456789012345678901", #"{"mode": "on"}"#).status == 400)
            #expect(try await http(world, "POST", path, #"{"mode": "on"}"#).status == 200)
            #expect(try await http(world, "GET", "/sim/handsets").json[0]?["messages"]?[0]?["state"]?.text == "DELIVRD")
            await smsc.reset()
            let after = try await http(world, "GET", "/sim/handsets").json
            #expect(after.items == 1 && after[0]?["messages"]?.items == 1)
        }
    }

    @Test("At most so many phones can be off")
    func boundedPhones() async throws {
        var book = PhoneBook()
        for number in 0..<PhoneBook.phonesMaximum { #expect(book.set(.off, for: Array("\(number)".utf8)) != nil) }
        #expect(book.set(.silent, for: Array("x".utf8)) == nil)
        #expect(book.set(.on, for: Array("5".utf8)) != nil)
        #expect(book.set(.silent, for: Array("x".utf8)) != nil)
        #expect(book.mode(of: Array("x".utf8)) == .silent)
    }
}

@Suite("The shelf of phones")
struct HandsetShelfTests {
    private func kept(_ n: UInt64, _ submit: Submit, progress: MessageRing.Progress = .enroute) -> MessageRing.Kept {
        MessageRing.Kept(n: n, atMicros: Int64(n) * 1000, number: n, pdu: pdu(0x04, submit.body, sequence: 1), progress: progress)
    }

    private func look(
        _ messages: [MessageRing.Kept], progress: [MessageRing.Progress?] = [], modes: [PhoneMode] = [], generation: Int = 1
    ) -> SMSC.Look {
        SMSC.Look(generation: generation, newest: messages.last?.n ?? 0, messages: messages, progress: progress, modes: modes)
    }

    @Test("What a phone wrote stands among what it was sent, to whom it was written, and does not come twice")
    func written() {
        var shelf = HandsetShelf()
        var look = look([kept(1, Submit(destination: "4477", text: Array("Hello".utf8)))])
        look.written = [
            Written(n: 1, atMicros: 2000, from: "4477", to: "7070", text: "STOP"),
            Written(n: 2, atMicros: 3000, from: "4478", to: "7070", text: "ASK"),
        ]
        look.newestWritten = 2
        #expect(shelf.take(look, from: "a", asked: [], phones: [], form: .decimal) == ["4477", "4478"])
        #expect(shelf.cursor(of: "a") == (1, 1, 2))
        let bubbles = shelf.handset("4477")?.bubbles ?? []
        #expect(bubbles.map(\.text) == ["Hello", "STOP"] && bubbles.map { $0.written != nil } == [false, true])
        #expect(bubbles.last?.source == "7070" && shelf.handset("4478")?.total == 1)
        #expect(shelf.open(on: "a") == [1])
    }

    @Test("Of what phones wrote the newest are kept, and each look takes what is new")
    func writtenRing() {
        var ring = WrittenRing()
        for n in 0..<WrittenRing.keep + 5 { ring.append(from: "4477", to: "7070", "\(n)", atMicros: 0) }
        #expect(ring.messages(after: 0).count == WrittenRing.keep && ring.messages(after: 0).first?.text == "5")
        #expect(ring.messages(after: ring.newest - 2).map(\.text) == ["203", "204"])
    }

    @Test("The newest phones come first, at most 24 stay, and those in front keep their place")
    func bounded() {
        var shelf = HandsetShelf()
        for n in UInt64(1)...40 {
            _ = shelf.take(look([kept(n, Submit(destination: "4477\(n)"))]), from: "north", asked: [], phones: [], form: .decimal)
        }
        #expect(shelf.handsets.count == HandsetShelf.handsetsMaximum && shelf.numbers.first == "447740")
        _ = shelf.take(look([kept(41, Submit(destination: "447735"))]), from: "north", asked: [], phones: [], form: .decimal)
        #expect(shelf.numbers[5] == "447735")
        _ = shelf.take(look([kept(42, Submit(destination: "447720"))]), from: "north", asked: [], phones: [], form: .decimal)
        #expect(shelf.numbers.first == "447720" && shelf.handsets[0].total == 2)
    }

    @Test("Messages of two operators stand in the order they came")
    func ordered() {
        var shelf = HandsetShelf()
        _ = shelf.take(
            look([kept(1, Submit(destination: "1")), kept(4, Submit(destination: "2"))]), from: "north", asked: [], phones: [],
            form: .decimal)
        _ = shelf.take(
            look([kept(2, Submit(destination: "1")), kept(3, Submit(destination: "3"))]), from: "south", asked: [], phones: [],
            form: .decimal)
        _ = shelf.take(look([kept(0, Submit(destination: "1"))]), from: "west", asked: [], phones: [], form: .decimal)
        #expect(shelf.numbers == ["2", "3", "1"])
        #expect(shelf.handset("1")?.bubbles.map { $0.smsc } == ["west", "north", "south"])
    }

    @Test("A phone remembers so many messages and counts them all")
    func bubbles() {
        var phone = Handset(number: "1")
        for n in UInt64(1)...30 {
            if let message = SeenMessage(kept(n, Submit()), form: .decimal) { phone.show(message, from: "north") }
        }
        #expect(phone.bubbles.count == Handset.bubblesMaximum && phone.total == 30)
        #expect(phone.open(on: "north").count == 20 && phone.open(on: "south").isEmpty)
    }

    @Test("Receipts change the state on the phone; of several parts the worst end counts")
    func states() {
        var shelf = HandsetShelf()
        let parts = (1...2).map { Submit(esmClass: 0x40, text: [5, 0, 3, 1, 2, UInt8($0)]) }
        _ = shelf.take(look([kept(1, parts[0]), kept(2, parts[1])]), from: "north", asked: [], phones: [], form: .decimal)
        #expect(shelf.open(on: "north").sorted() == [1, 2])
        let changed = shelf.take(
            look([], progress: [.delivered, .undeliverable]), from: "north", asked: [1, 2], phones: [], form: .decimal)
        #expect(changed == ["447700900123"])
        #expect(shelf.handset("447700900123")?.bubbles.first?.progress == .undeliverable)
        #expect(shelf.take(look([], progress: [nil]), from: "north", asked: [1], phones: [], form: .decimal).isEmpty)
        shelf.setMode(.silent, of: "447700900123")
        #expect(shelf.take(look([], modes: [.silent]), from: "north", asked: [], phones: ["447700900123"], form: .decimal).isEmpty)
        // A part that comes a second time begins a message of its own.
        _ = shelf.take(look([kept(3, parts[0])]), from: "north", asked: [], phones: [], form: .decimal)
        #expect(shelf.handset("447700900123")?.bubbles.count == 2)
    }

    @Test("A letter cut between two parts is whole again on the phone")
    func surrogates() {
        var phone = Handset(number: "1")
        let halves: [[UInt8]] = [[0xD8, 0x3D], [0xDC, 0x9A]]
        for (index, half) in halves.enumerated() {
            let submit = Submit(esmClass: 0x40, dataCoding: 8, text: [5, 0, 3, 1, 2, UInt8(index + 1)] + half)
            if let message = SeenMessage(kept(UInt64(index + 1), submit), form: .decimal) { phone.show(message, from: "north") }
        }
        #expect(phone.bubbles.first?.text == "💚".prefix(0) + "\u{1F49A}")
    }

    @Test("After a reset the operator's messages are gone from the phones")
    func reset() {
        var shelf = HandsetShelf()
        _ = shelf.take(look([kept(1, Submit())]), from: "north", asked: [], phones: [], form: .decimal)
        _ = shelf.take(look([kept(1, Submit(destination: "5"))]), from: "south", asked: [], phones: [], form: .decimal)
        let changed = shelf.take(look([], generation: 2), from: "north", asked: [1], phones: [], form: .decimal)
        #expect(changed == ["447700900123", "5"])
        #expect(shelf.numbers == ["5"])
    }

    @Test("Octets that are no submit are no message")
    func garbage() {
        let kept = MessageRing.Kept(n: 1, atMicros: 0, number: 1, pdu: [1, 2, 3], progress: .enroute)
        #expect(SeenMessage(kept, form: .decimal) == nil)
        #expect(SeenMessage.alphabet(8) == "UCS-2" && SeenMessage.alphabet(3) == "Latin-1" && SeenMessage.alphabet(1) == "ASCII")
        #expect(SeenMessage.alphabet(4) == "binary")
    }
}
