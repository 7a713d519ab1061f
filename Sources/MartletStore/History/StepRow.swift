public import Guard
import MartletModel
public import SQL

/// A row of `step`: what happened to a message in between, as a record of the log without what is sealed. Behind the record's bytes, in the same column,
/// stands the tag that shows whether Martlet wrote them so. A row that an earlier version wrote has none.
public struct StepRow: Equatable, Sendable {
    public static let columns = ["id", "sequence", "record"]
    private static let tagOctets = 16

    /// Header and clear part: docs/reference/record-format.md.
    public var record: [UInt8]
    /// False: it may be as Martlet wrote it, and nothing shows that it is.
    public var isTagged: Bool

    public static func tags(_ key: Secret) -> RowMAC { RowMAC(key: key, table: "step", columns: columns) }

    /// The batch with a tag behind each record.
    /// - Parameter rows: of `columns`.
    public static func tagged(_ rows: SQLBatch, _ tags: RowMAC) -> SQLBatch {
        var tagged = SQLBatch(table: rows.table, columns: rows.columns)
        tagged.reserve(rows.count)
        for start in stride(from: 0, to: rows.values.count, by: columns.count) {
            guard case .bytes(let id) = rows.values[start], case .integer(let sequence) = rows.values[start + 1],
                case .bytes(let record) = rows.values[start + 2]
            else { preconditionFailure("a row of step has an id, a sequence and a record") }
            tagged.append(.bytes(id), .integer(sequence), .bytes(record + tag(id, sequence, record[...], tags).bytes))
        }
        return tagged
    }

    /// What a row of the database holds. Nil: it is not as Martlet wrote it; nothing of it is to be believed.
    /// - Parameter untagged: which rows may lack a tag.
    public init?(_ row: SQLRow, _ tags: RowMAC, _ untagged: LastUntagged) throws(SQLFault) {
        let (id, sequence, bytes) = (try row.bytes("id"), try row.integer("sequence"), try row.bytes("record"))
        let body = bytes.dropLast(StepRow.tagOctets)
        if StepRow.tag(id, sequence, body, tags).matches(Array(bytes[body.endIndex...])) {
            (record, isTagged) = (Array(body), true)
        } else if untagged.covers(.bytes(id)), StepRow.isWhole(bytes) {
            (record, isTagged) = (bytes, false)
        } else {
            return nil
        }
    }

    /// Whether the bytes are a record and nothing behind it, by the header and by the body: one flipped bit never makes a tag look like the end of a
    /// record.
    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let record = try? bytes.withUnsafeBytes({ bytes throws(RecordFault) in try Record(reading: bytes) }) else { return false }
        return record.clearByteCount == bytes.count && RecordHeader.byteCount + Int(record.header.clearCount) == bytes.count
    }

    private static func tag(_ id: [UInt8], _ sequence: Int64, _ record: ArraySlice<UInt8>, _ tags: RowMAC) -> RowMAC.Tag {
        tags.tag([.bytes(id), .integer(sequence), .bytes(Array(record))])
    }
}
