public import MartletModel

/// What customers have had of each cap, and what came for them of each event with a limit: the moments, for as long as they count. A fold of
/// the records, which name each counter with its size: the log is read before any rulebook is there, and a release may change the size.
///
/// Its moments never go back: while a clock that jumped shows less than was recorded before, the latest recorded moment counts. So the entries of
/// a customer lie in the order of their moments, the newest first, and what is given back makes room for exactly one.
///
/// 16 bytes for each moment and counter, 4 for each customer number: 240 MB for ten million customers with one moment each.
public struct CapLedger: Sendable {
    public typealias Counter = RecordBody.Counter

    /// One moment of one counter of one customer.
    private struct Entry {
        /// Wall seconds.
        var at: UInt32
        /// Journal segment of the record that holds it; 0 while that record has no place.
        var segment: UInt32
        /// The customer's next older one; of a free entry the next free one.
        var next: UInt32
        /// Place of its counter.
        var table: UInt16
    }

    /// A counter as the newest record names it.
    private struct Table {
        var counter: Counter
        /// Entries of one customer; more say nothing new.
        var kept: Int { counter.isLimit ? Int(counter.most) : max(Int(counter.most), CapLedger.keptOfCap) }
    }

    /// The newest entries of neighbouring customers.
    private struct Page {
        var heads = ContiguousArray(repeating: CapLedger.none, count: 1 << CapLedger.pageBits)
        var count = 0
    }

    private static let none = UInt32.max
    private static let chunkBits: UInt32 = 13
    private static let pageBits: UInt32 = 10
    /// A release may raise a cap: what is kept is enough for the highest.
    private static let keptOfCap = Int(FrequencyCap.mostRange.upperBound)
    /// Pages that are gone over in one step.
    private static let stretch = 64
    /// Entries that one decision takes at most, kept free so that none that was asked for finds no room.
    private static let reserveOfOne = FrequencyCap.mostCaps + 1

    /// Chunks never move, so that growing copies nothing.
    private var chunks: ContiguousArray<ContiguousArray<Entry>> = []
    private var made: UInt32 = 0
    private var free = CapLedger.none
    /// By the customer's number, which is given once and densely; nil: none of these has an entry.
    private var pages: ContiguousArray<Page?> = []
    private var tables: ContiguousArray<Table> = []
    private var places: [UInt64: UInt16] = [:]
    private var perSegment: [UInt32: Int] = [:]
    private var sweepAt = 0
    private let maximum: Int

    /// Wall seconds of the latest record; what counts is measured from here.
    private(set) var latest: UInt32 = 0
    /// Entries in memory, some of which may count no more.
    public private(set) var count = 0
    /// Moments for which there was no room: those of limits alone, since a cap without room lets nothing pass.
    public private(set) var dropped = 0

    /// - Parameter maximum: entries kept at once. From there on caps let nothing pass and limits everything: too few advertisements are better than too
    ///   many, and a late payment is worse than a hundred.
    public init(maximum: Int = 64 << 20) { self.maximum = min(max(maximum, 1), Int(UInt32.max) - 1) }

    /// No room is left for one more decision.
    public var isFull: Bool { count + CapLedger.reserveOfOne > maximum }

    // MARK: Asking

    /// How many of a counter count now, `counter.most` at the most.
    public func count(of counter: Counter, for subject: SubjectNumber, at wall: Int64) -> Int {
        guard let table = places[counter.name] else { return 0 }
        let now = max(latest, CapLedger.seconds(wall))
        let most = Int(counter.most)
        var found = 0
        var place = head(subject)
        while place != CapLedger.none {
            let entry = self[place]
            // Those behind it are older still.
            if now - entry.at >= counter.within || found == most { break }
            if entry.table == table { found += 1 }
            place = entry.next
        }
        return found
    }

    /// Bit n: the customer has had as many as the cap of place n allows, or nobody can say how many since there is no room.
    /// - Parameters:
    ///   - caps: places to ask for.
    ///   - counters: of a rulebook's caps, by their places.
    public func used(by subject: SubjectNumber, caps: UInt32, of counters: ContiguousArray<Counter>, at wall: Int64) -> UInt32 {
        if isFull { return caps }
        var used: UInt32 = 0
        var rest = caps
        while rest != 0 {
            let place = rest.trailingZeroBitCount
            rest &= rest - 1
            guard place < counters.count else { continue }
            if count(of: counters[place], for: subject, at: wall) >= Int(counters[place].most) { used |= 1 << UInt32(place) }
        }
        return used
    }

    /// Whether anything of this customer is in memory, though it may count no more.
    func counts(for subject: SubjectNumber) -> Bool { head(subject) != CapLedger.none }

    // MARK: Counting

