import Glibc

/// Connects to a port of 127.0.0.1, without Nagle's delay.
/// - Returns: a blocking socket; nil when the port does not answer.
public func connectToLoopback(port: UInt16) -> CInt? {
    let file = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard file >= 0 else { return nil }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    guard connected == 0 else {
        close(file)
        return nil
    }
    var on: CInt = 1
    setsockopt(file, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    return file
}

/// From now on a read or write that would wait says `EAGAIN`.
public func stopBlocking(_ file: CInt) { _ = fcntl(file, F_SETFL, O_NONBLOCK) }
