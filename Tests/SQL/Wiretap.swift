import Foundation
import Testing

/// A port of loopback between a client and a server, which keeps what the client said.
final class Wiretap: Sendable {
    /// The eight octets by which a client of PostgreSQL asks for TLS (protocol 3.0, SSLRequest).
    static let request: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]

    let port: Int
    private let listener: Int32
    private let lock = NSLock()
    nonisolated(unsafe) private var heard: [[UInt8]] = []  // under `lock`
    nonisolated(unsafe) private var open: [Int32] = []  // under `lock`

    /// - Parameters:
    ///   - server: port of loopback where everything goes on to.
    ///   - answering: instead of a server, these octets to the first that a client says, and then the end.
    init(to server: Int, answering: [UInt8]?) throws {
        let entrance = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Wiretap.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(entrance, $0, length) == 0 && listen(entrance, 16) == 0 ? getsockname(entrance, $0, &length) : -1
            }
        }
        try #require(result == 0)
        listener = entrance
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(entrance, nil, nil)
                guard client >= 0 else { return }
                let number = lock.withLock {
                    heard.append([])
                    open.append(client)
                    return heard.count - 1
                }
                Thread.detachNewThread { [self] in serve(client, number, server, answering) }
            }
        }
    }

    /// Ends every connection.
    /// - Returns: what each client said, in the order in which they came.
    func end() -> [[UInt8]] {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        return lock.withLock {
            for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return heard
        }
    }

    private func serve(_ client: Int32, _ number: Int, _ server: Int, _ answering: [UInt8]?) {
        let other = answering == nil ? connected(to: server) : -1
        if other >= 0 {
            lock.withLock { open.append(other) }
            Thread.detachNewThread { Wiretap.copy(other, client) { _ in } }
        }
        Wiretap.copy(client, other) { [self] octets in
            lock.withLock { heard[number] += octets }
            guard let answering else { return }
            _ = send(client, answering, answering.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Until `from` ends; `to` is told so. Descriptors stay with the process, which is a test's.
    private static func copy(_ from: Int32, _ to: Int32, _ each: ([UInt8]) -> Void) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            each(Array(bytes[..<count]))
            if to >= 0 { _ = send(to, bytes, count, Int32(MSG_NOSIGNAL)) }
        }
        if to >= 0 { shutdown(to, Int32(SHUT_RDWR)) }
    }

    private func connected(to port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Wiretap.loopback(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        return result == 0 ? descriptor : -1
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
