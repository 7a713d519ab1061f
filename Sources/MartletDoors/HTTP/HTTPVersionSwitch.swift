import NIOCore
import NIOHTTP1
import NIOTLS

/// Stands before a new connection until it is known which HTTP it speaks, then makes its pipeline and takes itself away. Over TLS the
/// handshake says so (ALPN); without, the client's first bytes do: HTTP/2 begins with a preface that no request of HTTP/1.1 begins with
/// (RFC 9113, sections 3.3 and 3.4). There is no change from one to the other later.
final class HTTPVersionSwitch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    private let door: HTTPDoor
    private let connection: HTTPConnection
    private let isTLS: Bool
    private var held: ByteBuffer?

    init(door: HTTPDoor, connection: HTTPConnection, isTLS: Bool) {
        self.door = door
        self.connection = connection
        self.isTLS = isTLS
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var before = held.take() {
            before.writeImmutableBuffer(bytes)
            bytes = before
        }
        let sign = "PRI ".utf8
        let isSame = bytes.readableBytesView.prefix(sign.count).elementsEqual(sign.prefix(bytes.readableBytes))
        if isSame, bytes.readableBytes < sign.count {
            held = bytes
            return
        }
        decide(isSame, context)
        context.fireChannelRead(wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard isTLS, case .some(.handshakeCompleted(let chosen)) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        decide(chosen == "h2", context)
        context.fireUserInboundEventTriggered(event)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func decide(_ isHTTP2: Bool, _ context: ChannelHandlerContext) {
        do {
            if isHTTP2 {
                try door.speakHTTP2(on: context.channel, insteadOf: connection)
            } else {
                try door.speakHTTP1(on: context.channel, before: connection, isTLS: isTLS)
            }
        } catch {
            // The connection ended meanwhile.
            context.close(promise: nil)
        }
    }
}
