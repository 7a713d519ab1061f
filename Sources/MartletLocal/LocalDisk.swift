import Glibc
import Journal

/// An open file of the local copy. Calls that were interrupted are repeated; a failure names file and step.
struct LocalFile: ~Copyable {
    let disk: Disk
    let path: String
    let number: Int32

    init(_ disk: Disk, _ path: String, _ flags: Int32) throws(LocalFault) {
        self.disk = disk
        self.path = path
        var opened = disk.open(path, flags)
        while opened == -EINTR { opened = disk.open(path, flags) }
        guard opened >= 0 else { throw .disk(path: path, step: "open", code: -opened) }
        number = opened
    }

    deinit { _ = disk.close(number) }

    func size() throws(LocalFault) -> Int {
        var status = FileStatus()
        try check(disk.status(number, &status), "status")
        return status.size
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LocalFault) {
        var done = 0
        while done < bytes.count {
            let put = disk.pwrite(number, UnsafeRawBufferPointer(rebasing: bytes[done...]), offset + done)
            if put > 0 { done += put } else if put != -Int(EINTR) { try check(put == 0 ? -ENOSPC : Int32(put), "write") }
        }
    }

    /// Reads all of `into`; a file that ends before is damaged.
    func read(_ into: UnsafeMutableRawBufferPointer, at offset: Int) throws(LocalFault) {
        var done = 0
        while done < into.count {
            let got = disk.pread(number, UnsafeMutableRawBufferPointer(rebasing: into[done...]), offset + done)
            if got == 0 { throw .damaged(path: path, place: "it ends at byte \(offset + done)") }
            if got > 0 { done += got } else if got != -Int(EINTR) { try check(Int32(got), "read") }
        }
    }

    func synced() throws(LocalFault) { try check(disk.fsync(number), "sync") }
    func dataSynced() throws(LocalFault) { try check(disk.fdatasync(number), "sync") }

    private func check(_ result: Int32, _ step: String) throws(LocalFault) {
        if result < 0 { throw .disk(path: path, step: step, code: -result) }
    }
}

/// The directory of the local copy and the names in it.
struct LocalDirectory: Sendable {
    let disk: Disk
    let path: String

    init(_ path: String, _ disk: Disk) {
        self.path = path
        self.disk = disk
    }

    var overlay: String { "\(path)/customers.overlay" }

    func base(_ version: UInt64) -> String {
        let digits = String(version)
        return "\(path)/customers-\(String(repeating: "0", count: max(0, 10 - digits.count)))\(digits).base"
    }

    /// Versions of the base files there, newest first.
    func versions() throws(LocalFault) -> [UInt64] {
        var names: [String] = []
        let result = disk.list(path, &names)
        guard result >= 0 else { throw .disk(path: path, step: "list", code: -result) }
        let found = names.compactMap { (name: String) -> UInt64? in
            guard name.hasPrefix("customers-"), name.hasSuffix(".base") else { return nil }
            return UInt64(name.dropFirst(10).dropLast(5))
        }
        return found.sorted(by: >)
    }

    func rename(_ from: String, _ to: String) throws(LocalFault) {
        var result = disk.rename(from, to)
        guard result >= 0 else { throw .disk(path: to, step: "rename", code: -result) }
        result = disk.syncDirectory(path)
        guard result >= 0 else { throw .disk(path: path, step: "sync", code: -result) }
    }
}

extension UnsafeRawPointer {
    @inline(__always)
    func word<Value: FixedWidthInteger>(_ offset: Int, as: Value.Type = Value.self) -> Value {
        Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}

extension UnsafeMutableRawPointer {
    @inline(__always)
    func put<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}
