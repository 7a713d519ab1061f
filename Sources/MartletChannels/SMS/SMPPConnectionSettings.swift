public import MartletModel
public import SMPP

/// One connection group's way out by SMPP, as it stands in the settings file. Durations are milliseconds.
public struct SMPPConnectionSettings: Equatable, Sendable {
    public enum BindMode: String, CaseIterable, Sendable {
        /// One bind that sends and hears.
        case transceiver
        /// A transmitter and a receiver bind.
        case split
    }

    public var name: String
    public var host: String
    public var port: Int
    public var bind: BindMode
    /// Connections made of this entry, each with a window and pace of its own.
    public var binds: Int
    public var systemID: String
    /// Read from the password file by the composition root; never logged.
    public var password: String
    public var systemType: String
    /// submit_sm without an answer.
    public var window: Int
    /// 0: no limit.
    public var messagesPerSecond: Int
    /// 0: no limit.
    public var partsPerSecond: Int
    public var enquireInterval: Int64
    public var answerTimeout: Int64
    public var bindTimeout: Int64
    public var tls: Bool
    /// PEM file with the authorities that may vouch for the peer; nil: the system's.
    public var tlsAuthority: String?
    /// PEM files of a certificate of our own, both or none.
    public var tlsCertificate: String?
    public var tlsKey: String?
    /// Why plaintext may be spoken beyond loopback; nil: it may not.
    public var plaintextReason: String?
    /// Nil: by the form of the sender.
    public var sourceTon: UInt8?
    public var sourceNpi: UInt8?
    public var destinationTon: UInt8
    public var destinationNpi: UInt8
    public var serviceType: String
    /// Whether validity_period is sent.
    public var sendValidity: Bool
    /// Of its operator: the same for all connections of a group.
    public var profile: OperatorProfile
    /// What statuses mean to this provider.
    public var statuses: StatusTable

    public init(
        name: String, host: String, port: Int, systemID: String, password: String, bind: BindMode = .transceiver, binds: Int = 1,
        systemType: String = "", window: Int = 50, messagesPerSecond: Int = 0, partsPerSecond: Int = 0,
        enquireInterval: Int64 = 30_000, answerTimeout: Int64 = 10_000, bindTimeout: Int64 = 10_000, tls: Bool = false,
        tlsAuthority: String? = nil, tlsCertificate: String? = nil, tlsKey: String? = nil, plaintextReason: String? = nil,
        sourceTon: UInt8? = nil, sourceNpi: UInt8? = nil, destinationTon: UInt8 = 1, destinationNpi: UInt8 = 1,
        serviceType: String = "", sendValidity: Bool = true, profile: OperatorProfile = .standard,
        statuses: StatusTable = StatusTable()
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.bind = bind
        self.binds = binds
        self.systemID = systemID
        self.password = password
        self.systemType = systemType
        self.window = window
        self.messagesPerSecond = messagesPerSecond
        self.partsPerSecond = partsPerSecond
        self.enquireInterval = enquireInterval
        self.answerTimeout = answerTimeout
        self.bindTimeout = bindTimeout
        self.tls = tls
        self.tlsAuthority = tlsAuthority
        self.tlsCertificate = tlsCertificate
        self.tlsKey = tlsKey
        self.plaintextReason = plaintextReason
        self.sourceTon = sourceTon
        self.sourceNpi = sourceNpi
        self.destinationTon = destinationTon
        self.destinationNpi = destinationNpi
        self.serviceType = serviceType
        self.sendValidity = sendValidity
        self.profile = profile
        self.statuses = statuses
    }

    /// Whether going from `old` to these settings needs a new bind; everything else is applied to the open one.
    func needsRebind(from old: SMPPConnectionSettings) -> Bool {
        host != old.host || port != old.port || bind != old.bind || systemID != old.systemID || password != old.password
            || systemType != old.systemType || tls != old.tls || tlsAuthority != old.tlsAuthority
            || tlsCertificate != old.tlsCertificate || tlsKey != old.tlsKey
    }

    /// Whether it is another account or machine that takes the messages.
    public func hasOtherPeer(than other: SMPPConnectionSettings) -> Bool {
        host != other.host || port != other.port || systemID != other.systemID
    }

    var session: ClientSession.Settings {
        ClientSession.Settings(
            window: window, bindTimeout: bindTimeout * 1000, enquireInterval: enquireInterval * 1000, answerTimeout: answerTimeout * 1000)
    }

    /// Whether the host is this machine by its name, so that plaintext to it leaves no wire.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 0x2E || (48...57).contains($0) })
    }
}

