public import MartletModel
import NIOCore

/// What the HTTP door is told at start. The values stand for the settings declared in `all`; their ranges are checked there.
public struct HTTPSettings: Sendable {
    public var host: String
    /// 0 takes a free one, for tests.
    public var port: Int
    /// Why plaintext may be spoken beyond loopback; nil: it may not.
    public var plaintextReason: String?
    /// PEM files; both or none.
    public var certificate: String?
    public var key: String?
    /// PEM file of those who sign clients' certificates; nil: none is asked for.
    public var clientAuthority: String?
    public var clientCertificates: ClientCertificates
    public var cardNumbers: CardNumbers.Policy
    /// Bytes of one request's body, and of one line of a batch.
    public var maximumBody: Int
    /// Bytes of one batch's body.
    public var maximumBatchBody: Int
    public var maximumConnections: Int
    /// Milliseconds that a connection may stay without a request, or that its peer may take no byte of an answer.
    public var idleTimeout: Int64
    /// Milliseconds from the first byte of a request's head to its last.
    public var headTimeout: Int64
    /// Milliseconds from the end of a request's head to the end of its body; of a batch, from one line to the next.
    public var bodyTimeout: Int64

    public init(
        host: String = "127.0.0.1", port: Int = 8080, plaintextReason: String? = nil, certificate: String? = nil, key: String? = nil,
        clientAuthority: String? = nil, clientCertificates: ClientCertificates = .required,
        cardNumbers: CardNumbers.Policy = .mask, maximumBody: Int = 16 * 1024, maximumBatchBody: Int = 8 << 20,
        maximumConnections: Int = 4096, idleTimeout: Int64 = 60_000,
        headTimeout: Int64 = 10_000, bodyTimeout: Int64 = 15_000
    ) {
        self.host = host
        self.port = port
        self.plaintextReason = plaintextReason
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
        self.clientCertificates = clientCertificates
        self.cardNumbers = cardNumbers
        self.maximumBody = maximumBody
        self.maximumBatchBody = maximumBatchBody
        self.maximumConnections = maximumConnections
        self.idleTimeout = idleTimeout
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
    }

    /// Bytes of one event's body, and of one line of a batch of events: an event may say more than a text does.
    var maximumEvent: Int { max(maximumBody, HTTPLimit.event) }

    var listening: Listening {
        Listening(
            door: "http", host: host, port: port, plaintextReason: plaintextReason, certificate: certificate, key: key,
            clientAuthority: clientAuthority, clientCertificates: clientCertificates, protocols: ["h2", "http/1.1"])
    }

