import Crypto
import Glibc
import Synchronization

/// The data keys of an installation, in a directory of its own: `DATA/keys`.
///
/// | file | holds |
/// |---|---|
/// | `check` | proof of the master key, read before anything else |
/// | `seed` | 32 random bytes from which the installation's hash keys are derived |
/// | `next` | first key number not yet given out; written before a number is used, so none comes twice |
/// | `<id>.key` | one data key, of one class and one day |
///
/// Each is one line wrapped by the master key (`WrappedLine`). A file is written beside its place, synced and renamed; a key is given out only
/// after its directory entry is synced too. Safe to use from any thread; a look-up never waits for the disk work of another.
public final class KeyStore: Sendable {
    public enum Access: Sendable {
        /// The node: makes and destroys keys. `create` also makes a store where there is none.
        case owner(create: Bool)
        /// A tool beside a running node: opens what is there and writes nothing.
        case reader
    }

    public let directory: String
    /// Key of the hash that maps an address to its partition.
    public let partitionHashKey: Secret
    /// Key of the hash by which addresses and customers are looked up.
    public let lookupHashKey: Secret
    /// Keys of the hashes that stand in SQL columns and local files in the place of what they hash, one for each kind of value: so nobody can
    /// join one column with another, and a customer's reference that looks like a number is not that number.
    public let customerHashKey: Secret
    public let phoneHashKey: Secret
    public let emailHashKey: Secret
    /// Key of the hash by which an event finds what a customer connected for one account or card.
    public let scopeHashKey: Secret
    /// Key of the tokens with which the bank's app acts for one customer.
    public let customerTokenKey: Secret
    /// From which `RowMAC` derives a key for each table.
    public let rowKey: Secret
    /// Seals files that wait in the data directory for the desk. Its number stands nowhere.
    let fileKey: DataKey
    /// Files that could not be read as keys when the store was opened. What they sealed stays closed; everything else works.
    public let damage: [KeyStoreFault]

    private let master: MasterKey
    private let isOwner: Bool
    /// Unwrapped keys kept in memory at most.
    private let cachedKeys: Int

    private struct Index {
        /// Every key known, by number.
        var names: [UInt32: KeyName] = [:]
        /// The key that new records are sealed with.
        var current: [Place: UInt32] = [:]
        var cache: [UInt32: DataKey] = [:]
        /// Numbers in `cache`, oldest first.
        var order: [UInt32] = []
    }

    private struct Place: Hashable {
        var messageClass: UInt8
        var day: Int32
    }

    /// Never held during disk work.
    private let index: Mutex<Index>
    /// The next key number; held while keys are made or destroyed.
    private let writer: Mutex<UInt32>
    private let destroyed = Atomic<UInt64>(0)

    /// Numbers from here on stand for subjects' keys: `RecordKeyID`.
    static let maximumID: UInt32 = 0x7FFF_FFFF

    /// More files than this are not a key store.
    static let maximumFiles = 200_000
    private static let maximumFileBytes = 256
    static let checkWords = "martlet-key-check v1"
    static let seedWords = "martlet-seed v1"
    private static let nextWords = "martlet-next-key v1"

    /// Grows when a key is destroyed.
    var generation: UInt64 { destroyed.load(ordering: .acquiring) }

    /// Opens the store, after proving the master key against it.
    /// - Parameter cachedKeys: how many unwrapped keys stay in memory; others are unwrapped again when asked for.
    public init(directory: String, master: MasterKey, access: Access, cachedKeys: Int = 4096) throws(KeyStoreFault) {
        self.directory = directory
        self.master = master
        self.cachedKeys = max(64, cachedKeys)
        let mayCreate: Bool
        switch access {
        case .owner(let create): (isOwner, mayCreate) = (true, create)
        case .reader: (isOwner, mayCreate) = (false, false)
        }
        let names = try KeyStore.prepared(directory, master, create: mayCreate, owner: isOwner)
        guard let seed = try KeyStore.read("\(directory)/seed", master, { $0.line == KeyStore.seedWords }) else {
            throw .incomplete(directory: directory, file: "seed")
        }
        partitionHashKey = KeyStore.derived(seed.secret, "martlet partition hash")
        lookupHashKey = KeyStore.derived(seed.secret, "martlet look-up hash")
        customerHashKey = KeyStore.derived(seed.secret, "martlet customer reference hash")
        phoneHashKey = KeyStore.derived(seed.secret, "martlet phone hash")
        emailHashKey = KeyStore.derived(seed.secret, "martlet email hash")
        scopeHashKey = KeyStore.derived(seed.secret, "martlet account and card hash")
        customerTokenKey = KeyStore.derived(seed.secret, "martlet customer tokens")
        rowKey = KeyStore.derived(seed.secret, "martlet row authentication")
        fileKey = DataKey(
            id: 0, messageClass: 0, day: 0,
            symmetric: KeyStore.derived(seed.secret, "martlet waiting files").withBytes { SymmetricKey(data: $0) })
        guard let next = try KeyStore.readNext(directory, master) else { throw .incomplete(directory: directory, file: "next") }

        var loaded = Index()
        var damage: [KeyStoreFault] = []
        var highest: UInt32 = 0
        for id in names.compactMap(KeyName.id(fileName:)).sorted() {
            highest = max(highest, id)
            do {
                guard let (name, key) = try KeyStore.readKey(directory, id, master) else { continue }
                loaded.names[id] = name
                loaded.current[Place(messageClass: name.messageClass, day: name.day)] = id
                KeyStore.keep(key, in: &loaded, limit: self.cachedKeys)
            } catch {
                if try KeyStore.finishedErasing("\(directory)/\(KeyName.fileName(id))", owner: isOwner) { continue }
                damage.append(error)
            }
        }
        self.damage = damage
        index = Mutex(loaded)
        writer = Mutex(max(next, highest == .max ? .max : highest + 1))
    }

