import FoundationEssentials
import Glibc

/// Asks a running node through its control socket; for the command line. Blocks.
public enum ControlClient {
    public enum Fault: Error, CustomStringConvertible {
        case notRunning(path: String)
        case broken(reason: String)

        public var description: String {
            switch self {
            case .notRunning(let path): "no node answers at \(path): start it with `martlet serve`, or name its data directory with --data"
            case .broken(let reason): "the node broke off: \(reason)"
            }
        }
    }

    /// - Parameters:
    ///   - seconds: longest silence.
    ///   - progress: gets each line before the answer.
    public static func ask(
        _ request: ControlRequest, socket path: String, seconds: Int = 30, progress: (ControlAnswer) -> Void = { _ in }
    ) throws -> ControlAnswer {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { throw Fault.broken(reason: String(cString: strerror(errno))) }
        defer { close(file) }
        try connect(file, path)
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var line = try JSONEncoder().encode(request)
        line.append(0x0A)
        let sent = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard sent == line.count else { throw Fault.broken(reason: String(cString: strerror(errno))) }
        var rest = Data()
        while true {
            let answer = try JSONDecoder().decode(ControlAnswer.self, from: nextLine(file, &rest))
            guard answer.more == true else { return answer }
            progress(answer)
        }
    }

    private static func connect(_ file: Int32, _ path: String) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Fault.broken(reason: "the path of the control socket is longer than the system allows: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            throw code == ENOENT || code == ECONNREFUSED
                ? Fault.notRunning(path: path) : Fault.broken(reason: String(cString: strerror(code)))
        }
    }

    /// The next line; what came behind it stays in `rest`.
    private static func nextLine(_ file: Int32, _ rest: inout Data) throws -> Data {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                defer { rest = Data(rest[(end + 1)...]) }
                return Data(rest[..<end])
            }
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { throw Fault.broken(reason: count == 0 ? "no answer" : String(cString: strerror(errno))) }
            rest.append(contentsOf: buffer[..<count])
        }
    }
}
