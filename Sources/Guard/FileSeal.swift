import Crypto

/// Seals a file that waits in the data directory, piece by piece, so that it can be read from any place on.
///
/// Each piece but the last holds `pieceBytes`; it is sealed with its number and the file's, so pieces of one file can be neither swapped nor put into
/// another. That the end was not cut off is for the file's owner to know: by its length.
public struct FileSeal: Sendable {
    /// Bytes of a piece before it is sealed.
    public static let pieceBytes = 256 << 10
    /// Bytes of a whole piece in the file.
    public static let sealedBytes = Sealer.sealedCount(pieceBytes)

    private let key: DataKey
    private let file: UInt64

    init(_ key: DataKey, file: UInt64) {
        self.key = key
        self.file = file
    }

    /// - Parameters:
    ///   - piece: at most `pieceBytes`.
    ///   - number: from 0.
    ///   - sealer: the file's own.
    public func seal(_ piece: [UInt8], number: Int, _ sealer: inout Sealer) throws(SealFault) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: Sealer.sealedCount(piece.count))
        // Closures of the standard library forget which errors their bodies throw.
        var fault: SealFault?
        sealed.withUnsafeMutableBytes { output in
            piece.withUnsafeBytes { piece in
                do throws(SealFault) {
                    _ = try sealer.seal(piece, context: context(number), key: key, into: output)
                } catch {
                    fault = error
                }
            }
        }
        if let fault { throw fault }
        return sealed
    }

    public func open(_ sealed: [UInt8], number: Int) throws(SealFault) -> [UInt8] {
        var result: Result<[UInt8], SealFault> = .success([])
        sealed.withUnsafeBytes { sealed in
            do throws(SealFault) {
                result = .success(try Sealer.open(sealed, context: context(number), key: key))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    private func context(_ number: Int) -> SealContext { SealContext(high: file, low: UInt64(number), kind: 4) }
}

extension KeyStore {
    /// - Parameter file: a number that no other file of this installation has.
    public func fileSeal(of file: UInt64) -> FileSeal { FileSeal(fileKey, file: file) }
}
