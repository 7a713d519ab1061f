import Dispatch
import Foundation
import Guard
import Journal
import MartletModel
import Testing

@testable import MartletNode

/// Stories of notifications with more than one message, from records as a log has them.
@Suite("Stories of plans")
struct StorytellerTests {
    /// A log that a test writes record by record.
    private final class Log {
        let directory: String
        let keys: RecordKeys
        private let days: KeyStore
        private let journal: Journal
        private let appender: Appender
        private var sealer = Sealer()
        private var sequence: UInt64 = 0
        private(set) var last: [MessageID: UInt64] = [:]
        var now: Int64 = 1_795_400_000_000_000

        init() throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "martlet-story-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let master = try MasterKey.create(at: "\(directory)/master.key")
            days = try KeyStore(directory: "\(directory)/keys", master: master, access: .owner(create: true))
            keys = RecordKeys(days: days, subjects: nil)
            var options = Options()
            options.segmentSize = 256 << 10
            options.batchSize = 32 << 10
            options.recordSize = 16 << 10
            (journal, appender, _) = try Journal.open("\(directory)/journal", options) { _, _ in }
        }

        deinit {
            journal.close()
            try? FileManager.default.removeItem(atPath: directory)
        }

        var reader: Reader { journal.reader() }

        func put(
            _ body: RecordBody, _ id: MessageID, _ state: MessageState, reason: EndReason = .none, flags: RecordFlags = [],
            payload: Payload? = nil
        ) throws {
            now += 1_000_000
            sequence += 1
            var header = RecordHeader(
                kind: body.kind, partition: id.partition, messageClass: MessageClass.transactional.rawValue, source: 7, group: 1, parts: 1,
                id: id, at: now, deadline: now / 1000 + 86_400_000, flags: flags.union(.outcome(state, reason)))
            header.sequence = sequence
            header.previous = last[id] ?? 0
            var sealed: [UInt8] = []
            if let payload {
                let key = RecordKey.day(try days.key(class: header.messageClass, day: DataKey.day(ofMicroseconds: now)))
                header.keyID = key.id.rawValue
                var plain: [UInt8] = []
                payload.append(to: &plain)
                sealed = Array(repeating: 0, count: Sealer.sealedCount(plain.count))
                _ = try plain.withUnsafeBytes { plain in
                    try sealed.withUnsafeMutableBytes { out in
                        try sealer.seal(plain, context: SealContext(id), key: key, into: out)
                    }
                }
            }
            let record = Record(header: header, body: body)
            let clear = record.clearByteCount
            last[id] = try appender.append(count: clear + sealed.count) { buffer in
                guard let base = buffer.baseAddress else { return }
                record.write(to: base)
                UnsafeMutableRawBufferPointer(rebasing: buffer[clear...]).copyBytes(from: sealed)
            }
            let done = DispatchGroup()
            while let batch = appender.cut() {
                done.enter()
                journal.write(batch) { _, _ in done.leave() }
            }
            done.wait()
        }

