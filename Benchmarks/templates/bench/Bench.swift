import Glibc
import Measure
import Mustache
import Templates

/// What a rendering costs, in nanoseconds of CPU, and how many times that swift-mustache takes for the same text in the same run.
///
/// Both get values ready to be written for the ratio, since swift-mustache has no money and no dates; then ours once more with typed values,
/// which is what a bank's short message really is: an amount, a masked card, a date, a shop.
@main
struct Bench {
    static func main() {
        var arguments = Arguments(usage: "usage: templates [--rounds N] [--alone yes]")
        let rounds = arguments.number("rounds", in: 1000...100_000_000, default: 200_000)
        let alone = arguments.text("alone", default: "no") == "yes"
        arguments.finish()
        do {
            if alone { try runAlone(rounds) } else { try measure(rounds) }
        } catch {
            arguments.stop("\(error)")
        }
    }

    /// The typed short message and nothing beside it, for a profiler or a count of allocations.
    private static func runAlone(_ rounds: Int) throws {
        guard let currency = Currency("UAH") else { return }
        let money = try template(typed, .plain)
        let values = bank(currency)
        print(time(rounds) { render(money, values, $0) })
    }

    private static let typed = "Card {{card | mask}}: {{amount | money}} at {{shop}}, {{date | date}}. Bank"

    private static func bank(_ currency: Templates.Currency) -> Record {
        Record([
            ("card", .text("4111111111111234")), ("amount", .money(Money(minor: 123_450, currency))),
            ("shop", .text("Corner Bakery & Sons")),
            ("date", .moment(LocalMoment(seconds: 1_795_370_640, offset: 7200))),
        ])
    }

    private static func measure(_ rounds: Int) throws {
        guard let currency = Currency("UAH") else { return }
        let text = "Card {{card}}: {{amount}} at {{shop}}, {{date}}. Bank"
        let texts: [(name: String, value: String)] = [
            ("card", "*1234"), ("amount", "1\u{A0}234,50\u{A0}₴"), ("shop", "Corner Bakery & Sons"), ("date", "22.11.26"),
        ]
        let values = Record(texts.map { ($0.name, .text($0.value)) })
        let bank = bank(currency)
        var report = Report()
        for kind in [OutputKind.plain, .html] {
            let shared = try template(text, kind)
            let theirs = try MustacheTemplate(string: kind == .plain ? "{{% CONTENT_TYPE:TEXT}}\n" + text : text)
            let given = Dictionary(texts.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
            guard try shared.text(values) == theirs.render(given) else { return complain("the two do not write the same") }
            var part = Report()
            // By turns, so that both meet the same neighbours on the machine; the least of five is what the code costs.
            var best = (ours: Double.infinity, typed: Double.infinity, theirs: Double.infinity)
            let money = try template(typed, kind)
            for _ in 0..<5 {
                best.ours = min(best.ours, time(rounds) { render(shared, values, $0) })
                best.typed = min(best.typed, time(rounds) { render(money, bank, $0) })
                best.theirs = min(best.theirs, time(rounds / 20) { _ in theirs.render(given).utf8.count })
            }
            part.add("ns", best.ours)
            part.add("typedNs", best.typed)
            part.add("swiftMustacheNs", best.theirs)
            part.add("ratio", best.theirs / best.ours)
            report.add(kind.rawValue, part)
        }
        report.add("compileNs", try compiling(typed, rounds / 20))
        print(report.text)
    }

    private static func template(_ text: String, _ kind: OutputKind) throws -> Template {
        var options = Template.Options(kind, TextLocale.find("uk"))
        options.fields = ["card", "amount", "shop", "date"]
        return try Template(text, options)
    }

    @inline(never)
    private static func render(_ template: Template, _ values: Record, _ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        (try? template.render(values, into: buffer).octets) ?? 0
    }

    /// Nanoseconds of CPU a turn.
    private static func time(_ rounds: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) -> Int) -> Double {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { buffer in
            var octets = 0
            let before = ownCPUMicroseconds()
            for _ in 0..<rounds { octets &+= body(buffer) }
            let spent = ownCPUMicroseconds() - before
            // Nothing rendered would be nothing measured.
            return octets > 0 ? spent * 1000 / Double(rounds) : .nan
        }
    }

    private static func compiling(_ text: String, _ rounds: Int) throws -> Double {
        let before = ownCPUMicroseconds()
        for _ in 0..<rounds { _ = try template(text, .plain) }
        return (ownCPUMicroseconds() - before) * 1000 / Double(rounds)
    }
}
