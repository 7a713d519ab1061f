import Glibc
import Threads

/// Keeps zero-filled, synced files ready and takes away trimmed segments, on a thread of its own.
///
/// A file named `spare-N` holds zeros only: it gets the name after its zeros are on the disk, and loses it before anything
/// else is written to it.
final class Spares: Sendable {
    private struct Work {
        var ready: [Int] = []
        /// Ids of former segments under their new name, to be filled with zeros.
        var recycled: [Int] = []
        var trimmed: [UInt32] = []
        var nextID = 0
        /// Attempts to make a spare that have ended.
        var attempts = 0
        var failure: JournalFailure?
        /// The writer waits for a spare: make one at once, without pauses.
        var urgent = false
        var stopping = false

        /// Nobody made the one that the writer waits for yet. The writer may be late to see it, and more must not be made for it meanwhile.
        var isWaitedFor: Bool { urgent && ready.isEmpty }
    }

    private let disk: Disk
    private let names: Names
    private let size: Int
    private let target: Int
    private let sync: Bool
    private let state: JournalState
    private let work: Monitor<Work>

    private static let chunk = 1 << 20
    /// After a failed attempt.
    private static let pause: UInt64 = 1_000_000_000

    init(disk: Disk, names: Names, options: Options, state: JournalState, present: [Int]) {
        self.disk = disk
        self.names = names
        self.size = options.segmentSize
        self.target = options.spares
        self.sync = options.sync
        self.state = state
        var ready: [Int] = []
        for id in present {
            // Another size, or more than wanted: made anew, or not needed.
            if ready.count < options.spares, Self.size(disk, names.spare(id)) == options.segmentSize {
                ready.append(id)
            } else {
                _ = disk.unlink(names.spare(id))
            }
        }
        state.set(spares: ready.count)
        work = Monitor(Work(ready: ready, nextID: (present.last ?? 0) + 1))
    }

    private static func size(_ disk: Disk, _ path: String) -> Int? {
        guard let file = try? disk.opened(path, O_RDONLY) else { return nil }
        defer { _ = disk.close(file) }
        return try? disk.statusOf(file).size
    }

    // MARK: Asked by others

    /// A spare's path, its name still `spare-N`; waits until one is there or could not be made.
    func take() throws(JournalFailure) -> String {
        let attempts = work.change { work in
            work.urgent = work.ready.isEmpty
            return work.attempts
        }
        let taken: Result<Int, JournalFailure> = work.wait(
            until: { !$0.ready.isEmpty || $0.stopping || $0.attempts > attempts && $0.failure != nil }
        ) { work in
            work.urgent = false
            guard !work.ready.isEmpty else {
                return .failure(work.failure ?? JournalFailure(kind: .closed, operation: .open))
            }
            return .success(work.ready.removeFirst())
        }
        let id = try taken.get()
        // Wakes the maker. Counted under the lock, so that the gauge never goes back to an older count.
        work.change { state.set(spares: $0.ready.count) }
        return names.spare(id)
    }

    /// Waits until one spare is ready, or could not be made.
    func waitForFirst() {
        work.wait(until: { !$0.ready.isEmpty || $0.attempts > 0 || $0.stopping }) { _ in }
    }

    /// The files of these segments are renamed, emptied and used again, or removed.
    func recycle(_ segments: [UInt32]) {
        guard !segments.isEmpty else { return }
        work.change { $0.trimmed += segments }
    }

    func stop() { work.change { $0.stopping = true } }

    // MARK: The thread

    func run() {
        enum Next { case stop, trim([UInt32]), make(Int, recycled: Bool) }
        var rests = false
        // Trimmed segments whose files could not be taken away yet.
        var held: [UInt32] = []
        while true {
            let target = target
            let holds = !held.isEmpty
            let next: Next? = work.wait(
                timeout: rests || holds ? Self.pause : nil,
                until: { $0.stopping || !$0.trimmed.isEmpty || $0.isWaitedFor || (!rests && $0.ready.count < target) }
            ) { work in
                if !work.trimmed.isEmpty {
                    defer { work.trimmed = [] }
                    return .trim(work.trimmed)
                }
                if work.stopping { return .stop }
                guard work.ready.count < target || work.isWaitedFor else { return holds ? .trim([]) : nil }
                if let id = work.recycled.popLast() { return .make(id, recycled: true) }
                defer { work.nextID += 1 }
                return .make(work.nextID, recycled: false)
            }
            switch next {
            case .stop: return
            case .trim(let segments): held = trim(held + segments)
            case .make(let id, let recycled):
                rests = !make(id, recycled: recycled)
                if rests, holds { held = trim(held) }
            case nil: rests = false
            }
        }
    }

