import Glibc
public import Guard
public import MartletModel
public import SMPP

/// What a bank's system binds with, and what it may do.
public struct SMPPAccount: Equatable, Sendable {
    public var systemID: String
    /// Read from the password file by the composition root; never logged. Nil: its certificate alone lets it in.
    public var password: String?
    /// Name of the source it sends as: that has its sender ids, classes and defaults.
    public var source: String
    public var modes: [Bind.Mode]
    /// Binds open at once.
    public var binds: Int
    /// submit_sm of one bind that wait for their answers.
    public var window: Int
    /// deliver_sm of one bind that wait for theirs.
    public var deliverWindow: Int
    /// Message parts of all its binds together; 0: no limit.
    public var partsPerSecond: Int
    /// Addresses and networks it may come from (`10.1.2.0/24`); empty: any.
    public var addresses: [AddressRange]
    /// Certificates it may bind with; empty: none is needed.
    public var certificates: [CertificateRule]
    /// What data_coding 0 means to it.
    public var defaultCoding: DefaultCoding
    public var receipts: Receipts

    public enum DefaultCoding: String, CaseIterable, Sendable { case gsm7, ascii, latin1 }
    /// What its receipts hold beside the line of appendix B.
    public enum Receipts: String, CaseIterable, Sendable {
        /// The optional parameters, and in the line the first 20 characters of the message.
        case full
        /// The optional parameters; nothing of the message.
        case parameters
        /// The first 20 characters of the message; for clients that refuse optional parameters.
        case text
        /// Neither.
        case plain
    }

    public init(
        systemID: String, password: String?, source: String, modes: [Bind.Mode] = Bind.Mode.allCases, binds: Int = 4, window: Int = 100,
        deliverWindow: Int = 50, partsPerSecond: Int = 0, addresses: [AddressRange] = [], certificates: [CertificateRule] = [],
        defaultCoding: DefaultCoding = .gsm7, receipts: Receipts = .parameters
    ) {
        self.systemID = systemID
        self.password = password
        self.source = source
        self.modes = modes
        self.binds = binds
        self.window = window
        self.deliverWindow = deliverWindow
        self.partsPerSecond = partsPerSecond
        self.addresses = addresses
        self.certificates = certificates
        self.defaultCoding = defaultCoding
        self.receipts = receipts
    }
}

extension SMPPAccount {
    /// The kind of bind by its word in settings.
    public static func mode(_ word: String) -> Bind.Mode? {
        switch word {
        case "transceiver": .transceiver
        case "transmitter": .transmitter
        case "receiver": .receiver
        default: nil
        }
    }

    /// A setting that cannot be used, with what to do about it.
    public struct Fault: Equatable, Sendable {
        /// Path of the setting within `smpp.accounts[]`.
        public var setting: String
        public var reason: String
    }

    /// All that is wrong, alone and beside the accounts before it. Empty: usable.
    /// - Parameter hasAuthority: clients are asked for certificates.
    public func faults(beside others: [SMPPAccount], hasAuthority: Bool = false) -> [Fault] {
        var faults: [Fault] = []
        func check(_ fine: Bool, _ setting: String, _ reason: String) {
            if !fine { faults.append(Fault(setting: setting, reason: reason)) }
        }
        func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 31 && $0 < 127 } }
        check((1...15).contains(systemID.utf8.count) && isPlain(systemID), "systemId", "1 to 15 printable ASCII characters")
        if let password {
            check(
                (1...8).contains(password.utf8.count) && isPlain(password), "passwordFile",
                "its text is 1 to 8 printable ASCII characters (SMPP 3.4, section 5.2.2)")
        }
        check(password != nil || !certificates.isEmpty, "passwordFile", "an account needs a password, certificates, or both")
        check(certificates.isEmpty || hasAuthority, "certificates", "no client is asked for a certificate: set smpp.tls.clientAuthority")
        check(!modes.isEmpty, "binds", "at least one kind of bind")
        check(!others.contains { $0.systemID == systemID }, "systemId", "another account has this name")
        check(
            !others.contains { $0.source == source }, "source",
            "another account sends as this source: receipts would not know their way; give each account a source of its own")
        return faults
    }
}

