import MartletModel
import MartletStore
import SQL

/// What the bank defined: seen and changed.
public struct Definitions: Sendable {
    let units: Units
    var desk: Desk { units.desk }
    private let seal: RowSeal

    public init(_ units: Units) {
        self.units = units
        seal = RowSeal(units.rowKey, table: "definition", noun: "definition", columns: DefinitionStatements.columns)
    }

    /// Of one kind, by number.
    public func list(_ kind: DefinitionKind, _ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<Definition> {
        let after = try wish.after?.number() ?? 0
        return try await desk.read(.readReference, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            return try units.visible(wish, after: after, { visibility.sees($0.unit) }, number: \.number) { after, limit in
                try session.rows(DefinitionStatements.page, [.text(kind.rawValue), .integer(after), .number(limit)])
                    .map { try Definition($0, seal) }
            }
        }
    }

    public func get(_ kind: DefinitionKind, _ number: Int64, by caller: Caller) async throws(DeskFault) -> Definition {
        try await desk.read(.readReference, by: caller) { session in
            try find(kind, number, try units.visibility(of: caller, session), session)
        }
    }

    /// Makes a definition. Its number is the desk's; where a caller of a unit names no unit, it is that one's.
    public func add(_ kind: DefinitionKind, _ wish: Definition.Wish, by caller: Caller) async throws(DeskFault) -> Definition {
        try wish.check(kind)
        return try await desk.act(.manageReference, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            var wish = wish
            wish.unit = wish.unit ?? caller.unit
            try units.visibility(of: caller, session).requireChange(wish.unit)
            try units.require(wish.unit, session)
            try check(kind, code: wish.code, as: nil, session)
            let newest = try session.row(DefinitionStatements.newest, [.text(kind.rawValue)])?.optionalInteger("number") ?? 0
            let number = max(newest + 1, DefinitionKind.firstOwn)
            guard number <= DefinitionKind.most else {
                throw DeskFault.conflict(field: "number", reason: "\(DefinitionKind.most) of a kind are the most")
            }
            let made = Definition(kind, number, wish, owner: caller.name, at: desk.nowMilliseconds)
            try session.run(DefinitionStatements.add, made.values + [seal.tag(made.values)])
            return (made, line(made))
        }
    }

    /// - Parameters:
    ///   - version: of the definition as the caller read it.
    ///   - isRetired: nothing new is given its number any more.
    public func change(
        _ kind: DefinitionKind, _ number: Int64, _ wish: Definition.Wish, isRetired: Bool = false, version: Int64, by caller: Caller
    ) async throws(DeskFault) -> Definition {
        try wish.check(kind)
        return try await desk.act(.manageReference, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try units.visibility(of: caller, session)
            var made = try find(kind, number, visibility, session)
            guard made.version == version else { throw DeskFault.changed(noun: "definition", version: made.version) }
            try visibility.requireChange(made.unit)
            try visibility.requireChange(wish.unit)
            try units.require(wish.unit, session)
            try check(kind, code: wish.code, as: number, session)
            if let type = made.attribute, let other = wish.attribute, !other.keeps(type) {
                throw DeskFault.conflict(
                    field: "attribute", reason: "values of it may be there: type and personal stay, and no choice goes; define another one")
            }
            if number < DefinitionKind.firstOwn, wish.code != made.code || isRetired || wish.unit != nil {
                throw DeskFault.conflict(field: "number", reason: "every installation has it: only its words may be changed")
            }
            let now = desk.nowMilliseconds
            (made.code, made.name, made.description) = (wish.code, wish.name, wish.description)
            (made.unit, made.attribute, made.changedAt, made.version) = (wish.unit, wish.attribute, now, version + 1)
            made.retiredAt = isRetired ? made.retiredAt ?? now : nil
            try write(made, from: version, session)
            return (made, line(made))
        }
    }

    /// What every installation has and this one has not yet; done at each start of the desk.
    public func seed() async throws(DeskFault) {
        for (kind, number, wish) in Definitions.everywhere {
            let isThere = try await desk.read(.readReference, by: .system("desk")) { session in
                try session.row(DefinitionStatements.one, [.text(kind.rawValue), .integer(number)]) != nil
            }
            if isThere { continue }
            try await desk.act(.manageReference, by: .system("desk")) { session in
                try session.run(StoreStatements.lockAudit)
                try check(kind, code: wish.code, as: number, session)
                let made = Definition(kind, number, wish, owner: Caller.system("desk").name, at: desk.nowMilliseconds)
                try session.run(DefinitionStatements.add, made.values + [seal.tag(made.values)])
                return ((), line(made))
            }
        }
    }

    static let everywhere: [(DefinitionKind, Int64, Definition.Wish)] = [
        (
            .attribute, Int64(CustomerAttribute.loyaltyTier),
            Definition.Wish(
                code: "loyalty_tier", name: "Loyalty tier", description: "The customer's tier in the bank's loyalty programme.",
                attribute: AttributeType(.integer, isPersonal: false))
        ),
        (
            .attribute, Int64(CustomerAttribute.loyaltyPoints),
            Definition.Wish(
                code: "loyalty_points", name: "Loyalty points", description: "Points that the customer has in the loyalty programme.",
                attribute: AttributeType(.integer, isPersonal: false))
        ),
        (
            .attribute, Int64(CustomerAttribute.engagement),
            Definition.Wish(
                code: "engagement", name: "Digital engagement",
                description: "How much of the bank's digital offers the customer uses: 1 low, 2 medium, 3 high.",
                attribute: AttributeType(.integer, isPersonal: false))
        ),
        (
            .attribute, Int64(CustomerAttribute.bestHour),
            Definition.Wish(
                code: "best_hour", name: "Best hour",
                description: "The hour of the day, 0 to 23 on the customer's own clock, at which the customer is best reached.",
                attribute: AttributeType(.integer, isPersonal: false))
        ),
        (.contactKind, 1, Definition.Wish(code: "phone", name: "Phone", description: "A phone number: text messages, voice, messengers.")),
        (.contactKind, 2, Definition.Wish(code: "email", name: "E-mail", description: "An e-mail address.")),
        (.contactKind, 3, Definition.Wish(code: "device", name: "Device", description: "An installation of one of the bank's apps.")),
        (.contactKind, 4, Definition.Wish(code: "branch", name: "Branch", description: "A visit to a branch of the bank.")),
        (.contactKind, 5, Definition.Wish(code: "call_centre", name: "Call centre", description: "A call to or from the call centre.")),
        (
            .contactKind, 6,
            Definition.Wish(code: "social", name: "Social page", description: "Words exchanged on a social page of the bank.")
        ),
    ]

    /// For other nouns, within their transaction: the definition with this code, retired ones too.
    func find(_ kind: DefinitionKind, code: String, _ session: SQLSession) throws -> Definition? {
        try session.row(DefinitionStatements.byCode, [.text(kind.rawValue), .text(code)]).map { try Definition($0, seal) }
    }

    /// For other nouns: all of a kind, as an import needs them before its first row.
    func all(_ kind: DefinitionKind, _ session: SQLSession) throws -> [Definition] {
        try session.rows(
            DefinitionStatements.page, [.text(kind.rawValue), .integer(0), .integer(DefinitionKind.most)], maximum: Int(DefinitionKind.most)
        ).map { try Definition($0, seal) }
    }

    private func find(_ kind: DefinitionKind, _ number: Int64, _ visibility: Visibility, _ session: SQLSession) throws -> Definition {
        guard let row = try session.row(DefinitionStatements.one, [.text(kind.rawValue), .integer(number)]) else {
            throw DeskFault.notFound(noun: kind.rawValue, key: String(number))
        }
        let found = try Definition(row, seal)
        guard visibility.sees(found.unit) else { throw DeskFault.notFound(noun: kind.rawValue, key: String(number)) }
        return found
    }

    private func check(_ kind: DefinitionKind, code: String, as number: Int64?, _ session: SQLSession) throws {
        guard let other = try find(kind, code: code, session), other.number != number else { return }
        throw DeskFault.conflict(field: "code", reason: "another \(kind.rawValue) has it")
    }

    private func write(_ made: Definition, from version: Int64, _ session: SQLSession) throws {
        let changed = try session.run(
            DefinitionStatements.change,
            [
                .text(made.kind.rawValue), .integer(made.number), .integer(version), .integer(made.version), .text(made.code),
                .text(made.name), .text(made.description), .number(made.unit), made.details, .integer(made.changedAt),
                .number(made.retiredAt), seal.tag(made.values),
            ])
        guard changed == 1 else { throw DeskFault.changed(noun: "definition", version: made.version) }
    }

    private func line(_ made: Definition) -> AuditTrail.Line {
        AuditTrail.Line(act: .definitionWritten, object: "\(made.kind.rawValue)/\(made.number)@\(made.version)")
    }
}
