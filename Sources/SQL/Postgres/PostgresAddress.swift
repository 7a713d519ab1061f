import CPostgres

/// A PostgreSQL server and how it is reached. Beyond loopback and Unix sockets only with TLS and a checked certificate.
public struct PostgresAddress: Sendable {
    public enum TLS: String, Sendable, CaseIterable {
        /// The certificate is of our authority and names the host.
        case verifyFull = "verify-full"
        /// The certificate is of our authority, whatever it names.
        case verifyAuthority = "verify-ca"
        /// Loopback and Unix sockets only.
        case off
    }

    /// What libpq is given, in order.
    let parameters: [(name: String, value: String)]
    public let description: String

    /// The authorities that Debian's machines trust.
    public static let usualAuthority = "/etc/ssl/certs/ca-certificates.crt"

    /// - Parameters:
    ///   - url: user, host (or several, with commas), port and database, and nothing else: what is secret or safety stands elsewhere.
    ///   - authority: file of the authorities (PEM) that sign the server's certificate.
    public init(url: String, password: String? = nil, tls: TLS = .verifyFull, authority: String? = nil) throws(SQLFault) {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            // libpq's own message repeats the text, which may hold a password.
            throw .setting(name: "url", problem: "is not postgresql://USER@HOST:PORT/DATABASE")
        }
        defer { PQconninfoFree(options) }
        var given: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        if given["password"] != nil { throw .setting(name: "url", problem: "holds a password; it belongs into a file of its own") }
        for name in given.keys.sorted() where !["host", "hostaddr", "port", "user", "dbname"].contains(name) {
            throw .setting(name: "url", problem: "holds \(name); only user, host, port and database stand there")
        }
        let places = PostgresAddress.places(given)
        if tls == .off, let far = places.first(where: { !$0.isNear }) {
            throw .setting(name: "tls", problem: "is off and \(far.named) is another machine: a database is reached there with TLS only")
        }
        // On a Unix socket there is no TLS; libpq asks for none there.
        let mode = tls == .off || places.allSatisfy(\.isSocket) ? "disable" : tls.rawValue
        // What is not given libpq looks for elsewhere.
        given.merge(PostgresAddress.pinned(given)) { $1 }
        if (given["port"] ?? "").isEmpty { given["port"] = "5432" }
        var parameters = given.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        if let password { parameters.append(("password", password)) }
        parameters.append(("passfile", PostgresAddress.nowhere))
        parameters.append(("sslmode", mode))
        parameters.append(("sslrootcert", authority ?? PostgresAddress.usualAuthority))
        parameters.append(("gssencmode", "disable"))
        parameters.append(("client_encoding", "UTF8"))
        parameters.append(("application_name", "store"))
        // A standby would take reads and refuse the rest.
        parameters.append(("target_session_attrs", "read-write"))
        self.parameters = parameters
        description =
            "database \(given["dbname"] ?? "of the user's name") at \(places.first { !$0.named.isEmpty }?.named ?? "the local socket")"
    }

    /// A file that cannot be: a password comes from the settings and not out of somebody's home.
    private static let nowhere = "/dev/null/none"
    private static let loopbacks = ["127.0.0.1", "::1"]

    /// One entry of a list of hosts.
    private struct Place {
        /// What a connection goes to: the address where one is given, else the host; empty: the local socket.
        var named: String
        var isSocket: Bool { named.isEmpty || named.hasPrefix("/") }
        var isNear: Bool { PostgresAddress.isNear(named) }
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// As libpq goes by them: an address before a name, entry by entry.
    private static func places(_ given: [String: String]) -> [Place] {
        let (hosts, addresses) = (list(given["host"]), list(given["hostaddr"]))
        return (0..<max(hosts.count, addresses.count)).map { index in
            let address = index < addresses.count ? addresses[index] : ""
            return Place(named: address.isEmpty && index < hosts.count ? hosts[index] : address)
        }
    }

    /// `localhost` is loopback, whatever a resolver or a file of hosts says of it: host, hostaddr and port with its addresses written out.
    private static func pinned(_ given: [String: String]) -> [String: String] {
        let (hosts, ports) = (list(given["host"]), list(given["port"]))
        guard given["hostaddr"] == nil, hosts.contains("localhost"), ports.count == 1 || ports.count == hosts.count else { return [:] }
        var entries: [(host: String, address: String, port: String)] = []
        for (index, host) in hosts.enumerated() {
            for address in host == "localhost" ? loopbacks : [""] {
                entries.append((host, address, ports.count == 1 ? ports[0] : ports[index]))
            }
        }
        var pinned = ["host": entries.map(\.host), "hostaddr": entries.map(\.address)]
        if ports.count > 1 { pinned["port"] = entries.map(\.port) }
        return pinned.mapValues { $0.joined(separator: ",") }
    }

    /// This machine: a Unix socket, or loopback.
    static func isNear(_ host: String) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } && UInt8($0) != nil }
    }

    /// Whether a connection that stands may be spoken on: it has TLS, or ends on this machine.
    /// - Parameters:
    ///   - host: as libpq tells it: a path is a Unix socket.
    ///   - address: that it was made to; empty: a Unix socket, or it is not known.
    static func mayBeUsed(hasTLS: Bool, host: String, address: String) -> Bool {
        hasTLS || host.hasPrefix("/") || host.hasPrefix("@") || !address.isEmpty && isNear(address)
    }
}
