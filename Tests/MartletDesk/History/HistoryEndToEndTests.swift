import Logging
import MartletModel
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: history from the journal")
struct HistoryEndToEndTests {
    @Test(
        "What the projector writes is found, told and counted: by number, with its receipts, to the last message",
        arguments: SQLStore.Engine.allCases)
    func whole(engine: SQLStore.Engine) async throws {
        let rig = try await ProjectorRig(engine)
        for number in 0..<60 { try rig.message(number, partition: UInt8(number % 5), end: number % 10 == 0 ? .failed : .delivered) }
        try rig.put(.accepted(.init(receivedAt: rig.now)), rig.id(60), .queued, payload: rig.payload(60))
        let moved = RecordBody.rerouted(.init(group: 5))
        try rig.put(moved, rig.id(60), .queued)
        rig.commit()
        var options = Projector.Options(journal: "\(rig.directory)/journal")
        options.batch = 50
        let projector = Projector(
            rig.desk, options, keys: rig.keys, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            folds: { [TrafficFold()] }, preferences: { _, _ in })
        try await projector.catchUp()
        // A second one finds nothing left to count.
        try await projector.catchUp()

        let names: @Sendable () -> HistoryNames = { HistoryNames(sources: [7: "cards"], groups: [2: "north", 5: "south"]) }
        let history = rig.desk.history(keys: HistoryKeys(rig.keys), names: names)
        let now = rig.now / 1000 + 3_600_000
        func wish(_ fields: [String: String]) throws -> HistoryWish { try HistoryWish(fields: fields, page: PageWish(), now: now) }
        for fields in [["phone": "+447700900020"], ["reference": "r-20"], ["id": rig.id(20, partition: 0).text]] {
            let items = try await history.search(wish(fields), by: HistoryRig.anna).items
            #expect(items.map(\.id) == [rig.id(20, partition: 0)] && items.map(\.isTampered) == [false], "\(fields.keys)")
            #expect(items.map(\.number) == ["+44•••••0020"] && items.map(\.state) == [.failed] && items.map(\.content) == [.kept])
        }
        let failed = try await history.search(wish(["state": "failed", "source": "cards"]), by: HistoryRig.anna).items
        #expect(failed.count == 6)
        let story = try await history.story(rig.id(20, partition: 0), by: HistoryRig.anna)
        #expect(story.failedHop == .handset && story.told == .heard && story.attempts.map(\.state) == [.failed])
        #expect(story.attempts.first?.receipts.map(\.state) == [.undeliverable])

        let statistics = rig.desk.statistics(names: names)
        let report = try await statistics.report(
            StatisticsWish(by: [.operator], from: now - 86_400_000, to: now), by: HistoryRig.anna)
        #expect(report.sums.accepted == 61 && report.sums.delivered == 54 && report.sums.failed == 6 && report.sums.open == 1)
        #expect(report.sums.submits == 60)
        #expect(report.rows.first { $0.labels.group == "south" }?.counts.open == 1)
        #expect(report.rows.first { $0.labels.group == "north" }?.counts.open == 0)
        try await rig.close()
    }
}
