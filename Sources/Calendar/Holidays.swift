/// Days on which a bank does not disturb: some each year, some of one year. Immutable.
public struct Holidays: Sendable {
    /// Bit n of month m: its day n.
    private let yearly: ContiguousArray<UInt32>
    private let single: Set<Int32>

    public static let none = Holidays()

    /// - Parameters:
    ///   - yearly: month 1...12 and day 1...31; what there is not in a year, as 29 February, is no day of it. Others are passed over.
    ///   - single: of one year, such as Easter.
    public init(yearly: [(month: Int, day: Int)] = [], single: [CivilDay] = []) {
        var bits = ContiguousArray<UInt32>(repeating: 0, count: yearly.isEmpty ? 0 : 13)
        for one in yearly where (1...12).contains(one.month) && (1...31).contains(one.day) { bits[one.month] |= 1 << UInt32(one.day) }
        self.yearly = bits
        self.single = Set(single.map(\.number))
    }

    public func contains(_ day: CivilDay) -> Bool {
        if single.contains(day.number) { return true }
        guard !yearly.isEmpty else { return false }
        let date = day.date
        return yearly[date.month] >> UInt32(date.day) & 1 == 1
    }
}
