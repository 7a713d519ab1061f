/// Between two raw positions of the log.
enum LogDistance {
    /// Bytes at most: a segment counts whole, however much of it is written. 0: backwards.
    static func bytes(from: UInt64, to: UInt64, segmentSize: Int) -> UInt64 {
        guard to > from else { return 0 }
        let forward = ((to >> 32) - (from >> 32)) * UInt64(segmentSize) + (to & 0xFFFF_FFFF)
        return forward - min(forward, from & 0xFFFF_FFFF)
    }
}
