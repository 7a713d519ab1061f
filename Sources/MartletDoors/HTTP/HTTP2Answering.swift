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
        guard isLast else { return context.write(NIOAny(frame), promise: nil) }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { self.saidAll() }
        context.write(NIOAny(frame), promise: written)
    }

    /// The answer is given. The stream ends by itself when its last frame has left and the peer has ended its side. What the peer still
    /// sends is read and dropped for a while: clients stop when they have read the answer, and not all take a reset for what it says.
    func finishStream(_ context: ChannelHandlerContext) {
        life = .lingering
        lastMoved = door.clock
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }

    /// The peer had time to read its answer and goes on sending what nobody reads: it is told to stop (RFC 9113, section 8.1).
    func stopPeer() {
        guard !hasHeardAll, let context else { return close() }
        context.writeAndFlush(NIOAny(HTTP2Frame.FramePayload.rstStream(.noError)), promise: nil)
    }
}
