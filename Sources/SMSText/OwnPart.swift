/// One part that its sender cut and put a user data header before (3GPP TS 23.040, 9.2.3.24).
extension SMSText {
    /// Appends the text of such a part, for an operator that does not take the octets as its sender wrote them: in the septets of the tables
    /// that the header names when they have every letter, else in UCS-2.
    /// - Parameter header: as it goes out before the text; not appended.
    /// - Returns: the alphabet; nil, with nothing appended, when it does not fit the room that the header leaves of 140 octets.
    public static func encode(part text: String, behind header: [UInt8], into octets: inout [UInt8]) -> Alphabet? {
        let named = UserDataHeader.parse(header)
        let tables = GSM7.tables(locking: named?.lockingShift ?? 0, single: named?.singleShift ?? 0)
        var text = text
        return text.withUTF8 { utf8 -> Alphabet? in
            let cutter = Cutter(utf8, tables)
            let alphabet: Alphabet
            let count: Int
            if case .fits(let septets) = cutter.septets() {
                (alphabet, count) = (.gsm7, septets)
            } else {
                (alphabet, count) = (.ucs2, cutter.utf16Units())
            }
            guard header.count <= 140, count <= alphabet.units(afterHeader: header.count) else { return nil }
            withUnsafeTemporaryAllocation(byteCount: partOctetsMax, alignment: 8) { scratch in
                let end = cutter.encode(0..<utf8.count, alphabet, to: scratch.bindMemory(to: UInt8.self), at: 0)
                octets.append(contentsOf: scratch[..<end])
            }
            return alphabet
        }
    }
}
