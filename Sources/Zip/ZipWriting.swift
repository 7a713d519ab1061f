extension Zip {
    /// An archive of these files, in their order. The same files always make the same bytes: all of them are of 1 January 1980, when the format's
    /// time begins.
    public static func write(_ entries: [Entry], _ limits: Limits = Limits()) throws(ZipFault) -> [UInt8] {
        guard entries.count <= min(limits.entries, 0xFFFE) else { throw .tooManyEntries(limits.entries) }
        guard entries.reduce(0, { $0 + $1.bytes.count }) <= limits.bytes else { throw .tooLarge(bytes: limits.bytes) }
        var (out, directory): ([UInt8], [UInt8]) = ([], [])
        var names: Set<String> = []
        for entry in entries {
            if let problem = problem(ofName: entry.name) { throw .entry(entry.name, problem) }
            guard names.insert(entry.name).inserted else { throw .entry(entry.name, "the name stands there twice") }
            let at = out.count
            let packed = Deflate.pack(entry.bytes)
            let contents = packed ?? entry.bytes
            var common: [UInt8] = []
            // Version 2.0 reads it; names are UTF-8 (4.4.4, bit 11); method, time, date, checksum, sizes, lengths of name and extra field.
            for half in [20, 0x800, packed == nil ? 0 : 8, 0, 0x21] as [UInt16] { append(half, to: &common) }
            for word in [Deflate.checksum(entry.bytes), UInt32(contents.count), UInt32(entry.bytes.count)] { append(word, to: &common) }
            for half in [UInt16(entry.name.utf8.count), 0] { append(half, to: &common) }
            append(local, to: &out)
            out += common
            out += entry.name.utf8
            out += contents
            append(central, to: &directory)
            // Made on Unix, so that the mode counts: a plain file, read by all.
            append(UInt16(3 << 8 | 20), to: &directory)
            directory += common
            for half in [0, 0, 0] as [UInt16] { append(half, to: &directory) }
            append(UInt32(0o100644) << 16, to: &directory)
            append(UInt32(at), to: &directory)
            directory += entry.name.utf8
        }
        let start = out.count
        out += directory
        append(end, to: &out)
        for half in [0, 0, UInt16(entries.count), UInt16(entries.count)] as [UInt16] { append(half, to: &out) }
        for word in [UInt32(directory.count), UInt32(start)] { append(word, to: &out) }
        append(UInt16(0), to: &out)
        // Names and headers count too: what is written can be read.
        guard out.count <= limits.bytes else { throw .tooLarge(bytes: limits.bytes) }
        return out
    }

    private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { out.append(contentsOf: $0) }
    }
}
