public import MartletModel

/// Writes the Prometheus text format 0.0.4.
public struct MetricText {
    public private(set) var text = ""

    public init() {}

    /// Before the values of a metric, once.
    public mutating func begin(_ metric: Metric) {
        text += "# HELP \(metric.name) \(metric.doc)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }

    /// - Parameter labels: a value for each of the metric's labels, in their order.
    public mutating func value(_ metric: Metric, _ value: Int, _ labels: [String] = []) {
        text += "\(metric.name)\(label(metric, labels)) \(value)\n"
    }

    /// - Parameter histogram: of microseconds; written in seconds.
    mutating func histogram(_ metric: Metric, _ histogram: Histogram, _ labels: [String] = []) {
        var sum = 0
        for (index, hits) in histogram.buckets.enumerated() {
            sum += hits
            // All of them, hit or not: a rate over a bucket that appears later would miss what came before.
            guard index < Histogram.bounds.count else { continue }
            text += "\(metric.name)_bucket\(label(metric, labels, seconds(Histogram.bounds[index]))) \(sum)\n"
        }
        text += "\(metric.name)_bucket\(label(metric, labels, "+Inf")) \(histogram.count)\n"
        text += "\(metric.name)_sum\(label(metric, labels)) \(seconds(histogram.sum))\n"
        text += "\(metric.name)_count\(label(metric, labels)) \(histogram.count)\n"
    }

    private func seconds(_ microseconds: Int64) -> String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    private func label(_ metric: Metric, _ values: [String], _ bound: String? = nil) -> String {
        precondition(metric.labels.count == values.count, "every label has its value")
        var pairs: [String] = []
        for (name, value) in zip(metric.labels, values) { pairs.append("\(name)=\"\(escaped(value))\"") }
        if let bound { pairs.append("le=\"\(bound)\"") }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    private func escaped(_ value: String) -> String {
        var out = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
