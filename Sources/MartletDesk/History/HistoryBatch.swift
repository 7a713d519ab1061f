import Guard
import Journal
import MartletModel
import MartletStore
import SQL

/// The rows of a stretch of the log, before they are written. Pure but for the sealed parts, which are opened for their search hashes.
struct HistoryBatch: Sendable {
    /// How much of what is seen is repeated: rows that may be there already are merged.
    private(set) var notifications = EvidenceTable.notifications.batch
    private(set) var messages = EvidenceTable.messages.batch
    private(set) var inbound = EvidenceTable.inbound.batch
    private(set) var attempts = EvidenceTable.attempts.batch
    private(set) var receipts = EvidenceTable.receipts.batch
    /// What happened in between and has no row of its own: the record as it stands in the log, without what is sealed.
    private(set) var steps = SQLBatch(table: "step", columns: ["id", "sequence", "record"])
    /// What was decided of events, without what was read for it.
    private(set) var decisions = EvidenceTable.decisions.batch
    private(set) var undelivered = SQLBatch(table: "undelivered", columns: ["id", "state", "reason", "source"])
    /// Messages whose text their source replaced, by id: the newest text counts.
    private(set) var replaced: [MessageID: [SQLValue]] = [:]
    private(set) var lookups: [Lookup] = []
    private(set) var states: [StateChange] = []
    private var stateIndex: [MessageID: Int] = [:]

    var folds: [any HistoryFold] = []
    private(set) var preferences: [PreferenceChange] = []
    private(set) var said: [PackageSaid] = []
    /// Newest sequence of each partition that the batch has records of.
    private(set) var sequences: [PartitionNumber: UInt64] = [:]
    private(set) var months: Set<HistoryMonth> = []
    var gaps: [HistoryGap] = []
    /// Records that by their sequences should stand in the stretch and do not.
    var lost: UInt64 = 0
    /// Raw position where the log goes on.
    var next: UInt64 = 0
    /// Of which the records are.
    var journal: JournalID?
    /// The log's durable end when the batch was read.
    var end: UInt64 = 0
    private(set) var records = 0
    /// Sealed parts that did not open: their rows are there, a search by number or reference does not find them.
    private(set) var unopened = 0
    /// Something in it may be in the store already.
    private(set) var hasRepeats = false
    /// Wall microseconds of the newest record.
    private(set) var newestAt: Int64 = 0

    var isEmpty: Bool { records == 0 && gaps.isEmpty }

    /// An entry of `lookup`.
    struct Lookup: Sendable, Comparable {
        var slot: Int64
        var kind: Int16
        var hash: Int64
        var id: MessageID

        static func < (a: Lookup, b: Lookup) -> Bool {
            if a.slot != b.slot { return a.slot < b.slot }
            if a.kind != b.kind { return a.kind < b.kind }
            return a.hash != b.hash ? a.hash < b.hash : a.id < b.id
        }
    }

    /// Takes one record.
    /// - Parameter sealed: its sealed part; empty where it has none.
    mutating func take(_ record: Record, _ sealed: UnsafeRawBufferPointer, _ keys: HistoryKeys) {
        let header = record.header
        records += 1
        newestAt = max(newestAt, header.at)
        sequences[header.partition] = header.sequence
        for index in folds.indices { folds[index].take(header, record.body) }
        switch record.body {
        case .accepted(let it):
            accepted(header, receivedAt: it.receivedAt / 1000, parts: it.parts(header), sealed, keys)
            state(header, isFresh: true)
        case .answered(let it):
            attempts.append(
                .bytes(header.id.message.bytes), .number(header.sequence), .number(it.attempt), .number(it.part),
                .number(it.outcome.code), .number(it.outcome.status), .integer(it.handedAt / 1000), .integer(header.at / 1000),
                .text(it.connection),
                .text(it.outcome.providerID.isEmpty ? nil : it.rawID.isEmpty ? it.outcome.providerID : it.rawID))
            state(header, attempts: it.attempt)
        case .receipt(let it):
            receipts.append(
                .bytes(header.id.message.bytes), .number(header.sequence), .number(it.part), .number(it.state.rawValue),
                .number(it.error), .integer(header.at / 1000), .text(it.providerID))
            if it.isAnswer { step(record) }
            state(header)
        case .rerouted(let it):
            step(record)
            state(header, route: it.group)
        case .told(let it): state(header, told: it.outcome)
        case .ended: state(header)
        case .resumed, .asked:
            step(record)
            state(header)
        case .replaced(let it):
            step(record)
            replaced[header.id] = message(header, parts: onAir(it, header), sealed)
            look(header, sealed, keys)
            hasRepeats = true
            state(header, attempts: it.attempts)
        case .carried(let it): carried(it, header, sealed, keys)
        case .decided(let it): decided(it, record, sealed, keys)
        case .inbound(let it):
            guard it.number == 0 else { return }
            received(header, at: header.at / 1000, parts: it.total, missing: it.missing, inReplyTo: it.inReplyTo, sealed, keys)
            state(header, isFresh: true)
        case .preference(let it):
            preferences.append(
                PreferenceChange(
                    number: it.number, address: it.address, unwanted: it.unwanted, at: header.at, partition: header.partition,
                    sequence: header.sequence))
        case .subscribed(let it):
            said.append(
                PackageSaid(
                    subject: it.subject, word: PackageWord(it.package, isWanted: it.isWanted, at: header.at), message: it.message))
        case .orphan, .mark, .ledger, .counted: break
        }
    }

