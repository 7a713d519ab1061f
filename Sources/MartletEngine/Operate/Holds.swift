public import MartletModel

extension Engine {
    /// Holds classes back on one group, or on all (group 0), or releases them; what is on the wire goes on. Recorded, so that it outlives
    /// restarts and trims.
    public mutating func hold(_ classes: ClassSet, of group: GroupNumber, _ held: Bool, _ turn: inout Turn) {
        let before = holds[group]?.classes ?? []
        let after = held ? before.union(classes) : before.subtracting(classes)
        guard after != before else { return }
        mark(.init(what: .hold, value: UInt32(after.rawValue)), group: group, &turn)
        guard !held else { return }
        // While the log says that they are held nothing of them may leave: a restart would not suspect it. So nothing is handed over
        // before the release is durable.
        gate += 1
        turn.records[turn.records.count - 1].slot = SlotReference(index: .max, generation: 0)
        turn.records[turn.records.count - 1].after = .recovered
    }

    /// Raw position of the mark since which a class has been held on a group without a break; nil when it is not held.
    func heldSince(_ one: MessageClass, _ group: GroupNumber) -> UInt64? {
        var since: UInt64?
        for place in [0, group] {
            guard let hold = holds[place], hold.classes.contains(one), hold.position != 0 else { continue }
            since = min(since ?? .max, hold.position)
        }
        return since
    }

    /// Classes held on this group alone; of group 0 those held on all.
    public func held(_ group: GroupNumber) -> ClassSet { holds[group]?.classes ?? [] }
    /// Groups with a hold of their own; 0 stands for all.
    public var heldGroups: [GroupNumber] { holds.keys.sorted() }
    /// Whether messages of a class wait on this group because a person said so.
    public func isHeld(_ one: MessageClass, _ group: GroupNumber) -> Bool { lanes[Int(group)].held.contains(one) }

    mutating func setHold(_ group: GroupNumber, _ classes: ClassSet, at position: UInt64) {
        let old = holds[group]?.position ?? 0
        if classes.isEmpty {
            // What holds nothing needs no mark that outlives its segment.
            forget(old)
            holds[group] = nil
        } else {
            if position != 0 { forget(old) }
            holds[group] = (classes, position == 0 ? old : position)
            remember(position)
        }
        let everywhere = holds[0]?.classes ?? []
        for one in group == 0 ? 1...GroupNumber.max : group...group {
            lanes[Int(one)].held = everywhere.union(holds[one]?.classes ?? [])
        }
    }
}
