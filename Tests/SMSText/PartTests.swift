import SMSText
import Testing

@Suite("Parts")
struct PartTests {
    private func parts(_ text: String, _ concatenation: Concatenation = .udh8) throws -> [[UInt8]] {
        var parts: [[UInt8]] = []
        try SMSText.forEachPart(text, plan: SMSText.plan(text, concatenation: concatenation), reference: 0x1234) { _, octets in
            parts.append([UInt8](octets))
        }
        return parts
    }

    @Test("255 parts are encoded; a text of 256 is planned, but refused by name")
    func most() throws {
        let most = String(repeating: "a", count: 153 * 255)
        #expect(SMSText.plan(most).parts == 255)
        #expect(try parts(most).count == 255)
        let over = most + "a"
        let plan = SMSText.plan(over)
        #expect(plan.parts == 256)
        #expect(throws: TextFault.tooManyParts(256)) { try SMSText.forEachPart(over, plan: plan, reference: 0) { _, _ in } }
        var octets: [UInt8] = []
        #expect(throws: TextFault.tooManyParts(256)) { try SMSText.encode(over, plan: plan, reference: 0, part: 0, into: &octets) }
        #expect(octets.isEmpty)
    }

    @Test("A part that the plan does not have is refused by name")
    func noSuchPart() {
        let plan = SMSText.plan("hello")
        var octets: [UInt8] = []
        #expect(throws: TextFault.noSuchPart(1, of: 1)) { try SMSText.encode("hello", plan: plan, reference: 0, part: 1, into: &octets) }
        #expect(throws: TextFault.noSuchPart(-1, of: 1)) { try SMSText.encode("hello", plan: plan, reference: 0, part: -1, into: &octets) }
    }

    @Test("A plan of another text is refused, whichever of the two is longer, and never reads or writes out of bounds")
    func planOfAnotherText() {
        let long = String(repeating: "a", count: 400)
        let short = String(repeating: "ż", count: 30)
        var octets: [UInt8] = []
        #expect(throws: TextFault.planOfAnotherText) { try SMSText.forEachPart(long, plan: SMSText.plan(short), reference: 0) { _, _ in } }
        #expect(throws: TextFault.planOfAnotherText) { try SMSText.forEachPart(short, plan: SMSText.plan(long), reference: 0) { _, _ in } }
        #expect(throws: TextFault.planOfAnotherText) {
            try SMSText.encode(short, plan: SMSText.plan(long), reference: 0, part: 1, into: &octets)
        }
        #expect(throws: TextFault.planOfAnotherText) {
            try SMSText.encode(long, plan: SMSText.plan(short), reference: 0, part: 0, into: &octets)
        }
        #expect(octets.isEmpty)
    }

    @Test("Letters that a wrong plan cannot write become question marks, not garbage")
    func wrongAlphabet() throws {
        var octets: [UInt8] = []
        try SMSText.encode("żaż", plan: SMSText.plan("abc"), reference: 0, part: 0, into: &octets)
        #expect(octets == Array("?a?".utf8))
    }

    @Test("Only the wanted parts are given out")
    func wanted() throws {
        let text = String(repeating: "0123456789", count: 50)
        let all = try parts(text)
        #expect(all.count == 4)
        var some: [Int: [UInt8]] = [:]
        try SMSText.forEachPart(text, plan: SMSText.plan(text), reference: 0x1234, in: 1..<3) { some[$0] = [UInt8]($1) }
        #expect(some == [1: all[1], 2: all[2]])
    }

    @Test("Part sizes are those of the specification, for both references and both alphabets")
    func sizes() {
        #expect(Concatenation.udh8.unitsMax(of: .gsm7) == 153)
        #expect(Concatenation.udh16.unitsMax(of: .gsm7) == 152)
        #expect(Concatenation.udh8.unitsMax(of: .ucs2) == 67)
        #expect(Concatenation.udh16.unitsMax(of: .ucs2) == 66)
        #expect(SMSText.plan("a").unitsPerPart == 160)
        #expect(SMSText.plan("ж").unitsPerPart == 70)
        #expect(SMSText.plan(String(repeating: "ж", count: 71), concatenation: .udh16).unitsPerPart == 66)
        #expect(Alphabet.gsm7.dataCoding == 0)
        #expect(Alphabet.ucs2.dataCoding == 8)
    }

    @Test("Random texts: no part over its size, nothing cut that must stay whole, nothing lost", arguments: 1...60)
    func random(seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let gsmPieces = ["a", "é", "€", "{", "\r\n", "e\u{301}", "Ω", "\u{A0}", "a plain word ", "@", "$", "_", "\u{212B}", "~"]
        let anyPieces = gsmPieces + ["ж", "😀", "🇵🇱", "👨‍👩‍👧‍👦", "👍🏽", "и\u{306}", "क्षि", "각", "漢", "`", "a\u{301}\u{327}"]
        let pieces = seed % 2 == 0 ? gsmPieces : anyPieces
        for _ in 0..<20 {
            let text = (0..<next(400)).map { _ in pieces[next(pieces.count)] }.joined()
            for concatenation in [Concatenation.udh8, .udh16] {
                let plan = SMSText.plan(text, concatenation: concatenation)
                var units = 0
                var count = 0
                var whole = ""
                var clusters = 0
                try SMSText.forEachPart(text, plan: plan, reference: 7) { part, octets in
                    count += 1
                    #expect(octets.count <= (plan.alphabet == .gsm7 ? 160 : 140))
                    let body = [UInt8](octets.dropFirst(plan.hasHeader ? concatenation.headerOctets : 0))
                    let here = plan.alphabet == .gsm7 ? body.count : body.count / 2
                    #expect(here <= plan.unitsPerPart)
                    units += here
                    let decoded = SMSText.decode(body, dataCoding: plan.dataCoding)
                    #expect(!decoded.unicodeScalars.contains("\u{FFFD}"))
                    whole += decoded
                    clusters += decoded.count
                }
                #expect(count == plan.parts)
                #expect(units == plan.units)
                let wanted = plan.alphabet == .gsm7 ? String(text.map { $0 == "\u{A0}" ? " " : $0 }) : text
                #expect(whole == wanted)
                #expect(clusters == wanted.count, "a grapheme cluster was cut")
            }
        }
    }

    @Test("Faults are described without a word of the text")
    func descriptions() {
        #expect("\(TextFault.tooManyParts(300))" == "text needs 300 parts, at most 255 can be numbered")
        #expect("\(TextFault.noSuchPart(4, of: 2))" == "no part 4 in a text of 2 parts (numbered from 0)")
        #expect("\(TextFault.planOfAnotherText)" == "the plan was made from another text")
    }
}
