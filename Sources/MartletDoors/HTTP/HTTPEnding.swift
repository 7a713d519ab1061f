import MartletModel
import NIOCore

/// How a connection ends: when all is said, when the door stops, or when something takes too long.
extension HTTPConnection {
    /// There is nothing to answer; the bytes of a long answer may not all have left.
    func leave() {
        guard hasStreamed, life == .open, let context else { return close() }
        finish(context)
    }

    func finish(_ context: ChannelHandlerContext) {
        if http2 != nil { return finishStream(context) }
        guard lingers || hasStreamed else { return close() }
        life = .lingering
        lastMoved = door.clock
        let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
        let half = context.eventLoop.makePromise(of: Void.self)
        half.futureResult.whenComplete { result in
            switch result {
            case .success: connection.value.saidAll()
            case .failure: connection.value.close()
            }
        }
        context.close(mode: .output, promise: half)
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    func saidAll() {
        hasSaidAll = true
        lastMoved = door.clock
        // A stream of which all is said and heard is over without that.
        if hasHeardAll, http2 == nil { close() }
    }

    func close() {
        guard life != .closed, let context else { return }
        context.close(promise: nil)
    }

    func ended() {
        guard life != .closed else { return }
        life = .closed
        context = nil
        places.removeAll()
        held.removeAll()
        batches.removeAll()
        streaming = nil
        mayHaveLines = false
        current = nil
        if let http2 { http2.closed(self) } else { door.closed(self) }
    }

    /// The door stops: what was asked is answered, no further request is taken.
    func drain() {
        guard life == .open else { return }
        stopTaking()
        if hasNothingToAnswer { leave() } else if reception == .betweenRequests { reception = .over }
    }

    func stopTaking() {
        isLast = true
        lingers = true
        isStopping = true
    }

    func abort() { close() }

    /// Called about once a second with the door's clock: ends what takes too long.
    func look(at now: Int64) {
        switch life {
        case .closed: return
        case .lingering:
            guard now - lastMoved >= (hasSaidAll ? HTTPLimit.lingering : door.settings.idleTimeout) else { return }
            if http2 != nil, hasSaidAll { stopPeer() } else { close() }
        case .open:
            let limits = door.settings
            if !isWritable {
                if now - lastMoved >= limits.idleTimeout { close() }
            } else if isPaused {
                return
            } else if reception == .body, now - bodyBegan >= limits.bodyTimeout {
                refuse(HTTPProblem(HTTPErrors.requestTimeout))
                flush()
            } else if reception == .betweenRequests, let headBegan, now - headBegan >= limits.headTimeout {
                refuse(HTTPProblem(HTTPErrors.requestTimeout))
                flush()
            } else if hasNothingToAnswer, now - lastMoved >= limits.idleTimeout {
                close()
            }
        }
    }
}
