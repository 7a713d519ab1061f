import Testing

@testable import MartletModel

@Suite("Record v1")
struct RecordTests {
    static let bodies: [RecordBody] = [
        .told(.init(outcome: .heard, teller: "core")), .told(.init(outcome: .givenUp, teller: "")),
        .accepted(.init(receivedAt: 1_790_000_000_000_001)),
        .answered(.init(attempt: 255, part: 9, outcome: .accepted(providerID: "A-1"), handedAt: -5, connection: "harbour-1")),
        .asked(.init(what: .query, part: 1, tries: 3, result: .lost, providerID: "ab", connection: "c")),
        .answered(.init(attempt: 1, part: 0, outcome: .throttled(status: 0x58), handedAt: 5, connection: "")),
        .answered(.init(attempt: 1, part: 0, outcome: .deferred(status: 0x14), handedAt: 5, connection: "c")),
        .answered(.init(attempt: 1, part: 0, outcome: .refused(status: .max), handedAt: 5, connection: "c")),
        .answered(.init(attempt: 1, part: 0, outcome: .unknown, handedAt: 5, connection: "c")),
        .answered(.init(attempt: 1, part: 0, outcome: .notWritten, handedAt: 0, connection: "c")),
        .answered(.init(attempt: 1, part: 0, outcome: .unencodable, handedAt: 0, connection: "ü")),
        .receipt(.init(part: 3, state: .undeliverable, error: 0x1234, providerID: "0001F")),
        .ended(.init(state: .expired, reason: .noReceipt)),
        .resumed(.init(why: .left)),
        .carried(
            .init(
                state: .unknown, attempts: 3, resends: 1, strikes: 2, answeredParts: 1, deliveredParts: 2, failedParts: 4, unknownParts: 8,
                partsReference: 0xBEEF, notBefore: 77, order: 1 << 40,
                providerKeys: [.init(hash: .max, part: 1), .init(hash: 7, part: 2)])),
        .orphan(.init(state: .delivered, error: 7, providerID: String(repeating: "9", count: 64))),
        .inbound(.init(total: 3, number: 2)),
        .inbound(.init(total: 1, number: 0, missing: 1, inReplyTo: MessageID(high: 3, low: 4))),
        .preference(.init(number: .max - 1, unwanted: ClassSet([.marketing, .service]))),
        .replaced(
            .init(
                state: .queued, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
                partsReference: 9, notBefore: 0, order: 1 << 40, providerKeys: [])),
        .subscribed(.init(subject: .max, package: 17, isWanted: true, message: MessageID(high: 5, low: 6))),
        .subscribed(.init(subject: 1, package: .max, isWanted: false, message: .none)),
        .mark(.init(what: .credit, value: 40)),
        .mark(.init(what: .operated, text: "ops stopped harbour-1")),
        .mark(.init(what: .hold, value: UInt32(ClassSet([.otp, .marketing]).rawValue))),
        .rerouted(.init(group: 200)),
        .asked(
            .init(
                what: .query, part: 2, tries: 0x83, result: .state(.enroute, error: 9, endedAt: -1), providerID: "0001F",
                connection: "harbour-1")),
        .asked(.init(what: .query, part: 0, tries: 1, result: .silent, providerID: "", connection: "")),
        .asked(.init(what: .query, part: 0, tries: 1, result: .notKnown(status: 3), providerID: "9", connection: "c")),
        .asked(.init(what: .cancel, part: 15, tries: 0x80, result: .refused(status: .max), providerID: "9", connection: "c")),
        .asked(.init(what: .cancel, part: 0, tries: 0x80, result: .cancelled, providerID: "9", connection: "c")),
        .ledger(.init(accepted: .max, ended: 1 << 40, day: -3, dayMessages: 7, dayParts: 1 << 33)),
    ]

    static func header(_ kind: RecordKind) -> RecordHeader {
        var header = RecordHeader(
            kind: kind, partition: 31, messageClass: 3, source: 0xABCD, group: 9, parts: 4, id: MessageID(high: 0x0102_0304, low: .max),
            at: 1_790_000_000_000_000, deadline: 1_790_000_180_000, flags: [.possibleDuplicate, .outcome(.sent, .none)])
        header.sequence = 0x1122_3344_5566_7788
        header.previous = 0x0000_0007_0000_0040
        header.keyID = 0xDEAD_BEEF
        return header
    }

