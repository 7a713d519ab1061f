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
        if isBehind || stopping || broken { return durable(false) }
        match(batch) { self.take($0, durable) }
    }

    /// Finds what each of them is a reply to; answers in the order of the calls.
    private func match(_ batch: [Inbound], then: @escaping ([Inbound]) -> Void) {
        final class Matching {
            var batch: [Inbound]
            var left: Int
            init(_ batch: [Inbound]) { (self.batch, left) = (batch, batch.count) }
        }
        let matching = Matching(batch)
        let since = now().wall - engine.configuration.inbound.window
        for index in batch.indices {
            let matched = { (latest: LatestMessage?) in
                matching.batch[index].reply = latest.map { Inbound.Reply(id: $0.id, source: $0.source) }
                matching.left -= 1
                if matching.left == 0 { then(matching.batch) }
            }
            guard let number = batch[index].number else {
                matched(nil)
                continue
            }
            latest(to: number, since: since, then: matched)
        }
    }

    private func take(_ batch: [Inbound], _ durable: @escaping (Bool) -> Void) {
        if isBehind || stopping || broken { return durable(false) }
        turn.begin(now())
        guard engine.receive(batch, random: { random.word() }, &turn) else { return durable(false) }
        guard !turn.records.isEmpty else {
            // Brought before: what was recorded then may still be on its way to the disk.
            open.receipts.append(durable)
            return kickOrAnswer()
        }
        guard append() else { return durable(false) }
        open.receipts.append(durable)
        kickSoon()
    }

    /// Nothing waits for the disk: then nothing would bring the answer.
    private func kickOrAnswer() {
        if parts.appender.pendingRecords > 0 || flying != nil { return kickSoon() }
        let waiting = open.receipts
        open.receipts.removeAll(keepingCapacity: true)
        for answer in waiting { answer(!broken) }
    }

    /// Parts of long messages that were not whole when the process ended are put back before anything comes in; off the loop.
    static func restoreParts(_ engine: inout Engine, _ parts: [(id: MessageID, position: UInt64)], _ here: Parts, _ now: Instant) {
        for part in parts {
            var opened: [UInt8]?
            do {
                let (header, sealed) = try StoredRecord.sealed(at: part.position, in: here.reader)
                opened = try sealed.withUnsafeBytes {
                    try Sealer.open($0, context: SealContext(header.id), keyID: header.keyID, keys: here.keys)
                }
            } catch {
                here.logger.error(
                    "a part of a message from a handset cannot be read back",
                    metadata: ["position": "\(part.position)", "reason": "\(error)"])
            }
            engine.restore(part.id, at: part.position, opened, now)
        }
    }
}
