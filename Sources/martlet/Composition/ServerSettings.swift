import Glibc
import Guard
import Journal
import MartletChannels
import MartletDesk
import MartletDoors
import MartletEngine
import MartletModel
import MartletNode
import MartletSettings
import SMPP

/// A settings file, read and checked as a whole: typed values for every part, or all mistakes.
struct ServerSettings {
    struct ConnectionEntry {
        var group: String
        var settings: SMPPConnectionSettings
    }

    struct SourceEntry {
        var name: String
        var scopes: [String]
        var senders: [String]
        var classes: [String]
        var sender: String?
        var messageClass: String
        var limits: SourceLimits
        var certificates: [String]
    }

    var nodeName = ""
    var masterKeyFile = ""
    var node = NodeOptions(dataDirectory: "")
    var http = HTTPSettings()
    var smpp = SMPPDoorSettings()
    var inbound = InboundSection()
    var ops: (host: String, port: Int) = ("127.0.0.1", 8091)
    var connections: [ConnectionEntry] = []
    /// Of all connections, also of one with a mistake, so that one mistake does not make others.
    private var groups: Set<String> = []
    var routes: [(prefix: String, group: String)] = []
    var sources: [SourceEntry] = []
    var webhooks: [Webhook] = []
    var store = StoreSection()
    /// How the history is written, for whoever writes it.
    var projector = Projector.Options(journal: "")
    /// How long it is kept, by class.
    var retention: [HistoryRetention.Rule] = []
    var imports = ImportSettings()
    var images = ImageSettings()
    var desk = DeskSettings()
    var outbound = OutboundRules()
    /// File of further authorities for outbound TLS.
    var outboundAuthority: String?

    /// Mistakes as lines that a person can act on.
    struct Mistakes: Error {
        var lines: [String]
    }

    /// - Parameter opensStore: for the desk and for verbs that ask the store: its password is read too.
    static func read(
        file: String, dataDirectory: String, environment: [String: String], opensStore: Bool = false
    ) throws -> ServerSettings {
        let (values, found) = SettingsFile.read(file: file, declared: Declared.settings, environment: environment)
        var mistakes = found
        var settings = ServerSettings()
        if found.isEmpty { settings.take(values, dataDirectory, environment, opensStore, &mistakes) }
        guard mistakes.isEmpty else { throw Mistakes(lines: mistakes.map { $0.text(file: file) }) }
        return settings
    }

    private mutating func take(
        _ values: SettingValues, _ dataDirectory: String, _ environment: [String: String], _ opensStore: Bool, _ mistakes: inout [Mistake]
    ) {
        nodeName = values.text(NodeSettings.name)
        masterKeyFile = values.text(NodeSettings.masterKey)
        node = NodeOptions(dataDirectory: dataDirectory)
        node.journal.segmentSize = values.size(NodeSettings.segment) / 4096 * 4096
        node.journal.sync = values.flag(NodeSettings.sync)
        if !node.journal.sync, environment["MARTLET_TEST_UNSAFE"] != "1" {
            mistakes.append(
                values.mistake(
                    NodeSettings.sync, "without sync a power cut loses accepted messages", remedy: "remove the line; it is for tests only"))
        }
        node.commitGap = values.duration(NodeSettings.commitGap) * 1000
        node.keepMicroseconds = values.duration(NodeSettings.keep) * 1000
        node.capBytes = values.size(NodeSettings.cap)
        node.engine.openMaximum = values.integer(NodeSettings.openMessages)
        node.keyMaximum = values.integer(NodeSettings.idempotencyKeys)
        node.engine.partsMaximum = values.integer(NodeSettings.parts)
        node.engine.dayBegins = values.duration(NodeSettings.dayBegins) * 1000
        ops = values.address(NodeSettings.metricsListen)
        if !["127.0.0.1", "::1", "localhost"].contains(ops.host), values.text(NodeSettings.metricsPlaintext).isEmpty {
            mistakes.append(
                values.mistake(
                    NodeSettings.metricsListen, "metrics beyond loopback are refused without a reason",
                    remedy: "listen at 127.0.0.1, or give metrics.plaintextReason"))
        }
        http = HTTPSettings(values)
        http.cardNumbers = CardNumbers.Policy(rawValue: values.text(TextGuard.cardNumbers)) ?? .mask
        for element in values.elements("connections") { takeConnection(element, environment, &mistakes) }
        for element in values.elements("routes") { takeRoute(element, &mistakes) }
        if routes.isEmpty, let only = connections.first?.group, connections.allSatisfy({ $0.group == only }) {
            routes = [(prefix: "", group: only)]
        }
        for element in values.elements("bootstrap.sources") { takeSource(element, &mistakes) }
        inbound = InboundSection(values, &mistakes)
        node.engine.inbound.partsWait = inbound.partsWait
        smpp = SMPPDoorSettings(values)
        smpp.cardNumbers = http.cardNumbers
        for element in values.elements("smpp.accounts") { takeAccount(element, environment, &mistakes) }
        takeOutbound(values, &mistakes)
        store = StoreSection(values, dataDirectory, environment, opens: opensStore, &mistakes)
        projector.journal = node.journalDirectory
        projector.folder = "\(dataDirectory)/desk"
        projector.journalCap = node.capBytes
        projector.segmentSize = node.journal.segmentSize
        projector.spillCap = values.size(HistorySettings.spill)
        projector.batch = values.integer(HistorySettings.batch)
        typealias History = HistorySettings
        retention = MessageClass.allCases.map { messageClass in
            guard let own = values.elements("history.classes").last(where: { $0.text(History.ruleClass) == messageClass.word }) else {
                return HistoryRetention.Rule(
                    messageClass: messageClass, text: values.duration(History.keepText), addresses: values.duration(History.keepAddresses),
                    rows: values.duration(History.keep), counts: values.duration(History.keepStatistics))
            }
            return HistoryRetention.Rule(
                messageClass: messageClass, text: own.duration(History.ruleKeepText), addresses: own.duration(History.ruleKeepAddresses),
                rows: own.duration(History.ruleKeep), counts: own.duration(History.ruleKeepStatistics))
        }
        imports = ImportSettings(
            maximumFile: values.size(ImportSettings.largest), keepFree: values.size(ImportSettings.free),
            keep: values.duration(ImportSettings.keepFor), lines: values.integer(ImportSettings.batch))
        images = ImageSettings(address: values.filled(ImageSettings.publicAddress), hosts: values.list(ImageSettings.bankHosts))
        for fault in images.faults { mistakes.append(values.mistake(fault.setting, fault.reason, remedy: "correct it")) }
        desk = DeskSettings(values, dataDirectory, &mistakes)
        for element in values.elements("webhooks") { takeWebhook(element, environment, &mistakes) }
    }

