import Foundation
import Guard
import Hummingbird
import MartletModel
import NIOCore
import SQL
import Testing

@testable import MartletDesk

/// The JSON skin without a socket: routes are called as the listener calls them.
@Suite("Desk: routes of history and statistics")
struct HistoryRoutesTests {
    private func ask(
        _ noun: any APINoun, _ method: APIRoutes.Method, _ path: String, parts: [String: String] = [:], query: [(String, String)] = [],
        body: String = "", by caller: Caller = HistoryRig.anna
    ) async throws -> [String: Any] {
        var routes = APIRoutes()
        noun.add(to: &routes)
        let route = try #require(routes.paths[path]?[method])
        let request = APIRequest(
            caller: caller, parts: parts, query: APIQuery(query.map { (name: $0.0, value: $0.1) }), headers: [:],
            content: RequestBody(buffer: ByteBuffer(string: body)), bodyLimit: 65536)
        let answer = try await route.answer(request)
        guard case .bytes(let bytes) = answer.body, answer.status == 200 else { return [:] }
        let json = try JSONSerialization.jsonObject(with: Data(bytes))
        return json as? [String: Any] ?? ["list": json]
    }

    @Test("A search by URL holds nothing personal; one by body does; both answer items, next and reached")
    func search() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var first = HistoryRig.Message(minutesAgo: 5, number: 2)
            (first.state, first.reason, first.outcomes, first.reference) = (.failed, .refused, [4], "r-1")
            let second = HistoryRig.Message(minutesAgo: 6, number: 3)
            try await rig.put([first, second])
            let routes = rig.history.routes()
            let page = try await ask(routes, .get, "/v1/history", query: [("limit", "1")])
            let items = try #require(page["items"] as? [[String: Any]])
            #expect(items.map { $0["id"] as? String } == [first.id.text])
            #expect(items[0]["number"] as? String == "+44•••••0123" && items[0]["class"] as? String == "transactional")
            #expect(items[0]["operator"] as? String == "harbour" && items[0]["text"] == nil && items[0]["reference"] == nil)
            #expect(page["reached"] as? String == timestamp(first.id.milliseconds * 1000))
            let next = try #require(page["next"] as? String)
            let rest = try await ask(routes, .get, "/v1/history", query: [("cursor", next), ("source", "cards")])
            #expect((rest["items"] as? [[String: Any]])?.count == 1 && rest["next"] == nil)
            for name in ["phone", "customer", "email", "reference", "id"] {
                let faults = await invalid { _ = try await ask(routes, .get, "/v1/history", query: [(name, "x")]) }
                #expect(faults.map(\.path) == [name])
            }
            let body = #"{"phone": "+447700900123", "state": "failed", "class": "transactional", "limit": 9}"#
            let found = try await ask(routes, .post, "/v1/history/search", body: body)
            #expect((found["items"] as? [[String: Any]])?.map { $0["id"] as? String } == [first.id.text])
            let clear = try await ask(
                routes, .post, "/v1/history/search", body: #"{"reference": "r-1", "reveal": true}"#, by: HistoryRig.boris)
            let shown = try #require((clear["items"] as? [[String: Any]])?.first)
            #expect(shown["text"] as? String == "Your card was used" && shown["reference"] as? String == "r-1")
            for body in [#"{"phone": "x"}"#, #"{"cursor": "?"}"#, #"{"limit": 0}"#, #"{"colour": "red"}"#] {
                #expect(await invalid { _ = try await ask(routes, .post, "/v1/history/search", body: body) }.count == 1, "\(body)")
            }
        }
    }

    @Test("A story has everything of a message; its trace has the shape of the node's")
    func story() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var message = HistoryRig.Message(minutesAgo: 5)
            (message.state, message.reason, message.receipts, message.told) = (.failed, .undeliverable, [.undeliverable], .heard)
            try await rig.put([message])
            let routes = rig.history.routes()
            let parts = ["id": message.id.text]
            let story = try await ask(routes, .get, "/v1/history/{id}", parts: parts)
            #expect(story["failedHop"] as? String == "handset" && story["told"] as? String == "heard")
            let attempts = try #require(story["attempts"] as? [[String: Any]])
            #expect(attempts.map { $0["state"] as? String } == ["failed"])
            #expect((attempts[0]["receipts"] as? [[String: Any]])?.map { $0["state"] as? String } == ["UNDELIV"])
            let trace = try #require(try await ask(routes, .get, "/v1/history/{id}/trace", parts: parts)["list"] as? [[String: Any]])
            #expect(trace.allSatisfy { moment(($0["at"] as? String ?? "").utf8) != nil && $0["hop"] is String && $0["what"] is String })
            #expect(trace.last { $0["hop"] as? String == "end" }?["failedHop"] as? String == "handset")
            try await rig.tamper("UPDATE attempt SET outcome = 900")
            let rest = try #require(try await ask(routes, .get, "/v1/history/{id}/trace", parts: parts)["list"] as? [[String: String]])
            #expect(rest.last == ["hop": "history", "what": "a row is not as Martlet wrote it", "row": "attempt", "sequence": "2"])
            #expect(rest.count == trace.count - 1)
            let clear = try await ask(
                routes, .get, "/v1/history/{id}", parts: parts, query: [("reveal", "true")], by: HistoryRig.boris)
            #expect((clear["message"] as? [String: Any])?["text"] as? String == "Your card was used")
            #expect(
                await invalid { _ = try await ask(routes, .get, "/v1/history/{id}", parts: parts, query: [("reveal", "1")]) }.count == 1)
            await #expect(throws: DeskFault.self) { _ = try await ask(routes, .get, "/v1/history/{id}", parts: ["id": "7"]) }
        }
    }

    @Test("A timeline is a route where somebody keeps customers")
    func timeline() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            try await rig.put([HistoryRig.Message(minutesAgo: 5)])
            let contact = TimelineContact(place: .init(at: HistoryRig.now - 1000, number: 1), kind: "branch", summary: "card")
            let sources = TimelineSources(
                phones: { (_, _) throws(DeskFault) in [PhoneNumber(digits: 447_700_900_123)] },
                contacts: { (_, _, _, _) throws(DeskFault) in [contact] })
            let list = try await ask(
                rig.history.routes(timeline: sources), .post, "/v1/history/timeline", body: #"{"customer": "40"}"#,
                by: Caller(name: "principal:cleo", rights: [.readHistory, .readCustomers]))
            let items = try #require(list["items"] as? [[String: Any]])
            #expect((items.first?["contact"] as? [String: Any])?["kind"] as? String == "branch" && items.last?["message"] != nil)
            var none = APIRoutes()
            rig.history.routes().add(to: &none)
            #expect(none.paths["/v1/history/timeline"] == nil)
        }
    }

    @Test("Statistics answer rows with their labels, and sums")
    func statistics() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var fold = TrafficFold()
            let id = MessageID(milliseconds: HistoryRig.now - 1, partition: 1, random: 9)
            var header = RecordHeader(
                kind: .accepted, messageClass: 4, source: 7, group: 1, parts: 2, id: id, at: 0, flags: .outcome(.queued, .none))
            fold.take(header, .accepted(.init(receivedAt: 0)))
            header.flags = [.ends, .outcome(.expired, .noReceipt)]
            fold.take(header, .ended(.init(state: .expired, reason: .noReceipt)))
            let filled = fold
            try await rig.store.transaction { try filled.write($0) }
            let report = try await ask(
                rig.statistics.routes, .get, "/v1/statistics", query: [("by", "source,operator,class,channel,state,reason,hour,day")])
            let rows = try #require(report["rows"] as? [[String: Any]])
            #expect(rows.count == 1 || rows.contains { $0["state"] as? String == "expired" })
            let row = try #require(rows.first { $0["state"] as? String == "expired" })
            #expect(
                row["source"] as? String == "cards" && row["operator"] as? String == "harbour" && row["class"] as? String == "transactional"
            )
            #expect(row["reason"] as? String == "no_receipt" && (row["day"] as? String)?.count == 10 && row["hour"] != nil)
            let sums = try #require(report["sums"] as? [String: Any])
            #expect(sums["accepted"] as? Int == 1 && sums["ended"] as? Int == 1 && sums["open"] as? Int == 0 && sums["parts"] as? Int == 2)
            #expect(await invalid { _ = try await ask(rig.statistics.routes, .get, "/v1/statistics", query: [("buy", "x")]) }.count == 1)
        }
    }
    @Test("Counts of decisions answer rows by outcome and reason, and sums")
    func decisions() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var fold = DecisionFold()
            let header = RecordHeader(
                kind: .decided, messageClass: 4, source: 7, group: 1, parts: 0,
                id: MessageID(milliseconds: HistoryRig.now - 1, partition: 1, random: 9), at: (HistoryRig.now - 1) * 1000, flags: [])
            fold.take(header, .decided(.init(stage: .fresh, outcome: .suppressed, reason: .noConsent, event: 3, release: 1, subject: 1)))
            let filled = fold
            try await rig.store.transaction { try filled.write($0) }
            let routes = rig.desk.decisionStatistics(names: { HistoryRig.names }, rowKey: rig.keys.rowKey).routes
            let report = try await ask(
                routes, .get, "/v1/statistics/decisions", query: [("by", "source,class,event,day")])
            let row = try #require((report["rows"] as? [[String: Any]])?.first)
            #expect(
                row["source"] as? String == "cards" && row["class"] as? String == "transactional" && row["event"] as? String == "event 3")
            #expect(row["outcome"] as? String == "suppressed" && row["reason"] as? String == "no_consent" && row["decisions"] as? Int == 1)
            #expect((row["day"] as? String)?.count == 10 && row["hour"] == nil)
            #expect((report["sums"] as? [String: Any])?["suppressed"] as? Int == 1)
            #expect(await invalid { _ = try await ask(routes, .get, "/v1/statistics/decisions", query: [("from", "x")]) }.count == 1)
        }
    }
}
