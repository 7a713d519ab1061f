import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// The use cases of customers, on both engines.
@Suite("Desk: customers") struct CustomersTests {
    private let anna = CustomerRig.anna

    @Test(
        "A customer is found by reference, phone and mail address however they are written, and shown masked",
        arguments: SQLStore.Engine.allCases)
    func found(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let added = try await rig.customers.add(CustomerRig.wish(), by: anna)
            #expect(added.version == 1 && added.isMasked)
            for view in [
                try await rig.customers.find(reference: " 40-118-220 ", by: anna),
                try await rig.customers.find(phone: "0044 (7700) 900-123", by: anna).first,
                try await rig.customers.find(email: "wanda@mail.example", by: anna).first,
                try await rig.customers.get(added.id, by: anna),
            ] {
                #expect(view == added)
            }
            #expect(added.givenName == "W•••" && added.reference == "•••20")
            #expect(added.contacts.map(\.value) == ["+44•••••0123", "W•••@mail.example"])
            #expect(added.attributes.map(\.value) == ["120"])
            #expect(added.packages.map(\.from) == [20_000])
            #expect(try await rig.customers.find(reference: "40-118-221", by: anna) == nil)
            #expect(try await rig.customers.find(phone: "+447700900124", by: anna).isEmpty)

            let clear = try await rig.customers.reveal(added.id, by: anna)
            #expect(clear.givenName == "Wanda" && clear.reference == "40-118-220")
            #expect(clear.contacts.map(\.value) == ["+447700900123", "Wanda@mail.example"])
            let acts = try await rig.store.read { try $0.rows(StoreStatements.audit, [.number(100), .number(10)]) }
            #expect(try acts.map { try $0.text("act") } == ["personal.seen", "customer.written"])
            #expect(try acts.map { try $0.text("object") } == ["customer:1", "customer:1"])
            // What is personal stands nowhere in clear.
            let bytes = try await rig.allBytes()
            for word in ["Wanda", "Testowa", "40-118-220", "mail.example"] { #expect(!bytes.holds(Array(word.utf8))) }
            #expect(bytes.holds(rig.vault.hashes.phone(447_700_900_123)))
        }
    }

