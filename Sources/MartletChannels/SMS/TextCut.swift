import MartletModel
import SMPP
import SMSText

/// What the writing of every message needs of its operator's profile, in a few bytes.
struct TextForm {
    let numbers: AlphabetProfile
    let hasFlash: Bool
    let replacesPending: Bool
    /// Alphabets in which a part that its sender cut goes out as it came, one bit each.
    private let partAlphabets: UInt16

    init(_ profile: OperatorProfile) {
        numbers = profile.numbers
        hasFlash = profile.hasFlash
        replacesPending = profile.replacesPending
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
        guard let plain = numbers.dataCoding(for: alphabet) else { return nil }
        guard wishes.contains(.flash), hasFlash else { return (plain, false) }
        if numbers.flashWantsSubunit { return (plain, true) }
        // An alphabet that cannot be shown at once was the only one to have the text.
        return (numbers.dataCoding(for: alphabet, flash: true) ?? plain, false)
    }
}

/// What a message will be on the wire, when its text is what its handover says.
struct TextCut {
    private let content: Content
    let dataCoding: UInt8
    private let subunit: Bool
    let submits: Int

    private enum Content {
        /// The text of the handover.
        case text(TextPlan)
        /// The same, spelled otherwise.
        case spelled(TextPlan, String)
        /// Header and text of a part that its sender cut.
        case part([UInt8])
    }

    /// Nil when the text cannot be cut as it was planned, the operator has no number for its alphabet, or no part is wanted.
    init?(_ handover: Handover, _ form: TextForm) {
        let alphabet: Alphabet
        if !handover.userDataHeader.isEmpty {
            guard let part = TextCut.part(of: handover, form) else { return nil }
            alphabet = part.alphabet
            content = .part(part.octets)
            submits = 1
        } else if handover.textShape == 0 {
            let plan = SMSText.plan(handover.text)
            alphabet = plan.alphabet
            content = .text(plan)
            submits = plan.submits
        } else {
            guard let shape = TextShape(code: handover.textShape) else { return nil }
            let text = shape.spelled(handover.text)
            guard let plan = shape.plan(text) else { return nil }
            alphabet = plan.alphabet
            content = shape.steps == 0 ? .text(plan) : .spelled(plan, text)
            submits = plan.submits
        }
        guard submits == Int(handover.parts), submits <= 16, handover.partMask != 0, Int(handover.partMask) < 1 << submits,
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

    var hasHeader: Bool {
        switch content {
        case .text(let plan), .spelled(let plan, _): plan.hasHeader
        case .part: true
        }
    }

    typealias Body = (_ part: Int, _ octets: UnsafeRawBufferPointer, _ parameters: UnsafeRawBufferPointer) -> Void

    /// Calls `body` with the submits from `part` on. True: the text does not fit its plan.
    @inline(__always)
    func forEachSubmit(of handover: Handover, from part: Int, _ body: Body) -> Bool {
        let text: String
        let plan: TextPlan
        switch content {
        case .text(let its): (plan, text) = (its, handover.text)
        case .spelled(let its, let spelled): (plan, text) = (its, spelled)
        case .part(let octets):
            octets.withUnsafeBytes { octets in withParameters(nil, 0, 0) { body(0, octets, $0) } }
            return false
        }
        do {
            guard plan.needsPayload || plan.needsSegmentTLVs || subunit else {
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                try SMSText.forEachPart(text, plan: plan, reference: handover.partsReference, in: part..<submits) { body($0, $1, none) }
                return false
            }
            try SMSText.forEachPart(text, plan: plan, reference: handover.partsReference, in: part..<submits) { number, octets in
                if plan.needsPayload {
                    withPayload(octets) { body(number, UnsafeRawBufferPointer(start: nil, count: 0), $0) }
                } else {
                    withParameters(plan, handover.partsReference, number) { body(number, octets, $0) }
                }
            }
            return false
        } catch {
            return true
        }
    }

    // MARK: Parameters (SMPP 3.4, sections 5.3.2.1, 5.3.2.22 to 24, 5.3.2.32)

    private static let subunitParameter: [UInt8] = [0x00, 0x05, 0, 1, 1]

    /// - Parameter plan: with sar_ parameters; nil: none.
    private func withParameters(_ plan: TextPlan?, _ reference: UInt16, _ number: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
        var octets: [UInt8] = []
        if let plan, plan.needsSegmentTLVs {
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