        func tell(_ id: MessageID) throws -> Story {
            let told = Storyteller.tell(
                id, from: last[id] ?? 0, submitted: false, journal: reader, keys: keys, others: { [last] in last[$0] })
            return try #require(try told.get())
        }
    }

    private static let id = MessageID(milliseconds: 1_795_400_000_000, partition: 3, random: 7919)

    private func payload(_ text: String) -> Payload {
        Payload(to: PhoneNumber(digits: 447_700_900_123), from: "HARBOUR", reference: "r", text: text)
    }

    private func decided(_ stage: RecordBody.Decided.Stage, step: UInt8, planned: UInt8 = 0) -> RecordBody {
        .decided(
            .init(
                receivedAt: 0, stage: stage, outcome: .told, step: step, event: 116, release: 7, subject: 1, planned: planned,
                partsOnAir: 1, channel: .sms))
    }

    private func answered(_ attempt: UInt8, _ id: String) -> RecordBody {
        .answered(.init(attempt: attempt, part: 0, outcome: .accepted(providerID: id), handedAt: 1, connection: "north"))
    }

    private func words(_ story: Story) -> [String] { story.hops.map { "\($0.hop): \($0.what)" } }

    @Test("What happened to all messages of a plan is told in one story, in the order in which it happened")
    func merged() throws {
        let log = try Log()
        let (head, second, third) = (Self.id, Self.id.with(ordinal: 2), Self.id.with(ordinal: 3))
        try log.put(decided(.fresh, step: 0, planned: 2), head, .queued, payload: payload("one"))
        try log.put(answered(1, "a1"), head, .sent)
        try log.put(decided(.step, step: 1, planned: 3), second, .queued, payload: payload("two"))
        try log.put(.receipt(.init(part: 0, state: .undeliverable, error: 7, providerID: "a1")), head, .planned)
        try log.put(answered(1, "b1"), second, .sent)
        try log.put(decided(.step, step: 2), third, .queued, payload: payload("three"))
        try log.put(.receipt(.init(part: 0, state: .delivered, error: 0, providerID: "b1")), second, .delivered, flags: .ends)
        try log.put(.ended(.init(state: .delivered, reason: .none)), head, .delivered, flags: .ends)
        let story = try log.tell(head)
        #expect(
            words(story) == [
                "accept: request read", "accept: accepted", "decide: told", "send: submitted", "send: answer: accepted", "decide: told",
                "track: receipt UNDELIV", "send: submitted", "send: answer: accepted", "decide: told", "track: receipt DELIVRD",
                "end: delivered",
            ])
        #expect(story.state == .delivered && story.decisions.count == 3)
        // Each message counts its attempts from 1: they stay apart.
        #expect(story.attempts.map(\.message) == [1, 2] && story.attempts.map(\.n) == [1, 1])
        #expect(story.attempts.map(\.providerIDs) == [["a1"], ["b1"]] && story.attempts.map(\.state) == [.failed, .delivered])
    }

    @Test("What failed names its hop at its end, before what follows it; what was delivered or is open names none")
    func failed() throws {
        func end(_ story: Story) -> [String]? {
            story.hops.first { $0.hop == "end" }.map { [$0.what] + $0.details.map { "\($0.0)=\($0.1)" } }
        }
        let id = Self.id
        let refused = try Log()
        try refused.put(.accepted(.init(receivedAt: 0)), id, .queued, payload: payload("one"))
        #expect(try refused.tell(id).failedHop == nil && end(refused.tell(id)) == nil)
        let answer = RecordBody.Answered(attempt: 1, part: 0, outcome: .refused(status: 8), handedAt: 1, connection: "north")
        try refused.put(.answered(answer), id, .failed, reason: .refused, flags: .ends)
        try refused.put(.told(.init(outcome: .heard, teller: "")), id, .failed, reason: .refused)
        let story = try refused.tell(id)
        #expect(story.failedHop == .operator && end(story) == ["failed", "reason=refused", "failedHop=operator"])
        #expect(story.hops.suffix(2).map(\.hop) == ["end", "tell"])

        let late = try Log()
        try late.put(.accepted(.init(receivedAt: 0)), id, .queued, payload: payload("one"))
        try late.put(answered(1, "a1"), id, .sent)
        let receipt = RecordBody.Receipt(part: 0, state: .undeliverable, error: 7, providerID: "a1")
        try late.put(.receipt(receipt), id, .failed, reason: .undeliverable, flags: .ends)
        let contradiction = RecordBody.Receipt(part: 0, state: .rejected, error: 0, providerID: "a1")
        try late.put(.receipt(contradiction), id, .failed, reason: .undeliverable, flags: .late)
        #expect(try late.tell(id).failedHop == .handset && end(late.tell(id)) == ["failed", "reason=undeliverable", "failedHop=handset"])

        let expired = try Log()
        try expired.put(.accepted(.init(receivedAt: 0)), id, .queued, payload: payload("one"))
        try expired.put(.ended(.init(state: .expired, reason: .notSentInTime)), id, .expired, reason: .notSentInTime, flags: .ends)
        #expect(try end(expired.tell(id)) == ["expired", "reason=not_sent_in_time", "failedHop=connection"])
    }

    @Test("A message that nothing planned is not looked for; one whose chain is gone is left out")
    func planned() throws {
        let log = try Log()
        let (head, second) = (Self.id, Self.id.with(ordinal: 2))
        try log.put(decided(.fresh, step: 0), head, .queued, payload: payload("one"))
        try log.put(decided(.step, step: 1), second, .queued, payload: payload("two"))
        #expect(try log.tell(head).decisions.count == 1)
        let other = try Log()
        try other.put(decided(.fresh, step: 0, planned: 2), head, .queued, payload: payload("one"))
        #expect(try other.tell(head).decisions.count == 1)
    }

    @Test("Where the decision that planned it is trimmed, a further message is found all the same")
    func carried() throws {
        let log = try Log()
        let (head, second) = (Self.id, Self.id.with(ordinal: 2))
        let it = RecordBody.Carried(
            state: .planned, attempts: 1, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 0, notBefore: 0, order: 0, providerKeys: [], event: .init(role: .isEvent, members: 2))
        try log.put(.carried(it), head, .planned, payload: payload("one"))
        try log.put(decided(.step, step: 1), second, .queued, payload: payload("two"))
        #expect(words(try log.tell(head)) == ["journal: carried forward", "decide: told"])
    }

    @Test("Events are told by their keys, one that has none by its number")
    func names() throws {
        let log = try Log()
        try log.put(decided(.fresh, step: 0), Self.id, .queued, payload: payload("one"))
        var story = try log.tell(Self.id)
        func event(_ story: Story) -> String? { story.hops.last?.details.first { $0.0 == "event" }?.1 }
        story.name(events: { _ in nil }, packages: { _ in nil })
        #expect(event(story) == "116")
        story.name(events: { $0 == 116 ? "card_payment" : nil }, packages: { _ in nil })
        #expect(event(story) == "card_payment")
        var hop = Story.Hop(at: 1, hop: "decide", what: "told", details: [("event", "116"), ("package", "17")])
        hop.name("package") { $0 == 17 ? "cards" : nil }
        #expect(hop.details.map { $0.1 } == ["116", "cards"])
        // Elsewhere a word of the same name is no number of the rulebook's.
        var other = Story.Hop(at: 1, hop: "accept", what: "accepted", details: [("package", "17")])
        other.name("package") { _ in "cards" }
        #expect(other.details[0].1 == "17")
    }
}
