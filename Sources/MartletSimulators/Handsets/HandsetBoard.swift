/// Keeps the shelf of phones up to date while somebody looks at it: four times a second it asks each operator what is new. Nobody
/// looking costs the operators nothing.
actor HandsetBoard {
    private let smscs: [SMSC]
    private var shelf = HandsetShelf()
    private var watchers: [Int: Watcher] = [:]
    private var nextWatcher = 0
    private var poller: Task<Void, Never>?
    private var ticks = 0

    /// Pages open at once.
    static let watchersMaximum = 16
    static let interval = Duration.milliseconds(250)
    /// Newest messages looked at in one go.
    static let lookLimit = 400

    /// One open page. `send` gets a whole event and answers false when the page is behind: then it gets everything later.
    struct Watcher: Sendable {
        var send: @Sendable (String, [UInt8]) -> Bool
        var needsAll = true
    }

    init(_ smscs: [SMSC]) {
        self.smscs = smscs
    }

    /// nil when too many pages are open.
    func watch(_ send: @escaping @Sendable (String, [UInt8]) -> Bool) async -> Int? {
        guard watchers.count < Self.watchersMaximum else { return nil }
        nextWatcher += 1
        let id = nextWatcher
        watchers[id] = Watcher(send: send)
        if poller == nil {
            poller = Task { [weak self] in
                while !Task.isCancelled {
                    guard let self, await self.tick() else { return }
                    // Ends early only when cancelled, which the loop sees.
                    try? await Task.sleep(for: Self.interval)
                }
            }
        }
        return id
    }

    func leave(_ id: Int) {
        watchers[id] = nil
    }

    func stop() {
        poller?.cancel()
        poller = nil
        watchers = [:]
    }

    /// All phones now, for a program that wants to know.
    func snapshot() async -> JSONText.Value {
        _ = await refresh()
        return shelf.json
    }

    func texts(of number: String) async -> [String] {
        _ = await refresh()
        return shelf.handset(number)?.bubbles.compactMap(\.text) ?? []
    }

    /// Switches a phone at every operator; false when one of them remembers too many.
    func set(_ mode: PhoneMode, of number: String) async -> Bool {
        var isDone = true
        for smsc in smscs where await !smsc.setPhone(number, mode) { isDone = false }
        if isDone { shelf.setMode(mode, of: number) }
        return isDone
    }

    /// False when nobody looks any more.
    private func tick() async -> Bool {
        guard !watchers.isEmpty else {
            poller = nil
            return false
        }
        let before = shelf.numbers
        let changed = await refresh()
        ticks += 1
        if !changed.isEmpty || shelf.numbers != before { tell(changed) }
        if ticks % 4 == 1 || watchers.values.contains(where: { $0.needsAll }) { await tellFigures() }
        tellAll()
        return true
    }

    private func refresh() async -> Set<String> {
        var changed: Set<String> = []
        for smsc in smscs {
            let cursor = shelf.cursor(of: smsc.settings.name)
            let asked = shelf.open(on: smsc.settings.name)
            let phones = shelf.numbers
            let form = await smsc.behaviour()?.answerIdForm ?? .decimal
            guard
                let look = await smsc.look(
                    after: cursor.n, writtenAfter: cursor.written, generation: cursor.generation, limit: Self.lookLimit, progressOf: asked,
                    modesOf: phones)
            else { continue }
            // Another look may have ended while this one waited for its answer; then this one is old.
            guard shelf.cursor(of: smsc.settings.name) == cursor else { continue }
            changed.formUnion(
                shelf.take(
                    look, from: smsc.settings.name, asked: asked, phones: phones, form: form, alphabets: smsc.settings.alphabets))
        }
        return changed
    }

    private func tell(_ changed: Set<String>) {
        let phones = shelf.handsets.filter { changed.contains($0.number) }.map { $0.json }
        let value = JSONText.Value.map([
            ("order", .list(shelf.numbers.map { .text($0) })), ("phones", .list(phones)),
        ])
        let bytes = JSONText(value).bytes
        for (id, watcher) in watchers where !watcher.needsAll && !watcher.send("phones", bytes) { watchers[id]?.needsAll = true }
    }

    private func tellAll() {
        guard watchers.values.contains(where: { $0.needsAll }) else { return }
        let bytes = JSONText(.map([("order", .list(shelf.numbers.map { .text($0) })), ("phones", shelf.json)])).bytes
        for (id, watcher) in watchers where watcher.needsAll && watcher.send("phones", bytes) { watchers[id]?.needsAll = false }
    }

    private func tellFigures() async {
        var rows: [JSONText.Value] = []
        for smsc in smscs {
            guard let row = await smsc.row() else { continue }
            rows.append(row)
        }
        let bytes = JSONText(.list(rows)).bytes
        // A page that misses one second's figures gets the next second's.
        for watcher in watchers.values { _ = watcher.send("operators", bytes) }
    }
}

extension SMSC {
    /// One operator as the admin API lists it.
    func row() async -> JSONText.Value? {
        guard let stats = await stats(), let behaviour = await behaviour() else { return nil }
        return .map([
            ("name", .text(settings.name)), ("address", .text(endpoint)), ("systemId", .text(settings.systemId)),
            ("window", .integer(settings.window)), ("seed", .text(String(settings.seed))), ("stats", stats.json),
            ("preset", behaviour.presetName.map { .text($0) } ?? .null),
            ("behaviour", .map(behaviour.fields.map { ($0.name, $0.value) })),
        ])
    }
}
