/// Reads the fields of an object's content; what does not fit becomes a finding with its place, and the rest is read on.
struct DocumentReading {
    let value: JSONValue
    /// Of this value: `routes/default$.routes[3]`.
    let path: String

    /// - Parameter name: of the rulebook object.
    init(_ value: JSONValue, at name: String) {
        self.value = value
        path = "\(name)$"
    }

    init(_ value: JSONValue, path: String) {
        self.value = value
        self.path = path
    }

    /// Names every field that is not meant: a slip in a name would else be a rule that never holds.
    func allow(_ names: Set<String>, _ findings: inout [RulebookFinding]) {
        guard case .object(let fields) = value else {
            findings.append(RulebookFinding(path, .error, "it is \(value.kind), not an object", remedy: "write {...}"))
            return
        }
        for name in fields.keys.sorted() where !names.contains(name) {
            findings.append(
                RulebookFinding(
                    path + JSONStep.field(name).text, .error, "there is no such field",
                    remedy: "the fields are \(names.sorted().joined(separator: ", "))"))
        }
    }

    /// Nil, with a finding: it is missing, too long or no text.
    func text(_ name: String, maximumBytes: Int, _ findings: inout [RulebookFinding]) -> String? {
        // What is no object was named by `allow`.
        guard case .object(let fields) = value else { return nil }
        guard fields[name] != nil else {
            findings.append(RulebookFinding("\(path).\(name)", .error, "it is missing", remedy: "write it"))
            return nil
        }
        return optionalText(name, maximumBytes: maximumBytes, &findings)
    }

    func optionalText(_ name: String, maximumBytes: Int, _ findings: inout [RulebookFinding]) -> String? {
        guard let field = value[name] else { return nil }
        guard case .text(let text) = field else {
            findings.append(RulebookFinding("\(path).\(name)", .error, "it is \(field.kind), not a text", remedy: "write it in quotes"))
            return nil
        }
        guard text.utf8.count <= maximumBytes else {
            findings.append(
                RulebookFinding("\(path).\(name)", .error, "it is longer than \(maximumBytes) bytes", remedy: "write a shorter one"))
            return nil
        }
        return text
    }

    /// The elements of a list that must be there; none, with a finding, where it is not.
    func list(_ name: String, _ findings: inout [RulebookFinding]) -> [DocumentReading] {
        guard case .object(let fields) = value else { return [] }
        guard case .list(let elements)? = fields[name] else {
            let problem = fields[name].map { "it is \($0.kind), not a list" } ?? "it is missing"
            findings.append(RulebookFinding("\(path).\(name)", .error, problem, remedy: "write [...]"))
            return []
        }
        return elements.enumerated().map { DocumentReading($0.element, path: "\(path).\(name)[\($0.offset)]") }
    }
}