    /// Counts one. Customer 0, whom nobody knows, is not counted.
    /// - Parameter segment: where its record stands; 0: not yet, `placed` tells it.
    /// - Returns: the moment it counts at, wall seconds, which `release` asks for.
    @discardableResult
    public mutating func reserve(_ counter: Counter, for subject: SubjectNumber, at wall: Int64, in segment: UInt32 = 0) -> UInt32 {
        latest = max(latest, CapLedger.seconds(wall))
        guard subject != 0, let table = table(of: counter) else { return latest }
        if free == CapLedger.none, Int(made) == maximum { prune(subject, nil) }
        guard let place = take(Entry(at: latest, segment: segment, next: head(subject), table: table)) else { return latest }
        setHead(subject, place)
        prune(subject, table)
        return latest
    }

    /// Takes back one that was counted at this moment: nothing of it was sent. Nothing, when that moment counts no more.
    public mutating func release(_ counter: Counter, for subject: SubjectNumber, at moment: UInt32) {
        guard let table = places[counter.name] else { return }
        var before = CapLedger.none
        var place = head(subject)
        while place != CapLedger.none {
            let entry = self[place]
            if entry.at == moment, entry.table == table { return remove(place, after: before, of: subject) }
            before = place
            place = entry.next
        }
    }

    // MARK: Records

    /// The record of this moment, which had no place, stands in this segment now. Records need not come in the order of their moments.
    public mutating func placed(_ counter: Counter, for subject: SubjectNumber, at moment: UInt32, in segment: UInt32) {
        guard let table = places[counter.name] else { return }
        var oldest = CapLedger.none
        var place = head(subject)
        while place != CapLedger.none {
            if self[place].segment == 0, self[place].table == table, self[place].at == moment { oldest = place }
            place = self[place].next
        }
        if oldest != CapLedger.none { move(oldest, to: segment) }
    }

    /// Another record says the same of this moment, and holds it from now on. After a trim it is the only one: then the moment is new.
    /// - Parameters:
    ///   - isNew: it is another one, though there may be one of this moment.
    ///   - copies: how often the record has said it so far; all that are of this moment it says together.
    public mutating func moved(
        _ counter: Counter, for subject: SubjectNumber, at moment: UInt32, to segment: UInt32, isNew: Bool = false, copies: Int = 1
    ) {
        latest = max(latest, moment)
        guard subject != 0, let table = table(of: counter) else { return }
        var before = CapLedger.none
        var place = head(subject)
        var there = 0
        while place != CapLedger.none, self[place].at >= moment {
            if !isNew, self[place].at == moment, self[place].table == table {
                if self[place].segment != segment { return move(place, to: segment) }
                there += 1
            }
            before = place
            place = self[place].next
        }
        if !isNew, there >= copies { return }
        guard let fresh = take(Entry(at: moment, segment: segment, next: place, table: table)) else { return }
        if before == CapLedger.none { setHead(subject, fresh) } else { self[before].next = fresh }
    }

    /// Moments whose record stands in this segment.
    public func live(in segment: UInt32) -> Int { perSegment[segment] ?? 0 }

    /// One moment that counts, as a later record is to say it again.
    public struct Standing: Hashable, Sendable {
        public var counter: Counter
        public var subject: SubjectNumber
        public var at: UInt32
    }

    /// Moments whose record stands in a segment up to this one, a stretch of the customers at a time; those that count no more go. All of one counter, customer and
    /// second come together, wherever they stand: once the first of their records is trimmed nobody could tell which of them is said again.
    /// - Parameters:
    ///   - limit: the stretch ends behind the 1,024 neighbours with whom it is reached.
    ///   - cursor: where to go on; 0 at the beginning, and again at the end.
    public mutating func standing(upTo segment: UInt32, limit: Int, _ cursor: inout Int) -> [Standing] {
        var found: [Standing] = []
        let end = min(pages.count, cursor + CapLedger.stretch)
        while cursor < end, found.count < limit {
            var (old, unplaced): (Set<Standing>, Set<Standing>) = ([], [])
            visit(cursor) { entry, subject, counter in
                guard entry.segment <= segment else { return }
                let one = Standing(counter: counter, subject: subject, at: entry.at)
                if entry.segment != 0 { old.insert(one) } else { unplaced.insert(one) }
            }
            // Those of which one has no place yet have their turn in the next round.
            old.subtract(unplaced)
            if !old.isEmpty {
                visit(cursor) { entry, subject, counter in
                    let one = Standing(counter: counter, subject: subject, at: entry.at)
                    if old.contains(one) { found.append(one) }
                }
            }
            cursor += 1
        }
        if cursor >= pages.count { cursor = 0 }
        return found
    }

    // MARK: Letting go

    /// Lets go of what counts no more, a stretch of the customers at a time; call it seldom.
    /// - Parameter pages: of 1,024 customers each.
    public mutating func sweep(pages limit: Int) {
        for _ in 0..<min(limit, pages.count) {
            if sweepAt >= pages.count { sweepAt = 0 }
            visit(sweepAt) { _, _, _ in }
            sweepAt += 1
        }
    }

