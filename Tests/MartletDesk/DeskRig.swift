import Foundation
import Guard
import Logging
import MartletStore
import PostgresServer
import SQL
import Testing

@testable import MartletDesk

/// A desk that runs on a free port, over a store of its own.
struct DeskRig {
    let runner: DeskRunner
    let port: Int
    let folder: String
    let principals: Principals
    let signer: AuditCheckpointSigner
    var desk: Desk { runner.desk }

    static let root = Caller(name: "shell:root", rights: Set(Right.allCases))

    /// - Parameter isPrepared: the store has its tables before the desk comes.
    static func with(
        _ engine: SQLStore.Engine, isPrepared: Bool = true, settings change: (inout DeskSettings) -> Void = { _ in },
        front: DeskFront? = nil, logger: Logger = Logger(label: "desk", factory: { _ in SwiftLogNoOpLogHandler() }),
        parts: [DeskPart] = [], nouns: [any APINoun] = [],
        making: @escaping @Sendable (Desk) -> [any APINoun] = { _ in [] }, _ body: (DeskRig) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "desk-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let address: StoreAddress
        switch engine {
        case .sqlite: address = .sqlite(file: "\(folder)/history.db")
        case .postgres:
            let server = try await PostgresServer.shared()
            address = try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
        if isPrepared {
            let store = SQLStore(address, statements: try StoreStatements.all())
            try await StoreSchema.prepare(store, now: now / 1000)
            await store.close()
        }
        var settings = DeskSettings(port: 0, checkpoints: "\(folder)/checkpoints")
        change(&settings)
        let signer = try AuditCheckpointSigner(master: MasterKey.create(at: "\(folder)/master.key"))
        let rowKey = Secret(Array(repeating: 7, count: 32))
        let options = DeskRunner.Options(settings: settings, address: address, store: SQLStore.Options(), now: { now })
        let runner = try DeskRunner(
            options, front: front, rowKey: rowKey, signer: signer, parts: parts, logger: logger, nouns: { nouns + making($0) })
        let port = try await runner.start()
        let rig = DeskRig(
            runner: runner, port: port, folder: folder, principals: Principals(runner.desk, rowKey: rowKey), signer: signer)
        do {
            if isPrepared { try await rig.until { rig.runner.notReady.isEmpty } }
            try await body(rig)
        } catch {
            await runner.stop()
            throw error
        }
        await runner.stop()
    }

    /// In November 2026.
    static let now: Int64 = 1_795_400_000_000_000

    /// Until it is so; a test that waits in vain fails.
    func until(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<1500 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it did not come about")
    }

    /// A new principal's key.
    func key(_ name: String, _ rights: Set<Right> = Set(Right.allCases), unit: Int64? = nil) async throws -> String {
        try await principals.add(Principals.Wish(name: name, rights: rights, unit: unit), by: DeskRig.root).key.reveal()
    }

    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: String

        var json: [String: Any] { ((try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any]) ?? [:] }
        var items: [[String: Any]] { json["items"] as? [[String: Any]] ?? [] }
        /// `path code` of each error.
        var errors: [String] {
            (json["errors"] as? [[String: Any]] ?? []).map { "\($0["path"] ?? "") \($0["code"] ?? "")" }
        }
    }

    func ask(
        _ method: String, _ path: String, key: String? = nil, _ headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        try await DeskRig.ask(port, method, path, key: key, headers, body: body)
    }

    static func ask(
        _ port: Int, _ method: String, _ path: String, key: String? = nil, _ headers: [String: String] = [:], body: String? = nil
    ) async throws -> Answer {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: desk", "Connection: close"]
        if let key { lines.append("Authorization: Bearer \(key)") }
        for header in headers { lines.append("\(header.key): \(header.value)") }
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        let request = lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
        let text: String = try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread { done.resume(with: Result { try DeskRig.exchange(request, port: port) }) }
        }
        let halves = text.components(separatedBy: "\r\n\r\n")
        let head = (halves.first ?? "").components(separatedBy: "\r\n")
        var fields: [String: String] = [:]
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        let words = (head.first ?? "").split(separator: " ")
        let answer = Answer(
            status: words.count > 1 ? Int(words[1]) ?? 0 : 0, headers: fields, body: halves.dropFirst().joined(separator: "\r\n\r\n"))
        // Every answer in these tests is one that the document describes.
        let type = fields["content-type"] ?? ""
        #expect(APIShape.shared.faults(method, path, status: answer.status, type: type, body: answer.body) == [])
        return answer
    }

    private struct Broken: Error { var step: String }

    private static func exchange(_ request: String, port: Int) throws -> String {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { throw Broken(step: "connect \(errno)") }
        let bytes = Array(request.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // Answered and closed before all of a body that is too large was read.
            if count <= 0 { break }
            sent += count
        }
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &piece, piece.count, 0)
            if count <= 0 { break }
            all.append(contentsOf: piece[..<count])
        }
        return String(decoding: all, as: UTF8.self)
    }
}
