import MartletModel

/// What a message's values must be. Each check gives the error or nothing; none repeats the value.
enum MessageRules {
    static let fields = ["to", "text", "from", "class", "validity", "reference", "channel", "flash", "replaceIfPresent"]
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
        switch MessageShape.text(text) {
        case nil: nil
        case .controlCharacter:
            FieldError(
                path: "/text", code: HTTPErrors.controlCharacter,
                message: "must not hold control characters but line feed, carriage return, tab and form feed")
        case .blank, .tooLong: FieldError(path: "/text", code: HTTPErrors.blankText, message: "must hold more than white space")
        }
    }

    static let cardNumber = FieldError(path: "/text", code: HTTPErrors.cardNumber, message: "must not hold a card number")

    static func sender(_ text: String, of source: Source) -> FieldError? {
        guard MessageShape.isSender(text) else {
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
        guard !MessageShape.validity.contains(seconds) else { return nil }
        return FieldError(path: "/validity", code: HTTPErrors.validityOutOfRange, message: "must be from 1 to 604800 seconds")
    }

    static func reference(_ text: String) -> FieldError? {
        switch MessageShape.reference(text) {
        case nil: nil
        case .tooLong: FieldError(path: "/reference", code: HTTPErrors.tooLong, message: "must be at most 64 bytes of UTF-8")
        case .controlCharacter, .blank:
            FieldError(path: "/reference", code: HTTPErrors.controlCharacter, message: "must not hold control characters")
        }
    }

    static func channel(_ word: String) -> FieldError? {
        if word == "sms" { return nil }
        if knownChannels.contains(word) {
            return FieldError(path: "/channel", code: HTTPErrors.channelOff, message: "is not in service; use sms")
        }
        return FieldError(path: "/channel", code: HTTPErrors.unknownChannel, message: "must be a known channel; use sms")
    }

    /// - Parameter name: as the caller wrote it; told back, since a name of a field is no customer data, but at most 64 bytes of it.
    static func unknownField(_ name: String, of fields: [String] = fields, _ whole: String = "a message") -> FieldError {
        let pointer = pointer(name)
        let hint = nearest(name, in: fields).map { "is not a field of \(whole); did you mean \($0)?" }
        return FieldError(path: "/\(pointer)", code: HTTPErrors.unknownField, message: hint ?? "is not a field of \(whole)")
    }

    /// A name as a step of a JSON Pointer (RFC 6901, section 3), at most 64 bytes of it.
    static func pointer(_ name: String) -> String {
        let shown = name.utf8.count <= 64 ? name : String(decoding: Array(name.utf8.prefix(64)), as: UTF8.self) + "…"
        return String(
            decoding: shown.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case UInt8(ascii: "~"): Array("~0".utf8)
                case UInt8(ascii: "/"): Array("~1".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
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
