public import MartletModel
import Synchronization

/// What the desk counts.
public final class DeskCounters: Sendable {
    final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        func add() { value.add(1, ordering: .relaxed) }
        func set(_ new: Int) { value.store(new, ordering: .relaxed) }
        var count: Int { value.load(ordering: .relaxed) }
    }

    static let answersMetric = Metric(
        "martlet_desk_answers_total", .counter, labels: ["status"], doc: "Answers of the admin API, by hundreds of their status.")
    static let refusedKeysMetric = Metric(
        "martlet_desk_refused_keys_total", .counter, doc: "Requests with an admin key that is unknown, revoked, or of a changed row.")
    static let refusalsMetric = Metric(
        "martlet_desk_refusals_total", .counter, doc: "Requests of principals that lacked the right; each stands in the audit.")
    static let storeMetric = Metric("martlet_desk_store_connected", .gauge, doc: "1 while the desk has a connection to the database.")
    static let waitingMetric = Metric("martlet_desk_store_waiting", .gauge, doc: "Calls that wait for a connection to the database.")
    static let readyMetric = Metric("martlet_desk_ready", .gauge, doc: "1 while the desk works: the database is there and of this program.")
    static let sequenceMetric = Metric(
        "martlet_desk_audit_sequence", .gauge, doc: "Number of the newest entry of the audit that a checkpoint states.")
    static let checkpointFaultsMetric = Metric(
        "martlet_desk_checkpoint_faults_total", .counter, doc: "Checkpoints of the audit that could not be made or written outside.")

    public static let all: [Metric] = [
        answersMetric, refusedKeysMetric, refusalsMetric, storeMetric, waitingMetric, readyMetric, sequenceMetric, checkpointFaultsMetric,
    ]

    /// 1xx to 5xx.
    private let answers = (0..<5).map { _ in Counter() }
    let refusedKeys = Counter()
    let refusals = Counter()
    let checkpointed = Counter()
    let checkpointFaults = Counter()

    /// What the desk's parts count beside it.
    private let parts = Mutex<[@Sendable () -> [(metric: Metric, value: Double)]]>([])

    public init() {}

    func also(_ samples: @escaping @Sendable () -> [(metric: Metric, value: Double)]) { parts.withLock { $0.append(samples) } }

    func answered(_ status: Int) { answers[min(4, max(0, status / 100 - 1))].add() }

    /// The page of metrics (Prometheus text format 0.0.4).
    func text(isReady: Bool, isConnected: Bool, waiting: Int) -> String {
        var page = ""
        func put(_ metric: Metric, _ values: [(labels: String, value: Int)]) {
            page += "# HELP \(metric.name) \(metric.doc)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
            for entry in values { page += "\(metric.name)\(entry.labels) \(entry.value)\n" }
        }
        put(DeskCounters.answersMetric, answers.enumerated().map { ("{status=\"\($0.offset + 1)xx\"}", $0.element.count) })
        put(DeskCounters.refusedKeysMetric, [("", refusedKeys.count)])
        put(DeskCounters.refusalsMetric, [("", refusals.count)])
        put(DeskCounters.storeMetric, [("", isConnected ? 1 : 0)])
        put(DeskCounters.waitingMetric, [("", waiting)])
        put(DeskCounters.readyMetric, [("", isReady ? 1 : 0)])
        put(DeskCounters.sequenceMetric, [("", checkpointed.count)])
        put(DeskCounters.checkpointFaultsMetric, [("", checkpointFaults.count)])
        for samples in parts.withLock({ $0 }) {
            for sample in samples() { put(sample.metric, [("", Int(sample.value))]) }
        }
        return page
    }
}
