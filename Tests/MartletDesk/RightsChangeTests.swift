import Testing

@testable import Guard
@testable import MartletDesk

@Suite("Desk: rights in the audit") struct RightsChangeTests {
    @Test("An entry names every right that came and that went, and the unit where it is another one")
    func words() {
        #expect(
            RightsChange(added: [.readCustomers, .writeCustomers, .readAudit], removed: [.readHistory], unit: "unit 3").outcome
                == "done: gave audit.read customers.read+write; took history.read; unit 3")
        #expect(RightsChange(added: [], removed: []).outcome == "done")
        #expect(RightsChange(added: [], removed: [.revealPersonal], unit: "no unit").outcome == "done: took personal.reveal; no unit")
    }

    @Test("Whatever rights come and go, the words fit into an entry")
    func fits() {
        let all = Set(Right.allCases)
        #expect(
            RightsChange(added: all, removed: [], unit: "unit 65535").outcome.hasPrefix("done: gave principals.read+manage audit.read "))
        // Nouns that stand on both sides are the longest.
        let added = Set(Dictionary(grouping: Right.allCases) { $0.rawValue.prefix { $0 != "." } }.values.map { $0[0] })
        let split = RightsChange(added: added, removed: all.subtracting(added), unit: "unit 65535").outcome
        #expect(split.utf8.count > 200 && split.utf8.count <= AuditChain.maximumText && split.contains("took principals.manage "))
        let long = RightsChange(added: added, removed: all.subtracting(added), unit: String(repeating: "9", count: 100)).outcome
        #expect(long.hasPrefix("done: gave \(added.count) rights; took \(all.count - added.count) rights; 99"))
    }
}
