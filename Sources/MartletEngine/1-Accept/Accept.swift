public import MartletModel
import SMSText

extension Engine {
    public enum Verdict {
        /// Its record is in the turn; answer the sender once that is durable.
        case accepted(MessageID, parts: UInt8)
        case refused(Refusal)
    }

    /// Takes one submission: finds its route, counts its parts, makes the record that is both acceptance and decision.
    /// - Parameters:
    ///   - party: whom it counts for, where its class has caps.
    ///   - isHeldBack: whom the number belongs to is not written to: `holdsBack`.
    ///   - random: 64 fresh bits of a secure generator for the id.
    ///   - key: hashes of its idempotency key and body, for the record; 0: it has none.
    public mutating func accept(
        _ submission: Submission, of party: TextParty = .nobody, isHeldBack: Bool = false, random: UInt64,
        key: (key: UInt64, body: UInt64) = (0, 0),
        _ turn: inout Turn
    ) -> Verdict {
        if openCount >= configuration.openMaximum { return .refused(.full(retryAfterSeconds: 1)) }
        if !submission.tells.isEmpty, owedCount >= configuration.owedMaximum { return .refused(.full(retryAfterSeconds: 5)) }
        if hasMostOptOuts, configuration.inbound.unwanted.contains(submission.messageClass), !submission.messageClass.lane.isStrict {
            counts.optOutRefusals += 1
            return .refused(.full(retryAfterSeconds: 600))
        }
        guard let group = configuration.routes.group(for: submission.to) else { return .refused(.noRoute) }
        let count: TextCount
        do {
            count = try self.count(submission, group)
        } catch {
            return .refused(.noAlphabet)
        }
        // With one submit for all its parts a text may have more of them than the masks have bits.
        let limit = min(configuration.partsMaximum, count.submits == count.parts ? Engine.partsMaximum : SMSText.partsMax)
        if count.parts > limit { return .refused(.tooManyParts(parts: count.parts, limit: limit)) }
        if let refusal = exceeds(submission.source, submission.messageClass, parts: count.parts, turn.now) { return .refused(refusal) }

        var lookup = Turn.Lookup()
        lookup.number = lookups.number(submission.to)
        if !submission.reference.isEmpty { lookup.reference = lookups.reference(submission.reference, of: submission.source) }
        let isUnwanted = !optOuts.isEmpty && optOuts.unwanted(by: lookup.number).contains(submission.messageClass)
        let isTooMany = !isUnwanted && !isHeldBack && self.isTooMany(submission.messageClass, for: party, lookup.number, at: turn.now.wall)
        let isSent = !isUnwanted && !isHeldBack && !isTooMany
        let against: EndReason = isUnwanted ? .optedOut : isHeldBack ? .addressSuppressed : .capReached
        let partition = LookupHash.partition(ofHash: lookup.number)
        precondition(configuration.partitions.contains(partition), "a submission goes to the engine that owns its number")
        let id = MessageID(milliseconds: turn.now.wallMilliseconds, partition: partition, random: random)
        var header = RecordHeader(
            kind: .accepted, partition: partition, messageClass: submission.messageClass.rawValue, source: submission.source,
            group: group, parts: UInt8(count.submits), id: id, at: turn.now.wall,
            deadline: turn.now.wallMilliseconds + min(max(submission.validity, 0), Engine.validityMaximum) * 1000,
            flags: isSent ? .outcome(.queued, .none) : .outcome(.suppressed, against))
        if submission.tells.contains(.delivered) { header.flags.insert(.tellsDelivered) }
        if submission.tells.contains(.failed) { header.flags.insert(.tellsFailed) }
        (header.keyHash, header.bodyHash) = key
        header.sequence = nextSequence(partition)
        let onAir = count.parts == count.submits ? 0 : UInt8(count.parts)
        let record = Record(header: header, body: .accepted(.init(receivedAt: submission.receivedAt.wall, partsOnAir: onAir)))

        let start = turn.payloads.count
        Payload.append(submission, textShape: count.shape, to: &turn.payloads)
        let range = start..<turn.payloads.count
        guard let number = apply(record, at: 0, turn.now) else {
            // Two ids alike: the generator is broken. Refuse rather than fold two messages into one.
            sequences[Int(partition)] -= 1
            return .refused(.storage(retryAfterSeconds: 1))
        }
        let offset = turn.payloads.withUnsafeBytes { bytes in
            keep(UnsafeRawBufferPointer(rebasing: bytes[range]), submission.messageClass)
        }
        let slot = slots.pointer(number)
        slot.pointee.ringOffset = offset
        if isSent { slot.pointee.acceptedMicros = UInt32(truncatingIfNeeded: submission.receivedAt.steady) }
        slot.pointee.pending += 1
        turn.records.append(
            Turn.Emitted(
                record: record, slot: slots.reference(number), sealed: .payload(range), after: isSent ? .ready : .retire, lookup: lookup
            ))
        if isSent { countText(submission.messageClass, for: party, lookup.number, turn.now) }
        return .accepted(id, parts: UInt8(count.parts))
    }

    /// What a text costs and how it will be cut.
    public struct TextCount: Sendable {
        /// On the air, which is what operators bill and senders are told.
        public var parts: Int
        /// Answered one by one: what the masks of a message have bits for.
        public var submits: Int
        public var shape: UInt32

        public init(parts: Int, submits: Int, shape: UInt32 = 0) {
            self.parts = parts
            self.submits = submits
            self.shape = shape
        }
    }

    /// Counted as the connection will cut it. Where the rules spell a text otherwise, that is done here only to count: what is kept is the
    /// text as it was given and, in its shape, how to spell it; the connection spells it again.
    @inline(__always)
    private func count(_ submission: borrowing Submission, _ group: GroupNumber) throws(TextFault) -> TextCount {
        guard submission.userDataHeader.isEmpty else { return TextCount(parts: 1, submits: 1) }
        return try count(submission.text, flash: submission.wishes.contains(.flash), group)
    }

    @inline(__always)
    func count(_ text: String, flash: Bool, _ group: GroupNumber) throws(TextFault) -> TextCount {
        guard let rules = configuration.texts[group] else {
            let parts = SMSText.plan(text).parts
            return TextCount(parts: parts, submits: parts)
        }
        let (plan, shape) = try rules.plan(text, flash: flash)
        return TextCount(parts: plan.parts, submits: plan.submits, shape: shape.code)
    }

    /// Parts that the masks of a message have bits for.
    static let partsMaximum = 16
    /// Seconds; a year is for ever.
    static let validityMaximum: Int64 = 366 * 86_400

    mutating func keep(_ payload: UnsafeRawBufferPointer, _ messageClass: MessageClass) -> UInt64 {
        messageClass.lane.isStrict ? codeRing.append(payload) : ring.append(payload)
    }

    /// What an event's record holds beside the message has no place in the rings.
    mutating func keep(_ bytes: [UInt8], _ payload: Payload, _ messageClass: MessageClass) -> UInt64 {
        guard bytes.first != Payload.versionOfEvent else { return keep(payload, messageClass) }
        return bytes.withUnsafeBytes { keep($0, messageClass) }
    }

    mutating func nextSequence(_ partition: PartitionNumber) -> UInt64 {
        sequences[Int(partition)] += 1
        return sequences[Int(partition)]
    }
}
