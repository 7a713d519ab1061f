import NIOCore
import SMPP
import Testing

private let second: Int64 = 1_000_000

/// A client machine with its octets caught, driven by hand.
private final class Client {
    var session: ClientSession
    var out = ByteBuffer()

    init(window: Int = 4) {
        session = ClientSession(
            settings: ClientSession.Settings(
                window: window, bindTimeout: 5 * second, enquireInterval: 30 * second, answerTimeout: 10 * second))
    }

    func take(at now: Int64) -> (sequence: UInt32, place: Int)? { session.take(at: now) }

    func receive(_ body: Packet.Body, status: CommandStatus = .ok, sequence: UInt32, at now: Int64 = 0) throws -> ClientSession.Event {
        let octets = try octets(Packet(body, status: status, sequence: sequence))
        return try octets.withUnsafeBytes { session.received(try Frame($0), at: now, out: &out) }
    }

    func bound(_ mode: Bind.Mode = .transceiver) throws {
        try session.open(Bind(mode: mode, systemID: "a", password: "b"), at: 0, out: &out)
        #expect(try receive(.bindResponse(mode, BindResponse(systemID: "SMSC")), sequence: 1) == .bound(BindResponse(systemID: "SMSC")))
        out.clear()
    }

    /// The PDUs written since the last call.
    func written() throws -> [Packet] {
        var all: [Packet] = []
        var failure: (any Error)?
        try FrameReader.walk(&out) { frame in
            do { all.append(try Packet(frame)) } catch { failure = error }
        }
        if let failure { throw failure }
        out.clear()
        return all
    }

    func lost() -> [Int] {
        var places: [Int] = []
        session.lost { places.append($0) }
        return places
    }
}

@Suite struct ClientSessionTests {
    @Test("A session binds, has the window as room, and frees a place by the answer, in any order")
    func window() throws {
        let client = Client()
        #expect(client.session.room == 0)
        #expect(client.session.take(at: 0) == nil)
        try client.session.open(Bind(mode: .transceiver, systemID: "a", password: "b"), at: 0, out: &client.out)
        #expect(client.session.state == .binding(.transceiver) && client.session.room == 0)
        #expect(try client.written() == [Packet(.bind(Bind(mode: .transceiver, systemID: "a", password: "b")), sequence: 1)])
        _ = try client.receive(.bindResponse(.transceiver, BindResponse(systemID: "x")), sequence: 1)
        #expect(client.session.state == .bound(.transceiver) && client.session.room == 4)
        let taken = (0..<4).compactMap { _ in client.session.take(at: 0).map { ($0.sequence, $0.place) } }
        #expect(taken.map(\.0) == [2, 3, 4, 5])
        #expect(client.session.room == 0 && client.session.take(at: 0) == nil && client.session.outstanding == 4)
        for index in [2, 0, 3, 1] {
            guard case .answered(let place, .ok, let id) = try client.receive(.submitResponse(messageID: "id"), sequence: taken[index].0)
            else {
                return #expect(Bool(false))
            }
            #expect(place == taken[index].1 && id == Field(start: 16, count: 2))
        }
        #expect(client.session.room == 4 && client.session.outstanding == 0)
        #expect(try client.receive(.submitResponse(messageID: "id"), sequence: 2) == .unknownAnswer(sequence: 2))
        #expect(try client.receive(.submitResponse(messageID: "id"), sequence: 0) == .unknownAnswer(sequence: 0))
        #expect(try client.receive(.submitResponse(messageID: "id"), sequence: 999) == .unknownAnswer(sequence: 999))
    }

