import Glibc

/// Keys by class and day, copied out. A copy has the form of a store, its `check` written last: one without it is unfinished.
extension KeyStore {
    public struct BackupReport: Sendable, Equatable {
        public var keys = 0
        /// Files that held no key, and so are not in the copy.
        public var damage: [KeyStoreFault] = []
    }

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
}
