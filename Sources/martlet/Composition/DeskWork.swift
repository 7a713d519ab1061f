import Guard
import Journal
import Logging
import MartletDesk
import MartletLocal
import MartletModel
import MartletNode
import SQL

/// What the desk answers and what it does by itself, put together from its parts.
struct DeskWork: Sendable {
    let settings: ServerSettings
    /// Settings file and data directory.
    let config: String
    let data: String
    let keys: KeyStore
    let vault: CustomerVault
    let logger: Logger
    private let names: DeskNames
    private let figures = ProjectorFigures()
    private let importFigures = ImportFigures()
    private let clock = RetentionClock()
    private let feedFigures = CustomerFeedFigures()
    private let setAsideWork: SetAsideWork

    init(_ settings: ServerSettings, config: String, data: String, keys: KeyStore, vault: CustomerVault, logger: Logger) {
        self.settings = settings
        self.config = config
        self.data = data
        self.keys = keys
        self.vault = vault
        self.logger = logger
        names = DeskNames(data: data)
        setAsideWork = SetAsideWork(logger: logger)
    }

    // MARK: Answers

    /// The nouns of the admin API besides principals and audit.
    func nouns(_ desk: Desk) -> [any APINoun] {
        let customers = desk.customers(vault, names: names.customers)
        let units = Units(desk, rowKey: keys.rowKey)
        let rulebooks = Rulebooks(units, DeskReference.rulebooks(config: config, data: data))
        let history = desk.history(keys: historyKeys) { [names] in names.history }
        return DeskReference.nouns(units, config: config, data: data) + [
            TextRoutes(rulebooks, customers), ImageRoutes(Images(rulebooks)), CustomerRoutes(customers, history: history),
            SelfRoutes(SelfService(customers, rulebooks)),
            history.routes(timeline: customers.timelineSources),
            desk.statistics(names: { [names] in names.history }).routes,
            desk.decisionStatistics(names: { [names] in names.history }, rowKey: keys.rowKey).routes, ImportRoutes(imports(desk)),
        ]
    }

    private var historyKeys: HistoryKeys { HistoryKeys(keys, subjects: vault.subjects) }

    private func imports(_ desk: Desk) -> Imports {
        Imports(desk, keys: keys, folder: "\(data)/desk/imports", settings: settings.imports)
    }

    // MARK: Work

    var parts: [DeskPart] { [projector, retention, reference, readsNames, feed, setAside, imports, keyCheck, erasures, erasureCopy] }

    /// Works without its database too: what the history lacks is kept apart before the node trims it.
    private var projector: DeskPart {
        let segment = settings.node.journal.segmentSize
        return DeskPart("projector", needsStore: false, samples: { [figures] in figures.samples(segmentSize: segment) }) { desk in
            let customers = desk.customers(vault)
            let projector = Projector(
                desk, settings.projector, keys: keys, logger: logger, figures: figures, subjects: vault.subjects,
                folds: { [TrafficFold(), DecisionFold()] },
                preferences: { changes, session in
                    for change in changes {
                        if let (hash, fact) = change.fact { try customers.learn(fact, kind: .phone, hash: hash, session) }
                    }
                },
                said: { words, session in for one in words { try customers.learn(one, session) } })
            await projector.run()
        }
    }

    private var retention: DeskPart {
        DeskPart("retention", samples: { [clock] in clock.samples }) { desk in
            while true {
                do {
                    try await clock.look(desk)
                    let reach = HistoryReach(desk, journal: settings.node.journalDirectory)
                    _ = try await HistoryRetention(desk, rules: settings.retention) { try await reach.moment() }.run()
                    await forgetKeys(desk)
                } catch let jump as RetentionClock.Jump {
                    logger.error("retention does not believe the clock", metadata: ["reason": "\(jump)"])
                }
                try await Task.sleep(for: .seconds(6 * 3600))
            }
        }
    }

    /// A node that is away has its keys yet: asked again behind the next pass.
    private func forgetKeys(_ desk: Desk) async {
        let node = NodeSocket(path: settings.node.controlSocket)
        let retention = KeyRetention(
            desk, rules: settings.retention, isProjected: { try await isProjected() }, forget: { try await node.forgetKeys(before: $0) })
        do {
            let count = try await retention.run()
            if count > 0 { logger.notice("keys of class and day whose time is over are destroyed", metadata: ["keys": "\(count)"]) }
        } catch {
            logger.warning("keys of class and day whose time is over stay until the next pass", metadata: ["reason": "\(error)"])
        }
    }

    private var reference: DeskPart {
        DeskPart("reference") { desk in
            try await DeskReference.run(Units(desk, rowKey: keys.rowKey), config: config, data: data)
        }
    }

    private var readsNames: DeskPart {
        DeskPart("names") { desk in try await names.run(Units(desk, rowKey: keys.rowKey)) }
    }

    /// Files that were handed in, one after the other.
    private var imports: DeskPart {
        DeskPart("imports", samples: { [importFigures] in importFigures.samples }) { desk in
            let units = Units(desk, rowKey: keys.rowKey)
            let worker = ImportWorker(
                imports(desk), desk.customers(vault), names: { try await Definitions(units).names(by: .system("imports")) },
                figures: importFigures, logger: logger)
            try await worker.run()
        }
    }

    /// The node's copy of customers.
    private var feed: DeskPart {
        DeskPart("customers", samples: { [feedFigures] in feedFigures.samples }) { desk in
            let feed = CustomerFeed(
                store: desk.store, directory: settings.node.localDirectory, hashCheck: keys.localHashCheck, images: desk.customers(vault),
                node: NodeSocket(path: settings.node.controlSocket), figures: feedFigures, isProjected: { _ in try await isProjected() },
                now: desk.now,
                logger: logger)
            await feed.run()
        }
    }

    /// Customers whose rows are damaged.
    private var setAside: DeskPart {
        DeskPart("customers set aside", samples: { [setAsideWork] in setAsideWork.samples }) { desk in
            try await setAsideWork.run(desk.customers(vault))
        }
    }

    /// Keys that are older than the customers: an alarm until somebody brings newer ones.
    private var keyCheck: DeskPart {
        DeskPart("keys of customers") { desk in try await CustomerKeysCheck.run(desk.store, vault.subjects) }
    }

    private var erasures: DeskPart {
        DeskPart("erasures") { desk in
            let ending = ErasureEnding(
                desk.customers(vault), isProjected: { try await isProjected() }, oldest: { try oldestRecord() }, logger: logger)
            try await ending.run()
        }
    }

    private var erasureCopy: DeskPart {
        DeskPart("copy of erasures", needsStore: false) { _ in
            guard let file = settings.desk.erasures else { return }
            var copy = SubjectErasureCopy(of: settings.node.subjectKeyDirectory, to: file)
            while true {
                _ = try copy.update()
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Wall milliseconds of the log's oldest record.
    private func oldestRecord() throws -> Int64? {
        var oldest: Int64?
        _ = try Follower(settings.node.journalDirectory).read(from: 0, bytes: 1) { _, bytes in
            if oldest == nil { oldest = try RecordHeader(reading: bytes).at / 1000 }
        }
        return oldest
    }

    /// Whether all that the node recorded up to now is durably in the store, after some patience.
    private func isProjected() async throws -> Bool {
        guard let end = try Follower(settings.node.journalDirectory).end() else { return true }
        for _ in 0..<100 {
            if figures.read.durable(of: end) >= end.position { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
