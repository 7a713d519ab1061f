import SMSText
import Testing

@Suite("An operator's rules for texts")
struct RulesTests {
    private let long = String(repeating: "Ваш код підтвердження ", count: 8)

    @Test("Standard rules count as everybody does, and their shape says nothing else")
    func standard() throws {
        for text in ["Hello", "Привіт", String(repeating: "x", count: 400), String(repeating: "ж", count: 200)] {
            let (plan, shape) = try TextRules.standard.plan(text)
            #expect(plan == SMSText.plan(text) && shape.parts == plan.parts && shape.steps == 0 && shape.submits == plan.submits)
            #expect(shape == TextShape(plan) && shape.spelled(text) == text && shape.plan(text)?.parts == plan.parts)
        }
    }

    @Test("An alphabet without a number is not used, and a text that none has is refused")
    func numbers() throws {
        var profile = AlphabetProfile.standard
        profile.ucs2 = nil
        let rules = TextRules(options: .standard, profile: profile)
        #expect(rules.options.alphabets == [.gsm7])
        #expect(try rules.plan("Hello").plan.alphabet == .gsm7)
        #expect(throws: TextFault.noAlphabet) { try rules.plan("Привіт") }
    }

    @Test("A text is spelled otherwise only as far as that saves a part, or when no alphabet has it as it is")
    func spelling() throws {
        let all = TextRules(spellings: [.russian, .baseLetters, .typographic, .lookAlikes])
        #expect(all.spellings == [.typographic, .lookAlikes, .baseLetters, .russian])
        // One part either way: it stays as it was given.
        #expect(try all.plan("“Code” – 5").shape.steps == 0)
        #expect(try all.plan("Привіт").shape.steps == 0)
        // Several parts of GSM 7-bit have nothing to save.
        #expect(try all.plan(String(repeating: "x", count: 300)).shape.steps == 0)
        let quoted = "“" + String(repeating: "x", count: 100) + "”"
        let (plan, shape) = try all.plan(quoted)
        #expect(plan.parts == 1 && plan.alphabet == .gsm7 && shape.steps == Transliteration.typographic.bit)
        #expect(shape.spelled(quoted) == "\"" + String(repeating: "x", count: 100) + "\"" && shape.plan(shape.spelled(quoted))?.parts == 1)
        #expect(try all.plan(long).shape.steps == 1 | 2 | 4 | 16)
        let plain = TextRules(options: TextOptions(alphabets: [.gsm7]), spellings: [.typographic, .ukrainian])
        #expect(try plain.plan("Привіт").shape.steps == 1 | 8)
        #expect(throws: TextFault.noAlphabet) { try plain.plan("你好") }
    }

    @Test("What is shown at once takes an alphabet that can be, if one has the text; else any")
    func flash() throws {
        let rules = TextRules(options: TextOptions(alphabets: [.latin1, .ucs2]), profile: AlphabetProfile(zero: .latin1))
        #expect(try rules.plan("é").plan.alphabet == .latin1)
        #expect(try rules.plan("é", flash: true).plan.alphabet == .ucs2)
        let only = TextRules(options: TextOptions(alphabets: [.latin1]), profile: AlphabetProfile(zero: .latin1))
        #expect(only.flash.alphabets.isEmpty)
        #expect(try only.plan("é", flash: true).plan.alphabet == .latin1)
        let mixed = TextRules(options: TextOptions(alphabets: [.gsm7, .cyrillic]))
        #expect(try mixed.plan("Код", flash: true).plan.alphabet == .cyrillic)
        #expect(TextRules(hasFlash: false).flash.alphabets.isEmpty)
        let subunit = TextRules(options: rules.options, profile: AlphabetProfile(zero: .latin1, flash: .destinationSubunit))
        #expect(try subunit.plan("é", flash: true).plan.alphabet == .latin1)
    }

