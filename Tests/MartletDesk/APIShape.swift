import Foundation
import Testing

@testable import MartletDesk

/// The OpenAPI document as a reader of it sees it: which answers it allows. Of JSON Schema what the document uses.
struct APIShape: Sendable {
    static let shared = APIShape(APIDocument.document(APIDocument.operations).json)
    private let text: String

    init(_ text: String) { self.text = text }

    private var document: [String: Any] { ((try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any]) ?? [:] }

    /// What is wrong with an answer; none: it is as described. Paths that nobody declared are for tests of the listener itself.
    func faults(_ method: String, _ path: String, status: Int, type: String, body: String) -> [String] {
        let document = document
        let paths = document["paths"] as? [String: [String: Any]] ?? [:]
        let steps = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        let here = paths.keys.sorted().first { template in
            let names = template.split(separator: "/", omittingEmptySubsequences: false)
            return names.count == steps.count && zip(names, steps).allSatisfy { $0.first == "{" || $0 == $1 }
        }
        guard let here, let operation = paths[here]?[method.lowercased()] as? [String: Any] else { return [] }
        let place = "\(method) \(here) \(status)"
        guard let described = (operation["responses"] as? [String: Any])?[String(status)] as? [String: Any] else {
            return ["\(place): the status is not described"]
        }
        let response = resolved(described, document)
        guard let content = response["content"] as? [String: [String: Any]] else {
            return body.isEmpty ? [] : ["\(place): a body is not described"]
        }
        guard let media = content[String(type.prefix { $0 != ";" })] else { return ["\(place): \(type) is not described"] }
        guard type.contains("json"), let schema = media["schema"] else { return [] }
        guard let value = try? JSONSerialization.jsonObject(with: Data(body.utf8), options: .fragmentsAllowed) else {
            return ["\(place): no JSON"]
        }
        return check(value, schema, "", document).map { "\(place)\($0)" }
    }

    private func check(_ value: Any, _ schema: Any, _ path: String, _ document: [String: Any]) -> [String] {
        guard let schema = schema as? [String: Any] else { return ["\(path): no schema"] }
        if schema["$ref"] != nil { return check(value, resolved(schema, document), path, document) }
        var faults: [String] = []
        if let words = schema["enum"] as? [String], !words.contains(value as? String ?? "") {
            faults.append("\(path): not one of \(words)")
        }
        switch schema["type"] as? String {
        case "object":
            guard let object = value as? [String: Any] else { return ["\(path): no object"] }
            let properties = schema["properties"] as? [String: Any] ?? [:]
            for name in schema["required"] as? [String] ?? [] where object[name] == nil { faults.append("\(path)/\(name): missing") }
            for (name, member) in object {
                if let property = properties[name] ?? schema["additionalProperties"] {
                    faults += check(member, property, "\(path)/\(name)", document)
                } else if !properties.isEmpty {
                    // A reader would pass over it; whoever writes the document must not.
                    faults.append("\(path)/\(name): not described")
                }
            }
        case "array":
            guard let list = value as? [Any] else { return ["\(path): no list"] }
            for (index, item) in list.enumerated() { faults += check(item, schema["items"] ?? [:], "\(path)/\(index)", document) }
        case "string": if !(value is String) { faults.append("\(path): no text") }
        case "integer":
            guard let number = value as? NSNumber, number.doubleValue == number.doubleValue.rounded() else {
                return ["\(path): no whole number"]
            }
            if let least = schema["minimum"] as? NSNumber, number.int64Value < least.int64Value { faults.append("\(path): below \(least)") }
        case "number": if !(value is NSNumber) { faults.append("\(path): no number") }
        case "boolean": if !(value is Bool) { faults.append("\(path): neither true nor false") }
        default: break
        }
        return faults
    }

    /// What a reference stands for; anything else as it is.
    private func resolved(_ node: [String: Any], _ document: [String: Any]) -> [String: Any] {
        guard let reference = node["$ref"] as? String else { return node }
        var place: Any? = document
        for step in reference.split(separator: "/").dropFirst() { place = (place as? [String: Any])?[String(step)] }
        return place as? [String: Any] ?? [:]
    }
}