    // MARK: Looking up

    /// A key that sealed something, by its number; nil when it was destroyed or never was. From any thread.
    /// A key that is not in memory is read from its file.
    public func key(id: UInt32) -> DataKey? {
        if let key = index.withLock({ $0.cache[id] }) { return key }
        // A reader sees keys that the node made after the reader was opened; the owner knows all of its own.
        if isOwner, index.withLock({ $0.names[id] == nil }) { return nil }
        guard let found = try? KeyStore.readKey(directory, id, master) else { return nil }
        return index.withLock { index in
            // Destroyed while its file was being read.
            if isOwner, index.names[id] == nil { return nil }
            index.names[id] = found.name
            KeyStore.keep(found.key, in: &index, limit: cachedKeys)
            return found.key
        }
    }

    /// The key that new records of this class and day are sealed with; made when there is none yet. From any thread; a loop asks its
    /// `DataKeyCache` instead.
    public func key(class messageClass: UInt8, day: Int32) throws(KeyStoreFault) -> DataKey {
        let place = Place(messageClass: messageClass, day: day)
        // The second time round it was made; a third is for a key that another thread destroyed in between.
        for _ in 0..<3 {
            if let id = index.withLock({ $0.current[place] }) {
                if let key = key(id: id) { return key }
                // Its file was lost since it was read. What it sealed stays closed; new records get a new key.
                index.withLock { if $0.current[place] == id { $0.current[place] = nil } }
            }
            try prepare(days: day...day, classes: [messageClass])
        }
        throw .damaged(path: directory)
    }

    /// Numbers of all keys of days before this one, oldest first: what a retention rule may destroy.
    public func keys(before day: Int32) -> [UInt32] {
        index.withLock { index in index.names.values.filter { $0.day < day }.map(\.id) }.sorted()
    }

    /// Numbers of all keys of days before that of their class, oldest first; a class that is not named keeps all of its.
    /// - Parameter days: by the class's raw value.
    public func keys(before days: [UInt8: Int32]) -> [UInt32] {
        index.withLock { index in
            index.names.values.filter { name in days[name.messageClass].map { name.day < $0 } ?? false }.map(\.id)
        }.sorted()
    }

    // MARK: Making and destroying

    /// Makes the keys of these days that are missing, durable when this returns. Called at start and every few hours, off the loop, for today
    /// and tomorrow, so that no loop ever waits for a key.
    public func prepare(days: ClosedRange<Int32>, classes: [UInt8]) throws(KeyStoreFault) {
        guard isOwner else { throw .readOnly(directory: directory) }
        try locked { (next: inout UInt32) throws(KeyStoreFault) in
            let known = index.withLock { Set($0.current.keys) }
            let missing = days.flatMap { day in classes.map { Place(messageClass: $0, day: day) } }.filter { !known.contains($0) }
            guard !missing.isEmpty else { return }
            guard Int64(next) + Int64(missing.count) <= Int64(KeyStore.maximumID) else { throw .exhausted(directory: directory) }
            let first = next
            try KeyStore.writeNext(directory, first + UInt32(missing.count), master)
            next = first + UInt32(missing.count)
            var made: [DataKey] = []
            for (offset, place) in missing.enumerated() {
                let name = KeyName(id: first + UInt32(offset), messageClass: place.messageClass, day: place.day)
                let secret = SymmetricKey(size: .bits256)
                try KeyStore.replace("\(directory)/\(name.fileName)", try WrappedLine.make(name.words, secret, master: master))
                made.append(DataKey(id: name.id, messageClass: name.messageClass, day: name.day, symmetric: secret))
            }
            try KeyStore.sync(directory)
            index.withLock { index in
                for key in made {
                    index.names[key.id] = KeyName(id: key.id, messageClass: key.messageClass, day: key.day)
                    index.current[Place(messageClass: key.messageClass, day: key.day)] = key.id
                    KeyStore.keep(key, in: &index, limit: cachedKeys)
                }
            }
        }
    }

