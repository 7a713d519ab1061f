import MartletModel

/// All queues of one connection group. Security and codes are strict; the other lanes share by weight what these leave, and the
/// classes of one lane share it evenly.
struct GroupLanes {
    private var queues: [ClassQueue] = Array(repeating: ClassQueue(), count: GroupLanes.lanes.count)
    /// Parts that each class had of its lane, and how far the class served last had come.
    private var served: [UInt64] = Array(repeating: 0, count: GroupLanes.lanes.count)
    private var inner: [UInt64] = Array(repeating: 0, count: Lane.allCases.count)
    /// Virtual time of the weighted share: parts sent by weight.
    private var passed: [UInt64] = Array(repeating: 0, count: Lane.allCases.count)
    private var virtual: UInt64 = 0
    /// Classes that a person holds back.
    var held: ClassSet = []

    /// The lane of each class, by raw value less one; lanes stand in their order.
    private static let lanes: [Lane] = MessageClass.allCases.map(\.lane)
    private static func place(_ one: MessageClass) -> Int { Int(one.rawValue) - 1 }

    subscript(one: MessageClass) -> ClassQueue {
        _read { yield queues[GroupLanes.place(one)] }
        _modify { yield &queues[GroupLanes.place(one)] }
    }

    var count: Int {
        var sum = 0
        for queue in queues { sum += queue.count }
        return sum
    }

    func count(of lane: Lane) -> Int {
        var sum = 0
        for place in queues.indices where GroupLanes.lanes[place] == lane { sum += queues[place].count }
        return sum
    }

    mutating func push(_ number: UInt32, _ slots: borrowing SlotTable, front: Bool = false) {
        let slot = slots.pointer(number)
        let one = slot.pointee.messageClass
        catchUp(one)
        if front { self[one].pushFront(number, slots) } else { self[one].push(number, source: slot.pointee.source, slots) }
    }

    mutating func pushFirst(_ number: UInt32, _ slots: borrowing SlotTable) {
        let one = slots.pointer(number).pointee.messageClass
        catchUp(one)
        self[one].pushFirst(number, slots)
    }

    /// Takes a message out wherever it stands.
    mutating func remove(_ number: UInt32, _ slots: borrowing SlotTable) {
        self[slots.pointer(number).pointee.messageClass].remove(number, slots)
    }

    /// What had nothing to send saved nothing up.
    private mutating func catchUp(_ one: MessageClass) {
        let (place, lane) = (GroupLanes.place(one), one.lane)
        guard queues[place].isEmpty else { return }
        let at = Int(lane.rawValue)
        served[place] = max(served[place], inner[at])
        if count(of: lane) == 0 { passed[at] = max(passed[at], virtual) }
    }

    /// The class whose turn it is among those that have something to give.
    func choose(without skipped: ClassSet = []) -> MessageClass? {
        let barred = held.union(skipped).rawValue >> 1
        var best = -1
        for place in queues.indices where barred >> UInt16(place) & 1 == 0 && queues[place].isReady {
            guard best >= 0 else {
                best = place
                continue
            }
            let (lane, other) = (GroupLanes.lanes[place], GroupLanes.lanes[best])
            if lane == other {
                if served[place] < served[best] { best = place }
            } else if other.isStrict {
                break
            } else if passed[Int(lane.rawValue)] < passed[Int(other.rawValue)] {
                best = place
            }
        }
        return best < 0 ? nil : MessageClass(rawValue: UInt8(best + 1))
    }

    /// Parts of this class were given out.
    mutating func charge(_ one: MessageClass, parts: Int) {
        let (place, lane) = (GroupLanes.place(one), one.lane)
        let at = Int(lane.rawValue)
        // One that was held, or stood for its payloads, saved nothing up either: else it would take all until it caught up.
        served[place] = max(served[place], inner[at])
        inner[at] = served[place]
        served[place] += UInt64(parts)
        guard !lane.isStrict else { return }
        passed[at] = max(passed[at], virtual)
        virtual = passed[at]
        passed[at] += UInt64(parts * 64 / lane.weight)
    }
}
