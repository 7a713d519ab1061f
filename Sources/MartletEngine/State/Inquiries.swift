import MartletModel

/// What is being asked of providers just now, in a table of its own: few messages are ever asked about, and a slot stays small. Beside it
/// what was learnt of each group: who does not answer such questions is left alone for a while.
struct Inquiries {
    /// Parts of a group asked about at once, of messages of the strict lanes; the others leave room for those. What comes beyond waits for
    /// its next turn.
    static let maximum = 256
    static let reserve = 64
    /// Questions in a row that failed or stayed without an answer, after which a group is left alone.
    static let failureMaximum: UInt8 = 3
    /// For how long, in microseconds.
    static let restMicroseconds: Int64 = 3_600_000_000
    /// Cancellations of sources that cannot be told to a provider yet.
    static let wishMaximum = 1024
    /// Messages of several parts with some that were deleted.
    static let forgottenMaximum = 4096

    struct Open {
        var what: Inquiry.What
        var group: GroupNumber
        var isStrict: Bool
        /// How the message ends when its provider forgets it.
        var reason: EndReason
        /// Parts without an answer; those whose inquiry was put; those that were cancelled.
        var left: UInt16
        var asked: UInt16 = 0
        var cancelled: UInt16 = 0
        /// Of the part that was cancelled last.
        var cancelledID = ""
        /// Parts that take room of the group.
        var parts = 0
    }

    /// A source wants a message no more that its provider cannot be told to forget yet.
    struct Wish {
        var slot: SlotReference
        /// Steady microseconds.
        var notBefore: Int64
    }

    /// Parts that a provider deleted as it was told to, of a message of which others are still open.
    struct Forgotten {
        var parts: UInt16 = 0
        /// The part that was deleted last, and its id.
        var last: UInt8 = 0
        var providerID = ""
    }

    /// What is learnt of a group.
    private struct Habit {
        var failures: UInt8 = 0
        /// Steady microseconds; 0: it answers.
        var restUntil: Int64 = 0
        /// It was left alone: one inquiry goes first, and the others when that is answered.
        var isProbed = false
        var probe: SlotReference?
    }

    private(set) var open: [SlotReference: Open] = [:]
    /// A fold of the log, but for what was trimmed before a restart: such a message ends when its receipts' time is over.
    var forgotten: [SlotReference: Forgotten] = [:]
    private var openByGroup = [Int](repeating: 0, count: 256)
    private var habits: [UInt16: Habit] = [:]
    /// Oldest first.
    var wishes: [Wish] = []
    /// How far the table was looked through since permissions changed; nil: all of it.
    var cursor: UInt32?
    /// To be read and put to their provider; the node takes them.
    var wanted: [SlotReference] = []

    private static func key(_ what: Inquiry.What, _ group: GroupNumber) -> UInt16 { UInt16(what.rawValue) << 8 | UInt16(group) }

    /// Microseconds for which a group is still left alone; 0: it may be asked.
    func rest(_ what: Inquiry.What, _ group: GroupNumber, at steady: Int64) -> Int64 {
        max(0, (habits[Inquiries.key(what, group)]?.restUntil ?? 0) - steady)
    }

    /// Whether one of so many parts may begin.
    func admits(_ one: Open, at steady: Int64) -> Bool {
        let limit = one.isStrict ? Inquiries.maximum : Inquiries.maximum - Inquiries.reserve
        guard openByGroup[Int(one.group)] + one.left.nonzeroBitCount <= limit else { return false }
        guard let habit = habits[Inquiries.key(one.what, one.group)] else { return true }
        if steady < habit.restUntil { return false }
        guard habit.isProbed, let probe = habit.probe else { return true }
        return open[probe] == nil
    }

    mutating func begin(_ reference: SlotReference, _ one: Open) {
        var one = one
        one.parts = one.left.nonzeroBitCount
        open[reference] = one
        openByGroup[Int(one.group)] += one.parts
        let key = Inquiries.key(one.what, one.group)
        if habits[key]?.isProbed ?? false { habits[key]?.probe = reference }
        wanted.append(reference)
    }

    func isForgotten(_ part: UInt8, of reference: SlotReference) -> Bool {
        (forgotten[reference]?.parts ?? 0) >> UInt16(part & 15) & 1 == 1
    }

    mutating func forgot(_ part: UInt8, _ providerID: String, of reference: SlotReference) {
        guard forgotten[reference] != nil || forgotten.count < Inquiries.forgottenMaximum else { return }
        forgotten[reference, default: Forgotten()].parts |= 1 << UInt16(part & 15)
        forgotten[reference]?.last = part
        forgotten[reference]?.providerID = providerID
    }

    mutating func update(_ reference: SlotReference, _ one: Open) { open[reference] = one }

    mutating func end(_ reference: SlotReference) {
        guard let one = open.removeValue(forKey: reference) else { return }
        openByGroup[Int(one.group)] -= one.parts
    }

    /// What was learnt of a group is no longer so: its peer or its permission is another.
    mutating func forget(_ group: GroupNumber) {
        for what in Inquiry.What.allCases { habits[Inquiries.key(what, group)] = nil }
    }

    /// Kept while the process lives, and no more than there is room for.
    mutating func wish(_ slot: SlotReference, notBefore: Int64) {
        guard wishes.count < Inquiries.wishMaximum, !wishes.contains(where: { $0.slot == slot }) else { return }
        wishes.append(Wish(slot: slot, notBefore: notBefore))
    }

    /// - Parameter isYoung: the message is not old enough for an operator to have forgotten it.
    /// - Returns: whether the group is left alone from now on.
    mutating func learn(
        _ what: Inquiry.What, _ group: GroupNumber, _ result: InquiryAnswer.Result, isYoung: Bool, at steady: Int64
    ) -> Bool {
        var habit = habits[Inquiries.key(what, group)] ?? Habit()
        let rested = steady < habit.restUntil
        switch result {
        case .state, .cancelled: habit = Habit()
        case .notKnown: habit.failures = Inquiries.failureMaximum
        case .silent, .lost: habit.failures += habit.failures < .max ? 1 : 0
        case .refused(let status) where what == .query && status == 0x67:
            // ESME_RQUERYFAIL says that the question failed. Of an old message it says that it is forgotten.
            guard isYoung else { return false }
            habit.failures += habit.failures < .max ? 1 : 0
        case .refused: habit = Habit(restUntil: habit.restUntil, isProbed: rested)
        case .notAsked, .notFound, .notNow: return false
        }
        if habit.failures >= Inquiries.failureMaximum || habit.isProbed && !rested && habit.failures > 0 {
            habit = Habit(restUntil: steady + Inquiries.restMicroseconds, isProbed: true)
        }
        habits[Inquiries.key(what, group)] = habit
        return !rested && steady < habit.restUntil
    }
}
