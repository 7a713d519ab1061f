import Foundation
import Guard
import MartletModel
import Testing

@testable import MartletNode

@Suite("Rulebooks of a node")
struct RulebookShelfTests {
    private let directory: String
    private let shelf: RulebookShelf

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "martlet-rulebooks-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        shelf = RulebookShelf(directory)
    }

    private func source(_ number: Int64, group: String = "north") -> RulebookSource {
        let route = JSONValue.object(["prefix": .text(""), "group": .text(group)])
        return RulebookSource(
            number: number, at: 1,
            objects: [RulebookObject(kind: .routes, key: "default", version: number, content: .object(["routes": .list([route])]))])
    }

    private func put(_ source: RulebookSource, as name: String? = nil) throws {
        let bytes = try RulebookFile.bytes(source, digest: BodyDigest.sha256)
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(name ?? RulebookFile.name(source.number))"))
    }

    @Test("The newest file is used, and one that has not changed is not read again")
    func newest() throws {
        #expect(RulebookShelf("\(directory)/none").look(in: .init(groups: []), last: nil)?.loaded == nil)
        try put(source(3))
        try put(source(12))
        try Data("x".utf8).write(to: URL(filePath: "\(directory)/rulebook.new"))
        let look = try #require(shelf.look(in: .init(groups: ["north"]), last: nil))
        #expect(look.loaded?.rulebook == Rulebook(number: 12, routes: [NumberRoute(prefix: "", group: "north")]))
        #expect(look.loaded?.digest == BodyDigest.sha256(RulebookFile.document(source(12))))
        #expect(look.refused.isEmpty)
        #expect(shelf.look(in: .init(groups: ["north"]), last: look.sight) == nil)
        #expect(shelf.look(in: .init(groups: ["north", "south"]), last: look.sight) != nil)
        try put(source(13))
        #expect(shelf.look(in: .init(groups: ["north"]), last: look.sight)?.loaded?.rulebook.number == 13)
    }

    @Test("One that is damaged, of another release, or names a group that is not there is refused with its reason; the one before is used")
    func refused() throws {
        try put(source(1))
        try put(source(2, group: "west"))
        try put(source(9), as: RulebookFile.name(3))
        var bytes = try RulebookFile.bytes(source(4), digest: BodyDigest.sha256)
        bytes[bytes.count - 2] ^= 1
        try Data(bytes).write(to: URL(filePath: "\(directory)/\(RulebookFile.name(4))"))
        try FileManager.default.createDirectory(atPath: "\(directory)/\(RulebookFile.name(5))", withIntermediateDirectories: true)
        let look = try #require(shelf.look(in: .init(groups: ["north"]), last: nil))
        #expect(look.loaded?.rulebook.number == 1)
        #expect(look.refused.map(\.number) == [5, 4, 3, 2])
        #expect(look.refused[1].reason.contains("digest") && look.refused[2].reason.contains("release 9"))
        #expect(look.refused[3].reason.contains("no connection is of group 'west'"))
    }
}
