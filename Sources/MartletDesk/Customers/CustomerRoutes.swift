import MartletModel

/// `/v1/customers`: by number in paths, for reference and addresses are personal and go into bodies.
public struct CustomerRoutes: APINoun {
    let customers: Customers
    /// Whose messages an export holds too; nil: there is no history.
    let history: History?

    public init(_ customers: Customers, history: History? = nil) {
        self.customers = customers
        self.history = history
    }

    private struct Export: Codable {
        var held: CustomerExport
        var messages: [HistoryRoutes.Item]
        /// False: there are older ones.
        var hasAllMessages: Bool
    }

    /// One of the three.
    private struct Find: Decodable {
        var reference: String?
        var phone: String?
        var email: String?
    }

    private struct Found: Codable {
        var items: [CustomerView]
    }

    private struct Consent: Decodable {
        var purpose: UInt16
        /// Missing: all.
        var channel: String?
        var state: String
        /// RFC 3339, or a day.
        var at: String
        var way: String
        var textVersion: String?
        var proof: String?
    }

    private struct Contact: Decodable {
        var at: String
        var kind: String
        var unit: UInt16
        var summary: String
    }

    private struct Listing: Decodable, APIExplained {
        var list: UInt16
        /// Days since 1970.
        var until: UInt16?

        static let explained = [
            "list": APIField("Number of a definition of the kind `suppression-list`."),
            "until": APIField("The last day on which it holds, days since 1970; not there: until it is taken away."),
        ]
    }

    private struct Packages: Codable {
        /// The moment that was asked for.
        var at: String?
        var items: [ConnectedPackage]
    }

    private static let one = APISchema.of(CustomerView.self, "Customer")
    private static let wish = APISchema.of(CustomerWish.self, "CustomerWish", isBody: true)
    private static let path = "/v1/customers/{id}"
    private static let withReason = "Asks for a reason in Martlet-Reason; each look is an entry of the audit."

