import CEpoll
import Glibc
import Measure

/// What to send, where, and for how long.
struct Plan {
    var address: in_addr
    var port: UInt16
    var connections: Int
    /// Requests a second, each with a due time; nil: a new request as soon as the last one was answered.
    var rate: Double?
    var seconds: Double
    var count: Int
    var firstSerial: UInt64
    var expected: Int
    var keepsTimes: Bool
}

/// When one request was due, sent and answered, in wall microseconds; `status` 0: no answer.
struct Times {
    var serial: UInt64
    var due: UInt64
    var sent: UInt64
    var answered: UInt64
    var status: Int
}

/// Keeps every connection busy (closed loop) or sends at due times (open loop), on one thread and one epoll.
/// Each connection has at most one request open, so one read is one answer and the cost stays a write and a read.
final class Generator {
    private struct Link {
        var socket: CInt
        var serial: UInt64 = 0
        var due: UInt64 = 0
        var sent: UInt64 = 0
        var record = -1
        var partial: [UInt8] = []
    }

    private let plan: Plan
    private let request: Request
    private let poll: CInt
    private var links: [Link] = []
    private var free: [Int] = []
    private var open = 0
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

    private(set) var sent = 0
    private(set) var statuses: [Int: Int] = [:]
    private(set) var latency = Histogram()
    private(set) var reconnects = 0
    private(set) var broken = 0
    private(set) var times: [Times] = []
    /// Steady nanoseconds of the first request and the last answer.
    private(set) var started: UInt64 = 0
    private(set) var ended: UInt64 = 0
    private var wallOffset: UInt64 = 0

    init(plan: Plan, request: consuming Request) throws(Failure) {
        self.plan = plan
        self.request = request
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard poll >= 0 else { throw Failure("epoll_create1") }
        if plan.keepsTimes { times.reserveCapacity(min(plan.count, 4_000_000)) }
    }

    deinit {
        for link in links where link.socket >= 0 { close(link.socket) }
        close(poll)
        input.deallocate()
    }

    func run() throws(Failure) {
        for number in 0..<plan.connections {
            links.append(Link(socket: try connected(number)))
            free.append(number)
        }
        askForPreciseTimers()
        wallOffset = wallNanoseconds() - steadyNanoseconds()
        started = steadyNanoseconds()
        let stop = started + UInt64(plan.seconds * 1e9)
        // Answers that are still out get five seconds.
        let last = stop + 5_000_000_000
        var events = [epoll_event](repeating: epoll_event(), count: plan.connections)
        while true {
            let now = steadyNanoseconds()
            if now < stop, sent < plan.count {
                try release(now)
            } else if open == 0 || now > last {
                break
            }
            let ready = wait(&events, until: nextWake(now, stop: stop))
            for index in 0..<max(0, ready) { try heard(Int(events[index].data.u32)) }
        }
        broken += open
        ended = max(ended, started + 1)
    }

    // MARK: sending

    private func dueTime(_ index: Int) -> UInt64 {
        guard let rate = plan.rate else { return 0 }
        return started + UInt64(Double(index) / rate * 1e9)
    }

    /// Sends what is due on the connections that are free. Without a free one the due time stays and the wait counts as latency.
    private func release(_ now: UInt64) throws(Failure) {
        while sent < plan.count, let number = free.last {
            let due = dueTime(sent)
            guard due <= now else { return }
            free.removeLast()
            try send(on: number, due: plan.rate == nil ? steadyNanoseconds() : due)
        }
    }

    private func nextWake(_ now: UInt64, stop: UInt64) -> UInt64 {
        guard plan.rate != nil, !free.isEmpty, sent < plan.count, now < stop else { return now + 100_000_000 }
        return dueTime(sent)
    }

