import MartletModel
import SQL

extension Definitions {
    /// What the bank calls things, for reading files and requests of customers: codes as `caller` sees them now. Retired ones are not among
    /// them, for nothing new is given their numbers. Time zones are not defined yet.
    public func names(by caller: Caller) async throws(DeskFault) -> CustomerNames {
        let tables = try await desk.read(.readReference, by: caller) { session in
            let visibility = try units.visibility(of: caller, session)
            var numbers: [CustomerNames.Noun: [String: UInt16]] = [:]
            for unit in try units.all(session) where visibility.sees(unit.number) {
                numbers[.unit, default: [:]][unit.code] = UInt16(exactly: unit.number)
            }
            for (kind, noun) in Definitions.nouns {
                for one in try all(kind, session) where one.retiredAt == nil && visibility.sees(one.unit) {
                    numbers[noun, default: [:]][one.code] = UInt16(exactly: one.number)
                }
            }
            // A store of which the desk has never started has none of its own yet.
            var attributes = CustomerNames.builtIn
            for one in try all(.attribute, session) where one.retiredAt == nil && visibility.sees(one.unit) {
                guard let number = UInt16(exactly: one.number), let type = one.attribute else { continue }
                attributes[one.code] = CustomerNames.Attribute(number: number, form: type.form, isPersonal: type.isPersonal)
            }
            return (numbers, attributes)
        }
        return CustomerNames(number: { tables.0[$0]?[$1] }, attribute: { tables.1[$0] })
    }

    private static let nouns: [(DefinitionKind, CustomerNames.Noun)] = [
        (.segment, .segment), (.tier, .tier), (.package, .package), (.purpose, .purpose),
        (.suppressionList, .list),
    ]
}

extension AttributeType {
    /// A choice is kept as its text.
    fileprivate var form: CustomerNames.Attribute.Form {
        switch type {
        case .text, .choice: .text
        case .integer: .integer
        case .decimal: .decimal
        case .date: .date
        case .flag: .boolean
        }
    }
}
