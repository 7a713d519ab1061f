import Glibc

/// Finished segments kept for a reader that is behind, by a second name in a folder beside them: it costs nothing while the journal has them
/// too, and outlives its trims. The journal neither reads nor removes what lies there; whoever puts it there does.
public struct Spill: Sendable {
    private let disk: Disk
    private let names: Names
    private let kept: Names

    /// - Parameter directory: the journal's.
    public init(_ directory: String, disk: Disk = .system) {
        self.disk = disk
        names = Names(directory: directory)
        kept = Names(directory: names.spill)
    }

    /// A segment's file.
    public struct File: Hashable, Sendable {
        public var segment: UInt32
        public var bytes: Int
    }

    /// The journal's own segments, oldest first; the last is being written, or was when its writer ended.
    public func journal() throws(JournalFailure) -> [File] { try files(names) }

    /// What is kept here, oldest first; none when the folder was never made.
    public func segments() throws(JournalFailure) -> [File] {
        do {
            return try files(kept)
        } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
    }

    /// Bytes that the volume still has for anyone.
    public func room() throws(JournalFailure) -> Int { try disk.roomOf(names.directory) }

    /// Gives these segments a second name, durable when this returns.
    /// - Returns: those that have one now; a segment that the journal trimmed meanwhile has none.
    public func keep(_ segments: [UInt32]) throws(JournalFailure) -> [UInt32] {
        let made = disk.makeDirectory(kept.directory)
        if made < 0 { throw JournalFailure(-made, .makeDirectory) }
        var done: [UInt32] = []
        for segment in segments {
            let result = disk.link(names.segment(segment), kept.segment(segment))
            guard result >= 0 || result == -EEXIST || result == -ENOENT else { throw JournalFailure(-result, .link) }
            if result != -ENOENT { done.append(segment) }
        }
        try disk.directorySynced(kept.directory)
        try disk.directorySynced(names.directory)
        return done
    }

    /// Removes what is kept of the segments before `segment`, oldest first. A power cut may bring some back: no harm.
    public func drop(before segment: UInt32) throws(JournalFailure) {
        for file in try segments() where file.segment < segment { try disk.removed(kept.segment(file.segment)) }
    }

    private func files(_ place: Names) throws(JournalFailure) -> [File] {
        var found: [File] = []
        for segment in Names.survey(try disk.listed(place.directory)).segments {
            let file: Int32
            do throws(JournalFailure) {
                file = try disk.opened(place.segment(segment), O_RDONLY)
            } catch {
                // Gone since the listing.
                if error.errno == ENOENT { continue }
                throw error
            }
            defer { _ = disk.close(file) }
            found.append(File(segment: segment, bytes: try disk.statusOf(file).size))
        }
        return found
    }
}
