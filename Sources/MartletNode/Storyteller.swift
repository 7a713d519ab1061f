import Guard
import Journal
import MartletModel

/// Reads the records of one notification back along their chain and writes its story. State and reason stand in each record's
/// flags, as the fold left them; nothing is decided here.
enum Storyteller {
    /// Records of one message that are told at most.
    private static let recordMaximum = 4096

    /// - Parameters:
    ///   - newest: raw position of its newest record.
    ///   - rules: tells of each decision what its rules said; nil: that is not wanted.
    ///   - others: the same of a further message of the notification; nil: it has no record.
    static func tell(
        _ id: MessageID, from newest: UInt64, submitted: Bool, journal: Reader, keys: RecordKeys, rules: RuleHops? = nil,
        others: (MessageID) -> UInt64? = { _ in nil }
    ) -> Result<Story?, StoryFault> {
        var all: [(record: Record, sealed: [UInt8])] = []
        do throws(StoryFault) {
            let chain = try chain(of: id, from: newest, journal)
            all = chain
            // Each step of a plan is planned by the one before.
            var ordinals = planned(chain)
            var read: Set<UInt8> = [0]
            while let next = ordinals.first(where: { !read.contains($0) }) {
                read.insert(next)
                guard let position = others(id.with(ordinal: next)) else { continue }
                let more = try self.chain(of: id.with(ordinal: next), from: position, journal)
                ordinals.formUnion(planned(more))
                all += more
            }
            // They are of one partition.
            if read.count > 1 { all.sort { $0.record.header.sequence < $1.record.header.sequence } }
            return story(id, chain, all, submitted, keys, rules)
        } catch {
            return .failure(error)
        }
    }

    private static func planned(_ chain: [(record: Record, sealed: [UInt8])]) -> Set<UInt8> {
        var ordinals: Set<UInt8> = []
        for (record, _) in chain {
            if case .decided(let it) = record.body {
                if it.planned != 0 { ordinals.insert(it.planned) }
                if let reminder = it.reminder { ordinals.insert(reminder.ordinal) }
            }
            if case .carried(let it) = record.body, let event = it.event, event.lastOrdinal > 1 {
                ordinals.formUnion(2...event.lastOrdinal)
            }
        }
        return ordinals
    }

    /// The records of one message, oldest first.
    private static func chain(
        of id: MessageID, from newest: UInt64, _ journal: Reader
    ) throws(StoryFault) -> [(record: Record, sealed: [UInt8])] {
        var chain: [(record: Record, sealed: [UInt8])] = []
        var position = newest
        while position != 0 {
            let bytes: [UInt8]
            do {
                bytes = try journal.read(at: position)
            } catch ReadError.trimmed {
                break
            } catch {
                throw StoryFault(reason: "record at \(position): \(error)")
            }
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), record.header.id == id else {
                throw StoryFault(reason: "record at \(position) is not of this message")
            }
            // Of a very long story the middle is left out; the record that holds the payload never is.
            if chain.count < recordMaximum || Record.sealedOffset(record.header) < bytes.count {
                chain.append((record, Array(bytes[Record.sealedOffset(record.header)...])))
            }
            position = record.header.previous
        }
        chain.reverse()
        return chain
    }

    /// - Parameter all: the records of all its messages.
    private static func story(
        _ id: MessageID, _ chain: [(record: Record, sealed: [UInt8])], _ all: [(record: Record, sealed: [UInt8])], _ submitted: Bool,
        _ keys: RecordKeys, _ rules: RuleHops?
    ) -> Result<Story?, StoryFault> {
        guard let first = chain.first, let last = chain.last(where: { !$0.record.header.flags.contains(.late) }),
            let messageClass = MessageClass(rawValue: first.record.header.messageClass)
        else { return .success(nil) }
        // A part of a message from a handset that is not whole yet.
        if case .inbound(let it) = last.record.body, it.number != 0 { return .success(nil) }
        guard let holder = chain.last(where: { !$0.sealed.isEmpty }) else { return .success(nil) }
        let payload: Payload
        do {
            payload = try holder.sealed.withUnsafeBytes { try StoredRecord.payload($0, of: holder.record.header, keys) }
        } catch SealFault.erased {
            // What became of it is told all the same; whom it was for and what it said is gone.
            payload = Payload(to: PhoneNumber(digits: 0), from: "", reference: "", text: "")
        } catch {
            return .failure(StoryFault(reason: "its sealed part cannot be opened: \(error)"))
        }
        var state = last.record.header.flags.state ?? .queued
        if submitted, state == .queued { state = .submitted }
        var story = Story(
            id: id, source: first.record.header.source, messageClass: messageClass, state: state,
            reason: last.record.header.flags.reason ?? .none, parts: last.record.header.parts,
            createdAt: id.milliseconds * 1000, updatedAt: all.map(\.record.header.at).max() ?? first.record.header.at,
            deadline: first.record.header.deadline * 1000,
            reference: payload.reference, trace: payload.trace, from: payload.from, to: payload.to,
            possibleDuplicate: all.contains { $0.record.isPossibleDuplicate }, attempts: [], hops: [])
        // Of a text that goes out as one submit a person wants to know the parts.
        if let parts = Payload.parts(ofShape: payload.textShape) { story.parts = parts }
        // Its own record may be trimmed, or be of a version that had it there only.
        story.inReplyTo = payload.inReplyTo
        if story.inReplyTo == .none, case .inbound(let it) = first.record.body { story.inReplyTo = it.inReplyTo }
        // The record with which it was over: what it owes its source comes behind.
        let ending = chain.first { state.isEnd && $0.record.header.flags.state == state && !$0.record.header.flags.contains(.late) }
        var end = 0
        for (record, sealed) in all {
            story.take(record)
            if let rules, case .decided(let it) = record.body { story.hops += rules.tell(it, record.header, sealed) }
            if record.header.sequence == ending?.record.header.sequence { end = story.hops.count }
        }
        if let ending { story.nameFailure(endedAt: ending.record.header.at, behind: end) }
        return .success(story)
    }
}

extension Story {
    /// Where it failed, at its end: that has a hop of its own where a record says no more than that it ended.
    fileprivate mutating func nameFailure(endedAt: Int64, behind end: Int) {
        failedHop = FailedHop.of(state, reason, outcome: lastOutcome, receipt: lastReceipt, decided: decision(of: reason))
        guard let failedHop else { return }
        let detail = ("failedHop", failedHop.rawValue)
        if end > 0, hops[end - 1].hop == "end" { return hops[end - 1].details.append(detail) }
        hops.insert(Hop(at: endedAt, hop: "end", what: state.word, details: [("reason", reason.word), detail]), at: end)
    }
}

extension Record {
    /// Whether it says that something may have reached the customer twice.
    fileprivate var isPossibleDuplicate: Bool {
        if case .resumed(let it) = body, it.why != .replanned { return true }
        return header.flags.contains(.possibleDuplicate)
    }
}
