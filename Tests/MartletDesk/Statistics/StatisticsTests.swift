import MartletModel
import MartletStore
import PostgresServer
import SQL
import Testing

@testable import MartletDesk
@testable import MartletEngine

@Suite("Desk: statistics")
struct StatisticsTests {
    /// Everything that an engine from a seed accepted, whenever.
    private static let ever = StatisticsWish(from: 1_789_990_000_000, to: 1_789_990_000_000 + 700 * 86_400_000)

    private func report(_ rig: HistoryRig, _ by: Set<StatisticsWish.Dimension>) async throws -> StatisticsReport {
        var wish = StatisticsTests.ever
        wish.by = by
        return try await rig.statistics.report(wish, by: HistoryRig.anna)
    }

    @Test(
        "Whatever the engine does, the counts of each source are its ledger's, however they are sliced, and each record counts once",
        arguments: SQLStore.Engine.allCases)
    func ledger(engine: SQLStore.Engine) async throws {
        // Records of the engine itself, from seeds that a failure prints; written at random moments, some transactions rolled back.
        for seed in UInt64(1)...3 {
            try await HistoryRig.with(engine) { rig in
                var stream = EngineStream(seed: seed)
                var dice = EngineStream.Dice(state: seed &* 77)
                var fold = TrafficFold()
                var late: Int64 = 0
                var records = stream.start()
                for _ in 0..<3000 {
                    for record in records {
                        fold.take(record.header, record.body)
                        if case .receipt = record.body, record.header.flags.contains(.late) { late += 1 }
                    }
                    records = stream.step()
                    guard Int.random(in: 0..<100, using: &dice) == 0 else { continue }
                    let now = fold
                    struct Rolled: Error {}
                    if Bool.random(using: &dice) {
                        await #expect(throws: Rolled.self) {
                            try await rig.store.transaction { session in
                                try now.write(session)
                                throw Rolled()
                            }
                        }
                    }
                    try await rig.store.transaction { try now.write($0) }
                    fold.clear()
                }
                for record in records { fold.take(record.header, record.body) }
                let rest = fold
                try await rig.store.transaction { try rest.write($0) }

                let bySource = try await report(rig, [.source])
                var sums: (accepted: Int64, ended: Int64) = (0, 0)
                for (number, name) in [SourceNumber(7): "cards", 8: "loans", 9: "source-9"] {
                    let entry = stream.engine.ledger[number]
                    let row = try #require(bySource.rows.first { $0.labels.source == name }, "seed \(seed)")
                    #expect(row.counts.accepted == Int64(entry.accepted), "seed \(seed), \(name)")
                    #expect(row.counts.ended == Int64(entry.ended), "seed \(seed), \(name)")
                    #expect(row.counts.open == Int64(entry.open), "seed \(seed), \(name)")
                    sums.accepted += Int64(entry.accepted)
                    sums.ended += Int64(entry.ended)
                }
                #expect(bySource.rows.count == 3)
                #expect(sums.accepted > 500 && sums.ended > 100, "seed \(seed): the stream is no test")
                #expect(bySource.sums.lateReceipts == late, "seed \(seed)")
                for by: Set<StatisticsWish.Dimension> in [
                    [], [.class], [.operator], [.hour], [.day], [.channel], [.source, .class, .operator, .day], [.hour, .reason],
                    [.state], [.state, .reason, .class], [.reason],
                ] {
                    let report = try await report(rig, by)
                    #expect(report.sums == bySource.sums, "seed \(seed), by \(by)")
                    let total = report.rows.reduce(into: StatisticsReport.Counts()) { $0.add($1.counts) }
                    #expect(total.accepted == sums.accepted && total.ended == sums.ended, "seed \(seed), by \(by)")
                    #expect(total.parts == bySource.sums.parts && total.submits == bySource.sums.submits, "seed \(seed), by \(by)")
                    #expect(report.rows.allSatisfy { $0.counts.open >= 0 }, "seed \(seed), by \(by)")
                }
                let states = try await report(rig, [.state])
                #expect(states.rows.first { $0.labels.state == "open" }?.counts.accepted ?? 0 == sums.accepted - sums.ended)
                #expect(states.rows.first { $0.labels.state == "delivered" }?.counts.accepted ?? 0 == bySource.sums.delivered)
            }
        }
    }

    @Test("A copy forward, a mark and a ledger count nothing; a message from a handset counts when it is whole, and apart")
    func apart() async throws {
        try await HistoryRig.with(.sqlite) { rig in
            var fold = TrafficFold()
            let id = MessageID(milliseconds: HistoryRig.now, partition: 1, random: 9)
            var header = RecordHeader(kind: .inbound, messageClass: 5, source: 7, group: 1, parts: 1, id: id, at: HistoryRig.now * 1000)
            header.flags = [.ends, .outcome(.received, .none)]
            fold.take(header, .inbound(.init(total: 2, number: 1)))
            #expect(fold.isEmpty)
            fold.take(header, .inbound(.init(total: 2, number: 0)))
            header.flags = []
            let carried = RecordBody.Carried(
                state: .queued, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
                partsReference: 0, notBefore: 0, order: 1, providerKeys: [])
            fold.take(header, .carried(carried))
            fold.take(header, .mark(.init(what: .started)))
            fold.take(header, .ledger(.init(accepted: 9, ended: 1, day: 1, dayMessages: 1, dayParts: 1)))
            #expect(fold.count == 1)
            let whole = fold
            try await rig.store.transaction { try whole.write($0) }
            let wish = StatisticsWish(by: [.state], from: HistoryRig.now, to: HistoryRig.now + 1)
            let report = try await rig.statistics.report(wish, by: HistoryRig.anna)
            #expect(report.rows.map(\.labels.state) == ["received"])
            #expect(report.sums.received == 1 && report.sums.accepted == 0 && report.sums.ended == 0)
            #expect(report.sums.deliveryRate == nil)
        }
    }

    @Test("A message that is suppressed as it is accepted is accepted and ended by one record")
    func suppressed() throws {
        var fold = TrafficFold()
        let id = MessageID(milliseconds: HistoryRig.now, partition: 1, random: 9)
        let header = RecordHeader(
            kind: .accepted, messageClass: 8, source: 7, group: 1, parts: 1, id: id, at: HistoryRig.now * 1000,
            flags: .outcome(.suppressed, .optedOut))
        fold.take(header, .accepted(.init(receivedAt: 0, partsOnAir: 3)))
        #expect(
            fold.changed.map { "\($0.key.state) \($0.key.reason) \($0.value.messages) \($0.value.parts)" }.sorted() == [
                "0 0 1 3", "9 10 1 0",
            ])
    }

    private func fill(_ rig: HistoryRig, hours: Int64 = 1) async throws {
        try await rig.store.transaction { session in
            for hour in 0..<hours {
                for (source, group, state, reason, count) in [
                    (7, 1, 0, 0, 10), (7, 1, 4, 0, 6), (7, 1, 5, 1, 2), (8, 2, 0, 0, 5), (8, 2, 6, 4, 1),
                ] {
                    try session.run(
                        StatisticsStatements.add,
                        [
                            .integer(HistoryRig.now / 3_600_000 - hour), .number(source), .number(4), .number(1), .number(group),
                            .number(state), .number(reason), .number(count), .number(state == 0 ? 2 * count : 0), .number(0), .number(0),
                            .number(0),
                        ])
                }
            }
        }
    }

    @Test("Slices have names, filters hold, and a caller of a unit sees its sources only", arguments: SQLStore.Engine.allCases)
    func slices(engine: SQLStore.Engine) async throws {
        try await HistoryRig.with(engine) { rig in
            try await fill(rig)
            func report(_ query: [String: String], by caller: Caller = HistoryRig.anna) async throws -> StatisticsReport {
                try await rig.statistics.report(StatisticsWish(query: query, now: HistoryRig.now + 1), by: caller)
            }
            let all = try await report(["by": "source,operator,class,channel"])
            #expect(all.rows.map(\.labels.source) == ["cards", "loans"])
            #expect(all.rows.map(\.labels.group) == ["harbour", "north"])
            #expect(all.rows.allSatisfy { $0.labels.messageClass == "transactional" && $0.labels.channel == "sms" })
            #expect(all.sums.accepted == 15 && all.sums.parts == 30 && all.sums.delivered == 6 && all.sums.open == 6)
            #expect(all.sums.deliveryRate == 6.0 / 9.0)
            let reasons = try await report(["by": "reason", "source": "cards"])
            #expect(reasons.rows.map(\.labels.reason) == ["", "refused"])
            #expect(reasons.rows.map(\.counts.accepted) == [8, 2])
            #expect(try await report(["operator": "north"]).sums.accepted == 5)
            #expect(try await report(["class": "otp"]).sums == StatisticsReport.Counts())
            #expect(try await report(["channel": "sms", "by": "hour"]).rows.map(\.labels.hour) == [HistoryRig.now / 3_600_000 * 3_600_000])
            #expect(try await report(["by": "day"]).rows.map(\.labels.day) == [HistoryRig.now / 86_400_000 * 86_400_000])

            var ofUnit = HistoryRig.anna
            ofUnit.unit = 5
            #expect(try await report([:], by: ofUnit).sums.accepted == 5)
            #expect(try await report(["by": "source"], by: ofUnit).rows.map(\.labels.source) == ["loans"])
            await #expect(throws: DeskFault.invalid([FieldFault("source", "unknown", "there is no such source")])) {
                _ = try await report(["source": "cards"], by: ofUnit)
            }
            ofUnit.unit = 6
            #expect(try await report([:], by: ofUnit).sums.accepted == 0)
            await #expect(throws: DeskFault.forbidden(.readStatistics)) { _ = try await report([:], by: HistoryRig.boris) }
        }
    }

    @Test("What does not hold is named, all at once; an answer that is too long says so")
    func limits() async throws {
        let query = ["by": "source,colour", "from": "yesterday", "class": "gold", "channel": "pigeon", "extra": "1"]
        let faults = await invalid { _ = try StatisticsWish(query: query, now: HistoryRig.now) }
        #expect(Set(faults.map(\.path)) == ["by", "from", "class", "channel", "extra"])
        #expect(throws: DeskFault.self) {
            try StatisticsWish(query: ["from": "2026-11-23T00:00:00Z", "to": "2026-11-22T00:00:00Z"], now: 0)
        }
        #expect(throws: DeskFault.self) { try StatisticsWish(query: ["from": "2020-11-23T00:00:00Z"], now: HistoryRig.now) }
        let day = try StatisticsWish(query: [:], now: HistoryRig.now)
        #expect(day.to == HistoryRig.now && day.from == HistoryRig.now - 86_400_000)
        try await HistoryRig.with(.sqlite) { rig in
            try await fill(rig, hours: 5200)
            let wish = StatisticsWish(by: [.hour, .source], from: HistoryRig.now - 5300 * 3_600_000, to: HistoryRig.now + 1)
            let faults = await invalid { _ = try await rig.statistics.report(wish, by: HistoryRig.anna) }
            #expect(faults.map(\.code) == ["too_many"])
            var shorter = wish
            shorter.by = [.day, .source]
            #expect(try await rig.statistics.report(shorter, by: HistoryRig.anna).sums.accepted == 5200 * 15)
        }
    }
}

extension StatisticsReport.Counts {
    fileprivate mutating func add(_ other: Self) {
        accepted += other.accepted
        parts += other.parts
        submits += other.submits
        delivered += other.delivered
        failed += other.failed
        expired += other.expired
        cancelled += other.cancelled
        suppressed += other.suppressed
        received += other.received
    }
}
