public import MartletModel

/// What happens to messages from handsets; each stands here once, and the loader, the sample file and the reference page come from it.
public enum InboundSettings {
    public static let window = Setting(
        "inbound.window", .duration(60_000...30 * 86_400_000), default: "24h", reload: .live,
        doc: "A message from a handset is a reply to the last message sent to it when it comes within this time.")
    public static let partsWait = Setting(
        "inbound.partsWait", .duration(10_000...86_400_000), default: "10m",
        doc: "How long a long message waits for its missing parts; then its source is told of those there are.")
    public static let source = Setting(
        "inbound.source", .text(maximumBytes: 64), default: "", reload: .live,
        doc: "Source that hears of messages which no rule and no earlier message decides. Empty: nobody, they stay in the journal.")
    public static let optOutWords = Setting(
        "inbound.optOut.words", .list(of: "word"), default: "[STOP, UNSUBSCRIBE, \u{421}\u{422}\u{41E}\u{41F}]", reload: .live,
        doc: "A message of nothing but one of these words, in whatever case, ends messages of the opt-out classes to its number at once.")
    public static let optOutClasses = Setting(
        "inbound.optOut.classes", .list(of: "class"), default: "[marketing]", reload: .live,
        doc: "Classes that an opt-out is for: none of security, employee_alarm and otp, and nothing that is mandatory.")
    public static let optOutAnswer = Setting(
        "inbound.optOut.answer", .text(maximumBytes: 500), default: "", reload: .live,
        doc: "Text sent back for an opt-out. Empty: nothing is.")
    public static let optInWords = Setting(
        "inbound.optIn.words", .list(of: "word"), default: "[START, \u{421}\u{422}\u{410}\u{420}\u{422}]", reload: .live,
        doc: "A message of nothing but one of these words takes an opt-out back.")
    public static let optInAnswer = Setting(
        "inbound.optIn.answer", .text(maximumBytes: 500), default: "", reload: .live, doc: "Text sent back for that. Empty: nothing is.")
    public static let ruleTo = Setting(
        "inbound.rules[].to", .text(maximumBytes: 20), default: "", reload: .live,
        doc: "Number or name that the message was sent to, as the operator writes it. Empty: any.")
    public static let ruleKeyword = Setting(
        "inbound.rules[].keyword", .text(maximumBytes: 64), default: "", reload: .live,
        doc: """
            First word of the message, or its first words with blanks between them, in whatever case. Empty: any message. The first rule that
            fits counts.
            """)
    public static let ruleSource = Setting(
        "inbound.rules[].source", .text(maximumBytes: 64), default: "", reload: .live,
        doc: "Source that hears of it. Empty: the one that sent the last message to the handset, else `inbound.source`.")
    public static let ruleAnswer = Setting(
        "inbound.rules[].answer", .text(maximumBytes: 500), default: "", reload: .live,
        doc: "Text sent back at once, at most 10 times an hour to one number. Empty: nothing is.")

    public static let ruleConnect = Setting(
        "inbound.rules[].connect", .integer(0...65_535), default: "0", reload: .live,
        doc: """
            Number of the package that a message of nothing but the keyword connects for the customer whose number the handset's is. 0: none.
            """)
    public static let ruleDisconnect = Setting(
        "inbound.rules[].disconnect", .integer(0...65_535), default: "0", reload: .live,
        doc: "Number of the package that such a message disconnects, for all accounts and cards. 0: none.")
    public static let packagesUnknown = Setting(
        "inbound.packages.unknown", .text(maximumBytes: 500),
        default: "Nothing was changed. We do not know this number as that of one customer. Please use the app or call us.", reload: .live,
        doc: "Text sent back when nobody has the number, or several have it. Empty: nothing is.")
    public static let packagesLater = Setting(
        "inbound.packages.later", .text(maximumBytes: 500), default: "Nothing was changed. Please try again later.",
        reload: .live,
        doc: "Text sent back when customers cannot be looked up, or the rulebook in use has no such package. Empty: nothing is.")

    public static let all: [Setting] = [
        window, partsWait, source, optOutWords, optOutClasses, optOutAnswer, optInWords, optInAnswer, packagesUnknown, packagesLater,
        ruleTo,
        ruleKeyword, ruleSource, ruleAnswer, ruleConnect, ruleDisconnect,
    ]
}
