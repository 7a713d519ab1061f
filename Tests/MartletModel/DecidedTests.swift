import Testing

@testable import MartletModel

@Suite("Records of decisions")
struct DecidedTests {
    private static let told = RecordBody.Decided(
        receivedAt: 0x0102_0304_0506_0708, stage: .release, outcome: .told, step: 1, event: 0x1112, package: 17, release: 0x2122_2324,
        subject: 0x3132_3334, until: 0x4142_4344_4546_4748, planned: 2, partsOnAir: 3, bits: [.noFallbackOnceSent, .hasSecret],
        channel: .email, knownAs: 0x5152_5354_5556_5758, ends: 0x6162_6364_6566_6768, duplicate: 0x7172_7374_7576_7778,
        counters: [.init(key: 0x8182_8384, most: 3, within: 604_800), .init(key: 9, most: 0x7FFF, within: 60, isLimit: true)],
        countedAt: 0x9192_9394,
        messages: [
            .init(step: 0, channel: .push, contact: 0, when: .skipped(.noContact)), .init(step: 1, channel: .email, contact: 4, when: .now),
            .init(step: 2, channel: .sms, contact: 5, when: .later),
        ])

    @Test("A decision has its bytes where the page on the record format says")
    func bytes() throws {
        let header = RecordTests.header(.decided)
        let bytes = Array(RecordTests.bytes(Record(header: header, body: .decided(DecidedTests.told)))[RecordHeader.byteCount...])
        #expect(bytes.count == 62 + 2 * 10 + 4 + 3 * 4)
        #expect(Array(bytes[0..<12]) == [8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 0, 1])
        #expect(Array(bytes[12..<24]) == [0x12, 0x11, 17, 0, 0x24, 0x23, 0x22, 0x21, 0x34, 0x33, 0x32, 0x31])
        #expect(Array(bytes[24..<36]) == [0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41, 2, 3, 5, 3])
        #expect(bytes[36] == 0x58 && bytes[44] == 0x68 && bytes[52] == 0x78)
        #expect(Array(bytes[60..<62]) == [2, 3])
        #expect(Array(bytes[62..<72]) == [0x84, 0x83, 0x82, 0x81, 3, 0, 0x80, 0x3A, 9, 0])
        #expect(Array(bytes[72..<82]) == [9, 0, 0, 0, 0xFF, 0xFF, 60, 0, 0, 0])
        #expect(Array(bytes[82..<86]) == [0x94, 0x93, 0x92, 0x91])
        #expect(Array(bytes[86...]) == [0, 2, 0, 2 | 7 << 2, 1, 3, 4, 0, 2, 1, 5, 1])
    }

