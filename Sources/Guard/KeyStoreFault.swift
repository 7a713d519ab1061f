/// Why the key store refused. The description names the reason and the remedy.
public enum KeyStoreFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The store was made with another master key; both ids are eight hexadecimal digits.
    case wrongMasterKey(directory: String, expected: String, given: String)
    /// There is no key store here, and none was to be made.
    case missing(directory: String)
    /// A file that belongs to every store is not there.
    case incomplete(directory: String, file: String)
    /// A file does not hold what was written: a flipped bit, or a hand.
    case damaged(path: String)
    case unreadable(path: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// Opened for reading beside a running node.
    case readOnly(directory: String)
    /// All 2^31 key numbers are used.
    case exhausted(directory: String)
    /// A change of the master key was interrupted.
    case rewrapping(directory: String)
    /// A backup is never written over something.
    case exists(path: String)
    /// Keys of two installations are never mixed, nor keys of which nobody can say that they are of one.
    case otherInstallation(directory: String, backup: String)
    /// The library refused; with a 32-byte key this does not happen.
    case cipher

    public var description: String {
        switch self {
        case .wrongMasterKey(let directory, let expected, let given):
            "key store: \(directory) belongs to master key \(expected), given was \(given); name the right key file in keys.master"
        case .missing(let directory):
            "key store: \(directory) does not exist though the data directory is in use; restore it from its backup"
        case .incomplete(let directory, let file):
            "key store: \(directory)/\(file) is missing; restore the key store from its backup"
        case .damaged(let path):
            "key store: \(path) is damaged; restore it from its backup"
        case .unreadable(let path, let reason):
            "key store: \(path) cannot be read (\(reason)); give the user that runs Martlet the right to read it"
        case .cannotWrite(let path, let reason):
            "key store: \(path) cannot be written (\(reason)); free space, or correct the rights of the directory"
        case .readOnly(let directory):
            "key store: \(directory) was opened for reading; only the node makes or destroys keys"
        case .exhausted(let directory):
            "key store: \(directory) has used every key number; start a new data directory"
        case .rewrapping(let directory):
            "key store: in \(directory) a change of the master key was interrupted; end it with both master keys"
        case .exists(let path):
            "key store: \(path) exists; name a directory that does not"
        case .otherInstallation(let directory, let backup):
            "key store: \(directory) and \(backup) are of two installations, or nothing that opens shows that they are of one; name its own "
                + "backup, or move \(directory) away to have that of this one"
        case .cipher:
            "key store: the cipher refused to wrap a key"
        }
    }
}
