import Testing

@testable import SMSText

@Suite("National language tables")
struct NationalTests {
    static let national: [Alphabet] = [.turkishShift, .turkishLocking, .spanishShift, .portugueseShift, .portugueseLocking]

    private func octets(_ text: String, _ alphabet: Alphabet) throws -> [UInt8] {
        let plan = try SMSText.plan(text, options: TextOptions(alphabets: [alphabet]))
        var octets: [UInt8] = []
        try SMSText.encode(text, plan: plan, reference: 0, part: 0, into: &octets)
        return octets
    }

    @Test("Every letter of a national table is written behind a header that names the table, and comes back", arguments: national)
    func everyLetter(_ alphabet: Alphabet) throws {
        let tables = alphabet.tables
        let element: UInt8 = alphabet.lockingShift > 0 ? 0x25 : 0x24
        let header: [UInt8] = [3, element, 1, alphabet.lockingShift | alphabet.singleShift]
        var written = 0
        for code in 0..<128 where code != 0x1B {
            for (scalar, cost) in [(tables.letters[code], 1), (tables.extensionTable[code], 2)] {
                let text = String(Character(scalar))
                let bytes = try octets(text, alphabet)
                #expect(Array(bytes.prefix(4)) == header)
                let body = Array(bytes.dropFirst(4))
                #expect(body.count <= cost, "one septet wins over two")
                #expect(SMSText.decode(body, .gsm7, header: UserDataHeader.parse(bytes)).unicodeScalars.first == scalar)
                written += 1
            }
        }
        #expect(written == 254)
    }

    @Test("The room is that of the specification: 155 septets, 149 in a part, 148 with a 16-bit reference")
    func room() {
        for alphabet in Self.national {
            #expect(alphabet.unitsMax == 155)
            #expect(Concatenation.udh8.unitsMax(of: alphabet) == 149)
            #expect(Concatenation.udh16.unitsMax(of: alphabet) == 148)
            #expect(Concatenation.sar.unitsMax(of: alphabet) == 149)
            #expect(alphabet.dataCoding == 0)
        }
        #expect(Alphabet.latin1.unitsMax == 140)
        #expect(Alphabet.binary.unitsMax == 140)
        #expect(Concatenation.udh8.unitsMax(of: .cyrillic) == 134)
        #expect(Concatenation.udh16.unitsMax(of: .latin1) == 133)
        #expect(Concatenation.payload.unitsMax(of: .gsm7) == 153)
        #expect(Concatenation.sar.unitsMax(of: .ucs2) == 67)
        #expect(Set(Alphabet.allCases.map(\.name)).count == Alphabet.allCases.count)
    }

    @Test("A letter with a separate mark that becomes an escaped letter is never cut, and is written as the whole letter")
    func marks() throws {
        for before in 140..<156 {
            let text = String(repeating: "a", count: before) + "a\u{301}" + String(repeating: "b", count: 30)
            let whole = String(repeating: "a", count: before) + "á" + String(repeating: "b", count: 30)
            for concatenation in Concatenation.allCases {
                let options = TextOptions(alphabets: [.spanishShift], concatenation: concatenation)
                let plan = try SMSText.plan(text, options: options)
                #expect(plan.units == before + 32)
                var apart: [[UInt8]] = []
                var together: [[UInt8]] = []
                try SMSText.forEachPart(text, plan: plan, reference: 1) { apart.append([UInt8]($1)) }
                try SMSText.forEachPart(whole, plan: SMSText.plan(whole, options: options), reference: 1) { together.append([UInt8]($1)) }
                #expect(apart == together)
            }
        }
        #expect(try octets("S\u{327}", .turkishLocking).last == 0x1C)
        let latin = try SMSText.plan("E\u{308}", options: TextOptions(alphabets: [.latin1]))
        #expect(latin.units == 1)
        #expect(try octets("E\u{308}", .latin1) == [0xCB])
    }

