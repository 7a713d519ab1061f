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

    /// Fills from a backup what is missing or damaged here; a good key here stays. Into an empty store, made with `create`, comes the whole of it.
    ///
    /// Nothing erased comes back: what is on the list here, on that of the backup, or among `erased`, stays or becomes erased, before the first key
    /// is brought in. No number that the backup or the caller knows is given out again. Repeated after a crash it goes on.
    /// - Parameters:
    ///   - erased: numbers erased since the backup, as kept outside, where the list here was lost too.
    ///   - time: microseconds since 1970, UTC; stands in the list.
    public func restore(
        from path: String, erased: some Sequence<UInt32> = EmptyCollection<UInt32>(), time: Int64
    ) throws(SubjectKeyFault) -> SubjectRestoreReport {
        let backup = try copyOpened(path)
        guard let (head, _) = try SubjectHead.read(path, masters) else { throw .incomplete(directory: path, file: SubjectHead.name) }
        var report = SubjectRestoreReport()
        var gone = Gone(highest: backup.bound(head))
        for number in erased { try gone.note(number) }
        let extent = try SubjectErasures.read("\(path)/\(SubjectErasures.name)") { (entry, erasure) throws(SubjectKeyFault) in
            if let erasure { try gone.note(erasure.number) } else { report.findings.add(.damagedErasure(entry: entry)) }
        }
        if extent.isCutShort { report.findings.add(.cutErasure(entry: extent.entries)) }
        try enforce(&gone, chunks: head.chunks, time: time) { report.findings.add($0) }
        for index in 0..<head.chunks { try fill(index, from: backup, gone.numbers, &report) }
        return report
    }

    /// Puts the head of a backup in the place of one that is damaged, or missing beside files of slots: without it nobody can open the store to
    /// restore it. What it says less than the lost one is learnt from the files themselves. That both are of one installation is the caller's to know.
    /// - Returns: whether it was needed.
    /// - Throws: `.inUse`; `.wrongMasterKey`, for a head here that is whole and another key's too.
    public static func mendHead(
        _ directory: String, master: MasterKey, from backup: String
    ) throws(SubjectKeyFault) -> Bool {
        guard access(directory, F_OK) == 0 else { return false }
        let masters = SubjectMasters(current: SubjectMaster(master), previous: nil)
        guard let lock = try FileLock("\(directory)/lock") else { throw .inUse(directory: directory) }
        defer { withExtendedLifetime(lock) {} }
        do throws(SubjectKeyFault) {
            // A directory without files of slots is one that was never begun: its owner begins it.
            guard try SubjectHead.read(directory, masters) == nil,
                try SubjectFiles.names(in: directory).contains(where: { SubjectChunk.index(fileName: $0) != nil })
            else { return false }
        } catch {
            guard case .damaged = error else { throw error }
        }
        guard let (head, _) = try SubjectHead.read(backup, masters) else {
            throw .incomplete(directory: backup, file: SubjectHead.name)
        }
        try head.write(directory, masters.current)
        return true
    }

    /// Erases whom a list names that was kept outside. None of its numbers is given out again. Repeated after a crash it goes on.
    /// - Parameter time: microseconds since 1970, UTC; stands in the list.
    /// - Returns: how many of them still had a key, and what is damaged in the list here.
    public func erase(
        listed numbers: some Sequence<UInt32>, time: Int64
    ) throws(SubjectKeyFault) -> (erased: Int, findings: SubjectKeyReport) {
        var gone = Gone(highest: 0)
        var findings = SubjectKeyReport()
        for number in numbers { try gone.note(number) }
        let had = gone.unlisted.count(where: { chunk($0 >> 16)?.content(Int($0 & 0xFFFF)) == .something })
        try enforce(&gone, chunks: 0, time: time) { findings.add($0) }
        return (had, findings)
    }

    /// Who must have no key when a restore ends.
    private struct Gone {
        var numbers = NumberSet()
        /// Those that the list here may lack, once each.
        var unlisted: [UInt32] = []
        /// Every number that was given out is below it.
        var highest: UInt32

        static let limit = Int64(SubjectKeys.maximumChunks) << 16

        init(highest: UInt32) { self.highest = highest }

        mutating func note(_ number: UInt32) throws(SubjectKeyFault) {
            guard number > 0, Int64(number) < Gone.limit else { throw .unknownNumber(number) }
            highest = max(highest, number + 1)
            if !numbers.contains(number) { unlisted.append(number) }
            numbers.insert(number)
        }
    }

    /// Makes room for all numbers that are known, keeps them from being given out, and erases whoever is gone; the list here counts too.
    /// - Parameter found: hears of entries of the list here that are not what was written.
    private func enforce(
        _ gone: inout Gone, chunks: UInt32, time: Int64, _ found: (SubjectKeyFinding) -> Void
    ) throws(SubjectKeyFault) {
        // Those of the list here need no second entry, only their slots.
        var listed: [UInt32] = []
        try SubjectErasures.read("\(directory)/\(SubjectErasures.name)") { entry, erasure in
            guard let number = erasure?.number, Int64(number) < Gone.limit else { return found(.damagedErasure(entry: entry)) }
            gone.highest = max(gone.highest, number + 1)
            listed.append(number)
            gone.numbers.insert(number)
        }
        let (highest, numbers) = (gone.highest, gone.unlisted)
        guard Int64(highest) <= Gone.limit else { throw .exhausted(directory: directory) }
        try locked { (writer: inout Writer) throws(SubjectKeyFault) in
            while Int64(writer.head.chunks) << 16 < Int64(highest) || writer.head.chunks < chunks { try addChunk(&writer) }
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
