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
            purposes: try numbers(.purpose))
    }
}
