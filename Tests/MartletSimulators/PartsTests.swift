import NIOCore
import SMPP
import Testing

@testable import MartletSimulators

@Suite("The rate of a second")
struct RateWindowTests {
    @Test("A window of 1000 ms holds what came in it and nothing older")
    func slides() {
        var window = RateWindow()
        for millisecond in 5000..<5100 { window.add(at: Int64(millisecond)) }
        #expect(window.count(at: 5100) == 100)
        #expect(window.count(at: 5999) == 100)
        #expect(window.count(at: 6000) == 99)
        #expect(window.count(at: 6098) == 1)
        #expect(window.count(at: 6099) == 0)
        #expect(window.most == 100)
    }

    @Test("The most of any second is kept, and a long silence clears the rest")
    func most() {
        var window = RateWindow()
        window.add(30, at: 999)
        window.add(30, at: 1500)
        window.add(5, at: 1_000_000)
        #expect(window.most == 60)
        #expect(window.sum == 5)
        // A clock that goes back counts as standing still.
        window.add(1, at: 10)
        #expect(window.count(at: 1_000_000) == 6)
    }
}

@Suite("Which messages were seen before")
struct SeenSetTests {
    /// The set as an object, since an expectation cannot change a value.
    private final class Noted {
        var set: SeenSet
        init(window: Int) { set = SeenSet(window: window) }
        func isRepeat(_ hash: UInt64, ordinal: UInt64) -> Bool { set.isRepeat(hash, ordinal: ordinal) }
    }

    private func hash(_ destination: String, _ text: [UInt8]) -> UInt64 {
        Array(destination.utf8).withUnsafeBytes { d in text.withUnsafeBytes { t in SeenSet.hash(d, t) } }
    }

    @Test("The same destination and octets make a repeat; another destination, text or border between them does not")
    func identity() {
        let seen = Noted(window: 100)
        #expect(!seen.isRepeat(hash("447700900123", [1, 2, 3, 4, 5, 6, 7, 8, 9]), ordinal: 1))
        #expect(!seen.isRepeat(hash("447700900124", [1, 2, 3, 4, 5, 6, 7, 8, 9]), ordinal: 2))
        #expect(!seen.isRepeat(hash("447700900123", [1, 2, 3, 4, 5, 6, 7, 8, 8]), ordinal: 3))
        #expect(!seen.isRepeat(hash("447700900123", []), ordinal: 4))
        #expect(!seen.isRepeat(hash("44770090012", Array("3".utf8)), ordinal: 5))
        #expect(seen.isRepeat(hash("447700900123", [1, 2, 3, 4, 5, 6, 7, 8, 9]), ordinal: 6))
    }

