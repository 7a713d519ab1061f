// Bytes of what was decided, and of what counts for caps. Layout: `docs/reference/record-format.md`.

extension RecordBody.Decided {
    private static let fixedCount = 62
    private static let noStep: UInt8 = 255

    var byteCount: Int {
        RecordBody.Decided.fixedCount + min(counters.count, 255) * RecordBody.Counter.byteCount + (counters.isEmpty ? 0 : 4)
            + min(messages.count, 255) * 4 + (reminder == nil ? 0 : 17)
    }

    func write(_ out: inout ByteCursor) {
        out.put(receivedAt)
        out.put(stage.rawValue)
        out.put(outcome.rawValue)
        out.put(reason?.rawValue ?? 0)
        out.put(step ?? RecordBody.Decided.noStep)
        out.put(event)
        out.put(package)
        out.put(release)
        out.put(subject)
        out.put(until)
        out.put(planned)
        out.put(partsOnAir)
        out.put(bits.rawValue)
        out.put(channel?.rawValue ?? 0)
        out.put(knownAs)
        out.put(ends)
        out.put(duplicate)
        out.put(UInt8(min(counters.count, 255)))
        out.put(UInt8(min(messages.count, 255)))
        for counter in counters.prefix(255) { counter.write(&out) }
        if !counters.isEmpty { out.put(countedAt) }
        for message in messages.prefix(255) {
            out.put(message.step)
            out.put(message.channel.rawValue)
            out.put(message.contact)
            out.put(message.when.code)
        }
        guard let reminder else { return }
        out.put(reminder.ordinal)
        out.put(reminder.at)
        out.put(reminder.due)
    }

    init(_ input: inout ByteReader) throws(RecordFault) {
        let receivedAt: Int64 = try input.take()
        guard let stage = Stage(rawValue: try input.take()) else { throw .badValue(field: "stage") }
        guard let outcome = Outcome(rawValue: try input.take()) else { throw .badValue(field: "decision") }
        let reason: UInt8 = try input.take()
        guard reason == 0 || SuppressionReason(rawValue: reason) != nil else { throw .badValue(field: "suppression") }
        let step: UInt8 = try input.take()
        self.init(
            receivedAt: receivedAt, stage: stage, outcome: outcome, reason: SuppressionReason(rawValue: reason),
            step: step == RecordBody.Decided.noStep ? nil : step, event: try input.take(), package: try input.take(),
            release: try input.take(), subject: try input.take(), until: try input.take(), planned: try input.take(),
            partsOnAir: try input.take(), bits: Bits(rawValue: try input.take()))
        let channel: UInt8 = try input.take()
        guard channel == 0 || ChannelKind(rawValue: channel) != nil else { throw .badValue(field: "channel") }
        self.channel = ChannelKind(rawValue: channel)
        knownAs = try input.take()
        ends = try input.take()
        duplicate = try input.take()
        let counts: (UInt8, UInt8) = (try input.take(), try input.take())
        for _ in 0..<counts.0 { counters.append(try RecordBody.Counter(&input)) }
        if counts.0 > 0 { countedAt = try input.take() }
        for _ in 0..<counts.1 {
            let step: UInt8 = try input.take()
            guard let channel = ChannelKind(rawValue: try input.take()) else { throw .badValue(field: "channel of a message") }
            let contact: UInt8 = try input.take()
            guard let when = PlannedMessage.When(code: try input.take()) else { throw .badValue(field: "when of a message") }
            messages.append(PlannedMessage(step: step, channel: channel, contact: contact, when: when))
        }
        if !input.isAtEnd { reminder = Reminder(ordinal: try input.take(), at: try input.take(), due: try input.take()) }
    }
}

extension PlannedMessage.When {
    /// 0 now, 1 later, else 2 and what stands against it, shifted by 2 bits.
    fileprivate var code: UInt8 {
        switch self {
        case .now: 0
        case .later: 1
        case .skipped(let why): 2 | why.rawValue << 2
        }
    }

