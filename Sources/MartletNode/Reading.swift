import Dispatch
import Guard
import Journal
import Logging
import MartletEngine
public import MartletModel
import NIOCore

/// What has to be read back from the log is read in batches, never on the loop: payloads that wait to be sent on one thread,
/// what is copied forward on another, on a third what people ask, which may have to wait for an index; and apart from them whose the receipts
/// are that nobody waits for: a provider that sends such without end keeps nobody waiting who asks.
private let reading = DispatchQueue(label: "martlet.reader")
private let carrier = DispatchQueue(label: "martlet.carrier")
private let telling = DispatchQueue(label: "martlet.stories")
private let straying = DispatchQueue(label: "martlet.strays")

extension Node {
    // MARK: Payloads of queued messages

    func load() {
        let wanted = engine.takeWanted()
        guard !wanted.isEmpty else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, keys, logger) = (parts.reader, parts.recordKeys, parts.logger)
        reading.async {
            var payloads: [(slot: SlotReference, payload: Turn.Loaded)] = []
            payloads.reserveCapacity(wanted.count)
            for item in wanted {
                do {
                    payloads.append((item.slot, .payload(try StoredRecord.opened(at: item.position, in: journal, keys))))
                } catch SealFault.erased {
                    payloads.append((item.slot, .erased))
                } catch {
                    logger.error("a queued message cannot be read back", metadata: ["position": "\(item.position)", "reason": "\(error)"])
                    payloads.append((item.slot, .lost))
                }
            }
            loop.execute { [payloads] in bound.value.loaded(payloads) }
        }
    }

    private func loaded(_ payloads: [(slot: SlotReference, payload: Turn.Loaded)]) {
        guard !stopping else { return }
        turn.begin(now())
        engine.loaded(payloads, &turn)
        if append() { kickLater() }
        pumpAll()
    }

    // MARK: Stories

    public func story(of id: MessageID, source: SourceNumber, then: @escaping (Result<Story?, StoryFault>) -> Void) {
        story(of: id) { result in then(result.map { $0?.source == source ? $0 : nil }) }
    }

    /// The story whoever its source is: for people and tools.
    public func story(of id: MessageID, then: @escaping (Result<Story?, StoryFault>) -> Void) {
        let id = id.notification
        let live = engine.last(of: id)
        let others = engine.lastOfOthers(of: id)
        if let newest = ([live ?? 0] + others.values).max(), newest != 0, newest >= durableEnd {
            // Its newest record is not on disk yet: answer when it is.
            open.stories.append { self.story(of: id, then: then) }
            return kickSoon()
        }
        let submitted = engine.isSubmitted(id)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let answer = NIOLoopBound(then, eventLoop: loop)
        let loop = self.loop
        let (journal, keys, recent) = (parts.reader, parts.recordKeys, parts.recent)
        let rules = RuleHops(book: book, keys: keys)
        telling.async {
            let result: Result<Story?, StoryFault>
            if let position = live ?? recent.find(id) {
                result = Storyteller.tell(id, from: position, submitted: submitted, journal: journal, keys: keys, rules: rules) {
                    others[$0] ?? recent.find($0)
                }
            } else {
                result = .success(nil)
            }
            loop.execute {
                _ = bound
                answer.value(result)
            }
        }
    }

    // MARK: Receipts of ended messages

    /// Receipts being looked up at once; what comes beyond stays an orphan without a look, which is the safe side.
    static let strayMaximum = 4096

    func look(for strays: [Engine.Stray]) {
        guard !strays.isEmpty, straysInFlight < Node.strayMaximum else { return }
        straysInFlight += strays.count
        let count = strays.count
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, recent) = (parts.reader, parts.recent)
        straying.async {
            var found: [(stray: Engine.Stray, part: UInt8, header: RecordHeader, last: UInt64)] = []
            for stray in strays {
                // Not there or not readable: it stays an orphan, which is the safe side.
                guard let position = recent.find(provider: stray.key), let bytes = try? journal.read(at: position),
                    let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), case .answered(let answer) = record.body
                else { continue }
                let last = recent.find(record.header.id) ?? position
                found.append((stray, answer.part, record.header, last))
            }
            loop.execute { [found] in
                bound.value.straysInFlight -= count
                bound.value.late(found)
            }
        }
    }

    private func late(_ found: [(stray: Engine.Stray, part: UInt8, header: RecordHeader, last: UInt64)]) {
        guard !stopping else { return }
        // One by one: the next late record of a message follows the one before, which the index may not have yet.
        for item in found {
            let id = item.header.id
            turn.begin(now())
            engine.late(item.stray, part: item.part, header: item.header, previous: max(item.last, lateRecords[id] ?? 0), &turn)
            guard !turn.records.isEmpty else { continue }
            guard append() else { return }
            if lateRecords.count >= Node.strayMaximum { lateRecords.removeAll(keepingCapacity: true) }
            lateRecords[id] = lastAppended
        }
        kickLater()
    }

    // MARK: Copies forward

    func readForCarry(_ candidates: [(slot: SlotReference, position: UInt64)], upTo segment: UInt32) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let (journal, logger) = (parts.reader, parts.logger)
        carrier.async {
            var items: [(slot: SlotReference, sealed: [UInt8]?, keyID: UInt32)] = []
            for candidate in candidates {
                do {
                    let (header, sealed) = try StoredRecord.sealed(at: candidate.position, in: journal)
                    items.append((candidate.slot, sealed, header.keyID))
                } catch {
                    logger.error(
                        "an open message cannot be carried forward", metadata: ["position": "\(candidate.position)", "reason": "\(error)"])
                    items.append((candidate.slot, nil, 0))
                }
            }
            loop.execute { [items] in bound.value.carry(items, upTo: segment) }
        }
    }
}
