import Dispatch
import Guard
import Journal
import Logging
import MartletEngine
import MartletModel
import NIOCore

/// What waits for a batch of records to become durable.
struct PendingBatch {
    struct Answer {
        var id: MessageID
        var parts: UInt8
        var messageClass: MessageClass
        /// Steady microseconds.
        var receivedAt: Int64
        var then: (Acceptance) -> Void
    }

    var released: [(slot: SlotReference, after: Turn.After)] = []
    var answers: [Answer] = []
    /// Who else waits for the batch: providers for the answer to their receipts, sources for that to a cancellation.
    var receipts: [(Bool) -> Void] = []
    /// Parts of each connection whose answers are in this batch.
    var recorded: [ConnectionNumber: Int] = [:]
    /// Stories asked for whose newest record is in this batch.
    var stories: [() -> Void] = []
    var keys: [Recent.Item] = []
    var found: [SearchIndex.Item] = []
    /// What customers said of their numbers, by which customers are found.
    var facts: [CustomerCopy.Fact] = []
    /// Copies forward, whose number and reference are sealed.
    var carried: [Position] = []

    mutating func clear() {
        released.removeAll(keepingCapacity: true)
        answers.removeAll(keepingCapacity: true)
        receipts.removeAll(keepingCapacity: true)
        recorded.removeAll(keepingCapacity: true)
        stories.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        found.removeAll(keepingCapacity: true)
        carried.removeAll(keepingCapacity: true)
        facts.removeAll(keepingCapacity: true)
    }
}

/// The adaptive group commit: a lone record goes to disk at once; under load the next batch fills while one is being written, and
/// two commits keep a gap, which costs half a millisecond and saves half the syncs. Records that nobody waits for ride along.
extension Node {
    /// Records nobody waits for go to disk at the latest after this time or number.
    private static let lazyDelay: TimeAmount = .milliseconds(2)
    private static let lazyRecords = 64
    /// Batches of at least so many records count as load.
    private static let loadRecords = 8

    /// Whether so much waits for the disk that nothing new is begun: no submission, no step that time brings, no copy forward.
    var isBehind: Bool { parts.appender.pendingBytes > Node.backlogMaximum }

    /// Seals and appends the records of the turn. False, with the alarm raised, when the journal took them no more.
    func append() -> Bool {
        for index in turn.records.indices {
            do {
                try append(index)
            } catch {
                fail("record not appended: \(error)")
                return false
            }
        }
        return true
    }