    @Test("A change counts the version up, keeps what it does not speak of, and moves the addresses", arguments: SQLStore.Engine.allCases)
    func changed(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let added = try await rig.customers.add(CustomerRig.wish(), by: anna)
            var wish = CustomerWish()
            wish.familyName = ""
            wish.contacts = [
                .init(kind: "phone", value: "+447700900124"), .init(kind: "phone", value: "+447700900123"),
                .init(kind: "device", value: "token-1", app: 2, platform: "android"),
            ]
            wish.attributes = [.init(attribute: "loyalty_points", value: "")]
            wish.preferences = .init(at: nil, quietFrom: 1320, quietUntil: 420, channelsOff: ["push"], mutedEventTypes: [9])
            let changed = try await rig.customers.change(added.id, wish, version: 1, by: anna)
            #expect(changed.version == 2 && changed.familyName.isEmpty && changed.givenName == "W•••" && changed.packages == added.packages)
            // The old phone keeps its number, the new one is preferred; the mail address is gone, its number free again.
            #expect(changed.contacts.map(\.number) == [3, 1, 2])
            #expect(changed.contacts.map(\.kind) == ["phone", "phone", "device"] && changed.contacts[2].value == "•••")
            #expect(changed.attributes.isEmpty)
            // Since now, whatever a request says.
            #expect(
                changed.preferences?.at == APIMoment(seconds: UInt32(CustomerRig.now / 1_000_000)) && changed.preferences?.quietUntil == 420
            )
            #expect(try await rig.customers.find(email: "wanda@mail.example", by: anna).isEmpty)
            #expect(try await rig.customers.find(phone: "+447700900124", by: anna).map(\.id) == [added.id])
            let stale = try await CustomerRig.fault { try await rig.customers.change(added.id, wish, version: 1, by: anna) }
            #expect(stale == .changed(noun: "customer", version: 2))
            let taken = try await CustomerRig.fault { try await rig.customers.add(CustomerRig.wish(), by: anna) }
            #expect(taken == .conflict(field: "reference", reason: "a customer has it already"))
        }
    }

    @Test("Every field that does not hold is named at once, without its value")
    func invalid() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            var wish = CustomerWish()
            wish.reference = ""
            wish.status = "asleep"
            wish.locale = "polski"
            wish.contacts = [
                .init(kind: "phone", value: "07700 900123"), .init(kind: "email", value: "wanda.mail.example"),
                .init(kind: "fax", value: "1"), .init(kind: "device", value: "t"),
            ]
            wish.attributes = [.init(attribute: "shoe_size", value: "40"), .init(attribute: "loyalty_points", value: "many")]
            wish.preferences = .init(
                at: APIMoment(seconds: 1), quietFrom: 1500, quietUntil: 10, channelsOff: ["smoke"], mutedEventTypes: [])
            let fault = try await CustomerRig.fault { try await rig.customers.add(wish, by: anna) }
            guard case .invalid(let fields) = fault else { throw fault }
            #expect(
                Set(fields.map(\.path)) == [
                    "reference", "status", "locale", "contacts[0].value", "contacts[1].value", "contacts[2].kind", "contacts[3].app",
                    "attributes[0]", "attributes[1]", "preferences.quietFrom", "preferences.channelsOff",
                ])
            #expect(!fault.description.contains("07700"))
        }
    }

    @Test("A customer of another unit is not there, and a look in clear needs right and reason")
    func rights() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let added = try await rig.customers.add(CustomerRig.wish(), by: anna)
            let other = Caller(name: "principal:b", rights: Set(Right.allCases), unit: 8)
            let missing = DeskFault.notFound(noun: "customer", key: "\(added.id)")
            #expect(try await CustomerRig.fault { try await rig.customers.get(added.id, by: other) } == missing)
            #expect(try await CustomerRig.fault { try await rig.customers.erase(added.id, by: other) } == missing)
            #expect(try await rig.customers.find(phone: "+447700900123", by: other).isEmpty)
            #expect(try await rig.customers.find(reference: "40-118-220", by: other) == nil)
            let reader = Caller(name: "principal:c", rights: [.readCustomers], reason: "r")
            #expect(try await CustomerRig.fault { try await rig.customers.reveal(added.id, by: reader) } == .forbidden(.revealPersonal))
            #expect(
                try await CustomerRig.fault { try await rig.customers.erase(added.id, by: reader) } == .forbidden(.eraseCustomers))
            var silent = anna
            silent.reason = nil
            guard case .invalid = try await CustomerRig.fault({ try await rig.customers.reveal(added.id, by: silent) }) else {
                throw CustomerRig.NotFailed()
            }
        }
    }

    @Test(
        "Consents are evidence in the order they were entered; what holds is the newest, of one second the withdrawal",
        arguments: SQLStore.Engine.allCases)
    func consents(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            func say(_ state: Consent.State, at: Int64, proof: String = "") async throws -> CustomerView {
                try await rig.customers.enter(
                    ConsentStatement(purpose: 4, channel: .sms, state: state, at: at * 1000, way: .branch, textVersion: "v3", proof: proof),
                    of: id, by: anna)
            }
            #expect(try await say(.given, at: 2000, proof: "form 12").consents.map(\.state) == ["given"])
            // Older than what holds: evidence all the same.
            #expect(try await say(.withdrawn, at: 1000).consents.map(\.state) == ["given"])
            #expect(try await say(.withdrawn, at: 2000).consents.map(\.state) == ["withdrawn"])
            let all = try await rig.customers.consents(id, PageWish(), by: anna)
            #expect(all.items.map(\.state) == ["given", "withdrawn", "withdrawn"] && all.next == nil)
            #expect(all.items.map(\.proof) == [nil, nil, nil] && all.items[0].way == "branch" && all.items[0].source == "principal:anna")
            let first = try await rig.customers.consents(id, PageWish(limit: 2), by: anna)
            #expect(try await rig.customers.consents(id, PageWish(after: first.next, limit: 2), by: anna).items == [all.items[2]])
            guard case .invalid(let fields) = try await CustomerRig.fault({ try await say(.given, at: CustomerRig.now) }) else {
                throw CustomerRig.NotFailed()
            }
            #expect(fields.map(\.path) == ["at"])
            #expect(try await rig.customers.export(id, by: anna).consents.map(\.proof) == ["form 12", nil, nil])
        }
    }

    @Test("Contacts made elsewhere are a list by time, their summaries shown only for a reason", arguments: SQLStore.Engine.allCases)
    func contacts(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            for (at, kind) in [(3000, "branch"), (1000, "call_centre"), (3000, "social_page")] as [(Int64, String)] {
                let contact = ContactElsewhere(at: at, kind: kind, unit: 7, summary: "asked about a loan")
                #expect(try await rig.customers.enter(contact, of: id, by: anna).summary == nil)
            }
            let page = try await rig.customers.contacts(id, PageWish(limit: 2), by: anna)
            #expect(page.items.map(\.kind) == ["social_page", "branch"] && page.items.allSatisfy { $0.summary == nil })
            let rest = try await rig.customers.revealContacts(id, PageWish(after: page.next, limit: 2), by: anna)
            #expect(rest.items.map(\.kind) == ["call_centre"] && rest.items.first?.summary == "asked about a loan" && rest.next == nil)
            #expect(!(try await rig.allBytes()).holds(Array("loan".utf8)))
            let wrong = ContactElsewhere(at: -1, kind: "Fax", unit: 7, summary: " ")
            guard case .invalid(let fields) = try await CustomerRig.fault({ try await rig.customers.enter(wrong, of: id, by: anna) }) else {
                throw CustomerRig.NotFailed()
            }
            #expect(fields.map(\.path) == ["kind", "summary", "at"])
        }
    }

    @Test("A contact's kind is any word of the form; rows of the first version, which have a number, are read as before")
    func contactKinds() async throws {
        for word in ["branch", "a", "video-call", "fair_2026", String(repeating: "x", count: 32)] {
            let kind = try #require(ContactKind(word: word))
            let words = ContactWords(kind: kind, summary: "Ünterwegs")
            #expect(ContactWords(words.bytes, number: kind.number) == words && (kind.number == 0) == (word != "branch"))
        }
        for word in ["", "Branch", "2fair", "_x", "a b", "é", String(repeating: "x", count: 33)] { #expect(ContactKind(word: word) == nil) }
        let known = (1...5).map { ContactKind(number: $0)?.word }
        #expect(known == ["branch", "call_centre", "social_page", "letter", "visit"] && ContactKind(number: 6) == nil)
        for (bytes, number) in [([], 0), ([0, 97], 0), ([3, 97, 98], 0), ([2, 65, 66, 67], 0), ([97], 6)] as [([UInt8], UInt8)] {
            #expect(ContactWords(bytes, number: number) == nil)
        }
        #expect(ContactWords(Array("a loan".utf8), number: 3)?.summary == "a loan")
        try await CustomerRig.with(.sqlite) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let made = try await rig.customers.enter(
                ContactElsewhere(at: 3000, kind: "video-call", unit: 7, summary: "a loan"), of: id, by: anna)
            #expect(made.kind == "video-call" && made.summary == nil)
            #expect(try await rig.customers.contacts(id, PageWish(), by: anna).items == [made])
            #expect(try await rig.customers.export(id, by: anna).contacts.map(\.summary) == ["a loan"])
            let timeline = try await rig.customers.timelineSources.contacts(
                "40-118-220", TimelineContact.Place(at: 9000, number: 0), 10, anna)
            #expect(timeline.map(\.kind) == ["video-call"])
        }
    }

    @Test("Erasure leaves no hash, no name, no proof in any row, and the audit's chain as it was", arguments: SQLStore.Engine.allCases)
    func erased(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            _ = try await rig.customers.enter(
                ConsentStatement(purpose: 4, channel: nil, state: .given, at: 1000, way: .paper, proof: "form 12"), of: id, by: anna)
            _ = try await rig.customers.enter(ContactElsewhere(at: 1, kind: "branch", unit: 7, summary: "loan"), of: id, by: anna)
            let export = try await rig.customers.export(id, by: anna)
            #expect(export.customer.familyName == "Testowa" && export.contacts.map(\.summary) == ["loan"])
            let before = try await rig.allBytes()
            let image = try #require(try await rig.customers.images(after: 0, limit: 10).images.first)
            let change = try await rig.customers.newestChange()

            try await rig.customers.erase(id, by: anna)
            let after = try await rig.allBytes()
            let hashes = rig.vault.hashes
            for hash in [hashes.reference("40-118-220"), hashes.phone(447_700_900_123), hashes.mail(Array("wanda@mail.example".utf8))] {
                #expect(before.holds(hash) && !after.holds(hash))
            }
            #expect(before.holds(image.sealed) && !after.holds(image.sealed))
            #expect(try await rig.customers.find(reference: "40-118-220", by: anna) == nil)
            #expect(try await rig.customers.find(phone: "+447700900123", by: anna).isEmpty)
            #expect(
                try await CustomerRig.fault { try await rig.customers.get(id, by: anna) } == .notFound(noun: "customer", key: "\(id)"))
            // What was copied before does not open any more.
            #expect(rig.vault.subjects.key(id).key == nil)
            let kept = try await rig.store.read { try ConsentRow.all(of: id, rig.vault.tags, $0) }
            #expect(kept.count == 1 && kept[0].sealed == nil && kept[0].purpose == 4)
            // The node hears of it, and the next base file is without.
            let changes = try await rig.customers.changes(after: change, limit: 10).changes
            #expect(changes.map(\.1) == [.erased(id)])
            #expect(try await rig.customers.images(after: 0, limit: 10).images.isEmpty)
            // The reference is free again, for a customer with another number.
            #expect(try await rig.customers.add(CustomerRig.wish(), by: anna).id == id + 1)
            try await rig.verifyAudit(entries: 6)
        }
    }

    @Test("A row that was changed by hand is named and not believed", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let other = try await rig.customers.add(CustomerRig.wish("40-118-221"), by: anna).id
            let named = DeskFault.tampered(noun: "customer", key: "\(id)")
            // Somebody else's row under this number; then a unit that was changed.
            try await rig.change(
                "UPDATE customer SET sealed = (SELECT sealed FROM customer WHERE subject = \(other)) WHERE subject = \(id)")
            #expect(try await CustomerRig.fault { try await rig.customers.get(id, by: anna) } == named)
            try await rig.change("UPDATE customer SET unit = 9 WHERE subject = \(id)")
            #expect(try await CustomerRig.fault { try await rig.customers.get(id, by: anna) } == named)
            let page = try await rig.customers.images(after: 0, limit: 10)
            #expect(page.damaged == [id] && page.images.map(\.subject) == [other])
            // An address that leads to a customer who does not have it.
            let hash = Int64(bitPattern: rig.vault.hashes.phone(447_700_900_999))
            try await rig.change("UPDATE customer_address SET hash = \(hash) WHERE subject = \(other) AND kind = 1")
            #expect(
                try await CustomerRig.fault { try await rig.customers.find(phone: "+447700900999", by: anna) }
                    == .tampered(noun: "customer", key: "\(other)"))
            _ = try await rig.customers.enter(
                ConsentStatement(purpose: 4, channel: nil, state: .withdrawn, at: 1000, way: .web), of: other, by: anna)
            try await rig.change("UPDATE consent SET state = 1 WHERE subject = \(other)")
            guard
                case .tampered("consent", _) = try await CustomerRig.fault({
                    try await rig.customers.consents(other, PageWish(), by: anna)
                })
            else { throw CustomerRig.NotFailed() }
        }
    }

    @Test(
        "What the sending side learnt holds against older writes, for those who have the address and those who come later",
        arguments: SQLStore.Engine.allCases)
    func learnt(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let id = try await rig.customers.add(CustomerRig.wish(), by: anna).id
            let hash = rig.vault.hashes.phone(447_700_900_123)
            func learn(_ change: CustomerChange) async throws { try await rig.store.transaction { try rig.customers.learn(change, $0) } }
            try await learn(.address(hash: hash, AddressFact(.optedOut, at: 500)))
            var view = try await rig.customers.get(id, by: anna)
            #expect(view.contacts.map(\.isOptedOut) == [true, false] && view.version == 2)
            // Older, and the same once more: nothing.
            try await learn(.address(hash: hash, AddressFact(.optedIn, at: 400)))
            try await learn(.address(hash: hash, AddressFact(.optedOut, at: 500)))
            #expect(try await rig.customers.get(id, by: anna).version == 2)
            let second = try await rig.customers.add(CustomerRig.wish("40-118-221"), by: anna)
            #expect(second.contacts.map(\.isOptedOut) == [true, false])
            try await learn(.address(hash: hash, AddressFact(.optedIn, at: 600)))
            #expect(try await rig.customers.find(phone: "+447700900123", by: anna).map(\.contacts[0].isOptedOut) == [false, false])

            try await learn(.consent(id, Consent(purpose: 1, channel: nil, state: .withdrawn, at: 700)))
            try await learn(.consent(id, Consent(purpose: 1, channel: nil, state: .given, at: 600)))
            try await learn(.preferences(id, Preferences(at: 5, channelsOff: ChannelSet(.push))))
            var sealer = Sealer()
            var plain: [UInt8] = []
            try CustomerDetails(addresses: [.init(number: 130, value: .text("token-9"))]).write(to: &plain)
            let key = try #require(rig.vault.subjects.key(id).key)
            let device = DeviceRegistration(
                contact: ContactPoint(number: 130, kind: .device(app: 1, platform: .ios)), reference: 0, address: 77, at: 9,
                sealed: try sealer.seal(plain, context: .details(of: id), key: key))
            try await learn(.device(id, device))
            view = try await rig.customers.get(id, by: anna)
            #expect(view.consents.map(\.state) == ["withdrawn"] && view.preferences?.channelsOff == ["push"])
            #expect(view.contacts.map(\.number) == [1, 2, 130])
            #expect(try await rig.customers.consents(id, PageWish(), by: anna).items.map(\.way) == ["handset"])
            // One who is not there any more.
            try await rig.customers.erase(id, by: anna)
            try await learn(.consent(id, Consent(purpose: 1, channel: nil, state: .given, at: 900)))
            await #expect(throws: DeskFault.self) { try await learn(.erased(id)) }
        }
    }

    @Test("Images and changes come in order, in stretches, each change once", arguments: SQLStore.Engine.allCases)
    func images(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            for number in 1...5 { _ = try await rig.customers.add(CustomerRig.wish("r\(number)"), by: anna) }
            #expect(try await rig.customers.images(after: 0, limit: 3).images.map(\.subject) == [1, 2, 3])
            #expect(try await rig.customers.images(after: 3, limit: 3).images.map(\.subject) == [4, 5])
            #expect(try await rig.customers.changes(after: 0, limit: 10).changes.map(\.change) == [1, 2, 3, 4, 5])
            var wish = CustomerWish()
            wish.givenName = "Wiktor"
            _ = try await rig.customers.change(2, wish, version: 1, by: anna)
            let changes = try await rig.customers.changes(after: 4, limit: 10).changes
            #expect(changes.map(\.change) == [5, 6])
            guard case .written(let image)? = changes.last?.1 else { throw CustomerRig.NotFailed() }
            let customer = try image.clear.withUnsafeBytes { try Customer(subject: image.subject, reading: $0) }
            #expect(customer.version == 2 && customer.unit == 7 && image.addresses.map(\.number) == [1, 2])
            #expect(image.addresses[0].hash == rig.vault.hashes.phone(447_700_900_123))
            #expect(try await rig.customers.newestChange() == 6)
        }
    }
}

extension CustomerRig {
    func verifyAudit(entries: Int) async throws {
        let rows = try await store.read { try $0.rows(StoreStatements.auditForward, [.number(0), .number(1000)]) }
        #expect(rows.count == entries)
        var previous = AuditChain.origin("martlet-test").hash
        for row in rows {
            let entry = AuditEntry(
                sequence: try row.integer("sequence", as: UInt64.self), time: try row.integer("at"), principal: try row.text("principal"),
                action: try row.text("act"), object: try row.text("object"), outcome: try row.text("outcome"),
                reason: try row.optionalText("reason"), details: nil, previous: previous)
            #expect(try row.bytes("hash") == entry.hash.bytes)
            previous = entry.hash
        }
    }
}
