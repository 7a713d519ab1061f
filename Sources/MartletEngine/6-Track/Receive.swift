public import MartletModel
import SMSText

/// Messages from handsets that wait for their other parts. Each part is in the log on its own, so that its provider may be answered
/// at once; the whole message takes their place.
struct InboundParts {
    struct Part {
        var inbound: Inbound
        /// Raw journal position of its record; 0 until it has one.
        var position: UInt64
    }

    struct Waiting {
        var id: MessageID
        var reply: Inbound.Reply?
        var group: GroupNumber
        var parts: [Part] = []
    }

    var assembler: PartAssembler
    /// By the assembler's number of the message.
    var waiting: [UInt64: Waiting] = [:]
    var serials: [MessageID: UInt64] = [:]
    /// In replay: where the parts of messages stand that are not whole yet, by number.
    var found: [MessageID: [UInt8: UInt64]] = [:]
    /// Whole after a restart, with no record that says so.
    var late: [AssembledMessage] = []

    init(wait: Int64) { assembler = PartAssembler(.init(keep: .microseconds(wait))) }

    mutating func set(_ serial: UInt64, _ entry: Waiting) {
        waiting[serial] = entry
        serials[entry.id] = serial
    }

    mutating func remove(_ serial: UInt64) -> Waiting? {
        guard let entry = waiting.removeValue(forKey: serial) else { return nil }
        serials[entry.id] = nil
        return entry
    }
}

extension Engine {
    /// Takes messages from handsets. Their records are in the turn; the provider is answered when those are durable. A part that was
    /// brought before brings no record.
    /// - Parameter random: 64 fresh bits of a secure generator, for an id.
    public mutating func receive(_ batch: [Inbound], random: () -> UInt64, _ turn: inout Turn) {
        for item in batch {
            precondition(item.number.map { owns($0) } ?? true, "what a handset writes goes to the engine that owns its number")
            guard let part = item.part, part.total > 1, item.octets.count <= UInt8.max else {
                whole(newID(of: item, random, turn.now), item, text(of: item), random, &turn)
                continue
            }
            let outcome = parts.assembler.add(assembly(item), from: item.from, to: item.to, at: .microseconds(turn.now.steady))
            for old in outcome.givenUp { giveUp(old, &turn) }
            switch outcome.news {
            case .repeated: counts.inboundRepeated += 1
            case .waiting:
                // It may have been given up for room by its own arrival: then it is told already.
                guard !outcome.givenUp.contains(where: { $0.serial == outcome.serial }) else { continue }
                keep(item, outcome.serial, random, &turn)
            case .complete(let message):
                let waiting = parts.remove(outcome.serial)
                let id = waiting?.id ?? newID(of: item, random, turn.now)
                forgetParts(of: waiting)
                var item = item
                item.reply = item.reply ?? waiting?.reply
                whole(id, item, message.text(), total: message.total, random, &turn)
            }
        }
    }

    private mutating func keep(_ item: Inbound, _ serial: UInt64, _ random: () -> UInt64, _ turn: inout Turn) {
        counts.inboundParts += 1
        var entry = parts.waiting[serial] ?? .init(id: newID(of: item, random, turn.now), reply: nil, group: item.group)
        entry.reply = item.reply ?? entry.reply
        entry.parts.append(.init(inbound: item, position: 0))
        parts.set(serial, entry)
        record(item, of: entry.id, &turn)
    }

    private mutating func record(_ item: Inbound, of id: MessageID, _ turn: inout Turn) {
        guard let part = item.part else { return }
        let start = turn.payloads.count
        item.appendPart(to: &turn.payloads)
        let body = RecordBody.Inbound(total: part.total, number: part.number)
        let record = Record(header: inboundHeader(id, item.group, parts: part.total, turn.now), body: .inbound(body))
        turn.records.append(
            Turn.Emitted(record: numbered(record), slot: nil, sealed: .payload(start..<turn.payloads.count), after: .nothing))
    }

    private func inboundHeader(_ id: MessageID, _ group: GroupNumber, parts: UInt8, _ now: Instant) -> RecordHeader {
        RecordHeader(
            kind: .inbound, partition: id.partition, messageClass: Engine.inboundClass.rawValue, group: group, parts: parts, id: id,
            at: now.wall, flags: .outcome(.received, .none))
    }

    /// Whose keys seal what customers write.
    static let inboundClass = MessageClass.service

    private mutating func numbered(_ record: Record) -> Record {
        var record = record
        record.header.sequence = nextSequence(record.header.partition)
        return record
    }