    @Test(
        "What is written reads back the same",
        arguments: [
            RecordBody.decided(told), .decided(.init(stage: .fresh, outcome: .held, event: 1, release: 1, subject: 0, until: 5)),
            .decided(.init(stage: .reminder, outcome: .suppressed, reason: .budget, event: 1, release: 1, subject: 0)),
            .decided(
                .init(
                    stage: .fresh, outcome: .told, event: 1, release: 1, subject: 1,
                    reminder: .init(ordinal: 3, at: 0x0102_0304_0506_0708, due: 0x1112_1314_1516_1718))),
            .counted(
                .init(counter: .init(key: 7, most: 3, within: 60), times: [.init(subject: 9, at: 1_790_000_000), .init(subject: 1, at: 2)])),
            .counted(.init(counter: .init(key: 7, most: 3, within: 60, isLimit: true), times: [])),
            .counted(
                .init(
                    counter: .init(key: 7, most: 3, within: 60), times: [.init(subject: 9, at: 2)],
                    numbers: [.init(number: 0x0102_0304_0506_0708, at: 3), .init(number: 4, at: 5)], isNew: true)),
            .counted(.init(counter: .init(key: 7, most: 3, within: 60), numbers: [.init(number: 4, at: 5)])),
            .carried(
                .init(
                    state: .planned, attempts: 0, resends: 0, strikes: 0, answeredParts: 0, deliveredParts: 0, failedParts: 0,
                    unknownParts: 0, partsReference: 1, notBefore: 77, order: 1, providerKeys: [],
                    event: .init(
                        role: [.isEvent, .isReserved], step: 2, subject: 8, knownAs: 9, reservedAt: 10,
                        counters: [.init(key: 7, most: 3, within: 60)], members: 0x22))),
        ])
    func roundTrip(_ body: RecordBody) throws {
        let record = Record(header: RecordTests.header(body.kind), body: body)
        let bytes = RecordTests.bytes(record)
        #expect(bytes.count == record.clearByteCount)
        #expect(try RecordTests.read(bytes).body == body)
        // However short it is cut, it is no record and no crash.
        for count in 0..<bytes.count { #expect(throws: RecordFault.self) { try RecordTests.read(Array(bytes[..<count])) } }
    }

    @Test("A value that no version wrote is named")
    func faults() throws {
        let bytes = RecordTests.bytes(Record(header: RecordTests.header(.decided), body: .decided(DecidedTests.told)))
        for (offset, value, field) in [
            (8, UInt8(9), "stage"), (9, 0, "decision"), (10, 99, "suppression"), (35, 14, "channel"), (87, 0, "channel of a message"),
            (89, 3, "when of a message"), (89, 0xFE, "when of a message"),
        ] {
            var broken = bytes
            broken[RecordHeader.byteCount + offset] = value
            #expect(throws: RecordFault.badValue(field: field)) { try RecordTests.read(broken) }
        }
        var broken = bytes
        broken[RecordHeader.byteCount + 66] = 0
        #expect(throws: RecordFault.badValue(field: "most of a counter")) { try RecordTests.read(broken) }
    }

    @Test("Every reason has its place in the flags, those of decisions too, and every reason not to tell is the reason of an end")
    func reasons() {
        for reason in EndReason.allCases { #expect(RecordFlags.outcome(.planned, reason).reason == reason) }
        for reason in SuppressionReason.allCases {
            #expect(EndReason(reason).suppression == reason && EndReason(reason).word == reason.word)
        }
        #expect(EndReason(.optedOut) == .optedOut && EndReason(.budget).rawValue == 48 && EndReason.completed.suppression == nil)
    }

    @Test("A counter is known by what the rulebook says of it; sizes beyond its bits are cut")
    func counters() {
        let cap = RecordBody.Counter(FrequencyCap(key: "offers", classes: [], most: 3, within: 60))
        #expect(cap == RecordBody.Counter(key: RecordBody.Counter.hash("offers"), most: 3, within: 60))
        #expect(RecordBody.Counter.hash("") == 2_166_136_261 && RecordBody.Counter.hash("a") == 0xE40C_292C)
        let limit = RecordBody.Counter(.init(most: 100_000, within: 60), of: 7)
        #expect(limit.isLimit && limit.key == 7 && limit.most == 0x7FFF)
    }
}

@Suite("Payload of an event")
struct EventPayloadTests {
    private static let values: [EventPayload.NamedValue] = [
        .init("shop", .text("Книгарня")), .init("count", .integer(-7)), .init("rate", .decimal(ExactDecimal(unscaled: -1250, scale: 2))),
        .init("amount", .money(Money(minor: -12_550, currency: 980))), .init("day", .date(20_000)), .init("at", .time(86_399)),
        .init("moment", .instant(1_790_000_000_000_000, offset: -7200)), .init("isNew", .boolean(true)), .init("isOld", .boolean(false)),
    ]

    private static let payload = EventPayload(
        message: Payload(
            to: PhoneNumber(digits: 447_700_900_123), from: "Bank", reference: "r-1", text: "Ваш код", textShape: 0x0102_0304),
        happened: .init(
            event: 12, occurredAt: 1_790_000_000_000_001, deadline: 1_790_000_060_000_000, customer: .max, account: 5, card: 6,
            values: values),
        facts: [1, 2, 3], wording: .init(channel: .sms, template: "sms.payment", version: 4, override: 2, locale: "uk-UA"))

    private func bytes(_ payload: EventPayload) -> [UInt8] {
        var out: [UInt8] = []
        payload.append(to: &out)
        return out
    }

    @Test("It reads back as it was written, and its message alone as that of any other")
    func roundTrip() throws {
        let bytes = bytes(EventPayloadTests.payload)
        #expect(bytes[0] == 4)
        #expect(try bytes.withUnsafeBytes { try EventPayload(reading: $0) } == EventPayloadTests.payload)
        #expect(try bytes.withUnsafeBytes { try Payload(reading: $0) } == EventPayloadTests.payload.message)
        #expect(bytes.withUnsafeBytes { Payload.number(in: $0) } == EventPayloadTests.payload.message.to)
        var plain = EventPayload(
            message: Payload(to: .init(digits: 0), from: "", reference: "", text: ""), happened: .init(event: 1, occurredAt: 0, customer: 1)
        )
        #expect(try self.bytes(plain).withUnsafeBytes { try EventPayload(reading: $0) } == plain)
        // Beyond what a field of one length byte holds.
        plain.happened.values = [.init("text", .text(String(repeating: "x", count: 3000)))]
        plain.message.userDataHeader = [5, 0, 3, 1, 2, 1]
        #expect(try self.bytes(plain).withUnsafeBytes { try EventPayload(reading: $0) } == plain)
    }

    @Test("The bytes of what happened stand where the page on the record format says")
    func golden() {
        let happened = EventPayload.Happened(
            event: 0x0102, occurredAt: 3, deadline: 4, customer: 5, card: 6,
            values: [.init("a", .text("b")), .init("n", .money(Money(minor: -1, currency: 980)))])
        #expect(
            happened.bytes == [2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5, 4, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
                + [1, 97, 1, 1, 98, 1, 110, 4, 1, 0xD4, 7])
    }

    @Test("Cut anywhere it is no event's payload; one without an event is none either")
    func cut() {
        let bytes = bytes(EventPayloadTests.payload)
        let whole = Set([bytes.count])
        for count in 0..<bytes.count where !whole.contains(count) {
            let cut = Array(bytes[..<count])
            // Cut between two fields it is shorter, and a payload.
            if let read = cut.withUnsafeBytes({ try? EventPayload(reading: $0) }) {
                #expect(read.message == EventPayloadTests.payload.message && (read.facts.isEmpty || read.wording == nil))
            }
        }
        var ready: [UInt8] = []
        EventPayloadTests.payload.message.append(to: &ready)
        #expect(throws: RecordFault.badValue(field: "event")) { try ready.withUnsafeBytes { try EventPayload(reading: $0) } }
    }

    @Test("What an event takes in its record is known before it is accepted")
    func size() {
        let definition = EventDefinition(
            key: "a", number: 1, type: 0, messageClass: .otp,
            parameters: [EventParameter(name: "code", type: .text, dataClass: .secret), EventParameter(name: "shop", type: .text)])
        var it = EventSubmission(
            source: 1, definition: definition, values: [.text("123456"), nil], customer: "c", occurredAt: 0,
            receivedAt: Instant(wall: 0, steady: 0))
        #expect(it.named == [.init("code", .text("123456"))] && it.hasSecret)
        let small = it.byteCount
        it.values[1] = .text("four")
        #expect(it.byteCount == small + 5 + 1 + 1 + 4)
    }

    @Test("A catalogue finds an event by its key")
    func catalogue() {
        let definition = EventDefinition(key: "a", number: 1, type: 0, messageClass: .otp)
        let catalogue = EventCatalogue(generation: 3, release: 2, [definition])
        #expect(catalogue["a"] == definition && catalogue["b"] == nil && catalogue.place(of: "a") == 0 && !catalogue.isEmpty)
        #expect(EventCatalogue.empty.isEmpty)
    }
}
