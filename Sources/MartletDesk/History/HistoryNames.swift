public import MartletModel

/// Names for the numbers of history and statistics, as the node's file of sources and its settings have them now. A number that they no
/// longer know keeps a name that says so.
public struct HistoryNames: Sendable {
    public var sources: [SourceNumber: String]
    public var groups: [GroupNumber: String]
    /// Sources of a unit; a caller of that unit sees no others.
    public var units: [Int64: Set<SourceNumber>]

    public init(sources: [SourceNumber: String] = [:], groups: [GroupNumber: String] = [:], units: [Int64: Set<SourceNumber>] = [:]) {
        self.sources = sources
        self.groups = groups
        self.units = units
    }

    public func source(_ number: SourceNumber) -> String { sources[number] ?? "source-\(number)" }
    public func group(_ number: GroupNumber) -> String { groups[number] ?? (number == 0 ? "" : "group-\(number)") }

    /// - Throws: `.invalid`: there is none, or not for this caller.
    func source(named name: String, for caller: Caller) throws(DeskFault) -> SourceNumber {
        let found = sources.first { $0.value == name }?.key ?? HistoryNames.number(name, "source-")
        guard let found, sees(caller, found) else { throw .invalid([FieldFault("source", "unknown", "there is no such source")]) }
        return found
    }

    func group(named name: String) throws(DeskFault) -> GroupNumber {
        let found = groups.first { $0.value == name }?.key ?? HistoryNames.number(name, "group-")
        guard let found else { throw .invalid([FieldFault("operator", "unknown", "there is no such connection group")]) }
        return found
    }

    /// Whether what a source sent is there for this caller.
    /// - Parameter source: nil: nobody knows which; it is there for who sees all.
    func sees(_ caller: Caller, _ source: SourceNumber?) -> Bool {
        guard let unit = caller.unit else { return true }
        guard let source else { return false }
        return units[unit]?.contains(source) ?? false
    }

    /// The number of a name that was made of it.
    private static func number<Number: FixedWidthInteger>(_ name: String, _ prefix: String) -> Number? {
        name.hasPrefix(prefix) ? Number(name.dropFirst(prefix.count)) : nil
    }
}
