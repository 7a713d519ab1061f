import MartletModel
import Testing

@testable import MartletEngine

@Suite("Decisions that cannot be made when they are due")
struct PutOffDecisionTests {
    private static let news = 2800.0

    /// Takes what is due and says of all of it that the customer cannot be read; how many there were.
    private func fail(_ bank: EventRig) -> Int {
        let due = bank.rig.engine.takeDecisions(limit: 256)
        for item in due { bank.rig.engine.putOff(decision: item.slot, bank.rig.now) }
        return due.count
    }

    @Test("One whose customer cannot be read is tried again after pauses that double, without a record, and is told once it can be")
    func again() throws {
        let bank = EventRig()
        let id = bank.accept(EventBank.news, "Sale")
        bank.rig.tick(seconds: PutOffDecisionTests.news + 1)
        #expect(fail(bank) == 1)
        for pause in [1.0, 2, 4, 8] {
            bank.rig.tick(seconds: pause - 0.6)
            #expect(fail(bank) == 0, "\(pause)")
            bank.rig.tick(seconds: 1.2)
            #expect(fail(bank) == 1, "\(pause)")
        }
        #expect(bank.fate(id) == "planned" && bank.decided(id)?.outcome == .held)
        bank.rig.tick(seconds: 17)
        bank.decideDue()
        bank.rig.commit()
        #expect(bank.rig.hand()?.id == id && bank.decided(id)?.outcome == .told)
    }

    @Test("It ends at its deadline all the same, and a restart has it due at once; one that is not being decided is left alone")
    func deadline() throws {
        let bank = EventRig()
        var wish = EventRig.Wish()
        wish.deadline = 4000
        let id = bank.accept(EventBank.news, "Sale", wish: wish)
        bank.rig.tick(seconds: PutOffDecisionTests.news + 1)
        #expect(fail(bank) == 1)
        for item in [SlotReference(index: 0, generation: 1), SlotReference(index: 77, generation: 1)] {
            bank.rig.engine.putOff(decision: item, bank.rig.now)
        }
        bank.restart(after: 1)
        #expect(bank.rig.engine.decisionsWaiting == 1 && fail(bank) == 1)
        for _ in 0..<12 {
            bank.rig.tick(seconds: 120)
            _ = fail(bank)
        }
        bank.rig.commit()
        #expect(bank.fate(id) == "expired not_sent_in_time" && bank.rig.engine.openCount == 0)
    }
}
