import FoundationEssentials
import MartletModel
import Zip

/// The rulebook's files packed into one: `KIND/KEY.json` or `.yaml`, as a folder has them. A folder around them all, as programs that pack make
/// it, is passed over.
struct RulebookArchive {
    let path: String
    private var entries: [Zip.Entry] = []

    init(path: String) { self.path = path }

    mutating func add(_ kind: RulebookKind, _ key: String, _ body: RulebookFiles.Body) throws {
        entries.append(Zip.Entry(name: "\(kind.rawValue)/\(key).json", bytes: Array(try RulebookFiles.text(body).utf8)))
    }

    /// - Returns: how many files it holds.
    /// - Throws: `RulebookFiles.Faults`: they are too many, or it cannot be written.
    func write() throws(RulebookFiles.Faults) -> Int {
        let bytes: [UInt8]
        do throws(ZipFault) {
            bytes = try Zip.write(entries.sorted { $0.name < $1.name })
        } catch {
            throw RulebookFiles.Faults(lines: ["\(path): \(error)"])
        }
        do {
            try Data(bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw RulebookFiles.Faults(lines: ["\(path): it cannot be written"])
        }
        return entries.count
    }

    /// Every object of the archive, by kind and key. As in a folder, names that begin with a dot and files beside the kinds are passed over.
    /// - Throws: `RulebookFiles.Faults`: why the archive is not taken, else all that is wrong in all files.
    func read() throws(RulebookFiles.Faults) -> [RulebookFiles.File] {
        var (files, lines): ([RulebookFiles.File], [String]) = ([], [])
        for (parts, entry) in try named() where !parts.contains(where: { $0.hasPrefix(".") }) && parts.count > 1 {
            let place = "\(path)/\(entry.name)"
            guard let kind = RulebookKind(rawValue: parts[0]) else {
                lines.append(RulebookFiles.noKind(place))
                continue
            }
            guard parts.count == 2 else {
                lines.append("\(place): a file of the rulebook is KIND/KEY.json or .yaml, and in no other folder")
                continue
            }
            if let file = RulebookFiles.file(place, parts[1], kind, &lines, { Data(entry.bytes) }) { files.append(file) }
        }
        files.sort { ($0.kind.rawValue, $0.key, $0.path) < ($1.kind.rawValue, $1.key, $1.path) }
        return try RulebookFiles.each(files, lines)
    }

    /// Names by their parts, without the folder around them all.
    private func named() throws(RulebookFiles.Faults) -> [(parts: [String], entry: Zip.Entry)] {
        let entries = try unpacked().map { (parts: $0.name.split(separator: "/").map(String.init), entry: $0) }
        guard let first = entries.first?.parts.first, RulebookKind(rawValue: first) == nil,
            entries.allSatisfy({ $0.parts.count > 1 && $0.parts[0] == first }),
            entries.contains(where: { $0.parts.count > 2 && RulebookKind(rawValue: $0.parts[1]) != nil })
        else { return entries }
        return entries.map { (Array($0.parts.dropFirst()), $0.entry) }
    }

    private func unpacked() throws(RulebookFiles.Faults) -> [Zip.Entry] {
        let limits = Zip.Limits()
        // What is too large is not read first.
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
        if let size, size > limits.bytes { throw RulebookFiles.Faults(lines: ["\(path): \(ZipFault.tooLarge(bytes: limits.bytes))"]) }
        guard let data = try? Data(contentsOf: URL(filePath: path)) else {
            throw RulebookFiles.Faults(lines: ["\(path): it is no folder or zip archive that can be read"])
        }
        do throws(ZipFault) {
            return try Zip.read(Array(data), limits)
        } catch {
            throw RulebookFiles.Faults(lines: ["\(path): \(error)"])
        }
    }
}
