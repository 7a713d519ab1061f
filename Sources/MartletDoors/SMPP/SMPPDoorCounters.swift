public import MartletModel

/// What the SMPP door counted since the start.
public struct SMPPDoorCounters: Sendable {
    public var connections = 0
    public var connectionsOpen = 0
    public var connectionsRefused = 0
    public var binds = 0
    public var bindsRefused = 0
    public var submits = 0
    /// Requests refused, by the name of the status.
    public var refused: [String: Int] = [:]
    public var receiptsHeard = 0
    public var receiptsUnheard = 0
    public var receiptsRefused = 0
    /// Texts with a card number.
    public var cardsMasked = 0
    public var cardsRefused = 0

    static let connectionsTotal = Metric("martlet_smpp_server_connections_total", .counter, doc: "Connections of sender systems.")
    static let open = Metric("martlet_smpp_server_connections", .gauge, doc: "Connections of sender systems open now.")
    static let turnedAway = Metric(
        "martlet_smpp_server_connections_refused_total", .counter,
        doc: "Connections closed at once since `smpp.maximumConnections` were open.")
    static let bindsTotal = Metric("martlet_smpp_server_binds_total", .counter, labels: ["outcome"], doc: "Binds of sender systems.")
    static let submitsTotal = Metric(
        "martlet_smpp_server_submits_total", .counter, doc: "Messages of sender systems answered with an id.")
    static let refusedTotal = Metric(
        "martlet_smpp_server_refused_total", .counter, labels: ["status"], doc: "Requests of sender systems that were refused.")
    static let receiptsTotal = Metric(
        "martlet_smpp_server_receipts_total", .counter, labels: ["outcome"], doc: "Receipts given to sender systems.")
    static let cards = Metric(
        "martlet_smpp_server_card_numbers_total", .counter, labels: ["action"],
        doc: "Texts with a card number, by what was done: `masked` or `refused`.")
    public static let all: [Metric] = [
        connectionsTotal, open, turnedAway, bindsTotal, submitsTotal, refusedTotal, receiptsTotal, cards,
    ]

    /// One value each, in a stable order: metric, value of its label if it has one, value.
    public var samples: [(metric: Metric, label: String?, value: Int)] {
        typealias Own = SMPPDoorCounters
        var all: [(metric: Metric, label: String?, value: Int)] = [
            (Own.connectionsTotal, nil, connections), (Own.open, nil, connectionsOpen), (Own.turnedAway, nil, connectionsRefused),
            (Own.bindsTotal, "bound", binds), (Own.bindsTotal, "refused", bindsRefused), (Own.submitsTotal, nil, submits),
        ]
        all += refused.sorted { $0.key < $1.key }.map { (Own.refusedTotal, $0.key, $0.value) }
        all += [
            (Own.receiptsTotal, "heard", receiptsHeard), (Own.receiptsTotal, "not_heard", receiptsUnheard),
            (Own.receiptsTotal, "refused", receiptsRefused), (Own.cards, "masked", cardsMasked), (Own.cards, "refused", cardsRefused),
        ]
        return all
    }
}