    private mutating func takeAccount(_ element: SettingValues, _ environment: [String: String], _ mistakes: inout [Mistake]) {
        do {
            let account = try SMPPAccount(element, credentials: environment["CREDENTIALS_DIRECTORY"])
            for fault in account.faults(beside: smpp.accounts, hasAuthority: smpp.clientAuthority != nil) {
                let setting =
                    SMPPDoorSettings.all.first { $0.path == "smpp.accounts[].\(fault.setting)" } ?? SMPPDoorSettings.accountSystemID
                mistakes.append(element.mistake(setting, fault.reason, remedy: "correct it"))
            }
            smpp.accounts.append(account)
        } catch {
            mistakes.append(error)
        }
    }

    private mutating func takeConnection(_ element: SettingValues, _ environment: [String: String], _ mistakes: inout [Mistake]) {
        groups.insert(element.text(SMPPConnectionSettings.groupSetting))
        do {
            let (profile, profileFaults) = OperatorProfileWords(element).read()
            let settings = try SMPPConnectionSettings(element, profile, credentials: environment["CREDENTIALS_DIRECTORY"])
            for fault in profileFaults + settings.faults() {
                let setting =
                    SMPPConnectionSettings.all.first { $0.path == "connections[].\(fault.setting)" } ?? SMPPConnectionSettings.nameSetting
                mistakes.append(element.mistake(setting, fault.reason, remedy: "correct it"))
            }
            if profileFaults.isEmpty { checkAgreement(element, profile, &mistakes) }
            connections.append(ConnectionEntry(group: element.text(SMPPConnectionSettings.groupSetting), settings: settings))
        } catch {
            mistakes.append(error)
        }
    }

    /// A message is planned for its group and goes by whichever of its connections has room.
    private func checkAgreement(_ element: SettingValues, _ profile: OperatorProfile, _ mistakes: inout [Mistake]) {
        let group = element.text(SMPPConnectionSettings.groupSetting)
        guard let first = connections.first(where: { $0.group == group }), let name = profile.difference(from: first.settings.profile)
        else {
            return
        }
        let setting = OperatorProfileWords.all.first { $0.path == "connections[].\(name)" } ?? OperatorProfileWords.profileSetting
        mistakes.append(
            element.mistake(
                setting, "is another than that of \(first.settings.name), which is of the same group '\(group)'",
                remedy: "give all connections of a group the same profile, or make it a group of its own"))
    }

