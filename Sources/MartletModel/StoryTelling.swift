/// How a story is told from records. The node tells it from its log, the desk from the history's rows: the words are these for both.
extension Story {
    /// What one committed record adds: its hops, and what it says of attempts and receipts. Records come oldest first.
    public mutating func take(_ record: Record) {
        let before = hops.count
        tell(record)
        // Of the first, and of the whole, it need not be said.
        guard record.header.id.ordinal > 1 else { return }
        for place in before..<hops.count { hops[place].details.append(("message", String(record.header.id.ordinal))) }
    }

    private mutating func tell(_ record: Record) {
        let at = record.header.at
        switch record.body {
        case .accepted(let it):
            createdAt = at
            hops.append(.init(at: it.receivedAt, hop: "accept", what: "request read"))
            var details = [("parts", String(it.partsOnAir == 0 ? parts : it.partsOnAir))]
            if let trace { details.append(("traceparent", trace.text)) }
            hops.append(.init(at: at, hop: "accept", what: "accepted", details: details))
        case .answered(let it): answered(it, record.header)
        case .receipt(let it):
            var details = [("part", String(it.part + 1)), ("providerId", it.providerID)]
            if it.error != 0 { details.append(("error", String(it.error))) }
            let late = record.header.flags.contains(.late)
            if it.isAnswer {
                if it.endedAt != 0 { details.append(("endedAt", timestamp(it.endedAt * 1_000_000))) }
                hops.append(.init(at: at, hop: "ask", what: "asked, the provider says \(it.state.word)", details: details))
            } else {
                hops.append(.init(at: at, hop: "track", what: "\(late ? "late " : "")receipt \(it.state.word)", details: details))
            }
            if !late {
                if it.state.isFinal { lastReceipt = it.state }
                mark(it, of: max(1, record.header.id.ordinal), at: at)
            }
        case .ended(let it):
            hops.append(.init(at: at, hop: "end", what: it.state.word, details: [("reason", it.reason.word)]))
        case .resumed(let it) where it.why == .replanned:
            if let parts = Payload.parts(ofShape: it.textShape) { self.parts = parts }
            let details = [("parts", String(parts))]
            hops.append(.init(at: at, hop: "send", what: "planned anew: its operator's profile changed", details: details))
        case .resumed(let it):
            let what =
                switch it.why {
                case .unknown: "sent again: no answer was heard"
                case .restart: "after a restart it may have been handed over before"
                case .left, .replanned: "after a restart it may have been handed over before; its class does not send again by itself"
                }
            hops.append(.init(at: at, hop: "send", what: what, details: [("possibleDuplicate", "true")]))
        case .carried(let it):
            if let parts = Payload.parts(ofShape: it.textShape) { self.parts = parts }
            hops.append(.init(at: at, hop: "journal", what: "carried forward", details: carriedDetails(it, record.header)))
        case .told(let it):
            let details = it.teller.isEmpty ? [] : [("teller", it.teller)]
            hops.append(.init(at: at, hop: "tell", what: "source: \(it.outcome.word)", details: details))
        case .inbound(let it):
            var details = [("parts", String(it.total))]
            if it.missing > 0 { details.append(("missing", String(it.missing))) }
            if it.inReplyTo != .none { details.append(("inReplyTo", it.inReplyTo.text)) }
            hops.append(.init(at: at, hop: "receive", what: "message from a handset", details: details))
        case .replaced:
            hops.append(.init(at: at, hop: "accept", what: "text replaced", details: [("parts", String(parts))]))
        case .rerouted(let it):
            let details = [("from", String(record.header.group)), ("to", String(it.group))]
            hops.append(.init(at: at, hop: "route", what: "moved to another connection group by an operator", details: details))
        case .asked(let it): asked(it, at: at)
        case .decided(let it): decided(it, at: at, isFirst: record.header.id.ordinal == 0)
        case .orphan, .mark, .ledger, .preference, .counted, .subscribed: break
        }
    }

