import MartletModel
import Testing

@testable import MartletEngine

@Suite("What is mandatory and an opt-out")
struct MandatoryTests {
    /// Told at any hour, whatever the customer wants.
    private func bank() -> EventRig {
        let bank = EventRig { $0.inbound = World.inboundRules }
        bank.book = EventBank.book { rules in
            rules.quietHours = []
            rules.events[1].isMandatory = true
        }
        return bank
    }

    private func stop(_ bank: EventRig, _ classes: ClassSet = [ClassSet(.service), ClassSet(.transactional)]) {
        bank.rig.step { rig in
            let number = rig.engine.lookups.number(PhoneNumber(digits: 447_700_900_011))
            let record = Record(
                header: RecordHeader(kind: .preference, at: rig.now.wall), body: .preference(.init(number: number, unwanted: classes)))
            _ = rig.engine.apply(record, at: 0, rig.now)
        }
    }

    @Test("A mandatory event goes in spite of a STOP; what is not ends with that reason")
    func accepted() throws {
        let bank = bank()
        stop(bank)
        let id = bank.accept(EventBank.news)
        #expect(bank.fate(id) == "queued" && bank.decided(id)?.bits.contains(.isMandatory) == true)
        let payment = bank.accept(EventBank.payment)
        #expect(bank.fate(payment) == "suppressed opted_out")
        #expect(bank.decided(payment)?.messages.last?.when == .skipped(.contactOptedOut))
        #expect(bank.rig.hand()?.id == id)
    }

    @Test("A STOP that comes while it waits does not stop it, over restarts and trims either", arguments: [false, true])
    func handedOver(trims: Bool) throws {
        let bank = bank()
        let id = bank.accept(EventBank.news)
        let other = bank.accept(EventBank.payment)
        if trims {
            bank.rig.newSegment()
            bank.rig.carry(upTo: 1)
            bank.rig.commit()
        }
        bank.restart(before: trims ? 2 : 0)
        bank.rig.commit()
        stop(bank)
        #expect(bank.rig.slot(id)?.isMandatory == true && bank.rig.slot(other)?.isMandatory == false)
        var handed: [MessageID] = []
        for _ in 0..<3 {
            while let handover = bank.rig.next() { handed.append(handover.id) }
            bank.rig.step { $0.engine.endUnwanted(&$0.turn) }
            bank.rig.commit()
        }
        #expect(handed == [id] && bank.fate(other) == "suppressed opted_out")
    }
}