/// What the SMPP door is told at start.
public struct SMPPDoorSettings: Sendable {
    public var host: String
    /// 0 takes a free one, for tests.
    public var port: Int
    public var plaintextReason: String?
    /// PEM files; both or none.
    public var certificate: String?
    public var key: String?
    /// PEM file of those who sign clients' certificates; nil: none is asked for.
    public var clientAuthority: String?
    public var clientCertificates: ClientCertificates
    public var cardNumbers: CardNumbers.Policy
    /// Told in the answers to binds.
    public var systemID: String
    public var maximumConnections: Int
    /// Milliseconds from the connection to the bind.
    public var bindTimeout: Int64
    /// Milliseconds of silence after which a client is asked for a sign of life.
    public var enquireInterval: Int64
    /// Milliseconds to wait for an answer.
    public var answerTimeout: Int64
    public var accounts: [SMPPAccount]

    public init(
        host: String = "127.0.0.1", port: Int = 2775, plaintextReason: String? = nil, certificate: String? = nil, key: String? = nil,
        clientAuthority: String? = nil, clientCertificates: ClientCertificates = .required,
        cardNumbers: CardNumbers.Policy = .mask, systemID: String = "MARTLET",
        maximumConnections: Int = 1024, bindTimeout: Int64 = 10_000, enquireInterval: Int64 = 30_000,
        answerTimeout: Int64 = 10_000, accounts: [SMPPAccount] = []
    ) {
        self.host = host
        self.port = port
        self.plaintextReason = plaintextReason
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
        self.clientCertificates = clientCertificates
        self.cardNumbers = cardNumbers
        self.systemID = systemID
        self.maximumConnections = maximumConnections
        self.bindTimeout = bindTimeout
        self.enquireInterval = enquireInterval
        self.answerTimeout = answerTimeout
        self.accounts = accounts
    }

    var listening: Listening {
        Listening(
            door: "smpp", host: host, port: port, plaintextReason: plaintextReason, certificate: certificate, key: key,
            clientAuthority: clientAuthority, clientCertificates: clientCertificates)
    }

    public static let listen = Setting(
        "smpp.listen", .address, default: "127.0.0.1:2775",
        doc: """
            Address of the SMPP server for sender systems; it is there when `smpp.accounts` names any at the start. Beyond loopback it needs \
            `smpp.tls`, or `smpp.plaintextReason`.
            """)
    public static let plaintext = Setting(
        "smpp.plaintextReason", .text(maximumBytes: 200), default: "",
        doc: "Why the SMPP server may speak plaintext beyond loopback. Empty: it may not.")
    public static let tlsCertificate = Setting(
        "smpp.tls.certificate", .file, default: "",
        doc: "PEM file with the server's certificate, then its chain. Set it together with `smpp.tls.key`; TLS 1.2 and newer are spoken.")
    public static let tlsKey = Setting(
        "smpp.tls.key", .file, default: "", doc: "PEM file with the private key of `smpp.tls.certificate`.")
    public static let tlsClientAuthority = Setting(
        "smpp.tls.clientAuthority", .file, default: "",
        doc: "PEM file with the certificates of those who sign clients' certificates. With it, clients show one in the TLS handshake.")
    public static let tlsClientCertificates = Setting(
        "smpp.tls.clientCertificates", .choice(ClientCertificates.allCases.map(\.rawValue)), default: "required",
        doc: "With `smpp.tls.clientAuthority`: whether a client without a certificate is turned away in the handshake (`required`), or "
            + "only where its account is bound to certificates (`optional`).")
    public static let identity = Setting(
        "smpp.systemId", .text(maximumBytes: 15), default: "MARTLET", doc: "system_id in the answers to binds.")
    public static let connections = Setting(
        "smpp.maximumConnections", .integer(1...65_536), default: "1024",
        doc: "Connections open at once, 1 to 65536; further ones are closed.")
    public static let bindTime = Setting(
        "smpp.bindTimeout", .duration(100...600_000), default: "10s",
        doc: "Longest time from the connection to its bind; then it is closed. 100ms to 10m.")
    public static let enquire = Setting(
        "smpp.enquireInterval", .duration(100...600_000), default: "30s",
        doc: "Silence of a client before it is asked for a sign of life. 100ms to 10m.")
    public static let answerTime = Setting(
        "smpp.answerTimeout", .duration(100...600_000), default: "10s",
        doc: "Wait for a client's answer; a receipt without one is given again. 100ms to 10m.")

    private static func account(_ name: String, _ kind: Setting.Kind, default fallback: String?, doc: String) -> Setting {
        Setting("smpp.accounts[].\(name)", kind, default: fallback, reload: .live, doc: doc)
    }

