import MartletModel
import MartletSettings

/// Settings for these tests, of every kind and shape.
enum Declared {
    static let name = Setting("node.name", .text(maximumBytes: 16), default: "node-1", doc: "Name of the node.")
    static let key = Setting("keys.master", .file, default: nil, doc: "Key file.")
    static let segment = Setting("journal.segment", .size(4096...(1 << 30)), default: "64MiB", doc: "Segment size.")
    static let gap = Setting("journal.commitGap", .duration(0...50), default: "1ms", reload: .live, doc: "Commit gap.")
    static let keep = Setting("journal.keep", .duration(60_000...(90 * 86_400_000)), default: "24h", doc: "Kept time.")
    static let sync = Setting("journal.sync", .flag, default: "true", doc: "Sync.")
    static let open = Setting("limits.openMessages", .integer(1000...2_000_000), default: "1000000", reload: .live, doc: "Open messages.")
    static let listen = Setting("http.listen", .address, default: "127.0.0.1:8080", doc: "Intake address.")
    static let reason = Setting("http.plaintextReason", .text(maximumBytes: 200), default: "", doc: "Reason.")
    static let certificate = Setting("http.tls.certificate", .file, default: "", doc: "Certificate | PEM.")
    static let group = Setting("connections[].name", .text(maximumBytes: 32), default: nil, doc: "Name.")
    static let bind = Setting("connections[].bind", .choice(["transceiver", "split"]), default: "transceiver", doc: "Bind.")
    static let window = Setting("connections[].window", .integer(1...1000), default: "50", doc: "Window.")
    static let password = Setting("connections[].passwordFile", .secret, default: nil, doc: "Password file.")
    static let offset = Setting("connections[].offset", .integer(-5...5), default: "-1", doc: "Offset.")
    static let source = Setting("bootstrap.sources[].name", .text(maximumBytes: 64), default: nil, doc: "Source.")
    static let scopes = Setting("bootstrap.sources[].scopes", .list(of: "scope"), default: "[send, read]", doc: "Scopes.")
    static let prefixes = Setting("routes.prefixes", .list(of: "prefix"), default: "[]", doc: "Prefixes.")

    static let all = [
        name, key, segment, gap, keep, sync, open, listen, reason, certificate, group, bind, window, password, offset, source, scopes,
        prefixes,
    ]

    static let valid = """
        # A whole file.
        node:
          name: harbour
        keys: {master: /etc/martlet/master.key}
        journal:
          segment: 16MiB
          commitGap: 2ms
          sync: false
        limits:
          openMessages: 5000
        http:
          listen: "[::1]:9090"
          tls:
            certificate: 'cert.pem'
        connections:
          - name: harbour-1
            window: 10
            passwordFile: /run/secrets/a
          - name: harbour-2
            bind: split
            passwordFile: /run/secrets/b
        bootstrap:
          sources:
            - name: core
              scopes: [send]
            - {name: cards}
        routes:
          prefixes:
            - 44
            - "48"

        """
}

func read(_ text: String, environment: [String: String] = [:]) -> (values: SettingValues, mistakes: [Mistake]) {
    SettingsFile.read(text: text, declared: Declared.all, environment: environment)
}

/// The mistakes of a file that has its required key besides.
func told(_ text: String, environment: [String: String] = [:]) -> [String] {
    read("keys: {master: k}\n" + text, environment: environment).mistakes.map(\.description)
}
