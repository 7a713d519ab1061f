public import MartletModel

extension Reference {
    /// `config/martlet.yaml`: every setting with its explanation, its default or an example, in a file that reads without a mistake.
    /// - Parameters:
    ///   - introductions: a sentence or two on top of a section, by its path: `http`, `connections`.
    ///   - examples: what to write for settings that have no default, by declared path; YAML text. Those without stand commented out.
    public static func sample(_ declared: [Setting], introductions: [String: String] = [:], examples: [String: String] = [:]) -> String {
        var lines = [
            "# Settings of a Martlet node. Each stands below its explanation with its default; those behind `#` are optional.",
            "# Live settings are applied by `martlet connection reload`, the others at the next start.",
            "# `martlet check --config FILE` tells every mistake with its line. Reference: docs/reference/settings.md",
        ]
        let writer = SampleWriter(introductions: introductions, examples: examples)
        for member in Schema(declared).members {
            lines.append("")
            writer.write(member, path: "", indentation: 0, into: &lines)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

private struct SampleWriter {
    let introductions: [String: String]
    let examples: [String: String]
    private static let width = 120

    func write(_ member: (name: String, shape: Schema.Shape), path: String, indentation: Int, into lines: inout [String]) {
        let path = path.isEmpty ? member.name : "\(path).\(member.name)"
        let margin = String(repeating: " ", count: indentation)
        switch member.shape {
        case .setting(let setting): write(setting, name: member.name, margin, into: &lines)
        case .section(let inner):
            comment(introductions[path], margin, into: &lines)
            lines.append("\(margin)\(member.name):")
            for (index, member) in inner.members.enumerated() {
                if index > 0 { lines.append("") }
                write(member, path: path, indentation: indentation + 2, into: &lines)
            }
        case .elements(let inner):
            comment(introductions[path], margin, into: &lines)
            // A list whose elements need what nobody gave an example for stays empty. Its first element is shown behind `#`: without
            // that one letter it is a whole element.
            let isShown = inner.settings.allSatisfy { $0.fallback != nil || examples[$0.path] != nil }
            lines.append("\(margin)\(member.name):\(isShown ? "" : " []")")
            var element: [String] = []
            for (index, member) in inner.members.enumerated() {
                if index > 0 { element.append("") }
                write(member, path: "\(path)[]", indentation: indentation + 4, into: &element)
            }
            element = dashed(element, indentation)
            lines.append(contentsOf: isShown ? element : element.map { commented($0, indentation + 2) })
        }
    }

    /// Puts the dash of an element before its first line that is no comment; comments above it go before the dash.
    private func dashed(_ element: [String], _ indentation: Int) -> [String] {
        guard let first = element.firstIndex(where: { !$0.isEmpty && !$0.drop { $0 == " " }.hasPrefix("#") }) else { return element }
        var lines = element
        lines[first] = String(repeating: " ", count: indentation + 2) + "- " + element[first].dropFirst(indentation + 4)
        return lines
    }

    private func commented(_ line: String, _ column: Int) -> String {
        line.isEmpty ? "" : "\(line.prefix(column))# \(line.dropFirst(column))"
    }

    private func write(_ setting: Setting, name: String, _ margin: String, into lines: inout [String]) {
        comment(setting.doc, margin, into: &lines)
        let kind = setting.kind.words
        let standard =
            switch setting.fallback {
            case nil: "Required"
            case "": "Default: none"
            case let text?: "Default: \(text)"
            }
        let live = setting.reload == .live ? " Live." : ""
        comment("\(kind.prefix(1).uppercased())\(kind.dropFirst()). \(standard).\(live)", margin, into: &lines)
        if let example = examples[setting.path] {
            lines.append("\(margin)\(name): \(example)")
        } else if let text = setting.fallback, !text.isEmpty {
            lines.append("\(margin)\(name): \(written(text, setting))")
        } else if setting.path.contains("[]") {
            // Never behind `#` here: the dash of an element must stand before its first setting. Empty means not set.
            lines.append("\(margin)\(name): \(setting.fallback == nil ? "..." : "\"\"")")
        } else {
            lines.append("\(margin)# \(name):")
        }
    }

    /// Quotes where YAML would read something else.
    private func written(_ text: String, _ setting: Setting) -> String {
        if case .list = setting.kind { return text }
        let isPlain = text.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "._/:-".utf8.contains($0)
        }
        let isSafe = isPlain && text.utf8.first != 0x2D && text.utf8.last != 0x3A && text != "null"
        return isSafe ? text : "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    private func comment(_ text: String?, _ margin: String, into lines: inout [String]) {
        guard let text else { return }
        var line = "\(margin)#"
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            if line.count + 1 + word.count > SampleWriter.width, line.count > margin.count + 1 {
                lines.append(line)
                line = "\(margin)#"
            }
            line += " \(word)"
        }
        lines.append(line)
    }
}
