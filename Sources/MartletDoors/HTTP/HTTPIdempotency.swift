import Guard
import MartletModel
import NIOCore

extension Submission {
    /// The same under an idempotency key, with the bytes that it was read from; without a key, as it is.
    func keyed(_ key: String?, _ operation: Idempotency.Operation, line: UInt64 = 0, body: ByteBuffer) -> Submission {
        guard let key else { return self }
        let digest = body.withUnsafeReadableBytes { BodyDigest.first128($0) }
        var keyed = self
        keyed.idempotency = Idempotency(
            operation: operation, key: key, line: UInt32(truncatingIfNeeded: line), bodyHigh: digest.high, bodyLow: digest.low)
        return keyed
    }
}
