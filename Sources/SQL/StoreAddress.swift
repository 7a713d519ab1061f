import CPostgres

/// Where a store's database is.
public enum StoreAddress: Sendable {
    /// Path of the file; empty: in memory, for one store alone.
    case sqlite(file: String)
    case postgres(PostgresAddress)

    /// `sqlite:history.db` (below `directory`) or `sqlite:/var/lib/history.db`; `postgresql://user@host/database`.
    /// - Parameters:
    ///   - tls, authority, password: as of `PostgresAddress`.
    /// - Throws: `.setting` with the name `url`, `tls`, `tlsAuthority` or `password`.
    public init(
        url: String, directory: String, password: String? = nil, tls: PostgresAddress.TLS = .verifyFull, authority: String? = nil
    ) throws(SQLFault) {
        if url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") {
            self = .postgres(try PostgresAddress(url: url, password: password, tls: tls, authority: authority))
            return
        }
        guard url.hasPrefix("sqlite:") else {
            throw .setting(name: "url", problem: "is neither sqlite:FILE nor postgresql://USER@HOST/DATABASE")
        }
        let file = String(url.dropFirst(7))
        guard !file.isEmpty, !file.hasPrefix("//") else { throw .setting(name: "url", problem: "names no file behind sqlite:") }
        self = .sqlite(file: file.hasPrefix("/") || directory.isEmpty ? file : "\(directory)/\(file)")
    }

    /// Without user, password or anything else that a log should not have.
    public var description: String {
        switch self {
        case .sqlite(let file): file.isEmpty ? "SQLite in memory" : "SQLite, \(file)"
        case .postgres(let address): "PostgreSQL, \(address.description)"
        }
    }
}

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
        let named = (given["hostaddr"] ?? given["host"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let far = named.filter { !PostgresAddress.isNear($0) }
        if let host = far.first, tls == .off {
            throw .setting(name: "tls", problem: "is off and \(host) is another machine: a database is reached there with TLS only")
        }
        // On a Unix socket there is no TLS; libpq asks for none there.
        let mode = named.allSatisfy { $0.isEmpty || $0.hasPrefix("/") } ? "disable" : tls == .off ? "disable" : tls.rawValue
        var parameters = given.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        if let password { parameters.append(("password", password)) }
        parameters.append(("sslmode", mode))
        if mode != "disable" { parameters.append(("sslrootcert", authority ?? PostgresAddress.usualAuthority)) }
        parameters.append(("gssencmode", "disable"))
        parameters.append(("client_encoding", "UTF8"))
        parameters.append(("application_name", "store"))
        // A standby would take reads and refuse the rest.
        parameters.append(("target_session_attrs", "read-write"))
        self.parameters = parameters
        description = "database \(given["dbname"] ?? "of the user's name") at \(named.first { !$0.isEmpty } ?? "the local socket")"
    }

    /// This machine: a Unix socket, or loopback.
    static func isNear(_ host: String) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
