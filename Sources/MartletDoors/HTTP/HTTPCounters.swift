public import MartletModel

/// What the door counted since it was made.
public struct HTTPCounters: Sendable, Equatable {
    public var connections: Int = 0
    public var connectionsRefused: Int = 0
    public var connectionsOpen = 0
    /// Of all connections, those that spoke HTTP/2.
    public var http2Connections = 0
    /// Answers 202.
    public var accepted: Int = 0
    /// Answers 202 that their idempotency keys had before.
    public var repeated = 0
    /// States, traces, searches, cancellations, replays of callbacks, and what would be decided of events.
    public var told: Int = 0
    /// Every other answer, by the code of its problem.
    public var problems: [String: Int] = [:]
    /// Batches answered to their end; their lines are counted beside the requests.
    public var batches: Int = 0
    public var linesAccepted: Int = 0
    public var linesRepeated = 0
    public var lineProblems: [String: Int] = [:]
    /// Texts with a card number, requests and lines alike.
    public var cardsMasked = 0
    public var cardsRefused = 0

    public init() {}

    mutating func count(_ answer: HTTPAnswer) {
        switch answer {
        case .accepted: accepted &+= 1
        case .repeated: repeated &+= 1
        case .document, .taken: told &+= 1
        case .problem(let problem): problems[problem.code.code, default: 0] &+= 1
        case .goOn: break
        }
    }

    public static let answers = Metric(
        "martlet_http_answers_total", .counter, labels: ["code"],
        doc:
            "Requests answered, by the code of the problem, `accepted` for a message or event, `repeated` for one that its key had before, "
            + "`told` for what was asked, `batch` for a batch.")
    public static let lines = Metric(
        "martlet_http_batch_lines_total", .counter, labels: ["code"],
        doc: "Lines of batches answered, by the code of the problem, `accepted`, or `repeated`.")
    public static let connectionsTotal = Metric("martlet_http_connections_total", .counter, doc: "Connections that came in.")
    public static let refusedTotal = Metric(
        "martlet_http_connections_refused_total", .counter, doc: "Connections closed at once since `http.maximumConnections` were open.")
    public static let http2Total = Metric("martlet_http2_connections_total", .counter, doc: "Connections that spoke HTTP/2.")
    public static let cards = Metric(
        "martlet_http_card_numbers_total", .counter, labels: ["action"],
        doc: "Texts with a card number, by what was done: `masked` or `refused`.")
    public static let open = Metric("martlet_http_connections", .gauge, doc: "Connections open now.")
    public static let all: [Metric] = [answers, lines, connectionsTotal, refusedTotal, http2Total, cards, open]

    /// One value each, in a stable order: metric, value of its label if it has one, value.
    public var samples: [(metric: Metric, label: String?, value: Int)] {
        var all: [(Metric, String?, Int)] = [
            (HTTPCounters.answers, "accepted", accepted), (HTTPCounters.answers, "repeated", repeated),
            (HTTPCounters.answers, "told", told),
            (HTTPCounters.answers, "batch", batches),
        ]
        all += problems.sorted { $0.key < $1.key }.map { (HTTPCounters.answers, $0.key, $0.value) }
        all.append((HTTPCounters.lines, "accepted", linesAccepted))
        all.append((HTTPCounters.lines, "repeated", linesRepeated))
        all += lineProblems.sorted { $0.key < $1.key }.map { (HTTPCounters.lines, $0.key, $0.value) }
        all.append((HTTPCounters.connectionsTotal, nil, connections))
        all.append((HTTPCounters.refusedTotal, nil, connectionsRefused))
        all.append((HTTPCounters.http2Total, nil, http2Connections))
        all.append((HTTPCounters.cards, "masked", cardsMasked))
        all.append((HTTPCounters.cards, "refused", cardsRefused))
        all.append((HTTPCounters.open, nil, connectionsOpen))
        return all
    }
}
