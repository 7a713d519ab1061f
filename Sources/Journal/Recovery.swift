import Glibc

/// Reads a whole journal directory: for opening it and for verifying it.
struct Recovery {
    let disk: Disk
    let names: Names
    /// True while a node may be writing: what looks wrong is read again before it is believed.
    let beside: Bool

    /// Reading the same place this often gives a writer's half-done work time to be whole.
    private static let attempts = 16

    private struct Known {
        var headers: [UInt32: SegmentHeader.Reading] = [:]
        /// Where each segment ended when the one after it was begun.
        var ends: [UInt32: Int] = [:]
        var journal: JournalID?
    }

    func read(
        _ survey: Names.Survey, _ replay: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Report {
        var report = Report()
        report.failed = survey.failed
        let known = try headers(survey.segments)
        report.journal = known.journal
        var image = Image()
        for (index, segment) in survey.segments.enumerated() {
            missing(before: segment, first: index == 0, known, survey.segments, &report)
            try readOne(segment, known, &image, &report, replay)
        }
        if let last = report.segments.last, let torn = report.tornEnd, torn.segment != last.number { report.tornEnd = nil }
        return report
    }

    private func headers(_ segments: [UInt32]) throws -> Known {
        var known = Known()
        for segment in segments {
            let reading = try header(segment)
            known.headers[segment] = reading
            switch reading {
            case .valid(let header):
                if header.journal != .unknown {
                    if let journal = known.journal, journal != header.journal { throw JournalError.foreign(segment: segment) }
                    known.journal = header.journal
                }
                if header.previousSegment != 0, header.previousEnd != 0 { known.ends[header.previousSegment] = Int(header.previousEnd) }
            case .newer(let version): throw JournalError.newerFormat(segment: segment, version: version)
            case .blank, .damaged: break
            }
        }
        return known
    }

    private func header(_ segment: UInt32) throws -> SegmentHeader.Reading {
        guard let file = try existing(segment) else { return .blank }
        defer { _ = disk.close(file) }
        return withUnsafeTemporaryAllocation(byteCount: Format.segmentHeader, alignment: 8) { bytes in
            guard let got = try? disk.readAll(file, bytes, at: 0) else { return .damaged }
            return SegmentHeader.read(UnsafeRawBufferPointer(rebasing: bytes[..<got]), expecting: segment)
        }
    }

    /// nil when the file is gone, which beside a running node is trimming.
    private func existing(_ segment: UInt32) throws(JournalFailure) -> Int32? {
        do {
            return try disk.opened(names.segment(segment), O_RDONLY)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// Reports a segment that the header of `segment` names and the directory lacks.
    private func missing(before segment: UInt32, first: Bool, _ known: Known, _ all: [UInt32], _ report: inout Report) {
        // Before the oldest segment the past was trimmed.
        guard !first, case .valid(let header)? = known.headers[segment], header.previousSegment != 0,
            header.previousEnd == 0 || header.previousEnd > UInt32(Format.headerBlock),
            !all.contains(header.previousSegment), header.previousSegment > all[0]
        else { return }
        // A listing beside a running node may miss a file that was just named, or hold one of a past that was just trimmed.
        if beside, isThere(header.previousSegment) || !all.contains(where: { $0 < header.previousSegment && isThere($0) }) {
            report.skip()
            return
        }
        report.lose(
            Damage(kind: .segment, segment: header.previousSegment, offset: 0, length: Int(header.previousEnd)))
    }

    private func readOne(
        _ segment: UInt32, _ known: Known, _ image: inout Image, _ report: inout Report,
        _ replay: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let before = report
        var known = known
        var previous: Report?
        for attempt in 1...Self.attempts {
            report = before
            // Beside a writer the header may have been written since.
            if attempt > 1 { known.headers[segment] = try header(segment) }
            guard let file = try existing(segment) else {
                if beside { report.skip() } else { report.lose(Damage(kind: .segment, segment: segment, offset: 0, length: 0)) }
                return
            }
            let result: Result<FileStatus, any Error> = Result {
                defer { _ = disk.close(file) }
                let status = try disk.statusOf(file)
                try readFile(file, segment, status, known, &image, &report, replay)
                return status
            }
            let status = try result.get()
            guard beside, report.damageCount > before.damageCount || report.tornEnd != before.tornEnd else { return }
            // Trimmed, recycled or rebuilt while it was read: then what was found says nothing.
            let stays = try sameFile(segment, status)
            if stays, report == previous || attempt == Self.attempts { return }
            previous = stays ? report : nil
        }
    }

    private func sameFile(_ segment: UInt32, _ status: FileStatus) throws -> Bool {
        guard let file = try existing(segment) else { return false }
        defer { _ = disk.close(file) }
        return try disk.statusOf(file) == status
    }

    private func isThere(_ segment: UInt32) -> Bool {
        guard let file = try? existing(segment) else { return false }
        _ = disk.close(file)
        return true
    }

    private func readFile(
        _ file: Int32, _ segment: UInt32, _ status: FileStatus, _ known: Known, _ image: inout Image, _ report: inout Report,
        _ replay: (Position, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let end = known.ends[segment]
        let size = min(status.size, 1 << 30)
        let upTo = max(Format.headerBlock, end.map { min($0, size) } ?? size)
        image.load(disk, file, Format.headerBlock..<upTo)
        let found = report.damageCount
        let saved = report.salvaged
        let header: SegmentHeader? = if case .valid(let header)? = known.headers[segment] { header } else { nil }
        // Nothing was trimmed before the very first segment, whatever its header says.
        if segment == 1, report.expected == nil { report.expected = 0 }
        if let header { report.met(ordinal: header.firstOrdinal, segment: segment, offset: 0) }
        for range in image.unreadable {
            report.add(
                Damage(kind: .unreadable, segment: segment, offset: range.lowerBound, length: range.count))
        }
        let walk = Walk(
            image: image.bytes, base: Format.headerBlock, segment: segment,
            end: end.map { .known(max(Format.headerBlock, $0)) } ?? .open)
        let outcome = try walk.run(from: Format.headerBlock, into: &report, replay)
        if header == nil {
            if outcome.batches == 0, report.damageCount == found, report.salvaged == saved, end ?? 0 <= Format.headerBlock {
                report.neverBegun.append(segment)
                return
            }
            report.add(Damage(kind: .header, segment: segment, offset: 0, length: Format.headerBlock, lost: 0))
        }
        report.records += outcome.records
        report.batches += outcome.batches
        report.bytes += outcome.bytes
        report.stoppedCleanly = outcome.stoppedCleanly
        report.lastBatch = outcome.lastBatch.flatMap { start in
            let size = BatchHeader.size(image.bytes, start - Format.headerBlock)
            return size.map { start..<start + $0 }
        }
        report.endIsUncertain = !image.unreadable.isEmpty
        report.tornEnd = outcome.torn ? TornEnd(segment: segment, offset: outcome.end) : nil
        report.segments.append(
            SegmentInfo(
                number: segment, size: status.size, end: outcome.end, records: outcome.records,
                firstOrdinal: header?.firstOrdinal ?? 0, createdAt: header?.createdAt ?? 0, writtenAt: outcome.writtenAt))
    }
}
