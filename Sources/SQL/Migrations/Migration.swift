/// One numbered file of the schema: `0001-history.sql`. It is written once for both engines and never changed after a release.
///
/// A line that ends in `-- @sqlite` or `-- @postgres` is for that engine alone. The types are SMALLINT, INTEGER, BIGINT, TEXT and
/// BYTEA; SQLite's strict tables get INTEGER and BLOB for what they call otherwise. One line says `-- @oldest N`: programs whose
/// newest file is N, and later ones, can work with the schema that this file leaves behind. So a schema grows first (expand), and loses
/// what nobody uses in a later file (contract), whose N is then higher.
public struct Migration: Sendable, Equatable {
    public let number: Int
    /// Name of the file.
    public let file: String
    public let text: String
    public let oldest: Int

    /// - Throws: `.name` when the file's name has no number, `.oldest` when its line is not there or beyond the number.
    public init(file: String, text: String) throws(MigrationFault) {
        let digits = file.prefix { ("0"..."9").contains($0) }
        guard digits.count == 4, let number = Int(digits), number > 0, file.dropFirst(4).hasPrefix("-"), file.hasSuffix(".sql") else {
            throw .name(file)
        }
        let marker = "-- @oldest "
        let lines = text.split(separator: "\n").filter { $0.hasPrefix(marker) }
        guard lines.count == 1, let oldest = Int(lines[0].dropFirst(marker.count)), (1...number).contains(oldest) else {
            throw .oldest(file)
        }
        self.number = number
        self.file = file
        self.text = text
        self.oldest = oldest
    }

    /// FNV-1a in 64 bits over the whole file: it finds a file that was edited, not one that was forged.
    public var checksum: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// As the engine is given it.
    public func sql(for engine: SQLStore.Engine) -> String { Migration.sql(text, for: engine) }

    static func sql(_ text: String, for engine: SQLStore.Engine) -> String {
        let other = engine == .sqlite ? "-- @postgres" : "-- @sqlite"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasSuffix(other) }
        let kept = lines.joined(separator: "\n")
        return engine == .sqlite ? SQLText.typesOfSQLite(kept) : kept
    }
}

/// Why a schema cannot be made, or cannot be worked with.
public enum MigrationFault: Error, Equatable, Sendable {
    case name(String)
    case oldest(String)
    /// Two files of one number, or a number left out.
    case order(String)
    /// The file is not the one that the database was made with.
    case changed(String)
    /// The database has a file applied that this program should know and does not.
    case unknown(number: Int, name: String)
    /// The database was migrated by a newer program, and this one is older than it allows.
    case tooNew(number: Int, name: String, oldest: Int)
    /// Files are not applied yet.
    case pending([String])
    case failed(file: String, SQLFault)
}

extension MigrationFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .name(let file): "\(file): the name is not NNNN-words.sql"
        case .oldest(let file): "\(file): one line must say `-- @oldest N`, with N from 1 to the file's own number"
        case .order(let file): "\(file): its number does not follow the one before"
        case .changed(let file): "\(file) is not the file that the database was made with; a released file never changes"
        case .unknown(let number, let name): "the database has file \(number) (\(name)) applied, which this program does not have"
        case .tooNew(let number, let name, let oldest):
            "the database was migrated by a newer program: after \(name) (\(number)) it takes programs from file \(oldest) on; update this one"
        case .pending(let files): "not applied yet: \(files.joined(separator: ", ")); run the migration"
        case .failed(let file, let fault): "\(file): \(fault)"
        }
    }
}
