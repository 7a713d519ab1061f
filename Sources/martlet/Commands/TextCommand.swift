import ArgumentParser
import FoundationEssentials
import MartletChannels
import SMSText

struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text", abstract: "What texts cost.", subcommands: [Explain.self])

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tells how many parts the text on standard input has, which letters make it dear, and cheaper spellings.",
            discussion: "Without --config it is counted as nearly all operators take it: GSM 7-bit or UCS-2.")

        @Option(help: "Settings file, to count as the operator of --group takes it.") var config: String?
        @Option(help: "Connection group.") var group: String?

        func run() throws {
            var text = ""
            while let line = readLine(strippingNewline: false), text.utf8.count <= TextReport.bytesMaximum { text += line }
            if text.hasSuffix("\n") { text.removeLast() }
            guard text.utf8.count <= TextReport.bytesMaximum else {
                throw failure("the text is longer than \(TextReport.bytesMaximum) bytes")
            }
            do {
                for line in try TextReport.lines(text, try rules()) { print(line) }
            } catch let fault as TextFault {
                throw failure("\(fault)")
            }
        }

        private func rules() throws -> TextRules {
            guard let config else {
                guard group == nil else { throw failure("--group needs --config") }
                return .standard
            }
            do {
                let settings = try ServerSettings.read(file: config, dataDirectory: "", environment: ProcessInfo.processInfo.environment)
                let entry = settings.connections.first { group == nil || $0.group == group }
                guard let entry else { throw failure("no connection is of group '\(group ?? "")'") }
                return entry.settings.profile.rules
            } catch let mistakes as ServerSettings.Mistakes {
                for line in mistakes.lines { print(line) }
                throw ExitCode(ExitStatus.badSettings)
            }
        }

        private func failure(_ text: String) -> ExitCode {
            print("martlet: \(text)")
            return ExitCode(1)
        }
    }
}

/// The report of `martlet text explain`: for the person who wrote the text, on their own screen.
enum TextReport {
    static let bytesMaximum = 65_536

    static func lines(_ text: String, _ rules: TextRules) throws(TextFault) -> [String] {
        var lines: [String] = []
        let sent = try rules.plan(text)
        if sent.shape.steps != 0 {
            lines.append("Its operator's profile sends it spelled otherwise:")
            lines.append("  \(parts(sent.plan)): \(sent.shape.spelled(text))")
            // The operator may have no alphabet for it as it is.
            guard (try? SMSText.plan(text, options: rules.options)) != nil else { return lines }
            lines.append("As it is given:")
        }
        let it = try SMSText.explain(text, rules.options)
        lines.append("alphabet  \(it.plan.alphabet.name)")
        lines.append("parts     \(it.plan.parts)")
        let room = it.plan.unitsPerPart
        lines.append(
            "units     \(it.plan.units), of \(room) in \(it.plan.parts == 1 ? "one message" : "each part"); \(it.unitsLeftInLastPart) left")
        guard !it.forcing.isEmpty else { return lines }
        lines.append("letters that \(it.wanted.name) lacks:")
        for letter in it.forcing { lines.append("  \(line(letter))") }
        if it.furtherForcing > 0 { lines.append("  and \(it.furtherForcing) more") }
        if it.offers.isEmpty {
            lines.append("no spelling is cheaper")
        } else {
            lines.append("cheaper spellings:")
            for offer in it.offers { lines.append("  \(parts(offer.plan)), \(words(offer.spelling)): \(offer.text)") }
        }
        return lines
    }

    private static func parts(_ plan: TextPlan) -> String { "\(plan.parts) part\(plan.parts == 1 ? "" : "s") of \(plan.alphabet.name)" }

    private static func line(_ letter: TextExplanation.Letter) -> String {
        let places = letter.positions.map { String($0 + 1) }.joined(separator: ", ")
        let more = letter.count > letter.positions.count ? ", ..." : ""
        let other =
            switch letter.cheaper {
            case nil: ""
            case "": "; can be left out"
            case let spelling?: "; instead \(spelling)"
            }
        return "\(letter.scalar) \(letter.codePoint), \(letter.count) time\(letter.count == 1 ? "" : "s"), at \(places)\(more)\(other)"
    }

    private static func words(_ spelling: TextExplanation.Spelling) -> String {
        switch spelling {
        case .typographic: "with the signs of a keyboard"
        case .baseLetters: "without marks on letters"
        case .latin: "in Latin letters"
        }
    }
}
