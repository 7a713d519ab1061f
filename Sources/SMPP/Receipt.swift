/// message_state (SMPP 3.4, section 5.2.28); 0 and 9 are of SMPP 5.0.
public enum DeliveryState: UInt8, CaseIterable, Sendable {
    case scheduled = 0, enroute, delivered, expired, deleted, undeliverable, accepted, unknown, rejected, skipped

    /// The word of appendix B.
    public var word: String {
        switch self {
        case .scheduled: "SCHEDLD"
        case .enroute: "ENROUTE"
        case .delivered: "DELIVRD"
        case .expired: "EXPIRED"
        case .deleted: "DELETED"
        case .undeliverable: "UNDELIV"
        case .accepted: "ACCEPTD"
        case .unknown: "UNKNOWN"
        case .rejected: "REJECTD"
        case .skipped: "SKIPPED"
        }
    }

    /// Reads the word of appendix B and what vendors write instead (DELIVERED, UNDELIVERABLE, FAILED...), in any case.
    public init?(word: some Sequence<UInt8>) {
        // The first four letters tell all of them apart.
        var key: UInt32 = 0
        var count = 0
        for octet in word {
            key = key << 8 | UInt32(ReceiptText.lower(octet))
            count += 1
            if count == 4 { break }
        }
        guard count == 4 else { return nil }
        switch key {
        case 0x7363_6865: self = .scheduled
        case 0x656E_726F: self = .enroute
        case 0x6465_6C69: self = .delivered
        case 0x6578_7069: self = .expired
        case 0x6465_6C65: self = .deleted
        case 0x756E_6465, 0x6661_696C: self = .undeliverable
        case 0x6163_6365: self = .accepted
        case 0x756E_6B6E: self = .unknown
        case 0x7265_6A65: self = .rejected
        case 0x736B_6970: self = .skipped
        default: return nil
        }
    }
}

/// What a deliver_sm or data_sm says of an earlier submit, from its parameters where they are there, else from its text.
public struct Receipt: Equatable, Sendable {
    /// The id as the SMSC wrote it; a field of the frame it was read from.
    public var messageID: Field
    public var state: DeliveryState
    /// The network's code, from network_error_code or `err`; nil when absent or not a number.
    public var error: UInt16?

    /// Nil when the message is no receipt: by esm_class, or by its parameters where esm_class says nothing. Also nil when it is one
    /// but names no message or no state: there is nothing to settle then.
    public init?(_ view: MessageView, in frame: Frame) {
        let marked = view.esmClass.isReceipt || view.esmClass.isIntermediateNotification
        guard marked || (view.esmClass.type == 0 && !view.receiptedMessageID.isEmpty && view.messageState != nil) else { return nil }
        var id = view.receiptedMessageID
        var state = view.deliveryState
        var error = view.networkError?.code
        // The text is read only for what is still missing; of a delivered message the error code says nothing.
        if id.isEmpty || state == nil || (error == nil && state != .delivered) {
            let text = ReceiptText(frame[view.content], offset: view.content.start)
            if id.isEmpty { id = text.id }
            if state == nil { state = DeliveryState(word: frame[text.state]) }
            if error == nil { error = ReceiptText.number(frame[text.error]) }
        }
        guard !id.isEmpty, let state else { return nil }
        messageID = id
        self.state = state
        self.error = error
    }
}

/// The text form of a receipt (appendix B): `id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD
/// err:E text:...`. Vendors change order, case, lengths and blanks, leave fields out, rename them (msgid, status, error), write `=` for
/// the colon, quote values, and separate by comma, semicolon, bar or line end; all of that is read.
public struct ReceiptText: Equatable, Sendable {
    public var id = Field.none
    public var submitted = Field.none
    public var delivered = Field.none
    public var submitDate = Field.none
    public var doneDate = Field.none
    public var state = Field.none
    public var error = Field.none
    public var text = Field.none

    private enum Key { case id, submitted, delivered, submitDate, doneDate, state, error, text }

    /// - Parameter offset: where `octets` begin in their frame; the fields are counted from there.
    public init(_ octets: UnsafeRawBufferPointer, offset: Int = 0) {
        var at = 0
        while at < octets.count {
            guard let (key, valueAt) = ReceiptText.key(octets, at: at) else {
                at = ReceiptText.nextWord(octets, from: at)
                continue
            }
            var start = valueAt
            while start < octets.count, octets[start] == 0x20 { start += 1 }
            if key != .text, start < octets.count, octets[start] == 0x22 || octets[start] == 0x27 { start += 1 }
            if key == .text {
                if text.isEmpty { text = Field(start: offset + start, count: octets.count - start) }
                // The rest is the customer's own words, unless a vendor put the text first.
                if !id.isEmpty, !state.isEmpty { return }
                at = start
                continue
            }
            // An empty value: after the blanks stands the next key.
            if start > valueAt, ReceiptText.key(octets, at: start) != nil {
                at = start
                continue
            }
            var end = start
            while end < octets.count, !ReceiptText.separates(octets[end]) { end += 1 }
            note(key, Field(start: offset + start, count: end - start))
            at = ReceiptText.nextWord(octets, from: end)
        }
    }

