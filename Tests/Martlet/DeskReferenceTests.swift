import Foundation
import MartletDesk
import MartletEngine
import MartletModel
import Testing

@testable import martlet

@Suite("Desk: what the rulebook reads of the machine") struct DeskReferenceTests {
    @Test("Groups, the rule of approval and the bank's hosts are read anew from the settings each time they are asked for")
    func settings() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "reference-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = "\(folder)/martlet.yaml"
        func write(_ more: String) throws {
            let text = """
                keys: {master: /k}
                connections:
                  - {name: a, group: south, host: 127.0.0.1, systemId: m}
                  - {name: b, group: north, host: 127.0.0.1, systemId: m}
                routes: [{prefix: "", group: south}]
                \(more)

                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        try write("")
        let world = DeskReference.rulebooks(config: file, data: "\(folder)/data")
        #expect(try world.surroundings().groups == ["north", "south"] && (try world.texts().groups) == ["north": 1, "south": 2])
        #expect(try world.needsApproval() == false)
        #expect(try world.pictureAddress() == nil && (try world.surroundings().pictureHosts) == [])
        try write("images: {address: \"https://Img.bank.example:8443\", hosts: [\"cdn.bank.example\"]}")
        #expect(try world.pictureAddress() == "https://Img.bank.example:8443")
        #expect(try world.surroundings().pictureHosts == ["img.bank.example", "cdn.bank.example"])
        for wrong in [
            "address: \"http://bank.example\"", "address: \"https://bank.example/\"", "address: \"https://\"", "hosts: [\"https://bank\"]",
            "hosts: [\"Bank.example\"]",
        ] {
            try write("images: {\(wrong)}")
            #expect(throws: ServerSettings.Mistakes.self, "\(wrong)") { _ = try world.pictureAddress() }
        }
        try write("rulebook: {approval: true}")
        #expect(try world.needsApproval())
        try write("rulebook: {approval: perhaps}")
        #expect(throws: ServerSettings.Mistakes.self) { _ = try world.needsApproval() }
        #expect(throws: ServerSettings.Mistakes.self) { _ = try world.texts() }
    }
}