    private mutating func decided(
        _ it: RecordBody.Decided, _ record: Record, _ sealed: UnsafeRawBufferPointer, _ keys: HistoryKeys
    ) {
        let header = record.header
        step(record)
        decisions.append(
            .bytes(header.id.message.bytes), .number(header.sequence), .number(it.event), .number(it.outcome.rawValue),
            .number(it.reason?.rawValue), .number(it.package == 0 ? nil : it.package), .number(it.release), .number(it.step),
            .integer(header.at / 1000))
        if it.stage == .fresh {
            notification(header, receivedAt: it.receivedAt / 1000)
            look(header, sealed, keys)
        }
        // Where nothing goes there is no message, and to find none by.
        if it.outcome == .told {
            let row = message(header, parts: it.partsOnAir, sealed, over: it.channel)
            if it.stage == .fresh {
                messages.append(row)
            } else {
                replaced[header.id] = row
                look(header, sealed, keys)
                hasRepeats = true
            }
        }
        state(header, isFresh: it.stage == .fresh)
    }

    /// A record as a step of its message.
    private mutating func step(_ record: Record) {
        let count = record.clearByteCount
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            guard let base = buffer.baseAddress else { return }
            record.write(to: UnsafeMutableRawPointer(base))
            used = count
        }
        steps.append(.bytes(record.header.id.message.bytes), .number(record.header.sequence), .bytes(bytes))
    }

    /// Does what needs nothing that only the store knows, so that the transaction need not wait for it: tags of rows, the order of search entries. Once,
    /// before it is written.
    mutating func finish(_ keys: HistoryKeys) {
        lookups.sort()
        let tags = keys.evidenceTags
        notifications = EvidenceTable.notifications.tagged(notifications, tags.notifications)
        messages = EvidenceTable.messages.tagged(messages, tags.messages)
        replaced = replaced.mapValues { EvidenceTable.messages.tagged($0, tags.messages) }
        inbound = EvidenceTable.inbound.tagged(inbound, tags.inbound)
        attempts = EvidenceTable.attempts.tagged(attempts, tags.attempts)
        receipts = EvidenceTable.receipts.tagged(receipts, tags.receipts)
        steps = StepRow.tagged(steps, keys.stepTags)
        decisions = EvidenceTable.decisions.tagged(decisions, tags.decisions)
    }

    /// A record of a form that this program does not know.
    mutating func unreadable(at position: UInt64) {
        records += 1
        gaps.append(HistoryGap(kind: .unreadable, from: position, to: position))
    }

    /// Repeats what is known, and is all that there is where the records before it are gone.
    private mutating func carried(
        _ it: RecordBody.Carried, _ header: RecordHeader, _ sealed: UnsafeRawBufferPointer, _ keys: HistoryKeys
    ) {
        hasRepeats = true
        if it.state == .received {
            received(header, at: header.id.milliseconds, parts: header.parts, missing: 0, inReplyTo: .none, sealed, keys)
        } else if it.state == .planned || header.parts == 0 {
            // Of an event of which nothing goes, or not yet.
            if header.id.ordinal == 0 {
                notification(header, receivedAt: header.id.milliseconds)
                look(header, sealed, keys)
            }
        } else {
            accepted(header, receivedAt: header.id.milliseconds, parts: onAir(it, header), sealed, keys)
        }
        state(header, attempts: it.attempts, isRepeat: true, endedAt: it.state.isEnd ? Int64(clamping: it.order) : nil)
    }

    private func onAir(_ it: RecordBody.Carried, _ header: RecordHeader) -> UInt8 {
        Payload.parts(ofShape: it.textShape) ?? header.parts
    }

    private mutating func accepted(
        _ header: RecordHeader, receivedAt: Int64, parts: UInt8, _ sealed: UnsafeRawBufferPointer, _ keys: HistoryKeys
    ) {
        // A further message of an event is no notification of its own.
        if header.id.ordinal == 0 { notification(header, receivedAt: receivedAt) }
        messages.append(message(header, parts: parts, sealed))
        look(header, sealed, keys)
    }

    private mutating func notification(_ header: RecordHeader, receivedAt: Int64) {
        months.insert(HistoryMonth(of: header.id.milliseconds))
        notifications.append(
            .bytes(header.id.bytes), .number(header.source), .number(header.messageClass), .integer(receivedAt), .integer(header.deadline),
            .number(0))
    }

    private func message(
        _ header: RecordHeader, parts: UInt8, _ sealed: UnsafeRawBufferPointer, over channel: ChannelKind? = nil
    ) -> [SQLValue] {
        [
            .bytes(header.id.message.bytes), .number((channel ?? .sms).rawValue), .number(parts), .number(header.keyID),
            .bytes(Array(sealed)),
        ]
    }

    private mutating func received(
        _ header: RecordHeader, at: Int64, parts: UInt8, missing: UInt8, inReplyTo: MessageID, _ sealed: UnsafeRawBufferPointer,
        _ keys: HistoryKeys
    ) {
        months.insert(HistoryMonth(of: header.id.milliseconds))
        let payload = look(header, sealed, keys)
        // A copy forward has it in its sealed part only.
        let answered = inReplyTo != .none ? inReplyTo : payload?.inReplyTo ?? .none
        inbound.append(
            .bytes(header.id.bytes), .number(header.source), .number(header.group), .integer(at), .number(parts), .number(missing),
            answered == .none ? .null : .bytes(answered.bytes), .number(header.keyID), .bytes(Array(sealed)))
    }

    /// What a search goes by.
    @discardableResult
    private mutating func look(_ header: RecordHeader, _ sealed: UnsafeRawBufferPointer, _ keys: HistoryKeys) -> Payload? {
        let slot = SearchSlot.of(header.id.milliseconds)
        func entry(_ kind: SearchKind, _ hash: Int64) -> Lookup {
            Lookup(slot: slot, kind: kind.rawValue, hash: hash, id: header.id.notification)
        }
        lookups.append(entry(.source, Int64(header.source)))
        if let subject = RecordKeyID(rawValue: header.keyID).subject { lookups.append(entry(.customer, Int64(subject))) }
        guard case .payload(let payload, _) = keys.open(Array(sealed), of: header.id, keyID: header.keyID) else {
            unopened += 1
            return nil
        }
        // Of an event that nobody is told of there is none.
        if payload.to.digits != 0 { lookups.append(entry(.phone, keys.hashes.phone(payload.to))) }
        // The reference of a message from a handset is the address as its operator wrote it.
        if !payload.reference.isEmpty, header.kind != .inbound {
            lookups.append(entry(.reference, keys.hashes.reference(payload.reference)))
        }
        return payload
    }

    private mutating func state(
        _ header: RecordHeader, isFresh: Bool = false, attempts: UInt8 = 0, route: GroupNumber? = nil, told: ToldOutcome? = nil,
        isRepeat: Bool = false, endedAt: Int64? = nil
    ) {
        guard header.id != .none, let state = header.flags.state else { return }
        let reason = header.flags.reason ?? .none
        let at = header.at / 1000
        months.insert(HistoryMonth(of: header.id.milliseconds))
        // Of a notification: while a further message may still go, one that ended is no end of it.
        if header.id.ordinal == 0, header.flags.contains(.ends) || isRepeat, state.isEnd, state != .delivered, state != .received {
            undelivered.append(
                .bytes(header.id.bytes), .number(state.rawValue), .number(reason.rawValue), .number(header.source))
        }
        let change = StateChange(
            id: header.id, sequence: header.sequence, state: state, reason: reason, flags: header.flags, route: route ?? header.group,
            attempts: attempts, changedAt: at, endedAt: endedAt ?? (header.flags.contains(.ends) ? at : nil), told: told, isFresh: isFresh,
            isRepeat: isRepeat)
        if let index = stateIndex[header.id] {
            states[index].follow(change)
        } else {
            stateIndex[header.id] = states.count
            states.append(change)
        }
    }
}

extension MessageID {
    /// Under which the history has it: the first message of a notification is 1, whose records the log has under 0.
    var message: MessageID { ordinal == 0 ? with(ordinal: 1) : self }
}
