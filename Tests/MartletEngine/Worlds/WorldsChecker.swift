import MartletModel
import SMSText

@testable import MartletEngine

/// What the world knows of one submission, and what must hold of it whatever the engine says.
final class Card {
    let number: Int
    var submission: Submission
    /// Where the log says that it is to go.
    var group: GroupNumber
    /// Submits, as they were planned last.
    var parts: Int
    /// Parts on the air, as its sender was told: what its quota counts.
    let onAir: Int
    let id: MessageID
    let acceptedAt: Int64
    /// Wall milliseconds.
    var deadline: Int64
    var durable = false
    var told = false
    /// The log says that its source heard of the end.
    var heard = false
    /// Steady microseconds before which its end may not be told again; it may not be told at all until its source asks.
    var tellAfter: Int64 = 0
    var isParked = false
    var end: (state: MessageState, reason: EndReason)?
    var flagged = false
    var partsReference: UInt16?
    /// How often an operator took each part, and how often it could happen again.
    /// Parts that an operator says that it forgot.
    var forgotten: UInt16 = 0
    var copies = [Int](repeating: 0, count: 16)
    var explained = [Int](repeating: 0, count: 16)
    var takenDurable: UInt16 = 0
    var takenLive: UInt16 = 0
    var unknownLive: UInt16 = 0
    var unknownDurable: UInt16 = 0
    var onWire: UInt16 = 0
    /// A code may go out twice after a crash that met it young.
    var codeMayRepeat = false
    var onWireAtCrash: UInt16 = 0
    /// Of an event.
    var event: WorldEvent?
    /// Of a ready text of a capped class, whose number it is; 0: nobody's.
    var capped: SubjectNumber = 0
    /// A ready text of a capped class.
    var isCapped = false
    /// As the newest record has it.
    var state = MessageState.queued

    /// Every part of it.
    var isForgotten: Bool { forgotten == (1 << UInt16(parts)) - 1 }

    init(
        number: Int, submission: Submission, group: GroupNumber, parts: Int, onAir: Int, id: MessageID, acceptedAt: Int64, deadline: Int64
    ) {
        self.number = number
        self.submission = submission
        self.group = group
        self.parts = parts
        self.onAir = onAir
        self.id = id
        self.acceptedAt = acceptedAt
        self.deadline = deadline
    }
}

/// The laws, checked as the world goes on.
struct WorldChecker {
    var cards: [MessageID: Card] = [:]
    /// Further messages of notifications, which no source accounts for.
    private(set) var steps: [MessageID: Card] = [:]
    private(set) var faults: [String] = []
    private var sequences = [UInt64](repeating: 0, count: partitionCount)
    /// Records of each provider id and the newest of each message, as the node's index holds them.
    private(set) var answers: [String: (header: RecordHeader, part: UInt8)] = [:]
    private(set) var newest: [MessageID: UInt64] = [:]
    /// Final receipts that operators know to be ours, and all that are in the log with their message.
    var acknowledged: Set<String> = []
    private(set) var receipts: Set<String> = []
    var lostPayloads: Set<MessageID> = []
    /// Messages whose customers were erased while they were under way, or after.
    var erased: Set<MessageID> = []
    /// Messages from handsets that are in the log, and those whose source heard of them.
    private var inbound: Set<MessageID> = []
    private var heardInbound: Set<MessageID> = []
    /// Customers who said something of a package, and the messages that said so.
    private(set) var saidOf: Set<SubjectNumber> = []
    private var saidIn: Set<MessageID> = []
    /// Who wants no more of what, by keyed hash of the number: as the log says, and as was heard since.
    private var unwantedDurable: [UInt64: ClassSet] = [:]
    var unwanted: [UInt64: ClassSet] = [:]
    var codeSeconds: Int64 = 10
    /// Parts of the day that each source may have, and what the log says it had.
    var quotas: [SourceNumber: Int] = [:]
    var used: [SourceNumber: [Int64: Int]] = [:]
    /// Microseconds by which the wall clock was set back at most.
    var setBack: Int64 = 0
    var loops = 1

    mutating func fault(_ text: @autoclosure () -> String) {
        if faults.count < 5 { faults.append(text()) }
    }

    mutating func check(_ holds: Bool, _ text: @autoclosure () -> String) {
        if !holds { fault(text()) }
    }

    func card(_ id: MessageID) -> Card? { cards[id] ?? steps[id] }

    /// All messages of a notification.
    func messages(of id: MessageID) -> [Card] {
        (cards[id.notification].map { [$0] } ?? []) + steps.values.filter { $0.id.notification == id.notification }
    }