    @Test("What lies further back than the window is forgotten; a window of 0 tells nothing")
    func window() {
        let seen = Noted(window: 10)
        for ordinal in UInt64(1)...12 { #expect(!seen.isRepeat(ordinal &* 0x9e37_79b9_7f4a_7c15, ordinal: ordinal)) }
        #expect(!seen.isRepeat(0x9e37_79b9_7f4a_7c15, ordinal: 13))
        #expect(seen.isRepeat(12 &* 0x9e37_79b9_7f4a_7c15, ordinal: 14))
        let off = Noted(window: 0)
        #expect(!off.isRepeat(1, ordinal: 1))
        #expect(!off.isRepeat(1, ordinal: 2))
    }

    @Test("A hundred thousand different messages hold no repeat, and each sent again is one")
    func many() {
        let seen = Noted(window: 200_000)
        var repeats = 0
        for round in 0..<2 {
            for number in 0..<100_000 {
                let ordinal = UInt64(round * 100_000 + number + 1)
                if seen.isRepeat(hash("4477\(number)", [UInt8(truncatingIfNeeded: number)]), ordinal: ordinal) { repeats += 1 }
            }
            if round == 0 { #expect(repeats == 0) }
        }
        #expect(repeats == 100_000)
        seen.set.removeAll()
        #expect(!seen.isRepeat(hash("44771", [1]), ordinal: 1))
    }
}

@Suite("What is due later")
struct DueTableTests {
    @Test("Things come out by time, and in the order they were put in within one millisecond")
    func order() {
        var table = DueTable<Int>()
        var random = SeededRandom(seed: 4)
        var expected: [(Int64, Int)] = []
        for item in 0..<500 {
            let time = Int64(random.upTo(60))
            expected.append((time, item))
            table.push(at: time, octets: nil) { _ in item }
        }
        expected.sort { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
        #expect(table.count == 500)
        var found: [Int] = []
        while let bucket = table.pop(through: 30) { found += bucket.items }
        #expect(found == expected.filter { $0.0 <= 30 }.map { $0.1 })
        while let bucket = table.pop(through: 60) { found += bucket.items }
        #expect(found == expected.map { $0.1 })
        #expect(table.count == 0 && table.first == nil)
    }

    @Test("Octets stay with their item, and items can be taken back")
    func octets() {
        var table = DueTable<Range<Int>>()
        for text in ["one", "three", ""] { Array(text.utf8).withUnsafeBytes { table.push(at: 9, octets: $0) { $0 } } }
        table.removeAll { $0.count == 3 }
        #expect(table.count == 2)
        let bucket = table.pop(through: 9)
        #expect(bucket?.items.map { String(decoding: bucket?.bytes[$0] ?? [], as: UTF8.self) } == ["three", ""])
    }
}

@Suite("The newest messages")
struct MessageRingTests {
    private func put(_ ring: MessageRing, _ text: String, number: UInt64) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { ring.append($0, atMicros: Int64(number), number: number) }
    }

    @Test("The oldest go first, by number")
    func bounded() {
        let ring = MessageRing(keep: 10)
        for number in UInt64(101)...125 { #expect(put(ring, "m\(number)", number: number) == number - 100) }
        #expect(ring.newest == 25 && ring.oldest == 16 && ring.count == 10)
        #expect(ring.messages(after: 0, limit: 100).map { $0.number } == Array(116...125))
        #expect(ring.messages(after: 20, limit: 2).map { $0.n } == [21, 22])
        #expect(ring.message(15) == nil && ring.message(26) == nil)
        #expect(ring.message(25).map { String(decoding: $0.pdu, as: UTF8.self) } == "m125")
        #expect(ring.n(ofNumber: 120) == 20 && ring.n(ofNumber: 110) == nil && ring.n(ofNumber: 999) == nil)
        ring.set(.delivered, of: 20)
        ring.set(.delivered, of: 3)
        #expect(ring.progress(of: 20) == .delivered && ring.progress(of: 21) == .enroute && ring.progress(of: 3) == nil)
        ring.removeAll()
        #expect(ring.newest == 0 && ring.messages(after: 0, limit: 9).isEmpty && ring.n(ofNumber: 120) == nil)
    }

    @Test("Long messages push out more of the old ones, and none is ever half overwritten")
    func octets() {
        let ring = MessageRing(keep: 100)
        let long = String(repeating: "x", count: 9000)
        for number in UInt64(1)...60 { _ = put(ring, "\(number)\(long)", number: number) }
        let kept = ring.messages(after: 0, limit: 100)
        #expect(kept.count < 20 && kept.last?.number == 60)
        for message in kept { #expect(String(decoding: message.pdu, as: UTF8.self) == "\(message.number)\(long)") }
    }

    @Test("A ring of nothing counts and keeps nothing")
    func empty() {
        let ring = MessageRing(keep: 0)
        #expect(put(ring, "x", number: 5) == 1)
        #expect(ring.newest == 1 && ring.message(1) == nil && ring.n(ofNumber: 5) == nil && ring.messages(after: 0, limit: 5).isEmpty)
    }
}

@Suite("Receipts on their way")
struct DeliverWindowTests {
    @Test("What was not answered comes back oldest first, what was answered does not")
    func drains() {
        var window = DeliverWindow()
        var out = ByteBuffer()
        for _ in 0..<5 { window.send(to: &out) { writer, sequence in writer.header(.deliver, status: 0, sequence: sequence) } }
        #expect(out.readableBytes == 80 && window.open == 5)
        var given: [UInt32] = []
        #expect(window.answered(2) { _ in })
        #expect(!window.answered(2) { _ in })
        #expect(!window.answered(77) { _ in })
        window.drain { pdu in given.append(UInt32(bigEndian: pdu.loadUnaligned(fromByteOffset: 12, as: UInt32.self))) }
        #expect(given == [1, 3, 4, 5] && window.open == 0)
    }

    @Test("It is full when the oldest place is still open")
    func full() {
        var window = DeliverWindow()
        var out = ByteBuffer()
        #expect(window.hasRoom)
        var sent = 0
        while window.hasRoom, sent < 5000 {
            window.send(to: &out) { writer, sequence in writer.header(.deliver, status: 0, sequence: sequence) }
            sent += 1
        }
        #expect(sent == DeliverWindow.size)
        #expect(window.answered(1) { _ in })
        #expect(window.hasRoom)
        var empty = DeliverWindow()
        #expect(!empty.answered(1) { _ in })
        empty.drain { _ in Issue.record("nothing was sent") }
    }

    @Test("The waiting receipts come out as they went in, up to the bound")
    func outbox() {
        var outbox = Outbox()
        func pdu(_ sequence: UInt32, _ extra: Int) -> [UInt8] {
            var buffer = ByteBuffer()
            buffer.appendPDU(room: 16 + extra) { writer in
                writer.header(.deliver, status: 0, sequence: sequence)
                for _ in 0..<extra { writer.octet(7) }
            }
            return Array(buffer.readableBytesView)
        }
        outbox.takeFirst { _ in Issue.record("nothing is there") }
        var refused = 0
        for sequence in UInt32(1)...20_000 {
            pdu(sequence, Int(sequence % 200)).withUnsafeBytes { if !outbox.append($0) { refused += 1 } }
        }
        #expect(refused == 0)
        for sequence in UInt32(1)...20_000 {
            outbox.takeFirst { bytes in
                if Array(bytes) != pdu(sequence, Int(sequence % 200)) { Issue.record("receipt \(sequence) came out changed") }
            }
        }
        #expect(outbox.count == 0)
        let small = pdu(1, 0)
        for _ in 0..<Outbox.countMaximum { _ = small.withUnsafeBytes { outbox.append($0) } }
        let isTaken = small.withUnsafeBytes { outbox.append($0) }
        #expect(!isTaken)
        outbox.removeAll()
        #expect(outbox.count == 0)
    }
}

@Suite("Written forms")
struct WireTests {
    private func written(_ body: (inout RawWriter) -> Void) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { room -> Int in
            var writer = RawWriter(room)
            body(&writer)
            return writer.at
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    @Test("A message id is written in each form, and found again from each")
    func numbers() {
        let number: UInt64 = 1_795_373_320_885_242
        let forms: [(Behaviour.ReceiptIdForm, Behaviour.AnswerIdForm, String)] = [
            (.asIs, .decimal, "1795373320885242"), (.asIs, .hex, "660de2b2bdbfa"), (.hex, .decimal, "660de2b2bdbfa"),
            (.upper, .decimal, "660DE2B2BDBFA"), (.decimal, .hex, "1795373320885242"), (.padded, .decimal, "00001795373320885242"),
            (.padded, .hex, "0000000660de2b2bdbfa"),
        ]
        for (form, answered, expected) in forms {
            let text = written { $0.messageNumber(number, form, answered: answered) }
            let known = String(number, radix: 16)
            #expect(text == expected.replacingHex(of: "660de2b2bdbfa", by: known))
            #expect(MessageNumber.candidates(Array(text.utf8)).contains(number))
        }
        #expect(MessageNumber.candidates([]) == [] && MessageNumber.candidates(Array("xyz".utf8)) == [])
        #expect(MessageNumber(value: 255).text(.hex) == "ff" && MessageNumber(value: 255).text(.decimal) == "255")
        #expect(written { $0.decimal(0) } == "0" && written { $0.hex(0) } == "0" && written { $0.decimal(7, padded: 3) } == "007")
    }

    @Test(
        "Dates are those of the calendar",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_795_370_941_000_123, "2026-11-22T18:09:01.000123Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
        ])
    func dates(_ micros: Int64, _ text: String) {
        #expect(CivilTime(micros: micros).rfc3339 == text)
    }

    @Test("A receipt says its words in the order of appendix B, from the phone back to the sender")
    func receipt() {
        let addresses: [UInt8] = [5, 0] + Array("HARBOUR".utf8) + [0, 1, 1] + Array("447700900123".utf8) + [0]
        let receipt = Receipt(
            number: 255, state: .undeliverable, submittedAt: 1_795_370_941_000_000, doneAt: 1_795_371_001_000_000, answerForm: .decimal,
            form: .upper, withTlvs: true)
        var buffer = ByteBuffer()
        buffer.appendPDU(room: Receipt.octetsMaximum) { writer in
            addresses.withUnsafeBytes { receipt.write(to: &writer, sequence: 9, addresses: $0) }
        }
        let bytes = Array(buffer.readableBytesView)
        #expect(Int(bytes[3]) == bytes.count && bytes[7] == 5 && bytes[15] == 9)
        let swapped: [UInt8] = [0, 1, 1] + Array("447700900123".utf8) + [0, 5, 0] + Array("HARBOUR".utf8) + [0, 0x04]
        #expect(Array(bytes[16..<16 + swapped.count]) == swapped)
        let text = "id:FF sub:001 dlvrd:000 submit date:2611221809 done date:2611221810 stat:UNDELIV err:011 text:"
        #expect(String(decoding: bytes, as: UTF8.self).contains(text))
        #expect(Array(bytes.suffix(12)) == [0, 0x1E, 0, 3, 0x46, 0x46, 0, 0x04, 0x27, 0, 1, 5])
    }

    @Test("Each state has its word, and a word its state")
    func words() {
        for state in ReceiptState.allCases {
            #expect(ReceiptState(word: "\(state.word)") == state)
            #expect(MessageRing.Progress(state).queryState == (state == .delivered ? 2 : state.rawValue))
            #expect(MessageRing.Progress(state).word == "\(state.word)")
            #expect("\(state.errorDigits)".count == 3)
        }
        #expect(ReceiptState(word: "FINE") == nil)
        #expect(ReceiptMix([]) == nil && ReceiptMix([.init(state: .delivered, percent: -1), .init(state: .expired, percent: 101)]) == nil)
        #expect(ReceiptMix(.expired).state(at: 100) == .expired)
    }
}

extension String {
    /// The test's expectations in terms of one hexadecimal number, whatever its digits.
    fileprivate func replacingHex(of old: String, by new: String) -> String {
        if self == old { return new }
        if self == old.uppercased() { return new.uppercased() }
        if hasSuffix(old) { return String(repeating: "0", count: 20 - new.count) + new }
        return self
    }
}
