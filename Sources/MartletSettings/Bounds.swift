/// What is refused before the YAML reader sees it, so that no file can make it slow, deep or large.
///
/// The reader descends by recursion and hashes whole mappings when they are keys, so depth and the growth by aliases are bounded here, by
/// counting what could be either. The counts are too high rather than too low: text in quotes and comments counts too.
enum Bounds {
    static let maximumBytes = 1 << 20
    static let maximumDepth = 20
    /// Open `[` and `{` at once.
    private static let maximumFlow = 64
    /// Columns of spaces, dashes and question marks before the first word of a line.
    private static let maximumIndentation = 100
    /// Any number of aliases up to this grows a file at most a few thousandfold (3 to the power of a third of it).
    private static let maximumAliases = 16

    static func mistake(in text: String) -> Mistake? {
        guard text.utf8.count <= maximumBytes else {
            return Mistake(
                at: .start, "", "the file has \(text.utf8.count) bytes",
                remedy: "settings have at most \(maximumBytes); name the right file")
        }
        var line = 1
        var column = 1
        var flow = 0
        var anchors = 0
        var aliases = 0
        var previous: UInt8 = 0x0A
        var isIndentation = true
        let deep = "values are nested deeper than \(maximumDepth)"
        let flatten = "settings need at most 5 levels; correct the indentation or the brackets"
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == 0x0A {
                line += 1
                column = 1
                isIndentation = true
                previous = byte
                continue
            }
            let startsNode = " \t\n[{,:?-".utf8.contains(previous)
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0x20
            switch byte {
            case 0x5B, 0x7B:
                flow += 1
                if flow > maximumFlow { return Mistake(at: .line(line, column: column), "", deep, remedy: flatten) }
            case 0x5D, 0x7D: flow = max(0, flow - 1)
            case 0x26 where startsNode && next > 0x20: anchors += 1
            case 0x2A where startsNode && next > 0x20: aliases += 1
            case 0x7F, 0...0x08, 0x0B, 0x0C, 0x0E...0x1F:
                return Mistake(at: .line(line, column: column), "", "the file holds a control character (\(byte))", remedy: "remove it")
            default: break
            }
            if anchors > 0 && aliases > maximumAliases {
                return Mistake(
                    at: .line(line, column: column), "", "anchors (&) and aliases (*) are not read", remedy: "write the values out")
            }
            if isIndentation {
                let isSpace = byte == 0x20 || byte == 0x09
                isIndentation = isSpace || byte == 0x2D || byte == 0x3F
                // Each dash or question mark may open a level; a comment opens none.
                if column > maximumIndentation && !isSpace && byte != 0x23 && byte != 0x0D {
                    return Mistake(at: .line(line, column: column), "", deep, remedy: flatten)
                }
            }
            // Continuation bytes of UTF-8 are no columns.
            if byte & 0xC0 != 0x80 { column += 1 }
            previous = byte
        }
        return nil
    }
}
