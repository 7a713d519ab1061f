import FoundationEssentials

/// base64url without padding (RFC 4648, section 5).
enum Base64URL {
    static func text(_ bytes: [UInt8]) -> String {
        let letters = Data(bytes).base64EncodedString().utf8.filter { $0 != 61 }.map { $0 == 43 ? 45 : $0 == 47 ? 95 : $0 }
        return String(decoding: letters, as: UTF8.self)
    }

    /// Nil: it is none.
    static func bytes(_ text: String) -> [UInt8]? {
        guard !text.utf8.contains(where: { [43, 47, 61].contains($0) }) else { return nil }
        var letters: [UInt8] = text.utf8.map { $0 == 45 ? 43 : $0 == 95 ? 47 : $0 }
        while letters.count % 4 != 0 { letters.append(61) }
        return Data(base64Encoded: String(decoding: letters, as: UTF8.self)).map { Array($0) }
    }
}