/// A setting that cannot be used, with what to do about it.
public struct SMPPSettingsFault: Error, Equatable, Sendable {
    /// Path of the setting within `connections[]`.
    public var setting: String
    public var reason: String
}

extension SMPPConnectionSettings {
    /// All that is wrong, by the ranges of `all` and what depends on several settings. Empty: usable.
    public func faults() -> [SMPPSettingsFault] {
        var faults: [SMPPSettingsFault] = []
        func check(_ fine: Bool, _ setting: String, _ reason: String) {
            if !fine { faults.append(SMPPSettingsFault(setting: setting, reason: reason)) }
        }
        func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 31 && $0 < 127 } }
        check(!name.isEmpty && name.utf8.count <= 32, "name", "1 to 32 bytes")
        check(!host.isEmpty && host.utf8.count <= 253, "host", "a host name or address of 1 to 253 bytes")
        check((1...65_535).contains(port), "port", "1 to 65535")
        check((1...32).contains(binds), "binds", "1 to 32")
        check((1...15).contains(systemID.utf8.count) && isPlain(systemID), "systemId", "1 to 15 printable ASCII characters")
        check(password.utf8.count <= 64 && isPlain(password), "passwordFile", "its text is at most 64 printable ASCII characters")
        check(systemType.utf8.count <= 12 && isPlain(systemType), "systemType", "at most 12 printable ASCII characters")
        check(serviceType.utf8.count <= 5 && isPlain(serviceType), "serviceType", "at most 5 printable ASCII characters")
        check((1...10_000).contains(window), "window", "1 to 10000")
        check((0...20_000).contains(messagesPerSecond), "messagesPerSecond", "0 to 20000")
        check((0...20_000).contains(partsPerSecond), "partsPerSecond", "0 to 20000")
        check((100...600_000).contains(enquireInterval), "enquireInterval", "100ms to 10m")
        check((100...600_000).contains(answerTimeout), "answerTimeout", "100ms to 10m")
        check((100...120_000).contains(bindTimeout), "bindTimeout", "100ms to 2m")
        check((tlsCertificate == nil) == (tlsKey == nil), "tlsCertificate", "is set together with tlsKey")
        check(
            tls || (tlsAuthority == nil && tlsCertificate == nil), "tls", "is off though a TLS file is set: turn it on or remove the file")
        check(
            tls || isLoopback || !(plaintextReason ?? "").isEmpty, "tls",
            "plaintext beyond loopback is refused: turn TLS on, or give plaintextReason")
        return faults
    }
}

extension SMPPConnectionSettings {
    private static func setting(
        _ name: String, _ kind: Setting.Kind, default fallback: String?, reload: Setting.Reload = .live, doc: String
    ) -> Setting {
        Setting("connections[].\(name)", kind, default: fallback, reload: reload, doc: doc)
    }

