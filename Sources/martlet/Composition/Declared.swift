import MartletChannels
import MartletDesk
import MartletDoors
import MartletModel
import MartletNode
import MartletSettings
import MartletStore

/// Everything declared in the house, gathered once: the loader, the sample file and the reference pages read it here.
enum Declared {
    static let settings: [Setting] =
        NodeSettings.all + InboundSettings.all + HTTPSettings.all + SMPPDoorSettings.all + TextGuard.all + SMPPConnectionSettings.all
        + WebhookSettings.all + OutboundSettings.all + StoreSettings.all + DeskSettings.all + HistorySettings.all
        + ImportSettings.all + ImageSettings.all
    static let metrics: [Metric] =
        NodeMetrics.all + HTTPCounters.all + SMPPDoorCounters.all + SMPPCounters.metrics.map(\.metric)
        + WebhookCounters.all + DeskCounters.all + ProjectorFigures.metrics + ImportFigures.metrics
        + SetAsideWork.metrics + [RetentionClock.distrusted, CustomerFeedFigures.stuck]
    static let errors: [ErrorCode] = HTTPErrors.all

    /// The generated pages and the explained sample file; `make reference` writes them, a test keeps them fresh.
    static var pages: [Reference.Page] {
        [
            Reference.Page(path: "docs/reference/settings.md", text: Reference.settings(settings)),
            Reference.Page(path: "docs/reference/metrics.md", text: Reference.metrics(metrics)),
            Reference.Page(path: "docs/reference/errors.md", text: Reference.errors(errors)),
            Reference.Page(
                path: "docs/reference/admin-errors.md", text: Reference.errors(APIErrors.all, title: "Errors of the admin API")),
            Reference.Page(path: "docs/reference/admin-openapi.yaml", text: APIDocument.page),
            Reference.Page(
                path: "docs/reference/rights.md",
                text: Reference.rights(
                    Right.allCases.map { (word: $0.rawValue, doc: $0.doc) }, acts: AuditAct.allCases.map(\.rawValue))),
            Reference.Page(path: "docs/reference/reasons.md", text: Reference.reasons(transitions: transitions)),
            Reference.Page(
                path: "config/martlet.yaml", text: Reference.sample(settings, introductions: introductions, examples: examples)),
        ]
    }

    /// The state table of `Fate.swift`; the seeded worlds meet no other change.
    private static let transitions: [Reference.Transition] = [
        .init(.queued, .submitted, "A connection had room; its bytes go to the wire."),
        .init(.queued, .expired, "Its deadline passed before a provider took it."),
        .init(.queued, .cancelled, "Its source or an operator took it back before it was handed over."),
        .init(.queued, .suppressed, "Its customer opted out of the class before it was handed over."),
        .init(.queued, .failed, "Its attempts are used up, or its text cannot be read back."),
        .init(.queued, .unknown, "The process died while it may have been on the wire, and its class does not send twice."),
        .init(.submitted, .queued, "Throttled or refused for now; or nothing was written."),
        .init(.submitted, .sent, "The provider took all parts."),
        .init(.submitted, .unknown, "No answer was heard, or the bind was lost."),
        .init(.submitted, .failed, "The provider refused a part for good."),
        .init(.submitted, .delivered, "The receipts overtook the answer."),
        .init(.sent, .delivered, "A receipt for every part says that it reached the handset."),
        .init(.sent, .failed, "A receipt says that a part did not."),
        .init(
            .sent, .expired, "The provider gave up, its receipt never came, or it was past its deadline and the provider took it back."),
        .init(.sent, .cancelled, "Its source took it back, and the provider, who had it, forgot it."),
        .init(.planned, .queued, "Its hour has come, and it was decided anew that it goes."),
        .init(.planned, .suppressed, "Its hour has come, and something speaks against it now."),
        .init(.planned, .expired, "Its deadline passed before its hour came."),
        .init(.planned, .cancelled, "Its source or an operator took it back, its customer was erased, or it is not needed any more."),
        .init(.planned, .failed, "What it is about cannot be read back."),
        .init(.unknown, .queued, "Its class sends again; flagged a possible duplicate."),
        .init(.unknown, .sent, "A receipt of a part showed that the provider has it."),
        .init(.unknown, .delivered, "The receipts came after all."),
        .init(.unknown, .failed, "A receipt says that a part did not reach the handset."),
        .init(.unknown, .expired, "No receipt came before its deadline and grace."),
    ]

    private static let introductions = [
        "journal": "The journal should have a volume of its own: who else writes there decides how long a commit takes.",
        "smpp.accounts": "Sender systems that speak SMPP. Each sends as a source, and hears of its messages over any of its binds.",
        "connections": "One entry for each account at an operator or aggregator.",
        "routes": "Which connection group serves which numbers. With one group only, routes may be left out.",
        "webhooks": "Endpoints at which sources that send over HTTP hear of the ends of their messages.",
        "outbound": "Where this node may open connections by HTTP. Nothing is reached that does not stand here.",
        "desk": "The desk: administration, and what is kept for people to look at. A process of its own beside the node.",
        "store": "The database of history and administration. The node that sends never opens it.",
        "history": "How the journal's records come into that database.",
        "images": "Where customers' devices find pictures of texts.",
        "imports": "Files of customers and contacts that the desk imports.",
        "history.classes": "Classes that are kept for another time than the others.",
        "bootstrap.sources": "Sender systems taken over at the first start; `martlet source key NAME` gives them a key.",
    ]

    private static let examples = [
        "keys.master": "/etc/martlet/master.key", "connections[].name": "harbour", "connections[].group": "harbour",
        "connections[].host": "127.0.0.1", "connections[].systemId": "martlet", "routes[].group": "harbour",
        "history.classes[].class": "otp",
        "bootstrap.sources[].name": "core-banking", "smpp.accounts[].systemId": "core",
        "smpp.accounts[].passwordFile": "/etc/martlet/core.password", "smpp.accounts[].source": "core-banking",
    ]
}
