/// Numbers by which a rulebook names what the bank defined elsewhere: units, and definitions, retired ones too. The desk knows them, the node does not.
public struct KnownNumbers: Equatable, Sendable {
    public var units: Set<UInt16>
    public var segments: Set<UInt16>
    public var tiers: Set<UInt16>
    /// Of customers who are not told of everything.
    public var lists: Set<UInt16>
    public var packages: Set<UInt16>
    public var purposes: Set<UInt16>

    public init(
        units: Set<UInt16> = [], segments: Set<UInt16> = [], tiers: Set<UInt16> = [], lists: Set<UInt16> = [],
        packages: Set<UInt16> = [], purposes: Set<UInt16> = []
    ) {
        self.units = units
        self.segments = segments
        self.tiers = tiers
        self.lists = lists
        self.packages = packages
        self.purposes = purposes
    }
}

extension RulebookDraft {
    /// What names a number that nobody has never holds: a slip that nothing else shows.
    /// - Parameter known: nil: not known here, so none is missed.
    func checkNumbers(_ known: KnownNumbers?, _ findings: inout [RulebookFinding]) {
        guard let known else { return }
        for reading in self[.matrix] {
            for cell in reading.elements("cells") { cell.checkNumber("segment", known.segments, "segment", &findings) }
        }
        for reading in self[.suppression] {
            for (field, numbers, noun) in [
                ("segments", known.segments, "segment"), ("tiers", known.tiers, "tier"), ("units", known.units, "unit"),
                ("lists", known.lists, "suppression-list"),
            ] {
                for element in reading.elements(field) { element.checkNumber(nil, numbers, noun, &findings) }
            }
        }
        for reading in self[.zones] {
            for unit in reading.elements("units") { unit.checkNumber("unit", known.units, "unit", &findings) }
        }
        for reading in self[.package] { reading.checkNumber("number", known.packages, "package", &findings) }
        for reading in self[.purpose] { reading.checkNumber("number", known.purposes, "purpose", &findings) }
    }
}

extension DocumentReading {
    /// - Parameter field: nil: this value is the number. One out of range was found before.
    fileprivate func checkNumber(_ field: String?, _ known: Set<UInt16>, _ noun: String, _ findings: inout [RulebookFinding]) {
        let found = if let field { self.field(field) } else { Optional(value) }
        guard case .integer(let written)? = found, let number = UInt16(exactly: written), number > 0,
            !known.contains(number)
        else { return }
        warning(
            field, "there is no \(noun) \(number), so no customer has it",
            remedy: noun == "unit" ? "make the unit, or write the number of one" : "define it, or write the number that the definition has",
            &findings)
    }
}
