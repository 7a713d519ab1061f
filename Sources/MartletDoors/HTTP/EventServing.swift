import MartletModel
import NIOCore

/// `POST /v1/events` and `:explain`; batches of events stand with those of messages.
extension HTTPConnection {
    func submit(event body: ByteBuffer?, from source: AuthenticatedSource, key: String?, _ trace: TraceContext?) {
        let body = body ?? ByteBuffer()
        switch read(event: body, source, trace, door.intake.now()) {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
        case .event(var event, _, _):
            event.tells = door.tells(of: source.number)
            event.idempotency = Idempotency(key, .event, line: 0, body: body)
            let number = open(Place(answer: nil, headOnly: false))
            // How many messages it becomes may be decided later, and none is an answer too: so nothing of it is said.
            door.intake.submit(event: event) { self.answer(number, $0, hasParts: false) }
        }
    }

    func explain(_ body: ByteBuffer?, _ source: AuthenticatedSource, _ trace: TraceContext?) {
        switch read(event: body ?? ByteBuffer(), source, trace, door.intake.now(), explains: true) {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
        case .event(let event, let wish, _):
            let number = open(Place(answer: nil, headOnly: false))
            door.intake.explain(event, at: wish.at, release: wish.release) { result in
                switch result {
                case .success(let explanation): self.answer(number, .document(explanation.document(for: source.number)))
                case .failure(let fault): self.answer(number, .problem(HTTPProblem(fault)))
                }
            }
        }
    }

    /// One event, of a request or a line of a batch.
    func read(
        event body: ByteBuffer, _ source: AuthenticatedSource, _ trace: TraceContext?, _ now: Instant, explains: Bool = false
    ) -> EventReading {
        let reading = EventReading.read(
            body, of: door.intake.catalogue, source: source, cards: door.cardNumbers, trace: trace, now: now, explains: explains)
        switch reading {
        case .event(_, _, let masked): door.counters.cardsMasked &+= masked
        case .problem(let problem): door.counters.cardsRefused &+= problem.errors.count { $0.code == HTTPErrors.cardNumber }
        }
        return reading
    }
}

extension HTTPProblem {
    /// Why nothing is explained, as the caller gets it.
    init(_ fault: ExplanationFault) {
        switch fault {
        case .noRulebook: self.init(Refusal.noRulebook(retryAfterSeconds: 5))
        case .stopping: self.init(Refusal.stopping)
        case .unreadableCustomer: self.init(HTTPErrors.customerUnreadable, retryAfterSeconds: 5)
        case .noRelease:
            let error = FieldError(path: "/release", code: HTTPErrors.unknownRelease, message: "is none that this server has")
            self.init(HTTPErrors.invalidEvent, errors: [error])
        case .noEvent:
            let error = FieldError(path: "/definition", code: HTTPErrors.unknownDefinition, message: "is no event of that release")
            self.init(HTTPErrors.invalidEvent, errors: [error])
        }
    }
}
