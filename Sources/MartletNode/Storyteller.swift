import Guard
import Journal
import MartletModel

/// Reads the records of one notification back along their chain and writes its story. State and reason stand in each record's
/// flags, as the fold left them; nothing is decided here.
enum Storyteller {
    /// Records of one message that are told at most.
    private static let recordMaximum = 4096

    static func tell(
        _ id: MessageID, from newest: UInt64, submitted: Bool, journal: Reader, keys: KeyStore
    ) -> Result<Story?, StoryFault> {
        var chain: [(record: Record, sealed: [UInt8])] = []
        var position = newest
        while position != 0 {
            let bytes: [UInt8]
            do {
                bytes = try journal.read(at: position)
            } catch ReadError.trimmed {
                break
            } catch {
                return .failure(StoryFault(reason: "record at \(position): \(error)"))
            }
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), record.header.id == id else {
                return .failure(StoryFault(reason: "record at \(position) is not of this message"))
            }
            // Of a very long story the middle is left out; the record that holds the payload never is.
            if chain.count < recordMaximum || Record.sealedOffset(record.header) < bytes.count {
                chain.append((record, Array(bytes[Record.sealedOffset(record.header)...])))
            }
            position = record.header.previous
        }
        chain.reverse()
        return story(id, chain, submitted, keys)
    }

    private static func story(
        _ id: MessageID, _ chain: [(record: Record, sealed: [UInt8])], _ submitted: Bool, _ keys: KeyStore
    ) -> Result<Story?, StoryFault> {
        guard let first = chain.first, let last = chain.last(where: { !$0.record.header.flags.contains(.late) }),
            let messageClass = MessageClass(rawValue: first.record.header.messageClass)
        else { return .success(nil) }
        guard let holder = chain.last(where: { !$0.sealed.isEmpty }) else { return .success(nil) }
        let payload: Payload
        do {
            let plain = try holder.sealed.withUnsafeBytes {
                try Sealer.open($0, context: SealContext(id), keyID: holder.record.header.keyID, keys: keys)
            }
            payload = try plain.withUnsafeBytes { try Payload(reading: $0) }
        } catch {
            return .failure(StoryFault(reason: "its sealed part cannot be opened: \(error)"))
        }
        var state = last.record.header.flags.state ?? .queued
        if submitted, state == .queued { state = .submitted }
        var story = Story(
            id: id, source: first.record.header.source, messageClass: messageClass, state: state,
            reason: last.record.header.flags.reason ?? .none, parts: first.record.header.parts,
            createdAt: id.milliseconds * 1000, updatedAt: chain[chain.count - 1].record.header.at,
            deadline: first.record.header.deadline * 1000,
            reference: payload.reference, trace: payload.trace, from: payload.from, to: payload.to,
            possibleDuplicate: chain.contains { $0.record.header.kind == .resumed || $0.record.header.flags.contains(.possibleDuplicate) },
            attempts: [], hops: [])
        for (record, _) in chain { add(record, to: &story) }
        return .success(story)
    }

    private static func add(_ record: Record, to story: inout Story) {
        let at = record.header.at
        switch record.body {
        case .accepted(let it):
            story.createdAt = at
            story.hops.append(.init(at: it.receivedAt, hop: "accept", what: "request read"))
            var details = [("parts", String(record.header.parts))]
            if let trace = story.trace { details.append(("traceparent", trace.text)) }
            story.hops.append(.init(at: at, hop: "accept", what: "accepted", details: details))
        case .answered(let it): answered(it, record.header, &story)
        case .receipt(let it):
            var details = [("part", String(it.part + 1)), ("providerId", it.providerID)]
            if it.error != 0 { details.append(("error", String(it.error))) }
            let late = record.header.flags.contains(.late)
            story.hops.append(.init(at: at, hop: "track", what: "\(late ? "late " : "")receipt \(it.state.word)", details: details))
            if it.state.isFinal, !late { mark(it, &story) }
        case .ended(let it):
            story.hops.append(.init(at: at, hop: "end", what: it.state.word, details: [("reason", it.reason.word)]))
        case .resumed(let it):
            let what =
                switch it.why {
                case .unknown: "sent again: no answer was heard"
                case .restart: "after a restart it may have been handed over before"
                case .left: "after a restart it may have been handed over before; its class does not send again by itself"
                }
            story.hops.append(.init(at: at, hop: "send", what: what, details: [("possibleDuplicate", "true")]))
        case .carried: story.hops.append(.init(at: at, hop: "journal", what: "carried forward"))
        case .told(let it):
            let details = it.teller.isEmpty ? [] : [("teller", it.teller)]
            story.hops.append(.init(at: at, hop: "tell", what: "source: \(it.outcome.word)", details: details))
        case .orphan, .mark: break
        }
    }

    private static func answered(_ it: RecordBody.Answered, _ header: RecordHeader, _ story: inout Story) {
        let part = [("part", String(it.part + 1)), ("connection", it.connection)]
        if it.handedAt != 0 {
            story.hops.append(.init(at: it.handedAt, hop: "send", what: "submitted", details: part + [("attempt", String(it.attempt))]))
        }
        var details = part
        if !it.outcome.providerID.isEmpty { details.append(("providerId", it.outcome.providerID)) }
        if it.outcome.status != 0 { details.append(("status", "0x" + String(it.outcome.status, radix: 16, uppercase: true))) }
        story.hops.append(.init(at: header.at, hop: "send", what: "answer: \(it.outcome.word)", details: details))

        let state: MessageState =
            switch it.outcome {
            case .accepted: .sent
            case .throttled, .deferred, .notWritten: .queued
            case .refused, .unencodable: .failed
            case .unknown: .unknown
            }
        let ids = it.outcome.providerID.isEmpty ? [] : [it.outcome.providerID]
        if let last = story.attempts.indices.last, story.attempts[last].n == Int(it.attempt) {
            story.attempts[last].providerIDs += ids
            // The worst word of its parts names the attempt.
            if state != .sent { story.attempts[last].state = state }
        } else {
            story.attempts.append(
                .init(
                    n: Int(it.attempt), connection: it.connection, state: state, providerIDs: ids, submittedAt: it.handedAt,
                    possibleDuplicate: header.flags.contains(.possibleDuplicate)))
        }
    }

    private static func mark(_ it: RecordBody.Receipt, _ story: inout Story) {
        guard let index = story.attempts.lastIndex(where: { $0.providerIDs.contains(it.providerID) }) else { return }
        let state: MessageState = it.state == .delivered ? .delivered : it.state == .expired ? .expired : .failed
        if state != .delivered || story.attempts[index].state == .sent { story.attempts[index].state = state }
    }
}
