public import MartletModel

/// The declared settings as the tree in which they stand in a file, in the order of their declaration.
struct Schema: Sendable {
    indirect enum Shape: Sendable {
        case setting(Setting)
        case section(Schema)
        /// A list whose elements are sections: `connections[]`.
        case elements(Schema)
    }

    var members: [(name: String, shape: Shape)] = []

    func shape(_ name: String) -> Shape? { members.first { $0.name == name }?.shape }

    /// Of two settings on one path the first counts; `faults` names them.
    init(_ declared: [Setting] = []) {
        for setting in declared { insert(setting, setting.path.split(separator: ".", omittingEmptySubsequences: false)[...]) }
    }

    private mutating func insert(_ setting: Setting, _ path: ArraySlice<Substring>) {
        guard let first = path.first else { return }
        let isList = first.hasSuffix("[]")
        let name = String(isList ? first.dropLast(2) : first)
        let index = members.firstIndex { $0.name == name }
        if path.count == 1 {
            if index == nil { members.append((name, .setting(setting))) }
            return
        }
        var inner = Schema()
        if let index {
            switch members[index].shape {
            case .section(let known), .elements(let known): inner = known
            case .setting: return
            }
        }
        inner.insert(setting, path.dropFirst())
        let shape = isList ? Shape.elements(inner) : .section(inner)
        if let index { members[index].shape = shape } else { members.append((name, shape)) }
    }

    /// Every setting of the tree.
    var settings: [Setting] {
        members.flatMap { member in
            switch member.shape {
            case .setting(let setting): [setting]
            case .section(let inner), .elements(let inner): inner.settings
            }
        }
    }
}

extension SettingsFile {
    /// What is wrong with the declarations themselves: a test holds this to be empty.
    public static func faults(of declared: [Setting]) -> [String] {
        var faults: [String] = []
        var seen: Set<String> = []
        for setting in declared {
            if !seen.insert(setting.path).inserted { faults.append("\(setting.path) is declared twice") }
            let parts = setting.path.split(separator: ".", omittingEmptySubsequences: false)
            for part in parts {
                let name = part.hasSuffix("[]") ? part.dropLast(2) : part
                let isWord = name.first.map { ("a"..."z").contains($0) } ?? false
                if !isWord || !name.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }) {
                    faults.append("\(setting.path) is not a dotted path of words")
                }
            }
            if parts.last?.hasSuffix("[]") == true { faults.append("\(setting.path) ends in a list of sections") }
            if setting.doc.isEmpty { faults.append("\(setting.path) has no doc") }
            if case .failure(let wrong) = defaultValue(of: setting) {
                faults.append("\(setting.path): its default \(wrong.problem); \(wrong.remedy)")
            }
        }
        let reachable = Set(Schema(declared).settings.map(\.path))
        for setting in declared where !reachable.contains(setting.path) {
            faults.append("\(setting.path) is both a setting and a section, or both one section and a list")
        }
        return faults.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The default, read as if it stood in the file. Nil: required, or none (an empty default).
    static func defaultValue(of setting: Setting) -> Result<Value?, Wrong> {
        guard let text = setting.fallback, !text.isEmpty else { return .success(nil) }
        do throws(Wrong) {
            guard case .list = setting.kind else { return .success(try setting.kind.read(text)) }
            guard text.hasPrefix("["), text.hasSuffix("]") else {
                return .failure(Wrong(problem: "\(quoted(text)) is not a list", remedy: "write [a, b]"))
            }
            var items: [String] = []
            for item in text.dropFirst().dropLast().split(separator: ",") {
                items.append(try setting.kind.listed(String(item.drop { $0 == " " })))
            }
            return .success(.list(items))
        } catch {
            return .failure(error)
        }
    }

    /// `MARTLET_JOURNAL_COMMIT_GAP` for `journal.commitGap`; nil for what stands in a list.
    public static func environmentName(of setting: Setting) -> String? {
        if setting.path.contains("[]") { return nil }
        if case .list = setting.kind { return nil }
        var name = "MARTLET_"
        for character in setting.path {
            if character == "." {
                name.append("_")
            } else if character.isUppercase {
                name.append("_\(character)")
            } else {
                name.append(contentsOf: character.uppercased())
            }
        }
        return name
    }
}
