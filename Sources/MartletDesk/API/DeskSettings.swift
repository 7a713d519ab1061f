public import MartletModel

/// What the desk is told at start. The values stand for the settings declared in `all`; their ranges are checked there.
public struct DeskSettings: Sendable {
    public var isEnabled: Bool
    public var host: String
    /// 0 takes a free one, for tests.
    public var port: Int
    /// Why plaintext may be spoken beyond loopback; nil: it may not.
    public var plaintextReason: String?
    /// PEM files; both or none.
    public var certificate: String?
    public var key: String?
    /// Bytes of one request's body.
    public var maximumBody: Int
    public var maximumConnections: Int
    public var timeLimit: Duration
    /// File outside the data directory to which checkpoints of the audit are added; nil: they stand in the log alone.
    public var checkpoints: String?
    /// 0...19, as nice(1) has it.
    public var niceness: Int
    /// File outside the data directory that gets the list of erasures; nil: whoever backs up copies it.
    public var erasures: String?
    /// No text is published that nobody but its author has looked at.
    public var needsApproval: Bool

    public init(
        isEnabled: Bool = true, host: String = "127.0.0.1", port: Int = 8090, plaintextReason: String? = nil, certificate: String? = nil,
        key: String? = nil, maximumBody: Int = 256 << 10, maximumConnections: Int = 256, timeLimit: Duration = .seconds(30),
        checkpoints: String? = nil, niceness: Int = 10, erasures: String? = nil, needsApproval: Bool = false
    ) {
        self.isEnabled = isEnabled
        self.host = host
        self.port = port
        self.plaintextReason = plaintextReason
        self.certificate = certificate
        self.key = key
        self.maximumBody = maximumBody
        self.maximumConnections = maximumConnections
        self.timeLimit = timeLimit
        self.checkpoints = checkpoints
        self.niceness = niceness
        self.erasures = erasures
        self.needsApproval = needsApproval
    }

    /// What does not hold of the values together, with the setting to correct. Files are not read: what is wrong with one must not keep a
    /// node from starting.
    public var faults: [(setting: Setting, reason: String)] {
        guard (certificate == nil) == (key == nil) else {
            return [(DeskSettings.tlsCertificate, "certificate and key are set together or not at all")]
        }
        if certificate == nil, !DeskSettings.isLoopback(host), plaintextReason == nil {
            return [(DeskSettings.listen, "\(host) is reached from other machines; set desk.tls, or give desk.plaintextReason")]
        }
        return []
    }

    /// Whether the address is of this machine alone.
    static func isLoopback(_ host: String) -> Bool {
        let isNumber = host.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        return host == "localhost" || host == "::1" || host.hasPrefix("127.") && isNumber
    }

    public static let enabled = Setting(
        "desk.enabled", .flag, default: "true",
        doc: "Whether `martlet serve` starts the desk beside the node. Without it nothing is administered here; sending does not notice.")
    public static let listen = Setting(
        "desk.listen", .address, default: "127.0.0.1:8090",
        doc: "Address of the admin API, and of the desk's `/metrics`, `/healthz` and `/readyz`. Beyond loopback it needs `desk.tls`, or "
            + "`desk.plaintextReason`.")
    public static let plaintext = Setting(
        "desk.plaintextReason", .text(maximumBytes: 200), default: "",
        doc: "Why the admin API may speak plaintext beyond loopback, such as a proxy on this host that ends TLS. Empty: it may not.")
    public static let tlsCertificate = Setting(
        "desk.tls.certificate", .file, default: "",
        doc: "PEM file with the server's certificate, then its chain. Set it together with `desk.tls.key`; TLS 1.2 and newer are spoken.")
    public static let tlsKey = Setting(
        "desk.tls.key", .file, default: "", doc: "PEM file with the private key of `desk.tls.certificate`.")
    public static let body = Setting(
        "desk.maximumBody", .size(4096...16 << 20), default: "256KiB",
        doc: "Largest body of one request of the admin API; a larger one is refused with 413. Imports take a stream and have limits of "
            + "their own. From 4KiB to 16MiB.")
    public static let connections = Setting(
        "desk.maximumConnections", .integer(1...16_384), default: "256",
        doc: "Connections to the admin API open at once, 1 to 16384; further ones wait.")
    public static let time = Setting(
        "desk.timeLimit", .duration(1000...600_000), default: "30s",
        doc: "Longest time of one request of the admin API, then 503. From 1s to 10m.")
    public static let checkpointFile = Setting(
        "audit.checkpoints", .text(maximumBytes: 512), default: "",
        doc: "File outside the data directory, to which the desk adds a signed line for the head of the audit, each minute in which it "
            + "moved. Best on another machine or a volume that only grows. Empty: the lines stand in the desk's log alone.")
    public static let nice = Setting(
        "desk.niceness", .integer(0...19), default: "10",
        doc: "How far the desk stands behind the node where both want one core, as nice(1) has it. 0: not at all.")

    public static let erasureFile = Setting(
        "keys.erasures", .text(maximumBytes: 512), default: "",
        doc:
            "File outside the data directory that gets a copy of the list of erasures, each within a second. It holds numbers and times, no "
            + "secret; a restore of keys is held against it (`martlet keys restore --erased`), so that nobody who was erased comes back. Best on "
            + "another machine. Empty: copy `DATA/keys/subjects/erased` yourself, often.")

    public static let approval = Setting(
        "rulebook.approval", .flag, default: "false", reload: .live,
        doc: "Whether every template, partial and override of a release has to be approved by somebody else than its author before it is "
            + "published. Read anew at each publishing. Going back to an earlier release asks for nothing.")

    public static let all: [Setting] = [
        enabled, listen, plaintext, tlsCertificate, tlsKey, body, connections, time, checkpointFile, nice, erasureFile, approval,
    ]
}
