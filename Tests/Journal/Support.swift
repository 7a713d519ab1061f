import Glibc
import Testing
import Threads

@testable import Journal

/// Records by position, as replayed or as appended.
typealias Records = [Position: [UInt8]]

/// An open journal with what was appended to it.
final class Rig {
    let journal: Journal
    let appender: Appender
    let recovery: Report
    /// Replayed at opening.
    var replayed: Records = [:]
    var order: [Position] = []
    /// Appended by the last `put`.
    var last: Records = [:]

    static let small: Options = {
        var options = Options()
        options.segmentSize = 16 << 10
        options.batchSize = 2048
        options.recordSize = 1536
        options.batchesInMemory = 8
        return options
    }()

    init(_ disk: Disk, _ directory: String = "/j", _ options: Options = Rig.small) throws {
        var replayed: Records = [:]
        var order: [Position] = []
        (journal, appender, recovery) = try Journal.open(directory, options, disk: disk) { position, record in
            replayed[position] = [UInt8](record)
            order.append(position)
        }
        self.replayed = replayed
        self.order = order
    }

    /// Appends and, unless told not to, writes; waits for the result.
    @discardableResult
    func put(_ records: [[UInt8]], into model: inout Records) throws -> [WriteResult] {
        var appended: Records = [:]
        defer { last = appended }
        for record in records {
            let position = try record.withUnsafeBytes { (bytes) throws in try appender.append(bytes) }
            appended[position] = record
        }
        let results = flush()
        if results.allSatisfy({ $0 == .durable }) { model.merge(appended) { _, new in new } }
        return results
    }

    /// Cuts and writes all that is pending; waits.
    func flush() -> [WriteResult] {
        let results = Monitor<[WriteResult]>([])
        var count = 0
        while let batch = appender.cut() {
            count += 1
            journal.write(batch) { _, result in results.change { $0.append(result) } }
        }
        let wanted = count
        return results.wait(timeout: 30_000_000_000, until: { $0.count >= wanted }) { $0 }
    }
}

func record(_ number: Int, _ size: Int) -> [UInt8] {
    var random = Seeded(UInt64(number) &* 7919)
    return (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

/// Waits, at most a minute, until `condition` holds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<60_000 {
        if condition() { return true }
        usleep(1000)
    }
    return condition()
}

/// A directory on the real disk, removed with its files at the end.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/journal-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp/journal-none" }
            return String(cString: made)
        }
    }

    deinit {
        for folder in ["\(path)/quarantine", path] {
            var names: [String] = []
            _ = Disk.system.list(folder, &names)
            for name in names { unlink("\(folder)/\(name)") }
            rmdir(folder)
        }
    }
}

/// What reading gives, without threads or changes.
func recover(_ disk: Disk, _ directory: String = "/j") throws -> (Report, Records) {
    var records: Records = [:]
    let names = Names(directory: directory)
    let report = try Recovery(disk: disk, names: names, beside: false).read(Names.survey(try disk.listed(directory))) {
        records[$0] = [UInt8]($1)
    }
    return (report, records)
}
