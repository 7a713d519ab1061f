import Glibc
public import Guard
import MartletStore
import SQL

/// Hands the head of the audit outside, signed: who cuts the chain's end or writes it anew here cannot change what stands there.
public actor AuditCheckpoints {
    private let desk: Desk
    private let signer: AuditCheckpointSigner
    private let file: String?
    private var last: UInt64 = 0

    /// - Parameter file: to which lines are added; nil: whoever calls has the lines alone.
    public init(_ desk: Desk, signer: AuditCheckpointSigner, file: String?) {
        self.desk = desk
        self.signer = signer
        self.file = file
    }

    /// Whether lines go anywhere but to the caller.
    nonisolated var areKeptOutside: Bool { file != nil }

    /// The line for the head where it moved since the last one, and then in the file, synced. A line that did not get there is made again
    /// the next time.
    /// - Throws: `DeskFault`.
    public func make() async throws(DeskFault) -> (line: String, sequence: UInt64)? {
        do {
            let chain = try await desk.store.read { session in
                try AuditChain(name: try AuditTrail.chain(session), head: try AuditTrail.head(session))
            }
            guard chain.head.sequence != last, chain.head.sequence > 0 else { return nil }
            let line = try signer.line(chain, time: desk.now())
            if let file { try AuditCheckpoints.append(line, to: file) }
            last = chain.head.sequence
            return (line, chain.head.sequence)
        } catch {
            throw DeskFault.of(error)
        }
    }

    /// Adds one line, durable when this returns. A file whose last line was cut off in a crash goes on with a new one.
    static func append(_ line: String, to path: String) throws(DeskFault) {
        let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failed("open") }
        defer { close(file) }
        var last: UInt8 = 0x0A
        let size = lseek(file, 0, SEEK_END)
        if size > 0 { _ = pread(file, &last, 1, size - 1) }
        let bytes = Array((last == 0x0A ? "" : "\n").utf8) + Array(line.utf8) + [0x0A]
        // One call: lines of two writers never mix.
        guard write(file, bytes, bytes.count) == bytes.count else { throw failed("write") }
        guard fsync(file) == 0 else { throw failed("fsync") }
    }

    private static func failed(_ step: String) -> DeskFault {
        .broken("audit.checkpoints: the file cannot be written (\(step): \(String(cString: strerror(errno))))")
    }
}
