import Guard
import Journal
import Logging
public import MartletEngine
public import MartletModel
import NIOCore

extension Node {
    public func set(inbound rules: InboundRules) { engine.set(inbound: rules) }

    public func received(_ batch: [Inbound], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        // Told to come again: the provider keeps them better than a queue here.
        guard mayReceive else { return durable(false) }
        match(batch, from: 0) { matched in
            if let matched { self.take(matched, durable) } else { durable(false) }
        }
    }

    /// The reserve of the disk is for what was accepted before.
    private var mayReceive: Bool { !isBehind && !stopping && !broken && !parts.journal.state.isLow }

    /// Finds what each of them is a reply to, one after the other; nil when that cannot be said now. Answers in the order of the calls.
    private func match(_ batch: [Inbound], from start: Int, then: @escaping ([Inbound]?) -> Void) {
        guard let index = batch[start...].firstIndex(where: { $0.number != nil }), let number = batch[index].number else {
            return then(batch)
        }
        latest(to: number, since: now().wall - engine.configuration.inbound.window) { latest in
            var batch = batch
            switch latest {
            case .success(let found): batch[index].reply = found.map { Inbound.Reply(id: $0.id, source: $0.source) }
            case .failure(.busy): return then(nil)
            case .failure(let fault):
                // Rather to the source for the rest than to nobody.
                self.parts.logger.error(
                    "what a message from a handset is a reply to cannot be read", metadata: ["reason": "\(fault)"])
            }
            self.match(batch, from: index + 1, then: then)
        }
    }

    private func take(_ batch: [Inbound], _ durable: @escaping (Bool) -> Void) {
        guard mayReceive else { return durable(false) }
        turn.begin(now())
        let batch = engine.configuration.inbound.hasPackages ? batch.map(owned) : batch
        engine.receive(batch, random: { random.word() }, &turn)
        guard !turn.records.isEmpty else {
            // Brought before: what was recorded then may still be on its way to the disk.
            open.receipts.append(durable)
            return kickOrAnswer()
        }
        guard append() else { return durable(false) }
        open.receipts.append(durable)
        kickSoon()
    }

    private func owned(_ item: Inbound) -> Inbound {
        var item = item
        item.owner = item.number.flatMap { owners.owner(of: $0) }
        return item
    }

    /// Nothing waits for the disk: then nothing would bring the answer.
    func kickOrAnswer() {
        if parts.appender.pendingRecords > 0 || flying != nil { return kickSoon() }
        let waiting = open.receipts
        open.receipts.removeAll(keepingCapacity: true)
        for answer in waiting { answer(!broken) }
    }

    /// Tells once when more numbers opted out than memory is meant for, and once when they are fewer again.
    func watchOptOuts() {
        guard engine.hasMostOptOuts != hasToldOfOptOuts else { return }
        hasToldOfOptOuts = engine.hasMostOptOuts
        let metadata: Logger.Metadata = ["numbers": "\(engine.optedOutCount)", "limit": "\(engine.configuration.optOutMaximum)"]
        if hasToldOfOptOuts {
            parts.logger.error(
                "more numbers opted out than memory is meant for: all are heeded, and nothing of the opt-out classes is taken",
                metadata: metadata)
        } else {
            parts.logger.notice("messages of the opt-out classes are taken again", metadata: metadata)
        }
    }

    /// Parts of long messages that were not whole when the process ended are put back before anything comes in; off the loop.
    static func restoreParts(_ engine: inout Engine, _ parts: [(id: MessageID, position: UInt64)], _ here: Parts, _ now: Instant) {
        for part in parts {
            var opened: [UInt8]?
            do {
                opened = try StoredRecord.opened(at: part.position, in: here.reader, here.recordKeys)
            } catch {
                here.logger.error(
                    "a part of a message from a handset cannot be read back",
                    metadata: ["position": "\(part.position)", "reason": "\(error)"])
            }
            engine.restore(part.id, at: part.position, opened, now)
        }
    }
}
