import MartletModel
import SMSText
import Testing

@testable import MartletEngine

@Suite("Messages that cannot be made ready")
struct ObstaclesTests {
    /// One whose first number no group serves.
    private func addTwoNumbers(_ bank: EventRig) {
        bank.customers.add(14, phone: nil) { customer in
            customer.contacts = [ContactPoint(number: 1, kind: .phone), ContactPoint(number: 2, kind: .phone)]
        }
        bank.customers.all[14]?.details.addresses = [
            .init(number: 1, value: .phone(491_700_900_014)), .init(number: 2, value: .phone(447_700_900_014)),
        ]
    }

    /// The newest decision, made again from what its record says was read.
    private func isSameAgain(_ bank: EventRig, _ id: MessageID) throws -> Bool {
        let payload = try #require(bank.payload(id))
        let facts = try payload.facts.withUnsafeBytes { try DecisionFacts(reading: $0, now: bank.rig.now.wall) }
        let made = try #require(bank.decided(id))
        let it = RecordedDecision(id: id, at: bank.rig.now.wall, made: made, facts: facts, values: payload.happened.values)
        let book = try #require(bank.book)
        return it.differences(from: book.decide(again: it)).isEmpty
    }

    @Test("Who has a second number is told over that when the first has no route, and the record says so of neither")
    func secondNumber() throws {
        let bank = EventRig()
        addTwoNumbers(bank)
        let id = bank.accept(EventBank.news, to: 14)
        #expect(bank.fate(id) == "planned", "held, as it can go")
        let payment = bank.accept(EventBank.payment, to: 14)
        #expect(bank.fate(payment) == "queued")
        #expect(bank.decided(payment)?.messages.last == PlannedMessage(step: 1, channel: .sms, contact: 2, when: .now))
        #expect(bank.rig.hand()?.to == PhoneNumber(digits: 447_700_900_014))
        #expect(try isSameAgain(bank, payment))
    }

    @Test("A first step whose operator has no alphabet for the text leaves the second, over another operator")
    func secondRoute() throws {
        let letters = TextRules(options: TextOptions(alphabets: [.gsm7]))
        let bank = EventRig { $0.texts = Texts([2: letters]) }
        let id = bank.accept(EventBank.alert, "Книги")
        #expect(bank.fate(id) == "queued")
        let it = try #require(bank.decided(id))
        #expect(it.step == 1 && it.messages.map(\.when) == [.skipped(.noAlphabet), .now])
        #expect(bank.rig.hand(2) == nil && bank.rig.hand()?.text == "alert Книги for Ada")
        #expect(try isSameAgain(bank, id))
        #expect(bank.rig.engine.counts.skips[Int(ChannelKind.sms.rawValue)][Int(PlannedMessage.Skip.noAlphabet.rawValue)] == 1)
    }

    @Test("A text that cannot be written is written for no number, and tried once")
    func noText() throws {
        let bank = EventRig()
        addTwoNumbers(bank)
        bank.customers.all[14]?.details.addresses[0] = .init(number: 1, value: .phone(447_700_900_015))
        let id = bank.accept(EventBank.payment, "", to: 14)
        #expect(bank.fate(id) == "suppressed channel_forbidden")
        #expect(bank.decided(id)?.messages.last?.obstacle == .emptyText)
        let payload = try #require(bank.payload(id))
        let facts = try payload.facts.withUnsafeBytes { try DecisionFacts(reading: $0, now: bank.rig.now.wall) }
        #expect(facts.circumstances.exclusions == [Exclusion(channel: .sms, why: .emptyText)])
        #expect(facts.circumstances.channels.contains(.sms) && bank.opened == [14])
    }

    @Test("However much stands against it, a decision comes to an end")
    func bounded() throws {
        let bank = EventRig()
        bank.book = EventBank.book { rules in
            rules.plans[1].steps = Array(repeating: .init(channels: [.sms], wait: 1), count: DeliveryPlan.mostSteps)
        }
        let numbers = (1...12).map { UInt8($0) }
        bank.customers.add(14, phone: nil) { $0.contacts = numbers.map { ContactPoint(number: $0, kind: .phone) } }
        bank.customers.all[14]?.details.addresses = numbers.map { .init(number: $0, value: .phone(491_700_900_000 + UInt64($0))) }
        let id = bank.accept(EventBank.payment, to: 14)
        #expect(bank.fate(id) == "suppressed channel_forbidden")
        #expect(bank.decided(id)?.messages.allSatisfy { $0.when == .skipped(.noRoute) } == true)
        #expect(try isSameAgain(bank, id))
    }

    @Test("What is left out stands behind the facts, where a program that does not know it stops reading")
    func coding() throws {
        var facts = DecisionFacts(
            event: DecisionEvent(event: 3, occurredAt: 5), customer: Customer(subject: 9), circumstances: Circumstances(now: 8))
        func bytes() throws -> [UInt8] {
            var bytes: [UInt8] = []
            try facts.write(to: &bytes)
            return bytes
        }
        let before = try bytes()
        facts.circumstances.exclusions = [
            Exclusion(step: 2, channel: .sms, contact: 1, why: .noRoute), Exclusion(channel: .push, why: .toldBefore),
        ]
        let after = try bytes()
        #expect(after.starts(with: before) && after.count == before.count + 8)
        #expect(try after.withUnsafeBytes { try DecisionFacts(reading: $0, now: 8) } == facts)
        let unknown = before + [1, 1, 1, 99]
        #expect(throws: CustomerFault.self) { try unknown.withUnsafeBytes { try DecisionFacts(reading: $0, now: 8) } }
    }
}