    @Test("A slow answer does not stop the numbers: its place is passed over, millions of times")
    func longRun() throws {
        let client = Client(window: 8)
        try client.bound()
        let slow = try #require(client.take(at: 0))
        var answer = ByteBuffer()
        for _ in 0..<100_000 {
            let one = try #require(client.take(at: 1))
            #expect(one.place != slow.place)
            answer.clear()
            try answer.writeAnswer(.submitResponse, messageID: "1", sequence: one.sequence)
            let event = try answer.withUnsafeReadableBytes { client.session.received(try Frame($0), at: 1, out: &client.out) }
            guard case .answered(one.place, .ok, _) = event else { return #expect(Bool(false)) }
        }
        guard case .answered(slow.place, .ok, _) = try client.receive(.submitResponse(messageID: "1"), sequence: slow.sequence) else {
            return #expect(Bool(false))
        }
        #expect(client.session.outstanding == 0)
    }

    @Test("Refusals, nacks and unreadable answers free the place and say what they are")
    func refusals() throws {
        let client = Client()
        try client.bound()
        let a = try #require(client.take(at: 0))
        let b = try #require(client.take(at: 0))
        let c = try #require(client.take(at: 0))
        let d = try #require(client.take(at: 0))
        #expect(
            try client.receive(.submitResponse(messageID: ""), status: .throttled, sequence: a.sequence)
                == .answered(place: a.place, status: .throttled, messageID: .none))
        #expect(
            try client.receive(.genericNack, status: .invalidCommand, sequence: b.sequence)
                == .answered(place: b.place, status: .invalidCommand, messageID: .none))
        let endless = bytes(hex: "\(String(repeating: "31", count: 66))")
        #expect(
            try client.receive(.other(.submitResponse, endless), sequence: c.sequence)
                == .answerUnreadable(place: c.place, .unterminated(.messageID)))
        #expect(
            try client.receive(.other(.submitResponse, endless), status: .queueFull, sequence: d.sequence)
                == .answered(place: d.place, status: .queueFull, messageID: .none))
        #expect(try client.receive(.genericNack, sequence: 77) == .unknownAnswer(sequence: 77))
        #expect(client.session.outstanding == 0)
    }

    @Test("What a lost transport leaves open is told oldest first, once")
    func loss() throws {
        let client = Client()
        try client.bound()
        let taken = (0..<3).compactMap { _ in client.session.take(at: 0).map { ($0.sequence, $0.place) } }
        _ = try client.receive(.submitResponse(messageID: "1"), sequence: taken[1].0)
        #expect(client.lost() == [taken[0].1, taken[2].1])
        #expect(client.session.state == .ended && client.session.room == 0)
        #expect(client.lost().isEmpty)
        #expect(client.session.deadline() == nil)
    }

    @Test("A submit that could not be written gives its place back")
    func giveBack() throws {
        let client = Client(window: 1)
        try client.bound()
        let one = try #require(client.take(at: 0))
        #expect(client.session.room == 0)
        client.session.giveBack(place: one.place)
        #expect(client.session.room == 1)
    }

    @Test("An answer that does not come in time is expired in the order of sending; a later one is unknown")
    func answerTimeout() throws {
        let client = Client()
        try client.bound()
        let a = try #require(client.take(at: 0))
        let b = try #require(client.take(at: 1 * second))
        let c = try #require(client.take(at: 20 * second))
        #expect(client.session.deadline() == 10 * second)
        var expired: [Int] = []
        #expect(client.session.tick(at: 9 * second, out: &client.out, expired: { expired.append($0) }) == nil)
        #expect(expired.isEmpty)
        #expect(client.session.tick(at: 20 * second, out: &client.out, steps: 1, expired: { expired.append($0) }) == nil)
        #expect(expired == [a.place])
        #expect(client.session.tick(at: 20 * second, out: &client.out, expired: { expired.append($0) }) == nil)
        #expect(expired == [a.place, b.place])
        #expect(try client.receive(.submitResponse(messageID: "1"), sequence: a.sequence) == .unknownAnswer(sequence: a.sequence))
        #expect(client.session.outstanding == 1 && client.session.deadline() == 30 * second)
        _ = c
    }

    @Test("A bind without an answer times out; a refused one ends the session")
    func bindOutcome() throws {
        let late = Client()
        #expect(late.session.deadline() == nil)
        #expect(late.session.tick(at: 0, out: &late.out, expired: { _ in }) == nil)
        try late.session.open(Bind(mode: .receiver, systemID: "a", password: "b"), at: 0, out: &late.out)
        #expect(late.session.deadline() == 5 * second)
        #expect(late.session.tick(at: 5 * second - 1, out: &late.out, expired: { _ in }) == nil)
        #expect(late.session.tick(at: 5 * second, out: &late.out, expired: { _ in }) == .bindTimedOut)

        let refused = Client()
        try refused.session.open(Bind(mode: .transmitter, systemID: "a", password: "b"), at: 0, out: &refused.out)
        #expect(
            try refused.receive(.bindResponse(.transceiver, BindResponse(systemID: "")), sequence: 1) == .unknownAnswer(sequence: 1))
        #expect(
            try refused.receive(.bindResponse(.transmitter, BindResponse(systemID: "")), status: .invalidPassword, sequence: 1)
                == .bindRefused(.invalidPassword))
        #expect(refused.session.state == .ended)

        let nacked = Client()
        try nacked.session.open(Bind(mode: .transmitter, systemID: "a", password: "b"), at: 0, out: &nacked.out)
        #expect(try nacked.receive(.genericNack, status: .invalidCommand, sequence: 1) == .bindRefused(.invalidCommand))

        let unfit = Client()
        #expect(throws: EncodingFault.self) {
            try unfit.session.open(Bind(mode: .receiver, systemID: String(repeating: "x", count: 30), password: ""), at: 0, out: &unfit.out)
        }
    }

    @Test("A silent peer is asked once for a sign of life; any octet is one; without it the link is dead")
    func enquire() throws {
        let client = Client()
        try client.bound()
        #expect(client.session.deadline() == 30 * second)
        #expect(client.session.tick(at: 30 * second, out: &client.out, expired: { _ in }) == nil)
        #expect(try client.written() == [Packet(.enquireLink, sequence: 2)])
        #expect(client.session.deadline() == 40 * second)
        #expect(client.session.tick(at: 39 * second, out: &client.out, expired: { _ in }) == nil)
        #expect(try client.written().isEmpty)
        #expect(try client.receive(.enquireLinkResponse, sequence: 2, at: 39 * second) == .none)
        #expect(client.session.tick(at: 69 * second, out: &client.out, expired: { _ in }) == nil)
        #expect(try client.written().count == 1)
        #expect(try client.receive(.enquireLink, sequence: 5, at: 70 * second) == .none)
        #expect(try client.written() == [Packet(.enquireLinkResponse, sequence: 5)])
        _ = client.session.tick(at: 100 * second, out: &client.out, expired: { _ in })
        #expect(client.session.tick(at: 110 * second, out: &client.out, expired: { _ in }) == .linkDead)
    }

    @Test("Unbinding takes no more but hears answers and receipts until the peer agrees")
    func unbind() throws {
        let client = Client()
        client.session.unbind(at: 0, out: &client.out)
        #expect(client.session.state == .idle)
        try client.bound()
        let one = try #require(client.take(at: 0))
        client.session.unbind(at: 1 * second, out: &client.out)
        #expect(client.session.state == .unbinding(.transceiver) && client.session.room == 0)
        #expect(try client.receive(.deliver(Sample.receipt), sequence: 9) == .deliver(sequence: 9))
        guard case .answered = try client.receive(.submitResponse(messageID: "1"), sequence: one.sequence) else {
            return #expect(Bool(false))
        }
        #expect(try client.receive(.unbindResponse, sequence: 77) == .unknownAnswer(sequence: 77))
        #expect(client.session.deadline() == 11 * second)
        #expect(client.session.tick(at: 11 * second, out: &client.out, expired: { _ in }) == .unbindTimedOut)
        #expect(try client.receive(.unbindResponse, sequence: 3) == .unbound)
        #expect(client.session.state == .ended)
        let nacked = Client()
        try nacked.bound()
        nacked.session.unbind(at: 0, out: &nacked.out)
        #expect(try nacked.receive(.genericNack, sequence: 2) == .unbound)
    }

    @Test("Requests of the peer: unbind is obeyed, unknown ones are nacked, those without an answer get none")
    func requests() throws {
        let client = Client()
        try client.bound(.transmitter)
        #expect(try client.receive(.deliver(Sample.receipt), sequence: 4) == .refusedRequest(.deliver))
        #expect(try client.receive(.other(.data, []), sequence: 5) == .refusedRequest(.data))
        #expect(try client.receive(.other(Command(rawValue: 0x99), []), sequence: 55) == .refusedRequest(Command(rawValue: 0x99)))
        #expect(try client.receive(.other(.dataResponse, []), sequence: 6) == .unknownAnswer(sequence: 6))
        #expect(try client.receive(.outbind(Outbind(systemID: "a", password: "b")), sequence: 7) == .none)
        #expect(try client.receive(.other(.alertNotification, []), sequence: 8) == .alert)
        #expect(
            try client.written() == [
                Packet(.deliverResponse(messageID: ""), status: .wrongBindState, sequence: 4),
                Packet(.dataResponse(DataAnswer()), status: .wrongBindState, sequence: 5),
                Packet(.genericNack, status: .invalidCommand, sequence: 55),
            ])
        client.session.answerDeliver(sequence: 3, status: .ok, out: &client.out)
        #expect(try client.receive(.unbind, sequence: 9) == .peerUnbinds)
        #expect(try client.written().map(\.command) == [.deliverResponse, .unbindResponse])
        #expect(client.session.room == 0)
    }

    @Test("The window can grow and shrink while submits are open; each is still answered")
    func resize() throws {
        let client = Client(window: 8)
        try client.bound()
        var names = [Int](repeating: 0, count: client.session.places)
        var sequences: [UInt32] = []
        func take() {
            if let one = client.session.take(at: 0) {
                names[one.place] = Int(one.sequence)
                sequences.append(one.sequence)
            }
        }
        for _ in 0..<8 { take() }
        let old = names
        client.session.apply(
            ClientSession.Settings(window: 100), grown: { names = [Int](repeating: 0, count: $0) }, move: { names[$1] = old[$0] })
        #expect(client.session.room == 92 && client.session.places == names.count && names.count >= 200)
        for _ in 0..<92 { take() }
        client.session.apply(ClientSession.Settings(window: 2), grown: { _ in Issue.record("grew") }, move: { _, _ in })
        #expect(client.session.room == 0 && client.session.outstanding == 100)
        for sequence in sequences {
            guard case .answered(let place, _, _) = try client.receive(.submitResponse(messageID: "1"), sequence: sequence) else {
                return #expect(Bool(false))
            }
            #expect(names[place] == Int(sequence))
        }
        #expect(client.session.room == 2)
    }
}

