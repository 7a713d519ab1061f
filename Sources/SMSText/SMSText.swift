/// The alphabets of short messages: what a text costs, how it is cut into parts, its octets, and back.
///
/// Unless `TextOptions` say otherwise, a text is written in GSM 7-bit when every letter of it fits (after the replacements of
/// `GSM7.sameLetters` and `GSM7.composed`, which lose nothing), else in UCS-2. Everything works on UTF-8 in place; nothing here
/// keeps state.
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
            switch cutter.septets() {
            case .fits(let septets):
                return plan(cutter, .gsm7, units: septets, forcing: nil, concatenation)
            case .forced(let scalar):
                return plan(cutter, .ucs2, units: cutter.utf16Units(), forcing: scalar, concatenation)
            }
        }
    }

    /// The same among the alphabets that an operator allows. Cost: a text that GSM 7-bit has costs what it costs above; any other one
    /// or two passes for each alphabet.
    /// - Throws: `.noAlphabet`.
    public static func plan(_ text: String, options: TextOptions) throws(TextFault) -> TextPlan {
        var text = text
        let best = text.withUTF8 { cheapest($0, options) }
        guard let best else { throw .noAlphabet }
        return best
    }

    /// The same in one alphabet; nil when it lacks a letter.
    static func plan(_ text: String, in alphabet: Alphabet, _ concatenation: Concatenation) -> TextPlan? {
        var text = text
        return text.withUTF8 { utf8 in
            let cutter = alphabet.languageOctets == 0 ? Cutter(utf8) : Cutter(utf8, alphabet.tables)
            guard let units = cutter.units(alphabet) else { return nil }
            return plan(cutter, alphabet, units: units, forcing: nil, concatenation)
        }
    }

    private static func cheapest(_ utf8: UnsafeBufferPointer<UInt8>, _ options: TextOptions) -> TextPlan? {
        let standard = Cutter(utf8)
        var forcing: Unicode.Scalar?
        switch standard.septets() {
        case .fits(let septets):
            if options.alphabets.contains(.gsm7) {
                return plan(standard, .gsm7, units: septets, forcing: nil, options.concatenation)
            }
        case .forced(let scalar):
            forcing = scalar
        }
        var best: TextPlan?
        for alphabet in options.alphabets where alphabet != .gsm7 {
            let cutter = alphabet.languageOctets == 0 ? standard : Cutter(utf8, alphabet.tables)
            guard let units = cutter.units(alphabet) else { continue }
            let next = plan(cutter, alphabet, units: units, forcing: forcing, options.concatenation)
            if best.map({ next.parts < $0.parts }) ?? true { best = next }
        }
        return best
    }

    private static func plan(
        _ cutter: Cutter, _ alphabet: Alphabet, units: Int, forcing: Unicode.Scalar?, _ concatenation: Concatenation
    ) -> TextPlan {
        TextPlan(
            alphabet: alphabet, parts: cutter.parts(alphabet, units: units, concatenation), units: units, firstForcing: forcing,
            concatenation: concatenation)
    }

    /// Appends one submit, its user data header (when there is one) before its text.
    /// GSM 7-bit goes one septet an octet, as SMPP wants it.
    /// - Parameters:
    ///   - plan: of this very text.
    ///   - reference: common to all parts of one message; with `.udh8` its low octet is used.
    ///   - part: from 0.
    public static func encode(
        _ text: String, plan: TextPlan, reference: UInt16, part: Int, into octets: inout [UInt8]
    ) throws(TextFault) {
        guard plan.parts <= partsMax else { throw .tooManyParts(plan.parts) }
        guard part >= 0, part < plan.submits else { throw .noSuchPart(part, of: plan.submits) }
        try forEachPart(text, plan: plan, reference: reference, in: part..<part + 1) { octets.append(contentsOf: $1) }
    }

    /// Calls `body` with every submit in order: its number from 0, and its octets, valid during the call only. A submit is a part, but
    /// with `.payload` the whole text, up to 39,015 octets.
    /// - Parameter wanted: the parts to encode, all of them unless said; the others are only walked over.
    /// - Throws: `.planOfAnotherText` when the text does not end where the plan says, as soon as that is seen: parts
    ///   before it have been given out.
    public static func forEachPart(
        _ text: String, plan: TextPlan, reference: UInt16, in wanted: Range<Int>? = nil,
        _ body: (_ part: Int, _ octets: UnsafeRawBufferPointer) -> Void
    ) throws(TextFault) {
        guard plan.parts <= partsMax else { throw .tooManyParts(plan.parts) }
        guard plan.alphabet != .binary else { throw .planOfAnotherText }
        var text = text
        let whole = text.withUTF8 { utf8 in
            let cutter = plan.alphabet.languageOctets == 0 ? Cutter(utf8) : Cutter(utf8, plan.alphabet.tables)
            return plan.needsPayload
                ? encodeWhole(cutter, plan, wanted, body) : encodeParts(cutter, plan, reference, wanted, body)
        }
        if !whole { throw .planOfAnotherText }
    }

    /// False when the text is not the plan's.
    private static func encodeParts(
        _ cutter: Cutter, _ plan: TextPlan, _ reference: UInt16, _ wanted: Range<Int>?,
        _ body: (_ part: Int, _ octets: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: partOctetsMax, alignment: 8) { scratch in
            let scratchOctets = scratch.bindMemory(to: UInt8.self)
            let limit = plan.unitsPerPart
            let hasHeader = plan.hasHeader
            var start = 0
            for part in 0..<plan.parts {
                let end = cutter.partEnd(from: start, limit: limit, plan.alphabet)
                if part == plan.parts - 1, end != cutter.utf8.count { return false }
                if part > 0, end == start { return false }
                if wanted?.contains(part) ?? true {
                    var at = 0
                    if hasHeader { at = UserDataHeader.write(plan, reference: reference, number: part + 1, to: scratchOctets) }
                    at = cutter.encode(start..<end, plan.alphabet, to: scratchOctets, at: at)
                    body(part, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<at]))
                }
                start = end
                if let wanted, part + 1 >= wanted.upperBound, part + 1 < plan.parts { return true }
            }
            return true
        }
    }

    /// The text of several parts as one submit. False when it is not the plan's.
    private static func encodeWhole(
        _ cutter: Cutter, _ plan: TextPlan, _ wanted: Range<Int>?, _ body: (_ part: Int, _ octets: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        // Counted again: the room below is only as good as this number. A letter that the alphabet lacks would be one `?`.
        guard cutter.units(plan.alphabet) == plan.units else { return false }
        guard wanted?.contains(0) ?? true else { return true }
        let room = plan.headerOctets + plan.units * plan.alphabet.octetsPerUnit
        withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { scratch in
            let scratchOctets = scratch.bindMemory(to: UInt8.self)
            var at = plan.hasHeader ? UserDataHeader.write(plan, reference: 0, number: 1, to: scratchOctets) : 0
            at = cutter.encode(0..<cutter.utf8.count, plan.alphabet, to: scratchOctets, at: at)
            body(0, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<at]))
        }
        return true
    }
}
