import Dispatch
import FoundationEssentials
import Glibc
import Logging
import Synchronization

/// Keeps the desk running as a child of the node, which never waits for it: all of this happens on a thread of its own.
///
/// The child's standard input is a pipe that only the node holds open. However the node ends, the pipe closes, and the desk stops; so
/// it never outlives the node. (The kernel's signal at a parent's death goes by thread, and a node has many.) Its standard error is the node's.
final class DeskSupervisor: Sendable {
    struct Launch: Sendable {
        var path: String
        /// Without the name of the program.
        var arguments: [String]
    }

    struct Backoff: Sendable {
        var first = Duration.seconds(1)
        var longest = Duration.seconds(60)
        /// A desk that ran for so long begins with `first` again.
        var steady = Duration.seconds(60)
    }

    private struct State {
        var child: pid_t?
        var isStopping = false
        var starts = 0
    }

    private let launch: Launch
    private let backoff: Backoff
    private let logger: Logger
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "martlet.desk")
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ launch: Launch, backoff: Backoff = Backoff(), logger: Logger) {
        self.launch = launch
        self.backoff = backoff
        self.logger = logger
    }

    /// The running child, if there is one.
    var child: pid_t? { state.withLock { $0.child } }
    /// How often it was started.
    var starts: Int { state.withLock { $0.starts } }

    func start() {
        queue.async { [self] in
            run()
            ended.signal()
        }
    }

    /// Tells the desk to stop; `waitForEnd` says when it has.
    func beginStopping() {
        let child = state.withLock { state in
            state.isStopping = true
            return state.child
        }
        if let child { kill(child, SIGTERM) }
        wake.signal()
    }

    /// Ends what is still there after `limit`. Once, after `beginStopping`.
    func waitForEnd(_ limit: DispatchTimeInterval) {
        guard ended.wait(timeout: .now() + limit) == .timedOut else { return }
        logger.warning("the desk did not stop in time and is ended")
        if let child { kill(child, SIGKILL) }
        ended.wait()
    }

    private func run() {
        var wait = backoff.first
        while !state.withLock({ $0.isStopping }) {
            let began = ContinuousClock.now
            do throws(StartFault) {
                let status = try runOnce()
                if state.withLock({ $0.isStopping }) { return }
                logger.error("the desk ended and is started again", metadata: ["status": "\(status)", "in": "\(wait)"])
            } catch {
                logger.error("the desk cannot be started", metadata: ["reason": "\(error.reason)", "again in": "\(wait)"])
            }
            if ContinuousClock.now - began >= backoff.steady { wait = backoff.first }
            let pause = wait.components
            let nanoseconds = Int(pause.seconds) * 1_000_000_000 + Int(pause.attoseconds / 1_000_000_000)
            _ = wake.wait(timeout: .now() + .nanoseconds(nanoseconds))
            wait = min(backoff.longest, wait * 2)
        }
    }

    private struct StartFault: Error { var reason: String }

    /// - Returns: how it ended, in words.
    private func runOnce() throws(StartFault) -> String {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw StartFault(reason: String(cString: strerror(errno))) }
        defer { close(ends[1]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child: pid_t
        do throws(StartFault) {
            child = try spawn(input: ends[0])
            close(ends[0])
        } catch {
            close(ends[0])
            throw error
        }
        let stopsNow = state.withLock { state in
            state.child = child
            state.starts += 1
            return state.isStopping
        }
        // Told to stop between its start and now: it has not heard.
        if stopsNow { kill(child, SIGTERM) }
        logger.notice("desk started", metadata: ["process": "\(child)"])
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        state.withLock { $0.child = nil }
        return status & 0x7F == 0 ? "exit \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
    }

    private func spawn(input: Int32) throws(StartFault) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        // Journal, sockets and keys of the node are none of the desk's. What is opened from here on closes itself at exec, as does what
        // is listed here, where no library forgot to say so.
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
                if let descriptor = Int32(name), descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
            }
        } catch {
            throw StartFault(reason: "the list of open files cannot be read: \(error)")
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = ([launch.path] + launch.arguments).map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, launch.path, &actions, &attributes, arguments, environ)
        guard result == 0 else { throw StartFault(reason: String(cString: strerror(result))) }
        return child
    }
}
