import FoundationEssentials

/// A value as it stood in JSON or YAML, before anyone knows what it should be. Lines are 0 for JSON.
public struct Loose: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case null
        case flag(Bool)
        case integer(Int)
        case number(Double)
        case text(String)
        case list([Loose])
        case map([Entry])
    }

    public struct Entry: Sendable, Equatable {
        public var key: String
        public var line: Int
        public var value: Loose

        public init(key: String, line: Int = 0, value: Loose) {
            self.key = key
            self.line = line
            self.value = value
        }
    }

    public var kind: Kind
    public var line: Int

    public init(_ kind: Kind, line: Int = 0) {
        self.kind = kind
        self.line = line
    }

    /// What it is, in a word for error texts.
    var word: String {
        switch kind {
        case .null: "nothing"
        case .flag: "true or false"
        case .integer, .number: "a number"
        case .text: "text"
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// Reads one JSON value. Throws `LooseError.notJSON`.
    public static func json(_ bytes: [UInt8]) throws(LooseError) -> Loose {
        do {
            return try JSONDecoder().decode(JSONShape.self, from: Data(bytes)).value
        } catch {
            throw .notJSON
        }
    }
}

public enum LooseError: Error, Equatable {
    /// The octets are not one JSON value in UTF-8.
    case notJSON
}

/// Decodes any JSON value into `Loose`; the entries of an object are sorted by key, since the decoder forgets their order.
private struct JSONShape: Decodable {
    let value: Loose

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let map = try? decoder.container(keyedBy: Key.self) {
            var entries: [Loose.Entry] = []
            for key in map.allKeys {
                entries.append(Loose.Entry(key: key.stringValue, value: try map.decode(JSONShape.self, forKey: key).value))
            }
            value = Loose(.map(entries.sorted { $0.key < $1.key }))
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var items: [Loose] = []
            while !list.isAtEnd { items.append(try list.decode(JSONShape.self).value) }
            value = Loose(.list(items))
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            value = Loose(.null)
        } else if let flag = try? single.decode(Bool.self) {
            value = Loose(.flag(flag))
        } else if let integer = try? single.decode(Int.self) {
            value = Loose(.integer(integer))
        } else if let number = try? single.decode(Double.self) {
            value = Loose(.number(number))
        } else {
            value = Loose(.text(try single.decode(String.self)))
        }
    }
}
