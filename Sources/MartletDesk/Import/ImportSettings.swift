public import MartletModel

/// What the desk's imports may take of the machine. The values stand for the settings declared in `all`; their ranges are checked there.
public struct ImportSettings: Sendable {
    /// Bytes.
    public var maximumFile: Int
    public var keepFree: Int
    /// Milliseconds.
    public var keep: Int64
    /// Lines to a transaction.
    public var lines: Int

    public init(maximumFile: Int = 16 << 30, keepFree: Int = 2 << 30, keep: Int64 = 30 * 86_400_000, lines: Int = 8192) {
        self.maximumFile = maximumFile
        self.keepFree = keepFree
        self.keep = keep
        self.lines = lines
    }

    /// Files that wait or run at most.
    static let openMaximum = 20
    /// Files that come in at once.
    static let uploadsMaximum = 2

    public static let largest = Setting(
        "imports.maximumFile", .size(1 << 20...1 << 44), default: "16GiB",
        doc: "Largest file that the desk takes to import. It lies sealed under the data directory until it is read.")
    public static let free = Setting(
        "imports.keepFree", .size(0...1 << 44), default: "2GiB",
        doc:
            "What stays free on the disk of the data directory: a file that would leave less is not taken, for the journal may lie on it too."
    )
    public static let keepFor = Setting(
        "imports.keep", .duration(86_400_000...3650 * 86_400_000), default: "30d",
        doc:
            "How long an import that ended can be asked for, with its file of refused lines; and how long one that stopped, with its file, can "
            + "be gone on with.")
    public static let batch = Setting(
        "imports.batch", .integer(100...100_000), default: "8192",
        doc:
            "Lines that the desk imports in one transaction at most; about 16 KiB of memory each. Other changes of customers wait for as long "
            + "as one takes.")

    public static let all: [Setting] = [largest, free, keepFor, batch]
}
