import Glibc
public import MartletModel

/// Why a file of the local copy is not used, or a change not taken. Names the file and the remedy, and nothing of a customer but the subject.
public enum LocalFault: Error, Equatable, Sendable, CustomStringConvertible {
    case disk(path: String, step: String, code: Int32)
    /// Its header was never written: the one who wrote it did not come to the end.
    case unfinished(path: String)
    /// Not what was written; `place` says where it was noticed.
    case damaged(path: String, place: String)
    case newer(path: String, version: UInt16)
    /// Its hashes were made with another key: nobody would be found.
    case foreign(path: String)
    /// Two customers with one reference.
    case duplicateReference(SubjectNumber, SubjectNumber)
    case record(subject: SubjectNumber, CustomerFault)
    /// A base file holds no more.
    case tooLarge(limit: String)
    /// The overlay holds all it may.
    case full(limit: String)
    /// A customer has as many devices, or facts, as the overlay keeps of one.
    case tooManyFacts(subject: SubjectNumber, limit: Int)

    public var description: String {
        switch self {
        case .disk(let path, let step, let code): "\(path): \(step) failed: \(String(cString: strerror(code)))"
        case .unfinished(let path): "\(path) was not written to its end; write it again"
        case .damaged(let path, let place): "\(path) is damaged (\(place)); write it again"
        case .newer(let path, let version): "\(path) has format \(version), which this version does not know; install the newer one"
        case .foreign(let path): "\(path) was made with another hash key; write it again with this installation's"
        case .duplicateReference(let one, let other): "customers \(one) and \(other) have the same reference; one of them must go"
        case .record(let subject, let fault): "customer \(subject): \(fault)"
        case .tooLarge(let limit): "a base file holds at most \(limit)"
        case .full(let limit): "the overlay is full (\(limit)); write the next base file, and try again after it"
        case .tooManyFacts(let subject, let limit): "customer \(subject) has \(limit) facts since the base file; write the next one"
        }
    }
}
