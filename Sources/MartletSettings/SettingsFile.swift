import Glibc
public import MartletModel

/// Reads a settings file against the declared settings and finds all of its mistakes at once.
public enum SettingsFile {
    /// Mistakes told at most; a file with more is not a settings file.
    public static let maximumMistakes = 100

    /// - Parameters:
    ///   - environment: variables named as `environmentName(of:)` says win over the file. Others that begin like a section's
    ///     (`MARTLET_HTTP_`) are mistakes; whatever else begins with `MARTLET_` is left alone.
    /// - Returns: the values, worth reading when `mistakes` is empty; and all mistakes in the order of the file, then of the environment.
    public static func read(
        text: String, declared: [Setting], environment: [String: String] = [:]
    ) -> (values: SettingValues, mistakes: [Mistake]) {
        var reading = Reading(declared)
        let (tree, mistakes) = Document.read(text)
        reading.mistakes = mistakes
        let isWhole = tree != nil || mistakes.isEmpty
        if let tree { reading.root(tree) }
        reading.override(environment)
        // Of a file that could not be read nobody knows what it lacks.
        if isWhole { reading.complete() }
        var all = reading.mistakes.reduce(into: [Mistake]()) { if !$0.contains($1) { $0.append($1) } }
        all.sort { ($0.mark, $0.path) < ($1.mark, $1.path) }
        if all.count > maximumMistakes {
            all.removeSubrange(maximumMistakes...)
            all.append(Mistake(at: all[maximumMistakes - 1].mark, "", "there are more mistakes", remedy: "correct these first"))
        }
        return (reading.values, all)
    }

    /// As `read(text:declared:environment:)`; a file that cannot be read is one mistake.
    public static func read(
        file path: String, declared: [Setting], environment: [String: String] = [:]
    ) -> (values: SettingValues, mistakes: [Mistake]) {
        func refused(_ problem: String, _ remedy: String) -> (values: SettingValues, mistakes: [Mistake]) {
            (SettingValues(mark: .start), [Mistake(at: .start, "", problem, remedy: remedy)])
        }
        guard let stream = fopen(path, "re") else {
            return refused("the file cannot be opened (\(String(cString: strerror(errno))))", "correct the path, or the file's rights")
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: Bounds.maximumBytes + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard ferror(stream) == 0 else { return refused("the file cannot be read", "name a regular file") }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            return refused("the file is not UTF-8", "save it as UTF-8")
        }
        return read(text: text, declared: declared, environment: environment)
    }
}

/// One reading: the tree against the schema.
private struct Reading {
    let declared: [Setting]
    let schema: Schema
    var values = SettingValues(mark: .start)
    var mistakes: [Mistake] = []
    /// Settings whose value was there but wrong: they are not missing.
    var refused: Set<String> = []

    init(_ declared: [Setting]) {
        self.declared = declared
        schema = Schema(declared)
    }

    mutating func root(_ tree: Tree) {
        if tree.isNothing { return }
        guard case .section(let members, let mark) = tree else {
            mistakes.append(
                Mistake(
                    at: tree.mark, "", "the file does not hold sections", remedy: "write `section:` and its settings below it, indented"))
            return
        }
        var whole = values
        whole.mark = mark
        section(members, schema, path: "", declaredPath: "", into: &whole)
        values = whole
    }

    private mutating func section(
        _ members: [Tree.Member], _ schema: Schema, path: String, declaredPath: String, into values: inout SettingValues
    ) {
        for member in members {
            let memberPath = path.isEmpty ? member.name : "\(path).\(member.name)"
            let memberDeclared = declaredPath.isEmpty ? member.name : "\(declaredPath).\(member.name)"
            switch schema.shape(member.name) {
            case nil: unknown(member, schema, path: memberPath)
            case .setting(let setting): self.setting(setting, member, path: memberPath, into: &values)
            case .section(let inner):
                if member.value.isNothing { continue }
                guard case .section(let members, _) = member.value else {
                    mistakes.append(
                        Mistake(
                            at: member.value.mark, memberPath, "is a section",
                            remedy: "write its settings below it, indented: \(some(inner))"))
                    continue
                }
                section(members, inner, path: memberPath, declaredPath: memberDeclared, into: &values)
            case .elements(let inner):
                if member.value.isNothing { continue }
                guard case .list(let items, _) = member.value else {
                    mistakes.append(
                        Mistake(
                            at: member.value.mark, memberPath, "is a list of sections",
                            remedy: "begin each with `- ` below it: `- \(inner.members.first?.name ?? "name"): ...`"))
                    continue
                }
                values.lists[memberDeclared] = elements(items, inner, path: memberPath, declaredPath: memberDeclared)
            }
        }
    }

