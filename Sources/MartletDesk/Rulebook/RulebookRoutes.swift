import MartletModel

/// `/v1/rulebook`: objects with their versions, preview, releases and what differs between them.
public struct RulebookRoutes: APINoun {
    let rulebooks: Rulebooks

    public init(_ rulebooks: Rulebooks) { self.rulebooks = rulebooks }

    private struct Body: Decodable {
        var objects: [RulebookSelection.Name]?
        var without: [RulebookSelection.Name]?
        /// Of the release whose content is published again; then nothing is selected.
        var restores: Int64?
        var note: String?
        var base: Int64?

        var selection: RulebookSelection { RulebookSelection(objects: objects, without: without ?? []) }

        /// What a release needs.
        func checked() throws(DeskFault) -> (note: String, base: Int64) {
            var checks = FieldChecks()
            if note == nil { checks.add("note", "required", "say why") }
            if base == nil { checks.add("base", "required", "the number of the newest release as you know it, 0 for none") }
            if restores != nil, objects != nil || without != nil { checks.add("restores", "not_allowed", "rolling back selects nothing") }
            try checks.finish()
            return (note ?? "", base ?? 0)
        }
    }

    private struct Preview: Codable {
        var base: Int64
        var differences: [DifferenceDocument]
        var findings: [FindingDocument]
    }

    private struct Saved: Codable {
        var object: RulebookDocument
        var findings: [FindingDocument]
    }

    private struct Published: Codable {
        var release: ReleaseDocument
        var handed: Bool
        var findings: [FindingDocument]
    }

    private struct Examples: Codable {
        var event: String
        /// Of the event, whose parameters they have.
        var version: Int64
        var examples: [EventExample]
    }

    private struct Differences: Codable { var differences: [DifferenceDocument] }
    private struct Changes: Codable { var changes: [ChangeDocument] }

    static let key = "/v1/rulebook/objects/{kind}/{key}"
    static let kinds = "Kinds are \(RulebookKind.allCases.map(\.rawValue).joined(separator: ", "))."
    private static let range = [
        APIParameter("from", "Number of the older one.", number), APIParameter("to", "Number of the newer one.", number),
    ]
    private static let number = APINode.map(["type": .text("integer"), "minimum": .integer(0)])
    private static let selection = APISchema.of(Body.self, "RulebookSelection", isBody: true)

    private static let list = APIOperation(
        .get, "/v1/rulebook/objects", "Objects of the rulebook", [.readRulebook], query: APIParameter.page,
        answer: .json(.page(of: RulebookDocument.self, "RulebookObject")))
    private static let get = APIOperation(
        .get, key, "One object", note: kinds, [.readRulebook], answer: .json(.of(RulebookDocument.self, "RulebookObject")),
        isVersioned: true)
    private static let save = APIOperation(
        .put, key, "Writes a new version of an object, as a draft",
        note:
            "\(kinds) Without If-Match it is a new object, or one that was retired, and the answer 201. What compiling it alone has to say stops nothing. "
            + "`content.number` of an event or event type is given by Martlet and stays: leave it out, or write it as it is. "
            + "`content.type` of an event is required, and one that there is.",
        [.writeRulebook], match: .optional, body: .of(RulebookEntry.Wish.self, "RulebookWish", isBody: true),
        answer: .json(.of(Saved.self, "RulebookSaved")), isVersioned: true, refuses: [APIErrors.conflict], also: [201])
    private static let retire = APIOperation(
        .delete, key, "Retires an object: its use ends, its versions stay",
        note: "Refused with the names of those that use it. Publishing everything then takes it out; writing it anew brings it back.",
        [.writeRulebook], match: .needed, status: 204, answer: .nothing, refuses: [APIErrors.conflict])
    private static let versions = APIOperation(
        .get, "\(key)/versions", "Versions of an object, newest first, without content", [.readRulebook], query: APIParameter.page,
        answer: .json(.page(of: VersionDocument.self, "RulebookVersion")))
    private static let version = APIOperation(
        .get, "\(key)/versions/{number}", "One version, with its content", [.readRulebook],
        answer: .json(.of(VersionDocument.self, "RulebookVersion")))
    private static let diff = APIOperation(
        .get, "\(key)/diff", "What differs between two versions", [.readRulebook], query: range,
        answer: .json(.of(Changes.self, "RulebookChanges")))
    private static let examples = APIOperation(
        .get, "\(key)/examples", "How the newest version of an event is reported, with invented values",
        note: "Of kind event. As JSON, a line with curl, XML, SOAP and SQL; `live` says whether a door takes the form in this version.",
        [.readRulebook],
        answer: .json(.of(Examples.self, "EventExamples")))
    private static let preview = APIOperation(
        .post, "/v1/rulebook/preview", "What publishing would do, and what compiling has to say",
        note: "`restores`, `note` and `base` count for nothing here.", [.readRulebook], body: selection,
        answer: .json(.of(Preview.self, "RulebookPreview")), refuses: [APIErrors.notFound, APIErrors.conflict])
    private static let releases = APIOperation(
        .get, "/v1/rulebook/releases", "Releases, newest first", [.readRulebook], query: APIParameter.page,
        answer: .json(.page(of: ReleaseDocument.self, "RulebookRelease")))
    private static let publish = APIOperation(
        .post, "/v1/rulebook/releases", "Publishes a rulebook, or an earlier one again",
        note: "`base` is the newest release as the caller knows it; 412 where there is a newer one.", [.publishRulebook], body: selection,
        status: 201, answer: .json(.of(Published.self, "RulebookPublished")),
        refuses: [APIErrors.notFound, APIErrors.conflict, APIErrors.changed])
    private static let releaseDiff = APIOperation(
        .get, "/v1/rulebook/diff", "What differs between two releases; 0 is the empty one", [.readRulebook], query: range,
        answer: .json(.of(Differences.self, "RulebookDifferences")), refuses: [APIErrors.notFound])

