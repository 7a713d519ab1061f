import Guard
import Journal
import MartletModel

/// Reads the records of one notification back along their chains and writes its story. State and reason stand in each record's
/// flags, as the fold left them; nothing is decided here.
enum Storyteller {
    private typealias Link = (record: Record, sealed: [UInt8])

    /// Records of one message that are told at most.
    private static let recordMaximum = 4096
    /// Further messages of a notification, which have chains of their own: ordinals 2 to 31.
    static let ordinals: ClosedRange<UInt8> = 2...31

    /// - Parameters:
    ///   - newest: raw position of the newest record of the notification.
    ///   - further: the same of one of its further messages; nil: it has no record, or none that is still there.
    static func tell(
        _ id: MessageID, from newest: UInt64, submitted: Bool, journal: Reader, keys: RecordKeys,
        further: (MessageID) -> UInt64? = { _ in nil }
    ) -> Result<Story?, StoryFault> {
        do throws(StoryFault) {
            let own = try chain(id, from: newest, journal)
            var others: [Link] = []
            // Each is planned by a decision before it.
            var wanted = planned(own)
            var next = ordinals.lowerBound
            while next <= ordinals.upperBound {
                if wanted.contains(next), let position = further(id.with(ordinal: next)) {
                    let found = try chain(id.with(ordinal: next), from: position, journal)
                    wanted.formUnion(planned(found))
                    others += found
                }
                next += 1
            }
            return story(id, own, others, submitted, keys)
        } catch {
            return .failure(error)
        }
    }

    /// Ordinals of messages that these records plan; all that there may be, where such records are gone.
    private static func planned(_ chain: [Link]) -> Set<UInt8> {
        var found: Set<UInt8> = []
        for link in chain {
            switch link.record.body {
            case .decided(let it): if it.planned != 0 { found.insert(it.planned) }
            case .carried(let it): if it.event != nil { return Set(ordinals) }
            default: break
            }
        }
        return found
    }

    /// Oldest first.
    private static func chain(_ id: MessageID, from newest: UInt64, _ journal: Reader) throws(StoryFault) -> [Link] {
        var chain: [Link] = []
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

    /// - Parameters:
    ///   - own: of the notification, which says where it stands.
    ///   - others: of its further messages.
    private static func story(
        _ id: MessageID, _ own: [Link], _ others: [Link], _ submitted: Bool, _ keys: RecordKeys
    ) -> Result<Story?, StoryFault> {
        // All are of one partition, whose sequence is the order in which they happened.
        let chain = others.isEmpty ? own : (own + others).sorted { $0.record.header.sequence < $1.record.header.sequence }
        guard let first = own.first, let last = own.last(where: { !$0.record.header.flags.contains(.late) }),
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
            createdAt: id.milliseconds * 1000, updatedAt: chain[chain.count - 1].record.header.at,
            deadline: first.record.header.deadline * 1000,
            reference: payload.reference, trace: payload.trace, from: payload.from, to: payload.to,
            possibleDuplicate: chain.contains { $0.record.isPossibleDuplicate }, attempts: [], hops: [])
        // Of a text that goes out as one submit a person wants to know the parts.
        if let parts = Payload.parts(ofShape: payload.textShape) { story.parts = parts }
        // Its own record may be trimmed, or be of a version that had it there only.
        story.inReplyTo = payload.inReplyTo
        if story.inReplyTo == .none, case .inbound(let it) = first.record.body { story.inReplyTo = it.inReplyTo }
        for (record, _) in chain { story.take(record) }
        return .success(story)
    }
}

extension Record {
    /// Whether it says that something may have reached the customer twice.
    fileprivate var isPossibleDuplicate: Bool {
        if case .resumed(let it) = body, it.why != .replanned { return true }
        return header.flags.contains(.possibleDuplicate)
    }
}
