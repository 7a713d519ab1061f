import MartletModel

/// `/v1/sources`. What the node has and what people say of it are one document; nobody can make a source here, or a key.
public struct SourceRoutes: APINoun {
    let sources: Sources

    public init(_ sources: Sources) { self.sources = sources }

    struct Document: Codable {
        struct Limits: Codable {
            var rate: Int
            var burst: Int
            var dailyQuota: Int
        }

        var number: Int64
        var name: String
        var description: String
        var unit: Int64?
        var owner: String?
        var scopes: [String]
        var senders: [String]
        var classes: [String]
        var sender: String?
        var messageClass: String
        var limits: Limits
        var keys: Int
        /// What the node has not been told yet.
        var pending: SourceChange?
        var createdAt: String?
        var changedAt: String?

        init(_ entry: SourceEntry) {
            let known = entry.known
            (number, name, description, unit) = (Int64(known.number), known.name, entry.description, entry.unit)
            owner = entry.version == 0 ? nil : entry.owner
            (scopes, senders, classes, sender, messageClass) = (
                known.scopes, known.senders, known.classes, known.sender, known.messageClass
            )
            limits = Limits(rate: known.limits.rate, burst: known.limits.burst, dailyQuota: known.limits.dailyQuota)
            (keys, pending) = (known.keys, entry.pending)
            createdAt = entry.version == 0 ? nil : timestamp(entry.createdAt * 1000)
            changedAt = entry.version == 0 ? nil : timestamp(entry.changedAt * 1000)
        }
    }

    private static let one = APISchema.of(Document.self, "Source")
    private static let list = APIOperation(
        .get, "/v1/sources", "Sender systems", [.readReference], query: APIParameter.page, answer: .json(.page(of: Document.self, "Source"))
    )
    private static let get = APIOperation(
        .get, "/v1/sources/{number}", "One sender system", [.readReference], answer: .json(one), isVersioned: true)
    private static let change = APIOperation(
        .put, "/v1/sources/{number}", "Says what a sender system is, and changes limits and defaults",
        note: "What the node has not been told yet stands in `pending`.", [.manageReference], match: .needed,
        body: .of(SourceEntry.Wish.self, "SourceWish", isBody: true), answer: .json(one), isVersioned: true, refuses: [APIErrors.conflict])

    public static let operations = [list, get, change]

    public func add(to routes: inout APIRoutes) {
        let sources = sources
        routes.on(SourceRoutes.list) { ask in .page(try await sources.list(try ask.page(), by: ask.caller)) { Document($0) } }
        routes.on(SourceRoutes.get) { ask in
            let entry = try await sources.get(try number(ask), by: ask.caller)
            // One of which nobody has said anything is at version 0; an ETag begins at 1.
            return .json(Document(entry), version: entry.version + 1)
        }
        routes.on(SourceRoutes.change) { ask in
            let entry = try await sources.put(
                try number(ask), try await ask.body(SourceEntry.Wish.self), version: try ask.version() - 1, by: ask.caller)
            return .json(Document(entry), version: entry.version + 1)
        }
    }

    private func number(_ ask: APIRequest) throws(DeskFault) -> SourceNumber {
        guard let number = SourceNumber(exactly: try ask.number(of: "source")) else {
            throw .notFound(noun: "source", key: ask.part("number"))
        }
        return number
    }
}