    private mutating func takeRoute(_ element: SettingValues, _ mistakes: inout [Mistake]) {
        let prefix = element.text(NodeSettings.routePrefix)
        let group = element.text(NodeSettings.routeGroup)
        if !prefix.utf8.allSatisfy({ (48...57).contains($0) }) {
            mistakes.append(
                element.mistake(NodeSettings.routePrefix, "a prefix holds digits only", remedy: "write 44 for numbers that begin with +44"))
        }
        if !groups.contains(group) {
            mistakes.append(
                element.mistake(NodeSettings.routeGroup, "no connection is of group '\(group)'", remedy: "name the group of a connection"))
        }
        if routes.contains(where: { $0.prefix == prefix }) {
            mistakes.append(
                element.mistake(NodeSettings.routePrefix, "there is a route for this prefix already", remedy: "remove one of them"))
        }
        routes.append((prefix, group))
    }

    private mutating func takeSource(_ element: SettingValues, _ mistakes: inout [Mistake]) {
        let entry = SourceEntry(
            name: element.text(NodeSettings.sourceName), scopes: element.list(NodeSettings.sourceScopes),
            senders: element.list(NodeSettings.sourceSenders), classes: element.list(NodeSettings.sourceClasses),
            sender: element.isSet(NodeSettings.sourceSender) ? element.text(NodeSettings.sourceSender) : nil,
            messageClass: element.text(NodeSettings.sourceClass),
            limits: SourceLimits(
                rate: element.integer(NodeSettings.sourceRate), burst: element.integer(NodeSettings.sourceBurst),
                dailyQuota: element.integer(NodeSettings.sourceQuota)), certificates: element.list(NodeSettings.sourceCertificates))
        var probe = SourceFile()
        do {
            _ = try probe.add(
                entry.name, scopes: entry.scopes, senders: entry.senders, classes: entry.classes, sender: entry.sender,
                messageClass: entry.messageClass, limits: entry.limits, certificates: entry.certificates, key: nil)
        } catch {
            mistakes.append(element.mistake(NodeSettings.sourceName, error.description, remedy: "correct it"))
        }
        sources.append(entry)
    }
}

extension HTTPSettings {
    init(_ values: SettingValues) {
        let address = values.address(HTTPSettings.listen)
        self.init(
            host: address.host, port: address.port, plaintextReason: values.filled(HTTPSettings.plaintext),
            certificate: values.filled(HTTPSettings.tlsCertificate), key: values.filled(HTTPSettings.tlsKey),
            clientAuthority: values.filled(HTTPSettings.tlsClientAuthority),
            clientCertificates: ClientCertificates(rawValue: values.text(HTTPSettings.tlsClientCertificates)) ?? .required,
            maximumBody: values.size(HTTPSettings.body), maximumBatchBody: values.size(HTTPSettings.batchBody),
            maximumConnections: values.integer(HTTPSettings.connections),
            idleTimeout: values.duration(HTTPSettings.idle), headTimeout: values.duration(HTTPSettings.head),
            bodyTimeout: values.duration(HTTPSettings.bodyTime))
    }
}

extension SMPPDoorSettings {
    init(_ values: SettingValues) {
        typealias Own = SMPPDoorSettings
        let address = values.address(Own.listen)
        self.init(
            host: address.host, port: address.port, plaintextReason: values.filled(Own.plaintext),
            certificate: values.filled(Own.tlsCertificate), key: values.filled(Own.tlsKey),
            clientAuthority: values.filled(Own.tlsClientAuthority),
            clientCertificates: ClientCertificates(rawValue: values.text(Own.tlsClientCertificates)) ?? .required,
            systemID: values.text(Own.identity),
            maximumConnections: values.integer(Own.connections), bindTimeout: values.duration(Own.bindTime),
            enquireInterval: values.duration(Own.enquire), answerTimeout: values.duration(Own.answerTime))
    }
}

