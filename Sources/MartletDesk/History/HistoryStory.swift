public import MartletModel
import MartletStore
import SQL

/// Everything the history holds of one notification.
public struct HistoryStory: Sendable {
    public var item: HistoryItem
    /// Wall milliseconds; 0: none.
    public var deadline: Int64
    public var attempts: [Story.Attempt] = []
    /// Whether its source heard of the end.
    public var told: ToldOutcome?
    public var toldAt: Int64?
    /// Of a message from a handset: parts that never came, and what it is a reply to.
    public var missing = 0
    public var inReplyTo: MessageID?
    /// Where it failed; nil: it did not.
    public var failedHop: FailedHop?
    /// What happened, oldest first, in the shape of the node's trace.
    public var hops: [Story.Hop] = []
    /// Rows of which nothing is told.
    public var damaged: [DamagedRow] = []
    /// There are more steps than are told.
    public var hasMoreSteps = false

    /// A row that is not as Martlet wrote it. The others are told all the same.
    public struct DamagedRow: Equatable, Sendable {
        public var table: String
        /// Of the record that it came from; nil: such rows do not say.
        public var sequence: Int64?
    }

    /// Nil: there is no such message, or not for this caller.
    init?(_ id: MessageID, by caller: Caller, reveals: Bool, _ rows: HistoryRows) throws {
        guard let found = try rows.item(id), rows.names.sees(caller, found.source) else { return nil }
        item = found.item
        deadline = 0
        try rows.fill(&item, rows.opened(found), reveals: reveals)
        if item.isInbound { try takeInbound(rows) } else { try takeSent(rows) }
        // What happened in the same moment stays in the order of the flow.
        hops = hops.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    private mutating func takeInbound(_ rows: HistoryRows) throws {
        guard !takeDamaged(), let row = try rows.session.rows(HistoryStatements.inbound, rows.range(item.id), maximum: 256).first else {
            return takeTold(try rows.standing(item.id))
        }
        missing = Int(clamping: try row.integer("missing"))
        inReplyTo = try row.optionalBytes("in_reply_to").flatMap { MessageID(bytes: $0) }
        var details = [("parts", String(item.parts))]
        if missing > 0 { details.append(("missing", String(missing))) }
        if let inReplyTo { details.append(("inReplyTo", inReplyTo.text)) }
        hop((item.changedAt ?? item.createdAt) * 1000, "receive", "message from a handset", details)
        if item.isUntagged { mark(.untagged, hopsFrom: 0) }
        takeTold(try rows.standing(item.id))
    }

    private mutating func takeSent(_ rows: HistoryRows) throws {
        guard let row = try rows.session.rows(HistoryStatements.notification, rows.range(item.id), maximum: 256).first else { return }
        takeDamaged()
        if !item.damaged.contains(EvidenceTable.notifications.name) {
            let isBelieved = try HistoryStory.isBelieved {
                deadline = try HistoryStory.microseconds(row, "deadline") / 1000
                hop(try HistoryStory.microseconds(row, "received_at"), "accept", "request read", [])
                return true
            }
            if !isBelieved { damaged.append(DamagedRow(table: EvidenceTable.notifications.name, sequence: nil)) }
        }
        var accepted: [(String, String)] = []
        if !item.damaged.contains(EvidenceTable.messages.name) { accepted.append(("parts", String(item.parts))) }
        if !item.damaged.contains(EvidenceTable.notifications.name) { accepted.append(("source", item.source)) }
        if let trace = item.trace { accepted.append(("traceparent", trace.text)) }
        hop(item.createdAt * 1000, "accept", "accepted", accepted)
        if item.isUntagged { mark(.untagged, hopsFrom: 0) }
        let (told, decided) = try takeSteps(rows)
        let outcome = try takeAttempts(rows)
        let receipt = try takeReceipts(rows, told: told)
        let standing = try rows.standing(item.id)
        if let state = item.state, state.isEnd {
            failedHop = FailedHop.of(state, item.reason, outcome: outcome, receipt: receipt, decided: decided)
            var details = [("reason", item.reason.word)]
            if let failedHop { details.append(("failedHop", failedHop.rawValue)) }
            hop((item.endedAt ?? item.changedAt ?? item.createdAt) * 1000, "end", state.word, details)
        }
        takeTold(standing)
    }

    /// Names the rows of what was accepted or received that are damaged; where it stands says so by having no state.
    /// - Returns: whether there are any.
    @discardableResult private mutating func takeDamaged() -> Bool {
        let tables = item.damaged.filter { $0 != HistoryItem.standing }
        damaged += tables.map { DamagedRow(table: $0, sequence: nil) }
        return !tables.isEmpty
    }

    /// Records without a row of their own, in the words of the node's trace.
    /// - Returns: their sequences, and the decision that the reason of the end is of.
    private mutating func takeSteps(_ rows: HistoryRows) throws -> (told: Set<Int64>, decided: RecordBody.Decided?) {
        var told: Set<Int64> = []
        var story = Story(
            id: item.id, source: 0, messageClass: item.messageClass ?? .service, state: .queued, reason: .none,
            parts: UInt8(clamping: item.parts), createdAt: 0, updatedAt: 0, deadline: 0, reference: "", from: "",
            to: PhoneNumber(digits: 0), attempts: [], hops: [])
        let found = try rows.session.rows(
            HistoryStatements.steps, rows.range(item.id) + [.number(HistoryStory.stepsMaximum + 1)],
            maximum: HistoryStory.stepsMaximum + 1)
        hasMoreSteps = found.count > HistoryStory.stepsMaximum
        for row in found.prefix(HistoryStory.stepsMaximum) {
            let isBelieved = try HistoryStory.isBelieved {
                guard let step = try StepRow(row, rows.keys.stepTags, rows.untagged), let record = HistoryStory.record(step.record),
                    record.header.id.notification == item.id
                else { return false }
                let before = story.hops.count
                story.take(record)
                if !step.isTagged { for index in before..<story.hops.count { story.hops[index].details.append(HistoryStory.untagged) } }
                told.insert(try row.integer("sequence"))
                return true
            }
            if !isBelieved { damaged.append(DamagedRow(table: "step", sequence: try row.integer("sequence"))) }
        }
        item.parts = Int(story.parts)
        try story.name(
            events: { try rows.keys.numbers.name(.event, Int64($0), rows.session) },
            packages: { try rows.keys.numbers.name(.package, Int64($0), rows.session) })
        // Its acceptance is told from its own row.
        hops += story.hops.filter { $0.hop != "accept" || !HistoryStory.acceptance.contains($0.what) }
        return (told, story.decision(of: item.reason))
    }

    private static let acceptance = ["request read", "accepted"]

    /// Nil: the bytes are no record of this version.
    static func record(_ bytes: [UInt8]) -> Record? {
        try? bytes.withUnsafeBytes { bytes throws(RecordFault) in try Record(reading: bytes) }
    }

    /// Takes one row; what does not fit its columns is damage, as is what `take` does not believe.
    private static func isBelieved(_ take: () throws -> Bool) throws -> Bool {
        do {
            return try take()
        } catch SQLFault.row {
            return false
        } catch is NoMoment {
            return false
        }
    }

    private struct NoMoment: Error {}

    /// A moment that a row has in milliseconds.
    private static func microseconds(_ row: SQLRow, _ column: String) throws -> Int64 {
        let (microseconds, isBeyond) = try row.integer(column).multipliedReportingOverflow(by: 1000)
        if isBeyond { throw NoMoment() }
        return microseconds
    }

    /// Steps of one message that are told at most, as in the node's trace.
    static let stepsMaximum = 4096

    /// - Returns: code of the last answer.
    private mutating func takeAttempts(_ rows: HistoryRows) throws -> UInt8? {
        var last: UInt8?
        for row in try rows.session.rows(HistoryStatements.attempts, rows.range(item.id)) {
            let isBelieved = try HistoryStory.isBelieved {
                let standing = EvidenceTable.attempts.standing(of: row, rows.keys.evidenceTags.attempts, rows.untagged)
                guard standing != .damaged else { return false }
                let before = hops.count
                guard let id = MessageID(bytes: try row.bytes("id")) else { return false }
                last = try takeAttempt(row, of: id.ordinal)
                mark(standing, hopsFrom: before)
                return true
            }
            if !isBelieved { damaged.append(DamagedRow(table: "attempt", sequence: try row.integer("sequence"))) }
        }
        return last
    }

    /// - Returns: code of the answer.
    private mutating func takeAttempt(_ row: SQLRow, of message: UInt8) throws -> UInt8 {
        let n = try row.integer("attempt", as: Int.self)
        let outcome = try row.integer("outcome", as: UInt8.self)
        let connection = try row.text("connection")
        let providerID = try row.optionalText("provider_id") ?? ""
        let handedAt = try HistoryStory.microseconds(row, "handed_at")
        let answeredAt = try HistoryStory.microseconds(row, "answered_at")
        let number = try row.integer("part", as: Int.self) + 1
        let status = try row.integer("status")
        let part = [("part", String(number)), ("connection", connection)]
        if handedAt != 0 { hop(handedAt, "send", "submitted", part + [("attempt", String(n))]) }
        var details = part
        if !providerID.isEmpty { details.append(("providerId", providerID)) }
        if status != 0 { details.append(("status", "0x" + String(status, radix: 16, uppercase: true))) }
        hop(answeredAt, "send", "answer: \(HistoryStory.word(outcome))", details)
        let state = HistoryStory.state(outcome)
        let receipts = providerID.isEmpty ? [] : [Story.PartReceipt(part: number, providerID: providerID)]
        if let index = attempts.lastIndex(where: { $0.n == n && $0.message == message }) {
            attempts[index].providerIDs += receipts.map(\.providerID)
            attempts[index].receipts = (attempts[index].receipts + receipts).sorted { $0.part < $1.part }
            // The worst word of its parts names the attempt.
            if state != .sent { attempts[index].state = state }
        } else {
            attempts.append(
                .init(
                    n: n, connection: connection, state: state, providerIDs: receipts.map(\.providerID), submittedAt: handedAt,
                    possibleDuplicate: item.possibleDuplicate && n > 1, receipts: receipts))
            attempts[attempts.count - 1].message = message
        }
        return outcome
    }

    /// - Parameter told: sequences of those that a step has told of.
    /// - Returns: the last final state that was reported before the end.
    private mutating func takeReceipts(_ rows: HistoryRows, told: Set<Int64>) throws -> ReceiptState? {
        var last: ReceiptState?
        for row in try rows.session.rows(HistoryStatements.receipts, rows.range(item.id)) {
            let isBelieved = try HistoryStory.isBelieved {
                let standing = EvidenceTable.receipts.standing(of: row, rows.keys.evidenceTags.receipts, rows.untagged)
                guard standing != .damaged, let state = ReceiptState(rawValue: try row.integer("state", as: UInt8.self)) else {
                    return false
                }
                let (at, providerID) = (try HistoryStory.microseconds(row, "heard_at"), try row.text("provider_id"))
                let part = try row.integer("part", as: Int.self) + 1
                let error = try row.integer("error", as: UInt16.self)
                var details = [("part", String(part)), ("providerId", providerID)]
                if error != 0 { details.append(("error", String(error))) }
                let isLate = item.endedAt.map { at > $0 * 1000 } ?? false
                if !told.contains(try row.integer("sequence")) {
                    hop(at, "track", "\(isLate ? "late " : "")receipt \(state.word)", details)
                    mark(standing, hopsFrom: hops.count - 1)
                }
                if isLate { return true }
                if state.isFinal { last = state }
                mark(state, part, providerID, error, at)
                return true
            }
            if !isBelieved { damaged.append(DamagedRow(table: "receipt", sequence: try row.integer("sequence"))) }
        }
        return last
    }

    private mutating func mark(_ state: ReceiptState, _ part: Int, _ providerID: String, _ error: UInt16, _ at: Int64) {
        // An attempt has the id as the provider wrote it, a receipt as ids are compared.
        let id = HistoryStory.compared(providerID)
        guard let index = attempts.lastIndex(where: { $0.providerIDs.contains { HistoryStory.compared($0) == id } }),
            let row = attempts[index].receipts.lastIndex(where: { HistoryStory.compared($0.providerID) == id && $0.part == part }),
            !(attempts[index].receipts[row].state?.isFinal ?? false)
        else { return }
        attempts[index].receipts[row].state = state
        attempts[index].receipts[row].error = error
        attempts[index].receipts[row].at = at
        guard state.isFinal else { return }
        let end: MessageState = state == .delivered ? .delivered : state == .expired ? .expired : .failed
        if end != .delivered || attempts[index].state == .sent { attempts[index].state = end }
    }

    private static let untagged = ("untagged", "true")

    private mutating func mark(_ standing: EvidenceTable.Standing, hopsFrom start: Int) {
        guard standing == .untagged else { return }
        for index in start..<hops.count { hops[index].details.append(HistoryStory.untagged) }
    }

    private mutating func takeTold(_ standing: HistoryRows.Standing) {
        guard let row = standing.row, let outcome = row.told.flatMap({ ToldOutcome(rawValue: $0) }) else { return }
        told = outcome
        toldAt = row.toldAt
        hop((row.toldAt ?? row.changedAt) * 1000, "tell", "source: \(outcome.word)", [])
    }

    private mutating func hop(_ at: Int64, _ hop: String, _ what: String, _ details: [(String, String)]) {
        hops.append(.init(at: at, hop: hop, what: what, details: details))
    }

    /// Without zeros in front, in lower case.
    private static func compared(_ providerID: String) -> String { String(providerID.drop { $0 == "0" }).lowercased() }

    /// Words of `Outcome`, whose code a row holds.
    private static func word(_ outcome: UInt8) -> String {
        switch outcome {
        case 1: "accepted"
        case 2: "throttled"
        case 3: "deferred"
        case 4: "refused"
        case 5: "unknown"
        case 6: "not_written"
        case 7: "unencodable"
        default: "code \(outcome)"
        }
    }

    private static func state(_ outcome: UInt8) -> MessageState {
        switch outcome {
        case 1: .sent
        case 2, 3, 6: .queued
        case 4, 7: .failed
        default: .unknown
        }
    }
}
