// Bytes of a record: header, clear part, sealed part (to the end). Only what stands here knows the layout of clear parts.

/// Longest provider id and connection name that a record keeps, in bytes (SMPP 3.4, section 5.2.23: message_id is at most 64 with its end).
public let providerIDMaximum = 64

extension RecordBody {
    /// Bytes that `write` will fill.
    public var byteCount: Int {
        switch self {
        case .accepted(let it): it.partsOnAir == 0 ? 8 : 9
        case .answered(let it):
            18 + it.outcome.providerID.shortCount + it.connection.shortCount + (it.rawID.isEmpty ? 0 : 1 + it.rawID.shortCount)
        case .receipt(let it): 5 + it.providerID.shortCount + (it.isAnswer ? 8 : 0)
        case .ended: 2
        case .resumed(let it): it.textShape == 0 ? 1 : 6
        case .carried(let it), .replaced(let it): 31 + min(it.providerKeys.count, 255) * 9 + it.tailCount
        case .orphan(let it): 4 + it.providerID.shortCount
        case .mark(let it): 6 + it.text.shortCount
        case .told(let it): 2 + it.teller.shortCount
        case .rerouted: 1
        case .ledger: 36
        case .inbound: 20
        case .preference(let it): it.address == 0 ? 10 : 18
        case .asked(let it): 22 + it.providerID.shortCount + it.connection.shortCount
        case .decided(let it): it.byteCount
        case .counted(let it): it.byteCount
        case .subscribed: 24
        }
    }

    /// Fills exactly `byteCount` bytes.
    public func write(to target: UnsafeMutableRawPointer) {
        var out = ByteCursor(target)
        switch self {
        case .accepted(let it):
            out.put(it.receivedAt)
            if it.partsOnAir != 0 { out.put(it.partsOnAir) }
        case .answered(let it):
            out.put(it.attempt)
            out.put(it.part)
            out.put(it.outcome.code)
            out.put(UInt8(0))
            out.put(it.outcome.status)
            out.put(it.handedAt)
            out.put(text: it.outcome.providerID)
            out.put(text: it.connection)
            if !it.rawID.isEmpty { out.put(text: it.rawID) }
        case .receipt(let it):
            out.put(it.part)
            out.put(it.state.rawValue)
            out.put(it.error)
            out.put(text: it.providerID)
            // A receipt has nothing behind its id.
            if it.isAnswer { out.put(it.endedAt) }
        case .ended(let it):
            out.put(it.state.rawValue)
            out.put(it.reason.rawValue)
        case .resumed(let it):
            out.put(it.why.rawValue)
            if it.textShape != 0 {
                out.put(it.textShape)
                out.put(it.submits)
            }
        case .carried(let it), .replaced(let it):
            out.put(it.state.rawValue)
            out.put(it.attempts)
            out.put(it.resends)
            out.put(it.strikes)
            out.put(UInt8(min(it.providerKeys.count, 255)))
            out.put(it.answeredParts)
            out.put(it.deliveredParts)
            out.put(it.failedParts)
            out.put(it.unknownParts)
            out.put(it.partsReference)
            out.put(it.notBefore)
            out.put(it.order)
            for key in it.providerKeys.prefix(255) {
                out.put(key.hash)
                out.put(key.part)
            }
            if it.tailCount > 0 { out.put(it.textShape) }
            if it.tailCount > 4 { out.put(it.error) }
            if it.tailCount > 6 { out.put(it.tries) }
            it.event?.write(&out)
        case .orphan(let it):
            out.put(it.state.rawValue)
            out.put(it.error)
            out.put(text: it.providerID)
        case .mark(let it):
            out.put(it.what.rawValue)
            out.put(it.value)
            out.put(text: it.text)
        case .told(let it):
            out.put(it.outcome.rawValue)
            out.put(text: it.teller)
        case .rerouted(let it):
            out.put(it.group)
        case .ledger(let it):
            out.put(it.accepted)
            out.put(it.ended)
            out.put(it.day)
            out.put(it.dayMessages)
            out.put(it.dayParts)
        case .inbound(let it):
            out.put(it.total)
            out.put(it.number)
            out.put(it.missing)
            out.put(UInt8(0))
            out.put(it.inReplyTo.high)
            out.put(it.inReplyTo.low)
        case .preference(let it):
            out.put(it.number)
            out.put(it.unwanted.rawValue)
            if it.address != 0 { out.put(it.address) }
        case .asked(let it):
            out.put(it.what.rawValue)
            out.put(it.part)
            out.put(it.tries)
            out.put(it.result.code)
            out.put(it.result.status)
            if case .state(let state, let error, let endedAt) = it.result {
                out.put(state.rawValue)
                out.put(UInt8(0))
                out.put(error)
                out.put(endedAt)
            } else {
                out.put(UInt32(0))
                out.put(Int64(0))
            }
            out.put(text: it.providerID)
            out.put(text: it.connection)
        case .decided(let it): it.write(&out)
        case .counted(let it): it.write(&out)
        case .subscribed(let it):
            out.put(it.subject)
            out.put(it.package)
            out.put(UInt8(it.isWanted ? 1 : 0))
            out.put(UInt8(0))
            out.put(it.message.high)
            out.put(it.message.low)
        }
    }
}