    public static let nameSetting = setting(
        "name", .text(maximumBytes: 32), default: nil, reload: .restart,
        doc: "Name in traces, metrics and commands; the binds of it are called NAME-1, NAME-2 and so on.")
    public static let groupSetting = setting(
        "group", .text(maximumBytes: 32), default: nil, reload: .restart,
        doc:
            "Operator or aggregator behind it. Connections of one group share routes and ids: a receipt may come in over any of them."
    )
    public static let hostSetting = setting("host", .text(maximumBytes: 253), default: nil, doc: "Host name or address of the SMSC.")
    public static let portSetting = setting("port", .integer(1...65_535), default: "2775", doc: "TCP port of the SMSC.")
    public static let bindSetting = setting(
        "bind", .choice(BindMode.allCases.map(\.rawValue)), default: "transceiver",
        doc: "`transceiver`: one bind that sends and hears. `split`: a transmitter and a receiver bind.")
    public static let bindsSetting = setting(
        "binds", .integer(1...32), default: "1", reload: .restart,
        doc: "Connections made of this entry, 1 to 32. Window and rates are of each one.")
    public static let systemIDSetting = setting("systemId", .text(maximumBytes: 15), default: nil, doc: "Account name at the SMSC.")
    public static let passwordFileSetting = setting(
        "passwordFile", .file, default: "", doc: "File whose first line is the password; empty: no password. Only its owner may read it.")
    public static let systemTypeSetting = setting(
        "systemType", .text(maximumBytes: 12), default: "", doc: "system_type of the bind, where the operator asks for one.")
    public static let windowSetting = setting(
        "window", .integer(1...10_000), default: "50",
        doc: "Message parts sent and not yet answered, 1 to 10000. Ask the operator for the most it takes.")
    public static let messagesPerSecondSetting = setting(
        "messagesPerSecond", .integer(0...20_000), default: "0", doc: "Most messages in any one second; 0: no limit.")
    public static let partsPerSecondSetting = setting(
        "partsPerSecond", .integer(0...20_000), default: "0",
        doc: "Most message parts in any one second, which is what operators count; 0: no limit.")
    public static let enquireIntervalSetting = setting(
        "enquireInterval", .duration(100...600_000), default: "30s",
        doc: "Silence of the SMSC before it is asked for a sign of life. 100ms to 10m.")
    public static let answerTimeoutSetting = setting(
        "answerTimeout", .duration(100...600_000), default: "10s",
        doc: "Wait for an answer; a part without one is then unknown, which is no failure. 100ms to 10m.")
    public static let bindTimeoutSetting = setting(
        "bindTimeout", .duration(100...120_000), default: "10s",
        doc: "Wait for the connection, TLS and the answer to the bind. 100ms to 2m.")
    public static let tlsSetting = setting(
        "tls", .flag, default: "false", doc: "Speak TLS 1.2 or newer; the peer's certificate and name are checked.")
    public static let tlsAuthoritySetting = setting(
        "tlsAuthority", .file, default: "", doc: "PEM file with the authorities that may vouch for the SMSC; empty: those of the system.")
    public static let tlsCertificateSetting = setting(
        "tlsCertificate", .file, default: "", doc: "PEM file with a certificate of our own and its chain, where the operator asks for one.")
    public static let tlsKeySetting = setting("tlsKey", .file, default: "", doc: "PEM file with the private key of `tlsCertificate`.")
    public static let plaintextReasonSetting = setting(
        "plaintextReason", .text(maximumBytes: 200), default: "",
        doc: "Why plaintext may be spoken beyond loopback, for example because it runs in a VPN. Empty: it may not.")
    public static let sourceTonSetting = setting(
        "sourceTon", .text(maximumBytes: 1), default: "",
        doc: "Type of number of senders, 0 to 6. Empty: 5 for names, 1 for numbers of 7 and more digits, 3 for short codes.")
    public static let sourceNpiSetting = setting(
        "sourceNpi", .text(maximumBytes: 2), default: "",
        doc: "Numbering plan of senders, 0 to 18. Empty: 1 for numbers of 7 and more digits, else 0.")
    public static let destinationTonSetting = setting("destinationTon", .integer(0...6), default: "1", doc: "Type of number of recipients.")
    public static let destinationNpiSetting = setting(
        "destinationNpi", .integer(0...18), default: "1", doc: "Numbering plan of recipients.")
    public static let serviceTypeSetting = setting(
        "serviceType", .text(maximumBytes: 5), default: "", doc: "service_type of every message.")
    public static let sendValiditySetting = setting(
        "sendValidity", .flag, default: "true", doc: "Tell the SMSC when to give up. Off only where an operator refuses relative times.")
    public static let statusesSetting = setting(
        "statuses", .text(maximumBytes: 1024), default: "",
        doc: """
            What statuses mean to this operator where it differs from SMPP 3.4: pairs with blanks between them, such as \
            `0x45=permanent 0x0451=throttled`. Meanings: throttled (later, slower, costs no attempt), temporary (later), permanent.
            """)

    public static let all: [Setting] =
        [
            nameSetting, groupSetting, hostSetting, portSetting, bindSetting, bindsSetting, systemIDSetting, passwordFileSetting,
            systemTypeSetting, windowSetting, messagesPerSecondSetting, partsPerSecondSetting, enquireIntervalSetting, answerTimeoutSetting,
            bindTimeoutSetting, tlsSetting, tlsAuthoritySetting, tlsCertificateSetting, tlsKeySetting, plaintextReasonSetting,
            sourceTonSetting, sourceNpiSetting, destinationTonSetting, destinationNpiSetting, serviceTypeSetting, sendValiditySetting,
            statusesSetting,
        ] + OperatorProfileWords.all

    /// Reads the text of `connections[].statuses`.
    /// - Throws: naming the first pair that cannot be read.
    public static func statuses(from text: String) throws(SMPPSettingsFault) -> StatusTable {
        var table = StatusTable()
        for pair in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\n" }) {
            let halves = pair.split(separator: "=", omittingEmptySubsequences: false)
            let number =
                halves[0].hasPrefix("0x") || halves[0].hasPrefix("0X") ? UInt32(halves[0].dropFirst(2), radix: 16) : UInt32(halves[0])
            guard halves.count == 2, let number, number != 0, let meaning = StatusMeaning(rawValue: String(halves[1])), meaning != .accepted
            else {
                throw SMPPSettingsFault(setting: "statuses", reason: "cannot read `\(pair)`: write it as 0x45=permanent")
            }
            table.exceptions[number] = meaning
        }
        return table
    }
}
