import Dispatch
import Guard
import Journal
import Logging
import MartletEngine
public import MartletModel
import NIOCore

/// A teller as the node sees it.
struct TellerEntry {
    let teller: any Teller
    /// Payloads of its next notices are being read back; the order is kept by waiting for them.
    var loading = false
}

/// Telling back: notices go to a source's teller while it has room, oldest end first. What it does not hear waits in the engine,
/// over restarts too; a source that is away, slow or dead holds up nobody else.
extension Node: TellerOwner {
    public func add(_ teller: any Teller) {
        tellers[teller.source] = TellerEntry(teller: teller)
        tell(teller.source)
    }

    public func remove(_ teller: any Teller) {
        guard let entry = tellers[teller.source], entry.teller === teller else { return }
        tellers[teller.source] = nil
    }

    public func roomChanged(_ teller: any Teller) { tell(teller.source) }

    public func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)], by teller: any Teller) {
        guard !broken else { return }
        turn.begin(now())
        engine.told(batch, teller: teller.name, &turn)
        if append(), !turn.records.isEmpty { kickLater() }
        tell(teller.source)
    }

    public func tellAgain(_ source: SourceNumber, since: Int64, then: @escaping (Int?) -> Void) {
        guard !broken, !stopping else { return then(nil) }
        tellers[source]?.teller.askedAgain()
        tellAgain(source, since, from: 0, counted: 0, then)
    }

    /// Stretch by stretch, so that the loop is never held for long: between two it looks at its sockets.
    private func tellAgain(_ source: SourceNumber, _ since: Int64, from start: UInt32, counted: Int, _ then: @escaping (Int?) -> Void) {
        guard !broken, !stopping else { return then(nil) }
        var cursor = start
        let count = counted + engine.tellAgain(source, since: since, cursor: &cursor, now: now())
        tell(source)
        guard cursor != 0 else { return then(count) }
        loop.assumeIsolated().scheduleTask(in: .microseconds(50)) { [cursor] in
            self.tellAgain(source, since, from: cursor, counted: count, then)
        }
    }

    func tellAll() {
        for source in engine.owedSources { tell(source) }
    }

    func tell(_ source: SourceNumber) {
        guard let entry = tellers[source], !entry.loading, !broken, !stopping, !isBehind, engine.owes(source) else { return }
        let room = entry.teller.room
        guard room > 0 else { return }
        let owed = engine.owed(source, room: room)
        guard !owed.isEmpty else { return }
        if owed.allSatisfy({ $0.payload != nil }) {
            entry.teller.tell(notices(owed))
        } else {
            load(owed, for: source)
        }
    }

    /// Of those whose payload is there, with the keys of events.
    private func notices(_ owed: [Engine.Owed]) -> [Notice] {
        owed.compactMap { item in
            guard let payload = item.payload else { return nil }
            var notice = item.notice(payload)
            if payload.event != 0 { notice.event = catalogue.key(of: payload.event) ?? "" }
            return notice
        }
    }

    private func load(_ owed: [Engine.Owed], for source: SourceNumber) {
        tellers[source]?.loading = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, keys, logger) = (parts.reader, parts.recordKeys, parts.logger)
        noticeReading.async {
            var owed = owed
            for index in owed.indices where owed[index].payload == nil {
                do {
                    owed[index].payload = try StoredRecord.payload(at: owed[index].position, in: journal, keys)
                } catch SealFault.erased {
                    // Its customer was erased: what the source should hear is gone, its state is not.
                    continue
                } catch {
                    logger.error(
                        "the payload of a notice cannot be read back",
                        metadata: ["position": "\(owed[index].position)", "reason": "\(error)"])
                }
            }
            loop.execute { [owed] in bound.value.loaded(owed, for: source) }
        }
    }

    private func loaded(_ owed: [Engine.Owed], for source: SourceNumber) {
        tellers[source]?.loading = false
        guard !broken else { return }
        turn.begin(now())
        for item in owed where item.payload == nil { engine.untellable(item.slot, &turn) }
        if append(), !turn.records.isEmpty { kickLater() }
        let notices = notices(owed)
        // Its binds may have gone meanwhile.
        guard let teller = tellers[source]?.teller, teller.room >= notices.count, !stopping else {
            turn.begin(now())
            return engine.told(notices.map { ($0.slot, .notHeard) }, teller: "", &turn)
        }
        if !notices.isEmpty { teller.tell(notices) }
        tell(source)
    }
}

private let noticeReading = DispatchQueue(label: "martlet.notices")

extension Node {
    public func cancel(_ id: MessageID, source: SourceNumber, then: @escaping (Cancellation) -> Void) {
        guard !broken, !stopping else { return then(.storage) }
        turn.begin(now())
        let verdict = engine.cancel(id.notification, source: source, &turn)
        guard let verdict else {
            // It may have ended: then the log knows it.
            return story(of: id, source: source) { result in
                switch result {
                case .success(.some(let story)): then(Cancellation(ended: story.state))
                case .success(nil): then(.notFound)
                case .failure: then(.storage)
                }
            }
        }
        guard !turn.records.isEmpty else {
            // Cancelled before: that may not be on disk yet.
            guard verdict == .cancelled else { return then(verdict) }
            open.receipts.append { durable in then(durable ? verdict : .storage) }
            return kickOrAnswer()
        }
        guard append() else { return then(.storage) }
        open.receipts.append { durable in then(durable ? verdict : .storage) }
        kickSoon()
    }

    public func replace(
        _ id: MessageID, source: SourceNumber, with change: Replacement, then: @escaping (Replacement.Verdict) -> Void
    ) {
        guard !broken, !stopping, !parts.journal.state.isLow else { return then(.storage) }
        guard let position = engine.payloadPosition(of: id.notification) else { return replace(id, source, change, nil, then) }
        // Addresses and reference stay: they are read back first.
        let bound = NIOLoopBound((node: self, then: then), eventLoop: loop)
        let loop = self.loop
        let (journal, keys) = (parts.reader, parts.recordKeys)
        noticeReading.async {
            let payload: Payload?
            var obstacle = Replacement.Verdict.storage
            do {
                payload = try StoredRecord.payload(at: position, in: journal, keys)
            } catch {
                // Unreadable: the text cannot be replaced, and its own hand-over will say why. Of an erased customer it never will be.
                payload = nil
                if case SealFault.erased = error { obstacle = .tooLate }
            }
            loop.execute { [obstacle] in
                guard let payload else { return bound.value.then(obstacle) }
                bound.value.node.replace(id, source, change, payload, bound.value.then)
            }
        }
    }

    private func replace(
        _ id: MessageID, _ source: SourceNumber, _ change: Replacement, _ payload: Payload?, _ then: @escaping (Replacement.Verdict) -> Void
    ) {
        guard !broken, !stopping else { return then(.storage) }
        turn.begin(now())
        guard let verdict = engine.replace(id.notification, source: source, with: change, payload, &turn) else {
            return story(of: id, source: source) { result in
                switch result {
                case .success(.some): then(.tooLate)
                case .success(nil): then(.notFound)
                case .failure: then(.storage)
                }
            }
        }
        guard !turn.records.isEmpty else { return then(verdict) }
        guard append() else { return then(.storage) }
        open.receipts.append { durable in then(durable ? verdict : .storage) }
        kickSoon()
    }
}

extension Cancellation {
    /// What is said of one that had ended so.
    fileprivate init(ended state: MessageState) {
        switch state {
        case .cancelled: self = .cancelled
        case .suppressed: self = .suppressed
        case .queued, .submitted, .sent, .delivered, .failed, .expired, .unknown, .received, .planned: self = .tooLate
        }
    }
}
