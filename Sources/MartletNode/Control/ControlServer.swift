import FoundationEssentials
import Glibc
public import NIOCore
import NIOPosix

/// The socket in the data directory through which people and the desk act on a running node. Only the owner of the directory can
/// open it. One request a line, one answer a line; before it come as many lines of progress as the act has to tell.
public enum ControlServer {
    public typealias Handler = (ControlRequest, ControlPeer, @escaping (ControlAnswer) -> Void) -> Void

    /// - Parameter handler: runs on the loop.
    public static func start(path: String, loop: any EventLoop, handler: @escaping Handler) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: loop)
        _ = unlink(path)
        return ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ControlConnection(bound.value))
                }
            }
            .bind(unixDomainSocketPath: path)
            .flatMapThrowing { channel in
                guard chmod(path, 0o600) == 0 else { throw ControlFault(path: path, reason: String(cString: strerror(errno))) }
                return channel
            }
    }
}

struct ControlFault: Error, CustomStringConvertible {
    var path: String
    var reason: String
    var description: String { "the control socket \(path) cannot be closed to others: \(reason)" }
}

private final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let handler: ControlServer.Handler
    private var buffer = ByteBuffer()
    /// Nil until the system said who it is; requests wait for that.
    private var peer: ControlPeer?
    private static let lineMaximum = 1 << 20

    init(_ handler: @escaping ControlServer.Handler) { self.handler = handler }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ControlPeer.find(context.channel).whenComplete { result in
            let (handler, context) = bound.value
            guard case .success(let who) = result else { return context.close(promise: nil) }
            handler.peer = ControlPeer(who: who)
            handler.answerAll(context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { peer?.isOpen = false }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        answerAll(context)
    }

    private func answerAll(_ context: ChannelHandlerContext) {
        while let peer, let end = buffer.readableBytesView.firstIndex(of: 0x0A) {
            let line = buffer.readSlice(length: end - buffer.readerIndex) ?? ByteBuffer()
            buffer.moveReaderIndex(forwardBy: 1)
            answer(line, peer, context)
        }
        if buffer.readableBytes > ControlConnection.lineMaximum { context.close(promise: nil) }
    }

    private func answer(_ line: ByteBuffer, _ peer: ControlPeer, _ context: ChannelHandlerContext) {
        let bound = context.loopBound
        let write: (ControlAnswer) -> Void = { answer in
            let context = bound.value
            guard context.channel.isActive, var bytes = try? JSONEncoder().encode(answer) else { return }
            bytes.append(0x0A)
            context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
        }
        do {
            handler(try JSONDecoder().decode(ControlRequest.self, from: Data(line.readableBytesView)), peer, write)
        } catch {
            write(.failed("not a request: \(error)"))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
