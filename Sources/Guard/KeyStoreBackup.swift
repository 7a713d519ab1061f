import Crypto
import Glibc

/// Keys by class and day, copied out and brought back. A copy has the form of a store, its `check` written last: one without it is unfinished.
extension KeyStore {
    public struct BackupReport: Sendable, Equatable {
        public var keys = 0
        /// Files that held no key, and so are not in the copy.
        public var damage: [KeyStoreFault] = []
    }

    /// Numbers that a restore leaves out. What was made between the backup and the loss is lost, but rows elsewhere may name it: its numbers are
    /// never given to another key. 2^31 numbers last for 32,768 restores.
    static let numbersLeftOut: UInt32 = 65_536

    /// Copies a store into a new directory, beside a running node or without one.
    /// - Throws: `.exists` when `path` is there already.
    public static func backUp(_ directory: String, master: MasterKey, to path: String) throws(KeyStoreFault) -> BackupReport {
        // Proves the master key, and that the store is whole.
        _ = try KeyStore(directory: directory, master: master, access: .reader, cachedKeys: 1)
        guard mkdir(path, 0o700) == 0 else {
            throw errno == EEXIST ? .exists(path: path) : .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        var report = BackupReport()
        for id in try listed(directory).compactMap(KeyName.id(fileName:)) {
            do throws(KeyStoreFault) {
                guard try readKey(directory, id, master) != nil else { continue }
                guard try copy(KeyName.fileName(id), from: directory, to: path) else { continue }
                report.keys += 1
            } catch {
                guard case .damaged = error else { throw error }
                report.damage.append(error)
            }
        }
        // `next` behind the keys: it is above all of them.
        for name in ["seed", "next", "check"] where try !copy(name, from: directory, to: path) {
            throw .incomplete(directory: directory, file: name)
        }
        try sync(path)
        try sync(Paths.parent(path))
        return report
    }

    /// Brings back what is missing or damaged in `directory`, which need not exist; a good key there stays. Repeated after a crash it goes on.
    /// Nobody may have the store open.
    /// - Returns: how many keys came back.
    /// - Throws: `.otherInstallation` when the keys there are of another one than the backup.
    public static func restore(_ directory: String, master: MasterKey, from backup: String) throws(KeyStoreFault) -> Int {
        _ = try KeyStore(directory: backup, master: master, access: .reader, cachedKeys: 1)
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .cannotWrite(path: directory, reason: String(cString: strerror(errno)))
        }
        try sync(Paths.parent(directory))
        guard try !listed(directory).contains(rewrapName) else { throw .rewrapping(directory: directory) }
        // Where there is a check, it must be of this master key.
        let isChecked = try readCheck(directory, master) != nil
        if let own = try seed(directory, master), let theirs = try seed(backup, master), own != theirs {
            throw .otherInstallation(directory: directory, backup: backup)
        }
        var restored = 0
        var highest: UInt32 = 0
        for id in try listed(backup).compactMap(KeyName.id(fileName:)) {
            highest = max(highest, id)
            guard (try? readKey(backup, id, master)) != nil else { continue }
            if let found = try? readKey(directory, id, master), found.key.id == id { continue }
            guard let bytes = try bytes("\(backup)/\(KeyName.fileName(id))") else { continue }
            try replace("\(directory)/\(KeyName.fileName(id))", bytes)
            restored += 1
        }
        for id in try listed(directory).compactMap(KeyName.id(fileName:)) { highest = max(highest, id) }
        if try seed(directory, master) == nil, let bytes = try bytes("\(backup)/seed") { try replace("\(directory)/seed", bytes) }
        let own = (try? readNext(directory, master)) ?? nil
        let theirs = try readNext(backup, master) ?? 1
        // A store that was whole gave out no number that it does not know.
        if own == nil || restored > 0 {
            let known = max(own ?? 1, theirs, highest + 1)
            guard known <= maximumID - numbersLeftOut else { throw .exhausted(directory: directory) }
            try writeNext(directory, known + numbersLeftOut, master)
        }
        try sync(directory)
        if !isChecked {
            guard let bytes = try bytes("\(backup)/check") else { throw .incomplete(directory: backup, file: "check") }
            try replaceDurably("\(directory)/check", bytes)
        }
        return restored
    }

    /// False: it is not there.
    private static func copy(_ name: String, from directory: String, to path: String) throws(KeyStoreFault) -> Bool {
        guard let bytes = try bytes("\(directory)/\(name)") else { return false }
        do throws(DiskFault) {
            try PrivateFile.write("\(path)/\(name)", bytes)
        } catch {
            throw .cannotWrite(path: error.path, reason: error.reason)
        }
        return true
    }

    private static func seed(_ directory: String, _ master: MasterKey) throws(KeyStoreFault) -> SymmetricKey? {
        try read("\(directory)/seed", master) { $0.line == seedWords }?.secret
    }
}
