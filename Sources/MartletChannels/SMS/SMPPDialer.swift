import NIOCore
import NIOPosix
import NIOSSL

/// Opens the transport of a bind: a seam so that tests can give an embedded channel.
protocol SMPPDialer {
    /// The handler is in the channel's pipeline before it becomes active.
    func dial(_ handler: SMPPHandler, on loop: any EventLoop) -> EventLoopFuture<any Channel>
}

/// TCP, with TLS where the settings ask for it.
struct SMPPSocketDialer: SMPPDialer {
    let host: String
    let port: Int
    let timeout: TimeAmount
    /// Nil: plaintext.
    let tls: NIOSSLContext?

    /// - Throws: when a TLS file cannot be read or is none.
    init(_ settings: SMPPConnectionSettings) throws(SMPPSettingsFault) {
        host = settings.host
        port = settings.port
        timeout = .milliseconds(settings.bindTimeout)
        tls = settings.tls ? try SMPPSocketDialer.context(settings) : nil
    }

    private static func context(_ settings: SMPPConnectionSettings) throws(SMPPSettingsFault) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        // A stop must not wait for a peer that does not answer the end of TLS.
        configuration.shutdownTimeout = .milliseconds(500)
        var setting = "tlsAuthority"
        do {
            if let authority = settings.tlsAuthority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
            }
            if let certificate = settings.tlsCertificate, let key = settings.tlsKey {
                setting = "tlsCertificate"
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
                setting = "tlsKey"
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw SMPPSettingsFault(setting: setting, reason: "cannot be used: \(error)")
        }
    }

    /// Names are sent in the handshake and checked; an address is checked against the peer's own, since RFC 6066, section 3, allows
    /// no address there.
    private var serverName: String? {
        (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }

    func dial(_ handler: SMPPHandler, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(handler, eventLoop: loop)
        let (tls, serverName) = (tls, serverName)
        return ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName))
                    }
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(host: host, port: port)
    }
}
