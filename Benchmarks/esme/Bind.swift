import Glibc
import Measure

/// One SMPP bind with raw octets: submits up to its window, answers what comes, counts. Nothing of the product's own SMPP is used, so
/// that neither can hide the other's mistakes.
final class Bind {
    let file: CInt
    private let window: Int
    private let receipts: Bool
    /// Each submit carries the low bits of its number as user_message_reference, which comes back in its receipt.
    private let marks: Bool
    private var sentAt: [UInt64]
    private var open = 0
    private var sequence: UInt32 = 1
    private var incoming = [UInt8](repeating: 0, count: 1 << 18)
    private var held = 0
    private var out: [UInt8] = []
    private(set) var accepted = 0
    private(set) var refused = 0
    private(set) var told = 0
    private(set) var wants = true
    private static let text = Array(
        "Payment 0000000000 of 1129.50 EUR to Nordic Lamps is waiting for you. Confirm it in the app by 18:00.".utf8)

    /// Connects and binds as transceiver; ends the program when that is refused.
    init(port: UInt16, systemID: String, password: String, window: Int, receipts: Bool, marks: Bool, arguments: borrowing Arguments) {
        self.window = window
        self.receipts = receipts
        self.marks = marks
        // Answers come in any order: times are kept by the low bits of the sequence number.
        sentAt = Array(repeating: 0, count: 1 << 16)
        guard let file = connectToLoopback(port: port) else { arguments.stop("cannot connect to port \(port)") }
        self.file = file
        let body = Array(systemID.utf8) + [0] + Array(password.utf8) + [0, 0, 0x34, 0, 0, 0]
        put(command: 9, sequence: 0, body)
        flush()
        var header = [UInt8](repeating: 0, count: 16)
        guard recv(file, &header, 16, CInt(MSG_WAITALL)) == 16, header[8..<12].allSatisfy({ $0 == 0 }) else {
            arguments.stop("the bind was refused")
        }
        var rest = [UInt8](repeating: 0, count: Int(header[3]) - 16)
        _ = recv(file, &rest, rest.count, CInt(MSG_WAITALL))
        stopBlocking(file)
    }

    /// No more is submitted; what is open is waited for.
    func stopSubmitting() { wants = false }
    var isIdle: Bool { open == 0 }

    /// - Parameter limit: no serial number from this one on is due yet.
    func submit(at now: UInt64, serial: inout UInt64, before limit: UInt64) {
        while wants, open < window, serial < limit {
            sequence = sequence == 0x7FFF_FFFF ? 1 : sequence + 1
            sentAt[Int(sequence & 0xFFFF)] = now
            open += 1
            serial += 1
            let number = 447_700_000_000 + serial % 1_000_000
            var body: [UInt8] = [0, 5, 0]
            body.reserveCapacity(160)
            body += "HARBOUR".utf8
            body += [0, 1, 1]
            body += String(number).utf8
            body += [0, 0, 0, 0, 0, 0, receipts ? 1 : 0, 0, 0, 0, UInt8(Bind.text.count)]
            body += Bind.text
            var digits = serial
            for place in 0..<10 {
                body[body.count - Bind.text.count + 17 - place] = UInt8(48 + digits % 10)
                digits /= 10
            }
            if marks { body += [0x02, 0x04, 0, 2, UInt8(truncatingIfNeeded: sequence >> 8), UInt8(truncatingIfNeeded: sequence)] }
            put(command: 4, sequence: sequence, body)
        }
        flush()
    }

    /// - Returns: false when the connection ended.
    func receive(at now: UInt64, latencies: inout Histogram, waits: inout Histogram) -> Bool {
        let room = incoming.count - held
        let count = incoming.withUnsafeMutableBytes { recv(file, $0.baseAddress! + held, room, 0) }
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        if count == 0 { return false }
        held += count
        var at = 0
        while held - at >= 16 {
            let length = Int(word(at))
            guard held - at >= length else { break }
            handle(at, length, now, &latencies, &waits)
            at += length
        }
        _ = incoming.withUnsafeMutableBytes { memmove($0.baseAddress!, $0.baseAddress! + at, held - at) }
        held -= at
        return true
    }

    private func word(_ at: Int) -> UInt32 {
        UInt32(incoming[at]) << 24 | UInt32(incoming[at + 1]) << 16 | UInt32(incoming[at + 2]) << 8 | UInt32(incoming[at + 3])
    }

    /// user_message_reference of the deliver_sm at `at`.
    private func mark(_ at: Int, _ length: Int) -> Int? {
        var place = at + 16
        func passText() {
            while place < at + length, incoming[place] != 0 { place += 1 }
            place += 1
        }
        passText()
        for _ in 0..<2 {
            place += 2
            passText()
        }
        place += 3
        passText()
        passText()
        place += 4
        guard place < at + length else { return nil }
        place += 1 + Int(incoming[place])
        while place + 4 <= at + length {
            let size = Int(incoming[place + 2]) << 8 | Int(incoming[place + 3])
            if incoming[place] == 0x02, incoming[place + 1] == 0x04, size == 2, place + 6 <= at + length {
                return Int(incoming[place + 4]) << 8 | Int(incoming[place + 5])
            }
            place += 4 + size
        }
        return nil
    }

    private func handle(_ at: Int, _ length: Int, _ now: UInt64, _ latencies: inout Histogram, _ waits: inout Histogram) {
        let number = word(at + 12)
        switch word(at + 4) {
        case 0x8000_0004:
            open -= 1
            if word(at + 8) == 0 { accepted += 1 } else { refused += 1 }
            latencies.record(now - sentAt[Int(number & 0xFFFF)])
        case 5:
            told += 1
            if marks, let mark = mark(at, length) { waits.record(now - sentAt[mark]) }
            put(command: 0x8000_0005, sequence: number, [0])
        case 0x15: put(command: 0x8000_0015, sequence: number, [])
        default: break
        }
    }

    private func put(command: UInt32, sequence: UInt32, _ body: [UInt8]) {
        for value in [UInt32(16 + body.count), command, 0, sequence] {
            out.append(UInt8(truncatingIfNeeded: value >> 24))
            out.append(UInt8(truncatingIfNeeded: value >> 16))
            out.append(UInt8(truncatingIfNeeded: value >> 8))
            out.append(UInt8(truncatingIfNeeded: value))
        }
        out += body
    }

    func flush() {
        var at = 0
        while at < out.count {
            let count = out.withUnsafeBytes { send(file, $0.baseAddress! + at, out.count - at, CInt(MSG_NOSIGNAL)) }
            if count < 0 {
                guard errno == EAGAIN || errno == EINTR else { break }
                var waits = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waits, 1, 1000)
            } else {
                at += count
            }
        }
        out.removeAll(keepingCapacity: true)
    }
}
