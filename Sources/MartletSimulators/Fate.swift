/// What happens to one submit. A pure function of the behaviour, the seed and the submit's ordinal since the last reset; the limit
/// per second and the window depend on time and are decided by the SMSC before it asks for a fate.
public struct Fate: Sendable, Equatable {
    public enum Verdict: Sendable, Equatable {
        case take
        /// Answered with this command_status.
        case refuse(status: UInt32)
    }

    public var verdict: Verdict
    /// How often the submit is answered: 0, 1 or 2.
    public var answers: UInt8
    public var answerAfterMs: UInt32
    /// What the receipt would say; nil: it is lost or there are none.
    public var receipt: Receipt?

    public struct Receipt: Sendable, Equatable {
        public var state: ReceiptState
        /// After the answer; from the submit itself when it comes before the answer.
        public var afterMs: UInt32
        public var beforeAnswer: Bool
        public var copies: UInt8
        /// Names an id that was never given.
        public var unknownId: Bool
    }

    /// The fate of a submit that meets no mischief: answered at once, DELIVRD at once.
    static let plain = Fate(
        verdict: .take, answers: 1, answerAfterMs: 0,
        receipt: Receipt(state: .delivered, afterMs: 0, beforeAnswer: false, copies: 1, unknownId: false))

    public static func of(submit ordinal: UInt64, seed: UInt64, under behaviour: Behaviour) -> Fate {
        var random = SeededRandom(seed: seed, ordinal: ordinal)
        // Every draw is made for every submit, so that switching one mischief on does not move another.
        let throttled = random.percent() < behaviour.throttlePercent
        let refused = random.percent() < behaviour.refusePercent
        let unanswered = random.percent() < behaviour.lostAnswerPercent
        let twice = random.percent() < behaviour.answerTwicePercent
        let delay = behaviour.delayMs &+ random.upTo(behaviour.jitterMs)
        let lost = random.percent() < behaviour.lostReceiptPercent
        let early = random.percent() < behaviour.receiptBeforeAnswerPercent
        let doubled = random.percent() < behaviour.duplicateReceiptPercent
        let stranger = random.percent() < behaviour.unknownReceiptPercent
        let state = behaviour.receiptStatus.state(at: random.percent())
        let after = behaviour.receiptAfterMs &+ random.upTo(behaviour.receiptJitterMs)

        if throttled { return Fate(verdict: .refuse(status: Status.throttled), answers: 1, answerAfterMs: delay, receipt: nil) }
        if refused { return Fate(verdict: .refuse(status: behaviour.refuseStatus), answers: 1, answerAfterMs: delay, receipt: nil) }
        let receipt =
            behaviour.receipts && !lost
            ? Receipt(
                state: state, afterMs: early ? 0 : after, beforeAnswer: early, copies: doubled ? 2 : 1, unknownId: stranger)
            : nil
        return Fate(
            verdict: .take, answers: behaviour.silent || unanswered ? 0 : twice ? 2 : 1, answerAfterMs: delay, receipt: receipt)
    }
}

extension Behaviour {
    /// True when every submit has `Fate.plain` up to whether receipts come: the road without draws.
    var isPlain: Bool {
        var same = Behaviour()
        same.tps = tps
        same.receipts = receipts
        same.answerIdForm = answerIdForm
        same.receiptIdForm = receiptIdForm
        same.receiptTlvs = receiptTlvs
        same.dropBindAfter = dropBindAfter
        same.refuseStatus = refuseStatus
        same.offExpireMs = offExpireMs
        (same.query, same.cancel, same.inquiryDelayMs) = (query, cancel, inquiryDelayMs)
        same.exactIds = exactIds
        same.disconnect = disconnect
        return same == self
    }
}