extension Record {
    /// Bytes without the sealed part.
    public var clearByteCount: Int { RecordHeader.byteCount + body.byteCount }

    /// Writes header and clear part; the sealed part goes behind at `clearByteCount`.
    public func write(to target: UnsafeMutableRawPointer) {
        var head = header
        head.clearCount = UInt16(truncatingIfNeeded: body.byteCount)
        head.write(to: target)
        body.write(to: target + RecordHeader.byteCount)
    }

    /// - Throws: `RecordFault` naming the field that no version wrote.
    public init(reading bytes: UnsafeRawBufferPointer) throws(RecordFault) {
        let header = try RecordHeader(reading: bytes)
        let start = RecordHeader.byteCount
        var input = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(header.clearCount)]))
        self.init(header: header, body: try RecordBody(header.kind, &input))
    }

    /// Where the sealed part begins in `bytes`; it runs to the end.
    public static func sealedOffset(_ header: RecordHeader) -> Int { RecordHeader.byteCount + Int(header.clearCount) }
}

extension RecordBody {
    init(_ kind: RecordKind, _ input: inout ByteReader) throws(RecordFault) {
        switch kind {
        case .accepted:
            var it = Accepted(receivedAt: try input.take())
            if !input.isAtEnd { it.partsOnAir = try input.take() }
            self = .accepted(it)
        case .answered:
            let attempt: UInt8 = try input.take()
            let part: UInt8 = try input.take()
            let code: UInt8 = try input.take()
            let _: UInt8 = try input.take()
            let status: UInt32 = try input.take()
            let handedAt: Int64 = try input.take()
            let providerID = try input.text()
            let connection = try input.text()
            guard let outcome = Outcome(code: code, status: status, providerID: providerID) else { throw .badValue(field: "outcome") }
            var it = Answered(attempt: attempt, part: part, outcome: outcome, handedAt: handedAt, connection: connection)
            if !input.isAtEnd { it.rawID = try input.text() }
            self = .answered(it)
        case .receipt:
            let part: UInt8 = try input.take()
            guard let state = ReceiptState(rawValue: try input.take()) else { throw .badValue(field: "receipt state") }
            var it = Receipt(part: part, state: state, error: try input.take(), providerID: try input.text())
            if !input.isAtEnd {
                it.isAnswer = true
                it.endedAt = try input.take()
            }
            self = .receipt(it)
        case .ended:
            guard let state = MessageState(rawValue: try input.take()) else { throw .badValue(field: "state") }
            guard let reason = EndReason(rawValue: try input.take()) else { throw .badValue(field: "reason") }
            self = .ended(Ended(state: state, reason: reason))
        case .resumed:
            guard let why = Resumed.Why(rawValue: try input.take()) else { throw .badValue(field: "why") }
            var it = Resumed(why: why)
            if !input.isAtEnd {
                it.textShape = try input.take()
                it.submits = try input.take()
            }
            self = .resumed(it)
        case .carried: self = .carried(try Carried(&input))
        case .replaced: self = .replaced(try Carried(&input))
        case .orphan:
            guard let state = ReceiptState(rawValue: try input.take()) else { throw .badValue(field: "receipt state") }
            self = .orphan(Orphan(state: state, error: try input.take(), providerID: try input.text()))
        case .mark:
            guard let what = Mark.What(rawValue: try input.take()) else { throw .badValue(field: "mark") }
            self = .mark(Mark(what: what, value: try input.take(), text: try input.text()))
        case .told:
            guard let outcome = ToldOutcome(rawValue: try input.take()) else { throw .badValue(field: "told outcome") }
            self = .told(Told(outcome: outcome, teller: try input.text()))
        case .rerouted:
            self = .rerouted(Rerouted(group: try input.take()))
        case .ledger:
            self = .ledger(
                Ledger(
                    accepted: try input.take(), ended: try input.take(), day: try input.take(), dayMessages: try input.take(),
                    dayParts: try input.take()))
        case .inbound:
            var it = Inbound(total: try input.take(), number: try input.take(), missing: try input.take())
            guard it.total > 0, it.number <= it.total else { throw .badValue(field: "part") }
            let _: UInt8 = try input.take()
            it.inReplyTo = MessageID(high: try input.take(), low: try input.take())
            self = .inbound(it)
        case .preference:
            let (number, unwanted): (UInt64, UInt16) = (try input.take(), try input.take())
            self = .preference(
                Preference(number: number, unwanted: ClassSet(rawValue: unwanted), address: input.isAtEnd ? 0 : try input.take()))
        case .asked: self = .asked(try Asked(&input))
        case .decided: self = .decided(try Decided(&input))
        case .counted: self = .counted(try Counted(&input))
        case .subscribed:
            let (subject, package): (UInt32, UInt16) = (try input.take(), try input.take())
            let wanted: UInt8 = try input.take()
            guard wanted <= 1 else { throw .badValue(field: "package wanted") }
            let _: UInt8 = try input.take()
            self = .subscribed(
                Subscribed(
                    subject: subject, package: package, isWanted: wanted == 1,
                    message: MessageID(high: try input.take(), low: try input.take())))
        }
    }
}

