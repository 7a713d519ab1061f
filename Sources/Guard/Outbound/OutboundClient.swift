import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// One request to another machine.
public struct OutboundRequest: Sendable {
    public enum Method: String, Sendable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE" }
    public var method: Method
    public var url: OutboundURL
    /// Of the caller's own making. Host and framing are the client's.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Milliseconds from the start to the last byte of the answer, resolving and connecting included.
    public var timeout: Int64
    /// Bytes of the answer's body that are read at most.
    public var maximumAnswer: Int

    public init(
        _ method: Method, _ url: OutboundURL, headers: [(name: String, value: String)] = [], body: [UInt8] = [], timeout: Int64 = 15_000,
        maximumAnswer: Int = 4096
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maximumAnswer = maximumAnswer
    }
}

/// What came back. The body is for machines: it is shown to nobody and stands in no log.
public struct OutboundAnswer: Sendable {
    public var status: Int
    public var body: [UInt8]
    /// There was more than the caller wanted to read.
    public var isCut: Bool
}

/// The only code of Martlet that opens HTTP connections to other machines. Goes nowhere that the administrator did not allow: the URL is
/// read strictly, its name resolved once, every address judged, and the connection made to that very address, while TLS still asks for
/// the name. No redirects, no proxies, no decompression; everything is bounded in time and size.
public final class OutboundClient: Sendable {
    public struct Options: Sendable {
        /// Milliseconds for TCP and TLS.
        public var connectTimeout: Int64 = 5000
        /// Milliseconds that looking up a name may take: enough for the system to turn from a dead name server to the next (5 s;
        /// resolv.conf(5), timeout).
        public var lookupTimeout: Int64 = 10_000
        /// Milliseconds that the addresses of a name are used again.
        public var namesKept: Int64 = 30_000
        /// Connections to one place.
        public var connections = 64
        /// PEM file with authorities that are trusted beside the system's.
        public var authority: String?
        public init() {}
    }

    private let rules: Mutex<OutboundRules>
    private let group: MultiThreadedEventLoopGroup
    private let lookups: OutboundLookups
    private let pins: OutboundPins
    private let stopping = Mutex(false)

    /// Addresses of one name that are tried for one request.
    private static let triesMaximum = 3

    /// Call `stop` before it goes.
    /// - Throws: when the file of authorities cannot be read.
    public init(_ rules: OutboundRules, _ options: Options = Options(), resolver: OutboundResolver = .system) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let file = options.authority { tls.additionalTrustRoots = [.certificates(try OutboundClient.authorities(file))] }
        // No thread before the last thing that can fail: there would be nobody to end it.
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.rules = Mutex(rules)
        lookups = OutboundLookups(
            resolver, group.next(), limit: .milliseconds(options.lookupTimeout), kept: .milliseconds(options.namesKept))
        pins = OutboundPins(group, tls, options)
    }

    private static func authorities(_ file: String) throws -> [NIOSSLCertificate] { try NIOSSLCertificate.fromPEMFile(file) }

    /// Certificates in a PEM file of authorities, before it is used.
    public static func authorityCount(_ file: String) throws -> Int { try authorities(file).count }

    /// Places with a client of their own, for tests.
    var placeCount: Int { pins.count }

    public func replace(_ fresh: OutboundRules) { rules.withLock { $0 = fresh } }

    /// No request after this one. Waits for nothing that hangs.
    public func stop() async {
        guard
            !stopping.withLock({ was in
                defer { was = true }; return was
            })
        else { return }
        lookups.stop()
        await pins.stop()
        do {
            try await group.shutdownGracefully()
        } catch {
            // It ends with the process; there is nobody left to tell.
        }
    }

    public func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundAnswer {
        guard !stopping.withLock({ $0 }) else { throw .stopped }
        let deadline = NIODeadline.now() + .milliseconds(request.timeout)
        let found = try await addresses(of: request.url, deadline)
        let allowed = try rules.withLock { $0 }.judge(request.url, found)
        for address in allowed.prefix(OutboundClient.triesMaximum) {
            do throws(OutboundFault) {
                let answer = try await exchange(request, at: address, deadline)
                if case .name(let name) = request.url.host { lookups.prefer(address, of: name) }
                return answer
            } catch .noConnection {
                continue
            } catch {
                throw error
            }
        }
        if case .name(let name) = request.url.host { lookups.forget(name) }
        throw .noConnection
    }

    private func addresses(of url: OutboundURL, _ deadline: NIODeadline) async throws(OutboundFault) -> [OutboundAddress] {
        switch url.host {
        case .address(let address): [address]
        case .name(let name): try await lookups.addresses(of: name, deadline)
        }
    }

    // MARK: Exchange

    private func exchange(
        _ request: OutboundRequest, at address: OutboundAddress, _ deadline: NIODeadline
    ) async throws(OutboundFault) -> OutboundAnswer {
        guard let pin = pins.take(request.url.host, address) else { throw .stopped }
        defer { pins.give(pin) }
        var wire = HTTPClientRequest(url: request.url.text)
        wire.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers { wire.headers.add(name: name, value: value) }
        if !request.body.isEmpty { wire.body = .bytes(ByteBuffer(bytes: request.body)) }
        let maximum = request.maximumAnswer
        do {
            return try await withThrowingTaskGroup(of: OutboundAnswer.self) { [wire] tasks in
                defer { tasks.cancelAll() }
                tasks.addTask {
                    let response = try await pin.client.execute(wire, deadline: deadline)
                    return try await OutboundClient.whole(response, maximum)
                }
                tasks.addTask {
                    try await Task.sleep(for: .nanoseconds(max(0, (deadline - .now()).nanoseconds)))
                    throw OutboundFault.timedOut
                }
                guard let first = try await tasks.next() else { throw OutboundFault.broken }
                return first
            }
        } catch {
            throw OutboundClient.fault(error)
        }
    }

    private static func whole(_ response: HTTPClientResponse, _ maximum: Int) async throws -> OutboundAnswer {
        var answer = OutboundAnswer(status: Int(response.status.code), body: [], isCut: false)
        for try await piece in response.body {
            let room = maximum - answer.body.count
            answer.body.append(contentsOf: piece.readableBytesView.prefix(room))
            if piece.readableBytes > room {
                answer.isCut = true
                break
            }
        }
        return answer
    }

    private static func fault(_ error: any Error) -> OutboundFault {
        switch error {
        case let fault as OutboundFault: return fault
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout: return .noConnection
            case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout: return .timedOut
            case .tlsHandshakeTimeout: return .tls
            case .alreadyShutdown, .cancelled: return .stopped
            default: return .broken
            }
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: return .tls
        case let error as IOError:
            return [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL].contains(error.errnoCode) ? .noConnection : .broken
        case is CancellationError: return .stopped
        default: return .broken
        }
    }
}

