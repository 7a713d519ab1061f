/// Eight-bit data (`data_coding` 4): 140 octets in one message, 134 (133 with a 16-bit reference) in each of several.
extension SMSText {
    /// What so many octets will cost on the air.
    public static func plan(binaryOctets count: Int, concatenation: Concatenation = .udh8) -> TextPlan {
        let limit = concatenation.unitsMax(of: .binary)
        let parts = count <= Alphabet.binary.unitsMax ? 1 : (count + limit - 1) / limit
        return TextPlan(alphabet: .binary, parts: parts, units: count, firstForcing: nil, concatenation: concatenation)
    }

    /// Calls `body` with every submit in order: its number from 0, and its octets, header included, valid during the call only.
    /// - Throws: `.tooManyParts`; `.planOfAnotherText` when the plan is of another number of octets or of a text.
    public static func forEachPart(
        binary octets: UnsafeRawBufferPointer, plan: TextPlan, reference: UInt16,
        _ body: (_ part: Int, _ octets: UnsafeRawBufferPointer) -> Void
    ) throws(TextFault) {
        guard plan.parts <= partsMax else { throw .tooManyParts(plan.parts) }
        guard plan == SMSText.plan(binaryOctets: octets.count, concatenation: plan.concatenation) else { throw .planOfAnotherText }
        guard plan.hasHeader, !plan.needsPayload else {
            let limit = plan.needsPayload ? octets.count : plan.unitsPerPart
            for part in 0..<plan.submits {
                body(
                    part, UnsafeRawBufferPointer(rebasing: octets[min(part * limit, octets.count)..<min((part + 1) * limit, octets.count)]))
            }
            return
        }
        withUnsafeTemporaryAllocation(byteCount: partOctetsMax, alignment: 8) { scratch in
            let scratchOctets = scratch.bindMemory(to: UInt8.self)
            let limit = plan.unitsPerPart
            for part in 0..<plan.parts {
                let header = UserDataHeader.write(plan, reference: reference, number: part + 1, to: scratchOctets)
                let piece = octets[part * limit..<min((part + 1) * limit, octets.count)]
                UnsafeMutableRawBufferPointer(rebasing: scratch[header...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
                body(part, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<(header + piece.count)]))
            }
        }
    }
}
