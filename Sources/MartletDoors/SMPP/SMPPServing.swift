import MartletModel
import NIOCore
import SMPP
import SMSText

/// What a bound client asks for: read, handed to the intake, and answered in whatever order that answers.
extension SMPPServerConnection {
    func submit(_ frame: Frame, _ sequence: UInt32, _ command: Command) {
        guard let account, let source = source(of: account) else { return refuse(command, sequence, .systemError) }
        let view: MessageView
        do {
            view = try MessageView(frame)
        } catch {
            return refuse(command, sequence, error.status)
        }
        let now = door.intake.now()
        switch door.read(view, frame, account, source, now) {
        case .refused(let status): refuse(command, sequence, status)
        case .cardNumber: refuse(command, sequence, .submitFailed)
        case .submission(let submission, _):
            guard account.takes(parts: submission.partsWanted, at: now.steady) else { return refuse(command, sequence, .throttled) }
            door.intake.submit(submission) { [self] acceptance in
                switch acceptance {
                case .accepted(let id, _), .repeated(let id, _): accept(command, sequence, id)
                case .refused(let refusal): refuse(command, sequence, refusal.status)
                }
                answeredLater()
            }
        }
    }

    /// Whom the account sends as; nil when nothing may be sent now: its rights may have changed since the bind.
    private func source(of account: SMPPAccountBinds) -> Source? {
        guard !isDraining, let source = door.sources.source(numbered: account.source), source.scopes.contains(.send) else { return nil }
        return source
    }

    private func accept(_ command: Command, _ sequence: UInt32, _ id: MessageID) {
        let text = id.text
        do {
            let isAnswered =
                if command == .data {
                    try session.answerData(sequence: sequence, DataAnswer(messageID: text), out: &out)
                } else {
                    try session.answerSubmit(sequence: sequence, messageID: text, out: &out)
                }
            if isAnswered { door.counters.submits += 1 }
        } catch {
            // Cannot be: 32 digits fit the field.
            refuse(command, sequence, .systemError)
        }
    }

    /// One message for each destination, taken or refused by itself; distribution lists are not kept here.
    func submitMulti(_ frame: Frame, _ sequence: UInt32) {
        guard let account, let source = source(of: account) else { return refuse(.submitMulti, sequence, .systemError) }
        let view: MultiView
        do {
            view = try MultiView(frame)
        } catch {
            return refuse(.submitMulti, sequence, error.status)
        }
        let now = door.intake.now()
        var wanted: [(address: Address, reading: SubmitReading)] = []
        var hasList = false
        view.destinations.each(in: frame) { entry in
            switch entry {
            case .address(let field):
                wanted.append((frame.address(field), door.read(view.message, frame, to: frame[field.text], account, source, now)))
            case .list: hasList = true
            }
        }
        guard !hasList else { return refuse(.submitMulti, sequence, .invalidListName) }
        let answer = MultiSubmission(count: wanted.count) { [self] id, refused in
            accept(sequence, id, refused)
            answeredLater()
        }
        for (place, (address, reading)) in wanted.enumerated() {
            switch reading {
            case .refused(let status): answer.refused(address, status)
            case .cardNumber: answer.refused(address, .submitFailed)
            case .submission(let submission, _):
                guard account.takes(parts: submission.partsWanted, at: now.steady) else {
                    answer.refused(address, .throttled)
                    continue
                }
                door.intake.submit(submission) { acceptance in
                    switch acceptance {
                    case .accepted(let id, _), .repeated(let id, _): answer.accepted(id, place)
                    case .refused(let refusal): answer.refused(address, refusal.status)
                    }
                }
            }
        }
    }

    private func accept(_ multi: UInt32, _ id: MessageID?, _ refused: [MultiAnswer.Refused]) {
        guard let id else { return refuse(.submitMulti, multi, refused.first?.status ?? .submitFailed) }
        do {
            if try session.answerMulti(sequence: multi, MultiAnswer(messageID: id.text, refused: refused), out: &out) {
                door.counters.submits += 1
            }
        } catch {
            refuse(.submitMulti, multi, .systemError)
        }
    }

    func tell(_ query: Query, _ sequence: UInt32) {
        guard let account, let id = MessageID(text: query.messageID) else { return refuse(.query, sequence, .invalidMessageID) }
        // As over HTTP: what became of messages is told to those who may read.
        guard door.sources.source(numbered: account.source)?.scopes.contains(.read) ?? false else {
            return refuse(.query, sequence, .queryFailed)
        }
        door.intake.story(of: id, source: account.source) { [self] result in
            switch result {
            case .success(.some(let story)) where story.source == account.source:
                let state = ReceiptWriting.state(story.state, story.reason)
                let end = story.state.isEnd ? AbsoluteTime(seconds: story.updatedAt / 1_000_000) : nil
                do {
                    try session.answerQuery(
                        sequence: sequence, QueryResponse(messageID: query.messageID, finalDate: end, state: state), out: &out)
                } catch {
                    refuse(.query, sequence, .queryFailed)
                }
            case .success: refuse(.query, sequence, .invalidMessageID)
            case .failure: refuse(.query, sequence, .queryFailed)
            }
            answeredLater()
        }
    }

    func cancel(_ cancel: Cancel, _ sequence: UInt32) {
        // Only by its id: to cancel everything between two addresses is nobody's wish by accident.
        guard let account, let id = MessageID(text: cancel.messageID) else { return refuse(.cancel, sequence, .invalidMessageID) }
        guard source(of: account) != nil else { return refuse(.cancel, sequence, .cancelFailed) }
        door.intake.cancel(id, source: account.source) { [self] verdict in
            switch verdict {
            case .cancelled: session.answerCancel(sequence: sequence, out: &out)
            case .notFound: refuse(.cancel, sequence, .invalidMessageID)
            case .tooLate, .suppressed, .storage: refuse(.cancel, sequence, .cancelFailed)
            }
            answeredLater()
        }
    }

    func replace(_ replace: Replace, _ sequence: UInt32) {
        guard let account, let id = MessageID(text: replace.messageID) else { return refuse(.replace, sequence, .invalidMessageID) }
        guard source(of: account) != nil else { return refuse(.replace, sequence, .replaceFailed) }
        switch ReplaceReading.read(replace, account.settings, cards: door.cardNumbers, now: door.intake.now()) {
        case .failure(let fault):
            if fault.isCard { door.counters.cardsRefused += 1 }
            refuse(.replace, sequence, fault.status)
        case .success((let change, let isMasked)):
            if isMasked { door.counters.cardsMasked += 1 }
            door.intake.replace(id, source: account.source, with: change) { [self] verdict in
                switch verdict {
                case .replaced: session.answerReplace(sequence: sequence, out: &out)
                case .notFound: refuse(.replace, sequence, .invalidMessageID)
                case .tooManyParts: refuse(.replace, sequence, .invalidMessageLength)
                case .tooLate, .storage, .noAlphabet: refuse(.replace, sequence, .replaceFailed)
                }
                answeredLater()
            }
        }
    }

    private func refuse(_ command: Command, _ sequence: UInt32, _ status: CommandStatus) {
        if session.refuse(command, sequence: sequence, status, out: &out) { note(status) }
    }

    func note(_ status: CommandStatus) {
        door.counters.refused[status.name ?? "vendor", default: 0] += 1
    }

    /// After the batch of answers that the core is giving out.
    func answeredLater() {
        if !isReading { flushSoon() }
    }
}
