/// The names of the time zones that customers' records have numbers of; zones and languages of units.
public struct ZoneNames: Equatable, Sendable {
    /// IANA names; each once.
    public var names: [String]
    /// Number in customers' records to place in `names`.
    public var zones: [UInt16: Int]
    /// Number of the unit to place in `names`: of its customers who have no zone of their own.
    public var units: [UInt16: Int]
    /// Of everybody else; nil: UTC.
    public var assumed: Int?
    /// Number of the unit to the language of its customers who have none of their own.
    public var locales: [UInt16: CustomerLocale]

    public init(
        names: [String] = [], zones: [UInt16: Int] = [:], units: [UInt16: Int] = [:], assumed: Int? = nil,
        locales: [UInt16: CustomerLocale] = [:]
    ) {
        self.names = names
        self.zones = zones
        self.units = units
        self.assumed = assumed
        self.locales = locales
    }

    /// Of the customer's clocks: the customer's own zone, else the unit's, else the bank's; nil: UTC.
    public func name(of customer: borrowing Customer) -> String? {
        let place = (customer.zone == 0 ? nil : zones[customer.zone]) ?? (customer.unit == 0 ? nil : units[customer.unit]) ?? assumed
        return place.map { names[$0] }
    }

    /// What the customer reads: the customer's own language, else the unit's; none: each text's standard.
    public func locale(of customer: borrowing Customer) -> CustomerLocale {
        if customer.locale != .none { return customer.locale }
        return locales[customer.unit] ?? .none
    }

    /// All objects together: `{"default": "Europe/Kyiv", "zones": [{"number": 1, "zone": "Europe/Warsaw"}], "units": [{"unit": 3, "zone":
    /// "Europe/Warsaw", "locale": "pl-PL"}]}`.
    static func compile(_ draft: RulebookDraft, _ surroundings: Rulebook.Surroundings, _ findings: inout [RulebookFinding]) -> ZoneNames {
        var it = ZoneNames()
        func place(_ reading: DocumentReading, _ field: String, _ findings: inout [RulebookFinding]) -> Int? {
            guard let name = reading.text(field, maximumBytes: 64, &findings) else { return nil }
            let isName =
                !name.isEmpty
                && name.utf8.allSatisfy { (97...122).contains($0 | 32) || (48...57).contains($0) || [43, 45, 47, 95].contains($0) }
            guard isName, surroundings.zones?.contains(name) ?? true else {
                reading.error(
                    field, "there is no such time zone", remedy: "write a name of the IANA list, such as Europe/Warsaw", &findings)
                return nil
            }
            if let known = it.names.firstIndex(of: name) { return known }
            it.names.append(name)
            return it.names.count - 1
        }
        for reading in draft[.zones] {
            reading.allow(["default", "zones", "units", "note"], &findings)
            _ = reading.optionalText("note", maximumBytes: 200, &findings)
            if reading.field("default") != nil {
                if it.assumed != nil { reading.error("default", "another object has one already", remedy: "leave one of them", &findings) }
                it.assumed = place(reading, "default", &findings) ?? it.assumed
            }
            for (list, field) in [("zones", "number"), ("units", "unit")] {
                for element in reading.optionalList(list, &findings) {
                    element.allow(list == "units" ? [field, "zone", "locale"] : [field, "zone"], &findings)
                    let number = element.integer(field, in: 1...65_535, &findings)
                    if list == "units", let number, let locale = locale(element, &findings) {
                        it.locales[UInt16(number)] = locale
                        if element.field("zone") == nil { continue }
                    }
                    guard let zone = place(element, "zone", &findings), let number = number.map({ UInt16($0) }) else { continue }
                    let known = list == "zones" ? it.zones.updateValue(zone, forKey: number) : it.units.updateValue(zone, forKey: number)
                    if known != nil { element.error(field, "this number has a zone already", remedy: "leave one of them", &findings) }
                }
            }
        }
        return it
    }

    private static func locale(_ reading: DocumentReading, _ findings: inout [RulebookFinding]) -> CustomerLocale? {
        guard reading.field("locale") != nil, let text = reading.optionalText("locale", maximumBytes: 5, &findings) else { return nil }
        guard let locale = CustomerLocale(text), locale != .none else {
            reading.error("locale", "it is no language", remedy: "write uk, or uk-UA for a country's own texts", &findings)
            return nil
        }
        return locale
    }
}
