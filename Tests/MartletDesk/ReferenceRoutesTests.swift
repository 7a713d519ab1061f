import Foundation
import Hummingbird
import MartletModel
import NIOCore
import SQL
import Testing

@testable import MartletDesk

/// The routes of reference data and rulebook, asked without a socket between.
struct Skin {
    let routes: APIRoutes

    init(_ nouns: any APINoun...) {
        var routes = APIRoutes()
        for noun in nouns { noun.add(to: &routes) }
        self.routes = routes
    }

    struct Answer {
        var status: Int
        var tag: String?
        var body: [String: Any]
        var items: [[String: Any]] { body["items"] as? [[String: Any]] ?? [] }
    }

    func ask(
        _ method: APIRoutes.Method, _ path: String, _ parts: [String: String] = [:], query: [(String, String)] = [], _ body: String = "",
        match: String? = nil, by caller: Caller = ReferenceRig.caller()
    ) async throws -> Answer {
        let route = try #require(routes.paths[path]?[method], "\(method) \(path)")
        let request = APIRequest(
            caller: caller, parts: parts, query: APIQuery(query.map { (name: $0.0, value: $0.1) }),
            headers: match.map { ["if-match": $0] } ?? [:], content: RequestBody(buffer: ByteBuffer(string: body)), bodyLimit: 1 << 20)
        let answer: APIAnswer
        do {
            answer = try await route.answer(request)
        } catch let fault as DeskFault {
            answer = APIProblem(fault).answer
        } catch let problem as APIProblem {
            answer = problem.answer
        }
        guard case .bytes(let bytes) = answer.body else { return Answer(status: answer.status, tag: nil, body: [:]) }
        let type = answer.headers.first { $0.name == "Content-Type" }?.value ?? ""
        let faults = APIShape.shared.faults(
            method.rawValue, path, status: answer.status, type: type, body: String(decoding: bytes, as: UTF8.self))
        #expect(faults == [])
        let document = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return Answer(status: answer.status, tag: answer.headers.first { $0.name == "ETag" }?.value, body: document ?? [:])
    }
}

@Suite("Desk: routes of reference data and rulebook")
struct ReferenceRoutesTests {
    @Test("Units and definitions are made, read and changed with their ETags")
    func reference() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let skin = Skin(UnitRoutes(units), DefinitionRoutes(Definitions(units)))
            let unit = #"{"code": "retail", "name": "Retail", "description": "Shops.", "zone": "UTC", "locale": "en-GB"}"#
            let made = try await skin.ask(.post, "/v1/units", [:], unit)
            #expect(made.status == 201 && made.tag == "\"1\"" && made.body["createdAt"] as? String == "2026-11-23T02:13:20.000000Z")
            #expect(try await skin.ask(.put, "/v1/units/{number}", ["number": "1"], unit).status == 428)
            #expect(try await skin.ask(.put, "/v1/units/{number}", ["number": "1"], unit, match: "\"1\"").tag == "\"2\"")
            #expect(try await skin.ask(.put, "/v1/units/{number}", ["number": "1"], unit, match: "\"1\"").status == 412)
            #expect(try await skin.ask(.get, "/v1/units/{number}", ["number": "x"]).status == 404)
            #expect(try await skin.ask(.get, "/v1/units").items.count == 1)
            #expect(try await skin.ask(.get, "/v1/units/{number}", ["number": "1"]).tag == "\"2\"")

