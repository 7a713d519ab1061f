import MartletModel

@testable import MartletEngine

/// A message that somebody writes to the bank, and what its operator knows of it.
final class HandsetMessage {
    let number: Int
    let from: PhoneNumber
    let texts: [String]
    let reference: UInt16
    /// Parts that our side answered for.
    var answered: Set<Int> = []
    var heard = 0
    /// What it answers, as the node would find it.
    var reply: Inbound.Reply? {
        number % 2 == 0 ? nil : .init(id: MessageID(milliseconds: 7, partition: 1, random: UInt64(number)), source: 1)
    }

    init(number: Int, from: PhoneNumber, texts: [String]) {
        self.number = number
        self.from = from
        self.texts = texts
        reference = UInt16(truncatingIfNeeded: number)
    }

    var text: String { texts.joined() }

    func inbound(_ part: Int, _ group: GroupNumber) -> Inbound {
        var made = Inbound(
            group: group, from: String(from.digits), to: "7070", octets: Array(texts[part].utf8), dataCoding: 0,
            part: texts.count == 1
                ? nil : Inbound.Part(kind: .header16, reference: reference, total: UInt8(texts.count), number: UInt8(part + 1)))
        made.reply = reply
        made.owner = .one(subject)
        return made
    }

    /// Whose number it is.
    var subject: SubjectNumber { SubjectNumber(from.digits % 1_000_000_000) + 1 }
    static let packageWord = "drop it"
}

extension World {
    static let inboundRules = InboundRules(
        rules: [
            .init(keyword: "ask", answer: "an answer"), .init(keyword: HandsetMessage.packageWord, package: .init(17, isWanted: false)),
        ], optOut: .init(["stop"]), optIn: .init(["start"]), fallback: 1,
        partsWait: 900_000_000)

    func write() {
        let number = handsets.count
        let from = PhoneNumber(digits: UInt64(41) * 1_000_000_000 + UInt64(dice.below(30)))
        let texts: [String] =
            switch dice.below(8) {
            case 0, 1: ["stop"]
            case 2: ["start"]
            case 3: ["ask \(number)"]
            case 4: ["note \(number)"]
            case 5: [HandsetMessage.packageWord]
            default: (1...dice.between(2, 4)).map { "note \(number) part \($0) " }
            }
        let message = HandsetMessage(number: number, from: from, texts: texts)
        handsets.append(message)
        for part in texts.indices { whatever(dice.between(Int64(0), 5_000_000)) { $0.bring(message, part) } }
    }

    /// The operator brings a part to some bind until it is answered for; sometimes once more. The loop of that bind gives it to the one
    /// that owns the number.
    func bring(_ message: HandsetMessage, _ part: Int, _ tries: Int = 100) {
        guard tries > 0 else { return }
        let bound = loops.compactMap { loop in loop.running ? loop.links.first { $0.bound } : nil }
        let owner = loop(of: message.from)
        guard !bound.isEmpty, owner.running else {
            return whatever(1_000_000) { $0.bring(message, part, tries - 1) }
        }
        let link = bound.count == 1 ? bound[0] : dice.pick(bound)
        if !owner.links.contains(where: { $0 === link }) { inboundHandedOver += 1 }
        owner.enter { $0.receive(message, part, link.group) }
        if dice.chance(10) { whatever(2_000_000) { $0.bring(message, part) } }
    }

    /// Whatever was answered for has reached its source, and a word on a package is in the log.
    func checkHandsets() {
        for message in handsets where message.answered.count == message.texts.count {
            if message.text == HandsetMessage.packageWord {
                checker.check(checker.saidOf.contains(message.subject), "a word on a package was answered for and is not in the log")
            }
            checker.check(message.heard > 0, "message \(message.number) from a handset was answered for and never told: \(message.text)")
        }
    }
}

