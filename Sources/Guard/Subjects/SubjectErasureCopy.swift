import Glibc

/// The list of erasures in a second place, outside the data: what a restore of keys is held against when the first went with its disk. Holds numbers and
/// times only.
public struct SubjectErasureCopy: Sendable {
    private let list: String
    private let copy: String
    /// Bytes of both when they were last compared: while these stay there is nothing to do.
    private var compared: (list: Int, copy: Int)?

    /// - Parameters:
    ///   - directory: `DATA/keys/subjects`.
    ///   - copy: the file outside; made when it is not there.
    public init(of directory: String, to copy: String) {
        list = "\(directory)/\(SubjectErasures.name)"
        self.copy = copy
    }

    /// Adds what the copy lacks, synced.
    /// - Returns: how many entries.
    /// - Throws: `.copyDiffers` when the copy has numbers that the list lacks: then the list here was lost, or put back to an older state.
    public mutating func update() throws(SubjectKeyFault) -> Int {
        let descriptor = open(copy, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failed("open") }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let listSize = SubjectErasureCopy.size(list)
        if let compared, compared == (listSize, size) { return 0 }
        var (inCopy, inList) = (NumberSet(), NumberSet())
        var held: [UInt32] = []
        // A last entry that was cut short is written over.
        let extent = try SubjectErasures.read(copy) { _, erasure in
            guard let number = erasure?.number, !inCopy.contains(number) else { return }
            inCopy.insert(number)
            held.append(number)
        }
        var lacking: [UInt8] = []
        try SubjectErasures.read(list) { _, erasure in
            guard let erasure, !inList.contains(erasure.number) else { return }
            inList.insert(erasure.number)
            if !inCopy.contains(erasure.number) { lacking += SubjectErasures.entry(erasure) }
        }
        guard held.allSatisfy({ inList.contains($0) }) else { throw .copyDiffers(list: list, copy: copy) }
        if !lacking.isEmpty {
            try SubjectFiles.write(descriptor, copy, extent.entries * SubjectErasures.entryBytes, lacking)
            guard fsync(descriptor) == 0 else { throw failed("fsync") }
            if extent.entries == 0 { try SubjectFiles.sync(directory: Paths.parent(copy)) }
        }
        compared = (listSize, SubjectErasureCopy.size(copy))
        return lacking.count / SubjectErasures.entryBytes
    }

    private func failed(_ step: String) -> SubjectKeyFault {
        .cannotWrite(path: copy, reason: "\(step): \(String(cString: strerror(errno)))")
    }

    /// 0: it is not there.
    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// What a list holds, wherever it lies.
    public struct Content: Sendable, Equatable {
        public var numbers: [UInt32] = []
        /// Whole entries that are not what was written.
        public var damaged = 0
        /// Its last entry is the beginning of one that a power cut ended: that erasure was never acknowledged.
        public var isCutShort = false
    }

    /// - Throws: `.unreadable`, also when it is not there: a list that is missed is not an empty one.
    public static func content(of path: String) throws(SubjectKeyFault) -> Content {
        guard access(path, R_OK) == 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        var content = Content()
        let extent = try SubjectErasures.read(path) { _, erasure in
            if let erasure { content.numbers.append(erasure.number) } else { content.damaged += 1 }
        }
        content.isCutShort = extent.isCutShort
        return content
    }
}
