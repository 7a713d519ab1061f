import Crypto

/// A secret of a webhook as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64. Whoever holds it can tell that a body is
/// Martlet's.
public struct WebhookSecret: Sendable, Equatable {
    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        case file(PrivateFileFault)
        /// Counted from 1.
        case notASecret(line: Int)
        case tooMany(maximum: Int)

        public var description: String {
            switch self {
            case .file(let fault): fault.description
            case .notASecret(let line):
                "line \(line) is not `whsec_` followed by 24 to 64 bytes in base64; make one: "
                    + "printf 'whsec_%s\\n' \"$(head -c 32 /dev/urandom | base64 -w0)\""
            case .tooMany(let maximum): "it holds more than \(maximum) secrets; take out those that no receiver uses any more"
            }
        }
    }

    public static let prefix = "whsec_"
    /// Secrets that sign at once while receivers change over.
    public static let maximum = 4
    private let key: Secret

    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix(WebhookSecret.prefix), let bytes = Base64.bytes(text.dropFirst(WebhookSecret.prefix.count)),
            (24...64).contains(bytes.count)
        else { return nil }
        key = Secret(bytes)
    }

    /// A file of its owner alone, a secret a line, the newest first; empty lines are left out.
    /// - Parameter credentials: `$CREDENTIALS_DIRECTORY` of systemd.
    public static func load(from path: String, credentials: String? = nil) throws(Fault) -> [WebhookSecret] {
        let text: String
        do throws(PrivateFileFault) {
            text = try Secret.load(from: path, credentials: credentials).reveal()
        } catch {
            throw .file(error)
        }
        var secrets: [WebhookSecret] = []
        // By bytes: a carriage return and a line feed are one character to Swift.
        for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty { continue }
            guard let secret = WebhookSecret(Substring(line)) else { throw .notASecret(line: index + 1) }
            guard secrets.count < maximum else { throw .tooMany(maximum: maximum) }
            secrets.append(secret)
        }
        guard !secrets.isEmpty else { throw .file(.empty(path: path)) }
        return secrets
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    /// - Parameters:
    ///   - id: without a full stop, which would blur where it ends.
    ///   - timestamp: seconds since 1970.
    public func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        var code = key.withBytes { HMAC<SHA256>(key: SymmetricKey(data: $0)) }
        code.update(data: Array("\(id).\(timestamp).".utf8))
        code.update(data: body)
        return "v1,\(Base64.text(Array(code.finalize())))"
    }
}
