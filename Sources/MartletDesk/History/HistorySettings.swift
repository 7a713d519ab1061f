public import MartletModel

/// Settings of the history. Nothing here concerns sending.
public enum HistorySettings {
    public static let spill = Setting(
        "history.spill", .size(0...1 << 44), default: "16GiB",
        doc:
            "Journal kept beyond `journal.cap` for as long as the database lacks it. Over it the oldest goes, with an alarm and an entry in the audit; 0: none is kept."
    )
    public static let batch = Setting(
        "history.batch", .integer(100...100_000), default: "10000",
        doc: "Records that one transaction carries into the history at most; about 3 KiB of memory each.")

    public static let all: [Setting] = [spill, batch]
}
