import Foundation
import Guard
import Hummingbird
import Logging
import MartletModel
import MartletStore
import NIOCore
import SQL
import Testing

@testable import MartletDesk

/// Files that a running desk imports, on both engines.
@Suite("Desk: imports") struct ImportJobTests {
    private let anna = CustomerRig.anna

    /// The desk's imports over a rig, and the part that works at them.
    private struct Running {
        let imports: Imports
        let worker: ImportWorker
        let figures = ImportFigures()

        init(_ rig: CustomerRig, lines: Int = 100, now: Int64 = CustomerRig.now, change: (inout ImportSettings) -> Void = { _ in }) {
            var settings = ImportSettings(keepFree: 0, lines: lines)
            change(&settings)
            let desk = Desk(store: rig.store, chain: "martlet-test") { now }
            imports = Imports(desk, keys: rig.keys, folder: "\(rig.folder)/imports", settings: settings)
            worker = ImportWorker(
                imports, rig.customers, names: { .numbers }, figures: figures,
                logger: Logger(label: "imports", factory: { _ in SwiftLogNoOpLogHandler() }), pause: .milliseconds(5))
        }

        /// Hands a text in, in pieces of 1000 bytes.
        func take(_ text: String, errors: Int = 1000, format: String = "csv", kind: String = "customers") async throws -> ImportView {
            let options = try ImportOptions(kind: kind, format: format, errorsMaximum: errors)
            var rest = Array(text.utf8)[...]
            return try await imports.take(options, by: CustomerRig.anna) {
                let piece = Array(rest.prefix(1000))
                rest = rest.dropFirst(1000)
                return piece.isEmpty ? nil : piece
            }
        }

        func get(_ id: String) async throws -> ImportView { try await imports.get(id, by: CustomerRig.anna) }

        func errors(_ id: String) async throws -> String {
            let next = try await imports.errors(id, by: CustomerRig.anna)
            var bytes: [UInt8] = []
            while let piece = try next() { bytes += piece }
            return String(decoding: bytes, as: UTF8.self)
        }