/// Clients of the library below, each bound to one host at one address, so that no name is resolved again behind our back.
final class OutboundPins: Sendable {
    struct Key: Hashable {
        var host: OutboundURL.Host
        var address: OutboundAddress
    }

    struct Pin: Sendable {
        var key: Key
        var client: HTTPClient
    }

    private struct Entry {
        var client: HTTPClient
        var inUse = 0
        var usedAt = NIODeadline.now()
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let group: MultiThreadedEventLoopGroup
    private let configuration: HTTPClient.Configuration
    /// Kept open, idle ones included. In use there may be more.
    static let maximum = 64

    init(_ group: MultiThreadedEventLoopGroup, _ tls: TLSConfiguration, _ options: OutboundClient.Options) {
        self.group = group
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .milliseconds(options.connectTimeout)
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = options.connections
        // A refused connection is an answer; whoever sends decides about the next try.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.configuration = configuration
    }

    /// Nil when all is stopped.
    func take(_ host: OutboundURL.Host, _ address: OutboundAddress) -> Pin? {
        let key = Key(host: host, address: address)
        let (pin, old) = state.withLock { state -> (Pin?, [HTTPClient]) in
            guard !state.isStopped else { return (nil, []) }
            var old: [HTTPClient] = []
            if state.entries[key] == nil {
                while state.entries.count >= OutboundPins.maximum,
                    let oldest = state.entries.filter({ $0.value.inUse == 0 }).min(by: { $0.value.usedAt < $1.value.usedAt })
                {
                    state.entries[oldest.key] = nil
                    old.append(oldest.value.client)
                }
            }
            var entry = state.entries[key] ?? Entry(client: make(key))
            entry.inUse += 1
            entry.usedAt = .now()
            state.entries[key] = entry
            return (Pin(key: key, client: entry.client), old)
        }
        if !old.isEmpty { Task { for client in old { await OutboundPins.end(client) } } }
        return pin
    }

    var count: Int { state.withLock { $0.entries.count } }

    func give(_ pin: Pin) {
        state.withLock { state in
            guard var entry = state.entries[pin.key] else { return }
            entry.inUse -= 1
            state.entries[pin.key] = entry
        }
    }

    func stop() async {
        let all = state.withLock { state -> [HTTPClient] in
            state.isStopped = true
            defer { state.entries.removeAll() }
            return state.entries.values.map(\.client)
        }
        for client in all { await OutboundPins.end(client) }
    }

    private func make(_ key: Key) -> HTTPClient {
        var configuration = self.configuration
        if case .name(let name) = key.host { configuration.dnsOverride = [name: key.address.description] }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    private static func end(_ client: HTTPClient) async {
        do {
            try await client.shutdown()
        } catch {
            // It was ended before; what it held is closed either way.
        }
    }
}
