import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: search of the history")
struct HistorySearchTests {
    private static let other = PhoneNumber(digits: 447_700_900_456)

    /// Ten messages to one number and ten to another, over ten days, with references, a customer, ends of all kinds.
    private func messages() -> [HistoryRig.Message] {
        (0..<20).map { index in
            var message = HistoryRig.Message(minutesAgo: Double(index) * 720 + 10, number: UInt64(index + 1))
            message.reference = "order-\(index / 2)"
            if index % 2 == 1 { message.phone = HistorySearchTests.other }
            if index % 4 == 0 { message.customer = "40-118-220" }
            if index % 5 == 0 { message.source = 8 }
            if index % 7 == 0 { (message.state, message.reason, message.outcomes) = (.failed, .refused, [4]) }
            if index % 7 == 1 { (message.state, message.reason) = (.expired, .noReceipt) }
            if index == 19 { message.messageClass = .otp }
            return message
        }
    }

    @Test("Each field finds what it says, alone and together with others, newest first", arguments: SQLStore.Engine.allCases)
    func fields(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let all = messages()
            try await rig.put(all)
            func ids(_ body: (Int) -> Bool) -> [MessageID] { all.indices.filter(body).map { all[$0].id } }
            let (number, otherNumber) = ("+447700900123", "+447700900456")
            let cases: [([String: String], (Int) -> Bool)] = [
                ([:], { _ in true }),
                (["phone": number], { $0 % 2 == 0 }),
                (["phone": otherNumber], { $0 % 2 == 1 }),
                (["phone": "+447700900999"], { _ in false }),
                (["reference": "order-3"], { $0 / 2 == 3 }),
                (["customer": "40-118-220"], { $0 % 4 == 0 }),
                (["source": "loans"], { $0 % 5 == 0 }),
                (["state": "failed"], { $0 % 7 == 0 }),
                (["state": "failed,expired"], { $0 % 7 < 2 }),
                (["state": "delivered"], { $0 % 7 > 1 }),
                (["reason": "no_receipt"], { $0 % 7 == 1 }),
                (["class": "otp"], { $0 == 19 }),
                (["phone": number, "reference": "order-3"], { $0 == 6 }),
                (["phone": number, "source": "loans"], { $0 % 10 == 0 }),
                (["customer": "40-118-220", "phone": number, "state": "failed"], { $0 % 28 == 0 }),
                (["state": "failed", "source": "loans"], { $0 % 35 == 0 }),
                (["id": all[3].id.text], { $0 == 3 }),
                (["id": all[3].id.with(ordinal: 1).text, "phone": otherNumber], { $0 == 3 }),
                (["id": all[3].id.text, "phone": number], { _ in false }),
                (
                    ["from": timestamp(all[5].id.milliseconds * 1000), "to": timestamp(all[2].id.milliseconds * 1000)],
                    { (3...5).contains($0) }
                ),
                (
                    [
                        "phone": otherNumber, "from": timestamp(all[5].id.milliseconds * 1000),
                        "to": timestamp(all[2].id.milliseconds * 1000),
                    ], { $0 == 3 || $0 == 5 }
                ),
            ]
            for (fields, body) in cases {
                for limit in [50, 3, 1] {
                    let found = try await rig.all(fields, limit: limit)
                    #expect(found.ids == ids(body), "\(fields.keys.sorted()), \(limit) a page")
                }
            }
        }
    }

    @Test(
        "A mail address finds what went to those who have it, newest first, and nothing where nobody has it",
        arguments: SQLStore.Engine.allCases)
    func mail(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let master = try MasterKey.load(from: "\(rig.directory)/master.key")
            let subjects = try SubjectKeys(directory: "\(rig.directory)/keys/subjects", master: master, access: .owner(create: true))
            let customers = rig.desk.customers(CustomerVault(rig.keys, subjects))
            var ids: [SubjectNumber] = []
            for reference in ["40-118-220", "40-118-221"] {
                ids.append(try await customers.add(CustomerRig.wish(reference), by: CustomerRig.anna).id)
            }
            var all = messages()
            for index in all.indices {
                all[index].customer = nil
                if index % 4 < 2 { all[index].sealedFor = subjects.key(ids[index % 4]).key }
            }
            let put = all
            try await rig.put(put)
            var entries = SQLBatch(table: "lookup", columns: ["slot", "kind", "hash", "id"])
            for (index, message) in all.enumerated() where index % 4 < 2 {
                entries.append(
                    .integer(SearchSlot.of(message.id.milliseconds)), .number(SearchKind.customer.rawValue), .number(ids[index % 4]),
                    .bytes(message.id.bytes))
            }
            let rows = entries
            try await rig.store.transaction { try $0.bulk(rows) }
            func found(_ fields: [String: String], _ limit: Int) async throws -> [Int] {
                try await rig.all(fields, limit: limit).ids.compactMap { id in all.firstIndex { $0.id == id } }
            }
            for limit in [50, 3, 1] {
                #expect(try await found(["email": "wanda@MAIL.example"], limit) == (0..<20).filter { $0 % 4 < 2 }, "\(limit) a page")
                #expect(try await found(["email": "wanda@mail.example", "phone": "+447700900123"], limit) == [0, 4, 8, 12, 16])
                #expect(try await found(["email": "wanda@mail.example", "customer": "40-118-221"], limit) == [1, 5, 9, 13, 17])
                #expect(try await found(["email": "nobody@mail.example"], limit) == [])
            }
            #expect(try await found(["email": "wanda@mail.example", "id": all[2].id.text], 9) == [])
            await #expect(throws: DeskFault.self) { try await found(["email": "no address"], 9) }
            try await customers.erase(ids[1], by: CustomerRig.anna)
            #expect(try await found(["email": "wanda@mail.example"], 50) == [0, 4, 8, 12, 16])
            // Whose row is damaged is not taken at its word, nor passed over in silence.
            try await rig.tamper("UPDATE customer SET unit = 9 WHERE subject = \(ids[0])")
            await #expect(throws: DeskFault.tampered(noun: "customer", key: "\(ids[0])")) {
                try await found(["email": "wanda@mail.example"], 50)
            }
        }
    }

    @Test(
        "An entry of the search that somebody wrote leads nobody to a stranger's message: by no field, in no export, by no erasure",
        arguments: SQLStore.Engine.allCases)
    func forged(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let boss = Caller(name: "principal:boss", rights: Set(Right.allCases), reason: "asked by the person")
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: boss).id
            let own = HistoryRig.Message(minutesAgo: 5)
            var stranger = HistoryRig.Message(minutesAgo: 6, number: 2)
            (stranger.phone, stranger.reference) = (HistorySearchTests.other, "order-9")
            try await rig.put([own, stranger])
            let hashes = SearchHashes(rig.keys)
            try await rig.forge(.phone, hashes.phone(own.phone), stranger.id)
            try await rig.forge(.reference, hashes.reference("order-8"), stranger.id)
            try await rig.forge(.customer, Int64(customer), stranger.id)
            let named = [SearchClaim.entry(of: stranger.id)]

            #expect(try await rig.all(["phone": "+447700900123"]).ids == [own.id])
            #expect(rig.damaged == named)
            for fields in [
                ["reference": "order-8"], ["customer": "40-1"], ["id": stranger.id.text, "phone": "+447700900123"],
                ["phone": "+447700900456", "reference": "order-8"], ["phone": "+447700900456", "customer": "40-1"],
            ] {
                #expect(try await rig.all(fields).ids == [], "\(fields.keys.sorted())")
            }
            #expect(try await rig.all(["phone": "+447700900456", "reference": "order-9"]).ids == [stranger.id])
            let timeline = try await rig.history.timeline(
                TimelineSources(
                    phones: { (_, _) throws(DeskFault) in [own.phone] }, contacts: { (_, _, _, _) throws(DeskFault) in [] })
            ).list(rig.wish(["customer": "40-1"]), by: HistoryRig.anna)
            #expect(timeline.entries.map(\.key) == [own.id])

            let export = try await customers.messages(of: customer, in: rig.history, by: boss)
            #expect(export.items.map(\.id) == [own.id] && export.items.allSatisfy { !$0.isUnconfirmed })
            #expect(rig.damaged == named)
            try await customers.erase(customer, by: boss)
            #expect(rig.damaged == named)
            let story = try await rig.history.story(stranger.id, reveals: true, by: boss)
            #expect(story.item.text == stranger.text && story.item.number == "+447700900456")
            #expect(try await rig.history.story(own.id, reveals: true, by: boss).item.content == .erased)
        }
    }

    @Test("What nothing is left to compare with is found, and says that only an entry of the search led to it")
    func unconfirmed() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var message = HistoryRig.Message(minutesAgo: 5)
            message.reference = "order-1"
            try await rig.put([message])
            func items(_ fields: [String: String]) async throws -> [HistoryItem] {
                try await rig.history.search(rig.wish(fields), by: HistoryRig.anna).items
            }
            for fields in [["phone": "+447700900123"], ["reference": "order-1"]] {
                #expect(try await items(fields).map(\.isUnconfirmed) == [false])
            }
            let range: [SQLValue] = [.bytes(message.id.bytes), .bytes(message.id.with(ordinal: 255).bytes), .bytes([])]
            #expect(try await rig.store.transaction { try $0.run(HistoryStatements.dropText, range) } == 1)
            for fields in [["phone": "+447700900123"], ["reference": "order-1"]] {
                #expect(try await items(fields).map(\.isUnconfirmed) == [true])
            }
            #expect(try await items(["source": "cards"]).map(\.isUnconfirmed) == [false])
            #expect(rig.damaged == [])
        }
    }

    @Test("A list shows neither number, text nor reference; the state's reason, the operator and the source stand there")
    func masked() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var message = HistoryRig.Message(minutesAgo: 5)
            (message.state, message.reason, message.reference, message.outcomes) = (.failed, .refused, "r-9", [2, 4])
            try await rig.put([message])
            let item = try #require(try await rig.history.search(rig.wish([:]), by: HistoryRig.anna).items.first)
            #expect(item.number == "+44•••••0123" && item.text == nil && item.reference == nil)
            #expect(item.from == "HARBOUR" && item.source == "cards" && item.group == "harbour")
            #expect(item.state == .failed && item.reason == .refused && item.attempts == 2 && item.content == .kept)
        }
    }

    @Test("Who asks with the right and a reason sees number and text, each look an entry; a code is shown to nobody")
    func reveal() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var code = HistoryRig.Message(minutesAgo: 5, number: 2)
            (code.messageClass, code.text) = (.otp, "Your code is 123456")
            let other = HistoryRig.Message(minutesAgo: 6, number: 3)
            try await rig.put([code, other])
            let wish = try rig.wish(["reveal": "true"])
            let page = try await rig.history.search(wish, by: HistoryRig.boris)
            #expect(page.items.map(\.number) == ["+447700900123", "+447700900123"])
            #expect(page.items.map(\.text) == [nil, "Your card was used"])
            let story = try await rig.history.story(code.id, reveals: true, by: HistoryRig.boris)
            #expect(story.item.text == nil && story.item.number == "+447700900123")
            let entries = try await rig.store.read { try $0.rows(StoreStatementsForTests.audit, [.integer(100), .number(10)]) }
            #expect(try entries.map { try $0.text("act") } == ["personal.seen", "personal.seen"])
            #expect(try entries.map { try $0.text("object") } == ["messages: \(code.id)", "messages: \(code.id) \(other.id)"])
            #expect(try entries[0].optionalText("reason") == "complaint 17")

            // A row whose class was changed in the database shows the code no more than before.
            try await rig.tamper("UPDATE notification SET class = 4")
            let again = try await rig.history.search(wish, by: HistoryRig.boris)
            #expect(again.items.map(\.text) == [nil, "Your card was used"])

            await #expect(throws: DeskFault.forbidden(.revealPersonal)) { _ = try await rig.history.search(wish, by: HistoryRig.anna) }
            var silent = HistoryRig.boris
            silent.reason = " "
            await #expect(throws: DeskFault.self) { _ = try await rig.history.search(wish, by: silent) }
            await #expect(throws: DeskFault.self) { _ = try await rig.history.story(other.id, reveals: true, by: silent) }
            let many = try rig.wish(["reveal": "true"], limit: 51)
            await #expect(throws: DeskFault.self) { _ = try await rig.history.search(many, by: HistoryRig.boris) }
            await #expect(throws: DeskFault.forbidden(.readHistory)) {
                _ = try await rig.history.search(rig.wish([:]), by: Caller(name: "principal:carl", rights: []))
            }
            #expect(try await rig.store.read { try $0.rows(StoreStatementsForTests.audit, [.integer(100), .number(10)]).count } == 3)
        }
    }

    @Test("A look at a whole page names every message in the audit, in as many entries as that takes")
    func revealMany() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let messages = (0..<50).map { HistoryRig.Message(minutesAgo: 5 + Double($0), number: UInt64($0)) }
            try await rig.put(messages)
            let page = try await rig.history.search(rig.wish(["reveal": "true"]), by: HistoryRig.boris)
            #expect(page.items.count == 50 && page.items.allSatisfy { $0.text == "Your card was used" })
            let entries = try await rig.store.read { try $0.rows(StoreStatementsForTests.audit, [.integer(100), .number(100)]) }
            #expect(entries.count == 8)
            let named = try entries.map { try $0.text("object") }.joined(separator: " ")
            for message in messages { #expect(named.contains(message.id.notification.text)) }
        }
    }

    @Test("A state that somebody else wrote is named and never believed, whichever column it is", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            var message = HistoryRig.Message(minutesAgo: 5)
            (message.state, message.reason) = (.failed, .refused)
            try await rig.put([message])
            for change in [
                "state = 4", "reason = 0", "ended_at = ended_at + 1", "ended_at = NULL", "told = 1", "attempts = 7", "sequence = 99",
                "route = 2", "flags = 1", "state = 300", "changed_at = 0",
            ] {
                try await rig.tamper("UPDATE state SET \(change)")
                for fields in [[:], ["state": "failed"], ["state": "delivered"]] {
                    let items = try await rig.history.search(rig.wish(fields), by: HistoryRig.anna).items
                    #expect(items.map(\.isTampered) == [true] && items.map(\.state) == [nil], "\(change)")
                }
                let story = try await rig.history.story(message.id, by: HistoryRig.anna)
                #expect(story.item.isTampered && story.item.state == nil && story.failedHop == nil, "\(change)")
                try await rig.tamper("DELETE FROM state")
                #expect(try await rig.history.search(rig.wish([:]), by: HistoryRig.anna).items.map(\.isTampered) == [true])
                try await rig.tamper(
                    "DELETE FROM notification; DELETE FROM message; DELETE FROM lookup; DELETE FROM undelivered; DELETE FROM attempt")
                try await rig.put([message])
                #expect(try await rig.history.search(rig.wish([:]), by: HistoryRig.anna).items.map(\.isTampered) == [false])
            }
        }
    }

    @Test("What cannot be opened says why: its key was destroyed, or it is damaged")
    func closed() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let subjects = try rig.subjects()
            var (ofDay, ofSubject) = (HistoryRig.Message(minutesAgo: 5), HistoryRig.Message(minutesAgo: 6, number: 2))
            ofDay.messageClass = .marketing
            ofSubject.sealedFor = try subjects.make(1)[0]
            try await rig.put([ofDay, ofSubject])
            let whole = rig.desk.history(keys: HistoryKeys(rig.keys, subjects: subjects), names: { HistoryRig.names })
            func contents(_ history: History) async throws -> [HistoryItem.Content] {
                try await history.search(rig.wish([:]), by: HistoryRig.anna).items.map(\.content)
            }
            #expect(try await contents(whole) == [.kept, .kept])
            // Where there should be keys of subjects and are none.
            #expect(try await contents(rig.history) == [.kept, .damaged])
            let day = DataKey.day(ofMicroseconds: ofDay.id.milliseconds * 1000)
            try rig.keys.destroy(id: rig.keys.key(class: MessageClass.marketing.rawValue, day: day).id)
            try subjects.erase([1], time: 1)
            #expect(try await contents(whole) == [.erased, .erased])
            // A key that never was, in a row of an earlier version.
            try await rig.noteUntagged()
            try await rig.tamper("UPDATE message SET mac = NULL, key_id = 77, sealed = x'\(String(repeating: "00", count: 60))'")
            #expect(try await contents(whole) == [.erased, .erased])
        }
    }

    @Test("A caller of a unit finds what its sources sent, and nothing of others")
    func units() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var own = HistoryRig.Message(minutesAgo: 5, number: 2)
            own.source = 8
            let foreign = HistoryRig.Message(minutesAgo: 6, number: 3)
            try await rig.put([own, foreign])
            var caller = HistoryRig.anna
            caller.unit = 5
            #expect(try await rig.all([:], by: caller).ids == [own.id])
            #expect(try await rig.all(["phone": "+447700900123"], by: caller).ids == [own.id])
            #expect(try await rig.all(["id": foreign.id.text], by: caller).ids.isEmpty)
            await #expect(throws: DeskFault.notFound(noun: "message", key: foreign.id.text)) {
                _ = try await rig.history.story(foreign.id, by: caller)
            }
        }
    }

    @Test(
        "A long search is bounded steps: each says how far it looked, and together they miss nothing", arguments: SQLStore.Engine.allCases)
    func steps(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let (old, new) = (HistoryRig.Message(minutesAgo: 60 * 24 * 55, number: 2), HistoryRig.Message(minutesAgo: 5, number: 3))
            try await rig.put([old, new])
            // Two years: 70,000 quarters of an hour, 12,000 a request.
            let from = timestamp((HistoryRig.now - 730 * 86_400_000) * 1000)
            let found = try await rig.all(["phone": "+447700900123", "from": from])
            #expect(found.ids == [new.id, old.id] && (5...8).contains(found.pages))
            let first = try await rig.history.search(rig.wish(["phone": "+447700900123", "from": from]), by: HistoryRig.anna)
            #expect(first.next != nil && first.reached > HistoryRig.now - 130 * 86_400_000)
            let bySource = try await rig.all(["source": "cards", "from": from])
            #expect(bySource.ids == [new.id, old.id] && bySource.pages > 10)
        }
    }

    @Test("A search of what seldom fits looks at so many messages a request, and goes on from there")
    func candidates() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            let many = (0..<2500).map { HistoryRig.Message(minutesAgo: 5 + Double($0) / 100, number: UInt64($0 + 1)) }
            try await rig.put(many)
            let found = try await rig.all(["class": "otp"])
            #expect(found.ids.isEmpty && found.pages == 3)
            #expect(try await rig.all([:], limit: 500).ids == many.map(\.id))
            #expect(try await rig.all(["source": "cards"], limit: 333).ids == many.map(\.id))
            #expect(try await rig.all(["phone": "+447700900123"], limit: 7).ids == many.map(\.id))
        }
    }

    @Test("Fields that do not hold are named, all at once")
    func wrong() async throws {
        let fields = [
            "id": "7", "phone": "0900", "state": "failed,flown", "reason": "rain", "class": "gold", "from": "today", "reveal": "yes",
            "customer": "", "colour": "red",
        ]
        let faults = await invalid { _ = try HistoryWish(fields: fields, page: PageWish(), now: HistoryRig.now) }
        #expect(Set(faults.map(\.path)) == Set(fields.keys))
        #expect(throws: DeskFault.self) {
            try HistoryWish(fields: ["to": "2020-01-01T00:00:00Z", "from": "2021-01-01T00:00:00Z"], page: PageWish(), now: 9)
        }
    }
}
