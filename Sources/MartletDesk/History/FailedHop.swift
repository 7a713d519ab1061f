import MartletModel

/// Where on its way a message that was not delivered came to its end: one word of a closed list, by which an operator knows whom to ask.
public enum FailedHop: String, CaseIterable, Sendable {
    /// Taken in, and not to be read back.
    case intake
    /// Not to be sent, for a stated reason.
    case decision
    /// Its text or sender does not fit what the operator takes.
    case render
    /// It waited for a way out, and no connection of its group took it.
    case route
    /// Handed to a connection that brought no answer.
    case connection
    /// The operator refused it, throttled it away, or took it and said nothing more.
    case `operator`
    /// The operator tried, and the handset did not take it.
    case handset

    public var doc: String {
        switch self {
        case .intake: "It was taken in, and its text could not be read back: damage on the disk."
        case .decision: "Martlet decided not to send it; the reason says why."
        case .render: "Its text or sender does not fit what the operator takes."
        case .route: "It waited for its way out until its deadline: no connection of its group had room, or none was there."
        case .connection: "It was written to a connection, and no answer came."
        case .operator: "The operator refused it, put it off until it was too late, or took it and never said what became of it."
        case .handset: "The operator tried, and could not deliver it: off, out of reach, no such number."
        }
    }

    /// - Parameters:
    ///   - outcome: code of the last answer that an attempt brought (`Outcome.code`); nil: nothing was handed over.
    ///   - receipt: the last final state that a provider reported; nil: none.
    /// - Returns: nil for what has not ended, was delivered, or ended because somebody wished it.
    static func of(_ state: MessageState, _ reason: EndReason, outcome: UInt8?, receipt: ReceiptState?) -> FailedHop? {
        switch state {
        case .queued, .submitted, .sent, .delivered, .cancelled, .unknown, .received, .planned: return nil
        case .suppressed: return .decision
        case .failed, .expired: break
        }
        switch reason {
        case .refused: return .operator
        case .undeliverable: return receipt == .rejected || receipt == .deleted ? .operator : .handset
        case .notSentInTime, .attemptsUsedUp, .none: return last(outcome)
        case .noReceipt, .withdrawn: return outcome == 5 ? .connection : .operator
        case .cancelledBySource, .cancelledByOperator, .customerErased, .notNeeded, .completed: return nil
        case .cannotBeEncoded: return .render
        case .payloadLost: return .intake
        case .optedOut, .unknownCustomer, .unpublished, .notInPackage, .belowThreshold, .noConsent, .addressSuppressed, .noContact,
            .channelForbidden, .capReached, .heldPastDeadline, .stale, .duplicateEvent, .superseded, .abuseGuard, .budget,
            .conditionNotMet:
            return .decision
        }
    }

    /// By the last answer: 2 throttled, 3 deferred, 4 refused are the operator's; 5 unknown is no answer; 7 does not fit.
    private static func last(_ outcome: UInt8?) -> FailedHop {
        switch outcome {
        case 1, 2, 3, 4: .operator
        case 5: .connection
        case 7: .render
        default: .route
        }
    }
}