    /// Goes over the entries of a page that count, and takes out the others.
    private mutating func visit(_ page: Int, _ body: (Entry, SubjectNumber, Counter) -> Void) {
        guard let heads = pages[page]?.heads else { return }
        for (offset, head) in heads.enumerated() where head != CapLedger.none {
            let subject = SubjectNumber(page << Int(CapLedger.pageBits) | offset)
            prune(subject, nil)
            var place = self.head(subject)
            while place != CapLedger.none {
                let entry = self[place]
                body(entry, subject, tables[Int(entry.table)].counter)
                place = entry.next
            }
        }
    }

    /// Takes out what counts no more of a customer, and of one counter those that say nothing new.
    private mutating func prune(_ subject: SubjectNumber, _ table: UInt16?) {
        let kept = table.map { tables[Int($0)].kept } ?? .max
        var found = 0
        var before = CapLedger.none
        var place = head(subject)
        while place != CapLedger.none {
            let entry = self[place]
            if entry.table == table { found += 1 }
            let isOver = latest - entry.at >= tables[Int(entry.table)].counter.within
            if isOver || (entry.table == table && found > kept) {
                remove(place, after: before, of: subject)
            } else {
                before = place
            }
            place = entry.next
        }
    }

    // MARK: Entries

    private subscript(place: UInt32) -> Entry {
        _read { yield chunks[Int(place >> CapLedger.chunkBits)][Int(place & ((1 << CapLedger.chunkBits) - 1))] }
        _modify { yield &chunks[Int(place >> CapLedger.chunkBits)][Int(place & ((1 << CapLedger.chunkBits) - 1))] }
    }

    /// Wall time as the entries have it; before 1970 and after 2106 it stands still.
    static func seconds(_ wall: Int64) -> UInt32 { UInt32(clamping: floorSeconds(wall)) }

    /// Place of a counter, which has the size of now; nil when there are more than 65,535, which only a log of endless renaming brings.
    private mutating func table(of counter: Counter) -> UInt16? {
        if let place = places[counter.name] {
            if tables[Int(place)].counter != counter { tables[Int(place)].counter = counter }
            return place
        }
        guard let place = UInt16(exactly: tables.count), place < .max else {
            dropped += 1
            return nil
        }
        tables.append(Table(counter: counter))
        places[counter.name] = place
        return place
    }

    private mutating func take(_ entry: Entry) -> UInt32? {
        let place: UInt32
        if free != CapLedger.none {
            place = free
            free = self[place].next
            self[place] = entry
        } else {
            guard Int(made) < maximum else {
                dropped += 1
                return nil
            }
            if Int(made >> CapLedger.chunkBits) == chunks.count {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(1 << CapLedger.chunkBits)
            }
            place = made
            made += 1
            chunks[chunks.count - 1].append(entry)
        }
        count += 1
        hold(entry.segment, 1)
        return place
    }

    private mutating func remove(_ place: UInt32, after before: UInt32, of subject: SubjectNumber) {
        let next = self[place].next
        if before == CapLedger.none { setHead(subject, next) } else { self[before].next = next }
        hold(self[place].segment, -1)
        self[place].next = free
        free = place
        count -= 1
    }

    private mutating func move(_ place: UInt32, to segment: UInt32) {
        // While the new record has no place, the old one holds it.
        guard segment != 0 else { return }
        hold(self[place].segment, -1)
        self[place].segment = segment
        hold(segment, 1)
    }

    private mutating func hold(_ segment: UInt32, _ change: Int) {
        guard segment != 0 else { return }
        let left = (perSegment[segment] ?? 0) + change
        perSegment[segment] = left == 0 ? nil : left
    }

    // MARK: Customers

    private func head(_ subject: SubjectNumber) -> UInt32 {
        let page = Int(subject >> CapLedger.pageBits)
        guard page < pages.count else { return CapLedger.none }
        return pages[page]?.heads[Int(subject & (1 << CapLedger.pageBits - 1))] ?? CapLedger.none
    }

    private mutating func setHead(_ subject: SubjectNumber, _ place: UInt32) {
        let page = Int(subject >> CapLedger.pageBits)
        let offset = Int(subject & (1 << CapLedger.pageBits - 1))
        while pages.count <= page { pages.append(nil) }
        if pages[page] == nil { pages[page] = Page() }
        let before = pages[page]?.heads[offset] ?? CapLedger.none
        pages[page]?.heads[offset] = place
        if before == CapLedger.none, place != CapLedger.none { pages[page]?.count += 1 }
        if before != CapLedger.none, place == CapLedger.none { pages[page]?.count -= 1 }
        if pages[page]?.count == 0 { pages[page] = nil }
    }
}

extension RecordBody.Counter {
    /// The same for a counter whose size was changed.
    fileprivate var name: UInt64 { UInt64(key) << 1 | (isLimit ? 1 : 0) }
}
