/// SQL as text, read as far as parameters, types and the ends of statements ask: strings, quoted names and comments are stepped over.
enum SQLText {
    enum Token: Equatable {
        /// Letters, digits and underscores.
        case word(Substring)
        /// `?` with its number, 0 where none stands.
        case parameter(Int)
        case semicolon
        /// Anything else, a string or a comment as a whole included.
        case other(Substring)
    }

    /// `?1` to `$1`, and the highest number there is.
    static func numbered(_ sql: String) -> (text: String, highest: Int) {
        var text = ""
        var highest = 0
        walk(sql) { token in
            switch token {
            case .parameter(let number):
                text += "$\(number)"
                highest = max(highest, number)
            case .word(let part), .other(let part): text += part
            case .semicolon: text += ";"
            }
        }
        return (text, highest)
    }

    static func uses(_ parameter: Int, _ sql: String) -> Bool {
        var found = false
        walk(sql) { if $0 == .parameter(parameter) { found = true } }
        return found
    }

    /// The types of the common dialect as SQLite's strict tables name them.
    static func typesOfSQLite(_ sql: String) -> String {
        var text = ""
        walk(sql) { token in
            switch token {
            case .word("BIGINT"), .word("SMALLINT"): text += "INTEGER"
            case .word("BYTEA"): text += "BLOB"
            case .word(let part), .other(let part): text += part
            case .parameter(let number): text += "?\(number)"
            case .semicolon: text += ";"
            }
        }
        return text
    }

    static func walk(_ sql: String, _ take: (Token) -> Void) {
        let bytes = sql.utf8
        var index = bytes.startIndex
        func end(after start: String.Index, where stops: (UInt8) -> Bool) -> String.Index {
            bytes[start...].firstIndex(where: stops) ?? bytes.endIndex
        }
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            var after = next
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                // A doubled quote is a string that ends and another that begins: stepped over alike.
                after = end(after: next) { $0 == byte }
                if after < bytes.endIndex { after = bytes.index(after: after) }
                take(.other(sql[index..<after]))
            case UInt8(ascii: "-") where next < bytes.endIndex && bytes[next] == UInt8(ascii: "-"):
                after = end(after: next) { $0 == UInt8(ascii: "\n") }
                take(.other(sql[index..<after]))
            case UInt8(ascii: "?"):
                after = end(after: next) { !(48...57).contains($0) }
                take(.parameter(Int(sql[next..<after]) ?? 0))
            case UInt8(ascii: ";"): take(.semicolon)
            case _ where isWord(byte):
                after = end(after: next) { !isWord($0) }
                take(.word(sql[index..<after]))
            default:
                after = end(after: next) { isWord($0) || "'\"-?;".utf8.contains($0) }
                take(.other(sql[index..<after]))
            }
            index = after
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 0x5F
    }
}
