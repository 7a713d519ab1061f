import MartletModel
import Testing

@testable import MartletEngine

@Suite("Plans that change under way")
struct PlanChangeTests {
    @Test("A plan that was edited under its key begins anew too: nobody is told twice the same way, at any step of it")
    func edited() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.alert)
        bank.rig.answer(try #require(bank.rig.hand(2)), .refused(status: 0x0B))
        bank.rig.commit()
        bank.book = EventBank.book(8) { rules in
            rules.plans[2].steps = [
                .init(channels: [.sms], wait: 5, route: "main"), .init(channels: [.sms], wait: 0, route: "quiet"),
                .init(channels: [.push], wait: 5), .init(channels: [.sms], wait: 0),
            ]
        }
        bank.decideDue()
        bank.rig.commit()
        let second = try #require(bank.decided(id.with(ordinal: 2)))
        #expect(second.outcome == .told && second.step == 0 && second.planned == 3)
        #expect(second.messages.map(\.when) == [.now, .skipped(.toldBefore), .skipped(.noTemplate), .later])
        bank.rig.answer(try #require(bank.rig.hand()), .refused(status: 0x0B))
        bank.rig.commit()
        bank.restart()
        bank.rig.commit()
        bank.rig.tick(seconds: 6)
        // The step behind is of the same plan, and leaves out what the one before it told.
        bank.decideDue()
        bank.rig.commit()
        let third = try #require(bank.decided(id.with(ordinal: 3)))
        #expect(third.outcome == .told && third.step == 3)
        #expect(third.messages.map(\.when) == [.skipped(.toldBefore), .skipped(.noTemplate), .now])
    }

    @Test("What an older program planned is of the plan with the same key, and told no channel twice under another")
    func olderPlan() throws {
        let plan = DeliveryPlan(key: "p", steps: [.init(channels: [.sms], wait: 1, route: "a"), .init(channels: [.sms], wait: 0)])
        let old = EventPayload.Plan(key: RecordBody.Counter.hash("p"), told: ChannelSet(.sms))
        #expect(old.isOf(plan) && old.exclusions(from: plan).isEmpty)
        let other = DeliveryPlan(key: "q", steps: plan.steps)
        #expect(!old.isOf(other) && old.exclusions(from: other) == [Exclusion(channel: .sms, why: .toldBefore)])
        #expect(Set([plan.hash, other.hash, DeliveryPlan(key: "p", steps: plan.steps.reversed()).hash]).count == 3)
        var slower = plan
        slower.steps[0].wait = 9
        #expect(slower.hash == plan.hash, "its ways are the same")
    }
}