    private static let find = APIOperation(
        .post, "/v1/customers/find", "Finds customers by reference, phone or mail address, masked", [.readCustomers],
        body: .of(Find.self, "CustomerFind", isBody: true), answer: .json(.of(Found.self, "CustomersFound")))
    private static let add = APIOperation(
        .post, "/v1/customers", "Adds a customer", [.writeCustomers], body: wish, status: 201, answer: .json(one), isVersioned: true,
        refuses: [APIErrors.conflict])
    private static let get = APIOperation(.get, path, "One customer, masked", [.readCustomers], answer: .json(one), isVersioned: true)
    private static let change = APIOperation(
        .patch, path, "Changes a customer", note: "What is not there stays; an empty text, an empty list or 0 takes away.",
        [.writeCustomers],
        match: .needed, body: wish, answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])
    private static let reveal = APIOperation(
        .post, "\(path)/reveal", "One customer in clear", note: withReason, [.readCustomers, .revealPersonal], answer: .json(one),
        isVersioned: true)
    private static let export = APIOperation(
        .post, "\(path)/export", "All that is held on a person", note: withReason, [.eraseCustomers, .revealPersonal],
        answer: .json(.of(Export.self, "CustomerExport")))
    private static let erase = APIOperation(
        .delete, path, "Erases a customer for good", note: "It needs no version: there is nothing to be undone.", [.eraseCustomers],
        status: 204,
        answer: .nothing, refuses: [APIErrors.conflict])
    private static let consents = APIOperation(
        .get, "\(path)/consents", "Consents as evidence, in the order in which they were entered", [.readCustomers],
        query: APIParameter.page,
        answer: .json(.page(of: ConsentEvidence.self, "Consent")))
    private static let enterConsent = APIOperation(
        .post, "\(path)/consents", "Enters a consent or its withdrawal", [.writeCustomers],
        body: .of(Consent.self, "ConsentWish", isBody: true),
        status: 201, answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])
    private static let packages = APIOperation(
        .get, "\(path)/packages", "Packages as they were connected at a moment, also what was paused or out of its days", [.readCustomers],
        query: [APIParameter("at", "A date or a time with its zone (RFC 3339); missing: now.")],
        answer: .json(.of(Packages.self, "CustomerPackages")))
    private static let packageChanges = APIOperation(
        .get, "\(path)/packages/changes", "What became of a customer's packages, newest first", [.readCustomers],
        query: APIParameter.page, answer: .json(.page(of: PackageChange.self, "PackageChange")))
    private static let contacts = APIOperation(
        .get, "\(path)/contacts", "Contacts made elsewhere, newest first, without what was said", [.readCustomers],
        query: APIParameter.page,
        answer: .json(.page(of: ContactElsewhere.self, "Contact")))
    private static let enterContact = APIOperation(
        .post, "\(path)/contacts", "Enters a contact made elsewhere", [.writeCustomers],
        body: .of(Contact.self, "ContactWish", isBody: true),
        status: 201, answer: .json(.of(ContactElsewhere.self, "Contact")), refuses: [APIErrors.conflict])
    private static let saysWhy = "Says why in Martlet-Reason, which the audit keeps."
    private static let enterListing = APIOperation(
        .post, "\(path)/lists", "Puts a customer on a suppression list, or says another last day", note: saysWhy, [.writeCustomers],
        body: .of(Listing.self, "ListWish", isBody: true), status: 201, answer: .json(one), isVersioned: true,
        refuses: [APIErrors.conflict])
    private static let dropListing = APIOperation(
        .delete, "\(path)/lists/{list}", "Takes a customer off a suppression list", note: saysWhy, [.writeCustomers], answer: .json(one),
        isVersioned: true, refuses: [APIErrors.conflict])
    private static let revealContacts = APIOperation(
        .post, "\(path)/contacts/reveal", "Contacts made elsewhere, in clear", note: withReason, [.readCustomers, .revealPersonal],
        query: APIParameter.page, answer: .json(.page(of: ContactElsewhere.self, "Contact")))

    public static let operations = [
        find, add, get, change, reveal, export, erase, consents, enterConsent, packages, packageChanges, contacts, enterContact,
        revealContacts, enterListing, dropListing,
    ]

    public func add(to routes: inout APIRoutes) {
        let (customers, history) = (customers, history)
        routes.on(CustomerRoutes.find) { ask in
            let find = try await ask.body(Find.self)
            switch (find.reference, find.phone, find.email) {
            case (let reference?, nil, nil):
                return .json(Found(items: try await customers.find(reference: reference, by: ask.caller).map { [$0] } ?? []))
            case (nil, let phone?, nil): return .json(Found(items: try await customers.find(phone: phone, by: ask.caller)))
            case (nil, nil, let email?): return .json(Found(items: try await customers.find(email: email, by: ask.caller)))
            default: throw DeskFault.invalid([FieldFault("reference", "required", "one of reference, phone and email")])
            }
        }
        routes.on(CustomerRoutes.add) { ask in
            let view = try await customers.add(try await ask.body(CustomerWish.self), by: ask.caller)
            return .json(view, version: Int64(view.version), status: 201, location: "/v1/customers/\(view.id)")
        }
        routes.on(CustomerRoutes.get) { ask in
            let view = try await customers.get(try ask.subject(), by: ask.caller)
            return .json(view, version: Int64(view.version))
        }
        routes.on(CustomerRoutes.change) { ask in
            let wish = try await ask.body(CustomerWish.self)
            let view = try await customers.change(try ask.subject(), wish, version: try ask.version(), by: ask.caller)
            return .json(view, version: Int64(view.version))
        }
        routes.on(CustomerRoutes.reveal) { ask in
            let view = try await customers.reveal(try ask.subject(), by: ask.caller)
            return .json(view, version: Int64(view.version))
        }
        routes.on(CustomerRoutes.export) { ask in
            // First what is an entry of the audit: nothing is read for who may not have it.
            let held = try await customers.export(try ask.subject(), by: ask.caller)
            guard let history else { return .json(Export(held: held, messages: [], hasAllMessages: true)) }
            let messages = try await customers.messages(of: try ask.subject(), in: history, by: ask.caller)
            return .json(
                Export(held: held, messages: messages.items.map { HistoryRoutes.Item($0) }, hasAllMessages: messages.isWhole))
        }
        routes.on(CustomerRoutes.erase) { ask in
            try await customers.erase(try ask.subject(), by: ask.caller)
            return .done()
        }
        routes.on(CustomerRoutes.consents) { ask in
            .page(try await customers.consents(try ask.subject(), try ask.page(), by: ask.caller)) { $0 }
        }
        routes.on(CustomerRoutes.enterConsent) { ask in
            let statement = try CustomerRoutes.statement(try await ask.body(Consent.self))
            let view = try await customers.enter(statement, of: try ask.subject(), by: ask.caller)
            return .json(view, version: Int64(view.version), status: 201)
        }
        routes.on(CustomerRoutes.packages) { ask in
            let at = try ask.query["at"].map { text throws(DeskFault) in try CustomerRoutes.milliseconds(text) }
            let items = try await customers.packages(try ask.subject(), at: at, by: ask.caller)
            return .json(Packages(at: at.map { timestamp($0 * 1000) }, items: items))
        }
        routes.on(CustomerRoutes.packageChanges) { ask in
            .page(try await customers.packageChanges(try ask.subject(), try ask.page(), by: ask.caller)) { $0 }
        }
        routes.on(CustomerRoutes.contacts) { ask in
            .page(try await customers.contacts(try ask.subject(), try ask.page(), by: ask.caller)) { $0 }
        }
        routes.on(CustomerRoutes.enterContact) { ask in
            let wish = try await ask.body(Contact.self)
            let at = try CustomerRoutes.milliseconds(wish.at)
            let contact = ContactElsewhere(at: at, kind: wish.kind, unit: wish.unit, summary: wish.summary)
            return .json(try await customers.enter(contact, of: try ask.subject(), by: ask.caller), status: 201)
        }
        routes.on(CustomerRoutes.enterListing) { ask in
            let wish = try await ask.body(Listing.self)
            let view = try await customers.list(try ask.subject(), ListEntry(list: wish.list, until: wish.until), by: ask.caller)
            return .json(view, version: Int64(view.version), status: 201)
        }
        routes.on(CustomerRoutes.dropListing) { ask in
            guard let list = UInt16(ask.part("list")) else {
                throw DeskFault.notFound(noun: "suppression list", key: "of this number")
            }
            let view = try await customers.unlist(try ask.subject(), list, by: ask.caller)
            return .json(view, version: Int64(view.version))
        }
        routes.on(CustomerRoutes.revealContacts) { ask in
            .page(try await customers.revealContacts(try ask.subject(), try ask.page(), by: ask.caller)) { $0 }
        }
    }

    private static func milliseconds(_ text: String) throws(DeskFault) -> Int64 {
        guard let at = CustomerText.milliseconds(text.utf8) else {
            throw .invalid([FieldFault("at", "malformed", CustomerText.momentForm)])
        }
        return at
    }

    private static func statement(_ wish: Consent) throws(DeskFault) -> ConsentStatement {
        var faults: [FieldFault] = []
        let channel = wish.channel.flatMap { ChannelKind(word: $0) }
        if wish.channel != nil, channel == nil { faults.append(FieldFault("channel", "unknown", CustomerText.channels)) }
        let state = MartletModel.Consent.State(word: wish.state)
        if state == nil { faults.append(FieldFault("state", "unknown", "given, withdrawn or pending")) }
        let way = ConsentWay(word: wish.way)
        if way == nil { faults.append(FieldFault("way", "unknown", ConsentWay.allCases.map(\.word).joined(separator: ", "))) }
        let at = CustomerText.milliseconds(wish.at.utf8)
        if at == nil { faults.append(FieldFault("at", "malformed", CustomerText.momentForm)) }
        guard faults.isEmpty, let state, let way, let at else { throw .invalid(faults) }
        return ConsentStatement(
            purpose: wish.purpose, channel: channel, state: state, at: at, way: way, textVersion: wish.textVersion ?? "",
            proof: wish.proof ?? "")
    }
}

extension APIRequest {
    /// The customer that the path names.
    /// - Throws: `.notFound`: what stands there is no number of a customer.
    func subject() throws(DeskFault) -> SubjectNumber {
        guard let subject = SubjectNumber(part("id")) else { throw .notFound(noun: "customer", key: "of this id") }
        return subject
    }
}
