public import SQL

/// One month (UTC) of the history. PostgreSQL keeps each in partitions of its own, which must be there before rows come; SQLite has one
/// table and nothing to make.
public struct HistoryMonth: Hashable, Comparable, Sendable {
    /// Months since January 1970.
    public let number: Int

    public init(number: Int) { self.number = number }

    /// The month that a moment (wall milliseconds) falls into.
    public init(of milliseconds: Int64) {
        let days = Int(milliseconds >= 0 ? milliseconds / 86_400_000 : (milliseconds - 86_399_999) / 86_400_000)
        // Days to a civil date, in eras of 400 years that begin in March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let day = shifted - era * 146_097
        let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        number = (year - 1970) * 12 + month - 1
    }

    public var year: Int { 1970 + number / 12 }
    /// 1...12.
    public var month: Int { number % 12 + 1 }
    public var next: HistoryMonth { HistoryMonth(number: number + 1) }

    /// Wall milliseconds at which it begins.
    public var start: Int64 {
        let years = month <= 2 ? year - 1 : year
        let marchMonth = month > 2 ? month - 3 : month + 9
        let era = years / 400
        let yearOfEra = years - era * 400
        let dayOfYear = (153 * marchMonth + 2) / 5
        let day = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + day - 719_468) * 86_400_000
    }

    public static func < (a: HistoryMonth, b: HistoryMonth) -> Bool { a.number < b.number }

    /// The first id of a moment: 48 bits of milliseconds, then zeros.
    public static func firstID(_ milliseconds: Int64) -> [UInt8] {
        (0..<16).map { $0 < 6 ? UInt8(truncatingIfNeeded: milliseconds >> Int64(40 - 8 * $0)) : 0 }
    }

    /// Tables that are cut by id.
    static let tables = ["notification", "message", "state", "undelivered", "attempt", "receipt", "step", "decision", "inbound"]

    /// `_2026_11`.
    private var suffix: String { "_\(year)_\(month < 10 ? "0" : "")\(month)" }

    private func hexadecimal(_ id: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(id.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Makes the month's partitions where they are not there yet. Whoever writes the history calls it for the month of its oldest row to
    /// the month after its newest, so that a month never begins without its place.
    public func ensure(_ session: SQLSession, _ engine: SQLStore.Engine) throws(SQLFault) {
        guard engine == .postgres else { return }
        let (low, high) = (hexadecimal(HistoryMonth.firstID(start)), hexadecimal(HistoryMonth.firstID(next.start)))
        for table in HistoryMonth.tables {
            // Rows of `state` change in place: room for that in each page keeps them from needing a new index entry.
            let room = table == "state" ? " WITH (fillfactor = 80)" : ""
            try session.define(
                """
                CREATE TABLE IF NOT EXISTS \(table)\(suffix) PARTITION OF \(table) \
                FOR VALUES FROM ('\\x\(low)') TO ('\\x\(high)')\(room)
                """)
        }
        try session.define(
            """
            CREATE TABLE IF NOT EXISTS lookup\(suffix) PARTITION OF lookup \
            FOR VALUES FROM (\(SearchSlot.of(start))) TO (\(SearchSlot.of(next.start)))
            """)
    }

    /// Takes the whole month out of a PostgreSQL history, in an instant. SQLite has no months: there rows go in steps
    /// (`RetentionStatements`).
    public func drop(_ session: SQLSession) throws(SQLFault) {
        for table in HistoryMonth.tables + ["lookup"] { try session.define("DROP TABLE IF EXISTS \(table)\(suffix)") }
    }
}
