public import MartletModel
import MartletStore
import SQL
import Synchronization

/// Whether the wall clock can be believed before anything is destroyed by it. A clock that jumped far ahead says that the time of everything is over, and what
/// is destroyed then does not come back when the clock is put right. So the moment of each look is kept in the store, and the next one may not be much
/// further ahead; the records of the log are no help, for they have their times from the same clock.
///
/// A look that is not believed moves nothing: when the clock is put right, the next one is believed; where it was right, a person says so.
public final class RetentionClock: Sendable {
    /// Milliseconds between two looks: longer than a desk is away in the usual case, much shorter than anything is kept.
    static let awayMaximum: Int64 = 3 * 86_400_000

    public static let distrusted = Metric(
        "martlet_retention_clock_distrusted", .gauge,
        doc: "1 while retention destroys nothing, since the clock is further ahead than believed: `martlet store retain --clock-is-right`.")

    public struct Jump: Error, Equatable, CustomStringConvertible {
        /// Wall milliseconds of the last look that was believed, and of this one.
        public var last: Int64
        public var now: Int64

        public var description: String {
            "the clock says \(timestamp(now * 1000)), and retention last looked at it at \(timestamp(last * 1000)); nothing is destroyed until it is put right, or "
                + "martlet store retain --clock-is-right says that it is"
        }
    }

    static let follower = "retention-clock"

    private let isDistrusted = Atomic<Bool>(false)

    public init() {}

    public var samples: [(metric: Metric, value: Double)] {
        [(RetentionClock.distrusted, isDistrusted.load(ordering: .relaxed) ? 1 : 0)]
    }

    /// Looks at the clock before a pass.
    /// - Throws: `Jump`: nothing may be destroyed.
    public func look(_ desk: Desk) async throws {
        let now = desk.nowMilliseconds
        let last = try await desk.store.read { session in
            try session.row(StoreStatements.cursors, [.text(RetentionClock.follower)])?.integer("sequence")
        }
        if let last, now - last > RetentionClock.awayMaximum {
            isDistrusted.store(true, ordering: .relaxed)
            throw Jump(last: last, now: now)
        }
        // Never back: a machine that starts with a clock far behind is believed again when that is put right.
        try await desk.store.transaction { session in try RetentionClock.keep(now, session) }
        isDistrusted.store(false, ordering: .relaxed)
    }

    /// A person says that the clock is right.
    public static func confirm(_ desk: Desk, by caller: Caller) async throws {
        let (trail, now, at) = (desk.trail, desk.nowMilliseconds, desk.now())
        let line = AuditTrail.Line(act: .historyRetained, object: "clock", outcome: "confirmed")
        try await desk.store.transaction { session in
            try trail.enter(line, by: caller, at: at, session)
            try session.run(StoreStatements.dropCursor, [.text(follower)])
            try keep(now, session)
        }
    }

    private static func keep(_ wall: Int64, _ session: SQLSession) throws {
        try session.run(StoreStatements.moveCursor, [.text(follower), .integer(0), .integer(wall), .number(0), .integer(wall)])
    }
}