    private mutating func decided(_ it: RecordBody.Decided, at: Int64, isFirst: Bool) {
        decisions.append(Decision(at: at, made: it))
        if it.stage == .fresh {
            createdAt = at
            hops.append(.init(at: it.receivedAt, hop: "accept", what: "request read"))
            hops.append(.init(at: at, hop: "accept", what: "accepted", details: trace.map { [("traceparent", $0.text)] } ?? []))
        }
        var details = [("event", String(it.event)), ("release", String(it.release))]
        if it.package != 0 { details.append(("package", String(it.package))) }
        let skipped = it.messages.compactMap(\.skipWords)
        if !skipped.isEmpty { details.append(("skipped", skipped.joined(separator: ", "))) }
        let what: String
        switch it.outcome {
        case .told:
            what = "told"
            if let step = it.step { details.append(("step", String(step + 1))) }
            if let channel = it.channel { details.append(("channel", channel.word)) }
            details.append(("parts", String(it.partsOnAir)))
            if isFirst { parts = it.partsOnAir }
            if let reminder = it.reminder { details.append(("reminder", timestamp(reminder.at * 1000))) }
            if it.planned != 0 { details.append(("next", timestamp(it.until * 1000))) }
        case .held:
            what = "held"
            details.append(("until", timestamp(it.until * 1000)))
        case .suppressed:
            what = "suppressed"
            details.append(("reason", it.reason?.word ?? ""))
            if let reminder = it.reminder { details.append(("reminder", timestamp(reminder.at * 1000))) }
        }
        hops.append(.init(at: at, hop: "decide", what: what, details: details))
    }

    private mutating func asked(_ it: RecordBody.Asked, at: Int64) {
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
        hops.append(.init(at: at, hop: "ask", what: "\(wish), \(outcome)", details: details))
    }

    /// What is left of how a message ended, and of what one from a handset answers, where the records that said so are trimmed.
    private func carriedDetails(_ it: RecordBody.Carried, _ header: RecordHeader) -> [(String, String)] {
        guard it.state.isEnd else { return [] }
        var details = [("state", it.state.word)]
        if let reason = header.flags.reason, reason != .none { details.append(("reason", reason.word)) }
        if it.error != 0 { details.append(("error", String(it.error))) }
        if inReplyTo != .none { details.append(("inReplyTo", inReplyTo.text)) }
        return details
    }

    private mutating func answered(_ it: RecordBody.Answered, _ header: RecordHeader) {
        lastOutcome = it.outcome.code
        let part = [("part", String(it.part + 1)), ("connection", it.connection)]
        if it.handedAt != 0 {
            hops.append(.init(at: it.handedAt, hop: "send", what: "submitted", details: part + [("attempt", String(it.attempt))]))
        }
        var details = part
        // As its operator knows it: that is what it is asked by.
        if !it.outcome.providerID.isEmpty { details.append(("providerId", it.rawID.isEmpty ? it.outcome.providerID : it.rawID)) }
        if it.outcome.status != 0 { details.append(("status", "0x" + String(it.outcome.status, radix: 16, uppercase: true))) }
        hops.append(.init(at: header.at, hop: "send", what: "answer: \(it.outcome.word)", details: details))

        let state: MessageState =
            switch it.outcome {
            case .accepted: .sent
            case .throttled, .deferred, .notWritten: .queued
            case .refused, .unencodable: .failed
            case .unknown: .unknown
            }
        let ids = it.outcome.providerID.isEmpty ? [] : [it.outcome.providerID]
        let rows = ids.map { Story.PartReceipt(part: Int(it.part) + 1, providerID: $0) }
        let message = max(1, header.id.ordinal)
        if let last = attempts.lastIndex(where: { $0.message == message }), attempts[last].n == Int(it.attempt) {
            attempts[last].providerIDs += ids
            attempts[last].receipts = (attempts[last].receipts + rows).sorted { $0.part < $1.part }
            // The worst word of its parts names the attempt.
            if state != .sent { attempts[last].state = state }
        } else {
            attempts.append(
                .init(
                    n: Int(it.attempt), connection: it.connection, state: state, providerIDs: ids, submittedAt: it.handedAt,
                    possibleDuplicate: header.flags.contains(.possibleDuplicate), receipts: rows, message: message))
        }
    }

    private mutating func mark(_ it: RecordBody.Receipt, of message: UInt8, at: Int64) {
        guard let index = attempts.lastIndex(where: { $0.message == message && $0.providerIDs.contains(it.providerID) }) else { return }
        if let row = attempts[index].receipts.lastIndex(where: { $0.providerID == it.providerID && $0.part == Int(it.part) + 1 }),
            !(attempts[index].receipts[row].state?.isFinal ?? false)
        {
            attempts[index].receipts[row].state = it.state
            attempts[index].receipts[row].error = it.error
            attempts[index].receipts[row].at = at
        }
        guard it.state.isFinal else { return }
        let state: MessageState = it.state == .delivered ? .delivered : it.state == .expired ? .expired : .failed
        if state != .delivered || attempts[index].state == .sent { attempts[index].state = state }
    }
}
