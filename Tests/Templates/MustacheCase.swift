import Foundation
import Mustache

@testable import Templates

/// Cases of mustache in the form of its specification: a template, what it is filled with, partials, what must come out.
struct MustacheFile: Decodable {
    let tests: [MustacheCase]

    static func read(_ path: String) throws -> [MustacheCase] {
        try JSONDecoder().decode(MustacheFile.self, from: Data(contentsOf: URL(fileURLWithPath: path))).tests
    }
}

struct MustacheCase: Decodable, Sendable {
    let name: String
    let template: String
    let data: Loose
    let partials: [String: String]?
    let expected: String

    /// As this project renders it: HTML, raw values and missing ones as the specification wants them.
    func ours(_ kind: OutputKind = .html) throws -> String {
        var options = Template.Options(kind, .en)
        options.allowsRaw = true
        options.missingIsEmpty = true
        // Of its tags the specification asks nothing but that they come through.
        options.checksMarkup = false
        return try Template(template, partials: partials ?? [:], options).text(root: data.value)
    }

    /// As swift-mustache renders it.
    func theirs(_ kind: OutputKind = .html) throws -> String? {
        // It takes the kind from the text, of partials too.
        let head = kind == .plain ? "{{% CONTENT_TYPE:TEXT}}\n" : ""
        var templates = try (partials ?? [:]).mapValues { try MustacheTemplate(string: head + $0) }
        templates["."] = try MustacheTemplate(string: head + template)
        return MustacheLibrary(templates: templates).render(data.value.foreign, withTemplate: ".")
    }
}

/// Any JSON value as a value of templates.
struct Loose: Decodable, Sendable {
    let value: Value

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: Key.self) {
            var record = Record()
            for key in fields.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
                record.add(key.stringValue, try fields.decode(Loose.self, forKey: key).value)
            }
            value = .record(record)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            value = .missing
        } else if let list = try? single.decode([Loose].self) {
            value = .list(list.map(\.value))
        } else if let boolean = try? single.decode(Bool.self) {
            value = .boolean(boolean)
        } else if let number = try? single.decode(Int64.self) {
            value = .integer(number)
        } else if let number = try? single.decode(Double.self) {
            value = .decimal(try ExactDecimal(text: "\(number)"))
        } else {
            value = .text(try single.decode(String.self))
        }
    }
}

struct NotANumber: Error {
    let text: String
}

extension ExactDecimal {
    /// From digits with at most one point.
    init(text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let coefficient = Int64(parts.joined()),
            let number = ExactDecimal(coefficient, scale: parts.count == 2 ? parts[1].count : 0)
        else { throw NotANumber(text: text) }
        self = number
    }

    var text: String {
        let digits = String(coefficient.magnitude)
        let padded = String(repeating: "0", count: max(Int(scale) + 1 - digits.count, 0)) + digits
        let sign = coefficient < 0 ? "-" : ""
        return scale == 0 ? sign + padded : "\(sign)\(padded.dropLast(Int(scale))).\(padded.suffix(Int(scale)))"
    }
}

extension Value {
    /// What swift-mustache is given for it. It writes types it does not know by their description, so the scalars go as what they are.
    var foreign: Any {
        switch self {
        case .missing: NSNull()
        case .text(let text): text
        case .integer(let number): number
        case .decimal(let number): number.text
        case .boolean(let value): value
        case .list(let items): items.map(\.foreign)
        case .record(let record):
            Dictionary(zip(record.names, record.values).map { ($0, $1.foreign) }, uniquingKeysWith: { first, _ in first }) as [String: Any]
        case .money, .date, .time, .moment: "not shared"
        }
    }
}
