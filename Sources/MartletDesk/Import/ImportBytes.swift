import Glibc
import Guard

/// What an import reads from, at any place.
protocol ImportBytes: AnyObject {
    /// Bytes in all.
    var size: Int { get }
    /// When it was last changed, nanoseconds since 1970.
    var changedAt: Int64 { get }
    /// Fills `output` from byte `place` on; fewer bytes where there are no more at hand, 0 only at the end.
    func read(at place: Int, into output: UnsafeMutableRawBufferPointer) -> Result<Int, ImportFault>
}

/// A file as it lies there.
final class PlainBytes: ImportBytes, Sendable {
    let size: Int
    let changedAt: Int64
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(ImportFault) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, reason: String(cString: strerror(errno))) }
        // A pipe could not be read from where an import stood.
        guard status.st_mode & S_IFMT == S_IFREG else { throw .cannotRead(path: path, reason: "it is not a regular file") }
        size = Int(status.st_size)
        changedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    deinit { close(descriptor) }

    func read(at place: Int, into output: UnsafeMutableRawBufferPointer) -> Result<Int, ImportFault> {
        while true {
            let count = pread(descriptor, output.baseAddress, output.count, place)
            if count < 0, errno == EINTR { continue }
            return count < 0 ? .failure(.cannotRead(path: path, reason: String(cString: strerror(errno)))) : .success(count)
        }
    }
}

/// A file of the desk's own folder, as `ImportUpload` sealed it.
final class SealedBytes: ImportBytes {
    let size: Int
    var changedAt: Int64 { file.changedAt }
    private let path: String
    private let file: PlainBytes
    private let seal: FileSeal
    /// The piece that was opened last.
    private var piece: (number: Int, bytes: [UInt8]) = (-1, [])

    /// - Parameter size: bytes before they were sealed.
    init(_ path: String, size: Int, _ seal: FileSeal) throws(ImportFault) {
        self.path = path
        self.size = size
        self.seal = seal
        file = try PlainBytes(path)
        let (whole, rest) = size.quotientAndRemainder(dividingBy: FileSeal.pieceBytes)
        let wanted = whole * FileSeal.sealedBytes + (rest == 0 ? 0 : Sealer.sealedCount(rest))
        guard file.size == wanted else { throw .cannotRead(path: path, reason: "it has \(file.size) bytes instead of \(wanted)") }
    }

    func read(at place: Int, into output: UnsafeMutableRawBufferPointer) -> Result<Int, ImportFault> {
        guard place < size else { return .success(0) }
        let (number, offset) = place.quotientAndRemainder(dividingBy: FileSeal.pieceBytes)
        if number != piece.number {
            do throws(ImportFault) {
                piece = (number, try opened(number))
            } catch {
                return .failure(error)
            }
        }
        let count = min(output.count, piece.bytes.count - offset)
        piece.bytes.withUnsafeBytes { output.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        return .success(count)
    }

    private func opened(_ number: Int) throws(ImportFault) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: Sealer.sealedCount(min(FileSeal.pieceBytes, size - number * FileSeal.pieceBytes)))
        var filled = 0
        while filled < sealed.count {
            let count = try sealed.withUnsafeMutableBytes {
                file.read(at: number * FileSeal.sealedBytes + filled, into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }.get()
            guard count > 0 else { throw .cannotRead(path: path, reason: "it ends within piece \(number)") }
            filled += count
        }
        do throws(SealFault) {
            return try seal.open(sealed, number: number)
        } catch {
            throw .cannotRead(path: path, reason: "piece \(number): \(error)")
        }
    }
}