    private mutating func elements(_ items: [Tree], _ schema: Schema, path: String, declaredPath: String) -> [SettingValues] {
        var elements: [SettingValues] = []
        var names: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            let itemPath = "\(path)[\(index)]"
            guard case .section(let members, let mark) = item else {
                mistakes.append(
                    Mistake(at: item.mark, itemPath, "is not a section", remedy: "write its settings as `name: value`: \(some(schema))"))
                continue
            }
            var element = SettingValues(mark: mark, path: itemPath, declaredPrefix: "\(declaredPath)[]")
            section(members, schema, path: itemPath, declaredPath: "\(declaredPath)[]", into: &element)
            if case .setting(let setting)? = schema.shape("name"), element.isSet(setting) {
                let name = element.text(setting)
                if let first = names[name] {
                    mistakes.append(
                        element.mistake(setting, "\(quoted(name)) is the name of \(path)[\(first)] too", remedy: "give each its own name"))
                } else {
                    names[name] = index
                }
            }
            complete(schema, element)
            elements.append(element)
        }
        return elements
    }

    private mutating func setting(_ setting: Setting, _ member: Tree.Member, path: String, into values: inout SettingValues) {
        let mark = member.value.mark
        func wrong(_ problem: String, _ remedy: String) {
            mistakes.append(Mistake(at: mark, path, problem, remedy: remedy))
            refused.insert(path)
        }
        if member.value.isNothing {
            guard setting.fallback == nil else { return }
            return wrong("has no value", "write one: \(setting.kind.words)")
        }
        if case .list = setting.kind {
            guard case .list(let items, _) = member.value else { return wrong("is a list", "write [a, b]; \(setting.kind.words)") }
            list(setting, items, mark, path: path, into: &values)
            return
        }
        switch member.value {
        case .list: wrong("takes one value, not a list", "write \(setting.kind.words)")
        case .section: wrong("takes one value, not a section", "write \(setting.kind.words)")
        case .scalar(let text, _, _):
            do throws(Wrong) {
                try keep(setting, text, mark, into: &values)
            } catch {
                wrong(error.problem, error.remedy)
            }
        }
    }

    /// An empty text means not set where the default is empty.
    private func keep(_ setting: Setting, _ text: String, _ mark: Mark, into values: inout SettingValues) throws(Wrong) {
        if text.isEmpty {
            guard setting.fallback == "" else { throw Wrong(problem: "is empty", remedy: "write \(setting.kind.words)") }
            values.held[setting.path] = SettingValues.Held(value: setting.kind.zero, mark: mark, isSet: false)
            return
        }
        values.held[setting.path] = SettingValues.Held(value: try setting.kind.read(text), mark: mark, isSet: true)
    }

    private mutating func list(_ setting: Setting, _ items: [Tree], _ mark: Mark, path: String, into values: inout SettingValues) {
        guard items.count <= Setting.Kind.maximumListCount else {
            mistakes.append(Mistake(at: mark, path, "has \(items.count) values", remedy: "write at most \(Setting.Kind.maximumListCount)"))
            return
        }
        var texts: [String] = []
        for (index, item) in items.enumerated() {
            let itemPath = "\(path)[\(index)]"
            guard case .scalar(let text, _, _) = item, !item.isNothing else {
                mistakes.append(Mistake(at: item.mark, itemPath, "is not a single value", remedy: "write [a, b]; \(setting.kind.words)"))
                continue
            }
            do throws(Wrong) {
                let value = try setting.kind.listed(text)
                if texts.contains(value) { throw Wrong(problem: "\(quoted(value)) stands twice", remedy: "keep one of them") }
                texts.append(value)
            } catch {
                mistakes.append(Mistake(at: item.mark, itemPath, error.problem, remedy: error.remedy))
            }
        }
        values.held[setting.path] = SettingValues.Held(value: .list(texts), mark: mark, isSet: true)
    }

    private mutating func unknown(_ member: Tree.Member, _ schema: Schema, path: String) {
        let remedy: String
        if let meant = nearest(to: member.name, among: schema.members.lazy.map(\.name)) {
            remedy = "did you mean \(meant)?"
        } else if let elsewhere = declared.first(where: { $0.path.split(separator: ".").last.map(String.init) == member.name }) {
            remedy = "did you mean \(elsewhere.path)?"
        } else {
            remedy = "known here: \(some(schema))"
        }
        mistakes.append(
            Mistake(at: member.mark, path.unicodeScalars.count > 100 ? "" : path, "\(quoted(member.name)) is not a setting", remedy: remedy)
        )
    }

    /// The first names of a section.
    private func some(_ schema: Schema) -> String {
        let names = schema.members.map(\.name)
        return names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", ..." : "")
    }

    mutating func override(_ environment: [String: String]) {
        let byName = Dictionary(declared.compactMap { setting in SettingsFile.environmentName(of: setting).map { ($0, setting) } }) {
            first, _ in first
        }
        let sections = Set(declared.map { String($0.path.prefix { $0 != "." && $0 != "[" }).uppercased() })
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("MARTLET_") {
            let mark = Mark.environment(name)
            guard let setting = byName[name] else {
                let word = String(name.dropFirst("MARTLET_".count).prefix { $0 != "_" })
                guard sections.contains(word), name.count > "MARTLET_".count + word.count else { continue }
                let meant = nearest(to: name, among: byName.keys.sorted()).map { "did you mean \($0)?" }
                mistakes.append(
                    Mistake(at: mark, "", "names no setting", remedy: meant ?? "unset it; only single values outside lists can be set so"))
                continue
            }
            do throws(Wrong) {
                try keep(setting, text, mark, into: &values)
            } catch {
                mistakes.append(Mistake(at: mark, setting.path, error.problem, remedy: error.remedy))
                refused.insert(setting.path)
            }
        }
    }

    /// What the whole file lacks, after the environment had its say.
    mutating func complete() {
        complete(schema, values)
    }

    /// What a section lacks; elements of its lists were completed when they were read.
    private mutating func complete(_ schema: Schema, _ values: SettingValues) {
        for (_, shape) in schema.members {
            switch shape {
            case .section(let inner): complete(inner, values)
            case .elements: continue
            case .setting(let setting):
                let path = values.path(of: setting)
                if values.held[setting.path] != nil || refused.contains(path) { continue }
                if case .failure(let wrong) = SettingsFile.defaultValue(of: setting) {
                    mistakes.append(
                        Mistake(at: values.mark, path, "its declared default \(wrong.problem)", remedy: "set it here; \(wrong.remedy)"))
                } else if setting.fallback == nil {
                    mistakes.append(Mistake(at: values.mark, path, "is missing", remedy: "set it: \(setting.kind.words)"))
                }
            }
        }
    }
}
