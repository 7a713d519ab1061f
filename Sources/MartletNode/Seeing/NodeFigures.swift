import Journal
import MartletEngine
import MartletLocal
import MartletModel

extension Node {
    /// Writes the node's metrics; on the loop.
    public func write(to out: inout MetricText) {
        counters(&out)
        gauges(&out)
        rests(&out)
        ledgers(&out)
        histograms(&out)
        customers(&out)
        decisions(&out)
    }

    private func decisions(_ out: inout MetricText) {
        out.begin(NodeMetrics.decisions)
        for outcome in RecordBody.Decided.Outcome.allCases {
            let counts = engine.counts.decisions[Int(outcome.rawValue)]
            if outcome != .suppressed { out.value(NodeMetrics.decisions, counts[0], [outcome.word, ""]) }
            for reason in SuppressionReason.allCases where counts[Int(reason.rawValue)] > 0 {
                out.value(NodeMetrics.decisions, counts[Int(reason.rawValue)], [outcome.word, reason.word])
            }
        }
        out.begin(NodeMetrics.skips)
        for channel in ChannelKind.allCases {
            let counts = engine.counts.skips[Int(channel.rawValue)]
            for why in PlannedMessage.Skip.allCases where counts[Int(why.rawValue)] > 0 {
                out.value(NodeMetrics.skips, counts[Int(why.rawValue)], [channel.word, why.word])
            }
        }
        let single: [(Metric, Int)] = [
            (NodeMetrics.planned, engine.plannedCount), (NodeMetrics.decisionsWaiting, engine.decisionsWaiting),
            (NodeMetrics.capTimes, engine.capMoments.count), (NodeMetrics.numberCapTimes, engine.numberCapMoments.count),
        ]
        for (metric, value) in single {
            out.begin(metric)
            out.value(metric, value)
        }
    }

    private func customers(_ out: inout MetricText) {
        out.begin(NodeMetrics.sealed)
        for (place, word) in ["day", "subject"].enumerated() { out.value(NodeMetrics.sealed, counters.sealed[place], [word]) }
        let figures = parts.copy.figures
        let single: [(Metric, Int)] = [
            (NodeMetrics.customers, figures.customers), (NodeMetrics.customersVersion, Int(clamping: figures.version)),
            (NodeMetrics.customersBytes, figures.baseBytes), (NodeMetrics.customersRefused, figures.refused),
            (NodeMetrics.customersChanges, figures.overlayChanges), (NodeMetrics.customersOverlay, figures.overlayBytes),
            (NodeMetrics.customersWaiting, parts.copy.waitingFacts.waiting),
            (NodeMetrics.customersAlarm, parts.copy.alarms.isEmpty ? 0 : 1),
            (NodeMetrics.customersUnreadable, counters.unreadableCustomers),
        ]
        for (metric, value) in single {
            out.begin(metric)
            out.value(metric, value)
        }
    }

    private func counters(_ out: inout MetricText) {
        let counts = engine.counts
        out.begin(NodeMetrics.accepted)
        for one in MessageClass.allCases { out.value(NodeMetrics.accepted, counts.accepted[Int(one.rawValue)], [one.word]) }
        out.begin(NodeMetrics.refused)
        for (reason, count) in counters.refused.sorted(by: { $0.key < $1.key }) { out.value(NodeMetrics.refused, count, [reason]) }
        out.begin(NodeMetrics.ended)
        for one in MessageClass.allCases {
            for state in MessageState.allCases where state.isEnd {
                let count = counts.ended[Int(one.rawValue)][Int(state.rawValue)]
                if count > 0 { out.value(NodeMetrics.ended, count, [one.word, state.word]) }
            }
        }
        out.begin(NodeMetrics.outcomes)
        for outcome in [
            Outcome.accepted(providerID: ""), .throttled(status: 0), .deferred(status: 0), .refused(status: 0), .unknown,
            .notWritten, .unencodable,
        ] {
            out.value(NodeMetrics.outcomes, counts.outcomes[outcome.metricIndex], [outcome.word])
        }
        out.begin(NodeMetrics.receipts)
        for state in ReceiptState.allCases { out.value(NodeMetrics.receipts, counts.receipts[Int(state.rawValue)], [state.word]) }
        out.begin(NodeMetrics.told)
        for outcome in ToldOutcome.allCases { out.value(NodeMetrics.told, counts.told[Int(outcome.rawValue)], [outcome.word]) }
        let labelled: [(Metric, [(String, Int)])] = [
            (
                NodeMetrics.inbound,
                [
                    ("message", counts.inbound), ("incomplete", counts.inboundIncomplete), ("part", counts.inboundParts),
                    ("repeated", counts.inboundRepeated),
                ]
            ),
            (NodeMetrics.answers, [("accepted", counts.answers), ("held_back", counts.answersHeldBack)]),
            (NodeMetrics.preferences, [("opt_out", counts.optOuts), ("opt_in", counts.optIns)]),
            (
                NodeMetrics.packageWords,
                [
                    ("connected", counts.packagesConnected), ("disconnected", counts.packagesDisconnected),
                    ("unknown", counts.packageWordsUnknown), ("later", counts.packageWordsLater),
                ]
            ),
        ]
        for (metric, values) in labelled {
            out.begin(metric)
            for (word, value) in values { out.value(metric, value, [word]) }
        }
        out.begin(NodeMetrics.inquiries)
        for what in Inquiry.What.allCases {
            for (index, word) in InquiryAnswer.Result.words.enumerated() {
                out.value(NodeMetrics.inquiries, counts.inquiries[Int(what.rawValue)][index + 1], [what.word, word])
            }
        }
        let single: [(Metric, Int)] = [
            (NodeMetrics.settledByQuery, counts.settledByQuery),
            (NodeMetrics.late, counts.lateReceipts), (NodeMetrics.duplicates, counts.possibleDuplicates),
            (NodeMetrics.replanned, counts.replanned), (NodeMetrics.optOutRefusals, counts.optOutRefusals),
            (NodeMetrics.stale, counts.staleAnswers), (NodeMetrics.carried, counts.carried), (NodeMetrics.replayed, counts.replayedRecords),
            (NodeMetrics.commitRecords, counters.records), (NodeMetrics.commitBatches, counters.batches),
            (NodeMetrics.journalFailures, parts.journal.state.failures), (NodeMetrics.indexFailures, parts.recent.failures),
            (NodeMetrics.markFailures, parts.journal.state.markFailures),
            (NodeMetrics.keyAnswers, keys.answered), (NodeMetrics.keyQuestions, keys.looked), (NodeMetrics.keyFailures, keys.failures),
        ]
        for (metric, count) in single {
            out.begin(metric)
            out.value(metric, count)
        }
    }