    public static let accountSystemID = account(
        "systemId", .text(maximumBytes: 15), default: nil, doc: "Name that the system binds with, 1 to 15 printable ASCII characters.")
    public static let accountPassword = account(
        "passwordFile", .file, default: "",
        doc: """
            File whose first line is the password, at most 8 characters as SMPP has it. Only its owner may read it. Without it, the \
            account's `certificates` alone let it in, whatever the password in its bind.
            """)
    public static let accountSource = account(
        "source", .text(maximumBytes: 64), default: nil,
        doc: "Source it sends as: scopes, sender ids, classes and defaults are that source's.")
    public static let accountModes = account(
        "binds", .list(of: "kind of bind"), default: "[transceiver, transmitter, receiver]",
        doc: "Kinds of bind it may make: transceiver, transmitter, receiver.")
    public static let accountMaximum = account("maximumBinds", .integer(1...1000), default: "4", doc: "Binds open at once, 1 to 1000.")
    public static let accountWindow = account(
        "window", .integer(1...10_000), default: "100",
        doc: "submit_sm of one bind that may wait for their answers; one more is answered ESME_RTHROTTLED. 1 to 10000.")
    public static let accountDeliverWindow = account(
        "deliverWindow", .integer(1...10_000), default: "50", doc: "Receipts of one bind that may wait for their answers. 1 to 10000.")
    public static let accountRate = account(
        "partsPerSecond", .integer(0...100_000), default: "0",
        doc: "Most message parts in a second over all its binds; more are answered ESME_RTHROTTLED. 0: no limit.")
    public static let accountAddresses = account(
        "addresses", .list(of: "address"), default: "[]",
        doc: "Addresses and networks it may bind from, such as `10.1.2.0/24`; empty: any.")
    public static let accountCertificates = account(
        "certificates", .list(of: "certificate"), default: "[]",
        doc: """
            Client certificates it may bind with: sha256:FINGERPRINT, cn:NAME, dns:NAME, uri:NAME or email:ADDRESS. Beside a \
            password, both are needed. Empty: none is. They are shown over `smpp.tls.clientAuthority`.
            """)
    public static let accountCoding = account(
        "defaultCoding", .choice(SMPPAccount.DefaultCoding.allCases.map(\.rawValue)), default: "gsm7",
        doc: "Alphabet of data_coding 0 as this system writes it.")
    public static let accountReceipts = account(
        "receipts", .choice(SMPPAccount.Receipts.allCases.map(\.rawValue)), default: "parameters",
        doc: """
            What receipts hold beside the line of SMPP 3.4's appendix B. `parameters`: the optional ones. `text`: the first 20 \
            characters of the message. `full`: both. `plain`: neither.
            """)

    public static let all: [Setting] = [
        listen, plaintext, tlsCertificate, tlsKey, tlsClientAuthority, tlsClientCertificates, identity, connections, bindTime, enquire,
        answerTime, accountSystemID, accountPassword,
        accountSource, accountModes, accountMaximum, accountWindow, accountDeliverWindow, accountRate, accountAddresses,
        accountCertificates, accountCoding,
        accountReceipts,
    ]
}

/// An address or a network in CIDR form, IPv4 or IPv6.
public struct AddressRange: Equatable, Sendable {
    private let prefix: [UInt8]
    private let bits: Int

    /// Nil when the text is neither an address nor a network.
    public init?(_ text: some StringProtocol) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = halves.first, halves.count <= 2, let octets = AddressRange.octets(String(first)) else { return nil }
        var bits = octets.count * 8
        if halves.count == 2 {
            guard halves[1].utf8.allSatisfy({ (48...57).contains($0) }), let given = Int(halves[1]), given <= bits else {
                return nil
            }
            bits = given
        }
        prefix = octets
        self.bits = bits
    }

    /// - Parameter address: as text, without brackets or zone.
    public func contains(_ address: String) -> Bool {
        guard var octets = AddressRange.octets(address) else { return false }
        // An IPv4 peer of a socket that speaks both.
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        if prefix.count == 4, octets.count == 16, octets.starts(with: mapped) { octets.removeFirst(12) }
        guard octets.count == prefix.count else { return false }
        for bit in 0..<bits where (octets[bit / 8] ^ prefix[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 { return false }
        return true
    }

    private static func octets(_ text: String) -> [UInt8]? {
        // A NUL would hide from inet_pton what comes after it.
        guard !text.utf8.contains(0) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 { return Array(octets[..<4]) }
        return inet_pton(AF_INET6, text, &octets) == 1 ? octets : nil
    }
}
