import Guard
import Journal
import MartletModel

/// Reads the records of one notification back along their chain and writes its story. State and reason stand in each record's
/// flags, as the fold left them; nothing is decided here.
enum Storyteller {
    /// Records of one message that are told at most.
    private static let recordMaximum = 4096

    static func tell(
        _ id: MessageID, from newest: UInt64, submitted: Bool, journal: Reader, keys: RecordKeys
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
        _ id: MessageID, _ chain: [(record: Record, sealed: [UInt8])], _ submitted: Bool, _ keys: RecordKeys
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
            createdAt: id.milliseconds * 1000, updatedAt: chain[chain.count - 1].record.header.at,
            deadline: first.record.header.deadline * 1000,
            reference: payload.reference, trace: payload.trace, from: payload.from, to: payload.to,
            possibleDuplicate: chain.contains { $0.record.isPossibleDuplicate }, attempts: [], hops: [])
        // Of a text that goes out as one submit a person wants to know the parts.
        if let parts = Payload.parts(ofShape: payload.textShape) { story.parts = parts }
        // Its own record may be trimmed, or be of a version that had it there only.
        story.inReplyTo = payload.inReplyTo
        if story.inReplyTo == .none, case .inbound(let it) = first.record.body { story.inReplyTo = it.inReplyTo }
        for (record, _) in chain { add(record, to: &story) }
        return .success(story)
    }

    private static func add(_ record: Record, to story: inout Story) {
        let at = record.header.at
        switch record.body {
        case .accepted(let it):
            story.createdAt = at
            story.hops.append(.init(at: it.receivedAt, hop: "accept", what: "request read"))
            var details = [("parts", String(it.partsOnAir == 0 ? story.parts : it.partsOnAir))]
            if let trace = story.trace { details.append(("traceparent", trace.text)) }
            story.hops.append(.init(at: at, hop: "accept", what: "accepted", details: details))
        case .answered(let it): answered(it, record.header, &story)
        case .receipt(let it):
            var details = [("part", String(it.part + 1)), ("providerId", it.providerID)]
            if it.error != 0 { details.append(("error", String(it.error))) }
            let late = record.header.flags.contains(.late)
            if it.isAnswer {
                if it.endedAt != 0 { details.append(("endedAt", timestamp(it.endedAt * 1_000_000))) }
                story.hops.append(.init(at: at, hop: "ask", what: "asked, the provider says \(it.state.word)", details: details))
            } else {
                story.hops.append(.init(at: at, hop: "track", what: "\(late ? "late " : "")receipt \(it.state.word)", details: details))
            }
            if !late { mark(it, at: at, &story) }
        case .ended(let it):
            story.hops.append(.init(at: at, hop: "end", what: it.state.word, details: [("reason", it.reason.word)]))
        case .resumed(let it) where it.why == .replanned:
            if let parts = Payload.parts(ofShape: it.textShape) { story.parts = parts }
            let details = [("parts", String(story.parts))]
            story.hops.append(.init(at: at, hop: "send", what: "planned anew: its operator's profile changed", details: details))
        case .resumed(let it):
            let what =
                switch it.why {
                case .unknown: "sent again: no answer was heard"
                case .restart: "after a restart it may have been handed over before"
                case .left, .replanned: "after a restart it may have been handed over before; its class does not send again by itself"
                }
            story.hops.append(.init(at: at, hop: "send", what: what, details: [("possibleDuplicate", "true")]))
        case .carried(let it):
            if let parts = Payload.parts(ofShape: it.textShape) { story.parts = parts }
            story.hops.append(.init(at: at, hop: "journal", what: "carried forward", details: details(it, record.header, story)))
        case .told(let it):
            let details = it.teller.isEmpty ? [] : [("teller", it.teller)]
            story.hops.append(.init(at: at, hop: "tell", what: "source: \(it.outcome.word)", details: details))
        case .inbound(let it):
            var details = [("parts", String(it.total))]
            if it.missing > 0 { details.append(("missing", String(it.missing))) }
            if it.inReplyTo != .none { details.append(("inReplyTo", it.inReplyTo.text)) }
            story.hops.append(.init(at: at, hop: "receive", what: "message from a handset", details: details))
        case .replaced:
            story.hops.append(.init(at: at, hop: "accept", what: "text replaced", details: [("parts", String(story.parts))]))
        case .rerouted(let it):
            let details = [("from", String(record.header.group)), ("to", String(it.group))]
            story.hops.append(.init(at: at, hop: "route", what: "moved to another connection group by an operator", details: details))
        case .asked(let it): asked(it, at: at, &story)
        case .orphan, .mark, .ledger, .preference: break
        }
    }

    private static func asked(_ it: RecordBody.Asked, at: Int64, _ story: inout Story) {
        var details = [("part", String(it.part + 1)), ("providerId", it.providerID)]
        if !it.connection.isEmpty { details.append(("connection", it.connection)) }
        if it.result.status != 0 { details.append(("status", "0x" + String(it.result.status, radix: 16, uppercase: true))) }
        let outcome =
            switch it.result {
            case .state(let state, _, _): "the provider says \(state.word)"
            case .cancelled: "the provider took it back"
            case .refused: "the provider refused"
            case .notKnown: "the provider does not know the command"
            case .silent: "no answer"
            case .lost: "the bind was lost before an answer"
            case .notAsked, .notFound, .notNow: it.result.word
            }
        let wish =
            switch it.what {
            case .query: "asked"
            case .cancel: "told to forget it"
            }
        story.hops.append(.init(at: at, hop: "ask", what: "\(wish), \(outcome)", details: details))
    }

    /// What is left of how a message ended, and of what one from a handset answers, where the records that said so are trimmed.
    private static func details(_ it: RecordBody.Carried, _ header: RecordHeader, _ story: Story) -> [(String, String)] {
        guard it.state.isEnd else { return [] }
        var details = [("state", it.state.word)]
        if let reason = header.flags.reason, reason != .none { details.append(("reason", reason.word)) }
        if it.error != 0 { details.append(("error", String(it.error))) }
        if story.inReplyTo != .none { details.append(("inReplyTo", story.inReplyTo.text)) }
        return details
    }

    private static func answered(_ it: RecordBody.Answered, _ header: RecordHeader, _ story: inout Story) {
        let part = [("part", String(it.part + 1)), ("connection", it.connection)]
        if it.handedAt != 0 {
            story.hops.append(.init(at: it.handedAt, hop: "send", what: "submitted", details: part + [("attempt", String(it.attempt))]))
        }
        var details = part
        // As its operator knows it: that is what it is asked by.
        if !it.outcome.providerID.isEmpty { details.append(("providerId", it.rawID.isEmpty ? it.outcome.providerID : it.rawID)) }
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
        let rows = ids.map { Story.PartReceipt(part: Int(it.part) + 1, providerID: $0) }
        if let last = story.attempts.indices.last, story.attempts[last].n == Int(it.attempt) {
            story.attempts[last].providerIDs += ids
            story.attempts[last].receipts = (story.attempts[last].receipts + rows).sorted { $0.part < $1.part }
            // The worst word of its parts names the attempt.
            if state != .sent { story.attempts[last].state = state }
        } else {
            story.attempts.append(
                .init(
                    n: Int(it.attempt), connection: it.connection, state: state, providerIDs: ids, submittedAt: it.handedAt,
                    possibleDuplicate: header.flags.contains(.possibleDuplicate), receipts: rows))
        }
    }

    private static func mark(_ it: RecordBody.Receipt, at: Int64, _ story: inout Story) {
        guard let index = story.attempts.lastIndex(where: { $0.providerIDs.contains(it.providerID) }) else { return }
        if let row = story.attempts[index].receipts.lastIndex(where: { $0.providerID == it.providerID && $0.part == Int(it.part) + 1 }),
            !(story.attempts[index].receipts[row].state?.isFinal ?? false)
        {
            story.attempts[index].receipts[row].state = it.state
            story.attempts[index].receipts[row].error = it.error
            story.attempts[index].receipts[row].at = at
        }
        guard it.state.isFinal else { return }
        let state: MessageState = it.state == .delivered ? .delivered : it.state == .expired ? .expired : .failed
        if state != .delivered || story.attempts[index].state == .sent { story.attempts[index].state = state }
    }
}

extension Record {
    /// Whether it says that something may have reached the customer twice.
    fileprivate var isPossibleDuplicate: Bool {
        if case .resumed(let it) = body, it.why != .replanned { return true }
        return header.flags.contains(.possibleDuplicate)
    }
}
