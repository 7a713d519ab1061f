import Foundation
import Guard
import Journal
import Logging
import MartletModel
import MartletStore
import PostgresServer
import Synchronization

@testable import MartletDesk
@testable import SQL

/// A journal with sealed records, and a store of either engine beside it.
final class ProjectorRig {
    let directory: String
    let keys: KeyStore
    let store: SQLStore
    let desk: Desk
    private var journal: Journal
    private var appender: Appender
    private var sealer = Sealer()
    private var sequences: [PartitionNumber: UInt64] = [:]
    private(set) var positions: [UInt64] = []
    /// Wall microseconds.
    var now: Int64 = 1_795_400_000_000_000
    /// Of what is put.
    var messageClass = MessageClass.transactional

    init(_ engine: SQLStore.Engine) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "proj-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let master = try MasterKey.create(at: "\(directory)/master.key")
        keys = try KeyStore(directory: "\(directory)/keys", master: master, access: .owner(create: true))
        (journal, appender, _) = try Journal.open("\(directory)/journal", ProjectorRig.options) { _, _ in }
        let address: StoreAddress
        switch engine {
        case .sqlite: address = .sqlite(file: "\(directory)/history.db")
        case .postgres:
            let server = try await PostgresServer.shared()
            address = try await StoreAddress(url: server.url(server.makeDatabase()), directory: "")
        }
        store = SQLStore(address, statements: try StoreStatements.all())
        try await StoreSchema.migrator().migrate(store, now: 1)
        let moment = now
        desk = Desk(store: store, chain: "martlet-test", now: { moment })
    }

    static var options: Options {
        var options = Options()
        options.segmentSize = 256 << 10
        options.batchSize = 32 << 10
        options.recordSize = 16 << 10
        options.sync = false
        options.publishesEnd = true
        return options
    }

    func close() async throws {
        await store.close()
        journal.close()
        try FileManager.default.removeItem(atPath: directory)
    }

    // MARK: The log

    func id(_ number: Int, partition: PartitionNumber = 3) -> MessageID {
        MessageID(milliseconds: 1_795_400_000_000 + Int64(number), partition: partition, random: UInt64(number) &* 7919)
    }

    /// Appends a record with the next sequence of its partition.
    @discardableResult
    func put(
        _ body: RecordBody, _ id: MessageID, _ state: MessageState, _ reason: EndReason = .none, flags: RecordFlags = [],
        payload: Payload? = nil, sealedFor subject: SubjectKey? = nil, source: SourceNumber = 7, skip: UInt64 = 0
    ) throws -> UInt64 {
        var header = RecordHeader(
            kind: body.kind, partition: id.partition, messageClass: messageClass.rawValue, source: source, group: 2, parts: 1,
            id: id, at: now, deadline: now / 1000 + 86_400_000, flags: flags.union(.outcome(state, reason)))
        sequences[id.partition, default: 0] += 1 + skip
        header.sequence = sequences[id.partition] ?? 0
        var sealed: [UInt8] = []
        if let payload {
            let day = DataKey.day(ofMicroseconds: now)
            let key = try subject.map { RecordKey.subject($0) } ?? .day(keys.key(class: header.messageClass, day: day))
            header.keyID = key.id.rawValue
            var plain: [UInt8] = []
            payload.append(to: &plain)
            sealed = Array(repeating: 0, count: Sealer.sealedCount(plain.count))
            _ = try plain.withUnsafeBytes { plain in
                try sealed.withUnsafeMutableBytes { out in
                    try sealer.seal(
                        plain,
                        context: SealContext(high: id.notification.high, low: id.notification.low, kind: RecordKind.accepted.rawValue),
                        key: key,
                        into: out)
                }
            }
        }
        let record = Record(header: header, body: body)
        let clear = record.clearByteCount
        let position = try appender.append(count: clear + sealed.count) { buffer in
            guard let base = buffer.baseAddress else { return }
            record.write(to: base)
            UnsafeMutableRawBufferPointer(rebasing: buffer[clear...]).copyBytes(from: sealed)
        }
        positions.append(position)
        now += 1000
        return position
    }

    func putRaw(_ bytes: [UInt8]) throws { positions.append(try bytes.withUnsafeBytes { try appender.append($0) }) }

    /// All that was put becomes durable.
    func commit() {
        let done = DispatchGroup()
        while let batch = appender.cut() {
            done.enter()
            journal.write(batch) { _, _ in done.leave() }
        }
        done.wait()
    }

    func trim(before segment: UInt32) { journal.trim(before: segment) }
    var segments: [SegmentInfo] { journal.segments }

    func payload(_ number: Int) -> Payload {
        Payload(
            to: PhoneNumber(digits: 447_700_900_000 + UInt64(number)), from: "HARBOUR", reference: "r-\(number)", text: "Text \(number)")
    }

    /// A message from its acceptance to its delivery and what its source said to that.
    func message(_ number: Int, partition: PartitionNumber = 3, end: MessageState = .delivered) throws {
        let id = id(number, partition: partition)
        let wish: RecordFlags = [.tellsDelivered, .tellsFailed]
        try put(.accepted(.init(receivedAt: now)), id, .queued, flags: wish, payload: payload(number))
        try put(
            .answered(
                .init(
                    attempt: 1, part: 0, outcome: .accepted(providerID: "p\(number)"), handedAt: now, connection: "north",
                    rawID: "P\(number)")),
            id, .sent, flags: wish)
        let reason: EndReason = end == .delivered ? .none : .undeliverable
        try put(
            .receipt(.init(part: 0, state: end == .delivered ? .delivered : .undeliverable, error: 0, providerID: "p\(number)")), id, end,
            reason,
            flags: wish.union(.ends))
        try put(.told(.init(outcome: .heard, teller: "hook")), id, end, reason, flags: wish)
    }

    // MARK: The store

    func count(_ table: String) async throws -> Int {
        let sql = "SELECT CAST(count(*) AS BIGINT) AS n FROM \(table)"
        return try await store.read { try Int($0.look(Statement("test.count", sql)).first?.integer("n") ?? -1) }
    }

    func counts(_ tables: [String]) async throws -> [Int] {
        var counts: [Int] = []
        for table in tables { counts.append(try await count(table)) }
        return counts
    }

    func state(_ id: MessageID) async throws -> StateRow? {
        let tags = StateRow.tags(keys.rowKey)
        return try await store.read { session in
            try session.row(HistoryStatements.states, [.bytes(id.bytes), .bytes(id.with(ordinal: 255).bytes)]).flatMap {
                try StateRow($0, tags)
            }
        }
    }

    func rows(_ statement: StatementID, _ id: MessageID) async throws -> [SQLRow] {
        try await store.read { try $0.rows(statement, [.bytes(id.notification.bytes), .bytes(id.with(ordinal: 255).bytes)]) }
    }

    func search(_ kind: SearchKind, _ hash: Int64) async throws -> [MessageID] {
        let newest = SearchSlot.of(now / 1000 + 3_600_000)
        let end = HistoryMonth.firstID(now / 1000 + 86_400_000)
        return try await store.read { session in
            try session.rows(
                HistoryStatements.search,
                [.number(kind.rawValue), .integer(hash), .integer(newest), .integer(newest - 200), .bytes(end), .number(100)]
            ).compactMap { MessageID(bytes: try $0.bytes("id")) }
        }
    }

    /// What a walk proposes, so many a step.
    func walked(_ way: HistoryWalk.Way, steps: Int) async throws -> [MessageID] {
        let end = MessageID.first(of: now / 1000 + 3_600_000)
        return try await store.read { session in
            var walk = HistoryWalk(way, from: end.milliseconds - 7_200_000, below: end)
            var found: [MessageID] = []
            while !walk.isDone { found += try walk.step(steps, session) }
            return found
        }
    }

    func has(_ kind: SearchKind, _ hash: Int64, _ id: MessageID) async throws -> Bool {
        try await store.read { session in
            try !session.rows(
                HistoryStatements.has,
                [
                    .integer(SearchSlot.of(id.milliseconds)), .number(kind.rawValue), .integer(hash), .bytes(id.bytes),
                    .bytes(id.with(ordinal: .max).bytes),
                ]
            ).isEmpty
        }
    }

    func audit() async throws -> [SQLRow] {
        try await store.read { try $0.rows(StoreStatements.auditForward, [.number(0), .number(1000)]) }
    }

    /// A projector whose fold counts records by kind in the store itself, so that what is counted twice shows.
    func projector(
        batch: Int = 100, searchPart: Int = 100_000, folder: String? = nil, subjects: SubjectKeys? = nil,
        preferences: @escaping @Sendable ([PreferenceChange], SQLSession) throws -> Void = { _, _ in }
    ) -> Projector {
        var options = Projector.Options(journal: "\(directory)/journal")
        options.batch = batch
        options.folder = folder
        options.searchPart = searchPart
        options.pace = .milliseconds(5)
        options.sync = .milliseconds(20)
        options.backoff = Backoff(first: .milliseconds(5), longest: .milliseconds(20))
        return Projector(
            desk, options, keys: keys, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, subjects: subjects,
            folds: { [CountingFold()] }, preferences: preferences)
    }

    func counted() async throws -> Int {
        try await store.read { try $0.row(StoreStatements.meta, [.text("counted")])?.text("value") }.flatMap { Int($0) } ?? 0
    }

    struct CountingFold: HistoryFold {
        var records = 0
        mutating func take(_ header: RecordHeader, _ body: RecordBody) { records += 1 }
        func write(_ session: SQLSession) throws {
            try session.run(StoreStatements.metaOnce, [.text("counted"), .text("0")])
            try session.define("UPDATE meta SET value = CAST(CAST(value AS BIGINT) + \(records) AS TEXT) WHERE name = 'counted'")
        }
    }
}
