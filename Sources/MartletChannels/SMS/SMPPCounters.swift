public import MartletModel

/// What one connection counted since it was made; never goes back.
public struct SMPPCounters: Equatable, Sendable {
    public var messages = 0
    /// submit_sm written.
    public var parts = 0
    public var answers = 0
    /// Parts whose answer did not come in time or was lost with the bind.
    public var answersMissing = 0
    /// Answers to nothing that is open: late or doubled.
    public var answersUnknown = 0
    public var answersUnreadable = 0
    public var throttled = 0
    public var receipts = 0
    /// Receipts answered with "later" because their records could not be made durable.
    public var receiptsDeferred = 0
    public var receiptsUnreadable = 0
    /// Messages from handsets, or parts of them.
    public var inbound = 0
    /// Those answered with "later" because their records could not be made durable.
    public var inboundDeferred = 0
    /// query_sm and cancel_sm that came to their end, by an answer or without one.
    public var inquiries = 0
    /// Requests of the peer that an ESME does not serve.
    public var requestsRefused = 0
    public var binds = 0
    public var bindsLost = 0

    public init() {}

    /// The metrics made of these, by field; each with label `connection`.
    public static let metrics: [(metric: Metric, value: @Sendable (SMPPCounters) -> Int)] = [
        (counter("messages", "Messages begun on a connection."), { $0.messages }),
        (counter("parts", "Parts written as submit_sm."), { $0.parts }),
        (counter("answers", "Answers to submit_sm."), { $0.answers }),
        (counter("answers_missing", "Parts without an answer: timed out, or lost with the bind."), { $0.answersMissing }),
        (counter("answers_unknown", "Answers to nothing that was open: late or doubled."), { $0.answersUnknown }),
        (counter("answers_unreadable", "Answers that could not be read."), { $0.answersUnreadable }),
        (counter("throttled", "Answers that asked for less speed."), { $0.throttled }),
        (counter("receipts", "Receipts heard."), { $0.receipts }),
        (counter("receipts_deferred", "Receipts the operator was asked to keep, since the journal could not."), { $0.receiptsDeferred }),
        (counter("receipts_unreadable", "Receipts without a message id or a state."), { $0.receiptsUnreadable }),
        (counter("inbound", "Messages from handsets, each part counted."), { $0.inbound }),
        (
            counter("inbound_deferred", "Messages from handsets the operator was asked to keep, since the journal could not."),
            { $0.inboundDeferred }
        ),
        (counter("inquiries", "query_sm and cancel_sm that were answered, or stayed without an answer."), { $0.inquiries }),
        (counter("requests_refused", "Requests of the operator that are not served."), { $0.requestsRefused }),
        (counter("binds", "Binds made."), { $0.binds }),
        (counter("binds_lost", "Binds lost."), { $0.bindsLost }),
    ]

    private static func counter(_ name: String, _ doc: String) -> Metric {
        Metric("martlet_smpp_\(name)_total", .counter, labels: ["connection"], doc: doc)
    }
}