    private var all: [Card] { Array(cards.values) + steps.values }

    func isErased(_ id: MessageID) -> Bool { erased.contains(id.notification) }

    /// The first record of a further message is about to become durable.
    mutating func meet(_ id: MessageID) {
        guard id.high != 0, id.ordinal != 0, steps[id] == nil, let first = cards[id.notification] else { return }
        let card = Card(
            number: first.number, submission: first.submission, group: 0, parts: 0, onAir: 0, id: id, acceptedAt: first.acceptedAt,
            deadline: first.deadline)
        card.event = first.event.map { WorldEvent(number: $0.number, subject: $0.subject, value: $0.value) }
        card.submission.tells = []
        card.state = .planned
        steps[id] = card
    }

    /// A record became durable.
    mutating func durable(_ bytes: [UInt8], at position: UInt64, of partitions: Range<PartitionNumber>) {
        guard let record = try? bytes.withUnsafeBytes({ try Record(reading: $0) }) else { return fault("a record cannot be read back") }
        let header = record.header
        let partition = Int(header.partition)
        check(partitions.contains(header.partition), "a \(header.kind) of partition \(partition) is in the log of another loop")
        let before = sequences[partition]
        check(header.sequence == before + 1, "partition \(partition): sequence \(header.sequence) after \(before) (\(header.kind))")
        sequences[partition] = header.sequence
        if case .answered(let it) = record.body, case .accepted(let providerID) = it.outcome {
            answers["\(header.group)/\(providerID)"] = (header, it.part)
        }
        if case .receipt(let it) = record.body { receipts.insert("\(header.group)/\(it.providerID)") }
        // A receipt that its provider deleted a part is the answer to who told it to.
        if case .asked(let it) = record.body, it.result == .cancelled { receipts.insert("\(header.group)/\(it.providerID)") }
        if case .preference(let it) = record.body { unwantedDurable[it.number] = it.unwanted }
        if case .subscribed(let it) = record.body {
            check(
                inbound.contains(it.message) && saidIn.insert(it.message).inserted, "a word on a package has no message, or is there twice")
            saidOf.insert(it.subject)
        }
        guard header.id.high != 0 else { return }
        if case .inbound(let it) = record.body, it.number == 0 { inbound.insert(header.id) }
        if header.kind == .inbound || inbound.contains(header.id) {
            newest[header.id] = position
            if case .told = record.body {
                check(heardInbound.insert(header.id).inserted, "two records say that a message from a handset was told")
            }
            return
        }
        guard let card = card(header.id) else { return fault("a record of a message that nobody submitted") }
        check(
            header.previous == newest[header.id] ?? 0 || header.flags.contains(.late),
            "message \(card.number): chain broken at \(header.kind)")
        newest[header.id] = position
        card.durable = true
        if case .replaced = record.body { replaced(card, header, bytes) }
        if case .resumed(let it) = record.body, it.why == .replanned {
            check(card.takenDurable == 0, "message \(card.number): planned anew while an operator has a part")
            card.parts = Int(it.submits)
            card.partsReference = nil
        } else if header.kind == .resumed {
            card.flagged = true
        }
        if header.flags.contains(.possibleDuplicate) { card.flagged = true }
        if case .told = record.body {
            check(card.end != nil, "message \(card.number): its source heard of an end that is not in the log")
            check(!card.heard, "message \(card.number): two records say that its source heard")
            card.heard = true
        }
        if case .accepted = record.body { count(card, header) }
        if case .decided(let it) = record.body, it.stage == .fresh { count(card, header) }
        if case .rerouted(let it) = record.body {
            check(card.takenDurable == 0, "message \(card.number): moved after a provider took a part")
            check(header.group == card.group && it.group != card.group, "message \(card.number): moved from where it was not")
            card.group = it.group
        }
        if case .asked(let it) = record.body {
            check(card.takenDurable >> UInt16(it.part) & 1 == 1, "message \(card.number): asked about a part that nobody took")
            if it.result == .cancelled { card.forgotten |= 1 << UInt16(it.part) }
        }
        if case .receipt(let it) = record.body, it.isAnswer {
            check(it.state.isFinal && it.state != .unknown, "message \(card.number): \(it.state) by an answer settles nothing")
        }
        if case .answered(let it) = record.body {
            let bit: UInt16 = 1 << UInt16(it.part)
            if case .accepted = it.outcome { card.takenDurable |= bit }
            if case .unknown = it.outcome { card.unknownDurable |= bit }
        }
        guard !header.flags.contains(.late), let state = header.flags.state, let reason = header.flags.reason else { return }
        card.state = state
        if let end = card.end {
            check(end == (state, reason), "message \(card.number): ended \(end), then \(header.kind) says \(state), \(reason)")
        } else if state.isEnd {
            ended(card, state, reason, header)
        }
    }

