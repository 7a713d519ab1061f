import Foundation
import Testing

/// Holds the import lines of Sources against `ImportTable`, and the table against Package.swift.
@Suite struct ImportTests {
    @Test("Every module imports only what the table of the house allows")
    func imports() throws {
        var broken: [String] = []
        for file in Repository.files(in: "Sources", ending: ".swift") {
            let module = String(file.split(separator: "/")[1])
            let allowed = ImportTable.all(of: module)
            for (number, line) in try lines(of: file) {
                guard let imported = SourceLine.importedModule(line), !allowed.contains(imported) else { continue }
                broken.append("\(file):\(number): \(module) may not import \(imported)")
            }
        }
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
    }

    @Test("A folder that is stricter than its module imports only its own list")
    func folders() throws {
        for (folder, allowed) in ImportTable.folders {
            let files = Repository.files(in: "Sources/\(folder)", ending: ".swift")
            #expect(!files.isEmpty, "Sources/\(folder) is in the table and holds no Swift file")
            for file in files {
                for (number, line) in try lines(of: file) {
                    guard let imported = SourceLine.importedModule(line), !allowed.contains(imported) else { continue }
                    #expect(ImportTable.standardLibrary.contains(imported), "\(file):\(number): \(folder) may not import \(imported)")
                }
            }
        }
    }

    @Test("Every folder of Sources stands in the table, and every line of the table has its folder")
    func modules() throws {
        let folders = Set(try Repository.folders(in: "Sources"))
        #expect(folders == Set(ImportTable.allowed.keys).union(ImportTable.cTargets))
        #expect(Set(ImportTable.system.keys).isSubset(of: Set(ImportTable.allowed.keys)))
    }

    @Test("Package.swift and the table give every module the same dependencies")
    func package() throws {
        let declared = PackageText.dependencies(in: try Repository.text("Package.swift"))
        #expect(Set(declared.keys) == Set(ImportTable.allowed.keys))
        for (module, allowed) in ImportTable.allowed {
            #expect(declared[module] == allowed, "\(module)")
        }
    }

    @Test("The pure modules reach no Foundation, no operating system and no event loop")
    func purity() {
        for module in ["SMSText", "Calendar", "Templates", "MartletModel", "MartletEngine"] {
            let reach = ImportTable.all(of: module).subtracting(ImportTable.standardLibrary)
            #expect(reach.isSubset(of: ["MartletModel", "SMSText", "Calendar", "Templates"]), "\(module)")
        }
        for module in ["SMPP", "Journal"] {
            #expect(ImportTable.all(of: module).isDisjoint(with: ["FoundationEssentials", "Foundation"]), "\(module)")
        }
    }

    @Test("No part of the sending process reaches a database: only the store, the desk and the program import SQL")
    func sendingHasNoDatabase() {
        let reaching = ImportTable.allowed.filter { !$0.value.isDisjoint(with: ["SQL", "MartletStore"]) }.keys
        #expect(Set(reaching) == ["MartletStore", "MartletDesk", "martlet"])
        let drivers = ImportTable.allowed.filter { !$0.value.isDisjoint(with: ["CPostgres", "GRDB", "GRDBSQLite"]) }.keys
        #expect(Set(drivers) == ["SQL"])
    }

    /// The preview makes no rulebook: it looks at the texts of one event with the same compiler, whatever else is wrong.
    @Test("Rulebooks are compiled by one function: it and the preview of a text alone call the reading of their forms")
    func oneCompile() throws {
        let callers = try Repository.files(in: "Sources", ending: ".swift").filter {
            try Repository.text($0).contains("Rulebook.compile(")
        }
        #expect(
            Set(callers) == [
                "Sources/MartletEngine/3-Render/DecisionBook.swift", "Sources/MartletEngine/3-Render/WordingPreview.swift",
            ])
    }

    @Test("The database module knows no word of Martlet")
    func sqlIsItsOwn() throws {
        for file in Repository.files(in: "Sources/SQL", ending: ".swift") {
            #expect(!(try Repository.text(file)).lowercased().contains("martlet"), "\(file)")
        }
    }

    @Test(
        "An import is found whatever stands before it",
        arguments: [
            ("import NIOCore", "NIOCore"), ("public import NIOCore", "NIOCore"), ("@testable import SMPP", "SMPP"),
            ("@preconcurrency public import struct Yams.Node // why", "Yams"), ("  internal import func Glibc.open", "Glibc"),
        ])
    func found(line: String, module: String) {
        #expect(SourceLine.importedModule(line) == module)
    }

    @Test("What only looks like an import is none", arguments: ["// import NIOCore", "let imports = 1", "important()", "import", ""])
    func notFound(line: String) {
        #expect(SourceLine.importedModule(line) == nil)
    }

    private func lines(of file: String) throws -> [(Int, Substring)] {
        try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { ($0.offset + 1, $0.element) }
    }
}

/// Reads the dependency lists of our own targets from the text of Package.swift.
enum PackageText {
    static func dependencies(in text: String) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        let library = #/library\(\s*"(?<name>[\w-]+)",\s*\[(?<list>[^\]]*)\]/#
        let program = #/executableTarget\(\s*name:\s*"(?<name>[\w-]+)",\s*dependencies:\s*\[(?<list>[^\]]*)\]/#
        for match in text.matches(of: library) { result[String(match.name)] = names(match.list) }
        for match in text.matches(of: program) { result[String(match.name)] = names(match.list) }
        return result
    }

    private static func names(_ list: Substring) -> Set<String> {
        let words = list.split(whereSeparator: { $0 == "," || $0.isWhitespace })
        return Set(words.map { ImportTable.packageNames[String($0)] ?? $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) })
    }
}
