import Crypto
import Glibc
import Testing

@testable import Guard

/// A store of subjects' keys in a directory of its own.
struct SubjectScratch {
    let scratch = Scratch()
    var directory: String { scratch.file("subjects") }
    var chunk: String { "\(directory)/00000000.chunk" }
    var list: String { "\(directory)/erased" }

    func owner(create: Bool = true, _ master: MasterKey = masterKey(), previous: MasterKey? = nil) throws -> SubjectKeys {
        try SubjectKeys(directory: directory, master: master, previous: previous, access: .owner(create: create))
    }

    func reader(_ master: MasterKey = masterKey(), previous: MasterKey? = nil) throws -> SubjectKeys {
        try SubjectKeys(directory: directory, master: master, previous: previous, access: .reader)
    }

    func read(_ path: String) -> [UInt8] { (try? PrivateFile.read(path, maximumBytes: 4_000_000)) ?? [] }

    func put(_ path: String, _ bytes: [UInt8]) {
        unlink(path)
        try? PrivateFile.write(path, bytes)
    }

    /// In place, as a damaged disk or a hand would.
    func poke(_ path: String, at offset: Int, _ bytes: [UInt8]) {
        let descriptor = open(path, O_WRONLY)
        #expect(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        close(descriptor)
    }

    func peek(_ path: String, at offset: Int, _ count: Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        #expect(pread(descriptor, &bytes, count, offset) == count)
        return bytes
    }
}

func place(_ number: UInt32) -> Int { SubjectChunk.offset(ofSlot: Int(number & 0xFFFF)) }

/// SplitMix64: the same run for the same seed.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Keys are compared as secrets are; the product needs no such comparison.
func == (one: SubjectLookup, other: SubjectLookup) -> Bool {
    switch (one, other) {
    case (.key(let one), .key(let other)): one.number == other.number && one.symmetric == other.symmetric
    case (.erased, .erased), (.unknown, .unknown), (.damaged, .damaged): true
    default: false
    }
}
