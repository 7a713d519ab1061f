import MartletModel
import SMPP
import Testing

@testable import MartletChannels

@Suite struct SMPPSettingsTests {
    @Test("Every mistake of an entry is told, each with its setting")
    func faults() {
        #expect(World.settings().faults().isEmpty)
        let bad = SMPPConnectionSettings(
            name: "", host: "", port: 0, systemID: "", password: String(repeating: "x", count: 65), binds: 0,
            systemType: "thirteen-long", window: 0, messagesPerSecond: -1, partsPerSecond: 20_001, enquireInterval: 1,
            answerTimeout: 0, bindTimeout: 0, tlsAuthority: "ca.pem", tlsCertificate: "c.pem", serviceType: "LONGER")
        let expected: Set<String> = [
            "name", "host", "port", "binds", "systemId", "passwordFile", "systemType", "serviceType", "window", "messagesPerSecond",
            "partsPerSecond", "enquireInterval", "answerTimeout", "bindTimeout", "tlsCertificate", "tls",
        ]
        #expect(Set(bad.faults().map(\.setting)) == expected)
    }

    @Test("Plaintext beyond loopback needs a reason")
    func plaintext() {
        var settings = World.settings()
        for host in ["127.0.0.1", "127.1.2.3", "::1", "localhost"] {
            settings.host = host
            #expect(settings.isLoopback && settings.faults().isEmpty)
        }
        for host in ["10.0.0.1", "smsc.example", "127.evil.example"] {
            settings.host = host
            #expect(settings.faults().map(\.setting) == ["tls"])
            settings.plaintextReason = "runs in the operator's VPN"
            #expect(settings.faults().isEmpty)
            settings.plaintextReason = nil
        }
        settings.tls = true
        #expect(settings.faults().isEmpty)
    }

    @Test("Statuses of an operator are read from their text, or the pair that cannot be is named")
    func statuses() throws {
        let table = try SMPPConnectionSettings.statuses(from: "0x45=permanent 1105=throttled,0X0460=temporary\n")
        #expect(table.exceptions == [0x45: .permanent, 1105: .throttled, 0x460: .temporary])
        #expect(try SMPPConnectionSettings.statuses(from: "") == StatusTable())
        for wrong in ["0x45", "0x45=", "x=permanent", "0=permanent", "0x45=accepted", "0x45=never", "1=permanent=2"] {
            #expect(throws: SMPPSettingsFault.self) { try SMPPConnectionSettings.statuses(from: wrong) }
        }
    }

    @Test("Declared settings are unique, under connections[], with words")
    func declared() {
        let all = SMPPConnectionSettings.all
        #expect(Set(all.map(\.path)).count == all.count && all.count == 39)
        #expect(all.allSatisfy { $0.path.hasPrefix("connections[].") && !$0.doc.isEmpty })
        #expect(Set(SMPPCounters.metrics.map(\.metric.name)).count == SMPPCounters.metrics.count)
        var counters = SMPPCounters()
        counters.parts = 7
        #expect(SMPPCounters.metrics.map { $0.value(counters) }.reduce(0, +) == 7)
    }

    @Test("A connection group makes as many connections as it has binds, named and numbered in order")
    func group() throws {
        let world = World()
        var settings = World.settings()
        settings.binds = 3
        let connections = try SMPPConnections.make(settings, firstNumber: 5, group: 2, on: world.loop, owner: world, random: { 0 })
        #expect(connections.map(\.name) == ["harbour-1", "harbour-2", "harbour-3"])
        #expect(connections.map(\.number) == [5, 6, 7] && connections.allSatisfy { $0.group == 2 })
        settings.window = 0
        #expect(throws: SMPPSettingsFault(setting: "window", reason: "1 to 10000")) {
            try SMPPConnections.make(settings, firstNumber: 1, group: 1, on: world.loop, owner: world, random: { 0 })
        }
        var tls = World.settings()
        tls.tls = true
        tls.tlsAuthority = "/nowhere/ca.pem"
        let fault = #expect(throws: SMPPSettingsFault.self) {
            try SMPPConnections.make(tls, firstNumber: 1, group: 1, on: world.loop, owner: world, random: { 0 })
        }
        #expect(fault?.setting == "tlsAuthority")
    }

    @Test("Every state of a receipt has one in the model")
    func states() {
        #expect(
            DeliveryState.allCases.map { ReceiptState($0) } == [
                .enroute, .enroute, .delivered, .expired, .deleted, .undeliverable, .accepted, .unknown, .rejected, .undeliverable,
            ])
    }
}
