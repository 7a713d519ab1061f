import MartletModel
import MartletStore
import SQL

/// A stretch of a search: what was found, and how far back it looked. A long range is several such stretches, each a bounded amount of work.
public struct HistoryPage: Sendable {
    public var items: [HistoryItem]
    /// Where to go on; nil: the whole range was looked through. A page may be short, or empty, and not the last.
    public var next: Cursor?
    /// Wall milliseconds: everything accepted from here on was looked at.
    public var reached: Int64
}

/// One request of a search, on one snapshot.
struct HistorySearch {
    let wish: HistoryWish
    let caller: Caller
    let keys: HistoryKeys
    let names: HistoryNames
    private let damage: DamageNotes
    /// Named in the wish.
    let source: SourceNumber?
    /// Hash of the mail address in the wish.
    private let mail: UInt64?
    /// Number of the customer named in the wish.
    private var customer: SubjectNumber?
    /// Those who have the mail address.
    private var holders: [SubjectNumber] = []

    /// Messages looked at in one request at most.
    static let mostCandidates = 1000

    /// - Parameter damage: gets entries of the search that their messages do not bear out.
    init(
        _ wish: HistoryWish, by caller: Caller, _ keys: HistoryKeys, _ names: HistoryNames, _ damage: DamageNotes
    ) throws(DeskFault) {
        self.damage = damage
        self.wish = wish
        self.caller = caller
        self.keys = keys
        self.names = names
        source = if let name = wish.source { try names.source(named: name, for: caller) } else { nil }
        mail =
            if let email = wish.email {
                try Customers.checked { () throws(FieldFault) in try CustomerText.mail(email.utf8, keys.customers.hashes, "email").hash }
            } else { nil }
    }

    func run(_ session: SQLSession) throws -> HistoryPage {
        var search = self
        return try search.look(session)
    }

    private mutating func look(_ session: SQLSession) throws -> HistoryPage {
        let rows = try HistoryRows(session: session, keys: keys, names: names)
        if let id = wish.id {
            let item = try findCustomers(session) ? fitting(id, rows, session) : nil
            return HistoryPage(items: item.map { [$0] } ?? [], next: nil, reached: wish.from)
        }
        guard try findCustomers(session) else { return HistoryPage(items: [], next: nil, reached: wish.from) }
        var walk = HistoryWalk(way, from: wish.from, below: try start())
        var items: [HistoryItem] = []
        var looked = 0
        while !walk.isDone, !walk.isSpent, looked < HistorySearch.mostCandidates, items.count < wish.page.limit {
            let candidates = try walk.step(max(wish.page.limit, PageWish.usual), session)
            for id in candidates {
                looked += 1
                if let item = try fitting(id, rows, session) { items.append(item) }
                if items.count == wish.page.limit, id != candidates.last || !walk.isDone {
                    return HistoryPage(items: items, next: Cursor(key: id.bytes), reached: id.milliseconds)
                }
            }
        }
        if walk.isDone { return HistoryPage(items: items, next: nil, reached: wish.from) }
        return HistoryPage(items: items, next: Cursor(key: walk.below.bytes), reached: walk.below.milliseconds)
    }

    /// - Returns: false: the wish names a customer who is not there, or was erased, or a mail address that nobody has.
    private mutating func findCustomers(_ session: SQLSession) throws -> Bool {
        if let reference = wish.customer {
            let row = try session.row(CustomerStatements.byReference, [.integer(keys.hashes.customer(reference))])
            customer = try row?.integer("subject", as: SubjectNumber.self)
            if customer == nil { return false }
        }
        guard let mail else { return true }
        holders = try keys.customers.holders(ofMail: mail, session)
        return !holders.isEmpty
    }

    private func start() throws -> MessageID {
        let end = MessageID.first(of: wish.to)
        guard let cursor = wish.page.after else { return end }
        guard let below = MessageID(bytes: cursor.key) else {
            throw DeskFault.invalid([FieldFault("cursor", "malformed", "it is not one of this search")])
        }
        return min(below, end)
    }

    /// By what fewest messages have.
    private var way: HistoryWalk.Way {
        if let value = values.first { return .value(value.kind, hashes: value.hashes) }
        let ends = wish.states.filter { HistorySearch.rare.contains($0) }
        if !wish.states.isEmpty, ends == wish.states {
            return .undelivered(ends.sorted { $0.rawValue < $1.rawValue }, reason: wish.reason, source: source)
        }
        if wish.states.isEmpty, wish.reason != nil, wish.reason != EndReason.none {
            return .undelivered(HistorySearch.rare, reason: wish.reason, source: source)
        }
        if let source { return .source(Int64(source)) }
        return .everything
    }

    /// Ends that have a table of their own.
    private static let rare: [MessageState] = [.failed, .expired, .cancelled, .suppressed]

    /// What is looked up by a hash, or by any of some, the rarest first. A message stands under its customer and not under his mail address, which no
    /// message has: it is looked for by those who have the address now.
    private var values: [(kind: SearchKind, hashes: [Int64])] {
        var values: [(kind: SearchKind, hashes: [Int64])] = []
        if let reference = wish.reference { values.append((.reference, [keys.hashes.reference(reference)])) }
        if let phone = wish.phone { values.append((.phone, [keys.hashes.phone(phone)])) }
        if !holders.isEmpty { values.append((.customer, holders.map { Int64($0) })) }
        if let customer { values.append((.customer, [Int64(customer)])) }
        return values
    }

    /// The item, where all that was asked for fits. One whose state is not to be believed is shown whatever state was asked for, so that it is
    /// seen.
    private func fitting(_ id: MessageID, _ rows: HistoryRows, _ session: SQLSession) throws -> HistoryItem? {
        for value in wish.id == nil ? Array(values.dropFirst()) : values {
            let slot = SearchSlot.of(id.milliseconds)
            let range = rows.range(id)
            let isThere = try value.hashes.contains { hash in
                let found = try session.rows(
                    HistoryStatements.has, [.integer(slot), .number(value.kind.rawValue), .integer(hash)] + range, maximum: 1)
                return !found.isEmpty
            }
            guard isThere else { return nil }
        }
        guard let found = try rows.item(id, wanted) else { return nil }
        var item = found.item
        let opened = rows.opened(found)
        // An entry of the search has no tag: what it led to has to say the same.
        for value in values {
            switch try rows.proof(of: SearchClaim(value.kind, value.hashes), item, opened) {
            case .borneOut: break
            case .unknown: item.isUnconfirmed = true
            case .refuted:
                damage.note(SearchClaim.entry(of: id), instead: "the message is not shown in a search that it does not fit")
                return nil
            }
        }
        try rows.fill(&item, opened, reveals: wish.reveals)
        return item
    }

    private var wanted: HistoryRows.Wanted {
        HistoryRows.Wanted(
            origin: { source, messageClass in
                guard names.sees(caller, source) else { return false }
                // Whose it was, and of which class, nobody knows: it is shown whichever was asked for, so that it is seen.
                guard let source else { return true }
                guard self.source == nil || source == self.source else { return false }
                return wish.messageClass == nil || messageClass == wish.messageClass
            },
            standing: { item in
                if item.isTampered { return true }
                if !wish.states.isEmpty, !(item.state.map { wish.states.contains($0) } ?? false) { return false }
                return wish.reason == nil || item.reason == wish.reason
            })
    }
}
