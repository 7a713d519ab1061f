import MartletModel

/// What is being asked of providers just now, in a table of its own: few messages are ever asked about, and a slot stays small. Beside it
/// what was learnt of each group: who does not answer such questions is left alone for a while.
struct Inquiries {
    /// Messages of a group asked about at once. What comes beyond waits for its next turn.
    static let maximum = 256
    /// Questions in a row that failed or stayed without an answer, after which a group is left alone.
    static let failureMaximum: UInt8 = 3
    /// For how long, in microseconds.
    static let restMicroseconds: Int64 = 3_600_000_000

    struct Open {
        var what: Inquiry.What
        var group: GroupNumber
        /// How the message ends when its provider forgets it.
        var reason: EndReason
        /// Parts without an answer; those whose inquiry was put; those that were cancelled.
        var left: UInt16
        var asked: UInt16 = 0
        var cancelled: UInt16 = 0
        /// Of the part that was cancelled last.
        var cancelledID = ""
    }

    /// What is learnt of a group.
    private struct Habit {
        var failures: UInt8 = 0
        /// Steady microseconds; 0: it answers.
        var restUntil: Int64 = 0
    }

    private(set) var open: [SlotReference: Open] = [:]
    private var openByGroup = [Int](repeating: 0, count: 256)
    private var habits: [UInt16: Habit] = [:]
    /// How far the table was looked through since permissions changed; nil: all of it.
    var cursor: UInt32?
    /// To be read and put to their provider; the node takes them.
    var wanted: [SlotReference] = []

    private static func key(_ what: Inquiry.What, _ group: GroupNumber) -> UInt16 { UInt16(what.rawValue) << 8 | UInt16(group) }

    /// Microseconds for which a group is still left alone; 0: it may be asked.
    func rest(_ what: Inquiry.What, _ group: GroupNumber, at steady: Int64) -> Int64 {
        max(0, (habits[Inquiries.key(what, group)]?.restUntil ?? 0) - steady)
    }

    func hasRoom(_ group: GroupNumber) -> Bool { openByGroup[Int(group)] < Inquiries.maximum }

    mutating func begin(_ reference: SlotReference, _ one: Open) {
        open[reference] = one
        openByGroup[Int(one.group)] += 1
        wanted.append(reference)
    }

    mutating func update(_ reference: SlotReference, _ one: Open) { open[reference] = one }

    mutating func end(_ reference: SlotReference) {
        guard let one = open.removeValue(forKey: reference) else { return }
        openByGroup[Int(one.group)] -= 1
    }

    /// - Returns: whether the group is left alone from now on.
    mutating func learn(_ what: Inquiry.What, _ group: GroupNumber, _ result: InquiryAnswer.Result, at steady: Int64) -> Bool {
        var habit = habits[Inquiries.key(what, group)] ?? Habit()
        let rested = steady < habit.restUntil
        switch result {
        case .state, .cancelled: habit = Habit()
        case .notKnown: habit.failures = Inquiries.failureMaximum
        case .silent: habit.failures += habit.failures < .max ? 1 : 0
        // ESME_RQUERYFAIL says that the question failed; any other refusal is an answer about that message.
        case .refused(let status): habit.failures = what == .query && status == 0x67 ? min(habit.failures, .max - 1) + 1 : 0
        case .notAsked, .notFound: return false
        }
        if habit.failures >= Inquiries.failureMaximum { habit = Habit(failures: 0, restUntil: steady + Inquiries.restMicroseconds) }
        habits[Inquiries.key(what, group)] = habit
        return !rested && steady < habit.restUntil
    }
}
