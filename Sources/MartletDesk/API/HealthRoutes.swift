import MartletModel
import SQL

/// Health, metrics and the OpenAPI document: what is answered without a key.
struct HealthRoutes: APINoun {
    let desk: Desk
    let counters: DeskCounters
    /// Why the desk does not work; none: it does.
    let ready: @Sendable () -> [String]

    private struct Ready: Codable {
        var ready: Bool
        var reasons: [String]
    }

    private static let health = APIOperation(
        .get, "/healthz", "Whether the desk runs", answer: .text("text/plain"), isOpen: true)
    private static let readiness = APIOperation(
        .get, "/readyz", "Whether the desk works", note: "503 with the same document while it does not.",
        answer: .json(.of(Ready.self, "Ready")), also: [503], isOpen: true)
    private static let metrics = APIOperation(
        .get, "/metrics", "Metrics (Prometheus text format 0.0.4)", answer: .text("text/plain"), isOpen: true)
    private static let document = APIOperation(
        .get, "/openapi.json", "This document", answer: .json(APISchema(node: .map(["type": .text("object")]), components: [:])),
        isOpen: true)

    static let operations = [health, readiness, metrics, document]

    /// - Parameter reasons: why the desk does not work; none: it does.
    static func answer(_ reasons: [String]) -> APIAnswer {
        .json(Ready(ready: reasons.isEmpty, reasons: reasons), status: reasons.isEmpty ? 200 : 503)
    }

    static func openAPI(_ operations: [APIOperation]) -> APIAnswer {
        .text(APIDocument.document(operations).json, type: "application/json")
    }

    static func page(_ text: String) -> APIAnswer { .text(text, type: "text/plain; version=0.0.4; charset=utf-8") }

    func add(to routes: inout APIRoutes) {
        let (desk, counters, ready) = (desk, counters, ready)
        routes.on(HealthRoutes.health) { _ in .text("ok\n") }
        routes.on(HealthRoutes.readiness) { _ in HealthRoutes.answer(ready()) }
        routes.on(HealthRoutes.metrics) { _ in
            let state = desk.store.state
            let page = counters.text(isReady: ready().isEmpty, isConnected: state.isConnected, waiting: state.waiting)
            return HealthRoutes.page(page)
        }
        let answer = HealthRoutes.openAPI(routes.operations + [HealthRoutes.document])
        routes.on(HealthRoutes.document) { _ in answer }
    }
}
