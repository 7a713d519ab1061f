public import MartletModel

/// Settings of the node itself; each stands here once, and the loader, the sample file and the reference page come from it.
public enum NodeSettings {
    public static let name = Setting(
        "node.name", .text(maximumBytes: 64), default: "martlet-1", doc: "Name of this node in its logs.")
    public static let masterKey = Setting(
        "keys.master", .file, default: nil,
        doc: "File of the master key, made by `martlet keys init`; must lie outside the data directory.")
    public static let segment = Setting(
        "journal.segment", .size(8 << 20...1 << 30), default: "64MiB", doc: "Size of one journal segment; a multiple of 4 KiB.")
    public static let keep = Setting(
        "journal.keep", .duration(60_000...90 * 86_400_000), default: "24h",
        doc: "How long ended messages stay in the journal, so that state and trace answer for them. Open messages are never trimmed.")
    public static let cap = Setting(
        "journal.cap", .size(64 << 20...1 << 44), default: "4GiB",
        doc: "Size over which the oldest ended messages go before their time, with an alarm in the log.")
    public static let commitGap = Setting(
        "journal.commitGap", .duration(0...50), default: "1ms",
        doc: "Least time between two commits under load; a lone message is always committed at once.")
    public static let sync = Setting(
        "journal.sync", .flag, default: "true",
        doc: "Only tests switch it off, and only with MARTLET_TEST_UNSAFE=1 in the environment: a power cut then loses accepted messages.")
    public static let openMessages = Setting(
        "limits.openMessages", .integer(1000...50_000_000), default: "2000000",
        doc: "Messages, notifications and their steps open at once (about 120 bytes of memory each); beyond it senders hear 503.")
    public static let idempotencyKeys = Setting(
        "limits.idempotencyKeys", .integer(10_000...1_000_000_000), default: "100000000",
        doc: "Idempotency keys remembered at once, each for 24 hours (about 3 bytes of memory and 32 of disk each); beyond it requests "
            + "with a key hear 503.")
    public static let parts = Setting(
        "limits.parts", .integer(1...10), default: "10", doc: "Parts of one text message; a longer text is refused.")
    public static let dayBegins = Setting(
        "limits.dayBegins", .duration(0...86_340_000), default: "0s",
        doc: "Time after midnight UTC at which the day of the quotas begins: 23h for a bank whose midnight is an hour before that of UTC.")
    public static let metricsListen = Setting(
        "metrics.listen", .address, default: "127.0.0.1:8091", doc: "Address of /metrics, /healthz and /readyz.")
    public static let metricsPlaintext = Setting(
        "metrics.plaintextReason", .text(maximumBytes: 200), default: "",
        doc:
            "Why these pages, which need no key, may be served beyond loopback, for example on a network of operations only. Empty: they may not."
    )
    public static let routePrefix = Setting(
        "routes[].prefix", .text(maximumBytes: 15), default: "", reload: .live,
        doc: "Digits that a number begins with, without plus; empty for every number. The longest prefix wins.")
    public static let routeGroup = Setting(
        "routes[].group", .text(maximumBytes: 32), default: nil, reload: .live, doc: "Connection group that serves these numbers.")
    public static let sourceName = Setting(
        "bootstrap.sources[].name", .text(maximumBytes: 64), default: nil, doc: "Name of a sender system, taken over at start.")
    public static let sourceScopes = Setting(
        "bootstrap.sources[].scopes", .list(of: "scope"), default: "[send, read]", doc: "What its keys may do: send, read.")
    public static let sourceSenders = Setting(
        "bootstrap.sources[].senders", .list(of: "sender id"), default: "[]", doc: "Sender ids it may use; empty: any.")
    public static let sourceClasses = Setting(
        "bootstrap.sources[].classes", .list(of: "class"), default: "[]", doc: "Classes it may use; empty: any.")
    public static let sourceSender = Setting(
        "bootstrap.sources[].sender", .text(maximumBytes: 15), default: "", doc: "Sender id of its messages that name none.")
    public static let sourceClass = Setting(
        "bootstrap.sources[].class", .choice(MessageClass.allCases.map(\.word)), default: "transactional",
        doc: "Class of its messages that name none.")

    public static let sourceRate = Setting(
        "bootstrap.sources[].rate", .integer(SourceLimits.rateRange), default: "0",
        doc:
            "Parts a second that it may hand in over all doors, 0 for any. Security messages and codes have the same again for themselves. "
            + "As the other limits of a source it is taken over when the source is made; `martlet source limit` changes it.")
    public static let sourceBurst = Setting(
        "bootstrap.sources[].burst", .integer(SourceLimits.rateRange), default: "0",
        doc: "Parts that it may hand in at once after a silence; 0: as many as in one second of its rate.")
    public static let sourceQuota = Setting(
        "bootstrap.sources[].dailyQuota", .integer(SourceLimits.quotaRange), default: "0",
        doc: "Parts that it may hand in on one day, 0 for any. Security messages and codes count, and are taken beyond it.")
    public static let sourceCertificates = Setting(
        "bootstrap.sources[].certificates", .list(of: "certificate"), default: "[]",
        doc: "Client certificates its keys may be used with: sha256:FINGERPRINT, cn:NAME, dns:NAME, uri:NAME or email:ADDRESS. "
            + "Empty: none is needed. They are shown over `http.tls.clientAuthority`.")

    public static let all: [Setting] = [
        name, masterKey, segment, keep, cap, commitGap, sync, openMessages, idempotencyKeys, parts, dayBegins, metricsListen,
        metricsPlaintext, routePrefix, routeGroup,
        sourceName,
        sourceScopes, sourceSenders, sourceClasses, sourceSender, sourceClass, sourceRate, sourceBurst, sourceQuota, sourceCertificates,
    ]
}
