import Guard
import MartletModel
import NIOCore

extension Idempotency {
    /// A key with the bytes that came under it; nil without a key.
    init?(_ key: String?, _ operation: Operation, line: UInt64, body: ByteBuffer) {
        guard let key else { return nil }
        let digest = body.withUnsafeReadableBytes { BodyDigest.first128($0) }
        self.init(
            operation: operation, key: key, line: UInt32(truncatingIfNeeded: line), bodyHigh: digest.high, bodyLow: digest.low)
    }
}

extension Submission {
    /// The same under an idempotency key, with the bytes that it was read from; without a key, as it is.
    func keyed(_ key: String?, _ operation: Idempotency.Operation, line: UInt64 = 0, body: ByteBuffer) -> Submission {
        guard key != nil else { return self }
        var keyed = self
        keyed.idempotency = Idempotency(key, operation, line: line, body: body)
        return keyed
    }
}
