import MartletEngine
import MartletModel
import MartletNode
import MartletSettings

/// The `inbound:` section of a settings file; sources are names until the registry has given them numbers.
struct InboundSection: Equatable {
    struct Rule: Equatable {
        var to: String
        var keyword: String
        var source: String
        var answer: String
        var package: InboundRules.PackageWish?
    }

    var rules: [Rule] = []
    var optOut = InboundRules.Words([])
    var optIn = InboundRules.Words([])
    var unwanted = ClassSet([.marketing])
    var unknownAnswer = ""
    var laterAnswer = ""
    var source = ""
    var window: Int64 = 0
    var partsWait: Int64 = 0

    init() {}

    init(_ values: SettingValues, _ mistakes: inout [Mistake]) {
        window = values.duration(InboundSettings.window) * 1000
        partsWait = values.duration(InboundSettings.partsWait) * 1000
        source = values.text(InboundSettings.source)
        optOut = .init(values.list(InboundSettings.optOutWords), answer: values.text(InboundSettings.optOutAnswer))
        optIn = .init(values.list(InboundSettings.optInWords), answer: values.text(InboundSettings.optInAnswer))
        unknownAnswer = values.text(InboundSettings.packagesUnknown)
        laterAnswer = values.text(InboundSettings.packagesLater)
        var classes: [MessageClass] = []
        for word in values.list(InboundSettings.optOutClasses) {
            if let one = MessageClass(word: word) {
                classes.append(one)
                guard one.lane.isStrict else { continue }
                mistakes.append(
                    values.mistake(
                        InboundSettings.optOutClasses,
                        "nobody opts out of class \(one.word): an answer that says STOP would hold back codes and warnings",
                        remedy: "take it out"))
            } else {
                let all = MessageClass.allCases.map(\.word).joined(separator: ", ")
                mistakes.append(
                    values.mistake(InboundSettings.optOutClasses, "'\(word)' is no class", remedy: "choose from \(all)"))
            }
        }
        unwanted = ClassSet(classes)
        let both = optOut.words.intersection(optIn.words)
        if let word = both.sorted().first {
            mistakes.append(
                values.mistake(InboundSettings.optInWords, "'\(word)' is an opt-out word too", remedy: "leave it in one of the lists"))
        }
        for element in values.elements("inbound.rules") {
            let rule = InboundSection.rule(element, &mistakes)
            if let first = rules.firstIndex(where: { $0.takes(allOf: rule) }) {
                mistakes.append(
                    element.mistake(
                        InboundSettings.ruleKeyword,
                        "the rule is never reached: inbound.rules[\(first)] takes every message that it is for",
                        remedy: "put it before that one, or take it out"))
            }
            rules.append(rule)
        }
    }

    private static let keywordWords = 4

    private static func rule(_ element: SettingValues, _ mistakes: inout [Mistake]) -> Rule {
        var rule = Rule(
            to: element.text(InboundSettings.ruleTo), keyword: element.text(InboundSettings.ruleKeyword),
            source: element.text(InboundSettings.ruleSource), answer: element.text(InboundSettings.ruleAnswer))
        let words = rule.keyword.split(whereSeparator: \.isWhitespace)
        if words.count > keywordWords {
            mistakes.append(
                element.mistake(
                    InboundSettings.ruleKeyword, "a keyword has at most \(keywordWords) words",
                    remedy: "write the first words of the message"))
        }
        let connect = element.integer(InboundSettings.ruleConnect)
        let disconnect = element.integer(InboundSettings.ruleDisconnect)
        switch (UInt16(clamping: connect), UInt16(clamping: disconnect)) {
        case (0, 0): break
        case (let package, 0): rule.package = .init(package, isWanted: true)
        case (0, let package): rule.package = .init(package, isWanted: false)
        case (_, _):
            mistakes.append(
                element.mistake(
                    InboundSettings.ruleDisconnect, "the rule connects and disconnects", remedy: "make two rules with a keyword each"))
        }
        if rule.package != nil, words.isEmpty {
            mistakes.append(
                element.mistake(
                    InboundSettings.ruleKeyword, "every message would change the package",
                    remedy: "give the rule a keyword, such as CARD ON"))
        }
        if rule.to.isEmpty, words.isEmpty, rule.source.isEmpty, rule.answer.isEmpty, connect == 0, disconnect == 0 {
            mistakes.append(
                element.mistake(InboundSettings.ruleTo, "the rule says nothing", remedy: "give it a keyword, a source or an answer"))
        }
        return rule
    }

    /// Names of sources that the section speaks of.
    var sources: Set<String> { Set((rules.map(\.source) + [source]).filter { !$0.isEmpty }) }

    func rules(_ number: (String) -> SourceNumber?) -> InboundRules {
        InboundRules(
            rules: rules.map { .init(to: $0.to, keyword: $0.keyword, source: number($0.source), answer: $0.answer, package: $0.package) },
            optOut: optOut, optIn: optIn, unwanted: unwanted, unknownAnswer: unknownAnswer, laterAnswer: laterAnswer,
            fallback: number(source), window: window, partsWait: partsWait)
    }
}

extension InboundSection.Rule {
    /// Whether every message that the other rule is for is one for this, which stands before it: the first that fits counts.
    fileprivate func takes(allOf other: Self) -> Bool {
        (to.isEmpty || to == other.to) && (keyword.isEmpty || keyword.lowercased() == other.keyword.lowercased())
    }
}
