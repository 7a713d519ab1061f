import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("History: erasing a customer") struct HistoryErasingTests {
    private static let boss = Caller(name: "principal:boss", rights: Set(Right.allCases), reason: "asked by the person")

    @Test(
        "Messages to an address that is the customer's alone are found by it no more, and what they said is gone; others stay",
        arguments: SQLStore.Engine.allCases)
    func alone(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: HistoryErasingTests.boss)
            // More than one step of the walk, over several quarters of an hour.
            var messages = (0..<450).map { HistoryRig.Message(minutesAgo: 5 + Double($0), number: UInt64($0)) }
            messages[449].isInbound = true
            var other = HistoryRig.Message(minutesAgo: 7, number: 900)
            other.phone = PhoneNumber(digits: 447_700_900_124)
            try await rig.put(messages + [other])
            #expect(try await rig.all(["phone": "+447700900123"]).ids.count == 450)

            let export = try await customers.messages(of: customer.id, in: rig.history, by: HistoryErasingTests.boss)
            #expect(export.items.map(\.id) == messages.map { $0.id.notification }.sorted(by: >))
            #expect(export.isWhole)
            #expect(export.items.allSatisfy { $0.text == "Your card was used" && $0.number == "+447700900123" })
            var silent = HistoryErasingTests.boss
            silent.reason = nil
            await #expect(throws: DeskFault.self) { try await customers.messages(of: customer.id, in: rig.history, by: silent) }

            try await customers.erase(customer.id, by: HistoryErasingTests.boss)
            #expect(try await rig.all(["phone": "+447700900123"]).ids.isEmpty)
            #expect(try await rig.all(["phone": "+447700900124"]).ids == [other.id.notification])
            for message in [messages[0], messages[449]] {
                let story = try await rig.history.story(message.id, reveals: true, by: HistoryErasingTests.boss)
                #expect(story.item.content == .erased)
                #expect(story.item.text == nil)
            }
            let kept = try await rig.history.story(other.id, reveals: true, by: HistoryErasingTests.boss)
            #expect(kept.item.text == other.text)
        }
    }

    @Test(
        "Of an address that another customer has too, what no customer's key sealed stays as it is", arguments: SQLStore.Engine.allCases)
    func shared(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let first = try await customers.add(HistoryRig.customer("40-1"), by: HistoryErasingTests.boss)
            let second = try await customers.add(HistoryRig.customer("40-2"), by: HistoryErasingTests.boss)
            let message = HistoryRig.Message(minutesAgo: 5)
            try await rig.put([message])
            try await customers.erase(first.id, by: HistoryErasingTests.boss)
            #expect(try await rig.all(["phone": "+447700900123"]).ids == [message.id.notification])
            // Now it is the other's alone.
            try await customers.erase(second.id, by: HistoryErasingTests.boss)
            #expect(try await rig.all(["phone": "+447700900123"]).ids.isEmpty)
        }
    }

    @Test("Entries of messages that another customer's key sealed stay", arguments: SQLStore.Engine.allCases)
    func ofOthers(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let customers = try rig.customers()
            let customer = try await customers.add(HistoryRig.customer("40-1"), by: HistoryErasingTests.boss)
            let (own, others) = (HistoryRig.Message(minutesAgo: 5, number: 1), HistoryRig.Message(minutesAgo: 6, number: 2))
            try await rig.put([own, others])
            func seal(_ message: HistoryRig.Message, _ subject: SubjectNumber) async throws {
                let hexadecimal = message.id.text
                let id = rig.store.engine == .sqlite ? "x'\(hexadecimal)'" : "'\\x\(hexadecimal)'"
                try await rig.tamper("UPDATE message SET key_id = \(RecordKeyID(subject: subject).rawValue) WHERE id = \(id)")
            }
            try await seal(own, customer.id)
            try await seal(others, customer.id + 1)
            try await customers.erase(customer.id, by: HistoryErasingTests.boss)
            #expect(try await rig.all(["phone": "+447700900123"]).ids == [others.id.notification])
        }
    }
}
