import Guard
import MartletDesk
import MartletEngine
import MartletModel
import MartletNode
import MartletStore
import SQL

/// Releases of an installation's rulebook, compiled as the node compiles them: from the files that the node keeps, else from the store.
actor ReplayReleases {
    private let settings: ServerSettings
    private let keys: KeyStore
    private let shelf: RulebookShelf
    private var known: [UInt32: DecisionBook?] = [:]
    /// Keys of events by their numbers, of all releases that were asked for; the last says.
    private(set) var names: [UInt16: String] = [:]

    init(_ settings: ServerSettings, _ keys: KeyStore) {
        self.settings = settings
        self.keys = keys
        shelf = RulebookShelf(settings.node.localDirectory, zoneFile: ZoneFiles.read)
    }

    /// Which connections there are today changes nothing of what was decided.
    static func surroundings(_ settings: ServerSettings) -> Rulebook.Surroundings {
        Rulebook.Surroundings(parts: settings.node.engine.partsMaximum)
    }

    /// Nil: it is kept nowhere, or this version cannot use it.
    func book(_ number: UInt32) async -> DecisionBook? {
        if let found = known[number] { return found }
        let surroundings = ReplayReleases.surroundings(settings)
        var book = shelf.release(Int64(number), in: surroundings)?.book
        if book == nil, let source = await stored(number) {
            book = DecisionBook.compile(source, in: surroundings, zoneFile: ZoneFiles.read).book
        }
        known[number] = .some(book)
        if let book { name(book) }
        return book
    }

    func name(_ book: DecisionBook) {
        for event in book.rules.events { names[event.number] = event.key }
    }

    /// Numbers that were given to objects of the newest release, by the objects' names.
    var numbers: [String: Int64] {
        guard let rules = shelf.look(in: ReplayReleases.surroundings(settings), last: nil)?.loaded?.rulebook.decisions else { return [:] }
        var numbers: [String: Int64] = [:]
        for event in rules.events { numbers["\(RulebookKind.event.rawValue)/\(event.key)"] = Int64(event.number) }
        for type in rules.eventTypes { numbers["\(RulebookKind.eventType.rawValue)/\(type.key)"] = Int64(type.number) }
        return numbers
    }

    /// The node keeps the files of a few releases, the store has all of them. A store that is away is no reason to stop: what it would have
    /// said is counted as not there.
    private func stored(_ number: UInt32) async -> RulebookSource? {
        // Looking for something makes no database.
        if case .sqlite(let file) = settings.store.address, !AtRest.exists(file) { return nil }
        guard let statements = try? StoreStatements.all() else { return nil }
        let store = SQLStore(settings.store.address, statements: statements, options: settings.store.options)
        let clock = SystemClock()
        let desk = Desk(store: store, now: { clock.now().wall })
        let rulebooks = Rulebooks(
            Units(desk, rowKey: keys.rowKey),
            Rulebooks.World(folder: RulebookFolder(settings.node.localDirectory), surroundings: { Rulebook.Surroundings() }))
        let source: RulebookSource?
        do throws(DeskFault) {
            source = try await rulebooks.source(of: Int64(number), by: PrincipalCommand.caller)
        } catch {
            JSONLogHandler.toStandardError("martlet: release \(number) in \(settings.store.address.description): \(error)\n")
            source = nil
        }
        await store.close()
        return source
    }
}
