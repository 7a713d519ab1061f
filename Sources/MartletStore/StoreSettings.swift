public import MartletModel

/// Settings of the store: the database of history and administration. Nothing here concerns sending.
public enum StoreSettings {
    public static let url = Setting(
        "store.url", .text(maximumBytes: 512), default: "sqlite:history.db",
        doc:
            "Database of history and administration: `sqlite:FILE`, below the data directory unless it begins with `/`, or `postgresql://USER@HOST:PORT/DATABASE`. Nothing else stands in it, no password either."
    )
    public static let passwordFile = Setting(
        "store.passwordFile", .secret, default: "", doc: "Password of the database's user, where it asks for one.")
    public static let tls = Setting(
        "store.tls", .choice(["verify-full", "verify-ca", "off"]), default: "verify-full",
        doc:
            "How the PostgreSQL server proves who it is: its certificate is of `tlsAuthority` and names the host, or is of the authority. `off` is for loopback only; another machine is refused without TLS. On a Unix socket it counts for nothing."
    )
    public static let authority = Setting(
        "store.tlsAuthority", .file, default: "/etc/ssl/certs/ca-certificates.crt",
        doc: "Authorities (PEM) that sign the server's certificate.")
    public static let timeLimit = Setting(
        "store.timeLimit", .duration(1000...600_000), default: "30s",
        doc: "Longest time of one call to the database. A call that is over it fails; sending is not concerned.")

    public static let all: [Setting] = [url, passwordFile, tls, authority, timeLimit]
}
