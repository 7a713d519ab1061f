/// Names of columns in a file that are other than ours: lines `ours = theirs`, `ignore = theirs` for what is not read; `#` begins a comment.
struct ImportMap: Sendable {
    /// By their name.
    private(set) var names: [String: String] = [:]
    private(set) var ignored: Set<String> = []

    init() {}

    init(text: String) throws(ImportFault) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = String(line).trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw .header(reason: "line \(index + 1) of the list of names is not `ours = theirs`")
            }
            let ours = String(line[..<equals]).trimmed
            let theirs = String(line[line.index(after: equals)...]).trimmed
            guard !theirs.isEmpty, names[theirs] == nil, !ignored.contains(theirs) else {
                throw .header(reason: "line \(index + 1) of the list of names has no name of theirs, or one that is there already")
            }
            if ours == "ignore" { ignored.insert(theirs) } else { names[theirs] = ours }
        }
    }

    func column<Rows: RowReading>(_ theirs: String, _ rows: Rows.Type, _ names: CustomerNames) -> ReadColumn<Rows.Column> {
        if ignored.contains(theirs) { return .ignored }
        return Rows.column(self.names[theirs] ?? theirs, names).map { .known($0) } ?? .unknown
    }
}