extension RecordBody.Asked {
    init(_ input: inout ByteReader) throws(RecordFault) {
        guard let what = Inquiry.What(rawValue: try input.take()) else { throw .badValue(field: "inquiry") }
        let part: UInt8 = try input.take()
        let tries: UInt8 = try input.take()
        let code: UInt8 = try input.take()
        let status: UInt32 = try input.take()
        let state: UInt8 = try input.take()
        let _: UInt8 = try input.take()
        let error: UInt16 = try input.take()
        let endedAt: Int64 = try input.take()
        let result: InquiryAnswer.Result
        switch code {
        case 1:
            guard let state = ReceiptState(rawValue: state) else { throw .badValue(field: "receipt state") }
            result = .state(state, error: error, endedAt: endedAt)
        case 2: result = .cancelled
        case 3: result = .refused(status: status)
        case 4: result = .notKnown(status: status)
        case 5: result = .silent
        case 8: result = .lost
        default: throw .badValue(field: "inquiry result")
        }
        self.init(what: what, part: part, tries: tries, result: result, providerID: try input.text(), connection: try input.text())
    }
}

extension RecordBody.Carried {
    /// Bytes behind the provider keys: what most have none of.
    fileprivate var tailCount: Int {
        if let event { return 7 + event.byteCount }
        return tries != 0 ? 7 : error != 0 ? 6 : textShape != 0 ? 4 : 0
    }

