import Crypto
import Glibc

/// What a restore did.
public struct SubjectRestoreReport: Sendable, Equatable {
    /// Keys that came back from the backup.
    public var restored = 0
    /// Numbers that the backup still had a key for and that stay erased.
    public var keptErased = 0
    /// What the backup could not give back.
    public var findings = SubjectKeyReport()
}

extension SubjectKeys {
    /// Copies the store into a new directory and checks the copy. The copy has the form of a store, its `head` written last: one without a head
    /// is an unfinished one. Nothing is made or erased while files are copied. Keep it apart from the data, and briefly: an erasure reaches
    /// it when it is deleted.
    /// - Returns: the check of the copy.
    public func exportBackup(to path: String) throws(SubjectKeyFault) -> SubjectKeyReport {
        guard mkdir(path, 0o700) == 0 else {
            if errno == EEXIST { throw .exists(path: path) }
            throw .cannotWrite(path: path, reason: String(cString: strerror(errno)))
        }
        if isOwner {
            try locked { (writer: inout Writer) throws(SubjectKeyFault) in try copy(to: path, floor: writer.next) }
        } else {
            try copy(to: path, floor: nil)
        }
        return try copyOpened(path).verify()
    }

    private func copyOpened(_ path: String) throws(SubjectKeyFault) -> SubjectKeys {
        try SubjectKeys(directory: path, master: masters.current.line, previous: masters.previous?.line, access: .reader)
    }

    private func copy(to path: String, floor: UInt32?) throws(SubjectKeyFault) {
        guard let (head, master) = try SubjectHead.read(directory, masters) else {
            throw .incomplete(directory: directory, file: SubjectHead.name)
        }
        do {
            for index in 0..<head.chunks {
                guard let chunk = chunk(index), let bytes = chunk.bytes else { continue }
                try PrivateFile.write(SubjectChunk.path(path, index), bytes)
            }
            var erasures: [UInt8] = []
            try SubjectErasures.read("\(directory)/\(SubjectErasures.name)") { _, erasure in
                if let erasure { erasures.append(contentsOf: SubjectErasures.entry(erasure)) }
            }
            try PrivateFile.write("\(path)/\(SubjectErasures.name)", erasures)
        } catch let fault as DiskFault {
            throw .cannotWrite(path: fault.path, reason: fault.reason)
        } catch let fault as SubjectKeyFault {
            throw fault
        } catch {
            throw .cannotWrite(path: path, reason: "\(error)")
        }
        try SubjectHead(chunks: head.chunks, floor: floor ?? bound(head)).write(path, master)
        try SubjectFiles.sync(directory: Paths.parent(path))
    }

    /// The list of erasures, in order: for the copy that is kept outside, apart from the keys, for as long as any backup of keys.
    public func erasures(_ body: (SubjectErasure) -> Void) throws(SubjectKeyFault) {
        try SubjectErasures.read("\(directory)/\(SubjectErasures.name)") { _, erasure in
            if let erasure { body(erasure) }
        }
    }

