/// Files packed into one, as every system knows them (PKWARE's APPNOTE.TXT 6.3.10): stored or deflated, on one disk, without encryption and
/// without Zip64. All of an archive is in memory, so it is bounded.
public enum Zip {
    public struct Entry: Equatable, Sendable {
        /// Parts joined by `/`, none of them `.` or `..`.
        public var name: String
        public var bytes: [UInt8]

        public init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    public struct Limits: Sendable {
        /// Bytes of the archive, and of all that is in it.
        public var bytes = 64 << 20
        public var entries = 10_000

        public init() {}
    }

    static let nameMaximum = 512
    // Signatures: 4.3.7, 4.3.12 and 4.3.16 of APPNOTE.TXT.
    static let local: UInt32 = 0x0403_4b50
    static let central: UInt32 = 0x0201_4b50
    static let end: UInt32 = 0x0605_4b50

    /// Nil: the name may be used. No name leads out of the folder into which somebody unpacks.
    static func problem(ofName name: String) -> String? {
        guard !name.isEmpty else { return "it has no name" }
        guard name.utf8.count <= nameMaximum else { return "its name is longer than \(nameMaximum) bytes" }
        guard !name.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return "its name has control characters" }
        guard !name.utf8.contains(UInt8(ascii: "\\")) else { return "its name has backslashes" }
        guard name.utf8.first != UInt8(ascii: "/"), name.utf8.dropFirst().first != UInt8(ascii: ":") else {
            return "its name is an absolute path"
        }
        var parts = name.split(separator: "/", omittingEmptySubsequences: false)
        // A folder ends with a slash.
        if parts.last?.isEmpty == true { parts.removeLast() }
        guard !parts.contains("..") else { return "its name leads out of the archive" }
        guard !parts.contains("."), !parts.contains("") else { return "its name has empty parts" }
        return nil
    }
}

/// Why an archive is not read or written. Names of entries are of whoever made it, so at most 100 letters of one are repeated, without control
/// characters.
public enum ZipFault: Error, Equatable, Sendable, CustomStringConvertible {
    case notAnArchive
    /// It ends before it should.
    case truncated
    /// What it says of itself does not fit together.
    case damaged(String)
    case tooLarge(bytes: Int)
    case tooManyEntries(Int)
    case unsupported(String)
    case entry(String, String)

    public var description: String {
        switch self {
        case .notAnArchive: "it is no zip archive"
        case .truncated: "the archive is cut off: its end is missing"
        case .damaged(let reason): "the archive is damaged: \(reason)"
        case .tooLarge(let bytes): "it holds more than \(bytes >> 20) MiB, packed or unpacked"
        case .tooManyEntries(let most): "it holds more than \(most) files"
        case .unsupported(let what): "\(what) is not supported; pack it anew"
        case .entry(let name, let reason): "'\(ZipFault.shown(name))': \(reason)"
        }
    }

    private static func shown(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(100).map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    }
}
