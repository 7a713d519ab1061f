import Guard
import MartletModel

/// Names of pictures: 43 letters of base64url, of which nobody guesses one. The first half is random, the second a tag over it with a key of the
/// installation: a name that was never given costs whoever asks for it a hash, and the database nothing.
struct ImageNames: Sendable {
    private let tags: RowMAC

    init(_ rowKey: Secret) { tags = RowMAC(key: rowKey, table: "name of an image", columns: ["random"]) }

    func make() -> String {
        var system = SystemRandomNumberGenerator()
        var random: [UInt8] = []
        for _ in 0..<2 { withUnsafeBytes(of: system.next()) { random += $0 } }
        return Base64URL.text(random + tags.tag([.bytes(random)]).bytes)
    }

    /// Whether this installation made it.
    func hold(_ name: String) -> Bool {
        guard ImagePath.isName(name), let bytes = Base64URL.bytes(name), bytes.count == 32, Base64URL.text(bytes) == name else {
            return false
        }
        return tags.tag([.bytes(Array(bytes[..<16]))]).matches(Array(bytes[16...]))
    }
}
