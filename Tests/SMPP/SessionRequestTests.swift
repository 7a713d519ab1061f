import NIOCore
import SMPP
import Testing

private let second: Int64 = 1_000_000

/// Both machines with a pair of buffers between them: what one writes the other reads.
private final class Wire {
    var client = ClientSession(settings: ClientSession.Settings(window: 8, answerTimeout: 10 * second))
    var server: ServerSession
    var up = ByteBuffer()
    var down = ByteBuffer()
    var atServer: [ServerSession.Event] = []
    var atClient: [ClientSession.Event] = []
    /// Bodies of what the client got, copied out.
    var got: [Packet] = []

    init(window: Int = 8) {
        server = ServerSession(
            settings: ServerSession.Settings(systemID: "SIM", window: window, deliverWindow: 2, answerTimeout: 10 * second), at: 0)
    }

    func bound(_ mode: Bind.Mode = .transceiver, version: UInt8 = 0x34) throws {
        try client.open(Bind(mode: mode, systemID: "a", password: "b", interfaceVersion: version), at: 0, out: &up)
        try toServer()
        try server.acceptBind(out: &down)
        try toClient()
        #expect(client.state == .bound(mode) && server.state == .bound(mode))
        (atServer, atClient, got) = ([], [], [])
    }

    func toServer() throws {
        var incoming = up
        up.clear()
        try FrameReader.walk(&incoming) { atServer.append(server.received($0, at: 0, out: &down)) }
    }

    func toClient() throws {
        var incoming = down
        down.clear()
        try FrameReader.walk(&incoming) { frame in
            atClient.append(client.received(frame, at: 0, out: &up))
            if let packet = try? Packet(frame) { got.append(packet) }
        }
    }

    func submit(_ sequence: UInt32) throws {
        up.writeImmutableBuffer(ByteBuffer(bytes: try octets(Packet(.submit(Sample.submit), sequence: sequence))))
        try toServer()
    }

    // One call each, since a session cannot be used twice in one expression.
    func answerSubmit(_ sequence: UInt32, id: String = "1") throws -> Bool {
        try server.answerSubmit(sequence: sequence, messageID: id, out: &down)
    }

    func take() -> (sequence: UInt32, place: Int)? { client.take(at: 0) }
}

