import Foundation
import Testing

/// One row of a table of `Tests/Golden/decisions`: its cells by the heads of their columns.
struct DecisionRow: Sendable, CustomTestStringConvertible {
    let table: String
    let cells: [String: String]

    var name: String { cells["case"] ?? "" }
    var testDescription: String { "\(table): \(name)" }

    /// Nil: the table has no such column.
    subscript(_ column: String) -> String? { cells[column] }

    /// Cells of several things, which `;` parts.
    func list(_ column: String) -> [String]? {
        cells[column].map { $0.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty } }
    }
}

enum DecisionTables {
    static let folder = "\(#filePath)".split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/Golden/decisions"

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".md") && $0 != "README.md" }.sorted()
    }()

    static let columns: Set<String> = [
        "case", "event", "customer", "segment", "lists", "engagement", "attributes", "zone", "unit", "package", "consents", "wishes",
        "contacts",
        "amount", "card",
        "account", "now", "happened", "deadline", "served", "stage", "duplicate", "superseded", "budget", "recent", "caps", "outcome",
        "messages",
        "rule",
    ]

    static let rows: [DecisionRow] = names.flatMap { rows(of: $0) }

    private static func rows(of name: String) -> [DecisionRow] {
        guard let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) else { return [] }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("|") }.map(cells)
        guard let heads = lines.first else { return [] }
        return lines.dropFirst(2).map {
            DecisionRow(table: name, cells: Dictionary(zip(heads, $0), uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func cells(_ line: Substring) -> [String] {
        line.dropFirst().split(separator: "|", omittingEmptySubsequences: false).dropLast().map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
