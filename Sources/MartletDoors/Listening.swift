import NIOCore
import NIOPosix
import NIOSSL

/// Why a door cannot open. The words begin with the setting that is to be corrected.
public struct DoorFault: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: Equatable, Sendable {
        /// The address is reached from other machines and neither TLS nor a reason for plaintext is set.
        case plaintextBeyondLoopback(host: String)
        /// One of certificate and key is set, the other is not.
        case certificateWithoutKey
        case certificateUnreadable(reason: String)
        /// Clients are to show certificates, but there is no TLS to show them in.
        case authorityWithoutCertificate
        case authorityUnreadable(reason: String)
        case cannotListen(host: String, port: Int, reason: String)
    }

    /// First word of the door's settings: `http`, `smpp`.
    public var door: String
    public var reason: Reason

    public init(_ door: String, _ reason: Reason) {
        self.door = door
        self.reason = reason
    }

    public var description: String {
        switch reason {
        case .plaintextBeyondLoopback(let host):
            "\(door).listen: \(host) is reached from other machines; set \(door).tls, or give \(door).plaintextReason"
        case .certificateWithoutKey: "\(door).tls: certificate and key are set together or not at all"
        case .certificateUnreadable(let reason): "\(door).tls: the certificate or its key cannot be used: \(reason)"
        case .authorityWithoutCertificate:
            "\(door).tls.clientAuthority: clients show certificates over TLS only; set \(door).tls.certificate"
        case .authorityUnreadable(let reason): "\(door).tls.clientAuthority: the file cannot be used: \(reason)"
        case .cannotListen(let host, let port, let reason): "\(door).listen: cannot listen at \(host) port \(port): \(reason)"
        }
    }
}

/// Whether a client of a door with a `clientAuthority` may come without a certificate.
public enum ClientCertificates: String, CaseIterable, Sendable {
    case required
    case optional
}

/// What every door that listens has to decide about the wire: where, and whether in TLS.
struct Listening {
    /// First word of the door's settings, for faults.
    var door: String
    var host: String
    /// 0 takes a free one, for tests.
    var port: Int
    var plaintextReason: String?
    /// PEM files; both or none.
    var certificate: String?
    var key: String?
    /// PEM file of those whose signature on a client's certificate counts; nil: none is asked for.
    var clientAuthority: String?
    var clientCertificates = ClientCertificates.required
    /// What is offered in ALPN, the most wanted first.
    var protocols: [String] = []

    /// Checks address, the rule for plaintext and the TLS files. Reads files and resolves the host, so it may block briefly.
    /// - Returns: `tls` is nil where plaintext is spoken.
    func prepare() throws(DoorFault) -> (address: SocketAddress, tls: NIOSSLContext?) {
        guard (certificate == nil) == (key == nil) else { throw DoorFault(door, .certificateWithoutKey) }
        guard clientAuthority == nil || certificate != nil else { throw DoorFault(door, .authorityWithoutCertificate) }
        let address: SocketAddress
        do {
            address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        } catch {
            throw DoorFault(door, .cannotListen(host: host, port: port, reason: "the name does not resolve"))
        }
        guard let certificate, let key else {
            guard Listening.isLoopback(address) || plaintextReason?.isEmpty == false else {
                throw DoorFault(door, .plaintextBeyondLoopback(host: host))
            }
            return (address, nil)
        }
        return (address, try context(certificate, key))
    }

    static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return true }
        return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
    }

    /// TLS 1.2 and newer, from PEM files.
    private func context(_ certificate: String, _ key: String) throws(DoorFault) -> NIOSSLContext {
        var authorities: [NIOSSLCertificate] = []
        if let clientAuthority {
            do {
                authorities = try NIOSSLCertificate.fromPEMFile(clientAuthority)
            } catch {
                throw DoorFault(door, .authorityUnreadable(reason: "\(error)"))
            }
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = protocols
            configuration.shutdownTimeout = .milliseconds(HTTPLimit.lingering)
            if !authorities.isEmpty {
                configuration.trustRoots = .certificates(authorities)
                // Clients that hold several certificates choose by this list.
                configuration.sendCANameList = true
                configuration.certificateVerification = clientCertificates == .required ? .noHostnameVerification : .optionalVerification
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw DoorFault(door, .certificateUnreadable(reason: "\(error)"))
        }
    }

    /// Listens at the address that `prepare` found, on this loop, where `attach` builds the pipeline of each accepted connection and
    /// `then` hears of the listener and its address, or of why there is none.
    /// - Parameters:
    ///   - halfClosure: a peer that ends its side of the connection is still written to.
    ///   - readBytes: largest single read from a socket; four are made in a turn.
    func listen(
        at address: SocketAddress, on eventLoop: any EventLoop, halfClosure: Bool, readBytes: Int,
        attach: @escaping (any Channel) throws -> Void,
        then: @escaping (Result<(listener: any Channel, address: SocketAddress), DoorFault>) -> Void
    ) {
        let bound = NIOLoopBound(attach, eventLoop: eventLoop)
        let told = NIOLoopBound(then, eventLoop: eventLoop)
        let (door, host, port) = (door, host, port)
        ServerBootstrap(group: eventLoop, childGroup: eventLoop)
            .serverChannelOption(.backlog, value: Listening.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler()) }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: halfClosure)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: readBytes))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value(channel) }
            }
            .bind(to: address)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    guard let address = channel.localAddress else {
                        return told.value(
                            .failure(DoorFault(door, .cannotListen(host: host, port: port, reason: "the socket has no address"))))
                    }
                    told.value(.success((channel, address)))
                case .failure(let error):
                    told.value(.failure(DoorFault(door, .cannotListen(host: host, port: port, reason: "\(error)"))))
                }
            }
    }

    private static let backlog: Int32 = 1024
}
