import Crypto
import Glibc

extension KeyStore {
    /// Wraps every file of a store that nobody has open by another master key; the keys themselves stay. Interrupted, it is called again and
    /// goes on; until it has ended the store opens with neither key, for the file `rewrap` stands in it.
    /// - Parameter progress: files done, files in all.
    public static func rewrap(
        directory: String, from old: MasterKey, to new: MasterKey, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) throws(KeyStoreFault) {
        let mark = "\(directory)/\(rewrapName)"
        let names = try listed(directory)
        guard names.contains("check") else { throw .missing(directory: directory) }
        if !names.contains(rewrapName) {
            // Proves the old key before anything is changed. The new one alone: it has been done.
            if (try? readCheck(directory, new)) == true { return }
            _ = try readCheck(directory, old)
            try replaceDurably(mark, try WrappedLine.make(rewrapWords(old, new), SymmetricKey(size: .bits256), master: new))
        } else if try read(mark, new, { $0.line == rewrapWords(old, new) }) == nil {
            throw .incomplete(directory: directory, file: rewrapName)
        }
        let files = names.filter { KeyName.id(fileName: $0) != nil || ["seed", "next", "check"].contains($0) }
        for (done, name) in files.enumerated() {
            try rewrap("\(directory)/\(name)", old, new)
            progress(done + 1, files.count)
        }
        try sync(directory)
        guard unlink(mark) == 0 else { throw .cannotWrite(path: mark, reason: String(cString: strerror(errno))) }
        try sync(directory)
    }

    static let rewrapName = "rewrap"

    private static func rewrapWords(_ old: MasterKey, _ new: MasterKey) -> String {
        "martlet-rewrap v1 \(old.idText) \(new.idText)"
    }

    /// One file; one that is wrapped by the new key, or is damaged, stays as it is. A damaged one is named when the store is opened.
    private static func rewrap(_ path: String, _ old: MasterKey, _ new: MasterKey) throws(KeyStoreFault) {
        guard let bytes = try bytes(path), let (words, line, sealed) = WrappedLine.split(bytes),
            let secret = WrappedLine.open(sealed, line: line, master: old)
        else { return }
        // The check says in its words which key it proves.
        let kept = line.hasPrefix(checkWords) && words.count == 3 ? "\(checkWords) \(new.idText)" : line
        try replace(path, try WrappedLine.make(kept, secret, master: new))
    }
}
