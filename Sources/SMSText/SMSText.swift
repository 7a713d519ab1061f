/// The alphabets of short messages: what a text costs, how it is cut into parts, its octets, and back.
///
/// A text is written in GSM 7-bit when every letter of it fits (after the replacements of `GSM7.sameLetters` and
/// `GSM7.composed`, which lose nothing), else in UCS-2. Everything works on UTF-8 in place; nothing here keeps state.
public enum SMSText {
    /// Parts a concatenated message can have: the total is one octet (3GPP TS 23.040, 9.2.3.24.1).
    public static let partsMax = 255

    /// Octets of the largest part: 160 septets unpacked.
    public static let partOctetsMax = 160

    /// Which alphabet, how many units, how many parts. Cost: one pass over the text, two when it needs several parts.
    public static func plan(_ text: String, concatenation: Concatenation = .udh8) -> TextPlan {
        var text = text
        return text.withUTF8 { utf8 in
            let cutter = Cutter(utf8)
            var forcing: Unicode.Scalar?
            var alphabet = Alphabet.gsm7
            var units = 0
            switch cutter.septets() {
            case .fits(let septets):
                units = septets
            case .forced(let scalar):
                forcing = scalar
                alphabet = .ucs2
                units = cutter.utf16Units()
            }
            var parts = 1
            if units > alphabet.unitsMax {
                let limit = concatenation.unitsMax(of: alphabet)
                var end = cutter.partEnd(from: 0, limit: limit, alphabet)
                while end < utf8.count {
                    parts += 1
                    end = cutter.partEnd(from: end, limit: limit, alphabet)
                }
            }
            return TextPlan(alphabet: alphabet, parts: parts, units: units, firstForcing: forcing, concatenation: concatenation)
        }
    }

    /// Appends one part, its user data header (when there are several) before its text.
    /// GSM 7-bit goes one septet an octet, as SMPP wants it.
    /// - Parameters:
    ///   - plan: of this very text.
    ///   - reference: common to all parts of one message; with `.udh8` its low octet is used.
    ///   - part: from 0.
    public static func encode(
        _ text: String, plan: TextPlan, reference: UInt16, part: Int, into octets: inout [UInt8]
    ) throws(TextFault) {
        guard plan.parts <= partsMax else { throw .tooManyParts(plan.parts) }
        guard part >= 0, part < plan.parts else { throw .noSuchPart(part, of: plan.parts) }
        try forEachPart(text, plan: plan, reference: reference, in: part..<part + 1) { octets.append(contentsOf: $1) }
    }

    /// Calls `body` with every part in order: its number from 0, and its octets, valid during the call only.
    /// - Parameter wanted: the parts to encode, all of them unless said; the others are only walked over.
    /// - Throws: `.planOfAnotherText` when the text does not end where the plan says, as soon as that is seen: parts
    ///   before it have been given out.
    public static func forEachPart(
        _ text: String, plan: TextPlan, reference: UInt16, in wanted: Range<Int>? = nil,
        _ body: (_ part: Int, _ octets: UnsafeRawBufferPointer) -> Void
    ) throws(TextFault) {
        guard plan.parts <= partsMax else { throw .tooManyParts(plan.parts) }
        var text = text
        let whole = text.withUTF8 { utf8 in
            let cutter = Cutter(utf8)
            return withUnsafeTemporaryAllocation(byteCount: partOctetsMax, alignment: 8) { scratch in
                let scratchOctets = scratch.bindMemory(to: UInt8.self)
                let limit = plan.unitsPerPart
                var start = 0
                for part in 0..<plan.parts {
                    let end = cutter.partEnd(from: start, limit: limit, plan.alphabet)
                    if part == plan.parts - 1, end != utf8.count { return false }
                    if part > 0, end == start { return false }
                    if wanted?.contains(part) ?? true {
                        var at = 0
                        if plan.hasHeader {
                            at = UserDataHeader.write(
                                plan.concatenation, reference: reference, total: plan.parts, number: part + 1, to: scratchOctets)
                        }
                        at = cutter.encode(start..<end, plan.alphabet, to: scratchOctets, at: at)
                        body(part, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<at]))
                    }
                    start = end
                    if let wanted, part + 1 >= wanted.upperBound, part + 1 < plan.parts { return true }
                }
                return true
            }
        }
        if !whole { throw .planOfAnotherText }
    }
}
