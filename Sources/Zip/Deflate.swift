import CZlib

/// Raw deflate (RFC 1951) by zlib, a whole text at once.
enum Deflate {
    private static let rawWindow: Int32 = -15
    private static let streamSize = Int32(MemoryLayout<z_stream>.size)

    static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
        let all = Array(bytes)
        return UInt32(truncatingIfNeeded: crc32(0, all, UInt32(clamping: all.count)))
    }

    /// Nil: packed it is no smaller, or zlib has no memory; then it is stored.
    static func pack(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard deflateInit2_(&stream, 6, Z_DEFLATED, rawWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, streamSize) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        var out = [UInt8](repeating: 0, count: bytes.count)
        guard run(&stream, bytes[...], &out, { deflate(&$0, Z_FINISH) }) == Z_STREAM_END else { return nil }
        out.removeLast(Int(stream.avail_out))
        return out.count < bytes.count ? out : nil
    }

    /// - Parameter size: of the result, as the archive says it.
    /// - Returns: nil when it is no deflated text of exactly this size. Never more memory than `size`.
    static func unpack(_ bytes: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, rawWindow, ZLIB_VERSION, streamSize) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        // One byte more than it should be: what is longer is found by it.
        var out = [UInt8](repeating: 0, count: size + 1)
        guard run(&stream, bytes, &out, { inflate(&$0, Z_FINISH) }) == Z_STREAM_END, stream.avail_out == 1, stream.avail_in == 0 else {
            return nil
        }
        out.removeLast()
        return out
    }

    private static func run(
        _ stream: inout z_stream, _ bytes: ArraySlice<UInt8>, _ out: inout [UInt8], _ step: (inout z_stream) -> Int32
    ) -> Int32 {
        bytes.withUnsafeBufferPointer { input in
            out.withUnsafeMutableBufferPointer { output in
                // zlib does not write to what it reads; its header knows no const.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                stream.avail_in = UInt32(clamping: input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(clamping: output.count)
                return step(&stream)
            }
        }
    }
}
