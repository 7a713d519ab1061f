import MartletModel
import SMPP
import Testing

@testable import MartletChannels

@Suite struct ReceiptLearningTests {
    private func heard(_ raw: String, _ reading: String? = nil) -> Heard {
        Heard(group: 1, providerID: reading ?? raw, state: .delivered, error: 0, receiptID: raw, handset: 1)
    }

    @Test("Three telling pairs teach how receipts name messages; that is told once, and then read first")
    func learns() {
        var told: [MessageIdentifier.Conversion?] = []
        let learning = ReceiptLearning { told.append($0) }
        #expect(!learning.isLearnt && learning.expected == .asIs)
        #expect(learning.otherReadings(of: heard("255")) == ["597", "ff"])
        #expect(learning.otherReadings(of: heard("no-number")).isEmpty)
        for number in 100...102 { learning.learn(answer: String(number, radix: 16), from: heard("\(number)")) }
        #expect(learning.isLearnt && learning.expected == .decimalToHex && told == [.decimalToHex])
        #expect(learning.otherReadings(of: heard("255", "ff")).first == "255")
        // Pairs that fit every way say nothing.
        learning.learn(answer: "7", from: heard("7"))
        #expect(told.count == 1)
    }

    @Test("What was known before is believed at once, doubted when traffic speaks against it, and then learnt anew")
    func relearns() {
        var told: [MessageIdentifier.Conversion?] = []
        let learning = ReceiptLearning(known: .hexToDecimal) { told.append($0) }
        #expect(learning.isLearnt && learning.expected == .hexToDecimal && told.isEmpty)
        learning.learn(answer: "1000", from: heard("1000"))
        #expect(!learning.isLearnt && learning.expected == .asIs && told == [nil])
        for number in 1001..<1040 { learning.learn(answer: "\(number)", from: heard("\(number)")) }
        #expect(learning.learnt == .asIs && told == [nil, .asIs])
    }

    @Test("A connection reads receipts as its group has learnt, whichever of its binds they come over; a setting goes before that")
    func connection() throws {
        let world = World()
        let connection = try world.bound()
        #expect(connection.receiptReadingWords == "asIs (learning)" && connection.naming != nil)
        var fields = MessageFields()
        fields.esmClass = .receipt
        func receipt(_ id: String, _ source: String) -> Heard? {
            fields.source.text = short(source)
            let text = ReceiptText.compose(id: id, submitDate: "2611221804", doneDate: "2611221805", state: .delivered)
            _ = world.smsc.deliver(Message(fields: fields, shortMessage: Array(text.utf8)))
            world.smsc.flush()
            return world.heard.last?.last
        }
        let first = try #require(receipt("000255", "447700900123"))
        #expect(first.providerID == "255" && first.receiptID == "255" && first.handset == 447_700_900_123)
        #expect(receipt("1", "+33612345678")?.handset == 33_612_345_678)
        #expect(receipt("1", "HARBOUR")?.handset == 0 && receipt("1", "")?.handset == 0)
        for number in 100...102 { connection.naming?.learn(answer: String(number, radix: 16), from: heard("\(number)")) }
        #expect(receipt("0255", "")?.providerID == "ff" && receipt("0255", "")?.receiptID == "255")
        #expect(connection.receiptReadingWords == "decimalToHex (learnt)")
        var settings = World.settings()
        settings.profile.receiptID = .asIs
        try connection.reconfigure(settings)
        #expect(connection.naming == nil && connection.receiptReadingWords == "asIs (set)")
        #expect(receipt("255", "")?.providerID == "255")
    }

    @Test("All binds of an entry share what is learnt, and so do all entries that are given the same")
    func shared() throws {
        let world = World()
        var settings = World.settings()
        settings.binds = 2
        let learning = ReceiptLearning(known: .hexToDecimal)
        let made = try SMPPConnections.make(settings, firstNumber: 1, group: 1, on: world.loop, owner: world, learning: learning) { 0 }
        #expect(made.allSatisfy { $0.naming === learning && $0.receiptReading == .hexToDecimal })
        let own = try SMPPConnections.make(settings, firstNumber: 1, group: 1, on: world.loop, owner: world) { 0 }
        #expect(own[0].naming === own[1].naming && own[0].naming !== learning)
    }
}
