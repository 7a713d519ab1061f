import MartletModel
import NIOCore

/// How answers leave: in the order of the requests, gathered in `out` and flushed once a turn.
extension HTTPConnection {
    /// - Returns: the number by which the answer finds its place.
    @discardableResult func open(_ place: Place) -> UInt64 {
        let number = first &+ UInt64(places.count)
        places.append(place)
        if place.answer != nil || place.batch != nil { writeReady() }
        return number
    }

    func answer(_ number: UInt64, _ answer: HTTPAnswer) {
        // The peer may have left meanwhile; then nobody waits for it.
        guard life == .open else { return }
        precondition(number >= first && number &- first < UInt64(places.count), "a request is answered once")
        let offset = Int(number &- first)
        let index = places.index(places.startIndex, offsetBy: offset)
        precondition(places[index].answer == nil, "a request is answered once")
        places[index].answer = answer
        if offset == 0 { writeReady() }
        flushSoon()
    }

    func flushSoon() {
        if !isReading, !isAwaitingFlush {
            isAwaitingFlush = true
            door.flushLater(self)
        }
    }

    /// Writes the answers at the front that are there, up to the first that is not.
    func writeReady() {
        while life == .open, let place = places.first {
            if let batch = place.batch {
                streaming = batch
                guard stream(batch) else { return }
                streaming = nil
                places.removeFirst()
                first &+= 1
                continue
            }
            guard let answer = place.answer else { return }
            places.removeFirst()
            first &+= 1
            if http2 != nil {
                writeFrames(answer, headOnly: place.headOnly)
            } else {
                let closes = isOver
                door.stationery.write(answer, to: &out, closes: closes, headOnly: place.headOnly)
            }
            door.counters.count(answer)
            lastMoved = door.clock
        }
    }

    /// No request is unanswered and none will be taken.
    var isOver: Bool { isLast && hasNothingToAnswer }
    var hasNothingToAnswer: Bool { places.isEmpty && held.isEmpty && reception != .body }

    /// Gives the gathered bytes to the socket, begins what was held, and closes when all is said.
    func flush() {
        isAwaitingFlush = false
        // Each round begins at most `pipelineDepth` held requests, and no new one is read meanwhile.
        while life == .open, let context {
            if let streaming { writeText(of: streaming) }
            if out.readableBytes > 0 {
                // Moved out first, since the write may call back into this; its storage is used again once it is written.
                var bytes = ByteBuffer()
                swap(&bytes, &out)
                context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
                if out.storageCapacity == 0 {
                    bytes.clear(minimumCapacity: 512)
                    out = bytes
                }
            } else if hasFrames {
                hasFrames = false
                context.flush()
            }
            guard life == .open, !held.isEmpty, places.count < HTTPLimit.pipelineDepth, isWritable else { break }
            isReading = true  // Answers given at once are flushed by the next round.
            while places.count < HTTPLimit.pipelineDepth, let request = held.popFirst() { begin(request) }
            isReading = false
        }
        guard life == .open, let context else { return }
        if isOver {
            finish(context)
            return
        }
        wantTurn()
        if wantsRead, !isPaused {
            // The time that nothing was read is not the peer's.
            if current?.batch != nil { bodyBegan = door.clock }
            // First, since a stream may have bytes ready and come back to this.
            wantsRead = false
            context.read()
        }
    }

    var isPaused: Bool {
        guard life == .open else { return false }
        return places.count >= HTTPLimit.pipelineDepth || !held.isEmpty || !isWritable || mayHaveLines
    }
}
