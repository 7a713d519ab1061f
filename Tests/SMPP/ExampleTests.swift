import FoundationEssentials
import NIOCore
import SMPP
import Testing

@Suite struct ExampleTests {
    @Test("The examples send a message to each other and hear its receipt")
    func examples() throws {
        var client = SendingClient()
        var server = KeepingServer()
        var (up, down) = (ByteBuffer(), ByteBuffer())
        func pump(_ client: inout SendingClient, _ server: inout KeepingServer) {
            for _ in 0..<4 {
                _ = server.received(up, at: 0, out: &down)
                up.clear()
                _ = client.received(down, at: 0, out: &up)
                down.clear()
            }
        }
        try client.send("too early", to: "447700900123", at: 0, out: &up)
        #expect(up.readableBytes == 0)
        try client.connected(at: 0, out: &up)
        pump(&client, &server)
        try client.send("Your statement is ready.", to: "447700900123", at: 0, out: &up)
        pump(&client, &server)
        #expect(client.messageID.isEmpty)
        let open = try server.kept(at: 0, wall: 1_795_370_700, out: &down)
        #expect(open)
        pump(&client, &server)
        #expect(client.messageID == "0000000001" && client.ended == .delivered)
        #expect(throws: EncodingFault.self) {
            try client.send(String(repeating: "long", count: 100), to: "447700900123", at: 0, out: &up)
        }
        let alive = client.received(ByteBuffer(bytes: [0, 0, 0, 1]), at: 0, out: &up)
        #expect(!alive)
        up.clear()
        let heard = server.received(ByteBuffer(bytes: [0xFF, 0, 0, 1]), at: 0, out: &down)
        #expect(!heard)
    }

    @Test("The server's example refuses what it does not serve, and damaged submits, each with its status")
    func refusals() throws {
        var server = KeepingServer()
        var out = ByteBuffer()
        func statuses(_ packets: [Packet], _ server: inout KeepingServer) throws -> [CommandStatus] {
            var incoming = ByteBuffer()
            for packet in packets { try incoming.writePacket(packet) }
            _ = server.received(incoming, at: 0, out: &out)
            var all: [CommandStatus] = []
            try FrameReader.walk(&out) { all.append($0.header.status) }
            out.clear()
            return all
        }
        var foreign = Sample.submit
        foreign.fields.esmClass = .receipt
        let seen = try statuses(
            [
                Packet(.bind(Bind(mode: .transceiver, systemID: "bank", password: "wrong")), sequence: 1),
                Packet(.bind(Bind(mode: .transceiver, systemID: "bank", password: "secret")), sequence: 2),
                Packet(.other(.submit, [1, 2]), sequence: 3), Packet(.submit(foreign), sequence: 4),
                Packet(.query(Query(messageID: "1")), sequence: 5), Packet(.cancel(Cancel(messageID: "1")), sequence: 6),
                Packet(.replace(Sample.replace), sequence: 7), Packet(.data(Sample.data), sequence: 8),
                Packet(.submitMulti(MultiSubmit(destinations: [.list(short("a"))], message: Sample.multi)), sequence: 9),
            ], &server)
        #expect(
            seen == [
                .bindFailed, .ok, .invalidCommandLength, .invalidEsmClass, .ok, .cancelFailed, .replaceFailed, .submitFailed, .submitFailed,
            ])
    }

    @Test("The guide quotes the examples as they are compiled")
    func guide() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let guide = folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/guides/smpp-library.md")
        let source = String(decoding: try Data(contentsOf: folder.appending(path: "Examples.swift")), as: UTF8.self)
        let text = String(decoding: try Data(contentsOf: guide), as: UTF8.self)
        var quoted = 0
        for piece in source.split(separator: "// example: ").dropFirst() {
            let lines = piece.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            let example = lines.prefix { $0 != "// end" }.joined(separator: "\n")
            #expect(text.contains("```swift\n\(example)\n```"), "copy the example into docs/guides/smpp-library.md")
            quoted += 1
        }
        #expect(quoted == 2)
    }
}
