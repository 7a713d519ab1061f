public import Guard
public import MartletModel
public import SQL

/// Where a notification or a message stands: a row of `state`, with the tag that shows whether Martlet wrote it so.
public struct StateRow: Equatable, Sendable {
    public var id: MessageID
    public var sequence: Int64
    /// Raw value of `MessageState`.
    public var state: UInt8
    /// Raw value of `EndReason`.
    public var reason: UInt8
    /// `RecordFlags` of the newest record.
    public var flags: UInt16
    /// Number of the connection group.
    public var route: UInt8
    public var attempts: Int16
    /// Wall milliseconds, as the others.
    public var changedAt: Int64
    public var endedAt: Int64?
    /// Raw value of `ToldOutcome`.
    public var told: UInt8?
    public var toldAt: Int64?

    public init(
        id: MessageID, sequence: Int64, state: UInt8, reason: UInt8, flags: UInt16, route: UInt8, attempts: Int16, changedAt: Int64,
        endedAt: Int64? = nil, told: UInt8? = nil, toldAt: Int64? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.state = state
        self.reason = reason
        self.flags = flags
        self.route = route
        self.attempts = attempts
        self.changedAt = changedAt
        self.endedAt = endedAt
        self.told = told
        self.toldAt = toldAt
    }

    /// All columns but the tag, in the order in which the tag is made.
    public static let columns = [
        "id", "sequence", "state", "reason", "flags", "route", "attempts", "changed_at", "ended_at", "told", "told_at",
    ]

    public static func tags(_ key: Secret) -> RowMAC { RowMAC(key: key, table: "state", columns: columns) }

    public var tagged: [RowValue] {
        func number(_ value: (some BinaryInteger)?) -> RowValue { value.map { .integer(Int64($0)) } ?? .null }
        return [
            .bytes(id.bytes), .integer(sequence), number(state), number(reason), number(flags), number(route), number(attempts),
            .integer(changedAt), number(endedAt), number(told), number(toldAt),
        ]
    }

    /// Its values, the tag last, as a batch takes them.
    public func values(_ tags: RowMAC) -> [SQLValue] {
        [
            .bytes(id.bytes), .integer(sequence), .number(state), .number(reason), .number(flags), .number(route), .number(attempts),
            .integer(changedAt), .number(endedAt), .number(told), .number(toldAt), .bytes(tags.tag(tagged).bytes),
        ]
    }

    /// What a row of the database holds. Nil: it is not as Martlet wrote it; nothing of it is to be believed.
    public init?(_ row: SQLRow, _ tags: RowMAC) throws(SQLFault) {
        // Read as wide as columns are: a flipped bit may leave the range of its type.
        let values = try StateRow.columns.dropFirst().map { (name) throws(SQLFault) in try row.optionalInteger(name) }
        let bytes = try row.bytes("id")
        let all = [RowValue.bytes(bytes)] + values.map { $0.map { .integer($0) } ?? .null }
        guard tags.tag(all).matches(try row.bytes("mac")), let id = MessageID(bytes: bytes), let sequence = values[0],
            let state = values[1].flatMap({ UInt8(exactly: $0) }), let reason = values[2].flatMap({ UInt8(exactly: $0) }),
            let flags = values[3].flatMap({ UInt16(exactly: $0) }), let route = values[4].flatMap({ UInt8(exactly: $0) }),
            let attempts = values[5].flatMap({ Int16(exactly: $0) }), let changedAt = values[6]
        else { return nil }
        self.init(
            id: id, sequence: sequence, state: state, reason: reason, flags: flags, route: route, attempts: attempts, changedAt: changedAt,
            endedAt: values[7], told: values[8].flatMap { UInt8(exactly: $0) }, toldAt: values[9])
    }
}

extension MessageID {
    /// As columns hold it: 16 bytes, big-endian.
    public var bytes: [UInt8] { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) } }

    /// Nil: not 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        func word(_ place: Int) -> UInt64 { bytes[place..<place + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0), low: word(8))
    }

    /// The lowest id of a moment in wall milliseconds; none has it.
    public static func first(of milliseconds: Int64) -> MessageID {
        MessageID(high: UInt64(truncatingIfNeeded: max(0, milliseconds)) << 16, low: 0)
    }
}