    private func gauges(_ out: inout MetricText) {
        let single: [(Metric, Int)] = [
            (NodeMetrics.open, engine.openCount), (NodeMetrics.owed, engine.owedTotal),
            (NodeMetrics.parked, engine.parked.values.reduce(0, +)), (NodeMetrics.orphans, engine.orphanCount),
            (NodeMetrics.optedOut, engine.optedOutCount),
            (NodeMetrics.journalLow, parts.journal.state.isLow ? 1 : 0), (NodeMetrics.journalSegments, parts.journal.segments.count),
            (NodeMetrics.keys, keys.count), (NodeMetrics.keyBytes, keys.filter.bytes),
            (NodeMetrics.rulebook, Int(clamping: rulebook.inUse)), (NodeMetrics.rulebookRefused, Int(clamping: rulebook.refused)),
        ]
        for (metric, count) in single {
            out.begin(metric)
            out.value(metric, count)
        }
        out.begin(NodeMetrics.queued)
        for (group, name) in groupNames.sorted(by: { $0.key < $1.key }) {
            for lane in Lane.allCases { out.value(NodeMetrics.queued, engine.queued(group, lane), [name, lane.word]) }
        }
        out.begin(NodeMetrics.outstanding)
        for one in allConnections { out.value(NodeMetrics.outstanding, one.status.outstanding, [one.name]) }
        out.begin(NodeMetrics.bound)
        for one in allConnections { out.value(NodeMetrics.bound, one.status.state == .bound ? 1 : 0, [one.name]) }
    }

    private func rests(_ out: inout MetricText) {
        let now = now()
        out.begin(NodeMetrics.inquiriesRest)
        for (group, name) in groupNames.sorted(by: { $0.key < $1.key }) {
            for what in Inquiry.What.allCases {
                out.value(NodeMetrics.inquiriesRest, engine.rests(what, group, now) ? 1 : 0, [name, what.word])
            }
        }
    }

    private func ledgers(_ out: inout MetricText) {
        let lines = ledger
        let columns: [(Metric, (LedgerLine) -> Int?)] = [
            (NodeMetrics.sourceAccepted, { Int(clamping: $0.accepted) }), (NodeMetrics.sourceEnded, { Int(clamping: $0.ended) }),
            (NodeMetrics.sourceOpen, { $0.open }), (NodeMetrics.drift, { $0.drift }), (NodeMetrics.miscount, { $0.miscount }),
            (NodeMetrics.partsToday, { Int(clamping: $0.partsToday) }),
            (NodeMetrics.quota, { $0.limits.dailyQuota > 0 ? $0.limits.dailyQuota : nil }),
        ]
        for (metric, value) in columns {
            out.begin(metric)
            for line in lines { if let value = value(line) { out.value(metric, value, [line.name]) } }
        }
        out.begin(NodeMetrics.held)
        for (group, name) in groupNames.sorted(by: { $0.key < $1.key }) {
            for one in MessageClass.allCases { out.value(NodeMetrics.held, engine.isHeld(one, group) ? 1 : 0, [name, one.word]) }
        }
    }

    private func histograms(_ out: inout MetricText) {
        out.begin(NodeMetrics.accept)
        for one in MessageClass.allCases where counters.accept[Int(one.rawValue)].count > 0 {
            out.histogram(NodeMetrics.accept, counters.accept[Int(one.rawValue)], [one.word])
        }
        out.begin(NodeMetrics.wire)
        for one in MessageClass.allCases where counters.wire[Int(one.rawValue)].count > 0 {
            out.histogram(NodeMetrics.wire, counters.wire[Int(one.rawValue)], [one.word])
        }
        out.begin(NodeMetrics.answer)
        for one in allConnections { if let it = counters.answer[one.number] { out.histogram(NodeMetrics.answer, it, [one.name]) } }
        out.begin(NodeMetrics.commit)
        out.histogram(NodeMetrics.commit, counters.commit)
    }
}
