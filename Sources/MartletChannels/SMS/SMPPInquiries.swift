public import MartletModel
import NIOCore
import SMPP

/// Questions to the operator about messages that it took, and cancellations: beside the window, in small numbers, and of the pace no more
/// than submits leave, so that none ever waits for one.
extension SMPPConnection {
    /// Most in any one second; eight may be without an answer.
    static let inquiriesPerSecond = 20

    /// A tenth of the operator's rate, and at least one a second.
    static func inquiryLimit(_ settings: SMPPConnectionSettings) -> Int {
        let rates = [settings.messagesPerSecond, settings.partsPerSecond].filter { $0 > 0 }
        return rates.min().map { min(inquiriesPerSecond, max(1, $0 / 10)) } ?? inquiriesPerSecond
    }

    public var inquiryRoom: Int? {
        guard case .bound = status.state, !isHeld, let handler = submitting?.handler else { return nil }
        let steady = now().steady
        guard !inquiryBackoff.isPaused(at: steady) else { return 0 }
        let pace = inquiryPace.room(at: steady, share: inquiryBackoff.share(at: steady))
        return max(0, min(handler.session.asideRoom, pace, throttle.leftover(at: steady) - waiting.parts))
    }

    public func ask(_ batch: [Inquiry]) {
        guard let handler = submitting?.handler else {
            let answers = batch.map { InquiryAnswer($0, .notAsked) }
            return eventLoop.assumeIsolated().execute { self.owner?.asked(answers, by: self) }
        }
        let now = now()
        for one in batch {
            guard let source = source(of: one.from) else {
                handler.answerLater(InquiryAnswer(one, .notAsked))
                continue
            }
            let destination = Address(
                ton: settings.destinationTon, npi: settings.destinationNpi, text: ShortText(digits: one.to.digits))
            inquiryPace.took(1, at: now.steady)
            throttle.took(messages: 1, parts: 1, at: now.steady)
            handler.ask(one, source, destination, at: now.steady)
        }
        handler.flush()
    }
}

/// The inquiries of one bind that have no answer, by the tag that the session gives back.
struct OpenInquiries {
    private var byTag: [Int: Inquiry] = [:]
    private var next = 0
    /// Heard in this read, or known without the operator; told to the owner together.
    var answers: [InquiryAnswer] = []

    mutating func add(_ inquiry: Inquiry) -> Int {
        next += 1
        byTag[next] = inquiry
        return next
    }

    mutating func take(_ tag: Int) -> Inquiry? { byTag.removeValue(forKey: tag) }

    mutating func end(_ tags: [Int], _ result: InquiryAnswer.Result) {
        for tag in tags { if let one = take(tag) { answers.append(InquiryAnswer(one, result)) } }
    }
}

extension SMPPHandler {
    /// Writes one as query_sm or cancel_sm; the caller has seen room.
    func ask(_ inquiry: Inquiry, _ source: Address, _ destination: Address, at steady: Int64) {
        let tag = inquiries.add(inquiry)
        do {
            try writeAside(inquiry, source, destination, tag, at: steady)
        } catch {
            // An id that no message_id can hold: nobody can be asked about it.
            if let one = inquiries.take(tag) { answerLater(InquiryAnswer(one, .notFound)) }
        }
    }

    /// Told at the loop's next turn, never inside of the owner's own call.
    func answerLater(_ answer: InquiryAnswer) {
        inquiries.answers.append(answer)
        context?.eventLoop.assumeIsolated().execute { self.tellInquiries() }
    }

    func heard(_ tag: Int, _ status: CommandStatus, _ frame: Frame, _ link: SMPPLink) {
        guard let one = inquiries.take(tag) else { return }
        let connection = link.connection
        let result = SMPPHandler.result(one.what, status, frame, connection.settings.statuses)
        if case .notNow = result { connection.inquiryBackoff.throttled(at: connection.now().steady) }
        inquiries.answers.append(InquiryAnswer(one, result))
    }

    private static func result(
        _ what: Inquiry.What, _ status: CommandStatus, _ frame: Frame, _ statuses: StatusTable
    ) -> InquiryAnswer.Result {
        if frame.header.command == .genericNack || status == .invalidCommand { return .notKnown(status: status.rawValue) }
        guard status == .ok else {
            // These two are what an SMSC has to say to an inquiry; any other passing refusal is about the SMSC.
            if status == .queryFailed || status == .cancelFailed { return .refused(status: status.rawValue) }
            switch statuses.meaning(of: status) {
            case .throttled, .temporary: return .notNow(status: status.rawValue)
            case .accepted, .permanent: return .refused(status: status.rawValue)
            }
        }
        switch what {
        case .cancel: return .cancelled
        case .query:
            // What cannot be read tells as little as an operator that does not know.
            guard let answer = try? QueryResponse(frame), let state = answer.deliveryState else {
                return .state(.unknown, error: 0, endedAt: 0)
            }
            return .state(ReceiptState(state), error: UInt16(answer.errorCode), endedAt: answer.endedAt?.seconds ?? 0)
        }
    }
}
