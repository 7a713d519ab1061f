import MartletModel

/// `/v1/history`. What a person is found by never stands in a URL, which proxies and logs keep: such searches are posted.
struct HistoryRoutes: APINoun {
    let history: History
    /// Nil: nobody keeps customers, and there is no timeline.
    let timeline: Timeline?

    struct Item: Encodable {
        var id: String
        var direction: String
        var source: String
        var group: String
        var messageClass: String?
        var channel: String?
        var state: String?
        var reason: String?
        var tampered: Bool?
        var parts: Int
        var attempts: Int
        var possibleDuplicate: Bool?
        var createdAt: String
        var updatedAt: String?
        var endedAt: String?
        var content: String
        var from: String
        var number: String
        var text: String?
        var reference: String?

        enum CodingKeys: String, CodingKey {
            case id, direction, source, channel, state, reason, tampered, parts, attempts, possibleDuplicate
            case createdAt, updatedAt, endedAt, content, from, number, text, reference
            case messageClass = "class"
            case group = "operator"
        }

        init(_ item: HistoryItem) {
            id = item.id.text
            direction = item.isInbound ? "in" : "out"
            source = item.source
            group = item.group
            messageClass = item.messageClass?.word
            channel = item.channel?.word
            state = item.state?.word
            reason = item.reason == .none ? nil : item.reason.word
            tampered = item.isTampered ? true : nil
            parts = item.parts
            attempts = item.attempts
            possibleDuplicate = item.possibleDuplicate ? true : nil
            createdAt = timestamp(item.createdAt * 1000)
            updatedAt = item.changedAt.map { timestamp($0 * 1000) }
            endedAt = item.endedAt.map { timestamp($0 * 1000) }
            content = item.content.rawValue
            from = item.from
            number = item.number
            text = item.text
            reference = item.reference
        }
    }

    private struct List: Encodable {
        var items: [Item]
        var next: String?
        var reached: String

        init(_ page: HistoryPage) {
            items = page.items.map { Item($0) }
            next = page.next.map(APICursor.text)
            reached = timestamp(page.reached * 1000)
        }
    }

    private struct TimelineList: Encodable {
        struct Entry: Encodable {
            struct Contact: Encodable {
                var at: String
                var kind: String
                var summary: String
            }

            var message: Item?
            var contact: Contact?
        }

        var items: [Entry]
        var next: String?
        var reached: String

        init(_ stretch: Timeline.Stretch) {
            items = stretch.entries.map { entry in
                switch entry {
                case .message(let item): Entry(message: Item(item))
                case .contact(let it):
                    Entry(contact: .init(at: timestamp(it.place.at * 1000), kind: it.kind, summary: it.summary))
                }
            }
            next = stretch.next.map(APICursor.text)
            reached = timestamp(stretch.reached * 1000)
        }
    }

    struct Attempt: Encodable {
        struct Receipt: Encodable {
            var part: Int
            var providerId: String
            var state: String?
            var error: UInt16?
            var at: String?
        }

        var n: Int
        var connection: String
        var state: String
        var submittedAt: String
        var possibleDuplicate: Bool
        var receipts: [Receipt]

        init(_ attempt: Story.Attempt) {
            n = attempt.n
            connection = attempt.connection
            state = attempt.state.word
            submittedAt = timestamp(attempt.submittedAt)
            possibleDuplicate = attempt.possibleDuplicate
            receipts = attempt.receipts.map {
                Receipt(
                    part: $0.part, providerId: $0.providerID, state: $0.state?.word, error: $0.error == 0 ? nil : $0.error,
                    at: $0.at == 0 ? nil : timestamp($0.at))
            }
        }
    }

    private struct Whole: Encodable {
        var message: Item
        var deadline: String?
        var attempts: [Attempt]
        var told: String?
        var toldAt: String?
        var missing: Int?
        var inReplyTo: String?
        var failedHop: String?
        var hops: [Hop]

        init(_ story: HistoryStory) {
            message = Item(story.item)
            deadline = story.deadline == 0 ? nil : timestamp(story.deadline * 1000)
            attempts = story.attempts.map { Attempt($0) }
            told = story.told?.word
            toldAt = story.toldAt.map { timestamp($0 * 1000) }
            missing = story.missing == 0 ? nil : story.missing
            inReplyTo = story.inReplyTo?.text
            failedHop = story.failedHop?.rawValue
            hops = story.hops.map { Hop(hop: $0) }
        }
    }

