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
