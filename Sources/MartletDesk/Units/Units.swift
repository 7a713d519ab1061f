public import Guard
import MartletStore
import SQL

/// Units of the bank: seen and changed.
public struct Units: Sendable {
    let desk: Desk
    /// Of the tags of all reference data.
    let rowKey: Secret
    private let seal: RowSeal

    /// A unit's number has two bytes in the customer files.
    static let most: Int64 = 65_535

    /// - Parameter rowKey: of the installation, `KeyStore.rowKey`.
    public init(_ desk: Desk, rowKey: Secret) {
        self.desk = desk
        self.rowKey = rowKey
        seal = RowSeal(rowKey, table: "unit", noun: "unit", columns: UnitStatements.columns)
    }

    public func list(_ wish: PageWish, by caller: Caller) async throws(DeskFault) -> Page<Unit> {
        let after = try wish.after?.number() ?? 0
        return try await desk.read(.readReference, by: caller) { session in
            let visibility = try visibility(of: caller, session)
            return try visible(wish, after: after, { visibility.sees($0.number) }, number: \.number) { after, limit in
                try session.rows(UnitStatements.page, [.integer(after), .number(limit)]).map { try Unit($0, seal) }
            }
        }
    }

    public func get(_ number: Int64, by caller: Caller) async throws(DeskFault) -> Unit {
        try await desk.read(.readReference, by: caller) { session in
            try find(number, try visibility(of: caller, session), session)
        }
    }

    /// Makes a unit. Its number is the desk's.
    public func add(_ wish: Unit.Wish, by caller: Caller) async throws(DeskFault) -> Unit {
        try wish.check()
        return try await desk.act(.manageReference, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try visibility(of: caller, session)
            try visibility.requireChange(wish.parent)
            let all = try all(session)
            try check(wish, as: nil, all)
            let number = (all.map(\.number).max() ?? 0) + 1
            guard number <= Units.most else { throw DeskFault.conflict(field: "number", reason: "\(Units.most) units are the most") }
            let unit = Unit(number, wish, owner: caller.name, at: desk.nowMilliseconds)
            try session.run(UnitStatements.add, unit.values + [seal.tag(unit.values)])
            return (unit, AuditTrail.Line(act: .unitWritten, object: "unit/\(number)@1"))
        }
    }

    /// - Parameter version: of the unit as the caller read it.
    public func change(_ number: Int64, _ wish: Unit.Wish, version: Int64, by caller: Caller) async throws(DeskFault) -> Unit {
        try wish.check()
        return try await desk.act(.manageReference, by: caller) { session in
            try session.run(StoreStatements.lockAudit)
            let visibility = try visibility(of: caller, session)
            var unit = try find(number, visibility, session)
            guard unit.version == version else { throw DeskFault.changed(noun: "unit", version: unit.version) }
            if unit.parent != wish.parent {
                try visibility.requireChange(unit.parent)
                try visibility.requireChange(wish.parent)
            }
            try check(wish, as: number, try all(session))
            unit.take(wish, at: desk.nowMilliseconds)
            let changed = try session.run(
                UnitStatements.change,
                [
                    .integer(number), .integer(version), .integer(unit.version), .text(unit.code), .text(unit.name),
                    .text(unit.description),
                    .number(unit.parent), .text(unit.zone), .text(unit.locale), .integer(unit.changedAt), seal.tag(unit.values),
                ])
            guard changed == 1 else { throw DeskFault.changed(noun: "unit", version: unit.version) }
            return (unit, AuditTrail.Line(act: .unitWritten, object: "unit/\(number)@\(unit.version)"))
        }
    }

    /// Every unit, each with its tag checked.
    func all(_ session: SQLSession) throws -> [Unit] {
        try session.rows(UnitStatements.page, [.integer(0), .integer(Units.most)], maximum: Int(Units.most)).map { try Unit($0, seal) }
    }

    /// - Throws: `.invalid`: there is no such unit, named as the field of a request.
    func require(_ number: Int64?, _ session: SQLSession) throws {
        guard let number else { return }
        guard let row = try session.row(UnitStatements.one, [.integer(number)]) else {
            throw DeskFault.invalid([FieldFault("unit", "unknown", "there is no unit \(number)")])
        }
        _ = try Unit(row, seal)
    }

    private func find(_ number: Int64, _ visibility: Visibility, _ session: SQLSession) throws -> Unit {
        guard visibility.sees(number), let row = try session.row(UnitStatements.one, [.integer(number)]) else {
            throw DeskFault.notFound(noun: "unit", key: String(number))
        }
        return try Unit(row, seal)
    }

    /// A code of its own, a parent that is there, and no circle.
    private func check(_ wish: Unit.Wish, as number: Int64?, _ all: [Unit]) throws(DeskFault) {
        if all.contains(where: { $0.code == wish.code && $0.number != number }) {
            throw .conflict(field: "code", reason: "another unit has it")
        }
        guard let parent = wish.parent else { return }
        var above = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0.parent) })
        guard above[parent] != nil else { throw .invalid([FieldFault("parent", "unknown", "there is no unit \(parent)")]) }
        var next: Int64? = parent
        while let one = next {
            if one == number { throw .invalid([FieldFault("parent", "circle", "the unit would be a part of itself")]) }
            next = above.updateValue(nil, forKey: one) ?? nil
        }
    }
}
