/// Requests of the peer that the owner has yet to answer, by sequence number and command. The peer chooses the numbers, so any may
/// come, also one that is open already: each then counts, and each is answered once. Grows with what is open, up to its limit.
struct OpenRequests: ~Copyable {
    private(set) var count = 0
    /// Command and sequence number, 0: free. No command is 0.
    private var keys: ContiguousArray<UInt64>
    private var shift: UInt64

    private static let firstBits: UInt64 = 4

    init() {
        keys = ContiguousArray(repeating: 0, count: 1 << OpenRequests.firstBits)
        shift = 64 - OpenRequests.firstBits
    }

    @inline(__always) private static func key(_ command: Command, _ sequence: UInt32) -> UInt64 {
        UInt64(command.rawValue) << 32 | UInt64(sequence)
    }

    /// Where a key would stand if it were alone: the top bits of its product with 2^64 / golden ratio.
    @inline(__always) private func home(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    /// The owner has checked its limit.
    mutating func insert(_ command: Command, _ sequence: UInt32) {
        if 2 * (count + 1) > keys.count { grow() }
        place(OpenRequests.key(command, sequence))
        count += 1
    }

    @inline(__always) private mutating func place(_ key: UInt64) {
        var at = home(key)
        while keys[at] != 0 { at = (at + 1) & (keys.count - 1) }
        keys[at] = key
    }

    private mutating func grow() {
        let old = keys
        keys = ContiguousArray(repeating: 0, count: 2 * old.count)
        shift -= 1
        for key in old where key != 0 { place(key) }
    }

    private func find(_ key: UInt64) -> Int? {
        var at = home(key)
        while keys[at] != 0 {
            if keys[at] == key { return at }
            at = (at + 1) & (keys.count - 1)
        }
        return nil
    }

    func contains(_ command: Command, _ sequence: UInt32) -> Bool { find(OpenRequests.key(command, sequence)) != nil }

    /// False when no such request is open.
    mutating func remove(_ command: Command, _ sequence: UInt32) -> Bool {
        guard var hole = find(OpenRequests.key(command, sequence)) else { return false }
        count -= 1
        let mask = keys.count - 1
        var at = hole
        keys[hole] = 0
        // Keys that were pushed on by the one that is gone move back, so that none is cut off from its home.
        while true {
            at = (at + 1) & mask
            if keys[at] == 0 { return true }
            let distance = (at - home(keys[at])) & mask
            if distance >= (at - hole) & mask {
                keys[hole] = keys[at]
                keys[at] = 0
                hole = at
            }
        }
    }
}
