import Crypto
import Glibc

extension SubjectKeys {
    // MARK: Making

    /// Makes so many keys, 1 to `maximumBatch`, with numbers in a row; durable when this returns, for one sync of the disk. Off the loop.
    /// When it fails, its numbers are given to nobody.
    public func make(_ count: Int) throws(SubjectKeyFault) -> [SubjectKey] {
        guard (1...SubjectKeys.maximumBatch).contains(count) else { throw .batchSize(given: count, maximum: SubjectKeys.maximumBatch) }
        return try locked { (writer: inout Writer) throws(SubjectKeyFault) in
            let first = writer.next
            let end = Int64(first) + Int64(count)
            guard end <= Int64(SubjectKeys.maximumChunks) << 16 else { throw .exhausted(directory: directory) }
            while Int64(writer.head.chunks) << 16 < end { try addChunk(&writer) }
            // What a failed write left half-way must not be taken for another subject's slot.
            writer.next = UInt32(end)
            var made: [SubjectKey] = []
            made.reserveCapacity(count)
            var from = first
            while Int64(from) < end {
                let index = from >> 16
                let behind = UInt32(min(end, Int64(index + 1) << 16))
                try write(from..<behind, index, &made)
                from = behind
            }
            return made
        }
    }

    /// New keys in one file, by one write and one sync.
    private func write(_ numbers: Range<UInt32>, _ index: UInt32, _ made: inout [SubjectKey]) throws(SubjectKeyFault) {
        guard let chunk = chunk(index) else { throw .unreadable(path: SubjectChunk.path(directory, index), reason: "it is not mapped") }
        let master = chunk.masterID.flatMap(masters.named) ?? masters.current
        var random = [UInt8](repeating: 0, count: numbers.count * SubjectSlot.keyBytes)
        defer { _ = random.withUnsafeMutableBytes { $0.initializeMemory(as: UInt8.self, repeating: 0) } }
        random.withUnsafeMutableBytes { Randomness.fill($0) }
        var slots: [UInt8] = []
        slots.reserveCapacity(numbers.count * SubjectSlot.bytes)
        for (place, number) in numbers.enumerated() {
            let (wrapped, key) = random.withUnsafeBytes { random in
                let key = UnsafeRawBufferPointer(rebasing: random[place * SubjectSlot.keyBytes..<(place + 1) * SubjectSlot.keyBytes])
                return (SubjectSlot.wrap(key, number, with: master.wrapping), SymmetricKey(data: key))
            }
            guard let wrapped else { throw .cipher }
            slots.append(contentsOf: wrapped)
            made.append(SubjectKey(number: number, symmetric: key))
        }
        try SubjectFiles.overwrite(chunk.path, [(SubjectChunk.offset(ofSlot: Int(numbers.lowerBound & 0xFFFF)), slots)])
    }

    /// No number below this one is given out from now on: a database knows numbers that this store, restored from a backup, may not.
    public func leaveOut(below number: UInt32) throws(SubjectKeyFault) {
        guard Int64(number) <= Int64(SubjectKeys.maximumChunks) << 16 else { throw .exhausted(directory: directory) }
        try locked { (writer: inout Writer) throws(SubjectKeyFault) in
            guard writer.next < number else { return }
            while Int64(writer.head.chunks) << 16 < Int64(number) { try addChunk(&writer) }
            var head = writer.head
            head.floor = number
            try writeHead(head)
            (writer.head, writer.next) = (head, number)
        }
    }

    // MARK: Erasing

    /// Destroys keys for good, at most `maximumBatch` of them; durable when this returns. First the numbers go on the list of erasures, then
    /// their slots are overwritten in place: a crash in between is ended by the next opening. A number erased before is no error.
    /// - Parameter time: microseconds since 1970, UTC; stands in the list.
    public func erase(_ numbers: [UInt32], time: Int64) throws(SubjectKeyFault) {
        guard numbers.count <= SubjectKeys.maximumBatch else {
            throw .batchSize(given: numbers.count, maximum: SubjectKeys.maximumBatch)
        }
        try locked { (writer: inout Writer) throws(SubjectKeyFault) in
            if let wrong = numbers.first(where: { $0 == 0 || $0 >= writer.next }) { throw .unknownNumber(wrong) }
            try erase(numbers, time: time, &writer)
        }
    }

    /// As above, of numbers whose files are there.
    func erase(_ numbers: [UInt32], time: Int64, _ writer: inout Writer) throws(SubjectKeyFault) {
        let left = writer.erasureFailed ? numbers : numbers.filter { chunk($0 >> 16)?.content(Int($0 & 0xFFFF)) != .erased }
        guard !left.isEmpty else { return }
        writer.erasureFailed = true
        let path = "\(directory)/\(SubjectErasures.name)"
        try SubjectKeys.append(
            left.flatMap { SubjectErasures.entry(SubjectErasure(number: $0, time: time)) }, path,
            at: writer.erasures * SubjectErasures.entryBytes)
        writer.erasures += left.count
        try SubjectKeys.overwriteErased(left, directory)
        writer.erasureFailed = false
    }

