public import Guard
public import MartletModel

/// One endpoint at which a source hears of the ends of its messages.
public struct Webhook: Sendable, Equatable {
    /// Name of the source.
    public var source: String
    public var url: OutboundURL
    /// The newest first; each signs.
    public var secrets: [WebhookSecret]
    /// Milliseconds for one try.
    public var timeout: Int64
    /// Posts that wait for their answers.
    public var inFlight: Int
    public var tells: Submission.Tells

    public init(
        source: String, url: OutboundURL, secrets: [WebhookSecret], timeout: Int64 = 15_000, inFlight: Int = 16,
        tells: Submission.Tells = [.delivered, .failed]
    ) {
        self.source = source
        self.url = url
        self.secrets = secrets
        self.timeout = timeout
        self.inFlight = inFlight
        self.tells = tells
    }

    /// The ends by their words in settings; nil for another word.
    public static func tells(_ words: [String]) -> Submission.Tells? {
        var tells: Submission.Tells = []
        for word in words {
            switch word {
            case "delivered": tells.insert(.delivered)
            case "failed": tells.insert(.failed)
            default: return nil
            }
        }
        return tells
    }
}

public enum WebhookSettings {
    public static let source = Setting(
        "webhooks[].source", .text(maximumBytes: 64), default: nil, reload: .live,
        doc: "Name of the source that hears of the ends of its messages here. A source has one webhook or SMPP accounts, not both.")
    public static let url = Setting(
        "webhooks[].url", .text(maximumBytes: OutboundURL.maximumBytes), default: nil, reload: .live,
        doc: "Where they are posted to. `outbound.allow` must allow it; https, unless plaintext is allowed there or it is on loopback.")
    public static let secretFile = Setting(
        "webhooks[].secretFile", .file, default: nil, reload: .live,
        doc: "File with the secret that signs: `whsec_` and 24 to 64 bytes in base64. While a receiver changes over, several, a line each, "
            + "the newest first: all of them sign. At most \(WebhookSecret.maximum).")
    public static let timeout = Setting(
        "webhooks[].timeout", .duration(1000...30_000), default: "15s", reload: .live,
        doc: "Longest time for one try, connecting included; from 1s to 30s.")
    public static let inFlight = Setting(
        "webhooks[].inFlight", .integer(1...256), default: "16", reload: .live,
        doc: "Posts that may wait for their answers at once, 1 to 256. One means strictly one after the other.")
    public static let ends = Setting(
        "webhooks[].ends", .list(of: "end"), default: "[delivered, failed]", reload: .live,
        doc: "Of which ends it hears: `delivered`, and `failed`, which is every other. It holds for messages taken from now on.")

    public static let all: [Setting] = [source, url, secretFile, timeout, inFlight, ends]
}

/// Where Martlet may open connections by HTTP at all. Declared here, since the module that holds the rules knows no settings.
public enum OutboundSettings {
    public static let host = Setting(
        "outbound.allow[].host", .text(maximumBytes: 253), default: nil, reload: .live,
        doc:
            "A host name, an address or a block of addresses (`10.20.0.0/16`) that Martlet may connect to by HTTP. Nothing else is reached. "
            + "A name that leads to loopback, link-local, multicast or metadata addresses is refused unless a block names these, too.")
    public static let ports = Setting(
        "outbound.allow[].ports", .list(of: "port"), default: "[443]", reload: .live, doc: "Ports of it, 1 to 65535.")
    public static let plaintext = Setting(
        "outbound.allow[].plaintextReason", .text(maximumBytes: 200), default: "", reload: .live,
        doc: "Why plaintext may be spoken there. Empty: it may not; on loopback no reason is needed.")
    public static let authority = Setting(
        "outbound.authority", .file, default: "",
        doc: "PEM file with authorities trusted for these connections beside the system's, such as the bank's own.")

    public static let all: [Setting] = [host, ports, plaintext, authority]
}
