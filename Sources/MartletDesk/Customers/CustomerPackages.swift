public import MartletModel
import MartletStore
import SQL

/// A package with when and by whom it came to be as it is.
public struct ConnectedPackage: Codable, Equatable, Sendable {
    public var package: CustomerView.PackageView
    /// Wall milliseconds since when it is connected, and since when it is as it is; nil: since before its history was kept.
    public var connectedAt: Int64?
    public var changedAt: Int64?
    /// Who made it as it is, and by which way: `api`, `file`, `app`, `handset`.
    public var source: String?
    public var way: String?
}

/// What became of a package, once.
public struct PackageChange: Codable, Equatable, Sendable {
    public var number: Int64
    /// `connected`, `changed`, `disconnected`.
    public var act: String
    /// Wall milliseconds.
    public var at: Int64
    public var source: String
    /// `api`, `file`, `app`, `handset`.
    public var way: String
    /// As it was from then on; of a disconnected one as it was last.
    public var package: CustomerView.PackageView

    init(_ row: PackageRow, _ details: CustomerDetails) {
        (number, act, at, source) = (row.number, row.act.word, row.at, row.source)
        way = PackageWay(rawValue: row.way)?.word ?? "\(row.way)"
        package = CustomerView.PackageView(row.terms, details)
    }
}

extension Customers {
    /// What the customer had connected at a moment, also what was paused or out of its days then.
    /// - Parameter moment: wall milliseconds; nil: now.
    public func packages(
        _ subject: SubjectNumber, at moment: Int64?, by caller: Caller
    ) async throws(DeskFault) -> [ConnectedPackage] {
        try await desk.read(.readCustomers, by: caller) { session in
            let opened = try vault.opened(try seen(subject, caller, session))
            var history = PackageHistory(moment)
            try PackageRow.each(of: subject, vault.tags, session) { history.take($0) }
            // What nothing is written of is as it was when the customer came.
            let isThere = moment.map { $0 >= opened.row.createdAt } ?? true
            return history.packages(now: isThere ? opened.customer.packages : []).map { one in
                ConnectedPackage(
                    package: CustomerView.PackageView(one.terms, opened.details), connectedAt: one.connected?.at,
                    changedAt: one.row?.at, source: one.row?.source, way: one.row.map { PackageWay(rawValue: $0.way)?.word ?? "\($0.way)" })
            }
        }
    }

    /// Newest first.
    public func packageChanges(
        _ subject: SubjectNumber, _ wish: PageWish, by caller: Caller
    ) async throws(DeskFault) -> Page<PackageChange> {
        let below = try wish.after?.number() ?? .max
        return try await desk.read(.readCustomers, by: caller) { session in
            let opened = try vault.opened(try seen(subject, caller, session))
            let rows = try session.rows(PackageStatements.newest, [.number(subject), .integer(below), .number(wish.limit + 1)])
            return Page(
                try rows.map { PackageChange(try PackageRow($0, vault.tags), opened.details) }, limit: wish.limit,
                cursor: { Cursor(number: $0.number) })
        }
    }
}

/// Puts the rows of a customer together to what was connected at a moment.
struct PackageHistory {
    struct State {
        var terms: PackageSubscription
        /// With which it was connected, and with which it became as it is.
        var connected: PackageRow?
        var row: PackageRow?
    }

    private let moment: Int64
    private var states: [PackagePlace: State] = [:]
    private var order: [PackagePlace] = []
    private var spokenOf: Set<PackagePlace> = []

    /// - Parameter moment: wall milliseconds; nil: now.
    init(_ moment: Int64?) { self.moment = moment ?? .max }

    /// Rows in the order of their numbers.
    mutating func take(_ row: PackageRow) {
        let place = PackagePlace(row.terms)
        spokenOf.insert(place)
        guard row.at <= moment else { return }
        switch row.act {
        case .connected:
            if states.updateValue(State(terms: row.terms, connected: row, row: row), forKey: place) == nil { order.append(place) }
        case .changed:
            if states[place] == nil { order.append(place) }
            states[place] = State(terms: row.terms, connected: states[place]?.connected, row: row)
        case .disconnected:
            states[place] = nil
            order.removeAll { $0 == place }
        }
    }

    /// - Parameter now: what is connected now: what no row speaks of was so all the time.
    func packages(now: [PackageSubscription]) -> [State] {
        order.compactMap { states[$0] } + now.filter { !spokenOf.contains(PackagePlace($0)) }.map { State(terms: $0) }
    }
}
