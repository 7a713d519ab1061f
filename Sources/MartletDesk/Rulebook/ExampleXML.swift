/// Texts as XML 1.0 writes them between tags and in attributes.
enum ExampleXML {
    /// Written so that it is read back as it is. What XML cannot write (section 2.2: control characters but tab, line feed and carriage return, and
    /// U+FFFE and U+FFFF), not by a reference either, is left out; `unsaid` names it. A carriage return is a reference, since readers make
    /// a line feed of it otherwise (section 2.11).
    static func text(_ text: String) -> String {
        var written = ""
        for sign in text.unicodeScalars where isWritable(sign) {
            switch sign {
            case "&": written += "&amp;"
            case "<": written += "&lt;"
            case ">": written += "&gt;"
            case "\"": written += "&quot;"
            case "\r": written += "&#13;"
            default: written.unicodeScalars.append(sign)
            }
        }
        return written
    }

    /// What of a text cannot be written, each once: `U+000C`.
    static func unsaid(_ text: String) -> [String] {
        Set(text.unicodeScalars.lazy.filter { !isWritable($0) }).sorted().map { sign in
            let digits = String(sign.value, radix: 16, uppercase: true)
            return "U+" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
        }
    }

    private static func isWritable(_ sign: Unicode.Scalar) -> Bool {
        switch sign.value {
        case 0x9, 0xA, 0xD: true
        case ..<0x20, 0xFFFE, 0xFFFF: false
        default: true
        }
    }
}
