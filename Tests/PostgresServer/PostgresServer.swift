import Foundation

/// A PostgreSQL server of the tests' own: a new cluster in a directory of its own, reached by a Unix socket there, and over TLS at a free
/// port of loopback. It ends with the process that started it, however that ends, and with the shell between them. Nothing of a server of the
/// machine is touched.
public final class PostgresServer: Sendable {
    private static let only = Result { try PostgresServer() }

    /// The one that suites share, each in databases of its own. Without PostgreSQL the tests that ask for it fail.
    public static func shared() async throws -> PostgresServer { try await aside { try only.get() } }

    /// One of the test's own, to be killed and frozen.
    public static func own() async throws -> PostgresServer { try await aside { try PostgresServer() } }

    /// On a thread of its own: the tests' pool has as many as the machine has cores, and other tests wait for them.
    private static func aside<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread { done.resume(with: Result { try body() }) }
        }
    }

    public struct Missing: Error, CustomStringConvertible {
        public var description: String
    }

    public let directory: String
    public let port: Int
    private let tools: String
    private let counter = Counter()
    private let running = Running()

    private init() throws {
        tools = try PostgresServer.findTools()
        port = try PostgresServer.freePort()
        var template = Array("/tmp/store-pg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Missing(description: "no directory in /tmp: \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // The server refuses to run as root, and then runs as nobody.
        if let owner = PostgresServer.owner { chown(directory, owner.uid, owner.gid) }
        let data = "\(directory)/data"
        try run(
            [
                "\(tools)/initdb", "-D", data, "-U", "owner", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C",
                "--no-instructions",
            ])
        try write("server.pem", TestServerCertificate.certificate)
        try write("server.key", TestServerCertificate.key)
        try write(
            "data/pg_hba.conf",
            """
            local all locked scram-sha-256
            local all all trust
            hostssl all all 127.0.0.1/32 trust

            """)
        try write(
            "data/postgresql.auto.conf",
            """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = '\(directory)'
            ssl = on
            ssl_cert_file = '\(directory)/server.pem'
            ssl_key_file = '\(directory)/server.key'
            shared_buffers = 16MB
            max_connections = 1000
            fsync = off
            logging_collector = off

            """)
        try start()
    }

    deinit {
        running.end()
        try? FileManager.default.removeItem(atPath: directory)
    }

    public var certificate: String { "\(directory)/server.pem" }

    /// By the Unix socket.
    public func url(_ database: String, user: String = "owner") -> String {
        "postgresql://\(user)@/\(database)?host=\(directory)&port=\(port)"
    }

    /// A new, empty database of that server.
    public func makeDatabase() async throws -> String {
        try await PostgresServer.aside { [self] in
            let name = "test_\(counter.next())"
            try sql("CREATE DATABASE \(name)", in: "postgres")
            return name
        }
    }

    /// After a kill.
    public func restart() async throws { try await PostgresServer.aside { [self] in try start() } }

    /// Through psql: what a test does beside the store.
    @discardableResult public func sql(_ text: String, in database: String) throws -> String {
        try run(
            [
                "\(tools)/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", directory, "-p", "\(port)", "-U", "owner", "-c",
                text, database,
            ])
    }

    private func start() throws {
        try running.start(
            PostgresServer.asOwner(["\(tools)/postgres", "-D", "\(directory)/data"], endsWithParent: true), directory: directory,
            log: "\(directory)/log")
        let end = Date().addingTimeInterval(30)
        while Date() < end {
            let status = try? String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)
            let lines = status?.split(separator: "\n").map(String.init) ?? []
            if lines.count >= 8, lines[7].hasPrefix("ready"), lines[0] == "\(running.server)" { return }
            usleep(20_000)
        }
        let log = (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? "no log"
        throw Missing(
            description:
                "the server (\(running.server)) did not come up, its file says \((try? String(contentsOfFile: "\(directory)/data/postmaster.pid", encoding: .utf8)) ?? "nothing"): \(log)"
        )
    }

    /// As a power cut: no process of the server gets another turn.
    public func kill() {
        signal(SIGKILL)
        running.wait()
    }

    /// As when a whole run is killed, the shell that watches the server before all others. Once; the server is not started again.
    /// - Returns: the process of the server.
    public func orphan() -> Int32 {
        defer { running.killShell() }
        return running.server
    }

    /// All its processes stand still; connections stay open and say nothing.
    public func freeze() { signal(SIGSTOP) }
    public func thaw() { signal(SIGCONT) }

    /// The server and its children: the server first, so that it makes no new ones meanwhile.
    private func signal(_ number: Int32) {
        let server = running.server
        // 0 would be ourselves.
        guard server > 1 else { return }
        Foundation.kill(server, number)
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes.compactMap({ Int32($0) }) {
            guard let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { continue }
            let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
            if fields.count > 2, Int32(fields[2]) == server { Foundation.kill(process, number) }
        }
    }

    private func write(_ name: String, _ text: String) throws {
        let path = "\(directory)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o600)
        if let owner = PostgresServer.owner { chown(path, owner.uid, owner.gid) }
    }

    @discardableResult private func run(_ words: [String]) throws -> String {
        let words = PostgresServer.asOwner(words)
        let process = try Spawned(words, in: directory)
        try process.input.close()
        let text = String(decoding: process.output.readDataToEndOfFile(), as: UTF8.self)
        guard process.wait() == 0 else { throw Missing(description: "\(words.joined(separator: " ")): \(text)") }
        return text.trimmingCharacters(in: .newlines)
    }

    /// Nil: we are nobody special, and the server runs as we do.
    private static let owner: (uid: uid_t, gid: gid_t)? = {
        guard getuid() == 0, let entry = getpwnam("nobody") else { return nil }
        return (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }()

    /// - Parameter endsWithParent: it shuts down at once when its parent is gone. Asked for behind the change of user, which forgets it.
    private static func asOwner(_ words: [String], endsWithParent: Bool = false) -> [String] {
        var before: [String] = []
        if let owner { before += ["--reuid=\(owner.uid)", "--regid=\(owner.gid)", "--clear-groups"] }
        if endsWithParent { before += ["--pdeathsig", "QUIT"] }
        return before.isEmpty ? words : ["/usr/bin/setpriv"] + before + words
    }

    private static func findTools() throws -> String {
        let folder = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { Int($0) }.sorted()
        for version in versions.reversed() where FileManager.default.isExecutableFile(atPath: "\(folder)/\(version)/bin/postgres") {
            return "\(folder)/\(version)/bin"
        }
        for place in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            if FileManager.default.isExecutableFile(atPath: "\(place)/postgres") { return String(place) }
        }
        throw Missing(description: "PostgreSQL's server is not installed: run scripts/setup")
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw Missing(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

private final class Counter: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var value = 0  // under `lock`
    func next() -> Int {
        lock.lock()
        defer { lock.unlock() }
        value += 1
        return value
    }
}

/// The server's process, below a shell that reads from a pipe of ours: when the pipe closes, because it is to end or because we died, the
/// shell ends the server and removes its directory.
private final class Running: Sendable {
    private let lock = NSLock()
    nonisolated(unsafe) private var shell: Spawned?  // under `lock`
    nonisolated(unsafe) private var process: pid_t = 0  // under `lock`

    var server: pid_t { lock.withLock { process } }

    func start(_ words: [String], directory: String, log: String) throws {
        let script = """
            log=$1; directory=$2; shift 2
            "$@" >>"$log" 2>&1 &
            server=$!
            echo $server
            # A line: the server is dead, and all is left for the next one. No line: the end.
            # It is waited for, or the next one finds its number taken.
            if read -r line; then wait $server; exit 0; fi
            kill -CONT $server 2>/dev/null; kill -QUIT $server 2>/dev/null
            wait $server
            rm -rf "$directory"
            """
        let shell = try Spawned(["/bin/sh", "-c", script, "sh", log, directory] + words, in: directory)
        var text = ""
        while !text.hasSuffix("\n") {
            let part = shell.output.availableData
            if part.isEmpty { break }
            text += String(decoding: part, as: UTF8.self)
        }
        lock.withLock {
            self.shell = shell
            process = pid_t(text.trimmingCharacters(in: .newlines)) ?? 0
        }
    }

    /// After a kill.
    func wait() {
        guard let shell = take() else { return }
        shell.input.write(Data("killed\n".utf8))
        _ = shell.wait()
    }

    func killShell() {
        guard let shell = take() else { return }
        kill(shell.pid, SIGKILL)
        _ = shell.wait()
    }

    func end() {
        guard let shell = take() else { return }
        try? shell.input.close()
        _ = shell.wait()
    }

    private func take() -> Spawned? {
        lock.withLock {
            defer { shell = nil }
            return shell
        }
    }
}
