import Logging
import MartletEngine
public import MartletModel
import NIOCore

/// A connection as the node sees it.
struct ConnectionEntry {
    let connection: any Connection
    /// Answered parts whose records are not durable yet. Together with the window it bounds what a crash can repeat.
    var unrecorded = 0
}

extension Node: ConnectionOwner {
    /// Puts a connection into service. Its group's credit is recorded, so that a restart knows what may have been on the wire.
    public func add(_ connection: any Connection) {
        connections[connection.number] = ConnectionEntry(connection: connection)
        byGroup[connection.group, default: []].append(connection.number)
        serve()
        recordCredit(connection.group)
    }

    /// Takes a stopped connection out of service.
    public func remove(_ connection: any Connection) {
        connections[connection.number] = nil
        byGroup[connection.group]?.removeAll { $0 == connection.number }
        serve()
        recordCredit(connection.group)
    }

    public var allConnections: [any Connection] {
        connections.values.map(\.connection).sorted { $0.name < $1.name }
    }

    /// Changes windows: nothing is handed over until the new credit is durable.
    public func changingCredit<Result>(of group: GroupNumber, _ change: () throws -> Result) rethrows -> Result {
        creditAt = .max
        defer { recordCredit(group) }
        return try change()
    }

    /// Most parts of a group that may be handed over and not recorded: per connection a window on the wire and one answered, or
    /// what is out now where a window was made smaller.
    private func recordCredit(_ group: GroupNumber) {
        var credit = 0
        for number in byGroup[group] ?? [] {
            guard let entry = connections[number] else { continue }
            // The last message may have more parts than there was room for; they wait in the connection.
            let bound = 2 * entry.connection.window + max(0, engine.submitsLargest - 2)
            credit += max(bound, entry.connection.outstanding + entry.unrecorded)
        }
        turn.begin(now())
        engine.mark(.init(what: .credit, value: UInt32(clamping: credit)), group: group, &turn)
        if append() {
            creditAt = lastAppended
            kickSoon()
        }
    }

    public func roomChanged(_ connection: any Connection) { pump(connection.number) }

    public func settled(_ batch: [Settled], by connection: any Connection) {
        let now = now()
        turn.begin(now)
        engine.settle(batch, connection: connection.name, &turn)
        for item in batch where item.handedAt != 0 {
            counters.answer[connection.number, default: Histogram()].observe(now.wall - item.handedAt)
        }
        let records = turn.records.count
        if append(), records > 0 {
            connections[connection.number]?.unrecorded += records
            open.recorded[connection.number, default: 0] += records
            if let entry = connections[connection.number], entry.unrecorded * 2 >= entry.connection.window {
                kickSoon()
            } else {
                kickLater()
            }
        }
        if batch.contains(where: { $0.outcome == .notWritten }) { pumpAll() }
    }

    public func heard(_ batch: [Heard], by connection: any Connection, durable: @escaping (Bool) -> Void) {
        // Told to come again: the provider keeps them better than a queue here.
        if isBehind || stopping { return durable(false) }
        turn.begin(now())
        var strays: [Engine.Stray] = []
        engine.hear(batch, naming: connection.naming, &turn, strays: &strays)
        if turn.records.isEmpty {
            durable(!broken)
            look(for: strays)
        } else if append() {
            // The answer that tells whose they are may be in the same batch: it can be looked up when that is durable.
            open.receipts.append { [self, strays] isDurable in
                durable(isDurable)
                if isDurable { look(for: strays) }
            }
            kickSoon()
        } else {
            durable(false)
        }
    }

    /// With the loop's next round: what calls for a hand-over may still be at its own turn.
    private func endUnwanted() {
        loop.assumeIsolated().execute { [self] in
            guard !broken, !stopping else { return }
            turn.begin(now())
            engine.endUnwanted(&turn)
            if !turn.records.isEmpty, append() { kickSoon() }
        }
    }

    func pumpAll() {
        for group in byGroup.keys where engine.hasWork(group) {
            guard let numbers = byGroup[group], !numbers.isEmpty else { continue }
            // Another one begins each time, so that the connections of a group share the work.
            let first = (firstInGroup[group] ?? 0) % numbers.count
            firstInGroup[group] = first + 1
            for step in 0..<numbers.count { pump(numbers[(first + step) % numbers.count]) }
        }
    }

    /// Once in a round of the loop, however many connections meet it: what may be done in one is bounded.
    private func replanSoon() {
        guard !replanPlanned else { return }
        replanPlanned = true
        loop.assumeIsolated().execute { [self] in
            replanPlanned = false
            guard !broken, !stopping else { return }
            replan()
            if engine.hasMisfits { replanSoon() }
        }
    }

    /// What is next does not fit its operator's rules any more; it goes when its new plan is durable.
    private func replan() {
        let before = engine.submitsLargest
        turn.begin(now())
        engine.replan(&turn)
        if !turn.records.isEmpty, append() { kickSoon() }
        // One that has more submits now may exceed the room of its connection by more.
        if engine.submitsLargest > before { for group in byGroup.keys.sorted() { recordCredit(group) } }
    }

    private func pump(_ number: ConnectionNumber) {
        guard let entry = connections[number], !broken, !stopping, !isBehind, durableEnd > creditAt else { return }
        let connection = entry.connection
        // A window on the wire and one answered but not durable is the most that a crash may repeat.
        var room = min(connection.room, 2 * connection.window - connection.outstanding - entry.unrecorded)
        guard room > 0 else { return }
        var batch: [Handover] = []
        while let handover = engine.credit(connection.group, room: room) {
            room -= handover.partMask.nonzeroBitCount
            batch.append(handover)
        }
        if !engine.wanted.isEmpty { load() }
        if engine.meetsUnwanted { endUnwanted() }
        if engine.hasMisfits { replanSoon() }
        guard !batch.isEmpty else { return }
        connection.hand(batch)
        let micros = UInt32(truncatingIfNeeded: now().steady)
        for handover in batch where handover.attempt == 1 && handover.acceptedAt.steady != 0 {
            let waited = micros &- UInt32(truncatingIfNeeded: handover.acceptedAt.steady)
            counters.wire[Int(handover.messageClass.rawValue)].observe(Int64(waited))
        }
    }
}
