import Glibc

/// Reads just enough of an HTTP/1.1 answer to know its status and where it ends.
enum Answer: Equatable {
    case incomplete
    /// `length`: octets of head and body; `closing`: the server will not take another request on this connection.
    case complete(status: Int, length: Int, closing: Bool)
    case malformed

    static func read(_ bytes: UnsafeRawBufferPointer) -> Answer {
        guard bytes.count >= 16, let start = bytes.baseAddress else { return .incomplete }
        guard memcmp(start, "HTTP/1.", 7) == 0 else { return .malformed }
        var status = 0
        for place in 9..<12 {
            guard bytes[place] >= 48, bytes[place] <= 57 else { return .malformed }
            status = status * 10 + Int(bytes[place] - 48)
        }
        var length: Int?
        var chunked = false
        var closing = bytes[7] == 48
        var head = 0
        // Line by line; the empty one ends the head.
        while head == 0 || bytes[head] != 13 {
            guard let newline = memchr(start + head, 10, bytes.count - head) else {
                return head > 65_536 ? .malformed : .incomplete
            }
            head = UnsafeRawPointer(newline) - start + 1
            guard bytes.count >= head + 2 else { return .incomplete }
            let rest = bytes.count - head
            let first = bytes[head] | 0x20
            if first == 0x63 {
                if rest > 15, same(start + head, "content-length:", 15) {
                    length = decimal(UnsafeRawBufferPointer(rebasing: bytes[(head + 15)...]))
                }
                if rest > 17, same(start + head, "connection: close", 17) { closing = true }
            } else if first == 0x74, rest > 26, same(start + head, "transfer-encoding: chunked", 26) {
                chunked = true
            }
        }
        head += 2
        if chunked {
            let body = UnsafeRawBufferPointer(rebasing: bytes[head...])
            guard body.suffix(5).elementsEqual([48, 13, 10, 13, 10]) else { return .incomplete }
            return .complete(status: status, length: bytes.count, closing: closing)
        }
        // An answer without a length has no body here: 204, or an error without words.
        let total = head + (length ?? 0)
        return bytes.count >= total ? .complete(status: status, length: total, closing: closing) : .incomplete
    }

    private static func same(_ bytes: UnsafeRawPointer, _ word: StaticString, _ count: Int) -> Bool {
        word.utf8Start.withMemoryRebound(to: CChar.self, capacity: count) { word in
            strncasecmp(bytes.assumingMemoryBound(to: CChar.self), word, count) == 0
        }
    }

    /// Digits after optional spaces; stops at the first other byte, and before a number that no body here can have.
    private static func decimal(_ bytes: UnsafeRawBufferPointer) -> Int {
        var value = 0
        for byte in bytes.drop(while: { $0 == 32 }) {
            guard byte >= 48, byte <= 57, value < 1 << 30 else { break }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }
}
