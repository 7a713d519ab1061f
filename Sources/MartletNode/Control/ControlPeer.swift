import Dispatch
import Glibc
import NIOCore

/// Who speaks on a connection of the control socket, as the system knows it, not as it says.
public final class ControlPeer {
    /// `alice (uid 1000)`; `uid 1000` for a user without a name.
    public let who: String
    /// It still listens for its answer.
    public internal(set) var isOpen = true

    public init(who: String) { self.who = who }

    /// What SO_PEERCRED gives (unix(7)).
    struct Credentials {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }

    /// Asks the system; looking up the name may take its time, so it happens away from the loop.
    static func find(_ channel: any Channel) -> EventLoopFuture<String> {
        guard let options = channel as? any SocketOptionProvider else { return channel.eventLoop.makeSucceededFuture("unknown") }
        let found: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
            level: NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET), name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        return found.flatMap { credentials in
            let promise = channel.eventLoop.makePromise(of: String.self)
            DispatchQueue.global().async { promise.succeed(describe(credentials.user)) }
            return promise.futureResult
        }
    }

    static func describe(_ user: UInt32) -> String {
        var record = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &record, &buffer, buffer.count, &result) == 0, result != nil, let name = record.pw_name else {
            return "uid \(user)"
        }
        return "\(String(cString: name)) (uid \(user))"
    }
}
