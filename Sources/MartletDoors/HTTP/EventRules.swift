import MartletModel

/// What an event's values must be, in words. None repeats a value.
enum EventRules {
    /// Where a whole number must lie.
    struct Range {
        var values: ClosedRange<Int64>
        var code: ErrorCode
        var rule: String
    }

    static let deadline = Range(
        values: 1...EventDefinition.longest, code: HTTPErrors.deadlineOutOfRange,
        rule: "must be from 1 to \(EventDefinition.longest) seconds")
    static let release = Range(
        values: 1...Int64(UInt32.max), code: HTTPErrors.unknownRelease, rule: "must be the number of a release that this server has")

    /// The bank's reference, byte for byte: customers are found by nothing else.
    static func customer(_ text: String) -> FieldError? {
        if text.isEmpty { return FieldError(path: "/customer", code: HTTPErrors.required, message: "must not be empty") }
        if text.utf8.count > EventSubmission.customerMaximum {
            let message = "must be at most \(EventSubmission.customerMaximum) bytes of UTF-8"
            return FieldError(path: "/customer", code: HTTPErrors.tooLong, message: message)
        }
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        return FieldError(path: "/customer", code: HTTPErrors.controlCharacter, message: "must not hold control characters")
    }

    static func error(_ fault: EventParameters.Fault, _ definition: EventDefinition) -> FieldError {
        let path = "/parameters/\(MessageRules.pointer(fault.name))"
        func error(_ code: ErrorCode, _ message: String, _ member: String = "") -> FieldError {
            FieldError(path: path + member, code: code, message: message)
        }
        switch fault.wrong {
        case .missing: return error(HTTPErrors.required, "is missing")
        case .kind(let type): return error(HTTPErrors.wrongType, "must be \(type.form)")
        case .form(.integer): return error(HTTPErrors.invalidValue, "must be a whole number between -(2^53 - 1) and 2^53 - 1")
        case .form(let type): return error(HTTPErrors.invalidValue, "must be \(type.form)")
        case .tooLong(let bytes): return error(HTTPErrors.tooLong, "must be at most \(bytes) bytes of UTF-8")
        case .controlCharacter:
            return error(
                HTTPErrors.controlCharacter, "must not hold control characters but line feed, carriage return, tab and form feed")
        case .cardNumber: return error(HTTPErrors.cardNumber, "must not hold a card number")
        case .amount: return error(HTTPErrors.invalidValue, "must be a decimal number in quotes, such as \"125.50\"", "/amount")
        case .currency: return error(HTTPErrors.invalidValue, "must be a currency of ISO 4217 that is known here, such as UAH", "/currency")
        case .fraction: return error(HTTPErrors.invalidValue, "has more digits behind the point than its currency", "/amount")
        case .member: return error(HTTPErrors.unknownField, "must have no members but amount and currency")
        case .unknown:
            // What a sender writes for a name could be anything; it is told back where it can be one.
            guard EventParameter.isName(fault.name) else {
                return FieldError(
                    path: "/parameters", code: HTTPErrors.unknownParameter, message: "has a member whose name no parameter can have")
            }
            let hint = MessageRules.nearest(fault.name, in: definition.parameters.map(\.name)).map { "; did you mean \($0)?" } ?? ""
            return error(HTTPErrors.unknownParameter, "is not a parameter of \(definition.key)\(hint)")
        }
    }
}

extension EventCatalogue {
    /// Definitions that are looked through for the one that was meant, and those whose names are compared letter by letter: a wrong name must
    /// cost no other sender time.
    private static let looked = 2048
    private static let compared = 64

    /// The definition that was probably meant: about as long, and alike in its first or its last letter.
    func nearest(to word: String) -> String? {
        guard let first = word.utf8.first, let last = word.utf8.last else { return nil }
        var near: [String] = []
        for place in definitions.indices.prefix(EventCatalogue.looked) {
            let key = definitions[place].key.utf8
            guard abs(key.count - word.utf8.count) <= 2, key.first == first || key.last == last else { continue }
            near.append(definitions[place].key)
            if near.count == EventCatalogue.compared { break }
        }
        return MessageRules.nearest(word, in: near)
    }
}

extension EventSubmission {
    /// Whether it is worth to count its bytes: a bound from above that takes no memory. No number needs more than 20 bytes, nothing beside the
    /// values more than 64.
    var mayBeTooLarge: Bool {
        var most = 64
        for (parameter, value) in zip(definition.parameters, values) {
            most += parameter.name.utf8.count + 24
            if case .text(let text)? = value { most += text.utf8.count }
        }
        return most > EventPayload.Happened.maximumBytes
    }
}