    /// Writes over the rest of an entry that a crash cut short, and syncs; a new file's entry in the directory too.
    private static func append(_ bytes: [UInt8], _ path: String, at offset: Int) throws(SubjectKeyFault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        try SubjectFiles.write(descriptor, path, offset, bytes)
        guard fdatasync(descriptor) == 0 else { throw .cannotWrite(path: path, reason: "fdatasync: \(String(cString: strerror(errno)))") }
        if offset == 0 { try SubjectFiles.sync(directory: Paths.parent(path)) }
    }

    /// Overwrites the slots of these numbers, one sync for each file that holds some.
    static func overwriteErased(_ numbers: [UInt32], _ directory: String) throws(SubjectKeyFault) {
        for (index, group) in Dictionary(grouping: numbers, by: { $0 >> 16 }).sorted(by: { $0.key < $1.key }) {
            let writes = group.map { (offset: SubjectChunk.offset(ofSlot: Int($0 & 0xFFFF)), bytes: SubjectSlot.erased) }
            try SubjectFiles.overwrite(SubjectChunk.path(directory, index), writes)
        }
    }

    // MARK: A new master key

    /// Wraps every key by the current master key, file by file, where it was wrapped by the one before. What is read or made meanwhile works as
    /// ever. When it was interrupted, it goes on from the files that are left. When this returns the previous master key is needed no more.
    ///
    /// Each file is written beside its place, synced, renamed; then the old one is overwritten with zeros. A slot that cannot be read is
    /// copied as it is, and named by `verify` as before.
    /// - Parameter progress: files done, files in all; false stops here.
    /// - Returns: whether all is done.
    @discardableResult
    public func rewrap(progress: (_ done: Int, _ all: Int) -> Bool = { _, _ in true }) throws(SubjectKeyFault) -> Bool {
        let all = try locked { Int($0.head.chunks) }
        for index in 0..<all {
            try locked { (_: inout Writer) throws(SubjectKeyFault) in try rewrap(chunk: UInt32(index)) }
            guard progress(index + 1, all) else { return false }
        }
        // A file that was made meanwhile is wrapped by the current master key from the first.
        try locked { (writer: inout Writer) throws(SubjectKeyFault) in try writer.head.write(directory, masters.current) }
        return true
    }

    private func rewrap(chunk index: UInt32) throws(SubjectKeyFault) {
        guard let old = chunk(index), old.masterID != masters.current.id else { return }
        var bytes = SubjectChunk.head(index: index, master: masters.current)
        bytes.reserveCapacity(SubjectChunk.fileBytes)
        for slot in 0..<SubjectChunk.slots {
            guard let held = old.slot(slot) else { throw .damaged(path: old.path, reason: "it ends before its last slot") }
            guard case .something = SubjectSlot.content(held), let key = old.unwrapped(slot, masters) else {
                bytes.append(contentsOf: held)
                continue
            }
            let number = index << 16 | UInt32(slot)
            guard let wrapped = key.withUnsafeBytes({ SubjectSlot.wrap($0, number, with: masters.current.wrapping) }) else { throw .cipher }
            bytes.append(contentsOf: wrapped)
        }
        let descriptor = open(old.path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .cannotWrite(path: old.path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        // Said before the new file is in its place: who has the old one mapped looks for another from now on, and finds this one until then.
        try SubjectFiles.write(descriptor, old.path, SubjectChunk.retired.offset, SubjectChunk.retired.word)
        do throws(SubjectKeyFault) {
            try SubjectFiles.replace(old.path, bytes)
        } catch {
            // It stays in its place. Where this fails too, readers find it anew at every look-up, until the next opening.
            try SubjectFiles.write(descriptor, old.path, SubjectChunk.notRetired.offset, SubjectChunk.notRetired.word)
            throw error
        }
        guard let new = try SubjectChunk(directory: directory, index: index, masters: masters) else {
            throw .unreadable(path: old.path, reason: "it vanished")
        }
        put(new)
        try SubjectFiles.write(
            descriptor, old.path, SubjectChunk.headBytes, [UInt8](repeating: 0, count: SubjectChunk.slots * SubjectSlot.bytes))
        guard fdatasync(descriptor) == 0 else {
            throw .cannotWrite(path: old.path, reason: "fdatasync: \(String(cString: strerror(errno)))")
        }
    }
}