private final class Server {
    var session: ServerSession
    var out = ByteBuffer()

    init() {
        session = ServerSession(
            settings: ServerSession.Settings(
                systemID: "SIM", window: 2, deliverWindow: 2, bindTimeout: 5 * second, enquireInterval: 30 * second,
                answerTimeout: 10 * second),
            at: 0)
    }

    func take(at now: Int64) -> (sequence: UInt32, place: Int)? { session.take(at: now) }

    func receive(_ body: Packet.Body, status: CommandStatus = .ok, sequence: UInt32, at now: Int64 = 0) throws -> ServerSession.Event {
        let octets = try octets(Packet(body, status: status, sequence: sequence))
        return try octets.withUnsafeBytes { session.received(try Frame($0), at: now, out: &out) }
    }

    func bound(_ mode: Bind.Mode) throws {
        _ = try receive(.bind(Bind(mode: mode, systemID: "a", password: "b")), sequence: 1)
        try session.acceptBind(out: &out)
        out.clear()
    }

    func written() throws -> [Packet] {
        var all: [Packet?] = []
        try FrameReader.walk(&out) { all.append(try? Packet($0)) }
        out.clear()
        return all.compactMap { $0 }
    }
}

@Suite struct ServerSessionTests {
    @Test("Nothing is served before the bind, and the bind is the owner's to accept or refuse")
    func bind() throws {
        let server = Server()
        #expect(try server.receive(.submit(Sample.submit), sequence: 1) == .refused(.submit, .wrongBindState))
        #expect(try server.receive(.query(Query(messageID: "1")), sequence: 2) == .refused(.query, .wrongBindState))
        let bind = Bind(mode: .transceiver, systemID: "a", password: "b")
        #expect(try server.receive(.bind(bind), sequence: 3) == .bind(bind))
        #expect(server.session.state == .deciding(.transceiver))
        #expect(try server.receive(.bind(bind), sequence: 4) == .refused(.bindTransceiver, .alreadyBound))
        server.session.refuseBind(.invalidPassword, out: &server.out)
        #expect(server.session.state == .open)
        _ = try server.receive(.bind(bind), sequence: 5)
        try server.session.acceptBind(out: &server.out)
        #expect(server.session.state == .bound(.transceiver))
        server.session.refuseBind(.invalidPassword, out: &server.out)
        try server.session.acceptBind(out: &server.out)
        #expect(try server.receive(.other(.bindReceiver, [1, 2]), sequence: 6) == .refused(.bindReceiver, .alreadyBound))
        #expect(
            try server.written().map(\.status) == [.wrongBindState, .wrongBindState, .alreadyBound, .invalidPassword, .ok, .alreadyBound])
        let odd = Server()
        #expect(try odd.receive(.other(.bindReceiver, [1, 2]), sequence: 6) == .refused(.bindReceiver, .invalidCommandLength))
    }

    @Test("Submits above the window are refused at once; each answer makes room")
    func window() throws {
        let server = Server()
        try server.bound(.transmitter)
        #expect(try server.receive(.submit(Sample.submit), sequence: 2) == .submit(sequence: 2))
        #expect(try server.receive(.submit(Sample.submit), sequence: 3) == .submit(sequence: 3))
        #expect(try server.receive(.submit(Sample.submit), sequence: 4) == .refused(.submit, .throttled))
        #expect(throws: EncodingFault.self) {
            try server.session.answerSubmit(sequence: 2, messageID: String(repeating: "9", count: 80), out: &server.out)
        }
        #expect(server.session.openRequests == 2)
        try server.session.answerSubmit(sequence: 2, messageID: "id", out: &server.out)
        #expect(try server.receive(.submit(Sample.submit), sequence: 5) == .submit(sequence: 5))
        server.session.forget(.submit, sequence: 3, out: &server.out)
        #expect(server.session.openRequests == 1)
        #expect(
            try server.written() == [
                Packet(.submitResponse(messageID: ""), status: .throttled, sequence: 4),
                Packet(.submitResponse(messageID: "id"), sequence: 2),
            ])
    }

    @Test("Delivers have a window of their own, are answered, expire, or are left at a loss")
    func delivers() throws {
        let server = Server()
        #expect(server.session.room == 0 && server.session.take(at: 0) == nil)
        try server.bound(.receiver)
        let a = try #require(server.take(at: 0))
        let b = try #require(server.take(at: 1))
        #expect(server.session.take(at: 1) == nil && server.session.outstanding == 2 && server.session.places >= 4)
        #expect(try server.receive(.deliverResponse(messageID: ""), sequence: b.sequence) == .answered(place: b.place, status: .ok))
        #expect(try server.receive(.deliverResponse(messageID: ""), sequence: b.sequence) == .unknownAnswer(sequence: b.sequence))
        var expired: [Int] = []
        _ = server.session.tick(at: 10 * second, out: &server.out, expired: { expired.append($0) })
        #expect(expired == [a.place])
        let c = try #require(server.take(at: 1))
        server.session.giveBack(place: c.place)
        let d = try #require(server.take(at: 1))
        server.session.lost { expired.append($0) }
        #expect(expired == [a.place, d.place] && server.session.state == .ended)
        #expect(server.session.tick(at: 99 * second, out: &server.out, expired: { _ in }) == nil)
    }

    @Test("query_sm and cancel_sm go up to the owner; broken ones are answered; others are nacked")
    func requests() throws {
        let server = Server()
        try server.bound(.transceiver)
        #expect(try server.receive(.query(Query(messageID: "7")), sequence: 2) == .query(Query(messageID: "7"), sequence: 2))
        #expect(try server.receive(.cancel(Cancel(messageID: "7")), sequence: 3) == .cancel(Cancel(messageID: "7"), sequence: 3))
        #expect(try server.receive(.other(.query, []), sequence: 44) == .refused(.query, .throttled))
        #expect(server.session.refuse(.query, sequence: 2, .queryFailed, out: &server.out))
        #expect(server.session.answerCancel(sequence: 3, out: &server.out))
        #expect(try server.receive(.other(.query, []), sequence: 4) == .refused(.query, .invalidCommandLength))
        #expect(try server.receive(.deliver(Sample.receipt), sequence: 5) == .refused(.deliver, .invalidCommand))
        #expect(try server.receive(.submitResponse(messageID: ""), sequence: 6) == .unknownAnswer(sequence: 6))
        #expect(try server.receive(.enquireLink, sequence: 7) == .none)
        #expect(
            try server.written().map(\.command) == [
                .queryResponse, .queryResponse, .cancelResponse, .queryResponse, .genericNack, .enquireLinkResponse,
            ])
        #expect(try server.receive(.unbind, sequence: 8) == .peerUnbinds)
        #expect(server.session.state == .ended)
    }

    @Test("Time: no bind, silence, a dead link and an unanswered unbind are all told")
    func time() throws {
        let open = Server()
        #expect(open.session.tick(at: 4 * second, out: &open.out, expired: { _ in }) == nil)
        #expect(open.session.tick(at: 5 * second, out: &open.out, expired: { _ in }) == .bindTimedOut)
        let server = Server()
        try server.bound(.transceiver)
        #expect(server.session.tick(at: 30 * second, out: &server.out, expired: { _ in }) == nil)
        #expect(try server.written().map(\.command) == [.enquireLink])
        #expect(server.session.tick(at: 40 * second, out: &server.out, expired: { _ in }) == .linkDead)
        #expect(try server.receive(.enquireLinkResponse, sequence: 1, at: 40 * second) == .none)
        #expect(server.session.tick(at: 41 * second, out: &server.out, expired: { _ in }) == nil)
        server.session.unbind(at: 41 * second, out: &server.out)
        server.session.unbind(at: 41 * second, out: &server.out)
        #expect(server.session.tick(at: 51 * second, out: &server.out, expired: { _ in }) == .unbindTimedOut)
        #expect(try server.receive(.unbindResponse, sequence: 99) == .unknownAnswer(sequence: 99))
        #expect(try server.receive(.unbindResponse, sequence: 2) == .unbound)
        let nacked = Server()
        try nacked.bound(.transceiver)
        nacked.session.unbind(at: 0, out: &nacked.out)
        #expect(try nacked.receive(.genericNack, sequence: 1) == .unbound)
        #expect(try nacked.receive(.genericNack, sequence: 1) == .unknownAnswer(sequence: 1))
    }
}
