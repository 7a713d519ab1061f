import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: rows of one message")
struct HistoryRowsTests {
    @Test(
        "Of a message that is not wanted no more is read: its origin is asked before where it stands", arguments: SQLStore.Engine.allCases)
    func wanted(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            let message = HistoryRig.Message(minutesAgo: 5)
            try await rig.put([message])
            let keys = HistoryKeys(rig.keys)
            try await rig.desk.store.read { session in
                let rows = try HistoryRows(session: session, keys: keys, names: HistoryRig.names)
                var asked: [String] = []
                func item(origin: Bool, standing: Bool) throws -> HistoryItem? {
                    asked = []
                    let wanted = HistoryRows.Wanted(
                        origin: { source, messageClass in
                            asked.append("\(source ?? 0) \(messageClass?.word ?? "")")
                            return origin
                        },
                        standing: { item in
                            asked.append(item.channel == nil ? "standing" : "message")
                            return standing
                        })
                    return try rows.item(message.id, wanted)?.item
                }
                let foreign = try item(origin: false, standing: true)
                #expect(foreign == nil && asked.count == 1 && asked[0].hasSuffix(" transactional"))
                let elsewhere = try item(origin: true, standing: false)
                #expect(elsewhere == nil && asked.dropFirst() == ["standing"])
                let whole = try item(origin: true, standing: true)
                #expect(whole?.channel == .sms && asked.count == 2)
            }
        }
    }
}
