import Testing

@testable import SMSText

@Suite("GSM 7-bit alphabet")
struct AlphabetTests {
    private func octets(_ text: String) throws -> [UInt8] {
        var octets: [UInt8] = []
        try SMSText.encode(text, plan: SMSText.plan(text), reference: 0, part: 0, into: &octets)
        return octets
    }

    @Test("Every letter of the default alphabet comes back as its code, and the code as the letter")
    func defaultTable() throws {
        #expect(GSM7.letters.count == 128)
        for code in UInt8(0)..<128 where code != GSM7.escape {
            let letter = String(Character(GSM7.letters[Int(code)]))
            #expect(SMSText.plan(letter).units == 1)
            #expect(try octets(letter) == [code])
            #expect(SMSText.decode([code], dataCoding: 0).unicodeScalars.first == GSM7.letters[Int(code)])
        }
    }

    @Test("Every letter of the extension table costs two septets and comes back")
    func extensionTable() throws {
        for (code, letter) in GSM7.extensionLetters {
            let text = String(Character(letter))
            #expect(SMSText.plan(text).units == 2)
            #expect(try octets(text) == [0x1B, code])
            #expect(SMSText.decode([0x1B, code], dataCoding: 0) == text)
        }
    }

    @Test("Of all scalars below U+3000 exactly the alphabet and the lossless replacements are GSM 7-bit")
    func nothingElse() {
        let wanted = Set(GSM7.letters.filter { $0.value != 0x1B })
            .union(GSM7.extensionLetters.map(\.letter)).union(GSM7.sameLetters.map(\.from))
        for value in UInt32(0)..<0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let plan = SMSText.plan(String(Character(scalar)))
            #expect((plan.alphabet == .gsm7) == wanted.contains(scalar), "U+\(String(value, radix: 16))")
            #expect(plan.firstForcing == (wanted.contains(scalar) ? nil : scalar))
        }
    }

    @Test("Every letter is counted and written alike wherever it stands in a word of eight")
    func everyPlace() throws {
        for letter in GSM7.letters.filter({ $0.value != 0x1B }) + GSM7.extensionLetters.map(\.letter) {
            let text = String(Character(letter))
            let alone = try octets(text)
            for before in 0..<17 {
                let whole = String(repeating: "a", count: before) + text + String(repeating: "z", count: 17)
                #expect(SMSText.plan(whole).units == before + alone.count + 17)
                #expect(try octets(whole) == [UInt8](repeating: 0x61, count: before) + alone + [UInt8](repeating: 0x7A, count: 17))
            }
        }
    }

    @Test("Each lossless replacement is written as the letter it stands for")
    func replacements() throws {
        for (from, to) in GSM7.sameLetters {
            #expect(try octets(String(Character(from))) == octets(String(Character(to))))
        }
        for (base, mark, letter) in GSM7.composed {
            var text = String.UnicodeScalarView()
            text.append(base)
            text.append(mark)
            #expect(String(text) == String(Character(letter)), "canonically the same")
            #expect(SMSText.plan(String(text)).units == 1)
            #expect(try octets(String(text)) == octets(String(Character(letter))))
        }
    }

    @Test("The letter that forces UCS-2 is the first one of the text")
    func forcing() {
        #expect(SMSText.plan("abc ż ś").firstForcing == "ż")
        #expect(SMSText.plan("abc 😀 ż").firstForcing == "😀")
        #expect(SMSText.plan("e\u{302}").firstForcing == "\u{302}")
        #expect(SMSText.plan("abc `").firstForcing == "`")
        #expect(SMSText.plan("ΑΒΓ").firstForcing == "Α")
    }
}

@Suite("Packing of septets")
struct PackingTests {
    @Test("The specification's way of packing: hello packs to five octets")
    func known() {
        #expect(GSM7.pack(Array("hello".utf8)) == [0xE8, 0x32, 0x9B, 0xFD, 0x06])
        #expect(GSM7.unpack([0xE8, 0x32, 0x9B, 0xFD, 0x06], count: 5) == Array("hello".utf8))
    }

    @Test("160 septets are 140 octets, and 153 behind a six-octet header 134")
    func sizes() {
        let septets = [UInt8](repeating: 0x7F, count: 160)
        #expect(GSM7.pack(septets).count == 140)
        #expect(GSM7.pack(septets[..<153], afterHeader: 6).count == 134)
        #expect(GSM7.pack(septets[..<152], afterHeader: 7).count == 133)
        #expect(GSM7.pack([] as [UInt8]).isEmpty)
        #expect(GSM7.pack([] as [UInt8], afterHeader: 6).isEmpty)
    }

    @Test("Whatever is packed unpacks again, for every length and header", arguments: 0...12)
    func roundTrip(headerOctets: Int) {
        for count in 0...160 {
            let septets = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) & 0x7F }
            let octets = GSM7.pack(septets, afterHeader: headerOctets)
            #expect(GSM7.unpack(octets, count: count, afterHeader: headerOctets) == septets)
            if count > 0 { #expect((headerOctets * 8 + GSM7.fillBits(headerOctets)) % 7 == 0) }
        }
    }

    @Test("Octets that end too early give the septets there are")
    func short() {
        #expect(GSM7.unpack([0xE8, 0x32], count: 100) == Array("he".utf8))
        #expect(GSM7.unpack([] as [UInt8], count: 5).isEmpty)
        #expect(GSM7.unpack([0xE8], count: 0).isEmpty)
    }
}
