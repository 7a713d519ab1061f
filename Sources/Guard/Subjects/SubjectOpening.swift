import Glibc

/// Opening by the owner: proves the master key, ends what was cut short, mends what can be mended, names what cannot.
struct SubjectOpening {
    let directory: String
    let masters: SubjectMasters
    let lock: FileLock
    var damage: [SubjectKeyFinding] = []
    var chunks: [SubjectChunk?] = []
    var writer: SubjectKeys.Writer

    init(_ directory: String, _ masters: SubjectMasters, create: Bool) throws(SubjectKeyFault) {
        self.directory = directory
        self.masters = masters
        var status = stat()
        if stat(directory, &status) != 0 {
            guard errno == ENOENT else { throw .unreadable(path: directory, reason: String(cString: strerror(errno))) }
            guard create else { throw .missing(directory: directory) }
            guard mkdir(directory, 0o700) == 0 else { throw .cannotWrite(path: directory, reason: String(cString: strerror(errno))) }
            try SubjectFiles.sync(directory: Paths.parent(directory))
        }
        guard let lock = try FileLock("\(directory)/lock") else { throw .inUse(directory: directory) }
        self.lock = lock
        if let found = try SubjectHead.read(directory, masters) {
            writer = SubjectKeys.Writer(next: 0, head: found.head, erasures: 0)
            return
        }
        // The head is written first, so a store without it that holds slots has lost it. A list of erasures alone is what is left, or was
        // brought, of a store to be restored.
        let names = try SubjectFiles.names(in: directory)
        guard !names.contains(where: { SubjectChunk.index(fileName: $0) != nil }) else {
            throw .incomplete(directory: directory, file: SubjectHead.name)
        }
        guard create else { throw .missing(directory: directory) }
        let head = SubjectHead(chunks: 0, floor: 1)
        try head.write(directory, masters.current)
        writer = SubjectKeys.Writer(next: 0, head: head, erasures: 0)
    }

    mutating func run() throws(SubjectKeyFault) {
        let names = try SubjectFiles.names(in: directory)
        for name in names where name.hasSuffix(Paths.temporarySuffix) {
            guard unlink("\(directory)/\(name)") == 0 else {
                throw .cannotWrite(path: "\(directory)/\(name)", reason: String(cString: strerror(errno)))
            }
        }
        // A file one beyond the count: its process died before the head was written, and none of its numbers was given out.
        let count = max(writer.head.chunks, names.compactMap(SubjectChunk.index(fileName:)).max().map { $0 + 1 } ?? 0)
        guard count <= SubjectKeys.maximumChunks else { throw .exhausted(directory: directory) }
        var isMended = false
        for index in 0..<count {
            let last = try openChunk(index, isKnown: index < writer.head.chunks)
            if index == count - 1 { isMended = last }
        }
        if count > writer.head.chunks {
            writer.head.chunks = count
            try writer.head.write(directory, SubjectHead.read(directory, masters)?.master ?? masters.current)
        }
        // Where the end of the last file was lost, nobody can say how far its numbers went.
        let used = count == 0 ? 0 : (count - 1) << 16 + (isMended ? UInt32(SubjectChunk.slots) : UInt32(chunks[Int(count) - 1]?.used ?? 0))
        writer.next = max(1, used, writer.head.floor)
        // Before the check: a slot overwritten half-way is an erasure and no damage.
        try finishErasures()
        checkLastBatch()
    }

    /// True: the file was not there or too short, and zeros took its place.
    private mutating func openChunk(_ index: UInt32, isKnown: Bool) throws(SubjectKeyFault) -> Bool {
        let path = SubjectChunk.path(directory, index)
        guard let chunk = try SubjectChunk(directory: directory, index: index, masters: masters) else {
            if isKnown { note(.missingChunk(path: path)) }
            chunks.append(try SubjectKeys.newChunk(directory, index, masters))
            return isKnown
        }
        if chunk.isShort {
            note(.shortChunk(path: path, bytes: chunk.length))
            guard truncate(path, off_t(SubjectChunk.fileBytes)) == 0 else {
                throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
            }
            try SubjectFiles.overwrite(path, [])
            chunks.append(try SubjectChunk(directory: directory, index: index, masters: masters))
            return true
        }
        if chunk.masterID == nil { note(.damagedHeader(path: path)) }
        if chunk.isRetired { try SubjectFiles.overwrite(path, [(SubjectChunk.notRetired.offset, SubjectChunk.notRetired.word)]) }
        chunks.append(chunk)
        return false
    }

    /// A write that power cut short leaves its marks among the last numbers.
    private mutating func checkLastBatch() {
        let from = max(1, Int64(writer.next) - Int64(SubjectKeys.maximumBatch))
        for number in UInt32(from)..<max(UInt32(from), writer.next) {
            guard let chunk = chunks.indices.contains(Int(number >> 16)) ? chunks[Int(number >> 16)] : nil else { return }
            let slot = Int(number & 0xFFFF)
            if case .something = chunk.content(slot), chunk.unwrapped(slot, masters) == nil { note(.damagedKey(number)) }
        }
    }

    /// Every number on the list is erased when this returns, and a last entry that was cut short is taken off it.
    private mutating func finishErasures() throws(SubjectKeyFault) {
        var left: [UInt32] = []
        var bad: [Int] = []
        let all = chunks
        let path = "\(directory)/\(SubjectErasures.name)"
        let extent = try SubjectErasures.read(path) { entry, erasure in
            guard let number = erasure?.number else {
                bad.append(entry)
                return
            }
            guard all.indices.contains(Int(number >> 16)), let chunk = all[Int(number >> 16)] else { return }
            if chunk.content(Int(number & 0xFFFF)) != .erased { left.append(number) }
        }
        writer.erasures = extent.entries
        for entry in bad { note(.damagedErasure(entry: entry)) }
        if extent.isCutShort {
            note(.cutErasure(entry: extent.entries))
            guard truncate(path, off_t(extent.entries * SubjectErasures.entryBytes)) == 0 else {
                throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
            }
            try SubjectFiles.overwrite(path, [])
        }
        for number in left {
            if chunks[Int(number >> 16)]?.content(Int(number & 0xFFFF)) == .something { note(.unfinishedErasure(number)) }
        }
        try SubjectKeys.overwriteErased(left, directory)
    }

    private mutating func note(_ finding: SubjectKeyFinding) {
        if damage.count < SubjectKeys.maximumDamage { damage.append(finding) }
    }
}