@Suite struct SessionRequestTests {
    @Test("Each request of a client reaches the server as its event, and each answer comes back by place and command")
    func requests() throws {
        let wire = Wire()
        try wire.bound()
        let query = Query(messageID: "77")
        let cancel = Cancel(messageID: "78")
        let places = [
            try wire.client.query(query, at: 0, out: &wire.up), try wire.client.cancel(cancel, at: 0, out: &wire.up),
            try wire.client.replace(Sample.replace, at: 0, out: &wire.up),
            try wire.client.submitMulti(
                MultiSubmit(destinations: [.list(short("all"))], message: Sample.multi), at: 0, out: &wire.up),
            try wire.client.submitData(Sample.data, at: 0, out: &wire.up),
        ].compactMap { $0 }
        #expect(places.count == 5 && wire.client.outstanding == 5)
        try wire.toServer()
        #expect(
            wire.atServer == [
                .query(query, sequence: 2), .cancel(cancel, sequence: 3), .replace(Sample.replace, sequence: 4), .submitMulti(sequence: 5),
                .data(sequence: 6),
            ])
        #expect(wire.server.openRequests == 5)
        // The owner answers later, in another order.
        let multi = MultiAnswer(messageID: "90", refused: [MultiAnswer.Refused(destination: Address(), status: .throttled)])
        #expect(try wire.server.answerData(sequence: 6, DataAnswer(messageID: "91"), out: &wire.down))
        #expect(try wire.server.answerMulti(sequence: 5, multi, out: &wire.down))
        #expect(wire.server.answerReplace(sequence: 4, status: .replaceFailed, out: &wire.down))
        #expect(wire.server.answerCancel(sequence: 3, out: &wire.down))
        #expect(try wire.server.answerQuery(sequence: 2, QueryResponse(messageID: "77", state: 2), out: &wire.down))
        #expect(wire.server.openRequests == 0)
        try wire.toClient()
        #expect(
            wire.atClient == [
                .requestAnswered(place: places[4], request: .data, status: .ok),
                .requestAnswered(place: places[3], request: .submitMulti, status: .ok),
                .requestAnswered(place: places[2], request: .replace, status: .replaceFailed),
                .requestAnswered(place: places[1], request: .cancel, status: .ok),
                .requestAnswered(place: places[0], request: .query, status: .ok),
            ])
        #expect(wire.got[1].body == .submitMultiResponse(multi) && wire.got[0].body == .dataResponse(DataAnswer(messageID: "91")))
        #expect(wire.client.outstanding == 0)
    }

    @Test("Every request is answered once: a second answer, one of another command and one after the end are written nowhere")
    func onceOnly() throws {
        let wire = Wire()
        try wire.bound()
        try wire.submit(9)
        #expect(!wire.server.answerCancel(sequence: 9, out: &wire.down))
        #expect(try !wire.server.answerQuery(sequence: 9, QueryResponse(messageID: "", state: 0), out: &wire.down))
        #expect(try wire.answerSubmit(9))
        #expect(try !wire.answerSubmit(9))
        #expect(!wire.server.refuse(.submit, sequence: 9, .systemError, out: &wire.down))
        try wire.submit(10)
        wire.server.lost { _ in }
        #expect(try !wire.answerSubmit(10))
        try wire.toClient()
        #expect(wire.got == [Packet(.submitResponse(messageID: "1"), sequence: 9)])
        #expect(wire.server.openRequests == 0 && wire.server.deadline() == nil)
    }

    @Test("A peer that uses one number for several requests gets as many answers")
    func doubledNumbers() throws {
        let wire = Wire()
        try wire.bound()
        for _ in 0..<3 { try wire.submit(5) }
        #expect(wire.server.openRequests == 3)
        for _ in 0..<3 { #expect(try wire.answerSubmit(5)) }
        #expect(try !wire.answerSubmit(5))
        try wire.toClient()
        #expect(wire.got.count == 3 && wire.server.openRequests == 0)
    }

    @Test("Requests of all kinds share the window; an answer that cannot be written leaves its request open")
    func sharedWindow() throws {
        let wire = Wire(window: 2)
        try wire.bound()
        for body: Packet.Body in [
            .query(Query(messageID: "1")), .data(Sample.data),
            .submitMulti(
                MultiSubmit(
                    destinations: [.list(short("a"))], message: Sample.multi)), .replace(Sample.replace),
        ] {
            let sequence = UInt32(wire.atServer.count + 20)
            wire.up.writeImmutableBuffer(ByteBuffer(bytes: try octets(Packet(body, sequence: sequence))))
            try wire.toServer()
        }
        #expect(
            wire.atServer == [
                .query(Query(messageID: "1"), sequence: 20), .data(sequence: 21), .refused(.submitMulti, .throttled),
                .refused(.replace, .throttled),
            ])
        let wide = String(repeating: "1", count: 65)
        #expect(throws: EncodingFault.self) { try wire.server.answerData(sequence: 21, DataAnswer(messageID: wide), out: &wire.down) }
        #expect(wire.server.openRequests == 2)
        #expect(wire.server.refuse(.data, sequence: 21, .systemError, out: &wire.down))
        wire.server.forget(.query, sequence: 20, out: &wire.down)
        wire.server.forget(.query, sequence: 20, out: &wire.down)
        try wire.toClient()
        #expect(
            wire.got == [
                Packet(.submitMultiResponse(MultiAnswer()), status: .throttled, sequence: 22),
                Packet(.replaceResponse, status: .throttled, sequence: 23),
                Packet(.dataResponse(DataAnswer()), status: .systemError, sequence: 21),
            ])
        #expect(wire.server.openRequests == 0)
    }

    @Test("Thousands of open requests with numbers of the peer's choice are each found again", arguments: [3, 4] as [UInt64])
    func manyOpen(seed: UInt64) throws {
        var random = Seeded(seed)
        let wire = Wire(window: 20_000)
        try wire.bound()
        var open: [UInt32] = []
        for step in 0..<30_000 {
            if open.isEmpty || (step < 15_000 ? !Int.random(in: 0..<5, using: &random).isMultiple(of: 5) : false) {
                let sequence = UInt32.random(in: 0...(step % 2 == 0 ? .max : 4096), using: &random)
                wire.up.clear()
                try wire.up.writePacket(Packet(.submit(Message()), sequence: sequence))
                try wire.toServer()
                open.append(sequence)
            } else {
                let at = Int.random(in: 0..<open.count, using: &random)
                #expect(try wire.answerSubmit(open[at]))
                wire.down.clear()
                open.swapAt(at, open.count - 1)
                open.removeLast()
            }
            if open.count != wire.server.openRequests { return #expect(Bool(false), "seed \(seed), step \(step)") }
        }
        for sequence in open { #expect(try wire.answerSubmit(sequence)) }
        #expect(wire.server.openRequests == 0)
    }

    @Test("An unbind waits for the answers that are owed, takes nothing new, and ends after the last one")
    func leaving() throws {
        let wire = Wire()
        try wire.bound()
        try wire.submit(2)
        try wire.submit(3)
        wire.client.unbind(at: 0, out: &wire.up)
        try wire.toServer()
        #expect(wire.atServer.last == .peerUnbinds && wire.server.state == .leaving)
        try wire.submit(4)
        #expect(wire.atServer.last == .refused(.submit, .wrongBindState))
        wire.up.writeHeaderOnly(.unbind, sequence: 99)
        wire.up.writeHeaderOnly(.bindReceiver, sequence: 100)
        try wire.toServer()
        #expect(wire.atServer.suffix(2) == [.none, .refused(.bindReceiver, .wrongBindState)])
        #expect(wire.server.deadline() == 10 * second)
        #expect(try wire.answerSubmit(3))
        #expect(wire.server.state == .leaving)
        wire.server.forget(.submit, sequence: 2, out: &wire.down)
        #expect(wire.server.state == .ended)
        try wire.toClient()
        #expect(wire.got.map(\.command) == [.submitResponse, .bindReceiverResponse, .submitResponse, .unbindResponse])
        #expect(wire.atClient.last == .unbound)

        let late = Wire()
        try late.bound()
        try late.submit(2)
        late.client.unbind(at: 0, out: &late.up)
        try late.toServer()
        #expect(late.server.tick(at: 10 * second - 1, out: &late.down, expired: { _ in }) == nil)
        #expect(late.server.tick(at: 10 * second, out: &late.down, expired: { _ in }) == .unbindTimedOut)
    }

    @Test("Nothing but a bind is served before a bind, and a receiver may not submit", arguments: [nil, Bind.Mode.receiver])
    func wrongState(mode: Bind.Mode?) throws {
        let wire = Wire()
        if let mode { try wire.bound(mode) }
        let multi = MultiSubmit(destinations: [.list(short("a"))], message: Sample.multi)
        let bodies: [Packet.Body] = [
            .submit(Sample.submit), .data(Sample.data), .submitMulti(multi), .query(Query(messageID: "1")), .cancel(Cancel(messageID: "1")),
            .replace(Sample.replace),
        ]
        for body in bodies {
            wire.up.clear()
            try wire.up.writePacket(Packet(body, sequence: 50))
            try wire.toServer()
        }
        #expect(
            wire.atServer == [
                .refused(.submit, .wrongBindState), .refused(.data, .wrongBindState), .refused(.submitMulti, .wrongBindState),
                .refused(.query, .wrongBindState), .refused(.cancel, .wrongBindState), .refused(.replace, .wrongBindState),
            ])
        try wire.toClient()
        #expect(wire.got.allSatisfy { $0.status == .wrongBindState && $0.sequence == 50 } && wire.got.count == 6)
    }

    @Test("A peer of an earlier version is sent no parameters, and one of a later version is told 3.4")
    func versions() throws {
        for (version, told) in [(0x33, nil), (0x00, nil), (0x34, 0x34), (0x50, 0x34)] as [(UInt8, UInt8?)] {
            let wire = Wire()
            try wire.client.open(
                Bind(mode: .transceiver, systemID: "a", password: "b", interfaceVersion: version), at: 0, out: &wire.up)
            try wire.toServer()
            try wire.server.acceptBind(out: &wire.down)
            try wire.toClient()
            #expect(wire.atClient == [.bound(BindResponse(systemID: "SIM", interfaceVersion: told))])
            #expect(wire.client.peerVersion == told && wire.server.peerVersion == version)
            #expect(wire.server.messageIDOctets == (told == nil ? 8 : 64))
        }
        let old = Wire()
        try old.bound(version: 0x33)
        #expect(try old.server.deliver(Sample.receipt, at: 0, out: &old.down) != nil)
        var payload = Sample.receipt
        payload.shortMessage = []
        payload.parameters = [Parameter(.messagePayload, .octets([1, 2, 3]))]
        #expect(try old.server.deliver(payload, at: 0, out: &old.down) != nil)
        #expect(throws: EncodingFault.notInVersion(.data)) { try old.server.deliverData(Sample.data, at: 0, out: &old.down) }
        let alert = AlertNotification(source: LongAddress(), esme: LongAddress())
        #expect(throws: EncodingFault.notInVersion(.alertNotification)) { try old.server.alert(alert, out: &old.down) }
        try old.toClient()
        guard case .deliver(let first) = old.got[0].body, case .deliver(let second) = old.got[1].body else { return #expect(Bool(false)) }
        #expect(first.parameters.isEmpty && first.shortMessage == Sample.receipt.shortMessage)
        #expect(second.parameters.isEmpty && second.shortMessage == [1, 2, 3])
        old.up.clear()
        try old.up.writePacket(Packet(.data(Sample.data), sequence: 70))
        try old.toServer()
        let answer = DataAnswer(messageID: "1", parameters: [Parameter(.deliveryFailureReason, .integer(1))])
        #expect(try old.server.answerData(sequence: 70, answer, out: &old.down))
        try old.toClient()
        #expect(old.got.last?.body == .dataResponse(DataAnswer(messageID: "1")))
    }

    @Test("Receipts go out as deliver_sm or data_sm within one window, each with its own answer; alerts need none")
    func outbound() throws {
        let wire = Wire()
        #expect(try wire.server.deliver(Sample.receipt, at: 0, out: &wire.down) == nil)
        #expect(try wire.server.deliverData(Sample.data, at: 0, out: &wire.down) == nil)
        let alert = AlertNotification(source: LongAddress(text: "1"), esme: LongAddress(text: "2"))
        #expect(try !wire.server.alert(alert, out: &wire.down))
        try wire.bound()
        var broken = Sample.receipt
        broken.shortMessage = [UInt8](repeating: 1, count: 255)
        #expect(throws: EncodingFault.self) { try wire.server.deliver(broken, at: 0, out: &wire.down) }
        var odd = Sample.data
        odd.source.text = "ż"
        #expect(throws: EncodingFault.self) { try wire.server.deliverData(odd, at: 0, out: &wire.down) }
        #expect(wire.server.outstanding == 0)
        let places = [
            try wire.server.deliver(Sample.receipt, at: 0, out: &wire.down),
            try wire.server.deliverData(Sample.data, at: 0, out: &wire.down),
        ].compactMap { $0 }
        #expect(places.count == 2)
        #expect(try wire.server.deliver(Sample.receipt, at: 0, out: &wire.down) == nil)
        #expect(try wire.server.alert(alert, out: &wire.down))
        try wire.toClient()
        guard case .deliver(let one) = wire.atClient[0], case .data(let two) = wire.atClient[1] else { return #expect(Bool(false)) }
        #expect(wire.atClient[2] == .alert && wire.got[2].body == .alertNotification(alert))
        // An answer of the other kind is none.
        wire.client.answerDeliver(sequence: two, status: .ok, out: &wire.up)
        wire.client.answerDeliver(sequence: one, status: .ok, out: &wire.up)
        wire.client.answerData(sequence: two, status: .temporaryReceiverError, out: &wire.up)
        try wire.toServer()
        #expect(
            wire.atServer == [
                .unknownAnswer(sequence: two), .answered(place: places[0], status: .ok),
                .answered(place: places[1], status: .temporaryReceiverError),
            ])
        let again = try #require(try wire.server.deliverData(Sample.data, at: 5, out: &wire.down))
        wire.down.clear()
        wire.up.writeHeaderOnly(.genericNack, sequence: two + 2)
        try wire.toServer()
        #expect(wire.atServer.last == .answered(place: again, status: .unknownError))
    }

    @Test("An account's settings come with its bind; places grow and what is open stays open")
    func accountSettings() throws {
        let wire = Wire()
        try wire.client.open(Bind(mode: .transceiver, systemID: "a", password: "b"), at: 0, out: &wire.up)
        try wire.toServer()
        let account = ServerSession.Settings(systemID: "BANK", window: 1, overflowStatus: .queueFull, deliverWindow: 40)
        try wire.server.acceptBind(account, out: &wire.down)
        #expect(wire.server.settings == account && wire.server.places >= 80 && wire.server.room == 40)
        try wire.submit(5)
        try wire.submit(6)
        #expect(wire.atServer.last == .refused(.submit, .queueFull))
        let place = try #require(try wire.server.deliverData(Sample.data, at: 0, out: &wire.down))
        var moves: [Int: Int] = [:]
        var grown = 0
        var larger = account
        larger.deliverWindow = 4000
        wire.server.apply(larger, grown: { grown = $0 }, move: { moves[$0] = $1 })
        #expect(grown == wire.server.places && moves.keys.contains(place) && wire.server.outstanding == 1)
        try wire.toClient()
        guard case .data(let sequence) = wire.atClient.last else { return #expect(Bool(false)) }
        wire.client.answerData(sequence: sequence, status: .ok, out: &wire.up)
        try wire.toServer()
        #expect(wire.atServer.last == .answered(place: moves[place] ?? -1, status: .ok))
    }

    @Test("A server's next deadline is that of the bind, of silence, of the sign of life or of a deliver, whichever comes first")
    func deadlines() throws {
        let wire = Wire()
        #expect(wire.server.deadline() == 10 * second)
        try wire.bound()
        #expect(wire.server.deadline() == 60 * second)
        _ = try wire.server.deliver(Sample.receipt, at: 2 * second, out: &wire.down)
        #expect(wire.server.deadline() == 12 * second)
        wire.server.unbind(at: 1 * second, out: &wire.down)
        #expect(wire.server.deadline() == 11 * second)
        var unsettled: [Int] = []
        wire.server.lost { unsettled.append($0) }
        #expect(unsettled.count == 1 && wire.server.deadline() == nil)
        let silent = Wire()
        try silent.bound()
        _ = silent.server.tick(at: 60 * second, out: &silent.down, expired: { _ in })
        #expect(silent.server.deadline() == 70 * second)
    }

    @Test("A stream that cannot be followed is told so by generic_nack with number 0, and ends the session")
    func unfollowable() throws {
        let wire = Wire()
        try wire.bound()
        wire.server.unfollowable(.lengthOutOfRange(3), out: &wire.down)
        wire.server.unfollowable(.lengthOutOfRange(3), out: &wire.down)
        #expect(wire.server.state == .ended)
        try wire.toClient()
        #expect(wire.got == [Packet(.genericNack, status: .invalidCommandLength, sequence: 0)])
        wire.client.unfollowable(.lengthOutOfRange(70_000), out: &wire.up)
        wire.client.unfollowable(.lengthOutOfRange(70_000), out: &wire.up)
        #expect(wire.client.state == .ended)
        try wire.toServer()
        #expect(wire.atServer == [.unknownAnswer(sequence: 0)])
    }

    @Test("An answer of another command than was asked leaves the request open; a nack ends it by its kind")
    func mismatches() throws {
        let wire = Wire()
        try wire.bound()
        let place = try #require(try wire.client.query(Query(messageID: "1"), at: 0, out: &wire.up))
        let submit = try #require(wire.take())
        func receive(_ body: Packet.Body, status: CommandStatus = .ok, _ sequence: UInt32) throws -> ClientSession.Event? {
            wire.down.clear()
            try wire.down.writePacket(Packet(body, status: status, sequence: sequence))
            try wire.toClient()
            return wire.atClient.last
        }
        #expect(try receive(.submitResponse(messageID: "1"), 2) == .unknownAnswer(sequence: 2))
        #expect(try receive(.cancelResponse, 2) == .unknownAnswer(sequence: 2))
        #expect(
            try receive(.queryResponse(QueryResponse(messageID: "", state: 0)), submit.sequence)
                == .unknownAnswer(sequence: submit.sequence))
        #expect(try receive(.queryResponse(QueryResponse(messageID: "", state: 0)), 99) == .unknownAnswer(sequence: 99))
        #expect(wire.client.outstanding == 2)
        #expect(
            try receive(.genericNack, status: .invalidCommand, 2)
                == .requestAnswered(place: place, request: .query, status: .invalidCommand))
        #expect(
            try receive(.genericNack, submit.sequence) == .answered(place: submit.place, status: .unknownError, messageID: .none))
        // The place serves a submit again.
        for _ in 0..<40 {
            let one = try #require(wire.take())
            #expect(
                try receive(.submitResponse(messageID: "1"), one.sequence)
                    == .answered(place: one.place, status: .ok, messageID: Field(start: 16, count: 1)))
        }
        let kinds: [(Command, Int?)] = [
            (.cancel, try wire.client.cancel(Cancel(messageID: "1"), at: 0, out: &wire.up)),
            (.replace, try wire.client.replace(Sample.replace, at: 0, out: &wire.up)),
            (.data, try wire.client.submitData(Sample.data, at: 0, out: &wire.up)),
            (
                .submitMulti,
                try wire.client.submitMulti(
                    MultiSubmit(destinations: [.list(short("a"))], message: Sample.multi), at: 0, out: &wire.up)
            ),
        ]
        var expired: [Int] = []
        #expect(wire.client.tick(at: 10 * second, out: &wire.up, expired: { expired.append($0) }) == nil)
        #expect(expired == kinds.compactMap(\.1))
    }

    @Test("Requests need a bind that transmits and room; one that cannot be written takes no place")
    func noRoom() throws {
        let wire = Wire()
        #expect(try wire.client.query(Query(messageID: "1"), at: 0, out: &wire.up) == nil)
        try wire.bound(.receiver)
        #expect(try wire.client.cancel(Cancel(messageID: "1"), at: 0, out: &wire.up) == nil)
        let full = Wire()
        try full.bound()
        #expect(throws: EncodingFault.self) {
            try full.client.query(Query(messageID: String(repeating: "1", count: 65)), at: 0, out: &full.up)
        }
        #expect(full.client.outstanding == 0 && full.up.readableBytes == 0)
        for _ in 0..<8 { #expect(try full.client.query(Query(messageID: "1"), at: 0, out: &full.up) != nil) }
        #expect(try full.client.query(Query(messageID: "1"), at: 0, out: &full.up) == nil)
        // Places move with their kinds when the window grows.
        var moves: [Int: Int] = [:]
        full.client.apply(ClientSession.Settings(window: 200), grown: { _ in }, move: { moves[$0] = $1 })
        try full.toServer()
        // The number 2 was spent on the one that could not be written.
        for sequence in UInt32(3)...10 { #expect(full.server.refuse(.query, sequence: sequence, .queryFailed, out: &full.down)) }
        try full.toClient()
        #expect(full.client.outstanding == 0)
        #expect(full.atClient.allSatisfy { if case .requestAnswered(_, .query, .queryFailed) = $0 { true } else { false } })
    }
}