    /// What goes out from now on is the new text; nothing of it went before.
    private mutating func replaced(_ card: Card, _ header: RecordHeader, _ bytes: [UInt8]) {
        let sealed = Array(bytes[Record.sealedOffset(header)...])
        guard let payload = sealed.withUnsafeBytes({ try? Payload(reading: $0) }) else { return fault("a new text cannot be read back") }
        check(payload.to == card.submission.to && payload.from == card.submission.from, "message \(card.number): replaced by another")
        card.submission.text = payload.text
        card.parts = Int(header.parts)
        card.deadline = header.deadline
        var tells: Submission.Tells = []
        if header.flags.contains(.tellsDelivered) { tells.insert(.delivered) }
        if header.flags.contains(.tellsFailed) { tells.insert(.failed) }
        card.submission.tells = tells
    }

    private mutating func ended(_ card: Card, _ state: MessageState, _ reason: EndReason, _ header: RecordHeader) {
        card.end = (state, reason)
        let allowed: [EndReason]
        switch state {
        case .delivered: allowed = [.none]
        case .failed:
            // Of a notification whose last message was taken back after another had gone.
            let isAfterAnother = card.event != nil && card.id.ordinal == 0
            allowed =
                [.refused, .undeliverable, .attemptsUsedUp, .cannotBeEncoded, .payloadLost, .customerErased]
                + (isAfterAnother ? [.cancelledBySource, .cancelledByOperator] : [])
        case .expired: allowed = [.notSentInTime, .noReceipt, .undeliverable, .withdrawn]
        case .cancelled:
            allowed =
                [.cancelledBySource, .cancelledByOperator, .customerErased] + (card.event == nil ? [] : [.completed])
                + (card.id.ordinal == 0 ? [] : [.notNeeded])
        case .suppressed:
            allowed =
                card.event == nil
                ? [.optedOut] + (card.isCapped ? [.capReached] : []) : EndReason.allCases.filter { $0.suppression != nil }
        case .queued, .submitted, .sent, .unknown, .received, .planned: allowed = []
        }
        check(allowed.contains(reason), "message \(card.number): \(state) with reason \(reason)")
        if state == .suppressed, card.event == nil {
            check(card.submission.messageClass == .marketing, "message \(card.number): suppressed, and nobody opted out of its class")
        }
        if reason == .payloadLost {
            check(
                messages(of: card.id).contains { lostPayloads.contains($0.id) },
                "message \(card.number): a payload that lies in the log is said to be lost")
        }
        if reason == .customerErased {
            check(isErased(card.id), "message \(card.number): ended for a customer who was not erased")
        }
        if state == .cancelled || reason == .withdrawn {
            // A notification whose own message is over ends as its last one does.
            let isOfLast = reason == .withdrawn && card.event != nil && card.id.ordinal == 0
            check(
                card.takenDurable == 0 && state == .cancelled || card.isForgotten
                    || isOfLast && messages(of: card.id).contains(where: \.isForgotten)
                    || reason == .completed && card.event?.openUntil != 0,
                "message \(card.number): \(state), \(reason) with parts \(card.takenDurable) taken and \(card.forgotten) forgotten, ordinal \(card.id.ordinal)"
            )
        }
        if reason == .withdrawn { check(card.submission.messageClass == .otp, "message \(card.number): withdrawn, and is no code") }
        if reason == .notSentInTime || reason == .noReceipt || reason == .withdrawn {
            // The provider may answer after the clock was set back, to what it was told when the deadline had passed; so may the last step
            // of a notification end whose own message was too old before.
            let grace = reason == .withdrawn || card.event != nil && card.id.ordinal == 0 ? setBack : 0
            // Of reminders what they are for may be due before the first message is too old.
            let due = cards[card.id.notification]?.event?.openUntil ?? 0
            check(
                (header.at + grace) / 1000 >= (due == 0 ? card.deadline : min(card.deadline, due)),
                "message \(card.number): expired before its deadline")
        }
        if state == .delivered,
            !messages(of: card.id).contains(where: { $0 !== card && $0.end?.state == .delivered }) || card.id.ordinal != 0
        {
            for part in 0..<card.parts {
                check(card.copies[part] > 0, "message \(card.number): delivered, but part \(part) reached nobody")
            }
        }
    }