    /// As in the node's trace: details stand beside `at`, `hop` and `what`.
    private struct Hop: Encodable {
        let hop: Story.Hop

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for (name, value) in hop.details { try container.encode(value, forKey: Key(name)) }
            try container.encode(timestamp(hop.at), forKey: Key("at"))
            try container.encode(hop.hop, forKey: Key("hop"))
            try container.encode(hop.what, forKey: Key("what"))
        }
    }

    private struct Search: Decodable {
        var id: String?
        var customer: String?
        var phone: String?
        var email: String?
        var source: String?
        var reference: String?
        var state: String?
        var reason: String?
        var messageClass: String?
        var from: String?
        var to: String?
        var limit: Int?
        var cursor: String?
        var reveal: Bool?

        enum CodingKeys: String, CodingKey {
            case id, customer, phone, email, source, reference, state, reason, from, to, limit, cursor, reveal
            case messageClass = "class"
        }

        var fields: [String: String] {
            var fields: [String: String] = [:]
            let texts = [
                ("id", id), ("customer", customer), ("phone", phone), ("email", email), ("source", source), ("reference", reference),
                ("state", state), ("reason", reason), ("class", messageClass), ("from", from), ("to", to),
                ("reveal", reveal.map { String($0) }),
            ]
            for (name, text) in texts { fields[name] = text }
            return fields
        }

        func page() throws(DeskFault) -> PageWish {
            var after: Cursor?
            if let cursor {
                after = APICursor.cursor(cursor)
                if after == nil { throw .invalid([FieldFault("cursor", "malformed", "it is not one that was answered")]) }
            }
            return try PageWish(after: after, limit: limit ?? PageWish.usual)
        }
    }

    /// Of the URL: nothing that names a person.
    private static let names = ["source", "state", "reason", "class", "from", "to"]

    func add(to routes: inout APIRoutes) {
        let history = history
        let now = { @Sendable in history.desk.nowMilliseconds }
        routes.get("/v1/history") { ask in
            let page = try ask.page(and: "source", "state", "reason", "class", "from", "to")
            let wish = try HistoryWish(fields: ask.query.values(of: HistoryRoutes.names), page: page, now: now())
            return .json(List(try await history.search(wish, by: ask.caller)))
        }
        routes.post("/v1/history/search") { ask in
            let search = try await ask.body(Search.self)
            let wish = try HistoryWish(fields: search.fields, page: search.page(), now: now())
            return .json(List(try await history.search(wish, by: ask.caller)))
        }
        if let timeline {
            routes.post("/v1/history/timeline") { ask in
                let search = try await ask.body(Search.self)
                let wish = try HistoryWish(fields: search.fields, page: search.page(), now: now())
                return .json(TimelineList(try await timeline.list(wish, by: ask.caller)))
            }
        }
        routes.get("/v1/history/{id}") { ask in
            try ask.query.allow(["reveal"])
            return .json(Whole(try await story(ask)))
        }
        routes.get("/v1/history/{id}/trace") { ask in
            try ask.query.allow([])
            return .json(try await story(ask).hops.map { Hop(hop: $0) })
        }
    }

    private func story(_ ask: APIRequest) async throws -> HistoryStory {
        guard let id = MessageID(text: ask.part("id")) else { throw DeskFault.notFound(noun: "message", key: "of that id") }
        let reveals: Bool
        switch ask.query["reveal"] {
        case nil, "false": reveals = false
        case "true": reveals = true
        default: throw DeskFault.invalid([FieldFault("reveal", "malformed", "must be true or false")])
        }
        return try await history.story(id, reveals: reveals, by: ask.caller)
    }
}

extension History {
    /// Its routes, for `DeskListener`; with a timeline where somebody keeps customers.
    public func routes(timeline sources: TimelineSources? = nil) -> any APINoun {
        HistoryRoutes(history: self, timeline: sources.map { timeline($0) })
    }
}

extension Statistics {
    /// Its routes, for `DeskListener`.
    public var routes: any APINoun { StatisticsRoutes(statistics: self) }
}
