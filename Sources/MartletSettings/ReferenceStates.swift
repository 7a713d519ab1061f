public import MartletModel

// `docs/reference/reasons.md`: the closed lists that answers, traces and records speak in.

extension Reference {
    /// One change of state that the core makes, and what makes it.
    public struct Transition: Sendable {
        public var from: MessageState
        public var to: MessageState
        public var cause: String

        public init(_ from: MessageState, _ to: MessageState, _ cause: String) {
            self.from = from
            self.to = to
            self.cause = cause
        }
    }

    /// - Parameter transitions: the state table of the core; a pair that is not in it is drawn as impossible.
    public static func reasons(transitions: [Transition]) -> String {
        var page = """
            # States and reasons

            \(generated)
            The raw values are in records and never change their meaning.

            ## States of a message


            """
        page += table(
            ["State", "Raw", "End", "Notification", "Meaning"],
            MessageState.allCases.map {
                [code($0.word), "\($0.rawValue)", $0.isEnd ? "yes" : "no", code($0.notificationWord), meaning($0)]
            })
        page +=
            "\n## State table\n\nFrom the state on the left to the state above. A late contradiction is kept beside the end and never undoes it.\n\n"
        page += table(
            ["From \\ to"] + MessageState.allCases.map { code($0.word) },
            MessageState.allCases.map { from in
                [code(from.word)]
                    + MessageState.allCases.map { to in
                        transitions.contains { $0.from == from && $0.to == to } ? "yes" : (from == to ? "" : "-")
                    }
            })
        if !transitions.isEmpty {
            page += "\n" + table(["From", "To", "When"], transitions.map { [code($0.from.word), code($0.to.word), $0.cause] })
        }
        page += "\n## Reasons of an end\n\n"
        page += table(
            ["Reason", "Raw", "Meaning"],
            EndReason.allCases.map { [$0.word.isEmpty ? "(none)" : code($0.word), "\($0.rawValue)", $0.doc] })
        page += "\n## Reasons of a decision not to tell\n\nOf events. As reasons of an end they have 32 more, but for `opted_out`.\n\n"
        page += table(["Reason", "Raw", "Meaning"], SuppressionReason.allCases.map { [code($0.word), "\($0.rawValue)", $0.doc] })
        page +=
            "\n## Classes\n\nNo answer: what follows when the bytes were written and no answer was heard. What is sent again is flagged a possible duplicate.\n\n"
        page += table(
            [
                "Class", "Raw", "Lane", "Validity", "No answer, or bind lost", "Handed over when the process died", "No final receipt",
                "Past its deadline",
            ],
            MessageClass.allCases.map {
                [
                    code($0.word), "\($0.rawValue)", code($0.lane.word), Unit.duration($0.validity * 1000), meaning($0.afterUnknown),
                    meaning($0.afterCrash),
                    $0.askAfter.map { "asked about after \(Unit.duration($0 * 1000)), where the operator may be" } ?? "not asked about",
                    $0.cancelsLate ? "taken back from the operator that has it" : "left to the operator",
                ]
            })
        page += "\n## States of a receipt\n\nAs providers report them (SMPP 3.4, section 5.2.28).\n\n"
        page += table(
            ["Receipt", "Raw", "Final", "Meaning"],
            ReceiptState.allCases.map { [code($0.word), "\($0.rawValue)", $0.isFinal ? "yes" : "no", meaning($0)] })
        return page
    }

    private static func meaning(_ state: MessageState) -> String {
        switch state {
        case .queued: "Accepted and durable; waits for its turn on a connection."
        case .submitted: "Its bytes were written to the provider; the answer is open."
        case .sent: "The provider accepted every part."
        case .delivered: "Receipts say that every part reached the handset."
        case .failed: "It will not arrive; the reason says why."
        case .expired: "Its deadline passed first."
        case .cancelled: "Taken back before it was handed over, or by the provider at its source's wish."
        case .unknown: "Written, but no answer was heard; neither failed nor sent."
        case .suppressed: "Accepted and not to be sent; the reason says why."
        case .received: "A message from a handset; its source is told of it."
        case .planned: "Nothing of it is on its way: it is held until a customer may be told, or a later step of its plan is due."
        }
    }

    private static func meaning(_ after: AfterUnknown) -> String {
        switch after {
        case .sendAgainAtOnce: "sent again at once, by any connection of the group that has room"
        case .sendAgainOnce: "sent again once"
        case .waitThenSendAgain(let seconds): "waits \(seconds) s for a receipt, then sent again once"
        case .leave: "never by itself"
        }
    }

    private static func meaning(_ after: AfterCrash) -> String {
        switch after {
        case .sendAgain: "sent again"
        case .sendAgainIfYounger(let seconds): "sent again when younger than \(seconds) s"
        }
    }

    private static func meaning(_ state: ReceiptState) -> String {
        switch state {
        case .enroute: "On its way."
        case .delivered: "Reached the handset."
        case .expired: "The provider gave up at its deadline."
        case .deleted: "The provider deleted it."
        case .undeliverable: "Cannot be delivered."
        case .accepted: "Read by the provider's customer service on behalf of the subscriber."
        case .unknown: "The provider does not know."
        case .rejected: "The provider rejected it."
        }
    }
}
