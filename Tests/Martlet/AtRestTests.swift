import ArgumentParser
import Foundation
import Guard
import MartletNode
import Testing

@testable import martlet

/// The one way to an installation's keys, as every verb goes it.
@Suite("Keys at rest: opening")
struct AtRestTests {
    private static func settings(_ place: [String]) throws -> ServerSettings {
        try AtRest.settings(file: place[1], data: place[3])
    }

    @Test("Keys are opened as the settings say; a data directory that no node has worked on, and one that lost them, are told apart")
    func keys() async throws {
        try await AdministrationRig.with { place, folder in
            let settings = try Self.settings(place)
            let opened = try AtRest.keys(settings)
            #expect(opened.master.idText == (try AtRest.master(settings)).idText && opened.days.damage.isEmpty)
            #expect(try AtRest.subjects(settings.node.subjectKeyDirectory, opened.master) == nil)
            try FileManager.default.removeItem(atPath: "\(folder)/data/keys")
            #expect(throws: ExitCode(ExitStatus.badSettings)) { _ = try AtRest.keys(settings) }
            try FileManager.default.createDirectory(atPath: settings.node.journalDirectory, withIntermediateDirectories: true)
            #expect(throws: ExitCode(ExitStatus.badSettings)) { _ = try AtRest.keys(settings) }
        }
    }

    @Test("A master key among the data is refused by every verb, a settings file that is not there names itself")
    func refusals() async throws {
        try await AdministrationRig.with { place, folder in
            try FileManager.default.moveItem(atPath: "\(folder)/master.key", toPath: "\(folder)/data/master.key")
            let text = try String(contentsOfFile: place[1], encoding: .utf8)
            try text.replacingOccurrences(of: "\(folder)/master.key", with: "\(folder)/data/master.key")
                .write(toFile: place[1], atomically: true, encoding: .utf8)
            for verb in [["keys", "check"], ["audit", "key"], ["principal", "list"], ["import", "list"]] {
                #expect(try await AdministrationRig.run(Martlet.self, verb + place) == ExitStatus.badSettings, "\(verb)")
            }
        }
        #expect(throws: ExitCode(ExitStatus.badSettings)) { _ = try AtRest.settings(file: "/nowhere.yaml", data: "/nowhere") }
    }

    @Test("Customers' keys are made where nobody ever had one, and not while the database does not say")
    func customers() async throws {
        try await AdministrationRig.with { place, folder in
            let settings = try Self.settings(place)
            let master = try AtRest.master(settings)
            do {
                let subjects = try await CustomerKeys.open(settings, master)
                _ = try subjects.make(2)
            }
            #expect(try await CustomerKeys.open(settings, master).next == 3)
            let text = try String(contentsOfFile: place[1], encoding: .utf8)
            try "store: {url: \"postgresql://m@127.0.0.1:1/none\", tls: \"off\"}\n\(text)".write(
                toFile: place[1], atomically: true, encoding: .utf8)
            try FileManager.default.removeItem(atPath: settings.node.subjectKeyDirectory)
            let away = try Self.settings(place)
            await #expect(throws: (any Error).self) { _ = try await CustomerKeys.open(away, master) }
            #expect(!FileManager.default.fileExists(atPath: settings.node.subjectKeyDirectory))
            // The node's copy says that there were customers, whatever the database does.
            try FileManager.default.createDirectory(atPath: settings.node.localDirectory, withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: "\(settings.node.localDirectory)/customers-1.base"))
            let missing = SubjectKeyFault.missing(directory: settings.node.subjectKeyDirectory)
            for settings in [settings, away] {
                await #expect(throws: missing) { _ = try await CustomerKeys.open(settings, master) }
            }
            #expect(try await CustomerKeys.open(settings, master, givesUp: true).next == 1)
        }
    }
}
