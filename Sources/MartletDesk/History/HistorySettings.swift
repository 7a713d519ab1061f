public import MartletModel

/// Settings of the history. Nothing here concerns sending.
public enum HistorySettings {
    public static let spill = Setting(
        "history.spill", .size(0...1 << 44), default: "16GiB",
        doc:
            "Journal kept beyond `journal.cap` for as long as the database lacks it. Over it, and where the volume would no longer have room for the "
            + "journal at its cap, the oldest goes, with an alarm and an entry in the audit; 0: none is kept."
    )
    public static let batch = Setting(
        "history.batch", .integer(100...100_000), default: "10000",
        doc: "Records that one transaction carries into the history at most; about 3 KiB of memory each.")

    private static let days: ClosedRange<Int64> = 86_400_000...3650 * 86_400_000
    public static let keep = Setting(
        "history.keep", .duration(days), default: "400d",
        doc: "How long a message stays in the history: who sent it when, how it went, whether its source heard.")
    public static let keepText = Setting(
        "history.keepText", .duration(days), default: "90d",
        doc:
            "How long its sealed part stays: text, number, sender and the source's reference, which are one ciphertext. Then the keys of class and "
            + "day that sealed such parts are destroyed too.")
    public static let keepAddresses = Setting(
        "history.keepAddresses", .duration(days), default: "180d",
        doc: "How long a search finds it by number, address, customer or reference, all as keyed hashes.")
    private static let longDays: ClosedRange<Int64> = 30 * 86_400_000...3650 * 86_400_000
    public static let keepStatistics = Setting(
        "history.keepStatistics", .duration(longDays), default: "1830d",
        doc: "How long the counts of an hour stay in the statistics. They name nobody, and do not depend on the messages still being there."
    )
    public static let ruleClass = Setting(
        "history.classes[].class", .choice(MessageClass.allCases.map(\.word)), default: nil,
        doc: "A class that is kept otherwise than the others.")
    public static let ruleKeep = Setting(
        "history.classes[].keep", .duration(days), default: "400d", doc: "As `history.keep`, for the class.")
    public static let ruleKeepText = Setting(
        "history.classes[].keepText", .duration(days), default: "90d", doc: "As `history.keepText`, for the class.")
    public static let ruleKeepAddresses = Setting(
        "history.classes[].keepAddresses", .duration(days), default: "180d", doc: "As `history.keepAddresses`, for the class.")
    public static let ruleKeepStatistics = Setting(
        "history.classes[].keepStatistics", .duration(longDays), default: "1830d", doc: "As `history.keepStatistics`, for the class.")

    public static let all: [Setting] = [
        spill, batch, keep, keepText, keepAddresses, keepStatistics, ruleClass, ruleKeep, ruleKeepText, ruleKeepAddresses,
        ruleKeepStatistics,
    ]
}
