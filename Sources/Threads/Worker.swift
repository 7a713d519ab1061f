import CThreads
import Glibc

/// A thread of the operating system. Who waits in C for a disk or a server does it on one, which the pool of Swift's tasks must never do.
public struct Worker: Sendable {
    private let thread: pthread_t

    private final class Work {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Nil when the system gives no thread. One that is there is joined or detached, once.
    /// - Parameter name: at most 15 bytes, seen in `top -H`.
    public init?(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(name, body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                threads_name(work.name)
                work.body()
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            work.release()
            return nil
        }
        self.thread = thread
    }

    public var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    public func join() { pthread_join(thread, nil) }
    public func detach() { pthread_detach(thread) }
}
