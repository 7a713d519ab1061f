import MartletModel
import NIOCore

/// What a whole request asks of the core, by its route; batches stand in `HTTPBatchServing.swift`.
extension HTTPConnection {
    func begin(_ request: Request) {
        if request.isGoOn {
            open(Place(answer: .goOn, headOnly: false))
            return
        }
        if let problem = request.problem {
            open(Place(answer: .problem(problem), headOnly: request.headOnly))
            return
        }
        if let batch = request.batch { return begin(batch) }
        guard let source = request.source else { preconditionFailure("a request without problem has its source") }
        switch request.route {
        case .submit: submit(request.body, from: source, key: request.idempotencyKey, request.trace)
        case .search: search(request.body, source)
        case .event: submit(event: request.body, from: source, key: request.idempotencyKey, request.trace)
        case .explain: explain(request.body, source, request.trace)
        case .state(let id): tell(id, source) { HTTPAnswer.document($0.stateDocument(self.door.intake.catalogue)) }
        case .trace(let id): tell(id, source) { HTTPAnswer.document($0.traceDocument(self.door.intake.catalogue)) }
        case .cancel(let id): cancel(id, request.body, source)
        case .replay: replay(request.body, source)
        case .batch, .events: preconditionFailure("a batch is begun by its head")
        case .unknownMessage, .nowhere: preconditionFailure("a path that leads nowhere has a problem")
        }
    }

    func submit(_ body: ByteBuffer?, from source: AuthenticatedSource, key: String?, _ trace: TraceContext?) {
        let now = door.intake.now()
        switch read(body ?? ByteBuffer(), source, trace, now) {
        case .problem(let problem):
            open(Place(answer: .problem(problem), headOnly: false))
        case .submission(var submission, _):
            submission.tells = door.tells(of: source.number)
            let number = open(Place(answer: nil, headOnly: false))
            door.intake.submit(submission.keyed(key, .submit, body: body ?? ByteBuffer())) { acceptance in
                self.answer(number, acceptance, hasParts: true)
            }
        }
    }

    /// - Parameter hasParts: whether the answer says how many SMS it became, as far as it was taken.
    func answer(_ number: UInt64, _ acceptance: Acceptance, hasParts: Bool) {
        switch acceptance {
        case .accepted(let id, let parts): answer(number, .accepted(id, parts: hasParts ? parts : nil))
        case .repeated(let id, let parts): answer(number, .repeated(id, parts: hasParts ? parts : nil))
        case .refused(let refusal):
            if refusal == .stopping { stopTaking() }
            answer(number, .problem(HTTPProblem(refusal)))
        }
    }

    /// One message, of a request or a line of a batch.
    func read(_ body: ByteBuffer, _ source: AuthenticatedSource, _ trace: TraceContext?, _ now: Instant) -> MessageReading {
        let reading = MessageReading.read(body, source: source, cards: door.cardNumbers, trace: trace, now: now)
        switch reading.cards {
        case .clean: break
        case .masked: door.counters.cardsMasked &+= 1
        case .refused: door.counters.cardsRefused &+= 1
        }
        return reading
    }

    func tell(_ id: MessageID, _ source: AuthenticatedSource, as form: @escaping (Story) -> HTTPAnswer) {
        let number = open(Place(answer: nil, headOnly: false))
        let owner = source.number
        door.intake.story(of: id, source: owner) { result in
            switch result {
            case .success(.some(let story)) where story.source == owner: self.answer(number, form(story))
            case .success: self.answer(number, .problem(HTTPProblem(HTTPErrors.notFound)))
            case .failure: self.answer(number, .problem(HTTPProblem(HTTPErrors.storyUnreadable, retryAfterSeconds: 5)))
            }
        }
    }

    func cancel(_ id: MessageID, _ body: ByteBuffer?, _ source: AuthenticatedSource) {
        if let body, let problem = MessageReading.nothing(in: body) {
            open(Place(answer: .problem(problem), headOnly: false))
            return
        }
        let number = open(Place(answer: nil, headOnly: false))
        door.intake.cancel(id, source: source.number) { cancellation in
            switch cancellation {
            case .cancelled: self.answer(number, .document(id.cancelledDocument))
            case .tooLate: self.answer(number, .problem(HTTPProblem(HTTPErrors.alreadyHandedOver)))
            case .suppressed: self.answer(number, .problem(HTTPProblem(HTTPErrors.alreadySuppressed)))
            case .notFound: self.answer(number, .problem(HTTPProblem(HTTPErrors.notFound)))
            case .storage: self.answer(number, .problem(HTTPProblem(HTTPErrors.storageTrouble, retryAfterSeconds: 5)))
            }
        }
    }

    func replay(_ body: ByteBuffer?, _ source: AuthenticatedSource) {
        let number = open(Place(answer: nil, headOnly: false))
        switch CallbackReplay.read(body ?? ByteBuffer()) {
        case .failure(let fault): answer(number, .problem(fault.problem))
        case .success(let since):
            door.intake.tellAgain(source.number, since: since) { count in
                let now = self.door.intake.now().wallMilliseconds
                self.answer(
                    number,
                    count.map { .taken(CallbackReplay.document($0, since: since, now: now)) } ?? .problem(HTTPProblem(Refusal.stopping)))
            }
        }
    }
}
