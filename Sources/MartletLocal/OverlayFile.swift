import Glibc
import Journal
import MartletModel

/// The file behind the overlay: appended to by one writer at a time, each append synced before anybody sees it.
struct OverlayFile: ~Copyable {
    private let directory: LocalDirectory
    private let hashCheck: UInt64
    private var file: LocalFile
    private var epoch: UInt64
    private(set) var next: UInt64
    private(set) var end: Int
    /// An append failed: what is behind `end` is not known, so the next append begins a new file.
    private(set) var isDoubtful = false

    /// Opens the file there is; makes a new one when there is none.
    /// - Parameters:
    ///   - folded: changes that the base file holds; the next has a higher number.
    ///   - found: what was read; left as it is when there was no file.
    static func open(
        _ directory: LocalDirectory, hashCheck: UInt64, folded: UInt64, found: inout OverlayFormat.Reading?,
        each: (_ sequence: UInt64, CustomerChange) -> Void
    ) throws(LocalFault) -> OverlayFile {
        let old: [UInt8]
        do throws(LocalFault) {
            old = try contents(directory)
        } catch {
            guard case .disk(_, "open", ENOENT) = error else { throw error }
            return try fresh(directory, hashCheck, first: folded + 1, frames: [])
        }
        let reading = try parse(old, directory, hashCheck, each)
        found = reading
        let next = max(reading.next, folded + 1)
        if !reading.damaged.isEmpty || reading.unreadable > 0 {
            // What does not check is kept for whoever wants to look into it.
            _ = directory.disk.link(directory.overlay, "\(directory.overlay).damaged-\(next)")
        }
        // One that cannot be read would be in the way of every rewriting to come.
        guard reading.torn == 0, reading.damaged.isEmpty, reading.unreadable == 0 else {
            var kept: [(UInt64, CustomerChange)] = []
            _ = try parse(old, directory, hashCheck) { kept.append(($0, $1)) }
            return try fresh(directory, hashCheck, first: next, frames: kept)
        }
        let file = try LocalFile(directory.disk, directory.overlay, O_RDWR)
        return OverlayFile(directory, hashCheck, file, reading.epoch, next, reading.end)
    }

    private init(_ directory: LocalDirectory, _ hashCheck: UInt64, _ file: consuming LocalFile, _ epoch: UInt64, _ next: UInt64, _ end: Int)
    {
        self.directory = directory
        self.hashCheck = hashCheck
        self.file = file
        self.epoch = epoch
        self.next = next
        self.end = end
    }

    /// Appends and syncs. On a fault none of the changes counts; after a restart some may, as any that nobody was told of.
    mutating func append(_ changes: [CustomerChange], limit: Int) throws(LocalFault) {
        if isDoubtful { try rewrite(keeping: 0) }
        var bytes: [UInt8] = []
        for (index, change) in changes.enumerated() {
            do throws(CustomerFault) {
                try OverlayFormat.frame(change, sequence: next + UInt64(index), epoch: epoch, offset: end, to: &bytes)
            } catch {
                throw .record(subject: change.subject ?? 0, error)
            }
        }
        guard end + bytes.count <= limit else { throw .full(limit: "\(limit) bytes") }
        let result: Result<Void, LocalFault> = bytes.withUnsafeBytes { buffer in
            do throws(LocalFault) {
                try file.write(buffer, at: end)
                try file.dataSynced()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        do throws(LocalFault) {
            try result.get()
        } catch {
            isDoubtful = true
            throw error
        }
        end += bytes.count
        next += UInt64(changes.count)
    }

    /// Changes in the file, in order. What stands behind `end` is none.
    /// - Throws: `.damaged` when one of them cannot be read any more: what is written anew from the file would lack it.
    func changes(_ each: (_ sequence: UInt64, CustomerChange) -> Void) throws(LocalFault) {
        let bytes = try OverlayFile.contents(directory)
        let reading = try OverlayFile.parse(Array(bytes.prefix(end)), directory, hashCheck, each)
        guard reading.damaged.isEmpty, reading.end == end, reading.unreadable == 0 else {
            throw .damaged(path: directory.overlay, place: "changes that were there before; a restart goes on with the others")
        }
    }

    /// Writes a new file with the changes after `folded`, beside, and gives it the name of the old one.
    mutating func rewrite(keeping folded: UInt64) throws(LocalFault) {
        var kept: [(UInt64, CustomerChange)] = []
        try changes { sequence, change in
            if sequence > folded { kept.append((sequence, change)) }
        }
        let first = next
        self = try OverlayFile.fresh(directory, hashCheck, first: first, frames: kept)
    }

    private static func fresh(
        _ directory: LocalDirectory, _ hashCheck: UInt64, first: UInt64, frames: [(UInt64, CustomerChange)]
    ) throws(LocalFault) -> OverlayFile {
        let temporary = "\(directory.overlay).new"
        let file = try LocalFile(directory.disk, temporary, O_RDWR | O_CREAT | O_TRUNC)
        let epoch = directory.disk.random()
        var bytes = OverlayFormat.header(epoch: epoch, first: frames.first?.0 ?? first, hashCheck: hashCheck)
        for (sequence, change) in frames {
            do throws(CustomerFault) {
                // `bytes` begins where the file does, so a frame's offset in it is that in the file.
                try OverlayFormat.frame(change, sequence: sequence, epoch: epoch, offset: 0, to: &bytes)
            } catch {
                throw .record(subject: change.subject ?? 0, error)
            }
        }
        let result: Result<Void, LocalFault> = bytes.withUnsafeBytes { buffer in
            do throws(LocalFault) {
                try file.write(buffer, at: 0)
                try file.synced()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        try directory.rename(temporary, directory.overlay)
        return OverlayFile(directory, hashCheck, file, epoch, first, bytes.count)
    }

    private static func contents(_ directory: LocalDirectory) throws(LocalFault) -> [UInt8] {
        let file = try LocalFile(directory.disk, directory.overlay, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: try file.size())
        let result: Result<Void, LocalFault> = bytes.withUnsafeMutableBytes { buffer in
            do throws(LocalFault) {
                try file.read(buffer, at: 0)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return bytes
    }

    private static func parse(
        _ bytes: [UInt8], _ directory: LocalDirectory, _ hashCheck: UInt64, _ each: (UInt64, CustomerChange) -> Void
    ) throws(LocalFault) -> OverlayFormat.Reading {
        let result: Result<OverlayFormat.Reading, LocalFault> = bytes.withUnsafeBytes { buffer in
            do throws(LocalFault) {
                return .success(try OverlayFormat.read(buffer, hashCheck: hashCheck, path: directory.overlay, each: each))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension CustomerChange {
    /// Nil when it is about an address.
    var subject: SubjectNumber? {
        switch self {
        case .written(let image): image.subject
        case .erased(let subject), .consent(let subject, _), .preferences(let subject, _), .device(let subject, _),
            .package(let subject, _):
            subject
        case .address: nil
        }
    }

    /// Takes something from the bank: must find room when other changes are put off.
    var forbids: Bool {
        switch self {
        case .erased: true
        case .consent(_, let consent): consent.state == .withdrawn
        case .address(_, let fact): fact.what.forbids
        case .package(_, let word): !word.isWanted
        case .written, .preferences, .device: false
        }
    }
}
