import Logging
import MartletModel
import Synchronization
import Testing

@testable import MartletNode

@Suite("Seeing")
struct SeeingTests {
    @Test("A quantile read from the histogram is at most a fifth above the true one")
    func quantiles() {
        var histogram = Histogram()
        for value in 1...10_000 { histogram.observe(Int64(value)) }
        for share in [0.5, 0.9, 0.99] {
            let told = Double(histogram.quantile(share))
            #expect(told >= 10_000 * share && told <= 10_000 * share * 1.21)
        }
        histogram.observe(-5)
        histogram.observe(.max / 2)
        #expect(histogram.count == 10_002)
        #expect(Histogram().quantile(0.5) == 0)
        #expect(histogram.quantile(1) == Histogram.bounds.last)
    }

    @Test("Metric text escapes labels and keeps cumulative buckets")
    func text() {
        let metric = Metric("martlet_test_seconds", .histogram, labels: ["name"], doc: "Test.")
        var histogram = Histogram()
        histogram.observe(15)
        histogram.observe(1_500_000)
        var out = MetricText()
        out.begin(metric)
        out.histogram(metric, histogram, ["a\"b\\c\n"])
        #expect(out.text.contains("name=\"a\\\"b\\\\c\\n\",le=\"+Inf\"} 2"))
        #expect(out.text.contains("martlet_test_seconds_sum{name=\"a\\\"b\\\\c\\n\"} 1.500015"))
        // A rate over a bucket that is there only once it was hit would miss the first hits.
        #expect(out.text.split(separator: "\n").count { $0.contains("_bucket{") } == Histogram.bounds.count + 1)
    }

    @Test("A log event is one line of JSON whatever it holds")
    func log() {
        let lines = Mutex<[String]>([])
        var handler = JSONLogHandler(label: "part") { line in lines.withLock { $0.append(line) } }
        handler[metadataKey: "a"] = "\u{202E}x\r\n\"\\"
        #expect(handler[metadataKey: "a"] != nil)
        let logger = Logger(label: "part") { [handler] _ in handler }
        logger.warning("event", metadata: ["b": "2"])
        let line = lines.withLock { $0.first ?? "" }
        #expect(line.hasSuffix("\"event\":\"event\",\"a\":\"\\u202ex\\u000d\\u000a\\\"\\\\\",\"b\":\"2\"}\n"))
        #expect(line.split(separator: "\n").count == 1)
        JSONLogHandler.toStandardError("")
    }
}
