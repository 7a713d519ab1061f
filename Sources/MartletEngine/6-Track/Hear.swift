public import MartletModel

extension Engine {
    /// A receipt that no open message is known for; the node looks in the log whether it belongs to an ended one.
    public struct Stray: Sendable {
        public var group: GroupNumber
        public var providerID: String
        /// Key under which the answer that brought this id is indexed.
        public var key: UInt64
    }

    /// Takes receipts in any order: known ones settle their part, unknown ones are kept as orphans until their message appears.
    /// - Parameter naming: how receipts of this group name messages, where that is learnt from them.
    public mutating func hear(_ batch: [Heard], naming: (any ReceiptNaming)? = nil, _ turn: inout Turn, strays: inout [Stray]) {
        for item in batch {
            counts.receipts[Int(item.state.rawValue)] += 1
            var providerID = clipped(item.providerID)
            let key = key(item.group, providerID)
            if let found = find(item, key, naming, &providerID) {
                let slot = slots.pointer(found.slot)
                // Somebody who repeats a passing state without end fills no log.
                if !item.state.isFinal, slot.pointee.pending >= Engine.pendingMaximum { continue }
                if item.state == .deleted, forgets(found.slot, found.part, providerID, &turn) { continue }
                emit(
                    .receipt(.init(part: found.part, state: item.state, error: item.error, providerID: providerID)), found.slot, &turn,
                    flags: slot.pointee.openParts == 0 ? .settlesAttempt : [])
                if item.state == .delivered { arrived(found.slot, &turn) }
                continue
            }
            // A passing state of an unknown message tells nothing that its final one will not.
            guard item.state.isFinal else { continue }
            if orphans.find(key) == nil {
                orphan(.init(state: item.state, error: item.error, providerID: providerID), item.group, at: turn.now.wall, &turn)
                counts.orphans += 1
            }
            strays.append(Stray(group: item.group, providerID: providerID, key: key))
        }
    }

    /// Whether an open message of this engine has the id that a receipt names, as it stands. Where several engines share the partitions,
    /// a receipt may come by a bind of one for a message of another: the shell asks here, then the others, and only what none knows is
    /// heard by all, since the message whose answer it overtook may be of any. So what another has makes no orphan here.
    public func knows(_ item: Heard) -> Bool { providers.find(key(item.group, clipped(item.providerID)), in: slots) != nil }

    /// The log knows the ended message of a stray receipt: it is kept in its story and changes nothing.
    /// - Parameters:
    ///   - header: of a record of that message.
    ///   - previous: raw position of its newest record.
    public mutating func late(_ stray: Stray, part: UInt8, header known: RecordHeader, previous: UInt64, _ turn: inout Turn) {
        guard let entry = orphans.find(stray.key) else { return }
        // Somebody who repeats a receipt without end fills no log; it stays an orphan.
        if let number = slots.number(of: known.id), slots.pointer(number).pointee.pending >= Engine.pendingMaximum { return }
        var header = known
        header.kind = .receipt
        header.at = turn.now.wall
        header.previous = previous
        header.flags = .late
        header.keyID = 0
        header.sequence = nextSequence(header.partition)
        let body = RecordBody.Receipt(part: part, state: entry.orphan.state, error: entry.orphan.error, providerID: stray.providerID)
        let record = Record(header: header, body: .receipt(body))
        apply(record, at: 0, turn.now)
        counts.lateReceipts += 1
        // A repeated receipt for one part of a message that is open still: its record is one of that message's chain.
        guard let number = slots.number(of: known.id) else {
            return turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
        }
        let slot = slots.pointer(number)
        slot.pointee.pending += 1
        turn.records.append(
            Turn.Emitted(
                record: record, slot: slots.reference(number), sealed: .none, after: slot.pointee.state.isEnd ? .retire : .nothing))
    }

    /// Records of one message waiting for the disk above which its passing receipts are left out.
    private static let pendingMaximum: UInt8 = 64

    mutating func orphan(_ body: RecordBody.Orphan, _ group: GroupNumber, at wall: Int64, _ turn: inout Turn) {
        var header = RecordHeader(kind: .orphan, partition: home, group: group, at: wall)
        header.sequence = nextSequence(home)
        let record = Record(header: header, body: .orphan(body))
        apply(record, at: 0, turn.now)
        turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
    }

    /// Receipts whose message is not known, the newest of them. A start asks the log for these once more: the process before may have died
    /// while it looked, and their operators do not bring them again.
    public func strays(limit: Int) -> [Stray] {
        orphans.all.suffix(limit).map { Stray(group: $0.entry.group, providerID: $0.entry.orphan.providerID, key: $0.key) }
    }

    public var orphanCount: Int { orphans.count }
}
