public import MartletModel
import Synchronization

/// What anyone may watch of the feed, from any thread.
public final class CustomerFeedFigures: Sendable {
    public static let stuck = Metric(
        "martlet_customers_feed_stuck", .gauge,
        doc: "1 while changes of customers or their base file do not get to the node; the desk's log says why.")

    private let isStuck = Atomic<Bool>(false)

    public init() {}

    public var samples: [(metric: Metric, value: Double)] {
        [(CustomerFeedFigures.stuck, isStuck.load(ordering: .relaxed) ? 1 : 0)]
    }

    func tell(isStuck: Bool) { self.isStuck.store(isStuck, ordering: .relaxed) }
}
