import MartletModel

/// What editors of texts need beside the rulebook's objects: to see a text, and who uses it.
public struct TextRoutes: APINoun {
    let rulebooks: Rulebooks
    let customers: Customers

    public init(_ rulebooks: Rulebooks, _ customers: Customers) {
        self.rulebooks = rulebooks
        self.customers = customers
    }

    private struct Users: Codable {
        struct User: Codable, APIExplained {
            var kind: String
            var key: String
            var newest: Bool
            var published: Bool

            static let explained = [
                "newest": APIField("By its newest version."), "published": APIField("By the version in the newest release."),
            ]
        }

        var items: [User]
    }

    private static let preview = APIOperation(
        .post, "/v1/rulebook/templates/preview", "Writes a text as it would be sent, and sends nothing",
        note:
            "Of one event over one channel: with drafts, stored versions or a release, with values of its parameters or invented ones. With "
            + "`customer` it takes that customer's names, language and zone; that needs `customers.read` and `personal.reveal` and a reason in "
            + "Martlet-Reason, and is an entry of the audit.",
        [.readRulebook], body: .of(TextWish.self, "TextWish", isBody: true), answer: .json(.of(TextDocument.self, "TextPreview")),
        refuses: [APIErrors.notFound])

    private static let users = APIOperation(
        .get, "\(RulebookRoutes.key)/users", "Who uses an object: what names it, or puts it into a text",
        note: "\(RulebookRoutes.kinds) What somebody in the newest release uses cannot be taken out.", [.readRulebook],
        answer: .json(.of(Users.self, "RulebookUsers")))

    private static let submit = APIOperation(
        .post, "\(RulebookRoutes.key)/versions/{number}/submit", "Submits a text for approval",
        note: "Of a template, a partial or an override. A version is never changed, so a draft that is changed is submitted anew.",
        [.writeRulebook], answer: .json(.of(VersionDocument.self, "RulebookVersion")), refuses: [APIErrors.conflict])
    private static let approve = APIOperation(
        .post, "\(RulebookRoutes.key)/versions/{number}/approve", "Approves a text that was submitted",
        note: "Somebody else than the author of the version does. With `rulebook.approval` in the settings no text is published without.",
        [.approveTexts], answer: .json(.of(VersionDocument.self, "RulebookVersion")), refuses: [APIErrors.conflict])

    public static let operations = [preview, users, submit, approve]

    public func add(to routes: inout APIRoutes) {
        let (rulebooks, customers) = (rulebooks, customers)
        routes.on(TextRoutes.preview) { ask in
            .json(TextDocument(try await rulebooks.preview(text: try await ask.body(TextWish.self), of: customers, by: ask.caller)))
        }
        routes.on(TextRoutes.users) { ask in
            let users = try await rulebooks.users(of: try RulebookRoutes.kind(ask), ask.part("key"), by: ask.caller)
            return .json(
                Users(items: users.map { .init(kind: $0.kind.rawValue, key: $0.key, newest: $0.isNewest, published: $0.isPublished) }))
        }
        routes.on(TextRoutes.submit) { ask in
            let kind = try RulebookRoutes.kind(ask)
            let version = try await rulebooks.submit(kind, ask.part("key"), try ask.number(of: "rulebook version"), by: ask.caller)
            return .json(VersionDocument(version, of: kind))
        }
        routes.on(TextRoutes.approve) { ask in
            let kind = try RulebookRoutes.kind(ask)
            let version = try await rulebooks.approve(kind, ask.part("key"), try ask.number(of: "rulebook version"), by: ask.caller)
            return .json(VersionDocument(version, of: kind))
        }
    }
}
