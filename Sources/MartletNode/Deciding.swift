import Dispatch
import Guard
import Logging
import MartletEngine
import MartletModel
import NIOCore

/// What was held is read back on a thread of its own: a million that are due at eight in the morning do not stand before one text that
/// waits to be sent.
private let deciding = DispatchQueue(label: "martlet.decisions")

/// Decisions that are due: a hold that ended, a step whose turn has come. Taken behind what waits to be sent, a bounded number at once.
extension Node {
    /// Decisions being read back at once.
    static let decisionMaximum = 256
    /// Decided in one go, so that codes pass between them.
    private static let decisionStep = 32

    /// Takes what is due up to that number. Called wherever there may be more.
    func decideDue() {
        guard isStarted, !broken, !stopping, !isBehind, !owners.areUnusable, decisionsInFlight < Node.decisionMaximum,
            engine.decisionsWaiting > 0
        else { return }
        let due = engine.takeDecisions(limit: Node.decisionMaximum - decisionsInFlight)
        guard !due.isEmpty else { return }
        decisionsInFlight += due.count
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, keys, logger) = (parts.reader, parts.recordKeys, parts.logger)
        deciding.async {
            var read: [(slot: SlotReference, found: DueDecision)] = []
            read.reserveCapacity(due.count)
            for item in due {
                // Its record is still on the way to the disk: asked for again.
                guard item.position != 0 else {
                    read.append((item.slot, .lost))
                    continue
                }
                do {
                    let bytes = try StoredRecord.opened(at: item.position, in: journal, keys)
                    read.append((item.slot, .event(try bytes.withUnsafeBytes { try EventPayload(reading: $0) })))
                } catch SealFault.erased {
                    read.append((item.slot, .erased))
                } catch {
                    logger.error("a held event cannot be read back", metadata: ["position": "\(item.position)", "reason": "\(error)"])
                    read.append((item.slot, .lost))
                }
            }
            loop.execute { [read] in bound.value.decide(read[...]) }
        }
    }

    private func decide(_ due: ArraySlice<(slot: SlotReference, found: DueDecision)>) {
        let now = due.prefix(Node.decisionStep)
        decisionsInFlight -= now.count
        guard !stopping, !broken else {
            decisionsInFlight -= due.count - now.count
            return
        }
        for item in now where !decide(item.slot, item.found) { return }
        let rest = due.dropFirst(now.count)
        if !rest.isEmpty { loop.assumeIsolated().execute { self.decide(rest) } }
        pumpAll()
        if rest.isEmpty { decideDue() }
    }

    /// - Returns: false when the journal failed.
    private func decide(_ slot: SlotReference, _ found: DueDecision) -> Bool {
        turn.begin(now())
        switch found {
        case .lost: engine.undecidable(slot, .lost, &turn)
        case .erased: engine.undecidable(slot, .erased, &turn)
        case .event(let event):
            // As the customer is now, not as it was when the event came.
            do {
                let person = try find(event.happened.customer)
                engine.decide(slot, event, person.customer, opening: { _ in self.details(person) }, &turn)
            } catch {
                // Nobody is called unknown for that: it is tried again until the deadline, and the alarm is told.
                unreadable(error)
                engine.putOff(decision: slot, turn.now)
            }
        }
        guard append() else { return false }
        if !turn.records.isEmpty { kickLater() }
        return true
    }
}

/// What stands in the log of an event whose decision is due.
private enum DueDecision: Sendable {
    case event(EventPayload)
    case lost
    case erased
}