    @Test("A shape is four bytes that never change, and comes back from them; other numbers are none")
    func codes() throws {
        let text = String(repeating: "ş", count: 200)
        let rules = TextRules(options: TextOptions(alphabets: [.gsm7] + .turkish + [.ucs2], concatenation: .udh16))
        let (plan, shape) = try rules.plan(text)
        #expect(plan.alphabet == .turkishLocking && shape.code == 0x0200_0131)
        #expect(TextShape(code: shape.code) == shape)
        #expect(
            try TextRules(options: TextOptions(concatenation: .payload)).plan(String(repeating: "x", count: 400)).shape.code == 0x0300_0300)
        #expect(Transliteration.allCases.map(\.bit) == [1, 2, 4, 8, 16])
        #expect(Concatenation.allCases.map(\.rawValue) == [0, 1, 2, 3])
        for code: UInt32 in [0, 0x0100_0004, 0x0100_0002, 0x0100_0400, 0x0000_0008] { #expect(TextShape(code: code) == nil) }
    }

    @Test("A shape plans its text again as it was, whatever the rules say by then, and no other text")
    func again() throws {
        for concatenation in Concatenation.allCases {
            let rules = TextRules(options: TextOptions(concatenation: concatenation), spellings: [.typographic, .russian])
            for text in [long, String(repeating: "a", count: 170), "x"] {
                let (plan, shape) = try rules.plan(text)
                let again = try #require(shape.plan(shape.spelled(text)))
                #expect(again.parts == plan.parts && again.units == plan.units && again.submits == shape.submits)
                #expect(rules.takes(shape))
                #expect(shape.plan(shape.spelled(text) + String(repeating: "b", count: 200)) == nil)
            }
        }
        let (_, wide) = try TextRules.standard.plan("Привіт")
        #expect(wide.plan("Привіт")?.parts == 1)
        let (_, narrow) = try TextRules.standard.plan("Hello")
        #expect(narrow.plan("Привіт") == nil)
    }

    @Test("Rules take a shape when they have its alphabet and, for several parts, its way of putting them together")
    func takes() throws {
        let (_, one) = try TextRules.standard.plan("x")
        let (_, three) = try TextRules.standard.plan(String(repeating: "x", count: 400))
        let sar = TextRules(options: TextOptions(concatenation: .sar))
        #expect(sar.takes(one) && !sar.takes(three))
        let wide = TextRules(options: TextOptions(alphabets: [.ucs2]))
        #expect(!wide.takes(one))
    }

    @Test("A part that its sender cut is written in the tables that its header names, else in UCS-2, or does not fit")
    func parts() {
        func write(_ text: String, _ header: [UInt8]) -> ([UInt8], Alphabet?) {
            var octets: [UInt8] = []
            let alphabet = SMSText.encode(part: text, behind: header, into: &octets)
            return (octets, alphabet)
        }
        let plain: [UInt8] = [5, 0, 3, 9, 2, 1]
        let turkish: [UInt8] = [8, 0, 3, 9, 2, 1, 0x24, 1, 1]
        #expect(write("aş", turkish) == ([0x61, 0x1B, 0x73], .gsm7))
        #expect(write("aş", plain) == ([0, 0x61, 1, 0x5F], .ucs2))
        #expect(write(String(repeating: "a", count: 153), plain).1 == .gsm7)
        #expect(write(String(repeating: "a", count: 154), plain) == ([], nil))
        #expect(write(String(repeating: "ж", count: 67), plain).1 == .ucs2)
        #expect(write(String(repeating: "ж", count: 68), plain) == ([], nil))
        #expect(write("a", [UInt8](repeating: 0, count: 141)) == ([], nil))
        #expect(SMSText.Coding.allCodings.map(\.alphabet) == [.gsm7, .ascii, .latin1, .cyrillic, .ucs2])
    }
}

extension SMSText.Coding {
    fileprivate static let allCodings: [SMSText.Coding] = [.gsm7, .ascii, .latin1, .cyrillic, .ucs2]
}
