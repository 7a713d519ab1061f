import Foundation

/// The repository as text, found from where this file was compiled.
enum Repository {
    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// Names of the folders directly inside `path`.
    static func folders(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            at: root.appendingPathComponent(path), includingPropertiesForKeys: [.isDirectoryKey], options: .skipsHiddenFiles
        )
        .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
        .map(\.lastPathComponent)
        .sorted()
    }

    /// Paths, from the root, of all files under `folder` whose name ends so.
    static func files(in folder: String, ending suffix: String) -> [String] {
        let start = root.appendingPathComponent(folder)
        guard let walk = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil, options: .skipsHiddenFiles) else {
            return []
        }
        var found: [String] = []
        for case let url as URL in walk where url.lastPathComponent.hasSuffix(suffix) {
            found.append(String(url.resolvingSymlinksInPath().path.dropFirst(root.path.count + 1)))
        }
        return found.sorted()
    }

    /// All own Swift sources and tests.
    static func swiftFiles() -> [String] {
        files(in: "Sources", ending: ".swift") + files(in: "Tests", ending: ".swift")
    }

    /// All pages: at the top and under docs.
    static func pages() throws -> [String] {
        let top = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".md") }.sorted()
        return top + files(in: "docs", ending: ".md")
    }
}
