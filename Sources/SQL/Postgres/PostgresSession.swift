import CPostgres

/// Statements on one PostgreSQL connection.
final class PostgresSession: DriverSession {
    private let wire: PostgresWire

    init(_ wire: PostgresWire) {
        self.wire = wire
        for key in wire.stages.keys { wire.stages[key]?.isUsed = false }
    }

    func rows(_ statement: Statement, _ values: [SQLValue], maximum: Int, isKept: Bool) throws(SQLFault) -> [SQLRow] {
        let result = try execute(statement, values, isKept: isKept)
        defer { PQclear(result) }
        let count = Int(PQntuples(result))
        guard count <= maximum else { throw .tooManyRows(statement: statement.id.name, maximum: maximum) }
        let width = PQnfields(result)
        let shape = SQLRow.Shape(
            statement: statement.id.name,
            columns: (0..<width).map { PQfname(result, $0).map { String(cString: $0) } ?? "" })
        let types = (0..<width).map { PQftype(result, $0) }
        var rows: [SQLRow] = []
        rows.reserveCapacity(count)
        for row in 0..<Int32(count) {
            var values: [SQLValue] = []
            values.reserveCapacity(Int(width))
            for column in 0..<width {
                guard PQgetisnull(result, row, column) == 0 else {
                    values.append(.null)
                    continue
                }
                let bytes = UnsafeRawBufferPointer(
                    start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
                guard let value = PostgresType.read(bytes, types[Int(column)]) else {
                    throw .row(
                        statement: shape.statement, column: shape.columns[Int(column)],
                        problem: "is of PostgreSQL's type \(types[Int(column)]); cast it to BIGINT, TEXT or BYTEA")
                }
                values.append(value)
            }
            rows.append(SQLRow(shape: shape, values: values))
        }
        return rows
    }

    func run(_ statement: Statement, _ values: [SQLValue]) throws(SQLFault) -> Int {
        let result = try execute(statement, values, isKept: true)
        defer { PQclear(result) }
        return PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    func prepare(_ statement: Statement) throws(SQLFault) {
        try wire.prepare(statement, name: "")
    }

    func script(_ sql: String, name: String) throws(SQLFault) { try wire.simple(sql, name: name) }

    func bulk(_ batch: SQLBatch, _ merge: SQLMerge?) throws(SQLFault) {
        let name = "bulk \(batch.table)"
        guard let merge else { return try copy(batch, to: batch.table, name: name) }
        let columns = batch.columns.joined(separator: ", ")
        let key = "\(batch.table) (\(columns))"
        let stage = wire.stages[key] ?? (name: "stage_\(wire.stages.count)", isUsed: false)
        if stage.isUsed {
            try wire.simple("TRUNCATE \(stage.name)", name: name)
        } else {
            // Again in each transaction: one that was rolled back took it along.
            try wire.simple(
                "CREATE TEMPORARY TABLE IF NOT EXISTS \(stage.name) ON COMMIT DELETE ROWS AS SELECT \(columns) FROM \(batch.table) WITH NO DATA",
                name: name)
        }
        wire.stages[key] = (stage.name, true)
        try copy(batch, to: stage.name, name: name)
        // In the order of the key, so that pages of its index are met one after the other.
        try wire.simple(
            """
            INSERT INTO \(batch.table) (\(columns)) SELECT \(columns) FROM \(stage.name) \
            ORDER BY \(merge.key.joined(separator: ", ")) \(merge.clause(batch))
            """, name: name)
    }

    /// Prepared on the connection at its first use.
    private func execute(_ statement: Statement, _ values: [SQLValue], isKept: Bool) throws(SQLFault) -> OpaquePointer? {
        guard isKept else { return try wire.execute(statement, prepared: nil, values) }
        let name = statement.id.name
        if !wire.prepared.contains(name) {
            try wire.prepare(statement, name: name)
            wire.prepared.insert(name)
        }
        return try wire.execute(statement, prepared: name, values)
    }

    /// COPY in binary form: the server parses nothing.
    private func copy(_ batch: SQLBatch, to table: String, name: String) throws(SQLFault) {
        let columns = batch.columns.joined(separator: ", ")
        let types = try self.types(of: batch, name: name)
        try wire.simple("COPY \(table) (\(columns)) FROM STDIN (FORMAT binary)", name: name)
        var buffer = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
        buffer.reserveCapacity(PostgresSession.copyOctets + 4096)
        let width = batch.columns.count
        var index = 0
        for value in batch.values {
            let column = index % width
            if column == 0 { buffer.append(bigEndian: Int16(width)) }
            guard PostgresType.write(value, types[column], into: &buffer) else {
                try end(copy: name, because: "value")
                throw .parameters(statement: name, problem: "\(value.kind) does not fit column \(batch.columns[column])")
            }
            index += 1
            if buffer.count >= PostgresSession.copyOctets {
                try wire.put(buffer, name: name)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        buffer.append(bigEndian: Int16(-1))
        try wire.put(buffer, name: name)
        try wire.endCopy(nil, name: name)
    }

    /// Bytes handed to libpq at once: so few that the server works on the first rows of a batch while the next ones are written.
    private static let copyOctets = 1 << 14

    /// Ends a COPY without its rows; that the server then calls it failed is the point.
    private func end(copy name: String, because problem: String) throws(SQLFault) {
        do throws(SQLFault) {
            try wire.endCopy(problem, name: name)
        } catch {
            guard case .timedOut = error else {
                if error.endsConnection { throw error }
                return
            }
        }
    }

    private func types(of batch: SQLBatch, name: String) throws(SQLFault) -> [Oid] {
        let columns = batch.columns.joined(separator: ", ")
        let key = "\(batch.table) (\(columns))"
        if let known = wire.types[key] { return known }
        let statement = Statement(StatementID(name), "SELECT \(columns) FROM \(batch.table) WHERE 1 = 0")
        let result = try wire.execute(statement, prepared: nil, [])
        defer { PQclear(result) }
        let types = (0..<PQnfields(result)).map { PQftype(result, $0) }
        wire.types[key] = types
        return types
    }
}

/// The types of the common dialect in PostgreSQL's binary form (numbers big-endian, by the numbers of its catalogue).
enum PostgresType {
    /// Nil: a type of which the dialect knows nothing.
    static func read(_ bytes: UnsafeRawBufferPointer, _ type: Oid) -> SQLValue? {
        switch type {
        case 20 where bytes.count == 8: .integer(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case 23 where bytes.count == 4: .integer(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
        case 26 where bytes.count == 4: .integer(Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
        case 21 where bytes.count == 2: .integer(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
        case 16 where bytes.count == 1: .integer(Int64(bytes[0]))
        case 18, 19, 25, 1043: .text(String(decoding: bytes, as: UTF8.self))
        case 17: .bytes(Array(bytes))
        default: nil
        }
    }

    /// False: the value does not fit the type.
    static func write(_ value: SQLValue, _ type: Oid, into buffer: inout [UInt8]) -> Bool {
        switch (value, type) {
        case (.null, _): buffer.append(bigEndian: Int32(-1))
        case (.integer(let value), 20):
            buffer.append(bigEndian: Int32(8))
            buffer.append(bigEndian: value)
        case (.integer(let value), 23):
            guard let small = Int32(exactly: value) else { return false }
            buffer.append(bigEndian: Int32(4))
            buffer.append(bigEndian: small)
        case (.integer(let value), 21):
            guard let small = Int16(exactly: value) else { return false }
            buffer.append(bigEndian: Int32(2))
            buffer.append(bigEndian: small)
        case (.text(let value), 25), (.text(let value), 1043):
            buffer.append(bigEndian: Int32(clamping: value.utf8.count))
            buffer.append(contentsOf: value.utf8)
        case (.bytes(let value), 17):
            buffer.append(bigEndian: Int32(clamping: value.count))
            buffer.append(contentsOf: value)
        default: return false
        }
        return true
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}
