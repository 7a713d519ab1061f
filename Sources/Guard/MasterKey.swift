import Crypto
import Glibc

/// Why a master key was refused. The description names the reason and the remedy; it never holds a byte of the key.
public enum MasterKeyFault: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(path: String)
    case unreadable(path: String, reason: String)
    case notAFile(path: String)
    /// Others than its owner may read or write it; `mode` in octal digits.
    case openToOthers(path: String, mode: String)
    case malformed(path: String, reason: String)
    /// The key has `bytes` instead of 32.
    case wrongLength(path: String, bytes: Int)
    /// The key id in the file is not that of its key: one of them was changed.
    case altered(path: String)
    case exists(path: String)
    case cannotWrite(path: String, reason: String)
    case insideData(path: String, data: String)

    public var description: String {
        switch self {
        case .missing(let path):
            "master key: \(path) does not exist; make one with `martlet keys init \(path)`, or restore it from its backup"
        case .unreadable(let path, let reason):
            "master key: \(path) cannot be read (\(reason)); give the user that runs Martlet the right to read it"
        case .notAFile(let path):
            "master key: \(path) is not a regular file; name the key file"
        case .openToOthers(let path, let mode):
            "master key: \(path) is open to others (mode \(mode)); run: chmod 600 \(path)"
        case .malformed(let path, let reason):
            "master key: \(path) is not a master key (\(reason)); restore it from its backup, or name the right file"
        case .wrongLength(let path, let bytes):
            "master key: the key in \(path) has \(bytes) bytes instead of 32; restore it from its backup"
        case .altered(let path):
            "master key: \(path) was altered, its key and key id do not belong together; restore it from its backup"
        case .exists(let path):
            "master key: \(path) exists and is never overwritten; name another file"
        case .cannotWrite(let path, let reason):
            "master key: \(path) cannot be written (\(reason)); choose a place that this user may write to"
        case .insideData(let path, let data):
            "master key: \(path) lies inside the data directory \(data); move it out, so that a copy of the data does not hold its key"
        }
    }
}

/// The key that wraps all others. It is kept outside the data directory: whoever gets a disk or a backup of the data gets nothing.
///
/// File: one line, `martlet-master-key v1 <key id, 8 hexadecimal digits> <32 bytes in base64>`. The key id is derived from the key,
/// so a damaged file is seen at once.
public struct MasterKey: Sendable {
    public let id: UInt32
    /// Wraps data keys; derived, so that the key itself is used for nothing but derivation.
    let wrapping: SymmetricKey
    private let root: SymmetricKey

    static let format = "martlet-master-key v1"
    private static let maximumBytes = 256

    init(root: SymmetricKey) {
        self.root = root
        let name = HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Array("martlet master key id".utf8), outputByteCount: 4)
        id = name.withUnsafeBytes { $0.reduce(0) { $0 << 8 | UInt32($1) } }
        wrapping = HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Array("martlet wrapping key".utf8), outputByteCount: 32)
    }

    /// Eight hexadecimal digits; may be shown.
    public var idText: String { Hex.text(id) }

    /// A key for one purpose, the same each time. Two purposes never share a key; neither leads back to the master key.
    func derived(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Array(purpose.utf8), outputByteCount: 32)
    }

    var line: String {
        "\(MasterKey.format) \(idText) \(Base64.text(root.withUnsafeBytes { Array($0) }))\n"
    }

    /// Makes a new key and its file, mode 0600, durable when this returns. Never overwrites.
    @discardableResult
    public static func create(at path: String) throws(MasterKeyFault) -> MasterKey {
        let key = MasterKey(root: SymmetricKey(size: .bits256))
        do {
            try PrivateFile.create(path, Array(key.line.utf8))
        } catch {
            if error.step == "create" && error.code == EEXIST { throw .exists(path: path) }
            throw .cannotWrite(path: path, reason: error.reason)
        }
        return key
    }

    /// - Parameter credentials: `$CREDENTIALS_DIRECTORY` of systemd; files below it may be readable by their group.
    public static func load(from path: String, credentials: String? = nil) throws(MasterKeyFault) -> MasterKey {
        let bytes: [UInt8]
        do {
            bytes = try PrivateFile.read(path, maximumBytes: maximumBytes, credentials: credentials)
        } catch {
            switch error {
            case .missing: throw .missing(path: path)
            case .unreadable(_, let reason): throw .unreadable(path: path, reason: reason)
            case .notAFile: throw .notAFile(path: path)
            case .openToOthers(_, let mode): throw .openToOthers(path: path, mode: mode)
            case .tooLong: throw .malformed(path: path, reason: "longer than \(maximumBytes) bytes")
            case .empty: throw .malformed(path: path, reason: "empty")
            }
        }
        return try parse(bytes, path: path)
    }

    static func parse(_ bytes: [UInt8], path: String) throws(MasterKeyFault) -> MasterKey {
        guard !bytes.isEmpty else { throw .malformed(path: path, reason: "empty") }
        var text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else { throw .malformed(path: path, reason: "not text") }
        if text.utf8.last == 0x0A { text.removeLast() }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 4, "\(words[0]) \(words[1])" == format else {
            throw .malformed(path: path, reason: "it does not start with `\(format)` and hold one line of four words")
        }
        guard let id = Hex.word(words[2]) else { throw .malformed(path: path, reason: "the key id is not 8 hexadecimal digits") }
        guard let raw = Base64.bytes(words[3]) else { throw .malformed(path: path, reason: "the key is not base64") }
        guard raw.count == 32 else { throw .wrongLength(path: path, bytes: raw.count) }
        let key = MasterKey(root: SymmetricKey(data: raw))
        guard key.id == id else { throw .altered(path: path) }
        return key
    }

    /// Refuses a key file that lies in the data directory or below it, by whatever link. The data directory need not exist yet.
    public static func requireOutside(keyFile path: String, dataDirectory: String) throws(MasterKeyFault) {
        guard Paths.contains(Paths.resolved(dataDirectory), Paths.resolved(path)) else { return }
        throw .insideData(path: path, data: dataDirectory)
    }
}

extension MasterKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "master key \(idText)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["id": idText]) }
}
