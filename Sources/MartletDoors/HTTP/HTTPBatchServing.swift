import MartletModel
import NIOCore

/// How a connection serves batches. Lines are taken in turns that the door gives out, so that a large body delays nobody; no more
/// is taken while too many lines wait for their answers or the peer does not read them, and reading stops with it.
extension HTTPConnection {
    // MARK: The body

    /// The head of a batch came: it takes its place now, and its lines are taken as they arrive.
    func beganBatch(_ request: Request, from source: AuthenticatedSource, isChunked: Bool) {
        let settings = door.settings
        let batch = HTTPBatch(
            source: source, ofEvents: request.route == .events, trace: request.trace, isChunked: isChunked,
            idempotencyKey: request.idempotencyKey,
            lineLimit: request.route == .events ? settings.maximumEvent : settings.maximumBody, bodyLimit: settings.maximumBatchBody)
        var request = request
        request.batch = batch
        current = request
        enqueue(request)
    }

    func begin(_ batch: HTTPBatch) {
        hasStreamed = true
        batches.append(batch)
        open(Place(answer: nil, headOnly: false, batch: batch))
        mayHaveLines = true
        wantTurn()
    }

    func received(_ bytes: ByteBuffer, of batch: HTTPBatch) {
        guard batch.take(bytes) else {
            return refuse(HTTPProblem(HTTPErrors.bodyTooLarge, detail: "At most \(door.settings.maximumBatchBody) bytes are taken."))
        }
        arrived(batch)
    }

    /// The body is complete, or with a problem it is not and never will be.
    func ended(_ batch: HTTPBatch, _ problem: HTTPProblem? = nil) {
        batch.endInput(problem)
        arrived(batch)
    }

    /// Nothing to take from one that is held: `begin` asks for its turn.
    private func arrived(_ batch: HTTPBatch) {
        guard batches.last === batch else { return }
        mayHaveLines = true
        wantTurn()
    }

    // MARK: Turns

    private var hasRoomForLines: Bool {
        isWritable && linesOpen < HTTPLimit.openLines && heldLineBytes < HTTPLimit.heldLineBytes
    }

    func wantTurn() {
        guard mayHaveLines, !isTurnDue, life == .open, hasRoomForLines else { return }
        isTurnDue = true
        door.queueTurn(self)
    }

    /// - Parameter most: what the turn may cost; a short good line costs 1.
    /// - Returns: what it cost.
    func turn(_ most: Int) -> Int {
        isTurnDue = false
        guard life == .open else { return 0 }
        isReading = true
        let cost = takeLines(most)
        isReading = false
        flush()
        return cost
    }

    private func takeLines(_ most: Int) -> Int {
        var cost = 0
        let now = door.intake.now()
        while let batch = batches.first {
            guard cost < most, hasRoomForLines, batch.text.readableBytes < HTTPLimit.batchText else { return cost }
            switch batch.next() {
            case .waits:
                // Only the last batch can wait for bytes.
                mayHaveLines = false
                return cost
            case .blank:
                cost += 1
            case .tooLong:
                cost += 1
                lineMoved(batch)
                let detail = "At most \(batch.lineLimit) bytes are taken."
                answer(openLine(batch), of: batch, HTTPProblem(HTTPErrors.lineTooLarge, detail: detail))
            case .line(let line):
                lineMoved(batch)
                cost += take(line, of: batch, now)
            case .end(let problem):
                cost += 1
                if let problem { answer(openLine(batch), of: batch, problem) }
                end(batch)
            }
        }
        mayHaveLines = false
        return cost
    }

    private func end(_ batch: HTTPBatch) {
        batches.removeFirst()
        batch.taken()
        if current?.batch === batch {
            // Given up in the middle of its body.
            current = nil
            reception = .over
            isLast = true
            lingers = true
        }
        if streaming === batch { writeReady() }
    }

    /// A batch may take as long as it likes while its lines keep coming.
    private func lineMoved(_ batch: HTTPBatch) {
        if current?.batch === batch { bodyBegan = door.clock }
    }

    private func openLine(_ batch: HTTPBatch) -> UInt64 {
        linesOpen += 1
        return batch.open()
    }