    private func send(on number: Int, due: UInt64) throws(Failure) {
        let serial = plan.firstSerial + UInt64(sent)
        request.fill(serial: serial)
        links[number].serial = serial
        links[number].due = due
        let now = plan.rate == nil ? due : steadyNanoseconds()
        links[number].sent = now
        if plan.keepsTimes {
            links[number].record = times.count
            times.append(Times(serial: serial, due: wall(due), sent: wall(now), answered: 0, status: 0))
        }
        sent += 1
        open += 1
        var offset = 0
        var tries = 0
        while offset < request.bytes.count {
            let rest = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(request.bytes)[offset...])
            let written = Glibc.send(links[number].socket, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            if written > 0 {
                offset += written
            } else if errno == EAGAIN, tries < 1000 {
                // A request is far smaller than a socket's buffer: this is rare enough to wait for.
                tries += 1
                usleep(100)
            } else if errno != EINTR {
                return try lost(number)
            }
        }
    }

    private func wall(_ steady: UInt64) -> UInt64 { (steady + wallOffset) / 1000 }

    // MARK: hearing

    private func wait(_ events: inout [epoll_event], until wake: UInt64) -> Int {
        let now = steadyNanoseconds()
        let rest = wake > now ? wake - now : 0
        var timeout = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        return Int(epoll_pwait2(poll, &events, CInt(events.count), &timeout, nil))
    }

    private func heard(_ number: Int) throws(Failure) {
        while true {
            let count = recv(links[number].socket, input.baseAddress, input.count, 0)
            if count > 0 {
                if try took(UnsafeRawBufferPointer(rebasing: input[..<count]), on: number) { return }
            } else if count < 0, errno == EAGAIN {
                return
            } else if count == 0 || errno != EINTR {
                return try lost(number)
            }
        }
    }

    /// Returns whether the answer is complete: there is then nothing more to read.
    private func took(_ bytes: UnsafeRawBufferPointer, on number: Int) throws(Failure) -> Bool {
        let answer: Answer
        if links[number].partial.isEmpty {
            answer = Answer.read(bytes)
            if answer == .incomplete { links[number].partial.append(contentsOf: bytes) }
        } else {
            links[number].partial.append(contentsOf: bytes)
            answer = links[number].partial.withUnsafeBytes { Answer.read($0) }
        }
        switch answer {
        case .incomplete: return false
        case .malformed:
            try lost(number)
            return true
        case .complete(let status, _, let closing):
            if !links[number].partial.isEmpty { links[number].partial.removeAll(keepingCapacity: true) }
            let now = steadyNanoseconds()
            ended = now
            open -= 1
            latency.record(now - links[number].due)
            statuses[status, default: 0] += 1
            if links[number].record >= 0 {
                times[links[number].record].answered = wall(now)
                times[links[number].record].status = status
                links[number].record = -1
            }
            if closing {
                try reopen(number)
            }
            if plan.rate == nil, sent < plan.count, now < started + UInt64(plan.seconds * 1e9) {
                try send(on: number, due: now)
            } else {
                free.append(number)
            }
            return true
        }
    }

    // MARK: connections

    /// The connection died. An open request stays without an answer.
    private func lost(_ number: Int) throws(Failure) {
        let idle = free.contains(number)
        if !idle {
            open -= 1
            broken += 1
            free.append(number)
        }
        try reopen(number)
    }

    private func reopen(_ number: Int) throws(Failure) {
        close(links[number].socket)
        links[number].socket = -1
        links[number].partial.removeAll()
        links[number].record = -1
        reconnects += 1
        links[number].socket = try connected(number)
    }

    private func connected(_ number: Int) throws(Failure) -> CInt {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Failure("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = plan.port.bigEndian
        address.sin_addr = plan.address
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            close(socket)
            throw Failure("connect")
        }
        var on: CInt = 1
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        guard fcntl(socket, F_SETFL, O_NONBLOCK) == 0 else { throw Failure("fcntl") }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLET.rawValue
        event.data.u32 = UInt32(number)
        guard epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) == 0 else { throw Failure("epoll_ctl") }
        return socket
    }
}

struct Failure: Error {
    let text: String
    /// Takes the word of `errno` as it stands now.
    init(_ call: String) { text = "\(call): \(String(cString: strerror(errno)))" }
}