    public static let listen = Setting(
        "http.listen", .address, default: "127.0.0.1:8080",
        doc: "Address of the HTTP intake. Beyond loopback it needs `http.tls`, or `http.plaintextReason`.")
    public static let plaintext = Setting(
        "http.plaintextReason", .text(maximumBytes: 200), default: "",
        doc: "Why the HTTP intake may speak plaintext beyond loopback, such as a proxy on this host that ends TLS. Empty: it may not.")
    public static let tlsCertificate = Setting(
        "http.tls.certificate", .file, default: "",
        doc: "PEM file with the server's certificate, then its chain. Set it together with `http.tls.key`; TLS 1.2 and newer are spoken.")
    public static let tlsKey = Setting(
        "http.tls.key", .file, default: "", doc: "PEM file with the private key of `http.tls.certificate`.")
    public static let tlsClientAuthority = Setting(
        "http.tls.clientAuthority", .file, default: "",
        doc: "PEM file with the certificates of those who sign clients' certificates. With it, clients show one in the TLS handshake.")
    public static let tlsClientCertificates = Setting(
        "http.tls.clientCertificates", .choice(ClientCertificates.allCases.map(\.rawValue)), default: "required",
        doc: "With `http.tls.clientAuthority`: whether a client without a certificate is turned away in the handshake (`required`), or "
            + "only where its source is bound to certificates (`optional`).")
    public static let body = Setting(
        "http.maximumBody", .size(1024...1 << 20), default: "16KiB",
        doc: "Largest body of one request, and largest line of a batch; a larger one is refused with 413. From 1KiB to 1MiB. "
            + "An event may have 64KiB in any case.")
    public static let batchBody = Setting(
        "http.maximumBatchBody", .size(64 << 10...64 << 20), default: "8MiB",
        doc: "Largest body of one batch; a larger one is refused with 413. It is taken as it arrives, never held whole. "
            + "From 64KiB to 64MiB.")
    public static let connections = Setting(
        "http.maximumConnections", .integer(1...65_536), default: "4096",
        doc: "Connections open at once, 1 to 65536; further ones are answered 503 and closed.")
    public static let idle = Setting(
        "http.idleTimeout", .duration(1000...3_600_000), default: "60s",
        doc: "A connection without a request for this long is closed, as is one whose peer takes no byte of an answer. From 1s to 1h.")
    public static let head = Setting(
        "http.headTimeout", .duration(1000...600_000), default: "10s",
        doc: "Longest time for the head of a request to arrive after its first byte; then 408. From 1s to 10m.")
    public static let bodyTime = Setting(
        "http.bodyTimeout", .duration(1000...600_000), default: "15s",
        doc: "Longest time for the body of a request to arrive after its head, or the next line of a batch; then 408. From 1s to 10m.")

    public static let all: [Setting] = [
        listen, plaintext, tlsCertificate, tlsKey, tlsClientAuthority, tlsClientCertificates, body, batchBody, connections, idle, head,
        bodyTime,
    ]
}

/// What is fixed rather than set: limits that no bank has a reason to change.
enum HTTPLimit {
    /// Requests of one connection that wait for their answers; further ones are held and reading stops.
    static let pipelineDepth = 64
    /// Bytes of the request line, and of one header's name and value.
    static let headField = 8 * 1024
    /// Bytes of a request's head in all, trailers included.
    static let head = 16 * 1024
    static let headFields = 64
    /// Of a head as HTTP/2 counts it: 32 bytes more for each field (RFC 9113, section 6.5.2).
    static let headList = head + 32 * headFields
    /// Streams of one HTTP/2 connection that are open at once: as many requests as HTTP/1.1 may pipeline.
    static let streams = pipelineDepth
    /// What a peer may do in half a minute: streams it resets, or that end in a fault of its own; PING, SETTINGS and PRIORITY frames.
    static let resetStreams = 200
    static let controlFrames = 200
    /// Answers to such frames that wait while the peer reads nothing.
    static let bufferedControlFrames = 256
    /// Largest single read from a socket. Four are made in a turn, so a connection holds at most four times this in parsed requests.
    static let readBytes = 16 * 1024
    /// Milliseconds for a refused peer to read its answer before the socket goes.
    static let lingering: Int64 = 2000
    /// Refused connections that may wait to have read their 503; those beyond are closed without a word.
    static let refusedConnections = 128
    /// Bytes of an event's body where `http.maximumBody` is less: 64 parameters of a kilobyte.
    static let event = 64 * 1024
    /// Microseconds that an event may have happened ahead of this server's clock.
    static let eventAhead: Int64 = 300_000_000
    /// Entries of one problem's `errors`.
    static let fieldErrors = 32
    /// Lines of one batch; blank ones are not counted.
    static let batchLines = 100_000
    /// Lines of one connection that wait for their answers, and bytes of answers that wait for others; beyond it, no line is taken.
    static let openLines = 1024
    static let heldLineBytes = 256 * 1024
    /// Bytes of answers after which a turn ends, so that they are sent.
    static let batchText = 64 * 1024
    /// What the lines taken in one turn of the loop may cost, of all connections: good short ones cost 1, so about a millisecond.
    static let turnCost = 256
    /// From one turn to the next: just enough to let the loop look at its sockets.
    static let turnGap = TimeAmount.microseconds(20)
}
