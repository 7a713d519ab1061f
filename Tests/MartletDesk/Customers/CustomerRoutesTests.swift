import FoundationEssentials
import Hummingbird
import MartletModel
import NIOCore
import SQL
import Testing

@testable import MartletDesk

/// What the routes of customers take and answer; the listener around them has tests of its own.
@Suite("Desk: routes of customers") struct CustomerRoutesTests {
    private struct Desk {
        let routes: APIRoutes

        init(_ rig: CustomerRig) {
            var routes = APIRoutes()
            CustomerRoutes(rig.customers).add(to: &routes)
            self.routes = routes
        }

        func ask(
            _ method: APIRoutes.Method, _ path: String, id: String = "1", _ body: String = "", match: String? = nil, list: String = "",
            query: [(name: String, value: String)] = []
        ) async throws -> (answer: APIAnswer, text: String) {
            let route = try #require(routes.paths[path]?[method])
            let request = APIRequest(
                caller: CustomerRig.anna, parts: ["id": id, "list": list], query: APIQuery(query),
                headers: match.map { ["if-match": $0] } ?? [:],
                content: RequestBody(buffer: ByteBuffer(string: body)), bodyLimit: 100_000)
            let answer = try await route.answer(request)
            guard case .bytes(let bytes) = answer.body else { return (answer, "") }
            return (answer, String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("A customer's life over the routes: made, found, changed with its version, its consents and contacts, seen, taken out, erased")
    func life() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let desk = Desk(rig)
            let made = try await desk.ask(
                .post, "/v1/customers",
                #"{"reference": "r1", "givenName": "Wanda", "contacts": [{"kind": "phone", "value": "+447700900123"}]}"#)
            #expect(made.answer.status == 201 && made.answer.headers.contains(APIHeader("Location", "/v1/customers/1")))
            #expect(made.answer.headers.contains(APIHeader("ETag", "\"1\"")) && !made.text.contains("Wanda"))
            for find in [#"{"reference": "r1"}"#, #"{"phone": "+44 7700 900123"}"#] {
                #expect(try await desk.ask(.post, "/v1/customers/find", find).text == #"{"items":[\#(made.text)]}"#)
            }
            #expect(try await desk.ask(.post, "/v1/customers/find", #"{"email": "a@b.example"}"#).text == #"{"items":[]}"#)
            let changed = try await desk.ask(.patch, "/v1/customers/{id}", #"{"tier": 4}"#, match: "\"1\"")
            #expect(changed.answer.headers.contains(APIHeader("ETag", "\"2\"")) && changed.text.contains(#""tier":4"#))
            #expect(try await desk.ask(.get, "/v1/customers/{id}").text == changed.text)
            let said = try await desk.ask(
                .post, "/v1/customers/{id}/consents",
                #"{"purpose": 3, "channel": "sms", "state": "given", "at": "2026-01-31", "way": "branch", "proof": "form 12"}"#)
            #expect(said.answer.status == 201 && said.text.contains(#""state":"given""#))
            let consents = try await desk.ask(.get, "/v1/customers/{id}/consents").text
            #expect(consents.contains(#""way":"branch""#) && !consents.contains("form 12"))
            let packages = #"{"packages": [{"package": 3, "from": 20000, "isPaused": false, "thresholds": [], "card": "4242 0042"}]}"#
            #expect(try await desk.ask(.patch, "/v1/customers/{id}", packages, match: "\"3\"").text.contains(#""card":"•••0042""#))
            let connected = try await desk.ask(.get, "/v1/customers/{id}/packages").text
            #expect(connected.hasPrefix(#"{"items":[{"changedAt":"#) && connected.contains(#""way":"api""#))
            let before = try await desk.ask(.get, "/v1/customers/{id}/packages", query: [("at", "2026-01-31")]).text
            #expect(before == #"{"at":"2026-01-31T00:00:00.000000Z","items":[]}"#)
            #expect(try await desk.ask(.get, "/v1/customers/{id}/packages/changes").text.contains(#""act":"connected""#))
            let listed = try await desk.ask(.post, "/v1/customers/{id}/lists", #"{"list": 16, "until": 21000}"#)
            #expect(listed.answer.status == 201 && listed.text.contains(#""lists":[{"list":16,"since":20780,"until":21000}]"#))
            #expect(try await desk.ask(.delete, "/v1/customers/{id}/lists/{list}", list: "16").text.contains(#""lists":[]"#))
            let noList = DeskFault.notFound(noun: "suppression list", key: "of this number")
            #expect(try await CustomerRig.fault { try await desk.ask(.delete, "/v1/customers/{id}/lists/{list}", list: "vip") } == noList)
            let contact = #"{"at": "2026-01-31T10:00:00Z", "kind": "branch", "unit": 7, "summary": "asked about a loan"}"#
            #expect(try await desk.ask(.post, "/v1/customers/{id}/contacts", contact).answer.status == 201)
            let contacts = try await desk.ask(.get, "/v1/customers/{id}/contacts").text
            #expect(!contacts.contains("loan") && contacts.contains(#""at":"2026-01-31T10:00:00.000000Z""#))
            #expect(try await desk.ask(.post, "/v1/customers/{id}/contacts/reveal").text.contains("loan"))
            #expect(try await desk.ask(.post, "/v1/customers/{id}/reveal").text.contains(#""givenName":"Wanda""#))
            let export = try await desk.ask(.post, "/v1/customers/{id}/export").text
            // Every moment of these documents is a text.
            let now = timestamp(CustomerRig.now / 1000 * 1000)
            for name in ["createdAt", "changedAt", "enteredAt", "madeAt"] { #expect(export.contains("\"\(name)\":\"\(now)\""), "\(name)") }
            #expect(said.text.contains(#""at":"2026-01-31T00:00:00.000000Z""#) && consents.contains(#""at":"2026-01-31T00:00:00.000000Z""#))
            for word in ["Wanda", "form 12", "loan"] { #expect(export.contains(word)) }
            #expect(try await desk.ask(.delete, "/v1/customers/{id}").answer.status == 204)
            let gone = DeskFault.notFound(noun: "customer", key: "1")
            #expect(try await CustomerRig.fault { try await desk.ask(.get, "/v1/customers/{id}") } == gone)
        }
    }

    @Test("What a request says wrong is named by its field")
    func wrong() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let desk = Desk(rig)
            func fields(_ method: APIRoutes.Method, _ path: String, _ body: String) async throws -> [String] {
                guard case .invalid(let fields) = try await CustomerRig.fault({ try await desk.ask(method, path, body) }) else { return [] }
                return fields.map(\.path)
            }
            #expect(try await fields(.post, "/v1/customers/find", #"{"phone": "+447700900123", "email": "a@b.example"}"#) == ["reference"])
            #expect(try await fields(.post, "/v1/customers", #"{"givenName": "Wanda"}"#) == ["reference"])
            #expect(try await fields(.post, "/v1/customers", #"{"reference": "r", "shoes": 40}"#) == ["shoes"])
            guard
                case .invalid(let faults)? = try? await CustomerRig.fault({
                    try await desk.ask(.get, "/v1/customers/{id}/packages", query: [("at", "soon")])
                })
            else { throw CustomerRig.NotFailed() }
            #expect(faults.map(\.path) == ["at"])
            let consent = #"{"purpose": 3, "channel": "smoke", "state": "maybe", "at": "soon", "way": "mind"}"#
            #expect(try await fields(.post, "/v1/customers/{id}/consents", consent) == ["channel", "state", "way", "at"])
            let contact = #"{"at": "soon", "kind": "branch", "unit": 7, "summary": "x"}"#
            #expect(try await fields(.post, "/v1/customers/{id}/contacts", contact) == ["at"])
            let none = try await CustomerRig.fault { try await desk.ask(.get, "/v1/customers/{id}", id: "anna") }
            #expect(none == .notFound(noun: "customer", key: "of this id"))
        }
    }
}
