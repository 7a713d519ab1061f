import Dispatch
import MartletLocal
import MartletModel
import Synchronization

/// Writes a base file on a thread of its own: it waits for the disk, and ends with sorting an index of all customers.
final class BaseWriter: Sendable {
    private let queue = DispatchQueue(label: "martlet.desk.base")
    private let builder: Mutex<BaseBuilder?>

    init(_ directory: String, _ description: BaseBuilder.Description) throws(LocalFault) {
        builder = Mutex(try BaseBuilder(directory, description))
    }

    func add(_ images: [CustomerImage]) async throws {
        try await onThread { builder in
            for image in images {
                try image.clear.withUnsafeBytes { clear in
                    try image.sealed.withUnsafeBytes { sealed in
                        try builder?.add(
                            subject: image.subject, reference: image.reference, addresses: image.addresses, clear: clear, sealed: sealed)
                    }
                }
            }
        }
    }

    /// - Throws: also when it was called before.
    func finish() async throws -> BaseBuilder.Summary {
        try await onThread { builder in
            guard let whole = builder.take() else { throw LocalFault.tooLarge(limit: "one ending") }
            return try whole.finish()
        }
    }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable (inout BaseBuilder?) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.builder.withLock { try body(&$0) } }) }
        }
    }
}