    /// Destroys a key for good: what it sealed can never be opened again, here or from a copy of the data. Durable when this returns.
    /// Of a class and day still in use, the next record gets a new key. Unknown numbers are no error, so a repeated call is safe.
    public func destroy(id: UInt32) throws(KeyStoreFault) {
        guard isOwner else { throw .readOnly(directory: directory) }
        try locked { (_: inout UInt32) throws(KeyStoreFault) in
            let path = "\(directory)/\(KeyName.fileName(id))"
            do throws(DiskFault) {
                try PrivateFile.erase(path)
            } catch {
                guard error.code == ENOENT else { throw .cannotWrite(path: path, reason: error.reason) }
            }
            index.withLock { index in
                if let name = index.names.removeValue(forKey: id) {
                    let place = Place(messageClass: name.messageClass, day: name.day)
                    if index.current[place] == id { index.current[place] = nil }
                }
                index.cache[id] = nil
                index.order.removeAll { $0 == id }
                destroyed.add(1, ordering: .releasing)
            }
        }
    }

    /// `withLock` of a body that throws a typed error: the closure's inference of it is spelled out here once.
    private func locked(_ body: (inout UInt32) throws(KeyStoreFault) -> Void) throws(KeyStoreFault) {
        let result: Result<Void, KeyStoreFault> = writer.withLock { next in
            do throws(KeyStoreFault) {
                try body(&next)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private static func keep(_ key: DataKey, in index: inout Index, limit: Int) {
        if index.cache.updateValue(key, forKey: key.id) == nil { index.order.append(key.id) }
        // Half is dropped at once, so that the cost of moving `order` is shared by many.
        guard index.order.count > limit else { return }
        let dropped = index.order.prefix(limit / 2)
        for id in dropped { index.cache[id] = nil }
        index.order.removeFirst(dropped.count)
    }

    // MARK: Files

    /// Proves the master key, clears away what an interrupted write left, makes the store's own files. Returns the names in the directory.
    private static func prepared(
        _ directory: String, _ master: MasterKey, create: Bool, owner: Bool
    ) throws(KeyStoreFault) -> [String] {
        var status = stat()
        if stat(directory, &status) != 0 {
            guard errno == ENOENT else { throw .unreadable(path: directory, reason: String(cString: strerror(errno))) }
            guard create else { throw .missing(directory: directory) }
            guard mkdir(directory, 0o700) == 0 else { throw .cannotWrite(path: directory, reason: String(cString: strerror(errno))) }
            try sync(Paths.parent(directory))
        }
        var names = try listed(directory)
        guard !names.contains(rewrapName) else { throw .rewrapping(directory: directory) }
        let hasKeys = names.contains { KeyName.id(fileName: $0) != nil }
        if try readCheck(directory, master) == nil {
            // `check` is written first: a store without it that holds anything else has lost it.
            guard create, !names.contains("seed"), !hasKeys else {
                throw names.isEmpty ? .missing(directory: directory) : .incomplete(directory: directory, file: "check")
            }
            try replaceDurably(
                "\(directory)/check", try WrappedLine.make("\(checkWords) \(master.idText)", SymmetricKey(size: .bits256), master: master))
        }
        if create && !hasKeys && !names.contains("seed") {
            try replaceDurably("\(directory)/seed", try WrappedLine.make(seedWords, SymmetricKey(size: .bits256), master: master))
        }
        if create && !hasKeys && !names.contains("next") {
            try writeNext(directory, 1, master)
            try sync(directory)
        }
        if owner {
            // A rename seen now may be one whose process died before the sync; what is sealed from here on must find its key again.
            try sync(directory)
            try sync(Paths.parent(directory))
            for name in names where name.hasSuffix(Paths.temporarySuffix) {
                guard unlink("\(directory)/\(name)") == 0 else {
                    throw .cannotWrite(path: "\(directory)/\(name)", reason: String(cString: strerror(errno)))
                }
            }
        }
        names.removeAll { $0.hasSuffix(Paths.temporarySuffix) }
        return names
    }

    /// Nil: there is no such file.
    static func readCheck(_ directory: String, _ master: MasterKey) throws(KeyStoreFault) -> Bool? {
        let path = "\(directory)/check"
        guard let bytes = try bytes(path) else { return nil }
        guard let (words, line, sealed) = WrappedLine.split(bytes), words.count == 3, line.hasPrefix(checkWords), Hex.word(words[2]) != nil
        else { throw .damaged(path: path) }
        guard words[2] == master.idText else {
            throw .wrongMasterKey(directory: directory, expected: String(words[2]), given: master.idText)
        }
        guard WrappedLine.open(sealed, line: line, master: master) != nil else { throw .damaged(path: path) }
        return true
    }

    static func readNext(_ directory: String, _ master: MasterKey) throws(KeyStoreFault) -> UInt32? {
        let found = try read("\(directory)/next", master) {
            $0.words.count == 3 && $0.line.hasPrefix(nextWords) && Hex.word($0.words[2]) != nil
        }
        return found.flatMap { Hex.word($0.words[2]) }
    }

    /// Its directory entry is synced together with what follows, or by the caller.
    static func writeNext(_ directory: String, _ next: UInt32, _ master: MasterKey) throws(KeyStoreFault) {
        let line = try WrappedLine.make("\(nextWords) \(Hex.text(next))", SymmetricKey(size: .bits256), master: master)
        try replaceDurably("\(directory)/next", line)
    }

    static func readKey(
        _ directory: String, _ id: UInt32, _ master: MasterKey
    ) throws(KeyStoreFault) -> (name: KeyName, key: DataKey)? {
        let found = try read("\(directory)/\(KeyName.fileName(id))", master) { KeyName(words: $0.words, line: $0.line)?.id == id }
        guard let found, let name = KeyName(words: found.words, line: found.line) else { return nil }
        return (name, DataKey(id: id, messageClass: name.messageClass, day: name.day, symmetric: found.secret))
    }

    /// Nil: there is no such file.
    static func read(
        _ path: String, _ master: MasterKey, _ isExpected: ((words: [Substring], line: String)) -> Bool
    ) throws(KeyStoreFault) -> (words: [Substring], line: String, secret: SymmetricKey)? {
        guard let bytes = try bytes(path) else { return nil }
        guard let (words, line, sealed) = WrappedLine.split(bytes), isExpected((words, line)),
            let secret = WrappedLine.open(sealed, line: line, master: master)
        else { throw .damaged(path: path) }
        return (words, line, secret)
    }

    static func bytes(_ path: String) throws(KeyStoreFault) -> [UInt8]? {
        do {
            return try PrivateFile.read(path, maximumBytes: maximumFileBytes)
        } catch {
            switch error {
            case .missing: return nil
            case .unreadable(_, let reason): throw .unreadable(path: path, reason: reason)
            case .openToOthers(_, let mode): throw .unreadable(path: path, reason: "mode \(mode) opens it to others, chmod 600 it")
            case .notAFile, .tooLong, .empty: throw .damaged(path: path)
            }
        }
    }

    /// A file of zeros is a key whose destruction was interrupted before its name went; the owner ends that. False: it is another file.
    static func finishedErasing(_ path: String, owner: Bool) throws(KeyStoreFault) -> Bool {
        guard let bytes = try? PrivateFile.read(path, maximumBytes: maximumFileBytes), !bytes.isEmpty, bytes.allSatisfy({ $0 == 0 }) else {
            return false
        }
        if owner {
            do { try PrivateFile.erase(path) } catch { throw .cannotWrite(path: path, reason: error.reason) }
        }
        return true
    }

    private static func derived(_ seed: SymmetricKey, _ purpose: String) -> Secret {
        let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: seed, info: Array(purpose.utf8), outputByteCount: 32)
        return Secret(key.withUnsafeBytes { Array($0) })
    }

    static func listed(_ directory: String) throws(KeyStoreFault) -> [String] {
        do { return try PrivateFile.names(in: directory, atMost: maximumFiles) } catch {
            throw .unreadable(path: directory, reason: error.reason)
        }
    }

    static func replace(_ path: String, _ bytes: [UInt8]) throws(KeyStoreFault) {
        do { try PrivateFile.replace(path, bytes) } catch { throw .cannotWrite(path: error.path, reason: error.reason) }
    }

    static func sync(_ directory: String) throws(KeyStoreFault) {
        do { try PrivateFile.sync(directory: directory) } catch { throw .cannotWrite(path: directory, reason: error.reason) }
    }

    static func replaceDurably(_ path: String, _ bytes: [UInt8]) throws(KeyStoreFault) {
        try replace(path, bytes)
        try sync(Paths.parent(path))
    }
}
