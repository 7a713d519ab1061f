import SQL

/// Which units' objects a caller meets: all, or those of its own unit and of the units below it. What belongs to the whole bank is seen by
/// everybody and changed by callers of the whole bank.
struct Visibility: Equatable, Sendable {
    /// Nil: all.
    let units: Set<Int64>?

    static let all = Visibility(units: nil)

    /// - Parameter parents: of every unit.
    init(of unit: Int64?, parents: [Int64: Int64?]) {
        guard let unit else {
            self = .all
            return
        }
        var below: [Int64: [Int64]] = [:]
        for (number, parent) in parents { if let parent { below[parent, default: []].append(number) } }
        var (seen, next): (Set<Int64>, [Int64]) = ([unit], [unit])
        // Each at most once, so that a circle ends too.
        while let one = next.popLast() { for child in below[one] ?? [] where seen.insert(child).inserted { next.append(child) } }
        units = seen
    }

    private init(units: Set<Int64>?) { self.units = units }

    func sees(_ unit: Int64?) -> Bool {
        guard let units, let unit else { return true }
        return units.contains(unit)
    }

    func mayChange(_ unit: Int64?) -> Bool {
        guard let units else { return true }
        return unit.map(units.contains) ?? false
    }

    /// - Throws: `.invalid`: the object would belong to, or belongs to, somebody else.
    func requireChange(_ unit: Int64?) throws(DeskFault) {
        guard mayChange(unit) else {
            throw .invalid([
                FieldFault(
                    "unit", "foreign",
                    unit == nil
                        ? "what belongs to the whole bank is changed by callers of the whole bank" : "it is not a unit of the caller's")
            ])
        }
    }
}

extension Units {
    /// Read from rows whose tags were checked, in the transaction of the act.
    func visibility(of caller: Caller, _ session: SQLSession) throws -> Visibility {
        guard let unit = caller.unit else { return .all }
        let parents = try all(session).map { ($0.number, $0.parent) }
        return Visibility(of: unit, parents: Dictionary(uniqueKeysWithValues: parents))
    }

    /// A page of what a caller sees: rows are read in stretches until there is one more than it asked for.
    /// - Parameter stretch: those behind a key, at most so many.
    func visible<Item: Sendable>(
        _ wish: PageWish, after first: Int64, _ sees: (Item) -> Bool, number: (Item) -> Int64,
        _ stretch: (Int64, Int) throws -> [Item]
    ) throws -> Page<Item> {
        var items: [Item] = []
        var last = first
        while items.count <= wish.limit {
            let rows = try stretch(last, PageWish.most)
            items += rows.filter(sees)
            guard rows.count == PageWish.most, let newest = rows.last else { break }
            last = number(newest)
        }
        return Page(Array(items.prefix(wish.limit + 1)), limit: wish.limit) { Cursor(number: number($0)) }
    }
}
