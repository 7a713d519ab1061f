import MartletModel
import SQL
import Synchronization

/// Who was refused how often: the first refusals of a caller's minute are entries of the audit, the rest one entry that says how many. Otherwise
/// whoever has any key at all could fill the audit, which keeps everything for good.
final class Refusals: Sendable {
    /// Entries of one caller and minute, besides the one that counts the rest.
    static let entered = 10
    /// Callers that are known at once. Beyond them each refusal is only counted, under a name of its own.
    static let callersMaximum = 1000
    static let others = "others"
    private static let minute: Int64 = 60_000_000

    /// Refusals that are not entries yet.
    struct Rest: Sendable, Equatable {
        var caller: String
        /// Wall microseconds at which the minute began.
        var minute: Int64
        var count: Int
    }

    private struct Counted {
        var minute: Int64
        var entered = 0
        var rest = 0
    }

    private let callers = Mutex<[String: Counted]>([:])

    /// Counts one refusal.
    /// - Parameter now: wall microseconds.
    /// - Returns: whether it is to be an entry, and what is left of an earlier minute of this caller.
    func take(_ caller: String, now: Int64) -> (isEntry: Bool, rest: Rest?) {
        let minute = now - now % Refusals.minute
        return callers.withLock { callers in
            let isKnown = callers[caller] != nil || callers.count < Refusals.callersMaximum
            let name = isKnown ? caller : Refusals.others
            var counted = callers[name] ?? Counted(minute: minute)
            var rest: Rest?
            if counted.minute != minute {
                if counted.rest > 0 { rest = Rest(caller: name, minute: counted.minute, count: counted.rest) }
                counted = Counted(minute: minute)
            }
            let isEntry = isKnown && counted.entered < Refusals.entered
            if isEntry { counted.entered += 1 } else { counted.rest += 1 }
            callers[name] = counted
            return (isEntry, rest)
        }
    }

    /// What is left of minutes that are over; with `all` of the running one too. Callers of whom nothing is left are forgotten.
    func rests(now: Int64, all: Bool = false) -> [Rest] {
        let minute = now - now % Refusals.minute
        return callers.withLock { callers in
            let over = callers.filter { all || $0.value.minute != minute }
            for name in over.keys { callers[name] = nil }
            return over.filter { $0.value.rest > 0 }.map { Rest(caller: $0.key, minute: $0.value.minute, count: $0.value.rest) }
                .sorted { ($0.minute, $0.caller) < ($1.minute, $1.caller) }
        }
    }

    /// What could not be entered counts on.
    func putBack(_ rest: Rest) {
        callers.withLock { callers in callers[rest.caller, default: Counted(minute: rest.minute)].rest += rest.count }
    }
}

extension Desk {
    /// Enters that somebody tried what he has no right for. Called once for each answer that says so, by the skin that gives it. What is beyond
    /// ten entries of a caller and minute is counted, and entered by `enterRefusals`.
    public func enterRefusal(of right: Right, by caller: Caller) async throws(DeskFault) {
        let (isEntry, rest) = refusals.take(caller.name, now: now())
        if let rest { try await enter(rest) }
        guard isEntry else { return }
        try await enter(AuditTrail.Line(act: .accessRefused, object: "right:\(right.rawValue)", outcome: "refused"), by: caller)
    }

    /// Enters what was only counted, of minutes that are over. Called now and then, and with `all` at the end; a crash loses the
    /// numbers of its last minute.
    public func enterRefusals(all: Bool = false) async throws(DeskFault) {
        for rest in refusals.rests(now: now(), all: all) { try await enter(rest) }
    }

    private func enter(_ rest: Refusals.Rest) async throws(DeskFault) {
        let line = AuditTrail.Line(
            act: .accessRefused, object: "rights", outcome: "refused \(rest.count) times more in the minute of \(timestamp(rest.minute))")
        do throws(DeskFault) {
            try await enter(line, by: Caller(name: rest.caller, rights: []))
        } catch {
            refusals.putBack(rest)
            throw error
        }
    }

    private func enter(_ line: AuditTrail.Line, by caller: Caller) async throws(DeskFault) {
        let (trail, at) = (trail, now())
        do {
            try await store.transaction(repeats: 3) { try trail.enter(line, by: caller, at: at, $0) }
        } catch {
            throw DeskFault.of(error)
        }
    }
}