extension SMPPAccount {
    /// - Throws: the mistake of a file or value that cannot be read.
    init(_ values: SettingValues, credentials: String?) throws(Mistake) {
        typealias Own = SMPPDoorSettings
        var password: String?
        if let file = values.filled(Own.accountPassword) {
            do {
                password = try Secret.load(from: file, credentials: credentials).reveal()
            } catch {
                throw values.mistake(Own.accountPassword, error.description, remedy: "make the file readable by its owner alone")
            }
        }
        var certificates: [CertificateRule] = []
        for text in values.list(Own.accountCertificates) {
            guard let rule = CertificateRule(text) else {
                throw values.mistake(
                    Own.accountCertificates, "'\(text)' names no certificate", remedy: "write \(CertificateRule.forms)")
            }
            certificates.append(rule)
        }
        var modes: [Bind.Mode] = []
        for word in values.list(Own.accountModes) {
            guard let mode = SMPPAccount.mode(word) else {
                throw values.mistake(
                    Own.accountModes, "'\(word)' is no kind of bind", remedy: "choose from transceiver, transmitter, receiver")
            }
            modes.append(mode)
        }
        var addresses: [AddressRange] = []
        for text in values.list(Own.accountAddresses) {
            guard let range = AddressRange(text) else {
                throw values.mistake(
                    Own.accountAddresses, "'\(text)' is neither an address nor a network", remedy: "write 10.1.2.3 or 10.1.2.0/24")
            }
            addresses.append(range)
        }
        self.init(
            systemID: values.text(Own.accountSystemID), password: password, source: values.text(Own.accountSource), modes: modes,
            binds: values.integer(Own.accountMaximum), window: values.integer(Own.accountWindow),
            deliverWindow: values.integer(Own.accountDeliverWindow), partsPerSecond: values.integer(Own.accountRate),
            addresses: addresses, certificates: certificates,
            defaultCoding: DefaultCoding(rawValue: values.text(Own.accountCoding)) ?? .gsm7,
            receipts: Receipts(rawValue: values.text(Own.accountReceipts)) ?? .parameters)
    }
}

extension OperatorProfileWords {
    init(_ values: SettingValues) {
        typealias Own = OperatorProfileWords
        self.init(
            preset: values.text(Own.profileSetting), dataCodingZero: values.filled(Own.zeroSetting),
            alphabets: values.filledList(Own.alphabetsSetting), dataCodings: values.text(Own.dataCodingsSetting),
            flash: values.filled(Own.flashSetting), concatenation: values.text(Own.concatenationSetting),
            transliteration: values.filledList(Own.transliterationSetting),
            intermediateReceipts: values.flag(Own.intermediateSetting), replaceIfPresent: values.flag(Own.replaceSetting),
            receiptID: values.text(Own.receiptIDSetting), query: values.flag(Own.querySetting), cancel: values.flag(Own.cancelSetting))
    }
}

extension SMPPConnectionSettings {
    /// - Throws: the mistake of a file or value that cannot be read.
    init(_ values: SettingValues, _ profile: OperatorProfile, credentials: String?) throws(Mistake) {
        typealias Own = SMPPConnectionSettings
        var password = ""
        if let file = values.filled(Own.passwordFileSetting) {
            do {
                password = try Secret.load(from: file, credentials: credentials).reveal()
            } catch {
                throw values.mistake(Own.passwordFileSetting, error.description, remedy: "make the file readable by its owner alone")
            }
        }
        let statuses: StatusTable
        do {
            statuses = try Own.statuses(from: values.text(Own.statusesSetting))
        } catch {
            throw values.mistake(Own.statusesSetting, error.reason, remedy: "correct it")
        }
        self.init(
            name: values.text(Own.nameSetting), host: values.text(Own.hostSetting), port: values.integer(Own.portSetting),
            systemID: values.text(Own.systemIDSetting), password: password,
            bind: BindMode(rawValue: values.text(Own.bindSetting)) ?? .transceiver, binds: values.integer(Own.bindsSetting),
            systemType: values.text(Own.systemTypeSetting), window: values.integer(Own.windowSetting),
            messagesPerSecond: values.integer(Own.messagesPerSecondSetting), partsPerSecond: values.integer(Own.partsPerSecondSetting),
            enquireInterval: values.duration(Own.enquireIntervalSetting), answerTimeout: values.duration(Own.answerTimeoutSetting),
            bindTimeout: values.duration(Own.bindTimeoutSetting), tls: values.flag(Own.tlsSetting),
            tlsAuthority: values.filled(Own.tlsAuthoritySetting), tlsCertificate: values.filled(Own.tlsCertificateSetting),
            tlsKey: values.filled(Own.tlsKeySetting), plaintextReason: values.filled(Own.plaintextReasonSetting),
            sourceTon: UInt8(values.text(Own.sourceTonSetting)), sourceNpi: UInt8(values.text(Own.sourceNpiSetting)),
            destinationTon: UInt8(values.integer(Own.destinationTonSetting)),
            destinationNpi: UInt8(values.integer(Own.destinationNpiSetting)), serviceType: values.text(Own.serviceTypeSetting),
            sendValidity: values.flag(Own.sendValiditySetting),
            profile: profile, statuses: statuses)
    }
}

extension SettingValues {
    /// Its text, nil when empty.
    func filled(_ setting: Setting) -> String? {
        let text = text(setting)
        return text.isEmpty ? nil : text
    }

    /// Its elements, nil when there are none.
    func filledList(_ setting: Setting) -> [String]? {
        let list = list(setting)
        return list.isEmpty ? nil : list
    }
}
