public import SQL

/// The schema of the bank's memory: the files of `sql/`, which are part of the program.
public enum StoreSchema {
    /// - Throws: a fault in the files themselves; a test shows that there is none.
    public static func migrator() throws(MigrationFault) -> Migrator {
        var migrations: [Migration] = []
        for file in files { migrations.append(try Migration(file: file.name, text: file.text)) }
        return try Migrator(migrations)
    }

    /// The files as Swift, for `StoreSchemaFiles.swift`: a program that is one file carries its schema with it.
    public static func source(of files: [(name: String, text: String)]) -> String {
        var lines = [
            "// Written from sql/ by `make reference`; a test keeps it fresh.", "// swift-format-ignore-file", "",
            "extension StoreSchema {",
            "    static let files: [(name: String, text: String)] = [",
        ]
        for file in files {
            lines.append("        (name: \"\(file.name)\", text: #\"\"\"")
            for line in file.text.split(separator: "\n", omittingEmptySubsequences: false) {
                lines.append(line.isEmpty ? "" : "                \(line)")
            }
            lines.append("                \"\"\"#),")
        }
        lines.append("    ]")
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }
}
