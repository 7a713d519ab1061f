import Synchronization

/// How the store is, for status pages and alarms.
public struct SQLState: Equatable, Sendable {
    public var isConnected: Bool
    /// Wall milliseconds since when no connection stands; nil: one does.
    public var awaySince: Int64?
    /// The newest fault of connection, disk or file, and when it was (wall milliseconds).
    public var lastFault: SQLFault?
    public var lastFaultAt: Int64?
    /// Calls that wait for a worker, and that run.
    public var waiting: Int
    public var running: Int
}

/// What the workers of a store know of its database.
final class Health: Sendable {
    private struct State {
        var connections = 0
        var awaySince: Int64? = Clock.wall
        var lastFault: SQLFault?
        var lastFaultAt: Int64?
    }

    private let state = Mutex(State())

    func connected() {
        state.withLock { state in
            state.connections += 1
            state.awaySince = nil
        }
    }

    func disconnected() {
        state.withLock { state in
            state.connections -= 1
            if state.connections == 0 { state.awaySince = Clock.wall }
        }
    }

    /// What a caller did wrong is not the store's health.
    func failed(_ fault: SQLFault) {
        switch fault {
        case .timedOut, .away, .lost, .commitUnknown, .readOnly, .full, .disk, .corrupt, .connect, .setting: break
        case .busy, .cancelled, .conflict, .constraint, .refused, .parameters, .row, .tooManyRows, .unknownStatement, .closed: return
        }
        state.withLock { state in
            state.lastFault = fault
            state.lastFaultAt = Clock.wall
        }
    }

    func away(because fault: SQLFault?) -> SQLFault {
        state.withLock { state in
            .away(since: state.awaySince ?? Clock.wall, problem: (fault ?? state.lastFault)?.description ?? "it was not reached yet")
        }
    }

    func read(waiting: Int, running: Int) -> SQLState {
        state.withLock { state in
            SQLState(
                isConnected: state.connections > 0, awaySince: state.awaySince, lastFault: state.lastFault, lastFaultAt: state.lastFaultAt,
                waiting: waiting, running: running)
        }
    }
}