        var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: imports.folder.path).sorted() } }
    }

    private static func line(_ number: Int) -> String {
        number % 50 == 0 ? "bad" : "c\(number),Given\(number),+44 7700 9\(String(number + 100_000).dropFirst())"
    }

    private static func text(_ count: Int) -> String {
        (["reference,given_name,phone"] + (1...count).map(line)).joined(separator: "\r\n")
    }

    /// What the audit says was done, oldest first.
    private func audit(_ rig: CustomerRig) async throws -> [String] {
        try await rig.store.read { session in
            try session.rows(StoreStatements.auditForward, [.number(0), .number(1000)])
                .map { "\(try $0.text("act")) \(try $0.text("principal")) \(try $0.text("outcome"))" }
        }
    }

    @Test(
        "A file that comes in lies sealed until its turn, is imported whole, and is gone then; its refused lines stay to be asked for",
        arguments: SQLStore.Engine.allCases)
    func whole(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let running = Running(rig)
            let taken = try await running.take(ImportJobTests.text(20_000 / 40))
            #expect(taken.job.state == .waiting && taken.progress.size == ImportJobTests.text(500).utf8.count)
            #expect(try running.files == [taken.job.id])
            let sealed = Array(try Data(contentsOf: URL(filePath: running.imports.folder.file(taken.job.id))))
            #expect(!sealed.holds(Array("Given7".utf8)) && sealed.count == Sealer.sealedCount(taken.job.size))
            let mode = try FileManager.default.attributesOfItem(atPath: running.imports.folder.file(taken.job.id))[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try await running.worker.step())
            let end = try await running.get(taken.job.id)
            #expect(end.job.state == .done && end.progress.isDone && end.progress.position == end.job.size && end.job.fault == nil)
            #expect(end.progress.added == 490 && end.progress.refused == 10 && end.progress.lines == 501)
            #expect(try running.files == ["\(taken.job.id).errors.csv"])
            let errors = try await running.errors(taken.job.id).split(separator: "\r\n")
            #expect(errors.count == 11 && errors[1] == "51,line,1 fields instead of 3")
            #expect(try await rig.customers.find(reference: "c499", by: anna)?.givenName == "G•••")
            #expect(try await !running.worker.step())
            #expect(
                try await audit(rig).prefix(2) == [
                    "import.taken principal:anna customers, \(taken.job.size) bytes",
                    "customers.imported principal:anna done: 490 added, 0 changed, 10 refused",
                ])
            #expect(running.figures.samples.map(\.value) == [501, 10, 0, 0, 0])
        }
    }

    @Test("A desk that is ended in the middle goes on where it stood, and ends as one that was not", arguments: SQLStore.Engine.allCases)
    func restarted(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let first = Running(rig)
            // Larger than one sealed piece, so that the places are in more than one.
            let taken = try await first.take(ImportJobTests.text(12_000))
            #expect(taken.job.size > FileSeal.pieceBytes)
            var runs = 0
            while try await first.get(taken.job.id).job.state.isOpen, runs < 100 {
                runs += 1
                let before = try await first.get(taken.job.id).progress.lines
                let step = Task { try await Running(rig, lines: 200).worker.step() }
                // One that has only its end to enter is left to it.
                if before < 12_001 {
                    while try await first.get(taken.job.id).progress.lines < min(12_001, before + 2000) {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    step.cancel()
                }
                _ = await step.result
            }
            let end = try await first.get(taken.job.id)
            #expect(runs > 2 && end.job.state == .done)
            let counts: [Int] = [end.progress.added, end.progress.refused, end.progress.changed, end.progress.same]
            #expect(counts == [11_760, 240, 0, 0])
            let errors = try await first.errors(taken.job.id).split(separator: "\r\n")
            #expect(errors.dropFirst().compactMap { Int($0.prefix { $0 != "," }) } == (1...240).map { $0 * 50 + 1 })
            let rows = try await rig.store.read { try $0.row(CustomerStatements.newestChange)?.integer("number") ?? 0 }
            #expect(rows >= 11_760)
        }
    }

    @Test("One with too many bad lines stops, says why, and goes on when more are allowed")
    func stopped() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let running = Running(rig)
            let taken = try await running.take(ImportJobTests.text(400), errors: 3)
            #expect(try await running.worker.step())
            let stopped = try await running.get(taken.job.id)
            #expect(stopped.job.state == .stopped && stopped.job.fault?.contains("more than 3") == true)
            #expect(try running.files == [taken.job.id, "\(taken.job.id).errors.csv"])
            #expect(try await !running.worker.step())
            let negative = try await CustomerRig.fault { try await running.imports.resume(taken.job.id, errorsMaximum: -1, by: anna) }
            #expect(negative.paths == ["maxErrors range"])
            #expect(try await running.imports.resume(taken.job.id, errorsMaximum: 100, by: anna).job.state == .waiting)
            #expect(try await running.worker.step())
            let end = try await running.get(taken.job.id)
            #expect(end.job.state == .done && end.progress.added == 392 && end.progress.refused == 8)
            #expect(try await running.errors(taken.job.id).split(separator: "\r\n").count == 9)
            let again = try await CustomerRig.fault { try await running.imports.resume(taken.job.id, errorsMaximum: nil, by: anna) }
            #expect(again.paths == ["state conflict"])
            // One whose heading cannot be read.
            let bad = try await running.take("shoes\n40")
            #expect(try await running.worker.step())
            #expect(try await running.get(bad.job.id).job.fault?.contains("column 1 (`shoes`)") == true)
            #expect(try await running.errors(bad.job.id).isEmpty)
        }
    }

    @Test("One that is cancelled ends, waiting or running, and its file goes", arguments: SQLStore.Engine.allCases)
    func cancelled(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let running = Running(rig, lines: 20)
            let waiting = try await running.take(ImportJobTests.text(100))
            #expect(try await running.imports.cancel(waiting.job.id, by: anna).job.state == .cancelled)
            #expect(try running.files.isEmpty)
            #expect(try await !running.worker.step())
            let again = try await CustomerRig.fault { try await running.imports.cancel(waiting.job.id, by: anna) }
            #expect(again.paths == ["state conflict"])
            let long = try await running.take(ImportJobTests.text(20_000))
            let step = Task { try await running.worker.step() }
            while try await running.get(long.job.id).progress.lines < 100 { try await Task.sleep(for: .milliseconds(2)) }
            _ = try await running.imports.cancel(long.job.id, by: anna)
            #expect(try await step.value)
            let end = try await running.get(long.job.id)
            #expect(end.job.state == .cancelled && end.progress.lines < 20_001 && !end.progress.isDone)
            #expect(try running.files.allSatisfy { $0.hasSuffix(".errors.csv") })
            #expect(try await audit(rig).last?.contains("cancelled") == true)
        }
    }

    @Test("A file beyond a limit is not taken, and nothing of it stays")
    func limits() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            func fault(_ running: Running, _ size: Int? = nil, _ text: String = "reference\nr1") async throws -> ImportFault? {
                var pieces = [Array(text.utf8)][...]
                do {
                    _ = try await running.imports.take(ImportOptions(), size: size, by: anna) { pieces.popFirst() }
                    return nil
                } catch let fault as ImportFault {
                    return fault
                }
            }
            let small = Running(rig) { $0.maximumFile = 10 }
            #expect(try await fault(small) == .tooLarge(maximum: 10))
            #expect(try await fault(small, 11) == .tooLarge(maximum: 10))
            let full = Running(rig) { $0.keepFree = 1 << 60 }
            #expect(try await fault(full) == .noRoom(keepFree: 1 << 60))
            #expect(try await fault(full, 5) == .noRoom(keepFree: 1 << 60))
            let running = Running(rig)
            #expect(try await fault(running, nil, "") == .empty)
            #expect(try await fault(running, 500)?.description.contains("instead of 500") == true)
            struct Gone: Error {}
            await #expect(throws: Gone.self) {
                var isFirst = true
                _ = try await running.imports.take(ImportOptions(), by: anna) {
                    defer { isFirst = false }
                    if isFirst { return Array("reference".utf8) }
                    throw Gone()
                }
            }
            #expect(try running.files.isEmpty)
            for _ in 0..<ImportSettings.openMaximum { _ = try await running.take("reference\nr1") }
            guard case .full? = try await fault(running) else { throw CustomerRig.NotFailed() }
            var bound = anna
            bound.unit = 7
            let unit = try await CustomerRig.fault { try await running.imports.take(ImportOptions(), by: bound) { nil } }
            #expect(unit.paths == ["unit forbidden"])
            let list = try await CustomerRig.fault { try await running.imports.list(try PageWish(), by: bound) }
            #expect(list.paths == ["unit forbidden"])
        }
    }

    @Test("What ended long ago is forgotten with its files; what a crash left goes, what is being written stays")
    func cleaning() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let running = Running(rig)
            let done = try await running.take(ImportJobTests.text(100))
            #expect(try await running.worker.step())
            let waiting = try await running.take(ImportJobTests.text(10))
            _ = try await FileImport(rig.customers, ImportOptions()).run(
                file: try rig.write(ImportJobTests.text(5), "direct.csv"), by: anna)
            let (left, written) = (
                MessageID(high: 0x7000, low: 1 << 63 | 2).description, MessageID(high: 0x7000, low: 1 << 63 | 3).description
            )
            let folder = running.imports.folder
            for name in [left, written, "\(left).errors.csv", "notes.txt"] {
                try Data("x".utf8).write(to: URL(filePath: folder.path).appending(path: name))
            }
            let descriptor = open(folder.file(written), O_RDONLY)
            defer { close(descriptor) }
            #expect(flock(descriptor, LOCK_EX) == 0)
            #expect(try await running.imports.clean() == 0)
            let kept = try running.files
            #expect(kept == [written, waiting.job.id, "\(done.job.id).errors.csv", "notes.txt"].sorted())
            let later = Running(rig, now: CustomerRig.now + 31 * 86_400_000_000)
            #expect(try await later.imports.clean() == 3)
            let last = try running.files
            #expect(last == [written, waiting.job.id, "notes.txt"].sorted())
            #expect(try await later.imports.list(try PageWish(), by: anna).items.map(\.id) == [waiting.job.id])
            #expect(try await audit(rig).last == "imports.forgotten system:imports 3 import(s)")
            #expect(try await later.imports.clean() == 0)
        }
    }

    @Test("A file that was altered is not read")
    func altered() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let running = Running(rig)
            let job = try await running.take(ImportJobTests.text(10)).job
            var bytes = Array(try Data(contentsOf: URL(filePath: running.imports.folder.file(job.id))))
            bytes[40] ^= 1
            try Data(bytes).write(to: URL(filePath: running.imports.folder.file(job.id)))
            #expect(try await running.worker.step())
            let stopped = try await running.get(job.id).job
            #expect(stopped.state == .stopped && stopped.fault?.contains("piece 0") == true)
        }
    }

    @Test(
        "An import whose row a hand changed is named and set aside until it is discarded; the others are shown and go on",
        arguments: SQLStore.Engine.allCases)
    func damaged(engine: SQLStore.Engine) async throws {
        try await CustomerRig.with(engine) { rig in
            let running = Running(rig)
            let bad = try await running.take(ImportJobTests.text(10)).job
            let newer = try await running.take(ImportJobTests.text(10)).job
            let good = try await running.take(ImportJobTests.text(20)).job
            try await rig.change("UPDATE import_job SET kind = 'contacts' WHERE id = '\(bad.id)'")
            // Of a version to come: its tag is right, its kind unknown.
            let columns = ImportStatements.jobColumns
            let seal = RowSeal(rig.keys.rowKey, table: "import_job", noun: "import", columns: columns)
            var values = newer.values
            values[2] = .text("shoes")
            let tag = seal.tag(values)
            guard case .bytes(let bytes) = tag else { throw CustomerRig.NotFailed() }
            let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            try await rig.change(
                "UPDATE import_job SET kind = 'shoes', mac = \(engine == .sqlite ? "x'\(hexadecimal)'" : "'\\x\(hexadecimal)'") "
                    + "WHERE id = '\(newer.id)'")
            #expect(try await running.worker.step())
            #expect(try await running.get(good.id).job.state == .done)
            #expect(try await !running.worker.step())
            #expect(running.figures.samples.first { $0.metric.name == "martlet_desk_imports_damaged" }?.value == 2)
            let entries = try await running.imports.list(try PageWish(), by: anna).items
            #expect(Set(entries.map(\.id)) == [bad.id, newer.id, good.id])
            let reasons = Dictionary(
                uniqueKeysWithValues: entries.compactMap { if case .damaged(let one) = $0 { (one.id, one.reason) } else { nil } })
            #expect(reasons.count == 2 && reasons[bad.id]?.contains("not as Martlet wrote it") == true)
            #expect(reasons[newer.id]?.contains("install the newer one") == true)
            let page = try await running.imports.list(try PageWish(limit: 1), by: anna)
            let rest = try await running.imports.list(try PageWish(after: page.next, limit: 2), by: anna)
            #expect(Set((page.items + rest.items).map(\.id)).count == 3 && rest.next == nil)
            await #expect(throws: DeskFault.tampered(noun: "import", key: bad.id)) { _ = try await running.get(bad.id) }
            await #expect(throws: DeskFault.tampered(noun: "import", key: bad.id)) {
                _ = try await running.imports.cancel(bad.id, by: anna)
            }
            // Its file stays until somebody says what is to become of it.
            #expect(try await running.imports.clean() == 0)
            #expect(try Set(running.files).isSuperset(of: [bad.id, newer.id]))
            for (id, path) in [(good.id, "state conflict"), (newer.id, "state conflict")] {
                #expect(try await CustomerRig.fault { try await running.imports.discard(id, by: anna) }.paths == [path])
            }
            let desk = Routes(running)
            let list = try await desk.ask(.get, "/v1/imports").text
            #expect(list.contains(#""damaged":[{"id":"#) && list.contains(#""state":"done""#))
            #expect(try await desk.ask(.delete, "/v1/imports/{id}", id: bad.id).answer.status == 204)
            #expect(try await desk.ask(.delete, "/v1/imports/{id}", id: bad.id).answer.status == 404)
            #expect(try !running.files.contains(bad.id))
            #expect(try await audit(rig).last == "import.cancelled principal:anna discarded: its row was damaged")
            #expect(try await running.imports.list(try PageWish(), by: anna).items.count == 2)
        }
    }

    @Test("Damaged rows take nobody's place among those that may wait, and an id that is no file's name removes no file")
    func damagedRoom() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let running = Running(rig)
            var last = ""
            for _ in 0..<ImportSettings.openMaximum { last = try await running.take("reference\nr1").job.id }
            guard case .full? = await ImportJobTests.fault({ try await running.take("reference\nr1") }) as? ImportFault else {
                throw CustomerRig.NotFailed()
            }
            try await rig.change("UPDATE import_job SET size = 1, id = '../customers' WHERE id = '\(last)'")
            _ = try await running.take("reference\nr1")
            try Data("kept".utf8).write(to: URL(filePath: "\(rig.folder)/customers"))
            try await running.imports.discard("../customers", by: anna)
            #expect(FileManager.default.fileExists(atPath: "\(rig.folder)/customers"))
        }
    }

    private static func fault(_ body: () async throws -> ImportView) async -> (any Error)? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }

    // MARK: Routes

    private struct Routes {
        let routes: APIRoutes

        init(_ running: Running) {
            var routes = APIRoutes()
            ImportRoutes(running.imports).add(to: &routes)
            self.routes = routes
        }

        func ask(
            _ method: APIRoutes.Method, _ path: String, id: String = "", _ query: [(name: String, value: String)] = [],
            type: String? = nil, body: String = "", by caller: Caller = CustomerRig.anna
        ) async throws -> (answer: APIAnswer, text: String) {
            let route = try #require(routes.paths[path]?[method])
            let request = APIRequest(
                caller: caller, parts: ["id": id], query: APIQuery(query), headers: type.map { ["content-type": $0] } ?? [:],
                content: RequestBody(buffer: ByteBuffer(string: body)), bodyLimit: 1000)
            let answer: APIAnswer
            do {
                answer = try await route.answer(request)
            } catch let problem as APIProblem {
                answer = problem.answer
            } catch let fault as DeskFault {
                answer = APIProblem(fault).answer
            }
            switch answer.body {
            case .none: return (answer, "")
            case .bytes(let bytes): return (answer, String(decoding: bytes, as: UTF8.self))
            case .pieces(let next):
                var all: [UInt8] = []
                while let piece = try await next() { all += piece }
                return (answer, String(decoding: all, as: UTF8.self))
            }
        }
    }

    @Test("The routes take a file as their body, show how far it is, give its refused lines, cancel it and go on with it")
    func routes() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let running = Running(rig)
            let desk = Routes(running)
            let body = "KUNNR;given_name\nr1;Wanda\nr2;Olga;x\n"
            let query = [
                (name: "separator", value: ";"), (name: "map", value: "reference = KUNNR"), (name: "maxErrors", value: "0"),
            ]
            let made = try await desk.ask(.post, "/v1/imports", query, type: "text/csv; charset=utf-8", body: body)
            #expect(made.answer.status == 201 && made.text.contains(#""state":"waiting""#) && made.text.contains(#""kind":"customers""#))
            let job = try #require(try await running.imports.open().jobs.first)
            #expect(made.answer.headers.contains(APIHeader("Location", "/v1/imports/\(job.id)")))
            #expect(try await running.worker.step())
            let stopped = try await desk.ask(.get, "/v1/imports/{id}", id: job.id).text
            #expect(stopped.contains(#""state":"stopped""#) && stopped.contains(#""fault":"1 lines were refused"#))
            #expect(try await desk.ask(.post, "/v1/imports/{id}/resume", id: job.id, body: #"{"maxErrors": 5}"#).answer.status == 200)
            #expect(try await running.worker.step())
            let done = try await desk.ask(.get, "/v1/imports/{id}", id: job.id).text
            #expect(done.contains(#""state":"done""#) && done.contains(#""added":1"#) && done.contains(#""source":"principal:anna""#))
            let errors = try await desk.ask(.get, "/v1/imports/{id}/errors", id: job.id)
            #expect(errors.text == "line,field,reason\r\n3,line,3 fields instead of 2\r\n")
            #expect(errors.answer.headers == [APIHeader("Content-Type", "text/csv; charset=utf-8")])
            #expect(try await desk.ask(.get, "/v1/imports").text == #"{"damaged":[],"items":[\#(done)]}"#)
            let next = try await desk.ask(.post, "/v1/imports", type: "application/x-ndjson", body: #"{"reference": "r3"}"#)
            #expect(next.text.contains(#""format":"ndjson""#))
            let waiting = try #require(try await running.imports.open().jobs.first)
            #expect(try await desk.ask(.post, "/v1/imports/{id}/cancel", id: waiting.id).text.contains(#""state":"cancelled""#))
            #expect(try await desk.ask(.post, "/v1/imports/{id}/cancel", id: waiting.id).answer.status == 409)
            #expect(try await desk.ask(.post, "/v1/imports/{id}/resume", id: waiting.id).answer.status == 409)
            #expect(try await desk.ask(.get, "/v1/imports/{id}", id: "0").answer.status == 404)
            let page = try await desk.ask(.get, "/v1/imports", [(name: "limit", value: "1")]).text
            // Both were handed in at the same moment.
            #expect(page.contains(waiting.id) != page.contains(job.id) && page.contains(#""next":"#))
        }
    }

    @Test("What is wrong with a request is named, and what has no room is told so")
    func problems() async throws {
        try await CustomerRig.with(.sqlite) { rig in
            let desk = Routes(Running(rig) { $0.maximumFile = 20 })
            func post(
                _ query: [(name: String, value: String)] = [], type: String? = "text/csv", body: String = "reference\nr1"
            ) async throws
                -> (status: Int, text: String)
            {
                let (answer, text) = try await desk.ask(.post, "/v1/imports", query, type: type, body: body)
                return (answer.status, text)
            }
            #expect(try await post(type: nil).text.contains(#""path":"/format""#))
            let wrong = try await post([
                (name: "kind", value: "shoes"), (name: "format", value: "xml"), (name: "separator", value: "ab"), (name: "map", value: "x"),
                (name: "maxErrors", value: "-1"),
            ])
            for path in ["kind", "format", "separator", "map", "maxErrors"] {
                #expect(wrong.status == 422 && wrong.text.contains(#""path":"/\#(path)""#))
            }
            #expect(try await post([(name: "maxErrors", value: "x")]).status == 422)
            #expect(try await post([(name: "shoes", value: "x")]).text.contains("unknown_field"))
            #expect(try await post(body: "").status == 422)
            #expect(try await post(body: String(repeating: "x", count: 21)).status == 413)
            let full = Routes(Running(rig) { $0.keepFree = 1 << 60 })
            #expect(try await full.ask(.post, "/v1/imports", type: "text/csv", body: "reference").answer.status == 507)
            var reader = CustomerRig.anna
            reader.rights = [.readCustomers]
            #expect(try await desk.ask(.get, "/v1/imports", by: reader).answer.status == 403)
            #expect(try await desk.ask(.post, "/v1/imports", type: "text/csv", body: "reference", by: reader).answer.status == 403)
        }
    }
}
