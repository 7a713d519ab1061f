import Glibc

/// A directory of runs that outlive their segments: their owner removes them.
public struct RunDirectory: Sendable {
    let names: Names
    let disk: Disk

    public init(_ path: String, disk: Disk = .system) {
        names = Names(directory: path)
        self.disk = disk
    }

    /// Makes the directory when it is missing, clears away what an interrupted write left, and tells the segments that have a run.
    public func prepare() throws(JournalFailure) -> [UInt32] {
        let made = disk.makeDirectory(names.directory)
        if made < 0 { throw JournalFailure(-made, .makeDirectory) }
        let survey = Names.survey(try disk.listed(names.directory))
        for name in survey.leftovers { _ = disk.unlink("\(names.directory)/\(name)") }
        return survey.runs
    }

    /// A run that is gone already is no error. A power cut may bring it back.
    public func remove(_ segment: UInt32) throws(JournalFailure) {
        let result = disk.unlink(names.run(segment))
        if result < 0, result != -ENOENT { throw JournalFailure(-result, .remove) }
    }
}

extension Journal {
    /// Writes a run for a segment, into the journal's own directory, where it goes with its segment, or into another. Blocks for as long
    /// as the disk takes: not for a loop.
    public func writeRun(
        _ segment: UInt32, _ kind: RunKind, in place: RunDirectory? = nil, newest: UInt64 = 0, _ entries: [RunEntry]
    ) throws(IndexError) {
        try SortedRun.write(disk, place?.names ?? names, segment: segment, journal: id, kind: kind, newest: newest, entries)
    }

    /// Opens a run after reading it through once.
    /// - Parameter each: gets every entry, in order, also when the run proves damaged further on.
    public func run(
        _ segment: UInt32, _ kind: RunKind, in place: RunDirectory? = nil, each: (RunEntry) -> Void = { _ in }
    ) throws(IndexError) -> SortedRun {
        try SortedRun.open(disk, (place?.names ?? names).run(segment), segment: segment, journal: id, kind: kind, each: each)
    }
}
