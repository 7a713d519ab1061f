import NIOCore
import SMPP
import Testing

/// Reads a frame by every reader there is. Whatever the octets are, each ends in a value or in a recoverable fault.
private func readAll(_ frame: Frame) -> Bool {
    var sound = true
    func attempt(_ body: () throws -> Void) {
        do { try body() } catch { sound = sound && (error as? PDUFault)?.isRecoverable == true }
    }
    attempt { _ = try Packet(frame) }
    attempt { _ = try MessageIDView(frame) }
    attempt {
        let view = try MessageView(frame)
        _ = Receipt(view, in: frame)
        let text = ReceiptText(frame[view.content], offset: view.content.start)
        _ = (text.doneAt(in: frame), text.submittedAt(in: frame), MessageIdentifier.canonical(frame[text.id]))
        _ = SubmitRules.refusal(of: view, in: frame)
        _ = (PDUTime(frame[view.validityPeriod]), view.registeredDelivery.receipt, view.deliveryState)
    }
    attempt {
        let view = try MultiView(frame)
        var seen = 0
        view.destinations.each(in: frame) { _ in seen += 1 }
        if seen != view.destinations.count { sound = false }
    }
    return sound
}

@Suite struct VerifierTests {
    @Test("Twenty-five thousand random values of every kind read back as they were written", arguments: [1, 20_261_122] as [UInt64])
    func roundTrips(seed: UInt64) throws {
        var generator = Generator(seed)
        for round in 0..<12_500 {
            let sample = generator.packet(round % Generator.kinds)
            var buffer = ByteBuffer()
            try buffer.writePacket(sample)
            let read = try buffer.withUnsafeReadableBytes { try Packet(try Frame($0)) }
            if read != sample {
                Issue.record("seed \(seed), round \(round): \(sample.command)")
                return
            }
        }
    }

    @Test("Random PDUs joined in one stream come out whole, whatever the pieces they arrive in", arguments: [5, 6] as [UInt64])
    func pieces(seed: UInt64) throws {
        var generator = Generator(seed)
        for round in 0..<40 {
            var stream: [UInt8] = []
            var wanted: [Packet] = []
            for _ in 0..<30 {
                let sample = generator.packet(generator.below(Generator.kinds))
                stream += try octets(sample)
                wanted.append(sample)
            }
            var reader = FrameReader()
            var found: [Packet] = []
            var at = 0
            while at < stream.count {
                // Often a single octet, sometimes several PDUs.
                let size = min(stream.count - at, generator.below(3) == 0 ? 1 : 1 + generator.below(700))
                var piece = ByteBuffer(bytes: stream[at..<(at + size)])
                try reader.read(&piece) { if let one = try? Packet($0) { found.append(one) } }
                at += size
            }
            if found != wanted || reader.pendingOctets != 0 {
                Issue.record("seed \(seed), round \(round)")
                return
            }
        }
    }

    @Test("Every kind of PDU, cut after each octet, ends in a fault or a value", arguments: 0..<Generator.kinds)
    func cuts(kind: Int) throws {
        var generator = Generator(UInt64(kind) + 100)
        for _ in 0..<3 {
            let written = try octets(generator.packet(kind))
            for length in stride(from: 16, to: written.count, by: written.count > 2000 ? 7 : 1) {
                var cut = Array(written[0..<length])
                cut.replaceSubrange(0..<4, with: [0, 0, UInt8(length >> 8), UInt8(length & 255)])
                if try !withFrame(cut, readAll) {
                    Issue.record("kind \(kind) at \(length)")
                    return
                }
            }
        }
    }

    /// Like a fuzzer without coverage: samples of every kind, damaged by the usual mutations, over and over from one seed.
    @Test("Damaged PDUs end in a recoverable fault or a value, never in a crash", arguments: [11, 12, 13, 14] as [UInt64])
    func mutations(seed: UInt64) throws {
        var generator = Generator(seed)
        var corpus = try Sample.all.map { try octets($0.packet) }
        for kind in 0..<Generator.kinds { corpus.append(try octets(generator.packet(kind))) }
        var faults = 0
        for round in 0..<6000 {
            var one = corpus[generator.below(corpus.count)]
            for _ in 0..<(1 + generator.below(5)) { generator.mutate(&one, corpus) }
            if one.count < 16 { one += [UInt8](repeating: 0, count: 16 - one.count) }
            if one.count > 4000 { one.removeLast(one.count - 4000) }
            one.replaceSubrange(0..<4, with: [0, 0, UInt8(one.count >> 8), UInt8(one.count & 255)])
            if try !withFrame(one, readAll) {
                Issue.record("seed \(seed), round \(round): \(hex(one))")
                return
            }
            // What was read can be written and reads the same, unless its text was not plain.
            if let value = try? packet(one) {
                var buffer = ByteBuffer()
                if (try? buffer.writePacket(value)) != nil {
                    let again = try buffer.withUnsafeReadableBytes { try Packet(try Frame($0)) }
                    if again.command != value.command {
                        Issue.record("seed \(seed), round \(round): \(hex(one))")
                        return
                    }
                }
            } else {
                faults += 1
            }
        }
        #expect(faults > 500)
    }

