import ArgumentParser
import MartletDesk
import MartletModel

/// `martlet rulebook retire KIND/KEY`.
struct RulebookRetire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Ends the use of an object that no other names; publishing is another step.",
        discussion: "Its versions stay, and importing or writing it anew brings it back.")

    @Argument(help: "KIND/KEY.") var object: RulebookCommand.Name
    @OptionGroup var place: StoreCommand.Place

    func run() async throws {
        try await RulebookCommand.with(place) { rulebooks, caller in
            do {
                let entry = try await rulebooks.get(object.kind, object.key, by: caller)
                try await rulebooks.retire(object.kind, object.key, version: entry.version, by: caller)
            } catch let fault as DeskFault {
                throw RulebookCommand.refused(["\(fault)"])
            }
            Swift.print("\(object.kind.rawValue)/\(object.key) is retired; the next publish of everything takes it out")
        }
    }
}
