import MartletModel
import SMPP

/// The binds of one account: receipts go out over any that may receive, and every one comes back as heard or not.
final class SMPPAccountBinds: Teller {
    let settings: SMPPAccount
    let source: SourceNumber
    private unowned let door: SMPPDoor
    private var connections: [SMPPServerConnection] = []
    private var next = 0
    private var rate: PartsRate

    init(_ settings: SMPPAccount, source: SourceNumber, door: SMPPDoor) {
        self.settings = settings
        self.source = source
        self.door = door
        rate = PartsRate(perSecond: settings.partsPerSecond)
    }

    var name: String { settings.systemID }
    var count: Int { connections.count }
    var room: Int { connections.reduce(0) { $0 + $1.room } }

    func joined(_ connection: SMPPServerConnection) {
        connections.append(connection)
        door.owner.roomChanged(self)
    }

    func left(_ connection: SMPPServerConnection) {
        connections.removeAll { $0 === connection }
    }

    /// The account is no more, or another than it was.
    func end() {
        for connection in connections { connection.drain() }
    }

    /// Whether its rate allows a message of so many parts now.
    func takes(parts: Int, at steady: Int64) -> Bool { rate.take(parts, at: steady) }

    func tell(_ batch: [Notice]) {
        var unheard: [(slot: SlotReference, outcome: NoticeOutcome)] = []
        for notice in batch where !give(notice) { unheard.append((notice.slot, .notHeard)) }
        for connection in connections { connection.flushSoon() }
        if !unheard.isEmpty { told(unheard) }
    }

    /// To the next bind with room, so that several share the work.
    private func give(_ notice: Notice) -> Bool {
        for step in connections.indices {
            let connection = connections[(next + step) % connections.count]
            guard connection.room > 0, connection.give(notice) else { continue }
            next = (next + step + 1) % connections.count
            return true
        }
        return false
    }

    func told(_ batch: [(slot: SlotReference, outcome: NoticeOutcome)]) {
        for item in batch {
            switch item.outcome {
            case .heard: door.counters.receiptsHeard += 1
            case .notHeard, .later, .parked: door.counters.receiptsUnheard += 1
            case .refused: door.counters.receiptsRefused += 1
            }
        }
        door.owner.told(batch, by: self)
    }

    func hasRoom() { door.owner.roomChanged(self) }
}

/// A second's worth of parts, refilled as time passes: what comes in a burst after a pause is at most that.
struct PartsRate {
    private let perSecond: Int
    /// Millionths of a part.
    private var left: Int64
    private var at: Int64?

    init(perSecond: Int) {
        self.perSecond = perSecond
        left = Int64(perSecond) * 1_000_000
    }

    /// - Parameter steady: microseconds.
    mutating func take(_ parts: Int, at steady: Int64) -> Bool {
        guard perSecond > 0 else { return true }
        let full = Int64(perSecond) * 1_000_000
        left = min(full, left + min(max(0, steady - (at ?? steady)), 1_000_000) * Int64(perSecond))
        at = steady
        // A message of more parts than a second's worth goes when the second is full.
        let cost = min(Int64(parts) * 1_000_000, full)
        guard left >= cost else { return false }
        left -= cost
        return true
    }
}
