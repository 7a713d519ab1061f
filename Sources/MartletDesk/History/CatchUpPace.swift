import Threads

/// How long the projector rests after a transaction while it catches up with a log that goes on growing: so that node and database, where
/// they share its cores, find one free.
///
/// It goes by what it suffers itself. The desk is behind others (`DeskPriority`), so its threads have to wait when others want the cores;
/// it rests forty times as long as they waited. So much, because a database does not give way to the node as the desk does: a message that
/// meets one of its bursts waits a slice of the scheduler, and only fewer bursts help. Where cores are free, or nobody sends, it never rests.
/// And it always gains: of the time that it has it takes an eighth at least, and as much as goes twice as fast as the log grows.
struct CatchUpPace {
    /// Of a transaction, from the end of the one before; with the rest behind that.
    struct Round {
        var took: Duration
        /// For a core, of all threads of the desk.
        var waited: Duration
        /// Bytes of the log that it carried, and that were added to the log meanwhile.
        var carried: UInt64
        var grown: UInt64
    }

    private let segmentSize: Int
    private var began: ContinuousClock.Instant
    private var waited: Duration?
    private var position: UInt64
    private var end: UInt64

    /// - Parameters:
    ///   - position: raw, from which on the log is carried.
    ///   - end: raw, of the log just now.
    init(segmentSize: Int, from position: UInt64, end: UInt64) {
        self.segmentSize = segmentSize
        self.position = position
        self.end = end
        began = .now
        waited = ThreadList.waitForCores()
    }

    /// After a transaction that had all the records it may have, and a new round begins.
    /// - Parameters:
    ///   - position: raw, up to which the log is carried.
    ///   - end: raw, of the log when it was read.
    mutating func rest(at position: UInt64, end: UInt64) -> Duration {
        let before = self
        self = CatchUpPace(segmentSize: segmentSize, from: position, end: end)
        // Where the system does not tell, nobody is seen to wait.
        guard let waited, let waitedBefore = before.waited else { return .zero }
        return CatchUpPace.rest(
            after: Round(
                took: began - before.began, waited: waited - waitedBefore,
                carried: LogDistance.bytes(from: before.position, to: position, segmentSize: segmentSize),
                grown: LogDistance.bytes(from: before.end, to: end, segmentSize: segmentSize)))
    }

    private static let restPerWait = 40
    private static let restPerWork = 7

    static func rest(after round: Round) -> Duration {
        guard round.grown > 0, round.waited > .zero, round.took > .zero else { return .zero }
        let wanted = min(round.waited * restPerWait, round.took * restPerWork)
        // What grows in took + rest is at most half of what was carried.
        let affordable = round.took * (Double(round.carried) / (2 * Double(round.grown)) - 1)
        return max(.zero, min(wanted, affordable))
    }
}
