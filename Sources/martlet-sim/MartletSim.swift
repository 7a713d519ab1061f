import ArgumentParser
import Dispatch
import MartletSimulators

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The world outside Martlet, simulated.
@main
struct MartletSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-sim",
        abstract: "The world outside Martlet, simulated: SMS operators, their admin API, and virtual handsets on a page.",
        discussion: "Exit: 0 after a clean stop, 1 when a port cannot be opened, 2 for bad settings.")

    @Option(name: .long, help: "Settings file; without one there is one operator, north.")
    var config: String?

    @Option(name: .customLong("smsc-port"), help: "Port of the first operator; those after it take the next ones. 0: any free ones.")
    var smscPort: Int?

    @Option(name: .customLong("admin-port"), help: "Port of the admin API and the handsets page. 0: any free one.")
    var adminPort: Int?

    @Flag(name: .customLong("print-ready"), help: "Print the ready line for programs: READY admin=HOST:PORT NAME=HOST:PORT ...")
    var printReady = false

    func run() async throws {
        let settings = try load()
        let signals = StopSignals()
        let world: Simulators
        do {
            world = try await Simulators.start(settings, nowMicros: Self.nowMicros())
        } catch {
            Self.complain("\(error)")
            throw ExitCode(1)
        }
        print(printReady ? Self.readyForPrograms(world) : Self.ready(world))
        fflush(nil)
        await signals.wait()
        try await world.stop()
    }

    private func load() throws -> SimulatorSettings {
        var settings: SimulatorSettings
        if let config {
            do {
                settings = try SettingsFile.read(config)
            } catch {
                for line in error.lines { Self.complain(line) }
                throw ExitCode(2)
            }
        } else {
            settings = SimulatorSettings(smscs: [SMSCSettings(name: "north")])
        }
        if let smscPort {
            for index in settings.smscs.indices {
                settings.smscs[index].port = smscPort == 0 ? 0 : smscPort &+ index
            }
            let last = smscPort &+ settings.smscs.count - 1
            if smscPort < 0 || last > 65_535 { try Self.refuse("--smsc-port: must leave \(settings.smscs.count) ports within 0 to 65535") }
        }
        if let adminPort {
            if !(0...65_535).contains(adminPort) { try Self.refuse("--admin-port: must lie in 0 to 65535") }
            settings.adminPort = adminPort
        }
        return settings
    }

    private static func refuse(_ line: String) throws -> Never {
        complain(line)
        throw ExitCode(2)
    }

    private static func ready(_ world: Simulators) -> String {
        let operators = world.smscs.map { "\($0.settings.name) \($0.endpoint)" }.joined(separator: ", ")
        return "martlet-sim is ready: operators (SMPP) \(operators); handsets http://\(world.adminEndpoint)/handsets; "
            + "admin API http://\(world.adminEndpoint)/sim/smsc. Ctrl-C stops."
    }

    private static func readyForPrograms(_ world: Simulators) -> String {
        (["READY", "admin=\(world.adminEndpoint)"] + world.smscs.map { "\($0.settings.name)=\($0.endpoint)" }).joined(separator: " ")
    }

    private static func complain(_ line: String) {
        // Nobody left to tell when this cannot be written.
        _ = Array("martlet-sim: \(line)\n".utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func nowMicros() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

/// Ctrl-C and SIGTERM as something to wait for.
private struct StopSignals: Sendable {
    private let stream: AsyncStream<Void>

    init() {
        stream = AsyncStream { continuation in
            var sources: [any DispatchSourceSignal] = []
            for number in [SIGINT, SIGTERM] {
                // Dispatch sees a signal only when its own action is off.
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield() }
                source.resume()
                sources.append(source)
            }
            let kept = SourceBox(sources)
            continuation.onTermination = { _ in kept.cancel() }
        }
    }

    func wait() async {
        for await _ in stream { return }
    }

    /// Holds the sources until the stream ends.
    // Set once in init and then only read; a dispatch source may be cancelled from any thread.
    private final class SourceBox: @unchecked Sendable {
        private let sources: [any DispatchSourceSignal]
        init(_ sources: [any DispatchSourceSignal]) { self.sources = sources }
        func cancel() { for source in sources { source.cancel() } }
    }
}
