import Guard
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: refused attempts") struct RefusalTests {
    @Test(
        "A flood of refused requests leaves ten entries and one that says how many more; the chain is sound",
        arguments: SQLStore.Engine.allCases)
    func flood(engine: SQLStore.Engine) async throws {
        try await DeskRig.with(engine) { rig in
            let key = try await rig.key("eve", [])
            let before = try await rig.desk.store.read { try AuditTrail.head($0)?.sequence ?? 0 }
            for _ in 0..<40 { #expect(try await rig.ask("GET", "/v1/audit", key: key).status == 403) }
            let eve = Caller(name: "principal:eve", rights: [])
            for _ in 0..<5000 { try await rig.desk.enterRefusal(of: .readHistory, by: eve) }
            // Of somebody else each of the first ten stands there all the same.
            try await rig.desk.enterRefusal(of: .readHistory, by: Caller(name: "principal:ann", rights: []))
            try await rig.desk.enterRefusals()
            let entries = try await Audits(desk: rig.desk).list(try PageWish(limit: 100), by: DeskRig.root).items
                .filter { $0.sequence > Int64(before) && $0.act == "access.refused" }
            #expect(entries.count == Refusals.entered + 1)
            try await rig.desk.enterRefusals(all: true)
            let last = try #require(
                try await Audits(desk: rig.desk).list(try PageWish(), by: DeskRig.root).items.first { $0.object == "rights" })
            #expect(last.principal == "principal:eve" && last.outcome.hasPrefix("refused 5030 times more in the minute of 2026-11-"))
            #expect(try await AuditCheck.run(rig.desk.store).isSound)
            try await rig.desk.enterRefusals(all: true)
            #expect(
                try await Audits(desk: rig.desk).list(try PageWish(), by: DeskRig.root).items.filter { $0.object == "rights" }.count == 1)
        }
    }

    @Test("Each minute counts for itself, and what is left of one is told by the next refusal or by the clock")
    func minutes() {
        let refusals = Refusals()
        let minute: Int64 = 60_000_000
        for number in 0..<25 { #expect(refusals.take("a", now: minute).isEntry == (number < 10)) }
        #expect(refusals.rests(now: minute + 59_000_000) == [])
        let next = refusals.take("a", now: 2 * minute + 5)
        #expect(next.isEntry && next.rest == Refusals.Rest(caller: "a", minute: minute, count: 15))
        for _ in 0..<12 { _ = refusals.take("a", now: 2 * minute) }
        let rests = refusals.rests(now: 3 * minute)
        #expect(rests == [Refusals.Rest(caller: "a", minute: 2 * minute, count: 3)])
        #expect(refusals.rests(now: 9 * minute) == [])
        // What could not be entered is not forgotten.
        refusals.putBack(rests[0])
        #expect(refusals.rests(now: 9 * minute) == rests)
    }

    @Test("More callers than are known at once are counted together and enter nothing")
    func callers() {
        let refusals = Refusals()
        for number in 0..<Refusals.callersMaximum { #expect(refusals.take("c\(number)", now: 0).isEntry) }
        for number in 0..<50 { #expect(!refusals.take("d\(number)", now: 0).isEntry) }
        #expect(refusals.rests(now: 0, all: true) == [Refusals.Rest(caller: Refusals.others, minute: 0, count: 50)])
        #expect(refusals.take("d1", now: 0).isEntry)
    }
}
