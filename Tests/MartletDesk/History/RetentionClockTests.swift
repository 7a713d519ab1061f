import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("History: a clock that is not believed destroys nothing") struct RetentionClockTests {
    private static let day: Int64 = 86_400_000

    private func desk(_ rig: ProjectorRig, after milliseconds: Int64) -> Desk {
        let moment = rig.now + milliseconds * 1000
        return Desk(store: rig.store, chain: "martlet-test", now: { moment })
    }

    @Test(
        "Time that passes is believed, a jump is not until it is taken back, or somebody says that it is right, which the audit keeps",
        arguments: SQLStore.Engine.allCases)
    func jumps(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let clock = RetentionClock()
            func isBelieved(_ days: Double, _ clock: RetentionClock = clock) async throws -> Bool {
                do {
                    try await clock.look(desk(rig, after: Int64(days * Double(Self.day))))
                    return true
                } catch let jump as RetentionClock.Jump {
                    #expect(jump.now > jump.last && "\(jump)".contains("--clock-is-right"))
                    return false
                }
            }
            func distrusted() -> Double? { clock.samples.first?.value }
            #expect(try await isBelieved(0))
            #expect(try await isBelieved(2.9))
            #expect(try await isBelieved(5.8))
            #expect(try await !isBelieved(400))
            #expect(distrusted() == 1)
            // It is not believed for being there again, nor by another process.
            #expect(try await !isBelieved(400.1))
            #expect(try await !isBelieved(400.1, RetentionClock()))
            #expect(try await isBelieved(6))
            #expect(distrusted() == 0)
            // Far behind at a start, and put right.
            #expect(try await isBelieved(-9000))
            #expect(try await isBelieved(7))
            #expect(try await !isBelieved(30))
            var anna = Caller.system("command-line")
            anna.reason = "the machine stood in a cupboard"
            try await RetentionClock.confirm(desk(rig, after: 30 * Self.day), by: anna)
            #expect(try await isBelieved(30))
            #expect(try await isBelieved(31))
            let entries = try await rig.audit()
            #expect(
                try entries.map { "\(try $0.text("act")) \(try $0.text("object")) \(try $0.text("outcome"))" } == [
                    "history.retained clock confirmed"
                ])
            // Confirmed by mistake, and confirmed again when it was put right.
            try await RetentionClock.confirm(desk(rig, after: 9000 * Self.day), by: anna)
            try await RetentionClock.confirm(desk(rig, after: 32 * Self.day), by: anna)
            #expect(try await !isBelieved(9000))
        }
    }
}
