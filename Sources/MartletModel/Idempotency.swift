/// An idempotency key as its source gave it, with what tells whether two requests under it are the same. The scope of a key is the
/// source, the operation, and in a batch the line.
public struct Idempotency: Equatable, Sendable {
    public enum Operation: UInt8, CaseIterable, Sendable {
        case submit = 1
        /// One line of a batch whose key it shares.
        case batch = 2
        case event = 3
        /// One line of a batch of events.
        case eventBatch = 4
    }

    public var operation: Operation
    /// 1...`keyMaximum` printable ASCII characters.
    public var key: String
    /// Ordinal of the line in its batch, from 0.
    public var line: UInt32
    /// First 128 bits of the SHA-256 of the body's bytes as they came.
    public var bodyHigh: UInt64
    public var bodyLow: UInt64

    public static let keyMaximum = 255
    /// Microseconds for which a key and its answer are kept.
    public static let kept: Int64 = 86_400_000_000

    public init(operation: Operation, key: String, line: UInt32 = 0, bodyHigh: UInt64, bodyLow: UInt64) {
        self.operation = operation
        self.key = key
        self.line = line
        self.bodyHigh = bodyHigh
        self.bodyLow = bodyLow
    }

    /// 1...255 characters from space to tilde.
    public static func isKey(_ text: String) -> Bool {
        (1...keyMaximum).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}
