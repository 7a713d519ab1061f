import Glibc
import Threads

/// One call that waits for a worker or runs on one.
///
/// `@unchecked Sendable`: `runner` is touched only under the lane's lock; the rest does not change. `run` and `fail` end in
/// resuming one continuation; the lane calls exactly one of them, once.
final class Job: @unchecked Sendable {
    let ticket: Ticket
    let run: @Sendable (any DriverConnection) -> Void
    let fail: @Sendable (SQLFault) -> Void
    /// Wakes the worker that runs it.
    fileprivate(set) var runner: Alarm?

    init(_ ticket: Ticket, run: @escaping @Sendable (any DriverConnection) -> Void, fail: @escaping @Sendable (SQLFault) -> Void) {
        self.ticket = ticket
        self.run = run
        self.fail = fail
    }
}

/// A pipe that a worker listens to while it waits for a server, so that a cancelled call ends at once. Where the system has none
/// left, such a call ends with its time limit.
final class Alarm: Sendable {
    let descriptor: Int32
    private let bell: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
        }
        (descriptor, bell) = (ends[0], ends[1])
    }

    deinit {
        for end in [descriptor, bell] where end >= 0 { Glibc.close(end) }
    }

    /// A full pipe rings already.
    func ring() {
        var byte: UInt8 = 1
        _ = write(bell, &byte, 1)
    }

    func clear() {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}

/// A bounded queue of calls and the threads that serve it, each with a connection of its own.
final class Lane: Sendable {
    private struct State {
        var waiting: [Job] = []
        var running = 0
        /// Workers with a live connection.
        var connected = 0
        /// Threads that have not ended.
        var threads = 0
        var isClosed = false
        var closers: [@Sendable () -> Void] = []
    }

    private enum Next {
        case job(Job)
        case connect
        /// Nothing came for a while.
        case idle
        case expired([Job])
        case end
    }

    /// How often a worker without work looks whether its connection still stands.
    private static let idleNanoseconds: UInt64 = 500_000_000

    private let name: String
    private let maximum: Int
    private let backoff: Backoff
    private let state: Monitor<State>
    private let health: Health

    /// - Parameters:
    ///   - maximum: calls that may wait.
    ///   - connection: makes the connection of one worker; called on its thread.
    init(
        _ name: String, workers: Int, maximum: Int, backoff: Backoff, health: Health,
        connection: @escaping @Sendable (Alarm) -> any DriverConnection
    ) {
        self.name = name
        self.maximum = maximum
        self.backoff = backoff
        self.health = health
        state = Monitor(State())
        for number in 0..<workers {
            start("\(name)-\(number)") { lane in
                let alarm = Alarm()
                lane.serve(connection(alarm), alarm)
            }
        }
        // Workers that are all stuck look at no clock.
        start("\(name)-clock") { $0.sweep() }
    }

    /// Without a thread the calls of the lane wait until their time limit.
    private func start(_ name: String, _ body: @escaping @Sendable (Lane) -> Void) {
        state.locked { $0.threads += 1 }
        let worker = Worker(name) { [self] in
            body(self)
            ended()
        }
        guard let worker else {
            health.failed(.connect(problem: "the system gives no thread"))
            return ended()
        }
        worker.detach()
    }

    private func ended() {
        let closers = state.change { state -> [@Sendable () -> Void] in
            state.threads -= 1
            guard state.threads == 0 else { return [] }
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer() }
    }

    /// Takes the call, or says why not.
    func offer(_ job: Job) -> SQLFault? {
        state.change { state in
            if let over = job.ticket.over(during: "waiting") { return over }
            if state.isClosed { return .closed }
            guard state.waiting.count < maximum else { return .busy(waiting: state.waiting.count) }
            state.waiting.append(job)
            return nil
        }
    }

