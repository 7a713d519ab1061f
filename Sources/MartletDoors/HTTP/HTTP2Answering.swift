import MartletModel
import NIOCore
import NIOHPACK
import NIOHTTP2

/// How the answer of an HTTP/2 stream leaves: as frames instead of gathered bytes.
extension HTTPConnection {
    func writeFrames(_ answer: HTTPAnswer, headOnly: Bool) {
        guard let content = answer.content else { return writeHead([(":status", "100")], ends: false) }
        var fields = [(":status", String(content.status)), ("date", door.stationery.dateText), ("content-type", content.type)]
        // Of HEAD, a length without the body would be a fault of the stream to some peers.
        if !headOnly { fields.append(("content-length", String(content.body.readableBytes))) }
        for (name, value) in content.fields { fields.append((name.lowercased(), value)) }
        writeHead(fields, ends: headOnly)
        if !headOnly { writeData(content.body, ends: true) }
    }

    /// The answers of a batch that are gathered; with `ends` they are the last.
    func writeFrames(of batch: HTTPBatch, ends: Bool) {
        guard batch.text.readableBytes > 0 || ends else { return }
        if !batch.hasHead {
            batch.hasHead = true
            writeHead(
                [
                    (":status", "200"), ("date", door.stationery.dateText), ("content-type", "application/x-ndjson"),
                    ("cache-control", "no-store"),
                ], ends: false)
        }
        writeData(batch.text, ends: ends)
        batch.text.clear()
    }

    private func writeHead(_ fields: [(String, String)], ends: Bool) {
        write(.headers(.init(headers: HPACKHeaders(fields), endStream: ends)), isLast: ends)
    }

    private func writeData(_ bytes: ByteBuffer, ends: Bool) {
        write(.data(.init(data: .byteBuffer(bytes), endStream: ends)), isLast: ends)
    }

    private func write(_ frame: HTTP2Frame.FramePayload, isLast: Bool) {
        hasFrames = true
        guard let context else { return }
        guard isLast, !hasHeardAll else { return context.write(NIOAny(frame), promise: nil) }
        // A peer that still sends what nobody reads is told to stop, once it has the answer (RFC 9113, section 8.1): before, the reset
        // would overtake it.
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { self.stopPeer() }
        context.write(NIOAny(frame), promise: written)
    }

    private func stopPeer() {
        guard life != .closed, !hasHeardAll, let context else { return }
        context.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
    }

    /// The answer is given. The stream ends by itself when its last frame has left and the peer has ended its side, or was told to.
    func finishStream() {
        life = .lingering
        lastMoved = door.clock
    }
}
