import MartletModel
import SMPP
import Testing

@testable import MartletDoors

/// Accounts as they are configured, and what the door counts.
@Suite struct SMPPSettingsTests {
    @Test("Each fault of an account names its setting")
    func faults() {
        #expect(SMPPAccount.bank().faults(beside: []).isEmpty)
        func settings(_ others: [SMPPAccount] = [], _ change: (inout SMPPAccount) -> Void) -> [String] {
            SMPPAccount.bank(change).faults(beside: others).map(\.setting)
        }
        #expect(settings { $0.systemID = "" } == ["systemId"])
        #expect(settings { $0.systemID = "sixteen octets ." } == ["systemId"])
        #expect(settings { $0.systemID = "bänk" } == ["systemId"])
        #expect(settings { $0.password = "" } == ["passwordFile"])
        #expect(settings { $0.password = "nine char" } == ["passwordFile"])
        #expect(settings { $0.password = "tab\t" } == ["passwordFile"])
        #expect(settings { $0.modes = [] } == ["binds"])
        #expect(settings([.bank()]) { $0.source = "other" } == ["systemId"])
        #expect(settings([.bank()]) { $0.systemID = "other" } == ["source"])
        #expect(SMPPAccount.bank { ($0.systemID, $0.password, $0.modes) = ("", "", []) }.faults(beside: []).count == 3)
        #expect(SMPPAccount.bank { $0.password = "" }.faults(beside: []).first?.reason.contains("5.2.2") == true)
    }

    @Test("Kinds of bind have their words")
    func modes() {
        #expect(SMPPAccount.mode("transceiver") == .transceiver)
        #expect(SMPPAccount.mode("transmitter") == .transmitter)
        #expect(SMPPAccount.mode("receiver") == .receiver)
        #expect(SMPPAccount.mode("both") == nil)
    }

    @Test("A range holds the addresses of its network, of IPv4 and IPv6")
    func ranges() throws {
        func holds(_ range: String, _ address: String) throws -> Bool { try #require(AddressRange(range)).contains(address) }
        #expect(try holds("10.1.2.0/24", "10.1.2.255"))
        #expect(try !holds("10.1.2.0/24", "10.1.3.0"))
        #expect(try holds("10.1.2.129/25", "10.1.2.200"))
        #expect(try !holds("10.1.2.129/25", "10.1.2.127"))
        #expect(try holds("0.0.0.0/0", "203.0.113.9"))
        #expect(try holds("192.0.2.1", "192.0.2.1"))
        #expect(try !holds("192.0.2.1", "192.0.2.2"))
        #expect(try holds("10.0.0.0/8", "::ffff:10.9.9.9"))
        #expect(try !holds("10.0.0.0/8", "::fffe:10.9.9.9"))
        #expect(try holds("2001:db8::/33", "2001:db8:7fff::1"))
        #expect(try !holds("2001:db8::/33", "2001:db8:8000::1"))
        #expect(try !holds("::/0", "10.0.0.1"))
        #expect(try !holds("10.0.0.0/8", "not an address"))
        #expect(try !holds("10.0.0.0/8", ""))
        #expect(AddressRange("10.0.0.0/8") == AddressRange("10.0.0.0/8"))
    }

    @Test(
        "What is neither an address nor a network is no range",
        arguments: ["", "/", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129", "host"])
    func badRanges(text: String) {
        #expect(AddressRange(text) == nil)
        // Nor is what hides behind a NUL.
        #expect(AddressRange("10.0.0.1\u{0}" + text) == nil)
    }

    @Test("Every setting of the door has its own name below smpp")
    func declared() {
        let names = SMPPDoorSettings.all.map(\.path)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.hasPrefix("smpp.") })
    }

    @Test("Samples are the counters, each of a declared metric")
    func samples() {
        var counters = SMPPDoorCounters()
        counters.connections = 9
        counters.connectionsOpen = 2
        counters.connectionsRefused = 1
        counters.binds = 5
        counters.bindsRefused = 3
        counters.submits = 100
        counters.refused = ["ESME_RTHROTTLED": 4, "ESME_RINVDSTADR": 6]
        counters.receiptsHeard = 50
        counters.receiptsUnheard = 7
        counters.receiptsRefused = 8
        counters.cardsMasked = 2
        counters.cardsRefused = 1
        let samples = counters.samples.map { "\($0.metric.name) \($0.label ?? "-") \($0.value)" }
        #expect(
            samples == [
                "martlet_smpp_server_connections_total - 9", "martlet_smpp_server_connections - 2",
                "martlet_smpp_server_connections_refused_total - 1", "martlet_smpp_server_binds_total bound 5",
                "martlet_smpp_server_binds_total refused 3", "martlet_smpp_server_submits_total - 100",
                "martlet_smpp_server_refused_total ESME_RINVDSTADR 6", "martlet_smpp_server_refused_total ESME_RTHROTTLED 4",
                "martlet_smpp_server_receipts_total heard 50", "martlet_smpp_server_receipts_total not_heard 7",
                "martlet_smpp_server_receipts_total refused 8", "martlet_smpp_server_card_numbers_total masked 2",
                "martlet_smpp_server_card_numbers_total refused 1",
            ])
        #expect(Set(counters.samples.map(\.metric.name)) == Set(SMPPDoorCounters.all.map(\.name)))
    }
}
