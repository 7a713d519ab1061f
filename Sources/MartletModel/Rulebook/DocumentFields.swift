// Fields of the forms that many kinds of objects have.

extension DocumentReading {
    /// Adds an error at a field of this value, or at the value itself.
    func error(_ field: String?, _ message: String, remedy: String, _ findings: inout [RulebookFinding]) {
        findings.append(RulebookFinding(field.map { path + JSONStep.field($0).text } ?? path, .error, message, remedy: remedy))
    }

    func warning(_ field: String?, _ message: String, remedy: String, _ findings: inout [RulebookFinding]) {
        findings.append(RulebookFinding(field.map { path + JSONStep.field($0).text } ?? path, .warning, message, remedy: remedy))
    }

    /// A field of the object; nil: this is none, or has no such field. A null counts as left out.
    func field(_ name: String) -> JSONValue? {
        guard let found = value[name] else { return nil }
        if case .null = found { return nil }
        return found
    }

    /// The object in a field; nil: it is left out.
    func object(_ name: String) -> DocumentReading? { field(name).map { DocumentReading($0, path: path + JSONStep.field(name).text) } }

    /// Nil, with a finding: it is missing or out of range.
    func integer(_ name: String, in range: ClosedRange<Int64>, _ findings: inout [RulebookFinding]) -> Int64? {
        guard field(name) != nil else {
            if case .object = value { error(name, "it is missing", remedy: "write it", &findings) }
            return nil
        }
        return optionalInteger(name, in: range, &findings)
    }

    func optionalInteger(_ name: String, in range: ClosedRange<Int64>, _ findings: inout [RulebookFinding]) -> Int64? {
        guard let found = field(name) else { return nil }
        guard case .integer(let number) = found else {
            error(name, "it is \(found.kind), not a number", remedy: "write a whole number without quotes", &findings)
            return nil
        }
        guard range.contains(number) else {
            error(name, "it is not within \(range.lowerBound) to \(range.upperBound)", remedy: "write a number of that range", &findings)
            return nil
        }
        return number
    }

    /// - Parameter assumed: what it is where it is left out.
    func flag(_ name: String, _ assumed: Bool, _ findings: inout [RulebookFinding]) -> Bool {
        guard let found = field(name) else { return assumed }
        guard case .flag(let flag) = found else {
            error(name, "it is \(found.kind), not true or false", remedy: "write true or false, without quotes", &findings)
            return assumed
        }
        return flag
    }

    /// One of the words of a closed list.
    func word<Word>(_ name: String, of words: [(String, Word)], _ findings: inout [RulebookFinding]) -> Word? {
        guard let text = text(name, maximumBytes: 64, &findings) else { return nil }
        return known(name, text, words, &findings)
    }

    func optionalWord<Word>(_ name: String, of words: [(String, Word)], _ findings: inout [RulebookFinding]) -> Word? {
        guard field(name) != nil, let text = optionalText(name, maximumBytes: 64, &findings) else { return nil }
        return known(name, text, words, &findings)
    }

    private func known<Word>(_ name: String?, _ text: String, _ words: [(String, Word)], _ findings: inout [RulebookFinding]) -> Word? {
        if let found = words.first(where: { $0.0 == text }) { return found.1 }
        error(name, "there is no such word", remedy: "one of \(words.map(\.0).joined(separator: ", "))", &findings)
        return nil
    }

    /// A list that may be left out; then it is empty.
    func optionalList(_ name: String, _ findings: inout [RulebookFinding]) -> [DocumentReading] {
        field(name) == nil ? [] : list(name, &findings)
    }

    /// This value as a text that stands in a list.
    func asText(maximumBytes: Int, _ findings: inout [RulebookFinding]) -> String? {
        guard case .text(let text) = value else {
            error(nil, "it is \(value.kind), not a text", remedy: "write it in quotes", &findings)
            return nil
        }
        guard text.utf8.count <= maximumBytes else {
            error(nil, "it is longer than \(maximumBytes) bytes", remedy: "write a shorter one", &findings)
            return nil
        }
        return text
    }

    /// A list of words of a closed list, none twice; nil: it is left out.
    func words<Word: Hashable>(_ name: String, of words: [(String, Word)], _ findings: inout [RulebookFinding]) -> [Word]? {
        guard field(name) != nil else { return nil }
        var found: [Word] = []
        for element in list(name, &findings) {
            guard let text = element.asText(maximumBytes: 64, &findings),
                let word = element.known(nil, text, words, &findings)
            else { continue }
            guard !found.contains(word) else {
                element.error(nil, "it stands there twice", remedy: "leave one of them", &findings)
                continue
            }
            found.append(word)
        }
        return found
    }

    /// A list of numbers of the bank's own, none twice.
    func numbers(_ name: String, _ findings: inout [RulebookFinding]) -> [UInt16] {
        var found: [UInt16] = []
        for element in optionalList(name, &findings) {
            guard case .integer(let number) = element.value, let number = UInt16(exactly: number), number > 0 else {
                element.error(nil, "it is no number of 1 to 65535", remedy: "write the number that the definition has", &findings)
                continue
            }
            if !found.contains(number) { found.append(number) }
        }
        return found
    }
}

extension ChannelKind {
    static let words = ChannelKind.allCases.map { ($0.word, $0) }
}

extension MessageClass {
    static let words = MessageClass.allCases.map { ($0.word, $0) }
}
