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

    private struct Preview: Encodable {
        var base: Int64
        var differences: [DifferenceDocument]
        var findings: [FindingDocument]
    }

    private struct Saved: Encodable {
        var object: RulebookDocument
        var findings: [FindingDocument]
    }

    private struct Published: Encodable {
        var release: ReleaseDocument
        var handed: Bool
        var findings: [FindingDocument]
    }

    private struct Differences: Encodable { var differences: [DifferenceDocument] }
    private struct Changes: Encodable { var changes: [ChangeDocument] }

    public func add(to routes: inout APIRoutes) {
        objects(&routes)
        releases(&routes)
    }

    private func objects(_ routes: inout APIRoutes) {
        let rulebooks = rulebooks
        routes.get("/v1/rulebook/objects") { ask in
            .page(try await rulebooks.list(try ask.page(), by: ask.caller)) { RulebookDocument($0) }
        }
        routes.get("/v1/rulebook/objects/{kind}/{key}") { ask in
            let entry = try await rulebooks.get(try kind(ask), ask.part("key"), by: ask.caller)
            return .json(RulebookDocument(entry), version: entry.version)
        }
        // Without If-Match it is a new object.
        routes.put("/v1/rulebook/objects/{kind}/{key}") { ask in
            let version = ask.header("if-match") == nil ? nil : try ask.version()
            let (entry, findings) = try await rulebooks.save(
                try kind(ask), ask.part("key"), try await ask.body(RulebookEntry.Wish.self), version: version, by: ask.caller)
            return .json(
                Saved(object: RulebookDocument(entry), findings: findings.map(FindingDocument.init)), version: entry.version,
                status: version == nil ? 201 : 200)
        }
        routes.get("/v1/rulebook/objects/{kind}/{key}/versions") { ask in
            .page(try await rulebooks.versions(try kind(ask), ask.part("key"), try ask.page(), by: ask.caller)) { VersionDocument($0) }
        }
        routes.get("/v1/rulebook/objects/{kind}/{key}/versions/{number}") { ask in
            let number = try ask.number(of: "rulebook version")
            return .json(VersionDocument(try await rulebooks.version(try kind(ask), ask.part("key"), number, by: ask.caller)))
        }
        routes.get("/v1/rulebook/objects/{kind}/{key}/diff") { ask in
            let (from, to) = try range(ask)
            let changes = try await rulebooks.diff(try kind(ask), ask.part("key"), from: from, to: to, by: ask.caller)
            return .json(Changes(changes: changes.map(ChangeDocument.init)))
        }
    }

    private func releases(_ routes: inout APIRoutes) {
        let rulebooks = rulebooks
        routes.post("/v1/rulebook/preview") { ask in
            let made = try await rulebooks.preview(try await ask.body(Body.self).selection, by: ask.caller)
            return .json(
                Preview(
                    base: made.base, differences: made.differences.map(DifferenceDocument.init),
                    findings: made.findings.map(FindingDocument.init)))
        }
        routes.get("/v1/rulebook/releases") { ask in
            .page(try await rulebooks.releases(try ask.page(), by: ask.caller)) { ReleaseDocument($0) }
        }
        routes.post("/v1/rulebook/releases") { ask in
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
        routes.get("/v1/rulebook/diff") { ask in
            let (from, to) = try range(ask)
            let found = try await rulebooks.diff(from: from, to: to, by: ask.caller)
            return .json(Differences(differences: found.map(DifferenceDocument.init)))
        }
    }

    private func kind(_ ask: APIRequest) throws(DeskFault) -> RulebookKind {
        guard let kind = RulebookKind(rawValue: ask.part("kind")) else {
            throw .notFound(noun: "kind of rulebook objects", key: ask.part("kind"))
        }
        return kind
    }

    /// `from` and `to` of the query.
    private func range(_ ask: APIRequest) throws(DeskFault) -> (from: Int64, to: Int64) {
        try ask.query.allow(["from", "to"])
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