            let attribute = #"{"code": "colour", "name": "C", "description": "D", "attribute": {"type": "flag", "personal": true}}"#
            let kind = ["kind": "attribute"]
            #expect(try await skin.ask(.post, "/v1/definitions/{kind}", kind, attribute).body["number"] as? Int == 16)
            let wrong = attribute.replacingOccurrences(of: "flag", with: "mood")
            #expect(try await skin.ask(.post, "/v1/definitions/{kind}", kind, wrong).status == 422)
            #expect(try await skin.ask(.get, "/v1/definitions/{kind}", ["kind": "mood"]).status == 404)
            #expect(try await skin.ask(.get, "/v1/definitions/{kind}", kind).items.first?["code"] as? String == "colour")
            let place = ["kind": "attribute", "number": "16"]
            let retired = attribute.dropLast() + #", "retired": true}"#
            let changed = try await skin.ask(.put, "/v1/definitions/{kind}/{number}", place, String(retired), match: "\"1\"")
            #expect(changed.body["retiredAt"] != nil && changed.tag == "\"2\"")
            #expect(try await skin.ask(.get, "/v1/definitions/{kind}/{number}", place).tag == "\"2\"")
        }
    }

    @Test("A source of which nobody has said anything has an ETag too")
    func sources() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let core = KnownSource(
                number: 1, name: "core", scopes: ["send"], senders: [], classes: [], sender: nil, messageClass: "service",
                limits: SourceLimits(rate: 5), keys: 2)
            let skin = Skin(SourceRoutes(Sources(units, SourceCatalogue(read: { [core] }, change: { _, _ in throw CancellationError() }))))
            let place = ["number": "1"]
            #expect(try await skin.ask(.get, "/v1/sources/{number}", place).tag == "\"1\"")
            let wish = #"{"description": "Core banking.", "change": {"dailyQuota": 9}}"#
            let put = try await skin.ask(.put, "/v1/sources/{number}", place, wish, match: "\"1\"")
            #expect(put.status == 200 && put.tag == "\"2\"" && put.body["owner"] as? String == "principal:anna")
            #expect((put.body["pending"] as? [String: Any])?["dailyQuota"] as? Int == 9)
            #expect((put.body["limits"] as? [String: Any])?["rate"] as? Int == 5)
            #expect(try await skin.ask(.get, "/v1/sources").items.count == 1)
            #expect(try await skin.ask(.get, "/v1/sources/{number}", ["number": "70000"]).status == 404)
        }
    }

    @Test("Of an event name and description are asked for at once, its number and owner are not the editor's, and its examples are there")
    func events() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let folder = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)").path
            let world = Rulebooks.World(folder: RulebookFolder(folder), surroundings: { Rulebook.Surroundings() })
            let skin = Skin(RulebookRoutes(Rulebooks(units, world)))
            let (object, place) = ("/v1/rulebook/objects/{kind}/{key}", ["kind": "event", "key": "paid"])
            func refused(_ body: String) async throws -> [String] {
                let answer = try await skin.ask(.put, object, place, body)
                #expect(answer.status == 422)
                return (answer.body["errors"] as? [[String: Any]] ?? []).compactMap { $0["path"] as? String }
            }
            #expect(try await refused(#"{"note": "N", "content": {}}"#) == ["/name", "/description"])
            #expect(try await refused(#"{"name": " ", "description": "", "note": "N", "content": {}}"#) == ["/name", "/description"])
            let words = #""name": "R", "description": "D", "note": "N""#
            #expect(try await refused("{\(words), \"owner\": \"principal:bert\", \"content\": {}}") == ["/owner"])
            #expect(try await refused("{\(words), \"content\": {\"number\": 5}}") == ["/content/type", "/content/number"])
            #expect(try await refused("{\(words), \"content\": {\"type\": \"cards\"}}") == ["/content/type"])
            _ = try await skin.ask(.put, object, ["kind": "event-type", "key": "cards"], "{\(words), \"content\": {}}")
            let made = try await skin.ask(.put, object, place, "{\(words), \"content\": {\"type\": \"cards\", \"parameters\": []}}")
            #expect(made.status == 201 && (made.body["object"] as? [String: Any])?["owner"] as? String == "principal:anna")
            let examples = try await skin.ask(.get, "\(object)/examples", place)
            #expect(examples.status == 200 && (examples.body["examples"] as? [[String: Any]])?.count == 6)
            #expect(try await skin.ask(.get, "\(object)/examples", ["kind": "routes", "key": "paid"]).status == 404)
            #expect(try await skin.ask(.get, "\(object)/examples", ["kind": "event", "key": "none"]).status == 404)
        }
    }

    @Test("A rulebook is drafted, previewed, published, compared and rolled back")
    func rulebook() async throws {
        try await ReferenceRig.with(.sqlite) { _, units in
            let folder = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString)").path
            let world = Rulebooks.World(
                folder: RulebookFolder(folder), surroundings: { Rulebook.Surroundings(groups: ["north", "south"]) })
            let skin = Skin(RulebookRoutes(Rulebooks(units, world)))
            let (object, place) = ("/v1/rulebook/objects/{kind}/{key}", ["kind": "routes", "key": "default"])
            func wish(_ group: String) -> String {
                #"{"name": "R", "description": "D", "note": "N", "content": {"routes": [{"prefix": "", "group": "\#(group)"}]}}"#
            }
            let west = try await skin.ask(.put, object, place, wish("west"))
            #expect(west.status == 201 && (west.body["findings"] as? [Any])?.count == 1)
            let refused = try await skin.ask(.post, "/v1/rulebook/releases", [:], #"{"note": "x", "base": 0}"#)
            #expect(refused.status == 422 && "\(refused.body["errors"] ?? "")".contains("routes/default$.routes[0].group"))
            #expect(try await skin.ask(.put, object, place, wish("north"), match: "\"1\"").tag == "\"2\"")
            #expect(try await skin.ask(.put, object, place, wish("north")).status == 412)
            let preview = try await skin.ask(.post, "/v1/rulebook/preview", [:], "{}")
            #expect(preview.body["base"] as? Int == 0 && (preview.body["differences"] as? [Any])?.count == 1)
            let first = try await skin.ask(.post, "/v1/rulebook/releases", [:], #"{"note": "x", "base": 0}"#)
            #expect(first.status == 201 && first.body["handed"] as? Bool == true)
            _ = try await skin.ask(.put, object, place, wish("south"), match: "\"2\"")
            let named = #"{"note": "x", "base": 1, "objects": [{"kind": "routes", "key": "default"}]}"#
            #expect(try await skin.ask(.post, "/v1/rulebook/releases", [:], named).status == 201)
            let diff = try await skin.ask(.get, "/v1/rulebook/diff", query: [("from", "1"), ("to", "2")])
            #expect("\(diff.body)".contains("$.routes[0].group"))
            #expect(try await skin.ask(.get, "/v1/rulebook/diff", query: [("from", "1")]).status == 422)
            let own = try await skin.ask(.get, "/v1/rulebook/objects/{kind}/{key}/diff", place, query: [("from", "1"), ("to", "3")])
            #expect((own.body["changes"] as? [[String: Any]])?.first?["before"] as? String == "west")
            let back = try await skin.ask(.post, "/v1/rulebook/releases", [:], #"{"note": "back", "base": 2, "restores": 1}"#)
            #expect((back.body["release"] as? [String: Any])?["restores"] as? Int == 1)
            let both = #"{"base": 2, "restores": 1, "objects": []}"#
            #expect(try await skin.ask(.post, "/v1/rulebook/releases", [:], both).status == 422)
            #expect(try await skin.ask(.get, "/v1/rulebook/releases").items.count == 3)
            #expect(try await skin.ask(.get, "/v1/rulebook/objects").items.first?["published"] as? Int == 2)
            #expect(try await skin.ask(.get, object, place).tag == "\"3\"")
            #expect(try await skin.ask(.get, object, ["kind": "mood", "key": "a"]).status == 404)
            let versions = try await skin.ask(.get, "/v1/rulebook/objects/{kind}/{key}/versions", place).items
            #expect(versions.map { $0["state"] as? String } == ["retired", "published", "draft"])
            let number = place.merging(["number": "2"]) { $1 }
            let version = try await skin.ask(.get, "/v1/rulebook/objects/{kind}/{key}/versions/{number}", number)
            #expect(version.body["content"] as? [String: [[String: String]]] == ["routes": [["prefix": "", "group": "north"]]])
        }
    }
}
