public import Logging
import MartletLocal
import MartletModel
import MartletStore
public import SQL

/// Keeps the node's local copy of customers as the store has them. Single changes go to the node's overlay as they come; a base file is
/// written when there is none, when the overlay is half full, after an import, when more changes wait than are worth sending one by one, and when
/// the node lost what it was given. Where it stands is kept in the store, in the cursor of follower `local`.
///
/// What no file wrote never waits for a base file, nor behind what a file wrote: it goes first, and has the second half of the overlay for
/// itself. Within it erasures go first. Changes come at least once, those of one customer in order; while the node is away they are tried
/// again. What a base file holds is never less than the overlay that it takes the place of: the node's own facts up to there are in the store
/// first. A customer whose row is damaged is set aside: the node has nothing of him, rather than a copy that may have consents which were
/// withdrawn since.
public actor CustomerFeed {
    static let follower = "local"

    private let store: SQLStore
    private let directory: String
    private let hashCheck: UInt64
    private let images: any CustomerImages
    private let node: any LocalNode
    private let isProjected: @Sendable (_ through: Int64) async throws -> Bool
    /// Wall microseconds.
    private let now: @Sendable () -> Int64
    private let options: Options
    private let logger: Logger
    private var isWanted = false
    /// How far the node is; the store hears of it a little later, so that no change waits for a transaction.
    private var reached: Place?
    private var saved: Place?
    /// Up to this change nothing is kept as urgent.
    private var trimmed: Int64?
    /// Newest change that went ahead of the others.
    private var urgentReached: Int64 = 0
    /// Numbers of those that still wait for their turn: a customer who has one of them as the last is not sent once more.
    private var ahead: Set<Int64> = []
    private var rests: ContinuousClock.Instant?
    private var troubles: [String: String] = [:] {
        didSet { figures.tell(isStuck: !troubles.isEmpty) }
    }
    private let figures: CustomerFeedFigures

    /// - Parameters:
    ///   - directory: `DATA/local`.
    ///   - hashCheck: `KeyStore.localHashCheck`.
    ///   - isProjected: whether all that the node recorded up to a moment, in wall microseconds, is in the store.
    public init(
        store: SQLStore, directory: String, hashCheck: UInt64, images: any CustomerImages, node: any LocalNode,
        options: Options = Options(), figures: CustomerFeedFigures = CustomerFeedFigures(),
        isProjected: @escaping @Sendable (_ through: Int64) async throws -> Bool, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.store = store
        self.directory = directory
        self.hashCheck = hashCheck
        self.images = images
        self.node = node
        self.options = options
        self.figures = figures
        self.isProjected = isProjected
        self.now = now
        self.logger = logger
    }

    /// An import ended: its customers come to the node by a base file.
    public func wantBase() { isWanted = true }

    /// Until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.repeated("changes", self.options.pushEvery) { try await self.push() > 0 } }
            group.addTask { await self.repeated("place", self.options.pushEvery) { try await self.save() } }
            group.addTask { await self.repeated("base file", self.options.baseEvery) { try await self.writeBase() != nil } }
        }
    }

    private func repeated(_ what: String, _ pause: Duration, _ step: @Sendable () async throws -> Bool) async {
        while !Task.isCancelled {
            var goesOn = false
            do {
                goesOn = try await step()
                tell(what, nil)
            } catch {
                tell(what, "\(error)")
            }
            // A cancelled sleep ends the loop.
            if !goesOn { try? await Task.sleep(for: pause) }
        }
    }

    /// Says what goes wrong when it begins and when it ends, not each time it is tried again.
    private func tell(_ what: String, _ trouble: String?) {
        guard troubles[what] != trouble else { return }
        troubles[what] = trouble
        if let trouble {
            logger.warning(
                "customers do not get to the node; tried again", metadata: ["what": "\(what)", "reason": "\(trouble)"])
        } else {
            logger.notice("customers get to the node again", metadata: ["what": "\(what)"])
        }
    }

    // MARK: Place

    struct Place: Equatable, Sendable {
        /// Newest change of the store that the node has.
        var change: Int64
        /// The overlay's number of it.
        var overlay: UInt64
    }

    /// Nil: the node was given nothing yet.
    func place() async throws -> Place? {
        let row = try await store.read { try $0.row(StoreStatements.cursors, [.text(CustomerFeed.follower)]) }
        // Whoever takes the cursor away wants the node to be given all anew.
        guard let row else {
            reached = nil
            return nil
        }
        let stored = Place(change: try row.integer("sequence"), overlay: UInt64(clamping: try row.integer("position")))
        if let reached, reached.change >= stored.change { return reached }
        return stored
    }

    private func move(to place: Place) async throws {
        let at = now() / 1000
        try await store.transaction {
            try $0.run(
                LocalStatements.move,
                [.text(CustomerFeed.follower), .integer(place.change), .integer(Int64(clamping: place.overlay)), .integer(at)])
        }
        saved = place
    }

    /// A base file has all up to there; changes may have gone further meanwhile.
    private func take(_ place: Place) async throws {
        try await move(to: place)
        reached = Place(change: max(place.change, reached?.change ?? 0), overlay: place.overlay)
    }

    /// Tells the store how far the node is, and that what is up to there waits no more.
    /// - Returns: whether there is more to forget.
    func save() async throws -> Bool {
        guard let place = try await place() else { return false }
        if place != saved { try await move(to: place) }
        guard trimmed != place.change else { return false }
        let dropped = try await images.dropUrgent(upTo: place.change, limit: options.window)
        if dropped < options.window { trimmed = place.change }
        return dropped == options.window
    }

    // MARK: Changes

    /// Hands the next changes to the node.
    /// - Returns: how many the node has taken.
    func push() async throws -> Int {
        guard let place = try await place() else { return 0 }
        let page = try await images.changes(after: place.change, limit: options.window)
        guard !page.changes.isEmpty else { return 0 }
        if !page.damaged.isEmpty { try await images.setAside(page.damaged) }
        let figures = try await node.figures()
        if figures.newest < place.overlay { forgetAhead() }
        var sent = 0
        if page.isFull || figures.isHalfFull {
            sent = try await pushUrgent(behind: place)
            // The others come with a base file.
            if figures.isHalfFull { return sent }
            if try await images.newestChange() - place.change > options.backlogMaximum {
                isWanted = true
                return sent
            }
        }
        // The number of a damaged row may be any, so it is sent once more.
        let rest = page.changes.filter { !ahead.contains($0.change) || $0.1.isErasure && !page.damaged.isEmpty }.map(\.1)
        let newest = rest.isEmpty ? reached?.overlay ?? place.overlay : try await apply(rest)
        reached = Place(change: page.through, overlay: newest)
        if !ahead.isEmpty { ahead = ahead.filter { $0 > page.through } }
        return sent + rest.count
    }

    /// Hands over what no file wrote, ahead of all that waits.
    private func pushUrgent(behind place: Place) async throws -> Int {
        let page = try await images.urgent(after: max(place.change, urgentReached), limit: options.window)
        guard !page.changes.isEmpty else { return 0 }
        if !page.damaged.isEmpty { try await images.setAside(page.damaged) }
        reached = Place(change: place.change, overlay: try await apply(page.changes.map(\.1)))
        urgentReached = page.through
        ahead.formUnion(page.changes.map(\.change))
        return page.changes.count
    }

    /// The node lost what it was given: a base file brings it back, and the next number that it answers would hide that.
    private func forgetAhead() {
        isWanted = true
        ahead = []
        urgentReached = 0
    }

    /// Erasures first: the overlay has room for them when it is full.
    private func apply(_ changes: [CustomerChange]) async throws -> UInt64 {
        let newest = try await hand(changes.filter(\.isErasure))
        return max(newest, try await hand(changes.filter { !$0.isErasure }))
    }

    private func hand(_ changes: [CustomerChange]) async throws -> UInt64 {
        var newest: UInt64 = 0
        var batch: [UInt8] = []
        var count = 0
        for change in changes {
            var isIn = count < ChangeBatch.changesMaximum
            if isIn { isIn = try ChangeBatch.append(change, to: &batch) }
            if !isIn {
                newest = try await node.apply(batch)
                batch.removeAll(keepingCapacity: true)
                count = 0
                _ = try ChangeBatch.append(change, to: &batch)
            }
            count += 1
        }
        return batch.isEmpty ? newest : try await node.apply(batch)
    }

    // MARK: Base file

    /// Writes a base file when one is needed, and waits until the node has it in use.
    /// - Returns: nil when none was needed, or it is not the time yet.
    func writeBase() async throws -> BaseBuilder.Summary? {
        // In this order: what the overlay has by now is in the store before anything is read from there.
        let place = try await place()
        let figures = try await node.figures()
        let asked = now()
        guard try await needsBase(figures, place) else { return nil }
        guard try await isProjected(asked) else { return nil }
        let newest = try await images.newestChange()
        isWanted = false
        let began = ContinuousClock.now
        do {
            let (version, summary) = try await write(folded: figures.newest, madeAt: asked)
            let overlay = try await wait(for: version)
            try await take(Place(change: newest, overlay: overlay))
            let took = ContinuousClock.now - began
            rests = ContinuousClock.now + max(options.baseRest, took * options.restFactor)
            logger.notice(
                "base file of customers written",
                metadata: ["version": "\(version)", "customers": "\(summary.customers)", "took": "\(took)"])
            return summary
        } catch {
            isWanted = true
            rests = ContinuousClock.now + options.baseRest
            throw error
        }
    }

    private func needsBase(_ figures: LocalNodeFigures, _ place: Place?) async throws -> Bool {
        if let rests, ContinuousClock.now < rests { return false }
        guard let place else { return try await images.newestChange() > 0 }
        return isWanted || figures.version == 0 || figures.newest < place.overlay || figures.isHalfFull
    }

    private func write(folded: UInt64, madeAt: Int64) async throws -> (version: UInt64, summary: BaseBuilder.Summary) {
        let version = (try LocalCustomers.versions(in: directory).first ?? 0) + 1
        let writer = try BaseWriter(directory, .init(version: version, folded: folded, hashCheck: hashCheck, madeAt: madeAt))
        var last: SubjectNumber = 0
        while true {
            try Task.checkCancellation()
            let page = try await images.images(after: last, limit: options.page)
            // Before the file is in use: who is left out comes again once the row is whole.
            if !page.damaged.isEmpty { try await images.setAside(page.damaged) }
            try await writer.add(page.images)
            guard let next = page.next else { break }
            last = next
        }
        return (version, try await writer.finish())
    }

    /// - Returns: the newest number of the overlay then: of what came while the file was written.
    private func wait(for version: UInt64) async throws -> UInt64 {
        let end = ContinuousClock.now + options.baseTaken
        while true {
            let figures = try await node.figures()
            if figures.version >= version { return figures.newest }
            guard ContinuousClock.now < end else { throw Fault.notTaken(version: version) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}

extension CustomerChange {
    fileprivate var isErasure: Bool {
        if case .erased = self { return true }
        return false
    }
}
