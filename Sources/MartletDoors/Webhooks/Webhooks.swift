public import Guard
public import MartletModel
public import NIOCore

/// What a person should know of a webhook, for the log. No customer data.
public enum WebhookReport: Equatable, Sendable {
    /// Too many failures in a row: left alone for so long.
    case failing(source: String, place: String, kind: String, milliseconds: Int64)
    case recovered(source: String, place: String)
    /// It answered 410: nothing is posted until its source asks, or the settings are applied anew.
    case gone(source: String, place: String)
    /// Every try failed: told only when its source asks.
    case parked(source: String, id: MessageID)
}

/// The endpoints of all sources that have one. Made, called and answered on the loop that owns the core behind `owner`.
public final class Webhooks {
    /// Sends a request and gives the status; called off the loop.
    public typealias Post = @Sendable (OutboundRequest) async -> Result<Int, OutboundFault>

    let owner: any TellerOwner
    let eventLoop: any EventLoop
    let post: Post
    let now: () -> Instant
    let random: () -> UInt64
    let report: (WebhookReport) -> Void
    private var tellers: [String: WebhookTeller] = [:]
    /// Out of the settings, with posts still on their way.
    private var leaving: [WebhookTeller] = []
    private var counters = WebhookCounters()
    /// What comes from now on is told again after the restart.
    private(set) var isOver = false
    private var stopped: (() -> Void)?

    public init(
        owner: any TellerOwner, eventLoop: any EventLoop, post: @escaping Post, now: @escaping () -> Instant,
        random: @escaping () -> UInt64 = { UInt64.random(in: 0 ... .max) }, report: @escaping (WebhookReport) -> Void
    ) {
        self.owner = owner
        self.eventLoop = eventLoop
        self.post = post
        self.now = now
        self.random = random
        self.report = report
    }

    public var count: Int { tellers.count }

    /// These endpoints from now on. One that is as it was is taken for well again.
    /// - Parameter sources: finds a source's number by its name; a webhook whose source is not there is left out.
    public func replace(_ fresh: [Webhook], sources: any SourceDirectory) {
        guard stopped == nil, !isOver else { return }
        let wanted = Dictionary(fresh.map { ($0.source, $0) }, uniquingKeysWith: { first, _ in first })
        for (name, teller) in tellers where wanted[name] != teller.settings || sources.source(named: name)?.number != teller.source {
            owner.remove(teller)
            tellers[name] = nil
            if teller.inFlight > 0 { leaving.append(teller) }
        }
        for (name, settings) in wanted {
            if let present = tellers[name] {
                present.askedAgain()
                owner.roomChanged(present)
            } else if let source = sources.source(named: name) {
                let teller = WebhookTeller(settings, source: source.number, webhooks: self)
                tellers[name] = teller
                owner.add(teller)
            }
        }
    }

    /// Posts nothing more and waits for the answers that are due; those that come after `within` count as not heard. `then` runs on the
    /// loop.
    public func stop(within: TimeAmount, then: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        stopped = then
        for teller in tellers.values { owner.remove(teller) }
        returned()
        guard stopped != nil else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: within) { bound.value.finish() }
    }

    /// Posts on their way.
    private var open: Int { tellers.values.reduce(0) { $0 + $1.inFlight } + leaving.reduce(0) { $0 + $1.inFlight } }

    func returned() {
        leaving.removeAll { $0.inFlight == 0 }
        if stopped != nil, open == 0 { finish() }
    }

    private func finish() {
        isOver = true
        let then = stopped
        stopped = nil
        then?()
    }

    func count(_ verdict: WebhookVerdict, source: String, delay: Int64) {
        counters.posts[source, default: [:]][verdict.word, default: 0] += 1
        if verdict == .heard { counters.delay[source, default: 0] += delay }
    }

    /// One value each, in a stable order: metric, values of its labels, value.
    public var samples: [(metric: Metric, labels: [String], value: Int)] {
        var all: [(metric: Metric, labels: [String], value: Int)] = []
        for (source, outcomes) in counters.posts.sorted(by: { $0.key < $1.key }) {
            for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) {
                all.append((WebhookCounters.posts, [source, outcome], count))
            }
        }
        for (source, sum) in counters.delay.sorted(by: { $0.key < $1.key }) { all.append((WebhookCounters.delay, [source], Int(sum))) }
        let present = tellers.sorted { $0.key < $1.key }
        for (source, teller) in present { all.append((WebhookCounters.inFlight, [source], teller.inFlight)) }
        for (source, teller) in present { all.append((WebhookCounters.well, [source], teller.health.state == .well ? 1 : 0)) }
        return all
    }
}

/// What the webhooks counted since the start, by source.
public struct WebhookCounters: Sendable {
    var posts: [String: [String: Int]] = [:]
    /// Milliseconds from the end to its being heard, added up.
    var delay: [String: Int64] = [:]

    static let posts = Metric(
        "martlet_webhook_posts_total", .counter, labels: ["source", "outcome"],
        doc: "Posts to webhooks: `heard` for 2xx, `gone` for 410, else the kind of failure.")
    static let delay = Metric(
        "martlet_webhook_delay_milliseconds_total", .counter, labels: ["source"],
        doc: "From the end of a message to its webhook having heard, added up; over the posts heard it is the mean delay.")
    static let inFlight = Metric(
        "martlet_webhook_in_flight", .gauge, labels: ["source"], doc: "Posts to a webhook that wait for their answers.")
    static let well = Metric(
        "martlet_webhook_well", .gauge, labels: ["source"],
        doc: "1 while a webhook is posted to; 0 while it rests after many failures, is tried with one post, or has said 410.")
    public static let all: [Metric] = [posts, delay, inFlight, well]
}
