import MartletModel

/// What a message's values must be. Each check gives the error or nothing; none repeats the value.
enum MessageRules {
    /// Seven days, in seconds: the longest that any class may be worth sending.
    static let validity: ClosedRange<Int64> = 1...604_800
    static let referenceBytes = 64
    static let numericSenderDigits = 15
    static let namedSenderBytes = 11
    static let fields = ["to", "text", "from", "class", "validity", "reference", "channel"]
    /// Channels that Martlet has a word for; only `sms` is in service.
    static let knownChannels = ["sms", "push", "email", "voice", "whatsapp", "viber", "rcs", "telegram", "pass"]
    private static let classes: [(word: String, messageClass: MessageClass)] = MessageClass.allCases.map { ($0.word, $0) }

    static func error(_ fault: PhoneNumber.Fault) -> FieldError {
        let rule =
            switch fault {
            case .missingPlus: "must begin with + and the country code"
            case .notADigit: "must hold only digits after the +"
            case .tooShort: "must have at least 7 digits"
            case .tooLong: "must have at most 15 digits"
            case .leadingZero: "must not have 0 after the +"
            }
        return FieldError(path: "/to", code: HTTPErrors.invalidNumber, message: rule)
    }

    static func text(_ text: String) -> FieldError? {
        var text = text
        // Letters beyond ASCII are looked at one by one only when nothing else was there to read.
        let (hasControl, hasVisible, hasWide) = text.withUTF8 { bytes in
            var hasControl = false
            var hasVisible = false
            var hasWide = false
            for byte in bytes {
                if byte >= 0x80 {
                    hasWide = true
                } else if byte > 0x20 {
                    if byte == 0x7F { hasControl = true } else { hasVisible = true }
                } else if byte < 0x20, byte != 0x0A, byte != 0x0D, byte != 0x09, byte != 0x0C {
                    hasControl = true
                }
            }
            return (hasControl, hasVisible, hasWide)
        }
        if hasControl {
            return FieldError(
                path: "/text", code: HTTPErrors.controlCharacter,
                message: "must not hold control characters but line feed, carriage return, tab and form feed")
        }
        if hasVisible || hasWide && text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) { return nil }
        return FieldError(path: "/text", code: HTTPErrors.blankText, message: "must hold more than white space")
    }

    /// 1...15 digits, or 1...11 printable ASCII characters of the GSM default alphabet (3GPP TS 23.038, section 6.2.1) with a letter among
    /// them. An address field of alphanumeric type holds 11 septets (3GPP TS 23.040, section 9.1.2.5), and the extension table's
    /// characters would take two.
    static func isSender(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, first != 0x20, last != 0x20 else { return false }
        var digits = 0
        var letters = 0
        for byte in bytes {
            switch byte {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A, 0x61...0x7A: letters += 1
            // [ \ ] ^ ` { | } ~ are not in the default table.
            case 0x5B...0x5E, 0x60, 0x7B...0x7E: return false
            case 0x20...0x7A: break
            default: return false
            }
        }
        if digits == bytes.count { return digits <= numericSenderDigits }
        return letters > 0 && bytes.count <= namedSenderBytes
    }

    static func sender(_ text: String, of source: Source) -> FieldError? {
        guard isSender(text) else {
            return FieldError(
                path: "/from", code: HTTPErrors.invalidSender,
                message: "must be 1 to 15 digits, or 1 to 11 printable characters of the GSM default alphabet with a letter")
        }
        guard source.senders.isEmpty || source.senders.contains(text) else {
            return FieldError(path: "/from", code: HTTPErrors.senderNotAllowed, message: "is not among the sender ids of this source")
        }
        return nil
    }

    static func messageClass(_ word: String, of source: Source) -> Result<MessageClass, FieldFault> {
        guard let found = classes.first(where: { $0.word == word })?.messageClass else {
            let words = classes.map(\.word)
            let hint = nearest(word, in: words).map { "; did you mean \($0)?" } ?? "; one of \(words.joined(separator: ", "))"
            return .failure(FieldFault(FieldError(path: "/class", code: HTTPErrors.unknownClass, message: "must be a known class\(hint)")))
        }
        guard source.classes.isEmpty || source.classes.contains(found) else {
            return .failure(
                FieldFault(
                    FieldError(path: "/class", code: HTTPErrors.classNotAllowed, message: "is not among the classes of this source")))
        }
        return .success(found)
    }

    static func validity(_ seconds: Int64) -> FieldError? {
        guard !validity.contains(seconds) else { return nil }
        return FieldError(path: "/validity", code: HTTPErrors.validityOutOfRange, message: "must be from 1 to 604800 seconds")
    }

    static func reference(_ text: String) -> FieldError? {
        if text.utf8.count > referenceBytes {
            return FieldError(path: "/reference", code: HTTPErrors.tooLong, message: "must be at most 64 bytes of UTF-8")
        }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            return FieldError(path: "/reference", code: HTTPErrors.controlCharacter, message: "must not hold control characters")
        }
        return nil
    }

    static func channel(_ word: String) -> FieldError? {
        if word == "sms" { return nil }
        if knownChannels.contains(word) {
            return FieldError(path: "/channel", code: HTTPErrors.channelOff, message: "is not in service; use sms")
        }
        return FieldError(path: "/channel", code: HTTPErrors.unknownChannel, message: "must be a known channel; use sms")
    }

    /// - Parameter name: as the caller wrote it; told back, since a name of a field is no customer data, but at most 64 bytes of it.
    static func unknownField(_ name: String) -> FieldError {
        let shown = name.utf8.count <= 64 ? name : String(decoding: Array(name.utf8.prefix(64)), as: UTF8.self) + "…"
        let pointer = String(
            decoding: shown.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "~"): Array("~0".utf8)
                case UInt8(ascii: "/"): Array("~1".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
        let hint = nearest(name, in: fields).map { "is not a field of a message; did you mean \($0)?" }
        return FieldError(path: "/\(pointer)", code: HTTPErrors.unknownField, message: hint ?? "is not a field of a message")
    }

    /// The candidate nearest in edits (insert, delete, replace, swap of neighbours); nil when none is within two, or one for short words.
    static func nearest(_ word: String, in candidates: [String]) -> String? {
        guard word.utf8.count <= 32 else { return nil }
        let lower = word.lowercased()
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            let distance = edits(Array(lower.utf8), Array(candidate.utf8))
            let limit = max(1, min(2, candidate.utf8.count / 2))
            if distance <= limit, distance < best?.distance ?? Int.max { best = (distance, candidate) }
        }
        return best?.word
    }

    private static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        for i in 1...a.count {
            for j in 1...b.count {
                var least = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { least = min(least, rows[i - 2][j - 2] + 1) }
                rows[i][j] = least
            }
        }
        return rows[a.count][b.count]
    }
}

/// A field error as the failure of a check that otherwise gives a value.
struct FieldFault: Error {
    var error: FieldError
    init(_ error: FieldError) { self.error = error }
}
