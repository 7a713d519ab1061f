import Guard
import MartletModel
import NIOCore
import Synchronization

/// Gives a source the ends of its messages at its endpoint. Confined to the node's loop, but for the posts themselves: those are written,
/// signed and sent elsewhere, and their outcomes come back in batches.
final class WebhookTeller: Teller {
    let settings: Webhook
    let source: SourceNumber
    private unowned let webhooks: Webhooks
    private(set) var health = WebhookHealth()
    private(set) var inFlight = 0
    private let returns: WebhookReturns

    init(_ settings: Webhook, source: SourceNumber, webhooks: Webhooks) {
        self.settings = settings
        self.source = source
        self.webhooks = webhooks
        returns = WebhookReturns(webhooks.eventLoop)
        returns.owner = NIOLoopBound(Weak(self), eventLoop: webhooks.eventLoop)
    }

    /// In the story; the place says more than the source, which the story has.
    var name: String { settings.url.place }
    var room: Int { health.room(inFlight: inFlight, maximum: settings.inFlight) }

    func tell(_ batch: [Notice]) {
        inFlight += batch.count
        let seconds = webhooks.now().wall / 1_000_000
        let (settings, post, returns) = (self.settings, webhooks.post, self.returns)
        for notice in batch {
            // One at a time in a task of its own: at most `inFlight` of them are alive.
            Task {
                let document = WebhookDocument(notice)
                let request = OutboundRequest(
                    .post, settings.url, headers: document.headers(settings.secrets, at: seconds), body: document.body,
                    timeout: settings.timeout, maximumAnswer: WebhookTeller.answerBytes)
                let result = await post(request)
                returns.add(WebhookReturn(slot: notice.slot, id: notice.id, tries: notice.tries, endedAt: notice.endedAt, result: result))
            }
        }
    }

    /// Of an answer's body, which nobody reads: enough to keep the connection for the next post.
    private static let answerBytes = 16 * 1024

    /// Outcomes of posts, on the loop.
    func came(_ all: [WebhookReturn]) {
        inFlight -= all.count
        guard !webhooks.isOver else { return webhooks.returned() }
        let wall = webhooks.now().wallMilliseconds
        var told: [(slot: SlotReference, outcome: NoticeOutcome)] = []
        for one in all {
            let verdict = WebhookVerdict(one.result)
            webhooks.count(verdict, source: settings.source, delay: max(0, wall - one.endedAt))
            switch verdict {
            case .heard:
                told.append((one.slot, .heard))
                take(health.heard(), verdict)
            case .gone:
                told.append((one.slot, .notHeard))
                take(health.saidGone(), verdict)
            case .failed:
                if let pause = WebhookSchedule.pause(after: one.tries, random: webhooks.random()) {
                    told.append((one.slot, .later(milliseconds: pause)))
                } else {
                    told.append((one.slot, .parked))
                    webhooks.report(.parked(source: settings.source, id: one.id))
                }
                take(health.failed(random: webhooks.random()), verdict)
            }
        }
        webhooks.owner.told(told, by: self)
        webhooks.returned()
    }

    private func take(_ change: WebhookHealth.Change, _ verdict: WebhookVerdict) {
        switch change {
        case .none: break
        case .recovered: webhooks.report(.recovered(source: settings.source, place: settings.url.place))
        case .wentGone: webhooks.report(.gone(source: settings.source, place: settings.url.place))
        case .rest(let milliseconds, let number):
            webhooks.report(.failing(source: settings.source, place: settings.url.place, kind: verdict.word, milliseconds: milliseconds))
            let bound = NIOLoopBound(self, eventLoop: webhooks.eventLoop)
            webhooks.eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
                let teller = bound.value
                guard teller.health.restOver(number) else { return }
                teller.webhooks.owner.roomChanged(teller)
            }
        }
    }

    func askedAgain() { health.askedAgain() }
}

/// What an answer means.
enum WebhookVerdict: Equatable {
    /// 2xx.
    case heard
    /// 410: there is no such endpoint any more.
    case gone
    /// Everything else, redirects too: told again.
    case failed(kind: String)

    init(_ result: Result<Int, OutboundFault>) {
        switch result {
        case .success(200..<300): self = .heard
        case .success(410): self = .gone
        case .success(300..<400): self = .failed(kind: "redirect")
        case .success(400..<500): self = .failed(kind: "status_4xx")
        case .success: self = .failed(kind: "status_5xx")
        case .failure(let fault): self = .failed(kind: fault.word)
        }
    }

    /// Word of the metric's label.
    var word: String {
        switch self {
        case .heard: "heard"
        case .gone: "gone"
        case .failed(let kind): kind
        }
    }
}

struct WebhookReturn: Sendable {
    var slot: SlotReference
    var id: MessageID
    var tries: UInt8
    /// Wall milliseconds.
    var endedAt: Int64
    var result: Result<Int, OutboundFault>
}

/// Brings outcomes from wherever posts end to the node's loop: all that came meanwhile in one step.
final class WebhookReturns: Sendable {
    private let eventLoop: any EventLoop
    private let waiting = Mutex<[WebhookReturn]>([])
    private let held = Mutex<NIOLoopBound<Weak<WebhookTeller>>?>(nil)

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Set once, before the first post.
    var owner: NIOLoopBound<Weak<WebhookTeller>>? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    func add(_ one: WebhookReturn) {
        let isFirst = waiting.withLock { list in
            list.append(one)
            return list.count == 1
        }
        guard isFirst, let owner else { return }
        eventLoop.execute {
            let all = self.waiting.withLock { list in
                defer { list = [] }
                return list
            }
            owner.value.object?.came(all)
        }
    }
}

struct Weak<Object: AnyObject> {
    weak var object: Object?
    init(_ object: Object) { self.object = object }
}
