import Dispatch
import Glibc
import Guard
import Journal
import Logging
import MartletChannels
import MartletDoors
import MartletEngine
import MartletModel
import MartletNode
import NIOCore
import NIOPosix
import SMPP
import SMSText
import Synchronization

/// One running node with its doors and connections. Everything but the start and the end runs on the hot loop.
final class Server {
    let node: Node
    let loop: any EventLoop
    let logger: Logger
    let settingsFile: String
    let dataDirectory: String
    var settings: ServerSettings
    let registry: SourceRegistry
    let door: HTTPDoor
    let smppDoor: SMPPDoor
    let outbound = Outbound()
    let webhooks: Webhooks
    var connections: [String: SMPPConnection] = [:]
    var groups: [String: GroupNumber] = [:]
    var nextConnection: ConnectionNumber = 1
    /// Entries taken out of the settings whose connections are still stopping.
    var leaving: Set<String> = []
    /// By connection group: what is known of how its receipts name messages.
    var learnings: [String: ReceiptLearning] = [:]
    let receiptForms: ReceiptForms
    /// What the desk published, as far as this node can use it.
    let rulebook: RulebookInUse
    /// Read by the ops listener from its own loop.
    let readiness: Readiness

    init(
        node: Node, logger: Logger, settings: ServerSettings, settingsFile: String, registry: SourceRegistry, groups: [String: GroupNumber],
        receiptForms: ReceiptForms, readiness: Readiness
    ) {
        self.node = node
        self.logger = logger
        self.settings = settings
        self.settingsFile = settingsFile
        dataDirectory = settings.node.dataDirectory
        self.registry = registry
        self.groups = groups
        self.receiptForms = receiptForms
        self.readiness = readiness
        loop = node.loop
        rulebook = RulebookInUse(RulebookShelf(settings.node.localDirectory, zoneFile: ZoneFiles.read), logger)
        door = HTTPDoor(intake: node, sources: registry, settings: settings.http, eventLoop: node.loop)
        smppDoor = SMPPDoor(intake: node, sources: registry, owner: node, settings: settings.smpp, eventLoop: node.loop)
        webhooks = Server.makeWebhooks(node, outbound, logger)
        node.groupNames = Dictionary(uniqueKeysWithValues: groups.map { ($1, $0) })
        takeSources()
    }

    /// Tells the node the names of the sources and what each may send.
    func takeSources() {
        node.sourceNames = [commandLineSource: "command-line"]
        var limits: [SourceNumber: SourceLimits] = [:]
        for source in registry.all {
            node.sourceNames[source.number] = source.name
            limits[source.number] = source.limits
        }
        node.set(limits: limits)
    }

    /// Makes and starts the connections of one entry.
    func add(_ entry: ServerSettings.ConnectionEntry) throws {
        guard let group = groups[entry.group] else { preconditionFailure("every group has its number before its connections") }
        let made = try SMPPConnections.make(
            entry.settings, firstNumber: nextConnection, group: group, on: loop, owner: node, learning: learning(of: entry.group),
            random: { UInt64.random(in: 0 ... .max) })
        nextConnection += ConnectionNumber(made.count)
        for connection in made {
            connections[connection.name] = connection
            node.add(connection)
        }
        for connection in made { try connection.start() }
    }

    /// What all connections of a group share.
    private func learning(of group: String) -> ReceiptLearning {
        if let known = learnings[group] { return known }
        let (logger, forms) = (logger, receiptForms)
        let fresh = ReceiptLearning(known: forms.known[group]) { conversion in
            logger.notice(
                "learnt how receipts name messages", metadata: ["group": "\(group)", "form": "\(conversion?.rawValue ?? "unsure")"])
            forms.keep(conversion, of: group)
        }
        learnings[group] = fresh
        return fresh
    }

    /// How each group's operator wants texts.
    static func texts(_ settings: ServerSettings, _ groups: [String: GroupNumber]) -> Texts {
        var rules: [GroupNumber: TextRules] = [:]
        for entry in settings.connections { if let number = groups[entry.group] { rules[number] = entry.settings.profile.rules } }
        return Texts(rules)
    }

    /// The same as the connections have it now: one whose settings could not be applied has kept its own.
    var texts: Texts {
        var rules: [GroupNumber: TextRules] = [:]
        for connection in connections.values { rules[connection.group] = connection.settings.profile.rules }
        return Texts(rules)
    }

    /// What each group's operator may be asked about messages that it took.
    static func inquiries(_ settings: ServerSettings, _ groups: [String: GroupNumber]) -> [GroupNumber: InquirySet] {
        var allowed: [GroupNumber: InquirySet] = [:]
        for entry in settings.connections { if let number = groups[entry.group] { allowed[number] = entry.settings.profile.inquiries } }
        return allowed
    }

    /// The same as the connections have it now.
    var inquiries: [GroupNumber: InquirySet] {
        var allowed: [GroupNumber: InquirySet] = [:]
        for connection in connections.values { allowed[connection.group] = connection.settings.profile.inquiries }
        return allowed
    }

    static func routes(_ settings: ServerSettings, _ groups: [String: GroupNumber]) -> Routes {
        Routes(settings.routes.compactMap { route in groups[route.group].map { Routes.Route(prefix: route.prefix, group: $0) } })
    }

    /// Groups over which something can be handed over.
    static func connected(_ settings: ServerSettings, _ groups: [String: GroupNumber]) -> Set<GroupNumber> {
        Set(settings.connections.compactMap { groups[$0.group] })
    }

    func inboundRules(_ settings: ServerSettings) -> InboundRules {
        settings.inbound.rules { registry.source(named: $0)?.number }
    }

    /// A source that the settings speak of and that is not there.
    func missingSource(_ settings: ServerSettings) -> String? {
        for account in settings.smpp.accounts where registry.source(named: account.source) == nil {
            return Server.missing(account.source, "smpp.accounts: \(account.systemID) sends as")
        }
        for webhook in settings.webhooks where registry.source(named: webhook.source) == nil {
            return Server.missing(webhook.source, "webhooks: an endpoint is for")
        }
        for name in settings.inbound.sources.sorted() where registry.source(named: name) == nil {
            return Server.missing(name, "inbound: messages from handsets go to")
        }
        return nil
    }

    private static func missing(_ source: String, _ what: String) -> String {
        "\(what) source '\(source)', which is not there; `martlet source add \(source)` makes it, or bootstrap.sources"
    }

    /// All metrics as text; on the loop.
    func metricsText() -> String {
        var out = MetricText()
        node.write(to: &out)
        var begun = Set<String>()
        for sample in door.counters.samples + smppDoor.counters.samples {
            if begun.insert(sample.metric.name).inserted { out.begin(sample.metric) }
            out.value(sample.metric, sample.value, sample.label.map { [$0] } ?? [])
        }
        for sample in webhooks.samples {
            if begun.insert(sample.metric.name).inserted { out.begin(sample.metric) }
            out.value(sample.metric, sample.value, sample.labels)
        }
        for (metric, value) in SMPPCounters.metrics {
            out.begin(metric)
            for connection in connections.values.sorted(by: { $0.name < $1.name }) {
                out.value(metric, value(connection.counters), [connection.name])
            }
        }
        return out.text
    }
}

/// Why the node takes no messages now, if so; read from any thread.
final class Readiness: Sendable {
    private let reasons = Mutex<[String]>(["starting"])
    func set(_ list: [String]) { reasons.withLock { $0 = list } }
    var list: [String] { reasons.withLock { $0 } }
}
