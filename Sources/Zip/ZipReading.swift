extension Zip {
    /// All files of an archive, in its order; folders are left out.
    /// - Throws: the first reason why it is not taken. Nothing of it is believed that does not fit together: sizes, checksums, names.
    public static func read(_ bytes: [UInt8], _ limits: Limits = Limits()) throws(ZipFault) -> [Entry] {
        guard bytes.count <= limits.bytes else { throw .tooLarge(bytes: limits.bytes) }
        var reading = ZipReading(bytes: bytes, limits: limits)
        return try reading.entries()
    }
}

private struct ZipReading {
    let bytes: [UInt8]
    let limits: Zip.Limits
    private var left: Int
    private var names: Set<String> = []
    /// Where the packed bytes of files stand that were read.
    private var taken: [Range<Int>] = []

    init(bytes: [UInt8], limits: Zip.Limits) {
        (self.bytes, self.limits) = (bytes, limits)
        left = limits.bytes
    }

    /// One line of the directory at the end (APPNOTE 4.3.12).
    private struct Line {
        var name: String
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var packed: Int
        var size: Int
        var mode: UInt32
        var at: Int
    }

    mutating func entries() throws(ZipFault) -> [Zip.Entry] {
        let (count, directory) = try directory()
        guard count <= limits.entries else { throw .tooManyEntries(limits.entries) }
        var entries: [Zip.Entry] = []
        var at = directory.lowerBound
        for _ in 0..<count {
            let (line, next) = try line(at, directory.upperBound)
            at = next
            try check(line)
            // A folder has no bytes of its own.
            if line.name.hasSuffix("/") { continue }
            entries.append(Zip.Entry(name: line.name, bytes: try contents(line, before: directory.lowerBound)))
        }
        guard at == directory.upperBound else { throw .damaged("its directory has another length than it says") }
        taken.sort { $0.lowerBound < $1.lowerBound }
        for (one, next) in zip(taken, taken.dropFirst()) where one.upperBound > next.lowerBound {
            throw .damaged("files lie over each other")
        }
        return entries
    }

    /// The record at the very end (4.3.16), behind which a comment of up to 65,535 bytes may stand.
    private func directory() throws(ZipFault) -> (count: Int, Range<Int>) {
        let isBegun = bytes.count >= 4 && (word(0) == Zip.local || word(0) == Zip.end)
        guard isBegun else { throw .notAnArchive }
        var end = bytes.count - 22
        let last = max(0, end - 65_535)
        while end >= last {
            if word(end) == Zip.end, end + 22 + Int(half(end + 20)) == bytes.count { break }
            end -= 1
        }
        guard end >= last else { throw .truncated }
        let (count, size, start) = (Int(half(end + 10)), Int(word(end + 12)), Int(word(end + 16)))
        guard count != 0xFFFF, size != 0xFFFF_FFFF, start != 0xFFFF_FFFF else { throw .unsupported("Zip64") }
        guard half(end + 4) == 0, half(end + 6) == 0, Int(half(end + 8)) == count else { throw .unsupported("an archive of several parts") }
        guard start + size == end else { throw .damaged("its directory is not where it says") }
        return (count, start..<end)
    }

    private func line(_ at: Int, _ end: Int) throws(ZipFault) -> (Line, next: Int) {
        guard at + 46 <= end, word(at) == Zip.central else { throw .damaged("its directory cannot be read") }
        let (name, extra, comment) = (Int(half(at + 28)), Int(half(at + 30)), Int(half(at + 32)))
        let next = at + 46 + name + extra + comment
        guard next <= end else { throw .damaged("its directory cannot be read") }
        let flags = half(at + 8)
        guard let text = String(validating: bytes[(at + 46)..<(at + 46 + name)], as: UTF8.self),
            flags & 0x800 != 0 || text.utf8.allSatisfy({ $0 < 128 })
        else { throw .damaged("a name in it is not UTF-8") }
        // Only what was made on Unix says whether it is a link (4.4.2.2, 4.4.15).
        let mode = half(at + 4) >> 8 == 3 ? word(at + 38) >> 16 : 0
        let line = Line(
            name: text, flags: flags, method: half(at + 10), checksum: word(at + 16), packed: Int(word(at + 20)), size: Int(word(at + 24)),
            mode: mode, at: Int(word(at + 42)))
        return (line, next)
    }

    private mutating func check(_ line: Line) throws(ZipFault) {
        if let problem = Zip.problem(ofName: line.name) { throw .entry(line.name, problem) }
        guard names.insert(line.name).inserted else { throw .entry(line.name, "the name stands there twice") }
        guard line.mode & 0o170000 != 0o120000 else { throw .entry(line.name, "it is a link") }
        guard line.flags & 1 == 0 else { throw .entry(line.name, "it is encrypted") }
        guard line.method == 0 || line.method == 8 else {
            throw .entry(line.name, "it is packed by method \(line.method); deflate and none are read")
        }
        guard line.size <= left else { throw .tooLarge(bytes: limits.bytes) }
        left -= line.size
    }

    private mutating func contents(_ line: Line, before end: Int) throws(ZipFault) -> [UInt8] {
        // The file's own header (4.3.7) says the name once more, and where its bytes begin. Its sizes may stand behind them (4.4.4, bit 3).
        guard line.at + 30 <= end, word(line.at) == Zip.local else { throw .entry(line.name, "it is not where the archive says") }
        let name = line.at + 30
        let begin = name + Int(half(line.at + 26)) + Int(half(line.at + 28))
        guard begin + line.packed <= end else { throw .entry(line.name, "it is cut off") }
        guard bytes[name..<(name + Int(half(line.at + 26)))].elementsEqual(line.name.utf8), half(line.at + 8) == line.method else {
            throw .entry(line.name, "its own header says something else than the archive's directory")
        }
        taken.append(line.at..<(begin + line.packed))
        let packed = bytes[begin..<(begin + line.packed)]
        let contents = line.method == 0 ? (line.packed == line.size ? Array(packed) : nil) : Deflate.unpack(packed, size: line.size)
        guard let contents, Deflate.checksum(contents) == line.checksum else { throw .entry(line.name, "it is damaged") }
        return contents
    }

    // Little-endian; whoever asks has looked whether there are so many bytes.
    private func half(_ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    private func word(_ at: Int) -> UInt32 { UInt32(half(at)) | UInt32(half(at + 2)) << 16 }
}
