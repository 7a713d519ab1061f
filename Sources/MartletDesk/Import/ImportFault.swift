/// Why an import ended before its file did, or was not taken. Names places, never what stands there.
public enum ImportFault: Error, Equatable, Sendable, CustomStringConvertible {
    case cannotRead(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// The first line of a CSV file, or the list of names beside it, is not what it should be.
    case header(reason: String)
    /// More lines were refused than the caller allows. What was read until then is in the store.
    case tooManyErrors(refused: Int, maximum: Int)
    /// Another import of the same file moved on meanwhile.
    case runsElsewhere
    case cancelled
    /// The file has more bytes than `imports.maximumFile`.
    case tooLarge(maximum: Int)
    /// Taking it would leave less than `imports.keepFree` on the disk.
    case noRoom(keepFree: Int)
    /// So many files wait, or come in, as the desk takes.
    case full(reason: String)
    case empty

    public var description: String {
        switch self {
        case .cannotRead(let path, let reason): "\(path) cannot be read: \(reason)"
        case .cannotWrite(let path, let reason): "\(path) cannot be written: \(reason)"
        case .header(let reason): reason
        case .tooManyErrors(let refused, let maximum):
            "\(refused) lines were refused, more than \(maximum); look at the file of errors, correct, and run the import again"
        case .runsElsewhere: "the same file is being imported elsewhere; wait for it"
        case .cancelled: "the import was stopped; run it again and it goes on"
        case .tooLarge(let maximum): "the file is larger than imports.maximumFile, \(maximum) bytes"
        case .noRoom(let keepFree):
            "with the file less than imports.keepFree, \(keepFree) bytes, would be free on the disk of the data directory"
        case .full(let reason): reason
        case .empty: "the file is empty"
        }
    }
}
