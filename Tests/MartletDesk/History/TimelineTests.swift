import MartletModel
import SQL
import Synchronization
import Testing

@testable import MartletDesk

@Suite("Desk: timeline")
struct TimelineTests {
    /// Contacts in memory, as a store gives them.
    private static func sources(_ contacts: [TimelineContact], phones: [PhoneNumber]) -> TimelineSources {
        TimelineSources(
            phones: { (_, _) throws(DeskFault) in phones },
            contacts: { (_, below, limit, _) throws(DeskFault) in
                let older = contacts.filter { ($0.place.at, $0.place.number) < (below.at, below.number) }
                return Array(older.sorted { ($0.place.at, $0.place.number) > ($1.place.at, $1.place.number) }.prefix(limit))
            })
    }

    @Test("Messages by customer and by number, and contacts elsewhere, are one list without gaps or repeats, whatever the page")
    func one() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var messages: [HistoryRig.Message] = []
            for index in 0..<40 {
                var message = HistoryRig.Message(minutesAgo: Double(index) * 300 + 10, number: UInt64(index + 1))
                message.phone = PhoneNumber(digits: 447_700_900_100 + UInt64(index % 3))
                if index % 2 == 0 { message.customer = "40-118-220" }
                message.isInbound = index % 7 == 3
                if message.isInbound { (message.state, message.outcomes) = (.received, []) }
                messages.append(message)
            }
            try await rig.put(messages)
            // Two in the millisecond of a message, and two in one of their own.
            var contacts = (1...20).map { number in
                TimelineContact(
                    place: .init(at: HistoryRig.now - Int64(number) * 40_000_000, number: Int64(number)), kind: "branch", summary: "account"
                )
            }
            for number in [31, 32] {
                contacts.append(.init(place: .init(at: messages[5].id.milliseconds, number: Int64(number)), kind: "call", summary: ""))
                contacts.append(.init(place: .init(at: HistoryRig.now - 77_777, number: Int64(number + 10)), kind: "call", summary: ""))
            }
            let phones = [PhoneNumber(digits: 447_700_900_100), PhoneNumber(digits: 447_700_900_101)]
            let timeline = rig.history.timeline(TimelineTests.sources(contacts, phones: phones))
            let meant = messages.indices.filter { $0 % 2 == 0 || $0 % 3 < 2 }.map { messages[$0].id }
            for limit in [500, 7, 2, 1] {
                var keys: [MessageID] = []
                var after: Cursor?
                var steps = 0
                repeat {
                    let wish = try rig.wish(["customer": "40-118-220"], limit: limit, after: after)
                    let stretch = try await timeline.list(wish, by: HistoryRig.anna)
                    keys += stretch.entries.map(\.key)
                    after = stretch.next
                    steps += 1
                } while after != nil && steps < 500
                #expect(keys == keys.sorted(by: >) && Set(keys).count == keys.count, "\(limit) a page")
                #expect(Set(meant).isSubset(of: keys) && keys.count == meant.count + contacts.count, "\(limit) a page")
            }
            await #expect(throws: DeskFault.self) { _ = try await timeline.list(rig.wish([:]), by: HistoryRig.anna) }
            await #expect(throws: DeskFault.forbidden(.readHistory)) {
                _ = try await timeline.list(rig.wish(["customer": "x"]), by: Caller(name: "principal:carl", rights: []))
            }
        }
    }
}
