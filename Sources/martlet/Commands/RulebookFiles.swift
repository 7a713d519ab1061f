import FoundationEssentials
import MartletDesk
import MartletEngine
import MartletModel
import MartletSettings

/// The rulebook as files that a bank keeps in its version control: `FOLDER/KIND/KEY.json` or `.yaml`, an object each, with its `name`, its
/// `description`, its `unit` where it has one, and its `content`.
struct RulebookFiles {
    /// One file as it was read.
    struct File {
        var path: String
        var kind: RulebookKind
        var key: String
        var body: Body

        var name: String { "\(kind.rawValue)/\(key)" }

        /// It is of a kind whose numbers Martlet gives, and its file says none.
        var lacksNumber: Bool { Rulebooks.numbered.contains(kind) && (number ?? .null) == .null }

        var number: JSONValue? {
            get { body.content["number"] }
            set {
                guard case .object(var fields) = body.content else { return }
                fields["number"] = newValue
                body.content = .object(fields)
            }
        }
    }

    struct Body: Encodable, Equatable {
        var name: String
        var description: String
        var unit: Int64?
        var content: JSONValue
    }

    /// All that is wrong with the files, each a line with file, place and reason.
    struct Faults: Error {
        var lines: [String]
    }

    let folder: String

    // MARK: Writing

    /// - Throws: `Faults`: a file or folder that cannot be written.
    func write(_ kind: RulebookKind, _ key: String, _ body: Body) throws(Faults) -> String {
        let path = "\(folder)/\(kind.rawValue)/\(key).json"
        do {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(kind.rawValue)", withIntermediateDirectories: true)
            try Data(RulebookFiles.text(body).utf8).write(to: URL(filePath: path), options: .atomic)
            return path
        } catch {
            throw Faults(lines: ["\(path): it cannot be written"])
        }
    }

