import Foundation
import MartletModel
import NIOCore
import Testing
import Yams

@testable import MartletDoors
@testable import martlet

/// The OpenAPI document against the code: paths, methods, statuses, problems and field errors are the same in both. That answers are
/// as it says is shown by `make interop`, where schemathesis asks the real program.
@Suite("OpenAPI") struct OpenAPITests {
    private let document: [String: Any]

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/reference/openapi.yaml"), encoding: .utf8)
        document = try #require(try Yams.load(yaml: text) as? [String: Any])
    }

    /// What a reference stands for; anything else as it is.
    private func resolved(_ value: Any?) throws -> [String: Any] {
        let object = try #require(value as? [String: Any])
        guard let reference = object["$ref"] as? String else { return object }
        var place: Any? = document
        for step in reference.split(separator: "/").dropFirst() { place = (place as? [String: Any])?[String(step)] }
        return try resolved(place)
    }

    private var paths: [String: [String: Any]] {
        get throws { try #require(document["paths"] as? [String: Any]).mapValues { try resolved($0) } }
    }

    /// Method, path and operation of each.
    private func operations() throws -> [(method: String, path: String, operation: [String: Any])] {
        try paths.flatMap { path, item in
            try item.filter { ["get", "put", "post", "delete", "patch", "head", "options"].contains($0.key) }
                .map { ($0.key.uppercased(), path, try resolved($0.value)) }
        }
    }

    /// Status and response of an operation.
    private func responses(_ operation: [String: Any]) throws -> [(status: Int, response: [String: Any])] {
        try #require(operation["responses"] as? [String: Any]).map { (try #require(Int($0.key)), try resolved($0.value)) }
    }

    /// The problems shown in a response.
    private func problems(_ response: [String: Any]) throws -> [[String: Any]] {
        let content = response["content"] as? [String: Any] ?? [:]
        guard let media = content["application/problem+json"] as? [String: Any] else { return [] }
        var shown: [[String: Any]] = []
        if let example = media["example"] as? [String: Any] { shown.append(example) }
        for (_, example) in media["examples"] as? [String: Any] ?? [:] {
            shown.append(try #require(try resolved(example)["value"] as? [String: Any]))
        }
        return shown
    }

    @Test("The paths and their methods are those that the door serves")
    func routes() throws {
        #expect(Set(try paths.keys) == Set(HTTPRoute.templates))
        for template in HTTPRoute.templates {
            let path = template.replacing("{id}", with: String(repeating: "0", count: 29) + "a00")
            let (route, _) = HTTPRoute.reading(path)
            let methods = try operations().filter { $0.path == template }.map(\.method)
            #expect(route.allowed.map { "\($0)" } == methods.sorted().joined(separator: ", "), "\(template)")
        }
    }

    @Test("Every operation has a name of its own, and states the refusals that any request can meet")
    func statuses() throws {
        let all = try operations()
        #expect(Set(all.compactMap { $0.operation["operationId"] as? String }).count == all.count)
        for (method, path, operation) in all {
            let statuses = Set(try responses(operation).map(\.status))
            #expect(statuses.isSuperset(of: [400, 401, 403, 405, 408, 413, 417, 431, 503, 505]), "\(method) \(path)")
            #expect(statuses.contains { (200...299).contains($0) }, "\(method) \(path)")
            #expect(statuses.contains(404) == path.contains("{id}"), "\(method) \(path)")
            #expect((operation["requestBody"] != nil) == (method == "POST"), "\(method) \(path)")
            #expect(statuses.contains(415) == (method == "POST"), "\(method) \(path)")
        }
    }

    @Test("Every problem that is shown is one of the code's, under its own status and with its title; none is left out")
    func errors() throws {
        var shown: Set<String> = []
        for (method, path, operation) in try operations() {
            for (status, response) in try responses(operation) where status >= 400 {
                let problems = try problems(response)
                #expect(!problems.isEmpty, "\(method) \(path) \(status) shows no problem")
                for problem in problems {
                    let type = try #require(problem["type"] as? String)
                    let code = try #require(HTTPErrors.problems.first { "/problems/\($0.code)" == type }, "\(type)")
                    #expect(code.status == status && problem["status"] as? Int == status, "\(type) under \(status) of \(path)")
                    #expect(problem["title"] as? String == code.title, "\(type)")
                    shown.insert(code.code)
                }
            }
        }
        // Those of a batch's lines stand in the examples of its line.
        let ofLines: Set = ["line_too_large", "too_many_lines"]
        #expect(Set(HTTPErrors.problems.map(\.code)).subtracting(shown) == ofLines)
    }

    @Test("The enumerations of problems and of field errors are the code's, no more and no less")
    func codes() throws {
        let schemas = try resolved(try resolved(document["components"])["schemas"])
        let problem = try resolved(try resolved(schemas["Problem"])["properties"])
        let types = try #require(try resolved(problem["type"])["enum"] as? [String])
        #expect(Set(types) == Set(HTTPErrors.problems.map { "/problems/\($0.code)" }))
        let items = try resolved(try resolved(try resolved(problem["errors"])["items"])["properties"])
        let codes = try #require(try resolved(items["code"])["enum"] as? [String])
        // Four problems say the same of their field.
        #expect(Set(codes) == Set(HTTPErrors.fields.map(\.code)).union(["malformed_json", "too_many_parts", "no_route", "no_alphabet"]))
        let message = try resolved(try resolved(schemas["Message"])["properties"])
        #expect(Set(message.keys) == Set(MessageRules.fields))
        let event = try resolved(try resolved(schemas["Event"])["properties"])
        #expect(Set(event.keys) == Set(EventReading.fields))
        let explained = try resolved(try resolved(schemas["EventToExplain"])["properties"])
        #expect(Set(explained.keys) == Set(EventReading.fields + EventReading.wishes))
    }

    @Test("What is explained has the members that are described, with the words that the rules have")
    func explanations() throws {
        let schemas = try resolved(try resolved(document["components"])["schemas"])
        func words(_ schema: Any?) throws -> [String] {
            let all = try #require(try resolved(schema)["enum"] as? [Any])
            return all.compactMap { $0 as? String }
        }
        let planned = try resolved(try resolved(schemas["PlannedMessage"])["properties"])
        #expect(try words(planned["channel"]) == ChannelKind.allCases.map(\.word))
        #expect(try words(planned["why"]) == PlannedMessage.Skip.allCases.map(\.word))
        #expect(try words(schemas["SuppressionReason"]) == SuppressionReason.allCases.map(\.word))
        let described = try resolved(schemas["Explanation"])
        let properties = try resolved(described["properties"])
        let rule = try resolved(try resolved(try resolved(properties["rules"])["items"])["properties"])
        #expect(try words(rule["rule"]) == DecisionRule.allCases.filter { $0 != .budget }.map(\.word))

        let message = Explanation.Message(
            planned: PlannedMessage(step: 0, channel: .sms, contact: 1, when: .skipped(.notServed)), text: "t", from: "B", parts: 1,
            template: "sms.a", locale: "uk", obstacle: "no_route")
        let explanation = Explanation(
            release: 1, outcome: .suppress(.stale), deadline: 1, package: 1, plan: "p",
            rules: [RuleAnswer(.stale, .suppresses(.stale), .late, 1)],
            messages: [message],
            ends: Explanation.Ending(
                id: MessageID(milliseconds: 1, partition: 1, random: 1), source: 1, reason: EndReason.completed, isWhole: true))
        let answer = try #require(try Yams.load(yaml: String(buffer: explanation.document(for: 1))) as? [String: Any])
        #expect(Set(answer.keys) == Set(properties.keys))
        let ends = try resolved(try resolved(properties["ends"])["properties"])
        #expect(Set(try #require(answer["ends"] as? [String: Any]).keys) == Set(ends.keys))
        #expect(try words(resolved(ends["reason"])) == [EndReason.superseded.word, EndReason.completed.word])
        #expect(Set(try #require(described["required"] as? [String])) == Set(answer.keys))
        let rules = try #require(answer["rules"] as? [[String: Any]])
        #expect(rules.map { Set($0.keys) } == [Set(rule.keys)])
        let forms = try #require(try resolved(try resolved(properties["messages"])["items"])["allOf"] as? [Any])
        let members = try forms.flatMap { try resolved(try resolved($0)["properties"]).keys }
        #expect(try #require(answer["messages"] as? [[String: Any]]).map { Set($0.keys) } == [Set(members)])
    }

    @Test("The answer of a state has the members that are described, and those described as always there are")
    func documents() throws {
        var story = Story(
            id: MessageID(milliseconds: 1, partition: 1, random: 1), source: 1, messageClass: .otp, state: .failed, reason: .refused,
            parts: 1,
            createdAt: 1, updatedAt: 2, deadline: 3, reference: "r", trace: TraceContext(high: 1, low: 2, parent: 3, flags: 1), from: "B",
            to: PhoneNumber(digits: 447_700_900_123),
            attempts: [.init(n: 1, connection: "c", state: .sent, providerIDs: ["1"], submittedAt: 1, possibleDuplicate: false)], hops: [])
        story.failedHop = .operator
        let planned = PlannedMessage(step: 0, channel: .sms, contact: 1, when: .now)
        story.decisions = [
            .init(
                at: 1,
                made: .init(stage: .fresh, outcome: .told, step: 0, event: 1, release: 1, subject: 1, channel: .sms, messages: [planned]))
        ]
        let text = String(buffer: story.stateDocument())
        let answer = try #require(try Yams.load(yaml: text) as? [String: Any])
        let schemas = try resolved(try resolved(document["components"])["schemas"])
        let described = try resolved(schemas["Notification"])
        #expect(Set(answer.keys) == Set(try resolved(described["properties"]).keys))
        #expect(Set(try #require(described["required"] as? [String])).isSubset(of: answer.keys))
        let properties = try resolved(described["properties"])
        let decision = try resolved(try resolved(properties["decisions"])["items"])
        let decisions = try #require(answer["decisions"] as? [[String: Any]])
        #expect(decisions.map { Set($0.keys) } == [Set(try resolved(decision["properties"]).keys)])
        #expect(Set(try #require(decision["required"] as? [String])) == Set(decisions[0].keys))
        let step = try resolved(schemas["PlanStep"])
        let words = try #require(try resolved(try resolved(step["properties"])["state"])["enum"] as? [String])
        #expect(words == [PlanStory.State.gone(at: 1), .planned(at: 1), .skipped(.noContact), .dropped].map(\.word))
        let steps = try #require(answer["plan"] as? [[String: Any]])
        #expect(steps.map { Set($0.keys) } == [["step", "channel", "state", "at"]])
        #expect(Set(["step", "channel", "state", "at", "why"]) == Set(try resolved(step["properties"]).keys))
        #expect(Set(try #require(step["required"] as? [String])).isSubset(of: steps[0].keys))
        #expect(answer["traceparent"] as? String == "00-00000000000000010000000000000002-0000000000000003-01")
    }

    @Test("The answer for a message from a handset is the other form that is described, member by member, an answer to nothing too")
    func inbound() throws {
        let state = try #require(try operations().first { $0.method == "GET" && $0.path == "/v1/messages/{id}" }).operation
        let answered = try #require(try responses(state).first { $0.status == 200 }).response
        let json = try resolved(try resolved(answered["content"])["application/json"])
        let forms = try #require(try resolved(json["schema"])["oneOf"] as? [[String: String]])
        #expect(forms == ["Notification", "Inbound"].map { ["$ref": "#/components/schemas/\($0)"] })
        let schemas = try resolved(try resolved(document["components"])["schemas"])
        let described = try resolved(schemas["Inbound"])
        let properties = try resolved(described["properties"])
        let pattern = try Regex(try #require(try resolved(schemas["ID"])["pattern"] as? String))
        let before = MessageID(milliseconds: 1, partition: 1, random: 2)
        for reply in [MessageID.none, before] {
            var story = Story(
                id: MessageID(milliseconds: 1, partition: 1, random: 1), source: 1, messageClass: .service, state: .received,
                reason: .none, parts: 1, createdAt: 1, updatedAt: 1, deadline: 0, reference: "447700900123", from: "7070",
                to: PhoneNumber(digits: 0), attempts: [], hops: [])
            story.inReplyTo = reply
            let answer = try #require(try Yams.load(yaml: String(buffer: story.stateDocument())) as? [String: Any])
            #expect(Set(answer.keys) == Set(properties.keys))
            #expect(Set(try #require(described["required"] as? [String])) == Set(answer.keys))
            for constant in ["direction", "state"] {
                #expect(answer[constant] as? String == (try resolved(properties[constant])["const"] as? String))
            }
            #expect("\(try #require(answer["id"]))".wholeMatch(of: pattern) != nil)
            #expect(reply == .none ? answer["inReplyTo"] is NSNull : answer["inReplyTo"] as? String == before.text)
        }
        let example = try resolved(try resolved(json["examples"])["inbound"])["value"] as? [String: Any]
        #expect(Set(try #require(example).keys) == Set(properties.keys))
    }

    @Test("The answer of a replay has the members that are described")
    func replay() throws {
        let replay = try #require(try operations().first { $0.path == "/v1/callbacks:replay" }).operation
        let taken = try #require(try responses(replay).first { $0.status == 202 }).response
        let json = try resolved(try resolved(taken["content"])["application/json"])
        let described = try resolved(json["schema"])
        let answer = try Yams.load(yaml: String(buffer: CallbackReplay.document(2, since: 1, now: 2))) as? [String: Any]
        #expect(Set(try #require(answer).keys) == Set(try #require(described["required"] as? [String])))
        #expect(Set(try resolved(described["properties"]).keys) == Set(try #require(answer).keys))
    }
}
