import NIOCore
import NIOHTTP1
import NIOPosix

/// Everything the settings file says about the simulated world.
public struct SimulatorSettings: Sendable, Equatable {
    public var adminHost: String
    /// 0: any free one.
    public var adminPort: Int
    public var smscs: [SMSCSettings]
    /// Why ports may be open beyond this machine; nil: they may not.
    public var plaintextReason: String?

    public init(adminHost: String = "127.0.0.1", adminPort: Int = 8190, smscs: [SMSCSettings], plaintextReason: String? = nil) {
        self.adminHost = adminHost
        self.adminPort = adminPort
        self.smscs = smscs
        self.plaintextReason = plaintextReason
    }
}

/// A port that could not be opened.
public struct StartError: Error, CustomStringConvertible {
    public var what: String
    public var reason: String
    public var description: String { "\(what): \(reason)" }
}

/// The running world: operators, admin API, handsets page.
public final class Simulators: Sendable {
    public let smscs: [SMSC]
    /// Where the admin API listens, "127.0.0.1:8190".
    public let adminEndpoint: String
    private let listener: any Channel
    private let board: HandsetBoard
    private let group: MultiThreadedEventLoopGroup

    private init(smscs: [SMSC], adminEndpoint: String, listener: any Channel, board: HandsetBoard, group: MultiThreadedEventLoopGroup) {
        self.smscs = smscs
        self.adminEndpoint = adminEndpoint
        self.listener = listener
        self.board = board
        self.group = group
    }

    /// Opens every port. Operators share one thread, the admin API has another, so that reading a long list does not slow answers.
    /// - Parameter nowMicros: wall clock in microseconds since 1970; message ids begin there.
    /// - Throws: `StartError`; everything opened before is closed again.
    public static func start(_ settings: SimulatorSettings, nowMicros: Int64) async throws -> Simulators {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let hot = group.next()
        let calm = group.next()
        var started: [SMSC] = []
        do {
            for (index, smsc) in settings.smscs.enumerated() {
                // Microseconds of the clock: an operator would have to take a million messages a second to meet its next run's ids.
                let first = UInt64(max(nowMicros, 1)) + UInt64(index) * 1_000_000_000
                do {
                    started.append(try await SMSC.start(smsc, on: hot, firstNumber: first))
                } catch {
                    throw StartError(what: "operator \(smsc.name) on \(smsc.host):\(smsc.port)", reason: "\(error)")
                }
            }
            let board = HandsetBoard(started)
            let listener: any Channel
            do {
                listener = try await open(settings, AdminRouter(smscs: started, board: board), on: calm)
            } catch {
                throw StartError(what: "admin API on \(settings.adminHost):\(settings.adminPort)", reason: "\(error)")
            }
            let port = listener.localAddress?.port ?? settings.adminPort
            return Simulators(
                smscs: started, adminEndpoint: "\(settings.adminHost):\(port)", listener: listener, board: board, group: group)
        } catch {
            for smsc in started { await smsc.stop() }
            try await group.shutdownGracefully()
            throw error
        }
    }

    private static func open(_ settings: SimulatorSettings, _ router: AdminRouter, on loop: any EventLoop) async throws -> any Channel {
        try await ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 262_144))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    // Reads nothing for a minute and has nothing written: gone. A page with events is written to each second.
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(60)))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
                    try pipeline.addHandler(AdminHandler(router))
                }
            }
            .bind(host: settings.adminHost, port: settings.adminPort)
            .get()
    }

    /// What the messages on a phone read, oldest first; of one whose parts are not all there, nothing.
    public func texts(of number: String) async -> [String] { await board.texts(of: number) }

    /// Closes everything and waits until it is closed.
    public func stop() async throws {
        await board.stop()
        // A listener that is already closed is what we want.
        try? await listener.close().get()
        for smsc in smscs { await smsc.stop() }
        try await group.shutdownGracefully()
    }
}
