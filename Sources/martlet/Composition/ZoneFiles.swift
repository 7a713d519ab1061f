import FoundationEssentials

/// Time zones as tzdata installs them (`apt install tzdata`), which the system keeps up to date when countries change their clocks.
enum ZoneFiles {
    static let folder = "/usr/share/zoneinfo"

    /// The bytes of a zone (RFC 9636).
    /// - Parameter name: an IANA name, as a rulebook has been checked to have: no points, so it leads nowhere else.
    /// - Returns: nil: there is none of this name.
    @Sendable static func read(_ name: String) -> [UInt8]? {
        guard !name.contains("."), let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { return nil }
        return Array(data)
    }
}