    @Test("An identifier without a table here is read by the default one, and a code without a letter by the main table")
    func unknown() {
        let hindi = UserDataHeader.parse([3, 0x25, 1, 6])
        #expect(hindi?.lockingShift == 6)
        #expect(SMSText.decode([0x04], .gsm7, header: hindi) == "è")
        let spanishLocking = UserDataHeader.parse([3, 0x25, 1, 2])
        #expect(SMSText.decode([0x04, 0x1B, 0x65], .gsm7, header: spanishLocking) == "è€")
        let both = UserDataHeader.parse([6, 0x24, 1, 3, 0x25, 1, 3])
        #expect(SMSText.decode([0x04, 0x1B, 0x12, 0x12, 0x1B, 0x04], .gsm7, header: both) == "êΦªê")
        let mixed = UserDataHeader.parse([6, 0x25, 1, 3, 0x24, 1, 2])
        #expect(SMSText.decode([0x7B, 0x1B, 0x41], .gsm7, header: mixed) == "ãÁ")
        #expect(UserDataHeader.parse([4, 0x24, 2, 1, 1])?.singleShift == 0)
    }

    @Test("Without an allowed alphabet that has every letter there is no plan, and the fault says nothing of the text")
    func none() {
        #expect(throws: TextFault.noAlphabet) { try SMSText.plan("ж", options: TextOptions(alphabets: [.gsm7, .latin1, .binary])) }
        #expect(throws: TextFault.noAlphabet) { try SMSText.plan("a", options: TextOptions(alphabets: [])) }
        #expect("\(TextFault.noAlphabet)" == "no alphabet that is allowed has every letter of the text")
        #expect([Alphabet].turkish.count == 2 && [Alphabet].spanish.count == 1 && [Alphabet].portuguese.count == 2)
    }

    @Test("Every octet of ISO 8859-1 and -5 comes back as the letter it is written from")
    func octetAlphabets() throws {
        for alphabet in [Alphabet.latin1, .cyrillic] {
            for value in UInt8.min...UInt8.max {
                let text = SMSText.decode([value], SMSText.Coding(alphabet))
                #expect(try octets(text, alphabet) == [value])
            }
            #expect(try octets("\u{202F}\u{212A}\u{37E}", alphabet) == [0xA0, 0x4B, 0x3B])
        }
        #expect(try octets("\u{212B}", .latin1) == [0xC5])
        #expect(SMSText.decode([0xB6, 0xA2], dataCoding: 6) == "ЖЂ")
    }

