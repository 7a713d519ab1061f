import MartletEngine
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

/// The bank's own mix of channels for each kind of customer and each case is one object of the rulebook; editing a cell of it changes what follows.
@Suite("The matrix of plans, edited while the node runs", .serialized)
struct MatrixTests {
    /// The rules of the bank, but that payments follow the plan of their class, which the matrix names.
    private func book(_ number: Int64, transactional plan: String) throws -> DecisionBook {
        let two = #"{"steps": [{"channels": ["sms"], "wait": 1}, {"channels": ["sms"], "route": "quiet"}]}"#
        let cells = #"{"cells": [{"class": "transactional", "plan": "\#(plan)"}, {"class": "marketing", "plan": "sms"}]}"#
        var source = try EventBank.source(number).changed(#""plan":"sms","#, "", in: "payment")
        for (kind, key, content) in [(RulebookKind.plan, "two", two), (.matrix, "bank", cells)] {
            source.objects.append(
                RulebookObject(
                    kind: kind, key: key, version: 1, content: try JSONValue(reading: Array(content.utf8), maximumBytes: 1 << 20)))
        }
        let (_, book, findings) = DecisionBook.compile(
            RulebookSource(number: number, at: 1, objects: source.objects), in: Rulebook.Surroundings(), zoneFile: { _ in nil })
        guard let book else { throw EventBank.Faulty(findings: findings) }
        return book
    }

    private func plan(_ rig: Rig) throws -> String? { try rig.explained("payment", EventBank.ada, "asked").get().plan }

    @Test("The next event follows the edited cell's plan; one under way begins that plan anew, and is told nothing twice the same way")
    func cell() throws {
        let bank = try EventBank()
        let rig = try Rig(at: bank.place)
        try rig.use(try book(7, transactional: "two"))
        let connection = try rig.connect(window: 100)
        try rig.run { $0.start() }
        func handed(_ shop: String) throws -> Int { try rig.run { _ in connection.value.handed.count { $0.text.hasSuffix(shop) } } }
        func report(_ shop: String) throws -> MessageID {
            guard case .accepted(let id, 1) = try rig.report("payment", EventBank.ada, shop) else { throw Rig.Unexpected() }
            return id
        }
        let first = try report("Books")
        #expect(try rig.decision(first).planned == 2 && plan(rig) == "two")
        #expect(try rig.wait { _ in connection.value.handed.count { $0.text.hasSuffix("Books") } == 2 })

        let under = try report("Under way")
        #expect(try rig.decision(under).planned == 2)
        try rig.use(try book(8, transactional: "sms"))
        let next = try report("Next")
        let decided = try rig.decision(next)
        #expect(try decided.planned == 0 && decided.release == 8 && plan(rig) == "sms")
        // Its second step is decided by release 8, whose plan has no way that was not gone.
        #expect(try rig.wait { _ in connection.value.handed.count { $0.text.hasSuffix("Next") } == 1 })
        #expect(try rig.wait { $0.engine.last(of: under.with(ordinal: 2)) == nil })
        #expect(try handed("Under way") == 1 && handed("Books") == 2)

        // And back again: what is reported from here on has two steps.
        try rig.use(try book(9, transactional: "two"))
        #expect(try rig.decision(try report("Last")).planned == 2 && plan(rig) == "two")
        try rig.stop()
    }
}
