public import MartletModel

/// Ended messages whose source is still to be told, by source, in the order in which they ended. The messages themselves stay in the
/// table until then; this holds their order.
struct Outbox {
    private struct Queue {
        /// Told before without being heard: they go first.
        var again: [SlotReference] = []
        var waiting: [SlotReference] = []
        var first = 0

        var isEmpty: Bool { again.isEmpty && first == waiting.count }

        var front: SlotReference? { again.first ?? (first < waiting.count ? waiting[first] : nil) }

        mutating func pop() -> SlotReference? {
            if !again.isEmpty { return again.removeFirst() }
            guard first < waiting.count else { return nil }
            defer {
                first += 1
                if first == waiting.count || first > 4096 && first * 2 > waiting.count {
                    waiting.removeFirst(first)
                    first = 0
                }
            }
            return waiting[first]
        }
    }

    private var queues: [SourceNumber: Queue] = [:]

    mutating func push(_ reference: SlotReference, _ source: SourceNumber) { queues[source, default: Queue()].waiting.append(reference) }
    mutating func pushAgain(_ references: [SlotReference], _ source: SourceNumber) {
        queues[source, default: Queue()].again.insert(contentsOf: references, at: 0)
    }
    mutating func pop(_ source: SourceNumber) -> SlotReference? { queues[source]?.pop() }
    func front(_ source: SourceNumber) -> SlotReference? { queues[source]?.front }
    func isEmpty(_ source: SourceNumber) -> Bool { queues[source]?.isEmpty ?? true }
    var sources: [SourceNumber] { queues.keys.filter { !isEmpty($0) } }
}

extension Engine {
    /// One notice, its payload with it while that is in memory.
    public struct Owed: Sendable {
        public var slot: SlotReference
        /// Raw position of the record that holds its payload.
        public var position: UInt64
        public var payload: Payload?
        public var id: MessageID
        public var messageClass: MessageClass
        public var state: MessageState
        public var reason: EndReason
        public var error: UInt16
        /// Submits, and how they were planned where that was done anew.
        public var parts: UInt8
        public var textShape: UInt32
        public var endedAt: Int64
        public var possibleDuplicate: Bool
        public var tries: UInt8

        public func notice(_ payload: Payload) -> Notice {
            let onAir = Payload.parts(ofShape: textShape != 0 ? textShape : payload.textShape)
            return Notice(
                slot: slot, id: id, messageClass: messageClass, state: state, reason: reason, error: error, parts: onAir ?? parts,
                endedAt: endedAt, possibleDuplicate: possibleDuplicate, tries: tries, payload: payload)
        }
    }

    /// How long a source may be away: what ended earlier is given up. Milliseconds.
    static let owedMilliseconds = Notice.owedMilliseconds

    /// Ended messages that their source has not heard of yet.
    public var owedTotal: Int { owedCount }
    public func owes(_ source: SourceNumber) -> Bool { !outbox.isEmpty(source) }
    public var owedSources: [SourceNumber] { outbox.sources.sorted() }

    /// Its end is durable: its source may hear of it.
    mutating func owe(_ number: UInt32) {
        let slot = slots.pointer(number)
        guard slot.pointee.flags.isDisjoint(with: [.inOutbox, .waiting, .parked]) else { return }
        slot.pointee.flags.insert(.inOutbox)
        outbox.push(slots.reference(number), slot.pointee.source)
    }

    /// The next notices for a source, oldest end first.
    public mutating func owed(_ source: SourceNumber, room: Int) -> [Owed] {
        var found: [Owed] = []
        while found.count < room, let reference = outbox.pop(source) {
            // One that was given up meanwhile is in the table until that is durable.
            guard let number = slots.number(of: reference), slots.pointer(number).pointee.flags.contains(.owed) else { continue }
            let slot = slots.pointer(number).pointee
            found.append(
                Owed(
                    slot: reference, position: slot.payloadAt, payload: payload(of: number), id: slot.id, messageClass: slot.messageClass,
                    state: slot.state, reason: slot.reason, error: slot.endError, parts: slot.parts, textShape: slot.textShape,
                    endedAt: slot.endedAt, possibleDuplicate: slot.flags.contains(.possibleDuplicate), tries: slot.tries))
        }
        return found
    }

    /// What a source said to its notices, in their order.
    public mutating func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)], teller: String, _ turn: inout Turn) {
        var again: [SlotReference] = []
        var source: SourceNumber = 0
        for item in batch {
            guard let number = slots.number(of: item.slot), slots.pointer(number).pointee.flags.contains(.owed) else { continue }
            switch item.outcome {
            case .heard: emit(.told(.init(outcome: .heard, teller: teller)), number, &turn)
            case .refused: emit(.told(.init(outcome: .refused, teller: teller)), number, &turn)
            case .notHeard:
                source = slots.pointer(number).pointee.source
                again.append(item.slot)
            case .later(let milliseconds): putOff(number, milliseconds, turn.now)
            case .parked: park(number, turn.now)
            }
        }
        if !again.isEmpty { outbox.pushAgain(again, source) }
    }

    /// A notice whose payload cannot be read back is given up, with its message's story left as it is.
    public mutating func untellable(_ reference: SlotReference, _ turn: inout Turn) {
        guard let number = slots.number(of: reference), slots.pointer(number).pointee.flags.contains(.owed) else { return }
        emit(.told(.init(outcome: .givenUp, teller: "")), number, &turn)
    }

    /// Gives up what has waited too long for its source.
    mutating func giveUpOwed(_ turn: inout Turn) {
        let oldest = turn.now.wallMilliseconds - Engine.owedMilliseconds
        for source in owedSources {
            for _ in 0..<1000 {
                guard let front = outbox.front(source) else { break }
                guard let number = slots.number(of: front), slots.pointer(number).pointee.flags.contains(.owed) else {
                    _ = outbox.pop(source)
                    continue
                }
                guard slots.pointer(number).pointee.endedAt < oldest else { break }
                _ = outbox.pop(source)
                emit(.told(.init(outcome: .givenUp, teller: "")), number, &turn)
            }
        }
    }
}
