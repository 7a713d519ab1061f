import MartletChannels
import MartletDoors
import MartletModel
import MartletNode

/// Everything declared in the house, gathered once: the loader, the sample file and the reference pages read it here.
enum Declared {
    static let settings: [Setting] = NodeSettings.all + HTTPSettings.all + SMPPConnectionSettings.all
    static let metrics: [Metric] = NodeMetrics.all + HTTPCounters.all + SMPPCounters.metrics.map(\.metric)
    static let errors: [ErrorCode] = HTTPErrors.all
}
