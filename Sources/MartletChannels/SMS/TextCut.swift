import MartletModel
import SMPP
import SMSText

/// What the writing of every message needs of its operator's profile, in a few bytes.
struct TextForm {
    let numbers: AlphabetProfile
    let hasFlash: Bool
    let replacesPending: Bool
    /// Of the two alphabets of nearly all messages, looked up once.
    private let gsm7: UInt8?
    private let ucs2: UInt8?
    /// Alphabets in which a part that its sender cut goes out as it came, one bit each.
    private let partAlphabets: UInt16

    init(_ profile: OperatorProfile) {
        numbers = profile.numbers
        hasFlash = profile.hasFlash
        replacesPending = profile.replacesPending
        gsm7 = numbers.dataCoding(for: .gsm7)
        ucs2 = numbers.dataCoding(for: .ucs2)
        partAlphabets = profile.rules.options.alphabets.reduce(0) { $0 | ($1.rawValue < 16 ? 1 << UInt16($1.rawValue) : 0) }
    }

    /// The alphabet of a part that goes out as it came; nil: it is written anew.
    func alphabet(ofPart handover: Handover) -> Alphabet? {
        guard !handover.partOctets.isEmpty, handover.partAlphabet < 16, partAlphabets >> UInt16(handover.partAlphabet) & 1 == 1 else {
            return nil
        }
        return Alphabet(rawValue: handover.partAlphabet)
    }

    /// Nil: the operator has no number for the alphabet. `subunit`: the parameter dest_addr_subunit says that it is shown at once.
    @inline(__always)
    func coding(_ alphabet: Alphabet, _ wishes: MessageWishes) -> (number: UInt8, subunit: Bool)? {
        if wishes.isEmpty {
            if alphabet == .gsm7 { return gsm7.map { ($0, false) } }
            if alphabet == .ucs2 { return ucs2.map { ($0, false) } }
        }
        return otherCoding(alphabet, wishes)
    }

    private func otherCoding(_ alphabet: Alphabet, _ wishes: MessageWishes) -> (number: UInt8, subunit: Bool)? {
        guard let plain = numbers.dataCoding(for: alphabet) else { return nil }
        guard wishes.contains(.flash), hasFlash else { return (plain, false) }
        if numbers.flashWantsSubunit { return (plain, true) }
        // An alphabet that cannot be shown at once was the only one to have the text.
        return (numbers.dataCoding(for: alphabet, flash: true) ?? plain, false)
    }
}

/// What a message will be on the wire, when its text is what its handover says.
struct TextCut {
    /// Of a part that its sender cut: of nothing.
    private let plan: TextPlan
    /// Nil: the text of the handover as it is. Behind a reference, so that the cut of nearly every message is a few plain bytes.
    private let other: Other?
    let dataCoding: UInt8
    private let subunit: Bool

    /// What goes out instead of the text of the handover.
    private final class Other {
        /// The same, spelled otherwise.
        let spelled: String
        /// Header and text of a part that its sender cut; nil: it is none.
        let part: [UInt8]?

        init(spelled: String = "", part: [UInt8]? = nil) {
            self.spelled = spelled
            self.part = part
        }
    }

    /// Nil when the text cannot be cut as it was planned, the operator has no number for its alphabet, or no part is wanted.
    init?(_ handover: Handover, _ form: TextForm) {
        let alphabet: Alphabet
        if handover.textShape == 0, handover.userDataHeader.isEmpty {
            plan = SMSText.plan(handover.text)
            other = nil
            alphabet = plan.alphabet
        } else if handover.userDataHeader.isEmpty {
            guard let shape = TextShape(code: handover.textShape) else { return nil }
            let text = shape.spelled(handover.text)
            guard let plan = shape.plan(text) else { return nil }
            self.plan = plan
            other = shape.steps == 0 ? nil : Other(spelled: text)
            alphabet = plan.alphabet
        } else {
            guard let part = TextCut.part(of: handover, form) else { return nil }
            plan = SMSText.plan("")
            other = Other(part: part.octets)
            alphabet = part.alphabet
        }
        guard plan.submits == Int(handover.parts), plan.submits <= 16, handover.partMask != 0, Int(handover.partMask) < 1 << plan.submits,
            let coding = form.coding(alphabet, handover.wishes)
        else { return nil }
        (dataCoding, subunit) = coding
    }

    private static func part(of handover: Handover, _ form: TextForm) -> (octets: [UInt8], alphabet: Alphabet)? {
        var octets = handover.userDataHeader
        if let alphabet = form.alphabet(ofPart: handover) {
            // As its sender wrote it, whatever its tables; it saw to it that header and text share 140 octets.
            octets += handover.partOctets
            return octets.count <= Limits.shortMessageOctets ? (octets, alphabet) : nil
        }
        return SMSText.encode(part: handover.text, behind: handover.userDataHeader, into: &octets).map { (octets, $0) }
    }

    var submits: Int { plan.submits }
    var hasHeader: Bool { plan.hasHeader || other?.part != nil }

    typealias Body = (_ part: Int, _ octets: UnsafeRawBufferPointer, _ parameters: UnsafeRawBufferPointer) -> Void

    /// Calls `body` with the submits from `part` on. True: the text does not fit its plan.
    @inline(__always)
    func forEachSubmit(of handover: Handover, from part: Int, _ body: Body) -> Bool {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        do {
            if other == nil, !subunit, !plan.needsPayload, !plan.needsSegmentTLVs {
                try SMSText.forEachPart(handover.text, plan: plan, reference: handover.partsReference, in: part..<plan.submits) {
                    body($0, $1, none)
                }
            } else {
                try forEachOther(of: handover, from: part, body)
            }
            return false
        } catch {
            return true
        }
    }

    private func forEachOther(of handover: Handover, from start: Int, _ body: Body) throws(TextFault) {
        if let part = other?.part {
            part.withUnsafeBytes { octets in withParameters(handover.partsReference, 0) { body(0, octets, $0) } }
            return
        }
        try SMSText.forEachPart(
            other?.spelled ?? handover.text, plan: plan, reference: handover.partsReference, in: start..<plan.submits
        ) { number, octets in
            if plan.needsPayload {
                withPayload(octets) { body(number, UnsafeRawBufferPointer(start: nil, count: 0), $0) }
            } else {
                withParameters(handover.partsReference, number) { body(number, octets, $0) }
            }
        }
    }

    // MARK: Parameters (SMPP 3.4, sections 5.3.2.1, 5.3.2.22 to 24, 5.3.2.32)

    private static let subunitParameter: [UInt8] = [0x00, 0x05, 0, 1, 1]

    private func withParameters(_ reference: UInt16, _ number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        var octets: [UInt8] = []
        if plan.needsSegmentTLVs {
            octets = [
                0x02, 0x0C, 0, 2, UInt8(reference >> 8), UInt8(reference & 0xFF), 0x02, 0x0E, 0, 1, UInt8(truncatingIfNeeded: plan.parts),
                0x02, 0x0F, 0, 1, UInt8(truncatingIfNeeded: number + 1),
            ]
        }
        if subunit { octets += TextCut.subunitParameter }
        octets.withUnsafeBytes(body)
    }

    /// The text in message_payload; short_message is empty then.
    private func withPayload(_ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var octets: [UInt8] = [0x04, 0x24, UInt8(truncatingIfNeeded: text.count >> 8), UInt8(truncatingIfNeeded: text.count)]
        octets.reserveCapacity(text.count + 16)
        octets.append(contentsOf: text)
        if subunit { octets += TextCut.subunitParameter }
        octets.withUnsafeBytes(body)
    }
}
