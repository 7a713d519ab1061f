import MartletModel
import MartletStore
import SQL

/// What the bank can define. Raw values are stored: never change one.
public enum DefinitionKind: String, CaseIterable, Sendable, Codable {
    /// One of the bank's apps.
    case app
    /// What a customer can subscribe to.
    case package
    /// What a consent is given for.
    case purpose
    case segment
    case tier
    /// Something the bank keeps of its customers.
    case attribute
    /// How a customer was in touch, or can be: phone, branch, call centre.
    case contactKind = "contact-kind"
    /// A list of customers who are not told of everything; what follows from it says the rulebook.
    case suppressionList = "suppression-list"

    /// Numbers below are those that every installation has.
    static let firstOwn: Int64 = 16
    /// A number has two bytes in the customer files.
    static let most: Int64 = 65_535
}

/// Something the bank defined: a number for files and programs, a code for files of others, words for people.
public struct Definition: Equatable, Sendable, Codable {
    public var kind: DefinitionKind
    /// 1...65,535 within its kind, given once.
    public var number: Int64
    public var version: Int64
    public var code: String
    public var name: String
    public var description: String
    /// Whose it is; nil: the whole bank's.
    public var unit: Int64?
    /// Who made it.
    public var owner: String
    /// Of attributes alone.
    public var attribute: AttributeType?
    /// Wall milliseconds.
    public var createdAt: Int64
    public var changedAt: Int64
    /// Nothing new is given this number any more; what has it keeps it.
    public var retiredAt: Int64?

    /// What a person writes.
    public struct Wish: Equatable, Sendable, Codable {
        public var code: String
        public var name: String
        public var description: String
        public var unit: Int64?
        public var attribute: AttributeType?

        public init(code: String, name: String, description: String, unit: Int64? = nil, attribute: AttributeType? = nil) {
            self.code = code
            self.name = name
            self.description = description
            self.unit = unit
            self.attribute = attribute
        }

        func check(_ kind: DefinitionKind) throws(DeskFault) {
            var checks = FieldChecks()
            checks.code("code", code)
            checks.words(name: name, description: description)
            switch (kind, attribute) {
            case (.attribute, nil): checks.add("attribute", "required", "say of which type it is, and whether it is personal")
            case (.attribute, let type?): type.check(&checks)
            case (_, _?): checks.add("attribute", "not_allowed", "only an attribute has a type")
            case (_, nil): break
            }
            try checks.finish()
        }
    }

    init(_ kind: DefinitionKind, _ number: Int64, _ wish: Wish, owner: String, at: Int64) {
        (self.kind, self.number, version) = (kind, number, 1)
        (code, name, description, unit, attribute) = (wish.code, wish.name, wish.description, wish.unit, wish.attribute)
        (self.owner, createdAt, changedAt) = (owner, at, at)
    }

    init(_ row: SQLRow, _ seal: RowSeal) throws {
        let (word, number) = (try row.text("kind"), try row.integer("number"))
        try seal.check(row, "\(word)/\(number)")
        guard let kind = DefinitionKind(rawValue: word) else {
            throw DeskFault.broken("definition \(word)/\(number) is of a kind that this version does not know; install the newer one")
        }
        (self.kind, self.number) = (kind, number)
        version = try row.integer("version")
        code = try row.text("code")
        name = try row.text("name")
        description = try row.text("description")
        unit = try row.optionalInteger("unit")
        owner = try row.text("owner")
        let details = try JSONValue(reading: Array(try row.text("details").utf8), maximumBytes: 1 << 20)
        if kind == .attribute { attribute = try AttributeType(details, "\(word)/\(number)") }
        createdAt = try row.integer("created_at")
        changedAt = try row.integer("changed_at")
        retiredAt = try row.optionalInteger("retired_at")
    }

    /// In the order of `DefinitionStatements.columns`.
    var values: [SQLValue] {
        [
            .text(kind.rawValue), .integer(number), .integer(version), .text(code), .text(name), .text(description), .number(unit),
            .text(owner), details, .integer(createdAt), .integer(changedAt), .number(retiredAt),
        ]
    }

    var details: SQLValue { .text(String(decoding: (attribute?.document ?? .object([:])).canonical, as: UTF8.self)) }
}

/// Of which type the values of an attribute are, and who may see them.
public struct AttributeType: Equatable, Sendable, Codable {
    /// Raw values are stored: never change one.
    public enum Kind: String, CaseIterable, Sendable, Codable { case text, integer, decimal, date, flag, choice }

    public var type: Kind
    /// Its values tell something of a person: they are sealed, masked, and not read by a decision.
    public var isPersonal: Bool
    /// Of a choice, at least one; more may be added, none taken away.
    public var choices: [String]

    public init(_ type: Kind, isPersonal: Bool, choices: [String] = []) {
        self.type = type
        self.isPersonal = isPersonal
        self.choices = choices
    }

    public static let choicesMaximum = 500

    func check(_ checks: inout FieldChecks) {
        if type == .choice {
            if choices.isEmpty { checks.add("attribute.choices", "required", "a choice needs something to choose from") }
            if choices.count > AttributeType.choicesMaximum {
                checks.add("attribute.choices", "too_many", "at most \(AttributeType.choicesMaximum)")
            }
            for (index, choice) in choices.enumerated() {
                checks.text("attribute.choices[\(index)]", choice, 1...64)
                if choices[..<index].contains(choice) { checks.add("attribute.choices[\(index)]", "twice", "it is there already") }
            }
        } else if !choices.isEmpty {
            checks.add("attribute.choices", "not_allowed", "only a choice has any")
        }
    }

    var document: JSONValue {
        .object(["type": .text(type.rawValue), "personal": .flag(isPersonal), "choices": .list(choices.map { .text($0) })])
    }

    init(_ document: JSONValue, _ name: String) throws {
        guard case .text(let word)? = document["type"], let type = Kind(rawValue: word), case .flag(let personal)? = document["personal"],
            case .list(let list)? = document["choices"]
        else {
            throw DeskFault.broken("definition \(name) is of a type that this version does not know; install the newer one")
        }
        self.init(
            type, isPersonal: personal,
            choices: list.compactMap { choice in
                if case .text(let text) = choice { text } else { nil }
            })
    }

    /// Whether values that there are stay what they are.
    func keeps(_ other: AttributeType) -> Bool {
        type == other.type && isPersonal == other.isPersonal && Set(choices).isSuperset(of: other.choices)
    }
}
