import GRDB
import Glibc

/// Whole copies of a SQLite file. Blocking, for programs that do nothing else.
public enum SQLiteCopy {
    /// Writes what was committed at one moment into a new file, beside whoever reads and writes the old one, checks the copy and syncs it. Pages that
    /// are free are left out, so nothing that was deleted is in it.
    /// - Throws: `.connect` when one of the files cannot be opened, or `copy` is there already; `.corrupt` when the copy is not sound.
    public static func make(of file: String, to copy: String) throws(SQLFault) {
        guard access(file, R_OK) == 0 else { throw .connect(problem: "\(file) cannot be read (\(String(cString: strerror(errno))))") }
        // SQLite takes an empty file; made here, it is its owner's alone.
        let made = open(copy, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard made >= 0 else { throw .connect(problem: "\(copy) cannot be made (\(String(cString: strerror(errno))))") }
        close(made)
        try run(file, "copy") { db in
            try db.execute(sql: "PRAGMA cell_size_check = ON")
            try db.execute(sql: "VACUUM INTO ?", arguments: [copy])
        }
        try sync(copy)
        let found = try findings(of: copy)
        guard found.isEmpty else { throw .corrupt(statement: "copy") }
    }

    /// What SQLite finds wrong with a file that nobody has open; none: it is sound.
    public static func findings(of file: String) throws(SQLFault) -> [String] {
        guard access(file, R_OK) == 0 else { throw .connect(problem: "\(file) cannot be read (\(String(cString: strerror(errno))))") }
        var lines: [String] = []
        try run(file, "check") { db in
            lines = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        }
        return lines
    }

    private static func run(_ file: String, _ name: String, _ body: (Database) throws -> Void) throws(SQLFault) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        do {
            let queue = try DatabaseQueue(path: file, configuration: configuration)
            // Outside of a transaction: VACUUM wants none.
            try queue.inDatabase(body)
            try queue.close()
        } catch {
            throw SQLiteSession.fault(error, name, nil)
        }
    }

    private static func sync(_ file: String) throws(SQLFault) {
        let parent = file.lastIndex(of: "/").map { $0 == file.startIndex ? "/" : String(file[..<$0]) } ?? "."
        for path in [file, parent] {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0, fsync(descriptor) == 0 else {
                throw .disk(statement: "copy", problem: "\(path): \(String(cString: strerror(errno)))")
            }
            close(descriptor)
        }
    }
}
