import Glibc
import Measure

/// A sender system at full speed: so many binds, each with its window always full, for so many seconds; then until every answer (and
/// receipt) is there. Prints one JSON object.
@main
struct ESME {
    static func main() {
        var arguments = Arguments(
            usage: """
                esme --port N --system-id NAME --password WORD [--binds N] [--window N] [--seconds N] [--receipts 0|1] [--first N]
                     [--rate SUBMITS-A-SECOND]
                With --rate submits are due at fixed times, and the wait from the submit to its receipt is measured, too.
                """)
        let port: UInt16 = arguments.number("port", in: 1...65_535, default: 2775)
        let systemID = arguments.text("system-id")
        let password = arguments.text("password")
        let count = arguments.number("binds", in: 1...100, default: 2)
        let window = arguments.number("window", in: 1...10_000, default: 100)
        let seconds = arguments.number("seconds", in: 1...600, default: 10)
        let receipts = arguments.number("receipts", in: 0...1, default: 0) == 1
        let rate = arguments.number("rate", in: 0...1_000_000, default: 0.0)
        var serial: UInt64 = arguments.number("first", in: 1...UInt64.max / 2, default: 1)
        arguments.finish()

        let binds = (0..<count).map { _ in
            Bind(
                port: port, systemID: systemID, password: password, window: window, receipts: receipts, marks: rate > 0,
                arguments: arguments)
        }
        let first = serial
        var latencies = Histogram()
        var waits = Histogram()
        let began = steadyNanoseconds()
        let end = began + UInt64(seconds) * 1_000_000_000
        let giveUp = end + 30_000_000_000
        var answered = began
        var polls = binds.map { pollfd(fd: $0.file, events: Int16(POLLIN), revents: 0) }
        // Submits that are due by now; without a rate as many as the windows take.
        let due = { (now: UInt64) in rate > 0 ? first + UInt64(Double(now - began) / 1e9 * rate) : .max }
        for bind in binds { bind.submit(at: began, serial: &serial, before: due(began)) }
        var alive = true
        while alive {
            _ = poll(&polls, nfds_t(polls.count), rate > 0 ? 1 : 100)
            let now = steadyNanoseconds()
            for (place, bind) in binds.enumerated() where rate > 0 || polls[place].revents != 0 {
                if !bind.receive(at: now, latencies: &latencies, waits: &waits) { alive = false }
                if now >= end { bind.stopSubmitting() }
                let now = steadyNanoseconds()
                bind.submit(at: now, serial: &serial, before: due(now))
            }
            if now >= end {
                for bind in binds { bind.stopSubmitting() }
                if binds.allSatisfy(\.isIdle) {
                    if answered == began { answered = now }
                    let accepted = binds.reduce(0) { $0 + $1.accepted }
                    if !receipts || binds.reduce(0, { $0 + $1.told }) >= accepted { break }
                }
            }
            if now > giveUp { break }
        }
        let done = steadyNanoseconds()
        if answered == began { answered = done }
        let sum = { (value: (Bind) -> Int) in binds.reduce(0) { $0 + value($1) } }
        print(
            """
            {"accepted": \(sum(\.accepted)), "notAccepted": \(sum(\.refused)), "receipts": \(sum(\.told)), \
            "seconds": \(Double(answered - began) / 1e9), "secondsToLastReceipt": \(Double(done - began) / 1e9), \
            "latency": {"p50": \(Double(latencies.value(at: 0.5)) / 1e6), "p99": \(Double(latencies.value(at: 0.99)) / 1e6)}, \
            "receiptWait": {"p50": \(Double(waits.value(at: 0.5)) / 1e6), "p99": \(Double(waits.value(at: 0.99)) / 1e6), \
            "max": \(Double(waits.largest) / 1e6)}, \
            "statuses": {}, "unanswered": \(sum { $0.isIdle ? 0 : 1 })}
            """)
    }
}
