import Crypto

/// Bytes that must never be printed: a password, a key as its owner holds it. Its descriptions, reflection and string interpolation
/// show only that it is there; the memory is cleared when the last copy goes.
public struct Secret: Sendable, Equatable {
    /// `SymmetricKey` clears its memory and compares in constant time.
    private let held: SymmetricKey

    public init(_ bytes: some Sequence<UInt8>) {
        held = SymmetricKey(data: Array(bytes))
    }

    public init(text: String) { self.init(text.utf8) }

    public var count: Int { held.withUnsafeBytes { $0.count } }

    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try held.withUnsafeBytes(body)
    }

    /// The value itself, for the one place that needs it as text: a bind, or the one showing of a new key.
    public func reveal() -> String { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// The longest secret a file may hold, in bytes.
    public static let maximumBytes = 4096

    /// Reads a secret from a file that only its owner may read. One line end at the end of the file is not part of it.
    /// - Parameter credentials: `$CREDENTIALS_DIRECTORY` of systemd; files below it may be readable by their group.
    public static func load(from path: String, credentials: String? = nil) throws(PrivateFileFault) -> Secret {
        var bytes = try PrivateFile.read(path, maximumBytes: maximumBytes, credentials: credentials)
        if bytes.last == 0x0A { bytes.removeLast() }
        if bytes.last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw .empty(path: path) }
        return Secret(bytes)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
