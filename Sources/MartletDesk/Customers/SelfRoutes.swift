import Guard
import MartletModel

/// `/v1/self`: one customer, whom the token names; and where the bank's app gets such a token.
public struct SelfRoutes: APINoun {
    let service: SelfService

    public init(_ service: SelfService) { self.service = service }

    private struct Token: Codable {
        var token: String
        var endsAt: String
    }

    private struct Packages: Decodable {
        var packages: [OwnPackageWish]
    }

    private struct Consent: Decodable, APIExplained {
        var purpose: UInt16
        var channel: String?
        var state: String
        var textVersion: String?

        static let explained = [
            "channel": APIField("Not there: all.", words: ChannelKind.allCases.map(\.word)),
            "state": APIField(words: ["given", "withdrawn"]),
            "textVersion": APIField("Version of the text that the customer was shown."),
        ]
    }

    private static let token = APIOperation(
        .post, "/v1/customers/{id}/tokens", "A token with which the bank's app acts for one customer",
        note: "It is good for \(CustomerTokens.lifetime / 60) minutes and for `/v1/self` alone. Nothing of it is stored.",
        [.actForCustomers],
        status: 201, answer: .json(.of(Token.self, "CustomerToken")))
    private static let packages = APIOperation(
        .get, "/v1/self/packages", "What can be connected, what is, and what is told in any case", [.actForCustomers],
        answer: .json(.of(OwnPackages.self, "OwnPackages")), isVersioned: true, isSelf: true)
    private static let connect = APIOperation(
        .put, "/v1/self/packages", "Connects and disconnects: all of the customer's packages are then these",
        note: "First and last days are the bank's: they stay; a new one, or one that was over, begins now.", [.actForCustomers],
        match: .needed,
        body: .of(Packages.self, "OwnPackagesWish", isBody: true), answer: .json(.of(OwnPackages.self, "OwnPackages")), isVersioned: true,
        isSelf: true)
    private static let preferences = APIOperation(
        .get, "/v1/self/preferences", "Quiet hours, channels and event types that are not wanted", [.actForCustomers],
        answer: .json(.of(OwnPreferences.self, "OwnPreferences")), isVersioned: true, isSelf: true)
    private static let set = APIOperation(
        .put, "/v1/self/preferences", "Sets them, from now on", note: "`withoutEffect` of the answer names what is told all the same.",
        [.actForCustomers], match: .needed,
        body: .of(OwnPreferences.self, "OwnPreferencesWish", isBody: true),
        answer: .json(.of(OwnPreferences.self, "OwnPreferences")), isVersioned: true, isSelf: true)
    private static let consents = APIOperation(
        .get, "/v1/self/consents", "All that the customer said, in the order it was entered", [.actForCustomers], query: APIParameter.page,
        answer: .json(.page(of: ConsentEvidence.self, "Consent")), isSelf: true)
    private static let say = APIOperation(
        .post, "/v1/self/consents", "Gives or withdraws a consent, now", [.actForCustomers],
        body: .of(Consent.self, "OwnConsent", isBody: true),
        status: 204, answer: .nothing, refuses: [APIErrors.conflict], isSelf: true)

    public static let operations = [token, packages, connect, preferences, set, consents, say]

    public func add(to routes: inout APIRoutes) {
        let service = service
        routes.on(SelfRoutes.token) { ask in
            let made = try await service.token(for: try ask.subject(), by: ask.caller)
            return .json(Token(token: made.token.reveal(), endsAt: timestamp(made.endsAt * 1_000_000)), status: 201)
        }
        routes.on(SelfRoutes.packages) { ask in
            let (version, packages) = try await service.packages(by: ask.caller)
            return .json(packages, version: Int64(version))
        }
        routes.on(SelfRoutes.connect) { ask in
            let wish = try await ask.body(Packages.self)
            try await service.connect(wish.packages, version: try ask.version(), by: ask.caller)
            let (version, packages) = try await service.packages(by: ask.caller)
            return .json(packages, version: Int64(version))
        }
        routes.on(SelfRoutes.preferences) { ask in
            let (version, preferences) = try await service.preferences(by: ask.caller)
            return .json(preferences, version: Int64(version))
        }
        routes.on(SelfRoutes.set) { ask in
            let wish = try await ask.body(OwnPreferences.self)
            try await service.set(wish, version: try ask.version(), by: ask.caller)
            let (version, preferences) = try await service.preferences(by: ask.caller)
            return .json(preferences, version: Int64(version))
        }
        routes.on(SelfRoutes.consents) { ask in
            .page(try await service.consents(try ask.page(), by: ask.caller)) { $0 }
        }
        routes.on(SelfRoutes.say) { ask in
            let wish = try await ask.body(Consent.self)
            var faults: [FieldFault] = []
            let channel = wish.channel.flatMap { ChannelKind(word: $0) }
            if wish.channel != nil, channel == nil { faults.append(FieldFault("channel", "unknown", CustomerText.channels)) }
            let state = MartletModel.Consent.State(word: wish.state).flatMap { $0 == .pending ? nil : $0 }
            guard let state, faults.isEmpty else {
                if state == nil { faults.append(FieldFault("state", "unknown", "given or withdrawn")) }
                throw DeskFault.invalid(faults)
            }
            try await service.say(wish.purpose, channel, state, textVersion: wish.textVersion ?? "", by: ask.caller)
            return .done()
        }
    }
}
