import Synchronization

/// Why the desk does not work yet, or not now. What it says anybody may read: no host, no file beyond the schema's, no data.
final class DeskReadiness: Sendable {
    private let held: Mutex<[String]>

    init(_ reasons: [String]) { held = Mutex(reasons) }

    var reasons: [String] { held.withLock { $0 } }

    /// - Returns: whether that is news.
    func set(_ reasons: [String]) -> Bool {
        held.withLock { held in
            defer { held = reasons }
            return held != reasons
        }
    }
}
