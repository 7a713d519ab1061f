import CJournal

/// CRC-32C (Castagnoli) for files that others keep beside the journal, by the processor's instruction where it has one.
public enum Checksum {
    /// - Parameter seed: the checksum of what stands before, or anything that the bytes shall belong to; 0 to begin.
    public static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guard let start = bytes.baseAddress else { return seed }
        return cj_crc32c(seed, start, bytes.count)
    }

    /// The checksum of a word, as a seed: bytes seeded with it belong to that word's place.
    public static func seed(_ word: UInt64) -> UInt32 { cj_crc32c_word(0, word) }
}
