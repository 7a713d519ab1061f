import SMSText

extension FuzzTarget {
    /// A user data header and the text behind it, in every coding.
    static let header = FuzzTarget(name: "header") { bytes in
        guard bytes.count <= 255 else { return }
        let header = UserDataHeader.parse(bytes)
        if let header {
            claim(header.octets <= bytes.count, "a header is longer than its part")
            if let place = header.concatenation { claim(place.number >= 1 && place.number <= place.total, "a part outside of its message") }
        }
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(header?.octets ?? 0))
        for dataCoding: UInt8 in [0, 1, 3, 4, 6, 8, 0x10, 0x18, 0xE0, 0xF0, 0xF4, 0xFF] {
            _ = AlphabetProfile.standard.decode(rest, dataCoding: dataCoding, header: header)
        }
    }

    /// Packed septets: unpacked and packed again they are the same septets.
    static let septets = FuzzTarget(name: "septets") { bytes in
        guard let first = bytes.first, bytes.count <= 160 else { return }
        let headerOctets = Int(first) % 12
        let septets = bytes.dropFirst().map { $0 & 0x7F }
        let packed = GSM7.pack(septets, afterHeader: headerOctets)
        claim(GSM7.unpack(packed, count: septets.count, afterHeader: headerOctets) == septets, "septets changed by packing")
        // And octets that nobody packed.
        let count = bytes.dropFirst().count
        _ = GSM7.unpack(bytes.dropFirst(), count: count * 8 / 7, afterHeader: headerOctets)
        _ = SMSText.decode(bytes, dataCoding: 0)
    }

    /// A text cut into parts comes back whole when the parts are put together, whatever the alphabet and the concatenation.
    static let texts = FuzzTarget(name: "texts") { bytes in
        guard bytes.count > 1, bytes.count <= 4096 else { return }
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        let concatenation = Concatenation.allCases[Int(bytes[0]) % Concatenation.allCases.count]
        let plan = SMSText.plan(text, concatenation: concatenation)
        guard plan.parts <= SMSText.partsMax else { return }
        var joined = ""
        var count = 0
        do {
            try SMSText.forEachPart(text, plan: plan, reference: 0x1234) { _, octets in
                count += 1
                claim(plan.needsPayload || octets.count <= SMSText.partOctetsMax, "a part is too long")
                let header = plan.hasHeader ? UserDataHeader.parse(octets) : nil
                claim(!plan.hasHeader || header != nil, "a header of ours cannot be read")
                let rest = UnsafeRawBufferPointer(rebasing: octets.dropFirst(header?.octets ?? 0))
                joined += SMSText.decode(rest, dataCoding: plan.alphabet == .gsm7 ? 0 : 8)
            }
        } catch {
            fatalError("claim broken: a plan of this very text is refused: \(error)")
        }
        claim(count == plan.submits, "\(count) submits, the plan says \(plan.submits)")
        // What GSM 7-bit writes otherwise means the same letter: the joined text has the same plan and costs the same.
        let again = SMSText.plan(joined, concatenation: concatenation)
        claim(again.alphabet == plan.alphabet || plan.alphabet == .ucs2, "the text came back in another alphabet")
        if plan.alphabet == .ucs2 { claim(joined == text, "a UCS-2 text came back changed") }
        if plan.alphabet == .gsm7 { claim(again.units == plan.units, "a GSM 7-bit text came back longer or shorter") }
    }
}
