import FoundationEssentials
import Guard
import Hummingbird
import Logging
import MartletModel
import MartletStore
import NIOCore
import SQL
import Synchronization
import Testing

@testable import MartletDesk

/// Customers who act for themselves: with a token for one record, over the routes and past the responder that reads the token.
@Suite("Desk: self-service") struct SelfServiceTests {
    private final class Clock: Sendable {
        let now = Mutex(CustomerRig.now)
    }

    private struct App {
        let rig: CustomerRig
        let clock = Clock()
        let desk: Desk
        let rulebooks: Rulebooks
        let responder: APIResponder
        let routes: APIRoutes

        init(_ rig: CustomerRig) {
            self.rig = rig
            let clock = clock
            desk = Desk(store: rig.store, chain: "martlet-test") { clock.now.withLock { $0 } }
            let customers = desk.customers(rig.vault)
            let key = rig.keys.rowKey
            rulebooks = Rulebooks(
                Units(desk, rowKey: key),
                Rulebooks.World(
                    folder: RulebookFolder("\(rig.folder)/local"), surroundings: { Rulebook.Surroundings() },
                    zoneFile: { (try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/\($0)"))).map { Array($0) } }))
            responder = APIResponder(
                desk: desk, principals: Principals(desk, rowKey: key), tokens: rig.vault.tokens, counters: DeskCounters(),
                logger: Logger(label: "desk", factory: { _ in SwiftLogNoOpLogHandler() }), timeLimit: .seconds(60), ready: { [] })
            var routes = APIRoutes()
            CustomerRoutes(customers).add(to: &routes)
            SelfRoutes(SelfService(customers, rulebooks)).add(to: &routes)
            self.routes = routes
        }

        struct Answer {
            var status: Int
            var tag: String?
            var text: String
            var errors: [String]
        }

        func ask(
            _ method: APIRoutes.Method, _ path: String, key: String, id: String = "1", _ body: String = "", match: String? = nil
        ) async throws -> Answer {
            let route = try #require(routes.paths[path]?[method])
            let answer = await responder.answer(route, key: key, reason: nil) { caller in
                APIRequest(
                    caller: caller, parts: ["id": id], query: APIQuery([]), headers: match.map { ["if-match": $0] } ?? [:],
                    content: RequestBody(buffer: ByteBuffer(string: body)), bodyLimit: 100_000)
            }
            let bytes = if case .bytes(let bytes) = answer.body { bytes } else { [UInt8]() }
            let text = String(decoding: bytes, as: UTF8.self)
            let type = answer.headers.first { $0.name == "Content-Type" }?.value ?? ""
            #expect(APIShape.shared.faults(method.rawValue, path, status: answer.status, type: type, body: text) == [])
            struct Problem: Decodable {
                struct Entry: Decodable {
                    var path: String
                    var code: String
                }
                var errors: [Entry]?
            }
            let problem = answer.status < 400 ? nil : try JSONDecoder().decode(Problem.self, from: Data(bytes))
            return Answer(
                status: answer.status, tag: answer.headers.first { $0.name == "ETag" }?.value, text: text,
                errors: (problem?.errors ?? []).map { "\($0.path) \($0.code)" })
        }

        /// The key of a principal with these rights.
        func key(_ name: String, _ rights: Set<Right>) async throws -> String {
            try await Principals(desk, rowKey: rig.keys.rowKey).add(.init(name: name, rights: rights, unit: nil), by: CustomerRig.anna)
                .key.reveal()
        }

        func token(_ key: String, id: String = "1") async throws -> String {
            struct Made: Decodable { var token: String }
            let made = try await ask(.post, "/v1/customers/{id}/tokens", key: key, id: id)
            #expect(made.status == 201)
            return try JSONDecoder().decode(Made.self, from: Data(made.text.utf8)).token
        }

        func publish(_ objects: [(RulebookKind, String, String)], base: Int64) async throws {
            for (kind, key, content) in objects {
                let version = try? await rulebooks.get(kind, key, by: CustomerRig.anna).version
                _ = try await rulebooks.save(
                    kind, key,
                    .init(
                        name: "The \(key)", description: "What \(key) is.",
                        content: try JSONValue(reading: Array(content.utf8), maximumBytes: 10_000), note: "n"),
                    version: version, by: CustomerRig.anna)
            }
            _ = try await rulebooks.publish(RulebookSelection(), note: "n", base: base, by: CustomerRig.anna)
        }
    }

    private static let rules: [(RulebookKind, String, String)] = [
        (.eventType, "cards", "{}"), (.plan, "sms", #"{"steps": [{"channels": ["sms"]}]}"#),
        (.template, "sms.paid", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Paid"}}"#),
        (.template, "sms.blocked", #"{"channel": "sms", "sender": "HARBOUR", "standard": "en", "texts": {"en": "Blocked"}}"#),
        (.eventType, "loans", "{}"), (.purpose, "offers", #"{"number": 2}"#),
        // Where the evening of the 22nd is still going on.
        (.zones, "bank", #"{"default": "America/New_York"}"#),
        (
            .event, "paid",
            #"""
            {"type": "cards", "class": "transactional", "templates": {"sms": "paid"}, "plan": "sms", "threshold": "amount",
             "parameters": [{"name": "amount", "type": "money", "dataClass": "financial"}]}
            """#
        ),
        (
            .event, "blocked",
            #"{"type": "cards", "class": "security", "mandatory": true, "templates": {"sms": "blocked"}, "plan": "sms"}"#
        ),
        (
            .package, "cards",
            #"{"number": 17, "events": [{"event": "paid", "thresholds": [{"amount": "50.00", "currency": "EUR"}]}], "channels": ["sms"], "fee": {"amount": "25.00", "currency": "UAH", "period": "month"}}"#
        ),
    ]

    @Test(
        "A customer connects, pauses and disconnects packages; days are the bank's, what is mandatory is shown as fixed",
        arguments: SQLStore.Engine.allCases)
    func packages(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let app = App(rig)
            _ = try await rig.customers.add(CustomerRig.wish(), by: CustomerRig.anna)
            try await app.publish(Self.rules, base: 0)
            let token = try await app.token(app.key("app", [.actForCustomers]))
            let path = "/v1/self/packages"
            let first = try await app.ask(.get, path, key: token)
            #expect(first.status == 200 && first.tag == "\"1\"")
            for part in [
                #""fixed":[{"channels":["sms"],"event":"blocked","eventType":1,"name":"The blocked","thresholds":[]}]"#,
                #""eventTypes":[{"eventType":1,"key":"cards","name":"The cards"},{"eventType":2,"key":"loans","name":"The loans"}]"#,
                #""allowedChannels":["sms"],"channels":["sms"],"#, #""fee":{"amount":"25.00","currency":"UAH","period":"month"}"#,
                #""name":"The cards","package":17"#,
                #""events":[{"channels":["sms"],"event":"paid","eventType":1,"name":"The paid","thresholds":[{"amount":"50.00","currency":"EUR"}]}]"#,
                // Connected by the bank, and offered to nobody any more.
                #""connected":[{"channels":["sms"],"from":20000,"isPaused":false,"thresholds":[]}],"events":[],"package":3"#,
                #"{"path":"packages[1].connected[0]","reason":"The package is no longer offered, and tells nothing."}"#,
            ] {
                #expect(first.text.contains(part), "\(part) of \(first.text)")
            }
            let wish = #"""
                {"packages": [{"package": 3, "isPaused": true},
                  {"package": 17, "card": "4242 4242 4242 0042", "channels": ["push"], "thresholds": [{"eventType": 1, "amount": "50.00", "currency": "UAH"}]}]}
                """#
            let second = try await app.ask(.put, path, key: token, wish, match: "\"1\"")
            #expect(second.status == 200 && second.tag == "\"2\"" && second.text.contains(#""card":"•••0042""#), "\(second)")
            #expect(second.text.contains(#""thresholds":[{"amount":"50.00","currency":"UAH","eventType":1}]"#))
            #expect(
                second.text.contains(#"{"path":"packages[0].connected[0].channels","reason":"No event of the package is told over push."}"#)
            )
            let view = try await rig.customers.get(1, by: CustomerRig.anna)
            #expect(
                view.packages.map(\.from) == [20_000, Self.today]
                    && view.packages.map(\.isPaused) == [true, false])
            #expect(view.packages[1].thresholds.map(\.amount) == [5000])
            let changes = try await rig.customers.packageChanges(1, PageWish(limit: 2), by: CustomerRig.anna).items
            #expect(changes.map(\.way) == ["app", "app"] && changes.map(\.source) == ["customer:1", "customer:1"])
            #expect(changes.map(\.act) == ["connected", "changed"])
            #expect(try await app.ask(.put, path, key: token, wish, match: "\"1\"").status == 412)
            let wrong = #"{"packages": [{"package": 99}, {"package": 17, "account": " "}]}"#
            #expect(
                try await app.ask(.put, path, key: token, wrong, match: "\"2\"").errors == [
                    "/packages/0/package unknown", "/packages/1/account length",
                ])
            #expect(
                try await app.ask(.put, path, key: token, #"{"packages": [{"package": 99}]}"#, match: "\"2\"").errors == [
                    "/packages/0/package unknown"
                ])
            #expect(try await app.ask(.put, path, key: token, #"{"packages": []}"#, match: "\"2\"").tag == "\"3\"")
            #expect(try await rig.customers.get(1, by: CustomerRig.anna).packages.isEmpty)
            // Another release, another offer.
            try await app.publish([(.package, "more", #"{"number": 18, "events": [{"event": "paid"}]}"#)], base: 1)
            #expect(try await app.ask(.get, path, key: token).text.contains(#""name":"The more","package":18"#))
        }
    }

    /// Where the customer lives, days since 1970; in UTC it is tomorrow already.
    private static let today: UInt16 = 20_779

    @Test("What is connected holds at once where the customer lives, and what was over begins anew", arguments: SQLStore.Engine.allCases)
    func days(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let app = App(rig)
            var wish = CustomerRig.wish()
            func package(until: UInt16, card: String? = nil) -> CustomerView.PackageView {
                .init(package: 17, from: 20_000, until: until, channels: nil, isPaused: false, thresholds: [], account: nil, card: card)
            }
            wish.packages = [package(until: Self.today - 1), package(until: Self.today, card: "4242424242420042")]
            _ = try await rig.customers.add(wish, by: CustomerRig.anna)
            try await app.publish(Self.rules, base: 0)
            let token = try await app.token(app.key("app", [.actForCustomers]))
            let path = "/v1/self/packages"
            // The one for everything was over yesterday, the card's is on its last day.
            let first = try await app.ask(.get, path, key: token)
            let card = #"{"card":"•••0042","from":20000,"isPaused":false,"thresholds":[],"until":20779}"#
            #expect(first.text.contains(#""connected":[\#(card)]"#), "\(first.text)")
            let again = #"{"packages": [{"package": 17}, {"package": 17, "card": "•••0042"}]}"#
            let second = try await app.ask(.put, path, key: token, again, match: "\"1\"")
            #expect(second.text.contains(#""connected":[{"from":20779,"isPaused":false,"thresholds":[]},\#(card)]"#), "\(second.text)")
            #expect(try await rig.customers.get(1, by: CustomerRig.anna).packages.map(\.until) == [nil, Self.today])
        }
    }

    @Test("What a customer names must be there; what has no effect is named", arguments: SQLStore.Engine.allCases)
    func named(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let app = App(rig)
            var wish = CustomerRig.wish()
            // Set when another release held.
            wish.packages?[0].thresholds = [.init(eventType: 40, amount: 1, currency: 980)]
            _ = try await rig.customers.add(wish, by: CustomerRig.anna)
            try await app.publish(Self.rules, base: 0)
            let token = try await app.token(app.key("app", [.actForCustomers]))
            func refused(_ thresholds: String) async throws -> [String] {
                let body = #"{"packages": [{"package": 17, "thresholds": [\#(thresholds)]}]}"#
                return try await app.ask(.put, "/v1/self/packages", key: token, body, match: "\"1\"").errors
            }
            let place = "/packages/0/thresholds/0"
            #expect(try await refused(#"{"eventType": 41, "amount": "1", "currency": "EUR"}"#) == ["\(place)/eventType unknown"])
            #expect(try await refused(#"{"eventType": 1, "amount": "1", "currency": "978"}"#) == ["\(place)/currency unknown"])
            #expect(try await refused(#"{"eventType": 1, "amount": "1,5", "currency": "EUR"}"#) == ["\(place)/amount malformed"])
            #expect(try await refused(#"{"eventType": 1, "amount": "1.005", "currency": "EUR"}"#) == ["\(place)/amount range"])
            #expect(try await refused(#"{"eventType": 1, "amount": "-1", "currency": "EUR"}"#) == ["\(place)/amount range"])
            let one = #"{"eventType": 1, "amount": "1", "currency": "EUR"}"#
            #expect(try await refused("\(one), \(one)") == ["/packages/0/thresholds/1 repeated"])
            // The yen has no digits behind the point, the dinar three; what the customer has already may stay.
            let kept = #"""
                {"packages": [{"package": 3, "thresholds": [{"eventType": 40, "amount": "0.01", "currency": "UAH"}]},
                  {"package": 17, "thresholds": [{"eventType": 1, "amount": "5", "currency": "JPY"}, {"eventType": 2, "amount": "5.5", "currency": "KWD"}]}]}
                """#
            let set = try await app.ask(.put, "/v1/self/packages", key: token, kept, match: "\"1\"")
            #expect(
                set.text.contains(#"[{"amount":"5","currency":"JPY","eventType":1},{"amount":"5.500","currency":"KWD","eventType":2}]"#))
            #expect(
                set.text.contains(#"{"path":"packages[0].connected[0].thresholds[1]","reason":"No event of the package is of this type."}"#)
            )
            #expect(try await rig.customers.get(1, by: CustomerRig.anna).packages[1].thresholds.map(\.amount) == [5, 5500])

            let preferences = "/v1/self/preferences"
            func wishes(_ text: String) async throws -> App.Answer {
                try await app.ask(.put, preferences, key: token, #"{"channelsOff": [], \#(text)}"#, match: "\"2\"")
            }
            #expect(try await wishes(#""mutedEventTypes": [2, 41]"#).errors == ["/mutedEventTypes/1 unknown"])
            #expect(try await wishes(#""mutedEventTypes": [], "quietFrom": 0, "quietUntil": 0"#).errors == ["/quietUntil range"])
            let muted = try await wishes(#""mutedEventTypes": [2, 1]"#)
            #expect(
                muted.text.contains(#""withoutEffect":[{"path":"mutedEventTypes[1]","reason":"The blocked: told in any case."}]"#),
                "\(muted.text)")
            // As it was read it may be written.
            #expect(try await app.ask(.put, preferences, key: token, muted.text, match: "\"3\"").status == 200)
            #expect(
                try await app.ask(.post, "/v1/self/consents", key: token, #"{"purpose": 3, "state": "given"}"#).errors
                    == ["/purpose unknown"])
        }
    }

    @Test("Without a release nothing is offered, and what is connected is shown")
    func unpublished() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let app = App(rig)
            _ = try await rig.customers.add(CustomerRig.wish(), by: CustomerRig.anna)
            let answer = try await app.ask(.get, "/v1/self/packages", key: app.token(app.key("app", [.actForCustomers])))
            #expect(
                answer.text.hasPrefix(#"{"eventTypes":[],"fixed":[],"packages":[{"allowedChannels":[],"channels":[],"connected":[{"#),
                "\(answer.text)")
        }
    }

    @Test("Wishes hold from now on, a consent is evidence by way of the app", arguments: SQLStore.Engine.allCases)
    func wishes(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let app = App(rig)
            _ = try await rig.customers.add(CustomerRig.wish(), by: CustomerRig.anna)
            try await app.publish(Self.rules, base: 0)
            let token = try await app.token(app.key("app", [.actForCustomers]))
            let none = try await app.ask(.get, "/v1/self/preferences", key: token)
            #expect(none.text == #"{"channelsOff":[],"mutedEventTypes":[],"withoutEffect":[]}"# && none.tag == "\"1\"")
            let wish = #"{"quietFrom": 1320, "quietUntil": 420, "channelsOff": ["push"], "mutedEventTypes": [2]}"#
            let set = try await app.ask(.put, "/v1/self/preferences", key: token, wish, match: "\"1\"")
            #expect(set.status == 200 && set.text.contains(#""at":"2026-11-23T02:13:20"#) && set.tag == "\"2\"", "\(set)")
            let odd = wish.replacing("push", with: "smoke").replacing("1320", with: "1500")
            #expect(
                try await app.ask(.put, "/v1/self/preferences", key: token, odd, match: "\"2\"").errors
                    == ["/quietFrom range", "/channelsOff unknown"])
            let say = #"{"purpose": 2, "channel": "sms", "state": "given", "textVersion": "v3"}"#
            #expect(try await app.ask(.post, "/v1/self/consents", key: token, say).status == 204)
            #expect(try await app.ask(.post, "/v1/self/consents", key: token, #"{"purpose": 2, "state": "withdrawn"}"#).status == 204)
            let said = try await app.ask(.get, "/v1/self/consents", key: token).text
            #expect(said.contains(#""source":"customer:1","state":"given","textVersion":"v3","way":"app""#), "\(said)")
            #expect(try await rig.customers.get(1, by: CustomerRig.anna).consents.map(\.state) == ["given", "withdrawn"])
            let wrong = #"{"purpose": 2, "channel": "smoke", "state": "pending"}"#
            #expect(try await app.ask(.post, "/v1/self/consents", key: token, wrong).errors == ["/channel unknown", "/state unknown"])
            let acts = try await rig.store.read { try $0.rows(StoreStatements.audit, [.number(100), .number(4)]) }
            #expect(
                try acts.map { "\(try $0.text("principal")) \(try $0.text("act")) \(try $0.text("object"))" } == [
                    "customer:1 consent.written customer:1", "customer:1 consent.written customer:1",
                    "customer:1 customer.written customer:1",
                    "principal:app customer.token-made customer:1",
                ])
        }
    }

    @Test("A token opens one customer's record for a quarter of an hour, and nothing else; a principal's key does not open that")
    func scope() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let app = App(rig)
            for reference in ["a", "b"] { _ = try await rig.customers.add(CustomerRig.wish(reference), by: CustomerRig.anna) }
            try await app.publish(Self.rules, base: 0)
            let key = try await app.key("app", Set(Right.allCases))
            let token = try await app.token(key, id: "2")
            #expect(try await app.ask(.get, "/v1/self/consents", key: token).status == 200)
            _ = try await app.ask(.post, "/v1/self/consents", key: token, #"{"purpose": 2, "state": "given"}"#)
            #expect(try await rig.customers.get(1, by: CustomerRig.anna).consents.isEmpty)
            #expect(try await rig.customers.get(2, by: CustomerRig.anna).consents.count == 1)
            // The token elsewhere, the key here; a token makes no token.
            for (method, path) in [
                (APIRoutes.Method.get, "/v1/customers/{id}"), (.post, "/v1/customers/{id}/tokens"), (.delete, "/v1/customers/{id}"),
            ] {
                #expect(try await app.ask(method, path, key: token, id: "2").status == 401, "\(path)")
            }
            for path in ["/v1/self/packages", "/v1/self/preferences", "/v1/self/consents"] {
                #expect(try await app.ask(.get, path, key: key).status == 401, "\(path)")
            }
            let reader = try await app.key("reader", [.readCustomers])
            #expect(try await app.ask(.post, "/v1/customers/{id}/tokens", key: reader).status == 403)
            #expect(try await app.ask(.post, "/v1/customers/{id}/tokens", key: key, id: "9").status == 404)
            // Half of it changed, or cut, it is none; nor is that of another installation.
            let forged = [token.replacing("ct_01", with: "ct_02"), String(token.dropLast()), token.uppercased(), "ct_" + token]
            for text in forged + [String(token.dropLast(2)) + (token.hasSuffix("00") ? "01" : "00")] {
                #expect(try await app.ask(.get, "/v1/self/consents", key: text).status == 401, "\(text)")
            }
            app.clock.now.withLock { $0 += (CustomerTokens.lifetime - 1) * 1_000_000 }
            #expect(try await app.ask(.get, "/v1/self/consents", key: token).status == 200)
            app.clock.now.withLock { $0 += 1_000_000 }
            let ended = try await app.ask(.get, "/v1/self/consents", key: token)
            #expect(ended.status == 401 && ended.text.contains("time is over"))
            let later = try await app.token(key, id: "2")
            try await rig.customers.erase(2, by: CustomerRig.anna)
            #expect(try await app.ask(.get, "/v1/self/preferences", key: later).status == 404)
            // Whoever has the right without being a customer is none.
            let service = SelfService(rig.customers, app.rulebooks)
            #expect(
                try await CustomerRig.fault { try await service.preferences(by: CustomerRig.anna) } == .forbidden(.actForCustomers))
        }
    }
}
