import NIOCore
import NIOPosix
import Synchronization

/// Looks names up: one look-up for all that ask for a name, on threads that names which hang cannot use up. A look-up that overruns its
/// time is given up by those who wait; its thread is left to it, and its answer, should it ever come, is used.
final class OutboundLookups: Sendable {
    private typealias Answer = Result<[OutboundAddress], OutboundFault>
    private typealias Start = OutboundLookupOrder.Start

    /// One that waits for an answer, and what ends its wait.
    private struct Waiter {
        var continuation: CheckedContinuation<Answer, Never>
        var timer: Scheduled<Void>
    }

    private struct State {
        var order = OutboundLookupOrder()
        var names = OutboundNames()
        /// By name, then by number.
        var waiters: [String: [UInt64: Waiter]] = [:]
        var lastNumber: UInt64 = 0
        /// The loop may be gone: nothing is scheduled or cancelled on it any more.
        var isStopped = false

        /// Those who wait for a name, who do so no longer.
        mutating func takeWaiters(_ name: String) -> [Waiter] {
            let all = waiters.removeValue(forKey: name).map { Array($0.values) } ?? []
            for one in all { one.timer.cancel() }
            return all
        }
    }

    private let state = Mutex(State())
    private let resolver: OutboundResolver
    private let loop: any EventLoop
    private let threads = NIOThreadPool(numberOfThreads: OutboundLookupOrder.threads)
    /// What a look-up may take.
    private let limit: TimeAmount
    /// How long its answer is used again.
    private let kept: TimeAmount

    init(_ resolver: OutboundResolver, _ loop: any EventLoop, limit: TimeAmount, kept: TimeAmount) {
        self.resolver = resolver
        self.loop = loop
        self.limit = limit
        self.kept = kept
        threads.start()
    }

    /// - Throws: `.unresolved` when there is no address, none within the time of a look-up, or too many names wait; `.timedOut` when the
    ///   caller's own time is over first; `.stopped`.
    func addresses(of name: String, _ deadline: NIODeadline) async throws(OutboundFault) -> [OutboundAddress] {
        let answer = await withCheckedContinuation { continuation in
            if let known = state.withLock({ wait(for: name, deadline, continuation, &$0) }) { continuation.resume(returning: known) }
        }
        return try answer.get()
    }

    /// - Returns: what is known at once; nil: it waits.
    private func wait(
        for name: String, _ deadline: NIODeadline, _ continuation: CheckedContinuation<Answer, Never>, _ state: inout State
    ) -> Answer? {
        if state.isStopped { return .failure(.stopped) }
        let now = NIODeadline.now()
        if let found = state.names.addresses(of: name, at: now) { return .success(found) }
        guard let starts = state.order.ask(name) else { return .failure(.unresolved) }
        state.lastNumber += 1
        let number = state.lastNumber
        // Who waits for a thread waits no longer than a look-up may take.
        let (end, fault) = deadline < now + limit ? (deadline, OutboundFault.timedOut) : (now + limit, .unresolved)
        let timer = loop.scheduleTask(deadline: end) { [self] in leave(name, number, fault) }
        state.waiters[name, default: [:]][number] = Waiter(continuation: continuation, timer: timer)
        begin(starts)
        return nil
    }

    private func leave(_ name: String, _ number: UInt64, _ fault: OutboundFault) {
        let waiter = state.withLock { state in
            let waiter = state.waiters[name]?.removeValue(forKey: number)
            if state.waiters[name]?.isEmpty ?? false {
                state.waiters[name] = nil
                state.order.leave(name)
            }
            return waiter
        }
        waiter?.continuation.resume(returning: .failure(fault))
    }

    /// This one took a connection.
    func prefer(_ address: OutboundAddress, of name: String) { state.withLock { $0.names.prefer(address, of: name) } }

    /// None of its addresses took one.
    func forget(_ name: String) { state.withLock { $0.names.forget(name) } }

    /// Waits for nothing: a thread that hangs ends with its look-up, or with the process. The loop may end after this.
    func stop() {
        let all = state.withLock { state in
            state.isStopped = true
            return Array(state.waiters.keys).flatMap { state.takeWaiters($0) }
        }
        for one in all { one.continuation.resume(returning: .failure(.stopped)) }
        threads.shutdownGracefully { _ in }
    }

    // MARK: Look-ups

    /// Within the state's lock, so that nothing is scheduled after a stop; nothing of it runs there.
    private func begin(_ starts: [Start]) {
        for start in starts {
            loop.scheduleTask(in: limit) { [self] in overran(start) }
            threads.submit { [self] state in
                if case .active = state { ended(start, resolver.addresses(start.name)) }
            }
        }
    }

    private func overran(_ start: Start) {
        let all = state.withLock { state -> [Waiter] in
            guard !state.isStopped, let starts = state.order.overran(start) else { return [] }
            begin(starts)
            return state.takeWaiters(start.name)
        }
        for one in all { one.continuation.resume(returning: .failure(.unresolved)) }
    }

    private func ended(_ start: Start, _ found: [OutboundAddress]) {
        let until = NIODeadline.now() + kept
        let all = state.withLock { state -> [Waiter] in
            guard !state.isStopped else { return [] }
            if !found.isEmpty { state.names.keep(found, of: start.name, until: until) }
            begin(state.order.ended(start))
            return state.takeWaiters(start.name)
        }
        for one in all { one.continuation.resume(returning: .success(found)) }
    }
}
