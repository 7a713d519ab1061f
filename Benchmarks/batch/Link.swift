import Glibc
import Measure

/// One connection: a request of so many lines, whose serials change from batch to batch, and the answers to it, chunked.
final class Link {
    let file: CInt
    private var request: [UInt8]
    /// Where each line's ten digits stand.
    private var serials: [Int] = []
    /// Those of its number and its reference, where each line has its own.
    private var numbers: [Int] = []
    private var references: [Int] = []
    private var written = 0
    private var input = [UInt8](repeating: 0, count: 1 << 18)
    private var line: [UInt8] = []
    private var place = Place.head
    private var chunkLeft = 0
    private let lines: Int
    private(set) var isOpen = true
    private(set) var sent = 0
    private(set) var accepted = 0
    private(set) var refused = 0
    private(set) var batches = 0
    /// Status of the first line or head that was no 202 or 200.
    private(set) var refusal = ""

    private enum Place { case head, size, data, afterData, trailer, whole }
    private static let good = Array(#"{"status":202,"#.utf8)

    init(port: UInt16, key: String, lines: Int, messageClass: String, isMany: Bool, arguments: borrowing Arguments) {
        self.lines = lines
        let text = "of 1129.50 EUR to Nordic Lamps is waiting for you. Confirm it in the app by 18:00."
        let digits = String(repeating: "0", count: 10)
        let head = isMany ? #"{"to":"+44"# : #"{"to":"+447700900123","text":"Payment "#
        let middle = isMany ? #"\#(digits)","reference":"r-\#(digits)","text":"Payment "# : ""
        let front = Array((head + middle).utf8)
        let back = Array(" \(text)\",\"from\":\"HARBOUR\",\"class\":\"\(messageClass)\"}\n".utf8)
        let size = lines * (front.count + 10 + back.count)
        request = Array(
            """
            POST /v1/messages:batch HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(key)\r\n\
            Content-Type: application/x-ndjson\r\nContent-Length: \(size)\r\n\r\n
            """.utf8)
        request.reserveCapacity(request.count + size)
        for _ in 0..<lines {
            if isMany {
                numbers.append(request.count + head.utf8.count)
                references.append(request.count + head.utf8.count + 10 + #"","reference":"r-"#.utf8.count)
            }
            request += front
            serials.append(request.count)
            request += [UInt8](repeating: 48, count: 10)
            request += back
        }
        guard let file = connectToLoopback(port: port) else { arguments.stop("cannot connect to port \(port)") }
        self.file = file
        stopBlocking(file)
    }

    /// The whole answer of the last batch was read.
    var isWhole: Bool { isOpen && place == .whole }
    var events: Int16 { Int16(POLLIN) | (written < request.count ? Int16(POLLOUT) : 0) }

    func begin(_ serial: inout UInt64) {
        for (line, at) in serials.enumerated() {
            write(serial, at)
            if !numbers.isEmpty {
                // A step that shares no factor with a million walks over all numbers before one returns.
                write(7_700_000_000 + serial &* 7919 % 1_000_000, numbers[line])
                write(serial, references[line])
            }
            serial += 1
        }
        (written, place) = (0, .head)
        sent += lines
        batches += 1
        go()
    }

    /// Ten digits.
    private func write(_ number: UInt64, _ at: Int) {
        var rest = number
        for digit in 0..<10 {
            request[at + 9 - digit] = 48 + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// Writes and reads what the socket takes and has; closes where that ends.
    func go() {
        guard isOpen else { return }
        while written < request.count {
            let count = request.withUnsafeBytes { send(file, $0.baseAddress! + written, request.count - written, CInt(MSG_NOSIGNAL)) }
            if count > 0 { written += count } else if errno == EAGAIN || errno == EINTR { break } else { return end() }
        }
        while place != .whole {
            let count = recv(file, &input, input.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            if count <= 0 { return end() }
            for at in 0..<count { take(input[at]) }
        }
    }

    func end() {
        guard isOpen else { return }
        isOpen = false
        close(file)
    }

    private func take(_ octet: UInt8) {
        switch place {
        case .data:
            chunkLeft -= 1
            if octet == 10 { answered() } else { line.append(octet) }
            if chunkLeft == 0 { place = .afterData }
        case .head, .size, .afterData, .trailer:
            if octet != 10 {
                if octet != 13 { line.append(octet) }
                return
            }
            let text = String(decoding: line, as: UTF8.self)
            line.removeAll(keepingCapacity: true)
            lineOfHead(text)
        case .whole: break
        }
    }

    private func lineOfHead(_ text: String) {
        switch place {
        case .head:
            if text.hasPrefix("HTTP/"), !text.hasPrefix("HTTP/1.1 200") {
                if refusal.isEmpty { refusal = String(text.dropFirst(9).prefix(3)) }
                end()
            }
            if text.isEmpty { place = .size }
        case .size:
            chunkLeft = Int(text, radix: 16) ?? 0
            place = chunkLeft == 0 ? .trailer : .data
        case .afterData: place = .size
        case .trailer: if text.isEmpty { place = .whole }
        case .data, .whole: break
        }
    }

    private func answered() {
        if line.starts(with: Link.good) {
            accepted += 1
        } else {
            refused += 1
            if refusal.isEmpty { refusal = String(decoding: line.dropFirst(10).prefix(3), as: UTF8.self) }
        }
        line.removeAll(keepingCapacity: true)
    }
}