    @Test("Damaged streams are cut into PDUs or end, and both machines live through them", arguments: [21, 22, 23] as [UInt64])
    func streams(seed: UInt64) throws {
        var generator = Generator(seed)
        let corpus = try Sample.all.map { try octets($0.packet) }
        for round in 0..<400 {
            var client = ClientSession()
            var server = ServerSession(at: 0)
            var (up, down) = (ByteBuffer(), ByteBuffer())
            try client.open(Bind(mode: .transceiver, systemID: "a", password: "b"), at: 0, out: &up)
            up.clear()
            var stream = try octets(Packet(.bind(Bind(mode: .transceiver, systemID: "a", password: "b")), sequence: 1))
            stream += try octets(Packet(.bindResponse(.transceiver, BindResponse(systemID: "s")), sequence: 1))
            for _ in 0..<20 {
                var one = corpus[generator.below(corpus.count)]
                if generator.below(3) == 0 { generator.mutate(&one, corpus) }
                stream += one
            }
            _ = try? client.query(Query(messageID: "1"), at: 0, out: &up)
            var open: [(Command, UInt32)] = []
            var reader = FrameReader()
            var incoming = ByteBuffer(bytes: stream)
            do {
                try reader.read(&incoming) { frame in
                    _ = client.received(frame, at: 0, out: &up)
                    switch server.received(frame, at: 0, out: &down) {
                    case .bind: try? server.acceptBind(out: &down)
                    case .submit(let sequence): open.append((.submit, sequence))
                    case .submitMulti(let sequence): open.append((.submitMulti, sequence))
                    case .data(let sequence): open.append((.data, sequence))
                    case .query(_, let sequence): open.append((.query, sequence))
                    case .cancel(_, let sequence): open.append((.cancel, sequence))
                    case .replace(_, let sequence): open.append((.replace, sequence))
                    default: break
                    }
                }
            } catch {
                if error.isRecoverable { Issue.record("seed \(seed), round \(round)") }
                client.unfollowable(error, out: &up)
            }
            if server.openRequests != open.count {
                Issue.record("seed \(seed), round \(round): \(open.count)")
                return
            }
            for (command, sequence) in open {
                let answered = server.refuse(command, sequence: sequence, .systemError, out: &down)
                if !answered {
                    Issue.record("seed \(seed), round \(round): \(command)")
                    return
                }
            }
            // All that was written is well-formed.
            for var written in [up, down] {
                try FrameReader.walk(&written) { frame in
                    if (try? Packet(frame)) == nil { Issue.record("seed \(seed), round \(round): \(hex(Array(frame.bytes)))") }
                }
                #expect(written.readableBytes == 0)
            }
        }
    }

    @Test("Damaged receipt texts are read to their end", arguments: [31, 32] as [UInt64])
    func receiptTexts(seed: UInt64) {
        var generator = Generator(seed)
        let corpus = [
            "id:0123456789 sub:001 dlvrd:000 submit date:2611221804 done date:2611221805 stat:UNDELIV err:021 text:Your code",
            "id=1;stat=DELIVRD;err=0", "ID:\"x\" STAT:'y' text:id:1 stat:z", "msgid:1 state:2 error_code:3 submit_date:4 donedate:5",
        ].map { Array($0.utf8) }
        for _ in 0..<8000 {
            var one = corpus[generator.below(corpus.count)]
            for _ in 0..<(1 + generator.below(4)) { generator.mutate(&one, corpus) }
            let within = one.prefix(2000).withUnsafeBytes { octets in
                let text = ReceiptText(octets)
                _ = ReceiptText.number(octets)
                return [text.id, text.submitted, text.delivered, text.submitDate, text.doneDate, text.state, text.error, text.text]
                    .allSatisfy { $0.start + $0.count <= octets.count }
            }
            if !within {
                Issue.record("seed \(seed): \(hex(one))")
                return
            }
        }
    }
}

extension Generator {
    /// One of the usual damages: a bit, an octet, an edge value, a piece cut out, doubled, swapped in from another, or the end cut off.
    mutating func mutate(_ one: inout [UInt8], _ corpus: [[UInt8]]) {
        if one.isEmpty { return one = [octet()] }
        let at = below(one.count)
        switch below(8) {
        case 0: one[at] ^= 1 << UInt8(below(8))
        case 1: one[at] = octet()
        case 2: one[at] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][below(6)]
        case 3: one.removeSubrange(at..<min(one.count, at + 1 + below(8)))
        case 4: one.insert(contentsOf: octets(8), at: at)
        case 5: one.insert(contentsOf: one[at..<min(one.count, at + 1 + below(40))], at: at)
        case 6:
            let other = corpus[below(corpus.count)]
            let from = below(other.count)
            one.replaceSubrange(at..<min(one.count, at + 20), with: other[from..<min(other.count, from + 20)])
        default: one.removeLast(one.count - at)
        }
    }
}