    public static let operations = [list, get, save, retire, versions, version, diff, examples, preview, releases, publish, releaseDiff]

    public func add(to routes: inout APIRoutes) {
        objects(&routes)
        releases(&routes)
    }

    private func objects(_ routes: inout APIRoutes) {
        let rulebooks = rulebooks
        routes.on(RulebookRoutes.list) { ask in
            .page(try await rulebooks.list(try ask.page(), by: ask.caller)) { RulebookDocument($0) }
        }
        routes.on(RulebookRoutes.get) { ask in
            let entry = try await rulebooks.get(try Self.kind(ask), ask.part("key"), by: ask.caller)
            return .json(RulebookDocument(entry), version: entry.version)
        }
        // Without If-Match it is a new object.
        routes.on(RulebookRoutes.save) { ask in
            let version = ask.header("if-match") == nil ? nil : try ask.version()
            let (entry, findings) = try await rulebooks.save(
                try Self.kind(ask), ask.part("key"), try await ask.body(RulebookEntry.Wish.self), version: version, by: ask.caller)
            return .json(
                Saved(object: RulebookDocument(entry), findings: findings.map(FindingDocument.init)), version: entry.version,
                status: version == nil ? 201 : 200)
        }
        routes.on(RulebookRoutes.retire) { ask in
            try await rulebooks.retire(try Self.kind(ask), ask.part("key"), version: try ask.version(), by: ask.caller)
            return .done()
        }
        routes.on(RulebookRoutes.versions) { ask in
            let kind = try Self.kind(ask)
            return .page(try await rulebooks.versions(kind, ask.part("key"), try ask.page(), by: ask.caller)) {
                VersionDocument($0, of: kind)
            }
        }
        routes.on(RulebookRoutes.version) { ask in
            let number = try ask.number(of: "rulebook version")
            let kind = try Self.kind(ask)
            return .json(VersionDocument(try await rulebooks.version(kind, ask.part("key"), number, by: ask.caller), of: kind))
        }
        routes.on(RulebookRoutes.diff) { ask in
            let (from, to) = try range(ask)
            let changes = try await rulebooks.diff(try Self.kind(ask), ask.part("key"), from: from, to: to, by: ask.caller)
            return .json(Changes(changes: changes.map(ChangeDocument.init)))
        }
        routes.on(RulebookRoutes.examples) { ask in
            guard try Self.kind(ask) == .event else { throw DeskFault.notFound(noun: "example", key: "of kind \(ask.part("kind"))") }
            let (version, examples) = try await rulebooks.examples(of: ask.part("key"), by: ask.caller)
            return .json(Examples(event: ask.part("key"), version: version, examples: examples))
        }
    }

    private func releases(_ routes: inout APIRoutes) {
        let rulebooks = rulebooks
        routes.on(RulebookRoutes.preview) { ask in
            let made = try await rulebooks.preview(try await ask.body(Body.self).selection, by: ask.caller)
            return .json(
                Preview(
                    base: made.base, differences: made.differences.map(DifferenceDocument.init),
                    findings: made.findings.map(FindingDocument.init)))
        }
        routes.on(RulebookRoutes.releases) { ask in
            .page(try await rulebooks.releases(try ask.page(), by: ask.caller)) { ReleaseDocument($0) }
        }
        routes.on(RulebookRoutes.publish) { ask in
            let body = try await ask.body(Body.self)
            let (note, base) = try body.checked()
            let made =
                if let target = body.restores {
                    try await rulebooks.rollBack(to: target, note: note, base: base, by: ask.caller)
                } else {
                    try await rulebooks.publish(body.selection, note: note, base: base, by: ask.caller)
                }
            return .json(
                Published(
                    release: ReleaseDocument(made.release), handed: made.isHanded, findings: made.warnings.map(FindingDocument.init)),
                status: 201)
        }
        routes.on(RulebookRoutes.releaseDiff) { ask in
            let (from, to) = try range(ask)
            let found = try await rulebooks.diff(from: from, to: to, by: ask.caller)
            return .json(Differences(differences: found.map(DifferenceDocument.init)))
        }
    }

    static func kind(_ ask: APIRequest) throws(DeskFault) -> RulebookKind {
        guard let kind = RulebookKind(rawValue: ask.part("kind")) else {
            throw .notFound(noun: "kind of rulebook objects", key: ask.part("kind"))
        }
        return kind
    }

    /// `from` and `to` of the query.
    private func range(_ ask: APIRequest) throws(DeskFault) -> (from: Int64, to: Int64) {
        var checks = FieldChecks()
        let numbers = ["from", "to"].map { name -> Int64 in
            guard let number = ask.query[name].flatMap({ Int64($0) }), number >= 0 else {
                checks.add(name, "required", "a number is needed")
                return 0
            }
            return number
        }
        try checks.finish()
        return (numbers[0], numbers[1])
    }
}