    /// False when it did not work.
    private func make(_ id: Int, recycled: Bool) -> Bool {
        do {
            try fill(id, recycled: recycled)
            work.change { work in
                work.ready.append(id)
                work.attempts += 1
                work.failure = nil
                state.set(spares: work.ready.count)
                if work.ready.count >= target { state.set(low: false) }
            }
            return true
        } catch {
            // A half-made file would hold the room that someone else needs.
            _ = disk.unlink(names.blank(id))
            work.change { work in
                work.attempts += 1
                work.failure = error
                work.urgent = false
                guard !work.stopping else { return }
                // Before anyone who waited for the attempt goes on.
                state.countUpkeepFailure()
                state.set(low: true)
            }
            return false
        }
    }

    private func fill(_ id: Int, recycled: Bool) throws(JournalFailure) {
        let path = names.blank(id)
        let file = try disk.opened(path, recycled ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC)
        defer { _ = disk.close(file) }
        let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: min(Self.chunk, size), alignment: 4096)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var at = 0
        while at < size {
            let count = min(zeros.count, size - at)
            try disk.writeAll(file, UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: at)
            at += count
            // Small steps, each synced, so that commits beside it never queue behind 64 MiB.
            if sync, at % (4 * Self.chunk) == 0 { try disk.dataSynced(file) }
            guard mayGoOn(pausing: size > 4 * Self.chunk) else { throw JournalFailure(kind: .closed, operation: .write) }
        }
        if sync { try disk.synced(file) }
        try disk.renamed(path, names.spare(id))
        if sync { try disk.directorySynced(names.directory) }
    }

    /// False when the journal stops. Takes a short rest unless the writer waits.
    private func mayGoOn(pausing: Bool) -> Bool {
        let (stopping, hurry) = work.locked { ($0.stopping && !$0.urgent, $0.urgent || $0.ready.isEmpty) }
        if pausing, !hurry, !stopping { usleep(2000) }
        return !stopping
    }

    /// True as well when it cannot be found out.
    private func isShared(_ path: String) -> Bool {
        guard let file = try? disk.opened(path, O_RDONLY) else { return true }
        defer { _ = disk.close(file) }
        guard let status = try? disk.statusOf(file) else { return true }
        return status.links > 1
    }

    /// Oldest first, and none after one that fails: the segments left are without a gap. Returns what is left to do.
    private func trim(_ segments: [UInt32]) -> [UInt32] {
        var made: [Int] = []
        var done = 0
        for segment in segments {
            let id: Int? = work.locked { work in
                guard work.ready.count + work.recycled.count + made.count < target + 1 else { return nil }
                defer { work.nextID += 1 }
                return work.nextID
            }
            do {
                if let id, Self.size(disk, names.segment(segment)) == size {
                    try disk.renamed(names.segment(segment), names.blank(id))
                    // A file with a second name is a reader's too and must keep its bytes. Looked at only now: by the name that is gone
                    // nobody can link it any more.
                    if isShared(names.blank(id)) {
                        try disk.removed(names.blank(id))
                    } else {
                        made.append(id)
                    }
                } else {
                    try disk.removed(names.segment(segment))
                }
            } catch  where error.errno != ENOENT {
                state.countUpkeepFailure()
                break
            } catch {}
            _ = disk.unlink(names.index(segment))
            _ = disk.unlink(names.run(segment))
            _ = disk.unlink(names.failed(segment))
            done += 1
        }
        // Before the zeros: else a power cut could bring back the old name over emptied contents.
        if sync, done > 0, disk.syncDirectory(names.directory) < 0 {
            state.countUpkeepFailure()
            for id in made { _ = disk.unlink(names.blank(id)) }
        } else {
            let ids = made
            work.change { $0.recycled += ids }
        }
        return Array(segments[done...])
    }
}
