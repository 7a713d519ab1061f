import Glibc
public import MartletModel

/// The reference pages, written from what is declared beside the code. Pure; the same declarations always give the same bytes.
public enum Reference {
    /// One generated file, by its path from the root of the repository.
    public struct Page: Sendable {
        public var path: String
        public var text: String

        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// Compares pages with the files on disk.
    /// - Parameters:
    ///   - root: the repository.
    ///   - update: writes those that differ instead; a test sets it when UPDATE_REFERENCE=1.
    /// - Returns: one sentence for each page that is stale, or could not be written. Empty: all are fresh.
    public static func stale(_ pages: [Page], root: String, update: Bool) -> [String] {
        pages.compactMap { page in
            let path = "\(root)/\(page.path)"
            let onDisk = contents(of: path)
            if onDisk == Array(page.text.utf8) { return nil }
            guard update else {
                return "\(page.path) \(onDisk == nil ? "is missing" : "is stale"); write it anew with UPDATE_REFERENCE=1"
            }
            return write(page.text, to: path) ? nil : "\(page.path) cannot be written: \(String(cString: strerror(errno)))"
        }
    }

    private static func contents(of path: String) -> [UInt8]? {
        guard let stream = fopen(path, "re") else { return nil }
        defer { fclose(stream) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        // No page comes near 16 MiB; a device or a wrong path ends here.
        while all.count < 16 << 20 {
            let count = fread(&block, 1, block.count, stream)
            if count == 0 { break }
            all.append(contentsOf: block[..<count])
        }
        return all
    }

    private static func write(_ text: String, to path: String) -> Bool {
        guard let stream = fopen(path, "we") else { return false }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, stream)
        return fclose(stream) == 0 && written == bytes.count
    }

    // MARK: Markdown

    static let generated =
        "<!-- Generated from the declarations in the code. Do not edit: change the declaration, then run with UPDATE_REFERENCE=1. -->\n"

    /// A table whose columns stand under each other, also in a plain viewer.
    static func table(_ head: [String], _ rows: [[String]]) -> String {
        let all = [head] + rows.map { $0.map(cell) }
        let widths = head.indices.map { column in max(3, all.map { $0[column].count }.max() ?? 3) }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            return "| \(padded.joined(separator: " | ")) |\n"
        }
        let rule = "|\(widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|"))|\n"
        return line(head) + rule + all.dropFirst().map(line).joined()
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }

    static func code(_ text: String) -> String { text.isEmpty ? "" : "`\(text)`" }
}

// MARK: Settings

extension Reference {
    /// `docs/reference/settings.md`.
    public static func settings(_ declared: [Setting]) -> String {
        var page = """
            # Settings

            \(generated)
            A node reads one YAML file. `martlet check --config FILE` tells every mistake of it, each with its line and remedy, without starting.
            Lists of sections are written `name[]`: each element begins with `- `. A setting without a default must be set. Secrets are never
            in the file: it names the files that hold them.

            A single value outside a list can also be set by the environment variable named with it, which wins over the file. *Live* settings
            are taken over by `martlet connection reload`, the others at the next start.

            | Kind | Written |
            |------|---------|
            | duration | a whole number and `ms`, `s`, `m`, `h` or `d`: `250ms`, `24h` |
            | size | a whole number and `B`, `KiB`, `MiB`, `GiB` or `TiB`: `64MiB` |
            | address | `host:port`, IPv6 in brackets: `[::1]:8080` |
            | flag | `true` or `false` |

            """
        for (section, settings) in sections(declared) {
            page += "\n## \(section)\n\n"
            page += table(
                ["Setting", "Takes", "Default", "Applied", "What it does"],
                settings.map { [code($0.path), $0.kind.words, defaultText($0), $0.reload == .live ? "live" : "restart", $0.doc] })
            let variables = settings.compactMap(SettingsFile.environmentName(of:))
            if !variables.isEmpty { page += "\nEnvironment: \(variables.map(code).joined(separator: ", ")).\n" }
        }
        return page
    }

    /// Settings by the first word of their path, in the order of their declaration.
    static func sections(_ declared: [Setting]) -> [(name: String, settings: [Setting])] {
        var sections: [(name: String, settings: [Setting])] = []
        for setting in declared {
            let name = String(setting.path.prefix { $0 != "." })
            if let index = sections.firstIndex(where: { $0.name == name }) {
                sections[index].settings.append(setting)
            } else {
                sections.append((name, [setting]))
            }
        }
        return sections
    }

    private static func defaultText(_ setting: Setting) -> String {
        switch setting.fallback {
        case nil: "required"
        case "": "none"
        case let text?: code(text)
        }
    }
}

// MARK: Metrics and errors

extension Reference {
    /// `docs/reference/metrics.md`, by name.
    public static func metrics(_ declared: [Metric]) -> String {
        """
        # Metrics

        \(generated)
        Served at `/metrics` in the Prometheus text format. Labels come from closed sets; none ever holds a number, an id or a text.

        \(table(["Metric", "Kind", "Labels", "What it counts"], declared.sorted { $0.name < $1.name }.map {
            [code($0.name), $0.kind.rawValue, $0.labels.map(code).joined(separator: ", "), $0.doc]
        }))
        """
    }

    /// `docs/reference/errors.md`, `admin-errors.md`: by status, then code.
    public static func errors(_ declared: [ErrorCode], title: String = "Errors") -> String {
        var page = """
            # \(title)

            \(generated)
            An answer that refuses is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail` and `errors`, which lists every
            mistake of the request at once as `path`, `code` and `message`. Codes are stable; texts may improve.

            """
        for error in declared.sorted(by: { ($0.status, $0.code) < ($1.status, $1.code) }) {
            page += """

                ## \(error.code)

                \(error.title.last == "." ? error.title : error.title + ".") \(error.status == 0 ? "Never leaves by HTTP." : "HTTP \(error.status).")

                \(error.remedy)

                """
        }
        return page
    }
}