    /// No source has more parts of a day than its quota; security messages and codes count and go beyond it.
    private mutating func count(_ card: Card, _ header: RecordHeader) {
        let day = header.at / 86_400_000_000
        let isStrict = card.submission.messageClass.lane.isStrict
        // What one loop takes beyond its share for these, the other does not know.
        if isStrict, loops > 1 { return }
        let sum = (used[header.source]?[day] ?? 0) + card.onAir
        used[header.source, default: [:]][day] = sum
        guard let quota = quotas[header.source], !isStrict else { return }
        check(sum <= quota, "source \(header.source): \(sum) parts of its \(quota)")
    }

    /// The engine gave a message to a connection.
    mutating func handed(_ handover: Handover, group: GroupNumber) {
        guard let card = card(handover.id) else { return fault("a message that nobody submitted was handed over") }
        let name = "message \(card.number) (\(card.submission.messageClass))"
        check(card.durable, "\(name) was handed over before its acceptance was durable")
        check(card.end == nil, "\(name) was handed over after its end \(card.end.map { "\($0)" } ?? "")")
        check(
            card.id.ordinal == 0 || cards[card.id.notification]?.end == nil || handover.partMask.nonzeroBitCount < handover.parts,
            "\(name), a further step, was handed over after its notification's end")
        check(card.group == group, "\(name) went to a group that does not serve it")
        check(
            handover.text == card.submission.text && handover.to == card.submission.to && handover.from == card.submission.from,
            "\(name) went out as another: '\(handover.text.prefix(24))' for '\(card.submission.text.prefix(24))'")
        check(handover.partMask != 0 && Int(handover.parts) == card.parts, "\(name): parts \(handover.partMask) of \(handover.parts)")
        let cut = TextShape(code: handover.textShape).map { ($0.submits, $0.plan($0.spelled(handover.text)) != nil) }
        let (submits, isWhole) = cut ?? (SMSText.plan(handover.text).parts, true)
        check(submits == card.parts && isWhole, "\(name) cannot be cut into \(card.parts) as it was planned")
        check(handover.partMask & card.takenLive == 0, "\(name): parts \(handover.partMask) again, taken \(card.takenLive)")
        check(handover.partMask & card.onWire == 0, "\(name): parts \(handover.partMask) again while \(card.onWire) are on the wire")
        if card.submission.messageClass == .otp {
            check(handover.partMask & card.unknownLive == 0, "\(name): sent again after its outcome was unknown")
            check(
                handover.partMask & card.onWireAtCrash == 0 || card.codeMayRepeat, "\(name): sent again after a crash that met it old")
        }
        if let reference = card.partsReference {
            check(reference == handover.partsReference, "\(name): its parts carry \(reference) and \(handover.partsReference)")
        }
        card.partsReference = handover.partsReference
        card.onWire |= handover.partMask
    }

    /// An operator took a part.
    mutating func took(_ id: MessageID, _ part: Int) {
        guard let card = card(id) else { return }
        card.copies[part] += 1
        guard card.copies[part] > 1 else { return }
        let name = "message \(card.number) (\(card.submission.messageClass)), part \(part)"
        check(
            card.copies[part] <= 1 + card.explained[part],
            "\(name): \(card.copies[part]) copies, \(card.explained[part]) reasons for more than one")
        check(card.flagged, "\(name): taken twice and not flagged as possible duplicate")
        if card.submission.messageClass == .otp { check(card.copies[part] <= 2, "\(name): \(card.copies[part]) copies of a code") }
    }

    /// The process died, or one loop of it: what that knew and had not written down is gone.
    mutating func crashed(_ partitions: Range<PartitionNumber>) {
        unwanted = unwanted.filter { !partitions.contains(LookupHash.partition(ofHash: $0.key)) }
        for (number, classes) in unwantedDurable where partitions.contains(LookupHash.partition(ofHash: number)) {
            unwanted[number] = classes
        }
        for card in all where partitions.contains(card.id.partition) {
            card.takenLive = card.takenDurable
            card.unknownLive = card.unknownDurable
            card.tellAfter = 0
            card.isParked = false
            card.onWire = 0
        }
    }

    /// The next process begins.
    mutating func recovered(at steady: Int64, _ partitions: Range<PartitionNumber>) {
        for card in all
        where partitions.contains(card.id.partition) && card.onWireAtCrash != 0 && card.submission.messageClass == .otp {
            let young = steady - card.acceptedAt <= codeSeconds * 1_000_000 + 200_000
            // Once allowed is allowed: the crash that met it young.
            card.codeMayRepeat = card.codeMayRepeat || young
        }
    }
}
