import Foundation
import Guard
import Journal
import MartletChannels
import MartletDoors
import MartletEngine
import MartletModel
import MartletNode
import SMSText
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
            - {name: core, classes: [otp], rate: 20, burst: 50, dailyQuota: 100000}

        """

    @Test("A good file gives every part its values")
    func goodFile() throws {
        let settings = try read(good)
        #expect(settings.connections.map(\.settings.window) == [50, 10])
        #expect(settings.routes.map(\.group) == ["north", "south"])
        #expect(settings.sources.first?.classes == ["otp"])
        #expect(settings.sources.first?.limits == SourceLimits(rate: 20, burst: 50, dailyQuota: 100_000))
        #expect(try read(good + "limits: {dayBegins: 23h}\n").node.engine.dayBegins == 82_800_000_000)
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

    @Test("Nobody opts out of codes and warnings: such a class among those of the opt-out is a mistake")
    func optOutClasses() throws {
        func found(_ classes: String) throws -> [String] { try mistakes(good + "inbound:\n  optOut: {classes: [\(classes)]}\n") }
        #expect(try found("marketing, service, action_required, transactional").isEmpty)
        for one in ["security", "otp", "employee_alarm"] {
            let lines = try found("marketing, \(one)")
            #expect(lines.count == 1 && lines[0].contains("inbound.optOut.classes") && lines[0].contains("nobody opts out of class \(one)"))
        }
    }

    @Test("Rules for messages from handsets connect and disconnect packages by words of their own")
    func packageWords() throws {
        let rules = "inbound:\n  rules:\n"
        let on = "    - {keyword: CARD ON, to: '7070', connect: 17, answer: Connected}\n"
        let settings = try read(good + rules + on + "    - {keyword: Card off, disconnect: 17}\n")
        let made = settings.inbound.rules { _ in nil }
        #expect(
            made.rules == [
                .init(to: "7070", keyword: "card on", answer: "Connected", package: .init(17, isWanted: true)),
                .init(keyword: "card off", package: .init(17, isWanted: false)),
            ])
        #expect(made.hasPackages && made.unknownAnswer.contains("one customer") && made.laterAnswer.contains("later"))
        for (rule, place, reason) in [
            ("{connect: 17}", "inbound.rules[0].keyword", "every message would change"),
            ("{keyword: CARD, connect: 17, disconnect: 18}", "inbound.rules[0].disconnect", "connects and disconnects"),
            ("{keyword: please connect my new card, connect: 17}", "inbound.rules[0].keyword", "at most 4 words"),
            ("{keyword: CARD, connect: 70000}", "inbound.rules[0].connect", "70000"),
            ("{keyword: ' '}", "inbound.rules[0].to", "says nothing"),
        ] {
            let found = try mistakes(good + rules + "    - \(rule)\n")
            #expect(found.count == 1 && found.first?.contains(place) == true && found.first?.contains(reason) == true, "\(found)")
        }
    }

    @Test("A rule for messages from handsets that one before it leaves nothing is a mistake at its place, and names that one")
    func inboundRules() throws {
        func lines(_ rules: String...) throws -> [String] {
            try mistakes(good + "inbound:\n  rules:\n" + rules.map { "    - {\($0), source: core}\n" }.joined())
        }
        for (first, second) in [
            ("keyword: BALANCE", "keyword: balance"), ("to: '7070'", "to: '7070', keyword: x"), ("answer: hello", "keyword: x"),
            ("answer: hello", "to: '7070'"), ("to: '7070', keyword: x", "to: '7070', keyword: x"),
        ] {
            let found = try lines("keyword: other", first, second)
            #expect(
                found.count == 1 && found[0].contains("inbound.rules[2].keyword") && found[0].contains("inbound.rules[1] takes"), "\(found)"
            )
        }
        for (first, second) in [("to: '7070', keyword: x", "keyword: x"), ("keyword: x", "to: '7070'"), ("to: '7070'", "to: '7071'")] {
            #expect(try lines(first, second).isEmpty)
        }
    }

    /// A settings file with a webhook, its secret in a file of its own.
    private func withWebhook(
        _ webhook: String, allow: String = "{host: hooks.bank.example}", more: String = "",
        secret: String = "whsec_" + String(repeating: "A", count: 32)
    ) throws -> (settings: ServerSettings?, mistakes: [String]) {
        let file = FileManager.default.temporaryDirectory.appending(path: "martlet-secret-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(FileManager.default.createFile(atPath: file, contents: Data(secret.utf8), attributes: [.posixPermissions: 0o600]))
        let text =
            good + "outbound:\n  allow:\n    - \(allow)\nwebhooks:\n  - {source: core, secretFile: \(file), \(webhook)}\n"
            + more.replacing("SECRET", with: file)
        do {
            return (try read(text), [])
        } catch let found as ServerSettings.Mistakes {
            return (nil, found.lines)
        }
    }

    @Test("A webhook has its place, its secret, its limits and its ends; the list of allowed places is taken whole")
    func webhook() throws {
        let found = try withWebhook("url: https://hooks.bank.example/martlet, ends: [failed], inFlight: 3, timeout: 5s")
        let settings = try #require(found.settings, "\(found.mistakes)")
        let webhook = try #require(settings.webhooks.first)
        #expect(webhook.source == "core" && webhook.url.place == "hooks.bank.example:443" && webhook.secrets.count == 1)
        #expect(webhook.tells == [.failed] && webhook.inFlight == 3 && webhook.timeout == 5000)
        #expect(settings.outbound.entries == [OutboundRules.Entry("hooks.bank.example")].compactMap { $0 })
        let plain = try withWebhook(
            "url: 'http://10.1.2.3:8080/'", allow: "{host: 10.0.0.0/8, ports: [80, 8080], plaintextReason: in the cage}")
        #expect(plain.settings?.webhooks.first?.tells == [.delivered, .failed], "\(plain.mistakes)")
    }

    @Test(
        "What is wrong with a webhook is told at its place",
        arguments: [
            ("url: https://other.bank.example/", "webhooks[0].url", "outbound.allow does not allow other.bank.example:443"),
            ("url: http://hooks.bank.example/", "webhooks[0].url", "in plaintext"),
            ("url: https://a@hooks.bank.example/", "webhooks[0].url", "user name"),
            ("url: https://hooks.bank.example/, ends: [read]", "webhooks[0].ends", "delivered and failed"),
            ("url: https://hooks.bank.example/, ends: []", "webhooks[0].ends", "delivered and failed"),
            ("url: https://hooks.bank.example/, inFlight: 0", "webhooks[0].inFlight", "out of range"),
        ])
    func webhookMistakes(_ webhook: String, _ path: String, _ reason: String) throws {
        let lines = try withWebhook(webhook).mistakes
        #expect(lines.contains { $0.contains(path) && $0.contains(reason) }, "\(lines)")
    }

    @Test("A secret that is none, ports and hosts that are none, and authorities that cannot be read are mistakes; no secret is told")
    func webhookFiles() throws {
        let url = "url: https://hooks.bank.example/"
        let lines = try withWebhook(url, secret: "hunter2").mistakes
        #expect(lines.count == 1 && lines[0].contains("webhooks[0].secretFile") && !lines[0].contains("hunter2"))
        let wrong = try withWebhook(url, allow: "{host: 'not a host', ports: [443, https, 70000]}").mistakes
        #expect(wrong.filter { $0.contains("outbound.allow[0].ports") }.count == 2)
        #expect(wrong.contains { $0.contains("outbound.allow[0].host") })
        #expect(try mistakes(good + "outbound: {authority: /nowhere/ca.pem}\n").contains { $0.contains("outbound.authority") })
    }

    @Test("A source hears in one place: a second webhook, or SMPP accounts beside one, are mistakes")
    func onePlace() throws {
        let second = "  - {source: core, secretFile: SECRET, url: https://hooks.bank.example/2}\n"
        let lines = try withWebhook("url: https://hooks.bank.example/", more: second).mistakes
        #expect(lines.count == 1 && lines[0].contains("webhooks[1].source"))
        let account = "smpp:\n  accounts:\n    - {systemId: core, passwordFile: SECRET, source: core}\n"
        let both = try withWebhook("url: https://hooks.bank.example/", more: account).mistakes
        #expect(both.contains { $0.contains("webhooks[0].source") && $0.contains("SMPP account") })
    }

    @Test("An operator's profile is read from its words; its mistakes stand with their lines")
    func profile() throws {
        let settings = try read(
            good.replacing("window: 10", with: "profile: turkish, concatenation: sar, transliteration: [typographic], receiptId: asIs"))
        let profile = settings.connections[1].settings.profile
        #expect(profile.rules.options.alphabets == [.gsm7, .turkishLocking, .turkishShift, .ucs2] && profile.receiptID == .asIs)
        #expect(profile.rules.options.concatenation == .sar && profile.rules.spellings == [.typographic])
        #expect(settings.connections[0].settings.profile == .standard)
        let lines = try mistakes(good.replacing("window: 10", with: "alphabets: [morse], dataCodingZero: utf8, dataCodings: \"x=1\""))
        #expect(lines.count == 3 && lines.allSatisfy { $0.contains(":4:") })
        #expect(lines.contains { $0.contains("connections[1].alphabets") && $0.contains("'morse' is not one of gsm7, ascii") })
    }

    @Test("Connections of one group that differ in their profile are a mistake that names the setting and the other connection")
    func agreement() throws {
        let same = good.replacing("group: south, host", with: "group: north, host").replacing(
            "  - {prefix: \"\", group: south}\n", with: "")
        #expect(try mistakes(same).isEmpty)
        let lines = try mistakes(same.replacing("window: 10", with: "concatenation: udh16"))
        #expect(lines.count == 1 && lines[0].contains("connections[1].concatenation") && lines[0].contains("that of north"))
        #expect(try mistakes(same.replacing("window: 10", with: "profile: latin1")).count == 1)
    }
}