    /// - Returns: what the line cost: long ones and those with many errors cost more than one.
    private func take(_ line: ByteBuffer, of batch: HTTPBatch, _ now: Instant) -> Int {
        let number = openLine(batch)
        let cost = 1 + line.readableBytes >> 10
        if isStopping {
            answer(number, of: batch, HTTPProblem(Refusal.stopping))
            return cost
        }
        if batch.isOfEvents { return cost + take(event: line, number, of: batch, now) }
        switch read(line, batch.source, batch.trace, now) {
        case .problem(let problem):
            answer(number, of: batch, problem)
            return cost + 4 * problem.errors.count
        case .submission(var submission, _):
            submission.tells = door.tells(of: batch.source.number)
            door.intake.submit(submission.keyed(batch.idempotencyKey, .batch, line: number, body: line)) { acceptance in
                self.answer(number, of: batch, acceptance, hasParts: true)
            }
            return cost
        }
    }

    /// - Returns: what its errors cost.
    private func take(event line: ByteBuffer, _ number: UInt64, of batch: HTTPBatch, _ now: Instant) -> Int {
        switch read(event: line, batch.source, batch.trace, now) {
        case .problem(let problem):
            answer(number, of: batch, problem)
            return 4 * problem.errors.count
        case .event(var event, _, _):
            event.tells = door.tells(of: batch.source.number)
            event.idempotency = Idempotency(batch.idempotencyKey, .eventBatch, line: number, body: line)
            door.intake.submit(event: event) { self.answer(number, of: batch, $0, hasParts: false) }
            return 0
        }
    }

    // MARK: Answers

    private func answer(_ number: UInt64, of batch: HTTPBatch, _ acceptance: Acceptance, hasParts: Bool) {
        switch acceptance {
        case .accepted(let id, let parts):
            door.counters.linesAccepted &+= 1
            answer(number, of: batch, .accepted(id, parts: hasParts ? parts : nil))
        case .repeated(let id, let parts):
            door.counters.linesRepeated &+= 1
            answer(number, of: batch, .repeated(id, parts: hasParts ? parts : nil))
        case .refused(let refusal):
            if refusal == .stopping { stopTaking() }
            answer(number, of: batch, HTTPProblem(refusal))
        }
    }

    private func answer(_ number: UInt64, of batch: HTTPBatch, _ problem: HTTPProblem) {
        door.counters.lineProblems[problem.code.code, default: 0] &+= 1
        answer(number, of: batch, .text(problem.line))
    }

    private func answer(_ number: UInt64, of batch: HTTPBatch, _ answer: HTTPBatch.Answer) {
        // The peer may have left meanwhile; then nobody waits for it. What was accepted stays so.
        guard life == .open else { return }
        heldLineBytes += answer.heldBytes
        if batch.answer(number, answer), streaming === batch { writeReady() }
        flushSoon()
    }

    /// Writes the answers of the batch at the front of `places` that are there.
    /// - Returns: whether it is whole.
    func stream(_ batch: HTTPBatch) -> Bool {
        while let ready = batch.popReady() {
            linesOpen -= 1
            heldLineBytes -= ready.heldBytes
            HTTPStationery.write(ready, to: &batch.text)
            lastMoved = door.clock
        }
        guard batch.isWhole else { return false }
        writeText(of: batch, isWhole: true)
        if http2 == nil, batch.isChunked { out.writeStaticString("0\r\n\r\n") }
        door.counters.batches &+= 1
        lastMoved = door.clock
        return true
    }

    /// Makes one chunk, or one frame, of the answers gathered.
    func writeText(of batch: HTTPBatch, isWhole: Bool = false) {
        if http2 != nil { return writeFrames(of: batch, ends: isWhole) }
        let length = batch.text.readableBytes
        guard length > 0 || isWhole else { return }
        if !batch.hasHead {
            batch.hasHead = true
            let nothingFollows = places.count == 1 && held.isEmpty && (reception != .body || current?.batch === batch)
            door.stationery.writeBatchHead(to: &out, isChunked: batch.isChunked, closes: isLast && nothingFollows)
        }
        guard length > 0 else { return }
        if batch.isChunked { out.writeString("\(String(length, radix: 16))\r\n") }
        out.writeBuffer(&batch.text)
        if batch.isChunked { out.writeStaticString("\r\n") }
        batch.text.clear()
    }
}
