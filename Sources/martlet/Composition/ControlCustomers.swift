import MartletLocal
import MartletNode
import NIOCore

/// What the desk asks of the local copy of customers, and what it changes there.
extension Server {
    /// Figures as rows of name and number, for the desk.
    func customers() -> ControlAnswer {
        let figures = node.customers.figures
        let rows = [
            ["version", String(figures.version)], ["customers", String(figures.customers)], ["newest", String(figures.newest)],
            ["changes", String(figures.overlayChanges)], ["changesLimit", String(figures.overlayChangesLimit)],
            ["bytes", String(figures.overlayBytes)], ["bytesLimit", String(figures.overlayLimit)],
            ["refused", String(figures.refused)],
        ]
        return .done(node.customers.alarms.joined(separator: "; "), rows)
    }

    /// Takes changes; the answer, with the number of the newest, means that they are durable and seen. The same changes may come again.
    func applyCustomers(_ request: ControlRequest, _ answer: @escaping (ControlAnswer) -> Void) {
        guard let batch = request.fields?["changes"] else { return answer(.failed("changes: a batch in base64 is needed")) }
        let bound = NIOLoopBound(answer, eventLoop: loop)
        let loop = self.loop
        node.customers.apply(base64: batch) { result in
            loop.execute {
                switch result {
                case .success(let newest): bound.value(.done("", [["newest", String(newest)]]))
                case .failure(let error): bound.value(.failed("\(error)"))
                }
            }
        }
    }
}
