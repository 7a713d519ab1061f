import MartletModel

/// `/v1/history`. What a person is found by never stands in a URL, which proxies and logs keep: such searches are posted.
struct HistoryRoutes: APINoun {
    let history: History
    /// Nil: nobody keeps customers, and there is no timeline.
    let timeline: Timeline?

    struct Item: Codable {
        var id: String
        var direction: String
        var source: String
        var group: String
        var messageClass: String?
        var channel: String?
        var state: String?
        var reason: String?
        var tampered: Bool?
        var damaged: [String]?
        var untagged: Bool?
        var unconfirmed: Bool?
        var lacks: [String]?
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
            case id, direction, source, channel, state, reason, tampered, damaged, untagged, unconfirmed, lacks, parts, attempts,
                possibleDuplicate
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
            damaged = item.isTampered ? item.damaged : nil
            untagged = item.isUntagged ? true : nil
            unconfirmed = item.isUnconfirmed ? true : nil
            lacks = item.lacks.isEmpty ? nil : item.lacks
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

    private struct List: Codable {
        var items: [Item]
        var next: String?
        var reached: String

        init(_ page: HistoryPage) {
            items = page.items.map { Item($0) }
            next = page.next.map(APICursor.text)
            reached = timestamp(page.reached * 1000)
        }
    }

    private struct TimelineList: Codable {
        struct Entry: Codable {
            struct Contact: Codable {
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

    struct Attempt: Codable {
        struct Receipt: Codable {
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

    private struct Whole: Codable {
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
            hops = HistoryRoutes.hops(story)
        }
    }

    /// As in the node's trace: details stand beside `at`, `hop` and `what`.
    private typealias Hop = [String: String]

    /// All that the rows tell, then what they cannot: of when that was nobody knows, so it has no `at`.
    private static func hops(_ story: HistoryStory) -> [Hop] {
        var hops = story.hops.map { document($0) }
        if story.hasMoreSteps { hops.append(["hop": "history", "what": "there are more steps than are told"]) }
        for table in story.item.lacks {
            hops.append(["hop": "history", "what": "a row is not there, and nothing that depends on it is shown", "row": table])
        }
        for row in story.damaged {
            var hop = ["hop": "history", "what": "a row is not as Martlet wrote it", "row": row.table]
            hop["sequence"] = row.sequence.map { String($0) }
            hops.append(hop)
        }
        return hops
    }

    private static func document(_ hop: Story.Hop) -> Hop {
        var members = Dictionary(hop.details) { _, last in last }
        (members["at"], members["hop"], members["what"]) = (timestamp(hop.at), hop.hop, hop.what)
        return members
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

    private static let wish = APISchema.of(Search.self, "HistorySearch", isBody: true)
    private static let reached = APINode.map(["type": .text("string"), "description": .text("How far back it looked.")])
    private static let found = APISchema.page(of: Item.self, "HistoryItem", besides: ["reached": reached])
    private static let reveals = "Numbers and texts in clear with `reveal`, the right `personal.reveal` and a reason in Martlet-Reason."

    private static let list = APIOperation(
        .get, "/v1/history", "Messages, newest first, masked", note: "What a person is found by is posted to `/v1/history/search`.",
        [.readHistory], query: APIParameter.page + names.map { APIParameter($0, HistoryRoutes.words($0)) }, answer: .json(found))
    private static let search = APIOperation(
        .post, "/v1/history/search", "Searches messages", note: reveals, [.readHistory], body: wish, answer: .json(found))
    private static let timelineOf = APIOperation(
        .post, "/v1/history/timeline", "Messages and contacts elsewhere of one customer, newest first",
        note: "Of the search count customer, from, to, limit and cursor.", [.readHistory, .readCustomers], body: wish,
        answer: .json(.page(of: TimelineList.Entry.self, "TimelineEntry", besides: ["reached": reached])))
    private static let get = APIOperation(
        .get, "/v1/history/{id}", "All that the history holds of one message", note: reveals, [.readHistory],
        query: [.words("reveal", "Numbers and texts in clear.", ["true", "false"])], answer: .json(.of(Whole.self, "HistoryStory")))
    private static let trace = APIOperation(
        .get, "/v1/history/{id}/trace", "What happened to one message, as its trace", [.readHistory],
        answer: .json(.list(of: Hop.self, "Hop")))

    static let operations = [list, search, timelineOf, get, trace]

    private static func words(_ name: String) -> String {
        switch name {
        case "state": "States, with commas between."
        case "from": "A time (RFC 3339); \(HistoryWish.usualDays) days before `to` if not given."
        case "to": "A time (RFC 3339); now if not given."
        default: "Only messages with this \(name)."
        }
    }

    func add(to routes: inout APIRoutes) {
        let history = history
        let now = { @Sendable in history.desk.nowMilliseconds }
        routes.on(HistoryRoutes.list) { ask in
            let page = try ask.page()
            let wish = try HistoryWish(fields: ask.query.values(of: HistoryRoutes.names), page: page, now: now())
            return .json(List(try await history.search(wish, by: ask.caller)))
        }
        routes.on(HistoryRoutes.search) { ask in
            let search = try await ask.body(Search.self)
            let wish = try HistoryWish(fields: search.fields, page: search.page(), now: now())
            return .json(List(try await history.search(wish, by: ask.caller)))
        }
        if let timeline {
            routes.on(HistoryRoutes.timelineOf) { ask in
                let search = try await ask.body(Search.self)
                let wish = try HistoryWish(fields: search.fields, page: search.page(), now: now())
                return .json(TimelineList(try await timeline.list(wish, by: ask.caller)))
            }
        }
        routes.on(HistoryRoutes.get) { ask in
            return .json(Whole(try await story(ask)))
        }
        routes.on(HistoryRoutes.trace) { ask in
            return .json(HistoryRoutes.hops(try await story(ask)))
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
