import NIOCore
import SMPP
import Testing

/// A bound client with a window of one and its server; what one writes the other reads.
private final class Pair {
    var client = ClientSession(settings: ClientSession.Settings(window: 1))
    var server = ServerSession(settings: ServerSession.Settings(window: 20), at: 0)
    var up = ByteBuffer()
    var down = ByteBuffer()
    var atServer = 0
    var atClient: [ClientSession.Event] = []

    init() throws {
        try client.open(Bind(mode: .transceiver, systemID: "a", password: "b"), at: 0, out: &up)
        try toServer()
        try server.acceptBind(out: &down)
        try toClient()
        (atServer, atClient) = (0, [])
    }

    func toServer() throws {
        var incoming = up
        up.clear()
        try FrameReader.walk(&incoming) { frame in
            _ = server.received(frame, at: 0, out: &down)
            atServer += 1
        }
    }

    func toClient() throws {
        var incoming = down
        down.clear()
        try FrameReader.walk(&incoming) { atClient.append(client.received($0, at: 0, out: &up)) }
    }

    func expired(at now: Int64) -> [Int] { client.expiredAsides(at: now) }
}

/// Requests beside the window: they take no room from submits.
@Suite struct AsideTests {
    private func bound() throws -> Pair { try Pair() }

    @Test("Questions go beside a full window, at most eight, and come back by their tag whatever the order")
    func beside() throws {
        let wire = try bound()
        _ = wire.client.take(at: 0)
        #expect(wire.client.room == 0 && wire.client.asideRoom == 8)
        for tag in 1...7 { try wire.client.askAside(Query(messageID: "\(tag)"), tag: tag, at: 0, out: &wire.up) }
        try wire.client.cancelAside(Cancel(messageID: "8"), tag: 8, at: 0, out: &wire.up)
        #expect(wire.client.asideRoom == 0 && wire.client.outstanding == 1)
        try wire.toServer()
        #expect(wire.atServer == 8)
        #expect(wire.server.answerCancel(sequence: 10, status: .cancelFailed, out: &wire.down))
        #expect(try wire.server.answerQuery(sequence: 3, QueryResponse(messageID: "1", state: 2), out: &wire.down))
        // An answer of another command, and one that is nobody's.
        wire.down.writeHeaderOnly(.cancelResponse, sequence: 4)
        wire.down.writeHeaderOnly(.genericNack, status: .invalidCommand, sequence: 5)
        try wire.toClient()
        #expect(
            wire.atClient == [
                .asideAnswered(tag: 8, status: .cancelFailed), .asideAnswered(tag: 1, status: .ok), .unknownAnswer(sequence: 4),
                .asideAnswered(tag: 3, status: .invalidCommand),
            ])
        #expect(wire.client.asideRoom == 3 && wire.client.outstanding == 1)
    }

    @Test("What has no answer in time is given back once, the rest when the transport is gone")
    func silence() throws {
        let wire = try bound()
        try wire.client.askAside(Query(messageID: "1"), tag: 1, at: 0, out: &wire.up)
        try wire.client.askAside(Query(messageID: "2"), tag: 2, at: 5_000_000, out: &wire.up)
        let due = wire.client.deadline()
        #expect(due == 10_000_000, "before the link is to be looked after")
        #expect(wire.expired(at: 9_999_999).isEmpty)
        #expect(wire.expired(at: 10_000_000) == [1])
        #expect(wire.expired(at: 10_000_000).isEmpty)
        wire.client.lost { _ in }
        let lost = wire.client.lostAsides()
        #expect(lost == [2] && wire.client.asideRoom == 0)
    }

    @Test("An id that no message_id can hold is refused, and takes no place")
    func tooLong() throws {
        let wire = try bound()
        #expect(throws: EncodingFault.self) {
            try wire.client.askAside(Query(messageID: String(repeating: "9", count: 65)), tag: 1, at: 0, out: &wire.up)
        }
        #expect(wire.client.asideRoom == 8 && wire.up.readableBytes == 0)
    }
}