    private func append(_ index: Int) throws {
        turn.records[index].record.header.previous = engine.previous(of: turn.records[index])
        noteFact(index)
        let clear = turn.records[index].record.clearByteCount
        let position: Position
        switch turn.records[index].sealed {
        case .none:
            position = try parts.appender.append(count: clear) { [record = turn.records[index].record] buffer in
                record.write(to: buffer.baseAddress!)
            }
        case .copy(let sealed, let keyID):
            turn.records[index].record.header.keyID = keyID
            position = try parts.appender.append(count: clear + sealed.count) { [record = turn.records[index].record] buffer in
                record.write(to: buffer.baseAddress!)
                sealed.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: buffer[clear...]).copyMemory(from: $0) }
            }
        case .payload(let range):
            position = try appendSealed(index, clear, range)
        }
        lastAppended = position
        namedKeys.note(turn.records[index].record.header.keyID, in: position.journalSegment)
        engine.placed(turn.records[index], at: position)
        noteKeys(turn.records[index].record, turn.records[index].lookup, position)
        if let slot = turn.records[index].slot { open.released.append((slot, turn.records[index].after)) }
    }

    private func appendSealed(_ index: Int, _ clear: Int, _ range: Range<Int>) throws -> Position {
        let header = turn.records[index].record.header
        let owner = owner(of: turn.records[index], range)
        let key: RecordKey
        if let owner {
            key = .subject(owner)
        } else {
            key = .day(try keyCache.key(class: header.messageClass, day: DataKey.day(ofMicroseconds: header.at)))
        }
        counters.sealed[owner == nil ? 0 : 1] += 1
        turn.records[index].record.header.keyID = key.id.rawValue
        let context = SealContext(header.id)
        var fault: SealFault?
        let position = try parts.appender.append(count: clear + Sealer.sealedCount(range.count)) { buffer in
            turn.records[index].record.write(to: buffer.baseAddress!)
            turn.payloads.withUnsafeBytes { payloads in
                do throws(SealFault) {
                    _ = try sealer.seal(
                        UnsafeRawBufferPointer(rebasing: payloads[range]), context: context, key: key,
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[clear...]))
                } catch {
                    fault = error
                }
            }
        }
        if let fault { throw fault }
        return position
    }

    private func noteKeys(_ record: Record, _ lookup: Turn.Lookup, _ position: Position) {
        // What was held has no number yet, and what was released had its reference before.
        if lookup.number != 0 || lookup.reference != 0 {
            let isLater = SearchIndex.isLater(record)
            if lookup.number != 0 { open.found.append(.init(lookup.number, record.header.id, position, isCarried: isLater)) }
            if lookup.reference != 0 { open.found.append(.init(lookup.reference, record.header.id, position, isCarried: isLater)) }
        } else if record.header.kind == .carried || record.header.kind == .replaced {
            open.carried.append(position)
        }
        let items = Recent.items(of: record, at: position, parts.providers)
        if let own = items.own { open.keys.append(own) }
        if let provider = items.provider { open.keys.append(provider) }
    }

    /// Somebody waits: commit as soon as this read of the loop is done.
    func kickSoon() {
        guard !kickScheduled else { return }
        kickScheduled = true
        loop.assumeIsolated().execute { self.kick() }
    }

    /// Nobody waits: commit with the next batch, or soon.
    func kickLater() {
        if parts.appender.pendingRecords >= Node.lazyRecords { return kickSoon() }
        guard !lazyScheduled, !kickScheduled else { return }
        lazyScheduled = true
        loop.assumeIsolated().scheduleTask(in: Node.lazyDelay) {
            self.lazyScheduled = false
            self.kick()
        }
    }

    func kick() {
        kickScheduled = false
        guard flying == nil, !broken, parts.appender.pendingRecords > 0 else { return }
        let steady = parts.clock.now().steady
        if lastBatchRecords >= Node.loadRecords, steady < nextCommit {
            kickScheduled = true
            loop.assumeIsolated().scheduleTask(in: .microseconds(nextCommit - steady)) { self.kick() }
            return
        }
        countTexts()
        guard var last = parts.appender.cut() else { return }
        nextCommit = steady + parts.commitGap
        flyingSince = steady
        flying = open
        open = spare
        spare = PendingBatch()
        // Behind a slow disk there may be several. They are written in order, and one that fails lets all later ones fail: the last
        // one's result holds for all.
        var records = last.records
        while let next = parts.appender.cut() {
            parts.journal.write(last) { _, _ in }
            last = next
            records += next.records
        }
        lastBatchRecords = records
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        parts.journal.write(last) { [records] batch, result in
            loop.execute { bound.value.committed(batch.end, records, result) }
        }
    }

    /// In the batch of what they count.
    private func countTexts() {
        guard engine.hasUncounted else { return }
        turn.begin(parts.clock.now())
        engine.sayCounted(&turn)
        _ = append()
    }

    private func committed(_ end: Position, _ records: Int, _ result: WriteResult) {
        guard var done = flying else { return }
        flying = nil
        if case .failed(let failure) = result {
            for answer in done.answers { answer.then(.refused(.storage(retryAfterSeconds: 5))) }
            for answer in done.receipts { answer(false) }
            return fail(failure.description)
        }
        let now = parts.clock.now()
        counters.commit.observe(now.steady - flyingSince)
        counters.batches += 1
        counters.records += records
        durableEnd = end
        for (slot, after) in done.released { engine.released(slot, after, now) }
        for (connection, count) in done.recorded { connections[connection]?.unrecorded -= count }
        pumpAll()
        decideDue()
        if engine.owedTotal > 0 { tellAll() }
        if !done.facts.isEmpty { parts.copy.learn(done.facts) }
        // Before anyone may ask for a message that ended in this batch.
        parts.recent.add(done.keys, done.found, done.carried)
        settleKeys()
        answering = true
        for answer in done.answers {
            counters.accept[Int(answer.messageClass.rawValue)].observe(now.steady - answer.receivedAt)
            answer.then(.accepted(answer.id, parts: answer.parts))
        }
        for answer in done.receipts { answer(true) }
        answering = false
        for flush in flushes { flush() }
        flushes.removeAll(keepingCapacity: true)
        if trimAwaits || end.journalSegment != begun { trimWithCommit() }
        for story in done.stories { story() }
        if parts.appender.pendingRecords == 0 {
            // Asked for while their records were being written, with nothing behind them that would bring another commit.
            let asked = open.stories
            open.stories.removeAll(keepingCapacity: true)
            for story in asked { story() }
            // So with those who wait for what an earlier batch recorded.
            let waiting = open.receipts
            open.receipts.removeAll(keepingCapacity: true)
            for answer in waiting { answer(true) }
        }
        done.clear()
        spare = done
        kick()
    }

    /// Nothing can be made durable any more. What was answered is safe; the rest hears so, and the process ends for its supervisor
    /// to start it again.
    func fail(_ reason: String) {
        guard !broken else { return }
        broken = true
        for answer in open.answers { answer.then(.refused(.storage(retryAfterSeconds: 5))) }
        for answer in open.receipts { answer(false) }
        open.clear()
        parts.logger.critical("journal failed, the node stops", metadata: ["reason": "\(reason)"])
        parts.storageFailed(reason)
    }
}

extension SealContext {
    /// A message's payload is bound to the id of its notification, so that a copy for another of its messages opens; the kind is that of the
    /// acceptance for every copy of it.
    init(_ id: MessageID) {
        let id = id.notification
        self.init(high: id.high, low: id.low, kind: RecordKind.accepted.rawValue)
    }
}