    /// The message is whole, or given up waiting for: it is recorded in place of its parts, and what its words ask for is done.
    private mutating func whole(
        _ id: MessageID, _ item: Inbound, _ text: String, total: Int = 1, missing: Int = 0, answers mayAnswer: Bool = true,
        _ random: () -> UInt64, _ turn: inout Turn
    ) {
        let verdict =
            missing == 0
            ? configuration.inbound.judge(text, to: item.to, repliesTo: item.reply?.source)
            : .init(source: item.reply?.source ?? configuration.inbound.fallback)
        // In the sealed part too, which a copy forward takes along as it is.
        let payload = Payload(
            to: item.number ?? PhoneNumber(digits: 0), from: item.to, reference: item.from, text: text,
            inReplyTo: item.reply?.id ?? .none)
        let start = turn.payloads.count
        payload.append(to: &turn.payloads)
        var header = inboundHeader(id, item.group, parts: UInt8(clamping: total), turn.now)
        // Nobody may fill the memory of what is owed by writing to the bank; it is in the log, and its words are heeded.
        header.source = owedInbound < configuration.inboundMaximum ? verdict.source ?? 0 : 0
        if header.source == 0 { counts.inboundUntold += 1 }
        let body = RecordBody.Inbound(
            total: UInt8(clamping: total), number: 0, missing: UInt8(clamping: missing), inReplyTo: item.reply?.id ?? .none)
        let record = numbered(Record(header: header, body: .inbound(body)))
        let number = apply(record, at: 0, turn.now)
        counts.inbound += 1
        if missing > 0 { counts.inboundIncomplete += 1 }
        let range = start..<turn.payloads.count
        var slot: SlotReference?
        if let number {
            let offset = turn.payloads.withUnsafeBytes { keep(UnsafeRawBufferPointer(rebasing: $0[range]), Engine.inboundClass) }
            slots.pointer(number).pointee.ringOffset = offset
            slots.pointer(number).pointee.pending += 1
            slot = slots.reference(number)
        }
        turn.records.append(
            Turn.Emitted(record: record, slot: slot, sealed: .payload(range), after: slot == nil ? .nothing : .retire))
        guard let number = item.number else { return }
        if let unwanted = verdict.unwanted { prefer(number, unwanted, &turn) }
        var heeded = verdict
        if let wish = verdict.package { heeded.answer = say(wish, number, item, in: id, verdict.answer, &turn) }
        if !heeded.answer.isEmpty, mayAnswer { answer(number, item, heeded, random, &turn) }
    }

    /// In the batch of the message it answers: after a crash both are there or neither.
    private mutating func answer(
        _ number: PhoneNumber, _ item: Inbound, _ verdict: InboundRules.Verdict, _ random: () -> UInt64, _ turn: inout Turn
    ) {
        guard answers.take(lookups.number(number), at: turn.now.steady) else {
            counts.answersHeldBack += 1
            return
        }
        let submission = Submission(
            source: verdict.source ?? 0, messageClass: Engine.inboundClass, to: number, from: item.to, text: verdict.answer,
            receivedAt: turn.now)
        switch accept(submission, random: random(), &turn) {
        case .accepted: counts.answers += 1
        case .refused: counts.answersHeldBack += 1
        }
    }

    /// A customer wants no more of these classes, or all again.
    private mutating func prefer(_ number: PhoneNumber, _ unwanted: ClassSet, _ turn: inout Turn) {
        if unwanted.isEmpty { counts.optIns += 1 } else { counts.optOuts += 1 }
        preference(lookups.number(number), unwanted, &turn)
        turn.records[turn.records.count - 1].handset = number
    }

    /// - Parameter number: keyed hash, which is also what the customer's partition is chosen by.
    private mutating func preference(_ number: UInt64, _ unwanted: ClassSet, _ turn: inout Turn) {
        let header = RecordHeader(kind: .preference, partition: LookupHash.partition(ofHash: number), at: turn.now.wall)
        let record = numbered(Record(header: header, body: .preference(.init(number: number, unwanted: unwanted))))
        apply(record, at: 0, turn.now)
        turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
    }

    public var optedOutCount: Int { optOuts.count }
    /// More numbers opted out than memory is meant for. All are kept and heeded; nothing is taken that would make for more of them.
    public var hasMostOptOuts: Bool { optOuts.count >= configuration.optOutMaximum }

    // MARK: The fold

    /// A part or a whole message; the whole one takes the place of its parts, and is owed to its source.
    mutating func received(_ it: RecordBody.Inbound, _ header: RecordHeader, at position: UInt64) -> UInt32? {
        guard it.number == 0 else {
            if replaying {
                // A copy carried forward takes the place of the one before.
                forget(parts.found[header.id]?[it.number] ?? 0)
                parts.found[header.id, default: [:]][it.number] = position
                remember(position)
            }
            return nil
        }
        for (_, place) in parts.found.removeValue(forKey: header.id) ?? [:] { forget(place) }
        guard header.source != 0, slots.number(of: header.id) == nil else { return nil }
        let number = slots.insert(header.id)
        let slot = slots.pointer(number)
        slot.pointee.payloadAt = position
        slot.pointee.origin = UInt64(clamping: header.at / 1000)
        slot.pointee.last = position
        slot.pointee.source = header.source
        slot.pointee.partition = header.partition
        slot.pointee.messageClass = Engine.inboundClass
        slot.pointee.group = header.group
        slot.pointee.parts = header.parts
        slot.pointee.state = .received
        slot.pointee.flags.insert(.owed)
        owedCount += 1
        owedInbound += 1
        remember(position)
        return number
    }

