import Foundation
import Guard
import Journal
import MartletChannels
import MartletDoors
import MartletModel
import MartletNode
import Testing

@testable import martlet

@Suite("Server settings")
struct ServerSettingsTests {
    private func read(_ text: String, environment: [String: String] = [:]) throws -> ServerSettings {
        let file = FileManager.default.temporaryDirectory.appending(path: "martlet-settings-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try ServerSettings.read(file: file.path, dataDirectory: "/nowhere", environment: environment)
    }

    private func mistakes(_ text: String, environment: [String: String] = [:]) throws -> [String] {
        do {
            _ = try read(text, environment: environment)
            return []
        } catch let found as ServerSettings.Mistakes {
            return found.lines
        }
    }

    private let good = """
        keys: {master: /etc/martlet/master.key}
        connections:
          - {name: north, group: north, host: 127.0.0.1, systemId: martlet}
          - {name: south, group: south, host: 127.0.0.1, systemId: martlet, window: 10}
        routes:
          - {prefix: "44", group: north}
          - {prefix: "", group: south}
        bootstrap:
          sources:
            - {name: core, classes: [otp]}

        """

    @Test("A good file gives every part its values")
    func goodFile() throws {
        let settings = try read(good)
        #expect(settings.connections.map(\.settings.window) == [50, 10])
        #expect(settings.routes.map(\.group) == ["north", "south"])
        #expect(settings.sources.first?.classes == ["otp"])
        #expect(settings.node.journal.segmentSize == 64 << 20)
    }

    @Test("With one group a route is not needed")
    func oneGroup() throws {
        let settings = try read("keys: {master: /k}\nconnections:\n  - {name: a, group: g, host: 127.0.0.1, systemId: m}\n")
        #expect(settings.routes.map(\.group) == ["g"])
    }

    @Test("A route to a group without connections, a prefix with letters and one given twice are told together, each with its line")
    func routes() throws {
        let text = good.replacing("{prefix: \"44\", group: north}", with: "{prefix: \"4x\", group: west}")
            .replacing("{prefix: \"\", group: south}", with: "{prefix: \"4x\", group: south}")
        let lines = try mistakes(text)
        #expect(lines.count == 4)
        #expect(lines.contains { $0.contains(":6:") && $0.contains("west") })
    }

    @Test("Plaintext beyond loopback is refused without a reason")
    func plaintext() throws {
        let lines = try mistakes(good.replacing("host: 127.0.0.1, systemId: martlet}", with: "host: smsc.example, systemId: martlet}"))
        #expect(lines.contains { $0.contains("connections[0].tls") })
    }

    @Test("The sync of the journal can only be switched off in a test")
    func sync() throws {
        #expect(try mistakes(good + "journal: {sync: false}\n").count == 1)
        #expect(try mistakes(good + "journal: {sync: false}\n", environment: ["MARTLET_TEST_UNSAFE": "1"]).isEmpty)
    }

    @Test("Certificates of clients, of their sources and accounts, and the guard on card numbers are read; what cannot hold is a mistake")
    func certificates() throws {
        let doors = """
            guard: {cardNumbers: refuse}
            http:
              tls: {certificate: /c, key: /k, clientAuthority: /a, clientCertificates: optional}
            smpp:
              tls: {certificate: /c, key: /k, clientAuthority: /b}
              accounts:
                - {systemId: core, source: core, certificates: ["cn:core", "dns:core.bank.example"]}

            """
        let settings = try read(good.replacing("classes: [otp]", with: "certificates: [\"uri:x:y\"]") + doors)
        #expect(settings.http.clientAuthority == "/a" && settings.http.clientCertificates == .optional)
        #expect(settings.smpp.clientAuthority == "/b" && settings.smpp.clientCertificates == .required)
        #expect(settings.http.cardNumbers == .refuse && settings.smpp.cardNumbers == .refuse)
        #expect(settings.smpp.accounts.first?.password == nil)
        #expect(settings.smpp.accounts.first?.certificates.map(\.description) == ["cn:core", "dns:core.bank.example"])
        #expect(settings.sources.first?.certificates == ["uri:x:y"])
        #expect(try read(good).http.cardNumbers == .mask)
        #expect(try mistakes(good + doors.replacing("clientAuthority: /b", with: "")).contains { $0.contains("smpp.tls.clientAuthority") })
        #expect(try mistakes(good + doors.replacing("cn:core", with: "core")).contains { $0.contains("names no certificate") })
        #expect(
            try mistakes(good + doors.replacing(", certificates: [\"cn:core\", \"dns:core.bank.example\"]", with: ""))
                .contains { $0.contains("a password, certificates, or both") })
        #expect(try mistakes(good.replacing("classes: [otp]", with: "certificates: [core]")).count == 1)
    }

    @Test("An unknown class, a wrong status and a missing password file are mistakes")
    func values() throws {
        #expect(try mistakes(good.replacing("[otp]", with: "[otpp]")).count == 1)
        #expect(try mistakes(good.replacing("window: 10", with: "statuses: \"0x45=never\"")).count == 1)
        #expect(try mistakes(good.replacing("window: 10", with: "passwordFile: /nowhere/at/all")).count == 1)
    }
}
