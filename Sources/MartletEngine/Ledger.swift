public import MartletModel

/// What every source handed in, what of it ended and what is open. The first two are sums of the log's records, kept over trims by
/// `ledger` records; `open` is counted where messages come into the table and leave it. Always accepted = ended + open: else a
/// message was lost, or the log.
public struct Ledger: Sendable {
    public struct Entry: Sendable {
        public internal(set) var accepted: UInt64 = 0
        public internal(set) var ended: UInt64 = 0
        public internal(set) var open = 0
        /// What a whole count of the table found to be open less than `open` says; 0: it agreed.
        public internal(set) var miscount = 0
        /// Days since 1970 of the day that the next two count.
        var day: Int32 = 0
        var dayMessages: UInt64 = 0
        var dayParts: UInt64 = 0
        /// Wall microseconds of the newest acceptance.
        var lastAt: Int64 = .min
        /// Raw position of its newest statement, or before there is one of its first acceptance; 0: neither is durable or about to be.
        var position: UInt64 = 0
        /// Records since its newest statement.
        var unstated = 0
        var counting = 0

        /// Messages that went without an end (above 0), or ended or are open without an acceptance (below).
        public var drift: Int { Int(clamping: Int64(bitPattern: accepted &- ended)) - open }
    }

    /// By number of the source.
    private(set) var entries: [Entry] = []
    /// Slots up to here are in the count that is going on.
    private var counted: UInt32 = 0
    /// Whole counts of the table that were finished.
    public private(set) var rounds = 0

    public var sources: [SourceNumber] {
        entries.indices.filter { entries[$0].accepted != 0 || entries[$0].ended != 0 || entries[$0].open != 0 }.map { SourceNumber($0) }
    }

    public subscript(source: SourceNumber) -> Entry { Int(source) < entries.count ? entries[Int(source)] : Entry() }

    private mutating func reach(_ source: SourceNumber) {
        while entries.count <= Int(source) { entries.append(Entry()) }
    }

    // MARK: Of the records

    /// - Parameter parts: on the air.
    mutating func accepted(_ header: RecordHeader, parts: UInt8, dayBegins: Int64) {
        reach(header.source)
        let day = Ledger.day(header.at, dayBegins)
        let place = Int(header.source)
        entries[place].accepted += 1
        if !entries[place].counts(day) {
            entries[place].day = day
            entries[place].dayMessages = 0
            entries[place].dayParts = 0
        }
        entries[place].dayMessages += 1
        entries[place].dayParts += UInt64(parts)
        entries[place].lastAt = header.at
        entries[place].unstated += 1
    }

    mutating func ended(_ source: SourceNumber) {
        reach(source)
        entries[Int(source)].ended += 1
        entries[Int(source)].unstated += 1
    }

    mutating func state(_ source: SourceNumber, _ it: RecordBody.Ledger) {
        reach(source)
        entries[Int(source)].accepted = it.accepted
        entries[Int(source)].ended = it.ended
        entries[Int(source)].day = it.day
        entries[Int(source)].dayMessages = it.dayMessages
        entries[Int(source)].dayParts = it.dayParts
        entries[Int(source)].unstated = 0
    }

    func statement(_ source: SourceNumber) -> RecordBody.Ledger {
        let it = self[source]
        return .init(accepted: it.accepted, ended: it.ended, day: it.day, dayMessages: it.dayMessages, dayParts: it.dayParts)
    }

    /// - Returns: where it stood before.
    mutating func place(_ source: SourceNumber, at position: UInt64) -> UInt64 {
        reach(source)
        defer { entries[Int(source)].position = position }
        return entries[Int(source)].position
    }

    /// Number of the day that a moment belongs to; `begins` microseconds after midnight UTC.
    static func day(_ wall: Int64, _ begins: Int64) -> Int32 {
        let shifted = wall - begins
        return Int32(clamping: shifted >= 0 ? shifted / 86_400_000_000 : (shifted - 86_399_999_999) / 86_400_000_000)
    }

    // MARK: Of the table

    /// An open message is in the table from now on.
    mutating func came(_ source: SourceNumber, _ number: UInt32) {
        reach(source)
        entries[Int(source)].open += 1
        if number < counted { entries[Int(source)].counting += 1 }
    }

    /// It is no longer open.
    mutating func left(_ source: SourceNumber, _ number: UInt32) {
        reach(source)
        entries[Int(source)].open -= 1
        if number < counted { entries[Int(source)].counting -= 1 }
    }

    /// Counts some further slots. What comes and goes below the place that the count has reached is told to it, so it is exact however
    /// long it takes.
    mutating func count(_ slots: borrowing SlotTable, steps: UInt32) {
        let stop = steps > slots.bound - counted ? slots.bound : counted + steps
        while counted < stop {
            let slot = slots.pointer(counted)
            if slot.pointee.id.high != 0, !slot.pointee.state.isEnd, !slot.pointee.isMember {
                reach(slot.pointee.source)
                entries[Int(slot.pointee.source)].counting += 1
            }
            counted += 1
        }
        guard counted >= slots.bound else { return }
        for place in entries.indices {
            entries[place].miscount = entries[place].open - entries[place].counting
            entries[place].counting = 0
        }
        counted = 0
        rounds += 1
    }
}

extension Ledger.Entry {
    /// A clock that was set back by less than a day gives nobody the day's parts again.
    func counts(_ day: Int32) -> Bool { day == self.day || day == self.day - 1 }

    /// Messages and parts accepted on a day.
    func accepted(on day: Int32) -> (messages: UInt64, parts: UInt64) { counts(day) ? (dayMessages, dayParts) : (0, 0) }
}

extension Engine {
    /// What a source had accepted today, in messages and parts.
    public func today(_ source: SourceNumber, _ now: Instant) -> (messages: UInt64, parts: UInt64) {
        ledger[source].accepted(on: Ledger.day(now.wall, configuration.dayBegins))
    }

    /// Slots of the table counted in one tick.
    static let countStep: UInt32 = 8192

    /// One step of the count that runs always.
    mutating func countOpen() { ledger.count(slots, steps: Engine.countStep) }

    /// Counts the whole table at once, for a start.
    public mutating func countAll() { ledger.count(slots, steps: .max) }

    /// Writes down the sums of every source that has new records: what a later start compares with, should the log be damaged.
    public mutating func stateLedgers(_ turn: inout Turn) {
        for source in ledger.sources where ledger[source].unstated > 0 { stateLedger(source, &turn) }
    }

    /// Sums whose records are about to be trimmed.
    mutating func stateLedgers(upTo segment: UInt32, _ turn: inout Turn) {
        for source in ledger.sources {
            let position = ledger[source].position
            if position != 0, UInt32(truncatingIfNeeded: position >> 32) <= segment { stateLedger(source, &turn) }
        }
    }

    private mutating func stateLedger(_ source: SourceNumber, _ turn: inout Turn) {
        var header = RecordHeader(kind: .ledger, partition: home, source: source, at: turn.now.wall)
        header.sequence = nextSequence(home)
        let record = Record(header: header, body: .ledger(ledger.statement(source)))
        apply(record, at: 0, turn.now)
        turn.records.append(Turn.Emitted(record: record, slot: nil, sealed: .none, after: .nothing))
    }

    /// From the first record of a source on its segment stays until its sums are stated.
    mutating func anchor(_ source: SourceNumber, at position: UInt64) {
        guard ledger[source].position == 0 else { return }
        _ = ledger.place(source, at: position)
        remember(position)
    }

    mutating func stated(_ source: SourceNumber, at position: UInt64) {
        forget(ledger.place(source, at: position))
        remember(position)
    }
}
