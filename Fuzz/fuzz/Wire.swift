import NIOCore
import SMPP

extension FuzzTarget {
    /// A stream cut in two at any place gives the same PDUs as whole; what is read as a PDU is written again, and that reads the same.
    static let pdu = FuzzTarget(name: "pdu") { bytes in
        guard let first = bytes.first else { return }
        let stream = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        let whole = frames(stream, cutAt: stream.count)
        let cut = frames(stream, cutAt: stream.count == 0 ? 0 : Int(first) % stream.count)
        claim(whole == cut, "a stream cut in two gives other PDUs")
        for octets in whole {
            octets.withUnsafeBytes { octets in
                guard let frame = try? Frame(octets), let packet = try? Packet(frame) else { return }
                again(packet)
            }
        }
    }

    private static func frames(_ stream: UnsafeRawBufferPointer, cutAt cut: Int) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var reader = FrameReader()
        for piece in [stream[..<cut], stream[cut...]] {
            var buffer = ByteBuffer(bytes: piece)
            do {
                try reader.read(&buffer) { frame in found.append(Array(frame.bytes)) }
            } catch {
                return found
            }
            claim(reader.pendingOctets <= Int(reader.maximumLength), "the reader keeps more than a PDU")
        }
        return found
    }

    /// What was read once may be normalised by writing; from then on it stays as it is.
    private static func again(_ packet: Packet) {
        var out = ByteBuffer()
        // A text that is no ASCII is read and shown, but not written.
        guard (try? out.writePacket(packet)) != nil else { return }
        let read = out.withUnsafeReadableBytes { octets in (try? Frame(octets)).flatMap { try? Packet($0) } }
        guard let read else { fatalError("claim broken: what was written cannot be read: \(packet.command)") }
        var twice = ByteBuffer()
        guard (try? twice.writePacket(read)) != nil else { fatalError("claim broken: what was read back cannot be written") }
        claim(twice == out, "writing changes from time to time: \(packet.command)")
    }

    /// Both session machines take any frames in any state; what they write are whole PDUs; their windows stay within bounds.
    static let session = FuzzTarget(name: "session") { bytes in
        guard bytes.count > 1 else { return }
        var out = ByteBuffer()
        var client = ClientSession(settings: ClientSession.Settings(window: 4))
        var server = ServerSession(settings: ServerSession.Settings(window: 4, deliverWindow: 4), at: 0)
        guard (try? client.open(Bind(mode: .transceiver, systemID: "fuzz", password: "x"), at: 0, out: &out)) != nil else { return }
        if bytes[0] & 1 == 1 { bindBoth(&client, &server) }
        if bytes[0] & 2 == 2 { _ = (client.take(at: 1), client.take(at: 1), server.take(at: 1), server.take(at: 1)) }
        var now: Int64 = 2
        var stream = ByteBuffer(bytes: bytes.dropFirst())
        var open: [(Command, UInt32)] = []
        _ = try? FrameReader.walk(&stream) { frame in
            now += 1
            _ = client.received(frame, at: now, out: &out)
            switch server.received(frame, at: now, out: &out) {
            case .bind: _ = try? server.acceptBind(out: &out)
            case .submit(let sequence): open.append((.submit, sequence))
            case .data(let sequence): open.append((.data, sequence))
            case .query(let query, let sequence):
                let answer = QueryResponse(messageID: query.messageID, finalDate: nil, state: .enroute)
                _ = try? server.answerQuery(sequence: sequence, answer, out: &out)
            default: break
            }
            if open.count > 2, let (command, sequence) = open.popLast() {
                _ = server.refuse(command, sequence: sequence, .systemError, out: &out)
            }
            claim(server.openRequests <= 4 && server.outstanding <= 4 && client.outstanding <= 4, "more is open than the window holds")
        }
        _ = client.tick(at: now + 100_000_000, out: &out) { _ in }
        _ = server.tick(at: now + 100_000_000, out: &out) { _ in }
        client.lost { _ in }
        server.lost { _ in }
        claim(client.outstanding == 0 && server.outstanding == 0 && server.openRequests == 0, "something is open after the end")
        let whole: Void? = try? FrameReader.walk(&out) { _ in }
        claim(whole != nil && out.readableBytes == 0, "a session wrote what is no PDU")
    }

    private static func bindBoth(_ client: inout ClientSession, _ server: inout ServerSession) {
        var out = ByteBuffer()
        guard (try? out.writeBind(Bind(mode: .transceiver, systemID: "fuzz", password: "x"), sequence: 1)) != nil,
            (try? out.writeBindResponse(.transceiver, BindResponse(systemID: "S", interfaceVersion: 0x34), sequence: 1)) != nil
        else { return }
        var answers = ByteBuffer()
        _ = try? FrameReader.walk(&out) { frame in
            if case .bind = server.received(frame, at: 1, out: &answers) { _ = try? server.acceptBind(out: &answers) }
            if frame.header.command.isResponse { _ = client.received(frame, at: 1, out: &answers) }
        }
    }

    /// A deliver_sm whose parameters are the input: walked, copied and looked up alike, and every field lies inside.
    static let parameters = FuzzTarget(name: "parameters") { bytes in
        guard bytes.count <= 60_000 else { return }
        var out = ByteBuffer()
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        guard out.writeMessage(.deliver, MessageFields(), sequence: 1, shortMessage: none, parameters: bytes) == nil else { return }
        out.withUnsafeReadableBytes { octets in
            guard let frame = try? Frame(octets), let view = try? MessageView(frame) else { return }
            var count = 0
            view.parameters.each(in: frame) { entry in
                claim(inside(entry.value, frame), "a parameter leads out of its PDU")
                count += 1
            }
            claim(inside(view.content, frame) && inside(view.receiptedMessageID, frame), "a field leads out of its PDU")
            if let copied = try? view.parameters.copied(from: frame) { claim(copied.count == count, "a parameter was not copied") }
            if let receipt = Receipt(view, in: frame) { claim(inside(receipt.messageID, frame), "an id leads out of its PDU") }
        }
    }

    /// Text of a receipt in any vendor's form: fields inside, the id read to one canonical form.
    static let receipt = FuzzTarget(name: "receipt") { bytes in
        guard bytes.count <= Limits.shortMessageOctets else { return }
        let text = ReceiptText(bytes)
        for field in [text.id, text.submitted, text.delivered, text.submitDate, text.doneDate, text.state, text.error, text.text] {
            claim(field.start + field.count <= bytes.count, "a field leads out of its text")
        }
        let id = UnsafeRawBufferPointer(rebasing: bytes[text.id.start..<text.id.start + text.id.count])
        let canonical = MessageIdentifier.canonical(id)
        claim(MessageIdentifier.canonical(canonical) == canonical, "the canonical form of an id has another one")
        for candidate in IdentifierLearner().candidates(receipt: canonical) { _ = MessageIdentifier.areEqual(candidate, canonical) }
        var fields = MessageFields()
        fields.esmClass = .receipt
        var out = ByteBuffer()
        guard out.writeMessage(.deliver, fields, sequence: 1, shortMessage: bytes) == nil else { return }
        out.withUnsafeReadableBytes { octets in
            guard let frame = try? Frame(octets), let view = try? MessageView(frame) else { return }
            if let receipt = Receipt(view, in: frame) { claim(inside(receipt.messageID, frame), "an id leads out of its PDU") }
            _ = (text.submittedAt(in: frame), text.doneAt(in: frame))
        }
    }

    private static func inside(_ field: Field, _ frame: Frame) -> Bool { field.start + field.count <= frame.bytes.count }

    /// Times of SMPP: read or refused; a relative one stays what it says.
    static let times = FuzzTarget(name: "times") { bytes in
        guard bytes.count <= 32 else { return }
        if let time = PDUTime(bytes) { _ = time.seconds(from: 1_795_370_940) }
        _ = ReceiptDate.seconds(bytes)
    }
}
