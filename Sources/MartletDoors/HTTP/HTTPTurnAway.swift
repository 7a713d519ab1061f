import MartletModel
import NIOCore

/// A connection beyond the limit: says so, lets the peer read it, closes.
final class HTTPTurnAway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let door: HTTPDoor

    init(door: HTTPDoor) { self.door = door }

    func channelActive(context: ChannelHandlerContext) {
        var out = context.channel.allocator.buffer(capacity: 512)
        door.stationery.write(
            .problem(HTTPProblem(HTTPErrors.tooManyConnections, retryAfterSeconds: 1)), to: &out, closes: true, headOnly: false)
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        let channel = context.channel
        context.close(mode: .output, promise: nil)
        context.eventLoop.scheduleTask(in: .milliseconds(HTTPLimit.lingering)) { channel.close(promise: nil) }
    }

    // What it sends is read and dropped, so that the close does not destroy the answer.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func handlerRemoved(context: ChannelHandlerContext) { door.turnedAwayEnded() }
}