    fileprivate init?(code: UInt8) {
        switch code {
        case 0: self = .now
        case 1: self = .later
        default:
            guard code & 3 == 2, let why = PlannedMessage.Skip(rawValue: code >> 2) else { return nil }
            self = .skipped(why)
        }
    }
}

extension RecordBody.Counter {
    static let byteCount = 10
    private static let limitBit: UInt16 = 0x8000

    func write(_ out: inout ByteCursor) {
        out.put(key)
        out.put(most & ~RecordBody.Counter.limitBit | (isLimit ? RecordBody.Counter.limitBit : 0))
        out.put(within)
    }

    init(_ input: inout ByteReader) throws(RecordFault) {
        let key: UInt32 = try input.take()
        let most: UInt16 = try input.take()
        guard most & ~RecordBody.Counter.limitBit != 0 else { throw .badValue(field: "most of a counter") }
        self.init(
            key: key, most: most & ~RecordBody.Counter.limitBit, within: try input.take(),
            isLimit: most & RecordBody.Counter.limitBit != 0)
    }
}

extension RecordBody.Counted {
    var byteCount: Int {
        let fixed = RecordBody.Counter.byteCount + 2 + min(times.count, RecordBody.Counted.most) * 8
        let ofNumbers = numbers.isEmpty ? 0 : 2 + min(numbers.count, RecordBody.Counted.most) * 12
        return fixed + (bits == 0 ? 0 : 1) + ofNumbers
    }

    private var bits: UInt8 { (isNew ? RecordBody.Counted.new : 0) | (numbers.isEmpty ? 0 : RecordBody.Counted.withNumbers) }

    func write(_ out: inout ByteCursor) {
        counter.write(&out)
        out.put(UInt16(min(times.count, RecordBody.Counted.most)))
        for time in times.prefix(RecordBody.Counted.most) {
            out.put(time.subject)
            out.put(time.at)
        }
        if bits != 0 { out.put(bits) }
        guard !numbers.isEmpty else { return }
        out.put(UInt16(min(numbers.count, RecordBody.Counted.most)))
        for time in numbers.prefix(RecordBody.Counted.most) {
            out.put(time.number)
            out.put(time.at)
        }
    }

    private static let new: UInt8 = 1
    private static let withNumbers: UInt8 = 2

    init(_ input: inout ByteReader) throws(RecordFault) {
        self.init(counter: try RecordBody.Counter(&input), times: [])
        let count: UInt16 = try input.take()
        for _ in 0..<count { times.append(Time(subject: try input.take(), at: try input.take())) }
        guard !input.isAtEnd else { return }
        let bits: UInt8 = try input.take()
        isNew = bits & RecordBody.Counted.new != 0
        guard bits & RecordBody.Counted.withNumbers != 0 else { return }
        let further: UInt16 = try input.take()
        for _ in 0..<further { numbers.append(NumberTime(number: try input.take(), at: try input.take())) }
    }
}

extension RecordBody.Carried.Event {
    var byteCount: Int { 20 + min(counters.count, 255) * RecordBody.Counter.byteCount + (isMandatory ? 1 : 0) }

    func write(_ out: inout ByteCursor) {
        out.put(role.rawValue)
        out.put(step)
        out.put(subject)
        out.put(knownAs)
        out.put(reservedAt)
        out.put(UInt8(min(counters.count, 255)))
        for counter in counters.prefix(255) { counter.write(&out) }
        out.put(members)
        if isMandatory { out.put(RecordBody.Carried.Event.mandatory) }
    }

    private static let mandatory: UInt8 = 1

    init(_ input: inout ByteReader) throws(RecordFault) {
        let role = RecordBody.Carried.Role(rawValue: try input.take())
        let step: UInt8 = try input.take()
        self.init(
            role: role, step: step, subject: try input.take(), knownAs: try input.take(), reservedAt: try input.take())
        let count: UInt8 = try input.take()
        for _ in 0..<count { counters.append(try RecordBody.Counter(&input)) }
        if !input.isAtEnd { members = try input.take() }
        if !input.isAtEnd { isMandatory = try input.take() & RecordBody.Carried.Event.mandatory != 0 }
    }
}
