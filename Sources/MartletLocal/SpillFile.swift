import Glibc
import Journal

/// Entries of an index on their way into order: parted by the first eight bits of their hash, each part written to a file that has no name in
/// chunks, and read back part by part. Memory: 256 chunks of 16 KiB, and one part when it is read, a 256th of all as hashes are spread evenly.
struct SpillFile: ~Copyable {
    struct Item {
        var hash: UInt64
        var place: UInt32
        /// Of an address, the contact point; of a reference, the subject.
        var extra: UInt32
    }

    private static let parts = 256
    private static let itemsInChunk = 1024

    private let file: LocalFile
    private let memory: UnsafeMutableBufferPointer<Item>
    private var filled: [Int]
    /// Numbers of the chunks of each part.
    private var chunks: [[UInt32]]
    private var written: UInt32 = 0
    private(set) var count = 0

    init(_ disk: Disk, _ path: String) throws(LocalFault) {
        file = try LocalFile(disk, path, O_RDWR | O_CREAT | O_TRUNC)
        // From now on it goes with the process.
        _ = disk.unlink(path)
        memory = .allocate(capacity: SpillFile.parts * SpillFile.itemsInChunk)
        memory.initialize(repeating: Item(hash: 0, place: 0, extra: 0))
        filled = Array(repeating: 0, count: SpillFile.parts)
        chunks = Array(repeating: [], count: SpillFile.parts)
    }

    deinit { memory.deallocate() }

    @inline(__always)
    mutating func append(_ item: Item) throws(LocalFault) {
        let part = Int(item.hash >> 56)
        memory[part * SpillFile.itemsInChunk + filled[part]] = item
        filled[part] += 1
        count += 1
        if filled[part] == SpillFile.itemsInChunk { try spill(part) }
    }

    private mutating func spill(_ part: Int) throws(LocalFault) {
        let start = part * SpillFile.itemsInChunk
        let chunk = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: memory[start..<start + SpillFile.itemsInChunk]))
        try file.write(chunk, at: Int(written) * chunk.count)
        chunks[part].append(written)
        written += 1
        filled[part] = 0
    }

    /// All items by hash, then by place.
    func inOrder(_ each: (Item) throws(LocalFault) -> Void) throws(LocalFault) {
        for part in 0..<SpillFile.parts {
            let whole = chunks[part].count * SpillFile.itemsInChunk
            var items = UnsafeMutableBufferPointer<Item>.allocate(capacity: whole + filled[part])
            defer { items.deallocate() }
            for (index, chunk) in chunks[part].enumerated() {
                let start = index * SpillFile.itemsInChunk
                let into = UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(rebasing: items[start..<start + SpillFile.itemsInChunk]))
                try file.read(into, at: Int(chunk) * into.count)
            }
            let start = part * SpillFile.itemsInChunk
            for index in 0..<filled[part] { items.initializeElement(at: whole + index, to: memory[start + index]) }
            items.sort { $0.hash != $1.hash ? $0.hash < $1.hash : $0.place < $1.place }
            for item in items { try each(item) }
        }
    }
}