    /// The same object always as the same text, so that version control shows what changed and nothing else.
    static func text(_ body: Body) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(body), as: UTF8.self) + "\n"
    }

    // MARK: Reading

    /// Every object of the folder, by kind and key. Names that begin with a dot are passed over.
    /// - Throws: `Faults`, with all that is wrong in all files.
    func read() throws(Faults) -> [File] {
        var (files, lines): ([File], [String]) = ([], [])
        guard let folders = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw Faults(lines: ["\(folder): it is no folder that can be read"])
        }
        for name in folders.sorted() where name.first != "." && RulebookFiles.isFolder("\(folder)/\(name)") {
            guard let kind = RulebookKind(rawValue: name) else {
                lines.append(RulebookFiles.noKind("\(folder)/\(name)"))
                continue
            }
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)") else {
                lines.append("\(folder)/\(name): it cannot be read")
                continue
            }
            for name in names.sorted() where name.first != "." {
                if let file = read("\(folder)/\(kind.rawValue)/\(name)", name, kind, &lines) { files.append(file) }
            }
        }
        return try RulebookFiles.each(files, lines)
    }

    /// - Parameter files: in the order of their names.
    static func each(_ files: [File], _ lines: [String]) throws(Faults) -> [File] {
        var lines = lines
        for (file, next) in zip(files, files.dropFirst()) where file.name == next.name {
            lines.append("\(next.path): \(file.path) is the same object; keep one of them")
        }
        guard lines.isEmpty else { throw Faults(lines: lines) }
        return files
    }

    static func noKind(_ path: String) -> String {
        "\(path): there is no such kind; kinds are \(RulebookKind.allCases.map(\.rawValue).joined(separator: ", "))"
    }

    /// Every object of a folder or of a zip archive.
    static func read(at place: String) throws(Faults) -> [File] {
        isFolder(place) ? try RulebookFiles(folder: place).read() : try RulebookArchive(path: place).read()
    }

    private func read(_ path: String, _ name: String, _ kind: RulebookKind, _ lines: inout [String]) -> File? {
        RulebookFiles.file(path, name, kind, &lines) { try? Data(contentsOf: URL(filePath: path)) }
    }

    /// One file, wherever its bytes come from.
    /// - Parameters:
    ///   - path: for people.
    ///   - name: without its folder.
    static func file(_ path: String, _ name: String, _ kind: RulebookKind, _ lines: inout [String], _ bytes: () -> Data?) -> File? {
        let isYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        let ending = [".json", ".yaml", ".yml"].first { name.hasSuffix($0) }
        guard let ending else {
            lines.append("\(path): a file of the rulebook ends with .json, .yaml or .yml")
            return nil
        }
        let key = String(name.dropLast(ending.count))
        guard RulebookObject.isKey(key) else {
            lines.append("\(path): its name is the object's key: 1 to 64 of a-z, 0-9, -, _ and .")
            return nil
        }
        guard let data = bytes(), let text = String(validating: data, as: UTF8.self) else {
            lines.append("\(path): it cannot be read as UTF-8")
            return nil
        }
        var value: JSONValue?
        if isYAML {
            let (read, mistakes) = YAMLDocument.read(text)
            lines += mistakes.map { $0.text(file: path) }
            if !mistakes.isEmpty { return nil }
            value = read
        } else {
            do throws(JSONFault) {
                value = try JSONValue(reading: Array(data), maximumBytes: RulebookObject.contentMaximum * 2)
            } catch {
                lines.append("\(path): \(error)")
                return nil
            }
        }
        guard let value, case .object(let fields) = value else {
            lines.append("\(path): $: it is not an object with name, description and content")
            return nil
        }
        return body(fields, path, &lines).map { File(path: path, kind: kind, key: key, body: $0) }
    }

    private static func body(_ fields: [String: JSONValue], _ path: String, _ lines: inout [String]) -> Body? {
        let before = lines.count
        for name in fields.keys.sorted() where !["name", "description", "unit", "content"].contains(name) {
            lines.append("\(path): $.\(name): there is no such field; there are name, description, unit and content")
        }
        func text(_ name: String, _ most: Int) -> String {
            guard case .text(let text)? = fields[name], (1...most).contains(text.utf8.count) else {
                lines.append("\(path): $.\(name): a text of 1 to \(most) bytes is needed")
                return ""
            }
            return text
        }
        var unit: Int64?
        switch fields["unit"] {
        case nil, .null?: break
        case .integer(let number)?: unit = number
        default: lines.append("\(path): $.unit: it is not the number of a unit")
        }
        let (name, description) = (text("name", 120), text("description", 1000))
        if fields["content"] == nil { lines.append("\(path): $.content: it is missing") }
        guard lines.count == before, let content = fields["content"] else { return nil }
        return Body(name: name, description: description, unit: unit, content: content)
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    // MARK: Compiling

    /// Files without a number are compiled with one that no other has: it is given when they are imported.
    private static func numbered(_ files: [File]) -> [File] {
        var files = files
        var next: [RulebookKind: Int64] = [:]
        for file in files {
            if case .integer(let number)? = file.number { next[file.kind] = max(next[file.kind] ?? 0, number) }
        }
        for index in files.indices where files[index].lacksNumber {
            let number = (next[files[index].kind] ?? 0) + 1
            next[files[index].kind] = number
            files[index].number = .integer(number)
        }
        return files
    }

    /// What the one compile of the house says of the files, each finding as a line with its file.
    static func findings(_ files: [File], _ surroundings: Rulebook.Surroundings) -> (lines: [String], areUsable: Bool) {
        // A file has no version: what an override is based on is compared when it is published.
        let objects = numbered(files).map { RulebookObject(kind: $0.kind, key: $0.key, version: 0, content: $0.body.content) }
        let findings = DecisionBook.compile(
            RulebookSource(number: 0, at: 0, objects: objects), in: surroundings, zoneFile: ZoneFiles.read
        ).findings
        let paths = Dictionary(files.map { ($0.name, $0.path) }) { first, _ in first }
        let lines = findings.map { finding in
            let name = String(finding.path.prefix { $0 != "$" })
            let place = finding.path.dropFirst(name.count)
            return "\(paths[name] ?? name): \(place.isEmpty ? "$" : place.replacing("$", with: "$.content", maxReplacements: 1)): "
                + "\(finding.severity.rawValue): \(finding.message); \(finding.remedy)"
        }
        return (lines, findings.areUsable)
    }
}
