import Glibc
import Measure

/// Batches at full speed: each connection posts one `POST /v1/messages:batch` after the other, for so many seconds or until so many messages
/// are sent, and reads the answers while it writes. Prints one JSON object. `--numbers many`: a million numbers, and a reference for each message.
@main
struct Batch {
    static let usage =
        "batch --port N --key KEY [--connections 4] [--lines 1000] [--seconds 30] [--class marketing] [--first SERIAL]\n"
        + "      [--count N] [--numbers one|many]"

    static func main() {
        var arguments = Arguments(usage: usage)
        let port: UInt16 = arguments.number("port", in: 1...65_535, default: 8080)
        let key = arguments.text("key")
        let count = arguments.number("connections", in: 1...100, default: 4)
        let lines = arguments.number("lines", in: 1...10_000, default: 1000)
        let seconds = arguments.number("seconds", in: 1...3600, default: 30)
        let messageClass = arguments.text("class", default: "marketing")
        var serial: UInt64 = arguments.number("first", in: 0...9_000_000_000, default: 1)
        let most: UInt64 = arguments.number("count", in: 1...1_000_000_000, default: 1_000_000_000)
        let numbers = arguments.text("numbers", default: "one")
        guard ["one", "many"].contains(numbers) else { arguments.stop("--numbers is one or many") }
        arguments.finish()
        let last = serial + most

        let links = (0..<count).map { _ in Link(port: port, key: key, lines: lines, messageClass: messageClass, isMany: numbers == "many", arguments: arguments) }
        let before = ownCPUMicroseconds()
        let began = steadyNanoseconds()
        let end = began + UInt64(seconds) * 1_000_000_000
        let giveUp = end + 60_000_000_000
        for link in links { link.begin(&serial) }
        var now = began
        while links.contains(where: \.isOpen), now < giveUp {
            var polls = links.map { pollfd(fd: $0.isOpen ? $0.file : -1, events: $0.events, revents: 0) }
            // A batch may be whole as soon as it is begun, where this thread had to wait for its turn meanwhile: of that no event tells.
            _ = poll(&polls, nfds_t(polls.count), links.contains(where: \.isWhole) ? 0 : 1000)
            now = steadyNanoseconds()
            for (place, link) in links.enumerated() where polls[place].revents != 0 || link.isWhole {
                link.go()
                while link.isWhole {
                    if steadyNanoseconds() < end, serial < last { link.begin(&serial) } else { link.end() }
                }
            }
        }
        let elapsed = Double(now - began) / 1e9
        let sum = { (value: (Link) -> Int) in links.reduce(0) { $0 + value($1) } }
        var report = Report()
        report.add("sent", sum(\.sent))
        report.add("accepted", sum(\.accepted))
        report.add("notAccepted", sum(\.refused))
        report.add("unanswered", sum { $0.sent - $0.accepted - $0.refused })
        report.add("batches", sum(\.batches))
        report.add("seconds", elapsed)
        report.add("rate", Double(sum(\.accepted)) / elapsed)
        report.add("cpuMicrosPerLine", (ownCPUMicroseconds() - before) / Double(max(1, sum(\.sent))))
        report.add("firstRefusal", word: links.lazy.map(\.refusal).first { !$0.isEmpty } ?? "")
        print(report.text)
    }
}