    func cancel(_ job: Job) {
        job.ticket.cancel()
        let isWaiting = state.change { state -> Bool in
            job.runner?.ring()
            guard let index = state.waiting.firstIndex(where: { $0 === job }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
        if isWaiting { job.fail(.cancelled) }
    }

    var load: (waiting: Int, running: Int) { state.locked { ($0.waiting.count, $0.running) } }

    /// What waits fails as closed, what runs ends; `then` is called when no thread is left.
    func close(then: @escaping @Sendable () -> Void) {
        let (waiting, isOver) = state.change { state -> ([Job], Bool) in
            state.isClosed = true
            if state.threads > 0 { state.closers.append(then) }
            defer { state.waiting = [] }
            return (state.waiting, state.threads == 0)
        }
        for job in waiting { job.fail(.closed) }
        if isOver { then() }
    }

    private func sweep() {
        while true {
            let next = state.wait { state -> Step<Next> in
                let expired = Lane.takeExpired(&state)
                if !expired.isEmpty { return .go(.expired(expired)) }
                if state.isClosed { return .go(.end) }
                return .wait(until: state.waiting.map(\.ticket.deadline).min())
            }
            switch next {
            case .expired(let jobs): for job in jobs { job.fail(.timedOut(during: "waiting")) }
            case .end, .job, .connect, .idle: return
            }
        }
    }

    private static func takeExpired(_ state: inout State) -> [Job] {
        let now = Clock.now
        guard state.waiting.contains(where: { $0.ticket.deadline <= now }) else { return [] }
        let expired = state.waiting.filter { $0.ticket.deadline <= now }
        state.waiting.removeAll { $0.ticket.deadline <= now }
        return expired
    }

    private func serve(_ connection: any DriverConnection, _ alarm: Alarm) {
        var attempt = Attempt(backoff: backoff)
        var isOpen = false
        func opened(_ value: Bool) {
            guard value != isOpen else { return }
            isOpen = value
            state.change { $0.connected += value ? 1 : -1 }
            if value { health.connected() } else { health.disconnected() }
        }
        /// Nil: there is a connection.
        func connect() -> SQLFault? {
            do throws(SQLFault) {
                try connection.open()
                attempt.succeeded()
                opened(true)
                return nil
            } catch {
                attempt.failed()
                health.failed(error)
                return error
            }
        }
        func leaveIfDead() {
            guard isOpen, !connection.isAlive() else { return }
            connection.close()
            opened(false)
            // At once: most often only this connection is gone.
            attempt.succeeded()
        }
        _ = connect()
        while true {
            let idleEnd = Clock.now + Lane.idleNanoseconds
            let next = state.wait { state -> Step<Next> in
                // Who has no connection leaves the work to those who have, and fails it fast when nobody has.
                if !state.waiting.isEmpty, isOpen || state.connected == 0 {
                    let job = state.waiting.removeFirst()
                    job.runner = alarm
                    state.running += 1
                    return .go(.job(job))
                }
                if state.isClosed { return .go(.end) }
                if isOpen { return Clock.now >= idleEnd ? .go(.idle) : .wait(until: idleEnd) }
                return Clock.now >= attempt.next ? .go(.connect) : .wait(until: attempt.next)
            }
            switch next {
            case .job(let job):
                alarm.clear()
                // The other side may have gone while nothing was asked: nothing is lost by connecting anew now.
                leaveIfDead()
                var refusal: SQLFault?
                if !isOpen {
                    refusal = Clock.now >= attempt.next ? connect().map { health.away(because: $0) } : health.away(because: nil)
                }
                if let refusal {
                    job.fail(refusal)
                } else if let over = job.ticket.over(during: "waiting") {
                    job.fail(over)
                } else {
                    job.run(connection)
                }
                leaveIfDead()
                state.locked { state in
                    job.runner = nil
                    state.running -= 1
                }
            case .connect: _ = connect()
            case .idle: leaveIfDead()
            case .expired: break
            case .end:
                connection.close()
                opened(false)
                return
            }
        }
    }
}

/// How long to wait between tries to connect: doubling, half of it by chance, so that many nodes do not come at once.
public struct Backoff: Sendable {
    public var first: Duration
    public var longest: Duration

    public init(first: Duration = .milliseconds(100), longest: Duration = .seconds(5)) {
        self.first = first
        self.longest = longest
    }
}

private struct Attempt {
    let backoff: Backoff
    private var failures = 0
    /// Monotonic nanoseconds before which nothing is tried.
    private(set) var next: UInt64 = 0

    init(backoff: Backoff) { self.backoff = backoff }

    mutating func succeeded() {
        failures = 0
        next = 0
    }

    mutating func failed() {
        let whole = min(Clock.nanoseconds(backoff.first) << UInt64(min(failures, 16)), Clock.nanoseconds(backoff.longest))
        next = Clock.now + whole / 2 + UInt64.random(in: 0...whole / 2)
        failures += 1
    }
}
