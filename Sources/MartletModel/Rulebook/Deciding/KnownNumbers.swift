/// Numbers by which a rulebook names what the bank defined elsewhere: units, and definitions, retired ones too. The desk knows them, the node does not.
public struct KnownNumbers: Equatable, Sendable {
    public var units: Set<UInt16>
    public var segments: Set<UInt16>
    public var tiers: Set<UInt16>
    /// Of customers who are not told of everything.
    public var lists: Set<UInt16>
    public var packages: Set<UInt16>
    public var purposes: Set<UInt16>
    /// Those that decisions read, which is none of the personal ones, and what their values are.
    public var attributes: [UInt16: AttributeForm]

    public init(
        units: Set<UInt16> = [], segments: Set<UInt16> = [], tiers: Set<UInt16> = [], lists: Set<UInt16> = [],
        packages: Set<UInt16> = [], purposes: Set<UInt16> = [], attributes: [UInt16: AttributeForm] = [:]
    ) {
        self.units = units
        self.segments = segments
        self.tiers = tiers
        self.lists = lists
        self.packages = packages
        self.purposes = purposes
        self.attributes = attributes
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
            reading.checkCustomers(known, &findings)
            for element in reading.elements("lists") { element.checkNumber(nil, known.lists, "suppression-list", &findings) }
        }
        for reading in self[.event] {
            for condition in reading.elements("conditions") {
                condition.checkCustomers(known, &findings)
                condition.checkAttribute(known.attributes, &findings)
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
    fileprivate func checkCustomers(_ known: KnownNumbers, _ findings: inout [RulebookFinding]) {
        for (field, numbers, noun) in [
            ("segments", known.segments, "segment"), ("tiers", known.tiers, "tier"), ("units", known.units, "unit"),
        ] {
            for element in elements(field) { element.checkNumber(nil, numbers, noun, &findings) }
        }
    }

    /// An error, where other numbers are warned of: `isNot` would let everybody pass whom it is there to leave out.
    fileprivate func checkAttribute(_ known: [UInt16: AttributeForm], _ findings: inout [RulebookFinding]) {
        guard case .integer(let written)? = field("attribute"), let number = UInt16(exactly: written), number > 0 else { return }
        guard let form = known[number] else {
            error(
                "attribute", "there is no attribute \(number) that decisions read",
                remedy: "define it, not as a personal one, or write the number that the definition has", &findings)
            return
        }
        for (word, forms) in [("atLeast", [AttributeForm.number]), ("atMost", [.number]), ("from", [.date]), ("until", [.date])]
        where field(word) != nil && !forms.contains(form) {
            error(word, "attribute \(number) is \(form.words)", remedy: form.remedy, &findings)
        }
        for word in ["is", "isNot"] {
            for element in elements(word) where !form.has(element.value) {
                element.error(nil, "attribute \(number) is \(form.words)", remedy: form.remedy, &findings)
            }
        }
    }

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

/// What the values of an attribute are, as far as a condition asks for them.
public enum AttributeForm: Equatable, Sendable {
    case text, number, date, flag

    fileprivate var words: String {
        switch self {
        case .text: "a text"
        case .number: "a number"
        case .date: "a date"
        case .flag: "true or false"
        }
    }

    fileprivate var remedy: String {
        switch self {
        case .text: "write is or isNot with texts"
        case .number: "write is or isNot with whole numbers, or atLeast and atMost"
        case .date: "write from and until"
        case .flag: "write is or isNot with true or false, without quotes"
        }
    }

    fileprivate func has(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.text, .text), (.number, .integer), (.flag, .flag): true
        default: false
        }
    }
}
