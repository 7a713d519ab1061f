/// The file in which the desk hands a published rulebook to the node: `DATA/local/rulebook-0000000007`. One line, then the objects as one
/// canonical JSON document:
///
///     martlet-rulebook 1 7 LENGTH DIGEST
///     {"at":...,"number":7,"objects":[{"content":{...},"key":"default","kind":"routes","version":3}]}
///
/// LENGTH is that of the document in bytes, DIGEST its SHA-256 in 64 hexadecimal digits; a line feed ends the line. Never written again.
public enum RulebookFile {
    public static let format = 1
    /// Bytes of a file; no longer one is written or read.
    public static let maximumBytes = 64 << 20

    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// Not what was written; `place` says where it was noticed.
        case damaged(place: String)
        case newer(format: String)
        /// It speaks of a kind of objects that this version does not know.
        case unknownKind(String)
        case tooLong

        public var description: String {
            switch self {
            case .damaged(let place): "it is damaged (\(place)); publish again, or let the desk write it anew"
            case .newer(let format): "it has format \(format), which this version does not know; install the newer one"
            case .unknownKind(let kind): "it has objects of kind '\(kind)', which this version does not know; install the newer one"
            case .tooLong: "it is longer than \(maximumBytes) bytes"
            }
        }
    }

    public static func name(_ number: Int64) -> String {
        let digits = String(number)
        return "rulebook-\(String(repeating: "0", count: max(0, 10 - digits.utf8.count)))\(digits)"
    }

    /// The number in such a name; nil: it is another file.
    public static func number(of name: String) -> Int64? {
        guard name.hasPrefix("rulebook-"), let number = Int64(name.dropFirst(9)), number > 0, RulebookFile.name(number) == name else {
            return nil
        }
        return number
    }

    /// The document of the file; its SHA-256 is the digest of the release.
    public static func document(_ source: RulebookSource) -> [UInt8] {
        let objects = source.objects.map { object in
            JSONValue.object([
                "kind": .text(object.kind.rawValue), "key": .text(object.key), "version": .integer(object.version),
                "content": object.content,
            ])
        }
        return JSONValue.object(["number": .integer(source.number), "at": .integer(source.at), "objects": .list(objects)]).canonical
    }

    /// - Parameter digest: SHA-256, 32 bytes.
    public static func bytes(_ source: RulebookSource, digest: ([UInt8]) -> [UInt8]) throws(Fault) -> [UInt8] {
        let document = document(source)
        guard document.count < maximumBytes - 200 else { throw .tooLong }
        let head = "martlet-rulebook \(format) \(source.number) \(document.count) \(hex(digest(document)))\n"
        return Array(head.utf8) + document
    }

    /// - Returns: what was written, and its digest.
    public static func read(_ bytes: [UInt8], digest: ([UInt8]) -> [UInt8]) throws(Fault) -> (source: RulebookSource, digest: [UInt8]) {
        guard let end = bytes.prefix(200).firstIndex(of: 10) else { throw .damaged(place: "its first line") }
        let words = bytes[..<end].split(separator: 32, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 2, words[0] == "martlet-rulebook" else { throw .damaged(place: "its first line") }
        guard words[1] == String(format) else { throw .newer(format: words[1]) }
        guard words.count == 5, let number = Int64(words[2]) else { throw .damaged(place: "its first line") }
        let document = Array(bytes[(end + 1)...])
        guard words[3] == String(document.count) else { throw .damaged(place: "its length") }
        let made = digest(document)
        guard words[4] == hex(made) else { throw .damaged(place: "its digest") }
        let value: JSONValue
        do { value = try JSONValue(reading: document, maximumBytes: maximumBytes) } catch { throw .damaged(place: error.description) }
        let source = try source(value)
        guard source.number == number else { throw .damaged(place: "its number") }
        return (source, made)
    }

    private static func source(_ value: JSONValue) throws(Fault) -> RulebookSource {
        guard case .integer(let number)? = value["number"], case .integer(let at)? = value["at"], case .list(let list)? = value["objects"]
        else {
            throw .damaged(place: "its document")
        }
        var objects: [RulebookObject] = []
        for (index, element) in list.enumerated() {
            guard case .text(let word)? = element["kind"], case .text(let key)? = element["key"],
                case .integer(let version)? = element["version"], let content = element["content"]
            else {
                throw .damaged(place: "its object \(index)")
            }
            guard let kind = RulebookKind(rawValue: word) else { throw .unknownKind(word) }
            objects.append(RulebookObject(kind: kind, key: key, version: version, content: content))
        }
        return RulebookSource(number: number, at: at, objects: objects)
    }

    /// 64 hexadecimal digits of a digest.
    public static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