    // MARK: Parts over a restart

    /// Parts of messages that were not whole when the process ended: their sealed bytes are given to `restore` before anything else.
    public var partsToRestore: [(id: MessageID, position: UInt64)] {
        parts.found.flatMap { id, places in places.values.map { (id, $0) } }.sorted { $0.position < $1.position }
    }

    /// - Parameter bytes: the opened sealed part of that record; nil when it cannot be read: the message waits for it until it is given up.
    public mutating func restore(_ id: MessageID, at position: UInt64, _ bytes: [UInt8]?, _ now: Instant) {
        parts.found[id] = nil
        guard let bytes, let item = try? bytes.withUnsafeBytes({ try Inbound(readingPart: $0) }), item.part != nil else {
            return forget(position)
        }
        let outcome = parts.assembler.add(assembly(item), from: item.from, to: item.to, at: .microseconds(now.steady))
        var entry = parts.waiting[outcome.serial] ?? .init(id: id, reply: nil, group: item.group)
        entry.parts.append(.init(inbound: item, position: position))
        switch outcome.news {
        case .waiting: parts.set(outcome.serial, entry)
        case .repeated: forget(position)
        case .complete(let message):
            parts.set(outcome.serial, entry)
            parts.late.append(message)
        }
        parts.late += outcome.givenUp
    }

    /// Messages given up waiting for in one tick; the rest has its turn in the next.
    static let giveUpMaximum = 256

    /// What has waited too long for its parts is told as it is.
    mutating func giveUpParts(_ turn: inout Turn) {
        let late = parts.late.prefix(Engine.giveUpMaximum)
        parts.late.removeFirst(late.count)
        let expired = parts.assembler.expire(at: .microseconds(turn.now.steady), limit: Engine.giveUpMaximum - late.count)
        for message in late + expired { giveUp(message, &turn) }
    }

    private mutating func giveUp(_ message: AssembledMessage, _ turn: inout Turn) {
        guard let waiting = parts.remove(message.serial), var item = waiting.parts.first?.inbound else { return }
        forgetParts(of: waiting)
        item.reply = waiting.reply
        whole(waiting.id, item, message.text(), total: message.total, missing: message.missing.count, answers: false, { 0 }, &turn)
    }

    private mutating func forgetParts(of waiting: InboundParts.Waiting?) {
        for part in waiting?.parts ?? [] { forget(part.position) }
    }

    /// A part's record has its place.
    mutating func placedPart(_ it: RecordBody.Inbound, _ id: MessageID, at position: UInt64) {
        guard let serial = parts.serials[id], let waiting = parts.waiting[serial],
            let index = waiting.parts.firstIndex(where: { $0.inbound.part?.number == it.number })
        else { return }
        forget(waiting.parts[index].position)
        remember(position)
        parts.waiting[serial]?.parts[index].position = position
    }

    /// Parts and preferences that stand in a segment up to this one are written once more.
    mutating func carryInbound(upTo segment: UInt32, _ turn: inout Turn) {
        for (_, waiting) in parts.waiting.sorted(by: { $0.key < $1.key }) {
            for part in waiting.parts where part.position != 0 && UInt32(truncatingIfNeeded: part.position >> 32) <= segment {
                record(part.inbound, of: waiting.id, &turn)
            }
        }
        for entry in optOuts.standing(upTo: segment, limit: 4096) {
            preference(entry.number, entry.unwanted, &turn)
        }
    }

    // MARK: Words

    private func newID(of item: Inbound, _ random: () -> UInt64, _ now: Instant) -> MessageID {
        let partition = item.number.map { lookups.partition(of: $0) } ?? home
        return MessageID(milliseconds: now.wallMilliseconds, partition: partition, random: random())
    }

    private func text(of item: Inbound) -> String {
        let header = UserDataHeader(singleShift: item.singleShift, lockingShift: item.lockingShift)
        return item.octets.withUnsafeBytes { SMSText.decode($0, SMSText.Coding(dataCoding: item.dataCoding), header: header) }
    }

    private func assembly(_ item: Inbound) -> InboundPart {
        let part = item.part
        let kind: Concatenation =
            switch part?.kind {
            case .header16: .udh16
            case .sar: .sar
            case .header8, nil: .udh8
            }
        let place = UserDataHeader.Concatenated(
            kind: kind, reference: part?.reference ?? 0, total: part?.total ?? 1, number: part?.number ?? 1)
        // `Inbound.Part` has the same bounds.
        guard let place else { preconditionFailure("a part's number is within its total") }
        return InboundPart(
            place: place, dataCoding: item.dataCoding,
            header: UserDataHeader(singleShift: item.singleShift, lockingShift: item.lockingShift),
            octets: item.octets)
    }
}
