import Crypto

/// The one form of every file in the key store: a line of words in clear, then 32 bytes wrapped by the master key in base64.
///
/// `<words> <base64 of nonce, ciphertext and tag>`, ended by a line feed. The wrap is AES-256-GCM with the words as authenticated data,
/// so no byte of the line can change unseen: not the number, class or day of a key either.
enum WrappedLine {
    static func make(_ words: String, _ secret: SymmetricKey, master: MasterKey) throws(KeyStoreFault) -> [UInt8] {
        do {
            let plain = secret.withUnsafeBytes { Array($0) }
            guard let sealed = try AES.GCM.seal(plain, using: master.wrapping, authenticating: Array(words.utf8)).combined else {
                throw KeyStoreFault.cipher
            }
            return Array("\(words) \(Base64.text(Array(sealed)))\n".utf8)
        } catch {
            throw .cipher
        }
    }

    /// The words, and what unwraps the rest. Nil: it is no such line.
    static func split(_ bytes: [UInt8]) -> (words: [Substring], line: String, sealed: [UInt8])? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes), bytes.last == 0x0A, let space = text.lastIndex(of: " "),
            let sealed = Base64.bytes(text[text.index(after: space)...].dropLast()), sealed.count == 60
        else { return nil }
        let line = String(text[..<space])
        return (line.split(separator: " ", omittingEmptySubsequences: false), line, sealed)
    }

    /// Nil: altered, or wrapped by another master key.
    static func open(_ sealed: [UInt8], line: String, master: MasterKey) -> SymmetricKey? {
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let plain = try? AES.GCM.open(box, using: master.wrapping, authenticating: Array(line.utf8))
        else { return nil }
        return SymmetricKey(data: plain)
    }
}

/// A data key's line: `martlet-data-key v1 <key id> <class> <day>`.
struct KeyName: Equatable, Sendable {
    var id: UInt32
    var messageClass: UInt8
    var day: Int32

    static let format = "martlet-data-key v1"

    var words: String { "\(KeyName.format) \(Hex.text(id)) \(messageClass) \(day)" }
    var fileName: String { KeyName.fileName(id) }

    static func fileName(_ id: UInt32) -> String { "\(Hex.text(id)).key" }

    /// The key number in a file name; nil for any other name.
    static func id(fileName: String) -> UInt32? {
        fileName.hasSuffix(".key") ? Hex.word(fileName.dropLast(4)) : nil
    }

    init(id: UInt32, messageClass: UInt8, day: Int32) {
        self.id = id
        self.messageClass = messageClass
        self.day = day
    }

    /// Only the text that `words` would give: no leading zeros, no plus sign.
    init?(words: [Substring], line: String) {
        guard words.count == 5, let id = Hex.word(words[2]), let messageClass = UInt8(words[3]), let day = Int32(words[4]) else {
            return nil
        }
        self.init(id: id, messageClass: messageClass, day: day)
        guard self.words == line else { return nil }
    }
}
