/// Why the store of subjects' keys refused. The description names the reason and the remedy.
public enum SubjectKeyFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Ids of master keys, eight hexadecimal digits.
    case wrongMasterKey(path: String, expected: String, given: String)
    case missing(directory: String)
    /// A file that belongs to every store is not there.
    case incomplete(directory: String, file: String)
    case damaged(path: String, reason: String)
    case unreadable(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// Opened for reading beside its owner.
    case readOnly(directory: String)
    /// Another process owns it.
    case inUse(directory: String)
    /// All numbers are used.
    case exhausted(directory: String)
    case batchSize(given: Int, maximum: Int)
    /// A number that was never given out cannot be erased.
    case unknownNumber(UInt32)
    /// A backup is never written over something.
    case exists(path: String)
    /// The list of erasures outside has entries that the one here lacks.
    case copyDiffers(list: String, copy: String)
    /// The library refused; with keys of the right length this does not happen.
    case cipher

    public var description: String {
        switch self {
        case .wrongMasterKey(let path, let expected, let given):
            "subject keys: \(path) is wrapped by master key \(expected), given was \(given); name the right key file, "
                + "and during a change of the master key both"
        case .missing(let directory): "subject keys: \(directory) holds none; restore them from their backup"
        case .incomplete(let directory, let file): "subject keys: \(directory)/\(file) is missing; restore the keys from their backup"
        case .damaged(let path, let reason): "subject keys: \(path) is damaged (\(reason)); restore the keys from their backup"
        case .unreadable(let path, let reason):
            "subject keys: \(path) cannot be read (\(reason)); give the user that runs Martlet the right to read it"
        case .cannotWrite(let path, let reason):
            "subject keys: \(path) cannot be written (\(reason)); free space, or correct the rights of the directory"
        case .readOnly(let directory): "subject keys: \(directory) was opened for reading; only the desk makes or erases keys"
        case .inUse(let directory): "subject keys: \(directory) belongs to a running process; stop it first"
        case .exhausted(let directory): "subject keys: \(directory) has used every number; start a new store"
        case .batchSize(let given, let maximum): "subject keys: a batch of \(given) was asked for; ask for 1 to \(maximum)"
        case .unknownNumber(let number): "subject keys: number \(number) was never given out"
        case .exists(let path): "subject keys: \(path) exists; name a directory that does not"
        case .copyDiffers(let list, let copy):
            "subject keys: \(copy) has erasures that are missing in \(list); stop the desk and run martlet keys restore with --erased \(copy), or, "
                + "where the keys were given up, name another file in keys.erasures"
        case .cipher: "subject keys: the cipher refused to wrap a key"
        }
    }
}

/// Something that is not as it was written, with its place. Everything else goes on working.
public enum SubjectKeyFinding: Equatable, Sendable, CustomStringConvertible {
    /// The slot of this number holds something that is no key of this number: a flipped bit, a swap, or the rest of a write that power cut
    /// short before the number was given out.
    case damagedKey(UInt32)
    /// Slots in a row that hold nothing though later numbers were given out: overwritten with zeros, or a write that power cut short.
    case emptySlots(from: UInt32, through: UInt32)
    /// The key was on the list of erasures and still there; in the owner, the erasure has been finished.
    case unfinishedErasure(UInt32)
    /// The slot says erased and the list does not: one of the two was overwritten. It stays erased.
    case unlistedErasure(UInt32)
    /// A file of slots is not there; in the owner, an empty one took its place.
    case missingChunk(path: String)
    /// A file of slots is shorter than it was; in the owner, zeros took the place of what is missing.
    case shortChunk(path: String, bytes: Int)
    /// The head of a file of slots is not what was written; its slots are read all the same.
    case damagedHeader(path: String)
    /// An entry of the list of erasures, counted from 0, is not what was written.
    case damagedErasure(entry: Int)
    /// The list of erasures ends in the beginning of an entry: that erasure was never acknowledged. In the owner, the rest of it is gone.
    case cutErasure(entry: Int)

    public var description: String {
        switch self {
        case .damagedKey(let number): "the key of subject \(number) is damaged"
        case .emptySlots(let from, let through):
            from == through ? "subject \(from) has no key" : "subjects \(from) to \(through) have no keys"
        case .unfinishedErasure(let number): "the erasure of subject \(number) was not finished"
        case .unlistedErasure(let number): "subject \(number) is erased, but not on the list of erasures"
        case .missingChunk(let path): "\(path) is missing"
        case .shortChunk(let path, let bytes): "\(path) was cut to \(bytes) bytes"
        case .damagedHeader(let path): "the head of \(path) is damaged"
        case .damagedErasure(let entry): "entry \(entry) of the list of erasures is damaged"
        case .cutErasure(let entry): "entry \(entry), the last of the list of erasures, was cut short; it was never acknowledged"
        }
    }
}