extension WorldLoop {
    fileprivate func receive(_ message: HandsetMessage, _ part: Int, _ group: GroupNumber) {
        turn.begin(instant)
        engine.receive([message.inbound(part, group)], random: { dice.next() }, &turn)
        for index in turn.records.indices where turn.records[index].record.header.kind == .accepted { note(answer: index) }
        append(nil, [])
        open.append(.inbound(message, part))
        kick()
    }

    /// Our own answer by rule is a message like any other.
    private func note(answer index: Int) {
        let header = turn.records[index].record.header
        guard case .payload(let range) = turn.records[index].sealed,
            let payload = turn.payloads[range].withUnsafeBytes({ try? Payload(reading: $0) })
        else { return checker.fault("an answer without a payload") }
        let submission = Submission(
            source: header.source, messageClass: .service, to: payload.to, from: payload.from, text: payload.text, receivedAt: instant)
        checker.cards[header.id] = Card(
            number: checker.cards.count, submission: submission, group: header.group, parts: Int(header.parts), onAir: Int(header.parts),
            id: header.id,
            acceptedAt: steady, deadline: header.deadline)
    }

    func tellInbound(_ item: Engine.Owed, _ teller: WorldTeller, _ payload: Payload?) {
        checker.check(teller.source == 1, "a message from a handset went to the wrong source")
        guard let payload else { return checker.fault("a message from a handset cannot be read back") }
        let matching = world.handsets.filter { $0.text == payload.text && $0.from == payload.to }
        if matching.isEmpty {
            // After a restart a part may come again to a message that is whole already.
            checker.check(payload.text.contains("[...]") && world.restarts > 0, "nobody wrote '\(payload.text)'")
        }
        // Parts that a restart put back have forgotten it, until the last one comes.
        let isWhole = matching.contains { ($0.reply?.id ?? .none) == payload.inReplyTo || $0.texts.count > 1 && world.restarts > 0 }
        checker.check(matching.isEmpty || isWhole, "'\(payload.text)' is told as the reply to another message")
        telling[teller.source, default: 0] += 1
        let outcome: NoticeOutcome = !calming && dice.chance(teller.lossPercent) ? .notHeard : .heard
        after(dice.between(Int64(100), 400_000)) { loop in
            loop.telling[teller.source, default: 0] -= 1
            if outcome == .heard { for message in matching { message.heard += 1 } }
            loop.turn.begin(loop.instant)
            loop.engine.told([(item.slot, outcome)], teller: "t\(teller.source)", &loop.turn)
            loop.append(nil, [])
            loop.tellAll()
        }
    }

    /// In the order of their records.
    static func optOuts(_ engine: borrowing Engine) -> [[UInt64]] {
        engine.optOuts.placed.map { [$0.number, UInt64($0.unwanted.rawValue), UInt64($0.segment)] }
    }

    /// Every opt-out that was heard is kept, whatever was trimmed, in the order in which it is carried forward.
    func checkOptOuts(_ when: String) {
        let kept = WorldLoop.optOuts(engine)
        let wanted = checker.unwanted.filter { !$0.value.isEmpty && partitions.contains(LookupHash.partition(ofHash: $0.key)) }
        checker.check(
            kept.count == wanted.count && kept.allSatisfy { wanted[$0[0]].map { UInt64($0.rawValue) } == $0[1] },
            "\(when): \(wanted.count) numbers opted out, \(kept.count) are kept")
        checker.check(zip(kept, kept.dropFirst()).allSatisfy { $0[2] <= $1[2] }, "\(when): opt-outs are out of order")
    }

    /// Records that parts and preferences hold their segments with.
    var inboundPlaces: Int {
        let waiting = engine.parts.waiting.values.reduce(0) { $0 + $1.parts.reduce(0) { $0 + ($1.position == 0 ? 0 : 1) } }
        let found = engine.parts.found.values.reduce(0) { $0 + $1.count }
        return waiting + found + engine.optOuts.placed.count
    }
}
