import MartletModel

@testable import MartletEngine

/// An engine with a log that is durable when the test says so; each step is one turn.
final class Rig {
    var engine: Engine
    var turn: Turn
    var configuration: Engine.Configuration
    var now: Instant
    /// Durable records and those that are only appended.
    var log: [(position: UInt64, bytes: [UInt8])] = []
    var open: [(position: UInt64, bytes: [UInt8], slot: SlotReference?, after: Turn.After)] = []
    var segment: UInt64 = 1
    private var offset: UInt64 = 0
    private var random: UInt64 = 0

    static let number = PhoneNumber(digits: 447_700_900_123)

    init(_ change: (inout Engine.Configuration) -> Void = { _ in }) {
        configuration = Engine.Configuration()
        configuration.routes = Routes([.init(prefix: "44", group: 1), .init(prefix: "33", group: 2)])
        configuration.codeRing = 1 << 16
        configuration.ring = 1 << 16
        change(&configuration)
        now = Instant(wall: 1_790_000_000_000_000, steady: 5_000_000)
        engine = Engine(configuration, now: now, seed: 1)
        turn = Turn(now: now)
        step { $0.engine.recovered(clean: true, &$0.turn) }
        step { $0.engine.mark(.init(what: .credit, value: 4), group: 1, &$0.turn) }
        commit()
    }

    /// One turn; what it brought is appended.
    @discardableResult
    func step(_ act: (Rig) -> Void) -> [Record] {
        turn.begin(now)
        act(self)
        for index in turn.records.indices {
            turn.records[index].record.header.previous = engine.previous(of: turn.records[index])
            var sealed: [UInt8] = []
            switch turn.records[index].sealed {
            case .none: break
            case .payload(let range): sealed = Array(turn.payloads[range])
            case .copy(let bytes, let keyID):
                sealed = bytes
                turn.records[index].record.header.keyID = keyID
            }
            offset += 1
            let position = segment << 32 | offset
            engine.placed(turn.records[index], at: position)
            open.append((position, turn.records[index].record.bytes(sealed: sealed), turn.records[index].slot, turn.records[index].after))
        }
        return turn.records.map(\.record)
    }

    func commit() {
        let batch = open
        open = []
        for item in batch {
            log.append((item.position, item.bytes))
            if let slot = item.slot { engine.released(slot, item.after, now) }
        }
    }

    func pass(seconds: Double, wall: Double? = nil) {
        now = Instant(wall: now.wall + Int64((wall ?? seconds) * 1_000_000), steady: now.steady + Int64(seconds * 1_000_000))
    }

    /// Time passes, the clock ticks, what it brings becomes durable.
    @discardableResult
    func tick(seconds: Double) -> [Record] {
        pass(seconds: seconds)
        let records = step { $0.engine.tick(&$0.turn) }
        commit()
        return records
    }

    func verdict(
        _ messageClass: MessageClass = .transactional, parts: Int = 1, validity: Int64? = nil, to: PhoneNumber = Rig.number,
        source: SourceNumber = 1
    ) -> Engine.Verdict {
        let text = String(repeating: "x", count: parts == 1 ? 20 : parts * 153 - 10)
        let submission = Submission(
            source: source, messageClass: messageClass, to: to, from: "Bank", text: text, validity: validity, receivedAt: now)
        var verdict = Engine.Verdict.refused(.stopping)
        random += 1
        step { verdict = $0.engine.accept(submission, random: random, &$0.turn) }
        return verdict
    }

    /// Accepts one message and makes it durable.
    @discardableResult
    func accept(
        _ messageClass: MessageClass = .transactional, parts: Int = 1, validity: Int64? = nil, source: SourceNumber = 1
    ) -> MessageID {
        let verdict = verdict(messageClass, parts: parts, validity: validity, source: source)
        commit()
        if case .accepted(let id, _) = verdict { return id }
        return MessageID(high: 0, low: 0)
    }

    var hasWork: Bool { engine.hasWork(1) }

    func hand(_ group: GroupNumber = 1) -> Handover? { engine.credit(group, room: 1) }

    /// As `hand`, after what only the log holds was read.
    func next() -> Handover? {
        if let handover = hand() { return handover }
        load()
        return hand()
    }

    @discardableResult
    func answer(_ handover: Handover, part: UInt8 = 0, _ outcome: Outcome) -> [Record] {
        let settled = Settled(slot: handover.slot, attempt: handover.attempt, part: part, outcome: outcome, handedAt: now.wall)
        return step { $0.engine.settle([settled], connection: "harbour-1", &$0.turn) }
    }

    @discardableResult
    func hear(_ providerID: String, _ state: ReceiptState, group: GroupNumber = 1) -> (records: [Record], strays: [Engine.Stray]) {
        var strays: [Engine.Stray] = []
        let records = step {
            $0.engine.hear([Heard(group: group, providerID: providerID, state: state, error: 0)], &$0.turn, strays: &strays)
        }
        return (records, strays)
    }

    func slot(_ id: MessageID) -> Slot? { engine.slots.number(of: id).map { engine.slots.pointer($0).pointee } }

    /// The last state and reason that the log (durable or not) gives a message.
    func fate(_ id: MessageID) -> String {
        for bytes in (log.map(\.bytes) + open.map(\.bytes)).reversed() {
            guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }), record.header.id == id,
                !record.header.flags.contains(.late), let state = record.header.flags.state, let reason = record.header.flags.reason
            else { continue }
            return reason == .none ? state.word : "\(state.word) \(reason.word)"
        }
        return ""
    }

    /// The process dies: what was not durable never was. Another one folds the log.
    @discardableResult
    func restart(clean: Bool = false, after seconds: Double = 1, before segment: UInt64 = 0) -> [Record] {
        open = []
        pass(seconds: seconds)
        engine = Engine(configuration, now: now, seed: 2)
        for (position, bytes) in log where position >> 32 >= segment {
            if let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) { engine.apply(record, at: position, now) }
        }
        let records = step { $0.engine.recovered(clean: clean, &$0.turn) }
        return records
    }

    /// The node reads what the engine wants.
    func load(_ damaged: Bool = false, erased: Bool = false) {
        let wanted = engine.takeWanted()
        let payloads = wanted.map { item -> (slot: SlotReference, payload: Turn.Loaded) in
            if erased { return (item.slot, .erased) }
            return (item.slot, damaged ? .lost : sealed(item.position).map { .payload($0) } ?? .lost)
        }
        step { $0.engine.loaded(payloads, &$0.turn) }
    }

    func sealed(_ position: UInt64) -> [UInt8]? {
        guard let bytes = log.first(where: { $0.position == position })?.bytes,
            let header = try? bytes.withUnsafeBytes({ try RecordHeader(reading: $0) })
        else { return nil }
        return Array(bytes[Record.sealedOffset(header)...])
    }

    /// One whole round of carrying forward.
    func carry(upTo segment: UInt32, damaged: Bool = false) {
        var cursor: UInt32 = 0
        repeat {
            let items = engine.carryCandidates(upTo: segment, limit: 2, cursor: &cursor).map {
                (slot: $0.slot, sealed: damaged ? nil : sealed($0.position), keyID: UInt32(1))
            }
            step { $0.engine.carry(items, orphansUpTo: segment, &$0.turn) }
        } while cursor != 0
    }

    func newSegment() {
        segment += 1
        offset = 0
    }
}
