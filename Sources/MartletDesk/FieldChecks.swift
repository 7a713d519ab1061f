/// Looks at all fields of a request and names every one that does not hold.
struct FieldChecks {
    private(set) var faults: [FieldFault] = []

    mutating func add(_ path: String, _ code: String, _ message: String) { faults.append(FieldFault(path, code, message)) }

    /// What every object of the desk has: something to call it, 1...120 bytes, and something that tells what it is for, 1...1000 bytes.
    mutating func words(name: String, description: String) {
        text("name", name, 1...120)
        text("description", description, 1...1000)
    }

    /// - Parameter bytes: least and most bytes; blanks at both ends do not count towards the least.
    mutating func text(_ path: String, _ text: String, _ bytes: ClosedRange<Int>) {
        if bytes.lowerBound > 0, text.trimmed.isEmpty { return add(path, "required", "it is needed") }
        if text.utf8.count > bytes.upperBound { return add(path, "too_long", "at most \(bytes.upperBound) bytes") }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" || $0.value == 0x7F }) {
            add(path, "characters", "no control characters but line feeds")
        }
    }

    /// What programs call it: 1...64 lower-case letters, digits, `_` and `-`, a letter first.
    mutating func code(_ path: String, _ text: String) {
        let fits =
            (1...64).contains(text.utf8.count) && text.utf8.first.map { (97...122).contains($0) } ?? false
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
        if !fits { add(path, "malformed", "1 to 64 of a-z, 0-9, _ and -, a letter first") }
    }

    /// - Throws: `.invalid` with all of them.
    func finish() throws(DeskFault) { if !faults.isEmpty { throw .invalid(faults) } }
}
