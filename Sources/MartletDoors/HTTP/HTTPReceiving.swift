import MartletModel
import NIOCore
import NIOHTTP1

/// How a connection takes requests in: from the parts of the decoder to a whole request, or the problem that it has.
extension HTTPConnection {
    /// The peer sends no more but may still read: what it asked for is answered.
    func inputEnded() {
        reception = .over
        let batch = current?.batch
        current = nil
        isLast = true
        if let batch { ended(batch, HTTPProblem(HTTPErrors.malformedRequest, detail: "The body ended early.")) }
        hasHeardAll = true
        if life == .lingering {
            if hasSaidAll { close() }
        } else if hasNothingToAnswer {
            leave()
        }
    }

    func began(_ head: HTTPRequestHead) {
        guard !isLast else { return reception = .over }
        headBegan = nil
        bodyBegan = door.clock
        lastMoved = door.clock
        let facts = HTTPHeadFacts(head)
        guard !facts.isMalformed else { return refuse(HTTPProblem(HTTPErrors.malformedRequest)) }
        // HTTP/1.0 connections serve one request: the answer is 1.1 and its reader may not know how it is delimited otherwise.
        if !head.isKeepAlive || facts.asksForUpgrade || head.version == .http1_0 { isLast = true }
        let passed = gate.examine(head, facts, sources: door.sources)
        let isBatch = passed.route.takesLines && passed.problem == nil
        // A batch that is refused is read to its end like any other body.
        let limit = isBatch || !passed.route.takesLines ? passed.route.bodyLimit(door.settings) : door.settings.maximumBody
        let request = Request(
            route: passed.route, headOnly: head.method == .HEAD, problem: passed.problem, source: passed.source, trace: facts.trace,
            bodyLimit: limit, idempotencyKey: facts.idempotencyKey)
        if let length = facts.contentLength, length > limit {
            return refuse(
                request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: "At most \(limit) bytes are taken."),
                headOnly: request.headOnly)
        }
        if facts.expectsContinue, facts.isChunked || (facts.contentLength ?? 0) > 0 {
            // Refused before the body: the peer need not send it, so where the next request begins is not known.
            if let problem = request.problem { return refuse(problem, headOnly: request.headOnly) }
            enqueue(Request(route: .nowhere, headOnly: false, isGoOn: true))
        }
        reception = .body
        if isBatch, let source = request.source {
            beganBatch(request, from: source, isChunked: head.version != .http1_0)
        } else {
            current = request
        }
    }

    func received(_ bytes: ByteBuffer) {
        guard reception == .body else { return }
        if let batch = current?.batch { return received(bytes, of: batch) }
        // Taken out and put back, so that the body's storage has one owner while it grows.
        guard var request = current.take() else { return }
        request.bodyBytes += bytes.readableBytes
        guard request.bodyBytes <= request.bodyLimit else {
            let detail = "At most \(request.bodyLimit) bytes are taken."
            return refuse(request.problem ?? HTTPProblem(HTTPErrors.bodyTooLarge, detail: detail), headOnly: request.headOnly)
        }
        if request.problem == nil {
            if var body = request.body.take() {
                body.writeImmutableBuffer(bytes)
                request.body = body
            } else {
                request.body = bytes
            }
        }
        current = request
    }

    func completed() {
        guard reception == .body, let request = current.take() else { return }
        reception = isLast ? .over : .betweenRequests
        lastMoved = door.clock
        if let batch = request.batch { ended(batch) } else { enqueue(request) }
    }

    /// Answers the request now arriving with a problem, after those before it, and takes no further one. Of a batch, it is the
    /// last line of the answer.
    func refuse(_ problem: HTTPProblem, headOnly: Bool = false) {
        reception = .over
        let batch = current?.batch
        current = nil
        isLast = true
        lingers = true
        if let batch { return ended(batch, problem) }
        enqueue(Request(route: .nowhere, headOnly: headOnly, problem: problem))
    }

    func enqueue(_ request: Request) {
        if places.count < HTTPLimit.pipelineDepth, held.isEmpty { begin(request) } else { held.append(request) }
    }
}