    init(_ input: inout ByteReader) throws(RecordFault) {
        guard let state = MessageState(rawValue: try input.take()) else { throw .badValue(field: "state") }
        let attempts: UInt8 = try input.take()
        let resends: UInt8 = try input.take()
        let strikes: UInt8 = try input.take()
        let keys: UInt8 = try input.take()
        var it = RecordBody.Carried(
            state: state, attempts: attempts, resends: resends, strikes: strikes, answeredParts: try input.take(),
            deliveredParts: try input.take(), failedParts: try input.take(), unknownParts: try input.take(),
            partsReference: try input.take(), notBefore: try input.take(), order: try input.take(), providerKeys: [])
        for _ in 0..<keys { it.providerKeys.append(ProviderKey(hash: try input.take(), part: try input.take())) }
        if !input.isAtEnd { it.textShape = try input.take() }
        if !input.isAtEnd { it.error = try input.take() }
        if !input.isAtEnd { it.tries = try input.take() }
        if !input.isAtEnd { it.event = try Event(&input) }
        self = it
    }
}

extension Outcome {
    /// On disk; never change one.
    public var code: UInt8 {
        switch self {
        case .accepted: 1
        case .throttled: 2
        case .deferred: 3
        case .refused: 4
        case .unknown: 5
        case .notWritten: 6
        case .unencodable: 7
        }
    }

    public var status: UInt32 {
        switch self {
        case .throttled(let status), .deferred(let status), .refused(let status): status
        case .accepted, .unknown, .notWritten, .unencodable: 0
        }
    }

    public var providerID: String {
        if case .accepted(let id) = self { return id }
        return ""
    }

    init?(code: UInt8, status: UInt32, providerID: String) {
        switch code {
        case 1: self = .accepted(providerID: providerID)
        case 2: self = .throttled(status: status)
        case 3: self = .deferred(status: status)
        case 4: self = .refused(status: status)
        case 5: self = .unknown
        case 6: self = .notWritten
        case 7: self = .unencodable
        default: return nil
        }
    }

    public var word: String {
        switch self {
        case .accepted: "accepted"
        case .throttled: "throttled"
        case .deferred: "deferred"
        case .refused: "refused"
        case .unknown: "unknown"
        case .notWritten: "not_written"
        case .unencodable: "unencodable"
        }
    }
}

extension String {
    /// Bytes of it that a short text keeps: a character that does not fit whole is left out.
    var shortCount: Int {
        guard utf8.count > 255 else { return utf8.count }
        var end = utf8.index(utf8.startIndex, offsetBy: 255)
        while UTF8.isContinuation(utf8[end]) { end = utf8.index(before: end) }
        return utf8.distance(from: utf8.startIndex, to: end)
    }
}

/// Writes integers little-endian and short texts (a length byte, then UTF-8) one after the other.
struct ByteCursor {
    private var target: UnsafeMutableRawPointer
    init(_ target: UnsafeMutableRawPointer) { self.target = target }

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        target.storeBytes(of: value.littleEndian, as: Value.self)
        target += MemoryLayout<Value>.size
    }

    mutating func put(text: String) {
        var text = text
        let count = text.shortCount
        text.withUTF8 { bytes in
            target.storeBytes(of: UInt8(count), as: UInt8.self)
            if count > 0 { (target + 1).copyMemory(from: bytes.baseAddress!, byteCount: count) }
            target += 1 + count
        }
    }
}

/// Reads what `ByteCursor` wrote; runs out loudly.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take<Value: FixedWidthInteger>() throws(RecordFault) -> Value {
        let size = MemoryLayout<Value>.size
        guard offset + size <= bytes.count else { throw .truncated }
        defer { offset += size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    mutating func text() throws(RecordFault) -> String {
        let count = Int(try take() as UInt8)
        return try text(count: count)
    }

    /// A length byte and so many bytes.
    mutating func octets() throws(RecordFault) -> [UInt8] {
        try octets(count: Int(try take() as UInt8))
    }

    mutating func octets(count: Int) throws(RecordFault) -> [UInt8] {
        guard offset + count <= bytes.count else { throw .truncated }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// In place: good for as long as the bytes are.
    mutating func raw(count: Int) throws(RecordFault) -> UnsafeRawBufferPointer {
        guard offset + count <= bytes.count else { throw .truncated }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    mutating func text(count: Int) throws(RecordFault) -> String {
        guard offset + count <= bytes.count else { throw .truncated }
        defer { offset += count }
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]), as: UTF8.self)
    }
}
