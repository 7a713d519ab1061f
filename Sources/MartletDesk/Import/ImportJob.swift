import MartletModel
import MartletStore
import SQL

/// A file that the desk imports.
public struct ImportJob: Equatable, Sendable {
    /// Raw values are in rows: never change one.
    public enum State: Int64, CaseIterable, Sendable {
        case waiting = 1
        case running = 2
        case done = 3
        /// It ended before its file did, and can be gone on with.
        case stopped = 4
        case cancelled = 5

        public var word: String { "\(self)" }
        public var isOpen: Bool { self == .waiting || self == .running }
    }

    /// 32 hexadecimal digits, rising with time (UUIDv7); the name of its file as well.
    public var id: String
    public var version: Int64
    public var state: State
    public var options: ImportOptions
    /// Id of the row that says how far it is.
    var place: String
    /// Bytes of the file.
    public var size: Int
    /// Who handed it in, and why.
    public var source: String
    var reason: String?
    /// Why it stopped.
    public var fault: String?
    /// Wall milliseconds.
    public var createdAt: Int64
    public var changedAt: Int64

    /// For what is done in its name.
    var caller: Caller { Caller(name: source, rights: [.importCustomers], reason: reason) }
}

/// A job and how far it is.
public struct ImportView: Equatable, Sendable {
    public var job: ImportJob
    public var progress: ImportProgress
}

/// One whose row is not as Martlet wrote it, or of a kind that this version does not know. It is set aside: nobody works at it, and nothing of it is
/// shown.
public struct DamagedImport: Equatable, Sendable {
    public var id: String
    /// What is wrong and what to do; nothing personal.
    public var reason: String
}

/// One of a list.
public enum ImportEntry: Equatable, Sendable {
    case sound(ImportView)
    case damaged(DamagedImport)

    public var id: String {
        switch self {
        case .sound(let view): view.job.id
        case .damaged(let one): one.id
        }
    }
}

extension ImportJob {
    /// As a row holds the options.
    private struct Stored: Codable {
        var format: String
        var separator: UInt8
        var map: String
        var maxErrors: Int
    }

    init(_ row: SQLRow, _ seal: RowSeal) throws {
        id = try row.text("id")
        try seal.check(row, id)
        let kind = ImportKind(rawValue: try row.text("kind"))
        let stored = try StrictJSON.decode(Stored.self, from: Array(try row.text("options").utf8))
        guard let kind, let state = State(rawValue: try row.integer("state")), let format = ImportOptions.Format(rawValue: stored.format)
        else {
            throw DeskFault.broken("import \(id) is of a kind that this version does not know; install the newer one")
        }
        version = try row.integer("version")
        self.state = state
        options = ImportOptions()
        (options.kind, options.format, options.separator, options.map) = (kind, format, stored.separator, stored.map)
        options.errorsMaximum = stored.maxErrors
        place = try row.text("place")
        size = try row.integer("size", as: Int.self)
        source = try row.text("source")
        reason = try row.optionalText("reason")
        fault = try row.optionalText("fault")
        createdAt = try row.integer("created_at")
        changedAt = try row.integer("changed_at")
    }

    /// In the order of `ImportStatements.jobColumns`.
    var values: [SQLValue] {
        [
            .text(id), .integer(version), .text(options.kind.rawValue), .integer(state.rawValue), .text(place), stored, .number(size),
            .text(source), .text(reason), .text(fault), .integer(createdAt), .integer(changedAt),
        ]
    }

    var stored: SQLValue {
        let stored = Stored(
            format: options.format.rawValue, separator: options.separator, map: options.map, maxErrors: options.errorsMaximum)
        return .text(String(decoding: APIJSON.bytes(stored), as: UTF8.self))
    }
}
