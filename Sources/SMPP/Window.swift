/// The requests of one direction that have no answer yet: `table[sequence & mask]`, twice as many places as the window.
/// A request is named by its place, so its owner can keep what belongs to it in an array of the same size.
struct Window: ~Copyable {
    private(set) var limit: Int
    private(set) var outstanding = 0
    private var mask: UInt32
    /// Sequence number in each place; 0: free (the specification's first number is 1, section 3.2).
    private var sequences: ContiguousArray<UInt32>
    /// Steady microseconds when it was taken.
    private var takenAt: ContiguousArray<Int64>
    /// What stands in each place. Only places of other kinds than `.usual` are ever written, so the usual request costs nothing.
    private var kinds: ContiguousArray<RequestKind>
    private var next: UInt32 = 1
    /// No request older than this number is open.
    private var oldest: UInt32 = 1

    static let limitMaximum = 16_384

    init(limit: Int) {
        self.limit = min(max(limit, 1), Window.limitMaximum)
        let size = Window.size(self.limit)
        mask = UInt32(size - 1)
        sequences = ContiguousArray(repeating: 0, count: size)
        takenAt = ContiguousArray(repeating: 0, count: size)
        kinds = ContiguousArray(repeating: .usual, count: size)
    }

    private static func size(_ limit: Int) -> Int {
        var size = 16
        while size < 2 * limit { size *= 2 }
        return size
    }

    var places: Int { sequences.count }
    var room: Int { max(0, limit - outstanding) }

    @inline(__always) static func after(_ sequence: UInt32) -> UInt32 { sequence == 0x7FFF_FFFF ? 1 : sequence + 1 }

    /// A number for a request that takes no place, such as enquire_link.
    mutating func number() -> UInt32 {
        let value = next
        next = Window.after(next)
        return value
    }

    /// Takes a place; the caller has checked `room`.
    @inline(__always) mutating func take(at now: Int64, _ kind: RequestKind = .usual) -> (sequence: UInt32, place: Int) {
        precondition(outstanding < limit, "no room in the window")
        if outstanding == 0 { oldest = next }
        // At most half of the places are taken, so a free one comes within as many steps.
        while sequences[Int(next & mask)] != 0 { next = Window.after(next) }
        let sequence = number()
        let place = Int(sequence & mask)
        sequences[place] = sequence
        takenAt[place] = now
        if kind != .usual { kinds[place] = kind }
        outstanding += 1
        return (sequence, place)
    }

    /// The place of an open request; nil for a number that is not open.
    @inline(__always) func place(of sequence: UInt32) -> Int? {
        let place = Int(sequence & mask)
        return sequence != 0 && sequences[place] == sequence ? place : nil
    }

    @inline(__always) func kind(at place: Int) -> RequestKind { kinds[place] }

    @inline(__always) mutating func free(_ place: Int) {
        precondition(sequences[place] != 0, "a place is freed once")
        sequences[place] = 0
        if kinds[place] != .usual { kinds[place] = .usual }
        outstanding -= 1
    }

    /// The open request taken first, with the time of that.
    mutating func first() -> (place: Int, takenAt: Int64)? {
        guard outstanding > 0 else { return nil }
        while sequences[Int(oldest & mask)] != oldest { oldest = Window.after(oldest) }
        let place = Int(oldest & mask)
        return (place, takenAt[place])
    }

    /// Sets another limit; requests that are open stay so. Places may only grow in number: `move` is told of each open one that
    /// gets another place.
    mutating func setLimit(_ wanted: Int, grown: (Int) -> Void, move: (_ old: Int, _ new: Int) -> Void) {
        limit = min(max(wanted, 1), Window.limitMaximum)
        let size = Window.size(limit)
        guard size > sequences.count else { return }
        grown(size)
        let (oldSequences, oldTimes, oldKinds) = (sequences, takenAt, kinds)
        mask = UInt32(size - 1)
        sequences = ContiguousArray(repeating: 0, count: size)
        takenAt = ContiguousArray(repeating: 0, count: size)
        kinds = ContiguousArray(repeating: .usual, count: size)
        for old in 0..<oldSequences.count where oldSequences[old] != 0 {
            // Numbers that differ in fewer bits differ in more: no two meet in the larger table.
            let new = Int(oldSequences[old] & mask)
            sequences[new] = oldSequences[old]
            takenAt[new] = oldTimes[old]
            kinds[new] = oldKinds[old]
            move(old, new)
        }
    }

    /// Frees all, oldest first.
    mutating func drain(_ each: (Int) -> Void) {
        while let (place, _) = first() {
            free(place)
            each(place)
        }
    }
}

/// What a place of a window waits for.
enum RequestKind: UInt8 {
    /// submit_sm of a client, deliver_sm of a server.
    case usual
    case data, query, cancel, replace, submitMulti

    /// Nil for what a window does not hold.
    init?(answeredBy response: Command) {
        switch response {
        case .submitResponse, .deliverResponse: self = .usual
        case .dataResponse: self = .data
        case .queryResponse: self = .query
        case .cancelResponse: self = .cancel
        case .replaceResponse: self = .replace
        case .submitMultiResponse: self = .submitMulti
        default: return nil
        }
    }

    func command(usual: Command) -> Command {
        switch self {
        case .usual: usual
        case .data: .data
        case .query: .query
        case .cancel: .cancel
        case .replace: .replace
        case .submitMulti: .submitMulti
        }
    }
}