    static func bytes(_ record: Record, sealed: [UInt8] = []) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xAA, count: record.clearByteCount)
        bytes.withUnsafeMutableBytes { record.write(to: $0.baseAddress!) }
        return bytes + sealed
    }

    static func read(_ bytes: [UInt8]) throws -> Record { try bytes.withUnsafeBytes { try Record(reading: $0) } }

    @Test("Every kind reads back as it was written, its sealed part behind it", arguments: bodies)
    func roundTrip(_ body: RecordBody) throws {
        let record = Record(header: RecordTests.header(body.kind), body: body)
        let bytes = RecordTests.bytes(record, sealed: [1, 2, 3])
        var expected = record
        expected.header.clearCount = UInt16(body.byteCount)
        let again = try RecordTests.read(bytes)
        #expect(again == expected)
        #expect(Array(bytes[Record.sealedOffset(again.header)...]) == [1, 2, 3])
    }

    @Test("A receipt heard as an answer has more behind its id; a receipt as older logs have it reads as one")
    func answeredReceipt() throws {
        let plain = RecordBody.Receipt(part: 1, state: .delivered, error: 3, providerID: "0001F")
        var answer = plain
        (answer.isAnswer, answer.endedAt) = (true, 1_790_000_000)
        let bytes = RecordTests.bytes(Record(header: RecordTests.header(.receipt), body: .receipt(answer)))
        #expect(try RecordTests.read(bytes).body == .receipt(answer))
        // What was written before there were answers.
        let old = RecordTests.bytes(Record(header: RecordTests.header(.receipt), body: .receipt(plain)))
        #expect(bytes.count == old.count + 8 && Array(bytes[RecordHeader.byteCount..<old.count]) == Array(old[RecordHeader.byteCount...]))
        #expect(try RecordTests.read(old).body == .receipt(plain))
    }

    @Test("An id as the provider wrote it, and how often it was asked, stand behind their records; a record without them is as before")
    func laterFields() throws {
        var answered = RecordBody.Answered(
            attempt: 1, part: 0, outcome: .accepted(providerID: "ab"), handedAt: 5, connection: "c", rawID: "00AB")
        var carried = RecordBody.Carried(
            state: .sent, attempts: 1, resends: 0, strikes: 0, answeredParts: 1, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 9, notBefore: 0, order: 5, providerKeys: [.init(hash: 7, part: 0)], tries: 0xC2)
        let later: [RecordBody] = [.answered(answered), .carried(carried)]
        (answered.rawID, carried.tries) = ("", 0)
        let before: [RecordBody] = [.answered(answered), .carried(carried)]
        for (index, more) in [5, 7].enumerated() {
            let bytes = RecordTests.bytes(Record(header: RecordTests.header(later[index].kind), body: later[index]))
            let old = RecordTests.bytes(Record(header: RecordTests.header(before[index].kind), body: before[index]))
            #expect(try RecordTests.read(bytes).body == later[index] && RecordTests.read(old).body == before[index])
            #expect(bytes.count == old.count + more)
        }
    }

    @Test(
        "An inquiry that no version wrote names the field that is wrong",
        arguments: [(0, "inquiry"), (3, "inquiry result"), (8, "receipt state")])
    func badInquiry(_ offset: Int, _ field: String) {
        let body = RecordBody.asked(
            .init(what: .query, part: 0, tries: 1, result: .state(.enroute, error: 0, endedAt: 0), providerID: "", connection: ""))
        var bytes = RecordTests.bytes(Record(header: RecordTests.header(.asked), body: body))
        bytes[RecordHeader.byteCount + offset] = 99
        #expect(throws: RecordFault.badValue(field: field)) { try RecordTests.read(bytes) }
    }

    @Test("A record cut at any byte is truncated, never a crash and never another record", arguments: bodies)
    func truncated(_ body: RecordBody) {
        let bytes = RecordTests.bytes(Record(header: RecordTests.header(body.kind), body: body))
        for count in 0..<bytes.count {
            #expect(throws: RecordFault.truncated) { try RecordTests.read(Array(bytes[..<count])) }
        }
        // The same where the header says that all is there.
        for count in RecordHeader.byteCount..<bytes.count {
            var short = Array(bytes[..<count])
            short[62] = UInt8(count - RecordHeader.byteCount)
            #expect(throws: RecordFault.self) { try RecordTests.read(short) }
        }
    }

    @Test("Any byte changed to any value is read or refused, never a crash", arguments: bodies)
    func changed(_ body: RecordBody) {
        let bytes = RecordTests.bytes(Record(header: RecordTests.header(body.kind), body: body))
        for place in bytes.indices {
            for value in [0, 1, 9, 16, 127, 128, 255] as [UInt8] {
                var other = bytes
                other[place] = value
                _ = try? RecordTests.read(other)
            }
        }
    }

    @Test("What a message was planned anew as stands behind its records; they are as long as before where it was not")
    func textShapes() throws {
        let resumed = RecordBody.resumed(.init(why: .replanned, textShape: 0x0201_0108, submits: 2))
        var carried = RecordBody.Carried(
            state: .queued, attempts: 1, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
            partsReference: 7, notBefore: 0, order: 1, providerKeys: [.init(hash: 5, part: 0)])
        let plain = RecordBody.carried(carried).byteCount
        carried.textShape = 0x0201_0108
        var ended = carried
        (ended.state, ended.error) = (.failed, 1027)
        #expect(RecordBody.carried(ended).byteCount == plain + 6)
        #expect(RecordBody.resumed(.init(why: .unknown)).byteCount == 1 && resumed.byteCount == 6)
        #expect(RecordBody.carried(carried).byteCount == plain + 4)
        for body in [resumed, .carried(carried), .carried(ended)] {
            let bytes = RecordTests.bytes(Record(header: RecordTests.header(body.kind), body: body))
            #expect(try RecordTests.read(bytes).body == body)
            var short = bytes.dropLast()
            short[62] -= 1
            #expect(throws: RecordFault.truncated) { try RecordTests.read(Array(short)) }
        }
    }

    @Test("Parts on the air stand behind an acceptance only where they are not its submits; an older record has as many as submits")
    func partsOnAir() throws {
        let header = RecordTests.header(.accepted)
        let several = RecordBody.Accepted(receivedAt: 5, partsOnAir: 9)
        let bytes = RecordTests.bytes(Record(header: header, body: .accepted(several)))
        #expect(bytes.count == RecordHeader.byteCount + 9)
        #expect(try RecordTests.read(bytes).body == .accepted(several) && several.parts(header) == 9)
        var older = Array(bytes.dropLast())
        older[62] = 8
        guard case .accepted(let it) = try RecordTests.read(older).body else { return #expect(Bool(false), "another kind") }
        #expect(it == .init(receivedAt: 5) && it.parts(header) == header.parts)
    }

    @Test("A text longer than its field is cut between characters, so what is written reads as it was written")
    func longText() throws {
        for padding in 0..<4 {
            let text = String(repeating: "a", count: padding) + String(repeating: "😀", count: 100)
            let record = Record(header: RecordTests.header(.mark), body: .mark(.init(what: .operated, text: text)))
            let read = try RecordTests.read(RecordTests.bytes(record))
            guard case .mark(let mark) = read.body else { return #expect(Bool(false), "another kind") }
            #expect(text.hasPrefix(mark.text))
            #expect((252...255).contains(mark.text.utf8.count))
            #expect(try RecordTests.read(RecordTests.bytes(read)).body == read.body)
        }
    }

    @Test("Unknown kinds and versions are named")
    func unknown() {
        var bytes = RecordTests.bytes(Record(header: RecordTests.header(.ended), body: .ended(.init(state: .failed, reason: .refused))))
        bytes[1] = 2
        #expect(throws: RecordFault.unknownVersion(2)) { try RecordTests.read(bytes) }
        bytes[0] = 0
        #expect(throws: RecordFault.unknownKind(0)) { try RecordTests.read(bytes) }
        bytes[0] = 200
        #expect(throws: RecordFault.unknownKind(200)) { try RecordTests.read(bytes) }
    }

    @Test(
        "A value that no version wrote is named with its field",
        arguments: [
            (RecordKind.answered, 2, UInt8(8), "outcome"), (.receipt, 1, 0, "receipt state"), (.ended, 0, 12, "state"),
            (.ended, 1, 15, "reason"), (.inbound, 1, 4, "part"),
            (.resumed, 0, 5, "why"), (.carried, 0, 0, "state"), (.orphan, 0, 99, "receipt state"), (.mark, 0, 7, "mark"),
        ])
    func badValues(_ kind: RecordKind, _ offset: Int, _ value: UInt8, _ field: String) throws {
        let body = try #require(RecordTests.bodies.first { $0.kind == kind })
        var bytes = RecordTests.bytes(Record(header: RecordTests.header(kind), body: body))
        bytes[RecordHeader.byteCount + offset] = value
        #expect(throws: RecordFault.badValue(field: field)) { try RecordTests.read(bytes) }
    }

    @Test("A later version's longer clear part is read for what this one knows")
    func additive() throws {
        let body = RecordBody.ended(.init(state: .failed, reason: .refused))
        var bytes = RecordTests.bytes(Record(header: RecordTests.header(.ended), body: body))
        bytes[62] += 3
        bytes += [9, 9, 9]
        let record = try RecordTests.read(bytes)
        #expect(record.body == body)
        #expect(Record.sealedOffset(record.header) == bytes.count)
    }

    @Test("A preference reads back with the hash under which customers are found, and without it as an older program wrote it")
    func preferenceAddress() throws {
        let said = RecordBody.preference(.init(number: 7, unwanted: ClassSet([.marketing]), address: 1 << 63))
        let carried = RecordBody.preference(.init(number: 7, unwanted: ClassSet([.marketing])))
        #expect(said.byteCount == 18 && carried.byteCount == 10)
        for body in [said, carried] {
            let record = Record(header: RecordTests.header(.preference), body: body)
            #expect(try RecordTests.read(RecordTests.bytes(record, sealed: [7])).body == body)
        }
    }

    @Test("A word on a package that is neither wanted nor not is no record")
    func packageWanted() throws {
        let body = RecordBody.subscribed(.init(subject: 7, package: 17, isWanted: true, message: .none))
        var bytes = RecordTests.bytes(Record(header: RecordTests.header(.subscribed), body: body))
        bytes[RecordHeader.byteCount + 6] = 2
        #expect(throws: RecordFault.badValue(field: "package wanted")) { try RecordTests.read(bytes) }
    }

    @Test("Texts longer than their length byte are cut, and the bytes that follow stay where they belong")
    func longTexts() throws {
        let long = String(repeating: "x", count: 300)
        let bodies: [RecordBody] = [
            .answered(.init(attempt: 1, part: 0, outcome: .accepted(providerID: long), handedAt: 5, connection: long)),
            .receipt(.init(part: 1, state: .delivered, error: 1, providerID: long)),
            .orphan(.init(state: .delivered, error: 1, providerID: long)),
            .mark(.init(what: .operated, value: 3, text: long)),
        ]
        for body in bodies {
            let again = try RecordTests.read(RecordTests.bytes(Record(header: RecordTests.header(body.kind), body: body), sealed: [7]))
            #expect(again.body.byteCount == body.byteCount)
            #expect(Int(again.header.clearCount) == body.byteCount)
        }
        let keys = (0..<300).map { RecordBody.Carried.ProviderKey(hash: UInt64($0), part: 0) }
        let carried = RecordBody.carried(
            .init(
                state: .sent, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0, unknownParts: 0,
                partsReference: 0, notBefore: 0, order: 0, providerKeys: keys))
        guard
            case .carried(let again) = try RecordTests.read(RecordTests.bytes(Record(header: RecordTests.header(.carried), body: carried)))
                .body
        else { return #expect(Bool(false)) }
        #expect(again.providerKeys == Array(keys.prefix(255)))
    }

    @Test("The layout of the header is the documented one, byte by byte")
    func layout() throws {
        var header = RecordTests.header(.ended)
        header.keyHash = 0x1817_1615_1413_1211
        header.bodyHash = 0x2827_2625_2423_2221
        let bytes = RecordTests.bytes(Record(header: header, body: .ended(.init(state: .failed, reason: .refused))))
        #expect(bytes.count == 82)
        #expect(Array(bytes[0..<8]) == [4, 1, 31, 3, 0xCD, 0xAB, 9, 4])
        #expect(Array(bytes[8..<16]) == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
        #expect(Array(bytes[16..<24]) == [4, 3, 2, 1, 0, 0, 0, 0])
        #expect(Array(bytes[24..<32]) == [UInt8](repeating: 0xFF, count: 8))
        #expect(Array(bytes[32..<40]) == [0x40, 0, 0, 0, 7, 0, 0, 0])
        #expect(Array(bytes[56..<64]) == [0xEF, 0xBE, 0xAD, 0xDE, 1, 3, 2, 0])
        #expect(Array(bytes[64..<72]) == [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18])
        #expect(Array(bytes[72..<80]) == [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28])
        #expect(try RecordTests.read(bytes).header.keyHash == header.keyHash)
        #expect(try RecordTests.read(bytes).header.bodyHash == header.bodyHash)
        #expect(Array(bytes[80...]) == [5, 1])
    }

    @Test("Flags hold state and reason beside the other bits")
    func flags() {
        for state in MessageState.allCases {
            for reason in EndReason.allCases {
                let flags: RecordFlags = [.outcome(state, reason), .late]
                #expect(flags.state == state && flags.reason == reason && flags.contains(.late) && !flags.contains(.settlesAttempt))
            }
        }
        #expect(RecordFlags().state == nil)
        #expect(RecordFlags(rawValue: 0xF000).reason == nil)
    }

    @Test("Outcomes have a word, a code and a status each")
    func outcomes() {
        let all: [Outcome] = [
            .accepted(providerID: "x"), .throttled(status: 1), .deferred(status: 2), .refused(status: 3), .unknown, .notWritten,
            .unencodable,
        ]
        #expect(all.map(\.code) == Array(1...7))
        #expect(all.map(\.status) == [0, 1, 2, 3, 0, 0, 0])
        #expect(all.map(\.word) == ["accepted", "throttled", "deferred", "refused", "unknown", "not_written", "unencodable"])
        for one in all { #expect(Outcome(code: one.code, status: one.status, providerID: one.providerID) == one) }
        #expect(Outcome(code: 0, status: 0, providerID: "") == nil)
    }
}

@Suite("Payload")
struct PayloadTests {
    private func submission(from: String = "Bank", text: String, reference: String = "r-1") -> Submission {
        Submission(
            source: 1, messageClass: .otp, to: PhoneNumber(digits: 447_700_900_123), from: from, text: text, reference: reference,
            receivedAt: Instant(wall: 0, steady: 0))
    }

    private func bytes(_ submission: Submission) -> [UInt8] {
        var out: [UInt8] = []
        Payload.append(submission, to: &out)
        return out
    }

    private func read(_ bytes: [UInt8]) throws -> Payload { try bytes.withUnsafeBytes { try Payload(reading: $0) } }

    @Test("A payload reads back as it was written", arguments: ["", "Ваш код 123456", String(repeating: "€", count: 700)])
    func roundTrip(_ text: String) throws {
        let payload = try read(bytes(submission(text: text)))
        #expect(payload == Payload(to: PhoneNumber(digits: 447_700_900_123), from: "Bank", reference: "r-1", text: text))
    }

    @Test("A payload cut at any byte is truncated; another version is named")
    func faults() {
        let whole = bytes(submission(text: "Your code is 123456"))
        for count in 0..<whole.count { #expect(throws: RecordFault.truncated) { try read(Array(whole[..<count])) } }
        #expect(throws: RecordFault.unknownVersion(5)) { try read([5] + whole.dropFirst()) }
    }

    @Test("A part that its sender cut keeps its header; version 2 is written for it alone, and is as whole or truncated as any")
    func cut() throws {
        var part = submission(text: "second part")
        part.userDataHeader = [5, 0, 3, 7, 2, 2]
        let whole = bytes(part)
        #expect(whole[0] == 2 && bytes(submission(text: "x"))[0] == 1)
        #expect(try read(whole).userDataHeader == [5, 0, 3, 7, 2, 2])
        for count in 0..<whole.count { #expect(throws: RecordFault.truncated) { try read(Array(whole[..<count])) } }
    }

    @Test("What few messages have stands in fields behind the text; one that is not known is passed over, a wrong one is named")
    func fields() throws {
        var part = submission(text: "second part")
        part.userDataHeader = [5, 0, 3, 7, 2, 2]
        part.partOctets = [1, 2, 3]
        part.partAlphabet = 8
        part.wishes = [.flash, .replacesPending]
        var whole: [UInt8] = []
        Payload.append(part, textShape: 0x0201_0100, to: &whole)
        #expect(whole[0] == 3)
        let read = try self.read(whole)
        #expect(read.userDataHeader == [5, 0, 3, 7, 2, 2] && read.partOctets == [1, 2, 3] && read.partAlphabet == 8)
        #expect(read.wishes == [.flash, .replacesPending] && read.textShape == 0x0201_0100 && read.text == "second part")
        #expect(Array(whole.suffix(22)) == [1, 6, 5, 0, 3, 7, 2, 2, 2, 4, 0, 1, 1, 2, 3, 1, 3, 4, 4, 8, 1, 2, 3].suffix(22))
        #expect(try self.read(whole + [200, 2, 9, 9]) == read)
        #expect(throws: RecordFault.truncated) { try self.read(whole + [200, 2, 9]) }
        #expect(throws: RecordFault.truncated) { try self.read(whole + [200]) }
        for (field, name) in [(2, "text shape"), (3, "wishes"), (4, "part")] {
            #expect(throws: RecordFault.badValue(field: name)) { try self.read(whole + [UInt8(field), 0]) }
        }
        // Any one of them makes it version 3; none leaves it as it was.
        var flash = submission(text: "x")
        flash.wishes = .flash
        #expect(bytes(flash)[0] == 3 && bytes(submission(text: "x"))[0] == 1)
        #expect(Payload.parts(ofShape: 0) == nil && Payload.parts(ofShape: 0x0300_0300) == 3)
    }

    @Test("A trace context is kept, with a header or without; version 3 is written for it alone, and fields not known are passed over")
    func traced() throws {
        let trace = TraceContext(high: 1, low: 2, parent: 3, flags: 1)
        var message = submission(text: "Hello")
        message.trace = trace
        let plain = bytes(message)
        #expect(plain[0] == 3 && plain.count == bytes(submission(text: "Hello")).count + 27)
        #expect(try read(plain).trace == trace)
        #expect(try read(plain).userDataHeader.isEmpty)
        message.userDataHeader = [5, 0, 3, 7, 2, 2]
        let whole = bytes(message)
        let payload = try read(whole)
        #expect(payload.trace == trace && payload.userDataHeader == [5, 0, 3, 7, 2, 2] && payload.text == "Hello")
        // Cut between fields it is a message without the rest.
        for count in 0..<whole.count where ![whole.count - 27, whole.count - 35].contains(count) {
            #expect(throws: RecordFault.truncated) { try read(Array(whole[..<count])) }
        }
        // A field of a later version before the one that is known, and one of another length.
        var later = plain
        later.insert(contentsOf: [99, 2, 1, 1], at: plain.count - 27)
        #expect(try read(later) == read(plain))
        #expect(try read(bytes(submission(text: "Hello"))).trace == nil)
    }

    @Test("What a message from a handset is the reply to is kept in a field of its own; one of another length is named")
    func inReplyTo() throws {
        var payload = Payload(to: PhoneNumber(digits: 1), from: "7070", reference: "447700900123", text: "yes")
        var plain: [UInt8] = []
        payload.append(to: &plain)
        payload.inReplyTo = MessageID(high: 0x0102_0304_0506_0708, low: 9)
        var out: [UInt8] = []
        payload.append(to: &out)
        #expect(plain[0] == 1 && out[0] == 3 && out.count == plain.count + 18)
        #expect(try read(out) == payload)
        #expect(Array(out.suffix(18)) == [6, 16, 8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0])
        #expect(throws: RecordFault.badValue(field: "in reply to")) { try self.read([3] + plain.dropFirst() + [6, 1, 1]) }
    }

    @Test("A field too long for its length is cut and leaves the others whole")
    func long() throws {
        let payload = try read(
            bytes(
                submission(
                    from: String(repeating: "f", count: 400), text: String(repeating: "t", count: 70_000),
                    reference: String(repeating: "r", count: 256))))
        #expect(payload.from.utf8.count == 255 && payload.reference.utf8.count == 255 && payload.text.utf8.count == 65_535)
    }
}
