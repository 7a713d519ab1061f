public import MartletModel
import Synchronization

/// Rows that were met and are not as Martlet wrote them, where the work goes on without them: what is written here gets into the log and is counted,
/// instead of being thrown at whoever met it. Each row once, whoever meets it how often.
public final class DamageNotes: Sendable {
    public static let metric = Metric(
        "martlet_store_damaged_rows_total", .counter,
        doc: "Rows that the desk met since its start and that are not as Martlet wrote them; `martlet store check --rows` names them all.")

    /// What is in the way of nothing but itself.
    struct Note: Sendable, Hashable {
        /// Table and key; nothing personal.
        var row: String
        /// What was done instead of believing it.
        var instead: String
    }

    private struct State {
        var known: Set<Note> = []
        var untold: [Note] = []
        var count: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Rows that are told apart; beyond them each meeting counts, and none is told.
    static let most = 1000

    init() {}

    func note(_ row: String, instead: String) {
        state.withLock { state in
            let note = Note(row: row, instead: instead)
            guard !state.known.contains(note) else { return }
            state.count += 1
            guard state.known.count < DamageNotes.most else { return }
            state.known.insert(note)
            state.untold.append(note)
        }
    }

    public var count: UInt64 { state.withLock { $0.count } }

    /// What came since the last call.
    func take() -> [Note] {
        state.withLock { state in
            defer { state.untold = [] }
            return state.untold
        }
    }
}
