import FoundationEssentials
import MartletDesk
import MartletModel
import MartletNode

/// What the desk's reference data needs of a node on the same machine: its file of sources, its folder of rulebooks, and its socket.
enum DeskReference {
    /// The file is changed under its lock, as `martlet source` does it, and the node is told.
    static func sources(_ data: String) -> SourceCatalogue {
        SourceCatalogue(
            read: { try SourceFile.load(data).sources.map(KnownSource.init) },
            change: { number, change in
                try SourceFile.change(data) { file throws(SourceFile.Fault) in try file.take(change, number) }
                tell("sources", data)
            })
    }

    /// - Parameter config: read anew at each look, for a reload may have brought other connections.
    static func rulebooks(config: String, data: String) -> Rulebooks.World {
        let read: @Sendable () throws -> ServerSettings = {
            try ServerSettings.read(file: config, dataDirectory: data, environment: ProcessInfo.processInfo.environment)
        }
        return Rulebooks.World(
            folder: RulebookFolder(NodeOptions(dataDirectory: data).localDirectory),
            surroundings: { surroundings(try read()) },
            texts: {
                let settings = try read()
                // Only names are asked for here: the numbers that the node gives its groups are its own.
                let groups = RulebookInUse.groups(settings).sorted().prefix(255).enumerated()
                let numbers = Dictionary(uniqueKeysWithValues: groups.map { ($0.element, GroupNumber($0.offset + 1)) })
                return (Server.texts(settings, numbers), numbers)
            }, zoneFile: ZoneFiles.read, tell: { tell("rulebook", data) }, needsApproval: { try read().desk.needsApproval },
            pictureAddress: { try read().images.address })
    }

    /// What a rulebook is compiled against before it is published. Where pictures lie is none of the node's business: what was published holds there.
    static func surroundings(_ settings: ServerSettings) -> Rulebook.Surroundings {
        var surroundings = RulebookInUse.surroundings(settings)
        surroundings.pictureHosts = settings.images.pictureHosts
        return surroundings
    }

    /// The nouns of the admin API.
    static func nouns(_ units: Units, config: String, data: String) -> [any APINoun] {
        [
            UnitRoutes(units), DefinitionRoutes(Definitions(units)), SourceRoutes(Sources(units, sources(data))),
            RulebookRoutes(Rulebooks(units, rulebooks(config: config, data: data))),
        ]
    }

    /// Makes what every installation has, then brings the node whatever it has not been told, each minute until the task is cancelled.
    /// - Throws: what hindered it; whoever runs it tells, waits, and runs it again.
    static func run(_ units: Units, config: String, data: String) async throws {
        try await Definitions(units).seed()
        let (sources, rulebooks) = (Sources(units, sources(data)), Rulebooks(units, rulebooks(config: config, data: data)))
        while true {
            try await sources.deliver()
            try await rulebooks.deliver()
            try await Task.sleep(for: .seconds(60))
        }
    }

    /// A node that does not run, or hears nothing, reads its files when it starts, and the rulebook each second.
    private static func tell(_ verb: String, _ data: String) {
        _ = try? ControlClient.ask(ControlRequest(verb: verb), socket: NodeOptions(dataDirectory: data).controlSocket, seconds: 2)
    }
}

extension KnownSource {
    fileprivate init(_ entry: SourceFile.Entry) {
        self.init(
            number: entry.number, name: entry.name, scopes: entry.scopes, senders: entry.senders, classes: entry.classes,
            sender: entry.sender, messageClass: entry.messageClass, limits: entry.limits, keys: entry.keyHashes.count)
    }
}

extension SourceFile {
    /// - Throws: `.unknown`: there is no such source any more.
    fileprivate mutating func take(_ change: SourceChange, _ number: SourceNumber) throws(Fault) {
        guard let name = sources.first(where: { $0.number == number })?.name else { throw .unknown(String(number)) }
        _ = try limit(name, rate: change.rate, burst: change.burst, dailyQuota: change.dailyQuota)
        try setDefaults(name, sender: change.sender, messageClass: change.messageClass)
    }
}
