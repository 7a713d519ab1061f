/// Where on its way a notification that was not delivered came to its end: one word of a closed list, by which one knows whom to ask.
public enum FailedHop: String, CaseIterable, Sendable {
    /// What came in was told before, came too late, or could not be read back.
    case intake
    /// Not to be sent, for a stated reason.
    case decision
    /// Its text cannot be written, or its text or sender does not fit what the operator takes.
    case render
    /// No connection serves its number.
    case route
    /// No connection that it was to go over took it, or brought an answer.
    case connection
    /// The operator refused it, throttled it away, or took it and said nothing more.
    case `operator`
    /// The operator tried, and the handset did not take it.
    case handset

    public var doc: String {
        switch self {
        case .intake: "The event came twice, or too late to be told; or its text could not be read back: damage on the disk."
        case .decision: "Martlet decided not to send it; the reason says why."
        case .render: "Its text cannot be written, or its text or sender does not fit what the operator takes."
        case .route: "No connection serves the customer's number."
        case .connection: "No connection was bound or had room until its deadline, or it was written to one and no answer came."
        case .operator: "The operator refused it, put it off until it was too late, or took it and never said what became of it."
        case .handset: "The operator tried, and could not deliver it: off, out of reach, no such number."
        }
    }

    /// - Parameters:
    ///   - outcome: code of the last answer that an attempt brought (`Outcome.code`); nil: nothing was handed over.
    ///   - receipt: the last final state that a provider reported; nil: none.
    ///   - decided: the decision that this reason is of; nil: a ready text's has none, or it is not known any more.
    /// - Returns: nil for what has not ended, was delivered, or ended because somebody wished it.
    public static func of(
        _ state: MessageState, _ reason: EndReason, outcome: UInt8?, receipt: ReceiptState?, decided: RecordBody.Decided? = nil
    ) -> FailedHop? {
        switch state {
        case .queued, .submitted, .sent, .delivered, .cancelled, .unknown, .received, .planned: return nil
        case .failed, .expired, .suppressed: break
        }
        switch reason {
        case .refused: return .operator
        case .undeliverable: return receipt == .rejected || receipt == .deleted ? .operator : .handset
        case .notSentInTime, .attemptsUsedUp, .none: return state == .suppressed ? .decision : last(outcome)
        case .noReceipt, .withdrawn: return outcome == Outcome.unknown.code ? .connection : .operator
        case .cancelledBySource, .cancelledByOperator, .customerErased, .notNeeded, .completed: return nil
        case .cannotBeEncoded: return .render
        case .payloadLost: return .intake
        // A later step of its plan may be too late as well: then it was not the intake.
        case .duplicateEvent, .stale: return decided.map { $0.stage == .fresh } ?? true ? .intake : .decision
        case .channelForbidden: return decided.flatMap(obstacle) ?? .decision
        case .optedOut, .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .addressSuppressed, .noContact,
            .capReached, .heldPastDeadline, .superseded, .abuseGuard, .budget, .conditionNotMet:
            return .decision
        }
    }

    /// By the last answer. Before any, or when it was not written, it waited for its connection.
    private static func last(_ outcome: UInt8?) -> FailedHop {
        switch outcome {
        case 1, 2, 3, 4: .operator
        case 7: .render
        default: .connection
        }
    }

    /// What stands against the message of the plan that came furthest; nil: the rules alone do.
    private static func obstacle(_ decided: RecordBody.Decided) -> FailedHop? {
        let skips = decided.messages.compactMap { message -> PlannedMessage.Skip? in
            if case .skipped(let why) = message.when, why != .toldBefore { why } else { nil }
        }
        guard let furthest = skips.max() else { return nil }
        switch furthest {
        case .noRoute: return .route
        case .valueMissing, .emptyText, .noAlphabet, .tooManyParts, .textTooLong: return .render
        case .noTemplate, .notInPackage, .switchedOff, .noConsent, .consentWithdrawn, .suppressed, .noContact, .contactForbidden,
            .contactOptedOut, .contactDead, .notServed, .noKey, .noAddress, .toldBefore:
            return nil
        }
    }
}

extension Story {
    /// The decision that a reason is of, the last of several; nil: none says it.
    public func decision(of reason: EndReason) -> RecordBody.Decided? {
        decisions.last { $0.made.outcome == .suppressed && $0.made.reason.map { EndReason($0) } == reason }?.made
    }
}
