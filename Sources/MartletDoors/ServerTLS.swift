import NIOCore
import NIOSSL

/// What every door that listens has to decide about the wire.
enum ServerTLS {
    static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return true }
        return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
    }

    /// TLS 1.2 and newer, from PEM files.
    static func context(certificate: String, key: String, protocols: [String]) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        configuration.shutdownTimeout = .milliseconds(HTTPLimit.lingering)
        return try NIOSSLContext(configuration: configuration)
    }
}
