import ArgumentParser
import Dispatch
import FoundationEssentials
import Glibc
import Guard
import Journal
import Logging
import MartletDesk
import MartletDoors
import MartletModel
import MartletNode
import NIOCore
import NIOPosix
import Threads

/// Exit codes of `serve`.
enum ExitStatus {
    static let badSettings: Int32 = 2
    static let dataInUse: Int32 = 3
    static let diskFailed: Int32 = 4
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs a node, and the desk beside it, until SIGTERM.",
        discussion: "Exit codes: 0 after a clean stop, 2 bad settings or a wrong key, 3 the data directory is in use, 4 the disk failed.")

    enum Role: String, ExpressibleByArgument, CaseIterable { case all, node, desk }

    @Option(help: "Settings file.") var config: String
    @Option(help: "Data directory; everything the node writes is under it.") var data: String
    @Option(help: "Which part runs here: all is a node that keeps a desk beside it as its child.") var role: Role = .all
    @Flag(help: .hidden) var supervised = false

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        // What the node writes is its own: nobody else reads or opens it.
        umask(0o077)
        LargeBlocks.areGivenBack()
        LoggingSystem.bootstrap { JSONLogHandler(label: $0) }
        let (settings, master) = try load(environment)
        if role == .desk { return try await serveDesk(settings, master, named(settings.nodeName, "desk")) }
        let logger = named(settings.nodeName)
        takeTurnsSoon(logger)
        try raiseFileLimit(settings.http.maximumConnections + settings.smpp.maximumConnections)
        let signals = Signals()

        let hot = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let control = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let background = DispatchQueue(label: "martlet.background")
        let (bound, opening) = try open(settings, master, hot.next(), logger, background)
        report(opening, logger)

        let readiness = Readiness()
        let groups: [String: GroupNumber]
        let sources: SourceFile
        do {
            groups = try NumberFile.numbers(of: settings.connections.map(\.group), in: "\(data)/groups")
            sources = try takeOver(settings)
        } catch {
            throw failure("\(error)", ExitStatus.badSettings)
        }
        let (file, learnt) = (config, "\(data)/receipt-forms")
        let server = try await hot.next().submit {
            let forms = ReceiptForms(path: learnt, background: background) { reason in
                logger.warning("receipt-forms: what was learnt of receipts is not kept", metadata: ["reason": "\(reason)"])
            }
            let server = Server(
                node: bound.value, logger: logger, settings: settings, settingsFile: file, registry: SourceRegistry(sources),
                groups: groups, receiptForms: forms, readiness: readiness)
            return NIOLoopBound(server, eventLoop: hot.next())
        }.get()
        try await start(server, settings, hot.next(), control, readiness, logger)
        logger.notice(
            "ready",
            metadata: [
                "http": "\(settings.http.host):\(settings.http.port)",
                "smpp": settings.smpp.accounts.isEmpty ? "off" : "\(settings.smpp.host):\(settings.smpp.port)",
                "metrics": "\(settings.ops.host):\(settings.ops.port)",
            ])

        let desk = role == .all && settings.desk.isEnabled ? superviseDesk(logger) : nil

        await signals.wait()
        logger.notice("stopping")
        desk?.beginStopping()
        readiness.set(["stopping"])
        await stop(server, hot.next(), desk, logger)
    }

    /// Sending waits for no slice of a program beside it, such as a database that catches up.
    private func takeTurnsSoon(_ logger: Logger) {
        switch ThreadSlice.shortenAll() {
        case .short: break
        case .unknown:
            logger.info(
                "this kernel has no slices of a thread's own (Linux 6.12 has); a busy program beside the node may be felt by sending")
        case .failed(let code):
            logger.info("the node's slices stay as they are", metadata: ["reason": "\(String(cString: strerror(code)))"])
        }
    }

    /// Only now, when the node works: it never waits for the desk.
    private func superviseDesk(_ logger: Logger) -> DeskSupervisor {
        let launch = DeskSupervisor.Launch(
            path: "/proc/self/exe",
            arguments: ["serve", "--role", "desk", "--supervised", "--config", config, "--data", data])
        let supervisor = DeskSupervisor(launch, logger: logger)
        supervisor.start()
        return supervisor
    }

    private func named(_ node: String, _ part: String = "martlet") -> Logger {
        var logger = Logger(label: part)
        logger[metadataKey: "node"] = "\(node)"
        return logger
    }

    private func load(_ environment: [String: String]) throws -> (ServerSettings, MasterKey) {
        do {
            let settings = try ServerSettings.read(
                file: config, dataDirectory: data, environment: environment, opensStore: role == .desk)
            return (settings, try AtRest.master(settings))
        } catch let mistakes as ServerSettings.Mistakes {
            throw failure(mistakes.lines.joined(separator: "\n"), ExitStatus.badSettings)
        } catch {
            throw failure("\(error)", ExitStatus.badSettings)
        }
    }

    private func open(
        _ settings: ServerSettings, _ master: MasterKey, _ loop: any EventLoop, _ logger: Logger, _ background: DispatchQueue
    ) throws -> (NIOLoopBound<Node>, Opening) {
        guard mkdir(data, 0o700) == 0 || errno == EEXIST else {
            throw failure("the data directory \(data) cannot be made: \(String(cString: strerror(errno)))", ExitStatus.diskFailed)
        }
        do {
            return try Node.open(settings.node, master: master, loop: loop, logger: logger, background: background) { _ in
                // The alarm is in the log. Nothing more may be promised: the supervisor starts the node again.
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(200)) { _exit(ExitStatus.diskFailed) }
            }
        } catch let fault as DirectoryLock.Fault {
            if case .inUse = fault { throw failure(fault.description, ExitStatus.dataInUse) }
            throw failure(fault.description, ExitStatus.diskFailed)
        } catch JournalError.inUse {
            throw failure("the data directory \(data) is in use by another process", ExitStatus.dataInUse)
        } catch let fault as SubjectKeyFault {
            throw failure(fault.description, ExitStatus.badSettings)
        } catch let fault as KeyStoreFault {
            throw failure(fault.description, fault.isDisk ? ExitStatus.diskFailed : ExitStatus.badSettings)
        } catch {
            throw failure("the journal cannot be opened: \(error)", ExitStatus.diskFailed)
        }
    }

    private func report(_ opening: Opening, _ logger: Logger) {
        logger.notice(
            "journal replayed",
            metadata: [
                "records": "\(opening.records)", "open": "\(opening.open)", "seconds": "\(opening.seconds)",
                "cleanStop": "\(opening.report.stoppedCleanly || opening.report.isEmpty)",
            ])
        if let torn = opening.report.tornEnd {
            logger.notice(
                "the last batch was torn by the crash; nobody was told it was durable",
                metadata: ["segment": "\(torn.segment)", "offset": "\(torn.offset)"])
        }
        for damage in opening.report.damage {
            logger.error(
                "the journal is damaged",
                metadata: [
                    "kind": "\(damage.kind.rawValue)", "segment": "\(damage.segment)", "offset": "\(damage.offset)",
                    "bytes": "\(damage.length)",
                    "salvaged": "\(damage.salvaged)", "lost": "\(damage.lost.map(String.init) ?? "unknown")",
                ])
        }
        if opening.unreadable > 0 {
            logger.error("records of a form this version does not know", metadata: ["count": "\(opening.unreadable)"])
        }
    }

    /// Sources of the settings file that the data directory does not know yet are made, without a key.
    private func takeOver(_ settings: ServerSettings) throws -> SourceFile {
        let present = try SourceFile.load(data)
        let fresh = settings.sources.filter { entry in !present.sources.contains { $0.name == entry.name } }
        guard !fresh.isEmpty else { return present }
        return try SourceFile.change(data) { file throws(SourceFile.Fault) in
            for entry in fresh {
                _ = try file.add(
                    entry.name, scopes: entry.scopes, senders: entry.senders, classes: entry.classes, sender: entry.sender,
                    messageClass: entry.messageClass, limits: entry.limits, certificates: entry.certificates, key: nil)
            }
            return file
        }
    }

    private func start(
        _ server: NIOLoopBound<Server>, _ settings: ServerSettings, _ loop: any EventLoop, _ control: MultiThreadedEventLoopGroup,
        _ readiness: Readiness, _ logger: Logger
    ) async throws {
        do {
            // Before the first message: it goes by the rules that were published, with no desk there to give them.
            let shelf = RulebookShelf(settings.node.localDirectory, zoneFile: ZoneFiles.read)
            let look = shelf.look(in: RulebookInUse.surroundings(settings), last: nil)
            try await loop.submit { server.value.rulebook.begin(server.value, look) }.get()
            let listening = loop.makePromise(of: Void.self)
            loop.execute {
                let it = server.value
                it.node.set(routes: it.rulebook.routes(it.settings, it.groups))
                it.node.set(connected: Server.connected(it.settings, it.groups))
                it.node.set(inbound: it.inboundRules(it.settings))
                it.node.set(texts: Server.texts(it.settings, it.groups))
                it.node.set(inquiries: Server.inquiries(it.settings, it.groups))
                // Before the first message: what it is told of stands in its record.
                it.takeTells(it.settings)
                it.door.start { result in listening.completeWith(result.map { _ in }.mapError { $0 as any Error }) }
            }
            try await listening.futureResult.get()
            if let missing = try await loop.submit({ server.value.missingSource(server.value.settings) }).get() {
                throw StartFault(description: missing)
            }
            if !settings.smpp.accounts.isEmpty {
                let listening = loop.makePromise(of: Void.self)
                loop.execute {
                    server.value.smppDoor.start { result in listening.completeWith(result.map { _ in }.mapError { $0 as any Error }) }
                }
                try await listening.futureResult.get()
            }
            _ = try await loop.flatSubmit {
                let it = server.value
                return ControlServer.start(path: it.settings.node.controlSocket, loop: loop) { it.control($0, $1, $2) }
            }.get()
            let (host, port) = try await loop.submit { server.value.settings.ops }.get()
            let ops = OpsListener(
                group: control, host: host, port: port,
                metrics: { Array(((try? await loop.submit { server.value.metricsText() }.get()) ?? "").utf8) },
                ready: { ReadyState(reasons: readiness.list) })
            do {
                _ = try await ops.start()
            } catch {
                throw StartFault(description: "metrics.listen: cannot listen at \(host):\(port): \(error)")
            }
            // Only now, when nothing can go wrong any more, is anything sent.
            try await loop.submit {
                let it = server.value
                try it.applyWebhooks(it.settings)
                for entry in it.settings.connections { try it.add(entry) }
                it.node.start()
            }.get()
        } catch {
            let journal = try? await loop.submit { server.value.node.takeJournal() }.get()
            await Task.detached { journal?.close() }.value
            try? await loop.submit { server.value.outbound }.get().stop()
            throw failure("\(error)", ExitStatus.badSettings)
        }
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(250)) { _ in readiness.set(server.value.node.notReadyReasons) }
        readiness.set([])
    }

    private struct StartFault: Error, CustomStringConvertible {
        var description: String
    }

    /// Drains within 10 s: no new work, open answers awaited, the log ended with a clean stop.
    private func stop(_ server: NIOLoopBound<Server>, _ loop: any EventLoop, _ desk: DeskSupervisor?, _ logger: Logger) async {
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(9)) {
            logger.warning("the stop took too long; what was on the wire is unknown, as after a crash")
            _exit(1)
        }
        let done = loop.makePromise(of: Void.self)
        loop.execute {
            let it = server.value
            it.node.beginStopping()
            it.stopDoors { it.node.drain { done.succeed() } }
        }
        try? await done.futureResult.get()
        let close = loop.makePromise(of: Void.self)
        let journal = try? await loop.submit { server.value.node.takeJournal() }.get()
        DispatchQueue.global().async {
            journal?.close()
            close.succeed()
        }
        try? await close.futureResult.get()
        try? await loop.submit { server.value.outbound }.get().stop()
        unlink("\(data)/control.sock")
        // Told to stop when the node was; what is left of the ten seconds is its own.
        await Task.detached { desk?.waitForEnd(.seconds(6)) }.value
        logger.notice("stopped")
        Glibc.exit(0)
    }

    private func raiseFileLimit(_ connections: Int) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let wanted = rlim_t(connections + 256)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    func failure(_ text: String, _ status: Int32) -> ExitCode {
        JSONLogHandler.toStandardError("martlet: \(text)\n")
        return ExitCode(status)
    }
}

extension KeyStoreFault {
    /// The disk's fault rather than the settings'.
    var isDisk: Bool {
        switch self {
        case .cannotWrite, .unreadable, .damaged: true
        case .wrongMasterKey, .missing, .incomplete, .readOnly, .exhausted, .rewrapping, .exists, .otherInstallation, .cipher: false
        }
    }
}

/// SIGTERM and SIGINT, once.
final class Signals {
    private let stream: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        self.stream = stream
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield() }
            source.resume()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
    }

    func wait() async {
        for await _ in stream { return }
    }
}
