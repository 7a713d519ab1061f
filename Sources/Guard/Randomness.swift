import Glibc

/// A secure source of random words, read from the system in blocks of 4 KiB so that a word costs nanoseconds instead of a system call.
/// A word is cleared once it was given out. Confined to one thread; it cannot be copied, for a copy would give the same words again.
public struct Randomness: ~Copyable {
    private static let capacity = 512
    private let words: UnsafeMutablePointer<UInt64>
    private var next: Int

    public init() {
        words = .allocate(capacity: Randomness.capacity)
        words.initialize(repeating: 0, count: Randomness.capacity)
        next = Randomness.capacity
    }

    deinit {
        words.update(repeating: 0, count: Randomness.capacity)
        words.deallocate()
    }

    @inline(__always)
    public mutating func word() -> UInt64 {
        if next == Randomness.capacity { refill() }
        let value = words[next]
        words[next] = 0
        next &+= 1
        return value
    }

    @inline(never)
    private mutating func refill() {
        Randomness.fill(UnsafeMutableRawBufferPointer(start: words, count: Randomness.capacity * 8))
        next = 0
    }

    /// Fills from the system, past the buffer: for keys.
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        // getrandom(2) without its failures: glibc retries, and ends the process when the kernel has no secure source (arc4random_buf(3)).
        if let start = buffer.baseAddress { arc4random_buf(start, buffer.count) }
    }

    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }
}
