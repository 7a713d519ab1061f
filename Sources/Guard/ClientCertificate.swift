import Crypto

/// Who a client is by its certificate: what `CertificateRule` looks at. The signature was verified by TLS before.
public struct ClientCertificate: Equatable, Sendable {
    /// SHA-256 of the whole certificate.
    public var fingerprint: [UInt8]
    /// CN of the subject, as they stand there.
    public var commonNames: [String] = []
    /// Subject alternative names (RFC 5280, section 4.2.1.6).
    public var dnsNames: [String] = []
    public var uris: [String] = []
    public var emails: [String] = []

    /// - Parameter der: the certificate as it came. What cannot be read of it gives no names, so no rule by name holds.
    public init(der: [UInt8]) {
        fingerprint = Array(SHA256.hash(data: der))
        var outer = DERReader(der[...])
        guard let certificate = outer.next(DERTag.sequence) else { return }
        var parts = DERReader(certificate)
        guard let signed = parts.next(DERTag.sequence) else { return }
        var fields = DERReader(signed)
        // Version, then serial number, algorithm, issuer, validity (RFC 5280, section 4.1).
        fields.skip(DERTag.version)
        guard fields.next(DERTag.integer) != nil, fields.next(DERTag.sequence) != nil, fields.next(DERTag.sequence) != nil,
            fields.next(DERTag.sequence) != nil, let subject = fields.next(DERTag.sequence)
        else { return }
        readSubject(subject)
        while let (tag, content) = fields.next() {
            if tag == DERTag.extensions { readExtensions(content) }
        }
    }

    private mutating func readSubject(_ content: ArraySlice<UInt8>) {
        var sets = DERReader(content)
        while let set = sets.next(DERTag.set) {
            var pairs = DERReader(set)
            while let pair = pairs.next(DERTag.sequence) {
                var fields = DERReader(pair)
                guard let name = fields.next(DERTag.objectIdentifier), name.elementsEqual(ClientCertificate.commonName),
                    let (tag, value) = fields.next(), DERTag.texts.contains(tag)
                else { continue }
                commonNames.append(String(decoding: value, as: UTF8.self))
            }
        }
    }

    private mutating func readExtensions(_ content: ArraySlice<UInt8>) {
        var outer = DERReader(content)
        guard let list = outer.next(DERTag.sequence) else { return }
        var extensions = DERReader(list)
        while let one = extensions.next(DERTag.sequence) {
            var fields = DERReader(one)
            guard let name = fields.next(DERTag.objectIdentifier), name.elementsEqual(ClientCertificate.alternativeNames) else { continue }
            fields.skip(DERTag.boolean)
            guard let octets = fields.next(DERTag.octets) else { continue }
            var inner = DERReader(octets)
            guard let names = inner.next(DERTag.sequence) else { continue }
            var reader = DERReader(names)
            while let (tag, value) = reader.next() {
                switch tag {
                case 0x81: emails.append(String(decoding: value, as: UTF8.self))
                case 0x82: dnsNames.append(String(decoding: value, as: UTF8.self))
                case 0x86: uris.append(String(decoding: value, as: UTF8.self))
                default: break
                }
            }
        }
    }

    /// 2.5.4.3 and 2.5.29.17.
    private static let commonName: [UInt8] = [0x55, 0x04, 0x03]
    private static let alternativeNames: [UInt8] = [0x55, 0x1D, 0x11]
}

/// Which certificates may speak for a source or an account.
public enum CertificateRule: Equatable, Sendable, CustomStringConvertible {
    case fingerprint([UInt8])
    case commonName(String)
    case dns(String)
    case uri(String)
    case email(String)

    /// `sha256:` and 64 hexadecimal digits, with or without colons; `cn:`, `dns:`, `uri:` or `email:` and the whole name. Nil: none of
    /// these.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let value = text[text.index(after: colon)...]
        guard !value.isEmpty else { return nil }
        switch text[..<colon].lowercased() {
        case "sha256":
            guard let bytes = Hex.bytes(String(value.filter { $0 != ":" }).lowercased()), bytes.count == 32 else { return nil }
            self = .fingerprint(bytes)
        case "cn": self = .commonName(String(value))
        case "dns": self = .dns(value.lowercased())
        case "uri": self = .uri(String(value))
        case "email": self = .email(String(value))
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .fingerprint(let bytes): "sha256:\(Hex.text(bytes))"
        case .commonName(let name): "cn:\(name)"
        case .dns(let name): "dns:\(name)"
        case .uri(let name): "uri:\(name)"
        case .email(let name): "email:\(name)"
        }
    }

    /// Whole names only: a wildcard in a client's certificate stands for itself.
    public func holds(of certificate: ClientCertificate) -> Bool {
        switch self {
        case .fingerprint(let bytes): certificate.fingerprint == bytes
        case .commonName(let name): certificate.commonNames.contains(name)
        case .dns(let name): certificate.dnsNames.contains { $0.lowercased() == name }
        case .uri(let name): certificate.uris.contains(name)
        case .email(let name): certificate.emails.contains(name)
        }
    }

    /// Whether one of these rules, as text, holds. A text that is no rule holds for nobody.
    public static func holds(_ rules: [String], of certificate: ClientCertificate?) -> Bool {
        guard let certificate else { return false }
        return rules.contains { CertificateRule($0)?.holds(of: certificate) ?? false }
    }

    public static let forms = "sha256:FINGERPRINT, cn:NAME, dns:NAME, uri:NAME or email:ADDRESS"
}

/// Tags of DER that a certificate has where it is read (ITU-T X.690).
enum DERTag {
    static let boolean: UInt8 = 0x01
    static let integer: UInt8 = 0x02
    static let octets: UInt8 = 0x04
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31
    static let version: UInt8 = 0xA0
    static let extensions: UInt8 = 0xA3
    /// UTF8String, PrintableString and IA5String: all that new certificates have (RFC 5280, section 4.1.2.4).
    static let texts: Set<UInt8> = [0x0C, 0x13, 0x16]
}

/// Steps through the values of one level; ends at the first that is not whole.
struct DERReader {
    private var rest: ArraySlice<UInt8>
    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func next() -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        guard let tag = rest.first, let first = rest.dropFirst().first else { return nil }
        var start = rest.startIndex + 2
        var count = Int(first)
        if first >= 0x80 {
            let octets = Int(first & 0x7F)
            // 1 to 3 octets hold 16 MB, far more than TLS takes.
            guard (1...3).contains(octets), rest.endIndex - start >= octets else { return nil }
            count = rest[start..<start + octets].reduce(0) { $0 << 8 | Int($1) }
            start += octets
        }
        guard rest.endIndex - start >= count else { return nil }
        let content = rest[start..<start + count]
        rest = rest[(start + count)...]
        return (tag, content)
    }

    /// The content of the next value if it has this tag; else nothing more is read.
    mutating func next(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard let value = next(), value.tag == tag else {
            rest = []
            return nil
        }
        return value.content
    }

    /// Steps over a value of this tag, if it is the next.
    mutating func skip(_ tag: UInt8) {
        if rest.first == tag { _ = next() }
    }
}
