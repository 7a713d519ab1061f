import Guard
import NIOCore
import NIOSSL

/// What the peer of a connection showed of itself.
enum PeerCertificate {
    /// The certificate that the TLS handshake verified; nil: there is none, or no TLS.
    static func of(_ channel: any Channel) -> ClientCertificate? {
        do {
            guard let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate() else { return nil }
            return ClientCertificate(der: try certificate.toDERBytes())
        } catch {
            // No handler of TLS is there: plaintext shows nothing.
            return nil
        }
    }
}