    private mutating func note(_ key: Key, _ value: Field) {
        switch key {
        case .id: if id.isEmpty { id = value }
        case .submitted: if submitted.isEmpty { submitted = value }
        case .delivered: if delivered.isEmpty { delivered = value }
        case .submitDate: if submitDate.isEmpty { submitDate = value }
        case .doneDate: if doneDate.isEmpty { doneDate = value }
        case .state: if state.isEmpty { state = value }
        case .error: if error.isEmpty { error = value }
        case .text: break
        }
    }

    @inline(__always) static func lower(_ octet: UInt8) -> UInt8 { octet >= 65 && octet <= 90 ? octet | 0x20 : octet }

    /// Blanks, line ends and NUL; comma, semicolon, bar and quotes, as some vendors write.
    @inline(__always) private static func separates(_ octet: UInt8) -> Bool {
        octet <= 0x20 || octet == 0x2C || octet == 0x3B || octet == 0x7C || octet == 0x22 || octet == 0x27
    }

    @inline(__always) private static func nextWord(_ octets: UnsafeRawBufferPointer, from start: Int) -> Int {
        var at = start
        while at < octets.count, !separates(octets[at]) { at += 1 }
        while at < octets.count, separates(octets[at]) { at += 1 }
        return at
    }

    /// A key with its colon at this place, and where its value begins.
    @inline(__always) private static func key(_ octets: UnsafeRawBufferPointer, at: Int) -> (Key, Int)? {
        guard at < octets.count else { return nil }
        func matches(_ word: StaticString) -> Int? {
            let length = word.utf8CodeUnitCount
            guard octets.count - at > length else { return nil }
            let letters = word.utf8Start
            for index in 0..<length where lower(octets[at + index]) != letters[index] { return nil }
            var end = at + length
            while end < octets.count, octets[end] == 0x20 { end += 1 }
            return end < octets.count && (octets[end] == 0x3A || octets[end] == 0x3D) ? end + 1 : nil
        }
        switch lower(octets[at]) {
        case 0x69: return matches("id").map { (.id, $0) }
        case 0x6D: return (matches("msgid") ?? matches("message_id") ?? matches("messageid") ?? matches("msg_id")).map { (.id, $0) }
        case 0x73:
            if let end = matches("stat") ?? matches("status") ?? matches("state") { return (.state, end) }
            if let end = matches("submit date") ?? matches("submit_date") ?? matches("submitdate") { return (.submitDate, end) }
            return matches("sub").map { (.submitted, $0) }
        case 0x64:
            if let end = matches("done date") ?? matches("done_date") ?? matches("donedate") { return (.doneDate, end) }
            return matches("dlvrd").map { (.delivered, $0) }
        case 0x65: return (matches("err") ?? matches("error") ?? matches("errorcode") ?? matches("error_code")).map { (.error, $0) }
        case 0x74: return matches("text").map { (.text, $0) }
        default: return nil
        }
    }

    /// Decimal digits, else hexadecimal ones, up to 65,535; nil for anything else.
    public static func number(_ octets: UnsafeRawBufferPointer) -> UInt16? {
        guard octets.count > 0, octets.count <= 8 else { return nil }
        let text = String(decoding: octets, as: UTF8.self)
        return UInt16(text) ?? UInt16(text, radix: 16)
    }

    /// When the message was taken, as the SMSC's own clock says; see `ReceiptDate`.
    public func submittedAt(in frame: Frame) -> Int64? { ReceiptDate.seconds(frame[submitDate]) }

    /// When the message ended, as the SMSC's own clock says.
    public func doneAt(in frame: Frame) -> Int64? { ReceiptDate.seconds(frame[doneDate]) }

    /// Writes the text form; `text` is cut to its first 20 characters as in appendix B.
    /// - Parameters:
    ///   - submitDate: ten digits, YYMMDDhhmm; so `doneDate`. `ReceiptForm` writes the other forms.
    public static func compose(
        id: String, submitDate: String, doneDate: String, state: DeliveryState, error: UInt16 = 0, text: String = ""
    ) -> String {
        let digits = String(error)
        let padded = String(repeating: "0", count: max(0, 3 - digits.count)) + digits
        let arrived = state == .delivered ? "001" : "000"
        let head = "id:\(id) sub:001 dlvrd:\(arrived) submit date:\(submitDate) done date:\(doneDate)"
        return "\(head) stat:\(state.word) err:\(padded) text:\(text.prefix(20))"
    }
}