    @Test("Letters that a wrong plan cannot write become question marks in every alphabet, and payload of another text is refused")
    func wrongPlan() throws {
        for alphabet in [Alphabet.latin1, .cyrillic, .ascii, .turkishLocking] {
            let plan = try SMSText.plan("abc", options: TextOptions(alphabets: [alphabet]))
            var octets: [UInt8] = []
            try SMSText.encode("漢a漢", plan: plan, reference: 0, part: 0, into: &octets)
            #expect(Array(octets.suffix(3)) == Array("?a?".utf8))
        }
        // As many marks as letters, none of which takes room in the count: still nothing is written out of bounds.
        let marked = String(repeating: "e\u{301}", count: 160)
        var octets: [UInt8] = []
        let ascii = try SMSText.plan("abc", options: TextOptions(alphabets: [.ascii]))
        try SMSText.encode(marked, plan: ascii, reference: 0, part: 0, into: &octets)
        #expect(octets.count == 160)
        let payload = TextOptions(concatenation: .payload)
        let plan = try SMSText.plan(String(repeating: "a", count: 200), options: payload)
        let other = String(repeating: "a", count: 201)
        #expect(throws: TextFault.planOfAnotherText) { try SMSText.forEachPart(other, plan: plan, reference: 0) { _, _ in } }
        let forced = String(repeating: "ж", count: 200)
        #expect(throws: TextFault.planOfAnotherText) { try SMSText.forEachPart(forced, plan: plan, reference: 0) { _, _ in } }
        #expect(throws: TextFault.noSuchPart(1, of: 1)) {
            try SMSText.encode(String(repeating: "a", count: 200), plan: plan, reference: 0, part: 1, into: &octets)
        }
        var count = 0
        try SMSText.forEachPart(String(repeating: "a", count: 200), plan: plan, reference: 0, in: 1..<2) { _, _ in count += 1 }
        #expect(count == 0)
        #expect(throws: TextFault.planOfAnotherText) {
            try SMSText.forEachPart("abc", plan: SMSText.plan(binaryOctets: 3), reference: 0) { _, _ in }
        }
    }

    @Test("Random texts in every alphabet and concatenation: no part over its size, nothing cut, nothing lost", arguments: 1...30)
    func random(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let common = ["a", "\r\n", "{", "plain words ", "$", "@", "_", "~", "|"]
        let own: [Alphabet: [String]] = [
            .gsm7: ["é", "Ω", "e\u{301}"], .ascii: ["b"], .latin1: ["ë", "e\u{302}", "þ"], .cyrillic: ["ж", "ї", "№"],
            .ucs2: ["😀", "🇵🇱", "👨‍👩‍👧‍👦", "и\u{306}"], .turkishShift: ["ş", "g\u{306}", "€"], .turkishLocking: ["ş", "g\u{306}", "€"],
            .spanishShift: ["á", "o\u{301}", "ñ"], .portugueseShift: ["ã", "a\u{303}", "Φ"], .portugueseLocking: ["ã", "a\u{303}", "∞"],
        ]
        for (alphabet, letters) in own {
            let pieces = common + letters
            let text = (0..<next(500)).map { _ in pieces[next(pieces.count)] }.joined()
            for concatenation in Concatenation.allCases {
                let plan = try SMSText.plan(text, options: TextOptions(alphabets: [alphabet], concatenation: concatenation))
                #expect(plan.alphabet == alphabet)
                var submits = 0
                var whole = ""
                var clusters = 0
                try SMSText.forEachPart(text, plan: plan, reference: 7) { part, octets in
                    submits += 1
                    var header: UserDataHeader?
                    if plan.hasHeader { header = UserDataHeader.parse(octets) }
                    let body = [UInt8](octets.dropFirst(header?.octets ?? 0))
                    if !plan.needsPayload { #expect(body.count <= plan.unitsPerPart * (alphabet == .ucs2 ? 2 : 1)) }
                    let decoded = SMSText.decode(body, SMSText.Coding(alphabet), header: header)
                    whole += decoded
                    clusters += decoded.count
                }
                #expect(submits == plan.submits)
                #expect(whole == text)
                #expect(clusters == text.count, "a grapheme cluster was cut")
            }
        }
    }

    @Test("Binary goes in 140 octets, or 134, 133 behind a header; sar leaves the header to the operator, payload sends all at once")
    func binary() throws {
        let data = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        func submits(_ count: Int, _ concatenation: Concatenation) throws -> [[UInt8]] {
            var submits: [[UInt8]] = []
            let plan = SMSText.plan(binaryOctets: count, concatenation: concatenation)
            #expect(fault(Array(data[..<count]), plan) { submits.append($0) } == nil)
            #expect(submits.count == plan.submits)
            return submits
        }
        #expect(try submits(0, .udh8) == [[]])
        #expect(try submits(140, .udh8) == [Array(data[..<140])])
        #expect(try submits(141, .udh8) == [[5, 0, 3, 0x34, 2, 1] + data[..<134], [5, 0, 3, 0x34, 2, 2] + data[134..<141]])
        #expect(try submits(267, .udh16).map(\.count) == [140, 140, 8])
        #expect(try submits(268, .udh8).count == 2)
        #expect(try submits(268, .sar) == [Array(data[..<134]), Array(data[134..<268])])
        #expect(try submits(300, .payload) == [data])
        #expect(SMSText.plan(binaryOctets: 300, concatenation: .payload).parts == 3)
        #expect(fault(data, SMSText.plan("a")) == .planOfAnotherText)
        #expect(fault(data, SMSText.plan(binaryOctets: 299)) == .planOfAnotherText)
        #expect(fault(data, SMSText.plan(binaryOctets: 134 * 255 + 1)) == .tooManyParts(256))
    }

    private func fault(_ data: [UInt8], _ plan: TextPlan, _ body: ([UInt8]) -> Void = { _ in }) -> TextFault? {
        data.withUnsafeBytes { octets -> TextFault? in
            do throws(TextFault) {
                try SMSText.forEachPart(binary: octets, plan: plan, reference: 0x1234) { body([UInt8]($1)) }
                return nil
            } catch {
                return error
            }
        }
    }
}
