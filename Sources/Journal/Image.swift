import Glibc

/// Memory that holds a segment's bytes, or a part of them, while it is read; used again for the next.
struct Image: ~Copyable {
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Offset in the segment of the first byte held.
    private(set) var base = 0
    private(set) var count = 0
    /// Places the system could not read; they are zero in the image.
    private(set) var unreadable: [Range<Int>] = []

    private static let chunk = 4 << 20
    private static let piece = 4096

    init() {}

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Reads `range` of the file, or as much of it as the file has. What cannot be read is read again in small pieces, so that
    /// one bad sector costs no more than the records in it.
    mutating func load(_ disk: Disk, _ file: Int32, _ range: Range<Int>) {
        if memory.count < range.count {
            memory.deallocate()
            memory = .allocate(byteCount: range.count, alignment: 4096)
        }
        base = range.lowerBound
        count = 0
        unreadable = []
        while count < range.count {
            let wanted = min(Self.chunk, range.count - count)
            let into = UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + wanted])
            guard let got = try? disk.readAll(file, into, at: base + count) else {
                loadPieces(disk, file, wanted)
                continue
            }
            count += got
            if got < wanted { return }
        }
    }

    private mutating func loadPieces(_ disk: Disk, _ file: Int32, _ wanted: Int) {
        let end = count + wanted
        while count < end {
            let size = min(Self.piece, end - count)
            let into = UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + size])
            if let got = try? disk.readAll(file, into, at: base + count), got > 0 {
                into[got...].initializeMemory(as: UInt8.self, repeating: 0)
            } else {
                into.initializeMemory(as: UInt8.self, repeating: 0)
                let from = base + count
                if let last = unreadable.last, last.upperBound == from {
                    unreadable[unreadable.count - 1] = last.lowerBound..<from + size
                } else {
                    unreadable.append(from..<from + size)
                }
            }
            count += size
        }
    }
}
