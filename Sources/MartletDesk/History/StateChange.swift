import MartletModel
import MartletStore
import SQL
import Synchronization

/// What the records of one batch make of one row of `state`.
struct StateChange: Sendable {
    var id: MessageID
    var sequence: UInt64
    var state: MessageState
    var reason: EndReason
    var flags: RecordFlags
    var route: GroupNumber
    /// Highest that a record named; 0: none did.
    var attempts: UInt8
    /// Wall milliseconds.
    var changedAt: Int64
    var endedAt: Int64?
    var told: ToldOutcome?
    var toldAt: Int64?
    /// Begins with the record that made the message: no row can be there.
    var isFresh: Bool
    /// Nothing but copies forward.
    var isRepeat: Bool

    init(
        id: MessageID, sequence: UInt64, state: MessageState, reason: EndReason, flags: RecordFlags, route: GroupNumber, attempts: UInt8,
        changedAt: Int64, endedAt: Int64?, told: ToldOutcome?, isFresh: Bool, isRepeat: Bool
    ) {
        self.id = id
        self.sequence = sequence
        self.state = state
        self.reason = reason
        self.flags = flags
        self.route = route
        self.attempts = attempts
        self.changedAt = changedAt
        self.endedAt = endedAt
        self.told = told
        toldAt = told == nil ? nil : changedAt
        self.isFresh = isFresh
        self.isRepeat = isRepeat
    }

    /// A later record of the same batch.
    mutating func follow(_ next: StateChange) {
        if next.isRepeat, next.state == state, next.reason == reason { return }
        var merged = next
        merged.flags.formUnion(flags.intersection(.possibleDuplicate))
        merged.attempts = max(attempts, next.attempts)
        merged.endedAt = endedAt ?? next.endedAt
        merged.told = next.told ?? told
        merged.toldAt = next.toldAt ?? toldAt
        merged.isFresh = isFresh
        merged.isRepeat = isRepeat && next.isRepeat
        self = merged
    }

    /// The row as it stands after this; nil: nothing new.
    /// - Parameter row: as it stood before; nil: there is none, or none that is to be believed.
    func applied(to row: StateRow?) -> StateRow? {
        var flags = self.flags.rawValue
        guard let row else {
            return StateRow(
                id: id, sequence: Int64(clamping: sequence), state: state.rawValue, reason: reason.rawValue, flags: flags, route: route,
                attempts: Int16(attempts), changedAt: changedAt, endedAt: endedAt, told: told?.rawValue, toldAt: toldAt)
        }
        guard Int64(clamping: sequence) > row.sequence else { return nil }
        if isRepeat, row.state == state.rawValue, row.reason == reason.rawValue { return nil }
        flags |= row.flags & RecordFlags.possibleDuplicate.rawValue
        return StateRow(
            id: id, sequence: Int64(clamping: sequence), state: state.rawValue, reason: reason.rawValue, flags: flags, route: route,
            attempts: max(row.attempts, Int16(attempts)), changedAt: changedAt, endedAt: row.endedAt ?? endedAt,
            told: told?.rawValue ?? row.told, toldAt: toldAt ?? row.toldAt)
    }

    /// Nothing more is expected of it.
    static func isOver(_ row: StateRow) -> Bool {
        guard let state = MessageState(rawValue: row.state), state.isEnd else { return false }
        let flags = RecordFlags(rawValue: row.flags)
        let tells = state == .delivered ? flags.contains(.tellsDelivered) : flags.contains(.tellsFailed)
        return row.told != nil || (!tells && state != .received)
    }
}

/// Rows of messages of which more is to come, so that the next batch need not read them back. Bounded: the older half is forgotten, and read
/// from the store when it is asked for.
final class StateMemory: Sendable {
    private struct Kept {
        var young: [MessageID: StateRow] = [:]
        var old: [MessageID: StateRow] = [:]
    }

    private let kept = Mutex(Kept())
    private let limit: Int

    init(limit: Int = 200_000) { self.limit = limit }

    func rows(of ids: [MessageID]) -> [StateRow?] {
        kept.withLock { kept in ids.map { kept.young[$0] ?? kept.old[$0] } }
    }

    /// After the commit that wrote them.
    func take(_ rows: [StateRow]) {
        kept.withLock { kept in
            for row in rows {
                kept.old[row.id] = nil
                kept.young[row.id] = StateChange.isOver(row) ? nil : row
            }
            guard kept.young.count > limit / 2 else { return }
            kept.old = kept.young
            kept.young = [:]
        }
    }

    func clear() { kept.withLock { $0 = Kept() } }
}
