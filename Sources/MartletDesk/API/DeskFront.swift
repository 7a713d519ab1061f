import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
public import Logging
import MartletModel
import NIOSSL
import Synchronization

/// What a desk waits for before it can begin to work. It listens meanwhile and says so.
public enum DeskWait: Equatable, Sendable {
    /// The node makes the keys of the installation when it first starts.
    case keys
    /// An import without a desk holds the keys of customers.
    case imports
    /// It alone knows whether there are customers whose keys were lost, before keys are made for new ones.
    case database

    /// In words that anybody may read: no host, no file, no data.
    var words: String {
        switch self {
        case .keys: "the node has not made the keys of this installation yet; start it"
        case .imports: "an import without a desk is under way; the desk begins when it ends"
        case .database: "the database is away; the desk begins when it is there"
        }
    }

    fileprivate var problem: APIProblem {
        let code = self == .database ? APIErrors.storeAway : APIErrors.starting
        return APIProblem(code, detail: words, headers: [APIHeader("Retry-After", "5")])
    }
}

/// The desk's socket, from before the desk can work to its end: who asks meanwhile hears what it waits for.
public final class DeskFront: Sendable {
    private struct State {
        var responder: RouterResponder<BasicRequestContext>?
        var wait: DeskWait?
        var task: Task<Void, any Error>?
        var port: Int?
    }

    private let settings: DeskSettings
    private let logger: Logger
    let counters = DeskCounters()
    private let state = Mutex(State())

    public init(_ settings: DeskSettings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// Until somebody serves: what the desk waits for; nil: it is about to serve.
    public func waits(for wait: DeskWait?) { state.withLock { $0.wait = wait } }

    /// From now on these routes answer.
    func serve(_ router: Router<BasicRequestContext>) {
        let responder = router.buildResponder()
        state.withLock { $0.responder = responder }
    }

    /// - Returns: the port; where it listens already, that one.
    /// - Throws: `DeskListenerFault`.
    @discardableResult public func start() async throws -> Int {
        if let port = state.withLock({ $0.port }) { return port }
        let tls = try DeskFront.transport(settings)
        let http = HTTP1Channel.Configuration(
            idleTimeout: .seconds(60),
            httpDecoderConfiguration: .init(maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64))
        let server: HTTPServerBuilder =
            if let tls {
                try .http2Upgrade(tlsConfiguration: tls, configuration: .init(idleTimeout: .seconds(60), streamConfiguration: http))
            } else {
                .http1(configuration: http)
            }
        let (started, listening) = AsyncStream<Int>.makeStream()
        // What goes wrong with a request is an answer and a line of ours; what is left are clients that hang up, and our own stop.
        var quiet = logger
        quiet.logLevel = .critical
        let (host, port) = (settings.host, settings.port)
        let application = Application(
            responder: Answering(front: self), server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
            onServerRunning: { channel in listening.yield(channel.localAddress?.port ?? 0) }, logger: quiet)
        let task = Task {
            defer { listening.finish() }
            try await application.run()
        }
        state.withLock { $0.task = task }
        for await bound in started {
            state.withLock { $0.port = bound }
            return bound
        }
        switch await task.result {
        case .success: throw DeskListenerFault("desk.listen: \(host) port \(port): ended before it listened")
        case .failure(let error): throw DeskListenerFault("desk.listen: cannot listen at \(host) port \(port): \(error)")
        }
    }

    /// Takes no more connections, gives open requests up, and returns when all is closed.
    public func stop() async {
        let task = state.withLock { state in
            defer { (state.task, state.port, state.responder) = (nil, nil, nil) }
            return state.task
        }
        task?.cancel()
        do {
            try await task?.value
        } catch {
            // Cancelled, as it was told.
            logger.debug("the listener ended", metadata: ["reason": "\(error)"])
        }
    }

    /// The rules for plaintext and the files of TLS.
    /// - Returns: nil: plaintext.
    private static func transport(_ settings: DeskSettings) throws(DeskListenerFault) -> TLSConfiguration? {
        if let fault = settings.faults.first { throw DeskListenerFault("\(fault.setting.path): \(fault.reason)") }
        guard let certificate = settings.certificate, let key = settings.key else { return nil }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            _ = try NIOSSLContext(configuration: configuration)
            return configuration
        } catch {
            throw DeskListenerFault("desk.tls: the certificate or its key cannot be used: \(error)")
        }
    }

    // MARK: While it waits

    private struct Answering: HTTPResponder {
        typealias Context = BasicRequestContext
        let front: DeskFront

        func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
            if let responder = front.state.withLock({ $0.responder }) { return try await responder.respond(to: request, context: context) }
            return front.waiting(request.uri.path).response
        }
    }

    /// The few paths that need neither store nor keys, and for all others what is waited for.
    private func waiting(_ path: String) -> APIAnswer {
        let wait = state.withLock { $0.wait }
        let reasons = [wait?.words ?? "the desk starts"]
        let answer =
            switch path {
            case "/healthz": APIAnswer.text("ok\n")
            case "/readyz": HealthRoutes.answer(reasons)
            case "/metrics": HealthRoutes.page(counters.text(isReady: false, isConnected: false, waiting: 0))
            case "/openapi.json": HealthRoutes.openAPI(APIDocument.operations)
            default:
                (wait?.problem ?? APIProblem(APIErrors.starting, detail: reasons[0], headers: [APIHeader("Retry-After", "1")])).answer
            }
        counters.answered(answer.status)
        return answer
    }
}
