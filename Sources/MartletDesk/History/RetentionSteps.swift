import MartletModel
import MartletStore
import SQL

/// Forgets a field of some classes' messages in one quarter of an hour. What is to go is read beside the writer, a bounded number of rows at
/// once, and goes by its key in transactions as small, however busy the quarter was: nothing waits for long, and what is cut short goes on
/// with what is left.
struct RetentionSteps: Sendable {
    enum Field: Sendable {
        case text, addresses, rows
    }

    let store: SQLStore
    let classes: Set<MessageClass>
    let field: Field
    /// Told how much each transaction forgot: search entries, or messages.
    var stepped: @Sendable (Int) -> Void = { _ in }

    /// Rows of one read.
    static let readInStep = 2048
    /// Messages, or search entries, of one transaction.
    static let idsInStep = 320
    static let entriesInStep = 512

    /// Messages from handsets are of this class.
    static let inboundClass = MessageClass.service

    private typealias Entry = (kind: Int16, hash: Int64, id: [UInt8])

    /// - Returns: messages that lost the field; of `.addresses`, search entries that went.
    func run(_ slot: Int64) async throws -> Int {
        // Entries first: of what they belong to is known by the messages' rows.
        let entries = field == .text ? 0 : try await forgetEntries(slot)
        if field == .addresses { return entries }
        let messages = try await forgetMessages(slot, isInbound: false)
        return messages + (classes.contains(RetentionSteps.inboundClass) ? try await forgetMessages(slot, isInbound: true) : 0)
    }

    // MARK: Search entries

    private func forgetEntries(_ slot: Int64) async throws -> Int {
        var done = 0
        var last: Entry = (.min, .min, [])
        while true {
            let from: [SQLValue] = [
                .integer(slot), .number(last.kind), .integer(last.hash), .bytes(last.id), .number(RetentionSteps.readInStep),
            ]
            let rows = try await store.read { try $0.rows(RetentionStatements.entries, from, maximum: RetentionSteps.readInStep) }
            var going: [Entry] = []
            for row in rows {
                last = (try row.integer("kind", as: Int16.self), try row.integer("hash"), try row.bytes("id"))
                if try goes(row, last) { going.append(last) }
            }
            for start in stride(from: 0, to: going.count, by: RetentionSteps.entriesInStep) {
                let some = Array(going[start..<min(start + RetentionSteps.entriesInStep, going.count)])
                let count = try await store.transaction { try RetentionSteps.drop(some, slot, $0) }
                stepped(count)
                done += count
            }
            if rows.count < RetentionSteps.readInStep { return done }
        }
    }

    private func goes(_ row: SQLRow, _ entry: Entry) throws -> Bool {
        // By its source a message is found for as long as it is there.
        if field == .addresses, entry.kind & 15 == SearchKind.source.rawValue { return false }
        if let number = try row.optionalInteger("class") { return contains(number) }
        return try classes.contains(RetentionSteps.inboundClass) && row.optionalBytes("inbound") != nil
    }

    private func contains(_ number: Int64) -> Bool {
        UInt8(exactly: number).flatMap { MessageClass(rawValue: $0) }.map { classes.contains($0) } ?? false
    }

    private static func drop(_ entries: [Entry], _ slot: Int64, _ session: SQLSession) throws -> Int {
        let width = RetentionStatements.entriesAtOnce
        return try stride(from: 0, to: entries.count, by: width).reduce(0) { done, start in
            var values: [SQLValue] = [.integer(slot)]
            for place in start..<start + width {
                let entry = entries[min(place, entries.count - 1)]
                values.append(contentsOf: [.number(entry.kind), .integer(entry.hash), .bytes(entry.id)])
            }
            return try done + session.run(RetentionStatements.dropEntries, values)
        }
    }

    // MARK: Messages

    private func forgetMessages(_ slot: Int64, isInbound: Bool) async throws -> Int {
        let statement = isInbound ? RetentionStatements.inboundIDs : RetentionStatements.ids
        let end = MessageID.first(of: (slot + 1) * SearchSlot.milliseconds).bytes
        var last = MessageID.first(of: slot * SearchSlot.milliseconds).bytes
        var done = 0
        while true {
            let from: [SQLValue] = [.bytes(last), .bytes(end), .number(RetentionSteps.readInStep)]
            let rows = try await store.read { try $0.rows(statement, from, maximum: RetentionSteps.readInStep) }
            var going: [MessageID] = []
            for row in rows {
                last = try row.bytes("id")
                let isOurs = isInbound ? true : contains(try row.integer("class"))
                if isOurs, let id = MessageID(bytes: last) { going.append(id) }
            }
            for start in stride(from: 0, to: going.count, by: RetentionSteps.idsInStep) {
                let some = Array(going[start..<min(start + RetentionSteps.idsInStep, going.count)])
                let field = field
                let count = try await store.transaction { try RetentionSteps.forget(some, field, isInbound: isInbound, $0) }
                stepped(count)
                done += count
            }
            if rows.count < RetentionSteps.readInStep { return done }
        }
    }

    private static func forget(_ ids: [MessageID], _ field: Field, isInbound: Bool, _ session: SQLSession) throws -> Int {
        var done = 0
        for start in stride(from: 0, to: ids.count, by: RetentionStatements.idsAtOnce) {
            let some = Array(ids[start..<min(start + RetentionStatements.idsAtOnce, ids.count)])
            let (own, messages) = (padded(some.map(\.bytes)), padded(some.map { $0.with(ordinal: 1).bytes }))
            switch field {
            case .text where isInbound: done += try session.run(RetentionStatements.inboundText, own + [.bytes([])])
            case .text:
                for messages in try [messages] + further(some, session) {
                    done += try session.run(RetentionStatements.text, messages + [.bytes([])])
                }
            case .rows:
                done += some.count
                try session.run(RetentionStatements.undelivered, own)
                let others = isInbound ? [] : try further(some, session)
                for statement in RetentionStatements.rows {
                    for ids in [own, messages] + others { try session.run(statement, ids) }
                }
            case .addresses: break
            }
        }
        return done
    }

    /// Messages behind the first of their notifications, as many at once as a statement takes.
    private static func further(_ ids: [MessageID], _ session: SQLSession) throws -> [[SQLValue]] {
        let ranges = padded(ids.map { $0.with(ordinal: 1).bytes }) + padded(ids.map { $0.with(ordinal: .max).bytes })
        // Where there are fewer ids than places, the last is asked for again.
        let found = Set(try session.rows(RetentionStatements.further, ranges, maximum: 255 * idsInStep).map { try $0.bytes("id") })
        let sorted = found.sorted { $0.lexicographicallyPrecedes($1) }
        return stride(from: 0, to: sorted.count, by: RetentionStatements.idsAtOnce).map { start in
            padded(Array(sorted[start..<min(start + RetentionStatements.idsAtOnce, sorted.count)]))
        }
    }

    private static func padded(_ ids: [[UInt8]]) -> [SQLValue] {
        (0..<RetentionStatements.idsAtOnce).map { .bytes(ids[min($0, ids.count - 1)]) }
    }
}
