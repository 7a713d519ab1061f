import Glibc
import Measure

@main
struct Load {
    static let usage = """
        load --port N [--host 127.0.0.1] [--connections 64] [--rate R] [--seconds 10] [--count N] [--first SERIAL]
             [--method POST] [--target /v1/messages] [--key KEY] [--body JSON] [--expect 202] [--times FILE]
             [--numbers-first 447700000000] [--numbers 1000000]
        {serial} and {number} in --target and --body change with each request. Without --rate each connection sends as soon as it
        has its answer; with it latency is counted from the moment a request was due. --times keeps each request's moments.
        With --numbers the numbers are drawn at random from so many, beginning with --numbers-first.
        """

    static func main() {
        var arguments = Arguments(usage: usage)
        let host = arguments.text("host", default: "127.0.0.1")
        let port = arguments.number("port", in: 1...65_535, default: UInt16(8080))
        let rate = arguments.number("rate", in: 0...1_000_000, default: 0.0)
        let method = arguments.text("method", default: "POST")
        let key = arguments.text("key", default: "")
        let timesPath = arguments.text("times", default: "")
        let body = arguments.text("body", default: method == "POST" ? defaultBody : "")
        var address = in_addr()
        guard inet_pton(AF_INET, host, &address) == 1 else { arguments.stop("--host must be an IPv4 address") }
        let plan = Plan(
            address: address, port: port,
            connections: arguments.number("connections", in: 1...10_000, default: 64),
            rate: rate > 0 ? rate : nil,
            seconds: arguments.number("seconds", in: 0.1...3600, default: 10.0),
            count: arguments.number("count", in: 1...100_000_000, default: 100_000_000),
            firstSerial: arguments.number("first", in: 0...9_000_000_000, default: UInt64(1)),
            expected: arguments.number("expect", in: 100...599, default: 202),
            keepsTimes: !timesPath.isEmpty)
        var headers = ["User-Agent: load"]
        if !key.isEmpty { headers.append("Authorization: Bearer \(key)") }
        if !body.isEmpty { headers.append("Content-Type: application/json") }
        let target = arguments.text("target", default: "/v1/messages")
        var range = NumberRange()
        range.first = arguments.number("numbers-first", in: 1...999_999_999_999, default: range.first)
        let count = arguments.number("numbers", in: 0...1_000_000_000, default: UInt64(0))
        if count > 0 { (range.count, range.isRandom) = (count, true) }
        arguments.finish()

        do throws(Failure) {
            let request = Request(
                method: method, target: target, host: "\(host):\(port)", headers: headers, body: body.isEmpty ? nil : body,
                range: range)
            let generator = try Generator(plan: plan, request: request)
            let before = ownCPUMicroseconds()
            try generator.run()
            let spent = ownCPUMicroseconds() - before
            if !timesPath.isEmpty { try write(generator.times, to: timesPath) }
            print(report(plan, generator, spent).text)
        } catch {
            complain("load: \(error.text)")
            exit(1)
        }
    }

    /// 101 characters of text, one part.
    static let defaultBody =
        #"{"to":"+{number}","text":"Payment {serial} of 1129.50 EUR to Nordic Lamps is waiting for you. "#
        + #"Confirm it in the app by 18:00.","from":"HARBOUR","class":"transactional"}"#

    static func report(_ plan: Plan, _ generator: Generator, _ spent: Double) -> Report {
        let seconds = Double(generator.ended - generator.started) / 1e9
        let answered = generator.statuses.values.reduce(0, +)
        let accepted = generator.statuses[plan.expected] ?? 0
        var statuses = Report()
        for (status, count) in generator.statuses.sorted(by: { $0.key < $1.key }) { statuses.add(String(status), count) }
        var report = Report()
        report.add("loop", word: plan.rate == nil ? "closed" : "open")
        report.add("connections", plan.connections)
        report.add("seconds", seconds)
        report.add("sent", generator.sent)
        report.add("accepted", accepted)
        report.add("notAccepted", answered - accepted)
        report.add("unanswered", generator.broken)
        report.add("reconnects", generator.reconnects)
        report.add("statuses", statuses)
        report.add("rate", Double(accepted) / seconds)
        report.add("latency", generator.latency)
        report.add("cpuMicrosPerRequest", spent / Double(max(1, generator.sent)))
        return report
    }

    /// One line a request: serial, due, sent, answered (wall microseconds, 0 for no answer), status.
    static func write(_ times: [Times], to path: String) throws(Failure) {
        guard let file = fopen(path, "w") else { throw Failure("fopen") }
        for one in times { fputs("\(one.serial) \(one.due) \(one.sent) \(one.answered) \(one.status)\n", file) }
        guard fclose(file) == 0 else { throw Failure("fclose") }
    }
}
