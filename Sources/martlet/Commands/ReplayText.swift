import MartletEngine
import MartletModel
import MartletNode

/// What `martlet replay` tells: lines for people, one document for programs. Names notifications by their ids, customers not at all.
struct ReplayText {
    let report: ReplayReport
    /// Keys of events by number.
    let names: [UInt16: String]
    let seconds: Double

    init(_ report: ReplayReport, names: [UInt16: String], seconds: Double) {
        self.report = report
        self.names = names
        self.seconds = seconds
    }

    private func event(_ number: UInt16) -> String { names[number] ?? "event \(number)" }

    /// Differences are told of the whole thing, the rule where it is known.
    private func words(_ it: ReplayVerdict) -> String { it.rule.map { "\(it.words) (\($0.word))" } ?? it.words }

    private var spent: String {
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
    }

    // MARK: Lines

    var lines: [String] {
        var lines: [String] = []
        if let changes = report.changes {
            let whose = changes.release == 0 ? "those files" : "release \(changes.release)"
            lines.append("\(report.decisions) decisions, \(changes.count) would be other ones under \(whose), \(spent)")
        } else {
            lines.append("\(report.decisions) decisions, \(report.differences) differences, \(spent)")
        }
        if report.oldest != 0 {
            let start = report.isTrimmed ? "; older records are trimmed, and what they decided is not looked at" : ""
            lines.append("the journal holds \(timestamp(report.oldest)) to \(timestamp(report.newest))\(start)")
        }
        if report.texts > 0 { lines.append("\(report.texts) texts written again and compared") }
        for why in WrittenAgain.Why.allCases {
            if let count = report.unknownTexts[why] { lines.append("\(count) texts not compared: they \(why.words)") }
        }
        if report.erased > 0 {
            lines.append("\(report.erased) not decided again: nobody can open them any more, their keys were destroyed")
        }
        for (release, count) in report.missing.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "\(count) not decided again: release \(release) is kept neither by the node nor in the store; restore the store to have it")
        }
        for one in report.damage {
            lines.append("damaged: \(one.id.map { "\($0.text), " } ?? "")position \(one.position): \(one.reason)")
        }
        if report.damagedCount > report.damage.count { lines.append("\(report.damagedCount - report.damage.count) more are damaged") }
        for one in report.different {
            lines.append(
                "\(one.id.text): \(event(one.event)) of \(timestamp(one.at)) by release \(one.release): \(one.fields.words.joined(separator: ", ")): "
                    + "\(words(one.recorded)) -> \(words(one.again))")
        }
        if report.differences > report.different.count { lines.append("\(report.differences - report.different.count) more differ") }
        if let changes = report.changes { lines += self.lines(changes) }
        return lines
    }

    private func lines(_ changes: ReplayChanges) -> [String] {
        func pair(_ name: String, _ it: ReplayChanges.Pair) -> String { "  \(name): \(it.before) -> \(it.after)" }
        var lines = ["outcomes"]
        for outcome in RecordBody.Decided.Outcome.allCases {
            if let it = changes.outcomes[outcome] { lines.append(pair(outcome.word, it)) }
        }
        if !changes.rules.isEmpty { lines.append("rules that spoke against it") }
        for rule in DecisionRule.allCases { if let it = changes.rules[rule] { lines.append(pair(rule.word, it)) } }
        if !changes.reasons.isEmpty { lines.append("reasons") }
        for reason in SuppressionReason.allCases { if let it = changes.reasons[reason] { lines.append(pair(reason.word, it)) } }
        lines.append("parts: \(changes.parts.before) -> \(changes.parts.after)")
        if changes.unknownParts > 0 {
            lines.append("\(changes.unknownParts) texts cannot be written from what is recorded, so their parts are in neither sum")
        }
        if changes.uncertain > 0 {
            lines.append(
                "\(changes.uncertain) are not certain: a cap, a limit or duplicates differ, and nobody counted then what is asked now")
        }
        lines += shares("by event", changes.events.map { (event($0.key), $0.value) })
        lines += shares("by segment", changes.segments.map { ($0.key == 0 ? "none" : "segment \($0.key)", $0.value) })
        for (kind, change) in changes.changed {
            lines.append(
                "\(change.count) of \(event(kind.event)): \(words(kind.before)) -> \(words(kind.after)) [\(kind.fields.words.joined(separator: ", "))], "
                    + "parts \(change.parts.before) -> \(change.parts.after)")
            lines.append("  \(change.ids.map(\.text).joined(separator: " "))\(change.count > change.ids.count ? " ..." : "")")
        }
        if changes.others > 0 { lines.append("\(changes.others) of further kinds") }
        return lines
    }

    /// Lines of those that change, at most this many.
    static let mostShares = 50

    private func shares(_ title: String, _ all: [(name: String, share: ReplayChanges.Share)]) -> [String] {
        let changed = ReplayText.changed(all)
        guard !changed.isEmpty else { return [] }
        var lines = [title]
        for (name, it) in changed.prefix(ReplayText.mostShares) {
            lines.append("  \(name): \(it.changed) of \(it.decisions) would be other ones, told \(it.told.before) -> \(it.told.after)")
        }
        if changed.count > ReplayText.mostShares { lines.append("  \(changed.count - ReplayText.mostShares) more") }
        return lines
    }

    /// Those of which something changes, the most changed first.
    private static func changed(_ all: [(name: String, share: ReplayChanges.Share)]) -> [(name: String, share: ReplayChanges.Share)] {
        all.filter { $0.share.changed > 0 }
            .sorted { $0.share.changed != $1.share.changed ? $0.share.changed > $1.share.changed : $0.name < $1.name }
    }

    /// A line of the file of changed decisions, in the canonical form (RFC 8785).
    static func line(_ it: ReplayChanges.Changed, names: [UInt16: String]) -> [UInt8] {
        JSONValue.object([
            "id": .text(it.id.text), "at": .text(timestamp(it.at)), "event": .text(names[it.event] ?? "event \(it.event)"),
            "customer": it.customer == 0 ? .null : .integer(Int64(it.customer)),
            "segment": it.segment == 0 ? .null : .integer(Int64(it.segment)),
            "before": verdict(it.before), "after": verdict(it.after), "fields": .list(it.fields.words.map { .text($0) }),
            "uncertain": .flag(it.isUncertain),
        ]).canonical + [0x0A]
    }

    // MARK: Document

    private var texts: JSONValue {
        let unknown = WrittenAgain.Why.allCases.compactMap { why in
            report.unknownTexts[why].map { (why.word, JSONValue.integer(Int64($0))) }
        }
        return .object(["compared": .integer(Int64(report.texts)), "notCompared": .object(Dictionary(uniqueKeysWithValues: unknown))])
    }

    /// In the canonical form (RFC 8785).
    var document: String {
        var fields: [String: JSONValue] = [
            "decisions": .integer(Int64(report.decisions)), "compared": .integer(Int64(report.compared)),
            "differences": .integer(Int64(report.differences)), "erased": .integer(Int64(report.erased)),
            "damaged": .integer(Int64(report.damagedCount)), "trimmed": .flag(report.isTrimmed),
            "texts": texts,
            "milliseconds": .integer(Int64((seconds * 1000).rounded())),
            "oldest": report.oldest == 0 ? .null : .text(timestamp(report.oldest)),
            "newest": report.newest == 0 ? .null : .text(timestamp(report.newest)),
            "damage": .list(
                report.damage.map { one in
                    .object([
                        "id": one.id.map { .text($0.text) } ?? .null, "position": .text(String(one.position)), "reason": .text(one.reason),
                    ])
                }),
            "missingReleases": .list(
                report.missing.sorted { $0.key < $1.key }
                    .map { .object(["release": .integer(Int64($0.key)), "decisions": .integer(Int64($0.value))]) }),
            "different": .list(
                report.different.map { one in
                    .object([
                        "id": .text(one.id.text), "at": .text(timestamp(one.at)), "event": .text(event(one.event)),
                        "release": .integer(Int64(one.release)), "fields": .list(one.fields.words.map { .text($0) }),
                        "recorded": ReplayText.verdict(one.recorded), "again": ReplayText.verdict(one.again),
                    ])
                }),
        ]
        if let changes = report.changes { fields["changes"] = document(changes) }
        return String(decoding: JSONValue.object(fields).canonical, as: UTF8.self)
    }

    private static func verdict(_ it: ReplayVerdict) -> JSONValue {
        .object([
            "outcome": .text(it.outcome.word), "reason": it.reason.map { .text($0.word) } ?? .null,
            "rule": it.rule.map { .text($0.word) } ?? .null,
        ])
    }

    private func document(_ changes: ReplayChanges) -> JSONValue {
        func pair(_ it: ReplayChanges.Pair) -> JSONValue {
            .object(["before": .integer(Int64(it.before)), "after": .integer(Int64(it.after))])
        }
        func pairs(_ them: [(String, ReplayChanges.Pair)]) -> JSONValue {
            .object(Dictionary(uniqueKeysWithValues: them.map { ($0.0, pair($0.1)) }))
        }
        func shares(_ all: [(name: String, share: ReplayChanges.Share)], _ key: String, _ name: (String) -> JSONValue) -> JSONValue {
            .list(
                ReplayText.changed(all).map { one in
                    .object([
                        key: name(one.name), "decisions": .integer(Int64(one.share.decisions)),
                        "changed": .integer(Int64(one.share.changed)),
                        "told": pair(one.share.told),
                    ])
                })
        }
        return .object([
            "release": changes.release == 0 ? .null : .integer(Int64(changes.release)), "count": .integer(Int64(changes.count)),
            "uncertain": .integer(Int64(changes.uncertain)), "unknownParts": .integer(Int64(changes.unknownParts)),
            "others": .integer(Int64(changes.others)), "parts": pair(changes.parts),
            "outcomes": pairs(changes.outcomes.map { ($0.key.word, $0.value) }),
            "rules": pairs(changes.rules.map { ($0.key.word, $0.value) }),
            "reasons": pairs(changes.reasons.map { ($0.key.word, $0.value) }),
            "events": shares(changes.events.map { (event($0.key), $0.value) }, "event") { .text($0) },
            "segments": shares(changes.segments.map { (String($0.key), $0.value) }, "segment") {
                $0 == "0" ? .null : .integer(Int64($0) ?? 0)
            },
            "kinds": .list(
                changes.changed.map { kind, change in
                    .object([
                        "event": .text(event(kind.event)), "before": ReplayText.verdict(kind.before),
                        "after": ReplayText.verdict(kind.after),
                        "fields": .list(kind.fields.words.map { .text($0) }), "count": .integer(Int64(change.count)),
                        "parts": pair(change.parts), "ids": .list(change.ids.map { .text($0.text) }),
                    ])
                }),
        ])
    }
}
