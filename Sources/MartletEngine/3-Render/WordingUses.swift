public import MartletModel
import Templates

extension RulebookSource {
    /// Names of the objects that name this one by a field or put it into a text, in their order.
    public func allUsers(of kind: RulebookKind, _ key: String) -> [String] {
        guard kind == .partial else { return users(of: kind, key) }
        return objects.filter { object in
            kind.namers.contains(object.kind) && !(object.kind == kind && object.key == key)
                && (object.content["texts"]?.puts(in: key) ?? false)
        }.map(\.name)
    }
}

extension JSONValue {
    /// Whether any text in it puts in a partial.
    fileprivate func puts(in partial: String) -> Bool {
        switch self {
        case .text(let text): Template.partials(of: text).contains(partial)
        case .list(let list): list.contains { $0.puts(in: partial) }
        case .object(let fields): fields.values.contains { $0.puts(in: partial) }
        case .null, .flag, .integer: false
        }
    }
}
