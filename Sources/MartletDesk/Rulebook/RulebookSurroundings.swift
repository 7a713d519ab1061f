import MartletModel
import SQL

extension Rulebooks {
    /// What compiling looks at, with what only the store knows: the pictures that there are, units and definitions.
    func surroundings(_ surroundings: Rulebook.Surroundings, _ session: SQLSession) throws -> Rulebook.Surroundings {
        var it = surroundings
        it.images = try images(session)
        it.known = try known(session)
        return it
    }

    private func known(_ session: SQLSession) throws -> KnownNumbers {
        let definitions = Definitions(units)
        func numbers(_ kind: DefinitionKind) throws -> Set<UInt16> {
            Set(try definitions.all(kind, session).map { UInt16(clamping: $0.number) })
        }
        return KnownNumbers(
            units: Set(try units.all(session).map { UInt16(clamping: $0.number) }), segments: try numbers(.segment),
            tiers: try numbers(.tier), lists: try numbers(.suppressionList), packages: try numbers(.package),
            purposes: try numbers(.purpose),
            attributes: Dictionary(
                try definitions.all(.attribute, session).compactMap { one in
                    one.attribute.flatMap { $0.isPersonal ? nil : (UInt16(clamping: one.number), $0.type.form) }
                }, uniquingKeysWith: { first, _ in first }))
    }
}

extension AttributeType.Kind {
    fileprivate var form: AttributeForm {
        switch self {
        case .text, .choice: .text
        case .integer, .decimal: .number
        case .date: .date
        case .flag: .flag
        }
    }
}
