import Foundation
import Guard
import Logging
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

/// The admin API by real HTTP, on both engines.
@Suite("Desk: admin API") struct AdminAPITests {
    @Test("Who has no key, an unknown or a revoked one is told 401; who has one comes in", arguments: SQLStore.Engine.allCases)
    func keys(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let bare = try await rig.ask("GET", "/v1/principals")
            #expect(bare.status == 401)
            #expect(bare.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            #expect(bare.headers["content-type"] == "application/problem+json")
            #expect(bare.json["type"] as? String == "/problems/unauthenticated")
            #expect(try await rig.ask("GET", "/v1/principals", key: "ak_nobody").status == 401)
            #expect(try await rig.ask("GET", "/v1/principals", key: "mk_source").status == 401)
            let key = try await rig.key("anna")
            let answer = try await rig.ask("GET", "/v1/principals", key: key)
            #expect(answer.status == 200)
            #expect(answer.items.map { $0["name"] as? String } == ["anna"])
            #expect(answer.headers["cache-control"] == "no-store")
            _ = try await rig.principals.revoke("anna", version: nil, by: DeskRig.root)
            #expect(try await rig.ask("GET", "/v1/principals", key: key).status == 401)
        }
    }

    @Test("A principal is made, read, changed with its ETag, given a new key and revoked", arguments: SQLStore.Engine.allCases)
    func life(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let key = try await rig.key("root")
            let made = try await rig.ask(
                "POST", "/v1/principals", key: key, body: #"{"name": "ben", "rights": ["audit.read"], "unit": null}"#)
            #expect(made.status == 201)
            #expect(made.headers["location"] == "/v1/principals/ben")
            #expect(made.headers["etag"] == "\"1\"")
            let first = try #require(made.json["key"] as? String)
            #expect(first.hasPrefix("ak_"))
            let again = try await rig.ask("POST", "/v1/principals", key: key, body: #"{"name": "ben", "rights": []}"#)
            #expect(again.status == 409)
            #expect(again.errors == ["/name conflict"])

            let read = try await rig.ask("GET", "/v1/principals/ben", key: key)
            #expect(read.headers["etag"] == "\"1\"")
            #expect(read.json["key"] == nil)
            let change = #"{"rights": ["audit.read", "history.read"], "unit": 3}"#
            #expect(try await rig.ask("PUT", "/v1/principals/ben", key: key, body: change).status == 428)
            #expect(try await rig.ask("PUT", "/v1/principals/ben", key: key, ["If-Match": "7"], body: change).status == 400)
            let stale = try await rig.ask("PUT", "/v1/principals/ben", key: key, ["If-Match": "\"7\""], body: change)
            #expect(stale.status == 412)
            #expect(stale.headers["etag"] == "\"1\"")
            let changed = try await rig.ask("PUT", "/v1/principals/ben", key: key, ["If-Match": "\"1\""], body: change)
            #expect(changed.status == 200)
            #expect(changed.headers["etag"] == "\"2\"")
            #expect(changed.json["unit"] as? Int == 3)

            let rotated = try await rig.ask("POST", "/v1/principals/ben/rotate", key: key, ["If-Match": "\"2\""])
            let second = try #require(rotated.json["key"] as? String)
            #expect(try await rig.ask("GET", "/v1/principals", key: first).status == 401)
            #expect(try await rig.ask("GET", "/v1/principals", key: second).status == 403)
            #expect(try await rig.ask("DELETE", "/v1/principals/ben", key: key, ["If-Match": "\"3\""]).status == 204)
            #expect(try await rig.ask("GET", "/v1/principals", key: second).status == 401)
            let entries = try await rig.desk.store.read { try $0.rows(StoreStatements.auditForward, [.number(0), .number(1000)]) }
            let outcomes = try entries.filter { try $0.text("object") == "principal:ben" }.map { try $0.text("outcome") }
            #expect(outcomes == ["done: gave audit.read", "done: gave history.read; unit 3", "done", "done"])
            let revoked = try await rig.ask("PUT", "/v1/principals/ben", key: key, ["If-Match": "\"4\""], body: change)
            #expect(revoked.status == 409)
        }
    }

    @Test("What a body or a query has wrong is named by its path")
    func strict() async throws {
        try await DeskRig.with(.sqlite, settings: { $0.maximumBody = 4096 }) { rig in
            let key = try await rig.key("root")
            func post(_ body: String) async throws -> DeskRig.Answer {
                try await rig.ask("POST", "/v1/principals", key: key, body: body)
            }
            #expect(try await post(#"{"name": "x", "rights": [], "nmae": 1}"#).errors == ["/nmae unknown_field"])
            #expect(try await post(#"{"rights": []}"#).errors == ["/name required"])
            #expect(try await post(#"{"name": 7, "rights": []}"#).errors == ["/name type"])
            #expect(try await post(#"{"name": "x", "rights": ["audit.read", "fly"]}"#).errors == ["/rights/1 unknown_right"])
            #expect(try await post(#"{"name": "x", "rights": [7]}"#).errors == ["/rights/0 type"])
            #expect(try await post(#"{"name": "a b", "rights": []}"#).errors == ["/name malformed"])
            #expect(try await post("{").status == 400)
            #expect(try await post(String(repeating: " ", count: 5000)).status == 413)
            #expect(try await rig.ask("GET", "/v1/principals?limit=0&x=1", key: key).errors == ["/x unknown_field"])
            #expect(try await rig.ask("GET", "/v1/principals?limit=0", key: key).errors == ["/limit range"])
            #expect(try await rig.ask("GET", "/v1/principals?limit=a", key: key).errors == ["/limit type"])
            #expect(try await rig.ask("GET", "/v1/principals?cursor=%2B", key: key).errors == ["/cursor malformed"])
            #expect(try await rig.ask("GET", "/v1/principals?limit=1&limit=2", key: key).errors == ["/limit repeated"])
            #expect(try await rig.ask("GET", "/v1/nothing", key: key).status == 404)
            let wrong = try await rig.ask("PATCH", "/v1/principals", key: key)
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "GET, POST")
            let long = String(repeating: "x", count: 1025)
            #expect(try await rig.ask("GET", "/v1/principals", key: key, ["Martlet-Reason": long]).status == 400)
        }
    }

    @Test("A list comes in pages, and each begins where the one before ended", arguments: SQLStore.Engine.allCases)
    func pages(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let key = try await rig.key("anna")
            for name in ["ben", "cleo", "dan"] { _ = try await rig.key(name, [], unit: name == "cleo" ? 2 : nil) }
            let first = try await rig.ask("GET", "/v1/principals?limit=3", key: key)
            #expect(first.items.map { $0["name"] as? String } == ["anna", "ben", "cleo"])
            let cursor = try #require(first.json["next"] as? String)
            let second = try await rig.ask("GET", "/v1/principals?limit=3&cursor=\(cursor)", key: key)
            #expect(second.items.map { $0["name"] as? String } == ["dan"])
            #expect(second.json["next"] == nil)
            // Of other units nothing is there, and it costs no empty page.
            let inside = try await rig.key("eve", [.readPrincipals], unit: 2)
            let own = try await rig.ask("GET", "/v1/principals?limit=1", key: inside)
            #expect(own.items.map { $0["name"] as? String } == ["cleo"])
            #expect(try await rig.ask("GET", "/v1/principals/ben", key: inside).status == 404)
        }
    }

    @Test(
        "Nobody gives what he has not, or takes over who has more; what is refused stands in the audit", arguments: SQLStore.Engine.allCases
    )
    func rights(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            _ = try await rig.key("root")
            let key = try await rig.key("ben", [.managePrincipals, .readPrincipals], unit: 2)
            let beyond = try await rig.ask(
                "POST", "/v1/principals", key: key, body: #"{"name": "x", "rights": ["audit.read"], "unit": 3}"#)
            #expect(beyond.status == 422)
            #expect(beyond.errors == ["/rights beyond_own", "/unit beyond_own"])
            #expect(try await rig.ask("POST", "/v1/principals/root/rotate", key: key, ["If-Match": "\"1\""]).status == 404)
            _ = try await rig.key("more", Set(Right.allCases), unit: 2)
            #expect(
                try await rig.ask("POST", "/v1/principals/more/rotate", key: key, ["If-Match": "\"1\""]).errors == ["/rights beyond_own"])
            let refused = try await rig.ask("GET", "/v1/audit", key: key, ["Martlet-Reason": " curious "])
            #expect(refused.status == 403)
            #expect((refused.json["detail"] as? String)?.contains("audit.read") == true)
            let entries = try await Audits(desk: rig.desk).list(try PageWish(), by: DeskRig.root).items
            #expect(entries.first?.act == "access.refused")
            #expect(entries.first?.principal == "principal:ben")
            #expect(entries.first?.object == "right:audit.read")
            #expect(entries.first?.reason == "curious")
        }
    }

    @Test("A right that a hand wrote into the database lets nobody in, and is named", arguments: SQLStore.Engine.allCases)
    func tampered(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let key = try await rig.key("ben", [.readHistory])
            try await rig.desk.store.transaction { try $0.define("UPDATE principal SET rights = 'audit.read' WHERE name = 'ben'") }
            let answer = try await rig.ask("GET", "/v1/audit", key: key)
            #expect(answer.status == 500)
            #expect(answer.json["type"] as? String == "/problems/tampered")
            #expect((answer.json["detail"] as? String)?.contains("principal ben") == true)
            let root = try await rig.key("root")
            #expect(try await rig.ask("GET", "/v1/principals", key: root).json["type"] as? String == "/problems/tampered")
        }
    }

    @Test("Health, readiness and metrics need no key")
    func health() async throws {
        try await DeskRig.with(.sqlite) { rig in
            #expect(try await rig.ask("GET", "/healthz").body == "ok\n")
            #expect(try await rig.ask("GET", "/healthz?probe=1").status == 200)
            #expect(try await rig.ask("GET", "/readyz").json["ready"] as? Bool == true)
            _ = try await rig.ask("GET", "/v1/principals", key: "ak_wrong")
            let metrics = try await rig.ask("GET", "/metrics").body
            #expect(metrics.contains("martlet_desk_ready 1\n"))
            #expect(metrics.contains("martlet_desk_refused_keys_total 1\n"))
            #expect(metrics.contains("martlet_desk_answers_total{status=\"4xx\"} 1\n"))
            for metric in DeskCounters.all { #expect(metrics.contains("# TYPE \(metric.name) \(metric.kind.rawValue)\n")) }
            #expect(try await rig.ask("TRACE", "/v1/audit?limit=1").status == 405)
        }
    }

    @Test("A PostgreSQL store that nobody migrated is named, not touched; the desk works as soon as it is there")
    func unmigrated() async throws {
        try await DeskRig.with(.postgres, isPrepared: false) { rig in
            try await rig.until { try await rig.ask("GET", "/readyz").body.contains("0001-store.sql") }
            #expect(try await rig.ask("GET", "/readyz").status == 503)
            let early = try await rig.ask("GET", "/v1/principals", key: "ak_x")
            #expect(early.status == 503)
            #expect(early.headers["retry-after"] == "5")
            try await StoreSchema.prepare(rig.desk.store, now: DeskRig.now / 1000)
            try await rig.until { try await rig.ask("GET", "/readyz").status == 200 }
            let key = try await rig.key("root")
            #expect(try await rig.ask("GET", "/v1/audit", key: key).status == 200)
        }
    }

    @Test("A part that fails is started again, and the rest of the desk works on")
    func parts() async throws {
        struct Fault: Error {}
        let counter = DeskCounters.Counter()
        let part = DeskPart("broken") { _ in
            counter.add()
            throw Fault()
        }
        try await DeskRig.with(.sqlite, parts: [part]) { rig in
            try await rig.until { counter.count >= 2 }
            #expect(try await rig.ask("GET", "/readyz").status == 200)
        }
    }

    /// Routes that do what no noun should.
    private struct Odd: APINoun {
        static let operations = ["slow", "broken", "unknown", "away", "late", "{name}/part"].map {
            APIOperation(.get, "/v1/odd/\($0)", "Odd", answer: .nothing)
        }
        private static let count = APIOperation(.post, "/v1/odd/count", "Odd", answer: .nothing)

        func add(to routes: inout APIRoutes) {
            routes.on(Odd.operations[0], timeLimit: .milliseconds(50)) { _ in
                try await Task.sleep(for: .seconds(600))
                return .done()
            }
            routes.on(Odd.operations[1]) { _ in throw SQLFault.unknownStatement("odd") }
            routes.on(Odd.operations[2]) { _ in throw SQLFault.commitUnknown }
            routes.on(Odd.operations[3]) { _ in throw SQLFault.busy(waiting: 9) }
            routes.on(Odd.operations[4]) { _ in throw SQLFault.timedOut(during: "odd") }
            routes.on(Odd.operations[5]) { ask in .text(ask.part("name")) }
            routes.on(Odd.count, bodyLimit: 1) { ask in
                var total = 0
                for try await piece in ask.pieces() { total += piece.count }
                let left = Left(total)
                return APIAnswer(body: .pieces { await left.next() })
            }
        }

        /// A piece with the number, then no more.
        private actor Left {
            var pieces: [[UInt8]]
            init(_ total: Int) { pieces = [Array("\(total)".utf8), Array(" bytes".utf8)] }
            func next() -> [UInt8]? { pieces.isEmpty ? nil : pieces.removeFirst() }
        }
    }

    @Test("A route that hangs, breaks or streams: each answer says what the caller can do")
    func odd() async throws {
        try await DeskRig.with(.sqlite, nouns: [Odd()]) { rig in
            let key = try await rig.key("root")
            func type(_ name: String) async throws -> String {
                let answer = try await rig.ask("GET", "/v1/odd/\(name)", key: key)
                return "\(answer.status) \(answer.json["type"] as? String ?? "")"
            }
            #expect(try await type("slow") == "503 /problems/time_limit")
            #expect(try await type("broken") == "500 /problems/broken")
            #expect(try await type("unknown") == "503 /problems/outcome_unknown")
            #expect(try await type("away") == "503 /problems/store_away")
            #expect(try await type("late") == "503 /problems/time_limit")
            #expect(try await rig.ask("GET", "/v1/odd/40%2F1/part", key: key).body == "40/1")
            // A stream has no limit of the body, and its answer comes in pieces.
            let counted = try await rig.ask("POST", "/v1/odd/count", key: key, body: String(repeating: "x", count: 300_000))
            #expect(counted.status == 200)
            #expect(counted.headers["transfer-encoding"] == "chunked")
            #expect(counted.body.contains("300000"))
        }
    }

    @Test("Plaintext beyond loopback needs a reason, and certificate and key come together")
    func transport() {
        #expect(DeskSettings(host: "0.0.0.0").faults.map(\.setting.path) == ["desk.listen"])
        #expect(DeskSettings(host: "127.evil.example").faults.count == 1)
        #expect(DeskSettings(host: "0.0.0.0", plaintextReason: "a proxy").faults.isEmpty)
        #expect(DeskSettings(host: "127.0.0.2").faults.isEmpty)
        #expect(DeskSettings(certificate: "/c").faults.map(\.setting.path) == ["desk.tls.certificate"])
    }

    @Test(
        "A desk that cannot begin yet listens, says what it waits for, and begins at the same socket", arguments: SQLStore.Engine.allCases)
    func waits(engine: SQLStore.Engine) async throws {
        let front = DeskFront(DeskSettings(port: 0), logger: Logger(label: "front", factory: { _ in SwiftLogNoOpLogHandler() }))
        let port = try await front.start()
        #expect(try await front.start() == port)
        func ask(_ path: String) async throws -> DeskRig.Answer { try await DeskRig.ask(port, "GET", path) }
        var (problem, ready) = (try await ask("/v1/units"), try await ask("/readyz"))
        #expect(problem.status == 503 && problem.json["type"] as? String == "/problems/starting")
        #expect(ready.status == 503 && ready.json["reasons"] as? [String] == ["the desk starts"])
        let waits: [(DeskWait, type: String, word: String)] = [
            (.keys, "starting", "keys"), (.imports, "starting", "import"), (.database, "store_away", "database"),
        ]
        for (wait, type, word) in waits {
            front.waits(for: wait)
            problem = try await ask("/v1/units")
            #expect(problem.status == 503 && problem.json["type"] as? String == "/problems/\(type)")
            #expect((problem.json["detail"] as? String)?.contains(word) == true && problem.headers["retry-after"] == "5")
            ready = try await ask("/readyz")
            #expect(ready.status == 503 && ready.json["ready"] as? Bool == false)
            #expect((ready.json["reasons"] as? [String])?.first?.contains(word) == true)
        }
        #expect(try await ask("/healthz").body == "ok\n")
        #expect(try await ask("/metrics").body.contains("martlet_desk_ready 0"))
        let document = try await ask("/openapi.json")
        #expect(document.status == 200 && (document.json["paths"] as? [String: Any])?["/v1/customers/{id}"] != nil)
        #expect(try await ask("/nowhere").status == 503)
        try await DeskRig.with(engine, front: front) { rig in
            #expect(rig.port == port)
            #expect(try await ask("/readyz").status == 200)
            let key = try await rig.key("anna")
            #expect(try await rig.ask("GET", "/v1/principals", key: key).status == 200)
            #expect(try await ask("/nowhere").status == 404)
            // It is one page of metrics from the first answer on.
            #expect(try await !ask("/metrics").body.contains("martlet_desk_answers_total{status=\"5xx\"} 0"))
        }
    }

    @Test("A listener that cannot listen says which setting")
    func taken() async throws {
        try await DeskRig.with(.sqlite) { rig in
            let second = DeskListener(
                DeskSettings(port: rig.port), desk: rig.desk, principals: rig.principals, logger: .init(label: "second"), ready: { [] })
            let fault = await #expect(throws: DeskListenerFault.self) { try await second.start() }
            #expect(fault?.description.hasPrefix("desk.listen: cannot listen at 127.0.0.1") == true)
            var settings = DeskSettings(port: 0, certificate: "/nowhere/c.pem", key: "/nowhere/k.pem")
            settings.host = "127.0.0.1"
            let third = DeskListener(
                settings, desk: rig.desk, principals: rig.principals, logger: .init(label: "third"), ready: { [] })
            let missing = await #expect(throws: DeskListenerFault.self) { try await third.start() }
            #expect(missing?.description.hasPrefix("desk.tls") == true)
        }
    }
}