    /// Fills from a backup what is missing or damaged here; a good key here stays. Into an empty store, made with `create`, comes the whole of it.
    ///
    /// Nothing erased comes back: what is on the list here, on that of the backup, or among `erased`, stays or becomes erased, before the first key
    /// is brought in. No number that the backup or the caller knows is given out again. Repeated after a crash it goes on.
    /// - Parameters:
    ///   - erased: numbers erased since the backup, as kept outside, where the list here was lost too.
    ///   - givenBelow: every number given out since the backup is below this one; where the store here was lost, the database knows.
    ///   - time: microseconds since 1970, UTC; stands in the list.
    public func restore(
        from path: String, erased: some Sequence<UInt32> = EmptyCollection<UInt32>(), givenBelow: UInt32 = 0, time: Int64
    ) throws(SubjectKeyFault) -> SubjectRestoreReport {
        let backup = try copyOpened(path)
        guard let (head, _) = try SubjectHead.read(path, masters) else { throw .incomplete(directory: path, file: SubjectHead.name) }
        var report = SubjectRestoreReport()
        var gone = NumberSet()
        var numbers: [UInt32] = []
        let own = "\(directory)/\(SubjectErasures.name)"
        var highest = max(givenBelow, backup.bound(head))
        let limit = Int64(SubjectKeys.maximumChunks) << 16
        func note(_ number: UInt32) throws(SubjectKeyFault) {
            guard number > 0, Int64(number) < limit else { throw .unknownNumber(number) }
            highest = max(highest, number + 1)
            if !gone.contains(number) { numbers.append(number) }
            gone.insert(number)
        }
        for number in erased { try note(number) }
        try SubjectErasures.read("\(path)/\(SubjectErasures.name)") { (entry, erasure) throws(SubjectKeyFault) in
            if let erasure { try note(erasure.number) } else { report.findings.add(.damagedErasure(entry: entry)) }
        }
        // Those of the list here need no second entry, only their slots.
        var listed: [UInt32] = []
        try SubjectErasures.read(own) { (entry, erasure) throws(SubjectKeyFault) in
            guard let number = erasure?.number, Int64(number) < limit else { return report.findings.add(.damagedErasure(entry: entry)) }
            highest = max(highest, number + 1)
            listed.append(number)
            gone.insert(number)
        }
        guard Int64(highest) <= limit else { throw .exhausted(directory: directory) }
        try locked { (writer: inout Writer) throws(SubjectKeyFault) in
            while Int64(writer.head.chunks) << 16 < Int64(highest) || writer.head.chunks < head.chunks { try addChunk(&writer) }
            if writer.next < highest {
                var head = writer.head
                head.floor = highest
                try writeHead(head)
                (writer.head, writer.next) = (head, highest)
            }
            try SubjectKeys.overwriteErased(listed.filter { chunk($0 >> 16)?.content(Int($0 & 0xFFFF)) != .erased }, directory)
            for start in stride(from: 0, to: numbers.count, by: SubjectKeys.maximumBatch) {
                try erase(Array(numbers[start..<min(start + SubjectKeys.maximumBatch, numbers.count)]), time: time, &writer)
            }
        }
        for index in 0..<head.chunks { try fill(index, from: backup, gone, &report) }
        return report
    }

    private func fill(
        _ index: UInt32, from backup: SubjectKeys, _ gone: NumberSet, _ report: inout SubjectRestoreReport
    ) throws(SubjectKeyFault) {
        guard let theirs = backup.chunk(index) else {
            report.findings.add(.missingChunk(path: SubjectChunk.path(backup.directory, index)))
            return
        }
        let found = try locked { (_: inout Writer) throws(SubjectKeyFault) -> SubjectRestoreReport in
            var found = SubjectRestoreReport()
            guard let ours = chunk(index) else { return found }
            let master = ours.masterID.flatMap(masters.named) ?? masters.current
            var writes: [(offset: Int, bytes: [UInt8])] = []
            for slot in 0..<SubjectChunk.slots {
                guard case .something? = theirs.content(slot) else { continue }
                let number = index << 16 | UInt32(slot)
                guard !gone.contains(number), ours.content(slot) != .erased else {
                    found.keptErased += 1
                    continue
                }
                guard ours.unwrapped(slot, masters) == nil else { continue }
                guard let key = theirs.unwrapped(slot, masters) else {
                    found.findings.add(.damagedKey(number))
                    continue
                }
                guard let wrapped = key.withUnsafeBytes({ SubjectSlot.wrap($0, number, with: master.wrapping) }) else { throw .cipher }
                writes.append((SubjectChunk.offset(ofSlot: slot), wrapped))
                found.restored += 1
            }
            if !writes.isEmpty { try SubjectFiles.overwrite(ours.path, writes) }
            return found
        }
        report.restored += found.restored
        report.keptErased += found.keptErased
        for finding in found.findings.findings { report.findings.add(finding) }
    }
}

extension SubjectChunk {
    /// All that is there of the file; nil when nothing is. A mark that it was replaced is left out.
    fileprivate var bytes: [UInt8]? {
        guard let head = slot(0) else { return nil }
        let start = UnsafeRawBufferPointer(start: head.baseAddress.map { $0 - SubjectChunk.headBytes }, count: length)
        var all = Array(start)
        all.replaceSubrange(SubjectChunk.notRetired.offset..<SubjectChunk.notRetired.offset + 8, with: SubjectChunk.notRetired.word)
        return all
    }
}
